//! CREATE, ALTER and DROP TYPE.

use std::collections::BTreeMap;
use std::sync::Arc;

use cql_types::{CqlType, MAX_TYPE_DEPTH, UdtType};

use super::{Work, table_refused};
use crate::change::{AlterType, AlterTypeAction, CreateType, DropType};
use crate::delta::{ChangeKind, Delta, Diff};
use crate::error::SchemaError;
use crate::keyspace::Keyspace;
use crate::names;
use crate::table::{Column, Table};
use crate::types;

/// Most fields of a user type.
const MAX_FIELDS: usize = 32_768;

pub(super) fn create(create: &CreateType, work: &mut Work<'_>) -> Result<Delta, SchemaError> {
    let keyspace = Arc::clone(work.keyspace(&create.keyspace)?);
    let name = create.name.as_str();
    if keyspace.types.contains_key(name) {
        return match create.if_not_exists {
            true => Ok(work.nothing()),
            false => Err(SchemaError::invalid(format!(
                "A user type with name '{name}' already exists"
            ))
            .at(name)),
        };
    }
    names::check_type(name)?;
    if create.fields.len() > MAX_FIELDS {
        return Err(SchemaError::invalid(format!(
            "A user type may have at most {MAX_FIELDS} fields"
        ))
        .at(name));
    }
    let mut fields: Vec<(Arc<str>, CqlType)> = Vec::with_capacity(create.fields.len());
    for (field, ty) in &create.fields {
        if fields.iter().any(|(earlier, _)| **earlier == **field) {
            return Err(SchemaError::invalid(format!(
                "Duplicate field name '{field}' in type '{name}'"
            ))
            .at(field));
        }
        fields.push((Arc::from(field.as_str()), read_field(field, ty, &keyspace)?));
    }
    let def = Arc::new(UdtType {
        keyspace: Arc::clone(&keyspace.name),
        name: Arc::from(name),
        fields,
    });
    let version = work.proposer.version();
    let mut delta = work.replace(
        Keyspace::clone(&keyspace).with_type(Arc::clone(&def)),
        version,
    );
    Work::type_event(&mut delta, ChangeKind::Created, &def);
    delta.types.push(Diff::Created(def));
    Ok(delta)
}

fn read_field(field: &str, text: &str, keyspace: &Keyspace) -> Result<CqlType, SchemaError> {
    names::check_column(field)?;
    let ty = types::resolve(text, &keyspace.name, &keyspace.types)?;
    if let CqlType::Udt { frozen: false, .. } = ty {
        return Err(
            SchemaError::invalid("A user type cannot contain non-frozen UDTs")
                .at(field)
                .help(format!("write frozen<{ty}>")),
        );
    }
    if ty.depth() >= MAX_TYPE_DEPTH {
        return Err(
            SchemaError::invalid(format!("Types may nest at most {MAX_TYPE_DEPTH} deep")).at(field),
        );
    }
    Ok(ty)
}

pub(super) fn alter(alter: &AlterType, work: &mut Work<'_>) -> Result<Delta, SchemaError> {
    let Some(keyspace) = work.keyspace_if(&alter.keyspace, alter.if_exists)?.cloned() else {
        return Ok(work.nothing());
    };
    let Some(before) = find(&keyspace, &alter.name, alter.if_exists)? else {
        return Ok(work.nothing());
    };
    let mut def = UdtType::clone(before);
    match &alter.action {
        AlterTypeAction::Add {
            field,
            ty,
            if_not_exists,
        } => {
            add_field(&mut def, field, ty, *if_not_exists, &keyspace)?;
        }
        AlterTypeAction::Rename { fields, if_exists } => {
            for (from, to) in fields {
                rename_field(&mut def, from, to, *if_exists)?;
            }
        }
        AlterTypeAction::AlterType { field } => {
            return Err(
                SchemaError::invalid("Altering field types is no longer supported")
                    .at(field)
                    .help("add a field of the new type"),
            );
        }
    }
    if def == **before {
        return Ok(work.nothing());
    }
    change_type(&keyspace, Arc::new(def), work)
}

fn add_field(
    def: &mut UdtType,
    field: &str,
    ty: &str,
    if_not_exists: bool,
    keyspace: &Keyspace,
) -> Result<(), SchemaError> {
    let name = Arc::clone(&def.name);
    if def.field(field).is_some() {
        return match if_not_exists {
            true => Ok(()),
            false => Err(SchemaError::invalid(format!(
                "Cannot add field {field} to type {name}: a field with name {field} already exists"
            ))
            .at(field)),
        };
    }
    let ty = read_field(field, ty, keyspace)?;
    if ty.references_udt(&def.keyspace, &name) {
        return Err(SchemaError::invalid(format!(
            "Cannot add field {field} of type {ty} to type {name} as it would create a circular reference"
        ))
        .at(field));
    }
    let users = users(keyspace, def, |table| table.partition_key());
    if !users.is_empty() {
        return Err(SchemaError::invalid(format!(
            "Cannot add new field {field} of type {ty} to user type {}.{name} as the type is being used \
             in partition key columns of the following tables: {}",
            def.keyspace,
            users.join(", ")
        ))
        .at(field));
    }
    if def.fields.len() >= MAX_FIELDS {
        return Err(SchemaError::invalid(format!(
            "A user type may have at most {MAX_FIELDS} fields"
        ))
        .at(field));
    }
    def.fields.push((Arc::from(field), ty));
    Ok(())
}

