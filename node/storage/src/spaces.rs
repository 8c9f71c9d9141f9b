//! What is known about spaces: which are dead, and when tombstones in them may go.
//!
//! The rules are an immutable value, replaced whole; merges and compactions load them once and use them to their end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cql_mutation::PurgePolicy;
use cql_types::Token;

use crate::layout::key::{Place, place_start};
use crate::space::{Space, SpaceRange};

/// A read that began this many seconds ago still sees what had not expired then.
const OLDEST_READ_S: i64 = 60;

/// What the table of a space wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpaceOptions {
    /// Seconds for which tombstones are kept.
    pub gc_grace_s: u32,
}

/// Rules for all spaces at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct SpaceRules {
    dead: BTreeMap<Space, Vec<(Token, Token)>>,
    options: BTreeMap<Space, SpaceOptions>,
}

impl SpaceRules {
    pub(crate) fn is_dead(&self, space: Space, token: Token) -> bool {
        let ranges = self.dead.get(&space).map(Vec::as_slice).unwrap_or_default();
        ranges
            .iter()
            .any(|(first, last)| *first <= token && token <= *last)
    }

    pub(crate) fn dead_ranges(&self) -> impl Iterator<Item = SpaceRange> {
        self.dead.iter().flat_map(|(space, ranges)| {
            ranges.iter().map(|(first, last)| SpaceRange {
                space: *space,
                first: *first,
                last: *last,
            })
        })
    }

    pub(crate) fn gc_grace_s(&self, space: Space) -> Option<u32> {
        self.options.get(&space).map(|options| options.gc_grace_s)
    }

    /// What may be purged in a space at second `now`, with this replay floor. Nothing, if nobody said what its table wants.
    pub(crate) fn policy(&self, space: Space, now: i64, floor: i64) -> PurgePolicy {
        let gc_before = match self.gc_grace_s(space) {
            // Nobody else needs to see the tombstone, not even within its own second.
            Some(0) => now.saturating_add(1),
            Some(grace) => now.saturating_sub(i64::from(grace)),
            None => i64::MIN,
        };
        PurgePolicy {
            gc_before,
            floor,
            now: now.saturating_sub(OLDEST_READ_S),
        }
    }
}

/// The rules of a node, and their changes.
#[derive(Debug, Default)]
pub(crate) struct Spaces {
    rules: Mutex<Arc<SpaceRules>>,
}

impl Spaces {
    pub(crate) fn rules(&self) -> Arc<SpaceRules> {
        Arc::clone(&self.lock())
    }

    /// Says what the tables of some spaces want.
    pub(crate) fn set_options(&self, options: impl IntoIterator<Item = (Space, SpaceOptions)>) {
        Arc::make_mut(&mut *self.lock()).options.extend(options);
    }

    pub(crate) fn mark_dead(&self, range: SpaceRange) {
        let mut rules = self.lock();
        let ranges = Arc::make_mut(&mut *rules)
            .dead
            .entry(range.space)
            .or_default();
        if !ranges.contains(&(range.first, range.last)) {
            ranges.push((range.first, range.last));
        }
    }

    /// Forgets whole spaces: nothing is left of them.
    pub(crate) fn forget_dead(&self, spaces: &BTreeSet<Space>) {
        let mut rules = self.lock();
        let rules = Arc::make_mut(&mut *rules);
        for space in spaces {
            rules.dead.remove(space);
            rules.options.remove(space);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arc<SpaceRules>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keys of the engine that lie in a range: the first, and the first after it.
pub(crate) fn key_bounds(range: SpaceRange) -> (Vec<u8>, Vec<u8>) {
    let end = match range.last.next() {
        Some(next) => Place::new(range.space, next),
        None => Place::after(range.space),
    };
    (
        place_start(Place::new(range.space, range.first)),
        place_start(end),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_die_and_are_forgotten() {
        let spaces = Spaces::default();
        let part = SpaceRange {
            space: Space(7),
            first: Token(-5),
            last: Token(5),
        };
        spaces.mark_dead(part);
        let before = spaces.rules();
        assert!(before.is_dead(Space(7), Token(5)) && !before.is_dead(Space(7), Token(6)));
        assert!(!before.is_dead(Space(8), Token(0)));
        spaces.forget_dead(&BTreeSet::from([Space(7)]));
        assert!(!spaces.rules().is_dead(Space(7), Token(5)));
        assert!(before.is_dead(Space(7), Token(5)));
    }

    #[test]
    fn nothing_is_purged_from_a_space_nobody_described() {
        let spaces = Spaces::default();
        spaces.set_options([(Space(7), SpaceOptions { gc_grace_s: 10 })]);
        let rules = spaces.rules();
        assert_eq!(rules.policy(Space(8), 100, i64::MAX).gc_before, i64::MIN);
        assert_eq!(rules.policy(Space(7), 100, 5).gc_before, 90);
        assert!(!rules.policy(Space(7), 100, 5).may_forget(5, 0));
    }
}
