//! The cells of a row or of the static row, by the numbers of their columns.

use std::collections::{BTreeMap, BTreeSet};

use cql_mutation::{CellRef, ClusteringKey, ColumnRef, Deletion, RowBuilder, RowRef};
use cql_schema::{Column, ColumnNumber, Table};
use cql_types::{CqlType, PartitionKey, ValueError};

use crate::change::Moment;
use crate::error::{TableError, TableFailure, full_name};
use crate::keys::{KeyReader, KeyWriter, describe};
use crate::value::{FromCql, ToCql, serialized};

/// What the rows of a partition share.
pub trait StaticCells: Sized {
    /// Writes all of it.
    fn write(&self, cells: &mut CellWriter<'_>);

    /// Reads all of it.
    ///
    /// # Errors
    /// [`TableFailure::Absent`], [`TableFailure::StoredValue`].
    fn read(cells: &CellReader<'_>) -> Result<Self, TableError>;
}

/// A row with its place in the partition.
pub trait RowCells: Sized {
    /// Writes its clustering columns.
    fn write_clustering(&self, out: &mut KeyWriter<'_>);

    /// Writes its other columns.
    fn write(&self, cells: &mut CellWriter<'_>);

    /// Reads all of it.
    ///
    /// # Errors
    /// [`TableFailure::Absent`], [`TableFailure::StoredValue`].
    fn read(key: &mut KeyReader<'_>, cells: &CellReader<'_>) -> Result<Self, TableError>;
}

/// What becomes of values that are absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Nothing is there that would have to be deleted.
    Skip,
    /// What may be there is deleted.
    Delete,
}

/// Writes cells into one row.
pub struct CellWriter<'a> {
    table: &'a Table,
    row: RowBuilder,
    moment: Moment,
    absent: Absent,
    scratch: Vec<u8>,
    error: Option<TableError>,
}

impl<'a> CellWriter<'a> {
    pub(crate) fn new(table: &'a Table, moment: Moment, absent: Absent) -> Self {
        Self {
            table,
            row: RowBuilder::new(),
            moment,
            absent,
            scratch: Vec::new(),
            error: None,
        }
    }

    pub(crate) fn finish(self) -> Result<RowBuilder, TableError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.row),
        }
    }

    /// Writes a value.
    pub fn value(&mut self, number: u16, value: &(impl ToCql + ?Sized)) {
        let column = column(self.table, number);
        self.scratch.clear();
        match value.to_cql(&column.ty, &mut self.scratch) {
            Ok(()) => {
                self.row
                    .cell(column.number, self.moment.cell(&self.scratch));
            }
            Err(source) => self.fail(column, source),
        }
    }

    /// Writes a value that may be absent.
    pub fn optional<T: ToCql + ?Sized>(&mut self, number: u16, value: Option<&T>) {
        match (value, self.absent) {
            (Some(value), _) => self.value(number, value),
            (None, Absent::Delete) => self.clear(number),
            (None, Absent::Skip) => {}
        }
    }

    /// Makes a value absent.
    pub fn clear(&mut self, number: u16) {
        self.row.cell(ColumnNumber(number), self.moment.tombstone());
    }

    /// Replaces a set.
    pub fn set<T: ToCql>(&mut self, number: u16, elements: &BTreeSet<T>) {
        self.replace(number);
        for element in elements {
            self.add(number, element);
        }
    }

    /// Replaces a map.
    pub fn map<K: ToCql, V: ToCql>(&mut self, number: u16, entries: &BTreeMap<K, V>) {
        self.replace(number);
        for (key, value) in entries {
            self.put(number, key, value);
        }
    }

    /// Adds an element to a set.
    pub fn add(&mut self, number: u16, element: &(impl ToCql + ?Sized)) {
        let column = column(self.table, number);
        match serialized(element, path_type(&column.ty)) {
            Ok(path) => {
                self.row
                    .element(column.number, &path, self.moment.cell(&[]));
            }
            Err(source) => self.fail(column, source),
        }
    }

    /// Puts an entry into a map.
    pub fn put(&mut self, number: u16, key: &(impl ToCql + ?Sized), value: &(impl ToCql + ?Sized)) {
        let column = column(self.table, number);
        let path = serialized(key, path_type(&column.ty));
        let value = serialized(value, value_type(&column.ty));
        match path.and_then(|path| Ok((path, value?))) {
            Ok((path, value)) => {
                self.row
                    .element(column.number, &path, self.moment.cell(&value));
            }
            Err(source) => self.fail(column, source),
        }
    }

    /// Removes an element of a set or an entry of a map.
    pub fn remove(&mut self, number: u16, path: &(impl ToCql + ?Sized)) {
        let column = column(self.table, number);
        match serialized(path, path_type(&column.ty)) {
            Ok(path) => {
                self.row
                    .element(column.number, &path, self.moment.tombstone());
            }
            Err(source) => self.fail(column, source),
        }
    }

    /// Deletes what a collection held before; what is written at the same time stays.
    fn replace(&mut self, number: u16) {
        if self.absent == Absent::Delete {
            let Deletion {
                timestamp,
                deleted_at,
            } = self.moment.deletion();
            let before = Deletion {
                timestamp: timestamp.saturating_sub(1),
                deleted_at,
            };
            self.row.collection_deletion(ColumnNumber(number), before);
        }
    }

    fn fail(&mut self, column: &Column, source: ValueError) {
        let error = TableError::from(TableFailure::Value {
            table: full_name(self.table),
            column: column.name.to_string(),
            source,
        });
        self.error.get_or_insert(error);
    }
}

