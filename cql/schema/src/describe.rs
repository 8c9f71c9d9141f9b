//! Objects as the CREATE statements that make them again; what DESCRIBE answers.

use std::fmt::Write as _;

use cql_types::{ComponentOrder, UdtType, quoted};

use crate::keyspace::Keyspace;
use crate::options::OptionMap;
use crate::table::{ColumnKind, Table};
use crate::types;

/// Whether a description shows what only the cluster itself knows, as WITH INTERNALS asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Internals {
    /// Only what a user would write.
    Hide,
    /// Also the id of a table and its dropped columns.
    Show,
}

/// The statements that make a keyspace with all types and tables, in an order that works.
#[must_use]
pub fn describe_keyspace(keyspace: &Keyspace, internals: Internals) -> String {
    let mut out = describe_keyspace_only(keyspace);
    for def in types::in_order_of_use(&keyspace.types) {
        out.push_str("\n\n");
        out.push_str(&describe_type(def));
    }
    for table in keyspace.tables.values() {
        out.push_str("\n\n");
        out.push_str(&describe_table(table, internals));
    }
    out
}

/// The statement that makes an empty keyspace.
#[must_use]
pub fn describe_keyspace_only(keyspace: &Keyspace) -> String {
    let mut factors = keyspace.replication.factors();
    factors.insert(
        "class".to_owned(),
        keyspace.replication.strategy().to_owned(),
    );
    let class_first = |(key, value): (&String, &String)| format!("{}: {}", text(key), text(value));
    let class = factors
        .iter()
        .filter(|(key, _)| *key == "class")
        .map(class_first);
    let rest = factors
        .iter()
        .filter(|(key, _)| *key != "class")
        .map(class_first);
    let map = class.chain(rest).collect::<Vec<_>>().join(", ");
    let mut out = format!(
        "CREATE KEYSPACE {} WITH replication = {{{map}}}  AND durable_writes = {}",
        quoted(&keyspace.name),
        keyspace.durable_writes
    );
    if let Some(tablets) = keyspace.tablets {
        out += &format!(" AND tablets = {{'enabled': {}", tablets.enabled);
        if let Some(initial) = tablets.initial {
            out += &format!(", 'initial': {initial}");
        }
        out.push('}');
    }
    out.push(';');
    out
}

/// The statement that makes a user type.
#[must_use]
pub fn describe_type(def: &UdtType) -> String {
    let fields: Vec<String> = def
        .fields
        .iter()
        .map(|(name, ty)| format!("    {} {ty}", quoted(name)))
        .collect();
    format!(
        "CREATE TYPE {}.{} (\n{}\n);",
        quoted(&def.keyspace),
        quoted(&def.name),
        fields.join(",\n")
    )
}

/// The statement that makes a table.
#[must_use]
pub fn describe_table(table: &Table, internals: Internals) -> String {
    let mut out = format!(
        "CREATE TABLE {}.{} (\n",
        quoted(&table.keyspace),
        quoted(&table.name)
    );
    let single = table.partition_key().len() == 1 && table.clustering().is_empty();
    let mut lines: Vec<String> = table
        .columns()
        .iter()
        .map(|column| {
            let suffix = match column.kind {
                ColumnKind::PartitionKey if single => " PRIMARY KEY",
                ColumnKind::Static => " static",
                ColumnKind::PartitionKey | ColumnKind::Clustering | ColumnKind::Regular => "",
            };
            format!("    {} {}{suffix}", quoted(&column.name), column.ty)
        })
        .collect();
    if !single {
        lines.push(format!("    PRIMARY KEY ({})", primary_key(table)));
    }
    out += &lines.join(",\n");
    out.push_str("\n) WITH ");
    let mut options = options(table);
    if !table.clustering().is_empty() {
        options.insert(0, clustering_order(table));
    }
    if internals == Internals::Show {
        options.insert(0, format!("ID = {}", table.id));
    }
    out += &options.join("\n    AND ");
    out.push(';');
    if internals == Internals::Show {
        let name = format!("{}.{}", quoted(&table.keyspace), quoted(&table.name));
        for dropped in &table.dropped {
            let column = quoted(&dropped.name);
            let at = dropped.dropped_at;
            if table.column(&dropped.name).is_none() {
                let kind = if dropped.kind == ColumnKind::Static {
                    " static"
                } else {
                    ""
                };
                write!(
                    out,
                    "\nALTER TABLE {name} ADD {column} {}{kind};",
                    dropped.ty
                )
                .unwrap_or_default();
                write!(
                    out,
                    "\nALTER TABLE {name} DROP {column} USING TIMESTAMP {at};"
                )
                .unwrap_or_default();
            }
        }
    }
    out
}

fn primary_key(table: &Table) -> String {
    let names = |columns: &[crate::table::Column]| {
        columns
            .iter()
            .map(|column| quoted(&column.name).into_owned())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let partition = match table.partition_key() {
        [single] => quoted(&single.name).into_owned(),
        several => format!("({})", names(several)),
    };
    match table.clustering() {
        [] => partition,
        clustering => format!("{partition}, {}", names(clustering)),
    }
}

fn clustering_order(table: &Table) -> String {
    let orders: Vec<String> = table
        .clustering()
        .iter()
        .map(|column| {
            let word = match column.order {
                ComponentOrder::Asc => "ASC",
                ComponentOrder::Desc => "DESC",
            };
            format!("{} {word}", quoted(&column.name))
        })
        .collect();
    format!("CLUSTERING ORDER BY ({})", orders.join(", "))
}

fn options(table: &Table) -> Vec<String> {
    let options = &table.options;
    vec![
        format!(
            "bloom_filter_fp_chance = {:?}",
            options.bloom_filter_fp_chance
        ),
        format!("caching = {}", map(&options.caching)),
        format!("comment = {}", text(&options.comment)),
        format!("compaction = {}", map(&options.compaction)),
        format!("compression = {}", map(&options.compression)),
        format!("crc_check_chance = {:?}", options.crc_check_chance),
        format!("default_time_to_live = {}", options.default_time_to_live),
        format!("gc_grace_seconds = {}", options.gc_grace_seconds),
        format!("max_index_interval = {}", options.max_index_interval),
        format!(
            "memtable_flush_period_in_ms = {}",
            options.memtable_flush_period_in_ms
        ),
        format!("min_index_interval = {}", options.min_index_interval),
        format!("speculative_retry = {}", text(&options.speculative_retry)),
    ]
}

fn map(map: &OptionMap) -> String {
    let pairs: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("{}: {}", text(key), text(value)))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

fn text(content: &str) -> String {
    format!("'{}'", content.replace('\'', "''"))
}
