//! A table: columns with numbers, in a fixed order, and options.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use cql_types::{ComponentOrder, CqlType, TableId, Uuid};

use crate::options::TableOptions;

/// A table as of one schema version.
///
/// Columns are ordered: partition key, clustering key (both by position), static columns, regular
/// columns (both by name).
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Stays the same through every ALTER; a table created again has another.
    pub id: TableId,
    /// Name of the keyspace.
    pub keyspace: Arc<str>,
    /// Name, exact (not quoted).
    pub name: Arc<str>,
    /// Changes with every change of the table or of a type it uses.
    pub version: Uuid,
    /// Options.
    pub options: TableOptions,
    /// Columns that were dropped, newest of each name, by name.
    pub dropped: Vec<DroppedColumn>,
    columns: Vec<Column>,
    partition_len: usize,
    clustering_len: usize,
    static_len: usize,
    next_column: u16,
    clustering_types: Vec<(CqlType, ComponentOrder)>,
    partition_types: Vec<CqlType>,
    /// Indices into `columns`, sorted by name.
    by_name: Vec<u16>,
    /// Index into `columns` by column number; `ABSENT` for dropped ones.
    by_number: Vec<u16>,
}

const ABSENT: u16 = u16::MAX;

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Name, exact (not quoted).
    pub name: Arc<str>,
    /// Type.
    pub ty: CqlType,
    /// Role.
    pub kind: ColumnKind,
    /// Name of the column in stored rows; [`ColumnNumber::KEY`] for columns of the primary key.
    pub number: ColumnNumber,
    /// Place within the partition key or the clustering key, from 0; 0 for other columns.
    pub position: u16,
    /// Order of a clustering column; ascending for all others.
    pub order: ComponentOrder,
}

/// Role of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ColumnKind {
    /// Part of the partition key.
    PartitionKey,
    /// Part of the clustering key.
    Clustering,
    /// One value a partition.
    Static,
    /// One value a row.
    Regular,
}

impl ColumnKind {
    /// The word in `system_schema.columns.kind`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PartitionKey => "partition_key",
            Self::Clustering => "clustering",
            Self::Static => "static",
            Self::Regular => "regular",
        }
    }

    /// Reads the word of `system_schema.columns.kind`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::PartitionKey,
            Self::Clustering,
            Self::Static,
            Self::Regular,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == text)
    }
}

/// Name of a static or regular column in stored rows: unique in its table, never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnNumber(pub u16);

impl ColumnNumber {
    /// In place of a number for columns of the primary key, which live in the key.
    pub const KEY: Self = Self(u16::MAX);
    /// Numbers stop here: all columns a table ever had.
    pub const MAX: u16 = 60_000;
}

impl fmt::Display for ColumnNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A column that was dropped. Its number stays taken.
#[derive(Debug, Clone, PartialEq)]
pub struct DroppedColumn {
    /// Name it had.
    pub name: Arc<str>,
    /// Type it had.
    pub ty: CqlType,
    /// Static or regular.
    pub kind: ColumnKind,
    /// When it was dropped, µs since the epoch.
    pub dropped_at: i64,
}

/// What a [`Table`] is made of, as read back from stored rows or as written by hand.
#[derive(Debug, Clone)]
pub struct TableParts {
    /// Id.
    pub id: TableId,
    /// Name of the keyspace.
    pub keyspace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// Version.
    pub version: Uuid,
    /// Columns in any order.
    pub columns: Vec<Column>,
    /// First number never given out; above all numbers in `columns`.
    pub next_column: u16,
    /// Dropped columns.
    pub dropped: Vec<DroppedColumn>,
    /// Options.
    pub options: TableOptions,
}

/// Why columns do not make a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TablePartsError {
    /// No column of the partition key.
    NoPartitionKey,
    /// Positions of the key columns are not 0, 1, 2...
    Positions(ColumnKind),
    /// Two columns have this name.
    DuplicateName(Arc<str>),
    /// Two columns have this number.
    DuplicateNumber(ColumnNumber),
    /// A static or regular column has a number at or above `next_column`.
    NumberTooHigh(ColumnNumber),
    /// A static column in a table without clustering key.
    StaticWithoutClustering(Arc<str>),
    /// More columns than [`ColumnNumber::MAX`].
    TooManyColumns(usize),
}

impl fmt::Display for TablePartsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPartitionKey => write!(f, "the table has no partition key column"),
            Self::Positions(kind) => {
                write!(
                    f,
                    "positions of the {} columns are not 0, 1, 2 and so on",
                    kind.as_str()
                )
            }
            Self::DuplicateName(name) => write!(f, "two columns are named {name}"),
            Self::DuplicateNumber(number) => write!(f, "two columns have the number {number}"),
            Self::NumberTooHigh(number) => {
                write!(
                    f,
                    "column number {number} was never given out in this table"
                )
            }
            Self::StaticWithoutClustering(name) => {
                write!(
                    f,
                    "column {name} is static but the table has no clustering column"
                )
            }
            Self::TooManyColumns(count) => {
                write!(
                    f,
                    "the table has {count} columns, more than {}",
                    ColumnNumber::MAX
                )
            }
        }
    }
}

impl std::error::Error for TablePartsError {}

