//! Reads of every shape over memtables and engine, compared with the model.

use std::collections::BTreeMap;
use std::ops::Bound;

use cql_mutation::{Order, PageLimit, Partitions, ReadCommand, Slice, Slices, Statics};
use cql_types::{BoundKind, Token};
use node_env::simulation::run;
use node_env::{Rng, SeededRng};
use node_storage::{LogPosition, StorageError};

use crate::model::{Batch, Col, Seen, Write, partition};
use crate::world::{Life, World, bound, clustering, key, seen, write_batch};

/// Writes partitions in parts, with flushes between them; what was written.
async fn fill(life: &Life, rng: &mut SeededRng, partitions: i32, rows: i32) -> Vec<Batch> {
    let mut batches = Vec::new();
    for time in 1..400_i64 {
        let pk = rng.below(partitions as u64) as i32;
        let ck = rng.below(rows as u64) as i32;
        let write = match rng.below(20) {
            0 => Write::DeleteRange {
                from: ck,
                to: ck + 3,
            },
            1 => Write::DeleteRow { ck },
            2 => Write::Static {
                value: Some(format!("s{time}")),
            },
            3 if rng.one_in(4) => Write::DeletePartition,
            _ => Write::Insert {
                ck,
                cells: vec![(Col::V, Some(format!("v{time}")))],
            },
        };
        let batch = Batch {
            time,
            writes: vec![(pk, write)],
        };
        let store = &life.shards[life.owner(pk)];
        let bytes = write_batch(&life.table, &batch, 0);
        store.admit(bytes.encoded_len()).await.unwrap();
        store.apply(bytes).unwrap();
        batches.push(batch);
        if rng.one_in(90) {
            for store in &life.shards {
                store.flush().await.unwrap();
            }
        }
    }
    batches
}

/// All pages of a read.
async fn all_pages(
    life: &Life,
    shard: usize,
    mut command: ReadCommand,
) -> (Vec<(i32, Option<i32>)>, u32) {
    let mut rows = Vec::new();
    let mut pages = 0;
    loop {
        let answer = life.read(shard, &command).await.unwrap();
        for row in answer.result.iter() {
            let pk = i32::from_be_bytes(row.partition.key.try_into().unwrap());
            let ck = row.clustering.map(|ck| {
                let types = [(cql_types::CqlType::Int, cql_types::ComponentOrder::Asc)];
                let value = cql_types::decode_clustering(&types, ck).unwrap().remove(0);
                i32::from_be_bytes(value.try_into().unwrap())
            });
            rows.push((pk, ck));
        }
        pages += 1;
        assert!(answer.result.row_count() <= command.page.rows);
        assert!(pages < 2_000, "a read that never ends");
        match answer.result.more {
            None => return (rows, pages),
            some => command.resume = some,
        }
    }
}

fn expected_rows(
    batches: &[Batch],
    pk: i32,
    order: Order,
    keep: impl Fn(i32) -> bool,
) -> Vec<(i32, Option<i32>)> {
    let rows = partition(pk, batches.iter()).rows;
    let mut rows: Vec<_> = rows
        .into_keys()
        .filter(|ck| keep(*ck))
        .map(|ck| (pk, Some(ck)))
        .collect();
    if order == Order::Reverse {
        rows.reverse();
    }
    rows
}

#[test]
fn slices_both_ways_in_pages_of_every_size() {
    run(async {
        for seed in 0..6 {
            let mut world = World::new(seed);
            world.memtable_bytes = 1 << 20;
            let life = world.boot(1).await.unwrap();
            let mut rng = world.rng.fork("reads");
            let batches = fill(&life, &mut rng, 3, 60).await;
            for _ in 0..60 {
                let pk = rng.below(3) as i32;
                let (low, high) = (rng.below(60) as i32, rng.below(70) as i32);
                let single = rng.below(60) as i32;
                let slices = Slices::new(vec![
                    Slice {
                        start: bound(low, BoundKind::StartInclusive),
                        end: bound(high, BoundKind::EndExclusive),
                    },
                    Slice::row(&clustering(single)),
                ]);
                let order = if rng.one_in(2) {
                    Order::Forward
                } else {
                    Order::Reverse
                };
                let page = PageLimit {
                    rows: 1 + rng.below(20),
                    ..PageLimit::NONE
                };
                let limit = rng.one_in(3).then(|| 1 + rng.below(10));
                let command = ReadCommand {
                    slices,
                    order,
                    page,
                    row_limit: limit,
                    statics: Statics::Fetch,
                    ..ReadCommand::all_of(&life.table, Partitions::Keys(vec![key(pk)]), 0)
                };
                let mut expected = expected_rows(&batches, pk, order, |ck| {
                    (low..high).contains(&ck) || ck == single
                });
                expected.truncate(limit.unwrap_or(u64::MAX).min(1_000) as usize);
                let (found, _) = all_pages(&life, 0, command).await;
                assert_eq!(found, expected, "seed {seed}");
            }
        }
    });
}

