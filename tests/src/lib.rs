//! What spans crates: the house rules, golden scripts, simulation, real processes and drivers.
//!
//! The library holds what these tests share; the tests themselves are the folders beside `src`.
//!
//! ```text
//!  golden/   scripts of statements and answers ─┐
//!  crash/    writers, kill -9, an oracle ───────┼─► client ─► node (a real process)
//!  drivers/  dialogues of real drivers ─────────┘
//!  sim/      one node on simulated files and clock
//!  tidy/     the house rules
//! ```

pub mod client;
pub mod literal;
pub mod node;
