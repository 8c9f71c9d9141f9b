//! The commit log of one shard, or of the local store.
//!
//! ```text
//!  shard: append(batch) ─► pending bytes ─┐          offload: provision(): zero-filled, synced spares
//!                                         ▼                        │
//!  log thread: seal (crc), write, fdatasync, publish durable ◄─────┘
//!                                         │
//!  shard: pump ─► wakes everyone who waits for a position up to it, in one go
//! ```
//!
//! Batches form by themselves: what arrives while one sync is in flight is written and synced together by the next.
//! An append costs a copy of the body and a short uncontended lock; the crc is computed on the log thread.
//!
//! # Invariants
//! * A frame is accepted only if it fits into a segment whose space exists and was synced, so a full disk refuses it
//!   before anything has changed.
//! * Sequences count up by one; the durable position never passes a frame that is not on the disk.
//! * After a failed write the segment gets no further frame; what was not durable is written again into the next one.
//!   A second failure, or a failed sync, ends the log until the process starts again.
//! * A segment is used again only when all of its frames are in the engine.

pub(crate) mod frame;
mod provision;
pub(crate) mod replay;
pub(crate) mod segment;
mod state;
mod waiters;
mod writer;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use node_env::{FileError, SyncPoint};

pub(crate) use segment::LogId;
pub(crate) use state::{SharedLog, WakeLog};
pub(crate) use waiters::Waiters;
pub(crate) use writer::LogLoop;

/// The zeros of a new segment, so that no later write can run out of space.
pub const SYNC_LOG_SEGMENT: SyncPoint = SyncPoint("log.segment");
/// The name of a new segment; without it its frames are gone after a crash.
pub const SYNC_LOG_DIRECTORY: SyncPoint = SyncPoint("log.directory");
/// That segments of older logs are gone, before it is forgotten that everything in them is in the engine; without it
/// they may come back in a crash and be replayed once more.
pub const SYNC_LOG_REMOVALS: SyncPoint = SyncPoint("log.removals");
/// The end of older logs, before it is believed: a process that was killed may have left frames that no disk has yet. Without it
/// what is read of them, and promised to stay, is gone after a power cut.
pub const SYNC_LOG_REPLAY: SyncPoint = SyncPoint("log.replay");
/// The frames themselves.
pub const SYNC_LOG_FRAMES: SyncPoint = SyncPoint("log.frames");

/// A place in a log: the sequence of a frame; 0 is before the first.
///
/// An answer that depends on a position leaves when that position is durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition(pub u64);

impl LogPosition {
    /// Depends on nothing in the log.
    pub const NONE: Self = Self(0);
}

/// When answers leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncMode {
    /// When what they depend on was synced.
    Batch,
    /// At once; the log is synced this often.
    Periodic(Duration),
}

/// Sizes and mode of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// Length of a segment in bytes; a frame is at most half of it.
    pub segment_bytes: u64,
    /// Length of the first segment of a log, shorter so that a node starts quickly.
    pub first_segment_bytes: u64,
    /// Segments kept ready beyond the one in use.
    pub spares: usize,
    /// When answers leave.
    pub sync: SyncMode,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 32 << 20,
            first_segment_bytes: 1 << 20,
            spares: 2,
            sync: SyncMode::Batch,
        }
    }
}

impl LogOptions {
    /// The largest batch body that fits into a frame.
    #[must_use]
    pub fn body_max(&self) -> usize {
        segment::frame_max(self.segment_bytes).saturating_sub(frame::HEADER)
    }
}

/// Why the log does not take a frame, or cannot say that one is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogError {
    /// The batch is larger than half a segment; nothing was written.
    TooLarge {
        /// Bytes of the batch.
        bytes: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// No prepared space is left; nothing was written. Writes go on by themselves when there is space again.
    NoSpace {
        /// What the operating system said, when it refused to give more.
        cause: Option<FileError>,
    },
    /// The log failed before this frame; nothing was written. Restart the node once its disk is repaired.
    Stopped {
        /// What failed.
        cause: FileError,
    },
    /// The log failed while the frame was on its way: it may have been applied, and may be there after a restart.
    Unknown {
        /// What failed.
        cause: FileError,
    },
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { bytes, max } => write!(
                f,
                "a batch of {bytes} bytes is too large for the commit log, which takes {max}; write it in parts"
            ),
            Self::NoSpace { cause: None } => {
                f.write_str("the commit log waits for its next segment; try again")
            }
            Self::NoSpace { cause: Some(cause) } => {
                write!(
                    f,
                    "the commit log is full: {cause}; writes go on when there is space again"
                )
            }
            Self::Stopped { cause } => {
                write!(
                    f,
                    "the commit log has stopped: {cause}; restart the node when the disk works"
                )
            }
            Self::Unknown { cause } => {
                write!(
                    f,
                    "the write may have been applied; the commit log has stopped: {cause}"
                )
            }
        }
    }
}

impl std::error::Error for LogError {}

/// Where a log lives.
#[derive(Clone, Debug)]
pub(crate) struct LogPlace {
    pub(crate) files: Arc<dyn node_env::Files>,
    pub(crate) directory: PathBuf,
    pub(crate) id: LogId,
}
