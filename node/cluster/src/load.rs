//! From the rows of the agreed and local tables to the state of the cluster.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use cql_schema::{
    Column, ColumnKind, ColumnNumber, DroppedColumn, Keyspace, KeyspaceKind, RawUserType,
    Replication, Schema, Table, TableOptions, TableParts, Tablets, resolve_user_types,
};
use cql_types::{ComponentOrder, HostId, TableId, Token, UdtType, Uuid, parse_type};
use system_tables::types::{ClusteringOrder, ColumnRole, SpaceState};
use system_tables::{TableError, catalog, system, system_schema};

use crate::image::LocalImage;
use crate::state::{ClusterState, LocalNode, SpacePlace};
use crate::tablet::{Tablet, TabletMap, TabletReplica};

/// Why the tables of a node make no state.
#[derive(Debug)]
pub enum LoadError {
    /// A table cannot be read, or has a value that it must not have.
    Table(TableError),
    /// An object of the schema makes no sense.
    Object {
        /// Which.
        name: String,
        /// What is wrong.
        why: String,
    },
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(error) => error.fmt(f),
            Self::Object { name, why } => write!(
                f,
                "{name} as it is stored makes no sense: {why}; restore the node from a backup"
            ),
        }
    }
}

impl std::error::Error for LoadError {}

impl From<TableError> for LoadError {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}

fn broken(name: impl Into<String>, why: impl fmt::Display) -> LoadError {
    LoadError::Object {
        name: name.into(),
        why: why.to_string(),
    }
}

/// Makes the state of an image. Keyspaces that are unchanged since `before` are taken over.
///
/// # Errors
/// [`LoadError`] names the table or object that is damaged.
pub fn load(
    image: Arc<LocalImage>,
    local: Arc<LocalNode>,
    before: Option<&ClusterState>,
) -> Result<ClusterState, LoadError> {
    let schema = load_schema(&image, before)?;
    let mut tablets = BTreeMap::new();
    let mut spaces = BTreeMap::new();
    for keyspace in schema.keyspaces() {
        if keyspace.kind != KeyspaceKind::User {
            continue;
        }
        for table in keyspace.tables.values() {
            tablets.insert(table.id, load_tablets(&image, table, before)?);
            spaces.insert(table.id, load_spaces(&image, table)?);
        }
    }
    Ok(ClusterState {
        version: before.map_or(1, |before| before.version + 1),
        schema,
        local,
        tablets,
        spaces,
        image,
    })
}

/// The key of the row that holds the version of the schema.
pub const SCHEMA_VERSION_KEY: &str = "group0_schema_version";

/// The version of the schema that the rows say; nil on a new node.
fn schema_version(image: &LocalImage) -> Result<Uuid, LoadError> {
    let key = system::scylla_local::Key {
        key: SCHEMA_VERSION_KEY.to_owned(),
    };
    let Some(row) = system::scylla_local::read(image, &key)? else {
        return Ok(Uuid::nil());
    };
    Uuid::parse_str(&row.value)
        .map_err(|error| broken(format!("the schema version {:?}", row.value), error))
}

fn load_schema(image: &LocalImage, before: Option<&ClusterState>) -> Result<Schema, LoadError> {
    let version = schema_version(image)?;
    if let Some(before) = before
        && before.schema.version() == version
    {
        return Ok(before.schema.clone());
    }
    let own = catalog::keyspaces();
    let mut keyspaces = Vec::new();
    for (key, row) in system_schema::keyspaces::scan(image)? {
        if own
            .iter()
            .any(|keyspace| *keyspace.name == *key.keyspace_name)
        {
            continue;
        }
        keyspaces.push(load_keyspace(image, &key.keyspace_name, row)?);
    }
    keyspaces.extend(own);
    Ok(Schema::from_parts(keyspaces, version))
}

