//! A sans-IO driver of Raft groups over the `raft` library.
//!
//! ```text
//!   messages ─┐                       ┌─► writes     the owner keeps them; one sync for all groups of a turn
//!   requests ─┤   ┌────────────────┐  ├─► messages   now, or after the write that they depend on
//!   persisted ┼──►│ Driver         │──┼─► committed  the owner applies them
//!   applied ──┤   │  Group, Group, │  ├─► snapshots  wanted, offered
//!   ticks ────┘   └────────────────┘  └─► answers    to requests, by ticket
//! ```
//!
//! One driver a shard; its owner is the only one who touches it. Nothing here waits, reads a clock, touches a file or a
//! socket, or throws dice that are not from the seed: the same inputs give the same outputs.
//!
//! Invariants that the tests check under loss, delay, reordering and crashes: one leader a term; an entry handed out
//! anywhere is the same everywhere; an answer `Ok` means committed, a definite error means never committed; a read
//! barrier never ends below what was acknowledged before it began.
//!
//! What the owner must do: keep [`Write`]s in order; call [`Driver::persisted`] only when they are durable; keep the
//! applied index and [`Committed::members`] in one step with the effects of the entries; make snapshots and
//! [`Driver::compact`] so that the log stays short, because it is held in memory.

mod codec;
mod driver;
mod entry;
mod error;
mod group;
mod id;
mod log;
mod logger;
mod members;
mod message;
mod output;
mod settings;
mod waiting;

#[cfg(test)]
mod tests;

pub use codec::DecodeError;
pub use driver::Driver;
pub use entry::{BrokenState, GroupState, HardState, LogEntry, Payload, Snapshot};
pub use error::RaftError;
pub use id::{GroupId, MemberId};
pub use members::{MemberStep, Members, MembersChange};
pub use message::PeerMessage;
pub use output::{
    Committed, Done, GroupStatus, IncomingSnapshot, Outgoing, Output, PeerStatus, Role, Ticket,
    Wait, Write,
};
pub use settings::Settings;
