//! Programs that measure; each figure in `docs/performance.md` names one of them.
//!
//! A benchmark is a program in `src/bin`, one for each question, that prints one table.
//! Build them with the node that they start: `cargo build --release -p messina -p messina-benches`.
//!
//! ```text
//!  bin/startup   bin/fill   bin/replay   bin/turns   bin/overwrite   bin/requests   bin/disk
//!       └───────────┴──────────┴────┬───────┴────────────┘                │
//!                     process: a node of its own          the node's crates, in this process
//!                     pipeline: many requests in flight
//! ```
//!
//! Every program takes `--name value` pairs only; its module doc lists them.
//! Programs that start a node take `--program PATH` (default: `messina` beside them) and keep its data in a folder below `TMPDIR`, so choose a `TMPDIR` on the disk that is to be measured.

pub mod arguments;
pub mod figures;
pub mod pipeline;
pub mod process;
pub mod rows;
pub mod stopwatch;

/// The outcome of a step; a program ends at the first failure and prints it.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;
