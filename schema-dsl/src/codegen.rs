//! Rust code for the tables of a model: one module per keyspace, in it one per table, and one of declared types.
//!
//! What is generated is plain: data, structs, and functions of one line that call the shared code of
//! `system-tables`; names are CQL's, documentation is the author's.
//! The file is included into a module of a crate that has `crate::prelude` and, for types, itself.

mod prefixes;
mod readers;
mod rust_types;
mod table;
mod values;
mod writer;
mod writers;

use crate::ast::Role;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::model::{Model, Table, Type};
use crate::names;
use rust_types::RustType;
use writer::Writer;

/// The code, and complaints about what cannot be generated.
pub fn generate(model: &Model) -> (String, Vec<Diagnostic>) {
    let mut out = Writer::default();
    let mut keyspaces: Vec<&str> = model
        .tables
        .iter()
        .map(|table| table.keyspace.as_str())
        .collect();
    keyspaces.sort_unstable();
    keyspaces.dedup();

    out.line("use crate::prelude::*;");
    out.blank();
    lists(model, &mut out);
    values::module(model, &mut out);
    for keyspace in keyspaces {
        out.blank();
        let doc = model
            .keyspaces
            .iter()
            .find(|declared| declared.name == keyspace)
            .map(|declared| &declared.doc);
        match doc.filter(|doc| !doc.is_empty()) {
            Some(doc) => out.doc(doc),
            None => out.doc(&format!("The keyspace `{keyspace}`.")),
        }
        out.open(&format!("pub mod {}", names::snake(keyspace)));
        let tables = model
            .tables
            .iter()
            .filter(|table| table.keyspace == keyspace);
        for (index, described) in tables.enumerate() {
            if index > 0 {
                out.blank();
            }
            table::module(model, described, &mut out);
        }
        out.close();
    }
    let diagnostics = model
        .tables
        .iter()
        .flat_map(|table| complaints(model, table))
        .collect();
    (out.finish(), diagnostics)
}

/// Everything that exists, for those who boot a node or write documents.
fn lists(model: &Model, out: &mut Writer) {
    out.doc("All tables, in the order in which they are described.");
    out.open_with(
        &format!(
            "pub static TABLES: [&dyn AnyTable; {}] =",
            model.tables.len()
        ),
        "[",
    );
    for table in &model.tables {
        out.line(&format!(
            "&{}::{}::TABLE,",
            names::snake(&table.keyspace),
            names::snake(&table.name)
        ));
    }
    out.close_with("];");
    out.blank();
    out.doc("All keyspaces.");
    out.open_with(
        &format!(
            "pub static KEYSPACES: [KeyspaceDeclaration; {}] =",
            model.keyspaces.len()
        ),
        "[",
    );
    for keyspace in &model.keyspaces {
        out.open("KeyspaceDeclaration");
        out.line(&format!("name: {:?},", keyspace.name));
        let entries: Vec<String> = keyspace
            .replication
            .iter()
            .map(|(key, value)| format!("({key:?}, {value:?})"))
            .collect();
        out.line(&format!("replication: &[{}],", entries.join(", ")));
        out.line(&format!("durable_writes: {},", keyspace.durable_writes));
        out.close_with("},");
    }
    out.close_with("];");
    out.blank();
    out.doc("All user-defined types, each behind those that it uses.");
    out.open_with(
        &format!(
            "pub static USER_TYPES: [TypeDeclaration; {}] =",
            model.user_types.len()
        ),
        "[",
    );
    for ty in &model.user_types {
        out.open("TypeDeclaration");
        out.line(&format!(
            "keyspace: {:?},",
            ty.keyspace.as_deref().unwrap_or("")
        ));
        out.line(&format!("name: {:?},", ty.name));
        out.open_with("fields: &", "[");
        for field in &ty.fields {
            out.line(&format!(
                "({:?}, {:?}),",
                field.name,
                model.cql_type(&field.ty)
            ));
        }
        out.close_with("],");
        out.close_with("},");
    }
    out.close_with("];");
}

/// Columns and options that have no generated form.
fn complaints(model: &Model, table: &Table) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for column in table
        .columns
        .iter()
        .filter(|column| column.role != Role::Retired)
    {
        let cause = match &column.ty {
            Type::Native(crate::model::Native::Counter) => Some("a counter"),
            Type::List(..) if column.ty.is_multi_cell() => Some("a list that is not frozen"),
            Type::User { .. } if column.ty.is_multi_cell() => {
                Some("a user-defined type that is not frozen")
            }
            ty if has_unordered_key(model, ty) => {
                Some("a set or map whose keys have no total order in Rust")
            }
            _ => None,
        };
        if let Some(cause) = cause {
            let message = format!("no code is generated for `{}`: it is {cause}", column.name);
            let diagnostic = Diagnostic::error(codes::S0501, column.span, message);
            diagnostics.push(match cause {
                "a counter" => {
                    diagnostic.help("use `bigint` in tables that are written by generated code")
                }
                _ => diagnostic.help("freeze it, or use another type for the keys"),
            });
        }
    }
    for (spec, _) in &table.options.set {
        if !matches!(
            spec.name,
            "gc_grace" | "default_ttl" | "caching" | "comment"
        ) {
            let message = format!(
                "generated code ignores the option `{}` of `{}`",
                spec.name, table.name
            );
            diagnostics.push(
                Diagnostic::error(codes::S0503, table.span, message).help(
                    "leave it out: the tables of generated code have the node's own settings",
                ),
            );
        }
    }
    diagnostics
}

fn has_unordered_key(model: &Model, ty: &Type) -> bool {
    let mut found = false;
    ty.walk(&mut |inner| {
        if let Type::Set(key, _) | Type::Map(key, _, _) = inner {
            found |= !RustType::of(model, key).is_ordered();
        }
    });
    found
}
