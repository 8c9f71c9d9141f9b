//! A switch by which tests make writes fail where a disk would.

use std::io;
use std::sync::atomic::{AtomicU8, Ordering};

/// How writes are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// As by a full disk.
    NoSpace,
    /// As by a failing disk.
    Io,
}

/// Refuses writes of the engines that were opened with it; for tests.
///
/// An ingest fails at its next entry or when it finishes, a compaction in the middle of its merge.
#[derive(Debug, Default)]
pub struct FaultSwitch(AtomicU8);

impl FaultSwitch {
    /// Refuses writes from now on, or takes them again.
    pub fn set(&self, refusal: Option<Refusal>) {
        let state = match refusal {
            None => 0,
            Some(Refusal::NoSpace) => 1,
            Some(Refusal::Io) => 2,
        };
        self.0.store(state, Ordering::Release);
    }

    /// The error that a write meets now.
    pub(crate) fn check(&self) -> io::Result<()> {
        match self.0.load(Ordering::Acquire) {
            0 => Ok(()),
            1 => Err(io::ErrorKind::StorageFull.into()),
            _ => Err(io::Error::other("simulated I/O error")),
        }
    }
}
