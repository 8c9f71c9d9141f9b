//! What all stores of a node share: the engine, its merger, spaces, floors, and the folder of logs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use backend::{Direction, Engine, Factory, OpenOptions};
use node_env::{Env, LoopHandle, Urgency, offload};

use crate::budget::Backlog;
use crate::compactor::CompactorLoop;
use crate::directories::claim_directories;
use crate::error::StorageError;
use crate::floor::{FloorPin, Floors};
use crate::gc::{GcParts, GcRules};
use crate::layout::cut::Reader;
use crate::layout::store_keys::{RETIRED, StoreKey};
use crate::layout::value::decode_number;
use crate::log::replay::{list_logs, remove_logs};
use crate::log::{LogId, SYNC_LOG_REMOVALS};
use crate::merge::{FloorRule, MergeContext, Merger, MergerLoop, Slots, StoreChange};
use crate::space::{Space, SpaceRange};
use crate::spaces::{Spaces, key_bounds};
use crate::stats::NodeCounters;
use crate::storage::StorageOptions;

/// The engine's directory.
const ENGINE: &str = "engine";

/// Numbers of spaces are made durable in blocks of this many.
const SPACES_AT_ONCE: u32 = 64;

/// Rules that tests break to show what they protect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenRules {
    /// How many merges may run at once.
    pub slots: Slots,
    /// Whether the replay floor counts.
    pub floor: FloorRule,
}

impl BrokenRules {
    /// All rules hold.
    pub const NONE: Self = Self {
        slots: Slots::One,
        floor: FloorRule::Respected,
    };
}

/// What the stores of a node share.
pub(crate) struct Node {
    pub(crate) env: Env,
    pub(crate) options: StorageOptions,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) floors: Arc<Floors>,
    pub(crate) spaces: Arc<Spaces>,
    pub(crate) counters: Arc<NodeCounters>,
    pub(crate) merger: Merger,
    pub(crate) merger_loop: LoopHandle,
    pub(crate) compactor: LoopHandle,
    /// This run of the process.
    pub(crate) generation: u32,
    pub(crate) log_directory: PathBuf,
    /// Logs of older runs, and up to where they are in the engine.
    pub(crate) old_logs: BTreeMap<LogId, u64>,
    /// Entries of logs whose files are gone.
    stale: Mutex<Vec<LogId>>,
    /// Numbers that may be handed out, and the first that may not.
    numbers: Mutex<(u32, u32)>,
    pub(crate) assigned: Arc<AtomicI64>,
}

/// The store's own entries, as they were found.
struct Found {
    next_space: u32,
    flushed: BTreeMap<LogId, u64>,
    dead: Vec<SpaceRange>,
    assigned: i64,
}

impl Node {
    /// Opens the engine and starts merger and compactor. Blocks.
    pub(crate) fn open(
        env: &Env,
        options: StorageOptions,
        factory: &dyn Factory,
        broken: BrokenRules,
    ) -> Result<Self, StorageError> {
        claim_directories(&*env.files, &options)?;
        let hooks = Arc::new(GcRules::default());
        let engine_options = OpenOptions {
            directory: options.directory.join(ENGINE),
            cache_bytes: options.cache_bytes,
        };
        let engine = factory.open(&engine_options, Arc::clone(&hooks) as Arc<_>)?;
        let found = read_entries(&Reader::new(&*engine))?;
        let log_directory = options.log_directory.clone();
        let logs = list_logs(&*env.files, &log_directory)?;
        if found.flushed.keys().any(|log| !logs.contains(log))
            && env.files.entry(&log_directory)?.is_some()
        {
            // Their entries go soon; from here on the files must not come back.
            env.files.sync_dir(&log_directory, SYNC_LOG_REMOVALS)?;
        }
        let known = logs.iter().chain(found.flushed.keys());
        let generation = known.map(|log| log.generation).max().unwrap_or(0) + 1;
        let position = |log: &LogId| found.flushed.get(log).copied().unwrap_or(0);
        let old_logs = logs.iter().map(|log| (*log, position(log))).collect();
        let stale = found
            .flushed
            .keys()
            .filter(|log| !logs.contains(log))
            .copied()
            .collect();

        let (floors, spaces) = (
            Arc::new(Floors::before_replay()),
            Arc::new(Spaces::default()),
        );
        let counters = Arc::new(NodeCounters::default());
        for range in &found.dead {
            spaces.mark_dead(*range);
            discard(&*engine, *range)?;
        }
        hooks.set(GcParts {
            spaces: Arc::clone(&spaces),
            floors: Arc::clone(&floors),
            clock: Arc::clone(&env.clock),
            counters: Arc::clone(&counters),
        });
        let backlog = Arc::new(Backlog::default());
        let compactor = CompactorLoop::new(
            Arc::clone(&engine),
            Arc::clone(&backlog),
            Arc::clone(&counters),
        );
        let compactor = env
            .spawn
            .dedicated("compaction", Urgency::Background, Box::new(compactor));
        let assigned = Arc::new(AtomicI64::new(found.assigned));
        let context = Arc::new(MergeContext {
            engine: Arc::clone(&engine),
            backlog: Arc::clone(&backlog),
            floors: Arc::clone(&floors),
            spaces: Arc::clone(&spaces),
            clock: Arc::clone(&env.clock),
            counters: Arc::clone(&counters),
            compactor: compactor.waker(),
            assigned: AtomicI64::new(found.assigned),
            floor_rule: broken.floor,
        });
        let (body, merger) = MergerLoop::new(context, broken.slots);
        // Writes wait for flushes when memory is short, and schema changes for numbers of spaces.
        let merger_loop = env
            .spawn
            .dedicated("merger", Urgency::Foreground, Box::new(body));
        let merger = merger(merger_loop.waker());
        Ok(Self {
            env: env.clone(),
            options,
            engine,
            backlog,
            floors,
            spaces,
            counters,
            merger,
            merger_loop,
            compactor,
            generation,
            log_directory,
            old_logs,
            stale: Mutex::new(stale),
            numbers: Mutex::new((found.next_space, found.next_space)),
            assigned,
        })
    }

