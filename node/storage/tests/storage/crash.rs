//! Random writes, flushes, reads, crashes and restarts with other numbers of shards; nothing acknowledged may be lost.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use backend_memory::{Fault, Operation};
use node_env::simulation::run;
use node_env::{Rng, SeededRng, SyncPoint};
use node_storage::{BrokenRules, LogPosition, StorageError, SyncMode};

use crate::model::{Batch, Col, Write, partition};
use crate::world::{Life, World, write_batch};

/// Partitions that the writes go to.
pub(crate) const PARTITIONS: i32 = 6;
const ROWS: u64 = 12;
/// Partitions that hold one row for each batch.
const WITNESSES: RangeInclusive<i32> = 100..=199;

/// A batch that was accepted.
#[derive(Debug)]
struct Accepted {
    batch: Batch,
    shard: usize,
    position: LogPosition,
    /// It was acknowledged, or seen by an answered read: it must never be lost.
    certain: bool,
}

/// How a story is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plot {
    pub(crate) seed: u64,
    pub(crate) lives: u32,
    pub(crate) ignored: Option<SyncPoint>,
    pub(crate) broken: BrokenRules,
    /// Whether the engine crashes in the middle of its work too.
    pub(crate) engine_crashes: bool,
    pub(crate) gc_grace_s: u32,
    /// Whether writes may come with older times than those before them.
    pub(crate) late_writes: bool,
}

impl Plot {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            lives: 5,
            ignored: None,
            broken: BrokenRules::NONE,
            engine_crashes: true,
            gc_grace_s: 864_000,
            late_writes: true,
        }
    }
}

struct Story {
    rng: SeededRng,
    accepted: Vec<Accepted>,
    clock: i64,
    late_writes: bool,
    /// How many shards the life before had.
    shards: u32,
}

/// Tells a story; an error says what was lost or broken.
pub(crate) fn tell(plot: Plot) -> Result<(), String> {
    run(async {
        let mut world = World::new(plot.seed);
        world.broken = plot.broken;
        world.gc_grace_s = plot.gc_grace_s;
        if let Some(point) = plot.ignored {
            world.machine.files.ignore_sync(point);
        }
        let rng = world.rng.fork("story");
        let mut story = Story {
            rng,
            accepted: Vec::new(),
            clock: 1_000,
            late_writes: plot.late_writes,
            shards: 1,
        };
        for number in 0..plot.lives {
            let shards = 1 + story.rng.below(3) as u32;
            // A crash may also strike while the node starts.
            if story.rng.one_in(4) {
                let files = &world.machine.files;
                files.go_down_after(story.rng.below(30));
                let life = world.boot(shards).await;
                world.cut_power(life.ok());
            }
            let life = world
                .boot(shards)
                .await
                .map_err(|error| format!("life {number}: {error}"))?;
            story
                .check_all(&life)
                .await
                .map_err(|what| format!("life {number}: {what}"))?;
            story.shards = shards;
            if plot.engine_crashes && story.rng.one_in(3) {
                let (skip, seed) = (story.rng.below(3), story.rng.next_u64());
                world
                    .disk
                    .inject(Operation::Install, skip, Fault::Crash { seed });
            }
            if story.rng.one_in(2) {
                let changes = story.rng.below(80);
                world.machine.files.go_down_after(changes);
            }
            let steps = 20 + story.rng.below(60);
            for _ in 0..steps {
                story
                    .step(&life)
                    .await
                    .map_err(|what| format!("life {number}: {what}"))?;
            }
            world.cut_power(Some(life));
        }
        Ok(())
    })
}

impl Story {
    fn write(&mut self) -> Write {
        let ck = self.rng.below(ROWS) as i32;
        let rng = &mut self.rng;
        let mut cell = |col| match rng.below(6) {
            0 => vec![(col, None)],
            1 => Vec::new(),
            _ => vec![(
                col,
                Some(format!("{:x}", rng.below(1 << 20)).repeat(1 + rng.below(12) as usize)),
            )],
        };
        let cells = [cell(Col::V), cell(Col::W)].concat();
        match self.rng.below(16) {
            0 => Write::DeleteRow { ck },
            1 => Write::DeleteRange {
                from: ck,
                to: ck + self.rng.below(5) as i32,
            },
            2 if self.rng.one_in(2) => Write::DeletePartition,
            3 => Write::Static {
                value: Some(format!("s{}", self.rng.below(100))),
            },
            4 => Write::Static { value: None },
            5..9 if !cells.is_empty() => Write::Update { ck, cells },
            _ => Write::Insert { ck, cells },
        }
    }