#[test]
fn whole_tables_by_token_in_pages() {
    run(async {
        for seed in 0..4 {
            let mut world = World::new(seed);
            world.memtable_bytes = 1 << 20;
            let life = world.boot(2).await.unwrap();
            let mut rng = world.rng.fork("reads");
            let batches = fill(&life, &mut rng, 40, 6).await;
            for shard in 0..2 {
                let mut keys: Vec<i32> = (0..40).filter(|pk| life.owner(*pk) == shard).collect();
                keys.sort_by_key(|pk| key(*pk).token());
                let middle = key(keys[keys.len() / 2]).token();
                for (start, end) in [
                    (Bound::Unbounded, Bound::Unbounded),
                    (Bound::Excluded(middle), Bound::Unbounded),
                    (Bound::Included(middle), Bound::Included(middle)),
                    (Bound::Unbounded, Bound::Excluded(middle)),
                    (Bound::Included(Token::MAX), Bound::Unbounded),
                ] {
                    let inside =
                        |pk: i32| std::ops::RangeBounds::contains(&(start, end), &key(pk).token());
                    for (order, rows) in [
                        (Order::Forward, 1),
                        (Order::Forward, 7),
                        (Order::Reverse, 5),
                        (Order::Forward, 10_000),
                    ] {
                        let command = ReadCommand {
                            order,
                            page: PageLimit {
                                rows,
                                ..PageLimit::NONE
                            },
                            statics: Statics::Fetch,
                            ..ReadCommand::all_of(&life.table, Partitions::Range { start, end }, 0)
                        };
                        let keys = keys.iter().copied().filter(|pk| inside(*pk));
                        let expected: Vec<_> = keys
                            .flat_map(|pk| expected_rows(&batches, pk, order, |_| true))
                            .collect();
                        let (found, _) = all_pages(&life, shard, command).await;
                        assert_eq!(found, expected, "seed {seed}, {order:?}, pages of {rows}");
                    }
                }
                let distinct = ReadCommand {
                    distinct: true,
                    page: PageLimit {
                        rows: 3,
                        ..PageLimit::NONE
                    },
                    ..ReadCommand::all_of(
                        &life.table,
                        Partitions::Range {
                            start: Bound::Unbounded,
                            end: Bound::Unbounded,
                        },
                        0,
                    )
                };
                let live: Vec<_> = keys
                    .iter()
                    .filter(|pk| !partition(**pk, batches.iter()).is_empty())
                    .map(|pk| (*pk, None))
                    .collect();
                assert_eq!(all_pages(&life, shard, distinct).await.0, live);
            }
        }
    });
}

#[test]
fn many_keys_at_once_come_in_the_order_asked() {
    run(async {
        let mut world = World::new(3);
        world.memtable_bytes = 1 << 20;
        let life = world.boot(1).await.unwrap();
        let mut rng = world.rng.fork("reads");
        let batches = fill(&life, &mut rng, 12, 8).await;
        let keys: Vec<i32> = vec![7, 3, 11, 0, 99, 5];
        let command = ReadCommand {
            page: PageLimit {
                rows: 2,
                ..PageLimit::NONE
            },
            statics: Statics::Fetch,
            per_partition_limit: Some(3),
            ..ReadCommand::all_of(
                &life.table,
                Partitions::Keys(keys.iter().map(|pk| key(*pk)).collect()),
                0,
            )
        };
        let expected: Vec<_> = keys
            .iter()
            .flat_map(|pk| {
                expected_rows(&batches, *pk, Order::Forward, |_| true)
                    .into_iter()
                    .take(3)
            })
            .collect();
        assert_eq!(all_pages(&life, 0, command).await.0, expected);
        // Single rows of a few keys are answered in one turn.
        let single = ReadCommand {
            slices: Slices::new(vec![Slice::row(&clustering(2)), Slice::row(&clustering(5))]),
            statics: Statics::Fetch,
            ..ReadCommand::all_of(
                &life.table,
                Partitions::Keys(keys.iter().map(|pk| key(*pk)).collect()),
                0,
            )
        };
        let answer = life.shards[0]
            .read_now(&life.table, &single, &life.places(0))
            .unwrap()
            .unwrap();
        let found: BTreeMap<i32, Seen> = seen(&answer.result);
        for pk in &keys {
            let mut expected = partition(*pk, batches.iter());
            expected.rows.retain(|ck, _| [2, 5].contains(ck));
            let rows = found
                .get(pk)
                .map(|seen| seen.rows.clone())
                .unwrap_or_default();
            assert_eq!(rows, expected.rows, "{pk}");
        }
        // And so are static rows alone.
        let fixed = ReadCommand {
            slices: Slices::none(),
            statics: Statics::StandAlone,
            ..single
        };
        let answer = life.shards[0]
            .read_now(&life.table, &fixed, &life.places(0))
            .unwrap()
            .unwrap();
        let found: BTreeMap<i32, Seen> = seen(&answer.result);
        assert!(!found.is_empty());
        for pk in &keys {
            let expected = partition(*pk, batches.iter()).fixed;
            let fixed = found.get(pk).and_then(|seen| seen.fixed.clone());
            assert_eq!(fixed, expected, "{pk}");
        }
    });
}

