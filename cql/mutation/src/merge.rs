//! Merging two versions of a row, and applying a deletion from outside to a row.
//!
//! One walk over both rows side by side; the result is appended to a buffer of the caller.
//! Nothing here reads a clock: expired cells merge as expiring cells do, so replaying a log or
//! flushing twice gives the same bytes.
//!
//! Merging is a maximum in each cell (see [`CellRef::compare`](crate::CellRef::compare)), in the marker and in each deletion,
//! after which everything is removed that is not younger than a deletion around it.
//! Removal keeps what is younger than a bound and the maximum looks at the time first,
//! so the two steps commute and the whole is commutative, associative and idempotent.

use crate::row::{ComplexRef, Deletion, Header, RawColumn, RowBuf, RowRef, RowWriter};
use cql_schema::ColumnNumber;
use std::cmp::Ordering;

/// Appends the row that `a` and `b` are together.
///
/// About 20 ns a column. A column that is simple in one and complex in the other, which no
/// schema makes, is taken as complex.
pub fn merge(a: RowRef<'_>, b: RowRef<'_>, out: &mut Vec<u8>) {
    let (Some(first), Some(second)) = (a.front(), b.front()) else {
        // Bytes that are no row: the other one stays.
        let row = if a.front().is_none() { b } else { a };
        out.extend_from_slice(row.as_bytes());
        return;
    };
    out.reserve(a.as_bytes().len() + b.as_bytes().len());
    let header = Header {
        liveness: first.liveness.max(second.liveness),
        deletion: first.deletion.max(second.deletion),
        clustering: first.clustering.max(second.clustering),
    }
    .normalized();
    let bound = Bound::of(header.deletion);
    let mut sink = Sink {
        writer: RowWriter::new(header),
        bound,
        out,
    };
    let (mut left, mut right) = (first.raw_columns(), second.raw_columns());
    let (mut x, mut y) = (left.next(), right.next());
    loop {
        match (&x, &y) {
            (None, None) => break,
            (Some(column), None) => {
                sink.one(column);
                x = left.next();
            }
            (None, Some(column)) => {
                sink.one(column);
                y = right.next();
            }
            (Some(column), Some(other)) => match column.number.cmp(&other.number) {
                Ordering::Less => {
                    sink.one(column);
                    x = left.next();
                }
                Ordering::Greater => {
                    sink.one(other);
                    y = right.next();
                }
                Ordering::Equal => {
                    sink.both(column, other);
                    x = left.next();
                    y = right.next();
                }
            },
        }
    }
    sink.writer.finish(sink.out);
}

/// What is left of a row under a deletion that is not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shadowed {
    /// All of it: everything is younger.
    Untouched,
    /// Some of it.
    Partly(RowBuf),
    /// Nothing.
    Gone,
}

/// Removes from `row` what a deletion of its partition, or of a range around it, shadows.
///
/// Costs one walk; allocates only if something goes and something stays.
#[must_use]
pub fn shadow(row: RowRef<'_>, deletion: Deletion) -> Shadowed {
    match (row.min_timestamp(), row.max_timestamp()) {
        (Some(oldest), Some(_)) if !deletion.shadows(oldest) => return Shadowed::Untouched,
        (Some(_), Some(newest)) if !deletion.shadows(newest) => {}
        _ => return Shadowed::Gone,
    }
    let mut out = Vec::with_capacity(row.as_bytes().len());
    let younger = |timestamp: i64| !deletion.shadows(timestamp);
    let header = Header {
        liveness: row.liveness().filter(|marker| younger(marker.timestamp)),
        deletion: row.deletion().filter(|inner| younger(inner.timestamp)),
        clustering: row
            .written_clustering()
            .filter(|written| younger(written.timestamp)),
    };
    // Older than an inner deletion that stays is gone already.
    let bound = Bound::of(Some(deletion));
    let mut sink = Sink {
        writer: RowWriter::new(header),
        bound,
        out: &mut out,
    };
    for column in row.raw_columns() {
        sink.one(&column);
    }
    sink.writer.finish(sink.out);
    Shadowed::Partly(RowBuf::from_written(out))
}

