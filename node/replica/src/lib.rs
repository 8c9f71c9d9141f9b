//! What a replica does when asked: apply, read, truncate, on the shard that owns the data.
//!
//! ```text
//! coordinator on this shard ── direct call ──────────────┐
//! coordinator on a sibling ─── ShardRequest, a queue ────┼─► Replica ─► node-storage
//! ```
//!
//! One vocabulary for both carriers: the owner of a mutation does the same with it wherever it came from.
//! A request brings the schema that it was bound with; where its data lives is looked up in the owner's own, newest
//! state, so that a write never lands in a space that was given up.

mod error;
mod local_store;
mod queue;
mod replica;
mod spaces;

pub use error::{ApplyError, FetchError};
pub use local_store::{LocalStore, LocalStoreError, LocalTable};
pub use node_storage::{LogError, LogPosition, WriteError as StorageWriteError};
pub use queue::{RequestQueue, ShardHandle, ShardRequest, ShardSizes};
pub use replica::Replica;
pub use spaces::Spaces;
