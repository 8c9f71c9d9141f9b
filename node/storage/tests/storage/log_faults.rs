//! What the log does when the disk is full, fails, tears, or lies.

use std::path::{Path, PathBuf};
use std::time::Duration;

use node_env::Files;
use node_env::files::{Fault, SyncFault, WriteFault};
use node_env::simulation::run;
use node_storage::{
    LogError, LogPosition, ReplayError, SYNC_LOG_FRAMES, StorageError, WriteBatch, WriteError,
};

use crate::model::{Batch, Col, Write};
use crate::world::{Life, World, write_batch};

fn insert(ck: i32, bytes: usize) -> Batch {
    let cells = vec![(Col::V, Some("x".repeat(bytes)))];
    Batch {
        time: i64::from(ck),
        writes: vec![(1, Write::Insert { ck, cells })],
    }
}

fn encode(life: &Life, ck: i32, bytes: usize) -> WriteBatch {
    write_batch(&life.table, &insert(ck, bytes), 0)
}

async fn write(life: &Life, ck: i32, bytes: usize) -> LogPosition {
    let batch = encode(life, ck, bytes);
    let store = &life.shards[0];
    store.admit(batch.encoded_len()).await.unwrap();
    let position = store.apply(batch).unwrap();
    store.durable(position).await.unwrap();
    position
}

async fn keys(life: &Life) -> Vec<i32> {
    life.partition(1)
        .await
        .unwrap()
        .0
        .rows
        .into_keys()
        .collect()
}

/// The segments of shard 0 in the first generation, by name.
fn segments(world: &World) -> Vec<PathBuf> {
    let folder = Path::new("/node/log");
    let names = world.machine.files.list(folder).unwrap();
    names
        .iter()
        .filter(|entry| entry.name.starts_with("0000000001-0000-"))
        .map(|entry| folder.join(&entry.name))
        .collect()
}

#[test]
fn a_batch_above_half_a_segment_is_refused_before_anything_changes() {
    run(async {
        let mut world = World::new(1);
        let life = world.boot(1).await.unwrap();
        let error = life.shards[0].apply(encode(&life, 1, 9 << 10)).unwrap_err();
        assert!(
            matches!(error, WriteError::Log(LogError::TooLarge { max, .. }) if max == (8 << 10) - 32),
            "{error}"
        );
        assert!(keys(&life).await.is_empty());
        write(&life, 2, 7 << 10).await;
        assert_eq!(keys(&life).await, [2]);
    });
}

#[test]
fn a_full_disk_refuses_serves_reads_and_resumes() {
    run(async {
        let mut world = World::new(2);
        world.memtable_bytes = 64 << 20;
        let life = world.boot(1).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let files = world.machine.files.clone();
        files.set_quota(Some(files.used()));
        let mut accepted = Vec::new();
        let refused = loop {
            let ck = accepted.len() as i32;
            let batch = encode(&life, ck, 1 << 10);
            let store = &life.shards[0];
            match store
                .admit(batch.encoded_len())
                .await
                .and_then(|()| store.apply(batch))
            {
                Ok(position) => {
                    store.durable(position).await.unwrap();
                    accepted.push(ck);
                }
                Err(error) => break error,
            }
        };
        assert!(
            matches!(&refused, WriteError::Log(LogError::NoSpace { cause: Some(cause) }) if cause.is_full()),
            "{refused}"
        );
        assert!(!refused.is_unknown());
        assert!(accepted.len() > 20);
        assert_eq!(keys(&life).await, accepted);
        assert_eq!(life.shards[0].status().failure, None);
        files.set_quota(None);
        tokio::time::sleep(Duration::from_secs(2)).await;
        write(&life, 1_000, 1 << 10).await;
        world.cut_power(Some(life));
        let life = world.boot(1).await.unwrap();
        accepted.push(1_000);
        assert_eq!(keys(&life).await, accepted);
    });
}

#[test]
fn a_failed_write_goes_on_in_the_next_segment() {
    for fault in [
        WriteFault::Fail,
        WriteFault::Torn { bytes: 100 },
        WriteFault::Torn { bytes: 700 },
    ] {
        run(async {
            let mut world = World::new(3);
            let life = world.boot(1).await.unwrap();
            tokio::time::sleep(Duration::from_millis(100)).await;
            write(&life, 1, 10).await;
            world
                .machine
                .files
                .inject(Fault::Write("-0000-".to_owned(), fault), 0);
            let store = &life.shards[0];
            let positions: Vec<_> = (2..9)
                .map(|ck| store.apply(encode(&life, ck, 300)).unwrap())
                .collect();
            for position in positions {
                store.durable(position).await.unwrap();
            }
            write(&life, 9, 10).await;
            world.cut_power(Some(life));
            let life = world.boot(1).await.unwrap();
            assert_eq!(keys(&life).await, (1..10).collect::<Vec<_>>(), "{fault:?}");
        });
    }
}

