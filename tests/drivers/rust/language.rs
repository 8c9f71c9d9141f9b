//! What the language does: order, batches, collections, statics, times.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use scylla::errors::DbError;
use scylla::statement::batch::{Batch, BatchType};

use crate::{Dialogue, rows, verdict};

pub(crate) async fn clustering_and_order(dialogue: &Dialogue) {
    dialogue
        .run("CREATE TABLE series (pk int, ck int, v text, PRIMARY KEY (pk, ck)) WITH CLUSTERING ORDER BY (ck DESC)")
        .await;
    let insert = "INSERT INTO series (pk, ck, v) VALUES (?, ?, ?)";
    let insert = dialogue.session.prepare(insert).await.unwrap();
    for ck in 0..100 {
        dialogue
            .session
            .execute_unpaged(&insert, (1, ck, ck.to_string()))
            .await
            .unwrap();
    }
    for (statement, expected) in [
        (
            "SELECT ck FROM series WHERE pk = 1 AND ck >= 10 AND ck < 13",
            [12, 11, 10],
        ),
        (
            "SELECT ck FROM series WHERE pk = 1 ORDER BY ck ASC LIMIT 3",
            [0, 1, 2],
        ),
    ] {
        let got = dialogue.rows::<(i32,)>(statement).await;
        assert_eq!(got, expected.map(|ck| (ck,)), "{statement}");
    }
    let count = "SELECT count(*) FROM series WHERE pk = 1";
    assert_eq!(dialogue.one::<(i64,)>(count).await, (100,));
}

pub(crate) async fn batches(dialogue: &Dialogue) {
    dialogue
        .run("CREATE TABLE batched (pk int, ck int, v int, PRIMARY KEY (pk, ck))")
        .await;
    let insert = "INSERT INTO batched (pk, ck, v) VALUES (?, ?, ?)";
    let insert = dialogue.session.prepare(insert).await.unwrap();
    let delete = "DELETE FROM batched WHERE pk = ? AND ck = 7";
    for (pk, kind) in [(0, BatchType::Logged), (1, BatchType::Unlogged)] {
        let mut batch = Batch::new(kind);
        for _ in 0..50 {
            batch.append_statement(insert.clone());
        }
        batch.append_statement(delete);
        let mut values: Vec<Vec<i32>> = (0..50).map(|ck| vec![pk, ck, ck]).collect();
        values.push(vec![pk]);
        dialogue.session.batch(&batch, &values).await.unwrap();
        let select = format!("SELECT ck FROM batched WHERE pk = {pk}");
        // Equal times: the deletion wins over the insert.
        let expected: Vec<(i32,)> = (0..50).filter(|ck| *ck != 7).map(|ck| (ck,)).collect();
        assert_eq!(dialogue.rows::<(i32,)>(&select).await, expected);
    }
}

pub(crate) async fn collections(dialogue: &Dialogue) {
    for statement in [
        "CREATE TABLE collected (id int PRIMARY KEY, l list<int>, s set<int>, m map<text, int>)",
        "INSERT INTO collected (id, l, s, m) VALUES (1, [1, 2], {1, 2}, {'a': 1})",
    ] {
        dialogue.run(statement).await;
    }
    let append = "UPDATE collected SET l = l + ?, s = s + ?, m = m + ? WHERE id = ?";
    let append = dialogue.session.prepare(append).await.unwrap();
    let more = (vec![3], BTreeSet::from([3]), BTreeMap::from([("b", 2)]), 1);
    dialogue
        .session
        .execute_unpaged(&append, more)
        .await
        .unwrap();
    for statement in [
        "UPDATE collected SET l = [0] + l, s = s - {1}, m['a'] = 10 WHERE id = 1",
        "DELETE m['b'] FROM collected WHERE id = 1",
    ] {
        dialogue.run(statement).await;
    }
    collections_are_there(dialogue).await;
}

