//! The log in memory, as the library reads it.
//!
//! Everything here is also written by the owner of the driver; this is the copy that is read.
//! It holds the entries since the last compaction, which the owner keeps short.

use std::cell::Cell;
use std::collections::VecDeque;

use raft::eraftpb::{ConfState, Entry, HardState as LibraryHardState, Snapshot as LibrarySnapshot};
use raft::{Error, GetEntriesContext, RaftState, Storage, StorageError};

use crate::entry::{GroupState, LogEntry, Snapshot};
use crate::id::MemberId;

pub(crate) struct Log {
    hard_state: LibraryHardState,
    members: ConfState,
    /// Index and term of what comes before the first entry.
    base: (u64, u64),
    entries: VecDeque<Entry>,
    /// What a member that is too far behind is sent.
    snapshot: Snapshot,
    /// Set when somebody needs a newer snapshot than there is.
    wanted: Cell<bool>,
}

impl Log {
    pub(crate) fn new(state: &GroupState) -> Self {
        Self {
            hard_state: state.hard_state.to_library(),
            members: state.members.to_conf_state(),
            base: (state.snapshot.index, state.snapshot.term),
            entries: state.entries.iter().map(LogEntry::to_library).collect(),
            snapshot: state.snapshot.clone(),
            wanted: Cell::new(false),
        }
    }

    pub(crate) fn first(&self) -> u64 {
        self.base.0 + 1
    }

    pub(crate) fn last(&self) -> u64 {
        self.base.0 + self.entries.len() as u64
    }

    fn position(&self, index: u64) -> Option<usize> {
        usize::try_from(index.checked_sub(self.first())?).ok()
    }

    pub(crate) fn term_at(&self, index: u64) -> Option<u64> {
        if index == self.base.0 {
            return Some(self.base.1);
        }
        Some(self.entries.get(self.position(index)?)?.term)
    }

    /// Appends, replacing what was there from the first new entry on.
    pub(crate) fn append(&mut self, entries: &[Entry]) {
        let Some(keep) = entries.first().and_then(|first| self.position(first.index)) else {
            return;
        };
        self.entries.truncate(keep);
        self.entries.extend(entries.iter().cloned());
    }

    /// Forgets the log: a snapshot takes its place.
    pub(crate) fn restore(&mut self, snapshot: &Snapshot) {
        self.entries.clear();
        self.base = (snapshot.index, snapshot.term);
        self.members = snapshot.members.to_conf_state();
        self.snapshot = snapshot.clone();
    }

    /// A newer snapshot to send.
    pub(crate) fn offer(&mut self, snapshot: Snapshot) {
        if snapshot.index >= self.snapshot.index {
            self.snapshot = snapshot;
            self.wanted.set(false);
        }
    }

    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Whether somebody waits for a newer snapshot.
    pub(crate) fn wants_snapshot(&self) -> bool {
        self.wanted.get()
    }

    /// Drops entries up to and with `index`, which the snapshot must cover.
    pub(crate) fn compact(&mut self, index: u64) {
        let index = index.min(self.snapshot.index);
        let Some(term) = self.term_at(index).filter(|_| index > self.base.0) else {
            return;
        };
        let gone = usize::try_from(index - self.base.0).unwrap_or(0);
        self.entries.drain(..gone.min(self.entries.len()));
        self.base = (index, term);
    }
}

impl Storage for Log {
    fn initial_state(&self) -> raft::Result<RaftState> {
        Ok(RaftState::new(
            self.hard_state.clone(),
            self.members.clone(),
        ))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _context: GetEntriesContext,
    ) -> raft::Result<Vec<Entry>> {
        if low < self.first() {
            return Err(Error::Store(StorageError::Compacted));
        }
        if high > self.last() + 1 {
            return Err(Error::Store(StorageError::Unavailable));
        }
        let (from, to) = (
            self.position(low).unwrap_or(0),
            self.position(high).unwrap_or(0),
        );
        let mut budget = max_size.into().unwrap_or(u64::MAX);
        let mut found = Vec::new();
        for entry in self.entries.range(from..to) {
            let size = (entry.data.len() + entry.context.len() + 32) as u64;
            if size > budget && !found.is_empty() {
                break;
            }
            budget = budget.saturating_sub(size);
            found.push(entry.clone());
        }
        Ok(found)
    }

    fn term(&self, index: u64) -> raft::Result<u64> {
        let missing = if index < self.base.0 {
            StorageError::Compacted
        } else {
            StorageError::Unavailable
        };
        self.term_at(index).ok_or(Error::Store(missing))
    }

    fn first_index(&self) -> raft::Result<u64> {
        Ok(self.first())
    }

    fn last_index(&self) -> raft::Result<u64> {
        Ok(self.last())
    }

    fn snapshot(&self, request_index: u64, to: u64) -> raft::Result<LibrarySnapshot> {
        // One that was made before the member was added, or leaves a hole before the log, would be ignored.
        let knows_it = MemberId::new(to).is_some_and(|to| self.snapshot.members.contains(to));
        if self.snapshot.index < request_index.max(self.base.0) || !knows_it {
            self.wanted.set(true);
            return Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable));
        }
        Ok(self.snapshot.to_library())
    }
}
