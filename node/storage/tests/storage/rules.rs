//! Rules that look like overhead until they are gone: one merger, the replay floor, row locks of a merge.

use cql_mutation::{
    CellRef, ClusteringKey, Mutation, PartitionUpdateBuilder, Partitions, ReadCommand, RowBuilder,
};
use node_env::simulation::run;
use node_storage::{
    BrokenRules, FloorRule, Owner, Slots, SpaceOptions, SpaceRange, Storage, WriteBatch,
};

use crate::model::{Batch, Col, Seen, Write};
use crate::world::{Life, SPACE, World, clustering, key, number, write_batch};

fn insert(time: i64, col: Col, text: &str) -> Batch {
    let cells = vec![(col, Some(text.to_owned()))];
    Batch {
        time,
        writes: vec![(1, Write::Insert { ck: 1, cells })],
    }
}

async fn apply(life: &Life, batch: &Batch) {
    let store = &life.shards[life.owner(1)];
    let position = store
        .apply(write_batch(
            &life.table,
            batch,
            life.env.clock.now_seconds(),
        ))
        .unwrap();
    store.durable(position).await.unwrap();
}

/// A flush and an import of the same row at the same time; what is left in the engine.
async fn merge_at_once(slots: Slots) -> Seen {
    let mut world = World::new(1);
    world.broken = BrokenRules {
        slots,
        ..BrokenRules::NONE
    };
    let life = world.boot(1).await.unwrap();
    apply(&life, &insert(1, Col::V, "flushed")).await;
    let import = write_batch(&life.table, &insert(2, Col::W, "imported"), 0).mutations;
    let store = life.shards[0].clone();
    let (flushed, imported) = both(store.flush(), life.storage.import(import)).await;
    flushed.unwrap();
    imported.unwrap();
    life.partition(1).await.unwrap().0
}

/// Two futures at once.
async fn both<A, B>(a: impl Future<Output = A>, b: impl Future<Output = B>) -> (A, B) {
    let (mut a, mut b) = (Box::pin(a), Box::pin(b));
    let (mut left, mut right) = (None, None);
    std::future::poll_fn(|context| {
        use std::task::Poll;
        if left.is_none()
            && let Poll::Ready(value) = a.as_mut().poll(context)
        {
            left = Some(value);
        }
        if right.is_none()
            && let Poll::Ready(value) = b.as_mut().poll(context)
        {
            right = Some(value);
        }
        match (left.take(), right.take()) {
            (Some(left), Some(right)) => Poll::Ready((left, right)),
            (one, two) => {
                (left, right) = (one, two);
                Poll::Pending
            }
        }
    })
    .await
}

#[test]
fn merges_take_turns() {
    let seen = run(merge_at_once(Slots::One));
    assert_eq!(
        seen.rows[&1],
        (Some("flushed".to_owned()), Some("imported".to_owned()))
    );
}

#[test]
fn two_merges_at_once_lose_a_row() {
    let seen = run(merge_at_once(Slots::Two));
    let (v, w) = &seen.rows[&1];
    assert!(
        v.is_none() || w.is_none(),
        "both survived: exclusiveness is not what protects them"
    );
}

/// A deletion is flushed while an older write waits in the next memtable, with no gc grace at all.
async fn delete_before_an_older_write(floor: FloorRule) -> Seen {
    let mut world = World::new(2);
    world.gc_grace_s = 0;
    world.broken = BrokenRules {
        floor,
        ..BrokenRules::NONE
    };
    let life = world.boot(1).await.unwrap();
    apply(
        &life,
        &Batch {
            time: 10,
            writes: vec![(1, Write::DeleteRow { ck: 1 })],
        },
    )
    .await;
    let store = life.shards[0].clone();
    // The flush has its memtable; the late write goes into the next one.
    let (flushed, ()) = both(store.flush(), apply(&life, &insert(5, Col::V, "late"))).await;
    flushed.unwrap();
    life.shards[0].flush().await.unwrap();
    life.partition(1).await.unwrap().0
}

#[test]
fn a_tombstone_stays_while_older_writes_wait() {
    assert!(run(delete_before_an_older_write(FloorRule::Respected)).is_empty());
}

#[test]
fn without_the_floor_a_deleted_row_comes_back() {
    assert!(!run(delete_before_an_older_write(FloorRule::Ignored)).is_empty());
}

/// What has expired loses its bytes in a flush, which is no tombstone that must be kept; the flush has to come to its end.
#[test]
fn a_flush_of_what_has_expired_ends_while_older_writes_wait() {
    run(async {
        let mut world = World::new(6);
        let life = world.boot(1).await.unwrap();
        let store = life.shards[0].clone();
        let now = life.env.clock.now_seconds();
        let mut row = RowBuilder::new();
        row.cell(
            number(Col::V),
            CellRef::expiring(10, 10, now - 3_600, b"expired"),
        );
        let mut update = PartitionUpdateBuilder::new();
        update.row(ClusteringKey::new(&clustering(1)), row.take());
        let mutation = Mutation::new(life.table.id, key(1), update.finish());
        let batch = WriteBatch {
            mutations: vec![(SPACE, mutation)],
            assigned: None,
        };
        store.durable(store.apply(batch).unwrap()).await.unwrap();
        let late = insert(5, Col::W, "late");
        let both = both(store.flush(), apply(&life, &late));
        let minute = std::time::Duration::from_secs(60);
        let (flushed, ()) = tokio::time::timeout(minute, both).await.unwrap();
        flushed.unwrap();
        assert_eq!(life.storage.stats().merges, 1);
    });
}

