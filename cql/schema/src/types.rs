//! Types of columns and fields: from text, what is allowed where, and what a changed user type drags along.

use std::collections::BTreeMap;
use std::sync::Arc;

use cql_types::{CqlType, TypeParseError, UdtType, parse_type};

use crate::error::SchemaError;

/// User types of one keyspace, by name.
pub(crate) type UserTypes = BTreeMap<Arc<str>, Arc<UdtType>>;

const NATIVE: [&str; 27] = [
    "ascii",
    "bigint",
    "blob",
    "boolean",
    "counter",
    "date",
    "decimal",
    "double",
    "duration",
    "float",
    "frozen",
    "inet",
    "int",
    "list",
    "map",
    "set",
    "smallint",
    "text",
    "time",
    "timestamp",
    "timeuuid",
    "tinyint",
    "tuple",
    "uuid",
    "varchar",
    "varint",
    "vector",
];

/// Whether `name` is the name of a type of the language.
pub(crate) fn is_native(name: &str) -> bool {
    NATIVE.contains(&name)
}

/// Reads a type and checks what holds for every column and field.
///
/// # Errors
/// Unknown types, counters, durations where values are ordered, and collections or user types
/// within collections that are not frozen.
pub(crate) fn resolve(
    text: &str,
    keyspace: &str,
    known: &UserTypes,
) -> Result<CqlType, SchemaError> {
    let ty = parse_type(text, &|name| known.get(name).cloned()).map_err(|error| match error {
        TypeParseError::Unknown { name } => {
            let candidates = known.keys().map(|name| &**name).chain(NATIVE);
            SchemaError::invalid(format!("Unknown type {keyspace}.{name}"))
                .at(&name)
                .did_you_mean(&name, candidates)
        }
        TypeParseError::NotFrozen { ref inner } => {
            let inner = inner.clone();
            not_frozen(&inner, text).at(text)
        }
        TypeParseError::Syntax { .. } | TypeParseError::TooDeep => {
            SchemaError::invalid(format!("Invalid type {text}: {error}")).at(text)
        }
    })?;
    check(&ty, keyspace, known).map_err(|error| error.at(text))?;
    Ok(ty)
}

fn not_frozen(inner: &str, outer: &str) -> SchemaError {
    SchemaError::invalid(format!(
        "Non-frozen collections and user types are not allowed inside collections: {outer}"
    ))
    .help(format!("write frozen<{inner}>"))
}

fn check(ty: &CqlType, keyspace: &str, known: &UserTypes) -> Result<(), SchemaError> {
    let inner = |part: &CqlType| {
        if part.is_multi_cell() {
            return Err(not_frozen(&part.to_string(), &ty.to_string()));
        }
        check(part, keyspace, known)
    };
    match ty {
        CqlType::Counter => Err(
            SchemaError::invalid("counter columns are not supported yet")
                .help("use bigint, and add up in the client"),
        ),
        CqlType::List { element, .. } | CqlType::Vector { element, .. } => inner(element),
        CqlType::Set { element, .. } => {
            if element.contains_duration() {
                return Err(SchemaError::invalid(format!(
                    "Durations are not allowed inside sets: {ty}"
                )));
            }
            inner(element)
        }
        CqlType::Map { key, value, .. } => {
            if key.contains_duration() {
                return Err(SchemaError::invalid(format!(
                    "Durations are not allowed as map keys: {ty}"
                )));
            }
            inner(key)?;
            inner(value)
        }
        CqlType::Tuple(parts) => parts.iter().try_for_each(inner),
        CqlType::Udt { def, .. } => match known.get(&def.name) {
            Some(current) if current == def => Ok(()),
            Some(_) | None => Err(SchemaError::invalid(format!(
                "Statement on keyspace {keyspace} cannot refer to a user type in keyspace {}; \
                 user types can only be used in the keyspace they are defined in",
                def.keyspace
            ))),
        },
        CqlType::Ascii
        | CqlType::BigInt
        | CqlType::Blob
        | CqlType::Boolean
        | CqlType::Date
        | CqlType::Decimal
        | CqlType::Double
        | CqlType::Duration
        | CqlType::Float
        | CqlType::Inet
        | CqlType::Int
        | CqlType::SmallInt
        | CqlType::Text
        | CqlType::Time
        | CqlType::Timestamp
        | CqlType::TimeUuid
        | CqlType::TinyInt
        | CqlType::Uuid
        | CqlType::Varint => Ok(()),
    }
}

