//! One flush: a memtable becomes part of the engine.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cql_mutation::{ClusteringKey, PurgePolicy};

use super::partition::{OpenPartition, PartitionStep};
use super::sink::{RowChange, Sink};
use super::{FloorRule, MergeContext, MergeJob, ROWS_PER_TURN, SHADOW_ROWS_MAX, Step};
use crate::error::StorageError;
use crate::layout::key::{PartitionPrefix, Place};
use crate::layout::store_keys::{StoreKey, encode_cleanup};
use crate::layout::value::encode_number;
use crate::memtable::{Cursor, Memtable, Origin, Partition};
use crate::space::Space;
use crate::spaces::SpaceRules;
use crate::stats::add;

/// A flush under way.
pub(super) struct Flush {
    memtable: Arc<Memtable>,
    rules: Arc<SpaceRules>,
    now: i64,
    sink: Sink,
    stage: Stage,
    purging: Purging,
    cursor: Cursor,
    /// The partition at the cursor was flushed up to and with this row.
    flushed_to: Option<ClusteringKey>,
    /// Entries of the clean-up index, which come last in the batch.
    cleanup: BTreeSet<Vec<u8>>,
    shadow_budget: usize,
}

enum Stage {
    /// Nothing is written.
    Start,
    /// Partition by partition.
    Rows,
    /// In a partition with deletions, which takes a walk of its own.
    Partition(Box<OpenPartition>),
    /// The index, then the end.
    Last,
}

/// Whether tombstones may go in this flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purging {
    Allowed,
    /// Older writes arrived while the flush ran; its tombstones are needed.
    Off,
}

/// A row of the batch whose older versions are read together.
struct Pending<'a> {
    space: Space,
    row: &'a cql_mutation::RowBuf,
}

impl Flush {
    pub(super) fn new(memtable: Arc<Memtable>, context: &MergeContext) -> Self {
        Self {
            memtable,
            rules: context.spaces.rules(),
            now: context.clock.now_seconds(),
            sink: Sink::new(context),
            stage: Stage::Start,
            purging: Purging::Allowed,
            cursor: Cursor::START,
            flushed_to: None,
            cleanup: BTreeSet::new(),
            shadow_budget: SHADOW_ROWS_MAX,
        }
    }

    /// The entries of the store come first in key order: up to where the log is in the engine.
    fn write_positions(&mut self, context: &MergeContext) {
        if let Origin::Log(log) = self.memtable.origin() {
            let key = StoreKey::Flushed(log).encode();
            self.sink.put(&key, &encode_number(self.memtable.last().0));
        }
        let assigned = self.memtable.largest_assigned();
        if assigned > context.assigned.load(Ordering::Acquire) {
            let number = encode_number(assigned.cast_unsigned());
            self.sink.put(&StoreKey::Assigned.encode(), &number);
        }
    }

    fn policy(&self, context: &MergeContext, space: Space) -> PurgePolicy {
        let floor = match (self.purging, context.floor_rule) {
            (Purging::Off, _) => i64::MIN,
            (Purging::Allowed, FloorRule::Respected) => self.memtable.floor_after_flush(space),
            (Purging::Allowed, FloorRule::Ignored) => i64::MAX,
        };
        self.rules.policy(space, self.now, floor)
    }

    /// Flushes rows of partitions that have nothing but rows; stops before one that has more.
    fn rows(&mut self, context: &MergeContext) -> Result<(), StorageError> {
        let memtable = Arc::clone(&self.memtable);
        let mut keys: Vec<Vec<u8>> = Vec::with_capacity(ROWS_PER_TURN);
        let mut rows: Vec<Pending<'_>> = Vec::with_capacity(ROWS_PER_TURN);
        while keys.len() < ROWS_PER_TURN {
            let Some((next, place, partition)) = memtable.next_from(self.cursor) else {
                self.stage = Stage::Last;
                break;
            };
            if self.rules.is_dead(place.space(), place.token()) {
                add(&context.counters.flush_skipped_dead, 1);
                (self.cursor, self.flushed_to) = (next, None);
                continue;
            }
            if partition.extras().is_some() {
                if keys.is_empty() {
                    self.open_partition(context, place, partition)?;
                    self.cursor = next;
                }
                break;
            }
            let prefix = PartitionPrefix::new(place.space(), place.token(), partition.key());
            let room = ROWS_PER_TURN - keys.len();
            let before = keys.len();
            let mut last = None;
            for (key, row) in partition.rows_after(self.flushed_to.as_ref()).take(room) {
                keys.push(prefix.row(key));
                rows.push(Pending {
                    space: place.space(),
                    row,
                });
                last = Some(key);
            }
            match keys.len() - before == room {
                true => self.flushed_to = last.cloned(),
                false => (self.cursor, self.flushed_to) = (next, None),
            }
        }
        self.write_rows(context, &keys, &rows)
    }

