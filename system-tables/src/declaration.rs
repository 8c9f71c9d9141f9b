//! What the generated code says of tables, types and keyspaces, and how that becomes a schema object.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use cql_schema::{Column, ColumnKind, ColumnNumber, TableOptions, TableParts, TablePartsError};
use cql_types::{ComponentOrder, CqlType, TableId, TypeParseError, UdtType, Uuid, parse_type};

/// A table as the generated code declares it.
#[derive(Clone, Copy, Debug)]
pub struct TableDeclaration {
    /// Its keyspace.
    pub keyspace: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its id, the same on all nodes and in all versions.
    pub id: Uuid,
    /// Its documentation.
    pub comment: &'static str,
    /// The version that introduced it, from 1.
    pub since: u32,
    /// Seconds for which tombstones are kept; none for the default.
    pub gc_grace_s: Option<u32>,
    /// Seconds after which its cells expire; none for never.
    pub default_ttl_s: Option<u32>,
    /// CQL's property; empty for the default.
    pub caching: &'static [(&'static str, &'static str)],
    /// The class of its partitioner; none for the usual one.
    pub partitioner: Option<&'static str>,
    /// The user-defined types of all keyspaces.
    pub user_types: &'static [TypeDeclaration],
    /// Its columns: partition key, clustering key, static, regular, retired.
    pub columns: &'static [ColumnDeclaration],
}

/// A column of a [`TableDeclaration`].
#[derive(Clone, Copy, Debug)]
pub struct ColumnDeclaration {
    name: &'static str,
    ty: &'static str,
    role: Role,
}

#[derive(Clone, Copy, Debug)]
enum Role {
    Partition,
    Clustering(ComponentOrder),
    Static(u16),
    Regular(u16),
    Retired(u16),
}

impl ColumnDeclaration {
    /// A column of the partition key.
    #[must_use]
    pub const fn partition(name: &'static str, ty: &'static str) -> Self {
        Self {
            name,
            ty,
            role: Role::Partition,
        }
    }

    /// A column of the clustering key.
    #[must_use]
    pub const fn clustering(name: &'static str, ty: &'static str, order: ComponentOrder) -> Self {
        Self {
            name,
            ty,
            role: Role::Clustering(order),
        }
    }

    /// A static column with its number.
    #[must_use]
    pub const fn of_partition(number: u16, name: &'static str, ty: &'static str) -> Self {
        Self {
            name,
            ty,
            role: Role::Static(number),
        }
    }

    /// A regular column with its number.
    #[must_use]
    pub const fn of_row(number: u16, name: &'static str, ty: &'static str) -> Self {
        Self {
            name,
            ty,
            role: Role::Regular(number),
        }
    }

    /// A column that once was; its number stays taken.
    #[must_use]
    pub const fn retired(number: u16, name: &'static str, ty: &'static str) -> Self {
        Self {
            name,
            ty,
            role: Role::Retired(number),
        }
    }

    fn number(self) -> Option<u16> {
        match self.role {
            Role::Partition | Role::Clustering(_) => None,
            Role::Static(number) | Role::Regular(number) | Role::Retired(number) => Some(number),
        }
    }
}

/// A user-defined type.
#[derive(Clone, Copy, Debug)]
pub struct TypeDeclaration {
    /// Its keyspace.
    pub keyspace: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The names and types of its fields.
    pub fields: &'static [(&'static str, &'static str)],
}

/// A keyspace.
#[derive(Clone, Copy, Debug)]
pub struct KeyspaceDeclaration {
    /// Its name.
    pub name: &'static str,
    /// CQL's replication map.
    pub replication: &'static [(&'static str, &'static str)],
    /// Are its writes logged?
    pub durable_writes: bool,
}

/// A declaration that makes no schema object: a mistake of the generator, found by a test that builds all tables.
#[derive(Clone, Debug)]
pub enum DeclarationError {
    /// A type that cannot be read.
    Type {
        /// The column or field.
        name: &'static str,
        /// Why.
        source: TypeParseError,
    },
    /// Columns that make no table.
    Columns(TablePartsError),
}