fn load_keyspace(
    image: &LocalImage,
    name: &str,
    row: system_schema::keyspaces::Row,
) -> Result<Keyspace, LoadError> {
    let replication = row
        .replication
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    let replication = Replication::from_map(replication)
        .map_err(|error| broken(format!("the replication of {name}"), error))?;
    let mut keyspace = Keyspace::new(name, KeyspaceKind::User, replication);
    keyspace.durable_writes = row.durable_writes;
    let scylla = system_schema::scylla_keyspaces::Key {
        keyspace_name: name.to_owned(),
    };
    keyspace.tablets = system_schema::scylla_keyspaces::read(image, &scylla)?
        .and_then(|row| row.initial_tablets)
        .map(|initial| Tablets {
            enabled: true,
            initial: u32::try_from(initial).ok().filter(|count| *count > 0),
        });
    let key = system_schema::types::Key {
        keyspace_name: name.to_owned(),
    };
    let raw = system_schema::types::read(image, &key)?
        .into_iter()
        .map(|row| RawUserType {
            name: row.type_name,
            fields: row.field_names.into_iter().zip(row.field_types).collect(),
        })
        .collect();
    keyspace.types = resolve_user_types(name, raw)
        .map_err(|error| broken(format!("the types of {name}"), error))?;
    let key = system_schema::tables::Key {
        keyspace_name: name.to_owned(),
    };
    for row in system_schema::tables::read(image, &key)? {
        let table = load_table(image, name, row, &keyspace.types)?;
        keyspace = keyspace.with_table(table);
    }
    Ok(keyspace)
}

type UserTypes = BTreeMap<Arc<str>, Arc<UdtType>>;

fn load_table(
    image: &LocalImage,
    keyspace: &str,
    row: system_schema::tables::Row,
    types: &UserTypes,
) -> Result<Table, LoadError> {
    let full = format!("table {keyspace}.{}", row.table_name);
    let (columns, next_column) = load_columns(image, keyspace, &row.table_name, types)?;
    let dropped = load_dropped(image, keyspace, &row.table_name, types)?;
    let version = system_schema::scylla_tables::read_row(
        image,
        &system_schema::scylla_tables::Key {
            keyspace_name: keyspace.to_owned(),
        },
        &system_schema::scylla_tables::Clustering {
            table_name: row.table_name.clone(),
        },
    )?
    .and_then(|row| row.version)
    .unwrap_or(row.id);
    let natural = |value: i32| u32::try_from(value).unwrap_or(0);
    Table::from_parts(TableParts {
        id: TableId(row.id),
        keyspace: Arc::from(keyspace),
        name: Arc::from(row.table_name),
        version,
        columns,
        next_column,
        dropped,
        options: TableOptions {
            comment: row.comment,
            default_time_to_live: natural(row.default_time_to_live),
            gc_grace_seconds: natural(row.gc_grace_seconds),
            bloom_filter_fp_chance: row.bloom_filter_fp_chance,
            caching: row.caching,
            compaction: row.compaction,
            compression: row.compression,
            crc_check_chance: row.crc_check_chance,
            speculative_retry: row.speculative_retry,
            memtable_flush_period_in_ms: natural(row.memtable_flush_period_in_ms),
            min_index_interval: natural(row.min_index_interval),
            max_index_interval: natural(row.max_index_interval),
        },
    })
    .map_err(|error| broken(full, error))
}

