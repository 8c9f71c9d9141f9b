//! Compaction steps, the hooks that they call, and how discarded ranges come back.
//!
//! A step is one merge of the levelled strategy. When it has nothing to do and discarded keys are left in tables that
//! also hold others, everything is rewritten once that pays: the strategy cannot be told which tables to take.

use std::panic::{AssertUnwindSafe, RefUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use backend::{Error, Gc, GcHooks, GcRun, Goal, Progress, Reclaimed};
use lsm_tree::compaction::filter::Context;
use lsm_tree::compaction::{CompactionFilter, Factory, ItemAccessor, Leveled, Verdict};
use lsm_tree::{AbstractTree, UserValue};

use crate::discards::{Discards, KeyRange, Sweep};
use crate::engine::FjallEngine;
use crate::error::translate;
use crate::fault::FaultSwitch;
use crate::shared::{EVERY_OLD_VERSION, Open, lock};
use crate::view::{View, bytes_of, table_bytes};

/// A map up to this size is rewritten for any discarded key that is left.
const ALWAYS_REWRITE_BYTES: u64 = 512 * 1024 * 1024;

/// A larger one, when at least one in so many bytes lies in tables with discarded keys.
const REWRITE_SHARE: u64 = 8;

/// The form that compactions give to the tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// Where table files are cut.
    pub(crate) table_bytes: u64,
    /// Table files in the first level that make a compaction due.
    first_level_tables: u8,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            table_bytes: 64 * 1024 * 1024,
            first_level_tables: 4,
        }
    }
}

impl Shape {
    fn strategy(self) -> Arc<Leveled> {
        let strategy = Leveled::default().with_l0_threshold(self.first_level_tables);
        Arc::new(strategy.with_table_target_size(self.table_bytes))
    }
}

impl FjallEngine {
    /// One step, on the caller's thread.
    pub(crate) fn compact_step(&self, goal: Goal) -> Result<Progress, Error> {
        let shared = &self.shared;
        let _upkeep = lock(&shared.upkeep);
        let open = shared.open()?;
        shared.tidy_up(&open)?;
        shared.drop_retired();
        let before = shared.view()?;
        let dropped = self.drop_discarded()?;
        let worked = match goal {
            Goal::Due => self.run_due(&open)? || self.rewrite_for_discards(&open)?,
            Goal::Everything => self.rewrite_everything(&open)?,
        };
        if !worked && dropped.bytes == 0 {
            return Ok(Progress::Idle);
        }
        self.drop_discarded()?;
        let progress = compare(&before, &*shared.view()?);
        drop(before);
        shared.drop_retired();
        shared.compactions.fetch_add(1, Ordering::Relaxed);
        if let Progress::Worked { written_bytes, .. } = progress {
            shared
                .compaction_written_bytes
                .fetch_add(written_bytes, Ordering::Relaxed);
        }
        Ok(progress)
    }

    /// Runs something of the tree, publishes what it did, and says whether it did anything.
    fn run(&self, open: &Open, work: impl FnOnce() -> lsm_tree::Result<()>) -> Result<bool, Error> {
        let before = open.tree.current_version().id();
        let done = work();
        if let Err(error) = done {
            self.shared.failed();
            // Gives the room of what was half written back at once, unless an ingest is alive.
            self.shared.tidy_up(open).or_else(|error| match error {
                Error::IngestInProgress => Ok(()),
                other => Err(other),
            })?;
            return Err(translate("compact", error));
        }
        let worked = open.tree.current_version().id() != before;
        if worked {
            self.shared.publish(open);
        }
        Ok(worked)
    }

    fn run_due(&self, open: &Open) -> Result<bool, Error> {
        self.run(open, || {
            open.tree
                .compact(self.shared.shape.strategy(), EVERY_OLD_VERSION)
        })
    }

    fn rewrite_everything(&self, open: &Open) -> Result<bool, Error> {
        if self.shared.view()?.runs().is_empty() {
            return Ok(false);
        }
        self.run(open, || {
            open.tree
                .major_compact(self.shared.shape.table_bytes, EVERY_OLD_VERSION)
        })
    }

