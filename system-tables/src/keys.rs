//! Typed keys and their bytes.

use std::ops::Bound;

use cql_mutation::{ClusteringKey, PARTITION_END, PARTITION_START, Slice};
use cql_schema::{Column, Table};
use cql_types::{
    BoundKind, KeyError, PartitionKey, bound_bytes, decode_clustering, encode_clustering,
    encode_clustering_prefix, to_literal,
};

use crate::error::{TableError, TableFailure, full_name};
use crate::value::{FromCql, ToCql};

/// The columns of a partition key or of a clustering key.
pub trait KeyColumns: Sized {
    /// Writes them in order.
    fn write(&self, out: &mut KeyWriter<'_>);

    /// Reads them in order.
    ///
    /// # Errors
    /// [`TableFailure::StoredValue`] for a column that is not of its type.
    fn read(key: &mut KeyReader<'_>) -> Result<Self, TableError>;
}

/// The clustering key of a table that has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoClustering;

impl KeyColumns for NoClustering {
    fn write(&self, _out: &mut KeyWriter<'_>) {}

    fn read(_key: &mut KeyReader<'_>) -> Result<Self, TableError> {
        Ok(Self)
    }
}

/// Collects the serialized columns of a key.
pub struct KeyWriter<'a> {
    table: &'a Table,
    columns: std::slice::Iter<'a, Column>,
    values: Vec<Vec<u8>>,
    error: Option<TableError>,
}

impl<'a> KeyWriter<'a> {
    fn new(table: &'a Table, columns: &'a [Column]) -> Self {
        Self {
            table,
            columns: columns.iter(),
            values: Vec::with_capacity(columns.len()),
            error: None,
        }
    }

    /// Writes the next column. The first mistake is kept and comes out at the end.
    pub fn column(&mut self, value: &(impl ToCql + ?Sized)) {
        let Some(column) = self.columns.next() else {
            return;
        };
        let mut bytes = Vec::new();
        if let Err(source) = value.to_cql(&column.ty, &mut bytes) {
            let (table, column) = (full_name(self.table), column.name.to_string());
            self.error
                .get_or_insert(TableError::from(TableFailure::Value {
                    table,
                    column,
                    source,
                }));
        }
        self.values.push(bytes);
    }

    fn finish(self) -> Result<Vec<Vec<u8>>, TableError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.values),
        }
    }
}

/// Hands out the serialized columns of a key.
pub struct KeyReader<'a> {
    table: &'a Table,
    columns: std::slice::Iter<'a, Column>,
    values: std::vec::IntoIter<Vec<u8>>,
}

impl KeyReader<'_> {
    /// Reads the next column.
    ///
    /// # Errors
    /// [`TableFailure::StoredValue`] if it is not of its type.
    pub fn column<T: FromCql>(&mut self) -> Result<T, TableError> {
        let (Some(column), Some(bytes)) = (self.columns.next(), self.values.next()) else {
            let source = KeyError::Malformed {
                what: "it has too few columns",
            };
            return Err(TableError::from(TableFailure::StoredKey {
                table: full_name(self.table),
                key: String::new(),
                source,
            }));
        };
        T::from_cql(&column.ty, &bytes).map_err(|source| {
            TableError::from(TableFailure::StoredValue {
                table: full_name(self.table),
                key: format!("0x{}", hex(&bytes)),
                column: column.name.to_string(),
                source,
            })
        })
    }
}

