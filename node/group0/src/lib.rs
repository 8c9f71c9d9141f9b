//! The agreed log: guard, commands, state machine, history.
//!
//! ```text
//! query ─ Group0Handle ─► queue ─► Group0, on the control task ─► Raft ─► local store ─► ClusterState
//! ```
//!
//! What all nodes agree on (schema, topology, tablets) changes only here, one command after the other.
//! A command is made from the state that its proposer saw and does nothing when another came first.

mod command;
mod group;
mod handle;
mod ids;
mod propose;
mod raft_rows;
mod start;

pub use group::{LogLength, Parts, SchemaListener};
pub use handle::{Agreed, ChangeTimeouts, Group0Error, Group0Handle};
pub use start::{
    Running, StartError, Versions, kept_cluster_name, kept_host_id, new_host_id, start,
};
