//! Where the rows of one partition come from.

use super::Order;
use crate::clustering::ClusteringKey;
use crate::row::{RowBuf, RowRef};
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

/// Rows copied out of a memtable, in reading order. Never fails; `E` is the error of the sources beside it.
#[derive(Debug, Clone)]
pub struct SortedRows<E = Infallible> {
    rows: Vec<(ClusteringKey, RowBuf)>,
    at: usize,
    cut: bool,
    error: PhantomData<fn() -> E>,
}

impl<E> SortedRows<E> {
    /// All rows there are, in reading order (descending for a reverse read).
    #[must_use]
    pub const fn complete(rows: Vec<(ClusteringKey, RowBuf)>) -> Self {
        Self {
            rows,
            at: 0,
            cut: false,
            error: PhantomData,
        }
    }

    /// As many rows as were copied; there may be more behind the last. Must not be empty.
    #[must_use]
    pub const fn cut(rows: Vec<(ClusteringKey, RowBuf)>) -> Self {
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
        self.rows
            .get(self.at)
            .map(|(key, row)| (key.as_bytes(), row.as_ref()))
    }

    fn advance(&mut self) -> Result<(), Self::Error> {
        self.at += 1;
        Ok(())
    }

    fn end(&self) -> SourceEnd<'_> {
        match self.rows.last() {
            Some((key, _)) if self.cut => SourceEnd::Cut(key.as_bytes()),
            _ => SourceEnd::Complete,
        }
    }

    fn seek(&mut self, position: &[u8], order: Order) -> Result<(), Self::Error> {
        let behind = self.rows.get(self.at..).unwrap_or_default();
        self.at += behind.partition_point(|(key, _)| match order {
            Order::Forward => key.as_bytes() < position,
            Order::Reverse => key.as_bytes() >= position,
        });
        Ok(())
    }
}
