//! What the node says of itself in tables that nobody writes: its own keyspaces in the schema, and the virtual tables.
//!
//! These rows are made anew at every start and live in the image only, so that another version of the program never finds
//! stale ones.

use cql_schema::{KeyspaceKind, Table};
use cql_types::WriteTime;
use system_tables::{AnyTable, TableError, catalog, system, system_virtual_schema};

use cql_mutation::Mutation;

use crate::rows::{ColumnPart, rows_of_keyspace};

/// The program, as `system.versions` shows it.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Its version.
    pub version: &'static str,
    /// `debug` or `release`.
    pub build_mode: &'static str,
    /// What it was built from.
    pub build_id: &'static str,
}

/// Before every write of a user: what is written at this time gives way to anything.
const LONG_AGO: WriteTime = WriteTime(1);

/// The rows of the node's own keyspaces and of the virtual tables.
///
/// # Errors
/// A description does not fit its own table: a defect of the program.
pub fn own_rows(program: &Program) -> Result<Vec<Mutation>, TableError> {
    let mut mutations = Vec::new();
    let versions = system::versions::Row {
        build_id: program.build_id.to_owned(),
        build_mode: program.build_mode.to_owned(),
        version: program.version.to_owned(),
    };
    let key = system::versions::Key {
        key: "local".to_owned(),
    };
    mutations.extend(system::versions::insert(&key, &versions, LONG_AGO).into_mutations()?);
    for keyspace in catalog::keyspaces() {
        match keyspace.kind {
            // Drivers that know virtual keyspaces look for them elsewhere.
            KeyspaceKind::Virtual => {
                let key = system_virtual_schema::keyspaces::Key {
                    keyspace_name: keyspace.name.to_string(),
                };
                let row = system_virtual_schema::keyspaces::Row {};
                let change = system_virtual_schema::keyspaces::insert(&key, &row, LONG_AGO);
                mutations.extend(change.into_mutations()?);
                for table in keyspace.tables.values() {
                    mutations.extend(virtual_table(table)?);
                }
            }
            KeyspaceKind::System | KeyspaceKind::User => {
                mutations.extend(rows_of_keyspace(&keyspace, LONG_AGO).into_mutations()?);
            }
        }
    }
    Ok(mutations)
}

fn virtual_table(table: &Table) -> Result<Vec<Mutation>, TableError> {
    let key = system_virtual_schema::tables::Key {
        keyspace_name: table.keyspace.to_string(),
    };
    let row = system_virtual_schema::tables::Row {
        table_name: table.name.to_string(),
        comment: table.options.comment.clone(),
    };
    let mut mutations =
        system_virtual_schema::tables::insert(&key, &row, LONG_AGO).into_mutations()?;
    let key = system_virtual_schema::columns::Key {
        keyspace_name: table.keyspace.to_string(),
    };
    for column in table.columns() {
        let part = ColumnPart::of(column);
        let row = system_virtual_schema::columns::Row {
            table_name: table.name.to_string(),
            column_name: column.name.to_string(),
            clustering_order: part.order,
            column_name_bytes: column.name.as_bytes().to_vec(),
            kind: part.role,
            position: part.position,
            r#type: column.ty.to_string(),
        };
        let change = system_virtual_schema::columns::insert(&key, &row, LONG_AGO);
        mutations.extend(change.into_mutations()?);
    }
    Ok(mutations)
}

/// The tables of the local store, in the order in which they came into the world: place *n* is kept in space *n + 1*.
/// New tables are appended; a table that is gone leaves its name here.
const SPACES: &[&str] = &[
    "system.local",
    "system.peers",
    "system.scylla_local",
    "system.truncated",
    "system.raft",
    "system.raft_snapshots",
    "system.raft_snapshot_config",
    "system.group0_history",
    "system.topology",
    "system.topology_requests",
    "system.tablets",
    "system.batchlog_v2",
    "system.large_partitions",
    "system.large_rows",
    "system.large_cells",
    "system.service_levels_v2",
    "system.roles",
    "system.role_members",
    "system.role_attributes",
    "system.role_permissions",
    "system.raft_groups",
    "system.raft_groups_snapshots",
    "system.raft_groups_snapshot_config",
    "system.messina_spaces",
    "system.messina_columns",
    "system_schema.keyspaces",
    "system_schema.scylla_keyspaces",
    "system_schema.tables",
    "system_schema.scylla_tables",
    "system_schema.columns",
    "system_schema.view_virtual_columns",
    "system_schema.computed_columns",
    "system_schema.dropped_columns",
    "system_schema.triggers",
    "system_schema.views",
    "system_schema.indexes",
    "system_schema.types",
    "system_schema.functions",
    "system_schema.aggregates",
    "system_schema.scylla_aggregates",
];

/// The tables that the local store keeps, each with the number of its space.
pub fn stored_tables() -> impl Iterator<Item = (u32, &'static dyn AnyTable)> {
    (1u32..).zip(SPACES).filter_map(|(space, name)| {
        let (keyspace, table) = name.split_once('.')?;
        Some((space, catalog::find_by_name(keyspace, table)?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use system_tables::HomeKind;

    #[test]
    fn every_table_that_is_stored_has_a_space() {
        let missing: Vec<String> = catalog::tables()
            .iter()
            .filter(|table| table.home() != HomeKind::Virtual)
            .filter(|table| !stored_tables().any(|(_, stored)| stored.id() == table.id()))
            .map(|table| format!("{}.{}", table.schema().keyspace, table.schema().name))
            .collect();
        assert_eq!(missing, Vec::<String>::new(), "append them to SPACES");
    }
}
