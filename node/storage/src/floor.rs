//! The replay floor: below which write time nothing of a space can still arrive from a log.
//!
//! Every memtable pins, for each space it has rows of, the smallest write time that it holds. A tombstone may be purged
//! only if it is older than all pins of its space: what a replay, or a later flush, brings is then younger than it.
//! Whoever holds writes back elsewhere (entries of a Raft log that are not applied yet) pins them here too.
//!
//! Until the old logs were replayed at start, every floor is at the bottom.
//!
//! Cost: a pin lowers its time by a relaxed store; a floor is the minimum over the memtables of a node.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::space::Space;

/// All pins of a node.
#[derive(Debug, Default)]
pub struct Floors {
    pins: Mutex<BTreeMap<(Space, u64), Arc<AtomicI64>>>,
    next: AtomicU64,
    /// Set until all old logs were replayed: before that nobody knows what they will bring.
    unknown: AtomicBool,
}

impl Floors {
    /// Floors of a node whose logs are not replayed yet: nothing may be purged anywhere.
    pub(crate) fn before_replay() -> Self {
        Self {
            unknown: AtomicBool::new(true),
            ..Self::default()
        }
    }

    /// All old logs were replayed: what they hold is pinned.
    pub(crate) fn replayed(&self) {
        self.unknown.store(false, Ordering::Release);
    }

    /// Pins a space at `time` (µs): tombstones that are not older stay until the pin is dropped.
    #[must_use]
    pub fn pin(self: &Arc<Self>, space: Space, time: i64) -> FloorPin {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let time = Arc::new(AtomicI64::new(time));
        self.lock().insert((space, id), Arc::clone(&time));
        FloorPin {
            floors: Arc::clone(self),
            space,
            id,
            time,
        }
    }

    /// The smallest pinned time of the space; the largest i64 if nobody pins it.
    #[must_use]
    pub fn floor(&self, space: Space) -> i64 {
        self.floor_without(space, None)
    }

    /// As [`Floors::floor`], leaving out one pin.
    pub(crate) fn floor_without(&self, space: Space, except: Option<u64>) -> i64 {
        if self.unknown.load(Ordering::Acquire) {
            return i64::MIN;
        }
        let pins = self.lock();
        let of_space = pins.range((space, 0)..=(space, u64::MAX));
        let others = of_space.filter(|((_, id), _)| Some(*id) != except);
        others
            .map(|(_, time)| time.load(Ordering::Acquire))
            .min()
            .unwrap_or(i64::MAX)
    }

    /// Whether anything of the space waits for a flush, or may.
    pub(crate) fn is_pinned(&self, space: Space) -> bool {
        self.unknown.load(Ordering::Acquire)
            || self
                .lock()
                .range((space, 0)..=(space, u64::MAX))
                .next()
                .is_some()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(Space, u64), Arc<AtomicI64>>> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds the floor of a space down until it is dropped.
#[derive(Debug)]
pub struct FloorPin {
    floors: Arc<Floors>,
    space: Space,
    id: u64,
    time: Arc<AtomicI64>,
}

impl FloorPin {
    /// Lowers the pin; it never rises.
    pub fn lower(&self, time: i64) {
        // One writer at a time, so this needs no read-modify-write.
        if time < self.time.load(Ordering::Relaxed) {
            self.time.store(time, Ordering::Release);
        }
    }

    /// The pinned time.
    #[must_use]
    pub fn time(&self) -> i64 {
        self.time.load(Ordering::Acquire)
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }
}

impl Drop for FloorPin {
    fn drop(&mut self) {
        self.floors.lock().remove(&(self.space, self.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_floor_is_the_smallest_pin() {
        let floors = Arc::new(Floors::default());
        let (one, two) = (floors.pin(Space(5), 100), floors.pin(Space(5), 50));
        let _other = floors.pin(Space(6), 1);
        assert_eq!(floors.floor(Space(5)), 50);
        assert_eq!(floors.floor_without(Space(5), Some(two.id())), 100);
        one.lower(20);
        one.lower(30);
        assert_eq!(floors.floor(Space(5)), 20);
        let early = Arc::new(Floors::before_replay());
        assert_eq!(early.floor(Space(5)), i64::MIN);
        assert!(early.is_pinned(Space(5)));
        early.replayed();
        assert_eq!(early.floor(Space(5)), i64::MAX);
        drop((one, two));
        assert_eq!(floors.floor(Space(5)), i64::MAX);
        assert!(!floors.is_pinned(Space(5)) && floors.is_pinned(Space(6)));
    }
}
