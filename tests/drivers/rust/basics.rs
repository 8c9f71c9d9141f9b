//! Connecting, metadata, statements with values, errors, consistency, schema changes.

use std::collections::BTreeMap;

use scylla::errors::DbError;
use scylla::frame::types::Consistency;
use scylla::statement::unprepared::Statement;
use scylla::value::{CqlTimestamp, CqlValue, MaybeUnset};

use crate::{Dialogue, KEYSPACE, connect, rows, verdict};

pub(crate) async fn metadata(dialogue: &Dialogue) {
    let state = dialogue.session.get_cluster_state();
    let [node] = state.get_nodes_info() else {
        panic!("one node");
    };
    assert!(node.datacenter.is_some() && node.rack.is_some());
    assert!(!state.cluster_name().is_empty());
    assert!(state.get_keyspace("system").is_some());
    assert_eq!(
        dialogue
            .one::<(String,)>("SELECT key FROM system.local")
            .await,
        ("local".to_owned(),)
    );
}

pub(crate) async fn keyspace(dialogue: &Dialogue) {
    dialogue
        .run(&format!("DROP KEYSPACE IF EXISTS {KEYSPACE}"))
        .await;
    dialogue
        .run(&format!(
            "CREATE KEYSPACE {KEYSPACE} WITH replication = {{'class': 'SimpleStrategy', 'replication_factor': 1}}"
        ))
        .await;
    dialogue
        .session
        .use_keyspace(KEYSPACE, false)
        .await
        .unwrap();
    let state = dialogue.session.get_cluster_state();
    assert!(state.get_keyspace(KEYSPACE).is_some());
}

pub(crate) async fn simple_statements_with_values(dialogue: &Dialogue) {
    dialogue
        .run("CREATE TABLE simple (id int PRIMARY KEY, name text, at timestamp)")
        .await;
    let insert = "INSERT INTO simple (id, name) VALUES (?, ?)";
    for (id, name) in [(1, "o'neil"), (2, "two")] {
        dialogue
            .session
            .query_unpaged(insert, (id, name))
            .await
            .unwrap();
    }
    let select = "SELECT name FROM simple WHERE id IN ?";
    let result = dialogue.session.query_unpaged(select, (vec![1, 2],)).await;
    assert_eq!(
        rows::<(String,)>(result.unwrap()),
        [("o'neil".to_owned(),), ("two".to_owned(),)]
    );
}

pub(crate) async fn named_markers_and_unset(dialogue: &Dialogue) {
    let session = &dialogue.session;
    let insert = session
        .prepare("INSERT INTO simple (id, name, at) VALUES (:id, :name, :at)")
        .await
        .unwrap();
    let named = BTreeMap::from([
        ("id", CqlValue::Int(3)),
        ("name", CqlValue::Text("three".to_owned())),
        ("at", CqlValue::Timestamp(CqlTimestamp(1_577_836_800_000))),
    ]);
    session.execute_unpaged(&insert, &named).await.unwrap();
    let unset: MaybeUnset<&str> = MaybeUnset::Unset;
    session
        .execute_unpaged(&insert, (3, unset, None::<CqlTimestamp>))
        .await
        .unwrap();
    assert_eq!(
        dialogue
            .one::<(String, Option<CqlTimestamp>)>("SELECT name, at FROM simple WHERE id = 3")
            .await,
        ("three".to_owned(), None)
    );
}

pub(crate) async fn errors(dialogue: &Dialogue) {
    for (statement, expected) in [
        ("SELEC 1", DbError::SyntaxError),
        ("SELECT nope FROM simple", DbError::Invalid),
        ("SELECT * FROM nosuchtable", DbError::Invalid),
        ("INSERT INTO simple (id) VALUES ('x')", DbError::Invalid),
        (
            "CREATE TABLE simple (id int PRIMARY KEY)",
            DbError::AlreadyExists {
                keyspace: KEYSPACE.to_owned(),
                table: "simple".to_owned(),
            },
        ),
    ] {
        let error = dialogue.session.query_unpaged(statement, ()).await;
        assert_eq!(*verdict(&error.unwrap_err()), expected, "{statement}");
    }
}

pub(crate) async fn consistency(dialogue: &Dialogue) {
    let three = "CREATE KEYSPACE IF NOT EXISTS dialogue_rust_three WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 3}";
    dialogue.run(three).await;
    dialogue
        .run("CREATE TABLE IF NOT EXISTS dialogue_rust_three.t (id int PRIMARY KEY)")
        .await;
    let mut insert = Statement::new("INSERT INTO dialogue_rust_three.t (id) VALUES (1)");
    insert.set_consistency(Consistency::One);
    dialogue
        .session
        .query_unpaged(insert.clone(), ())
        .await
        .unwrap();
    insert.set_consistency(Consistency::Quorum);
    let error = dialogue
        .session
        .query_unpaged(insert, ())
        .await
        .unwrap_err();
    assert!(
        matches!(
            verdict(&error),
            DbError::Unavailable {
                required: 2,
                alive: 1,
                ..
            }
        ),
        "{error}"
    );
    dialogue.run("DROP KEYSPACE dialogue_rust_three").await;
}

pub(crate) async fn schema_changes_reach_an_open_connection(dialogue: &Dialogue) {
    let watcher = connect(dialogue.address).await;
    watcher.use_keyspace(KEYSPACE, false).await.unwrap();
    let select = watcher
        .prepare("SELECT * FROM simple WHERE id = 1")
        .await
        .unwrap();
    let before = watcher.execute_unpaged(&select, ()).await.unwrap();
    let before = before.into_rows_result().unwrap();
    assert_eq!(before.column_specs().len(), 3);

    dialogue
        .run("CREATE TABLE announced (id int PRIMARY KEY, v int)")
        .await;
    dialogue.run("ALTER TABLE announced ADD w text").await;
    watcher.refresh_metadata().await.unwrap();
    let state = watcher.get_cluster_state();
    let announced = &state
        .get_keyspace(KEYSPACE)
        .unwrap()
        .tables
        .get("announced")
        .unwrap();
    assert!(announced.columns.contains_key("w"));
    dialogue.run("DROP TABLE announced").await;

    dialogue.run("ALTER TABLE simple ADD extra int").await;
    dialogue
        .run("UPDATE simple SET extra = 5 WHERE id = 1")
        .await;
    let after = watcher.execute_unpaged(&select, ()).await.unwrap();
    let after = after.into_rows_result().unwrap();
    let names: Vec<&str> = after
        .column_specs()
        .iter()
        .map(|each| each.name())
        .collect();
    assert_eq!(names, ["id", "at", "extra", "name"]);
    let (_, _, extra, name) = after
        .single_row::<(i32, Option<CqlTimestamp>, i32, String)>()
        .unwrap();
    assert_eq!((extra, name.as_str()), (5, "o'neil"));
}
