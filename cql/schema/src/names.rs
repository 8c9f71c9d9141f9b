//! Which names an object may have.

use crate::error::SchemaError;

/// Longest name of a keyspace, table or type.
const MAX_LETTERS: usize = 48;

/// Longest name of a column or field: what the protocol can carry.
const MAX_COLUMN_BYTES: usize = 65_535;

/// Keyspaces of the node, which no user may create.
const SYSTEM_KEYSPACES: [&str; 8] = [
    "system",
    "system_auth",
    "system_distributed",
    "system_replicated_keys",
    "system_schema",
    "system_traces",
    "system_views",
    "system_virtual_schema",
];

/// Type names that the language keeps for itself.
const RESERVED_TYPES: [&str; 6] = [
    "bitstring",
    "byte",
    "complex",
    "enum",
    "interval",
    "macaddr",
];

/// Checks the name of a new keyspace.
pub(crate) fn check_keyspace(name: &str) -> Result<(), SchemaError> {
    if SYSTEM_KEYSPACES.contains(&name) {
        return Err(
            SchemaError::unauthorized(format!("{name} keyspace is not user-modifiable.")).at(name),
        );
    }
    check("Keyspace", name)
}

/// Checks the name of a new table.
pub(crate) fn check_table(name: &str) -> Result<(), SchemaError> {
    check("Table", name)
}

fn check(what: &str, name: &str) -> Result<(), SchemaError> {
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if !plain || name.is_empty() || name.len() > MAX_LETTERS {
        return Err(SchemaError::invalid(format!(
            "{what} name must not be empty, more than {MAX_LETTERS} characters long, \
             or contain non-alphanumeric-underscore characters (got \"{name}\")"
        ))
        .at(name));
    }
    Ok(())
}

/// Checks the name of a new user type.
pub(crate) fn check_type(name: &str) -> Result<(), SchemaError> {
    if RESERVED_TYPES.contains(&name) || crate::types::is_native(name) {
        return Err(
            SchemaError::invalid(format!("Invalid (reserved) user type name {name}")).at(name),
        );
    }
    check("Type", name)
}

/// Checks the name of a new column or field.
pub(crate) fn check_column(name: &str) -> Result<(), SchemaError> {
    if name.is_empty() || name.len() > MAX_COLUMN_BYTES {
        return Err(SchemaError::invalid(format!(
            "Column and field names must have 1 to {MAX_COLUMN_BYTES} bytes"
        )));
    }
    Ok(())
}