    fn batch(&mut self, life: &Life) -> (Batch, usize) {
        self.clock += 1;
        // Where tombstones are purged at once, a late write may rightly come too late to be shadowed.
        let back = if self.late_writes {
            self.rng.below(40) as i64
        } else {
            0
        };
        let pk = self.rng.below(PARTITIONS as u64) as i32;
        let shard = life.owner(pk);
        let mut writes = vec![(pk, self.write())];
        if self.rng.one_in(4) {
            let others: Vec<i32> = (0..PARTITIONS)
                .filter(|pk| life.owner(*pk) == shard)
                .collect();
            for _ in 0..=self.rng.below(3) {
                let pk = others[self.rng.index(others.len())];
                writes.push((pk, self.write()));
            }
        }
        // A row that nobody touches again tells whether the batch survived.
        let witness = WITNESSES
            .clone()
            .find(|pk| life.owner(*pk) == shard)
            .unwrap();
        let ck = self.clock as i32;
        writes.push((
            witness,
            Write::Insert {
                ck,
                cells: Vec::new(),
            },
        ));
        let time = self.clock - back;
        (Batch { time, writes }, shard)
    }

    async fn step(&mut self, life: &Life) -> Result<(), String> {
        match self.rng.below(40) {
            0..24 => self.one_write(life).await,
            24..30 => self.one_read(life).await?,
            30..33 => tokio::time::sleep(Duration::from_micros(self.rng.below(3_000))).await,
            33 => {
                let shard = self.rng.index(life.shards.len());
                let flush = life.shards[shard].flush();
                // It may be that the machine is down already.
                drop(tokio::time::timeout(Duration::from_millis(200), flush).await);
            }
            34 => drop(life.storage.clean_up().await),
            _ => tokio::time::sleep(Duration::from_micros(20)).await,
        }
        Ok(())
    }

    async fn one_write(&mut self, life: &Life) {
        let (batch, shard) = self.batch(life);
        let store = &life.shards[shard];
        let deleted_at = life.env.clock.now_seconds();
        let bytes = write_batch(&life.table, &batch, deleted_at);
        let admitted =
            tokio::time::timeout(Duration::from_millis(100), store.admit(bytes.encoded_len()))
                .await;
        if !matches!(admitted, Ok(Ok(()))) {
            return;
        }
        let Ok(position) = store.apply(bytes) else {
            return;
        };
        self.accepted.push(Accepted {
            batch,
            shard,
            position,
            certain: false,
        });
        if self.rng.one_in(3) {
            let durable =
                tokio::time::timeout(Duration::from_millis(50), store.durable(position)).await;
            if matches!(durable, Ok(Ok(()))) {
                self.settle(shard, position);
            }
        }
    }

    /// Everything that the shard accepted up to a position is acknowledged.
    fn settle(&mut self, shard: usize, position: LogPosition) {
        for one in &mut self.accepted {
            one.certain |= one.shard == shard && one.position <= position;
        }
    }

    async fn one_read(&mut self, life: &Life) -> Result<(), String> {
        let pk = self.rng.below(PARTITIONS as u64) as i32;
        let (seen, answer) = match life.partition(pk).await {
            Ok(answer) => answer,
            Err(StorageError::Engine(_)) => return Ok(()), // the machine is down
            Err(error) => return Err(format!("reading {pk}: {error}")),
        };
        let expected = partition(pk, self.accepted.iter().map(|one| &one.batch));
        if seen != expected {
            return Err(format!(
                "partition {pk} reads {seen:?}, expected {expected:?}"
            ));
        }
        let shard = life.owner(pk);
        let durable = life.shards[shard].durable(answer.depends_on);
        if matches!(
            tokio::time::timeout(Duration::from_millis(50), durable).await,
            Ok(Ok(()))
        ) {
            // The answer left: whatever it showed has been seen.
            for one in &mut self.accepted {
                one.certain |= one.batch.writes.iter().any(|(touched, _)| *touched == pk);
            }
        }
        Ok(())
    }

