//! The partition that a reconciler is in.

use super::result::ITEM_PARTITION;
use super::{Order, Position, ReadCommand};
use crate::clustering::{ClusteringKey, Slice, Slices};
use crate::codec::put_bytes;
use crate::range::RangeTombstones;
use crate::row::{Deletion, RowRef};
use cql_types::{PartitionKey, Token};
use std::borrow::Cow;

/// The partition being read.
#[derive(Debug)]
pub(super) struct Current<'c> {
    pub(super) key: PartitionKey,
    pub(super) token: Token,
    pub(super) slices: Cow<'c, [Slice]>,
    pub(super) deletion: Option<Deletion>,
    pub(super) tombstones: RangeTombstones,
    /// What a reader sees of the static row; empty if nothing.
    pub(super) static_row: Vec<u8>,
    pub(super) rows_left: u64,
    /// Whether the partition item is in the buffer.
    pub(super) announced: bool,
    /// Whether a row exists in it, shown or filtered out.
    pub(super) has_rows: bool,
    /// Whether this answer has looked at a row of it.
    pub(super) has_looked: bool,
    /// The last row that was looked at, by this answer or the one before.
    pub(super) last: ClusteringKey,
    pub(super) is_done: bool,
}

impl Current<'_> {
    /// Puts the partition item before its first row.
    pub(super) fn announce(&mut self, out: &mut Vec<u8>) {
        if !self.announced {
            self.announced = true;
            out.push(ITEM_PARTITION);
            out.extend_from_slice(&self.token.0.to_le_bytes());
            put_bytes(out, self.key.as_bytes());
            put_bytes(out, &self.static_row);
        }
    }

    pub(super) fn visible_static_row(&self) -> Option<RowRef<'_>> {
        (!self.static_row.is_empty()).then(|| RowRef::trusted(&self.static_row))
    }

    /// Where a row lies relative to the slices.
    pub(super) fn place(&self, key: &[u8], order: Order) -> Place {
        match order {
            Order::Forward => {
                let at = self
                    .slices
                    .partition_point(|slice| slice.end.as_slice() <= key);
                match self.slices.get(at) {
                    None => Place::Behind,
                    Some(slice) if slice.start.as_slice() <= key => Place::Inside,
                    Some(slice) => Place::Before(slice.start.clone()),
                }
            }
            Order::Reverse => {
                let at = self
                    .slices
                    .partition_point(|slice| slice.start.as_slice() <= key);
                match at.checked_sub(1).and_then(|at| self.slices.get(at)) {
                    None => Place::Behind,
                    Some(slice) if key < slice.end.as_slice() => Place::Inside,
                    Some(slice) => Place::Before(slice.end.clone()),
                }
            }
        }
    }
}

/// Where the next row lies relative to the slices of the read.
pub(super) enum Place {
    Inside,
    /// Before the next slice, which begins here in reading order.
    Before(Vec<u8>),
    /// Behind the last slice.
    Behind,
}

/// The slices of the command without what was read before `position`.
pub(super) fn slices_behind<'c>(
    command: &'c ReadCommand,
    position: Option<&Position>,
) -> Cow<'c, [Slice]> {
    let slices = command.slices.as_slice();
    let Some(position) = position else {
        return Cow::Borrowed(slices);
    };
    let Some(last) = &position.clustering else {
        return Cow::Borrowed(&[]);
    };
    let row = Slice::row(last);
    let behind = slices.iter().cloned().map(|mut slice| {
        match command.order {
            Order::Forward if slice.start < row.end => slice.start.clone_from(&row.end),
            Order::Reverse if slice.end > row.start => slice.end.clone_from(&row.start),
            Order::Forward | Order::Reverse => {}
        }
        slice
    });
    Cow::Owned(Slices::new(behind.collect()).as_slice().to_vec())
}
