//! Spaces: numbers that never come back, dead ranges, reclaim; imports and clean-up of tombstones.

use std::collections::BTreeSet;
use std::time::Duration;

use backend::Direction;
use cql_types::Token;
use node_env::simulation::run;
use node_storage::{Owner, Space, SpaceOptions, SpaceRange, WriteBatch, WriteError};
use std::ops::Bound;

use crate::model::{Batch, Col, Write};
use crate::world::{Life, SPACE, World, key, write_batch};

fn insert(pk: i32, ck: i32, time: i64) -> Batch {
    Batch {
        time,
        writes: vec![(
            pk,
            Write::Insert {
                ck,
                cells: vec![(Col::V, Some("v".to_owned()))],
            },
        )],
    }
}

async fn apply(life: &Life, batch: &Batch) {
    let pk = batch.writes[0].0;
    let store = &life.shards[life.owner(pk)];
    let bytes = write_batch(&life.table, batch, life.env.clock.now_seconds());
    store.admit(bytes.encoded_len()).await.unwrap();
    let position = store.apply(bytes).unwrap();
    store.durable(position).await.unwrap();
}

async fn settle() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}

/// Keys of the engine that belong to a space.
fn stored(life: &Life, space: Space) -> usize {
    let (start, end) = (space.0.to_be_bytes(), (space.0 + 1).to_be_bytes());
    let snapshot = life.storage.engine().snapshot();
    let mut scan = snapshot
        .scan(
            Bound::Included(&start[..]),
            Bound::Excluded(&end[..]),
            Direction::Forward,
        )
        .unwrap();
    std::iter::from_fn(|| scan.next().unwrap()).count()
}

#[test]
fn numbers_are_never_given_twice() {
    run(async {
        let mut world = World::new(1);
        let mut given = BTreeSet::new();
        for _ in 0..4 {
            let life = world.boot(1).await.unwrap();
            for _ in 0..100 {
                let space = life.storage.new_space().await.unwrap();
                assert!(space >= Space::FIRST_DYNAMIC && space.is_for_data());
                assert!(given.insert(space), "{space} twice");
            }
            world.cut_power(Some(life));
        }
    });
}

#[test]
fn the_spaces_of_the_store_take_no_rows() {
    run(async {
        let mut world = World::new(2);
        let life = world.boot(1).await.unwrap();
        let batch = write_batch(&life.table, &insert(1, 1, 1), 0);
        for space in [Space::STORE, Space::CLEANUP] {
            let (_, mutation) = batch.mutations[0].clone();
            let refused = life.shards[0]
                .apply(WriteBatch::of(space, mutation))
                .unwrap_err();
            assert_eq!(refused, WriteError::NotForData { space });
        }
    });
}

#[test]
fn a_dead_space_is_reclaimed_and_its_frames_are_skipped() {
    run(async {
        let mut world = World::new(3);
        let life = world.boot(2).await.unwrap();
        for pk in 0..50 {
            apply(&life, &insert(pk, 1, 1)).await;
        }
        for store in &life.shards {
            store.flush().await.unwrap();
        }
        assert_eq!(stored(&life, SPACE), 50);
        // These stay in the logs.
        for pk in 50..70 {
            apply(&life, &insert(pk, 1, 2)).await;
        }
        life.storage.kill(SpaceRange::whole(SPACE)).await.unwrap();
        settle().await;
        assert_eq!(stored(&life, SPACE), 0);
        life.storage.clean_up().await.unwrap();
        assert_eq!(
            life.storage.dead_ranges(),
            [SpaceRange::whole(SPACE)],
            "memtables still have rows of it"
        );
        world.cut_power(Some(life));

        let life = world.boot(3).await.unwrap();
        assert!(life.storage.is_dead(SPACE, Token(0)));
        assert_eq!((life.report.skipped, life.report.mutations), (20, 0));
        settle().await;
        assert_eq!(stored(&life, SPACE), 0);
        life.storage.clean_up().await.unwrap();
        assert!(life.storage.dead_ranges().is_empty());
        world.cut_power(Some(life));

        let life = world.boot(1).await.unwrap();
        assert!(life.storage.dead_ranges().is_empty(), "the mark is back");
    });
}

