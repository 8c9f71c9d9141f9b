//! Taking from the library what it has to say, and telling it what is durable and applied.

use raft::RawNode;
use raft::eraftpb::Message;

use super::{Group, ROUNDS};
use crate::entry::{HardState, LogEntry, Payload, Snapshot};
use crate::id::MemberId;
use crate::message::PeerMessage;
use crate::output::{Committed, IncomingSnapshot, Outgoing, Output, Write};

impl Group {
    pub(crate) fn persisted(&mut self, number: u64) {
        while self.unwritten.front().is_some_and(|first| *first <= number) {
            self.unwritten.pop_front();
        }
        self.settle_writes();
    }

    /// Tells the library up to what everything is durable.
    pub(super) fn settle_writes(&mut self) {
        let durable = self.unwritten.front().map_or(self.taken, |first| first - 1);
        self.act(|raw| raw.on_persist_ready(durable));
        if let Some((_, index)) = self.restoring.take_if(|(number, _)| *number <= durable) {
            self.call(|raw| raw.advance_apply_to(index));
        }
    }

    pub(crate) fn applied(&mut self, index: u64) {
        if index <= self.applied || self.failed.is_some() {
            return;
        }
        if index > self.handed_out {
            self.fail(format!(
                "applied up to {index}, but only {} was handed out",
                self.handed_out
            ));
            return;
        }
        self.applied = index;
        while let Some((_, members)) = self.changes.pop_front_if(|(at, _)| *at <= index) {
            self.applied_members = members;
        }
        self.act(|raw| raw.advance_apply_to(index));
        self.leave_joint();
        let (term, joint) = (self.raw.raft.term, self.applied_members.is_joint());
        self.waiters.applied(index, term, joint);
        if self.members.is_sole_voter(self.member) && !self.is_leader() {
            // It could not stand before, with changes of members that were not applied.
            self.campaign();
        }
    }

    /// Takes what the library has to say; returns whether there may be more.
    pub(crate) fn turn(&mut self, out: &mut Output) -> bool {
        self.begin_reads();
        for _ in 0..ROUNDS {
            if self.failed.is_some() || !self.raw.has_ready() {
                break;
            }
            self.take(out);
        }
        self.announce(out);
        out.answers.append(&mut self.waiters.answers);
        self.failed.is_none() && self.raw.has_ready()
    }

    pub(super) fn take(&mut self, out: &mut Output) {
        let Some(mut ready) = self.call(RawNode::ready) else {
            return;
        };
        let number = ready.number();
        self.taken = number;
        let entries = ready.take_entries();
        let hard_state = ready.hs().map(HardState::of_library);
        let snapshot =
            Some(Snapshot::of_library(ready.snapshot())).filter(|snapshot| snapshot.index > 0);
        let must_sync = ready.must_sync();
        if let Some(snapshot) = &snapshot {
            self.restore(number, snapshot);
        }
        self.raw.mut_store().append(&entries);
        if hard_state.is_some() || !entries.is_empty() || snapshot.is_some() {
            let entries = entries.iter().map(LogEntry::of_library).collect();
            out.writes.push(Write {
                group: self.id,
                number,
                hard_state,
                entries,
                snapshot,
                must_sync,
            });
        }
        if must_sync {
            self.unwritten.push_back(number);
        }
        let at_once = ready.take_messages();
        let later = ready.take_persisted_messages();
        let committed = ready.take_committed_entries();
        for read in ready.take_read_states() {
            self.read_answered(&read.request_ctx, read.index);
        }
        self.call(|raw| raw.advance_append_async(ready));
        self.send(at_once, out);
        if !later.is_empty() {
            self.held.push_back((number, later));
        }
        if self.unwritten.is_empty() {
            self.settle_writes();
        }
        self.release(out);
        self.hand_out(&committed, out);
        let (term, joint) = (self.raw.raft.term, self.applied_members.is_joint());
        self.waiters.applied(self.applied, term, joint);
    }

    /// Sends what waited for writes that are durable now.
    pub(super) fn release(&mut self, out: &mut Output) {
        let durable = self.unwritten.front().map_or(self.taken, |first| first - 1);
        while let Some((_, messages)) = self.held.pop_front_if(|(number, _)| *number <= durable) {
            self.send(messages, out);
        }
    }

    pub(super) fn send(&self, messages: Vec<Message>, out: &mut Output) {
        for message in messages {
            if let Some(message) = PeerMessage::new(message)
                && let Some(to) = message.to()
            {
                out.messages.push(Outgoing {
                    group: self.id,
                    to,
                    message,
                });
            }
        }
    }

    pub(super) fn hand_out(&mut self, committed: &[raft::eraftpb::Entry], out: &mut Output) {
        let mut entries = Vec::with_capacity(committed.len());
        for entry in committed {
            let entry = LogEntry::of_library(entry);
            if let Payload::Members(change) = &entry.payload {
                self.change_members(entry.index, change);
            }
            self.waiters
                .committed(entry.index, entry.term, &entry.payload);
            self.handed_out = entry.index;
            if entry.index > self.covered.index {
                entries.push(entry);
            }
        }
        let covered = self.handed_out.min(self.covered.index);
        if self.applied < covered {
            self.applied(covered);
        }
        if !entries.is_empty() && self.failed.is_none() {
            out.committed.push(Committed {
                group: self.id,
                entries,
                members: self.members.clone(),
            });
        }
    }

    pub(super) fn announce(&mut self, out: &mut Output) {
        if std::mem::take(&mut self.announce_failure)
            && let Some(why) = &self.failed
        {
            out.failed.push((self.id, why.clone()));
        }
        if self.failed.is_some() {
            return;
        }
        self.release(out);
        if self.raw.store().wants_snapshot() && !self.snapshot_announced {
            self.snapshot_announced = true;
            out.snapshots_wanted.push(self.id);
        }
        if std::mem::take(&mut self.announce_offer)
            && let Some(message) = &self.offered
            && let Some(from) = MemberId::new(message.from)
        {
            let snapshot = Snapshot::of_library(message.get_snapshot());
            out.snapshots_offered.push(IncomingSnapshot {
                group: self.id,
                from,
                snapshot,
            });
        }
    }
}
