//! One group: the library's state machine, fenced, with what we add around it.
//!
//! What is added, and why:
//! - a panic of the library fences the group off, it does not take the shard with it;
//! - the election timeout comes from our own chance, because the library's cannot be seeded;
//! - messages that must wait for a write wait here;
//! - reads are asked for again until they are answered, because the library drops them silently;
//! - the joint phase of a change is left by an entry of the leader's, in whatever term it gets to it;
//! - a follower's progress that the library let fall behind what is known to match is repaired;
//! - a member that is being sent a snapshot on which nobody reports is tried again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use node_env::spawn::panic_text;
use node_env::{Rng, SeededRng};
use raft::eraftpb::{Message, MessageType};
use raft::{Config, ProgressState, RawNode, ReadOnlyOption, SnapshotStatus, StateRole};

use crate::entry::{
    BrokenState, GroupState, HardState, LogEntry, Payload, Snapshot, library_entry,
};
use crate::error::RaftError;
use crate::id::{GroupId, MemberId};
use crate::log::Log;
use crate::logger::logger;
use crate::members::{Members, MembersChange};
use crate::message::PeerMessage;
use crate::output::{
    Committed, Done, GroupStatus, IncomingSnapshot, Outgoing, Output, PeerStatus, Role, Wait, Write,
};
use crate::settings::Settings;
use crate::waiting::{Waiter, Waiters, Waiting};

/// Rounds of taking from the library in one turn: enough for a message to have all its consequences.
const ROUNDS: usize = 8;
/// Ticks after which a read round is repeated.
const READ_TICKS: u64 = 2;

/// What a change of which means that an election began, ended or was heard of.
type Seen = (StateRole, u64, u64);

pub(crate) struct Group {
    id: GroupId,
    member: MemberId,
    settings: Settings,
    raw: RawNode<Log>,
    rng: SeededRng,
    /// Tells our reads from those of an earlier life of this member.
    life: u64,
    pub(crate) waiters: Waiters,
    seen: Seen,
    election_timeout: usize,
    ticks: u64,
    /// Numbers of writes that are not durable yet, in order.
    unwritten: VecDeque<u64>,
    /// Number of the last thing taken from the library.
    taken: u64,
    /// Messages that wait until everything up to a number is durable.
    held: VecDeque<(u64, Vec<Message>)>,
    /// The last entry handed out.
    handed_out: u64,
    applied: u64,
    /// The members as of `handed_out`.
    members: Members,
    /// The members after each change that is handed out and not applied.
    changes: VecDeque<(u64, Members)>,
    /// The members as of `applied`.
    applied_members: Members,
    /// A snapshot that the library waits to have persisted: the number of its write, and its index.
    restoring: Option<(u64, u64)>,
    /// The owner's state machine has everything up to here by a snapshot, even if the library comes to it by entries.
    covered: u64,
    /// A snapshot that the owner was offered and works on.
    offered: Option<Message>,
    announce_offer: bool,
    snapshot_announced: bool,
    reads: Reads,
    /// Since which tick a member is being sent a snapshot.
    in_snapshot: BTreeMap<u64, u64>,
    failed: Option<String>,
    announce_failure: bool,
    repairs: u64,
}

#[derive(Default)]
struct Reads {
    /// The last round begun.
    round: u64,
    /// When.
    at_tick: u64,
    /// Begin one as soon as possible: something changed that may have swallowed the last.
    again: bool,
    /// Whether this member could answer reads by itself when last looked at.
    leads_with_commit: bool,
}