#[test]
fn a_flush_leaves_dead_rows_out() {
    run(async {
        let mut world = World::new(4);
        let life = world.boot(1).await.unwrap();
        let mut keys: Vec<i32> = (0..20).collect();
        keys.sort_by_key(|pk| key(*pk).token());
        for pk in &keys {
            apply(&life, &insert(*pk, 1, 1)).await;
        }
        // The lower half of the tokens has moved away.
        let last = key(keys[9]).token();
        life.storage
            .kill(SpaceRange {
                space: SPACE,
                first: Token::MIN,
                last,
            })
            .await
            .unwrap();
        life.shards[0].flush().await.unwrap();
        assert_eq!(stored(&life, SPACE), 10);
        assert_eq!(life.storage.stats().flush_skipped_dead, 10);
    });
}

#[test]
fn imports_merge_with_what_is_there() {
    run(async {
        let mut world = World::new(5);
        let life = world.boot(1).await.unwrap();
        apply(&life, &insert(1, 1, 10)).await;
        life.shards[0].flush().await.unwrap();
        let delete = Batch {
            time: 5,
            writes: vec![
                (1, Write::DeleteRow { ck: 1 }),
                (
                    1,
                    Write::Insert {
                        ck: 2,
                        cells: Vec::new(),
                    },
                ),
            ],
        };
        life.storage
            .import(write_batch(&life.table, &delete, 0).mutations)
            .await
            .unwrap();
        let (seen, _) = life.partition(1).await.unwrap();
        assert_eq!(seen.rows.into_keys().collect::<Vec<_>>(), [1, 2]);
    });
}

#[test]
fn range_and_partition_tombstones_go_after_their_grace_and_what_they_shadow_before() {
    run(async {
        let mut world = World::new(6);
        world.gc_grace_s = 100;
        world.memtable_bytes = 16 << 20;
        let life = world.boot(1).await.unwrap();
        for ck in 0..300 {
            apply(&life, &insert(1, ck, 1)).await;
        }
        apply(&life, &insert(2, 1, 1)).await;
        life.shards[0].flush().await.unwrap();
        assert_eq!(stored(&life, SPACE), 301);
        let delete = Batch {
            time: 5,
            writes: vec![
                (
                    1,
                    Write::DeleteRange {
                        from: 10,
                        to: 1_000,
                    },
                ),
                (2, Write::DeletePartition),
            ],
        };
        apply(&life, &delete).await;
        life.shards[0].flush().await.unwrap();
        // Ten rows, a header and a chunk; the header of the other partition.
        assert_eq!(stored(&life, SPACE), 10 + 2 + 1);
        life.storage.clean_up().await.unwrap();
        assert_eq!(life.storage.stats().tombstones_purged, 0);
        tokio::time::sleep(Duration::from_secs(200)).await;
        life.storage.clean_up().await.unwrap();
        assert_eq!(life.storage.stats().tombstones_purged, 2);
        assert_eq!(stored(&life, SPACE), 10);
        assert_eq!(stored(&life, Space(u32::MAX - 1)), 0);
        let (seen, _) = life.partition(1).await.unwrap();
        assert_eq!(
            seen.rows.into_keys().collect::<Vec<_>>(),
            (0..10).collect::<Vec<_>>()
        );
    });
}

#[test]
fn a_range_tombstone_waits_for_older_writes_in_memory() {
    run(async {
        let mut world = World::new(7);
        world.gc_grace_s = 0;
        let life = world.boot(1).await.unwrap();
        apply(
            &life,
            &Batch {
                time: 10,
                writes: vec![(1, Write::DeleteRange { from: 0, to: 9 })],
            },
        )
        .await;
        life.shards[0].flush().await.unwrap();
        apply(&life, &insert(1, 5, 3)).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        life.storage.clean_up().await.unwrap();
        assert_eq!(life.storage.stats().tombstones_purged, 0);
        assert!(life.partition(1).await.unwrap().0.is_empty());
        life.shards[0].flush().await.unwrap();
        assert!(life.partition(1).await.unwrap().0.is_empty());
        tokio::time::sleep(Duration::from_secs(200)).await;
        assert_eq!(
            life.storage.stats().tombstones_purged,
            1,
            "the clean-up comes by itself"
        );
        assert_eq!(stored(&life, SPACE), 0);
    });
}

