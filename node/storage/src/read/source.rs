//! Rows of the engine as a source for the reconciler.

use std::ops::Range;

use backend::{Direction, Entry};
use cql_mutation::{Order, RowRef, RowSource, SortedRows, SourceEnd};

use crate::error::StorageError;
use crate::layout::cut::{CutScan, Reader};
use crate::layout::key::PartitionPrefix;

/// Entries that a seek steps over before it opens the scan anew.
const STEPS_MAX: usize = 16;

/// A scan with one entry of look-ahead, that can go forward to a key.
pub(super) struct Cursor {
    reader: Reader,
    scan: CutScan,
    current: Option<Entry>,
    start: Vec<u8>,
    end: Vec<u8>,
    direction: Direction,
}

impl Cursor {
    pub(super) fn open(
        reader: &Reader,
        start: Vec<u8>,
        end: Vec<u8>,
        direction: Direction,
    ) -> Result<Self, StorageError> {
        let mut scan = reader.scan(start.clone(), end.clone(), direction)?;
        let current = scan.next()?;
        Ok(Self {
            reader: reader.clone(),
            scan,
            current,
            start,
            end,
            direction,
        })
    }

    pub(super) fn current(&self) -> Option<&Entry> {
        self.current.as_ref()
    }

    pub(super) fn advance(&mut self) -> Result<(), StorageError> {
        self.current = self.scan.next()?;
        Ok(())
    }

    /// Goes to the first entry at or behind `key` in the direction of the scan: in reverse, before it.
    pub(super) fn seek(&mut self, key: &[u8]) -> Result<(), StorageError> {
        for _ in 0..STEPS_MAX {
            let Some((found, _)) = &self.current else {
                return Ok(());
            };
            let reached = match self.direction {
                Direction::Forward => &found[..] >= key,
                Direction::Reverse => &found[..] < key,
            };
            if reached {
                return Ok(());
            }
            self.advance()?;
        }
        match self.direction {
            Direction::Forward => self.start = key.to_vec(),
            Direction::Reverse => self.end = key.to_vec(),
        }
        self.scan = self
            .reader
            .scan(self.start.clone(), self.end.clone(), self.direction)?;
        self.advance()
    }
}

/// The rows of one partition, at a cursor that may go on to others.
pub(super) struct EngineRows {
    pub(super) cursor: Cursor,
    prefix: PartitionPrefix,
    /// Where the clustering lies in the current key; `None` if the cursor has left the rows of the partition.
    clustering: Option<Range<usize>>,
}

impl EngineRows {
    pub(super) fn new(cursor: Cursor, prefix: PartitionPrefix) -> Self {
        let mut rows = Self {
            cursor,
            prefix,
            clustering: None,
        };
        rows.find_clustering();
        rows
    }

    fn find_clustering(&mut self) {
        self.clustering = self
            .cursor
            .current()
            .and_then(|(key, _)| self.prefix.clustering_of_row(key));
    }

    fn current(&self) -> Option<(&[u8], RowRef<'_>)> {
        let (key, value) = self.cursor.current()?;
        let clustering = key.get(self.clustering.clone()?)?;
        Some((clustering, RowRef::trusted(value)))
    }

    fn advance(&mut self) -> Result<(), StorageError> {
        self.cursor.advance()?;
        self.find_clustering();
        Ok(())
    }

    fn seek(&mut self, position: &[u8]) -> Result<(), StorageError> {
        let key = self.prefix.row_position(position);
        self.cursor.seek(&key)?;
        self.find_clustering();
        Ok(())
    }
}

/// A source of any kind.
pub(super) enum Source {
    Memory(SortedRows<StorageError>),
    Engine(Box<EngineRows>),
}

impl RowSource for Source {
    type Error = StorageError;

    fn current(&self) -> Option<(&[u8], RowRef<'_>)> {
        match self {
            Self::Memory(rows) => rows.current(),
            Self::Engine(rows) => rows.current(),
        }
    }

    fn advance(&mut self) -> Result<(), StorageError> {
        match self {
            Self::Memory(rows) => rows.advance(),
            Self::Engine(rows) => rows.advance(),
        }
    }

    fn end(&self) -> SourceEnd<'_> {
        match self {
            Self::Memory(rows) => rows.end(),
            Self::Engine(_) => SourceEnd::Complete,
        }
    }

    fn seek(&mut self, position: &[u8], order: Order) -> Result<(), StorageError> {
        match self {
            Self::Memory(rows) => rows.seek(position, order),
            Self::Engine(rows) => rows.seek(position),
        }
    }
}
