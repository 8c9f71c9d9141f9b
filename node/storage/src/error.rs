//! What can go wrong in storage, in the caller's terms.

use std::fmt;

use cql_mutation::DecodeError;
use node_env::FileError;
use node_env::spawn::OffloadError;

use crate::log::LogError;
use crate::log::replay::ReplayError;
use crate::space::Space;

/// Why a write was not accepted, or is in doubt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// The log did not take it; see there whether anything was written.
    Log(LogError),
    /// The space is not one for data.
    NotForData {
        /// The space.
        space: Space,
    },
    /// Too much is not flushed yet and the wait for it took too long; nothing was written. Try again later.
    Overloaded {
        /// Bytes that wait for a flush.
        unflushed_bytes: u64,
        /// The most that may wait.
        limit_bytes: u64,
    },
}

impl WriteError {
    /// Whether the write may have been applied all the same.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Log(LogError::Unknown { .. }) => true,
            Self::Log(
                LogError::TooLarge { .. } | LogError::NoSpace { .. } | LogError::Stopped { .. },
            )
            | Self::NotForData { .. }
            | Self::Overloaded { .. } => false,
        }
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(error) => error.fmt(f),
            Self::NotForData { space } => {
                write!(f, "{space} takes no rows; it belongs to the store itself")
            }
            Self::Overloaded {
                unflushed_bytes,
                limit_bytes,
            } => write!(
                f,
                "{unflushed_bytes} bytes wait for a flush, at most {limit_bytes} may; try again later"
            ),
        }
    }
}

impl std::error::Error for WriteError {}

impl From<LogError> for WriteError {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

/// Why stored data could not be opened, read or merged.
#[derive(Debug)]
pub enum StorageError {
    /// The engine's.
    Engine(backend::Error),
    /// A file outside of the engine.
    File(FileError),
    /// An old commit log.
    Replay(ReplayError),
    /// Stored bytes are not what they should be.
    Corrupt {
        /// What was being read.
        what: &'static str,
        /// What is wrong with it, if more is known.
        why: Option<DecodeError>,
    },
    /// The directory holds other things, and no data of ours.
    Foreign {
        /// Which directory.
        directory: std::path::PathBuf,
        /// The first of them.
        found: std::path::PathBuf,
    },
    /// The data is of another version.
    Format {
        /// Which file.
        file: std::path::PathBuf,
        /// What was found there.
        found: String,
    },
    /// There is data, and the directory of its commit logs is not the one that was made with it.
    LogsMissing {
        /// Where the logs should be.
        directory: std::path::PathBuf,
    },
    /// A read asks for a token of which the shard has no space.
    NotHere {
        /// The token.
        token: cql_types::Token,
    },
    /// Work could not be handed to another thread.
    Offload(OffloadError),
    /// The merger has ended; the node is going down.
    Stopped,
    /// All numbers of spaces were used.
    NoMoreSpaces,
}

impl StorageError {
    pub(crate) const fn corrupt(what: &'static str) -> Self {
        Self::Corrupt { what, why: None }
    }

    pub(crate) const fn undecodable(what: &'static str, why: DecodeError) -> Self {
        Self::Corrupt {
            what,
            why: Some(why),
        }
    }

    /// Whether freeing space would cure it.
    #[must_use]
    pub fn is_no_space(&self) -> bool {
        match self {
            Self::Engine(error) => error.is_no_space(),
            Self::File(error) => error.is_full(),
            Self::Replay(_)
            | Self::Corrupt { .. }
            | Self::Foreign { .. }
            | Self::Format { .. }
            | Self::LogsMissing { .. }
            | Self::NotHere { .. }
            | Self::Offload(_)
            | Self::Stopped
            | Self::NoMoreSpaces => false,
        }
    }
}

impl fmt::Display for StorageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Engine(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
            Self::Replay(error) => error.fmt(f),
            Self::Corrupt { what, why: None } => {
                write!(
                    f,
                    "{what} in the engine is damaged; restore it from a replica or a backup"
                )
            }
            Self::Corrupt {
                what,
                why: Some(why),
            } => {
                write!(
                    f,
                    "{what} in the engine is damaged: {why}; restore it from a replica or a backup"
                )
            }
            Self::LogsMissing { directory } => write!(
                f,
                "the commit logs of this data are not in {}, and acknowledged writes may be in them only; \
                 mount or set the commit log directory that this data was written with",
                directory.display()
            ),
            Self::Foreign { directory, found } => write!(
                f,
                "{} has no file FORMAT of a data directory, but there is {}; choose an empty directory, \
                 or bring the file back if the data is Messina's",
                directory.display(),
                found.display()
            ),
            Self::Format { file, found } => write!(
                f,
                "{} says {found}, which this version cannot read; choose another directory or another version",
                file.display()
            ),
            Self::NotHere { token } => {
                write!(
                    f,
                    "token {token} does not belong to this shard; ask for the topology again"
                )
            }
            Self::Offload(error) => error.fmt(f),
            Self::Stopped => f.write_str("the storage is closing"),
            Self::NoMoreSpaces => {
                f.write_str("all 4 billion numbers of spaces are used; move the data to a new node")
            }
        }
    }
}

impl std::error::Error for StorageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Engine(error) => Some(error),
            Self::File(error) => Some(error),
            Self::Replay(error) => Some(error),
            Self::Offload(error) => Some(error),
            Self::Corrupt { .. }
            | Self::Foreign { .. }
            | Self::Format { .. }
            | Self::LogsMissing { .. }
            | Self::NotHere { .. }
            | Self::Stopped
            | Self::NoMoreSpaces => None,
        }
    }
}

impl From<backend::Error> for StorageError {
    fn from(error: backend::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<FileError> for StorageError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl From<ReplayError> for StorageError {
    fn from(error: ReplayError) -> Self {
        Self::Replay(error)
    }
}

impl From<OffloadError> for StorageError {
    fn from(error: OffloadError) -> Self {
        Self::Offload(error)
    }
}
