//! From sources of rows to an answer: merge, shadow, expire, filter, count.
//!
//! ```text
//! for each partition, in the order of the command:
//!     begin_partition(key, token, head)     Stop: the page is full, nothing was read
//!     open sources for slices()
//!     run(sources, budget)                  Budget: yield and call again
//!                                           Partition: go to the next     Stop: finish
//! finish() -> ReadResult, with the position to go on from
//! ```
//!
//! Nothing is decided by a clock or by the order of sources. With one source and no deletions a row costs one
//! walk over its columns and a copy.
//!
//! What counts: LIMIT and PER PARTITION LIMIT count rows that exist and pass the filter.
//! A row exists by its marker or by any live cell of a column that exists, wanted or not.
//! A partition whose static row is live and which has no row at all counts as one row under
//! [`Statics::StandAlone`].

use super::current::{Current, Place, slices_behind};
use super::emit::{Seen, View, write_visible};
use super::first::{First, Head, first_source};
use super::result::{ITEM_ALONE, ITEM_ROW};
use super::{ColumnSet, Position, ReadCommand, ReadResult, ReadStats, RowSource, Statics, Subject};
use crate::clustering::{ClusteringKey, Slice};
use crate::codec::put_bytes;
use crate::merge::merge;
use crate::range::RangeTombstones;
use crate::row::{Deletion, RowBuf, RowRef};
use cql_schema::Table;
use cql_types::{PartitionKey, Token};

/// Room for a row of usual size, so that reading one grows nothing.
const RESULT_BYTES: usize = 512;

/// What surrounds the rows of a partition, merged over all sources.
#[derive(Debug, Clone, Default)]
pub struct PartitionHead {
    /// The deletion of the partition.
    pub deletion: Option<Deletion>,
    /// The static row.
    pub static_row: Option<RowBuf>,
    /// The range tombstones that touch the slices read.
    pub tombstones: RangeTombstones,
}

impl PartitionHead {
    /// Adds the deletion and the static row of one source.
    pub fn add(&mut self, deletion: Option<Deletion>, static_row: Option<RowRef<'_>>) {
        self.deletion = self.deletion.max(deletion);
        if let Some(row) = static_row {
            let merged = self.static_row.take().map(|old| {
                let mut out = Vec::with_capacity(old.as_bytes().len() + row.as_bytes().len());
                merge(old.as_ref(), row, &mut out);
                RowBuf::from_written(out)
            });
            self.static_row = Some(merged.unwrap_or_else(|| row.to_buf()));
        }
    }
}

/// Whether a partition is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// Its rows are wanted: open sources for [`Reconciler::slices`] and call [`Reconciler::run`].
    Read,
    /// The answer is full; call [`Reconciler::finish`].
    Stop,
}

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The budget is used up; call again with the same sources.
    Budget,
    /// The partition is done; go to the next, or finish.
    Partition,
    /// The answer is full or complete; call [`Reconciler::finish`].
    Stop,
}

/// Makes the answer of one read, one partition at a time.
#[derive(Debug)]
pub struct Reconciler<'c> {
    command: &'c ReadCommand,
    table: &'c Table,
    known: ColumnSet,
    /// The columns of the command that exist.
    wanted: ColumnSet,
    out: Vec<u8>,
    rows: u64,
    rows_left: u64,
    stats: ReadStats,
    current: Option<Current<'c>>,
    more: Option<Position>,
    /// Buffers for merging, kept from row to row.
    merged: Vec<u8>,
    spare: Vec<u8>,
}

