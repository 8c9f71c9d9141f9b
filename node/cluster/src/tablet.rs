//! Which shard owns which tokens of a table.
//!
//! A table is divided into tablets; tablet *i* owns the tokens above the last token of tablet *i - 1* up to its own last
//! token.
//! The map is read from the table of tablets and never changed in place.

use std::sync::Arc;

use cql_types::{HostId, Token};

/// A place for a tablet: a shard of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TabletReplica {
    /// The node.
    pub host: HostId,
    /// The shard of that node.
    pub shard: u32,
}

/// A tablet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tablet {
    /// The last token it owns.
    pub last_token: Token,
    /// Where it is kept.
    pub replicas: Vec<TabletReplica>,
}

/// All tablets of a table, ascending; the last one ends with the largest token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TabletMap {
    tablets: Arc<[Tablet]>,
}

/// Why a list of tablets is no map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TabletMapError(String);

impl std::fmt::Display for TabletMapError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TabletMapError {}

impl TabletMap {
    /// Checks that the tablets ascend, cover all tokens and have replicas.
    ///
    /// # Errors
    /// What is wrong, for the log of a node that refuses its own tables.
    pub fn new(tablets: Vec<Tablet>) -> Result<Self, TabletMapError> {
        let ascending = tablets
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if a.last_token < b.last_token));
        if !ascending {
            return Err(TabletMapError("last tokens do not ascend".to_owned()));
        }
        match tablets.last() {
            Some(last) if last.last_token == Token(i64::MAX) => {}
            _ => {
                return Err(TabletMapError(
                    "the last tablet does not end with the largest token".to_owned(),
                ));
            }
        }
        if let Some(tablet) = tablets.iter().find(|tablet| tablet.replicas.is_empty()) {
            return Err(TabletMapError(format!(
                "the tablet that ends with {} has no replica",
                tablet.last_token.0
            )));
        }
        Ok(Self {
            tablets: tablets.into(),
        })
    }

    /// Divides a table evenly: at least `per_shard` tablets a shard, a power of two in all, dealt to the shards of one
    /// node in turn.
    #[must_use]
    pub fn even(host: HostId, shards: u32, per_shard: u32) -> Self {
        let count = shards
            .max(1)
            .saturating_mul(per_shard.max(1))
            .next_power_of_two();
        let tablets = (0..count)
            .map(|index| {
                let end = (u128::from(index) + 1) * (1u128 << 64) / u128::from(count);
                // `end` is at most 2^64, so the shifted value fits an i64.
                let last =
                    i64::try_from(i128::try_from(end).unwrap_or(1 << 64) - 1 - (1i128 << 63))
                        .unwrap_or(i64::MAX);
                Tablet {
                    last_token: Token(last),
                    replicas: vec![TabletReplica {
                        host,
                        shard: index % shards.max(1),
                    }],
                }
            })
            .collect();
        Self { tablets }
    }

    /// The tablets, ascending.
    #[must_use]
    pub fn tablets(&self) -> &[Tablet] {
        &self.tablets
    }

    /// The tablet that owns a token.
    #[must_use]
    pub fn tablet(&self, token: Token) -> Option<&Tablet> {
        self.tablets.get(self.index(token))
    }

    fn index(&self, token: Token) -> usize {
        let count = self.tablets.len();
        // An even map of a power of two needs no search: the upper bits of the token are the index.
        if count.is_power_of_two() {
            let biased = u64::from_be_bytes(token.0.to_be_bytes()) ^ (1 << 63);
            let bits = count.trailing_zeros();
            let index = match bits {
                0 => 0,
                bits => usize::try_from(biased >> (64 - bits)).unwrap_or(0),
            };
            let fits = self.tablets.get(index).is_some_and(|tablet| {
                let above = index
                    .checked_sub(1)
                    .and_then(|before| self.tablets.get(before))
                    .is_none_or(|before| before.last_token < token);
                above && token <= tablet.last_token
            });
            if fits {
                return index;
            }
        }
        self.tablets
            .partition_point(|tablet| tablet.last_token < token)
    }

    /// The shard of `host` that keeps a token, if one does.
    #[must_use]
    pub fn shard_on(&self, host: HostId, token: Token) -> Option<u32> {
        self.tablet(token)?
            .replicas
            .iter()
            .find(|replica| replica.host == host)
            .map(|replica| replica.shard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cql_types::Uuid;

    const HOST: HostId = HostId(Uuid::from_u128(7));

    #[test]
    fn an_even_map_covers_every_token_once() {
        for (shards, per_shard) in [(1, 1), (3, 2), (4, 8), (7, 1)] {
            let map = TabletMap::even(HOST, shards, per_shard);
            assert_eq!(TabletMap::new(map.tablets().to_vec()), Ok(map.clone()));
            assert!(map.tablets().len() >= (shards * per_shard) as usize);
            for token in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX] {
                let token = Token(token);
                let index = map.index(token);
                let searched = map
                    .tablets
                    .partition_point(|tablet| tablet.last_token < token);
                assert_eq!(
                    index,
                    searched,
                    "{token:?} of {} tablets",
                    map.tablets().len()
                );
            }
            let mut owners: Vec<u32> = map
                .tablets()
                .iter()
                .flat_map(|tablet| tablet.replicas.iter().map(|replica| replica.shard))
                .collect();
            owners.sort_unstable();
            owners.dedup();
            assert_eq!(owners.len(), shards as usize, "every shard owns something");
        }
    }

    #[test]
    fn a_list_with_a_hole_is_no_map() {
        let replica = TabletReplica {
            host: HOST,
            shard: 0,
        };
        let tablet = |last| Tablet {
            last_token: Token(last),
            replicas: vec![replica],
        };
        assert!(TabletMap::new(vec![tablet(0)]).is_err());
        assert!(TabletMap::new(vec![tablet(i64::MAX), tablet(0)]).is_err());
        assert!(TabletMap::new(Vec::new()).is_err());
        assert!(TabletMap::new(vec![tablet(0), tablet(i64::MAX)]).is_ok());
    }
}
