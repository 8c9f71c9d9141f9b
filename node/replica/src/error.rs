//! Why a replica did not do what it was asked.

use std::fmt;

use cql_types::TableId;
use node_storage::{LogError, StorageError, WriteError};

/// Why a write was not applied, or may not have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplyError {
    /// The table is gone.
    NoTable(TableId),
    /// This shard does not own the partition; the tablet has moved.
    NotOwner,
    /// Storage refused it; [`ApplyError::is_unknown`] says whether it may have been applied.
    Storage(WriteError),
    /// The log failed after it was applied in memory: it may be there after a restart, and may not.
    Log(LogError),
    /// The shard stops.
    Stopping,
}

impl ApplyError {
    /// Whether the write may have been applied.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        match self {
            Self::Storage(error) => error.is_unknown(),
            Self::Log(_) => true,
            Self::NoTable(_) | Self::NotOwner | Self::Stopping => false,
        }
    }
}

impl fmt::Display for ApplyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTable(table) => write!(f, "unconfigured table (id {})", table.0),
            Self::NotOwner => {
                f.write_str("this shard does not own the partition any more; try again")
            }
            Self::Storage(error) => error.fmt(f),
            Self::Log(error) => error.fmt(f),
            Self::Stopping => f.write_str("the node is shutting down"),
        }
    }
}

impl std::error::Error for ApplyError {}

impl From<WriteError> for ApplyError {
    fn from(error: WriteError) -> Self {
        Self::Storage(error)
    }
}

/// Why a read was not answered.
#[derive(Debug)]
pub enum FetchError {
    /// The table is gone.
    NoTable(TableId),
    /// Storage could not read.
    Storage(StorageError),
    /// The log failed, so nobody can say whether what was read will be there after a crash.
    Log(LogError),
    /// The shard stops.
    Stopping,
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTable(table) => write!(f, "unconfigured table (id {})", table.0),
            Self::Storage(error) => error.fmt(f),
            Self::Log(error) => error.fmt(f),
            Self::Stopping => f.write_str("the node is shutting down"),
        }
    }
}

impl std::error::Error for FetchError {}

impl From<StorageError> for FetchError {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}
