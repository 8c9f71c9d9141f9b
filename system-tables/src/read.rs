//! Reading typed rows from whatever holds partitions.

use std::borrow::Cow;
use std::ops::RangeBounds;

use cql_mutation::{ClusteringKey, PartitionUpdate, RowBuf, Slice, Slices};
use cql_types::PartitionKey;

use crate::cells::{CellReader, RowCells, StaticCells};
use crate::error::{StoreFailure, TableError, TableFailure, full_name};
use crate::home::Home;
use crate::keys::{
    KeyColumns, KeyWriter, clustering_key, clustering_reader, partition_key, prefix_slice,
    range_slice, read_partition_key,
};
use crate::table::Table;

/// Something that holds system tables: the local store, or an immutable view published by it.
///
/// # Contract
/// * A partition comes out merged from all its sources and normal ([`PartitionUpdate`]): rows ascend without
///   repeats, and nothing is in it that its own deletions shadow.
/// * Deleted and expired cells may still be in it: the accessors leave out what is not live at [`TableReader::now`].
/// * All partitions that one call hands out are of one moment: a command of group 0 is in all of them or in none.
/// * Rows outside the slices may be handed out too; the accessors leave them out.
/// * The static row comes with every read of a partition.
pub trait TableReader {
    /// The second since the epoch as of which expiring values are read; the same for the life of the reader.
    fn now(&self) -> i64;

    /// One partition; none if nothing of it is stored.
    ///
    /// # Errors
    /// The store's own failure, which becomes [`TableFailure::Store`].
    fn partition(
        &self,
        table: &cql_schema::Table,
        key: &PartitionKey,
        slices: &Slices,
    ) -> Result<Option<Cow<'_, PartitionUpdate>>, StoreFailure>;

    /// All partitions in the order of their tokens, those with equal tokens in the order of their keys.
    ///
    /// # Errors
    /// The store's own failure, which becomes [`TableFailure::Store`]; after one the iterator may end.
    fn partitions<'r>(&'r self, table: &cql_schema::Table) -> Result<Partitions<'r>, StoreFailure>;
}

/// All partitions of a table.
pub type Partitions<'r> =
    Box<dyn Iterator<Item = Result<(PartitionKey, Cow<'r, PartitionUpdate>), StoreFailure>> + 'r>;

/// A partition with its key.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition<K, S, R> {
    /// The key.
    pub key: K,
    /// What its rows share; `()` where the table has no static columns.
    pub statics: S,
    /// Its rows, in the order of their places.
    pub rows: Vec<R>,
}

impl StaticCells for () {
    fn write(&self, _cells: &mut crate::cells::CellWriter<'_>) {}

    fn read(_cells: &CellReader<'_>) -> Result<Self, TableError> {
        Ok(())
    }
}

impl<H: Home> Table<H> {
    /// Reads a row.
    ///
    /// # Errors
    /// As [`Table::scan`].
    pub fn read_row<R: RowCells>(
        &self,
        reader: &(impl TableReader + ?Sized),
        key: &impl KeyColumns,
        clustering: &impl KeyColumns,
    ) -> Result<Option<R>, TableError> {
        let clustering = clustering_key(self.schema(), |out| clustering.write(out))?;
        let slice = Slice::row(&clustering);
        self.open(reader, key, slice)?.next_row().transpose()
    }

    /// Reads all rows of a partition.
    ///
    /// # Errors
    /// As [`Table::scan`].
    pub fn read_rows<R: RowCells>(
        &self,
        reader: &(impl TableReader + ?Sized),
        key: &impl KeyColumns,
    ) -> Result<Vec<R>, TableError> {
        self.open(reader, key, Slice::all())?.all_rows()
    }

    /// Reads what the rows of a partition share.
    ///
    /// # Errors
    /// As [`Table::scan`].
    pub fn read_static<S: StaticCells>(
        &self,
        reader: &(impl TableReader + ?Sized),
        key: &impl KeyColumns,
    ) -> Result<Option<S>, TableError> {
        let opened = self.open(reader, key, Slice::all())?;
        opened.is_live().then(|| opened.statics()).transpose()
    }

    /// Reads a partition with static columns.
    ///
    /// # Errors
    /// As [`Table::scan`].
    pub fn read_partition<S: StaticCells, R: RowCells>(
        &self,
        reader: &(impl TableReader + ?Sized),
        key: &impl KeyColumns,
    ) -> Result<Option<(S, Vec<R>)>, TableError> {
        let mut opened = self.open(reader, key, Slice::all())?;
        match opened.is_live() {
            true => Ok(Some((opened.statics()?, opened.all_rows()?))),
            false => Ok(None),
        }
    }

