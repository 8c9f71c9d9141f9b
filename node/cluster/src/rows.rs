//! From a change of the schema to rows of the tables that keep it.
//!
//! An object that was created or altered is written whole, over what was there; what it no longer has is deleted row by row.
//! A dropped object loses its rows by deletions of the same write time, which only grows from change to change.

use std::collections::{BTreeMap, BTreeSet};

use cql_schema::{Column, ColumnKind, Delta, Diff, Keyspace, Table};
use cql_types::{ComponentOrder, UdtType, WriteTime};
use system_tables::types::{ClusteringOrder, ColumnRole};
use system_tables::{Change, Group0, Timestamp, system, system_schema};

/// The rows that make a delta lasting.
pub fn rows_of_delta(delta: &Delta, at: WriteTime) -> Change<Group0> {
    let mut change = Change::new();
    for diff in &delta.keyspaces {
        change.add(keyspace_rows(diff, at));
    }
    for diff in &delta.types {
        change.add(type_rows(diff, at));
    }
    for diff in &delta.tables {
        change.add(table_rows(diff, at));
    }
    change
}

/// The rows of a keyspace and everything in it, such as one of the node's own.
pub fn rows_of_keyspace(keyspace: &Keyspace, at: WriteTime) -> Change<Group0> {
    let mut change = keyspace_row(keyspace, at);
    for ty in keyspace.types.values() {
        change.add(type_row(ty, at));
    }
    for table in keyspace.tables.values() {
        change.add(table_row(table, at));
    }
    change
}

fn keyspace_rows(diff: &Diff<Keyspace>, at: WriteTime) -> Change<Group0> {
    match diff.after() {
        Some(after) => keyspace_row(after, at),
        None => diff
            .before()
            .map(|before| drop_keyspace(&before.name, at))
            .unwrap_or_default(),
    }
}

fn keyspace_row(keyspace: &Keyspace, at: WriteTime) -> Change<Group0> {
    let key = system_schema::keyspaces::Key {
        keyspace_name: keyspace.name.to_string(),
    };
    let row = system_schema::keyspaces::Row {
        durable_writes: keyspace.durable_writes,
        next_replication: None,
        replication: keyspace.replication.to_map(),
        replication_v2: None,
    };
    let mut change = system_schema::keyspaces::upsert(&key, &row, at);
    let scylla = system_schema::scylla_keyspaces::Key {
        keyspace_name: keyspace.name.to_string(),
    };
    if let Some(tablets) = keyspace.tablets.filter(|tablets| tablets.enabled) {
        let initial = tablets.initial.and_then(|count| i32::try_from(count).ok());
        change.add(system_schema::scylla_keyspaces::set_initial_tablets(
            &scylla,
            initial.unwrap_or(0),
            at,
        ));
    }
    change
}

/// One deletion of each partition that carries the keyspace's name; tables drop their own rows elsewhere.
fn drop_keyspace(name: &str, at: WriteTime) -> Change<Group0> {
    let keyspace_name = name.to_owned();
    macro_rules! delete {
        ($($table:ident),*) => {{
            let mut change = Change::new();
            $(
                let key = system_schema::$table::Key { keyspace_name: keyspace_name.clone() };
                change.add(system_schema::$table::delete_partition(&key, at));
            )*
            change
        }};
    }
    delete!(
        keyspaces,
        scylla_keyspaces,
        tables,
        scylla_tables,
        columns,
        dropped_columns,
        types
    )
}

fn type_rows(diff: &Diff<UdtType>, at: WriteTime) -> Change<Group0> {
    match (diff.before(), diff.after()) {
        (_, Some(after)) => type_row(after, at),
        (Some(before), None) => {
            let key = system_schema::types::Key {
                keyspace_name: before.keyspace.to_string(),
            };
            let clustering = system_schema::types::Clustering {
                type_name: before.name.to_string(),
            };
            system_schema::types::delete_row(&key, &clustering, at)
        }
        (None, None) => Change::new(),
    }
}