/// Checks a type for a static or regular column.
pub(crate) fn check_cell_column(ty: &CqlType, column: &str) -> Result<(), SchemaError> {
    if let CqlType::Udt { def, frozen: false } = ty
        && def.fields.iter().any(|(_, field)| field.is_multi_cell())
    {
        return Err(SchemaError::invalid(format!(
            "Non-frozen UDTs with nested non-frozen collections are not supported for column {column}"
        ))
        .at(column)
        .help(format!("write frozen<{ty}>")));
    }
    Ok(())
}

/// Checks a type for a column of the primary key.
pub(crate) fn check_key_column(ty: &CqlType, column: &str) -> Result<(), SchemaError> {
    if ty.is_multi_cell() {
        let what = match ty.is_collection() {
            true => "collection",
            false => "user-defined",
        };
        return Err(SchemaError::invalid(format!(
            "Invalid non-frozen {what} type {ty} for PRIMARY KEY column '{column}'"
        ))
        .at(column)
        .help(format!("write frozen<{ty}>")));
    }
    if ty.contains_duration() {
        return Err(SchemaError::invalid(format!(
            "duration type is not supported for PRIMARY KEY column '{column}'"
        ))
        .at(column)
        .help("durations have no order"));
    }
    Ok(())
}

/// `ty` with the user types of `changed` in the places of those with their names; `None` if it uses none.
pub(crate) fn replace(ty: &CqlType, changed: &UserTypes) -> Option<CqlType> {
    let part = |inner: &Arc<CqlType>| replace(inner, changed).map(Arc::new);
    match ty {
        CqlType::List { element, frozen } => Some(CqlType::List {
            element: part(element)?,
            frozen: *frozen,
        }),
        CqlType::Set { element, frozen } => Some(CqlType::Set {
            element: part(element)?,
            frozen: *frozen,
        }),
        CqlType::Vector {
            element,
            dimensions,
        } => Some(CqlType::Vector {
            element: part(element)?,
            dimensions: *dimensions,
        }),
        CqlType::Map { key, value, frozen } => {
            let (new_key, new_value) = (part(key), part(value));
            if new_key.is_none() && new_value.is_none() {
                return None;
            }
            Some(CqlType::Map {
                key: new_key.unwrap_or_else(|| Arc::clone(key)),
                value: new_value.unwrap_or_else(|| Arc::clone(value)),
                frozen: *frozen,
            })
        }
        CqlType::Tuple(parts) => {
            let new: Vec<Option<CqlType>> =
                parts.iter().map(|inner| replace(inner, changed)).collect();
            if new.iter().all(Option::is_none) {
                return None;
            }
            let parts = parts
                .iter()
                .zip(new)
                .map(|(old, new)| new.unwrap_or_else(|| old.clone()));
            Some(CqlType::Tuple(parts.collect()))
        }
        CqlType::Udt { def, frozen } => match changed.get(&def.name) {
            Some(new) if new != def => Some(CqlType::Udt {
                def: Arc::clone(new),
                frozen: *frozen,
            }),
            Some(_) | None => None,
        },
        CqlType::Ascii
        | CqlType::BigInt
        | CqlType::Blob
        | CqlType::Boolean
        | CqlType::Counter
        | CqlType::Date
        | CqlType::Decimal
        | CqlType::Double
        | CqlType::Duration
        | CqlType::Float
        | CqlType::Inet
        | CqlType::Int
        | CqlType::SmallInt
        | CqlType::Text
        | CqlType::Time
        | CqlType::Timestamp
        | CqlType::TimeUuid
        | CqlType::TinyInt
        | CqlType::Uuid
        | CqlType::Varint => None,
    }
}

