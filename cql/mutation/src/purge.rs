//! Dropping what no read and no later merge needs: old tombstones, and the bytes of expired cells.
//!
//! A tombstone may go only when two things hold: everyone has seen it (`gc_before`), and nothing
//! older than it can still come from a log that would be replayed (`floor`).
//! Expiry is judged by the policy's `now`, so this is the one place beside reading that knows a
//! time; it runs at flush and compaction, whose result is never replayed.

use crate::row::{
    CellRef, CellValue, ColumnRef, ComplexRef, Deletion, Header, Liveness, RowBuf, RowRef,
    RowWriter,
};

/// What may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PurgePolicy {
    /// Tombstones made before this second are known everywhere: `now` minus gc grace.
    pub gc_before: i64,
    /// Tombstones with a write time (µs) below this shadow nothing that can still arrive.
    pub floor: i64,
    /// The second at which expiry is judged. At most the `now` of the oldest read that is still
    /// running, since a cell that loses its bytes is gone for every read.
    pub now: i64,
}

impl PurgePolicy {
    /// Whether a tombstone may be forgotten.
    #[must_use]
    pub const fn may_forget(&self, timestamp: i64, deleted_at: i64) -> bool {
        deleted_at < self.gc_before && timestamp < self.floor
    }

    /// Whether a deletion of a row, a range or a partition may be forgotten as far as time decides.
    ///
    /// For ranges and partitions a scan must have shown that nothing older is left.
    #[must_use]
    pub const fn may_forget_deletion(&self, deletion: &Deletion) -> bool {
        self.may_forget(deletion.timestamp, deletion.deleted_at)
    }

    fn marker(&self, marker: Liveness) -> Option<Liveness> {
        let written_at = marker.expires_at.saturating_sub(i64::from(marker.ttl));
        let gone = !marker.is_live(self.now) && self.may_forget(marker.timestamp, written_at);
        (!gone).then_some(marker)
    }

    fn cell<'a>(&self, cell: CellRef<'a>) -> Option<CellRef<'a>> {
        let gone = match cell.value {
            CellValue::Tombstone { deleted_at } => self.may_forget(cell.timestamp, deleted_at),
            CellValue::Live(_) | CellValue::Expired if cell.is_live(self.now) => false,
            CellValue::Live(_) | CellValue::Expired => {
                let written_at = cell.expires_at.saturating_sub(i64::from(cell.ttl));
                self.may_forget(cell.timestamp, written_at)
            }
        };
        match cell.value {
            _ if gone => None,
            CellValue::Live(_) if !cell.is_live(self.now) => Some(CellRef {
                value: CellValue::Expired,
                ..cell
            }),
            CellValue::Live(_) | CellValue::Expired | CellValue::Tombstone { .. } => Some(cell),
        }
    }

    fn deletion(&self, deletion: Option<Deletion>) -> Option<Deletion> {
        deletion.filter(|deletion| !self.may_forget_deletion(deletion))
    }
}

/// What a row is after purging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purged {
    /// As before.
    Unchanged,
    /// Smaller.
    Changed(RowBuf),
    /// Nothing is left; the row can be removed.
    Nothing,
}

/// Drops from `row` what `policy` allows. Allocates only if something goes.
#[must_use]
pub fn purge(row: RowRef<'_>, policy: &PurgePolicy) -> Purged {
    if row.is_empty() {
        return Purged::Nothing;
    }
    if is_plain(row, policy) {
        return Purged::Unchanged;
    }
    let mut out = Vec::with_capacity(row.as_bytes().len());
    let mut writer = RowWriter::new(Header {
        liveness: row.liveness().and_then(|marker| policy.marker(marker)),
        deletion: policy.deletion(row.deletion()),
        clustering: row.written_clustering(),
    });
    for (number, column) in row.cells() {
        match column {
            ColumnRef::Simple(cell) => {
                if let Some(cell) = policy.cell(cell) {
                    writer.cell(number, &cell, &mut out);
                }
            }
            ColumnRef::Complex(complex) => {
                if let Some(deletion) = policy.deletion(complex.deletion) {
                    writer.open_complex(number, Some(deletion), deletion.timestamp, &mut out);
                }
                for (path, cell) in complex.elements() {
                    let Some(cell) = policy.cell(cell) else {
                        continue;
                    };
                    if !writer.is_open() {
                        writer.open_complex(number, None, cell.timestamp, &mut out);
                    }
                    writer.element(path, &cell, &mut out);
                }
                writer.close_complex(&mut out);
            }
        }
    }
    writer.finish(&mut out);
    match RowRef::trusted(&out) {
        left if left.is_empty() => Purged::Nothing,
        left if left == row => Purged::Unchanged,
        _ => Purged::Changed(RowBuf::from_written(out)),
    }
}

/// Whether nothing in the row has expired or is a tombstone: the usual case, in one walk.
fn is_plain(row: RowRef<'_>, policy: &PurgePolicy) -> bool {
    let live_elements = |complex: ComplexRef<'_>| {
        complex.deletion.is_none() && complex.elements().all(|(_, cell)| cell.is_live(policy.now))
    };
    row.deletion().is_none()
        && row
            .liveness()
            .is_none_or(|marker| marker.is_live(policy.now))
        && row.cells().all(|(_, column)| match column {
            ColumnRef::Simple(cell) => cell.is_live(policy.now),
            ColumnRef::Complex(complex) => live_elements(complex),
        })
}
