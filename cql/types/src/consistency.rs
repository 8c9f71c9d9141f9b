//! Consistency levels.

use std::fmt;

/// How many replicas must answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Consistency {
    /// Any node, even one that only keeps a hint. Writes only.
    Any,
    /// One replica.
    One,
    /// Two replicas.
    Two,
    /// Three replicas.
    Three,
    /// More than half of the replicas.
    Quorum,
    /// All replicas.
    All,
    /// More than half of the replicas in the coordinator's data center.
    LocalQuorum,
    /// More than half of the replicas in each data center. Writes only.
    EachQuorum,
    /// A read that completes conditional writes, in all data centers.
    Serial,
    /// A read that completes conditional writes, in the coordinator's data center.
    LocalSerial,
    /// One replica in the coordinator's data center.
    LocalOne,
}

const ALL: [(Consistency, &str); 11] = [
    (Consistency::Any, "ANY"),
    (Consistency::One, "ONE"),
    (Consistency::Two, "TWO"),
    (Consistency::Three, "THREE"),
    (Consistency::Quorum, "QUORUM"),
    (Consistency::All, "ALL"),
    (Consistency::LocalQuorum, "LOCAL_QUORUM"),
    (Consistency::EachQuorum, "EACH_QUORUM"),
    (Consistency::Serial, "SERIAL"),
    (Consistency::LocalSerial, "LOCAL_SERIAL"),
    (Consistency::LocalOne, "LOCAL_ONE"),
];

impl Consistency {
    /// The number in messages.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::Any => 0,
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
            Self::Quorum => 4,
            Self::All => 5,
            Self::LocalQuorum => 6,
            Self::EachQuorum => 7,
            Self::Serial => 8,
            Self::LocalSerial => 9,
            Self::LocalOne => 10,
        }
    }

    /// The level with that number.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        ALL.get(usize::from(code)).map(|(level, _)| *level)
    }

    /// The name, as in `LOCAL_QUORUM`.
    #[must_use]
    pub fn name(self) -> &'static str {
        ALL.get(usize::from(self.code()))
            .map_or("", |(_, name)| name)
    }

    /// The level of that name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        ALL.iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
            .map(|(level, _)| *level)
    }
}

impl fmt::Display for Consistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where the agreement of a conditional write takes place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SerialConsistency {
    /// In all data centers.
    Serial,
    /// In the coordinator's data center.
    LocalSerial,
}

impl SerialConsistency {
    /// The same as a level.
    #[must_use]
    pub fn level(self) -> Consistency {
        match self {
            Self::Serial => Consistency::Serial,
            Self::LocalSerial => Consistency::LocalSerial,
        }
    }

    /// The serial level that `level` is, if it is one.
    #[must_use]
    pub fn from_level(level: Consistency) -> Option<Self> {
        match level {
            Consistency::Serial => Some(Self::Serial),
            Consistency::LocalSerial => Some(Self::LocalSerial),
            Consistency::Any
            | Consistency::One
            | Consistency::Two
            | Consistency::Three
            | Consistency::Quorum
            | Consistency::All
            | Consistency::LocalQuorum
            | Consistency::EachQuorum
            | Consistency::LocalOne => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ALL, Consistency};

    #[test]
    fn codes_are_places_in_the_table() {
        for (place, (level, name)) in (0u16..).zip(ALL) {
            assert_eq!(level.code(), place);
            assert_eq!(Consistency::from_code(place), Some(level));
            assert_eq!(Consistency::from_name(name), Some(level));
        }
        assert_eq!(Consistency::from_code(11), None);
    }
}