    /// The rows between two places, decoded one by one.
    pub fn rows<'r, C: KeyColumns, R: RowCells>(
        &'static self,
        reader: &'r (impl TableReader + ?Sized),
        key: &impl KeyColumns,
        range: &impl RangeBounds<C>,
    ) -> Rows<'r, R> {
        let slice = range_slice(self.schema(), range.start_bound(), range.end_bound());
        Rows::new(slice.and_then(|slice| self.open(reader, key, slice)))
    }

    /// The rows whose clustering key begins so, decoded one by one.
    pub fn rows_by_prefix<'r, R: RowCells>(
        &'static self,
        reader: &'r (impl TableReader + ?Sized),
        key: &impl KeyColumns,
        prefix: impl FnOnce(&mut KeyWriter<'_>),
    ) -> Rows<'r, R> {
        let slice = prefix_slice(self.schema(), prefix);
        Rows::new(slice.and_then(|slice| self.open(reader, key, slice)))
    }

    /// Reads all rows of a table whose partitions have one row each.
    ///
    /// # Errors
    /// As [`Table::scan`].
    pub fn scan_rows<K: KeyColumns, R: RowCells>(
        &self,
        reader: &(impl TableReader + ?Sized),
    ) -> Result<Vec<(K, R)>, TableError> {
        let partitions = self.scan::<K, (), R>(reader)?;
        Ok(partitions
            .into_iter()
            .filter_map(|partition| Some((partition.key, partition.rows.into_iter().next()?)))
            .collect())
    }

    /// Reads all partitions.
    ///
    /// # Errors
    /// [`TableError`] if the store cannot be read or a stored key or value is not what it must be.
    pub fn scan<K: KeyColumns, S: StaticCells, R: RowCells>(
        &self,
        reader: &(impl TableReader + ?Sized),
    ) -> Result<Vec<Partition<K, S, R>>, TableError> {
        let schema = self.schema();
        let store = |source| {
            TableError::from(TableFailure::Store {
                table: full_name(schema),
                source,
            })
        };
        let mut all = Vec::new();
        for partition in reader.partitions(schema).map_err(store)? {
            let (key, update) = partition.map_err(store)?;
            let typed = read_partition_key(schema, &key)?;
            let mut opened = Opened {
                schema,
                key,
                update: Some(update),
                slice: Slice::all(),
                next: 0,
                now: reader.now(),
            };
            if opened.is_live() {
                all.push(Partition {
                    key: typed,
                    statics: opened.statics()?,
                    rows: opened.all_rows()?,
                });
            }
        }
        Ok(all)
    }

    fn open<'r>(
        &'r self,
        reader: &'r (impl TableReader + ?Sized),
        key: &impl KeyColumns,
        slice: Slice,
    ) -> Result<Opened<'r>, TableError> {
        let schema = self.schema();
        let key = partition_key(schema, key)?;
        let slices = Slices::new(vec![slice.clone()]);
        let update = reader.partition(schema, &key, &slices).map_err(|source| {
            TableError::from(TableFailure::Store {
                table: full_name(schema),
                source,
            })
        })?;
        Ok(Opened {
            schema,
            key,
            update,
            slice,
            next: 0,
            now: reader.now(),
        })
    }
}

/// A partition that is being read.
struct Opened<'r> {
    schema: &'r cql_schema::Table,
    key: PartitionKey,
    update: Option<Cow<'r, PartitionUpdate>>,
    slice: Slice,
    next: usize,
    now: i64,
}

impl Opened<'_> {
    /// The next live row inside the slice.
    fn advance(&mut self) -> Option<usize> {
        let rows = &self.update.as_ref()?.rows;
        loop {
            let index = self.next;
            let (clustering, row) = rows.get(index)?;
            self.next += 1;
            let inside = self.schema.clustering().is_empty() || self.slice.contains(clustering);
            if inside && row.as_ref().is_live(self.now) {
                return Some(index);
            }
        }
    }

    fn next_row<R: RowCells>(&mut self) -> Option<Result<R, TableError>> {
        let index = self.advance()?;
        let (clustering, row): &(ClusteringKey, RowBuf) = self.update.as_ref()?.rows.get(index)?;
        let cells = CellReader::new(
            self.schema,
            &self.key,
            Some(clustering),
            Some(row.as_ref()),
            self.now,
        );
        Some(
            clustering_reader(self.schema, clustering)
                .and_then(|mut key| R::read(&mut key, &cells)),
        )
    }

    fn all_rows<R: RowCells>(&mut self) -> Result<Vec<R>, TableError> {
        let mut rows = Vec::new();
        while let Some(row) = self.next_row() {
            rows.push(row?);
        }
        Ok(rows)
    }

    fn statics<S: StaticCells>(&self) -> Result<S, TableError> {
        let row = self
            .update
            .as_ref()
            .and_then(|update| update.static_row.as_ref());
        S::read(&CellReader::new(
            self.schema,
            &self.key,
            None,
            row.map(RowBuf::as_ref),
            self.now,
        ))
    }

    /// Has it a live row, or a live static cell?
    fn is_live(&self) -> bool {
        let Some(update) = &self.update else {
            return false;
        };
        let is_live = |row: &RowBuf| row.as_ref().is_live(self.now);
        update.static_row.as_ref().is_some_and(is_live)
            || update.rows.iter().any(|(_, row)| is_live(row))
    }
}

/// Rows of a partition in the order of their places, decoded one by one.
///
/// A failure to begin comes out as the only item.
pub struct Rows<'r, R> {
    state: Result<Opened<'r>, Option<TableError>>,
    row: std::marker::PhantomData<R>,
}

impl<'r, R> Rows<'r, R> {
    fn new(opened: Result<Opened<'r>, TableError>) -> Self {
        Self {
            state: opened.map_err(Some),
            row: std::marker::PhantomData,
        }
    }
}

impl<R: RowCells> Iterator for Rows<'_, R> {
    type Item = Result<R, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.state {
            Ok(opened) => opened.next_row(),
            Err(error) => error.take().map(Err),
        }
    }
}
