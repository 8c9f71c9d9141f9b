//! The storage trait, its numbered contract and its conformance suite.
//!
//! An engine keeps one ordered map from bytes to bytes.
//! It is written by sorted batches only (an [`Ingest`], atomic and durable when it finishes) and read through
//! point lookups and [`Snapshot`]s; everything that CQL means is the business of the layers above.
//!
//! ```text
//!   sorted rows ──► Engine::ingest ──► put/delete… ──► finish    atomic, durable, visible
//!   readers     ──► Engine::get, Engine::snapshot ──► get, multi_get, scan
//!   offload     ──► Engine::compact ──► GcHooks::run ──► GcRun::visit   bounded steps, by the caller's thread
//! ```
//!
//! All calls block and an engine starts no work on its own, so *who* waits for a disk is visible in the caller.
//! What an engine must do is written in [`contract`], as numbered clauses; [`conformance`] holds a check for each:
//! one line, [`backend_conformance!`], makes them tests of an engine.

pub mod conformance;
pub mod contract;
mod engine;
mod error;
mod gc;
mod open;

pub use bytes::Bytes;
pub use engine::{
    Direction, Engine, Entry, Goal, Health, Ingest, Ingested, Progress, Reclaimed, Scan, Snapshot,
    Stats, VerifyReport,
};
pub use error::Error;
pub use gc::{Gc, GcHooks, GcRun, KeepAll};
pub use open::{Capability, Factory, OpenOptions};

/// The longest key, in bytes; the shortest has one byte.
pub const MAX_KEY_BYTES: usize = 65_535;

/// The longest value, in bytes; the shortest is empty.
pub const MAX_VALUE_BYTES: usize = 256 * 1024 * 1024;
