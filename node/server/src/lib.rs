//! One server process: boot order, threads, listeners, shutdown.
//!
//! ```text
//! main ─► configuration, log ─► threads ─► boot (storage, local tables, group 0, replay) ─► shards ─► sockets
//! ```
//!
//! `boot` knows neither threads nor sockets, so a simulation starts a node with it; `threads` adds both.

pub mod boot;
mod operator;
mod process;
mod threads;

pub use process::main;
