//! What the generated writers call.

use std::ops::RangeBounds;

use cql_mutation::{Mutation, PartitionUpdateBuilder, RangeTombstone, RowBuilder, Slice};

use crate::cells::{Absent, CellWriter, RowCells, StaticCells};
use crate::change::{Change, Moment, Stamp};
use crate::error::TableError;
use crate::home::Home;
use crate::keys::{
    KeyColumns, KeyWriter, clustering_key, partition_key, prefix_slice, range_slice,
};
use crate::table::Table;

impl<H: Home> Table<H> {
    /// Writes a row; absent values are not written.
    pub fn insert(
        &self,
        key: &impl KeyColumns,
        row: &impl RowCells,
        at: impl Into<Stamp>,
    ) -> Change<H> {
        self.put_row(key, row, at.into(), Absent::Skip)
    }

    /// Writes a row; absent values are deleted.
    pub fn upsert(
        &self,
        key: &impl KeyColumns,
        row: &impl RowCells,
        at: impl Into<Stamp>,
    ) -> Change<H> {
        self.put_row(key, row, at.into(), Absent::Delete)
    }

    fn put_row(
        &self,
        key: &impl KeyColumns,
        row: &impl RowCells,
        stamp: Stamp,
        absent: Absent,
    ) -> Change<H> {
        self.change(key, stamp, |moment, update| {
            let clustering = clustering_key(self.schema(), |out| row.write_clustering(out))?;
            let mut cells = CellWriter::new(self.schema(), moment, absent);
            row.write(&mut cells);
            let mut builder = cells.finish()?;
            builder.liveness(moment.liveness());
            update.row(clustering, builder.finish());
            Ok(())
        })
    }

    /// Writes what the rows of a partition share; absent values are deleted.
    pub fn upsert_static(
        &self,
        key: &impl KeyColumns,
        values: &impl StaticCells,
        at: impl Into<Stamp>,
    ) -> Change<H> {
        self.update_static(key, at, |cells| values.write(cells))
    }

    /// Writes some static cells.
    pub fn update_static(
        &self,
        key: &impl KeyColumns,
        at: impl Into<Stamp>,
        write: impl FnOnce(&mut CellWriter<'_>),
    ) -> Change<H> {
        self.change(key, at.into(), |moment, update| {
            let mut cells = CellWriter::new(self.schema(), moment, Absent::Delete);
            write(&mut cells);
            update.static_row(cells.finish()?.finish());
            Ok(())
        })
    }

    /// Writes some cells of a row.
    pub fn update(
        &self,
        key: &impl KeyColumns,
        clustering: &impl KeyColumns,
        at: impl Into<Stamp>,
        write: impl FnOnce(&mut CellWriter<'_>),
    ) -> Change<H> {
        self.change(key, at.into(), |moment, update| {
            let clustering = clustering_key(self.schema(), |out| clustering.write(out))?;
            let mut cells = CellWriter::new(self.schema(), moment, Absent::Delete);
            write(&mut cells);
            update.row(clustering, cells.finish()?.finish());
            Ok(())
        })
    }

    /// Deletes a row.
    pub fn delete_row(
        &self,
        key: &impl KeyColumns,
        clustering: &impl KeyColumns,
        at: impl Into<Stamp>,
    ) -> Change<H> {
        self.change(key, at.into(), |moment, update| {
            let clustering = clustering_key(self.schema(), |out| clustering.write(out))?;
            let mut builder = RowBuilder::new();
            builder.delete_row(moment.deletion());
            update.row(clustering, builder.finish());
            Ok(())
        })
    }

    /// Deletes the rows between two places.
    pub fn delete_range<C: KeyColumns>(
        &self,
        key: &impl KeyColumns,
        range: &impl RangeBounds<C>,
        at: impl Into<Stamp>,
    ) -> Change<H> {
        self.change(key, at.into(), |moment, update| {
            let slice = range_slice(self.schema(), range.start_bound(), range.end_bound())?;
            delete_slice(slice, moment, update);
            Ok(())
        })
    }

    /// Deletes the rows whose clustering key begins so.
    pub fn delete_prefix(
        &self,
        key: &impl KeyColumns,
        prefix: impl FnOnce(&mut KeyWriter<'_>),
        at: impl Into<Stamp>,
    ) -> Change<H> {
        self.change(key, at.into(), |moment, update| {
            delete_slice(prefix_slice(self.schema(), prefix)?, moment, update);
            Ok(())
        })
    }

    /// Deletes a partition.
    pub fn delete_partition(&self, key: &impl KeyColumns, at: impl Into<Stamp>) -> Change<H> {
        self.change(key, at.into(), |moment, update| {
            update.delete_partition(moment.deletion());
            Ok(())
        })
    }

    /// A change to one partition.
    fn change(
        &self,
        key: &impl KeyColumns,
        stamp: Stamp,
        write: impl FnOnce(Moment, &mut PartitionUpdateBuilder) -> Result<(), TableError>,
    ) -> Change<H> {
        let schema = self.schema();
        let mutation = || {
            let key = partition_key(schema, key)?;
            let mut update = PartitionUpdateBuilder::new();
            write(Moment::new(schema, stamp), &mut update)?;
            Ok(Mutation::new(schema.id, key, update.finish()))
        };
        Change::of(mutation())
    }
}

fn delete_slice(Slice { start, end }: Slice, moment: Moment, update: &mut PartitionUpdateBuilder) {
    if start < end {
        update.delete_range(RangeTombstone {
            start,
            end,
            deletion: moment.deletion(),
        });
    }
}
