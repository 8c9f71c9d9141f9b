//! When is it? Monotonic time is for waiting and measuring, wall time for write times and expiry.
//!
//! [`Clock`] is the seam: [`SystemClock`] asks the operating system, [`SimClock`] follows tokio's virtual time
//! or is moved by hand.
//! [`NodeClock`] is what the node uses: one for all shards, never going back, never giving a write time twice.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// The two times of the outside world.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Time since some fixed moment of this process; never goes back.
    fn monotonic(&self) -> Duration;

    /// Microseconds since 1970 as the machine believes; may jump both ways.
    fn wall_micros(&self) -> i64;
}

/// The operating system's clocks.
#[derive(Debug)]
pub struct SystemClock {
    started: std::time::Instant,
}

impl SystemClock {
    /// Counts monotonic time from now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that the others are told to use"
    )]
    pub fn new() -> Self {
        Self {
            started: std::time::Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that the others are told to use"
    )]
    fn wall_micros(&self) -> i64 {
        match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => micros(since),
            Err(before) => micros(before.duration()).saturating_neg(),
        }
    }
}

/// A clock for tests: follows tokio's (virtual) time, or stands still until moved; its wall time can jump.
#[derive(Debug)]
pub struct SimClock {
    /// Set when monotonic time is tokio's.
    origin: Option<tokio::time::Instant>,
    /// Microseconds added to monotonic time by hand.
    advanced: AtomicI64,
    /// Wall time minus monotonic time, in microseconds.
    skew: AtomicI64,
}

impl SimClock {
    /// 2020-01-01T00:00:00Z, a round start for wall clocks of simulations.
    pub const START_MICROS: i64 = 1_577_836_800_000_000;

    /// A clock that stands still until [`SimClock::advance`].
    #[must_use]
    pub fn manual(wall_micros: i64) -> Self {
        Self {
            origin: None,
            advanced: AtomicI64::new(0),
            skew: AtomicI64::new(wall_micros),
        }
    }

    /// A clock that follows tokio's time; call it inside the paused runtime.
    #[must_use]
    pub fn follow_tokio(wall_micros: i64) -> Self {
        Self {
            origin: Some(tokio::time::Instant::now()),
            advanced: AtomicI64::new(0),
            skew: AtomicI64::new(wall_micros),
        }
    }

    /// Moves both times on.
    pub fn advance(&self, by: Duration) {
        self.advanced.fetch_add(micros(by), Ordering::Relaxed);
    }

    /// Makes the wall clock jump, back if negative; monotonic time goes on undisturbed.
    pub fn jump_wall_micros(&self, by: i64) {
        self.skew.fetch_add(by, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn monotonic(&self) -> Duration {
        let by_hand = u64::try_from(self.advanced.load(Ordering::Relaxed)).unwrap_or(0);
        Duration::from_micros(by_hand)
            + self
                .origin
                .map_or(Duration::ZERO, |origin| origin.elapsed())
    }

    fn wall_micros(&self) -> i64 {
        self.skew
            .load(Ordering::Relaxed)
            .saturating_add(micros(self.monotonic()))
    }
}

/// The node's clock: monotonic time plus an offset that only grows, shared by all shards.
///
/// - Its time never goes back, whatever the wall clock does, also over restarts once [`NodeClock::raise_above`]
///   was told the largest time found in the logs: what has expired stays expired.
/// - [`NodeClock::write_time`] never gives the same time twice and is larger in a call that begins after another
///   one has returned, on any shard.
///
/// Cost: one reading of the monotonic clock and one atomic (tens of nanoseconds).
pub struct NodeClock {
    clock: Arc<dyn Clock>,
    /// Microseconds to add to monotonic time; only grows.
    offset: AtomicI64,
    /// The largest write time given or heard of.
    last: AtomicI64,
}

impl NodeClock {
    /// Starts at the wall clock's time.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let node = Self {
            clock,
            offset: AtomicI64::new(i64::MIN),
            last: AtomicI64::new(0),
        };
        node.follow_wall();
        node
    }

    /// Follows the wall clock where it has gone ahead of us; to be called every second or so.
    /// Returns by how many microseconds the wall clock is behind us, 0 if it is not.
    pub fn follow_wall(&self) -> i64 {
        let wanted = self
            .clock
            .wall_micros()
            .saturating_sub(micros(self.clock.monotonic()));
        let before = self.offset.fetch_max(wanted, Ordering::AcqRel);
        before.saturating_sub(wanted).max(0)
    }

