//! Replication rules and their map form.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Which nodes hold a keyspace's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replication {
    /// Every node has its own private rows.
    Local,
    /// Every node has all rows.
    Everywhere,
    /// `rf` nodes of the ring, wherever they are.
    Simple {
        /// Copies of each row.
        rf: u32,
    },
    /// A number of nodes in each data center.
    NetworkTopology {
        /// Copies of each row by data center; a data center not listed has none.
        per_dc: BTreeMap<Arc<str>, u32>,
    },
}

const PACKAGE: &str = "org.apache.cassandra.locator.";

impl Replication {
    /// Name of the strategy as statements write it, such as `SimpleStrategy`.
    #[must_use]
    pub fn strategy(&self) -> &'static str {
        match self {
            Self::Local => "LocalStrategy",
            Self::Everywhere => "EverywhereStrategy",
            Self::Simple { .. } => "SimpleStrategy",
            Self::NetworkTopology { .. } => "NetworkTopologyStrategy",
        }
    }

    /// The map stored in `system_schema.keyspaces.replication`, with the full class name.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, String> {
        let mut map = self.factors();
        map.insert("class".to_owned(), format!("{PACKAGE}{}", self.strategy()));
        map
    }

    /// The options without the class: `replication_factor`, or a factor by data center.
    pub(crate) fn factors(&self) -> BTreeMap<String, String> {
        match self {
            Self::Local | Self::Everywhere => BTreeMap::new(),
            Self::Simple { rf } => [("replication_factor".to_owned(), rf.to_string())].into(),
            Self::NetworkTopology { per_dc } => per_dc
                .iter()
                .map(|(dc, rf)| (dc.to_string(), rf.to_string()))
                .collect(),
        }
    }

    /// Reads the map form back.
    ///
    /// # Errors
    /// Says which key or value is wrong; takes only what [`Replication::to_map`] gives, with the
    /// class name in its full or short form.
    pub fn from_map<'a>(
        map: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ReplicationError> {
        let mut map: BTreeMap<&str, &str> = map.into_iter().collect();
        let class = map.remove("class").ok_or(ReplicationError::NoClass)?;
        let replication = match class.strip_prefix(PACKAGE).unwrap_or(class) {
            "LocalStrategy" => Self::Local,
            "EverywhereStrategy" => Self::Everywhere,
            "SimpleStrategy" => {
                let rf = map
                    .remove("replication_factor")
                    .ok_or(ReplicationError::NoFactor)?;
                Self::Simple {
                    rf: factor("replication_factor", rf)?,
                }
            }
            "NetworkTopologyStrategy" => {
                let per_dc = std::mem::take(&mut map)
                    .into_iter()
                    .map(|(dc, rf)| Ok((Arc::from(dc), factor(dc, rf)?)))
                    .collect::<Result<_, _>>()?;
                Self::NetworkTopology { per_dc }
            }
            other => return Err(ReplicationError::UnknownClass(other.to_owned())),
        };
        match map.into_keys().next() {
            Some(key) => Err(ReplicationError::UnknownOption {
                key: key.to_owned(),
                strategy: replication.strategy(),
            }),
            None => Ok(replication),
        }
    }
}

/// A factor is a small count: more copies than this are a slip of the finger.
const MAX_FACTOR: u32 = 1_000;

fn factor(key: &str, value: &str) -> Result<u32, ReplicationError> {
    match value.trim().parse::<u32>() {
        Ok(rf) if rf <= MAX_FACTOR => Ok(rf),
        Ok(_) | Err(_) => Err(ReplicationError::BadFactor {
            key: key.to_owned(),
            value: value.to_owned(),
        }),
    }
}

/// Why a replication map makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicationError {
    /// The map has no `class`.
    NoClass,
    /// The class is none that we know.
    UnknownClass(String),
    /// SimpleStrategy without `replication_factor`.
    NoFactor,
    /// A factor is not a number from 0 to 1000.
    BadFactor {
        /// The option or data center.
        key: String,
        /// What was written.
        value: String,
    },
    /// The strategy has no such option.
    UnknownOption {
        /// The option.
        key: String,
        /// The strategy.
        strategy: &'static str,
    },
}

impl std::fmt::Display for ReplicationError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoClass => write!(f, "Missing replication strategy class"),
            Self::UnknownClass(class) => {
                write!(f, "Unable to find replication strategy class '{class}'")
            }
            Self::NoFactor => write!(
                f,
                "SimpleStrategy requires a replication_factor strategy option."
            ),
            Self::BadFactor { key, value } => write!(
                f,
                "Replication factor of '{key}' must be a number from 0 to {MAX_FACTOR}, found '{value}'"
            ),
            Self::UnknownOption { key, strategy } => {
                write!(
                    f,
                    "Unrecognized strategy option {{{key}}} passed to {strategy}"
                )
            }
        }
    }
}

impl std::error::Error for ReplicationError {}
