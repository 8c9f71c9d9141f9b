//! Opening an engine, and what an engine can do.

use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::Engine;
use crate::error::Error;
use crate::gc::GcHooks;

/// Opens engines of one kind.
pub trait Factory: Send + Sync {
    /// The name that `--backend` takes.
    fn name(&self) -> &'static str;

    /// What this kind of engine can do beyond the clauses that all must keep.
    fn capabilities(&self) -> &'static [Capability];

    /// Opens the database in a directory and creates it when there is none (C27).
    ///
    /// # Errors
    /// [`Error::Locked`] when it is open already, [`Error::Format`] when another version wrote it,
    /// [`Error::Corrupt`] or [`Error::Io`] when it cannot be read.
    fn open(
        &self,
        options: &OpenOptions,
        hooks: Arc<dyn GcHooks>,
    ) -> Result<Arc<dyn Engine>, Error>;
}

/// Where and how to open a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// The folder of the database; made, with its parents, when missing.
    pub directory: PathBuf,
    /// The most bytes that the block cache may hold, filters and indexes included.
    pub cache_bytes: u64,
}

impl OpenOptions {
    /// Options for a directory, with a cache of 16 MiB.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            cache_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Something that an engine may or may not be able to do; the conformance suite skips checks that need a missing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Data outlives the process.
    Persistent,
    /// Stored bytes carry checksums, so damage is found (C25, C26).
    Checksums,
    /// A checkpoint costs links, not a copy of the data.
    CheapCheckpoint,
}

impl Capability {
    /// The word used in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Persistent => "persistent",
            Self::Checksums => "checksums",
            Self::CheapCheckpoint => "cheap-checkpoint",
        }
    }
}