fn type_row(ty: &UdtType, at: WriteTime) -> Change<Group0> {
    let key = system_schema::types::Key {
        keyspace_name: ty.keyspace.to_string(),
    };
    let row = system_schema::types::Row {
        type_name: ty.name.to_string(),
        field_names: ty.fields.iter().map(|(name, _)| name.to_string()).collect(),
        field_types: ty.fields.iter().map(|(_, ty)| ty.to_string()).collect(),
    };
    system_schema::types::upsert(&key, &row, at)
}

fn table_rows(diff: &Diff<Table>, at: WriteTime) -> Change<Group0> {
    let mut change = Change::new();
    if let Some(before) = diff.before() {
        let kept: BTreeSet<&str> = diff
            .after()
            .iter()
            .flat_map(|after| after.columns())
            .map(|column| &*column.name)
            .collect();
        for column in before.columns() {
            if !kept.contains(&*column.name) {
                let (key, clustering) = column_place(before, &column.name);
                change.add(system_schema::columns::delete_row(&key, &clustering, at));
            }
        }
        if diff.after().is_none() {
            change.add(drop_table(before, at));
        }
    }
    if let Some(after) = diff.after() {
        change.add(table_row(after, at));
    }
    change
}

fn column_place(
    table: &Table,
    column: &str,
) -> (
    system_schema::columns::Key,
    system_schema::columns::Clustering,
) {
    (
        system_schema::columns::Key {
            keyspace_name: table.keyspace.to_string(),
        },
        system_schema::columns::Clustering {
            table_name: table.name.to_string(),
            column_name: column.to_owned(),
        },
    )
}

fn drop_table(table: &Table, at: WriteTime) -> Change<Group0> {
    let keyspace_name = table.keyspace.to_string();
    let table_name = table.name.to_string();
    let mut change = system_schema::tables::delete_row(
        &system_schema::tables::Key {
            keyspace_name: keyspace_name.clone(),
        },
        &system_schema::tables::Clustering {
            table_name: table_name.clone(),
        },
        at,
    );
    change.add(system_schema::scylla_tables::delete_row(
        &system_schema::scylla_tables::Key {
            keyspace_name: keyspace_name.clone(),
        },
        &system_schema::scylla_tables::Clustering {
            table_name: table_name.clone(),
        },
        at,
    ));
    for dropped in &table.dropped {
        change.add(system_schema::dropped_columns::delete_row(
            &system_schema::dropped_columns::Key {
                keyspace_name: keyspace_name.clone(),
            },
            &system_schema::dropped_columns::Clustering {
                table_name: table_name.clone(),
                column_name: dropped.name.to_string(),
            },
            at,
        ));
    }
    change.add(system::messina_columns::delete_partition(
        &system::messina_columns::Key {
            keyspace_name,
            table_name,
        },
        at,
    ));
    change.add(system::tablets::delete_partition(
        &system::tablets::Key {
            table_id: table.id.0,
        },
        at,
    ));
    change
}

