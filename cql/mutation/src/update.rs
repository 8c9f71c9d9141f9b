//! What changes in one partition, and its bytes in the log and between nodes.
//!
//! ```text
//! flags  [deletion]  [length, static row]  [range tombstones]  count of rows  (length, key; length, row) ...
//! ```
//!
//! An update is *normal* if its rows ascend without repeats and nothing in it is shadowed by its own
//! deletions; then equal effect is equal content. The builder and [`PartitionUpdate::merge`] make normal
//! ones; decoding checks the order and takes the rest on trust.

use crate::clustering::ClusteringKey;
use crate::codec::{DecodeError, OrTruncated as _, Reader, bytes_len, put_bytes, put_varint};
use crate::merge::{Shadowed, shadow};
use crate::range::{RangeTombstone, RangeTombstones, put_deletion, take_deletion};
use crate::row::{Deletion, RowBuf};

const FLAG_DELETION: u8 = 0x01;
const FLAG_STATIC: u8 = 0x02;
const FLAG_RANGES: u8 = 0x04;

/// What changes in one partition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartitionUpdate {
    /// Deletes the whole partition, its static row included.
    pub deletion: Option<Deletion>,
    /// The static row; not empty.
    pub static_row: Option<RowBuf>,
    /// Deletions of ranges of rows.
    pub tombstones: RangeTombstones,
    /// The rows, ascending by key, without repeats.
    pub rows: Vec<(ClusteringKey, RowBuf)>,
}

impl PartitionUpdate {
    /// An update of a single row, the usual INSERT or UPDATE.
    #[must_use]
    pub fn of_row(key: ClusteringKey, row: RowBuf) -> Self {
        Self {
            rows: vec![(key, row)],
            ..Self::default()
        }
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.deletion.is_none()
            && self.static_row.is_none()
            && self.tombstones.is_empty()
            && self.rows.is_empty()
    }

    /// This update and `other` together.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let mut builder = PartitionUpdateBuilder::from(self);
        builder.add(other);
        builder.finish()
    }

    /// The deletion that applies at a clustering position: of the partition or of a range, the larger.
    #[must_use]
    pub fn deletion_at(&self, position: &[u8]) -> Option<Deletion> {
        self.deletion.max(self.tombstones.covering(position))
    }

    /// The smallest write time in it; `None` if it is empty. What a log segment's replay floor needs.
    #[must_use]
    pub fn min_timestamp(&self) -> Option<i64> {
        self.timestamps(|row| row.as_ref().min_timestamp()).min()
    }

    /// The largest write time in it; `None` if it is empty.
    #[must_use]
    pub fn max_timestamp(&self) -> Option<i64> {
        self.timestamps(|row| row.as_ref().max_timestamp()).max()
    }

    fn timestamps(&self, of_row: fn(&RowBuf) -> Option<i64>) -> impl Iterator<Item = i64> {
        let rows = self
            .static_row
            .iter()
            .chain(self.rows.iter().map(|(_, row)| row));
        let deletion = self.deletion.map(|deletion| deletion.timestamp);
        let ranges = self.tombstones.iter().map(|range| range.deletion.timestamp);
        deletion
            .into_iter()
            .chain(ranges)
            .chain(rows.filter_map(of_row))
    }

    /// Appends the bytes; one pass, nothing else is allocated.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut flags = 0;
        if self.deletion.is_some() {
            flags |= FLAG_DELETION;
        }
        if self.static_row.is_some() {
            flags |= FLAG_STATIC;
        }
        if !self.tombstones.is_empty() {
            flags |= FLAG_RANGES;
        }
        out.push(flags);
        if let Some(deletion) = self.deletion {
            put_deletion(deletion, out);
        }
        if let Some(row) = &self.static_row {
            put_bytes(out, row.as_bytes());
        }
        if !self.tombstones.is_empty() {
            self.tombstones.encode(out);
        }
        put_varint(out, self.rows.len() as u64);
        for (key, row) in &self.rows {
            put_bytes(out, key);
            put_bytes(out, row.as_bytes());
        }
    }

    /// An upper bound of what [`PartitionUpdate::encode`] appends; exact but for a few bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let row = |(key, row): &(ClusteringKey, RowBuf)| bytes_len(key) + bytes_len(row.as_bytes());
        let ranges = match self.tombstones.is_empty() {
            true => 0,
            false => self.tombstones.encoded_len(),
        };
        // Flags, a deletion, the count of rows.
        1 + 18
            + ranges
            + self
                .static_row
                .as_ref()
                .map_or(0, |row| bytes_len(row.as_bytes()))
            + 10
            + self.rows.iter().map(row).sum::<usize>()
    }

    /// Reads what [`PartitionUpdate::encode`] wrote, checking every row. Each row is one allocation of its
    /// size, ready to be moved into a memtable; what is allocated in all is bounded by a small multiple
    /// of the bytes read.
    ///
    /// # Errors
    /// [`DecodeError`] for bytes that are not an update.
    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const WHAT: &str = "a partition update";
        let flags = reader.byte().or_truncated(WHAT)?;
        if flags & !(FLAG_DELETION | FLAG_STATIC | FLAG_RANGES) != 0 {
            return Err(DecodeError::UnknownFlags {
                what: WHAT,
                found: flags,
            });
        }
        let mut update = Self::default();
        if flags & FLAG_DELETION != 0 {
            update.deletion = Some(take_deletion(reader).or_truncated("a partition deletion")?);
        }
        if flags & FLAG_STATIC != 0 {
            let row = reader.bytes().or_truncated("a static row")?;
            update.static_row = Some(RowBuf::parse(row)?);
        }
        if flags & FLAG_RANGES != 0 {
            update.tombstones = RangeTombstones::decode(reader)?;
        }
        // The shortest row: two lengths, and format, flags and base time.
        let count = reader.count(11).or_truncated("the number of rows")?;
        update.rows.reserve_exact(count);
        for _ in 0..count {
            let key = reader.bytes().or_truncated("the key of a row")?;
            let row = RowBuf::parse(reader.bytes().or_truncated("a row")?)?;
            if update
                .rows
                .last()
                .is_some_and(|(last, _)| last.as_bytes() >= key)
            {
                return Err(DecodeError::NotAscending {
                    what: "the rows of an update",
                });
            }
            update.rows.push((ClusteringKey::new(key), row));
        }
        Ok(update)
    }

    /// Makes the rows ascend, and removes what the update's own deletions shadow.
    fn normalize(&mut self) {
        let ascending = self.rows.is_sorted_by(|(a, _), (b, _)| a < b);
        if !ascending {
            self.sort_rows();
        }
        if let Some(deletion) = self.deletion {
            self.tombstones.shadow(deletion);
            self.static_row = self
                .static_row
                .take()
                .and_then(|row| remains(row, deletion));
        }
        if self.deletion.is_some() || !self.tombstones.is_empty() {
            let rows = std::mem::take(&mut self.rows).into_iter();
            let remaining = rows.filter_map(|(key, row)| {
                let row = match self.deletion_at(&key) {
                    Some(deletion) => remains(row, deletion)?,
                    None => row,
                };
                Some((key, row))
            });
            self.rows = remaining.collect();
        }
    }

    fn sort_rows(&mut self) {
        self.rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut merged: Vec<(ClusteringKey, RowBuf)> = Vec::with_capacity(self.rows.len());
        for (key, row) in self.rows.drain(..) {
            match merged.last_mut() {
                Some((last, into)) if *last == key => *into = into.merged(&row),
                _ => merged.push((key, row)),
            }
        }
        self.rows = merged;
    }
}

