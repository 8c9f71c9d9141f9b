//! One shard's data: commit log, memtable, flush, reads, purge; and the node's merger.
//!
//! ```text
//!        apply                 read                                  one thread a shard
//!          │                     │
//!          ▼                     ▼
//!   log ─► memtable ──seal──► sealed memtables
//!    │                               │ oldest first
//!    ▼                               ▼
//!   log thread: write, fdatasync    merger: older row + new row ─► ingest     one a node
//!                                    │
//!                                    ▼
//!                              backend: one engine a node ◄── compaction, with hooks that drop garbage
//! ```
//!
//! The engine is never written on the way of a request: a write costs a copy into the log's buffer and a search in a map.
//! Flushes merge with the older row, so a read finds at most one stored version of a row.
//!
//! # Invariants
//! * An answer leaves when the highest log position it depends on is durable ([`ShardStore::durable`]).
//! * A batch is one frame of the log and becomes visible in one turn.
//! * Only the merger writes the engine, one job at a time; rows and the flushed position of their log come in together.
//! * A tombstone goes only if it is older than the gc grace of its table and below the replay floor of its space
//!   ([`floor`]); those of ranges and partitions also need a scan that finds nothing older.
//!
//! The bytes on disk are in `docs/storage-format.md`.

mod batch;
mod budget;
mod compactor;
mod directories;
mod error;
pub mod floor;
mod gc;
mod layout;
mod log;
mod memtable;
mod merge;
mod node;
mod read;
mod replay;
mod space;
mod spaces;
mod stats;
mod storage;
mod store;
mod yield_now;

pub use batch::WriteBatch;
pub use directories::{
    LOCK_FILE, SYNC_DIRECTORY, SYNC_FORMAT, SYNC_FORMAT_NAME, check_directories,
};
pub use error::{StorageError, WriteError};
pub use log::replay::ReplayError;
pub use log::segment::LogId;
pub use log::{
    LogError, LogOptions, LogPosition, SYNC_LOG_DIRECTORY, SYNC_LOG_FRAMES, SYNC_LOG_REMOVALS,
    SYNC_LOG_REPLAY, SYNC_LOG_SEGMENT, SyncMode,
};
#[doc(hidden)]
pub use merge::{FloorRule, Slots};
#[doc(hidden)]
pub use node::BrokenRules;
pub use read::ReadAnswer;
pub use replay::{Owner, ReplayReport, Replayed};
pub use space::{Space, SpaceRange};
pub use spaces::SpaceOptions;
pub use stats::{LogStats, NodeStats, ShardStats};
pub use storage::{Storage, StorageOptions};
pub use store::{ShardStore, StoreStatus};
