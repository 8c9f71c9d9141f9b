//! Memory of memtables: when to seal, and how long a write waits.
//!
//! A write is delayed the longer the more is unflushed, so that writers slow down smoothly to what flushes can take,
//! instead of running into a wall. At the limit they wait for a flush, at most [`PATIENCE`].

use std::time::Duration;

/// Below this part of the limit nothing is delayed, in percent.
const FREE_PERCENT: u64 = 50;
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

/// What unflushed rows may take in one shard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) limit_bytes: u64,
}

impl Budget {
    pub(crate) fn admission(self, unflushed_bytes: u64) -> Admission {
        let free = self.limit_bytes / 100 * FREE_PERCENT;
        if unflushed_bytes <= free {
            return Admission::Now;
        }
        if unflushed_bytes >= self.limit_bytes {
            return Admission::Wait;
        }
        // Quadratic: hardly anything at first, all of it at the limit.
        let (over, room) = (unflushed_bytes - free, self.limit_bytes - free);
        let permille =
            u128::from(over) * u128::from(over) * 1000 / (u128::from(room) * u128::from(room));
        let permille = u32::try_from(permille).unwrap_or(1000);
        Admission::After(DELAY_MAX / 1000 * permille)
    }

    /// When a memtable of so many bytes is to be sealed.
    pub(crate) fn is_full(self, active_bytes: u64) -> bool {
        active_bytes > (self.limit_bytes / 100 * SEAL_PERCENT).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_smoothly_up_to_the_limit() {
        let budget = Budget {
            limit_bytes: 10_000,
        };
        assert_eq!(budget.admission(5_000), Admission::Now);
        assert_eq!(budget.admission(10_000), Admission::Wait);
        let delays: Vec<Admission> = (5_001..10_000)
            .map(|bytes| budget.admission(bytes))
            .collect();
        let times: Vec<Duration> = delays
            .iter()
            .map(|one| match one {
                Admission::After(time) => *time,
                Admission::Now | Admission::Wait => panic!("{one:?}"),
            })
            .collect();
        assert!(times.is_sorted());
        assert!(times[10] < Duration::from_millis(1) && times[4_990] > Duration::from_millis(39));
    }

    #[test]
    fn a_quarter_of_the_limit_is_one_memtable() {
        let budget = Budget {
            limit_bytes: 10_000,
        };
        assert!(!budget.is_full(2_500) && budget.is_full(2_501));
    }
}