    fn write_rows(
        &mut self,
        context: &MergeContext,
        keys: &[Vec<u8>],
        rows: &[Pending<'_>],
    ) -> Result<(), StorageError> {
        let older = self.sink.reader.multi_get(keys)?;
        let mut policy: Option<(Space, PurgePolicy)> = None;
        for ((key, Pending { space, row }), older) in keys.iter().zip(rows).zip(&older) {
            let (_, policy) = match &mut policy {
                Some(known) if known.0 == *space => known,
                other => other.insert((*space, self.policy(context, *space))),
            };
            let change = RowChange {
                key,
                older: older.as_ref(),
                newer: Some(row.as_ref()),
                deletion: None,
            };
            self.sink.row(context, *space, policy, change);
        }
        add(&context.counters.rows_merged, keys.len() as u64);
        add(
            &context.counters.rows_with_older,
            older.iter().flatten().count() as u64,
        );
        Ok(())
    }

    fn open_partition(
        &mut self,
        context: &MergeContext,
        place: Place,
        partition: &Partition,
    ) -> Result<(), StorageError> {
        let policy = self.policy(context, place.space());
        let open = OpenPartition::open(place, partition, &policy, &mut self.sink)?;
        self.stage = Stage::Partition(Box::new(open));
        Ok(())
    }

    fn partition(
        &mut self,
        context: &MergeContext,
        mut open: Box<OpenPartition>,
    ) -> Result<(), StorageError> {
        let memtable = Arc::clone(&self.memtable);
        let policy = self.policy(context, open.place.space());
        let (place, key) = (open.place, &open.key);
        let Some(partition) = memtable.partition(place.space(), place.token(), key) else {
            return Ok(());
        };
        match open.step(
            partition,
            context,
            &policy,
            &mut self.sink,
            &mut self.shadow_budget,
        )? {
            PartitionStep::More => self.stage = Stage::Partition(open),
            PartitionStep::Done { cut_short } => {
                let due = match cut_short {
                    true => Some(self.now),
                    false => open.cleanup_due(self.rules.gc_grace_s(place.space())),
                };
                if let Some(due) = due {
                    self.cleanup.insert(encode_cleanup(due, &open.prefix));
                }
            }
        }
        Ok(())
    }

    /// Writes that are older than a purged tombstone may have arrived meanwhile; then the tombstone must stay.
    fn must_start_again(&self, context: &MergeContext) -> bool {
        // A second try forgets nothing, though what has expired loses its bytes; there is no third.
        self.purging == Purging::Allowed
            && context.floor_rule == FloorRule::Respected
            && self
                .sink
                .purged_too_much(|space| self.memtable.floor_after_flush(space))
    }

    fn start_again(&mut self, context: &MergeContext) {
        let memtable = Arc::clone(&self.memtable);
        *self = Self {
            purging: Purging::Off,
            ..Self::new(memtable, context)
        };
    }

    fn finish(&mut self, context: &MergeContext) -> Result<Step, StorageError> {
        for key in std::mem::take(&mut self.cleanup) {
            self.sink.put(&key, &encode_number(0));
        }
        if self.must_start_again(context) {
            self.start_again(context);
            return Ok(Step::More);
        }
        let sink = std::mem::replace(&mut self.sink, Sink::new(context));
        sink.finish(context)?;
        add(&context.counters.merges, 1);
        context.after_ingest(self.memtable.largest_assigned());
        Ok(Step::Finished)
    }
}

impl MergeJob for Flush {
    fn step(&mut self, context: &MergeContext) -> Result<Step, StorageError> {
        match std::mem::replace(&mut self.stage, Stage::Rows) {
            Stage::Start => self.write_positions(context),
            Stage::Rows => self.rows(context)?,
            Stage::Partition(open) => self.partition(context, open)?,
            Stage::Last => return self.finish(context),
        }
        Ok(Step::More)
    }
}
