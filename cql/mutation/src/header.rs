//! The stored header of a partition: its deletion, its static row, and whether range tombstones follow.
//!
//! ```text
//! format 01   flags   [deletion]   [static row, to the end]
//! ```
//!
//! A partition has a header exactly if it has one of the three, so a missing header proves that a read
//! of rows needs neither deletions nor static cells.

use crate::codec::{DecodeError, OrTruncated as _, Reader};
use crate::range::{put_deletion, take_deletion};
use crate::row::{Deletion, RowBuf, RowRef};

/// The format byte of a partition header.
pub const PARTITION_HEADER_FORMAT: u8 = 1;

const FLAG_DELETION: u8 = 0x01;
const FLAG_STATIC: u8 = 0x02;
const FLAG_RANGES: u8 = 0x04;

/// Whether a partition has range tombstone chunks beside its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum RangeChunks {
    /// There are none.
    #[default]
    Absent,
    /// There may be some.
    Present,
}

/// The header of a partition, decoded; the static row stays where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PartitionHeader<'a> {
    /// The deletion of the partition.
    pub deletion: Option<Deletion>,
    /// The static row.
    pub static_row: Option<RowRef<'a>>,
    /// Range tombstones.
    pub ranges: RangeChunks,
}

impl<'a> PartitionHeader<'a> {
    /// Whether the header says nothing and must not be stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Appends the bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut flags = match self.ranges {
            RangeChunks::Absent => 0,
            RangeChunks::Present => FLAG_RANGES,
        };
        if self.deletion.is_some() {
            flags |= FLAG_DELETION;
        }
        if self.static_row.is_some() {
            flags |= FLAG_STATIC;
        }
        out.extend_from_slice(&[PARTITION_HEADER_FORMAT, flags]);
        if let Some(deletion) = self.deletion {
            put_deletion(deletion, out);
        }
        if let Some(row) = self.static_row {
            out.extend_from_slice(row.as_bytes());
        }
    }

    /// Reads and checks a header.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        const WHAT: &str = "a partition header";
        let mut reader = Reader::new(bytes);
        let format = reader.byte().or_truncated(WHAT)?;
        if format != PARTITION_HEADER_FORMAT {
            return Err(DecodeError::UnknownFormat {
                what: WHAT,
                found: format,
            });
        }
        let flags = reader.byte().or_truncated(WHAT)?;
        if flags & !(FLAG_DELETION | FLAG_STATIC | FLAG_RANGES) != 0 {
            return Err(DecodeError::UnknownFlags {
                what: WHAT,
                found: flags,
            });
        }
        let deletion = match flags & FLAG_DELETION {
            0 => None,
            _ => Some(take_deletion(&mut reader).or_truncated("a partition deletion")?),
        };
        let static_row = match flags & FLAG_STATIC {
            0 => None,
            _ => Some(RowRef::parse(reader.rest())?),
        };
        if static_row.is_none() {
            reader.finish(WHAT)?;
        }
        let ranges = match flags & FLAG_RANGES {
            0 => RangeChunks::Absent,
            _ => RangeChunks::Present,
        };
        Ok(Self {
            deletion,
            static_row,
            ranges,
        })
    }

    /// This header and `other` together: the larger deletion, the static rows merged and shadowed by it.
    /// The static row, if any is left, is returned apart because it is new.
    #[must_use]
    pub fn merge(self, other: Self) -> (Option<Deletion>, Option<RowBuf>, RangeChunks) {
        let deletion = self.deletion.max(other.deletion);
        let mut out = Vec::new();
        let merged = match (self.static_row, other.static_row) {
            (Some(a), Some(b)) => {
                crate::merge::merge(a, b, &mut out);
                Some(RowRef::trusted(&out))
            }
            (one, None) | (None, one) => one,
        };
        let row = merged.and_then(|row| match deletion {
            None => Some(row.to_buf()),
            Some(deletion) => match crate::merge::shadow(row, deletion) {
                crate::merge::Shadowed::Untouched => Some(row.to_buf()),
                crate::merge::Shadowed::Partly(rest) => Some(rest),
                crate::merge::Shadowed::Gone => None,
            },
        });
        (deletion, row, self.ranges.max(other.ranges))
    }
}
