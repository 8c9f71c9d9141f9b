//! Clean-up: range and partition tombstones go when their time has come and nothing older is left.
//!
//! The index says which partitions to look at and when, so the cost follows the tombstones, not the data.
//! For each partition the rows under its deletions are read. What is older than a deletion goes; that is also the proof
//! that nothing older remains, since nobody else writes and all memtables are above the replay floor.
//!
//! It also forgets the marks of dead spaces of which nothing is left: neither in the engine nor pinned, so neither in a
//! memtable nor in a log that a replay would read. Numbers never come back, so nobody asks for such a space again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use backend::Direction;
use bytes::Bytes;
use cql_mutation::{Deletion, PurgePolicy, RangeTombstones, RowBuf, RowRef, Shadowed, shadow};

use super::partition::{ShadowWalk, StoredHead, cleanup_due, shadow_stored};
use super::sink::Sink;
use super::{FloorRule, MergeContext, MergeJob, SHADOW_ROWS_MAX, Step};
use crate::error::StorageError;
use crate::layout::key::{Kind, PartitionPrefix};
use crate::layout::store_keys::{CleanupKey, StoreKey, encode_cleanup};
use crate::layout::value::encode_number;
use crate::space::{Space, SpaceRange};
use crate::spaces::{SpaceRules, key_bounds};
use crate::stats::add;

/// Partitions that one clean-up looks at.
const PARTITIONS_MAX: usize = 1024;

/// Dead spaces that one clean-up forgets.
const SPACES_MAX: usize = 1024;

/// When the floor forbids it, try again after this many seconds.
const RETRY_S: i64 = 60;

/// A clean-up under way.
pub(super) struct Cleanup {
    rules: Arc<SpaceRules>,
    now: i64,
    sink: Sink,
    stage: Stage,
    /// Partitions to look at, in key order, with their entries in the index.
    partitions: VecDeque<(PartitionPrefix, CleanupKey, Vec<Vec<u8>>)>,
    /// What becomes of entries of the index and of marks.
    index: BTreeMap<Vec<u8>, Change>,
    /// Dead spaces of which nothing is left.
    forgotten: BTreeSet<Space>,
    budget: usize,
}

enum Stage {
    Start,
    Partitions,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Put,
    Delete,
}

/// What a walk over the rows of a partition found.
struct Found {
    /// Rows that go or get smaller.
    changes: Vec<(Bytes, Bytes, Option<RowBuf>)>,
    complete: bool,
}

impl Cleanup {
    pub(super) fn new(context: &MergeContext) -> Self {
        Self {
            rules: context.spaces.rules(),
            now: context.clock.now_seconds(),
            sink: Sink::new(context),
            stage: Stage::Start,
            partitions: VecDeque::new(),
            index: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            budget: SHADOW_ROWS_MAX,
        }
    }

    fn find_reclaimed(&mut self, context: &MergeContext) -> Result<(), StorageError> {
        if context.engine.stats().pending_discards > 0 {
            return Ok(());
        }
        let rules = Arc::clone(&self.rules);
        for range in rules.dead_ranges() {
            let (start, end) = key_bounds(range);
            if range == SpaceRange::whole(range.space)
                && self.forgotten.len() < SPACES_MAX
                && !context.floors.is_pinned(range.space)
                && self
                    .sink
                    .reader
                    .scan(start, end, Direction::Forward)?
                    .next()?
                    .is_none()
            {
                self.forgotten.insert(range.space);
            }
        }
        for range in rules.dead_ranges() {
            if self.forgotten.contains(&range.space) {
                self.index
                    .insert(StoreKey::Dead(range).encode(), Change::Delete);
            }
        }
        Ok(())
    }

    fn read_index(&mut self) -> Result<(), StorageError> {
        let (start, end) = CleanupKey::due_at(self.now);
        let mut scan = self.sink.reader.scan(start, end, Direction::Forward)?;
        let mut due: BTreeMap<Vec<u8>, (CleanupKey, Vec<Vec<u8>>)> = BTreeMap::new();
        while due.len() < PARTITIONS_MAX
            && let Some((key, _)) = scan.next()?
        {
            let entry = CleanupKey::decode(&key)
                .ok_or(StorageError::corrupt("an entry of the clean-up index"))?;
            let prefix = PartitionPrefix::new(entry.space, entry.token, &entry.key);
            due.entry(prefix.as_bytes().to_vec())
                .or_insert_with(|| (entry, Vec::new()))
                .1
                .push(key.to_vec());
        }
        self.partitions = due
            .into_values()
            .map(|(entry, keys)| {
                (
                    PartitionPrefix::new(entry.space, entry.token, &entry.key),
                    entry,
                    keys,
                )
            })
            .collect();
        Ok(())
    }

