//! Reading a row where it lies.

use super::check::check;
use super::front::{Front, read_front};
use super::{CellRef, Cells, Deletion, Elements, Liveness, RawColumns, RowBuf};
use crate::codec::{DecodeError, Reader};
use crate::owned::Row;
use cql_schema::ColumnNumber;
use std::fmt;

/// A borrowed row; copying it copies a pointer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RowRef<'a>(&'a [u8]);

/// The serialized clustering key as the client wrote it, kept only where the key encoding cannot give it back.
///
/// The larger one wins: the later, then the one with larger bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WrittenClustering<'a> {
    /// The largest write time of what was written with it.
    pub timestamp: i64,
    /// The bytes, in the form the writer chose.
    pub bytes: &'a [u8],
}

impl<'a> RowRef<'a> {
    /// Checks every byte: format, flags, order, and that nothing is shadowed by a deletion of the row itself.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong. Unknown formats and flags are refused, never skipped.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        check(bytes)?;
        Ok(Self(bytes))
    }

    /// Bytes that were checked before or were written by this crate in this process.
    ///
    /// Reading bytes that are not a row ends early; it never panics.
    #[must_use]
    pub const fn trusted(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// An owned copy; one allocation.
    #[must_use]
    pub fn to_buf(self) -> RowBuf {
        RowBuf::copy_of(self.0)
    }

    /// The row marker.
    #[must_use]
    pub fn liveness(self) -> Option<Liveness> {
        self.front()?.liveness
    }

    /// The row deletion.
    #[must_use]
    pub fn deletion(self) -> Option<Deletion> {
        self.front()?.deletion
    }

    /// The clustering as written, if the key cannot give it back.
    #[must_use]
    pub fn written_clustering(self) -> Option<WrittenClustering<'a>> {
        self.front()?.clustering
    }

    /// The columns, ascending by number.
    #[must_use]
    pub fn cells(self) -> Cells<'a> {
        match self.front() {
            Some(front) => Cells::new(front.base, front.columns),
            None => Cells::new(0, Reader::new(&[])),
        }
    }

    /// The columns as they lie.
    #[inline]
    pub(crate) fn raw_columns(self) -> RawColumns<'a> {
        match self.front() {
            Some(front) => front.raw_columns(),
            None => RawColumns::new(0, Reader::new(&[])),
        }
    }

    /// One column; costs a walk over those before it.
    #[must_use]
    pub fn cell(self, number: ColumnNumber) -> Option<ColumnRef<'a>> {
        self.cells()
            .take_while(|(found, _)| *found <= number)
            .find(|(found, _)| *found == number)
            .map(|(_, column)| column)
    }

    /// Whether the row has neither marker nor deletion nor columns; merging it changes nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.front().is_none_or(|front| {
            front.liveness.is_none() && front.deletion.is_none() && front.columns.is_empty()
        })
    }

    /// Whether a read at second `now` sees the row: by its marker, or by any live cell.
    #[must_use]
    pub fn is_live(self, now: i64) -> bool {
        self.liveness().is_some_and(|marker| marker.is_live(now))
            || self.cells().any(|(_, column)| column.is_live(now))
    }

    /// The largest write time of anything in the row; `None` if there is nothing.
    #[must_use]
    pub fn max_timestamp(self) -> Option<i64> {
        self.fold_timestamps(i64::max)
    }

    /// The smallest write time of anything in the row; `None` if there is nothing.
    #[must_use]
    pub fn min_timestamp(self) -> Option<i64> {
        self.fold_timestamps(i64::min)
    }

    fn fold_timestamps(self, pick: fn(i64, i64) -> i64) -> Option<i64> {
        let front = self.front()?;
        let mut found = None;
        let mut add = |time: i64| found = Some(found.map_or(time, |other| pick(other, time)));
        if let Some(marker) = front.liveness {
            add(marker.timestamp);
        }
        if let Some(deletion) = front.deletion {
            add(deletion.timestamp);
        }
        if let Some(written) = front.clustering {
            add(written.timestamp);
        }
        for (_, column) in Cells::new(front.base, front.columns) {
            match column {
                ColumnRef::Simple(cell) => add(cell.timestamp),
                ColumnRef::Complex(complex) => {
                    if let Some(deletion) = complex.deletion {
                        add(deletion.timestamp);
                    }
                    for (_, cell) in complex.elements() {
                        add(cell.timestamp);
                    }
                }
            }
        }
        found
    }

    #[inline]
    pub(crate) fn front(self) -> Option<Front<'a>> {
        let mut reader = Reader::new(self.0);
        let _format = reader.byte()?;
        let flags = reader.byte()?;
        read_front(flags, &mut reader)
    }
}

impl fmt::Debug for RowRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Row::from(*self))
    }
}

/// A column of a row.
#[derive(Debug, Clone, Copy)]
pub enum ColumnRef<'a> {
    /// One cell.
    Simple(CellRef<'a>),
    /// A collection or user type that is not frozen: a cell for each element.
    Complex(ComplexRef<'a>),
}

impl ColumnRef<'_> {
    /// Whether a read at second `now` sees anything of it.
    #[must_use]
    pub fn is_live(&self, now: i64) -> bool {
        match self {
            Self::Simple(cell) => cell.is_live(now),
            Self::Complex(complex) => complex.elements().any(|(_, cell)| cell.is_live(now)),
        }
    }
}

/// A complex column.
#[derive(Clone, Copy)]
pub struct ComplexRef<'a> {
    /// The collection deletion: what is older than it and not listed is gone.
    pub deletion: Option<Deletion>,
    base: i64,
    body: &'a [u8],
}

impl<'a> ComplexRef<'a> {
    pub(super) const fn new(deletion: Option<Deletion>, base: i64, body: &'a [u8]) -> Self {
        Self {
            deletion,
            base,
            body,
        }
    }

    /// The elements, ascending by the bytes of their path.
    #[must_use]
    pub const fn elements(&self) -> Elements<'a> {
        Elements::new(self.base, self.body)
    }
}

impl fmt::Debug for ComplexRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComplexRef")
            .field("deletion", &self.deletion)
            .field("elements", &self.elements().collect::<Vec<_>>())
            .finish()
    }
}