impl fmt::Display for DeclarationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { name, source } => {
                write!(f, "the type of `{name}` cannot be read: {source}")
            }
            Self::Columns(source) => write!(f, "the columns make no table: {source}"),
        }
    }
}

impl std::error::Error for DeclarationError {}

impl TableDeclaration {
    /// The schema object.
    ///
    /// # Errors
    /// [`DeclarationError`] if the generator and the schema disagree.
    pub fn build(&self) -> Result<cql_schema::Table, DeclarationError> {
        let types = user_types(self.user_types, self.keyspace)?;
        let mut columns = Vec::with_capacity(self.columns.len());
        let mut positions = [0_u16; 2];
        for column in self.columns {
            let (kind, order, key) = match column.role {
                Role::Partition => (ColumnKind::PartitionKey, ComponentOrder::Asc, Some(0)),
                Role::Clustering(order) => (ColumnKind::Clustering, order, Some(1)),
                Role::Static(_) => (ColumnKind::Static, ComponentOrder::Asc, None),
                Role::Regular(_) => (ColumnKind::Regular, ComponentOrder::Asc, None),
                Role::Retired(_) => continue,
            };
            let mut position = 0;
            if let Some(next) = key.and_then(|key: usize| positions.get_mut(key)) {
                position = *next;
                *next += 1;
            }
            columns.push(Column {
                name: Arc::from(column.name),
                ty: column_type(column.name, column.ty, &types)?,
                kind,
                number: column.number().map_or(ColumnNumber::KEY, ColumnNumber),
                position,
                order,
            });
        }
        let numbers = self.columns.iter().filter_map(|column| column.number());
        cql_schema::Table::from_parts(TableParts {
            id: TableId(self.id),
            keyspace: Arc::from(self.keyspace),
            name: Arc::from(self.name),
            version: self.id,
            columns,
            next_column: numbers.map(|number| number + 1).max().unwrap_or(0),
            dropped: Vec::new(),
            options: self.options(),
        })
        .map_err(DeclarationError::Columns)
    }

    fn options(&self) -> TableOptions {
        let mut options = TableOptions {
            comment: self.comment.to_owned(),
            ..TableOptions::default()
        };
        if let Some(seconds) = self.gc_grace_s {
            options.gc_grace_seconds = seconds;
        }
        if let Some(seconds) = self.default_ttl_s {
            options.default_time_to_live = seconds;
        }
        for (name, value) in self.caching {
            options
                .caching
                .insert((*name).to_owned(), (*value).to_owned());
        }
        options
    }
}

/// The user-defined types of a keyspace by name.
///
/// # Errors
/// [`DeclarationError::Type`] for a field whose type cannot be read.
pub fn user_types(
    declarations: &[TypeDeclaration],
    keyspace: &str,
) -> Result<BTreeMap<&'static str, Arc<UdtType>>, DeclarationError> {
    let mut types = BTreeMap::new();
    for declaration in declarations
        .iter()
        .filter(|declaration| declaration.keyspace == keyspace)
    {
        let mut fields = Vec::with_capacity(declaration.fields.len());
        for (name, ty) in declaration.fields {
            fields.push((Arc::from(*name), column_type(name, ty, &types)?));
        }
        let keyspace = Arc::from(declaration.keyspace);
        types.insert(
            declaration.name,
            Arc::new(UdtType {
                keyspace,
                name: Arc::from(declaration.name),
                fields,
            }),
        );
    }
    Ok(types)
}

fn column_type(
    name: &'static str,
    ty: &str,
    types: &BTreeMap<&'static str, Arc<UdtType>>,
) -> Result<CqlType, DeclarationError> {
    let resolve = |name: &str| types.get(name).cloned();
    parse_type(ty, &resolve).map_err(|source| DeclarationError::Type { name, source })
}
