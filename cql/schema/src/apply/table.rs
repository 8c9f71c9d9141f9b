//! CREATE and DROP TABLE.

use std::sync::Arc;

use cql_types::{ComponentOrder, CqlType};

use super::{Work, event, table_refused};
use crate::change::{ColumnDefinition, CreateTable, DropTable};
use crate::delta::{ChangeKind, ChangeTarget, Delta, Diff};
use crate::error::SchemaError;
use crate::keyspace::Keyspace;
use crate::names;
use crate::options::TableOptions;
use crate::table::{Column, ColumnKind, ColumnNumber, Table, TableParts};
use crate::types;

/// Most columns of a table at one time.
pub(super) const MAX_COLUMNS: usize = 8_192;

pub(super) fn create(create: &CreateTable, work: &mut Work<'_>) -> Result<Delta, SchemaError> {
    let keyspace = Arc::clone(work.keyspace(&create.keyspace)?);
    if keyspace.tables.contains_key(create.name.as_str()) {
        return match create.if_not_exists {
            true => Ok(work.nothing()),
            false => Err(SchemaError::table_exists(&create.keyspace, &create.name)),
        };
    }
    names::check_table(&create.name)?;
    let columns = columns(create, &keyspace)?;
    let altered = TableOptions::default().with(&create.properties)?;
    let id = match altered.id {
        Some(id) => match work.schema.table_by_id(id) {
            None => id,
            Some(other) => {
                return Err(SchemaError::invalid(format!(
                    "The id {id} belongs to table {}.{}",
                    other.keyspace, other.name
                ))
                .at("id"));
            }
        },
        None => work.proposer.table_id(),
    };
    let next_column = columns
        .iter()
        .filter(|column| column.number != ColumnNumber::KEY)
        .count();
    let table = Table::from_parts(TableParts {
        id,
        keyspace: Arc::clone(&keyspace.name),
        name: Arc::from(create.name.as_str()),
        version: work.proposer.version(),
        columns,
        next_column: u16::try_from(next_column).unwrap_or(u16::MAX),
        dropped: Vec::new(),
        options: altered.options,
    })
    .map_err(|error| table_refused(&error))?;
    let mut delta = work.put_table(&keyspace, table);
    delta.warnings = altered.warnings;
    Ok(delta)
}

/// All columns, with their kinds, positions, orders and numbers.
fn columns(create: &CreateTable, keyspace: &Keyspace) -> Result<Vec<Column>, SchemaError> {
    let table = create.name.as_str();
    if create.columns.len() > MAX_COLUMNS {
        return Err(SchemaError::invalid(format!(
            "A table may have at most {MAX_COLUMNS} columns"
        )));
    }
    check_key(create)?;
    let orders = clustering_orders(create)?;
    let mut columns: Vec<Column> = Vec::with_capacity(create.columns.len());
    let mut names: Vec<&str> = create
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    names.sort_unstable();
    if let Some([name, _]) = names
        .windows(2)
        .find(|pair| matches!(pair, [a, b] if a == b))
    {
        return Err(SchemaError::invalid(format!(
            "Duplicate column '{name}' declaration for table '{table}'"
        ))
        .at(name));
    }
    let mut next_column = 0u16;
    for definition in &create.columns {
        let (name, ty) = read_column(definition, keyspace)?;
        let position = |names: &[String]| {
            names
                .iter()
                .zip(0u16..)
                .find(|(key, _)| **key == *name)
                .map(|(_, at)| at)
        };
        let (kind, position) = if let Some(position) = position(&create.partition_key) {
            (ColumnKind::PartitionKey, position)
        } else if let Some(position) = position(&create.clustering) {
            (ColumnKind::Clustering, position)
        } else if definition.is_static {
            (ColumnKind::Static, 0)
        } else {
            (ColumnKind::Regular, 0)
        };
        let (number, order) = match kind {
            ColumnKind::PartitionKey | ColumnKind::Clustering => {
                if definition.is_static {
                    return Err(SchemaError::invalid(format!(
                        "Static column '{name}' cannot be part of the PRIMARY KEY"
                    ))
                    .at(&name));
                }
                types::check_key_column(&ty, &name)?;
                let order = orders
                    .get(usize::from(position))
                    .filter(|_| kind == ColumnKind::Clustering);
                (
                    ColumnNumber::KEY,
                    order.copied().unwrap_or(ComponentOrder::Asc),
                )
            }
            ColumnKind::Static | ColumnKind::Regular => {
                types::check_cell_column(&ty, &name)?;
                let number = ColumnNumber(next_column);
                next_column += 1;
                (number, ComponentOrder::Asc)
            }
        };
        if kind == ColumnKind::Static && create.clustering.is_empty() {
            return Err(static_without_clustering(&name));
        }
        columns.push(Column {
            name,
            ty,
            kind,
            number,
            position,
            order,
        });
    }
    Ok(columns)
}

