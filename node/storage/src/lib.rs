//! One shard's data: commit log, memtable, flush, reads, purge; and the node's merger.

pub mod error;
pub mod floor;
mod layout;
mod log;
mod memtable;
mod space;
pub mod stats;

pub use error::{StorageError, WriteError};
pub use space::{Space, SpaceRange};
