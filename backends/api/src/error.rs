//! What can go wrong in an engine, in the caller's terms.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a call of the engine failed.
#[derive(Debug)]
pub enum Error {
    /// The operating system refused; when it is a full disk, [`Error::is_no_space`] holds.
    Io {
        /// What the engine was doing, such as "install an ingest".
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Stored bytes are damaged: restore them from another replica or a backup.
    Corrupt {
        /// Which file or key, and how it shows.
        what: String,
    },
    /// A key was not above the one before it; the ingest has failed.
    OutOfOrder,
    /// A key was empty or longer than [`MAX_KEY_BYTES`](crate::MAX_KEY_BYTES); the ingest has failed.
    KeyLength {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A value was longer than [`MAX_VALUE_BYTES`](crate::MAX_VALUE_BYTES); the ingest has failed.
    ValueLength {
        /// Its length in bytes.
        bytes: usize,
    },
    /// Another ingest lives; finish or drop it first.
    IngestInProgress,
    /// This ingest failed before; drop it and begin another.
    IngestFailed,
    /// The database is open in this or another process.
    Locked {
        /// Its directory.
        directory: PathBuf,
    },
    /// The directory holds a database of another kind or version.
    Format {
        /// What was found and what was expected.
        what: String,
    },
    /// The target directory of a checkpoint holds something.
    NotEmpty {
        /// The target.
        directory: PathBuf,
    },
    /// The engine was closed.
    Closed,
}

impl Error {
    /// Wraps an I/O error with what was being done.
    #[must_use]
    pub fn io(doing: &'static str, source: io::Error) -> Self {
        Self::Io { doing, source }
    }

    /// True when the disk or a quota is full: free space, and writes go on without a restart (C14).
    #[must_use]
    pub fn is_no_space(&self) -> bool {
        matches!(self, Self::Io { source, .. }
            if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { doing, source } if self.is_no_space() => {
                write!(
                    f,
                    "could not {doing}: {source}; free some space, writes go on by themselves"
                )
            }
            Self::Io { doing, source } => write!(f, "could not {doing}: {source}"),
            Self::Corrupt { what } => write!(
                f,
                "stored data is damaged: {what}; restore it from a replica or a backup"
            ),
            Self::OutOfOrder => f.write_str("keys of an ingest must be strictly ascending"),
            Self::KeyLength { bytes } => {
                write!(
                    f,
                    "a key has {bytes} bytes; 1 to {} are allowed",
                    crate::MAX_KEY_BYTES
                )
            }
            Self::ValueLength { bytes } => {
                write!(
                    f,
                    "a value has {bytes} bytes; at most {} are allowed",
                    crate::MAX_VALUE_BYTES
                )
            }
            Self::IngestInProgress => {
                f.write_str("another ingest is in progress; finish or drop it first")
            }
            Self::IngestFailed => {
                f.write_str("the ingest failed before; drop it and begin another")
            }
            Self::Locked { directory } => {
                write!(
                    f,
                    "{} is in use by another process; stop that one first",
                    directory.display()
                )
            }
            Self::Format { what } => write!(f, "the data has another format: {what}"),
            Self::NotEmpty { directory } => {
                write!(
                    f,
                    "{} is not empty; choose a new directory",
                    directory.display()
                )
            }
            Self::Closed => f.write_str("the engine is closed"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Corrupt { .. }
            | Self::OutOfOrder
            | Self::KeyLength { .. }
            | Self::ValueLength { .. }
            | Self::IngestInProgress
            | Self::IngestFailed
            | Self::Locked { .. }
            | Self::Format { .. }
            | Self::NotEmpty { .. }
            | Self::Closed => None,
        }
    }
}