/// Name and type of a new column.
pub(super) fn read_column(
    definition: &ColumnDefinition,
    keyspace: &Keyspace,
) -> Result<(Arc<str>, CqlType), SchemaError> {
    names::check_column(&definition.name)?;
    let ty = types::resolve(&definition.ty, &keyspace.name, &keyspace.types)?;
    Ok((Arc::from(definition.name.as_str()), ty))
}

pub(super) fn static_without_clustering(column: &str) -> SchemaError {
    SchemaError::invalid(
        "Static columns are only useful (and thus allowed) if the table has at least one clustering column",
    )
    .at(column)
}

/// Every column of the key is declared, and named once.
fn check_key(create: &CreateTable) -> Result<(), SchemaError> {
    let table = create.name.as_str();
    if create.partition_key.is_empty() {
        return Err(SchemaError::invalid(format!(
            "No PRIMARY KEY specified for table '{table}' (exactly one required)"
        ))
        .at(table));
    }
    let mut seen: Vec<&str> = Vec::new();
    for key in create.partition_key.iter().chain(&create.clustering) {
        let declared = || create.columns.iter().map(|column| column.name.as_str());
        if !declared().any(|name| name == key) {
            return Err(SchemaError::invalid(format!(
                "Unknown column '{key}' referenced in PRIMARY KEY for table '{table}'"
            ))
            .at(key)
            .did_you_mean(key, declared()));
        }
        if seen.contains(&key.as_str()) {
            return Err(SchemaError::invalid(format!(
                "Duplicate column '{key}' in PRIMARY KEY clause for table '{table}'"
            ))
            .at(key));
        }
        seen.push(key);
    }
    Ok(())
}

/// The order of each clustering column. If any is written, all are, in key order.
fn clustering_orders(create: &CreateTable) -> Result<Vec<ComponentOrder>, SchemaError> {
    if create.clustering_order.is_empty() {
        return Ok(vec![ComponentOrder::Asc; create.clustering.len()]);
    }
    let written = || create.clustering_order.iter().map(|(name, _)| name);
    if let Some(stranger) = written().find(|name| !create.clustering.contains(name)) {
        return Err(SchemaError::invalid(format!(
            "Only clustering key columns can be defined in CLUSTERING ORDER directive: {stranger} is not one"
        ))
        .at(stranger)
        .did_you_mean(stranger, create.clustering.iter().map(String::as_str)));
    }
    if !written().eq(&create.clustering) {
        return Err(SchemaError::invalid(
            "Clustering key columns must exactly match columns in CLUSTERING ORDER BY directive",
        )
        .help(format!(
            "name all of them in this order: {}",
            create.clustering.join(", ")
        )));
    }
    Ok(create
        .clustering_order
        .iter()
        .map(|(_, order)| *order)
        .collect())
}

pub(super) fn drop_table(drop: &DropTable, work: &mut Work<'_>) -> Result<Delta, SchemaError> {
    let Some(keyspace) = work.keyspace_if(&drop.keyspace, drop.if_exists)?.cloned() else {
        return Ok(work.nothing());
    };
    let Some(table) = find(&keyspace, &drop.name, drop.if_exists)? else {
        return Ok(work.nothing());
    };
    let mut next = Keyspace::clone(&keyspace);
    next.tables.remove(&table.name);
    let version = work.proposer.version();
    let mut delta = work.replace(next, version);
    delta.events.push(event(
        ChangeKind::Dropped,
        ChangeTarget::Table,
        &table.keyspace,
        Some(&table.name),
    ));
    delta.tables.push(Diff::Dropped(Arc::clone(table)));
    Ok(delta)
}

/// The table of that name; `None` if the statement says that it may be missing.
pub(super) fn find<'a>(
    keyspace: &'a Keyspace,
    name: &str,
    if_exists: bool,
) -> Result<Option<&'a Arc<Table>>, SchemaError> {
    match keyspace.tables.get(name) {
        None if if_exists => Ok(None),
        Some(table) => Ok(Some(table)),
        None => Err(SchemaError::invalid(format!(
            "Table '{}.{name}' doesn't exist",
            keyspace.name
        ))
        .at(name)
        .did_you_mean(name, keyspace.tables.keys().map(|name| &**name))),
    }
}