fn table_row(table: &Table, at: WriteTime) -> Change<Group0> {
    let keyspace_name = table.keyspace.to_string();
    let options = &table.options;
    let int = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    let key = system_schema::tables::Key {
        keyspace_name: keyspace_name.clone(),
    };
    let row = system_schema::tables::Row {
        table_name: table.name.to_string(),
        bloom_filter_fp_chance: options.bloom_filter_fp_chance,
        caching: options.caching.clone(),
        comment: options.comment.clone(),
        compaction: options.compaction.clone(),
        compression: options.compression.clone(),
        crc_check_chance: options.crc_check_chance,
        dclocal_read_repair_chance: Some(0.0),
        default_time_to_live: int(options.default_time_to_live),
        extensions: BTreeMap::new(),
        flags: BTreeSet::from(["compound".to_owned()]),
        gc_grace_seconds: int(options.gc_grace_seconds),
        id: table.id.0,
        max_index_interval: int(options.max_index_interval),
        memtable_flush_period_in_ms: int(options.memtable_flush_period_in_ms),
        min_index_interval: int(options.min_index_interval),
        read_repair_chance: Some(0.0),
        speculative_retry: options.speculative_retry.clone(),
    };
    let mut change = system_schema::tables::upsert(&key, &row, at);
    let scylla_key = system_schema::scylla_tables::Key {
        keyspace_name: keyspace_name.clone(),
    };
    let scylla_place = system_schema::scylla_tables::Clustering {
        table_name: table.name.to_string(),
    };
    change.add(system_schema::scylla_tables::set_version(
        &scylla_key,
        &scylla_place,
        table.version,
        at,
    ));
    change.add(system_schema::scylla_tables::set_committed_by_group0(
        &scylla_key,
        &scylla_place,
        true,
        at,
    ));
    for column in table.columns() {
        change.add(column_row(table, column, at));
    }
    for dropped in &table.dropped {
        let key = system_schema::dropped_columns::Key {
            keyspace_name: keyspace_name.clone(),
        };
        let row = system_schema::dropped_columns::Row {
            table_name: table.name.to_string(),
            column_name: dropped.name.to_string(),
            dropped_time: Timestamp(dropped.dropped_at.div_euclid(1_000)),
            r#type: dropped.ty.to_string(),
        };
        change.add(system_schema::dropped_columns::upsert(&key, &row, at));
    }
    change.add(number_rows(table, at));
    change
}

/// What tables of columns say of a column's part in the key.
pub(crate) struct ColumnPart {
    pub(crate) role: ColumnRole,
    pub(crate) order: ClusteringOrder,
    pub(crate) position: i32,
}

impl ColumnPart {
    pub(crate) fn of(column: &Column) -> Self {
        let position = i32::from(column.position);
        let (role, order, position) = match (column.kind, column.order) {
            (ColumnKind::PartitionKey, _) => {
                (ColumnRole::PartitionKey, ClusteringOrder::None, position)
            }
            (ColumnKind::Clustering, ComponentOrder::Asc) => {
                (ColumnRole::Clustering, ClusteringOrder::Asc, position)
            }
            (ColumnKind::Clustering, ComponentOrder::Desc) => {
                (ColumnRole::Clustering, ClusteringOrder::Desc, position)
            }
            (ColumnKind::Static, _) => (ColumnRole::Static, ClusteringOrder::None, -1),
            (ColumnKind::Regular, _) => (ColumnRole::Regular, ClusteringOrder::None, -1),
        };
        Self {
            role,
            order,
            position,
        }
    }
}

fn column_row(table: &Table, column: &Column, at: WriteTime) -> Change<Group0> {
    let (key, names) = column_place(table, &column.name);
    let part = ColumnPart::of(column);
    let row = system_schema::columns::Row {
        table_name: names.table_name,
        column_name: names.column_name,
        clustering_order: part.order,
        column_name_bytes: column.name.as_bytes().to_vec(),
        kind: part.role,
        position: part.position,
        r#type: column.ty.to_string(),
    };
    system_schema::columns::upsert(&key, &row, at)
}

/// The numbers under which columns are stored: those in use; the next one says which were given before.
fn number_rows(table: &Table, at: WriteTime) -> Change<Group0> {
    let key = system::messina_columns::Key {
        keyspace_name: table.keyspace.to_string(),
        table_name: table.name.to_string(),
    };
    let mut change =
        system::messina_columns::set_next_number(&key, i32::from(table.next_column()), at);
    let mut used = BTreeMap::new();
    for column in table.statics().iter().chain(table.regulars()) {
        used.insert(column.number.0, column.name.to_string());
    }
    for number in 0..table.next_column() {
        let place = system::messina_columns::Clustering {
            number: i32::from(number),
        };
        match used.remove(&number) {
            Some(column_name) => {
                let row = system::messina_columns::Row {
                    number: i32::from(number),
                    column_name,
                    retired: false,
                };
                change.add(system::messina_columns::upsert(&key, &row, at));
            }
            None => {
                change.add(system::messina_columns::set_retired(&key, &place, true, at));
            }
        }
    }
    change
}