impl<'c> Reconciler<'c> {
    /// Begins an answer. `table` is the schema to look at the data with.
    #[must_use]
    pub fn new(command: &'c ReadCommand, table: &'c Table) -> Self {
        let known = ColumnSet::all_of(table);
        Self {
            command,
            table,
            wanted: known.intersection(&command.columns),
            known,
            out: Vec::with_capacity(RESULT_BYTES),
            rows: 0,
            rows_left: command.rows_left(),
            stats: ReadStats::default(),
            current: None,
            more: None,
            merged: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// Begins the next partition.
    pub fn begin_partition(
        &mut self,
        key: &PartitionKey,
        token: Token,
        head: PartitionHead,
    ) -> Begin {
        if self.rows_left == 0 {
            self.more = None;
            return Begin::Stop;
        }
        if self.is_page_full() {
            self.more = self.position();
            return Begin::Stop;
        }
        let resume = self
            .command
            .resume
            .as_ref()
            .filter(|position| position.key == *key);
        let is_done = resume.is_some_and(|position| position.clustering.is_none());
        // What was read by the page before is not looked at again, or it could fill this page too.
        let head = if is_done {
            PartitionHead::default()
        } else {
            head
        };
        self.stats.partitions += u64::from(!is_done);
        self.stats.tombstones += u64::from(head.deletion.is_some()) + head.tombstones.len() as u64;
        let limit = self.command.per_partition_limit.unwrap_or(u64::MAX);
        let static_row = self.static_row(&head);
        let last = resume.and_then(|position| position.clustering.as_deref());
        self.current = Some(Current {
            key: key.clone(),
            token,
            slices: slices_behind(self.command, resume),
            deletion: head.deletion,
            tombstones: head.tombstones,
            static_row,
            rows_left: resume
                .and_then(|position| position.remaining_in_partition)
                .unwrap_or(limit),
            announced: false,
            has_rows: resume.is_some_and(|position| position.partition_has_rows),
            has_looked: false,
            last: ClusteringKey::new(last.unwrap_or_default()),
            is_done,
        });
        Begin::Read
    }

    /// The slices still to read in the current partition, ascending; a resumed one lacks what is done.
    #[must_use]
    pub fn slices(&self) -> &[Slice] {
        self.current.as_ref().map_or(&[], |current| &current.slices)
    }

    /// Reads up to `budget` rows of the current partition.
    ///
    /// Call it also for a partition without rows: it may have a static row to show.
    ///
    /// # Errors
    /// That of a source; the answer is lost then.
    pub fn run<S: RowSource>(
        &mut self,
        sources: &mut [S],
        budget: usize,
    ) -> Result<Progress, S::Error> {
        for _ in 0..budget.max(1) {
            if self.current.as_ref().is_none_or(|current| current.is_done) {
                return Ok(Progress::Partition);
            }
            let first = match first_source(sources, self.command.order) {
                Head::Row(first) => first,
                Head::Cut(last) => return Ok(self.end_at_cut(last)),
                Head::Nothing => return Ok(self.close_partition()),
            };
            let key = sources.get(first.index).and_then(RowSource::current);
            let place = match (&self.current, key) {
                (Some(current), Some((key, _))) => current.place(key, self.command.order),
                _ => Place::Behind,
            };
            match place {
                Place::Inside => {}
                Place::Behind => return Ok(self.close_partition()),
                Place::Before(target) => {
                    for source in sources.iter_mut() {
                        source.seek(&target, self.command.order)?;
                    }
                    continue;
                }
            }
            if self.is_page_full() && self.has_looked() {
                self.more = self.position();
                return Ok(Progress::Stop);
            }
            let progress = self.take_row(first, sources)?;
            if progress != Progress::Budget {
                return Ok(progress);
            }
        }
        Ok(Progress::Budget)
    }

    /// Takes one row that the caller has merged and that lies in the slices; for reads of single rows.
    ///
    /// [`Progress::Budget`] means that more rows are welcome; after the last one call
    /// [`Reconciler::close_partition`].
    pub fn offer(&mut self, key: &[u8], row: RowRef<'_>) -> Progress {
        if self.is_page_full() && self.has_looked() {
            self.more = self.position();
            return Progress::Stop;
        }
        self.show(key, row)
    }

    /// Ends the current partition: it may yet show its static row.
    pub fn close_partition(&mut self) -> Progress {
        let Some(mut current) = self.current.take() else {
            return Progress::Partition;
        };
        if !current.is_done {
            current.is_done = true;
            let alone = self.command.distinct || self.command.statics == Statics::StandAlone;
            if alone && !current.has_rows && !current.static_row.is_empty() {
                self.show_alone(&mut current);
            }
        }
        self.current = Some(current);
        match self.rows_left {
            0 => Progress::Stop,
            _ => Progress::Partition,
        }
    }

    /// The answer.
    #[must_use]
    pub fn finish(self) -> ReadResult {
        ReadResult {
            items: self.out.into(),
            rows: self.rows,
            more: self.more,
            stats: self.stats,
        }
    }

    fn is_page_full(&self) -> bool {
        let page = &self.command.page;
        self.rows >= page.rows.max(1)
            || self.out.len() as u64 >= page.bytes.max(1)
            || self.stats.tombstones >= page.tombstones.max(1)
    }

    /// The place behind the last row that was looked at; `None` if there is nothing to go on for.
    fn position(&self) -> Option<Position> {
        let current = self.current.as_ref()?;
        let is_done = current.is_done || current.rows_left == 0;
        let limited = |limit: Option<u64>, left: u64| limit.map(|_| left);
        Some(Position {
            token: current.token,
            key: current.key.clone(),
            clustering: (!is_done).then(|| current.last.clone()),
            partition_has_rows: current.has_rows,
            remaining_rows: limited(self.command.row_limit, self.rows_left),
            remaining_in_partition: limited(self.command.per_partition_limit, current.rows_left)
                .filter(|_| !is_done),
        })
    }

    /// What a reader sees of the static row.
    fn static_row(&mut self, head: &PartitionHead) -> Vec<u8> {
        let mut out = Vec::new();
        if self.command.statics == Statics::Skip && !self.command.distinct {
            return out;
        }
        let Some(row) = &head.static_row else {
            return out;
        };
        let view = View {
            now: self.command.now,
            known: &self.known,
            wanted: &self.wanted,
            bound: head.deletion.map(|deletion| deletion.timestamp),
        };
        let seen = write_visible(row.as_ref(), &view, &mut out);
        self.stats.tombstones += seen.tombstones;
        if !seen.live {
            out.clear();
        }
        out
    }

    /// The page ends where a source was cut.
    fn end_at_cut(&mut self, cut: &[u8]) -> Progress {
        if let Some(current) = &mut self.current {
            current.last = ClusteringKey::new(cut);
        }
        self.more = self.position();
        Progress::Stop
    }

    /// Whether this answer has come to a row of the current partition, so that it may end behind it.
    fn has_looked(&self) -> bool {
        self.current
            .as_ref()
            .is_some_and(|current| current.has_looked)
    }

    /// Takes the first row out of all sources that have it.
    fn take_row<S: RowSource>(
        &mut self,
        first: First,
        sources: &mut [S],
    ) -> Result<Progress, S::Error> {
        if !first.is_shared {
            let Some(source) = sources.get_mut(first.index) else {
                return Ok(Progress::Partition);
            };
            let progress = match source.current() {
                Some((key, row)) => self.show(key, row),
                None => Progress::Budget,
            };
            source.advance()?;
            return Ok(progress);
        }
        let key = sources.get(first.index).and_then(RowSource::current);
        let key = key
            .map(|(key, _)| ClusteringKey::new(key))
            .unwrap_or_default();
        let mut merged = std::mem::take(&mut self.merged);
        merged.clear();
        for source in sources.iter_mut().skip(first.index) {
            let Some((_, row)) = source
                .current()
                .filter(|(found, _)| *found == key.as_bytes())
            else {
                continue;
            };
            if merged.is_empty() {
                merged.extend_from_slice(row.as_bytes());
            } else {
                self.spare.clear();
                merge(RowRef::trusted(&merged), row, &mut self.spare);
                std::mem::swap(&mut merged, &mut self.spare);
            }
            source.advance()?;
        }
        let progress = self.show(&key, RowRef::trusted(&merged));
        self.merged = merged;
        Ok(progress)
    }

    /// Shows a merged row, if it exists and passes.
    fn show(&mut self, key: &[u8], row: RowRef<'_>) -> Progress {
        let Some(current) = &mut self.current else {
            return Progress::Partition;
        };
        self.stats.rows_scanned += 1;
        current.has_looked = true;
        current.last = ClusteringKey::new(key);
        let deletion = match current.tombstones.is_empty() {
            true => current.deletion,
            false => current.deletion.max(current.tombstones.covering(key)),
        };
        let start = self.out.len();
        let was_announced = current.announced;
        current.announce(&mut self.out);
        self.out.push(ITEM_ROW);
        put_bytes(&mut self.out, key);
        let len_at = self.out.len();
        self.out.extend_from_slice(&[0; 4]);
        let view = View {
            now: self.command.now,
            known: &self.known,
            wanted: &self.wanted,
            bound: deletion.map(|deletion| deletion.timestamp),
        };
        let Seen { live, tombstones } = write_visible(row, &view, &mut self.out);
        self.stats.tombstones += tombstones;
        current.has_rows |= live;
        let visible = self.out.get(len_at + 4..).unwrap_or_default();
        let subject = Subject {
            key: &current.key,
            clustering: Some(key),
            static_row: current.visible_static_row(),
            row: Some(RowRef::trusted(visible)),
            now: self.command.now,
        };
        let passes = live
            && (self.command.filter.is_empty()
                || self.command.filter.matches(self.table, &subject));
        if !passes || self.command.distinct {
            self.out.truncate(start);
            current.announced = was_announced;
        }
        if !passes {
            return Progress::Budget;
        }
        if self.command.distinct {
            current.announce(&mut self.out);
            self.out.push(ITEM_ALONE);
            current.is_done = true;
        } else {
            let len = u32::try_from(self.out.len() - len_at - 4).unwrap_or(u32::MAX);
            if let Some(slot) = self.out.get_mut(len_at..len_at + 4) {
                slot.copy_from_slice(&len.to_le_bytes());
            }
        }
        self.count_row()
    }

    /// Shows the current partition as a row without clustering, if it passes.
    fn show_alone(&mut self, current: &mut Current<'_>) {
        let subject = Subject {
            key: &current.key,
            clustering: None,
            static_row: current.visible_static_row(),
            row: None,
            now: self.command.now,
        };
        if self.command.filter.is_empty() || self.command.filter.matches(self.table, &subject) {
            current.announce(&mut self.out);
            self.out.push(ITEM_ALONE);
            self.rows += 1;
            self.rows_left = self.rows_left.saturating_sub(1);
        }
    }

    fn count_row(&mut self) -> Progress {
        let Some(current) = &mut self.current else {
            return Progress::Partition;
        };
        self.rows += 1;
        self.rows_left = self.rows_left.saturating_sub(1);
        current.rows_left = current.rows_left.saturating_sub(1);
        current.is_done |= current.rows_left == 0;
        match (self.rows_left, current.is_done) {
            (0, _) => Progress::Stop,
            (_, true) => Progress::Partition,
            (_, false) => Progress::Budget,
        }
    }
}
