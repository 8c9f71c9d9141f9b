//! One partition of a memtable.

use cql_mutation::{ClusteringKey, Deletion, PartitionUpdate, RangeTombstones, RowBuf};
use cql_types::PartitionKey;

use super::rows::Rows;
use crate::log::LogPosition;

/// Rows of one partition, and what shadows them.
#[derive(Debug)]
pub(crate) struct Partition {
    key: PartitionKey,
    /// The highest position that changed it.
    position: LogPosition,
    rows: Rows,
    extras: Option<Box<Extras>>,
}

/// What few partitions have.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    pub(crate) deletion: Option<Deletion>,
    pub(crate) static_row: Option<RowBuf>,
    pub(crate) tombstones: RangeTombstones,
}

impl Extras {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + self
                .static_row
                .as_ref()
                .map_or(0, |row| row.as_bytes().len())
            + self.tombstones.heap_bytes()
    }
}

impl Partition {
    pub(super) fn new(key: PartitionKey) -> Self {
        Self {
            key,
            position: LogPosition::NONE,
            rows: Rows::new(),
            extras: None,
        }
    }

    /// What an empty partition takes.
    pub(super) fn base_bytes(key: &PartitionKey) -> usize {
        size_of::<Self>() + key.as_bytes().len() + 24
    }

    /// Merges an update; gives the bytes that the changed parts took before and take now.
    pub(super) fn apply(
        &mut self,
        update: PartitionUpdate,
        position: LogPosition,
    ) -> (usize, usize) {
        self.position = self.position.max(position);
        let PartitionUpdate {
            deletion,
            static_row,
            tombstones,
            rows,
        } = update;
        let (mut before, mut after) = (0, 0);
        if deletion.is_some() || static_row.is_some() || !tombstones.is_empty() {
            before += self.extras.as_ref().map_or(0, |extras| extras.bytes());
            let extras = self.extras.get_or_insert_default();
            extras.deletion = extras.deletion.max(deletion);
            extras.tombstones.merge(tombstones);
            extras.static_row = match (extras.static_row.take(), static_row) {
                (Some(old), Some(new)) => Some(old.merged(&new)),
                (old, new) => old.or(new),
            };
            after += extras.bytes();
        }
        for (key, row) in rows {
            let (was, is) = self.rows.merge(key, row);
            before += was;
            after += is;
        }
        (before, after)
    }

    pub(crate) fn key(&self) -> &PartitionKey {
        &self.key
    }

    pub(crate) fn position(&self) -> LogPosition {
        self.position
    }

    pub(crate) fn extras(&self) -> Option<&Extras> {
        self.extras.as_deref()
    }

    pub(crate) fn row(&self, key: &[u8]) -> Option<&RowBuf> {
        self.rows.get(key)
    }

    /// Rows with keys from `start` up to but not including `end`.
    pub(crate) fn rows_between<'a>(
        &'a self,
        start: &[u8],
        end: &[u8],
    ) -> impl DoubleEndedIterator<Item = (&'a ClusteringKey, &'a RowBuf)> + use<'a> {
        self.rows.between(start, end)
    }

    /// At most `count` rows after `after`, which may be `None` for the first.
    pub(crate) fn rows_after(
        &self,
        after: Option<&ClusteringKey>,
    ) -> impl Iterator<Item = (&ClusteringKey, &RowBuf)> {
        self.rows.after(after)
    }
}