#[test]
fn a_page_larger_than_a_turn_is_one_answer() {
    run(async {
        let mut world = World::new(4);
        world.memtable_bytes = 64 << 20;
        let life = world.boot(1).await.unwrap();
        let mut all = 0;
        for chunk in 0..240 {
            let writes = (0..50)
                .map(|ck| {
                    (
                        1,
                        Write::Insert {
                            ck: chunk * 50 + ck,
                            cells: Vec::new(),
                        },
                    )
                })
                .collect();
            let batch = write_batch(&life.table, &Batch { time: 1, writes }, 0);
            life.shards[0].admit(batch.encoded_len()).await.unwrap();
            life.shards[0].apply(batch).unwrap();
            all += 50;
            if chunk == 120 {
                life.shards[0].flush().await.unwrap();
            }
        }
        let (seen, answer) = life.partition(1).await.unwrap();
        assert_eq!(seen.rows.len(), all);
        assert_eq!(answer.result.more, None);
    });
}

#[test]
fn an_answer_depends_on_what_its_partitions_had_last() {
    run(async {
        let mut world = World::new(5);
        let life = world.boot(1).await.unwrap();
        let write = |pk: i32| {
            let batch = Batch {
                time: 1,
                writes: vec![(
                    pk,
                    Write::Insert {
                        ck: 1,
                        cells: Vec::new(),
                    },
                )],
            };
            life.shards[0]
                .apply(write_batch(&life.table, &batch, 0))
                .unwrap()
        };
        let (first, second) = (write(1), write(2));
        assert!(first < second);
        assert_eq!(life.partition(1).await.unwrap().1.depends_on, first);
        assert_eq!(life.partition(2).await.unwrap().1.depends_on, second);
        assert_eq!(
            life.partition(3).await.unwrap().1.depends_on,
            LogPosition::NONE
        );
        life.shards[0].flush().await.unwrap();
        assert_eq!(
            life.partition(2).await.unwrap().1.depends_on,
            LogPosition::NONE
        );
    });
}

#[test]
fn a_token_of_another_shard_is_refused() {
    run(async {
        let mut world = World::new(6);
        let life = world.boot(2).await.unwrap();
        let pk = (0..).find(|pk| life.owner(*pk) == 1).unwrap();
        let command = ReadCommand::all_of(&life.table, Partitions::Keys(vec![key(pk)]), 0);
        assert!(matches!(
            life.read(0, &command).await,
            Err(StorageError::NotHere { .. })
        ));
    });
}

#[test]
fn a_write_after_a_read_has_begun_is_not_in_its_page() {
    run(async {
        let mut world = World::new(7);
        world.memtable_bytes = 64 << 20;
        let life = world.boot(1).await.unwrap();
        let batch = |time, from: i32, to: i32| {
            let writes = (from..to)
                .map(|ck| {
                    (
                        1,
                        Write::Insert {
                            ck,
                            cells: Vec::new(),
                        },
                    )
                })
                .collect();
            write_batch(&life.table, &Batch { time, writes }, 0)
        };
        for part in 0..3 {
            life.shards[0]
                .apply(batch(1, part * 50, part * 50 + 50))
                .unwrap();
        }
        life.shards[0].flush().await.unwrap();
        life.shards[0].apply(batch(2, 150, 200)).unwrap();
        let command = ReadCommand::all_of(&life.table, Partitions::Keys(vec![key(1)]), 0);
        let mut read = Box::pin(life.read(0, &command));
        // One poll takes the copies and the snapshot, and merges the first rows.
        let polled = std::future::poll_fn(|context| {
            std::task::Poll::Ready(read.as_mut().poll(context).is_pending())
        })
        .await;
        assert!(polled);
        life.shards[0].apply(batch(3, 200, 250)).unwrap();
        let answer = read.await.unwrap();
        assert_eq!(answer.result.row_count(), 200);
    });
}
