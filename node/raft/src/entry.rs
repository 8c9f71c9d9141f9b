//! What a group keeps: entries, votes, snapshots.

use std::fmt;

use bytes::Bytes;
use raft::eraftpb::{self, EntryType};

use crate::codec::{Reader, read_change, write_change};
use crate::id::MemberId;
use crate::members::{Members, MembersChange};

/// What an entry holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Nothing: a new leader's first entry, or a change of members that was refused.
    Empty,
    /// For the state machine.
    Command(Bytes),
    /// A change of members; already done by the driver when it is handed out.
    Members(MembersChange),
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Its place.
    pub index: u64,
    /// The term of the leader who put it there.
    pub term: u64,
    /// What it holds.
    pub payload: Payload,
}

/// What must not be forgotten besides the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HardState {
    /// The latest term heard of.
    pub term: u64,
    /// Who got the vote in it.
    pub vote: Option<MemberId>,
    /// Known to be committed.
    pub commit: u64,
}

/// The state of the machine as of an index; the log before it can go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The last entry that is in it.
    pub index: u64,
    /// That entry's term.
    pub term: u64,
    /// The members then.
    pub members: Members,
    /// Where the state is to be had, in the words of the state machine; usually a descriptor, not the state.
    pub data: Bytes,
}

/// All that a member of a group keeps over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupState {
    /// Term, vote, commit.
    pub hard_state: HardState,
    /// The latest snapshot; index 0 for one who joins and has none yet.
    pub snapshot: Snapshot,
    /// The log, in order; may begin before the snapshot's end.
    pub entries: Vec<LogEntry>,
    /// The last entry whose effects are in the state machine.
    pub applied: u64,
    /// The members as of `applied`.
    pub members: Members,
}

/// A kept state that no group can start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenState {
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for BrokenState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the kept state of a Raft group is broken: {}", self.why)
    }
}

impl std::error::Error for BrokenState {}

impl GroupState {
    /// The state that all first members of a new group start from; to be kept before the group is started.
    ///
    /// It begins with a snapshot, so that whoever joins later gets the members by one too.
    #[must_use]
    pub fn first(members: Members) -> Self {
        let snapshot = Snapshot {
            index: 1,
            term: 1,
            members: members.clone(),
            data: Bytes::new(),
        };
        let hard_state = HardState {
            term: 1,
            vote: None,
            commit: 1,
        };
        Self {
            hard_state,
            snapshot,
            entries: Vec::new(),
            applied: 1,
            members,
        }
    }

    /// The state of one who will be added: it waits to be sent a snapshot.
    #[must_use]
    pub fn joining() -> Self {
        Self::default()
    }

    /// Checks what was kept, drops entries that the snapshot covers, and fills in a commit index that was not kept.
    pub(crate) fn checked(mut self) -> Result<Self, BrokenState> {
        let broken = |why: String| Err(BrokenState { why });
        let base = self.snapshot.index;
        // A log that has another entry where the snapshot ends went another way: none of it counts.
        let at_base = self.entries.iter().find(|entry| entry.index == base);
        if at_base.is_some_and(|entry| entry.term != self.snapshot.term) {
            self.entries.clear();
        }
        self.entries.retain(|entry| entry.index > base);
        let (mut last, mut term) = (base, self.snapshot.term);
        for entry in &self.entries {
            if entry.index != last + 1 || entry.term < term {
                return broken(format!(
                    "entry {} of term {} follows {last} of {term}",
                    entry.index, entry.term
                ));
            }
            (last, term) = (entry.index, entry.term);
        }
        if self.applied < base || self.applied > last {
            return broken(format!(
                "applied up to {}, the log is from {base} to {last}",
                self.applied
            ));
        }
        if self.hard_state.term < term {
            return broken(format!(
                "term {} is before the log's {term}",
                self.hard_state.term
            ));
        }
        // What is applied was committed, whether or not that was kept.
        self.hard_state.commit = self.hard_state.commit.max(self.applied);
        if self.hard_state.commit > last {
            return broken(format!(
                "{} is committed, the log ends at {last}",
                self.hard_state.commit
            ));
        }
        Ok(self)
    }
}

/// The first byte of the context of an entry of the library says what it is to us.
const IS_COMMAND: u8 = 1;
const IS_MEMBERS: u8 = 2;

impl LogEntry {
    pub(crate) fn to_library(&self) -> eraftpb::Entry {
        let mut entry = library_entry(&self.payload);
        entry.index = self.index;
        entry.term = self.term;
        entry
    }

    pub(crate) fn of_library(entry: &eraftpb::Entry) -> Self {
        let payload = match (entry.get_entry_type(), entry.context.first()) {
            (EntryType::EntryNormal, Some(&IS_COMMAND)) => Payload::Command(entry.data.clone()),
            (EntryType::EntryConfChangeV2, Some(&IS_MEMBERS)) => {
                // Written by us in this process; it reads.
                let change = read_change(&mut Reader::new(entry.context.slice(1..)));
                change.map_or(Payload::Empty, Payload::Members)
            }
            (
                EntryType::EntryNormal | EntryType::EntryConfChange | EntryType::EntryConfChangeV2,
                Some(_) | None,
            ) => Payload::Empty,
        };
        Self {
            index: entry.index,
            term: entry.term,
            payload,
        }
    }
}

/// An entry of the library, without place and term.
pub(crate) fn library_entry(payload: &Payload) -> eraftpb::Entry {
    let mut entry = eraftpb::Entry::default();
    match payload {
        Payload::Empty => {}
        Payload::Command(data) => {
            entry.data = data.clone();
            entry.context = Bytes::from_static(&[IS_COMMAND]);
        }
        Payload::Members(change) => {
            entry.set_entry_type(EntryType::EntryConfChangeV2);
            entry.data = change.library_bytes().into();
            let mut context = vec![IS_MEMBERS];
            write_change(&mut context, change);
            entry.context = context.into();
        }
    }
    entry
}

impl HardState {
    pub(crate) fn to_library(self) -> eraftpb::HardState {
        eraftpb::HardState {
            term: self.term,
            vote: self.vote.map_or(0, MemberId::get),
            commit: self.commit,
            ..eraftpb::HardState::default()
        }
    }

    pub(crate) fn of_library(state: &eraftpb::HardState) -> Self {
        Self {
            term: state.term,
            vote: MemberId::new(state.vote),
            commit: state.commit,
        }
    }
}

impl Snapshot {
    pub(crate) fn to_library(&self) -> eraftpb::Snapshot {
        let mut snapshot = eraftpb::Snapshot {
            data: self.data.clone(),
            ..eraftpb::Snapshot::default()
        };
        let metadata = snapshot.mut_metadata();
        metadata.index = self.index;
        metadata.term = self.term;
        metadata.set_conf_state(self.members.to_conf_state());
        snapshot
    }

    pub(crate) fn of_library(snapshot: &eraftpb::Snapshot) -> Self {
        let metadata = snapshot.get_metadata();
        Self {
            index: metadata.index,
            term: metadata.term,
            members: Members::of_conf_state(metadata.get_conf_state()),
            data: snapshot.data.clone(),
        }
    }
}
