//! One row from its stored form to what a reader sees of it.

use super::ColumnSet;
use crate::row::{Front, Header, RowRef, RowWriter};

/// How a reader looks at rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    /// The second at which expiry is judged.
    pub(super) now: i64,
    /// The columns that exist; others were dropped, or are newer than the reader's schema.
    pub(super) known: &'a ColumnSet,
    /// The columns wanted.
    pub(super) wanted: &'a ColumnSet,
    /// The deletion around the row: what is not younger is gone.
    pub(super) bound: Option<i64>,
}

/// What came of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Seen {
    /// It exists: by its marker, or by any live cell of a known column, wanted or not.
    pub(super) live: bool,
    /// Dead things in it.
    pub(super) tombstones: u64,
}

impl Seen {
    #[inline]
    fn count(&mut self, cell_is_live: bool) {
        self.live |= cell_is_live;
        self.tombstones += u64::from(!cell_is_live);
    }
}

/// Appends what a reader sees of `row`. If the row does not exist, what was appended is to be cut off.
///
/// A row without deletions, expiry and unwanted columns is copied as it is.
pub(super) fn write_visible(row: RowRef<'_>, view: &View<'_>, out: &mut Vec<u8>) -> Seen {
    let Some(front) = row.front() else {
        return Seen::default();
    };
    if view.bound.is_none() && is_plain(&front, view.wanted) {
        out.extend_from_slice(row.as_bytes());
        let live = front.liveness.is_some() || !front.columns.is_empty();
        return Seen {
            live,
            tombstones: 0,
        };
    }
    let younger = |timestamp: i64| view.bound.is_none_or(|bound| timestamp > bound);
    let marker = front.liveness;
    let liveness = marker.filter(|marker| younger(marker.timestamp) && marker.is_live(view.now));
    let mut seen = Seen {
        live: liveness.is_some(),
        tombstones: 0,
    };
    seen.tombstones += u64::from(front.deletion.is_some());
    let clustering = front
        .clustering
        .filter(|written| younger(written.timestamp));
    let mut writer = RowWriter::new(Header {
        liveness,
        deletion: None,
        clustering,
    });
    for column in front.raw_columns() {
        let number = column.number;
        if !view.known.contains(number) {
            continue;
        }
        let wanted = view.wanted.contains(number);
        if !column.is_complex() {
            let live = younger(column.timestamp)
                && (column.is_lasting()
                    || column.cell().is_some_and(|cell| cell.is_live(view.now)));
            seen.count(live);
            if live && wanted {
                writer.copy(&column, out);
            }
            continue;
        }
        let Some(complex) = column.complex() else {
            continue;
        };
        seen.tombstones += u64::from(complex.deletion.is_some());
        for (path, cell) in complex.elements() {
            let live = younger(cell.timestamp) && cell.is_live(view.now);
            seen.count(live);
            if live && wanted {
                if !writer.is_open() {
                    writer.open_complex(number, None, cell.timestamp, out);
                }
                writer.element(path, &cell, out);
            }
        }
        writer.close_complex(out);
    }
    writer.finish(out);
    seen
}

fn is_plain(front: &Front<'_>, wanted: &ColumnSet) -> bool {
    front.deletion.is_none()
        && front.liveness.is_none_or(|marker| marker.ttl == 0)
        && front
            .raw_columns()
            .all(|column| column.is_lasting() && wanted.contains(column.number))
}
