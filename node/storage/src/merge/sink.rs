//! Where a merge writes: rows are merged with their older version, shadowed, purged, and put, deleted or left alone.
//!
//! The output waits in memory, about the size of the memtable's rows, and becomes an ingest at the very end:
//! an ingest lives on one thread and in one turn, while a merge takes many turns.

use std::collections::BTreeMap;

use bytes::Bytes;
use cql_mutation::{Deletion, PurgePolicy, Purged, RowBuf, RowRef, Shadowed, merge, purge, shadow};

use super::MergeContext;
use crate::error::StorageError;
use crate::layout::cut::{Reader, Writer};
use crate::log::frame::u32_at;
use crate::space::Space;
use crate::stats::add;

/// The output of one merge, and its state of the engine.
pub(super) struct Sink {
    /// The engine as it was when the merge began; nobody writes it meanwhile.
    pub(super) reader: Reader,
    /// `[length of key][length of value, or all ones to delete][key][value]`, ascending keys, in blocks.
    blocks: Vec<Vec<u8>>,
    bytes: u64,
    /// For each space the largest write time of anything that was purged.
    purged: BTreeMap<Space, i64>,
    scratch: Vec<u8>,
}

/// Blocks of output are about this long.
const BLOCK_BYTES: usize = 1 << 20;

/// Instead of the length of a value.
const DELETED: u32 = u32::MAX;

/// What was there before, and what becomes of it.
pub(super) struct RowChange<'a> {
    pub(super) key: &'a [u8],
    pub(super) older: Option<&'a Bytes>,
    pub(super) newer: Option<RowRef<'a>>,
    pub(super) deletion: Option<Deletion>,
}

impl Sink {
    /// Takes the snapshot of the engine; from here on the merge must be alone.
    pub(super) fn new(context: &MergeContext) -> Self {
        Self {
            reader: Reader::new(&*context.engine),
            blocks: Vec::new(),
            bytes: 0,
            purged: BTreeMap::new(),
            scratch: Vec::new(),
        }
    }

    fn write(&mut self, key: &[u8], value: Option<&[u8]>) {
        let lengths = [length(key), value.map_or(DELETED, length)];
        let size = 8 + key.len() + value.map_or(0, <[u8]>::len);
        let fits = |block: &Vec<u8>| block.len() + size <= block.capacity();
        if !self.blocks.last().is_some_and(fits) {
            self.blocks.push(Vec::with_capacity(size.max(BLOCK_BYTES)));
        }
        if let Some(block) = self.blocks.last_mut() {
            block.extend(lengths.iter().flat_map(|length| length.to_le_bytes()));
            block.extend_from_slice(key);
            block.extend_from_slice(value.unwrap_or_default());
        }
        self.bytes += (size - 8) as u64;
    }

    /// Adds a value; keys ascend.
    pub(super) fn put(&mut self, key: &[u8], value: &[u8]) {
        self.write(key, Some(value));
    }

    /// Removes a key; keys ascend.
    pub(super) fn delete(&mut self, key: &[u8]) {
        self.write(key, None);
    }

    /// Puts, deletes, or leaves a value as it is.
    pub(super) fn replace(&mut self, key: &[u8], older: Option<&[u8]>, newer: Option<&[u8]>) {
        match (older, newer) {
            (Some(old), Some(new)) if old == new => {}
            (_, Some(new)) => self.put(key, new),
            (Some(_), None) => self.delete(key),
            (None, None) => {}
        }
    }

    /// Merges a row, takes away what the deletion shadows and what the policy allows, and writes what is left.
    pub(super) fn row(
        &mut self,
        context: &MergeContext,
        space: Space,
        policy: &PurgePolicy,
        change: RowChange<'_>,
    ) {
        let older = change.older.map(|bytes| RowRef::trusted(bytes));
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let merged = match (older, change.newer) {
            (Some(old), Some(new)) => {
                merge(old, new, &mut scratch);
                RowRef::trusted(&scratch)
            }
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => return,
        };
        let left = self.trim(space, policy, merged, change.deletion);
        match &left {
            Left::Same => self.replace(
                change.key,
                older.map(RowRef::as_bytes),
                Some(merged.as_bytes()),
            ),
            Left::Less(row) => self.replace(
                change.key,
                older.map(RowRef::as_bytes),
                Some(row.as_bytes()),
            ),
            Left::Nothing => {
                add(&context.counters.rows_dropped, 1);
                self.replace(change.key, older.map(RowRef::as_bytes), None);
            }
        }
        self.scratch = scratch;
    }

    fn trim(
        &mut self,
        space: Space,
        policy: &PurgePolicy,
        row: RowRef<'_>,
        deletion: Option<Deletion>,
    ) -> Left {
        let shadowed = match deletion.map(|deletion| shadow(row, deletion)) {
            Some(Shadowed::Gone) => return Left::Nothing,
            Some(Shadowed::Partly(rest)) => Some(rest),
            Some(Shadowed::Untouched) | None => None,
        };
        let view = shadowed.as_ref().map_or(row, RowBuf::as_ref);
        let purged = purge(view, policy);
        if purged != Purged::Unchanged
            && let Some(newest) = view.max_timestamp()
        {
            self.purged(space, newest);
        }
        match (purged, shadowed) {
            (Purged::Unchanged, None) => Left::Same,
            (Purged::Unchanged, Some(rest)) => Left::Less(rest),
            (Purged::Changed(rest), _) => Left::Less(rest),
            (Purged::Nothing, _) => Left::Nothing,
        }
    }

    /// Notes that a tombstone of this write time was purged.
    pub(super) fn purged(&mut self, space: Space, time: i64) {
        let newest = self.purged.entry(space).or_insert(i64::MIN);
        *newest = time.max(*newest);
    }

    /// Whether writes older than what was purged have arrived since: then nothing may be purged this time.
    pub(super) fn purged_too_much(&self, floor_of: impl Fn(Space) -> i64) -> bool {
        self.purged
            .iter()
            .any(|(space, newest)| floor_of(*space) <= *newest)
    }

    /// Installs everything: atomic, durable, visible.
    pub(super) fn finish(self, context: &MergeContext) -> Result<(), StorageError> {
        let mut writer = Writer::new(context.engine.ingest()?, self.reader);
        for block in self.blocks {
            let mut rest = block.as_slice();
            while let Some((key, value, behind)) = split(rest) {
                match value {
                    Some(value) => writer.put(key, value)?,
                    None => writer.delete(key)?,
                }
                rest = behind;
            }
        }
        writer.finish()?;
        add(&context.counters.bytes_written, self.bytes);
        Ok(())
    }
}

fn length(bytes: &[u8]) -> u32 {
    // Keys and values are far below 4 GiB; a longer one could not have been accepted.
    u32::try_from(bytes.len()).unwrap_or(DELETED - 1)
}

type KeyAndValue<'a> = (&'a [u8], Option<&'a [u8]>, &'a [u8]);

/// The first key and value of a block, and what follows them.
fn split(block: &[u8]) -> Option<KeyAndValue<'_>> {
    let (key, value) = (u32_at(block, 0)? as usize, u32_at(block, 4)?);
    let (key, rest) = block.get(8..)?.split_at_checked(key)?;
    match value {
        DELETED => Some((key, None, rest)),
        length => rest
            .split_at_checked(length as usize)
            .map(|(value, rest)| (key, Some(value), rest)),
    }
}

/// What is left of a row.
enum Left {
    Same,
    Less(RowBuf),
    Nothing,
}
