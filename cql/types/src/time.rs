//! Points in time as the data model stores them; newtypes so that microseconds and seconds never mix.
//!
//! Nothing here reads a clock: times enter from the node's clock or from a client.

use std::fmt;

/// Microseconds since the Unix epoch: the write timestamp of a cell, row marker or deletion.
///
/// Larger wins when two writes meet.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct WriteTime(pub i64);

/// Whole seconds since the Unix epoch: when a cell expires, or when a deletion happened locally.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Seconds(pub i64);

impl WriteTime {
    /// Smaller than every write time a client may use; "no timestamp".
    pub const MIN: Self = Self(i64::MIN);
    /// The largest write time.
    pub const MAX: Self = Self(i64::MAX);

    /// The second this moment lies in (rounded towards the past).
    #[must_use]
    pub const fn seconds(self) -> Seconds {
        Seconds(self.0.div_euclid(1_000_000))
    }
}

impl Seconds {
    /// Before every moment that occurs.
    pub const MIN: Self = Self(i64::MIN);
    /// After every moment that occurs; "never expires".
    pub const MAX: Self = Self(i64::MAX);

    /// `ttl` seconds later, stopping at [`Seconds::MAX`].
    #[must_use]
    pub const fn after(self, ttl: u32) -> Self {
        Self(self.0.saturating_add(ttl as i64))
    }
}

impl fmt::Display for WriteTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}µs", self.0)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_towards_the_past() {
        assert_eq!(WriteTime(1_999_999).seconds(), Seconds(1));
        assert_eq!(WriteTime(-1).seconds(), Seconds(-1));
        assert_eq!(Seconds::MAX.after(1), Seconds::MAX);
    }
}
