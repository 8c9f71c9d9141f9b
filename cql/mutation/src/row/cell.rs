//! The atoms: cells, row markers, deletions, and which of two wins.
//!
//! Winning is the maximum of a total order, so merging is commutative, associative and idempotent:
//! 1. the larger write time;
//! 2. at equal times a tombstone over anything live, of two tombstones the later deletion second;
//! 3. an expiring cell over one that stays, the later expiry, then the shorter time to live
//!    (which is the later moment of writing);
//! 4. the larger bytes, where dropped bytes of an expired cell are smaller than all others.

use std::cmp::{Ordering, Reverse};

/// The marker of a row, written by INSERT: the row exists even if all its columns are null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Liveness {
    /// Write time in microseconds.
    pub timestamp: i64,
    /// Time to live in seconds as written; 0 means that the marker stays.
    pub ttl: u32,
    /// The second in which the marker stops to count; 0 if `ttl` is 0.
    pub expires_at: i64,
}

impl Liveness {
    /// A marker that stays.
    #[must_use]
    pub const fn lasting(timestamp: i64) -> Self {
        Self {
            timestamp,
            ttl: 0,
            expires_at: 0,
        }
    }

    /// A marker that expires; with `ttl` 0 one that stays.
    #[must_use]
    pub const fn expiring(timestamp: i64, ttl: u32, expires_at: i64) -> Self {
        match ttl {
            0 => Self::lasting(timestamp),
            _ => Self {
                timestamp,
                ttl,
                expires_at,
            },
        }
    }

    /// Whether the row exists by this marker at second `now`.
    #[must_use]
    pub const fn is_live(&self, now: i64) -> bool {
        self.ttl == 0 || self.expires_at > now
    }

    fn rank(&self) -> (i64, bool, i64, Reverse<u32>) {
        (
            self.timestamp,
            self.ttl != 0,
            self.expires_at,
            Reverse(self.ttl),
        )
    }
}

impl PartialOrd for Liveness {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Liveness {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// A deletion of a row, a partition, a range of rows, or a whole collection.
///
/// It shadows everything with a write time of at most its own. The larger one wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deletion {
    /// Write time in microseconds.
    pub timestamp: i64,
    /// The second in which it was made, by the clock of who made it; gc grace counts from here.
    pub deleted_at: i64,
}

impl Deletion {
    /// Whether something written at `timestamp` is gone.
    #[must_use]
    pub const fn shadows(&self, timestamp: i64) -> bool {
        timestamp <= self.timestamp
    }
}

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellValue<'a> {
    /// A serialized value; whether it has expired is for [`CellRef::is_live`] to say.
    Live(&'a [u8]),
    /// An expiring cell that had expired and lost its bytes; never live again, whatever the clock says.
    Expired,
    /// The column was deleted.
    Tombstone {
        /// The second of the deletion.
        deleted_at: i64,
    },
}

/// One cell, borrowed from a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellRef<'a> {
    /// Write time in microseconds.
    pub timestamp: i64,
    /// Time to live in seconds as written; 0 for a cell that stays and for a tombstone.
    pub ttl: u32,
    /// The second in which the cell expires; 0 if `ttl` is 0.
    pub expires_at: i64,
    /// Value or tombstone.
    pub value: CellValue<'a>,
}

impl<'a> CellRef<'a> {
    /// A value that stays.
    #[must_use]
    pub const fn live(timestamp: i64, value: &'a [u8]) -> Self {
        Self {
            timestamp,
            ttl: 0,
            expires_at: 0,
            value: CellValue::Live(value),
        }
    }

    /// A value that expires; with `ttl` 0 one that stays.
    #[must_use]
    pub const fn expiring(timestamp: i64, ttl: u32, expires_at: i64, value: &'a [u8]) -> Self {
        match ttl {
            0 => Self::live(timestamp, value),
            _ => Self {
                timestamp,
                ttl,
                expires_at,
                value: CellValue::Live(value),
            },
        }
    }

    /// A deleted cell.
    #[must_use]
    pub const fn tombstone(timestamp: i64, deleted_at: i64) -> Self {
        Self {
            timestamp,
            ttl: 0,
            expires_at: 0,
            value: CellValue::Tombstone { deleted_at },
        }
    }

    /// Whether a read at second `now` sees a value.
    #[must_use]
    pub const fn is_live(&self, now: i64) -> bool {
        match self.value {
            CellValue::Live(_) => self.ttl == 0 || self.expires_at > now,
            CellValue::Expired | CellValue::Tombstone { .. } => false,
        }
    }

    /// Whether it holds a value that stays.
    #[must_use]
    pub const fn is_lasting(&self) -> bool {
        self.ttl == 0 && matches!(self.value, CellValue::Live(_))
    }

    /// The value that a read at second `now` sees.
    #[must_use]
    pub const fn live_value(&self, now: i64) -> Option<&'a [u8]> {
        match self.value {
            CellValue::Live(value) if self.ttl == 0 || self.expires_at > now => Some(value),
            CellValue::Live(_) | CellValue::Expired | CellValue::Tombstone { .. } => None,
        }
    }

    /// What `ttl(column)` answers at second `now`: seconds left, `None` for a cell that stays.
    #[must_use]
    pub const fn ttl_left(&self, now: i64) -> Option<i64> {
        match self.ttl {
            0 => None,
            _ => Some(self.expires_at.saturating_sub(now)),
        }
    }

    /// The one that wins.
    #[must_use]
    pub fn winner(self, other: Self) -> Self {
        match self.timestamp.cmp(&other.timestamp) {
            Ordering::Greater => self,
            Ordering::Less => other,
            Ordering::Equal if self.compare(&other) == Ordering::Less => other,
            Ordering::Equal => self,
        }
    }

    /// The order whose maximum wins.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }

    fn rank(&self) -> (i64, u8, i64, Reverse<u32>, Option<&'a [u8]>) {
        let (class, second, value) = match self.value {
            CellValue::Tombstone { deleted_at } => (2, deleted_at, None),
            CellValue::Expired => (1, self.expires_at, None),
            CellValue::Live(value) => (u8::from(self.ttl != 0), self.expires_at, Some(value)),
        };
        (self.timestamp, class, second, Reverse(self.ttl), value)
    }
}
