//! Immutable keyspaces, tables and types; a schema change is a pure function from a change and a schema to a delta.
//!
//! A [`Schema`] is a value: cloning it copies one pointer, and everyone who holds one sees the same
//! tables to the end of his work.
//! [`apply`] takes a [`Change`] (what a DDL statement asks for, with types and options still as text),
//! the schema of the moment and a [`Proposer`] (the source of fresh ids), checks every rule, and
//! answers with a [`Delta`]: the next schema, what changed in it object by object, and the events
//! that clients are told.
//! Nothing here reads a clock, draws a random number or knows how a schema is stored.
//!
//! Data flow: statement → `Change` → [`apply`] → `Delta` → (group 0 writes its rows) → the same
//! objects come back through [`Schema::from_parts`].
//!
//! Cost: finding a table by id or by name is a search in a sorted map; finding a column is a
//! binary search over a table's columns, by number one array access. A change copies the maps of
//! one keyspace and the list of all table ids, which only DDL pays.
//!
//! Invariants: column numbers are unique within a table for ever, also after DROP and ADD of the
//! same name; columns are ordered (partition key, clustering key, static by name, regular by name);
//! a table's types name only user types of its own keyspace, and those are always the current ones.

mod builder;
mod keyspace;
mod options;
mod replication;
mod schema;
mod table;
mod types;

mod apply;
mod change;
mod delta;
mod error;
mod names;

mod describe;

pub use apply::{Proposer, apply};
pub use builder::TableBuilder;
pub use change::{
    AlterKeyspace, AlterTable, AlterTableAction, AlterType, AlterTypeAction, Change,
    ColumnDefinition, CreateKeyspace, CreateTable, CreateType, DropKeyspace, DropTable, DropType,
    Properties, PropertyValue,
};
pub use delta::{ChangeKind, ChangeTarget, Delta, Diff, SchemaChange};
pub use describe::{
    Internals, describe_keyspace, describe_keyspace_only, describe_table, describe_type,
};
pub use error::{SchemaError, SchemaErrorKind};
pub use keyspace::{Keyspace, KeyspaceKind, Tablets};
pub use options::{MAX_TTL_SECONDS, OptionMap, TableOptions};
pub use replication::{Replication, ReplicationError};
pub use schema::Schema;
pub use table::{
    Column, ColumnKind, ColumnNumber, DroppedColumn, Table, TableParts, TablePartsError,
};
pub use types::{RawUserType, resolve_user_types};
