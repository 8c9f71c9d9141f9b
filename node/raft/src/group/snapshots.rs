//! Snapshots: made here for those who are behind, or offered by a leader and fetched by the owner.

use raft::eraftpb::Message;
use raft::{ProgressState, SnapshotStatus};

use super::Group;
use crate::entry::Snapshot;
use crate::id::MemberId;

impl Group {
    /// Its state must be here before the library may know of it. One at a time; the leader repeats.
    pub(super) fn offer(&mut self, message: Message) {
        if self.offered.is_none() && self.restoring.is_none() && message.term >= self.raw.raft.term
        {
            self.offered = Some(message);
            self.announce_offer = true;
        }
    }

    pub(crate) fn snapshot_applied(&mut self, index: u64) {
        let Some(message) = self
            .offered
            .take_if(|message| message.get_snapshot().get_metadata().index == index)
        else {
            return;
        };
        // The library may ignore the message by now. Then the entries come, and are not handed out again; or a
        // snapshot comes, and is not offered again.
        if index > self.covered.index {
            self.covered = Snapshot::of_library(message.get_snapshot());
        }
        self.act(|raw| drop(raw.step(message)));
    }

    pub(crate) fn snapshot_failed(&mut self) {
        self.offered = None;
    }

    pub(crate) fn snapshot_taken(&mut self, index: u64, data: bytes::Bytes) -> bool {
        if index != self.applied || self.failed.is_some() {
            return false;
        }
        let Some(term) = self.raw.store().term_at(index) else {
            return false;
        };
        let members = self.applied_members.clone();
        self.raw.mut_store().offer(Snapshot {
            index,
            term,
            members,
            data,
        });
        self.snapshot_announced = false;
        true
    }

    pub(crate) fn kept_snapshot(&self) -> &Snapshot {
        self.raw.store().snapshot()
    }

    pub(crate) fn compact(&mut self, index: u64) {
        let index = index.min(self.applied);
        if self.failed.is_none() {
            self.raw.mut_store().compact(index);
        }
    }

    pub(crate) fn report_snapshot(&mut self, to: MemberId, sent: bool) {
        let status = if sent {
            SnapshotStatus::Finish
        } else {
            SnapshotStatus::Failure
        };
        self.in_snapshot.remove(&to.get());
        self.act(|raw| raw.report_snapshot(to.get(), status));
    }

    /// A message with a snapshot can get lost; without a report the library would wait for ever.
    pub(super) fn retry_snapshots(&mut self) {
        if !self.is_leader() {
            return;
        }
        let sent: Vec<u64> = self
            .raw
            .raft
            .prs()
            .iter()
            .filter(|(_, progress)| progress.state == ProgressState::Snapshot)
            .map(|(member, _)| *member)
            .collect();
        self.in_snapshot.retain(|member, _| sent.contains(member));
        for member in sent {
            let since = *self.in_snapshot.entry(member).or_insert(self.ticks);
            if self.ticks.saturating_sub(since) >= self.settings.snapshot_ticks
                && let Some(member) = MemberId::new(member)
            {
                self.report_snapshot(member, false);
            }
        }
    }

    /// The library took over a snapshot whose state the owner has applied.
    pub(super) fn restore(&mut self, number: u64, snapshot: &Snapshot) {
        self.raw.mut_store().restore(snapshot);
        self.handed_out = snapshot.index;
        self.applied = snapshot.index;
        self.members = snapshot.members.clone();
        self.applied_members = snapshot.members.clone();
        self.changes.clear();
        self.restoring = Some((number, snapshot.index));
        self.waiters.jumped(snapshot.index);
    }
}
