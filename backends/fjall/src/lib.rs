//! fjall's engine behind the storage trait; the only crate that names it.
//!
//! We use `lsm-tree`, the engine inside fjall, and not the `fjall` crate around it: our commit log makes its journal
//! needless, its workers compact when they like, and one failed compaction poisons its database until a restart.
//!
//! ```text
//!   ingest ──► bulk ingestion ──► table files, manifest, all synced ─┐
//!   compact ─► levelled compaction, on the caller's thread ──────────┤ publish
//!                                                                    ▼
//!   get, multi_get, scan ─────────────────────────────────────────► View: the tables of one version
//! ```
//!
//! - **Reads never wait** (C16): the tree's own read path takes a lock that an install holds over several syncs. A
//!   view is our own list of its immutable tables, replaced whole after each install; taking a snapshot
//!   is a reference count. Nothing here is ever read through the tree.
//! - **Nothing is poisoned** (C14, C15): after a failed install the manifest is checked and mended, what was half
//!   written is removed, and the next call tries again.
//! - **Nothing runs by itself**: no journal, no memtable, no worker.
//! - **Memory**: filters and indexes are partitioned and not pinned, so the block cache's cap holds for them too.
//! - **What a shard thread never does**: delete files. Superseded views are kept until a writer finds them unused.
//!
//! A value is a slice of the engine's block: no copy per read, and a value that is kept keeps its block of 4 KiB or more.
//! Key-value separation stays off: its files miss a sync that a loss of power would find.

mod checkpoint;
mod compact;
mod directory;
mod discards;
mod engine;
mod error;
mod factory;
mod fault;
mod ingest;
mod manifest;
mod scan;
mod shared;
mod verify;
mod view;

pub use engine::FjallEngine;
pub use factory::FjallFactory;
pub use fault::{FaultSwitch, Refusal};
