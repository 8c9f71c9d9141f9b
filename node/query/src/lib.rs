//! Sessions, prepared statements, execution, result sets, events.
//!
//! ```text
//! socket ─► connection ─► executor ─► cql-plan ─► coordinator
//!              ▲  └─ held until durable ◄─ answer ◄─┘
//!              └─ events
//! ```
//!
//! Everything here belongs to one shard, but for the [`StatementCache`], which the shards share.
//!
//! # Cost of an EXECUTE that this shard owns
//! One cache look-up, one allocation for the key and one for the row (or the copied rows), no task, no queue; a share of
//! one read and one write of the socket.

mod connection;
mod counters;
mod events;
mod executor;
mod failure;
mod outcome;
mod reply;
mod session;
mod statement;
mod turn;
mod values;
mod write;

pub use connection::{Ended, Service, serve};
pub use counters::RequestCounters;
pub use events::EventHub;
pub use executor::{Executor, QueryLimits};
pub use statement::StatementCache;

use cql_protocol::{SchemaChange, SchemaChangeKind, SchemaTarget};
use cql_schema::{ChangeKind, ChangeTarget};

/// A schema change as clients are told.
#[must_use]
pub fn schema_event(change: &cql_schema::SchemaChange) -> SchemaChange {
    let name = || change.name.as_deref().unwrap_or_default().to_owned();
    SchemaChange {
        change: match change.change {
            ChangeKind::Created => SchemaChangeKind::Created,
            ChangeKind::Updated => SchemaChangeKind::Updated,
            ChangeKind::Dropped => SchemaChangeKind::Dropped,
        },
        keyspace: change.keyspace.to_string(),
        target: match change.target {
            ChangeTarget::Keyspace => SchemaTarget::Keyspace,
            ChangeTarget::Table => SchemaTarget::Table(name()),
            ChangeTarget::Type => SchemaTarget::Type(name()),
        },
    }
}
