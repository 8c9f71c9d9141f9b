//! How many replicas must answer, and whether enough are alive to ask. Pure.

use std::fmt;

use cql_schema::Replication;
use cql_types::Consistency;

/// Too few replicas live to reach the consistency level; nothing was sent, so trying again is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable {
    /// The level asked for.
    pub level: Consistency,
    /// Replicas that must answer.
    pub required: u32,
    /// Replicas that live.
    pub alive: u32,
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Cannot achieve consistency level for cl {}. Requires {}, alive {}",
            self.level, self.required, self.alive
        )
    }
}

impl std::error::Error for Unavailable {}

/// How many replicas a keyspace has: in all, and in one data center.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Factors {
    /// In all data centers.
    pub total: u32,
    /// In the data center asked about.
    pub local: u32,
}

impl Factors {
    /// The factors of a keyspace as seen from `data_center`.
    #[must_use]
    pub fn of(replication: &Replication, data_center: &str) -> Self {
        match replication {
            Replication::Local | Replication::Everywhere => Self { total: 1, local: 1 },
            Replication::Simple { rf } => Self {
                total: *rf,
                local: *rf,
            },
            Replication::NetworkTopology { per_dc } => Self {
                total: per_dc.values().sum(),
                local: per_dc
                    .iter()
                    .find(|(name, _)| &***name == data_center)
                    .map_or(0, |(_, rf)| *rf),
            },
        }
    }

    /// How many replicas must answer at a level.
    #[must_use]
    pub fn required(self, level: Consistency) -> u32 {
        match level {
            Consistency::Any | Consistency::One | Consistency::LocalOne => 1,
            Consistency::Two => 2,
            Consistency::Three => 3,
            Consistency::Quorum | Consistency::EachQuorum | Consistency::Serial => {
                self.total / 2 + 1
            }
            Consistency::LocalQuorum | Consistency::LocalSerial => self.local / 2 + 1,
            Consistency::All => self.total,
        }
    }

    /// Refuses a request that too few live replicas can answer.
    ///
    /// # Errors
    /// [`Unavailable`] with the numbers that drivers show.
    pub fn check(self, level: Consistency, alive: u32) -> Result<(), Unavailable> {
        let required = self.required(level);
        if required <= alive {
            return Ok(());
        }
        Err(Unavailable {
            level,
            required,
            alive,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(1, Consistency::One, 1)]
    #[case(1, Consistency::Quorum, 1)]
    #[case(1, Consistency::All, 1)]
    #[case(3, Consistency::One, 1)]
    #[case(3, Consistency::Two, 2)]
    #[case(3, Consistency::Quorum, 2)]
    #[case(3, Consistency::LocalQuorum, 2)]
    #[case(3, Consistency::All, 3)]
    #[case(5, Consistency::Quorum, 3)]
    fn replicas_that_must_answer(
        #[case] rf: u32,
        #[case] level: Consistency,
        #[case] required: u32,
    ) {
        let factors = Factors::of(&Replication::Simple { rf }, "dc");
        assert_eq!(factors.required(level), required);
        assert_eq!(factors.check(level, required), Ok(()));
        assert_eq!(
            factors.check(level, required - 1),
            Err(Unavailable {
                level,
                required,
                alive: required - 1
            })
        );
    }
}
