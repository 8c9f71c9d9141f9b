//! Compactions that do not keep up: writers slow down long before flushes have to wait.

use std::time::Duration;

use node_env::simulation::run;

use crate::model::{Batch, Col, Write};
use crate::world::{Life, World, write_batch};

const COMPACTIONS_TAKE: Duration = Duration::from_secs(3_600);

/// Writes a row and flushes it. Says how long the write was held up.
async fn write_and_flush(life: &Life, ck: i32) -> Duration {
    let cells = vec![(Col::V, Some("x".to_owned()))];
    let batch = Batch {
        time: i64::from(ck),
        writes: vec![(1, Write::Insert { ck, cells })],
    };
    let batch = write_batch(&life.table, &batch, 0);
    let store = &life.shards[0];
    let before = tokio::time::Instant::now();
    store.admit(batch.encoded_len()).await.unwrap();
    let held_up = before.elapsed();
    store.apply(batch).unwrap();
    store.flush().await.unwrap();
    held_up
}

#[test]
fn writes_are_delayed_more_and_more_while_runs_pile_up() {
    run(async {
        let mut world = World::with_compactions_in(1, COMPACTIONS_TAKE..COMPACTIONS_TAKE * 2);
        let life = world.boot(1).await.unwrap();
        let engine = life.storage.engine();
        let limit = engine.stats().runs_limit.unwrap();
        let mut held_up = Vec::new();
        // The last one would find the limit reached, and its flush would compact by itself.
        for ck in 1.. {
            if engine.stats().runs + 1 >= limit {
                break;
            }
            held_up.push(write_and_flush(&life, ck).await);
        }
        assert_eq!(engine.stats().compactions, 0, "nothing was compacted");
        assert!(held_up.is_sorted(), "{held_up:?}");
        assert_eq!(held_up[held_up.len() / 3], Duration::ZERO);
        assert!(held_up[held_up.len() * 2 / 3] > Duration::from_millis(1));
        assert!(held_up[held_up.len() - 1] > Duration::from_millis(30));

        tokio::time::sleep(COMPACTIONS_TAKE * 3).await;
        assert!(engine.stats().compactions > 0, "it is compacted by now");
        let after = write_and_flush(&life, 1_000).await;
        assert_eq!(after, Duration::ZERO);
    });
}