    /// Makes every later time of this clock larger than `micros`.
    pub fn raise_above(&self, micros_since_epoch: i64) {
        let wanted = micros_since_epoch
            .saturating_add(1)
            .saturating_sub(micros(self.clock.monotonic()));
        self.offset.fetch_max(wanted, Ordering::AcqRel);
        self.last.fetch_max(micros_since_epoch, Ordering::AcqRel);
    }

    /// A write time, microseconds since 1970, unique on this node and larger than all before.
    #[must_use]
    pub fn write_time(&self) -> i64 {
        let now = self.now_micros();
        let mut last = self.last.load(Ordering::Relaxed);
        loop {
            let next = now.max(last.saturating_add(1));
            match self
                .last
                .compare_exchange_weak(last, next, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return next,
                Err(newer) => last = newer,
            }
        }
    }

    /// Microseconds since 1970; never goes back, may repeat.
    #[must_use]
    pub fn now_micros(&self) -> i64 {
        self.offset
            .load(Ordering::Acquire)
            .saturating_add(micros(self.clock.monotonic()))
    }

    /// Now, or the largest write time given or heard of if that is later: a clock raised above it repeats none.
    #[must_use]
    pub fn newest_micros(&self) -> i64 {
        self.now_micros().max(self.last.load(Ordering::Acquire))
    }

    /// Milliseconds since 1970, rounded down.
    #[must_use]
    pub fn now_millis(&self) -> i64 {
        self.now_micros().div_euclid(1_000)
    }

    /// Seconds since 1970, rounded down: the `now` of expiry and tombstone ages.
    #[must_use]
    pub fn now_seconds(&self) -> i64 {
        self.now_micros().div_euclid(1_000_000)
    }

    /// Time since some fixed moment of this process, for measuring.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
}

impl fmt::Debug for NodeClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeClock")
            .field("now_micros", &self.now_micros())
            .finish_non_exhaustive()
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node() -> (Arc<SimClock>, NodeClock) {
        let sim = Arc::new(SimClock::manual(1_000_000));
        (sim.clone(), NodeClock::new(sim))
    }

    /// What every clock must do.
    fn conforms(clock: &dyn Clock) {
        let (first, wall) = (clock.monotonic(), clock.wall_micros());
        let mut last = first;
        for _ in 0..1_000 {
            let next = clock.monotonic();
            assert!(next >= last);
            last = next;
        }
        assert!(clock.wall_micros() >= wall);
    }

    #[test]
    fn both_clocks_conform() {
        conforms(&SystemClock::new());
        conforms(&SimClock::manual(SimClock::START_MICROS));
        assert!(SystemClock::new().wall_micros() > SimClock::START_MICROS);
    }

    #[test]
    fn write_times_are_unique_while_time_stands_still() {
        let (_, node) = node();
        assert_eq!(
            [node.write_time(), node.write_time()],
            [1_000_000, 1_000_001]
        );
        assert_eq!(
            (node.now_micros(), node.newest_micros()),
            (1_000_000, 1_000_001)
        );
    }

    #[test]
    fn a_wall_clock_that_jumps_back_is_not_followed() {
        let (sim, node) = node();
        sim.jump_wall_micros(-500_000);
        assert_eq!(node.follow_wall(), 500_000);
        assert_eq!(node.now_micros(), 1_000_000);
        sim.advance(Duration::from_micros(10));
        assert_eq!(node.write_time(), 1_000_010);
    }

    #[test]
    fn a_wall_clock_that_jumps_ahead_is_followed() {
        let (sim, node) = node();
        sim.jump_wall_micros(7_000_000);
        assert_eq!(node.now_seconds(), 1);
        assert_eq!(node.follow_wall(), 0);
        assert_eq!(node.now_seconds(), 8);
    }

    #[test]
    fn time_starts_above_what_the_logs_hold() {
        let (_, node) = node();
        node.raise_above(5_000_000);
        assert_eq!(node.write_time(), 5_000_001);
        assert_eq!(node.now_seconds(), 5);
        node.raise_above(2);
        assert_eq!(node.write_time(), 5_000_002);
    }

    #[test]
    fn threads_never_get_the_same_time() {
        let node = NodeClock::new(Arc::new(SystemClock::new()));
        let mut all: Vec<i64> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| (0..5_000).map(|_| node.write_time()).collect::<Vec<_>>()))
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| {
                    let times = worker.join().unwrap();
                    assert!(times.is_sorted_by(|a, b| a < b));
                    times
                })
                .collect()
        });
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 20_000);
    }
}