#[test]
fn a_failed_sync_ends_the_writes_until_a_restart() {
    run(async {
        let mut world = World::new(4);
        let life = world.boot(1).await.unwrap();
        write(&life, 1, 10).await;
        world
            .machine
            .files
            .inject(Fault::Sync(Some(SYNC_LOG_FRAMES), SyncFault::Fail), 0);
        let store = &life.shards[0];
        let position = store.apply(encode(&life, 2, 10)).unwrap();
        let doubt = store.durable(position).await.unwrap_err();
        assert!(matches!(doubt, LogError::Unknown { .. }), "{doubt}");
        assert!(WriteError::from(doubt).is_unknown());
        let refused = store.apply(encode(&life, 3, 10)).unwrap_err();
        assert!(
            matches!(&refused, WriteError::Log(LogError::Stopped { .. })) && !refused.is_unknown(),
            "{refused}"
        );
        // Reads go on, and what was in memory is saved by a flush.
        let (seen, answer) = life.partition(1).await.unwrap();
        assert!(seen.rows.contains_key(&1) && !seen.rows.contains_key(&3));
        tokio::time::sleep(Duration::from_secs(1)).await;
        store.durable(answer.depends_on).await.unwrap();
        world.cut_power(Some(life));
        let life = world.boot(1).await.unwrap();
        assert_eq!(keys(&life).await, [1, 2]);
        write(&life, 3, 10).await;
    });
}

#[test]
fn a_damaged_frame_among_good_ones_is_a_hole() {
    run(async {
        let mut world = World::new(5);
        let life = world.boot(1).await.unwrap();
        for ck in 0..10 {
            write(&life, ck, 100).await;
        }
        world.cut_power(Some(life));
        let segment = &segments(&world)[0];
        assert!(world.machine.files.flip(segment, 64 + 5 * 40, 4));
        let Err(StorageError::Replay(error)) = world.boot(1).await else {
            panic!("a hole went unseen")
        };
        assert!(matches!(&error, ReplayError::Hole { .. }), "{error}");
        assert!(
            error.to_string().contains("0000000001-0000-0000000001.log"),
            "{error}"
        );
    });
}

#[test]
fn a_missing_segment_is_a_hole() {
    run(async {
        let mut world = World::new(6);
        world.memtable_bytes = 64 << 20;
        let life = world.boot(1).await.unwrap();
        for ck in 0..60 {
            write(&life, ck, 500).await;
        }
        world.cut_power(Some(life));
        let segments = segments(&world);
        assert!(segments.len() >= 3);
        world.machine.files.remove(&segments[1]).unwrap();
        assert!(matches!(
            world.boot(1).await,
            Err(StorageError::Replay(ReplayError::Hole { .. }))
        ));
    });
}

#[test]
fn the_tail_may_be_torn_anywhere() {
    for seed in 0..60 {
        run(async {
            let mut world = World::new(seed);
            let life = world.boot(1).await.unwrap();
            for ck in 0..4 {
                write(&life, ck, 200).await;
            }
            // Written in one go and not synced: any part of it may be on the disk.
            let store = &life.shards[0];
            for ck in 4..12 {
                store.apply(encode(&life, ck, 400)).unwrap();
            }
            world.machine.files.ignore_sync(SYNC_LOG_FRAMES);
            tokio::time::sleep(Duration::from_micros(300)).await;
            world.cut_power(Some(life));
            let life = world.boot(1).await.unwrap();
            let found = keys(&life).await;
            assert_eq!(found, (0..found.len() as i32).collect::<Vec<_>>());
            assert!(found.len() >= 4);
        });
    }
}

#[test]
fn a_log_of_another_node_is_refused() {
    run(async {
        let mut world = World::new(7);
        let life = world.boot(2).await.unwrap();
        write(&life, 1, 10).await;
        world.cut_power(Some(life));
        let from = segments(&world)[0].clone();
        world
            .machine
            .files
            .rename(&from, Path::new("/node/log/0000000001-0001-0000000009.log"))
            .unwrap();
        assert!(matches!(
            world.boot(1).await,
            Err(StorageError::Replay(ReplayError::NotASegment { .. }))
        ));
    });
}

#[test]
fn segments_are_recycled_once_their_rows_are_in_the_engine() {
    run(async {
        let mut world = World::new(8);
        let life = world.boot(1).await.unwrap();
        let mut largest = 0;
        for ck in 0..400 {
            write(&life, ck, 600).await;
            largest = largest.max(segments(&world).len());
        }
        let stats = life.shards[0].log_stats();
        assert!(stats.segments_recycled > 3, "{stats:?}");
        assert!(largest < 20, "{largest} segments at once");
        let expected: Vec<i32> = (0..400).collect();
        assert_eq!(keys(&life).await, expected);
        world.cut_power(Some(life));
        let life = world.boot(1).await.unwrap();
        assert_eq!(keys(&life).await, expected);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(
            segments(&world).is_empty(),
            "old logs go when their rows are in the engine"
        );
    });
}

#[test]
fn many_waiters_are_woken_by_few_syncs() {
    run(async {
        let mut world = World::new(10);
        world.memtable_bytes = 64 << 20;
        let life = world.boot(1).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let store = &life.shards[0];
        let positions: Vec<_> = (0..200)
            .map(|ck| store.apply(encode(&life, ck, 10)).unwrap())
            .collect();
        assert!(positions.is_sorted_by(|a, b| a < b));
        for position in positions.into_iter().rev() {
            store.durable(position).await.unwrap();
        }
        let stats = store.log_stats();
        assert_eq!(stats.frames, 200);
        assert!(stats.syncs <= 4, "{stats:?}");
    });
}
