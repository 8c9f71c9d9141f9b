//! What an application written with the Rust driver does, step by step.
//!
//! The test starts a node, runs the dialogue, restarts the node with another number of shards and looks at what stayed.
//! `MESSINA_DIALOGUE_AGAINST=host:port` runs the dialogue against a server that runs already; it speaks nothing that only one server understands.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise and talks to who started it"
)]

mod basics;
mod concurrency;
mod language;
mod types;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use messina_tests::node::Node;
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::deserialize::row::DeserializeRow;
use scylla::errors::{DbError, ExecutionError, PrepareError, RequestAttemptError};
use scylla::frame::types::Consistency;
use scylla::response::query_result::QueryResult;

const KEYSPACE: &str = "dialogue_rust";

/// A server, and a session that uses the dialogue's keyspace.
struct Dialogue {
    address: SocketAddr,
    session: Arc<Session>,
}

async fn connect(address: SocketAddr) -> Session {
    let profile = ExecutionProfile::builder()
        .request_timeout(Some(Duration::from_secs(60)))
        .consistency(Consistency::LocalOne)
        .build();
    SessionBuilder::new()
        .known_node_addr(address)
        .default_execution_profile_handle(profile.into_handle())
        .build()
        .await
        .unwrap()
}

impl Dialogue {
    async fn run(&self, statement: &str) -> QueryResult {
        self.session
            .query_unpaged(statement, ())
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"))
    }

    async fn rows<R>(&self, statement: &str) -> Vec<R>
    where
        R: for<'a> DeserializeRow<'a, 'a>,
    {
        rows(self.run(statement).await)
    }

    async fn one<R>(&self, statement: &str) -> R
    where
        R: for<'a> DeserializeRow<'a, 'a>,
    {
        let mut rows = self.rows(statement).await;
        assert_eq!(rows.len(), 1, "{statement}");
        rows.remove(0)
    }
}

/// All rows of a result.
fn rows<R>(result: QueryResult) -> Vec<R>
where
    R: for<'a> DeserializeRow<'a, 'a>,
{
    let result = result.into_rows_result().unwrap();
    result.rows::<R>().unwrap().map(Result::unwrap).collect()
}

/// The server's verdict in an error.
fn verdict(error: &ExecutionError) -> &DbError {
    match error {
        ExecutionError::LastAttemptError(RequestAttemptError::DbError(error, _)) => error,
        ExecutionError::PrepareError(PrepareError::AllAttemptsFailed {
            first_attempt: RequestAttemptError::DbError(error, _),
        }) => error,
        other => panic!("no verdict of the server: {other}"),
    }
}

async fn before(address: SocketAddr) {
    let dialogue = Dialogue {
        address,
        session: Arc::new(connect(address).await),
    };
    macro_rules! steps {
        ($($module:ident::$step:ident),* $(,)?) => {
            $(
                $module::$step(&dialogue).await;
                println!("rust: {} ok", stringify!($step));
            )*
        };
    }
    steps![
        basics::metadata,
        basics::keyspace,
        types::all_types_prepared,
        types::nan,
        types::empty_values,
        basics::simple_statements_with_values,
        basics::named_markers_and_unset,
        language::clustering_and_order,
        language::batches,
        concurrency::paging,
        language::collections,
        language::list_elements,
        types::user_types,
        language::static_columns,
        language::time_to_live,
        language::write_timestamps,
        basics::errors,
        basics::consistency,
        basics::schema_changes_reach_an_open_connection,
        concurrency::many_sessions_at_once,
    ];
}

/// What a restart must not change.
async fn after(address: SocketAddr) {
    let session = connect(address).await;
    session.use_keyspace(KEYSPACE, false).await.unwrap();
    let dialogue = Dialogue {
        address,
        session: Arc::new(session),
    };
    assert_eq!(
        dialogue.one::<(i64,)>("SELECT count(*) FROM paged").await,
        (11_000,)
    );
    assert_eq!(
        dialogue.one::<(i64,)>("SELECT count(*) FROM crowded").await,
        (600,)
    );
    language::collections_are_there(&dialogue).await;
    assert_eq!(
        dialogue
            .one::<(Option<String>, String)>("SELECT v, w FROM expiring WHERE id = 1")
            .await,
        (None, "long".to_owned())
    );
    assert_eq!(
        dialogue
            .one::<(i32, i64)>("SELECT v, writetime(v) FROM timed WHERE id = 1")
            .await,
        (1, 2000)
    );
    assert_eq!(
        dialogue
            .one::<(i32,)>("SELECT extra FROM simple WHERE id = 1")
            .await,
        (5,)
    );
    let state = dialogue.session.get_cluster_state();
    assert!(state.get_keyspace(KEYSPACE).unwrap().tables.len() >= 12);
    println!("rust: after the restart ok");
}

#[tokio::test]
async fn dialogue() {
    if let Ok(address) = std::env::var("MESSINA_DIALOGUE_AGAINST") {
        let address = tokio::net::lookup_host(address)
            .await
            .unwrap()
            .next()
            .unwrap();
        before(address).await;
        after(address).await;
        return;
    }
    for (shards, shards_after) in [(1, 3), (3, 1)] {
        println!("{shards} shards, after the restart {shards_after}");
        let program = env!("CARGO_BIN_EXE_messina-node");
        let mut node = Node::start(program, shards, &[]).await;
        before(node.address()).await;
        let status = node.terminate().await;
        assert!(status.success(), "{status}");
        node.start_again(shards_after).await;
        after(node.address()).await;
    }
}
