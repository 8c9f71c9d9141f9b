//! What a table must hold, worked out the slow way: from the list of all writes, at each question anew.

use std::collections::{BTreeMap, BTreeSet};

/// One write, to one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// Marker and cells of a row.
    Insert {
        ck: i32,
        cells: Vec<(Col, Option<String>)>,
    },
    /// Cells only.
    Update {
        ck: i32,
        cells: Vec<(Col, Option<String>)>,
    },
    Static {
        value: Option<String>,
    },
    DeleteRow {
        ck: i32,
    },
    /// From the first to the last clustering key, both included.
    DeleteRange {
        from: i32,
        to: i32,
    },
    DeletePartition,
}

/// A regular column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Col {
    V,
    W,
}

/// Writes of one batch: visible together, or not at all.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) time: i64,
    pub(crate) writes: Vec<(i32, Write)>,
}

/// A row as a client sees it.
pub(crate) type Row = (Option<String>, Option<String>);

/// A partition as a client sees it: static value and rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) fixed: Option<String>,
    pub(crate) rows: BTreeMap<i32, Row>,
}

impl Seen {
    pub(crate) fn is_empty(&self) -> bool {
        self.fixed.is_none() && self.rows.is_empty()
    }
}

/// What a partition holds after some batches, in whatever order they came.
pub(crate) fn partition<'a>(pk: i32, batches: impl Iterator<Item = &'a Batch> + Clone) -> Seen {
    let writes = || {
        batches.clone().flat_map(|batch| {
            batch
                .writes
                .iter()
                .map(|(pk, write)| (*pk, batch.time, write))
        })
    };
    let mine = || {
        writes()
            .filter(|(found, _, _)| *found == pk)
            .map(|(_, time, write)| (time, write))
    };
    let mut keys = BTreeSet::new();
    let mut fixed = None;
    let whole = mine()
        .filter(|(_, write)| **write == Write::DeletePartition)
        .map(|(time, _)| time)
        .max();
    for (time, write) in mine() {
        match write {
            Write::Insert { ck, .. } | Write::Update { ck, .. } => {
                keys.insert(*ck);
            }
            Write::Static { value } => {
                if whole.is_none_or(|deleted| time > deleted) {
                    fixed = fixed.max(Some(rank(time, value)));
                }
            }
            Write::DeleteRow { .. } | Write::DeleteRange { .. } | Write::DeletePartition => {}
        }
    }
    let rows = keys
        .into_iter()
        .filter_map(|ck| Some((ck, row(ck, &mine().collect::<Vec<_>>())?)));
    Seen {
        fixed: fixed.and_then(|(_, _, value)| value),
        rows: rows.collect(),
    }
}

/// A deletion wins a tie, then the larger value.
fn rank(time: i64, value: &Option<String>) -> (i64, bool, Option<String>) {
    (time, value.is_none(), value.clone())
}

fn row(ck: i32, writes: &[(i64, &Write)]) -> Option<Row> {
    let deleted = writes
        .iter()
        .filter(|(_, write)| match write {
            Write::DeleteRow { ck: found } => *found == ck,
            Write::DeleteRange { from, to } => *from <= ck && ck <= *to,
            Write::DeletePartition => true,
            Write::Insert { .. } | Write::Update { .. } | Write::Static { .. } => false,
        })
        .map(|(time, _)| *time)
        .max();
    let lives = |time: i64| deleted.is_none_or(|deleted| time > deleted);
    let mut marker = false;
    let mut best: BTreeMap<Col, (i64, bool, Option<String>)> = BTreeMap::new();
    for (time, write) in writes {
        let (found, cells) = match write {
            Write::Insert { ck: found, cells } => {
                marker |= *found == ck && lives(*time);
                (*found, cells)
            }
            Write::Update { ck: found, cells } => (*found, cells),
            Write::Static { .. }
            | Write::DeleteRow { .. }
            | Write::DeleteRange { .. }
            | Write::DeletePartition => {
                continue;
            }
        };
        if found != ck || !lives(*time) {
            continue;
        }
        for (col, value) in cells {
            let ranked = rank(*time, value);
            let known = best.entry(*col).or_insert_with(|| ranked.clone());
            *known = ranked.max(known.clone());
        }
    }
    let value = |col| best.get(&col).and_then(|(_, _, value)| value.clone());
    let row = (value(Col::V), value(Col::W));
    (marker || row.0.is_some() || row.1.is_some()).then_some(row)
}

#[test]
fn the_model_itself() {
    let cells = |text: &str| vec![(Col::V, Some(text.to_owned()))];
    let batches = [
        Batch {
            time: 5,
            writes: vec![(
                1,
                Write::Insert {
                    ck: 1,
                    cells: cells("a"),
                },
            )],
        },
        Batch {
            time: 7,
            writes: vec![(1, Write::DeleteRange { from: 0, to: 3 })],
        },
        Batch {
            time: 8,
            writes: vec![(
                1,
                Write::Update {
                    ck: 2,
                    cells: cells("b"),
                },
            )],
        },
    ];
    let seen = partition(1, batches.iter());
    assert_eq!(
        seen.rows.into_iter().collect::<Vec<_>>(),
        [(2, (Some("b".to_owned()), None))]
    );
    assert!(partition(2, batches.iter()).is_empty());
}
