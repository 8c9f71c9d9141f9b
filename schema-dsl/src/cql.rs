//! The same tables as CQL statements: keyspaces, types, tables.

use crate::ast::Role;
use crate::check::order_word;
use crate::model::{Fields, Home, Keyspace, Model, Table};
use crate::names::{cql, cql_text};
use crate::options::OptionValue;

/// All statements, in an order in which they can be executed; a table's documentation becomes its comment.
pub fn statements(model: &Model) -> String {
    let keyspaces = model.keyspaces.iter().map(keyspace);
    let types = model.user_types.iter().map(|ty| user_type(model, ty));
    let tables = model.tables.iter().map(|described| table(model, described));
    let statements: Vec<String> = keyspaces.chain(types).chain(tables).collect();
    statements.join("\n")
}

fn keyspace(keyspace: &Keyspace) -> String {
    let durable = match keyspace.durable_writes {
        true => "",
        false => "\n    AND durable_writes = false",
    };
    format!(
        "CREATE KEYSPACE {}\n    WITH replication = {}{durable};\n",
        cql(&keyspace.name),
        map(&keyspace.replication)
    )
}

fn map<'a>(entries: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let entries: Vec<String> = entries
        .into_iter()
        .map(|(key, value)| format!("{}: {}", cql_text(key), cql_text(value)))
        .collect();
    format!("{{{}}}", entries.join(", "))
}

fn user_type(model: &Model, ty: &Fields) -> String {
    let fields: Vec<String> = ty
        .fields
        .iter()
        .map(|field| format!("    {} {}", cql(&field.name), model.cql_type(&field.ty)))
        .collect();
    let keyspace = ty.keyspace.as_deref().unwrap_or("");
    format!(
        "CREATE TYPE {}.{} (\n{}\n);\n",
        cql(keyspace),
        cql(&ty.name),
        fields.join(",\n")
    )
}

/// One table, with everything that its keyspace must have before.
fn table(model: &Model, table: &Table) -> String {
    let mut out = String::new();
    if table.home == Home::Virtual {
        out.push_str("-- a virtual table: it exists of itself\n");
    }
    out.push_str(&format!(
        "CREATE TABLE {}.{} (\n",
        cql(&table.keyspace),
        cql(&table.name)
    ));
    for role in Role::ALL {
        for column in table.with_role(role) {
            let (name, ty) = (cql(&column.name), model.cql_type(&column.ty));
            match role {
                Role::Retired => {}
                Role::Static => out.push_str(&format!("    {name} {ty} static,\n")),
                Role::Partition | Role::Clustering | Role::Regular => {
                    out.push_str(&format!("    {name} {ty},\n"))
                }
            }
        }
    }
    let names = |role| {
        table
            .with_role(role)
            .map(|column| cql(&column.name))
            .collect::<Vec<_>>()
    };
    let partition = names(Role::Partition);
    let mut key = match partition.as_slice() {
        [single] => vec![single.clone()],
        several => vec![format!("({})", several.join(", "))],
    };
    key.extend(names(Role::Clustering));
    out.push_str(&format!("    PRIMARY KEY ({})\n)", key.join(", ")));

    let properties = properties(table);
    if !properties.is_empty() {
        out.push_str(&format!(" WITH {}", properties.join("\n    AND ")));
    }
    out.push_str(";\n");
    out
}

fn properties(table: &Table) -> Vec<String> {
    let mut properties = Vec::new();
    let clustering: Vec<String> = table
        .with_role(Role::Clustering)
        .map(|column| format!("{} {}", cql(&column.name), order_word(column.order)))
        .collect();
    if !clustering.is_empty() {
        properties.push(format!("CLUSTERING ORDER BY ({})", clustering.join(", ")));
    }
    properties.push(format!("ID = {}", table.id));
    let comment = table.options.text("comment").unwrap_or(&table.doc);
    if !comment.is_empty() {
        properties.push(format!("comment = {}", cql_text(comment)));
    }
    for (spec, value) in &table.options.set {
        let value = match value {
            _ if spec.name == "comment" => continue,
            OptionValue::Number(number) => number.clone(),
            OptionValue::Text(text) => cql_text(text),
            OptionValue::Map(entries) => map(entries.iter().map(|(key, value)| (key, value))),
        };
        properties.push(format!("{} = {value}", spec.cql));
    }
    properties
}