    /// After a restart: all that is certain is there, and of the rest of each old shard the first so many batches.
    async fn check_all(&mut self, life: &Life) -> Result<(), String> {
        let mut found = Vec::new();
        for pk in 0..PARTITIONS {
            let (seen, _) = life
                .partition(pk)
                .await
                .map_err(|error| error.to_string())?;
            found.push(seen);
        }
        let scanned = life.scan().await.map_err(|error| error.to_string())?;
        for (pk, seen) in (0..).zip(&found) {
            let by_scan = scanned.get(&pk).cloned().unwrap_or_default();
            if by_scan != *seen {
                return Err(format!(
                    "a scan shows {by_scan:?} in partition {pk}, a read {seen:?}"
                ));
            }
        }
        let witnesses: BTreeSet<i32> = WITNESSES
            .clone()
            .filter_map(|pk| scanned.get(&pk))
            .flat_map(|seen| seen.rows.keys().copied())
            .collect();
        let survived = |one: &Accepted| {
            let (_, witness) = one.batch.writes.last().unwrap();
            matches!(witness, Write::Insert { ck, .. } if witnesses.contains(ck))
        };
        for shard in 0..self.shards as usize {
            let mine = self
                .accepted
                .iter()
                .filter(|one| one.shard == shard && !one.certain);
            if !mine.map(survived).is_sorted_by(|a, b| a >= b) {
                return Err(format!("shard {shard} lost a write and kept a later one"));
            }
        }
        if let Some(one) = self
            .accepted
            .iter()
            .find(|one| one.certain && !survived(one))
        {
            return Err(format!("an acknowledged write is lost: {one:?}"));
        }
        self.accepted.retain(survived);
        for (pk, seen) in (0..).zip(&found) {
            let expected = partition(pk, self.accepted.iter().map(|one| &one.batch));
            if *seen != expected {
                return Err(format!(
                    "partition {pk} reads {seen:?}, expected {expected:?}"
                ));
            }
        }
        // What was found must stay.
        for one in &mut self.accepted {
            one.certain = true;
        }
        Ok(())
    }
}

#[test]
fn nothing_acknowledged_is_lost() {
    for seed in 0..60 {
        if let Err(what) = tell(Plot::new(seed)) {
            panic!("seed {seed}: {what}");
        }
    }
}

#[test]
fn tombstones_that_go_at_once_leave_nothing_behind() {
    for seed in 100..130 {
        if let Err(what) = tell(Plot {
            gc_grace_s: 0,
            late_writes: false,
            ..Plot::new(seed)
        }) {
            panic!("seed {seed}: {what}");
        }
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let trace = |seed| {
        run(async move {
            let mut world = World::new(seed);
            let life = world.boot(2).await.unwrap();
            let rng = world.rng.fork("story");
            let mut story = Story {
                rng,
                accepted: Vec::new(),
                clock: 0,
                late_writes: true,
                shards: 2,
            };
            for _ in 0..100 {
                story.step(&life).await.unwrap();
            }
            (world.machine.files.trace_hash(), life.storage.stats())
        })
    };
    assert_eq!(trace(3), trace(3));
    assert_ne!(trace(3), trace(4));
}

#[test]
fn periodic_mode_answers_at_once_and_loses_only_the_last_moments() {
    run(async {
        let mut world = World::new(5);
        world.sync = SyncMode::Periodic(Duration::from_millis(100));
        let life = world.boot(1).await.unwrap();
        let store = &life.shards[0];
        let write = |time: i64| Batch {
            time,
            writes: vec![(
                1,
                Write::Insert {
                    ck: time as i32,
                    cells: Vec::new(),
                },
            )],
        };
        let first = store.apply(write_batch(&life.table, &write(1), 0)).unwrap();
        assert!(store.is_durable(first), "nobody waits");
        assert_eq!(life.shards[0].log_stats().syncs, 0);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(life.shards[0].log_stats().syncs >= 1);
        store.apply(write_batch(&life.table, &write(2), 0)).unwrap();
        world.cut_power(Some(life));
        let life = world.boot(1).await.unwrap();
        let (seen, _) = life.partition(1).await.unwrap();
        assert!(seen.rows.contains_key(&1));
    });
}
