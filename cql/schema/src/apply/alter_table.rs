//! ALTER TABLE: ADD, DROP, RENAME, WITH.

use std::sync::Arc;

use cql_types::ComponentOrder;

use super::table::{MAX_COLUMNS, find, read_column, static_without_clustering};
use super::{Work, table_refused};
use crate::change::{AlterTable, AlterTableAction, ColumnDefinition, PropertyValue};
use crate::delta::Delta;
use crate::error::SchemaError;
use crate::keyspace::Keyspace;
use crate::names;
use crate::table::{Column, ColumnKind, ColumnNumber, DroppedColumn, Table, TableParts};
use crate::types;

pub(super) fn alter(alter: &AlterTable, work: &mut Work<'_>) -> Result<Delta, SchemaError> {
    let Some(keyspace) = work.keyspace_if(&alter.keyspace, alter.if_exists)?.cloned() else {
        return Ok(work.nothing());
    };
    let Some(table) = find(&keyspace, &alter.name, alter.if_exists)? else {
        return Ok(work.nothing());
    };
    let mut parts = table.to_parts();
    let mut warnings = Vec::new();
    match &alter.action {
        AlterTableAction::Add {
            columns,
            if_not_exists,
        } => {
            add(&mut parts, table, &keyspace, columns, *if_not_exists)?;
        }
        AlterTableAction::Drop {
            columns,
            if_exists,
            timestamp,
        } => {
            let dropped_at = timestamp.unwrap_or_else(|| work.proposer.write_time());
            drop_columns(&mut parts, table, columns, *if_exists, dropped_at)?;
        }
        AlterTableAction::Rename { columns, if_exists } => {
            rename(&mut parts, table, columns, *if_exists)?;
        }
        AlterTableAction::AlterType { column } => {
            return Err(
                SchemaError::invalid("Altering column types is no longer supported")
                    .at(column)
                    .help("add a column of the new type"),
            );
        }
        AlterTableAction::With { properties } => {
            warnings = with(&mut parts, table, properties)?;
        }
    }
    if unchanged(&parts, table) {
        return Ok(Delta {
            warnings,
            ..work.nothing()
        });
    }
    parts.version = work.proposer.version();
    let table = Table::from_parts(parts).map_err(|error| table_refused(&error))?;
    let mut delta = work.put_table(&keyspace, table);
    delta.warnings = warnings;
    Ok(delta)
}

/// Nothing to do: IF [NOT] EXISTS of single columns, or options set to what they are.
fn unchanged(parts: &TableParts, table: &Table) -> bool {
    parts.columns == table.columns()
        && parts.options == table.options
        && parts.dropped == table.dropped
}

fn add(
    parts: &mut TableParts,
    table: &Table,
    keyspace: &Keyspace,
    columns: &[ColumnDefinition],
    if_not_exists: bool,
) -> Result<(), SchemaError> {
    for definition in columns {
        let (name, ty) = read_column(definition, keyspace)?;
        if parts.columns.iter().any(|column| column.name == name) {
            match if_not_exists {
                true => continue,
                false => {
                    return Err(SchemaError::invalid(format!(
                        "Column with name '{name}' already exists"
                    ))
                    .at(&name));
                }
            }
        }
        types::check_cell_column(&ty, &name)?;
        let kind = match definition.is_static {
            true if table.clustering().is_empty() => return Err(static_without_clustering(&name)),
            true => ColumnKind::Static,
            false => ColumnKind::Regular,
        };
        if parts.columns.len() >= MAX_COLUMNS {
            return Err(SchemaError::invalid(format!(
                "A table may have at most {MAX_COLUMNS} columns"
            ))
            .at(&name));
        }
        if parts.next_column >= ColumnNumber::MAX {
            return Err(SchemaError::invalid(format!(
                "Table '{}.{}' has used up its {} column numbers",
                table.keyspace,
                table.name,
                ColumnNumber::MAX
            ))
            .at(&name)
            .help("create a new table and copy the rows"));
        }
        let number = ColumnNumber(parts.next_column);
        parts.next_column += 1;
        parts.columns.push(Column {
            name,
            ty,
            kind,
            number,
            position: 0,
            order: ComponentOrder::Asc,
        });
    }
    Ok(())
}

fn drop_columns(
    parts: &mut TableParts,
    table: &Table,
    names: &[String],
    if_exists: bool,
    dropped_at: i64,
) -> Result<(), SchemaError> {
    for name in names {
        let Some(at) = parts
            .columns
            .iter()
            .position(|column| *column.name == **name)
        else {
            match if_exists {
                true => continue,
                false => return Err(no_column(table, name)),
            }
        };
        let column = parts.columns.remove(at);
        match column.kind {
            ColumnKind::PartitionKey | ColumnKind::Clustering => {
                return Err(
                    SchemaError::invalid(format!("Cannot drop PRIMARY KEY column {name}")).at(name),
                );
            }
            ColumnKind::Static | ColumnKind::Regular => {}
        }
        parts.dropped.retain(|dropped| dropped.name != column.name);
        let Column { name, ty, kind, .. } = column;
        // The type outlives the user types in it, which may be dropped now.
        let ty = types::without_user_types(&ty);
        parts.dropped.push(DroppedColumn {
            name,
            ty,
            kind,
            dropped_at,
        });
    }
    Ok(())
}

fn rename(
    parts: &mut TableParts,
    table: &Table,
    names: &[(String, String)],
    if_exists: bool,
) -> Result<(), SchemaError> {
    for (from, to) in names {
        names::check_column(to)?;
        let taken = parts.columns.iter().any(|column| *column.name == **to);
        let Some(column) = parts
            .columns
            .iter_mut()
            .find(|column| *column.name == **from)
        else {
            match if_exists {
                true => continue,
                false => return Err(no_column(table, from)),
            }
        };
        match column.kind {
            ColumnKind::PartitionKey | ColumnKind::Clustering => {}
            ColumnKind::Static | ColumnKind::Regular => {
                return Err(SchemaError::invalid(format!(
                    "Cannot rename non PRIMARY KEY column {from}"
                ))
                .at(from));
            }
        }
        if taken {
            return Err(SchemaError::invalid(format!(
                "Cannot rename column {from} to {to} in table '{}.{}'; another column with that name already exists",
                table.keyspace, table.name
            ))
            .at(to));
        }
        column.name = Arc::from(to.as_str());
    }
    Ok(())
}

fn with(
    parts: &mut TableParts,
    table: &Table,
    properties: &[(String, PropertyValue)],
) -> Result<Vec<String>, SchemaError> {
    if properties.is_empty() {
        return Err(SchemaError::invalid(
            "ALTER TABLE WITH invoked, but no parameters found",
        ));
    }
    let altered = table.options.with(properties)?;
    if altered.id.is_some() {
        return Err(SchemaError::invalid("Cannot alter the id of a table").at("id"));
    }
    parts.options = altered.options;
    Ok(altered.warnings)
}

fn no_column(table: &Table, name: &str) -> SchemaError {
    SchemaError::invalid(format!(
        "Column {name} was not found in table '{}.{}'",
        table.keyspace, table.name
    ))
    .at(name)
    .did_you_mean(name, table.columns().iter().map(|column| &*column.name))
}
