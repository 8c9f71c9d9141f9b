//! Reads of single rows: nothing is copied, everything happens in one turn.

use std::sync::Arc;

use backend::Engine;
use cql_mutation::{
    Begin, Order, PartitionHead, Partitions, Progress, ReadCommand, Reconciler, RowBuf, RowRef,
    Slice, merge,
};
use cql_schema::Table;
use cql_types::PartitionKey;

use super::walk::read_head;
use super::{ReadAnswer, space_of};
use crate::error::StorageError;
use crate::layout::cut::Reader;
use crate::layout::key::PartitionPrefix;
use crate::log::LogPosition;
use crate::memtable::{Memtable, Partition};
use crate::space::SpaceRange;

/// The most rows that are read in one turn, each with up to two lookups in the engine.
const LOOKUPS_MAX: usize = 16;

/// Answers the command now if it asks for a few single rows or static rows; `None` if it asks for more.
pub(crate) fn read_single_rows(
    table: &Table,
    command: &ReadCommand,
    places: &[SpaceRange],
    memtables: &[&Memtable],
    engine: &Arc<dyn Engine>,
) -> Result<Option<ReadAnswer>, StorageError> {
    let Partitions::Keys(keys) = &command.partitions else {
        return Ok(None);
    };
    let slices = command.slices.as_slice();
    let is_single = slices.iter().all(|slice| slice.single_row().is_some());
    if !is_single || keys.len() * slices.len().max(1) > LOOKUPS_MAX || command.resume.is_some() {
        return Ok(None);
    }
    let mut read = SingleRows {
        memtables,
        reader: Reader::new(&**engine),
        reconciler: Reconciler::new(command, table),
        order: command.order,
        depends_on: LogPosition::NONE,
        scratch: [Vec::new(), Vec::new()],
    };
    for key in keys {
        if read.partition(key, places, slices)? == Progress::Stop {
            break;
        }
    }
    Ok(Some(ReadAnswer {
        result: read.reconciler.finish(),
        depends_on: read.depends_on,
    }))
}

struct SingleRows<'a> {
    memtables: &'a [&'a Memtable],
    reader: Reader,
    reconciler: Reconciler<'a>,
    order: Order,
    depends_on: LogPosition,
    scratch: [Vec<u8>; 2],
}

impl SingleRows<'_> {
    fn partition(
        &mut self,
        key: &PartitionKey,
        places: &[SpaceRange],
        slices: &[Slice],
    ) -> Result<Progress, StorageError> {
        let token = key.token();
        let space = space_of(places, token).ok_or(StorageError::NotHere { token })?;
        let found: Vec<&Partition> = self
            .memtables
            .iter()
            .filter_map(|memtable| memtable.partition(space, token, key))
            .collect();
        let prefix = PartitionPrefix::new(space, token, key);
        let mut head = PartitionHead::default();
        for partition in &found {
            self.depends_on = self.depends_on.max(partition.position());
            if let Some(extras) = partition.extras() {
                head.add(
                    extras.deletion,
                    extras.static_row.as_ref().map(RowBuf::as_ref),
                );
                for slice in slices {
                    head.tombstones
                        .merge(extras.tombstones.slice(&slice.start, &slice.end));
                }
            }
        }
        if let Some(stored) = self.reader.get(&prefix.header())? {
            read_head(&self.reader, &prefix, &stored, &mut head)?;
        }
        if self.reconciler.begin_partition(key, token, head) == Begin::Stop {
            return Ok(Progress::Stop);
        }
        let ordered: Vec<&Slice> = match self.order {
            Order::Forward => slices.iter().collect(),
            Order::Reverse => slices.iter().rev().collect(),
        };
        let mut progress = Progress::Budget;
        for slice in ordered {
            progress = self.row(&found, &prefix, slice)?;
            if progress != Progress::Budget {
                break;
            }
        }
        match progress {
            Progress::Stop => Ok(Progress::Stop),
            Progress::Budget | Progress::Partition => Ok(self.reconciler.close_partition()),
        }
    }

    fn row(
        &mut self,
        found: &[&Partition],
        prefix: &PartitionPrefix,
        slice: &Slice,
    ) -> Result<Progress, StorageError> {
        let Some(clustering) = slice.single_row() else {
            return Ok(Progress::Budget);
        };
        let stored = self.reader.get(&prefix.row(clustering))?;
        let stored = stored.as_ref().map(|bytes| RowRef::trusted(bytes));
        let new = found
            .iter()
            .filter_map(|partition| partition.row(clustering))
            .map(RowBuf::as_ref);
        let mut versions = new.chain(stored);
        let Some(first) = versions.next() else {
            return Ok(Progress::Budget);
        };
        let Some(second) = versions.next() else {
            return Ok(self.reconciler.offer(clustering, first));
        };
        let [merged, spare] = &mut self.scratch;
        merged.clear();
        merge(first, second, merged);
        for version in versions {
            spare.clear();
            merge(RowRef::trusted(merged), version, spare);
            std::mem::swap(merged, spare);
        }
        Ok(self.reconciler.offer(clustering, RowRef::trusted(merged)))
    }
}
