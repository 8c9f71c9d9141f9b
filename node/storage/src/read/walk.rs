//! The part of a read that no longer needs the shard: merging copies with the engine, partition by partition.
//!
//! It owns what it needs and runs a step at a time.

use std::collections::VecDeque;

use backend::Direction;
use cql_mutation::{
    Begin, Order, PartitionHead, PartitionHeader, Partitions, Position, Progress, RangeChunks,
    ReadCommand, ReadResult, Reconciler, SortedRows,
};
use cql_schema::Table;
use cql_types::{PartitionKey, Token};

use super::copy::{Copied, CopiedPartition, Extent, hull, is_whole};
use super::source::{Cursor, EngineRows, Source};
use crate::error::StorageError;
use crate::layout::cut::Reader;
use crate::layout::key::{PartitionPrefix, Place, parse_front, place_start, prefix_len};

/// A read under way.
pub(crate) struct Walk<'c> {
    command: &'c ReadCommand,
    reconciler: Reconciler<'c>,
    reader: Reader,
    copied: VecDeque<CopiedPartition>,
    ranges: VecDeque<(Vec<u8>, Vec<u8>)>,
    /// Over the range that is being read; only for token ranges.
    cursor: Option<Cursor>,
    open: Option<Open>,
    /// Set when the copies end early: where the read may go on, in another turn.
    horizon: Option<Position>,
}

/// The partition being read.
struct Open {
    sources: Vec<Source>,
    prefix: PartitionPrefix,
}

/// How far a step came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WalkStep {
    /// The budget of rows is used up.
    Rows,
    /// A partition was opened or left.
    Partition,
    /// The walk is at its end.
    Done,
}

/// How a walk ended.
#[derive(Debug)]
pub(crate) struct WalkEnd {
    pub(crate) result: ReadResult,
    /// Rows may follow, although the page is not full: copy again from here on.
    pub(crate) again: Option<Position>,
}

/// What a partition is called, and what is known of it from memtables.
struct Next {
    token: Token,
    key: PartitionKey,
    prefix: PartitionPrefix,
    copied: Option<CopiedPartition>,
}

impl<'c> Walk<'c> {
    pub(crate) fn new(
        command: &'c ReadCommand,
        table: &'c Table,
        copied: Copied,
        reader: Reader,
    ) -> Self {
        let horizon = match copied.extent {
            Extent::All => None,
            Extent::Cut => copied.partitions.last().map(|last| Position {
                token: last.token,
                key: last.key.clone(),
                clustering: None,
                partition_has_rows: false,
                remaining_rows: None,
                remaining_in_partition: None,
            }),
        };
        let end_at = match copied.extent {
            Extent::All => None,
            Extent::Cut => copied.partitions.last().map(|last| last.prefix.end()),
        };
        let mut ranges = VecDeque::new();
        for range in copied.ranges {
            let start = place_start(Place::new(range.space, range.first));
            let end = place_start(match range.last.next() {
                Some(next) => Place::new(range.space, next),
                None => Place::after(range.space),
            });
            match &end_at {
                Some(cut) if start < *cut && *cut <= end => {
                    ranges.push_back((start, cut.clone()));
                    break;
                }
                Some(_) | None => ranges.push_back((start, end)),
            }
        }
        Self {
            command,
            reconciler: Reconciler::new(command, table),
            reader,
            copied: copied.partitions.into(),
            ranges,
            cursor: None,
            open: None,
            horizon,
        }
    }

    /// Merges up to `budget` rows, or opens the next partition.
    pub(crate) fn step(&mut self, budget: usize) -> Result<WalkStep, StorageError> {
        let Some(open) = &mut self.open else {
            return self.next_partition();
        };
        match self.reconciler.run(&mut open.sources, budget)? {
            Progress::Budget => Ok(WalkStep::Rows),
            Progress::Partition => {
                self.leave_partition()?;
                Ok(WalkStep::Partition)
            }
            Progress::Stop => {
                self.horizon = None;
                Ok(WalkStep::Done)
            }
        }
    }

