//! Where the rows of one partition come from.

use super::Order;
use crate::row::RowRef;
use std::convert::Infallible;
use std::marker::PhantomData;

/// A cursor over rows of one partition, in the order of the command, without repeats.
///
/// It stands on its first row when it is handed over. Two sources may have the same row; the rows are merged.
/// A row that is shadowed or dead may be delivered or not, as long as something older than its deletion in
/// another source cannot show through: deletions of rows are part of the row.
pub trait RowSource {
    /// What can go wrong while the source fetches; passed through.
    type Error;

    /// The encoded clustering key and the row at the cursor; `None` behind the last.
    fn current(&self) -> Option<(&[u8], RowRef<'_>)>;

    /// Goes to the next row. May wait for a disk.
    ///
    /// # Errors
    /// The next row could not be fetched; the read fails.
    fn advance(&mut self) -> Result<(), Self::Error>;

    /// Why there is no current row. Asked only then.
    fn end(&self) -> SourceEnd<'_> {
        SourceEnd::Complete
    }

    /// Goes forward to the first row at or behind `position` in reading order: not before it going
    /// forward, before it in reverse.
    ///
    /// # Errors
    /// As [`RowSource::advance`].
    fn seek(&mut self, position: &[u8], order: Order) -> Result<(), Self::Error> {
        while let Some((key, _)) = self.current() {
            let reached = match order {
                Order::Forward => key >= position,
                Order::Reverse => key < position,
            };
            if reached {
                break;
            }
            self.advance()?;
        }
        Ok(())
    }
}

/// Why a source has no more rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceEnd<'a> {
    /// There are none in the range of the read.
    Complete,
    /// It was copied up to this row only (which it has delivered), and what follows may have changed by
    /// now: the page must not go past it.
    Cut(&'a [u8]),
}

impl<S: RowSource + ?Sized> RowSource for &mut S {
    type Error = S::Error;

    fn current(&self) -> Option<(&[u8], RowRef<'_>)> {
        (**self).current()
    }

    fn advance(&mut self) -> Result<(), Self::Error> {
        (**self).advance()
    }

    fn end(&self) -> SourceEnd<'_> {
        (**self).end()
    }

    fn seek(&mut self, position: &[u8], order: Order) -> Result<(), Self::Error> {
        (**self).seek(position, order)
    }
}

impl<S: RowSource + ?Sized> RowSource for Box<S> {
    type Error = S::Error;

    fn current(&self) -> Option<(&[u8], RowRef<'_>)> {
        (**self).current()
    }

    fn advance(&mut self) -> Result<(), Self::Error> {
        (**self).advance()
    }

    fn end(&self) -> SourceEnd<'_> {
        (**self).end()
    }

    fn seek(&mut self, position: &[u8], order: Order) -> Result<(), Self::Error> {
        (**self).seek(position, order)
    }
}

/// Copies of rows of one partition, one behind the other in one allocation.
#[derive(Debug, Clone, Default)]
pub struct RowCopies {
    /// Key, row, key, row.
    bytes: Vec<u8>,
    /// Where each key and each row ends.
    ends: Vec<(usize, usize)>,
}

impl RowCopies {
    /// With room for so many rows of common size, before it has to grow.
    #[must_use]
    pub fn with_capacity(rows: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(rows * 64),
            ends: Vec::with_capacity(rows),
        }
    }

    /// Adds a row behind the others.
    pub fn push(&mut self, key: &[u8], row: RowRef<'_>) {
        self.bytes.extend_from_slice(key);
        let key_end = self.bytes.len();
        self.bytes.extend_from_slice(row.as_bytes());
        self.ends.push((key_end, self.bytes.len()));
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, index: usize) -> Option<(&[u8], RowRef<'_>)> {
        let (key_end, row_end) = *self.ends.get(index)?;
        let start = match index.checked_sub(1) {
            Some(before) => self.ends.get(before)?.1,
            None => 0,
        };
        let key = self.bytes.get(start..key_end)?;
        let row = self.bytes.get(key_end..row_end)?;
        Some((key, RowRef::trusted(row)))
    }
}

/// Rows copied out of a memtable, in reading order. Never fails; `E` is the error of the sources beside it.
#[derive(Debug, Clone)]
pub struct SortedRows<E = Infallible> {
    rows: RowCopies,
    at: usize,
    cut: bool,
    error: PhantomData<fn() -> E>,
}

impl<E> SortedRows<E> {
    /// All rows there are, in reading order (descending for a reverse read).
    #[must_use]
    pub const fn complete(rows: RowCopies) -> Self {
        Self {
            rows,
            at: 0,
            cut: false,
            error: PhantomData,
        }
    }

    /// As many rows as were copied; there may be more behind the last. Must not be empty.
    #[must_use]
    pub const fn cut(rows: RowCopies) -> Self {
        Self {
            rows,
            at: 0,
            cut: true,
            error: PhantomData,
        }
    }
}

impl<E> RowSource for SortedRows<E> {
    type Error = E;

    fn current(&self) -> Option<(&[u8], RowRef<'_>)> {
        self.rows.get(self.at)
    }

    fn advance(&mut self) -> Result<(), Self::Error> {
        self.at += 1;
        Ok(())
    }

    fn end(&self) -> SourceEnd<'_> {
        match self.rows.get(self.rows.len().wrapping_sub(1)) {
            Some((key, _)) if self.cut => SourceEnd::Cut(key),
            _ => SourceEnd::Complete,
        }
    }

    fn seek(&mut self, position: &[u8], order: Order) -> Result<(), Self::Error> {
        let is_before = |index: usize| {
            self.rows.get(index).is_some_and(|(key, _)| match order {
                Order::Forward => key < position,
                Order::Reverse => key >= position,
            })
        };
        let (mut low, mut high) = (self.at, self.rows.len());
        while low < high {
            let middle = low.midpoint(high);
            match is_before(middle) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        self.at = low;
        Ok(())
    }
}
