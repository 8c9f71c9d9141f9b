//! What a schema change did.

use std::sync::Arc;

use cql_types::UdtType;

use crate::keyspace::Keyspace;
use crate::schema::Schema;
use crate::table::Table;

/// The next schema, and how it differs from the one before.
#[derive(Debug, Clone)]
pub struct Delta {
    /// The schema after the change; the one before if nothing changed.
    pub schema: Schema,
    /// Keyspaces whose own rows change.
    pub keyspaces: Vec<Diff<Keyspace>>,
    /// User types that change, also because a type they use did.
    pub types: Vec<Diff<UdtType>>,
    /// Tables that change, also because a type they use did.
    pub tables: Vec<Diff<Table>>,
    /// What clients are told. The first one is also the answer to the statement.
    pub events: Vec<SchemaChange>,
    /// Warnings for the client that sent the statement.
    pub warnings: Vec<String>,
}

impl Delta {
    /// A delta that changes nothing, as IF EXISTS and IF NOT EXISTS give.
    pub(crate) fn nothing(schema: &Schema) -> Self {
        Self {
            schema: schema.clone(),
            keyspaces: Vec::new(),
            types: Vec::new(),
            tables: Vec::new(),
            events: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Whether nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keyspaces.is_empty() && self.types.is_empty() && self.tables.is_empty()
    }
}

/// One object before and after.
#[derive(Debug, PartialEq)]
pub enum Diff<T> {
    /// It is new.
    Created(Arc<T>),
    /// It was changed.
    Updated {
        /// As it was.
        before: Arc<T>,
        /// As it is.
        after: Arc<T>,
    },
    /// It is gone.
    Dropped(Arc<T>),
}

impl<T> Diff<T> {
    /// The object as it was; `None` if it is new.
    #[must_use]
    pub fn before(&self) -> Option<&Arc<T>> {
        match self {
            Self::Created(_) => None,
            Self::Updated { before, .. } | Self::Dropped(before) => Some(before),
        }
    }

    /// The object as it is; `None` if it is gone.
    #[must_use]
    pub fn after(&self) -> Option<&Arc<T>> {
        match self {
            Self::Created(after) | Self::Updated { after, .. } => Some(after),
            Self::Dropped(_) => None,
        }
    }
}

impl<T> Clone for Diff<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Created(after) => Self::Created(Arc::clone(after)),
            Self::Updated { before, after } => Self::Updated {
                before: Arc::clone(before),
                after: Arc::clone(after),
            },
            Self::Dropped(before) => Self::Dropped(Arc::clone(before)),
        }
    }
}

/// A schema change as clients are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaChange {
    /// What happened.
    pub change: ChangeKind,
    /// To what kind of object.
    pub target: ChangeTarget,
    /// Keyspace of the object, or the keyspace itself.
    pub keyspace: Arc<str>,
    /// Name of the table or type; `None` for a keyspace.
    pub name: Option<Arc<str>>,
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// It is new.
    Created,
    /// It was changed.
    Updated,
    /// It is gone.
    Dropped,
}

impl ChangeKind {
    /// The word in events: `CREATED`, `UPDATED`, `DROPPED`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Updated => "UPDATED",
            Self::Dropped => "DROPPED",
        }
    }
}

/// Kind of a changed object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeTarget {
    /// A keyspace.
    Keyspace,
    /// A table.
    Table,
    /// A user type.
    Type,
}

impl ChangeTarget {
    /// The word in events: `KEYSPACE`, `TABLE`, `TYPE`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keyspace => "KEYSPACE",
            Self::Table => "TABLE",
            Self::Type => "TYPE",
        }
    }
}