fn rename_field(
    def: &mut UdtType,
    from: &str,
    to: &str,
    if_exists: bool,
) -> Result<(), SchemaError> {
    names::check_column(to)?;
    let name = Arc::clone(&def.name);
    let taken = def.field(to).is_some();
    let known: Vec<Arc<str>> = def
        .fields
        .iter()
        .map(|(field, _)| Arc::clone(field))
        .collect();
    let Some((field, _)) = def.fields.iter_mut().find(|(field, _)| **field == *from) else {
        return match if_exists {
            true => Ok(()),
            false => Err(SchemaError::invalid(format!(
                "Unrecognized field {from} in user type {name}"
            ))
            .at(from)
            .did_you_mean(from, known.iter().map(|field| &**field))),
        };
    };
    if taken {
        return Err(
            SchemaError::invalid(format!("Duplicate field name {to} in type {name}")).at(to),
        );
    }
    *field = Arc::from(to);
    Ok(())
}

/// Puts the new definition wherever the old one was: in the keyspace, in other types, in tables.
fn change_type(
    keyspace: &Keyspace,
    def: Arc<UdtType>,
    work: &mut Work<'_>,
) -> Result<Delta, SchemaError> {
    let changed = types::changed_with(Arc::clone(&def), &keyspace.types);
    let version = work.proposer.version();
    let mut next = keyspace.clone();
    let mut type_diffs = Vec::new();
    for (name, after) in &changed {
        if after
            .fields
            .iter()
            .any(|(_, ty)| ty.depth() >= MAX_TYPE_DEPTH)
        {
            return Err(SchemaError::invalid(format!(
                "Types may nest at most {MAX_TYPE_DEPTH} deep"
            ))
            .at(name));
        }
        if let Some(before) = next.types.insert(Arc::clone(name), Arc::clone(after)) {
            type_diffs.push(Diff::Updated {
                before,
                after: Arc::clone(after),
            });
        }
    }
    let mut table_diffs = Vec::new();
    for before in keyspace.tables.values() {
        let Some(after) = retyped(before, &changed)? else {
            continue;
        };
        let mut parts = after.to_parts();
        parts.version = version;
        let after = Arc::new(Table::from_parts(parts).map_err(|error| table_refused(&error))?);
        next.tables
            .insert(Arc::clone(&after.name), Arc::clone(&after));
        table_diffs.push(Diff::Updated {
            before: Arc::clone(before),
            after,
        });
    }
    let mut delta = work.replace(next, version);
    delta.types = type_diffs;
    delta.tables = table_diffs;
    Work::type_event(&mut delta, ChangeKind::Updated, &def);
    Ok(delta)
}

/// The table with the new user types; `None` if it uses none of them.
fn retyped(
    table: &Table,
    changed: &BTreeMap<Arc<str>, Arc<UdtType>>,
) -> Result<Option<Table>, SchemaError> {
    let mut parts = table.to_parts();
    let mut any = false;
    for column in &mut parts.columns {
        let Some(new) = types::replace(&column.ty, changed) else {
            continue;
        };
        column.ty = new;
        any = true;
        types::check_cell_column(&column.ty, &column.name)?;
        if column.ty.depth() > MAX_TYPE_DEPTH {
            return Err(SchemaError::invalid(format!(
                "Types may nest at most {MAX_TYPE_DEPTH} deep"
            ))
            .at(&column.name));
        }
    }
    match any {
        true => Table::from_parts(parts)
            .map(Some)
            .map_err(|error| table_refused(&error)),
        false => Ok(None),
    }
}

pub(super) fn drop_type(drop: &DropType, work: &mut Work<'_>) -> Result<Delta, SchemaError> {
    let Some(keyspace) = work.keyspace_if(&drop.keyspace, drop.if_exists)?.cloned() else {
        return Ok(work.nothing());
    };
    let Some(def) = find(&keyspace, &drop.name, drop.if_exists)? else {
        return Ok(work.nothing());
    };
    let refuse = |kind: &str, users: &[String]| {
        Err(SchemaError::invalid(format!(
            "Cannot drop user type '{}.{}' as it is still used by {kind} {}",
            def.keyspace,
            def.name,
            users.join(", ")
        ))
        .at(&def.name))
    };
    let other_types: Vec<String> = keyspace
        .types
        .values()
        .filter(|other| {
            other
                .fields
                .iter()
                .any(|(_, ty)| ty.references_udt(&def.keyspace, &def.name))
        })
        .map(|other| other.name.to_string())
        .collect();
    if !other_types.is_empty() {
        return refuse("user types", &other_types);
    }
    let tables = users(&keyspace, def, |table| table.columns());
    if !tables.is_empty() {
        return refuse("tables", &tables);
    }
    let mut next = Keyspace::clone(&keyspace);
    next.types.remove(&def.name);
    let version = work.proposer.version();
    let mut delta = work.replace(next, version);
    Work::type_event(&mut delta, ChangeKind::Dropped, def);
    delta.types.push(Diff::Dropped(Arc::clone(def)));
    Ok(delta)
}

/// Names of the tables in whose `columns` the type is used.
fn users(keyspace: &Keyspace, def: &UdtType, columns: impl Fn(&Table) -> &[Column]) -> Vec<String> {
    keyspace
        .tables
        .values()
        .filter(|table| {
            columns(table)
                .iter()
                .any(|column| column.ty.references_udt(&def.keyspace, &def.name))
        })
        .map(|table| table.name.to_string())
        .collect()
}

fn find<'a>(
    keyspace: &'a Keyspace,
    name: &str,
    if_exists: bool,
) -> Result<Option<&'a Arc<UdtType>>, SchemaError> {
    match keyspace.types.get(name) {
        None if if_exists => Ok(None),
        Some(def) => Ok(Some(def)),
        None => Err(
            SchemaError::invalid(format!("Type '{}.{name}' doesn't exist", keyspace.name))
                .at(name)
                .did_you_mean(name, keyspace.types.keys().map(|name| &**name)),
        ),
    }
}
