//! What can go wrong with a system table, in terms of its table, key and column.

use std::fmt;

use cql_types::{KeyError, ValueError};

/// Whatever made a store fail.
pub type StoreFailure = Box<dyn std::error::Error + Send + Sync>;

/// A system table cannot be read, holds what it must not, or cannot take a value.
#[derive(Debug)]
pub struct TableError(Box<TableFailure>);

impl TableError {
    /// What is wrong.
    #[must_use]
    pub fn failure(&self) -> &TableFailure {
        &self.0
    }
}

impl From<TableFailure> for TableError {
    fn from(failure: TableFailure) -> Self {
        Self(Box::new(failure))
    }
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for TableError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

/// What is wrong with a system table: the inside of a [`TableError`].
#[derive(Debug)]
pub enum TableFailure {
    /// The store below failed. Nothing is known of the data; reading again may succeed.
    Store {
        /// `keyspace.table`
        table: String,
        /// What the store says.
        source: StoreFailure,
    },
    /// A stored key is not one of this table: the store is damaged, or was written by a newer version.
    StoredKey {
        /// `keyspace.table`
        table: String,
        /// The key as hexadecimal digits.
        key: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A stored value is not of its type or no value of its enum: the store is damaged, or was written by a newer
    /// version.
    StoredValue {
        /// `keyspace.table`
        table: String,
        /// The primary key as CQL literals.
        key: String,
        /// The column.
        column: String,
        /// What is wrong with it.
        source: ValueError,
    },
    /// A mandatory value is absent: whoever wrote the row wrote only a part of it.
    Absent {
        /// `keyspace.table`
        table: String,
        /// The primary key as CQL literals.
        key: String,
        /// The column.
        column: String,
    },
    /// A key cannot be written, most often because it is too long. Nothing was changed.
    Key {
        /// `keyspace.table`
        table: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A value cannot be written. Nothing was changed.
    Value {
        /// `keyspace.table`
        table: String,
        /// The column.
        column: String,
        /// What is wrong with it.
        source: ValueError,
    },
}

impl fmt::Display for TableFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store { table, source } => write!(f, "cannot read {table}: {source}"),
            Self::StoredKey { table, key, source } => {
                write!(
                    f,
                    "{table} holds the key 0x{key}, which is none of its keys: {source}"
                )
            }
            Self::StoredValue {
                table,
                key,
                column,
                source,
            } => {
                write!(
                    f,
                    "{table}, key {key}: the value of {column} cannot be read: {source}"
                )
            }
            Self::Absent { table, key, column } => {
                write!(
                    f,
                    "{table}, key {key}: {column} has no value, but must have one; write the row again"
                )
            }
            Self::Key { table, source } => write!(f, "cannot write to {table}: {source}"),
            Self::Value {
                table,
                column,
                source,
            } => write!(f, "cannot write {column} of {table}: {source}"),
        }
    }
}

impl std::error::Error for TableFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store { source, .. } => Some(source.as_ref()),
            Self::StoredKey { source, .. } | Self::Key { source, .. } => Some(source),
            Self::StoredValue { source, .. } | Self::Value { source, .. } => Some(source),
            Self::Absent { .. } => None,
        }
    }
}

/// `keyspace.table`
pub(crate) fn full_name(table: &cql_schema::Table) -> String {
    format!("{}.{}", table.keyspace, table.name)
}