impl Group {
    pub(crate) fn new(
        id: GroupId,
        member: MemberId,
        state: GroupState,
        settings: Settings,
        mut rng: SeededRng,
    ) -> Result<Self, BrokenState> {
        let state = state.checked()?;
        let config = Config {
            id: member.get(),
            election_tick: settings.election_ticks,
            heartbeat_tick: settings.heartbeat_ticks,
            applied: state.applied,
            max_size_per_msg: settings.message_bytes,
            max_inflight_msgs: settings.messages_in_flight,
            check_quorum: true,
            pre_vote: true,
            read_only_option: ReadOnlyOption::Safe,
            max_uncommitted_size: settings.uncommitted_bytes.max(settings.message_bytes),
            max_committed_size_per_ready: settings.apply_bytes,
            ..Config::default()
        };
        let log = Log::new(&state);
        let made = catch_unwind(AssertUnwindSafe(|| {
            RawNode::new(&config, log, &logger(id, member))
        }));
        let raw = match made {
            Ok(Ok(raw)) => raw,
            Ok(Err(error)) => {
                return Err(BrokenState {
                    why: error.to_string(),
                });
            }
            Err(panic) => {
                return Err(BrokenState {
                    why: panic_text(&*panic),
                });
            }
        };
        let seen = (raw.raft.state, raw.raft.term, raw.raft.leader_id);
        let mut group = Self {
            id,
            member,
            settings,
            raw,
            life: rng.next_u64(),
            rng,
            waiters: Waiters::default(),
            seen,
            election_timeout: 0,
            ticks: 0,
            unwritten: VecDeque::new(),
            taken: 0,
            held: VecDeque::new(),
            handed_out: state.applied,
            applied: state.applied,
            members: state.members.clone(),
            changes: VecDeque::new(),
            applied_members: state.members,
            restoring: None,
            covered: 0,
            offered: None,
            announce_offer: false,
            snapshot_announced: false,
            reads: Reads::default(),
            in_snapshot: BTreeMap::new(),
            failed: None,
            announce_failure: false,
            repairs: 0,
        };
        group.draw_election_timeout();
        if group.members.is_sole_voter(member) {
            // Nobody else can be asked: lead at once.
            group.act(|raw| raw.campaign().is_ok());
        }
        Ok(group)
    }

    // ---- fence ----

    /// Calls the library; a panic fences the group off. `None` if it is, or was, fenced.
    fn call<T>(&mut self, work: impl FnOnce(&mut RawNode<Log>) -> T) -> Option<T> {
        if self.failed.is_some() {
            return None;
        }
        let raw = &mut self.raw;
        match catch_unwind(AssertUnwindSafe(|| work(raw))) {
            Ok(result) => Some(result),
            Err(panic) => {
                self.fail(panic_text(&*panic));
                None
            }
        }
    }

    /// Calls the library for something that may change role or term, and looks at what came of it.
    fn act<T>(&mut self, work: impl FnOnce(&mut RawNode<Log>) -> T) -> Option<T> {
        let result = self.call(work)?;
        self.observe();
        Some(result)
    }

    pub(crate) fn fail(&mut self, why: String) {
        if self.failed.is_none() {
            tracing::error!(group = %self.id, member = %self.member, why, "a Raft group failed and is fenced off");
            self.waiters
                .fail_all(&RaftError::Failed { why: why.clone() });
            self.failed = Some(why);
            self.announce_failure = true;
        }
    }

    fn draw_election_timeout(&mut self) {
        let (from, to) = (
            self.settings.election_ticks,
            self.settings.election_ticks * 2,
        );
        self.election_timeout = from + self.rng.index(to - from);
        self.raw
            .raft
            .set_randomized_election_timeout(self.election_timeout);
    }

    fn observe(&mut self) {
        let now: Seen = (
            self.raw.raft.state,
            self.raw.raft.term,
            self.raw.raft.leader_id,
        );
        if now != self.seen {
            let stepped_down = self.seen.0 == StateRole::Leader && now.0 == StateRole::Follower;
            if stepped_down && now.1 == self.seen.1 {
                self.waiters.quorum_lost();
            }
            self.seen = now;
            self.in_snapshot.clear();
            self.reads.again = true;
            self.draw_election_timeout();
        }
        // The library may have drawn its own meanwhile.
        self.raw
            .raft
            .set_randomized_election_timeout(self.election_timeout);
        if self.is_leader() {
            let leads_with_commit = self.raw.raft.commit_to_current_term();
            self.reads.again |= leads_with_commit && !self.reads.leads_with_commit;
            self.reads.leads_with_commit = leads_with_commit;
            self.repair_progress();
        } else {
            self.reads.leads_with_commit = false;
        }
    }

    /// What is next for a member is never what is known to match.
    fn repair_progress(&mut self) {
        let mut repaired = 0;
        for (_, progress) in self.raw.raft.mut_prs().iter_mut() {
            if progress.next_idx <= progress.matched {
                progress.next_idx = progress.matched + 1;
                repaired += 1;
            }
        }
        self.repairs += repaired;
    }

    // ---- what is asked from outside ----

    fn is_leader(&self) -> bool {
        self.raw.raft.state == StateRole::Leader
    }

    pub(crate) fn leader(&self) -> Option<MemberId> {
        MemberId::new(self.raw.raft.leader_id)
    }

    pub(crate) fn members(&self) -> &Members {
        &self.members
    }

    pub(crate) fn is_sole_voter(&self) -> bool {
        self.failed.is_none() && self.members.is_sole_voter(self.member)
    }

    fn accepts(&self) -> Result<(), RaftError> {
        match &self.failed {
            Some(why) => Err(RaftError::Failed { why: why.clone() }),
            None if self.waiters.len() >= self.settings.waiting => Err(RaftError::Overloaded),
            None => Ok(()),
        }
    }

