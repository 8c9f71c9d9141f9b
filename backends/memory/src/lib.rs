//! Ordered maps with seeded faults: the reference engine and the simulated disk.
//!
//! A [`MemoryDisk`] holds the databases of one simulated machine; [`MemoryFactory`] opens engines on it.
//! The disk outlives the engines, so a simulation can crash a node and open its data again.
//!
//! ```text
//!   MemoryFactory ─► MemoryEngine ─┬─ reads ──► Version: runs, newest first
//!                                  ├─ ingest ─► a run of its own ─► finish swaps the Version
//!                                  └─ compact ► all runs become one: versions, deletes, garbage go
//!   MemoryDisk: capacity, faults to come, crash(seed), damage(seed), what was asked of it
//! ```
//!
//! Everything is deterministic: no clock, no chance but the seeds given, no thread.
//! Cost: a read visits every run, so compact as with a real engine; each entry carries a checksum that reads check.
//!
//! Invariants: a version is immutable, and a directory names exactly one; swapping it is the only commit.

mod compact;
mod disk;
mod engine;
mod factory;
mod ingest;
mod run;
mod snapshot;

pub use disk::{Fault, MemoryDisk, Operation};
pub use engine::MemoryEngine;
pub use factory::MemoryFactory;
