//! Merged rows in memory, owned by one shard; sealed, shared and read-only while they are flushed.
//!
//! ```text
//!  place (space, token) ─► partition: key, highest position, rows, and, boxed because rare, deletion, static row, ranges
//! ```
//!
//! A write merges with the row that is there, so a row that is overwritten often is one row, in memory and at flush.
//! A deletion of a partition or range is only noted; reads apply it, and what it shadows goes at flush.
//!
//! Cost: one search in a map with 16-byte keys, then one in the rows of the partition; no lock anywhere.

mod partition;
mod rows;

use std::collections::BTreeMap;
use std::sync::Arc;

use cql_mutation::PartitionUpdate;
use cql_types::{PartitionKey, Token};

pub(crate) use partition::Partition;

use crate::floor::{FloorPin, Floors};
use crate::layout::key::Place;
use crate::log::{LogId, LogPosition};
use crate::space::Space;

/// About what an entry of a map of places takes beside the partition.
const SLOT_BYTES: usize = 24;

/// The rows that one shard accepted since the last seal.
#[derive(Debug)]
pub(crate) struct Memtable {
    partitions: BTreeMap<Place, Slot>,
    bytes: usize,
    /// The highest position in it.
    last: LogPosition,
    /// The largest write time that this node assigned.
    assigned: i64,
    floors: Arc<Floors>,
    pins: BTreeMap<Space, FloorPin>,
    origin: Origin,
}

/// Where the rows came from, which decides what a flush may forget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The log of this run: once flushed, its frames are never replayed.
    Log(LogId),
    /// Logs of older runs: they may be replayed again until all of them are retired.
    Replay,
    /// Another node or a file: no log has them.
    Import,
}

/// The partitions of one place; more than one only if two keys have the same token.
#[derive(Debug)]
enum Slot {
    One(Partition),
    /// Sorted by key, which orders as encoded keys do.
    Several(Vec<Partition>),
}

impl Slot {
    fn as_slice(&self) -> &[Partition] {
        match self {
            Self::One(partition) => std::slice::from_ref(partition),
            Self::Several(partitions) => partitions,
        }
    }
}

impl Memtable {
    pub(crate) fn new(floors: Arc<Floors>, origin: Origin) -> Self {
        Self {
            partitions: BTreeMap::new(),
            bytes: 0,
            last: LogPosition::NONE,
            assigned: i64::MIN,
            floors,
            pins: BTreeMap::new(),
            origin,
        }
    }

    /// Merges an update in; it becomes visible at once. The change in bytes can be read from [`Memtable::bytes`].
    pub(crate) fn apply(
        &mut self,
        space: Space,
        token: Token,
        key: PartitionKey,
        update: PartitionUpdate,
        position: LogPosition,
    ) {
        // The floor comes down before anything can be read or flushed.
        if let Some(oldest) = update.min_timestamp() {
            match self.pins.get(&space) {
                Some(pin) => pin.lower(oldest),
                None => {
                    self.pins.insert(space, self.floors.pin(space, oldest));
                }
            }
        }
        self.last = self.last.max(position);
        let slot = self.partitions.entry(Place::new(space, token));
        let partition = match slot {
            std::collections::btree_map::Entry::Vacant(vacant) => {
                self.bytes += SLOT_BYTES + Partition::base_bytes(&key);
                match vacant.insert(Slot::One(Partition::new(key))) {
                    Slot::One(partition) => partition,
                    Slot::Several(_) => return,
                }
            }
            std::collections::btree_map::Entry::Occupied(occupied) => {
                let (partition, added) = occupied.into_mut().find_or_add(key);
                self.bytes += added;
                partition
            }
        };
        let (before, after) = partition.apply(update, position);
        self.bytes = self.bytes.saturating_sub(before) + after;
    }

    /// Notes a write time that this node assigned.
    pub(crate) fn assigned(&mut self, time: i64) {
        self.assigned = self.assigned.max(time);
    }

    pub(crate) fn largest_assigned(&self) -> i64 {
        self.assigned
    }

    pub(crate) fn partition(
        &self,
        space: Space,
        token: Token,
        key: &PartitionKey,
    ) -> Option<&Partition> {
        let slot = self.partitions.get(&Place::new(space, token))?;
        slot.as_slice()
            .iter()
            .find(|partition| partition.key() == key)
    }

    /// Partitions from `start` up to but not including `end`, in the order of their keys in the engine.
    pub(crate) fn range(
        &self,
        start: Place,
        end: Place,
    ) -> impl DoubleEndedIterator<Item = (Place, &Partition)> {
        let range = match start < end {
            true => Some(self.partitions.range(start..end)),
            false => None,
        };
        let slots = range.into_iter().flatten();
        slots.flat_map(|(place, slot)| slot.as_slice().iter().map(|partition| (*place, partition)))
    }

    /// The partition after `from` (a place and a number within it), and how to ask for the one after it.
    pub(crate) fn next_from(&self, from: Cursor) -> Option<(Cursor, Place, &Partition)> {
        for (place, slot) in self.partitions.range(from.place..) {
            let index = if *place == from.place { from.index } else { 0 };
            if let Some(partition) = slot.as_slice().get(index) {
                return Some((
                    Cursor {
                        place: *place,
                        index: index + 1,
                    },
                    *place,
                    partition,
                ));
            }
        }
        None
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }

    /// About the bytes of memory that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn last(&self) -> LogPosition {
        self.last
    }

    pub(crate) fn origin(&self) -> Origin {
        self.origin
    }

    /// The replay floor of a space once this memtable is flushed.
    pub(crate) fn floor_after_flush(&self, space: Space) -> i64 {
        let own = match self.origin {
            Origin::Log(_) | Origin::Import => self.pins.get(&space).map(FloorPin::id),
            // Its logs may be replayed again, so it holds the floor down for itself too.
            Origin::Replay => None,
        };
        self.floors.floor_without(space, own)
    }

    /// Takes the pins out, to be held longer than the rows.
    pub(crate) fn take_pins(&mut self) -> Vec<FloorPin> {
        std::mem::take(&mut self.pins).into_values().collect()
    }
}

/// A place in a walk over all partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cursor {
    place: Place,
    index: usize,
}

impl Cursor {
    pub(crate) const START: Self = Self {
        place: Place::new(Space::STORE, Token::MIN),
        index: 0,
    };
}

impl Slot {
    /// The partition with this key and the bytes that adding it took.
    fn find_or_add(&mut self, key: PartitionKey) -> (&mut Partition, usize) {
        if let Self::One(only) = self
            && *only.key() != key
        {
            let placeholder = Partition::new(key.clone());
            let first = std::mem::replace(only, placeholder);
            *self = Self::Several(vec![first]);
        }
        match self {
            Self::One(only) => (only, 0),
            Self::Several(partitions) => {
                let at = partitions.binary_search_by(|one| one.key().cmp(&key));
                let (at, added) = match at {
                    Ok(at) => (at, 0),
                    Err(at) => {
                        let added = Partition::base_bytes(&key);
                        partitions.insert(at, Partition::new(key));
                        (at, added)
                    }
                };
                #[expect(clippy::indexing_slicing, reason = "found or inserted above")]
                (&mut partitions[at], added)
            }
        }
    }
}