    /// The rows, and where to go on if the copies ended before the page was full.
    pub(crate) fn finish(self) -> WalkEnd {
        let rows_left = self.command.rows_left();
        let page = self.command.page;
        let mut result = self.reconciler.finish();
        let limit_left = rows_left.saturating_sub(result.row_count());
        if let (None, Some(mut position)) = (&result.more, self.horizon) {
            position.remaining_rows = self.command.row_limit.map(|_| limit_left);
            result.more = Some(position);
        }
        let is_full = result.row_count() >= page.rows
            || result.byte_count() as u64 >= page.bytes
            || result.stats.tombstones >= page.tombstones;
        let again = match is_full || limit_left == 0 {
            true => None,
            false => result.more.clone(),
        };
        if limit_left == 0 {
            result.more = None;
        }
        WalkEnd { result, again }
    }

    fn next_partition(&mut self) -> Result<WalkStep, StorageError> {
        let next = match &self.command.partitions {
            Partitions::Keys(_) => self.copied.pop_front().map(Next::copied),
            Partitions::Range { .. } => self.next_in_ranges()?,
        };
        let Some(next) = next else {
            return Ok(WalkStep::Done);
        };
        let Next {
            token,
            key,
            prefix,
            copied,
        } = next;
        let (mut head, rows) = match copied {
            Some(copied) => (copied.head, copied.rows),
            None => (PartitionHead::default(), Vec::new()),
        };
        self.read_head(&prefix, &mut head)?;
        if self.reconciler.begin_partition(&key, token, head) == Begin::Stop {
            self.horizon = None;
            return Ok(WalkStep::Done);
        }
        let mut sources = Vec::with_capacity(rows.len() + 1);
        sources.extend(rows.into_iter().map(|rows| {
            Source::Memory(match rows.extent {
                Extent::All => SortedRows::complete(rows.rows),
                Extent::Cut => SortedRows::cut(rows.rows),
            })
        }));
        if let Some(rows) = self.engine_rows(&prefix)? {
            sources.push(Source::Engine(Box::new(rows)));
        }
        self.open = Some(Open { sources, prefix });
        Ok(WalkStep::Partition)
    }

    /// Adds what the engine has beside rows.
    fn read_head(
        &mut self,
        prefix: &PartitionPrefix,
        head: &mut PartitionHead,
    ) -> Result<(), StorageError> {
        let header = prefix.header();
        // A scan over the range stands on the header, if there is one.
        let stored = match &self.cursor {
            Some(cursor) => match cursor.current() {
                Some((key, value)) if key[..] == header[..] => Some(value.clone()),
                Some(_) | None => None,
            },
            None => self.reader.get(&header)?,
        };
        let Some(stored) = stored else { return Ok(()) };
        read_head(&self.reader, prefix, &stored, head)
    }

    /// The rows of the engine in the slices that are left, or `None` if no row is wanted.
    fn engine_rows(
        &mut self,
        prefix: &PartitionPrefix,
    ) -> Result<Option<EngineRows>, StorageError> {
        let Some((start, end)) = hull(self.reconciler.slices()) else {
            return Ok(None);
        };
        if let (Some(mut cursor), Order::Forward) = (self.cursor.take(), self.command.order) {
            let from = prefix.row_position(start);
            cursor.seek(&from)?;
            return Ok(Some(EngineRows::new(cursor, prefix.clone())));
        }
        let (start, end) = match is_whole(start, end) {
            true => prefix.rows(),
            false => prefix.rows_between(start, Some(end)),
        };
        let direction = match self.command.order {
            Order::Forward => Direction::Forward,
            Order::Reverse => Direction::Reverse,
        };
        let cursor = Cursor::open(&self.reader, start, end, direction)?;
        Ok(Some(EngineRows::new(cursor, prefix.clone())))
    }