/// The columns of a table, and the next number for one.
fn load_columns(
    image: &LocalImage,
    keyspace: &str,
    table: &str,
    types: &UserTypes,
) -> Result<(Vec<Column>, u16), LoadError> {
    let full = || format!("table {keyspace}.{table}");
    let key = system::messina_columns::Key {
        keyspace_name: keyspace.to_owned(),
        table_name: table.to_owned(),
    };
    let mut by_name = BTreeMap::new();
    let mut next_column = 0;
    if let Some((statics, rows)) = system::messina_columns::read(image, &key)? {
        next_column = u16::try_from(statics.next_number)
            .map_err(|_| broken(full(), "the next column number does not fit 16 bits"))?;
        let used = rows.into_iter().filter(|row| !row.retired);
        by_name.extend(used.map(|row| (row.column_name, row.number)));
    }
    let number = |name: &str| {
        by_name
            .get(name)
            .and_then(|number| u16::try_from(*number).ok())
            .map(ColumnNumber)
            .ok_or_else(|| broken(full(), format!("column {name} has no number")))
    };
    let resolve = |name: &str| types.get(name).cloned();
    let key = system_schema::columns::Key {
        keyspace_name: keyspace.to_owned(),
    };
    let mut columns = Vec::new();
    for column in system_schema::columns::rows_by_table_name(image, &key, table) {
        let column = column?;
        let kind = match column.kind {
            ColumnRole::PartitionKey => ColumnKind::PartitionKey,
            ColumnRole::Clustering => ColumnKind::Clustering,
            ColumnRole::Static => ColumnKind::Static,
            ColumnRole::Regular => ColumnKind::Regular,
        };
        columns.push(Column {
            number: match kind {
                ColumnKind::PartitionKey | ColumnKind::Clustering => ColumnNumber::KEY,
                ColumnKind::Static | ColumnKind::Regular => number(&column.column_name)?,
            },
            name: Arc::from(column.column_name),
            ty: parse_type(&column.r#type, &resolve).map_err(|error| broken(full(), error))?,
            kind,
            position: u16::try_from(column.position).unwrap_or(0),
            order: match column.clustering_order {
                ClusteringOrder::Desc => ComponentOrder::Desc,
                ClusteringOrder::Asc | ClusteringOrder::None => ComponentOrder::Asc,
            },
        });
    }
    Ok((columns, next_column))
}

fn load_dropped(
    image: &LocalImage,
    keyspace: &str,
    table: &str,
    types: &UserTypes,
) -> Result<Vec<DroppedColumn>, LoadError> {
    let resolve = |name: &str| types.get(name).cloned();
    let key = system_schema::dropped_columns::Key {
        keyspace_name: keyspace.to_owned(),
    };
    let mut dropped = Vec::new();
    for column in system_schema::dropped_columns::rows_by_table_name(image, &key, table) {
        let column = column?;
        dropped.push(DroppedColumn {
            name: Arc::from(column.column_name),
            ty: parse_type(&column.r#type, &resolve)
                .map_err(|error| broken(format!("table {keyspace}.{table}"), error))?,
            kind: ColumnKind::Regular,
            dropped_at: column.dropped_time.0.saturating_mul(1_000),
        });
    }
    Ok(dropped)
}

fn load_tablets(
    image: &LocalImage,
    table: &Table,
    before: Option<&ClusterState>,
) -> Result<TabletMap, LoadError> {
    let key = system::tablets::Key {
        table_id: table.id.0,
    };
    let name = || format!("the tablets of {}.{}", table.keyspace, table.name);
    let (_, rows) =
        system::tablets::read(image, &key)?.ok_or_else(|| broken(name(), "there are none"))?;
    let tablets = rows
        .into_iter()
        .map(|row| Tablet {
            last_token: Token(row.last_token),
            replicas: row
                .replicas
                .into_iter()
                .map(|replica| TabletReplica {
                    host: HostId(replica.host_id),
                    shard: u32::try_from(replica.shard).unwrap_or(0),
                })
                .collect(),
        })
        .collect();
    let map = TabletMap::new(tablets).map_err(|error| broken(name(), error))?;
    // Requests compare maps by pointer, so an unchanged one stays the same.
    let same = before
        .and_then(|before| before.tablets.get(&table.id))
        .filter(|old| **old == map);
    Ok(same.cloned().unwrap_or(map))
}

fn load_spaces(image: &LocalImage, table: &Table) -> Result<Arc<[SpacePlace]>, LoadError> {
    let key = system::messina_spaces::Key {
        table_id: table.id.0,
    };
    let mut places = Vec::new();
    for row in system::messina_spaces::read(image, &key)? {
        if row.state != SpaceState::Live {
            continue;
        }
        places.push(SpacePlace {
            first: Token(row.first_token),
            last: Token(row.last_token),
            space: u32::try_from(row.space).map_err(|_| {
                broken(
                    format!("space {} of {}.{}", row.space, table.keyspace, table.name),
                    "its number does not fit 32 bits",
                )
            })?,
        });
    }
    places.sort_by_key(|place| place.first);
    Ok(places.into())
}
