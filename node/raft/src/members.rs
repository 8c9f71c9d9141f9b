//! Who belongs to a group, and changes of that.
//!
//! A change always goes through a joint phase (both the old and the new voters must agree), entered by one entry and
//! left by another, which the leader proposes by itself. One change at a time.

use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;
use raft::eraftpb::{
    ConfChangeSingle, ConfChangeTransition, ConfChangeType, ConfChangeV2, ConfState,
};

use crate::id::MemberId;

/// Members in one document, at most: a bound for decoding.
pub(crate) const MOST_MEMBERS: usize = 1_024;

/// The members of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// They vote.
    pub voters: BTreeSet<MemberId>,
    /// They get the log and do not vote.
    pub learners: BTreeSet<MemberId>,
    /// In a joint phase: who voted before; empty otherwise.
    pub outgoing: BTreeSet<MemberId>,
    /// In a joint phase: outgoing voters that stay as learners.
    pub next_learners: BTreeSet<MemberId>,
}

impl Members {
    /// Voters and nothing else.
    #[must_use]
    pub fn of_voters(voters: impl IntoIterator<Item = MemberId>) -> Self {
        Self {
            voters: voters.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Whether the group is between two sets of voters.
    #[must_use]
    pub fn is_joint(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Whether it belongs to the group, in whatever role.
    #[must_use]
    pub fn contains(&self, member: MemberId) -> bool {
        [
            &self.voters,
            &self.learners,
            &self.outgoing,
            &self.next_learners,
        ]
        .into_iter()
        .any(|set| set.contains(&member))
    }

    /// Whether it alone decides.
    #[must_use]
    pub fn is_sole_voter(&self, member: MemberId) -> bool {
        !self.is_joint() && self.voters.len() == 1 && self.voters.contains(&member)
    }

    /// Everybody who votes now.
    #[must_use]
    pub fn all_voters(&self) -> BTreeSet<MemberId> {
        self.voters.union(&self.outgoing).copied().collect()
    }

    pub(crate) fn to_conf_state(&self) -> ConfState {
        let ids =
            |set: &BTreeSet<MemberId>| set.iter().map(|member| member.get()).collect::<Vec<u64>>();
        let mut state = ConfState::default();
        state.set_voters(ids(&self.voters));
        state.set_learners(ids(&self.learners));
        state.set_voters_outgoing(ids(&self.outgoing));
        state.set_learners_next(ids(&self.next_learners));
        state
    }

    pub(crate) fn of_conf_state(state: &ConfState) -> Self {
        let set = |ids: &[u64]| ids.iter().filter_map(|id| MemberId::new(*id)).collect();
        Self {
            voters: set(state.get_voters()),
            learners: set(state.get_learners()),
            outgoing: set(state.get_voters_outgoing()),
            next_learners: set(state.get_learners_next()),
        }
    }
}

impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |set: &BTreeSet<MemberId>| {
            let ids: Vec<String> = set.iter().map(ToString::to_string).collect();
            ids.join(", ")
        };
        write!(f, "voters [{}]", list(&self.voters))?;
        if self.is_joint() {
            write!(f, ", outgoing [{}]", list(&self.outgoing))?;
        }
        if !self.learners.is_empty() {
            write!(f, ", learners [{}]", list(&self.learners))?;
        }
        Ok(())
    }
}

/// One step of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberStep {
    /// It votes from now on, new or promoted.
    AddVoter(MemberId),
    /// It learns from now on, new or demoted.
    AddLearner(MemberId),
    /// It goes.
    Remove(MemberId),
}

/// A change of members, as an entry of the log. Without steps it ends the joint phase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MembersChange {
    /// Done together.
    pub steps: Vec<MemberStep>,
    /// For the state machine: who the new members are, for example.
    pub context: Bytes,
}

impl MembersChange {
    /// What ends a joint phase.
    pub(crate) fn leave() -> Self {
        Self::default()
    }

    pub(crate) fn is_leave(&self) -> bool {
        self.steps.is_empty()
    }

    pub(crate) fn to_library(&self) -> ConfChangeV2 {
        let mut change = ConfChangeV2::default();
        if !self.is_leave() {
            // We leave the joint phase by an entry of our own: the library's way may never happen.
            change.set_transition(ConfChangeTransition::Explicit);
        }
        let steps = self.steps.iter().map(|step| {
            let (kind, member) = match step {
                MemberStep::AddVoter(member) => (ConfChangeType::AddNode, member),
                MemberStep::AddLearner(member) => (ConfChangeType::AddLearnerNode, member),
                MemberStep::Remove(member) => (ConfChangeType::RemoveNode, member),
            };
            let mut single = ConfChangeSingle::default();
            single.set_change_type(kind);
            single.node_id = member.get();
            single
        });
        change.set_changes(steps.collect::<Vec<_>>().into());
        change
    }

    /// What the library's leader wants to find in the entry's data: the change in protobuf's encoding.
    /// Only ever written here and read there, in the same process.
    pub(crate) fn library_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if self.is_leave() {
            return out;
        }
        const EXPLICIT: u8 = 2;
        out.extend([0x08, EXPLICIT]);
        for step in &self.steps {
            let (kind, member) = match step {
                MemberStep::AddVoter(member) => (0, member),
                MemberStep::Remove(member) => (1, member),
                MemberStep::AddLearner(member) => (2, member),
            };
            let mut single = vec![0x08, kind, 0x10];
            crate::codec::write_varint(&mut single, member.get());
            out.push(0x12);
            crate::codec::write_varint(&mut out, single.len() as u64);
            out.extend(single);
        }
        out
    }
}