    /// Changes entries of the store, and removes those of logs that are gone.
    pub(crate) async fn change(
        &self,
        entries: Vec<(StoreKey, Option<u64>)>,
    ) -> Result<(), StorageError> {
        let change = self.store_change(entries);
        self.merger.store(change).await
    }

    fn store_change(&self, entries: Vec<(StoreKey, Option<u64>)>) -> StoreChange {
        let stale = std::mem::take(&mut *lock(&self.stale));
        let removed = stale.iter().map(|log| (StoreKey::Flushed(*log), None));
        StoreChange::new(entries.into_iter().chain(removed))
    }

    /// A number that no space ever had and none will have again, durably.
    pub(crate) async fn new_space(&self) -> Result<Space, StorageError> {
        loop {
            let reserved = {
                let (next, end) = &mut *lock(&self.numbers);
                if *next < *end {
                    *next += 1;
                    return Ok(Space(*next - 1));
                }
                *end
            };
            // The largest number is the clean-up index and is never handed out.
            let end = reserved.saturating_add(SPACES_AT_ONCE);
            if end == reserved {
                return Err(StorageError::NoMoreSpaces);
            }
            self.change(vec![(StoreKey::NextSpace, Some(u64::from(end)))])
                .await?;
            let (_, known) = &mut *lock(&self.numbers);
            *known = end.max(*known);
        }
    }

    /// Marks tokens of a space dead, durably, and begins to reclaim them.
    pub(crate) async fn kill(&self, range: SpaceRange) -> Result<(), StorageError> {
        // No merge that does not know of the mark may run after it.
        let spaces = Arc::clone(&self.spaces);
        let change = self.store_change(vec![(StoreKey::Dead(range), Some(0))]);
        self.merger
            .store(change.then(move || spaces.mark_dead(range)))
            .await?;
        let engine = Arc::clone(&self.engine);
        offload(&self.env.spawn, "discard a dead range", move || {
            discard(&*engine, range)
        })
        .await??;
        self.compactor.waker().wake();
        Ok(())
    }

    /// Everything of some old logs is in the engine: they go.
    pub(crate) async fn retire(&self, logs: &[LogId]) -> Result<(), StorageError> {
        if logs.is_empty() {
            return Ok(());
        }
        // The mark comes first: with half of the files gone a replay would find holes.
        self.change(
            logs.iter()
                .map(|log| (StoreKey::Flushed(*log), Some(RETIRED)))
                .collect(),
        )
        .await?;
        let (files, folder, logs) = (
            Arc::clone(&self.env.files),
            self.log_directory.clone(),
            logs.to_vec(),
        );
        offload(&self.env.spawn, "remove old logs", move || {
            remove_logs(&*files, &folder, &logs)
        })
        .await??;
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn discard(engine: &dyn Engine, range: SpaceRange) -> Result<(), StorageError> {
    let (start, end) = key_bounds(range);
    engine.discard_range(&start, Some(&end))?;
    Ok(())
}

fn read_entries(reader: &Reader) -> Result<Found, StorageError> {
    let mut found = Found {
        next_space: Space::FIRST_DYNAMIC.0,
        flushed: BTreeMap::new(),
        dead: Vec::new(),
        assigned: i64::MIN,
    };
    let (start, end) = StoreKey::all();
    let mut scan = reader.scan(start, end, Direction::Forward)?;
    while let Some((key, value)) = scan.next()? {
        let number = decode_number(&value)?;
        match StoreKey::decode(&key).ok_or(StorageError::corrupt("an entry of the store"))? {
            StoreKey::NextSpace => {
                found.next_space = u32::try_from(number)
                    .map_err(|_| StorageError::corrupt("the next number of a space"))?;
            }
            StoreKey::Flushed(log) => {
                found.flushed.insert(log, number);
            }
            StoreKey::Dead(range) => found.dead.push(range),
            StoreKey::Assigned => found.assigned = number.cast_signed(),
        }
    }
    Ok(found)
}

/// Memtables made from old logs; when all of them are flushed, the logs go.
pub(crate) struct ReplayGroup {
    node: Arc<Node>,
    logs: Vec<LogId>,
    /// Memtables that are not flushed, and one for a replay that is not at its end.
    left: AtomicUsize,
    /// The logs may be replayed again until they are retired, so what they hold keeps the floors down.
    pins: Mutex<Vec<FloorPin>>,
}

impl ReplayGroup {
    pub(crate) fn new(node: Arc<Node>, logs: Vec<LogId>) -> Arc<Self> {
        Arc::new(Self {
            node,
            logs,
            left: AtomicUsize::new(1),
            pins: Mutex::default(),
        })
    }

    pub(crate) fn add(&self, pins: Vec<FloorPin>) {
        self.left.fetch_add(1, Ordering::AcqRel);
        lock(&self.pins).extend(pins);
    }

    /// One memtable is flushed, or the replay has ended.
    pub(crate) async fn done(&self) -> Result<(), StorageError> {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.node.retire(&self.logs).await?;
            lock(&self.pins).clear();
        }
        Ok(())
    }
}
