//! Which table refers to which, as a graph in the DOT language.
//!
//! CQL has no foreign keys; two things are taken for a reference: a declared type that a column uses, and a column
//! named as the whole partition key of another table of the same keyspace, with the same type (`table_id`).

use std::collections::BTreeSet;

use crate::ast::Role;
use crate::model::{Model, Table, Type};

/// Names of keys that say nothing about which table is meant.
const GENERAL_KEYS: [&str; 4] = ["key", "id", "name", "keyspace_name"];

/// The graph as text for `dot -Tsvg`.
pub fn dot(model: &Model) -> String {
    let mut out = String::from("digraph tables {\n    rankdir = LR;\n    node [shape = box];\n");
    for table in &model.tables {
        let name = table.full_name();
        out.push_str(&format!(
            "    \"{name}\" [label = \"{name}\\n{}\"];\n",
            table.home.keyword()
        ));
    }
    for enumeration in &model.enums {
        out.push_str(&format!(
            "    \"{}\" [shape = ellipse];\n",
            enumeration.name
        ));
    }
    for fields in model.tuples.iter().chain(&model.user_types) {
        out.push_str(&format!("    \"{}\" [shape = ellipse];\n", fields.name));
    }
    let mut edges = BTreeSet::new();
    for table in &model.tables {
        for column in &table.columns {
            if column.role == Role::Retired {
                continue;
            }
            column.ty.walk(&mut |ty| {
                edges.extend(
                    declared(ty).map(|target| (table.full_name(), target, column.name.clone())),
                );
            });
            for target in &model.tables {
                if refers(table, column, target) {
                    edges.insert((table.full_name(), target.full_name(), column.name.clone()));
                }
            }
        }
    }
    for fields in model.tuples.iter().chain(&model.user_types) {
        for field in &fields.fields {
            field.ty.walk(&mut |ty| {
                edges.extend(
                    declared(ty).map(|target| (fields.name.clone(), target, field.name.clone())),
                );
            });
        }
    }
    for (from, to, label) in edges {
        out.push_str(&format!(
            "    \"{from}\" -> \"{to}\" [label = \"{label}\"];\n"
        ));
    }
    out.push_str("}\n");
    out
}

fn declared(ty: &Type) -> Option<String> {
    match ty {
        Type::Record(name) | Type::Enum(name) | Type::User { name, .. } => Some(name.clone()),
        Type::Native(_) | Type::List(..) | Type::Set(..) | Type::Map(..) => None,
        Type::Tuple(_) | Type::Vector(..) | Type::Unknown => None,
    }
}

fn refers(table: &Table, column: &crate::model::Column, target: &Table) -> bool {
    let mut key = target.with_role(Role::Partition);
    let (Some(first), None) = (key.next(), key.next()) else {
        return false;
    };
    let same =
        first.name == column.name && first.ty == column.ty && table.keyspace == target.keyspace;
    let itself = table.full_name() == target.full_name() || column.role == Role::Partition;
    same && !itself && !GENERAL_KEYS.contains(&column.name.as_str())
}
