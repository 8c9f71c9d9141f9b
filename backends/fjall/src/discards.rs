//! Discarded ranges: what the caller promised never to touch again and is still on disk.

use std::cmp::Ordering;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keys from `start` up to, not including, `end`; without `end`, to the end of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyRange {
    pub(crate) start: Vec<u8>,
    pub(crate) end: Option<Vec<u8>>,
}

impl KeyRange {
    pub(crate) fn new(start: &[u8], end: Option<&[u8]>) -> Self {
        Self {
            start: start.to_vec(),
            end: end.map(<[u8]>::to_vec),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.end.as_ref().is_some_and(|end| *end <= self.start)
    }

    fn is_above(&self, key: &[u8]) -> bool {
        self.end.as_ref().is_none_or(|end| key < &end[..])
    }

    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        self.start[..] <= *key && self.is_above(key)
    }

    /// Whether a table with these keys may hold one of the range.
    pub(crate) fn overlaps(&self, min: &[u8], max: &[u8]) -> bool {
        self.start[..] <= *max && self.is_above(min)
    }

    /// Whether all keys of such a table are in the range.
    pub(crate) fn covers(&self, min: &[u8], max: &[u8]) -> bool {
        self.contains(min) && self.contains(max)
    }

    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let end = self
            .end
            .as_ref()
            .map_or(Bound::Unbounded, |end| Bound::Excluded(&end[..]));
        (Bound::Included(&self.start), end)
    }
}

/// The discarded ranges of an engine, ascending and apart from each other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Discards(Arc<Mutex<Vec<KeyRange>>>);

impl Discards {
    fn lock(&self) -> MutexGuard<'_, Vec<KeyRange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a range, joined with those that it meets.
    pub(crate) fn add(&self, range: KeyRange) {
        if range.is_empty() {
            return;
        }
        let mut ranges = self.lock();
        let mut joined = range;
        ranges.retain(|other| {
            let apart = joined.end.as_ref().is_some_and(|end| *end < other.start)
                || other.end.as_ref().is_some_and(|end| *end < joined.start);
            if !apart {
                joined.start = joined.start.clone().min(other.start.clone());
                joined.end = later(joined.end.take(), other.end.clone());
            }
            apart
        });
        let at = ranges.partition_point(|other| other.start < joined.start);
        ranges.insert(at, joined);
    }

    pub(crate) fn list(&self) -> Vec<KeyRange> {
        self.lock().clone()
    }

    pub(crate) fn len(&self) -> u64 {
        self.lock().len() as u64
    }

    /// Forgets a range that was carried out, unless it has grown since.
    pub(crate) fn done(&self, range: &KeyRange) {
        self.lock().retain(|other| other != range);
    }
}

fn later(first: Option<Vec<u8>>, second: Option<Vec<u8>>) -> Option<Vec<u8>> {
    Some(first?.max(second?))
}

/// Tells for ascending keys whether they are discarded.
#[derive(Debug)]
pub(crate) struct Sweep {
    ranges: std::vec::IntoIter<KeyRange>,
    next: Option<KeyRange>,
}

impl Sweep {
    pub(crate) fn new(discards: &Discards) -> Self {
        let mut ranges = discards.list().into_iter();
        let next = ranges.next();
        Self { ranges, next }
    }

    pub(crate) fn is_dead(&mut self, key: &[u8]) -> bool {
        while let Some(range) = &self.next {
            match (range.start[..].cmp(key), range.is_above(key)) {
                (Ordering::Greater, _) => return false,
                (Ordering::Less | Ordering::Equal, true) => return true,
                (Ordering::Less | Ordering::Equal, false) => self.next = self.ranges.next(),
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: &str, end: &str) -> KeyRange {
        let end = (!end.is_empty()).then_some(end.as_bytes());
        KeyRange::new(start.as_bytes(), end)
    }

    fn joined(ranges: &[(&str, &str)]) -> Vec<KeyRange> {
        let discards = Discards::default();
        for (start, end) in ranges {
            discards.add(range(start, end));
        }
        discards.list()
    }

    #[test]
    fn ranges_that_meet_become_one() {
        assert_eq!(
            joined(&[("d", "f"), ("a", "b")]),
            [range("a", "b"), range("d", "f")]
        );
        assert_eq!(joined(&[("a", "c"), ("c", "e")]), [range("a", "e")]);
        assert_eq!(
            joined(&[("a", "b"), ("d", "e"), ("b", "d")]),
            [range("a", "e")]
        );
        assert_eq!(joined(&[("b", "c"), ("a", "")]), [range("a", "")]);
        assert_eq!(joined(&[("a", ""), ("b", "c")]), [range("a", "")]);
        assert_eq!(joined(&[("c", "c"), ("d", "a")]), []);
    }

    #[test]
    fn a_sweep_agrees_with_each_range() {
        let discards = Discards::default();
        for (start, end) in [("b", "d"), ("f", "g"), ("x", "")] {
            discards.add(range(start, end));
        }
        let mut sweep = Sweep::new(&discards);
        let dead: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "w", "x", "z"]
            .into_iter()
            .filter(|key| sweep.is_dead(key.as_bytes()))
            .collect();
        assert_eq!(dead, ["b", "c", "f", "x", "z"]);
    }
}
