//! All system tables and keyspaces.

use std::sync::Arc;

use cql_schema::{Keyspace, KeyspaceKind, Replication};
use cql_types::TableId;

use crate::declaration::user_types;
pub use crate::generated::{KEYSPACES, TABLES, USER_TYPES};
use crate::home::HomeKind;
use crate::table::AnyTable;

/// All tables, in the order of their files.
#[must_use]
pub fn tables() -> &'static [&'static dyn AnyTable] {
    &TABLES
}

/// The table with that id. Costs a look at each of a few dozen tables.
#[must_use]
pub fn find(id: TableId) -> Option<&'static dyn AnyTable> {
    tables().iter().copied().find(|table| table.id() == id)
}

/// The table of that name.
#[must_use]
pub fn find_by_name(keyspace: &str, name: &str) -> Option<&'static dyn AnyTable> {
    tables()
        .iter()
        .copied()
        .find(|table| table.declaration().keyspace == keyspace && table.declaration().name == name)
}

/// The keyspaces with their tables and types, to begin a schema with.
///
/// A keyspace with nothing but virtual tables is a virtual one.
///
/// # Panics
/// If the generated code is wrong, which a test of this crate excludes.
#[must_use]
pub fn keyspaces() -> Vec<Keyspace> {
    KEYSPACES
        .iter()
        .map(|declared| {
            let own = || {
                tables()
                    .iter()
                    .filter(|table| table.declaration().keyspace == declared.name)
            };
            let kind = match own().all(|table| table.home() == HomeKind::Virtual) {
                true => KeyspaceKind::Virtual,
                false => KeyspaceKind::System,
            };
            let replication = match Replication::from_map(declared.replication.iter().copied()) {
                Ok(replication) => replication,
                Err(error) => panic!("the replication of {}: {error}", declared.name),
            };
            let types = match user_types(&USER_TYPES, declared.name) {
                Ok(types) => types,
                Err(error) => panic!("the types of {}: {error}", declared.name),
            };
            let mut keyspace = Keyspace::new(declared.name, kind, replication);
            keyspace.durable_writes = declared.durable_writes;
            for table in own() {
                keyspace = keyspace.with_table(Arc::clone(table.schema()));
            }
            for ty in types.into_values() {
                keyspace = keyspace.with_type(ty);
            }
            keyspace
        })
        .collect()
}
