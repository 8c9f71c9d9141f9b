//! The text of imported items; its layout is made by the formatter.

use super::statements::{Column, Item, Table, Type, Value};
use crate::ast::Role;
use crate::model::TableId;
use crate::names::{dsl, is_plain};

pub(super) fn write(items: &[Item]) -> String {
    items.iter().map(item).collect()
}

fn item(item: &Item) -> String {
    match item {
        Item::Keyspace {
            name,
            replication,
            durable_writes,
        } => {
            let durable = if *durable_writes {
                ""
            } else {
                ", durable_writes = false"
            };
            format!(
                "keyspace {} {{ replication = {}{durable} }}\n",
                dsl(name),
                value(replication)
            )
        }
        Item::Type {
            keyspace,
            name,
            fields,
        } => {
            let fields: String = fields
                .iter()
                .map(|(name, ty)| format!("    {} {}?\n", dsl(name), type_text(ty)))
                .collect();
            format!("type {}.{} {{\n{fields}}}\n", dsl(keyspace), dsl(name))
        }
        Item::Table(table) => table_text(table),
    }
}

fn table_text(table: &Table) -> String {
    let mut out = String::new();
    for line in table.comment.lines() {
        out.push_str(&format!("/// {line}\n"));
    }
    out.push_str(&format!(
        "table {}.{} {{\n    home distributed\n",
        dsl(&table.keyspace),
        dsl(&table.name)
    ));
    let rule = TableId::of(&table.keyspace, &table.name).to_string();
    if let Some(id) = table.id.as_ref().filter(|id| **id != rule) {
        out.push_str(&format!("    id {id}\n"));
    }
    if !table.options.is_empty() {
        let options: Vec<String> = table
            .options
            .iter()
            .map(|(name, option)| format!("{name} = {}", value(option)))
            .collect();
        out.push_str(&format!("    options {{ {} }}\n", options.join(", ")));
    }
    out.push('\n');
    let named = |name: &String| table.columns.iter().find(|column| column.name == *name);
    for (names, role) in [
        (&table.partition, Role::Partition),
        (&table.clustering, Role::Clustering),
    ] {
        for column in names.iter().filter_map(named) {
            let descending =
                role == Role::Clustering && table.descending.get(&column.name) == Some(&true);
            out.push_str(&column_text(
                column,
                role,
                if descending { " desc" } else { "" },
            ));
        }
    }
    let is_key = |column: &&Column| {
        table.partition.contains(&column.name) || table.clustering.contains(&column.name)
    };
    for column in table.columns.iter().filter(|column| !is_key(column)) {
        let role = match (column.is_dropped, column.is_static) {
            (true, _) => Role::Retired,
            (false, true) => Role::Static,
            (false, false) => Role::Regular,
        };
        // Cells of a collection are never absent; counters and collections count as empty.
        let is_cells = matches!(column.ty.name.as_str(), "list" | "set" | "map");
        let mark = if is_cells || role == Role::Retired {
            ""
        } else {
            "?"
        };
        out.push_str(&column_text(column, role, mark));
    }
    out.push_str("}\n");
    out
}

fn column_text(column: &Column, role: Role, end: &str) -> String {
    format!(
        "    {} {} {}{end}\n",
        role.keyword(),
        dsl(&column.name),
        type_text(&column.ty)
    )
}

fn type_text(ty: &Type) -> String {
    let name = if ty.quoted {
        dsl(&ty.name)
    } else {
        ty.name.clone()
    };
    match ty.arguments.as_slice() {
        [] => name,
        // The language says of itself that tuples and vectors are frozen.
        [tuple] if name == "frozen" && matches!(tuple.name.as_str(), "tuple" | "vector") => {
            type_text(tuple)
        }
        arguments => {
            let arguments: Vec<String> = arguments.iter().map(type_text).collect();
            format!("{name}<{}>", arguments.join(", "))
        }
    }
}

fn value(value: &Value) -> String {
    let quoted = |text: &String| format!("\"{}\"", text.replace('"', "\"\"").replace('\n', " "));
    match value {
        Value::Word(word) => word.clone(),
        Value::Text(text) => quoted(text),
        Value::Map(entries) => {
            let key = |text: &String| {
                if is_plain(text) {
                    text.clone()
                } else {
                    quoted(text)
                }
            };
            let entries: Vec<String> = entries
                .iter()
                .map(|(name, value)| format!("{} = {}", key(name), quoted(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}
