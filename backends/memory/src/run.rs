//! A sorted run of entries and a version: what one directory holds at one moment.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::ops::Bound;
use std::sync::Arc;

use backend::{Bytes, Direction, Error};

/// What each entry adds to the size of a run, beside its key and value.
const ENTRY_OVERHEAD_BYTES: u64 = 16;

/// A stored value, or a delete, with the checksum of key and value.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) value: Option<Bytes>,
    checksum: u32,
}

impl Cell {
    pub(crate) fn new(key: &[u8], value: Option<Bytes>) -> Self {
        let checksum = checksum(key, value.as_deref());
        Self { value, checksum }
    }

    /// The value, if the bytes are those that were stored.
    pub(crate) fn check(&self, key: &[u8]) -> Result<&Option<Bytes>, Error> {
        if self.checksum == checksum(key, self.value.as_deref()) {
            Ok(&self.value)
        } else {
            Err(Error::Corrupt {
                what: format!("the value of key {}", key.escape_ascii()),
            })
        }
    }

    pub(crate) fn stored_bytes(&self, key: &[u8]) -> u64 {
        let value = self.value.as_ref().map_or(0, Bytes::len);
        (key.len() + value) as u64 + ENTRY_OVERHEAD_BYTES
    }
}

/// FNV-1a over the key, a mark for a delete, and the value.
fn checksum(key: &[u8], value: Option<&[u8]>) -> u32 {
    let mark: &[u8] = if value.is_some() { b"v" } else { b"d" };
    let bytes = key.iter().chain(mark).chain(value.unwrap_or_default());
    bytes.fold(0x811c_9dc5, |sum, byte| {
        (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

/// One sorted run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    cells: BTreeMap<Bytes, Cell>,
    bytes: u64,
}

impl Run {
    /// Adds an entry whose key is not there yet.
    pub(crate) fn insert(&mut self, key: Bytes, cell: Cell) {
        self.bytes += cell.stored_bytes(&key);
        self.cells.insert(key, cell);
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<&Cell> {
        self.cells.get(key)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn len(&self) -> u64 {
        self.cells.len() as u64
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    pub(crate) fn iter(&self) -> btree_map::Iter<'_, Bytes, Cell> {
        self.cells.iter()
    }

    /// The entry nearest to the edge of the range that the direction begins with.
    fn edge(&self, range: &Range, direction: Direction) -> Option<(&Bytes, &Cell)> {
        if range.is_empty() {
            return None;
        }
        let bounds = (
            range.start.as_ref().map(|key| &key[..]),
            range.end.as_ref().map(|key| &key[..]),
        );
        let mut cells = self.cells.range::<[u8], _>(bounds);
        match direction {
            Direction::Forward => cells.next(),
            Direction::Reverse => cells.next_back(),
        }
    }

    pub(crate) fn holds(&self, range: &Range) -> bool {
        self.edge(range, Direction::Forward).is_some()
    }

    /// Turns a bit of the `n`-th cell over and leaves its checksum, as a failing disk would.
    pub(crate) fn damage(&mut self, n: usize, seed: u64) {
        let Some((_, cell)) = self.cells.iter_mut().nth(n) else {
            return;
        };
        match &mut cell.value {
            Some(value) if !value.is_empty() => {
                let mut bytes = value.to_vec();
                let at = seed % bytes.len() as u64;
                if let Some((_, byte)) = (0_u64..).zip(&mut bytes).find(|(index, _)| *index == at) {
                    *byte ^= 1;
                }
                *value = bytes.into();
            }
            Some(_) | None => cell.checksum ^= 1,
        }
    }
}

/// A range of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) start: Bound<Bytes>,
    pub(crate) end: Bound<Bytes>,
}

impl Range {
    pub(crate) fn new(start: Bound<&[u8]>, end: Bound<&[u8]>) -> Self {
        Self {
            start: start.map(Bytes::copy_from_slice),
            end: end.map(Bytes::copy_from_slice),
        }
    }

    /// True when no key can lie between the bounds.
    pub(crate) fn is_empty(&self) -> bool {
        match (&self.start, &self.end) {
            (Bound::Included(start), Bound::Included(end)) => start > end,
            (Bound::Included(start), Bound::Excluded(end))
            | (Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) => start >= end,
            (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
        }
    }

    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        let above = match &self.start {
            Bound::Included(start) => &start[..] <= key,
            Bound::Excluded(start) => &start[..] < key,
            Bound::Unbounded => true,
        };
        above
            && match &self.end {
                Bound::Included(end) => key <= &end[..],
                Bound::Excluded(end) => key < &end[..],
                Bound::Unbounded => true,
            }
    }

    /// Cuts off everything up to and including `key`, seen from where the direction begins.
    pub(crate) fn advance(&mut self, key: Bytes, direction: Direction) {
        match direction {
            Direction::Forward => self.start = Bound::Excluded(key),
            Direction::Reverse => self.end = Bound::Excluded(key),
        }
    }
}

/// What a directory holds at one moment: runs, the newest first.
#[derive(Clone, Debug, Default)]
pub(crate) struct Version {
    pub(crate) runs: Vec<Arc<Run>>,
}

impl Version {
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        match self.runs.iter().find_map(|run| run.get(key)) {
            Some(cell) => cell.check(key).cloned(),
            None => Ok(None),
        }
    }

    /// The newest cell of the first key in the range, a delete included.
    pub(crate) fn edge(&self, range: &Range, direction: Direction) -> Option<(&Bytes, &Cell)> {
        let edges = self
            .runs
            .iter()
            .filter_map(|run| run.edge(range, direction));
        edges.reduce(|best, next| {
            let nearer = match direction {
                Direction::Forward => next.0 < best.0,
                Direction::Reverse => next.0 > best.0,
            };
            if nearer { next } else { best }
        })
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.runs.iter().map(|run| run.bytes()).sum()
    }

    pub(crate) fn entries(&self) -> u64 {
        self.runs.iter().map(|run| run.len()).sum()
    }
}
