//! Copies out of memtables: what one turn of a read takes along.

use cql_mutation::{
    ClusteringKey, Order, PARTITION_END, PARTITION_START, PartitionHead, Partitions, ReadCommand,
    RowBuf, RowCopies, Slice,
};
use cql_types::{PartitionKey, Token};

use super::{space_of, wanted_ranges};
use crate::error::StorageError;
use crate::layout::key::{PartitionPrefix, Place};
use crate::log::LogPosition;
use crate::memtable::{Memtable, Partition};
use crate::space::{Space, SpaceRange};

/// The most rows that one turn copies.
const ROWS_MAX: usize = 8192;
/// The most bytes of rows that one turn copies.
const BYTES_MAX: usize = 2 << 20;
/// Rows for which there is room at once.
const ROWS_EXPECTED: usize = 128;
/// Partitions that one turn looks at.
const PARTITIONS_MAX: usize = 4096;

/// How much a turn may still copy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CopyBudget {
    rows: usize,
    bytes: usize,
    partitions: usize,
}

impl CopyBudget {
    /// Enough for what is left of a page; twice as much in each later turn of the same page.
    pub(crate) fn for_turn(command: &ReadCommand, turn: u32) -> Self {
        let wanted = command.page.rows.min(command.rows_left()).saturating_add(1);
        let wanted = usize::try_from(wanted)
            .unwrap_or(ROWS_MAX)
            .clamp(16, ROWS_MAX);
        let rows = wanted.checked_shl(turn).unwrap_or(ROWS_MAX).min(ROWS_MAX);
        Self {
            rows,
            bytes: BYTES_MAX,
            partitions: PARTITIONS_MAX,
        }
    }

    fn is_used_up(self) -> bool {
        self.rows == 0 || self.bytes == 0 || self.partitions == 0
    }
}

/// One partition as the memtables have it.
#[derive(Debug)]
pub(crate) struct CopiedPartition {
    pub(crate) token: Token,
    pub(crate) key: PartitionKey,
    pub(crate) prefix: PartitionPrefix,
    pub(crate) head: PartitionHead,
    /// Rows in reading order, one list for each memtable that has some.
    pub(crate) rows: Vec<CopiedRows>,
}

/// Rows of one memtable.
#[derive(Debug)]
pub(crate) struct CopiedRows {
    pub(crate) rows: RowCopies,
    pub(crate) extent: Extent,
}

/// Whether everything was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    All,
    /// There may be more behind the last row, of which there is at least one.
    Cut,
}

/// What one turn took along.
#[derive(Debug)]
pub(crate) struct Copied {
    /// In the order of the command.
    pub(crate) partitions: Vec<CopiedPartition>,
    /// Where the engine is to be scanned; only for token ranges.
    pub(crate) ranges: Vec<SpaceRange>,
    /// The read must not go past the last partition of the list.
    pub(crate) extent: Extent,
    pub(crate) depends_on: LogPosition,
}

/// Copies what the command wants, newest memtable first in `memtables`, until the budget is used up.
pub(crate) fn copy(
    command: &ReadCommand,
    places: &[SpaceRange],
    memtables: &[&Memtable],
    budget: CopyBudget,
) -> Result<Copied, StorageError> {
    let mut copier = Copier {
        command,
        memtables,
        budget,
        depends_on: LogPosition::NONE,
    };
    let (partitions, ranges, extent) = match &command.partitions {
        Partitions::Keys(keys) => {
            let (partitions, extent) = copier.keys(keys, places)?;
            (partitions, Vec::new(), extent)
        }
        Partitions::Range { .. } => {
            let ranges = wanted_ranges(command, places);
            let (partitions, extent) = copier.ranges(&ranges);
            (partitions, ranges, extent)
        }
    };
    Ok(Copied {
        partitions,
        ranges,
        extent,
        depends_on: copier.depends_on,
    })
}

struct Copier<'a> {
    command: &'a ReadCommand,
    memtables: &'a [&'a Memtable],
    budget: CopyBudget,
    depends_on: LogPosition,
}

