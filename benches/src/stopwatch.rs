//! Time as these programs see it: the only place that asks the clock or sleeps.

use std::time::{Duration, Instant};

/// Runs from its start.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts one.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "measuring is what it is for")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits.
#[expect(
    clippy::disallowed_methods,
    reason = "a program that measures from outside has nothing else to wait for"
)]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}