#[test]
fn large_deletes_are_carried_out_in_parts() {
    run(async {
        let mut world = World::new(8);
        world.memtable_bytes = 64 << 20;
        let life = world.boot(1).await.unwrap();
        for chunk in 0..120 {
            let writes = (0..100)
                .map(|ck| {
                    (
                        1,
                        Write::Insert {
                            ck: chunk * 100 + ck,
                            cells: Vec::new(),
                        },
                    )
                })
                .collect();
            apply(&life, &Batch { time: 1, writes }).await;
        }
        life.shards[0].flush().await.unwrap();
        apply(
            &life,
            &Batch {
                time: 5,
                writes: vec![(1, Write::DeletePartition)],
            },
        )
        .await;
        life.shards[0].flush().await.unwrap();
        let left = stored(&life, SPACE);
        assert!(
            left > 1_000,
            "{left} rows: the flush did everything at once"
        );
        assert!(life.partition(1).await.unwrap().0.is_empty());
        life.storage.clean_up().await.unwrap();
        assert_eq!(stored(&life, SPACE), 1, "only the header is left");
    });
}

#[test]
fn a_row_that_lives_and_dies_in_memory_costs_nothing_at_flush() {
    run(async {
        let mut world = World::new(9);
        world.gc_grace_s = 0;
        let life = world.boot(1).await.unwrap();
        for ck in 0..100 {
            apply(&life, &insert(1, ck, 1)).await;
            apply(
                &life,
                &Batch {
                    time: 2,
                    writes: vec![(1, Write::DeleteRow { ck })],
                },
            )
            .await;
        }
        life.shards[0].flush().await.unwrap();
        assert_eq!(stored(&life, SPACE), 0);
        assert_eq!(life.storage.stats().rows_dropped, 100);
    });
}

#[test]
fn compactions_purge_what_flushes_could_not() {
    run(async {
        let mut world = World::new(10);
        world.gc_grace_s = 100;
        let life = world.boot(1).await.unwrap();
        apply(
            &life,
            &Batch {
                time: 2,
                writes: vec![(1, Write::DeleteRow { ck: 1 })],
            },
        )
        .await;
        life.shards[0].flush().await.unwrap();
        assert_eq!(stored(&life, SPACE), 1);
        tokio::time::sleep(Duration::from_secs(300)).await;
        life.storage
            .engine()
            .compact(backend::Goal::Everything)
            .unwrap();
        assert_eq!(stored(&life, SPACE), 0);
        assert_eq!(life.storage.stats().rows_purged_by_compaction, 1);
    });
}

#[test]
fn the_owner_may_say_that_a_table_is_gone() {
    run(async {
        let mut world = World::new(11);
        let life = world.boot(1).await.unwrap();
        apply(&life, &insert(1, 1, 77)).await;
        world.cut_power(Some(life));
        let env = world.machine.boot();
        let factory = backend_memory::MemoryFactory::new(world.disk.clone());
        let storage = node_storage::Storage::open(&env, world.options(1), &factory).unwrap();
        storage.set_space_options([(SPACE, SpaceOptions { gc_grace_s: 1 })]);
        drop(storage.open_local().await.unwrap());
        let (_, report) = storage.replay(&|_, _| Owner::Gone).await.unwrap();
        assert_eq!((report.skipped, report.mutations), (1, 0));
        assert_eq!(
            storage.largest_assigned(),
            Some(77),
            "the clock must start above it all the same"
        );
    });
}

#[test]
fn everything_closes_in_order() {
    run(async {
        let mut world = World::new(12);
        let life = world.boot(2).await.unwrap();
        apply(&life, &insert(1, 1, 5)).await;
        for store in life.shards.iter().chain([&life.local]) {
            store.flush().await.unwrap();
            store.close().await;
        }
        life.storage.close().await.unwrap();
        drop(life);
        world.machine.crash(node_env::files::Crash::Process);
        let life = world.boot(1).await.unwrap();
        assert_eq!(life.report.frames, 0, "everything was flushed");
        assert_eq!(life.storage.largest_assigned(), Some(5));
        assert_eq!(life.partition(1).await.unwrap().0.rows.len(), 1);
    });
}