impl Table {
    /// Checks the parts and puts them in order.
    ///
    /// # Errors
    /// Says which invariant of a table the parts break.
    pub fn from_parts(parts: TableParts) -> Result<Self, TablePartsError> {
        let TableParts {
            id,
            keyspace,
            name,
            version,
            mut columns,
            next_column,
            mut dropped,
            options,
        } = parts;
        if columns.len() > usize::from(ColumnNumber::MAX) {
            return Err(TablePartsError::TooManyColumns(columns.len()));
        }
        columns.sort_by(|a, b| {
            (a.kind, a.position)
                .cmp(&(b.kind, b.position))
                .then_with(|| a.name.cmp(&b.name))
        });
        dropped.sort_by(|a, b| a.name.cmp(&b.name));
        let count = |kind| columns.iter().filter(|column| column.kind == kind).count();
        let partition_len = count(ColumnKind::PartitionKey);
        let clustering_len = count(ColumnKind::Clustering);
        let static_len = count(ColumnKind::Static);
        if partition_len == 0 {
            return Err(TablePartsError::NoPartitionKey);
        }
        let by_name = index_by_name(&columns)?;
        let by_number = index_by_number(&columns, next_column)?;
        let mut table = Self {
            id,
            keyspace,
            name,
            version,
            options,
            dropped,
            columns,
            partition_len,
            clustering_len,
            static_len,
            next_column,
            clustering_types: Vec::new(),
            partition_types: Vec::new(),
            by_name,
            by_number,
        };
        for keys in [table.partition_key(), table.clustering()] {
            if let Some((_, column)) = keys
                .iter()
                .enumerate()
                .find(|(index, column)| usize::from(column.position) != *index)
            {
                return Err(TablePartsError::Positions(column.kind));
            }
        }
        if let (0, Some(column)) = (clustering_len, table.statics().first()) {
            return Err(TablePartsError::StaticWithoutClustering(Arc::clone(
                &column.name,
            )));
        }
        table.clustering_types = table
            .clustering()
            .iter()
            .map(|column| (column.ty.clone(), column.order))
            .collect();
        table.partition_types = table
            .partition_key()
            .iter()
            .map(|column| column.ty.clone())
            .collect();
        Ok(table)
    }

    /// Takes the table apart, to change something and put it together again.
    #[must_use]
    pub fn to_parts(&self) -> TableParts {
        TableParts {
            id: self.id,
            keyspace: Arc::clone(&self.keyspace),
            name: Arc::clone(&self.name),
            version: self.version,
            columns: self.columns.clone(),
            next_column: self.next_column,
            dropped: self.dropped.clone(),
            options: self.options.clone(),
        }
    }

    /// All columns in the order of `SELECT *`.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Columns of the partition key; at least one.
    #[must_use]
    pub fn partition_key(&self) -> &[Column] {
        self.range(0..self.partition_len)
    }

    /// Columns of the clustering key; maybe none.
    #[must_use]
    pub fn clustering(&self) -> &[Column] {
        self.range(self.partition_len..self.partition_len + self.clustering_len)
    }

    /// Static columns.
    #[must_use]
    pub fn statics(&self) -> &[Column] {
        let start = self.partition_len + self.clustering_len;
        self.range(start..start + self.static_len)
    }

    /// Regular columns.
    #[must_use]
    pub fn regulars(&self) -> &[Column] {
        let start = self.partition_len + self.clustering_len + self.static_len;
        self.range(start..self.columns.len())
    }

    fn range(&self, range: Range<usize>) -> &[Column] {
        self.columns.get(range).unwrap_or_default()
    }

    /// Whether any column is static.
    #[must_use]
    pub fn has_static(&self) -> bool {
        self.static_len > 0
    }

    /// The column of that exact name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        let found =
            self.by_name
                .binary_search_by(|&index| match self.columns.get(usize::from(index)) {
                    Some(column) => (*column.name).cmp(name),
                    None => std::cmp::Ordering::Greater,
                });
        self.columns
            .get(usize::from(*self.by_name.get(found.ok()?)?))
    }

    /// The static or regular column with that number; `None` if it was dropped.
    #[must_use]
    pub fn column_by_number(&self, number: ColumnNumber) -> Option<&Column> {
        self.columns
            .get(usize::from(*self.by_number.get(usize::from(number.0))?))
    }

    /// Types of the partition key's columns.
    #[must_use]
    pub fn partition_types(&self) -> &[CqlType] {
        &self.partition_types
    }

    /// Types and orders of the clustering key's columns, as the key encoding wants them.
    #[must_use]
    pub fn clustering_types(&self) -> &[(CqlType, ComponentOrder)] {
        &self.clustering_types
    }

    /// First column number never given out.
    #[must_use]
    pub fn next_column(&self) -> u16 {
        self.next_column
    }
}

fn index_by_name(columns: &[Column]) -> Result<Vec<u16>, TablePartsError> {
    let mut named: Vec<(&Arc<str>, u16)> =
        columns.iter().map(|column| &column.name).zip(0..).collect();
    named.sort_unstable();
    for pair in named.windows(2) {
        if let [(first, _), (second, _)] = pair
            && first == second
        {
            return Err(TablePartsError::DuplicateName(Arc::clone(first)));
        }
    }
    Ok(named.into_iter().map(|(_, index)| index).collect())
}

fn index_by_number(columns: &[Column], next_column: u16) -> Result<Vec<u16>, TablePartsError> {
    let mut by_number = vec![ABSENT; usize::from(next_column)];
    for (column, index) in columns.iter().zip(0u16..) {
        match column.kind {
            ColumnKind::PartitionKey | ColumnKind::Clustering => continue,
            ColumnKind::Static | ColumnKind::Regular => {}
        }
        match by_number.get_mut(usize::from(column.number.0)) {
            None => return Err(TablePartsError::NumberTooHigh(column.number)),
            Some(slot) if *slot != ABSENT => {
                return Err(TablePartsError::DuplicateNumber(column.number));
            }
            Some(slot) => *slot = index,
        }
    }
    Ok(by_number)
}