    fn partition(
        &mut self,
        context: &MergeContext,
        prefix: &PartitionPrefix,
        entry: &CleanupKey,
        keys: Vec<Vec<u8>>,
    ) -> Result<(), StorageError> {
        if self.rules.is_dead(entry.space, entry.token) {
            self.index
                .extend(keys.into_iter().map(|key| (key, Change::Delete)));
            return Ok(());
        }
        let stored = StoredHead::read(&self.sink.reader, prefix)?;
        if stored.is_empty() {
            self.index
                .extend(keys.into_iter().map(|key| (key, Change::Delete)));
            return Ok(());
        }
        let header = stored.header()?;
        let tombstones = stored.tombstones()?;
        let found = self.walk(prefix, header.deletion, &tombstones)?;
        if !found.complete {
            // The entries stay, and are due again at once.
            self.write_rows(context, found.changes);
            return Ok(());
        }
        let floor = match context.floor_rule {
            FloorRule::Respected => context.floors.floor(entry.space),
            FloorRule::Ignored => i64::MAX,
        };
        let policy = self.rules.policy(entry.space, self.now, floor);
        let kept = self.purge(context, entry, &policy, header.deletion, tombstones);
        let static_row = header
            .static_row
            .and_then(|row| remaining_static(row, header.deletion));
        let static_row = static_row.as_ref().map(RowBuf::as_ref);
        stored.replace(prefix, kept.0, static_row, &kept.1, &mut self.sink);
        self.write_rows(context, found.changes);
        self.index
            .extend(keys.into_iter().map(|key| (key, Change::Delete)));
        let due = cleanup_due(kept.0, &kept.1, self.rules.gc_grace_s(entry.space));
        if let Some(due) = due {
            // What is due and was not purged waits for the floor, or for somebody who knows the table.
            let due = due.max(self.now.saturating_add(RETRY_S));
            self.index.insert(encode_cleanup(due, prefix), Change::Put);
        }
        Ok(())
    }

    /// Looks at the rows under the deletions.
    fn walk(
        &mut self,
        prefix: &PartitionPrefix,
        deletion: Option<Deletion>,
        tombstones: &RangeTombstones,
    ) -> Result<Found, StorageError> {
        let mut walk = ShadowWalk::new(prefix, deletion, tombstones);
        let mut changes = Vec::new();
        while let Some((key, value)) = walk.peek(&self.sink.reader)? {
            if self.budget == 0 {
                return Ok(Found {
                    changes,
                    complete: false,
                });
            }
            self.budget -= 1;
            if let Some((Kind::Row, clustering)) = prefix.split(key)
                && let Some(deletion) = deletion.max(tombstones.covering(clustering))
                && let Some(left) = shadow_stored(value, deletion)
            {
                changes.push((key.clone(), value.clone(), left));
            }
            walk.take();
        }
        Ok(Found {
            changes,
            complete: true,
        })
    }

    /// The deletions that stay.
    fn purge(
        &mut self,
        context: &MergeContext,
        entry: &CleanupKey,
        policy: &PurgePolicy,
        deletion: Option<Deletion>,
        mut tombstones: RangeTombstones,
    ) -> (Option<Deletion>, RangeTombstones) {
        let sink = &mut self.sink;
        let mut stays = |deletion: &Deletion| {
            let goes = policy.may_forget_deletion(deletion);
            if goes {
                add(&context.counters.tombstones_purged, 1);
                sink.purged(entry.space, deletion.timestamp);
            }
            !goes
        };
        let deletion = deletion.filter(&mut stays);
        tombstones.retain(|range| stays(&range.deletion));
        (deletion, tombstones)
    }

    fn write_rows(&mut self, context: &MergeContext, changes: Vec<(Bytes, Bytes, Option<RowBuf>)>) {
        add(&context.counters.rows_shadowed, changes.len() as u64);
        for (key, older, newer) in changes {
            self.sink
                .replace(&key, Some(&older), newer.as_ref().map(RowBuf::as_bytes));
        }
    }

    fn finish(&mut self, context: &MergeContext) -> Result<Step, StorageError> {
        for (key, change) in std::mem::take(&mut self.index) {
            match change {
                Change::Put => self.sink.put(&key, &encode_number(0)),
                Change::Delete => self.sink.delete(&key),
            }
        }
        let sink = std::mem::replace(&mut self.sink, Sink::new(context));
        if context.floor_rule == FloorRule::Respected
            && sink.purged_too_much(|space| context.floors.floor(space))
        {
            // Older writes have just arrived; the next clean-up looks again.
            return Ok(Step::Finished);
        }
        sink.finish(context)?;
        context.after_ingest(i64::MIN);
        if !self.forgotten.is_empty() {
            tracing::debug!(spaces = ?self.forgotten, "nothing is left of dead spaces; they are forgotten");
            context.spaces.forget_dead(&self.forgotten);
        }
        Ok(Step::Finished)
    }
}

/// What the deletion of its partition leaves of a static row.
fn remaining_static(row: RowRef<'_>, deletion: Option<Deletion>) -> Option<RowBuf> {
    match deletion.map(|deletion| shadow(row, deletion)) {
        Some(Shadowed::Gone) => None,
        Some(Shadowed::Partly(rest)) => Some(rest),
        Some(Shadowed::Untouched) | None => Some(row.to_buf()),
    }
}

impl MergeJob for Cleanup {
    fn step(&mut self, context: &MergeContext) -> Result<Step, StorageError> {
        match self.stage {
            Stage::Start => {
                self.find_reclaimed(context)?;
                self.read_index()?;
                if self.partitions.is_empty() && self.forgotten.is_empty() {
                    return Ok(Step::Finished);
                }
                self.stage = Stage::Partitions;
            }
            Stage::Partitions => match self.partitions.pop_front() {
                Some((prefix, entry, keys)) if self.budget > 0 => {
                    self.partition(context, &prefix, &entry, keys)?;
                }
                Some(_) | None => return self.finish(context),
            },
        }
        Ok(Step::More)
    }
}