/// `ty` with tuples in the places of user types, which have the same bytes.
pub(crate) fn without_user_types(ty: &CqlType) -> CqlType {
    let part = |inner: &Arc<CqlType>| Arc::new(without_user_types(inner));
    match ty {
        CqlType::List { element, frozen } => CqlType::List {
            element: part(element),
            frozen: *frozen,
        },
        CqlType::Set { element, frozen } => CqlType::Set {
            element: part(element),
            frozen: *frozen,
        },
        CqlType::Map { key, value, frozen } => CqlType::Map {
            key: part(key),
            value: part(value),
            frozen: *frozen,
        },
        CqlType::Vector {
            element,
            dimensions,
        } => CqlType::Vector {
            element: part(element),
            dimensions: *dimensions,
        },
        CqlType::Tuple(parts) => CqlType::Tuple(parts.iter().map(without_user_types).collect()),
        CqlType::Udt { def, .. } => CqlType::Tuple(
            def.fields
                .iter()
                .map(|(_, field)| without_user_types(field).freeze())
                .collect(),
        ),
        scalar => scalar.clone(),
    }
}

/// All user types that change when `first` becomes the definition of its name, `first` included.
///
/// Ends because user types cannot contain themselves.
pub(crate) fn changed_with(first: Arc<UdtType>, known: &UserTypes) -> UserTypes {
    let mut changed: UserTypes = [(Arc::clone(&first.name), first)].into();
    loop {
        let mut grown = false;
        for (name, def) in known {
            let current = changed.get(name).unwrap_or(def);
            let new: Vec<Option<CqlType>> = current
                .fields
                .iter()
                .map(|(_, ty)| replace(ty, &changed))
                .collect();
            if new.iter().all(Option::is_none) {
                continue;
            }
            let fields = current
                .fields
                .iter()
                .zip(new)
                .map(|((field, old), new)| (Arc::clone(field), new.unwrap_or_else(|| old.clone())))
                .collect();
            let next = UdtType {
                keyspace: Arc::clone(&def.keyspace),
                name: Arc::clone(name),
                fields,
            };
            changed.insert(Arc::clone(name), Arc::new(next));
            grown = true;
        }
        if !grown {
            return changed;
        }
    }
}

/// A user type as stored: fields are names and types in CQL text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawUserType {
    /// Name.
    pub name: String,
    /// Names and types of the fields.
    pub fields: Vec<(String, String)>,
}

/// Reads stored user types of one keyspace, which may use one another, in any order.
///
/// # Errors
/// A type that uses an unknown one, or itself through others, or a text that is no type.
pub fn resolve_user_types(
    keyspace: &str,
    stored: Vec<RawUserType>,
) -> Result<BTreeMap<Arc<str>, Arc<UdtType>>, SchemaError> {
    let keyspace_name: Arc<str> = Arc::from(keyspace);
    let mut known = UserTypes::new();
    let mut waiting = stored;
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut still = Vec::new();
        let mut reason = None;
        for raw in waiting {
            let fields: Result<Vec<_>, _> = raw
                .fields
                .iter()
                .map(|(field, text)| {
                    let ty = parse_type(text, &|name| known.get(name).cloned())?;
                    Ok((Arc::from(field.as_str()), ty))
                })
                .collect();
            match fields {
                Ok(fields) => {
                    let name: Arc<str> = Arc::from(raw.name.as_str());
                    let def = UdtType {
                        keyspace: Arc::clone(&keyspace_name),
                        name: Arc::clone(&name),
                        fields,
                    };
                    known.insert(name, Arc::new(def));
                }
                Err(error) => {
                    let error: TypeParseError = error;
                    reason = Some(SchemaError::invalid(format!(
                        "user type {keyspace}.{}: {error}",
                        raw.name
                    )));
                    still.push(raw);
                }
            }
        }
        if let (true, Some(reason)) = (still.len() == before, reason) {
            return Err(reason);
        }
        waiting = still;
    }
    Ok(known)
}

/// User types in an order in which each comes after those it uses.
pub(crate) fn in_order_of_use(types: &UserTypes) -> Vec<&Arc<UdtType>> {
    let mut done: Vec<&Arc<UdtType>> = Vec::new();
    while done.len() < types.len() {
        let before = done.len();
        for def in types.values() {
            let is_done = |name: &str| done.iter().any(|other| *other.name == *name);
            if is_done(&def.name) {
                continue;
            }
            let ready = types.values().all(|other| {
                other.name == def.name
                    || is_done(&other.name)
                    || !def
                        .fields
                        .iter()
                        .any(|(_, ty)| ty.references_udt(&other.keyspace, &other.name))
            });
            if ready {
                done.push(def);
            }
        }
        if done.len() == before {
            break;
        }
    }
    done
}
