//! Memory of memtables: when to seal, and how long a write waits.
//!
//! A write is delayed the longer the more is unflushed, or the more runs wait to be compacted, so that writers slow down
//! smoothly to what flushes and compactions can take, instead of running into a wall. When memory is full they wait for a
//! flush, at most [`PATIENCE`]. Without the second rule flushes would at some number of runs wait for a whole compaction,
//! for seconds, and all writers with them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use backend::Engine;

/// Nothing is delayed below this part of a limit, in thousandths.
const FREE: u64 = 500;
/// The square of how far a limit can be over [`FREE`].
const OVER_MAX_SQUARED: u32 = 500 * 500;
/// The longest delay of a write before the limit is reached.
const DELAY_MAX: Duration = Duration::from_millis(40);
/// How long a write waits at the limit before it is refused.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// A memtable is sealed when it takes this part of the limit, in percent.
const SEAL_PERCENT: u64 = 25;

/// What a write has to do before it is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Now,
    After(Duration),
    /// When something was flushed.
    Wait,
}

/// How far compactions are behind, in thousandths of what makes flushes wait for them.
#[derive(Debug, Default)]
pub(crate) struct Backlog(AtomicU64);

impl Backlog {
    /// Looks again; whoever changes the runs of the engine calls it.
    pub(crate) fn update(&self, engine: &dyn Engine) {
        let stats = engine.stats();
        let behind = stats
            .runs_limit
            .map_or(0, |limit| thousandths(stats.runs, limit));
        self.0.store(behind, Ordering::Relaxed);
    }

    pub(crate) fn thousandths(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What unflushed rows may take in one shard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) limit_bytes: u64,
}

impl Budget {
    /// `backlog` is in thousandths of its limit.
    pub(crate) fn admission(self, unflushed_bytes: u64, backlog: u64) -> Admission {
        if unflushed_bytes >= self.limit_bytes {
            return Admission::Wait;
        }
        let full = thousandths(unflushed_bytes, self.limit_bytes).max(backlog);
        // Quadratic: hardly anything at first, all of it at the limit.
        let over = u32::try_from(full.clamp(FREE, 1000) - FREE).unwrap_or(0);
        match over {
            0 => Admission::Now,
            over => Admission::After(DELAY_MAX * (over * over) / OVER_MAX_SQUARED),
        }
    }

    /// When a memtable of so many bytes is to be sealed.
    pub(crate) fn is_full(self, active_bytes: u64) -> bool {
        active_bytes > (self.limit_bytes / 100 * SEAL_PERCENT).max(1)
    }
}

/// `part` of `whole`, in thousandths.
fn thousandths(part: u64, whole: u64) -> u64 {
    part.saturating_mul(1000) / whole.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_smoothly_up_to_the_limit() {
        let budget = Budget {
            limit_bytes: 10_000,
        };
        let delay = |unflushed, backlog| match budget.admission(unflushed, backlog) {
            Admission::Now => Duration::ZERO,
            Admission::After(time) => time,
            Admission::Wait => panic!("{unflushed} of 10,000 bytes have to wait"),
        };
        let of_memory: Vec<Duration> = (5_000..10_000).map(|bytes| delay(bytes, 0)).collect();
        let of_backlog: Vec<Duration> = (500..=1_000).map(|backlog| delay(0, backlog)).collect();
        for delays in [&of_memory, &of_backlog] {
            assert!(delays.is_sorted());
            assert_eq!(delays[0], Duration::ZERO);
            assert!(delays[delays.len() / 10] < Duration::from_millis(1));
            assert!(delays[delays.len() - 1] > Duration::from_millis(39));
        }
        assert_eq!(delay(9_000, 800), delay(9_000, 0), "the larger one counts");
        assert_eq!(delay(0, 5_000), DELAY_MAX);
        assert_eq!(budget.admission(10_000, 0), Admission::Wait);
    }

    #[test]
    fn a_quarter_of_the_limit_is_one_memtable() {
        let budget = Budget {
            limit_bytes: 10_000,
        };
        assert!(!budget.is_full(2_500) && budget.is_full(2_501));
    }
}
