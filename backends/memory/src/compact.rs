//! Compaction: all runs become one; deletes, hidden versions, discarded ranges and garbage go.

use std::sync::Arc;

use backend::{Bytes, Direction, Error, Gc, GcRun};

use crate::run::{Cell, Range, Run, Version};

/// The runs at which a compaction is due.
pub(crate) const DUE_RUNS: usize = 4;

/// The runs from which on an ingest does a compaction first.
pub(crate) const MOST_RUNS: usize = 64;

/// Merges all runs of a version into one, asking `gc` about each entry that stays.
///
/// # Errors
/// [`Error::Corrupt`] when an entry is damaged: a compaction must not give it a new checksum.
pub(crate) fn merge(
    version: &Version,
    discards: &[Range],
    gc: &mut dyn GcRun,
) -> Result<Version, Error> {
    let mut merged = Run::default();
    let mut rest = Range {
        start: std::ops::Bound::Unbounded,
        end: std::ops::Bound::Unbounded,
    };
    while let Some((key, cell)) = version.edge(&rest, Direction::Forward) {
        rest.advance(key.clone(), Direction::Forward);
        let Some(value) = cell.check(key)? else {
            continue;
        };
        if discards.iter().any(|discard| discard.contains(key)) {
            continue;
        }
        match gc.visit(key, value) {
            Gc::Keep => merged.insert(key.clone(), cell.clone()),
            Gc::Replace(value) => {
                merged.insert(key.clone(), Cell::new(key, Some(Bytes::from(value))))
            }
            Gc::Remove => {}
        }
    }
    let runs = if merged.is_empty() {
        Vec::new()
    } else {
        vec![Arc::new(merged)]
    };
    Ok(Version { runs })
}

/// The version with `merged` in the place of the runs it was made of, below those that came since.
pub(crate) fn replace(current: &Version, merged_from: &Version, merged: Version) -> Version {
    let newer = current.runs.len().saturating_sub(merged_from.runs.len());
    let mut runs: Vec<_> = current.runs.iter().take(newer).cloned().collect();
    runs.extend(merged.runs);
    Version { runs }
}
