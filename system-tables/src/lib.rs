//! The system tables, described in `tables/*.tables` and compiled into typed rows, keys, readers and writers.
//!
//! ```text
//!  tables/*.tables ── schema-dsl, at build time ──► system::tablets, system_schema::columns, ... (generated, plain)
//!                                                        │ rows, keys          ▲ rows, keys
//!                                     writers: ToCql ────▼─────────────────────┴──── readers: FromCql
//!                                     Change<Home> { mutations }               TableReader: merged partitions
//! ```
//!
//! Each table is a module: `system::tablets::{Key, Clustering, Static, Row, TABLE}` and functions that make a
//! [`Change`] (`upsert`, `set_stage`, `delete_row`) or read through a [`TableReader`] (`read`, `rows`, `scan`).
//! A change carries the home of its table in its type, so that a table of group 0 cannot be written locally:
//! it does not compile.
//!
//! Invariants:
//! * nothing here reads a clock: times of writing come with the call, times of expiry follow from them;
//! * equal calls make equal bytes, on every node;
//! * what is stored is checked when it is read: a value that is absent or not of its type is a [`TableError`] that
//!   names table, key and column.
//!
//! Cost: a writer makes one row, a reader decodes the columns of the rows it is asked for. Schema objects are
//! built once per process, on first use.

pub mod home;

pub mod declaration;

mod table;

pub mod catalog;

pub mod error;

pub mod value;

mod fields;

pub mod keys;

pub mod cells;

pub mod change;

mod write;

pub mod read;

pub mod memory;

pub mod prelude;

mod generated {
    include!(concat!(env!("OUT_DIR"), "/tables.rs"));
}

pub use change::{Change, Stamp};
pub use error::{TableError, TableFailure};
pub use generated::{system, system_schema, system_virtual_schema, types};
pub use home::{Distributed, Group0, Home, HomeKind, Local, ShardLocal, Virtual};
pub use read::{Partition, Rows, TableReader};
pub use table::{AnyTable, Table};
pub use value::{Date, FromCql, Time, Timestamp, ToCql};