/// Reads cells of one row as of one moment.
pub struct CellReader<'a> {
    table: &'a Table,
    key: &'a PartitionKey,
    clustering: Option<&'a ClusteringKey>,
    row: Option<RowRef<'a>>,
    now: i64,
}

impl<'a> CellReader<'a> {
    pub(crate) fn new(
        table: &'a Table,
        key: &'a PartitionKey,
        clustering: Option<&'a ClusteringKey>,
        row: Option<RowRef<'a>>,
        now: i64,
    ) -> Self {
        Self {
            table,
            key,
            clustering,
            row,
            now,
        }
    }

    /// Reads a value.
    ///
    /// # Errors
    /// [`TableFailure::Absent`], [`TableFailure::StoredValue`].
    pub fn value<T: FromCql>(&self, number: u16) -> Result<T, TableError> {
        self.optional(number)?.ok_or_else(|| {
            TableError::from(TableFailure::Absent {
                table: full_name(self.table),
                key: describe(self.table, self.key, self.clustering),
                column: column(self.table, number).name.to_string(),
            })
        })
    }

    /// Reads a value that may be absent.
    ///
    /// # Errors
    /// [`TableFailure::StoredValue`].
    pub fn optional<T: FromCql>(&self, number: u16) -> Result<Option<T>, TableError> {
        let column = column(self.table, number);
        match self.row.and_then(|row| row.cell(column.number)) {
            Some(ColumnRef::Simple(cell)) => cell
                .live_value(self.now)
                .map(|bytes| {
                    T::from_cql(&column.ty, bytes).map_err(|source| self.wrong(column, source))
                })
                .transpose(),
            Some(ColumnRef::Complex(_)) | None => Ok(None),
        }
    }

    /// Reads a set, which is empty if nothing is stored.
    ///
    /// # Errors
    /// [`TableFailure::StoredValue`].
    pub fn set<T: FromCql + Ord>(&self, number: u16) -> Result<BTreeSet<T>, TableError> {
        let column = column(self.table, number);
        let ty = path_type(&column.ty);
        self.elements(column)
            .map(|(path, _)| T::from_cql(ty, path).map_err(|source| self.wrong(column, source)))
            .collect()
    }

    /// Reads a map, which is empty if nothing is stored.
    ///
    /// # Errors
    /// [`TableFailure::StoredValue`].
    pub fn map<K: FromCql + Ord, V: FromCql>(
        &self,
        number: u16,
    ) -> Result<BTreeMap<K, V>, TableError> {
        let column = column(self.table, number);
        let (key_type, value_type) = (path_type(&column.ty), value_type(&column.ty));
        self.elements(column)
            .map(|(path, value)| {
                let entry = K::from_cql(key_type, path)
                    .and_then(|key| Ok((key, V::from_cql(value_type, value)?)));
                entry.map_err(|source| self.wrong(column, source))
            })
            .collect()
    }

    fn elements(&self, column: &Column) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let now = self.now;
        let complex = match self.row.and_then(|row| row.cell(column.number)) {
            Some(ColumnRef::Complex(complex)) => Some(complex),
            Some(ColumnRef::Simple(_)) | None => None,
        };
        let live = move |(path, cell): (&'a [u8], CellRef<'a>)| Some((path, cell.live_value(now)?));
        complex
            .map(|complex| complex.elements())
            .into_iter()
            .flatten()
            .filter_map(live)
    }

    fn wrong(&self, column: &Column, source: ValueError) -> TableError {
        TableError::from(TableFailure::StoredValue {
            table: full_name(self.table),
            key: describe(self.table, self.key, self.clustering),
            column: column.name.to_string(),
            source,
        })
    }
}

/// The column of a number that the generated code took from the same declaration as the schema object.
fn column(table: &Table, number: u16) -> &Column {
    match table.column_by_number(ColumnNumber(number)) {
        Some(column) => column,
        None => panic!(
            "{} has no column with the number {number}",
            full_name(table)
        ),
    }
}

/// The type of the paths of elements.
fn path_type(ty: &CqlType) -> &CqlType {
    match ty {
        CqlType::Set { element, .. } => element,
        CqlType::Map { key, .. } => key,
        other => other,
    }
}

/// The type of the values of entries.
fn value_type(ty: &CqlType) -> &CqlType {
    match ty {
        CqlType::Map { value, .. } => value,
        other => other,
    }
}
