//! What compactions drop on their way: rows of dead spaces, and row tombstones that nobody needs.
//!
//! A stored row is whole, so a tombstone inside of it protects nothing in older tables; only what a log can still bring
//! counts, which is the replay floor. Tombstones of ranges and partitions are never dropped here: the rows that they
//! shadow lie elsewhere, and only a scan can prove that they are gone.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use backend::{Gc, GcHooks, GcRun};
use cql_mutation::{PurgePolicy, Purged, RowRef, purge};
use node_env::NodeClock;

use crate::floor::Floors;
use crate::layout::cut::CUT;
use crate::layout::key::{FRONT, Kind, parse_place, prefix_len};
use crate::layout::value::CUT_LIST;
use crate::space::Space;
use crate::spaces::{SpaceRules, Spaces};
use crate::stats::{NodeCounters, add};

/// Hooks for the engine. They keep everything until the storage that owns them is set up.
#[derive(Default)]
pub(crate) struct GcRules {
    parts: OnceLock<GcParts>,
}

#[derive(Clone)]
pub(crate) struct GcParts {
    pub(crate) spaces: Arc<Spaces>,
    pub(crate) floors: Arc<Floors>,
    pub(crate) clock: Arc<NodeClock>,
    pub(crate) counters: Arc<NodeCounters>,
}

impl GcRules {
    pub(crate) fn set(&self, parts: GcParts) {
        // Set once, by the storage that made these rules.
        drop(self.parts.set(parts));
    }
}

impl GcHooks for GcRules {
    fn run(&self, _last_level: bool) -> Box<dyn GcRun> {
        match self.parts.get() {
            None => Box::new(backend::KeepAll),
            Some(parts) => Box::new(Run {
                rules: parts.spaces.rules(),
                now: parts.clock.now_seconds(),
                parts: parts.clone(),
                policies: BTreeMap::new(),
            }),
        }
    }
}

struct Run {
    parts: GcParts,
    rules: Arc<SpaceRules>,
    now: i64,
    policies: BTreeMap<Space, PurgePolicy>,
}

impl Run {
    fn policy(&mut self, space: Space) -> PurgePolicy {
        let known = self.policies.entry(space);
        // The floor is taken anew for each row: writes may have come since the run began.
        let floor = self.parts.floors.floor(space);
        let policy = known.or_insert_with(|| self.rules.policy(space, self.now, floor));
        policy.floor = floor;
        *policy
    }
}

impl GcRun for Run {
    fn visit(&mut self, key: &[u8], value: &[u8]) -> Gc {
        let Some((space, token)) = parse_place(key) else {
            return Gc::Keep;
        };
        if !space.is_for_data() {
            return Gc::Keep;
        }
        if self.rules.is_dead(space, token) {
            add(&self.parts.counters.reclaimed_entries, 1);
            return Gc::Remove;
        }
        if key.len() >= CUT && value.first() == Some(&CUT_LIST)
            || self.rules.gc_grace_s(space).is_none()
        {
            return Gc::Keep;
        }
        let is_row =
            prefix_len(key).is_some_and(|at| key.get(at) == Some(&Kind::Row.byte()) && at >= FRONT);
        if !is_row {
            return Gc::Keep;
        }
        match purge(RowRef::trusted(value), &self.policy(space)) {
            Purged::Unchanged => Gc::Keep,
            Purged::Changed(row) => {
                add(&self.parts.counters.rows_purged_by_compaction, 1);
                Gc::Replace(row.into_bytes().into_vec())
            }
            Purged::Nothing => {
                add(&self.parts.counters.rows_purged_by_compaction, 1);
                Gc::Remove
            }
        }
    }
}
