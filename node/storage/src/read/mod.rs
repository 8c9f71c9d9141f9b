//! Reads: memtable rows first, then the engine, in one turn; then merging, in steps.
//!
//! ```text
//!  one turn   memtables ─► copies of heads and rows, up to a bound (copy)      highest position they depend on
//!             engine    ─► snapshot
//!  then       copies + scans ─► Reconciler, 64 rows a step (walk)              yields between steps
//!  again      from the last row copied on, until the page is full
//! ```
//!
//! # Invariants
//! * What a turn copied and the snapshot it took are one state of the shard: a memtable leaves the list only when its
//!   rows are visible in the engine, in a turn of its own.
//! * A step never goes past the last row copied; what follows is copied anew, with a new snapshot.
//! * An answer depends on the highest position of the partitions that were looked at in memtables; what the engine has
//!   is durable.
//!
//! A read of single rows of a few partitions copies nothing and is done in its turn (single).

mod copy;
mod single;
mod source;
mod walk;

use std::ops::Bound;

use cql_mutation::{Partitions, ReadCommand, ReadResult};
use cql_types::Token;

pub(crate) use copy::{CopyBudget, copy};
pub(crate) use single::read_single_rows;
pub(crate) use walk::{Walk, WalkEnd, WalkStep};

use crate::log::LogPosition;
use crate::space::{Space, SpaceRange};

/// Rows merged before the shard gets a chance to do something else.
pub(crate) const ROWS_PER_STEP: usize = 64;

/// A result, and what must be durable before it may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadAnswer {
    /// The rows.
    pub result: ReadResult,
    /// The highest position of the shard's log that the rows depend on.
    pub depends_on: LogPosition,
}

/// The space that holds a token, in a list of disjoint ranges.
fn space_of(places: &[SpaceRange], token: Token) -> Option<Space> {
    let place = places
        .iter()
        .find(|place| place.first <= token && token <= place.last)?;
    Some(place.space)
}

/// The parts of `places` that a command wants, in token order; only for reads of token ranges.
pub(crate) fn wanted_ranges(command: &ReadCommand, places: &[SpaceRange]) -> Vec<SpaceRange> {
    let Partitions::Range { start, end } = &command.partitions else {
        return Vec::new();
    };
    let first = match start {
        Bound::Unbounded => Some(Token::MIN),
        Bound::Included(token) => Some(*token),
        Bound::Excluded(token) => token.next(),
    };
    let last = match end {
        Bound::Unbounded => Some(Token::MAX),
        Bound::Included(token) => Some(*token),
        Bound::Excluded(token) => token.0.checked_sub(1).map(Token),
    };
    let (Some(mut first), Some(last)) = (first, last) else {
        return Vec::new();
    };
    if let Some(position) = &command.resume {
        first = first.max(position.token);
    }
    let mut wanted: Vec<SpaceRange> = places
        .iter()
        .map(|place| SpaceRange {
            space: place.space,
            first: place.first.max(first),
            last: place.last.min(last),
        })
        .filter(|place| place.first <= place.last)
        .collect();
    wanted.sort_by_key(|place| place.first);
    wanted
}