    /// Takes the scan over the range back and moves it behind the partition.
    fn leave_partition(&mut self) -> Result<(), StorageError> {
        let Some(Open { sources, prefix }) = self.open.take() else {
            return Ok(());
        };
        if matches!(self.command.partitions, Partitions::Keys(_)) {
            return Ok(());
        }
        if self.command.order == Order::Forward {
            for source in sources {
                if let Source::Engine(rows) = source {
                    self.cursor = Some(rows.cursor);
                }
            }
        }
        match &mut self.cursor {
            Some(cursor) => cursor.seek(&prefix.end()),
            // A reverse read took no scan away; it is opened again behind the partition.
            None => self.reopen(prefix.end()),
        }
    }

    fn reopen(&mut self, from: Vec<u8>) -> Result<(), StorageError> {
        if let Some((start, end)) = self.ranges.front_mut() {
            *start = from;
            let (start, end) = (start.clone(), end.clone());
            self.cursor = Some(Cursor::open(&self.reader, start, end, Direction::Forward)?);
        }
        Ok(())
    }

    /// The next partition in token order that a memtable or the engine has.
    fn next_in_ranges(&mut self) -> Result<Option<Next>, StorageError> {
        loop {
            let Some((start, end)) = self.ranges.front() else {
                return Ok(None);
            };
            if self.cursor.is_none() {
                let cursor =
                    Cursor::open(&self.reader, start.clone(), end.clone(), Direction::Forward)?;
                self.cursor = Some(cursor);
            }
            let stored = self
                .cursor
                .as_ref()
                .and_then(Cursor::current)
                .map(|(key, _)| key);
            let stored = match stored {
                None => None,
                Some(key) => {
                    let length = prefix_len(key).ok_or(StorageError::corrupt("a partition key"))?;
                    Some(key.slice(..length))
                }
            };
            let copied = self
                .copied
                .front()
                .filter(|copied| copied.prefix.as_bytes() < &end[..]);
            let take_copied = match (copied, &stored) {
                (None, None) => {
                    self.ranges.pop_front();
                    self.cursor = None;
                    continue;
                }
                (Some(copied), Some(stored)) => copied.prefix.as_bytes() <= &stored[..],
                (Some(_), None) => true,
                (None, Some(_)) => false,
            };
            if take_copied {
                return Ok(self.copied.pop_front().map(Next::copied));
            }
            let Some(stored) = stored else { continue };
            let (_, token, key, prefix) =
                parse_front(&stored).ok_or(StorageError::corrupt("a partition key"))?;
            let resume = self.command.resume.as_ref();
            let is_done = resume.is_some_and(|position| {
                let done = (position.token, &position.key);
                (token, &key) < done || (token, &key) == done && position.clustering.is_none()
            });
            if !is_done {
                return Ok(Some(Next {
                    token,
                    key,
                    prefix,
                    copied: None,
                }));
            }
            if let Some(cursor) = &mut self.cursor {
                cursor.seek(&prefix.end())?;
            }
        }
    }
}

impl Next {
    fn copied(copied: CopiedPartition) -> Self {
        Self {
            token: copied.token,
            key: copied.key.clone(),
            prefix: copied.prefix.clone(),
            copied: Some(copied),
        }
    }
}

/// Adds a stored header, and the chunks if it has some, to what memtables know.
pub(super) fn read_head(
    reader: &Reader,
    prefix: &PartitionPrefix,
    stored: &bytes::Bytes,
    head: &mut PartitionHead,
) -> Result<(), StorageError> {
    let header = PartitionHeader::decode(stored)
        .map_err(|why| StorageError::undecodable("a partition header", why))?;
    head.add(header.deletion, header.static_row);
    if header.ranges == RangeChunks::Present {
        let (start, end) = prefix.chunks();
        let mut scan = reader.scan(start, end, Direction::Forward)?;
        while let Some((_, chunk)) = scan.next()? {
            head.tombstones
                .add_chunk(&chunk)
                .map_err(|why| StorageError::undecodable("a chunk of range tombstones", why))?;
        }
    }
    Ok(())
}
