//! Scans: the runs of a view, merged lazily in one direction.

use std::ops::Bound;
use std::sync::Arc;

use backend::{Direction, Entry, Error, Scan};
use lsm_tree::{InternalValue, Table, UserKey};

use crate::error::translate;
use crate::view::View;

type TableIter = Box<dyn DoubleEndedIterator<Item = lsm_tree::Result<InternalValue>> + Send>;

/// The bounds of a scan, as the engine wants them.
#[derive(Clone)]
struct Bounds {
    start: Bound<UserKey>,
    end: Bound<UserKey>,
}

impl Bounds {
    fn is_empty(&self) -> bool {
        match (&self.start, &self.end) {
            (Bound::Included(start), Bound::Included(end)) => start[..] > end[..],
            (Bound::Included(start), Bound::Excluded(end))
            | (Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) => {
                start[..] >= end[..]
            }
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        }
    }

    /// The tables of a run that the range touches.
    fn tables(&self, run: &[Table]) -> std::ops::Range<usize> {
        let start = match &self.start {
            Bound::Unbounded => 0,
            Bound::Included(key) => {
                run.partition_point(|table| table.metadata.key_range.max()[..] < key[..])
            }
            Bound::Excluded(key) => {
                run.partition_point(|table| table.metadata.key_range.max()[..] <= key[..])
            }
        };
        let end = match &self.end {
            Bound::Unbounded => run.len(),
            Bound::Included(key) => {
                run.partition_point(|table| table.metadata.key_range.min()[..] <= key[..])
            }
            Bound::Excluded(key) => {
                run.partition_point(|table| table.metadata.key_range.min()[..] < key[..])
            }
        };
        start..end.max(start)
    }
}

/// One run of the view: its tables one after the other, and the entry that is next.
struct RunScan {
    /// Which run of the view.
    run: usize,
    tables: std::ops::Range<usize>,
    table: Option<TableIter>,
    head: Option<InternalValue>,
}

impl RunScan {
    /// Makes the next entry of the run its head.
    fn advance(
        &mut self,
        view: &View,
        bounds: &Bounds,
        direction: Direction,
    ) -> lsm_tree::Result<()> {
        loop {
            let item = self.table.as_mut().and_then(|table| match direction {
                Direction::Forward => table.next(),
                Direction::Reverse => table.next_back(),
            });
            if let Some(item) = item {
                self.head = Some(item?);
                return Ok(());
            }
            self.head = None;
            let next = match direction {
                Direction::Forward => self.tables.next(),
                Direction::Reverse => self.tables.next_back(),
            };
            let run = view.runs().get(self.run);
            let Some(table) = next.and_then(|next| run?.get(next)) else {
                self.table = None;
                return Ok(());
            };
            self.table = Some(Box::new(
                table.range((bounds.start.clone(), bounds.end.clone())),
            ));
        }
    }
}

/// A merge of all runs of a view; a few runs at most, so the nearest head is found by looking at each.
pub(crate) struct ViewScan {
    view: Arc<View>,
    bounds: Bounds,
    direction: Direction,
    /// The newest run first; emptied at the end or by an error.
    runs: Vec<RunScan>,
}

impl ViewScan {
    pub(crate) fn new(
        view: Arc<View>,
        start: Bound<&[u8]>,
        end: Bound<&[u8]>,
        direction: Direction,
    ) -> Result<Self, Error> {
        let bounds = Bounds {
            start: start.map(UserKey::new),
            end: end.map(UserKey::new),
        };
        let mut runs = Vec::new();
        if !bounds.is_empty() {
            for (run, tables) in view.runs().iter().enumerate() {
                let tables = bounds.tables(tables);
                if tables.is_empty() {
                    continue;
                }
                let mut scan = RunScan {
                    run,
                    tables,
                    table: None,
                    head: None,
                };
                scan.advance(&view, &bounds, direction).map_err(reading)?;
                runs.push(scan);
            }
        }
        Ok(Self {
            view,
            bounds,
            direction,
            runs,
        })
    }

    /// Which run has the nearest key; of equal keys the newest run's, which comes first.
    fn nearest(&self) -> Option<usize> {
        let heads = self.runs.iter().enumerate();
        let heads =
            heads.filter_map(|(index, run)| Some((index, &run.head.as_ref()?.key.user_key)));
        let nearest = heads.reduce(|best, next| {
            let nearer = match self.direction {
                Direction::Forward => next.1[..] < best.1[..],
                Direction::Reverse => next.1[..] > best.1[..],
            };
            if nearer { next } else { best }
        });
        nearest.map(|(index, _)| index)
    }

    /// Takes the newest version of the nearest key, and passes by the older ones.
    fn step(&mut self) -> lsm_tree::Result<Option<InternalValue>> {
        let Some(newest) = self.nearest() else {
            return Ok(None);
        };
        let mut taken: Option<InternalValue> = None;
        for run in self.runs.iter_mut().skip(newest) {
            while let Some(head) = run.head.take_if(|head| {
                taken
                    .as_ref()
                    .is_none_or(|taken| head.key.user_key == taken.key.user_key)
            }) {
                taken.get_or_insert(head);
                run.advance(&self.view, &self.bounds, self.direction)?;
            }
        }
        Ok(taken)
    }
}

impl Scan for ViewScan {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            match self.step() {
                Ok(Some(item)) if item.key.is_tombstone() => {}
                Ok(Some(item)) => return Ok(Some((item.key.user_key.into(), item.value.into()))),
                Ok(None) => return Ok(None),
                Err(error) => {
                    self.runs.clear();
                    return Err(reading(error));
                }
            }
        }
    }
}

fn reading(error: lsm_tree::Error) -> Error {
    translate("read a range", error)
}