    pub(crate) fn add(&mut self, waiter: Waiter) -> Result<(), RaftError> {
        self.accepts()?;
        if let Waiting::Propose {
            payload: Payload::Command(data),
            ..
        } = &waiter.what
            && (data.is_empty() || data.len() > self.settings.command_bytes)
        {
            return Err(RaftError::BadSize {
                bytes: data.len(),
                limit: self.settings.command_bytes,
            });
        }
        self.waiters.add(waiter);
        self.propose_waiting();
        Ok(())
    }

    pub(crate) fn next_round(&self) -> u64 {
        self.reads.round + 1
    }

    /// Waits for an entry that was proposed elsewhere.
    pub(crate) fn add_entry_waiter(
        &mut self,
        waiter: Waiter,
        index: u64,
        term: u64,
    ) -> Result<(), RaftError> {
        self.accepts()?;
        let ticket = waiter.ticket;
        let Waiting::Entry { wait, .. } = waiter.what else {
            return Err(RaftError::CommitStatusUnknown);
        };
        if index > self.handed_out {
            self.waiters.add(waiter);
            return Ok(());
        }
        let answer = match self.raw.store().term_at(index) {
            Some(found) if found == term => {
                if wait == Wait::Applied && index > self.applied {
                    self.waiters.add(waiter);
                    return Ok(());
                }
                Ok(Done { index, term })
            }
            Some(_) => Err(RaftError::DroppedEntry),
            None => Err(RaftError::CommitStatusUnknown),
        };
        self.waiters.answer(ticket, answer);
        Ok(())
    }

    /// Whether the library would take this change now.
    pub(crate) fn check_change(&self, change: &MembersChange) -> Result<(), RaftError> {
        let refused = |why: &str| {
            Err(RaftError::ChangeRefused {
                why: why.to_owned(),
            })
        };
        if change.steps.is_empty() {
            return refused("there is nothing to change");
        }
        if !self.is_leader() {
            return Err(RaftError::NotLeader {
                leader: self.leader(),
            });
        }
        if self.members.is_joint() || self.raw.raft.has_pending_conf() {
            return refused("another change is under way");
        }
        let changes = change.to_library();
        let checked =
            raft::Changer::new(self.raw.raft.prs()).enter_joint(false, changes.get_changes());
        checked
            .map(|_| ())
            .map_err(|error| RaftError::ChangeRefused {
                why: error.to_string(),
            })
    }

    pub(crate) fn receive(&mut self, message: PeerMessage) {
        if message.to() != Some(self.member) || message.from() == Some(self.member) {
            return;
        }
        if let Some(snapshot) = message.snapshot()
            && snapshot.index > self.raw.raft.raft_log.committed
            && !self
                .raw
                .raft
                .raft_log
                .match_term(snapshot.index, snapshot.term)
        {
            // Its state must be here before the library may know of it. One at a time; the leader repeats.
            if self.offered.is_none()
                && self.restoring.is_none()
                && message.0.term >= self.raw.raft.term
            {
                self.offered = Some(message.0);
                self.announce_offer = true;
            }
            return;
        }
        self.act(|raw| drop(raw.step(message.0)));
        self.propose_waiting();
    }

