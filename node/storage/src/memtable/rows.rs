//! The rows of one partition: none, one, a few in a sorted vector, many in a map.

use std::collections::{BTreeMap, btree_map};
use std::ops::Bound;

use cql_mutation::{ClusteringKey, RowBuf};

/// With more rows than this the vector becomes a map.
const FEW: usize = 16;

/// About what a row takes beside its bytes: key, pointer, the allocator's share.
const ROW_BYTES: usize = size_of::<ClusteringKey>() + size_of::<RowBuf>() + 16;

#[derive(Debug)]
pub(super) enum Rows {
    One(ClusteringKey, RowBuf),
    /// Sorted; also the empty state, which allocates nothing.
    Few(Vec<(ClusteringKey, RowBuf)>),
    Many(BTreeMap<ClusteringKey, RowBuf>),
}

fn bytes(key: &ClusteringKey, row: &RowBuf) -> usize {
    ROW_BYTES + key.heap_bytes() + row.as_bytes().len()
}

impl Rows {
    pub(super) const fn new() -> Self {
        Self::Few(Vec::new())
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&RowBuf> {
        match self {
            Self::One(only, row) => (only.as_bytes() == key).then_some(row),
            Self::Few(rows) => {
                let at = rows
                    .binary_search_by(|(found, _)| found.as_bytes().cmp(key))
                    .ok()?;
                rows.get(at).map(|(_, row)| row)
            }
            Self::Many(rows) => rows.get(key),
        }
    }

    /// Merges a row in; gives the bytes that it took before and takes now.
    pub(super) fn merge(&mut self, key: ClusteringKey, row: RowBuf) -> (usize, usize) {
        match self {
            Self::One(only, old) if *only == key => merge_into(only, old, &row),
            Self::One(..) => {
                let Self::One(only, old) =
                    std::mem::replace(self, Self::Few(Vec::with_capacity(4)))
                else {
                    return (0, 0);
                };
                if let Self::Few(rows) = self {
                    rows.push((only, old));
                }
                self.merge(key, row)
            }
            Self::Few(rows) if rows.capacity() == 0 => {
                let taken = bytes(&key, &row);
                *self = Self::One(key, row);
                (0, taken)
            }
            Self::Few(rows) => match rows.binary_search_by(|(found, _)| found.cmp(&key)) {
                Ok(at) => match rows.get_mut(at) {
                    Some((key, old)) => merge_into(key, old, &row),
                    None => (0, 0),
                },
                Err(at) => {
                    let taken = bytes(&key, &row);
                    rows.insert(at, (key, row));
                    if rows.len() > FEW {
                        *self = Self::Many(std::mem::take(rows).into_iter().collect());
                    }
                    (0, taken)
                }
            },
            Self::Many(rows) => match rows.entry(key) {
                btree_map::Entry::Vacant(vacant) => {
                    let taken = bytes(vacant.key(), &row);
                    vacant.insert(row);
                    (0, taken)
                }
                btree_map::Entry::Occupied(mut occupied) => {
                    let before = bytes(occupied.key(), occupied.get());
                    let merged = occupied.get().merged(&row);
                    occupied.insert(merged);
                    (before, bytes(occupied.key(), occupied.get()))
                }
            },
        }
    }

    pub(super) fn between<'a>(
        &'a self,
        start: &[u8],
        end: &[u8],
    ) -> impl DoubleEndedIterator<Item = (&'a ClusteringKey, &'a RowBuf)> + use<'a> {
        let one = match self {
            Self::One(key, row) if start <= key.as_bytes() && key.as_bytes() < end => {
                Some((key, row))
            }
            Self::One(..) | Self::Few(_) | Self::Many(_) => None,
        };
        let few = match self {
            Self::Few(rows) => {
                let from = rows.partition_point(|(key, _)| key.as_bytes() < start);
                let to = rows.partition_point(|(key, _)| key.as_bytes() < end);
                rows.get(from..to).unwrap_or_default()
            }
            Self::One(..) | Self::Many(_) => &[],
        };
        let many = match self {
            Self::Many(rows) if start < end => {
                Some(rows.range::<[u8], _>((Bound::Included(start), Bound::Excluded(end))))
            }
            Self::One(..) | Self::Few(_) | Self::Many(_) => None,
        };
        let few = few.iter().map(|(key, row)| (key, row));
        one.into_iter().chain(few).chain(many.into_iter().flatten())
    }

    /// Rows behind `after`, or all.
    pub(super) fn after(
        &self,
        after: Option<&ClusteringKey>,
    ) -> impl Iterator<Item = (&ClusteringKey, &RowBuf)> {
        let behind = |key: &ClusteringKey| after.is_none_or(|after| key > after);
        let one = match self {
            Self::One(key, row) if behind(key) => Some((key, row)),
            Self::One(..) | Self::Few(_) | Self::Many(_) => None,
        };
        let few = match self {
            Self::Few(rows) => {
                let from = rows.partition_point(|(key, _)| !behind(key));
                rows.get(from..).unwrap_or_default()
            }
            Self::One(..) | Self::Many(_) => &[],
        };
        let many = match self {
            Self::Many(rows) => {
                let start =
                    after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.as_bytes()));
                Some(rows.range::<[u8], _>((start, Bound::Unbounded)))
            }
            Self::One(..) | Self::Few(_) => None,
        };
        let few = few.iter().map(|(key, row)| (key, row));
        one.into_iter().chain(few).chain(many.into_iter().flatten())
    }
}

fn merge_into(key: &ClusteringKey, old: &mut RowBuf, row: &RowBuf) -> (usize, usize) {
    let before = bytes(key, old);
    *old = old.merged(row);
    (before, bytes(key, old))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cql_mutation::{Liveness, RowBuilder};

    fn row(timestamp: i64) -> RowBuf {
        RowBuilder::new()
            .liveness(Liveness::lasting(timestamp))
            .take()
    }

    #[test]
    fn every_size_keeps_order_and_merges() {
        for size in [1_u8, 2, 16, 17, 60] {
            let mut rows = Rows::new();
            let (mut was, mut is) = (0, 0);
            for round in 0..2 {
                for key in (0..size).rev() {
                    let (before, after) = rows.merge(ClusteringKey::new(&[key]), row(round));
                    was += before;
                    is += after;
                }
            }
            let found: Vec<u8> = rows.after(None).map(|(key, _)| key.as_bytes()[0]).collect();
            assert!(found.iter().copied().eq(0..size));
            assert_eq!(
                is - was,
                rows.after(None)
                    .map(|(key, row)| bytes(key, row))
                    .sum::<usize>()
            );
            let part: Vec<u8> = rows
                .between(&[3], &[9])
                .rev()
                .map(|(key, _)| key.as_bytes()[0])
                .collect();
            assert!(part.into_iter().eq((3..size.clamp(3, 9)).rev()));
            let behind = ClusteringKey::new(&[4]);
            assert!(
                rows.after(Some(&behind))
                    .map(|(key, _)| key.as_bytes()[0])
                    .eq(5..size.max(5))
            );
            assert_eq!(rows.get(&[0]), Some(&row(1)));
            assert_eq!(rows.get(&[size]), None);
        }
    }
}
