//! The merger: the one writer of the engine.
//!
//! ```text
//!  shards, oldest sealed memtable first ─┐
//!  local store ──────────────────────────┤        one job at a time        Ingest: rows, headers, chunks,
//!  imports (streams, repair) ────────────┼─► queue ─► read older, merge ─►  index and flushed position
//!  clean-up of tombstones ───────────────┤            shadow, purge         in one atomic, durable batch
//!  marks: dead spaces, numbers ──────────┘
//! ```
//!
//! The newest version of a key hides the older ones whole. So a merge reads the older row, and nobody may write that row
//! between this reading and the end of the ingest: two merges at once lose rows. The loop below therefore has **one
//! slot**; that slot is the whole mechanism, and a test that gives it two shows the loss.
//!
//! Cost of a flush: one sorted read for each row that is flushed (a filter lookup if it is new), one write.
//! A turn handles a few hundred rows, so that other work gets its share.

mod cleanup;
mod flush;
mod partition;
mod runner;
mod sink;
mod store_change;

pub use runner::Slots;
pub(crate) use runner::{Merger, MergerLoop};
pub(crate) use store_change::StoreChange;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use backend::Engine;
use node_env::{NodeClock, Waker};

use crate::budget::Backlog;
use crate::error::StorageError;
use crate::floor::Floors;
use crate::spaces::Spaces;
use crate::stats::NodeCounters;

/// Rows that one turn handles.
const ROWS_PER_TURN: usize = 256;

/// Rows of the engine that one job looks at for what new range and partition tombstones shadow; the rest comes later.
const SHADOW_ROWS_MAX: usize = 10_000;

/// What merges need of their node.
pub(crate) struct MergeContext {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) backlog: Arc<Backlog>,
    pub(crate) floors: Arc<Floors>,
    pub(crate) spaces: Arc<Spaces>,
    pub(crate) clock: Arc<NodeClock>,
    pub(crate) counters: Arc<NodeCounters>,
    /// Compaction is due after every ingest.
    pub(crate) compactor: Waker,
    /// The largest assigned write time that is stored.
    pub(crate) assigned: AtomicI64,
    /// Whether the replay floor is respected; tests switch it off to show what it protects.
    pub(crate) floor_rule: FloorRule,
}

/// Whether tombstones above the replay floor stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloorRule {
    /// They stay.
    Respected,
    /// They go, and what a log brings later comes back to life: only to show that.
    Ignored,
}

impl MergeContext {
    fn after_ingest(&self, assigned: i64) {
        self.assigned.fetch_max(assigned, Ordering::AcqRel);
        self.backlog.update(&*self.engine);
        self.compactor.wake();
    }
}

/// What a step of a job says.
#[derive(Debug)]
enum Step {
    More,
    Finished,
}

/// A job under way.
trait MergeJob: Send {
    fn step(&mut self, context: &MergeContext) -> Result<Step, StorageError>;
}