/// The flush of deleted static values; at some moment of it older values arrive.
/// `None` if it was over by then.
async fn older_static_value_after(seed: u64, millis: u64) -> Option<Option<String>> {
    let mut world = World::new(seed);
    world.gc_grace_s = 0;
    let life = world.boot(1).await.unwrap();
    let fixed = |time, value: Option<&str>| {
        let value = value.map(str::to_owned);
        let writes = (0..20).map(|pk| {
            let value = value.clone();
            (pk, Write::Static { value })
        });
        let writes = writes.collect();
        Batch { time, writes }
    };
    let store = life.shards[0].clone();
    apply(&life, &fixed(10, None)).await;
    let merges = life.storage.stats().merges;
    let late = async {
        tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
        let is_over = life.storage.stats().merges > merges;
        apply(&life, &fixed(5, Some("late"))).await;
        is_over
    };
    let (flushed, is_over) = both(store.flush(), late).await;
    flushed.unwrap();
    store.flush().await.unwrap();
    let seen = life.scan().await.unwrap();
    let fixed = seen.into_values().find_map(|partition| partition.fixed);
    (!is_over).then_some(fixed)
}

#[test]
fn a_deleted_static_value_stays_deleted_whenever_an_older_one_arrives() {
    let moments = (0..2).flat_map(|seed| (0..20).map(move |millis| (seed, millis)));
    let seen = moments.filter_map(|(seed, millis)| run(older_static_value_after(seed, millis)));
    let seen: Vec<Option<String>> = seen.collect();
    assert!(seen.len() > 4, "{} moments are not enough", seen.len());
    assert!(seen.iter().all(Option::is_none), "{seen:?}");
}

/// The engine has a tombstone, an old log the write that it shadows; the node crashes between flush and retirement.
async fn replay_twice(floor: FloorRule) -> Seen {
    let mut world = World::new(3);
    world.gc_grace_s = 864_000;
    let life = world.boot(1).await.unwrap();
    apply(
        &life,
        &Batch {
            time: 10,
            writes: vec![(1, Write::DeleteRow { ck: 1 })],
        },
    )
    .await;
    life.shards[0].flush().await.unwrap();
    apply(&life, &insert(5, Col::V, "late")).await;
    world.cut_power(Some(life));

    world.gc_grace_s = 0;
    world.broken = BrokenRules {
        floor,
        ..BrokenRules::NONE
    };
    // The old log of the local store is retired, the replayed rows are flushed; then the machine goes down, before the
    // shard's log is retired.
    world.disk.inject(
        backend_memory::Operation::Install,
        2,
        backend_memory::Fault::Crash { seed: 0 },
    );
    let life = world.boot(1).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(life.storage.stats().merges, 1);
    world.cut_power(Some(life));

    let life = world.boot(1).await.unwrap();
    life.partition(1).await.unwrap().0
}

#[test]
fn rows_of_old_logs_hold_the_floor_until_the_logs_are_gone() {
    assert!(run(replay_twice(FloorRule::Respected)).is_empty());
}

#[test]
fn without_the_floor_a_second_replay_brings_a_deleted_row_back() {
    assert!(!run(replay_twice(FloorRule::Ignored)).is_empty());
}

#[test]
fn a_space_that_nobody_described_keeps_its_tombstones() {
    run(async {
        let mut world = World::new(4);
        let life = world.boot(1).await.unwrap();
        life.storage.set_space_options([]);
        apply(
            &life,
            &Batch {
                time: 10,
                writes: vec![(1, Write::DeleteRow { ck: 1 })],
            },
        )
        .await;
        life.shards[0].flush().await.unwrap();
        assert_eq!(life.storage.stats().rows_dropped, 0);
        assert!(!life.storage.is_dead(SPACE, cql_types::Token(0)));
    });
}

/// Compactions run from the first moment on, and a log that is not read yet may hold anything.
#[test]
fn nothing_is_purged_before_the_old_logs_were_read() {
    run(async {
        let mut world = World::new(5);
        let life = world.boot(1).await.unwrap();
        apply(&life, &insert(5, Col::V, "in the log")).await;
        let delete = Batch {
            time: 10,
            writes: vec![(1, Write::DeleteRow { ck: 1 })],
        };
        life.storage
            .import(write_batch(&life.table, &delete, 0).mutations)
            .await
            .unwrap();
        world.cut_power(Some(life));

        let env = world.machine.boot();
        let factory = backend_memory::MemoryFactory::new(world.disk.clone());
        let storage = Storage::open(&env, world.options(1), &factory).unwrap();
        storage.set_space_options([(SPACE, SpaceOptions { gc_grace_s: 0 })]);
        storage.engine().compact(backend::Goal::Everything).unwrap();
        let (mut replayed, _) = storage.replay(&|_, _| Owner::Shard(0)).await.unwrap();
        let store = storage.open_shard(0, replayed.remove(0)).unwrap();
        let keys = Partitions::Keys(vec![key(1)]);
        let command = ReadCommand::all_of(&world.table, keys, 0);
        let places = [SpaceRange::whole(SPACE)];
        let answer = store.read(&world.table, &command, &places).await.unwrap();
        assert_eq!(answer.result.row_count(), 0);
    });
}