/// Lists changed by index and by value; each statement of a batch sees what was there before the batch.
pub(crate) async fn list_elements(dialogue: &Dialogue) {
    dialogue
        .run("CREATE TABLE listed (id int PRIMARY KEY, l list<int>)")
        .await;
    let prepare = async |text: &str| dialogue.session.prepare(text).await.unwrap();
    let insert = prepare("INSERT INTO listed (id, l) VALUES (?, ?)").await;
    let set = prepare("UPDATE listed SET l[?] = ? WHERE id = ?").await;
    let delete = prepare("DELETE l[?] FROM listed WHERE id = ?").await;
    let remove = prepare("UPDATE listed SET l = l - ? WHERE id = ?").await;
    for id in 0..8 {
        let whole: Vec<i32> = (0..200).collect();
        let run = async |statement: &_, values: (i32, i32, i32)| {
            dialogue.session.execute_unpaged(statement, values).await
        };
        dialogue
            .session
            .execute_unpaged(&insert, (id, whole))
            .await
            .unwrap();
        let mut batch = Batch::new(BatchType::Logged);
        let mut indexes = Vec::new();
        for index in (0..200).step_by(2) {
            batch.append_statement(delete.clone());
            indexes.push((index, id));
        }
        dialogue.session.batch(&batch, &indexes).await.unwrap();
        run(&set, (99, -1, id)).await.unwrap();
        let gone: Vec<i32> = (0..195).collect();
        dialogue
            .session
            .execute_unpaged(&remove, (gone, id))
            .await
            .unwrap();
        let error = run(&set, (3, 0, id)).await.unwrap_err();
        assert_eq!(*verdict(&error), DbError::Invalid, "{error}");
        let select = format!("SELECT l FROM listed WHERE id = {id}");
        let (left,) = dialogue.one::<(Vec<i32>,)>(&select).await;
        assert_eq!(left, [195, 197, -1]);
    }
}

pub(crate) async fn collections_are_there(dialogue: &Dialogue) {
    type Row = (Vec<i32>, BTreeSet<i32>, BTreeMap<String, i32>);
    assert_eq!(
        dialogue
            .one::<Row>("SELECT l, s, m FROM collected WHERE id = 1")
            .await,
        (
            vec![0, 1, 2, 3],
            BTreeSet::from([2, 3]),
            BTreeMap::from([("a".to_owned(), 10)])
        )
    );
}

pub(crate) async fn static_columns(dialogue: &Dialogue) {
    let select = "SELECT ck, s FROM statics WHERE pk = 1";
    let both = |ck, s: &str| (ck, s.to_owned());
    for statement in [
        "CREATE TABLE statics (pk int, ck int, s text static, v int, PRIMARY KEY (pk, ck))",
        "INSERT INTO statics (pk, s) VALUES (1, 'alone')",
    ] {
        dialogue.run(statement).await;
    }
    let got = dialogue.rows::<(Option<i32>, String)>(select).await;
    assert_eq!(got, [both(None, "alone")]);
    for statement in [
        "INSERT INTO statics (pk, ck, v) VALUES (1, 1, 1)",
        "INSERT INTO statics (pk, ck, v, s) VALUES (1, 2, 2, 'shared')",
    ] {
        dialogue.run(statement).await;
    }
    let got = dialogue.rows::<(Option<i32>, String)>(select).await;
    assert_eq!(got, [both(Some(1), "shared"), both(Some(2), "shared")]);
}

pub(crate) async fn time_to_live(dialogue: &Dialogue) {
    for statement in [
        "CREATE TABLE expiring (id int PRIMARY KEY, v text, w text)",
        "INSERT INTO expiring (id, v, w) VALUES (1, 'short', 'long') USING TTL 100000",
        "UPDATE expiring USING TTL 1 SET v = 'short' WHERE id = 1",
    ] {
        dialogue.run(statement).await;
    }
    let (left,) = dialogue
        .one::<(i32,)>("SELECT ttl(w) FROM expiring WHERE id = 1")
        .await;
    assert!(left > 99_000);
    let gone = async {
        let select = "SELECT v FROM expiring WHERE id = 1";
        while dialogue.one::<(Option<String>,)>(select).await.0.is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone)
        .await
        .expect("a cell with a TTL of one second is gone within ten");
}

pub(crate) async fn write_timestamps(dialogue: &Dialogue) {
    for statement in [
        "CREATE TABLE timed (id int PRIMARY KEY, v int)",
        "INSERT INTO timed (id, v) VALUES (1, 1) USING TIMESTAMP 2000",
        "INSERT INTO timed (id, v) VALUES (1, 2) USING TIMESTAMP 1000",
    ] {
        dialogue.run(statement).await;
    }
    let select = "SELECT v, writetime(v) FROM timed WHERE id = 1";
    assert_eq!(dialogue.one::<(i32, i64)>(select).await, (1, 2000));
    let insert = "INSERT INTO timed (id, v) VALUES (2, 2)";
    let mut insert = dialogue.session.prepare(insert).await.unwrap();
    insert.set_timestamp(Some(77));
    dialogue.session.execute_unpaged(&insert, ()).await.unwrap();
    let select = dialogue
        .session
        .query_unpaged("SELECT writetime(v) FROM timed WHERE id = ?", (2,))
        .await;
    assert_eq!(rows::<(i64,)>(select.unwrap()), [(77,)]);
}
