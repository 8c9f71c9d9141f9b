//! Writes and reads at a consistency level, and paging.
//!
//! ```text
//! query ─► Coordinator ─ owned here ──► Replica ─► position, answered in the same turn
//!                      └ owned elsewhere ─► ShardHandle ─► future with a deadline
//! ```
//!
//! Decisions are pure and beside it: how many replicas must answer (`quorum`), which shard answers what (`split`).

mod coordinator;
mod error;
mod quorum;
mod split;

pub use coordinator::{
    Coordinator, PendingRead, PendingWrite, ReadOutcome, Timeouts, WriteOutcome,
};
pub use error::{ReadError, WriteError};
pub use node_replica::LogPosition;
pub use quorum::{Factors, Unavailable};
