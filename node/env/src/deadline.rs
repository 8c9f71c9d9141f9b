//! By when: every wait has one.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;

/// A moment after which nobody wants the answer any more. On tokio's time, which is virtual in a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline {
    at: Instant,
}

/// The deadline passed first. The work may or may not have been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlinePassed;

impl fmt::Display for DeadlinePassed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it did not finish in time; it may still happen")
    }
}

impl std::error::Error for DeadlinePassed {}

impl Deadline {
    /// The longest wait there is: about a century stands for ever.
    const LONGEST: Duration = Duration::from_secs(100 * 365 * 86_400);

    /// That much later than now.
    #[must_use]
    pub fn after(wait: Duration) -> Self {
        Self {
            at: Instant::now() + wait.min(Self::LONGEST),
        }
    }

    /// For work that has no deadline of its own: it ends by being cancelled.
    #[must_use]
    pub fn never() -> Self {
        Self::after(Self::LONGEST)
    }

    /// The earlier of two.
    #[must_use]
    pub fn or_earlier(self, other: Self) -> Self {
        self.min(other)
    }

    /// Time left; zero once passed.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    #[must_use]
    pub fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }

    /// The moment, for tokio's timers.
    #[must_use]
    pub fn instant(self) -> Instant {
        self.at
    }

    /// Waits for `work`, until then.
    ///
    /// # Errors
    /// [`DeadlinePassed`]; `work` is dropped.
    ///
    /// # Cancel safety
    /// As safe as `work`.
    pub async fn run<T>(self, work: impl Future<Output = T>) -> Result<T, DeadlinePassed> {
        tokio::time::timeout_at(self.at, work)
            .await
            .map_err(|_| DeadlinePassed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::run;

    #[test]
    fn work_ends_at_the_deadline() {
        run(async {
            let deadline = Deadline::after(Duration::from_secs(5));
            assert_eq!(deadline.run(async { 7 }).await, Ok(7));
            assert_eq!(deadline.remaining(), Duration::from_secs(5));
            assert_eq!(
                deadline.run(std::future::pending::<()>()).await,
                Err(DeadlinePassed)
            );
            assert!(deadline.has_passed());
            assert!(deadline < Deadline::never());
            assert_eq!(deadline.or_earlier(Deadline::never()), deadline);
        });
    }
}
