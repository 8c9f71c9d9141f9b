//! Why a write or a read failed, in the caller's terms: is it known to have done nothing, or may it have been applied?

use std::fmt;

use crate::quorum::Unavailable;

/// Why a write failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// Too few replicas live; nothing was written.
    Unavailable(Unavailable),
    /// The write cannot be done as it is; nothing was written.
    Refused {
        /// What is wrong and what to do.
        why: String,
    },
    /// The node has too much to do; nothing was written, and trying again later is right.
    Overloaded {
        /// What is full.
        why: String,
    },
    /// It may have been applied, and may not.
    Unknown {
        /// What happened.
        why: String,
    },
    /// The replica could not write; nothing was written.
    Failed {
        /// What happened.
        why: String,
    },
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(error) => error.fmt(f),
            Self::Refused { why } | Self::Overloaded { why } | Self::Failed { why } => {
                f.write_str(why)
            }
            Self::Unknown { why } => write!(f, "the write may have been applied: {why}"),
        }
    }
}

impl std::error::Error for WriteError {}

/// Why a read failed; reads change nothing, so trying again is always safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// Too few replicas live.
    Unavailable(Unavailable),
    /// The read cannot be done as it is.
    Refused {
        /// What is wrong and what to do.
        why: String,
    },
    /// No answer in time.
    Timeout {
        /// Who did not answer.
        why: String,
    },
    /// The replica could not read.
    Failed {
        /// What happened.
        why: String,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(error) => error.fmt(f),
            Self::Refused { why } | Self::Timeout { why } | Self::Failed { why } => {
                f.write_str(why)
            }
        }
    }
}

impl std::error::Error for ReadError {}
