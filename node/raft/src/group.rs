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

mod changes;
mod requests;
mod snapshots;
mod turn;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use node_env::spawn::panic_text;
use node_env::{Rng, SeededRng};
use raft::eraftpb::Message;
use raft::{Config, ProgressState, RawNode, ReadOnlyOption, StateRole};

use crate::entry::{BrokenState, GroupState, Snapshot};
use crate::error::RaftError;
use crate::id::{GroupId, MemberId};
use crate::log::Log;
use crate::logger::logger;
use crate::members::Members;
use crate::message::PeerMessage;
use crate::output::{GroupStatus, PeerStatus, Role};
use crate::settings::Settings;
use crate::waiting::Waiters;

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
    /// The last snapshot whose state the owner applied. The library may not have taken it over: a new term came
    /// meanwhile, or the entries did.
    covered: Snapshot,
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
            covered: Snapshot::default(),
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

    pub(crate) fn receive(&mut self, mut message: PeerMessage) {
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
            if snapshot.index > self.covered.index {
                self.offer(message.0);
                return;
            }
            // The owner has that much already, and has kept it: the library gets what was kept.
            message.0.set_snapshot(self.covered.to_library());
        }
        self.act(|raw| drop(raw.step(message.0)));
        self.propose_waiting();
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