/// The time up to which everything is gone.
#[derive(Clone, Copy)]
struct Bound(Option<i64>);

impl Bound {
    fn of(deletion: Option<Deletion>) -> Self {
        Self(deletion.map(|deletion| deletion.timestamp))
    }

    fn younger(self, timestamp: i64) -> bool {
        self.0.is_none_or(|bound| timestamp > bound)
    }

    /// The bound inside of a complex column; the deletion must have passed this one.
    fn inside(self, deletion: Option<Deletion>) -> Self {
        deletion.map_or(self, |deletion| Self(Some(deletion.timestamp)))
    }
}

/// Writes columns that pass a bound.
struct Sink<'a, 'o> {
    writer: RowWriter<'a>,
    bound: Bound,
    out: &'o mut Vec<u8>,
}

impl Sink<'_, '_> {
    #[inline]
    fn one(&mut self, column: &RawColumn<'_>) {
        match column.is_complex() {
            false => self.cell(column),
            true if self.bound.0.is_none() && self.writer.known_base() == Some(column.base) => {
                self.writer.raw(column, column.base, self.out);
            }
            true => self.complex(column.number, column.complex(), None),
        }
    }

    #[inline]
    fn both(&mut self, a: &RawColumn<'_>, b: &RawColumn<'_>) {
        match (a.is_complex(), b.is_complex()) {
            (false, false) => self.cell(winner(a, b)),
            (true, true) => self.complex(a.number, a.complex(), b.complex()),
            (true, false) => self.one(a),
            (false, true) => self.one(b),
        }
    }

    #[inline]
    fn cell(&mut self, column: &RawColumn<'_>) {
        if self.bound.younger(column.timestamp) {
            self.writer.copy(column, self.out);
        }
    }

    fn complex(
        &mut self,
        number: ColumnNumber,
        a: Option<ComplexRef<'_>>,
        b: Option<ComplexRef<'_>>,
    ) {
        let deletion = a.and_then(|a| a.deletion).max(b.and_then(|b| b.deletion));
        let deletion = deletion.filter(|deletion| self.bound.younger(deletion.timestamp));
        let inside = self.bound.inside(deletion);
        if let Some(deletion) = deletion {
            self.writer
                .open_complex(number, Some(deletion), deletion.timestamp, self.out);
        }
        let mut left = a.map(|a| a.elements()).into_iter().flatten().peekable();
        let mut right = b.map(|b| b.elements()).into_iter().flatten().peekable();
        loop {
            let order = match (left.peek(), right.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((x, _)), Some((y, _))) => x.cmp(y),
            };
            let next = match order {
                Ordering::Less => left.next(),
                Ordering::Greater => right.next(),
                Ordering::Equal => left
                    .next()
                    .zip(right.next())
                    .map(|((path, a), (_, b))| (path, a.winner(b))),
            };
            let Some((path, cell)) = next else { break };
            if inside.younger(cell.timestamp) {
                if !self.writer.is_open() {
                    self.writer
                        .open_complex(number, None, cell.timestamp, self.out);
                }
                self.writer.element(path, &cell, self.out);
            }
        }
        self.writer.close_complex(self.out);
    }
}

/// The column whose cell wins; looks into the cells only if they have the same time.
#[inline]
fn winner<'c, 'a>(a: &'c RawColumn<'a>, b: &'c RawColumn<'a>) -> &'c RawColumn<'a> {
    match a.timestamp.cmp(&b.timestamp) {
        Ordering::Greater => a,
        Ordering::Less => b,
        Ordering::Equal => match a.cell().zip(b.cell()) {
            Some((x, y)) if x.compare(&y) == Ordering::Less => b,
            _ => a,
        },
    }
}