fn remains(row: RowBuf, deletion: Deletion) -> Option<RowBuf> {
    match shadow(row.as_ref(), deletion) {
        Shadowed::Untouched => Some(row),
        Shadowed::Partly(rest) => Some(rest),
        Shadowed::Gone => None,
    }
}

/// Collects changes of one partition in any order.
#[derive(Debug, Clone, Default)]
pub struct PartitionUpdateBuilder {
    update: PartitionUpdate,
}

impl From<PartitionUpdate> for PartitionUpdateBuilder {
    fn from(update: PartitionUpdate) -> Self {
        Self { update }
    }
}

impl PartitionUpdateBuilder {
    /// A builder without changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Deletes the partition.
    pub fn delete_partition(&mut self, deletion: Deletion) -> &mut Self {
        self.update.deletion = self.update.deletion.max(Some(deletion));
        self
    }

    /// Deletes a range of rows.
    pub fn delete_range(&mut self, range: RangeTombstone) -> &mut Self {
        self.update.tombstones.add(range);
        self
    }

    /// Changes the static row. An empty row changes nothing.
    pub fn static_row(&mut self, row: RowBuf) -> &mut Self {
        if row.as_ref().is_empty() {
            return self;
        }
        self.update.static_row = Some(match self.update.static_row.take() {
            Some(old) => old.merged(&row),
            None => row,
        });
        self
    }

    /// Changes a row. An empty row changes nothing.
    pub fn row(&mut self, key: ClusteringKey, row: RowBuf) -> &mut Self {
        if !row.as_ref().is_empty() {
            self.update.rows.push((key, row));
        }
        self
    }

    /// Makes all changes of another update.
    pub fn add(&mut self, other: PartitionUpdate) -> &mut Self {
        self.update.deletion = self.update.deletion.max(other.deletion);
        self.update.tombstones.merge(other.tombstones);
        if let Some(row) = other.static_row {
            self.static_row(row);
        }
        self.update.rows.extend(other.rows);
        self
    }

    /// The normal update. Costs nothing more if rows came in order and nothing was deleted.
    #[must_use]
    pub fn finish(mut self) -> PartitionUpdate {
        self.update.normalize();
        self.update
    }
}
