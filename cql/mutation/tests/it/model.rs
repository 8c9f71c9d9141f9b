//! A model of one partition that is as simple as can be: it keeps every write ever made and looks through
//! all of them for each cell. It shares no code with the crate.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// One write. Rows are numbers; `None` is the static row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Write {
    Marker {
        row: i32,
        at: i64,
        ttl: u32,
        expires: i64,
    },
    Cell {
        row: Option<i32>,
        column: u16,
        path: Vec<u8>,
        cell: ModelCell,
    },
    DeleteCollection {
        row: Option<i32>,
        column: u16,
        at: i64,
        second: i64,
    },
    DeleteRow {
        row: i32,
        at: i64,
        second: i64,
    },
    /// Rows from `start` up to but not including `end`.
    DeleteRange {
        start: i32,
        end: i32,
        at: i64,
        second: i64,
    },
    DeletePartition {
        at: i64,
        second: i64,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ModelCell {
    pub at: i64,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Live(Vec<u8>),
    Expiring {
        ttl: u32,
        expires: i64,
        value: Vec<u8>,
    },
    Deleted {
        second: i64,
    },
}

/// Live cells by column and path (empty for simple columns): write time and value.
pub(crate) type Cells = BTreeMap<(u16, Vec<u8>), (i64, Vec<u8>)>;

/// What a reader sees of a row: whether the marker is live, and the cells.
pub(crate) type VisibleRow = (bool, Cells);

/// What a reader sees of a partition.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Visible {
    pub static_cells: Cells,
    pub rows: BTreeMap<i32, VisibleRow>,
}

/// What a reader sees after `writes`, in whatever order they came, at second `now`.
pub(crate) fn visible(writes: &[Write], now: i64) -> Visible {
    let mut rows = BTreeMap::new();
    let numbers: BTreeSet<i32> = writes.iter().filter_map(row_of).collect();
    for row in numbers {
        let marker = live_marker(writes, row, now);
        let cells = live_cells(writes, Some(row), now);
        if marker || !cells.is_empty() {
            rows.insert(row, (marker, cells));
        }
    }
    Visible {
        static_cells: live_cells(writes, None, now),
        rows,
    }
}

fn row_of(write: &Write) -> Option<i32> {
    match write {
        Write::Marker { row, .. } => Some(*row),
        Write::Cell { row, .. } => *row,
        _ => None,
    }
}

fn live_marker(writes: &[Write], row: i32, now: i64) -> bool {
    let mut best: Option<(i64, u32, i64)> = None;
    for write in writes {
        let Write::Marker {
            row: found,
            at,
            ttl,
            expires,
        } = write
        else {
            continue;
        };
        if *found != row || is_deleted(writes, Some(row), None, *at) {
            continue;
        }
        let new = (*at, *ttl, *expires);
        if best.is_none_or(|old| marker_beats(new, old)) {
            best = Some(new);
        }
    }
    best.is_some_and(|(_, ttl, expires)| ttl == 0 || expires > now)
}

fn marker_beats(new: (i64, u32, i64), old: (i64, u32, i64)) -> bool {
    if new.0 != old.0 {
        return new.0 > old.0;
    }
    match (new.1, old.1) {
        (0, _) => false,
        (_, 0) => true,
        (a, b) => (new.2, new.2 - i64::from(a)) > (old.2, old.2 - i64::from(b)),
    }
}

fn live_cells(writes: &[Write], row: Option<i32>, now: i64) -> Cells {
    let mut winners: BTreeMap<(u16, Vec<u8>), &ModelCell> = BTreeMap::new();
    for write in writes {
        let Write::Cell {
            row: found,
            column,
            path,
            cell,
        } = write
        else {
            continue;
        };
        if *found != row || is_deleted(writes, row, Some(*column), cell.at) {
            continue;
        }
        let winner = winners.entry((*column, path.clone())).or_insert(cell);
        if beats(cell, winner) {
            *winner = cell;
        }
    }
    let live = winners
        .into_iter()
        .filter_map(|(place, cell)| match &cell.kind {
            Kind::Live(value) => Some((place, (cell.at, value.clone()))),
            Kind::Expiring { expires, value, .. } if *expires > now => {
                Some((place, (cell.at, value.clone())))
            }
            Kind::Expiring { .. } | Kind::Deleted { .. } => None,
        });
    live.collect()
}

/// The rules, one after the other.
fn beats(new: &ModelCell, old: &ModelCell) -> bool {
    if new.at != old.at {
        return new.at > old.at;
    }
    match (&new.kind, &old.kind) {
        (Kind::Deleted { second: a }, Kind::Deleted { second: b }) => a > b,
        (Kind::Deleted { .. }, _) => true,
        (_, Kind::Deleted { .. }) => false,
        (Kind::Expiring { .. }, Kind::Live(_)) => true,
        (Kind::Live(_), Kind::Expiring { .. }) => false,
        (Kind::Live(a), Kind::Live(b)) => a > b,
        (
            Kind::Expiring {
                ttl: t1,
                expires: e1,
                value: v1,
            },
            Kind::Expiring {
                ttl: t2,
                expires: e2,
                value: v2,
            },
        ) => match e1.cmp(e2) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal if t1 != t2 => e1 - i64::from(*t1) > e2 - i64::from(*t2),
            Ordering::Equal => v1 > v2,
        },
    }
}

/// Whether any deletion shadows something written at `time` in that place.
fn is_deleted(writes: &[Write], row: Option<i32>, column: Option<u16>, time: i64) -> bool {
    writes.iter().any(|write| match write {
        Write::DeletePartition { at, .. } => *at >= time,
        Write::DeleteRange { start, end, at, .. } => {
            row.is_some_and(|row| *start <= row && row < *end) && *at >= time
        }
        Write::DeleteRow { row: found, at, .. } => row == Some(*found) && *at >= time,
        Write::DeleteCollection {
            row: found,
            column: deleted,
            at,
            ..
        } => *found == row && Some(*deleted) == column && *at >= time,
        Write::Marker { .. } | Write::Cell { .. } => false,
    })
}
