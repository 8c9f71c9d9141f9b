//! From what is wanted to a command, against the state of the moment. Pure but for the ids.

use std::sync::Arc;

use cql_mutation::Mutation;
use cql_schema::{Change, Delta, Diff, KeyspaceKind, Proposer, SchemaError, Table, apply};
use cql_types::{TableId, Uuid, WriteTime, timeuuid_from};
use node_cluster::{ClusterState, SCHEMA_VERSION_KEY, TabletMap, rows_of_delta};
use node_env::{Rng, SeededRng};
use system_tables::types::TabletReplica;
use system_tables::{Change as Rows, Group0, TableError, system};

use crate::ids::write_time;

/// Tablets that a shard gets of a new table.
const TABLETS_PER_SHARD: u32 = 1;

/// Gives ids to new objects.
struct Ids<'a> {
    state: &'a ClusterState,
    state_id: Uuid,
    rng: &'a mut SeededRng,
}

impl Proposer for Ids<'_> {
    fn table_id(&mut self) -> TableId {
        let [a, b, c, d, e, f, g, h] = self.rng.next_u64().to_be_bytes();
        let node = [a | 1, b, c, d, e, f];
        let sequence = u16::from_be_bytes([g, h]) & 0x3fff;
        TableId(timeuuid_from(write_time(self.state_id).0, node, sequence))
    }

    fn version(&mut self) -> Uuid {
        self.state_id
    }

    fn write_time(&self) -> i64 {
        write_time(self.state_id).0
    }

    fn data_centers(&self) -> Vec<Arc<str>> {
        vec![Arc::from(self.state.local.data_center.as_str())]
    }
}

/// What a change of the schema does, as rows.
pub(crate) struct Proposed {
    pub(crate) delta: Delta,
    pub(crate) mutations: Vec<Mutation>,
}

/// Makes the rows of a schema change.
///
/// # Errors
/// The change makes no sense with the schema.
pub(crate) fn schema_change(
    change: &Change,
    state: &ClusterState,
    state_id: Uuid,
    rng: &mut SeededRng,
) -> Result<Result<Proposed, TableError>, SchemaError> {
    let mut ids = Ids {
        state,
        state_id,
        rng,
    };
    let delta = apply(change, &state.schema, &mut ids)?;
    let at = write_time(state_id);
    let mut rows = rows_of_delta(&delta, at);
    for diff in &delta.tables {
        if let Diff::Created(table) = diff {
            rows.add(tablet_rows(table, &new_tablets(state), at));
        }
    }
    // A dropped keyspace takes its tables with it.
    for diff in &delta.keyspaces {
        if let Diff::Dropped(keyspace) = diff {
            for table in keyspace.tables.values() {
                let key = system::tablets::Key {
                    table_id: table.id.0,
                };
                rows.add(system::tablets::delete_partition(&key, at));
                let key = system::messina_columns::Key {
                    keyspace_name: table.keyspace.to_string(),
                    table_name: table.name.to_string(),
                };
                rows.add(system::messina_columns::delete_partition(&key, at));
            }
        }
    }
    Ok(rows
        .into_mutations()
        .and_then(|mut mutations| {
            mutations.extend(schema_version(state_id)?);
            Ok(mutations)
        })
        .map(|mutations| Proposed { delta, mutations }))
}

/// The row that says which version the schema has.
fn schema_version(state_id: Uuid) -> Result<Vec<Mutation>, TableError> {
    let key = system::scylla_local::Key {
        key: SCHEMA_VERSION_KEY.to_owned(),
    };
    let value = state_id.to_string();
    system::scylla_local::set_value(&key, &value, write_time(state_id)).into_mutations()
}

fn new_tablets(state: &ClusterState) -> TabletMap {
    TabletMap::even(state.local.host_id, state.local.shards, TABLETS_PER_SHARD)
}

/// The rows of a table's tablets.
fn tablet_rows(table: &Table, map: &TabletMap, at: WriteTime) -> Rows<Group0> {
    let key = system::tablets::Key {
        table_id: table.id.0,
    };
    let count = i32::try_from(map.tablets().len()).unwrap_or(i32::MAX);
    let mut rows = system::tablets::set_keyspace_name(&key, &table.keyspace, at);
    rows.add(system::tablets::set_table_name(&key, &table.name, at));
    rows.add(system::tablets::set_tablet_count(&key, count, at));
    for tablet in map.tablets() {
        let replicas: Vec<TabletReplica> = tablet
            .replicas
            .iter()
            .map(|replica| TabletReplica {
                host_id: replica.host.0,
                shard: i32::try_from(replica.shard).unwrap_or(i32::MAX),
            })
            .collect();
        let place = system::tablets::Clustering {
            last_token: tablet.last_token.0,
        };
        rows.add(system::tablets::set_replicas(&key, &place, &replicas, at));
    }
    rows
}

/// The rows that deal the tablets of all tables to the shards of this start; none if every tablet has a shard and every
/// shard has tablets.
pub(crate) fn redeal_tablets(
    state: &ClusterState,
    state_id: Uuid,
) -> Result<Vec<Mutation>, TableError> {
    let at = write_time(state_id);
    let even = new_tablets(state);
    let mut rows = Rows::new();
    for keyspace in state.schema.keyspaces() {
        if keyspace.kind != KeyspaceKind::User {
            continue;
        }
        for table in keyspace.tables.values() {
            if state.tablets.get(&table.id) == Some(&even) {
                continue;
            }
            let key = system::tablets::Key {
                table_id: table.id.0,
            };
            let before = WriteTime(at.0.saturating_sub(1));
            rows.add(system::tablets::delete_partition(&key, before));
            rows.add(tablet_rows(table, &even, at));
        }
    }
    rows.into_mutations()
}