fn columns(
    table: &Table,
    columns: &[Column],
    write: impl FnOnce(&mut KeyWriter<'_>),
) -> Result<Vec<Vec<u8>>, TableError> {
    let mut writer = KeyWriter::new(table, columns);
    write(&mut writer);
    writer.finish()
}

fn slices(values: &[Vec<u8>]) -> Vec<&[u8]> {
    values.iter().map(Vec::as_slice).collect()
}

fn key_error(table: &Table) -> impl FnOnce(KeyError) -> TableError {
    let table = full_name(table);
    |source| TableError::from(TableFailure::Key { table, source })
}

/// The serialized partition key.
pub(crate) fn partition_key(
    table: &Table,
    key: &impl KeyColumns,
) -> Result<PartitionKey, TableError> {
    let values = columns(table, table.partition_key(), |out| key.write(out))?;
    PartitionKey::from_components(&slices(&values)).map_err(key_error(table))
}

/// The encoded clustering key; empty for a table without clustering columns.
pub(crate) fn clustering_key(
    table: &Table,
    write: impl FnOnce(&mut KeyWriter<'_>),
) -> Result<ClusteringKey, TableError> {
    if table.clustering().is_empty() {
        return Ok(ClusteringKey::default());
    }
    let values = columns(table, table.clustering(), write)?;
    let mut encoded = Vec::new();
    encode_clustering(table.clustering_types(), &slices(&values), &mut encoded)
        .map_err(key_error(table))?;
    Ok(ClusteringKey::from(encoded))
}

/// The first columns of a clustering key, as the part of a bound.
fn clustering_prefix(
    table: &Table,
    write: impl FnOnce(&mut KeyWriter<'_>),
) -> Result<Vec<u8>, TableError> {
    let values = columns(table, table.clustering(), write)?;
    let mut encoded = Vec::new();
    encode_clustering_prefix(table.clustering_types(), &slices(&values), &mut encoded)
        .map_err(key_error(table))?;
    Ok(encoded)
}

/// All rows whose clustering key begins so.
pub(crate) fn prefix_slice(
    table: &Table,
    write: impl FnOnce(&mut KeyWriter<'_>),
) -> Result<Slice, TableError> {
    let prefix = clustering_prefix(table, write)?;
    Ok(Slice {
        start: bound_bytes(&prefix, BoundKind::StartInclusive),
        end: bound_bytes(&prefix, BoundKind::EndInclusive),
    })
}

/// All rows between two places.
pub(crate) fn range_slice<C: KeyColumns>(
    table: &Table,
    start: Bound<&C>,
    end: Bound<&C>,
) -> Result<Slice, TableError> {
    let position = |clustering: &C, kind| {
        clustering_prefix(table, |out| clustering.write(out))
            .map(|prefix| bound_bytes(&prefix, kind))
    };
    let start = match start {
        Bound::Included(clustering) => position(clustering, BoundKind::StartInclusive)?,
        Bound::Excluded(clustering) => position(clustering, BoundKind::StartExclusive)?,
        Bound::Unbounded => PARTITION_START.to_vec(),
    };
    let end = match end {
        Bound::Included(clustering) => position(clustering, BoundKind::EndInclusive)?,
        Bound::Excluded(clustering) => position(clustering, BoundKind::EndExclusive)?,
        Bound::Unbounded => PARTITION_END.to_vec(),
    };
    Ok(Slice { start, end })
}

/// A stored partition key, typed.
pub(crate) fn read_partition_key<K: KeyColumns>(
    table: &Table,
    key: &PartitionKey,
) -> Result<K, TableError> {
    let values: Vec<Vec<u8>> = key
        .components(table.partition_key().len())
        .map_err(|source| stored_key(table, key.as_bytes(), source))?
        .map(<[u8]>::to_vec)
        .collect();
    K::read(&mut KeyReader {
        table,
        columns: table.partition_key().iter(),
        values: values.into_iter(),
    })
}

/// The columns of a stored clustering key.
pub(crate) fn clustering_reader<'a>(
    table: &'a Table,
    key: &ClusteringKey,
) -> Result<KeyReader<'a>, TableError> {
    let values = match table.clustering() {
        [] => Vec::new(),
        _ => decode_clustering(table.clustering_types(), key)
            .map_err(|source| stored_key(table, key, source))?,
    };
    Ok(KeyReader {
        table,
        columns: table.clustering().iter(),
        values: values.into_iter(),
    })
}

fn stored_key(table: &Table, key: &[u8], source: KeyError) -> TableError {
    TableError::from(TableFailure::StoredKey {
        table: full_name(table),
        key: hex(key),
        source,
    })
}

/// A primary key for a person: the literals of its columns.
pub(crate) fn describe(
    table: &Table,
    key: &PartitionKey,
    clustering: Option<&ClusteringKey>,
) -> String {
    let partition = match key.components(table.partition_key().len()) {
        Ok(values) => values.map(<[u8]>::to_vec).collect(),
        Err(_) => Vec::new(),
    };
    let clustering = match clustering {
        Some(clustering) if !table.clustering().is_empty() => {
            decode_clustering(table.clustering_types(), clustering).unwrap_or_default()
        }
        Some(_) | None => Vec::new(),
    };
    let literals = |columns: &[Column], values: Vec<Vec<u8>>| {
        let literals: Vec<String> = columns
            .iter()
            .zip(values)
            .map(|(column, value)| to_literal(&column.ty, &value))
            .collect();
        literals
    };
    let mut all = literals(table.partition_key(), partition);
    all.extend(literals(table.clustering(), clustering));
    format!("({})", all.join(", "))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
