//! Why a request to a group was not answered with what was asked for.

use std::fmt;

use crate::id::{GroupId, MemberId};

/// What became of a request.
///
/// The difference that matters: [`RaftError::Timeout`] with `unknown` and [`RaftError::CommitStatusUnknown`] mean that
/// the entry may still be, or have been, committed; after every other error it definitely is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RaftError {
    /// There is no such group here.
    NoSuchGroup(GroupId),
    /// Another member leads: ask there.
    NotLeader {
        /// Who, if known.
        leader: Option<MemberId>,
    },
    /// Too many requests wait, or too many bytes are not committed yet: later.
    Overloaded,
    /// The command is empty or larger than the limit.
    BadSize {
        /// Its bytes.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Another entry took the place: definitely not applied, propose again.
    DroppedEntry,
    /// A snapshot jumped over the place: nobody here knows.
    CommitStatusUnknown,
    /// The deadline passed.
    Timeout {
        /// Whether the entry may still be committed.
        unknown: bool,
        /// What waited, and who is dead if that is why.
        text: String,
    },
    /// The leader heard nothing from most voters.
    NoQuorum,
    /// The change of members cannot be made, or another one is under way.
    ChangeRefused {
        /// Why.
        why: String,
    },
    /// This member does not belong to the group any more.
    Removed,
    /// The group was taken away from this driver.
    Stopped,
    /// The group failed in this process and is not touched any more.
    Failed {
        /// The first failure.
        why: String,
    },
}

impl fmt::Display for RaftError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchGroup(group) => write!(f, "group [{group}] is not on this node"),
            Self::NotLeader {
                leader: Some(leader),
            } => write!(f, "not the leader; member {leader} is"),
            Self::NotLeader { leader: None } => {
                f.write_str("not the leader; nobody is known to be")
            }
            Self::Overloaded => {
                f.write_str("too many requests wait for this group; try again later")
            }
            Self::BadSize { bytes: 0, .. } => f.write_str("a command must not be empty"),
            Self::BadSize { bytes, limit } => write!(
                f,
                "a command of {bytes} bytes; at most {limit} are possible"
            ),
            Self::DroppedEntry => {
                f.write_str("another entry took its place; it was not applied, try again")
            }
            Self::CommitStatusUnknown => {
                f.write_str("a snapshot jumped over its place; it may or may not have been applied")
            }
            Self::Timeout { text, .. } => f.write_str(text),
            Self::NoQuorum => f.write_str("the leader lost contact with most voters"),
            Self::ChangeRefused { why } => write!(f, "the members cannot be changed: {why}"),
            Self::Removed => f.write_str("this member was removed from the group"),
            Self::Stopped => f.write_str("the group was stopped"),
            Self::Failed { why } => {
                write!(f, "the group failed and needs a restart of the node: {why}")
            }
        }
    }
}

impl std::error::Error for RaftError {}