    /// Rewrites everything if discarded keys are left among others and it pays.
    fn rewrite_for_discards(&self, open: &Open) -> Result<bool, Error> {
        let ranges = self.shared.discards.list();
        let view = self.shared.view()?;
        let touched = |table: &&lsm_tree::Table| {
            let keys = &table.metadata.key_range;
            ranges
                .iter()
                .any(|range| range.overlaps(keys.min(), keys.max()))
        };
        let touched_bytes = bytes_of(view.tables().filter(touched));
        let total_bytes = view.bytes();
        let pays =
            total_bytes <= ALWAYS_REWRITE_BYTES || touched_bytes >= total_bytes / REWRITE_SHARE;
        if touched_bytes == 0 || !pays {
            return Ok(false);
        }
        drop(view);
        self.rewrite_everything(open)
    }

    /// Drops the tables that hold nothing but discarded keys, and forgets the ranges of which nothing is left.
    ///
    /// The caller holds `upkeep`.
    pub(crate) fn drop_discarded(&self) -> Result<Reclaimed, Error> {
        let mut reclaimed = Reclaimed::default();
        if self.shared.discards.len() == 0 {
            return Ok(reclaimed);
        }
        let open = self.shared.open()?;
        for range in self.shared.discards.list() {
            let view = self.shared.view()?;
            let covered = |table: &&lsm_tree::Table| {
                let keys = &table.metadata.key_range;
                range.covers(keys.min(), keys.max())
            };
            let bytes = bytes_of(view.tables().filter(covered));
            drop(view);
            if bytes > 0 && self.run(&open, || open.tree.drop_range::<&[u8], _>(range.bounds()))? {
                reclaimed.bytes += bytes;
            }
            if !holds(&*self.shared.view()?, &range)? {
                self.shared.discards.done(&range);
            }
        }
        Ok(reclaimed)
    }
}

/// Whether a table holds a key of the range, a deleted one included.
fn holds(view: &View, range: &KeyRange) -> Result<bool, Error> {
    let (start, end) = range.bounds();
    let bounds = (
        start.map(lsm_tree::UserKey::new),
        end.map(lsm_tree::UserKey::new),
    );
    for table in view.overlapping(range) {
        let first = table.range(bounds.clone()).next().transpose();
        if first
            .map_err(|error| translate("look for discarded keys", error))?
            .is_some()
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What a step replaced and wrote.
fn compare(before: &View, after: &View) -> Progress {
    let missing = |view: &View, other: &View| {
        let ids: Vec<_> = other.tables().map(lsm_tree::Table::id).collect();
        view.tables()
            .filter(|table| !ids.contains(&table.id()))
            .map(table_bytes)
            .sum()
    };
    Progress::Worked {
        read_bytes: missing(before, after),
        written_bytes: missing(after, before),
    }
}

/// Makes the filter of each compaction.
pub(crate) struct Filters {
    hooks: AssertUnwindSafe<Arc<dyn GcHooks>>,
    discards: AssertUnwindSafe<Discards>,
    faults: Arc<FaultSwitch>,
}

impl Filters {
    pub(crate) fn new(
        hooks: Arc<dyn GcHooks>,
        discards: Discards,
        faults: Arc<FaultSwitch>,
    ) -> Self {
        Self {
            hooks: AssertUnwindSafe(hooks),
            discards: AssertUnwindSafe(discards),
            faults,
        }
    }
}

const fn _filters_are_unwind_safe<T: RefUnwindSafe>() {}
const _: () = _filters_are_unwind_safe::<Filters>();

impl Factory for Filters {
    fn name(&self) -> &str {
        "discards and hooks"
    }

    fn make_filter(&self, context: &Context) -> Box<dyn CompactionFilter> {
        Box::new(Filter {
            run: self.hooks.run(context.is_last_level),
            sweep: Sweep::new(&self.discards),
            faults: self.faults.clone(),
            visited: 0,
        })
    }
}

/// Removes discarded keys and asks the hooks about the others.
struct Filter {
    run: Box<dyn GcRun>,
    sweep: Sweep,
    faults: Arc<FaultSwitch>,
    visited: u64,
}

impl CompactionFilter for Filter {
    fn filter_item(
        &mut self,
        item: ItemAccessor<'_>,
        _context: &Context,
    ) -> lsm_tree::Result<Verdict> {
        self.visited += 1;
        if self.visited > 100 {
            self.faults.check()?;
        }
        if self.sweep.is_dead(item.key()) {
            return Ok(Verdict::Remove);
        }
        Ok(match self.run.visit(item.key(), &item.value()?) {
            Gc::Keep => Verdict::Keep,
            Gc::Replace(value) => Verdict::ReplaceValue(UserValue::from(value)),
            Gc::Remove => Verdict::Remove,
        })
    }
}
