//! What a turn of the driver asks its owner to do.

use crate::entry::{HardState, LogEntry, Snapshot};
use crate::error::RaftError;
use crate::id::{GroupId, MemberId};
use crate::members::Members;
use crate::message::PeerMessage;

/// A request's name, given by the driver when it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A request that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// The entry's place; for a read barrier the index that is applied at least.
    pub index: u64,
    /// The entry's term; for a read barrier the current one.
    pub term: u64,
}

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The leader has put it into its log. For a leader that proposes for others: they wait where they are.
    Proposed,
    /// It is committed: it will be applied everywhere.
    Committed,
    /// It is applied here.
    Applied,
}

/// To be written by the owner, in the order given, before or with later writes of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Whose.
    pub group: GroupId,
    /// To be handed back by `persisted`.
    pub number: u64,
    /// Replaces what was written before.
    pub hard_state: Option<HardState>,
    /// Replaces the log from the first of them on.
    pub entries: Vec<LogEntry>,
    /// Replaces log and snapshot; its state is in the state machine already.
    pub snapshot: Option<Snapshot>,
    /// Whether it must be durable before `persisted` is called. One that need not (a commit index alone) may be
    /// written with whatever comes next, or never; it needs no `persisted`.
    pub must_sync: bool,
}

/// Entries to be applied, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Whose.
    pub group: GroupId,
    /// At least one.
    pub entries: Vec<LogEntry>,
    /// The members after the last of them, to be kept together with the applied index.
    pub members: Members,
}

/// A message for another member.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// Whose.
    pub group: GroupId,
    /// To whom; the owner knows where that is.
    pub to: MemberId,
    /// What.
    pub message: PeerMessage,
}

/// A snapshot that a leader offers. The owner fetches its state and then, in one step, replaces the state machine,
/// keeps the snapshot itself, and sets the applied index and the members to the snapshot's; then it says
/// `snapshot_applied`. If it cannot, `snapshot_failed`. It may take its time: entries go on being handed out, and if
/// more is applied by then than the snapshot holds, `snapshot_applied` alone is right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncomingSnapshot {
    /// Whose.
    pub group: GroupId,
    /// The leader.
    pub from: MemberId,
    /// What.
    pub snapshot: Snapshot,
}

/// All that a turn asks for. Order of doing: write, then (without waiting) send; apply; answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// To be written with one sync for all of them.
    pub writes: Vec<Write>,
    /// To be sent now. What must wait for a write comes out after its `persisted`.
    pub messages: Vec<Outgoing>,
    /// To be applied now.
    pub committed: Vec<Committed>,
    /// Groups whose leader needs a newer snapshot to send: `snapshot_taken`.
    pub snapshots_wanted: Vec<GroupId>,
    /// Offered by leaders.
    pub snapshots_offered: Vec<IncomingSnapshot>,
    /// Requests that are over.
    pub answers: Vec<(Ticket, Result<Done, RaftError>)>,
    /// Groups that failed in this turn, with the reason: alarm.
    pub failed: Vec<(GroupId, String)>,
}

impl Output {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What a member is in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It follows, or learns.
    Follower,
    /// It asks whether an election would succeed.
    PreCandidate,
    /// It stands for election.
    Candidate,
    /// It leads.
    Leader,
}

/// How far another member is, as its leader knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// Who.
    pub member: MemberId,
    /// Up to here its log is the leader's.
    pub matched: u64,
    /// Heard of lately.
    pub is_active: bool,
    /// It is being sent a snapshot.
    pub in_snapshot: bool,
}

/// A look at a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupStatus {
    /// This member.
    pub member: MemberId,
    /// What it is.
    pub role: Role,
    /// Its term.
    pub term: u64,
    /// Who leads, if known.
    pub leader: Option<MemberId>,
    /// Who belongs to the group, as of the entries handed out.
    pub members: Members,
    /// The first entry that is still in the log.
    pub first_index: u64,
    /// The last entry.
    pub last_index: u64,
    /// Known to be committed.
    pub commit: u64,
    /// Applied.
    pub applied: u64,
    /// Index of the snapshot that is kept.
    pub snapshot: u64,
    /// The others, if this is the leader.
    pub peers: Vec<PeerStatus>,
    /// Requests that wait.
    pub waiting: usize,
    /// Times that the library's view of a peer was repaired.
    pub repairs: u64,
    /// Why the group is fenced off.
    pub failed: Option<String>,
}