impl Copier<'_> {
    fn keys(
        &mut self,
        keys: &[PartitionKey],
        places: &[SpaceRange],
    ) -> Result<(Vec<CopiedPartition>, Extent), StorageError> {
        let mut partitions = Vec::with_capacity(keys.len().min(PARTITIONS_MAX));
        let resumed = self.command.resume.as_ref();
        let skip = resumed.and_then(|position| keys.iter().position(|key| *key == position.key));
        for key in keys.iter().skip(skip.unwrap_or(0)) {
            if self.budget.is_used_up() {
                return Ok((partitions, Extent::Cut));
            }
            let token = key.token();
            let space = space_of(places, token).ok_or(StorageError::NotHere { token })?;
            let memtables = self.memtables;
            let found = memtables
                .iter()
                .filter_map(|memtable| memtable.partition(space, token, key));
            let found: Vec<&Partition> = found.collect();
            partitions.push(self.partition(space, token, key, &found));
        }
        Ok((partitions, Extent::All))
    }

    fn ranges(&mut self, ranges: &[SpaceRange]) -> (Vec<CopiedPartition>, Extent) {
        let mut partitions = Vec::new();
        for range in ranges {
            let end = match range.last.next() {
                Some(next) => Place::new(range.space, next),
                None => Place::after(range.space),
            };
            let mut walks: Vec<_> = self
                .memtables
                .iter()
                .map(|memtable| {
                    memtable
                        .range(Place::new(range.space, range.first), end)
                        .peekable()
                })
                .collect();
            loop {
                let heads = walks.iter_mut().filter_map(|walk| walk.peek());
                let Some((place, key)) = heads
                    .map(|(place, partition)| (*place, partition.key()))
                    .min()
                else {
                    break;
                };
                let key = key.clone();
                let found: Vec<&Partition> = walks
                    .iter_mut()
                    .filter_map(|walk| walk.next_if(|(at, one)| *at == place && *one.key() == key))
                    .map(|(_, partition)| partition)
                    .collect();
                if self.is_done(place.token(), &key) {
                    continue;
                }
                partitions.push(self.partition(range.space, place.token(), &key, &found));
                if self.budget.is_used_up() {
                    return (partitions, Extent::Cut);
                }
            }
        }
        (partitions, Extent::All)
    }

    /// Whether an earlier page has done with this partition.
    fn is_done(&self, token: Token, key: &PartitionKey) -> bool {
        self.command.resume.as_ref().is_some_and(|position| {
            let done = (position.token, &position.key);
            (token, key) < done || (token, key) == done && position.clustering.is_none()
        })
    }

    fn partition(
        &mut self,
        space: Space,
        token: Token,
        key: &PartitionKey,
        found: &[&Partition],
    ) -> CopiedPartition {
        self.budget.partitions = self.budget.partitions.saturating_sub(1);
        let mut copied = CopiedPartition {
            token,
            key: key.clone(),
            prefix: PartitionPrefix::new(space, token, key),
            head: PartitionHead::default(),
            rows: Vec::new(),
        };
        let slices = slices_left(self.command, key);
        let hull = hull(&slices);
        for partition in found {
            self.depends_on = self.depends_on.max(partition.position());
            if let Some(extras) = partition.extras() {
                copied.head.add(
                    extras.deletion,
                    extras.static_row.as_ref().map(RowBuf::as_ref),
                );
                if let Some((start, end)) = hull {
                    copied
                        .head
                        .tombstones
                        .merge(extras.tombstones.slice(start, end));
                }
            }
            if let Some(rows) = self.rows(partition, &slices) {
                copied.rows.push(rows);
            }
        }
        copied
    }

    fn rows(&mut self, partition: &Partition, slices: &[Slice]) -> Option<CopiedRows> {
        let mut rows = RowCopies::with_capacity(self.budget.rows.min(ROWS_EXPECTED));
        // At least one row is taken, so that every turn gets on.
        let mut take = |(key, row): (&ClusteringKey, &RowBuf)| {
            if self.budget.is_used_up() && !rows.is_empty() {
                return Extent::Cut;
            }
            self.budget.rows = self.budget.rows.saturating_sub(1);
            self.budget.bytes = self
                .budget
                .bytes
                .saturating_sub(row.as_bytes().len() + key.len());
            rows.push(key.as_bytes(), row.as_ref());
            Extent::All
        };
        let between = |slice: &Slice| partition.rows_between(&slice.start, &slice.end);
        let all = match self.command.order {
            Order::Forward => slices
                .iter()
                .flat_map(between)
                .all(|row| take(row) == Extent::All),
            Order::Reverse => slices
                .iter()
                .rev()
                .flat_map(|slice| between(slice).rev())
                .all(|row| take(row) == Extent::All),
        };
        let extent = if all { Extent::All } else { Extent::Cut };
        (!rows.is_empty()).then_some(CopiedRows { rows, extent })
    }
}

/// The slices of a partition that earlier pages have not done; a row that is done may be among them.
pub(super) fn slices_left(command: &ReadCommand, key: &PartitionKey) -> Vec<Slice> {
    let slices = command.slices.as_slice().to_vec();
    let Some(position) = command
        .resume
        .as_ref()
        .filter(|position| position.key == *key)
    else {
        return slices;
    };
    let Some(done) = &position.clustering else {
        return Vec::new();
    };
    let left = slices.into_iter().map(|mut slice| {
        match command.order {
            Order::Forward if slice.start.as_slice() < &done[..] => slice.start = done.to_vec(),
            Order::Reverse if slice.end.as_slice() > &done[..] => slice.end = done.to_vec(),
            Order::Forward | Order::Reverse => {}
        }
        slice
    });
    left.filter(|slice| slice.start < slice.end).collect()
}

/// From the start of the first slice to the end of the last.
pub(super) fn hull(slices: &[Slice]) -> Option<(&[u8], &[u8])> {
    let (first, last) = (slices.first()?, slices.last()?);
    Some((&first.start, &last.end))
}

/// Whether the slices are a whole partition.
pub(super) fn is_whole(start: &[u8], end: &[u8]) -> bool {
    start == PARTITION_START && end >= PARTITION_END
}