    pub(crate) fn snapshot_applied(&mut self, index: u64) {
        let Some(message) = self
            .offered
            .take_if(|message| message.get_snapshot().get_metadata().index == index)
        else {
            return;
        };
        // The library may ignore the message by now: the entries then come, and are not handed out again.
        self.covered = self.covered.max(index);
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

    pub(crate) fn report_unreachable(&mut self, to: MemberId) {
        self.act(|raw| raw.report_unreachable(to.get()));
    }

    pub(crate) fn transfer(&mut self, to: MemberId) -> Result<(), RaftError> {
        if !self.is_leader() {
            return Err(RaftError::NotLeader {
                leader: self.leader(),
            });
        }
        self.act(|raw| raw.transfer_leader(to.get()));
        Ok(())
    }

    pub(crate) fn campaign(&mut self) {
        if !self.must_not_stand() {
            self.act(|raw| drop(raw.campaign()));
        }
    }

    /// One that decides alone leads the moment it stands, and a leader's log must be durable.
    fn must_not_stand(&self) -> bool {
        !self.unwritten.is_empty() && !self.is_leader() && self.members.is_sole_voter(self.member)
    }

    // ---- time ----

    pub(crate) fn tick(&mut self, now: Duration, dead: &BTreeSet<MemberId>) {
        self.ticks += 1;
        if !self.must_not_stand() {
            self.act(|raw| raw.tick());
        }
        self.retry_snapshots();
        self.propose_waiting();
        let (id, voters) = (self.id, self.members.all_voters());
        self.waiters
            .expire(now, |operation| timeout_text(id, operation, &voters, dead));
    }

    /// A message with a snapshot can get lost; without a report the library would wait for ever.
    fn retry_snapshots(&mut self) {
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

    // ---- proposing ----

    /// Proposes what waits for that, if this member leads; tells the others who does.
    fn propose_waiting(&mut self) {
        if !self.waiters.has_proposals() || self.failed.is_some() {
            return;
        }
        if !self.is_leader() {
            if let leader @ Some(_) = self.leader() {
                for waiter in self.waiters.take_proposals() {
                    self.waiters
                        .answer(waiter.ticket, Err(RaftError::NotLeader { leader }));
                }
            } else if self.members != Members::default() && !self.members.contains(self.member) {
                for waiter in self.waiters.take_proposals() {
                    self.waiters.answer(waiter.ticket, Err(RaftError::Removed));
                }
            }
            return;
        }
        for waiter in self.waiters.take_proposals() {
            self.propose(waiter);
        }
    }

    fn propose(&mut self, mut waiter: Waiter) {
        let Waiting::Propose { payload, wait } = &waiter.what else {
            return;
        };
        let (is_change, wait) = (matches!(payload, Payload::Members(_)), *wait);
        let mut message = Message::default();
        message.set_msg_type(MessageType::MsgPropose);
        message.from = self.member.get();
        message.set_entries(vec![library_entry(payload)].into());
        // The library does not say where it put the entry: look at once.
        let proposed = self.act(|raw| {
            raw.raft.step(message)?;
            Ok::<_, raft::Error>((raw.raft.raft_log.last_index(), raw.raft.term))
        });
        match proposed {
            None => {
                let why = self.failed.clone().unwrap_or_default();
                self.waiters
                    .answer(waiter.ticket, Err(RaftError::Failed { why }));
            }
            // A transfer of leadership, or too much that is not committed: again at the next tick.
            Some(Err(_)) => self.waiters.add(waiter),
            Some(Ok((index, term))) if is_change => {
                waiter.what = Waiting::Change {
                    index,
                    term,
                    entered: false,
                };
                self.waiters.add(waiter);
            }
            Some(Ok((index, term))) => match wait {
                Wait::Proposed => self.waiters.answer(waiter.ticket, Ok(Done { index, term })),
                Wait::Committed | Wait::Applied => {
                    waiter.what = Waiting::Entry { index, term, wait };
                    self.waiters.add(waiter);
                }
            },
        }
    }

    /// Leaves a joint phase, whoever entered it.
    fn leave_joint(&mut self) {
        if self.is_leader() && self.members.is_joint() && !self.raw.raft.has_pending_conf() {
            let mut message = Message::default();
            message.set_msg_type(MessageType::MsgPropose);
            message.from = self.member.get();
            let leave = Payload::Members(MembersChange::leave());
            message.set_entries(vec![library_entry(&leave)].into());
            // Refused: tried again after the next entry or tick.
            self.act(|raw| drop(raw.raft.step(message)));
        }
    }

    // ---- reading ----

    fn begin_reads(&mut self) {
        let Some(newest) = self.waiters.newest_round() else {
            return;
        };
        let overdue = self.ticks.saturating_sub(self.reads.at_tick) >= READ_TICKS;
        let due = newest > self.reads.round || self.reads.again || overdue;
        if !due || (self.leader().is_none() && !self.is_leader()) {
            return;
        }
        self.reads.again = false;
        self.reads.round += 1;
        self.reads.at_tick = self.ticks;
        let mut context = Vec::with_capacity(24);
        for word in [self.member.get(), self.life, self.reads.round] {
            context.extend(word.to_be_bytes());
        }
        self.act(|raw| raw.read_index(context));
    }

    fn read_answered(&mut self, context: &[u8], index: u64) {
        let words: Vec<u64> = context
            .chunks_exact(8)
            .filter_map(|word| Some(u64::from_be_bytes(word.try_into().ok()?)))
            .collect();
        // An answer to an earlier life of this member says nothing about now.
        if let [member, life, round] = *words
            && member == self.member.get()
            && life == self.life
        {
            self.waiters.round_answered(round, index);
        }
    }

    // ---- writing and applying ----

    pub(crate) fn persisted(&mut self, number: u64) {
        while self.unwritten.front().is_some_and(|first| *first <= number) {
            self.unwritten.pop_front();
        }
        self.settle_writes();
    }

    /// Tells the library up to what everything is durable.
    fn settle_writes(&mut self) {
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

    // ---- the turn ----

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

    fn take(&mut self, out: &mut Output) {
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
    fn release(&mut self, out: &mut Output) {
        let durable = self.unwritten.front().map_or(self.taken, |first| first - 1);
        while let Some((_, messages)) = self.held.pop_front_if(|(number, _)| *number <= durable) {
            self.send(messages, out);
        }
    }

    fn send(&self, messages: Vec<Message>, out: &mut Output) {
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

    /// The library took over a snapshot whose state the owner has applied.
    fn restore(&mut self, number: u64, snapshot: &Snapshot) {
        self.raw.mut_store().restore(snapshot);
        self.handed_out = snapshot.index;
        self.applied = snapshot.index;
        self.members = snapshot.members.clone();
        self.applied_members = snapshot.members.clone();
        self.changes.clear();
        self.restoring = Some((number, snapshot.index));
        self.waiters.jumped(snapshot.index);
    }

    fn hand_out(&mut self, committed: &[raft::eraftpb::Entry], out: &mut Output) {
        let mut entries = Vec::with_capacity(committed.len());
        for entry in committed {
            let entry = LogEntry::of_library(entry);
            if let Payload::Members(change) = &entry.payload {
                self.change_members(entry.index, change);
            }
            self.waiters
                .committed(entry.index, entry.term, &entry.payload);
            self.handed_out = entry.index;
            entries.push(entry);
        }
        if !entries.is_empty() && self.failed.is_none() {
            out.committed.push(Committed {
                group: self.id,
                entries,
                members: self.members.clone(),
            });
        }
    }

    fn change_members(&mut self, index: u64, change: &MembersChange) {
        let change = change.to_library();
        match self.act(|raw| raw.apply_conf_change(&change)) {
            Some(Ok(state)) => {
                self.members = Members::of_conf_state(&state);
                self.changes.push_back((index, self.members.clone()));
                self.step_down_if_not_voting();
            }
            // All members refuse it in the same way: nothing changes.
            Some(Err(error)) => {
                tracing::warn!(group = %self.id, index, %error, "a change of members is void");
            }
            None => {}
        }
    }

    /// The library lets a leader that votes no more go on, and stumbles over it later.
    fn step_down_if_not_voting(&mut self) {
        if self.is_leader() && !self.raw.raft.promotable() {
            self.act(|raw| {
                // The others learn that the change is committed.
                raw.raft.bcast_append();
                let term = raw.raft.term;
                raw.raft.become_follower(term, 0);
            });
        }
    }

    fn announce(&mut self, out: &mut Output) {
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

    pub(crate) fn status(&self) -> GroupStatus {
        let raft = &self.raw.raft;
        let peers = raft
            .prs()
            .iter()
            .filter(|(member, _)| **member != self.member.get());
        let mut peers: Vec<PeerStatus> = peers
            .filter(|_| self.is_leader())
            .filter_map(|(member, progress)| {
                Some(PeerStatus {
                    member: MemberId::new(*member)?,
                    matched: progress.matched,
                    is_active: progress.recent_active,
                    in_snapshot: progress.state == ProgressState::Snapshot,
                })
            })
            .collect();
        peers.sort_by_key(|peer| peer.member);
        GroupStatus {
            member: self.member,
            role: match raft.state {
                StateRole::Follower => Role::Follower,
                StateRole::PreCandidate => Role::PreCandidate,
                StateRole::Candidate => Role::Candidate,
                StateRole::Leader => Role::Leader,
            },
            term: raft.term,
            leader: self.leader(),
            members: self.members.clone(),
            first_index: self.raw.store().first(),
            last_index: raft.raft_log.last_index(),
            commit: raft.raft_log.committed,
            applied: self.applied,
            snapshot: self.raw.store().snapshot().index,
            peers,
            waiting: self.waiters.len(),
            repairs: self.repairs,
            failed: self.failed.clone(),
        }
    }
}

/// What a request that timed out says; it names the dead when there are too many of them.
fn timeout_text(
    group: GroupId,
    operation: &str,
    voters: &BTreeSet<MemberId>,
    dead: &BTreeSet<MemberId>,
) -> String {
    let lost: Vec<String> = voters.intersection(dead).map(ToString::to_string).collect();
    let text = format!("group [{group}] raft operation [{operation}] timed out");
    if lost.is_empty() || lost.len() < voters.len().div_ceil(2) {
        return text;
    }
    format!(
        "{text}, there is no raft quorum, total voters count {}, alive voters count {}, dead voters [{}]",
        voters.len(),
        voters.len() - lost.len(),
        lost.join(", ")
    )
}
