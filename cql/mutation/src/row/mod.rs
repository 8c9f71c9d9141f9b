//! One row as self-contained bytes: stored, logged, kept in a memtable and sent in the same form.
//!
//! ```text
//! format  flags  base time   [marker]  [row deletion]  [written clustering]  columns ...
//!   01    1 byte 7 or 8 bytes
//!
//! column, simple   head  [number]  [time]  ttl, expiry | deleted at   length  value
//! column, complex  head  [number]  [deletion]  body length u32        elements ...
//! element          head  length path  [time]  ...                     as in a simple column
//! ```
//!
//! `docs/row-format.md` has every byte. Times are differences to the base time, expiry and deletion
//! seconds differences to the second of their write time, column numbers differences to the
//! number before: a row of five columns written at one time costs 19 bytes beside its values.
//!
//! # Invariants of a row that [`RowRef::parse`] accepts, [`RowBuilder`] makes and [`merge`](crate::merge()) keeps
//! * Columns ascend by number, elements by path (bytes).
//! * Nothing in it is shadowed by its own row deletion or its own collection deletion.
//! * The base time is that of the marker; without one, of the row deletion; else of the first thing.
//!   So equal content is equal bytes.
//! * The write time of the clustering as written is at least that of everything written with it.
//!
//! Reading a row allocates nothing and costs about 2 ns a column.

mod builder;
mod cell;
mod check;
mod columns;
mod front;
mod view;
mod write;

pub use builder::RowBuilder;
pub use cell::{CellRef, CellValue, Deletion, Liveness};
pub use columns::{Cells, Elements};
pub(crate) use columns::{RawColumn, RawColumns};
pub(crate) use front::Front;
pub use view::{ColumnRef, ComplexRef, RowRef, WrittenClustering};
pub(crate) use write::{Header, RowWriter};

use std::fmt;

/// The format byte of a row.
pub const ROW_FORMAT: u8 = 1;

/// Row has a marker.
const FLAG_MARKER: u8 = 0x01;
/// The marker expires.
const FLAG_MARKER_EXPIRES: u8 = 0x02;
/// Row has a row deletion.
const FLAG_DELETION: u8 = 0x04;
/// Row has the clustering as written.
const FLAG_CLUSTERING: u8 = 0x08;
/// The base time takes eight bytes, not seven.
const FLAG_WIDE: u8 = 0x10;
/// All flags this version knows.
const KNOWN_FLAGS: u8 =
    FLAG_MARKER | FLAG_MARKER_EXPIRES | FLAG_DELETION | FLAG_CLUSTERING | FLAG_WIDE;

/// Low bits of a column's head: how many numbers are skipped; 7 means that a varint follows.
const HEAD_SKIP_MASK: u8 = 0x07;
/// Bits of a head that hold the kind of a cell.
const HEAD_KIND_MASK: u8 = 0x18;
/// Bits of a head to shift the kind by.
const HEAD_KIND_SHIFT: u8 = 3;
/// The cell's write time is not the base time.
const HEAD_TIME: u8 = 0x20;
/// The column is complex.
const HEAD_COMPLEX: u8 = 0x40;
/// In the head of a complex column: it has a collection deletion.
const HEAD_COMPLEX_DELETION: u8 = 0x08;

/// Kind of cell: a value that stays.
const KIND_LIVE: u8 = 0;
/// Kind of cell: a value that expires.
const KIND_EXPIRING: u8 = 1;
/// Kind of cell: deleted.
const KIND_TOMBSTONE: u8 = 2;
/// Kind of cell: expired, its bytes dropped.
const KIND_EXPIRED: u8 = 3;

/// An owned row: one allocation of exactly its bytes.
///
/// Equal rows are equal bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RowBuf(Box<[u8]>);

impl RowBuf {
    /// Copies bytes that came from elsewhere, after checking them.
    ///
    /// # Errors
    /// As [`RowRef::parse`].
    pub fn parse(bytes: &[u8]) -> Result<Self, crate::DecodeError> {
        Ok(RowRef::parse(bytes)?.to_buf())
    }

    /// Takes bytes that [`crate::merge()`] or [`RowBuilder`] wrote.
    pub(crate) fn from_written(bytes: Vec<u8>) -> Self {
        Self(bytes.into_boxed_slice())
    }

    /// Copies bytes that were checked before: one allocation of the exact size.
    pub(crate) fn copy_of(bytes: &[u8]) -> Self {
        Self(Box::from(bytes))
    }

    /// The view of the row.
    #[must_use]
    pub fn as_ref(&self) -> RowRef<'_> {
        RowRef::trusted(&self.0)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Gives the bytes away, without copying.
    #[must_use]
    pub fn into_bytes(self) -> Box<[u8]> {
        self.0
    }

    /// This row merged with `other`.
    #[must_use]
    pub fn merged(&self, other: &Self) -> Self {
        let mut out = Vec::with_capacity(self.0.len() + other.0.len());
        crate::merge::merge(self.as_ref(), other.as_ref(), &mut out);
        Self::from_written(out)
    }
}

impl fmt::Debug for RowBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}
