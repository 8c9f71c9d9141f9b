//! Many rows, many pages, many sessions.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;

use scylla::client::session::Session;
use scylla::response::PagingState;
use scylla::statement::unprepared::Statement;
use tokio::task::JoinSet;

use crate::{Dialogue, KEYSPACE, connect, rows};

/// Requests in flight while a table is filled.
const IN_FLIGHT: usize = 200;

/// All rows of a statement, and how many pages they came in.
async fn pages(session: &Session, statement: &str, size: i32) -> (Vec<(i32, i32)>, usize) {
    let mut statement = Statement::new(statement);
    statement.set_page_size(size);
    let mut state = PagingState::start();
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let (page, next) = session
            .query_single_page(statement.clone(), (), state)
            .await
            .unwrap();
        all.extend(rows::<(i32, i32)>(page));
        pages += 1;
        match next.into_paging_control_flow() {
            ControlFlow::Break(()) => return (all, pages),
            ControlFlow::Continue(next) => state = next,
        }
    }
}

pub(crate) async fn paging(dialogue: &Dialogue) {
    dialogue
        .run("CREATE TABLE paged (pk int, ck int, v text, PRIMARY KEY (pk, ck))")
        .await;
    let insert = "INSERT INTO paged (pk, ck, v) VALUES (?, ?, ?)";
    let insert = Arc::new(dialogue.session.prepare(insert).await.unwrap());
    let wanted: BTreeSet<(i32, i32)> = (0..100)
        .flat_map(|pk| (0..110).map(move |ck| (pk, ck)))
        .collect();
    let mut running = JoinSet::new();
    for (pk, ck) in wanted.iter().copied() {
        if running.len() >= IN_FLIGHT {
            running.join_next().await.unwrap().unwrap();
        }
        let (session, insert) = (Arc::clone(&dialogue.session), Arc::clone(&insert));
        running.spawn(async move {
            session
                .execute_unpaged(&insert, (pk, ck, "vvvvvvvvvvvvvvvvvvvv"))
                .await
                .unwrap();
        });
    }
    running.join_all().await;
    for size in [97, 1_000, 5_000] {
        let (got, pages) = pages(&dialogue.session, "SELECT pk, ck FROM paged", size).await;
        assert_eq!(got.len(), wanted.len(), "pages of {size}");
        assert_eq!(got.into_iter().collect::<BTreeSet<_>>(), wanted);
        assert!(pages >= wanted.len() / usize::try_from(size).unwrap());
    }
    let reversed = "SELECT pk, ck FROM paged WHERE pk = 5 ORDER BY ck DESC";
    let (got, _) = pages(&dialogue.session, reversed, 10).await;
    assert!(got.into_iter().eq((0..110).rev().map(|ck| (5, ck))));
    let count = "SELECT count(*) FROM paged";
    assert_eq!(dialogue.one::<(i64,)>(count).await, (11_000,));
    let distinct = "SELECT DISTINCT pk FROM paged";
    assert_eq!(dialogue.rows::<(i32,)>(distinct).await.len(), 100);
}

pub(crate) async fn many_sessions_at_once(dialogue: &Dialogue) {
    dialogue
        .run("CREATE TABLE crowded (id int PRIMARY KEY, v int)")
        .await;
    let address = dialogue.address;
    let mut running = JoinSet::new();
    for number in 0..6 {
        running.spawn(async move {
            let session = connect(address).await;
            session.use_keyspace(KEYSPACE, false).await.unwrap();
            let create = format!(
                "CREATE TABLE IF NOT EXISTS crowd_{} (id int PRIMARY KEY)",
                number % 2
            );
            session.query_unpaged(create, ()).await.unwrap();
            let insert = "INSERT INTO crowded (id, v) VALUES (?, ?)";
            let insert = session.prepare(insert).await.unwrap();
            for index in 0..100 {
                session
                    .execute_unpaged(&insert, (number * 100 + index, number))
                    .await
                    .unwrap();
            }
        });
    }
    running.join_all().await;
    let count = "SELECT count(*) FROM crowded";
    assert_eq!(dialogue.one::<(i64,)>(count).await, (600,));
}
