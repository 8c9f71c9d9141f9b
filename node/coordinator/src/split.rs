//! Divides a read among the shards that own its partitions. Pure.

use std::ops::Bound;

use cql_mutation::{Partitions, Position, ReadCommand};
use cql_types::Token;
use node_cluster::ClusterState;

/// A part of a read that one shard answers alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The shard.
    pub(crate) shard: u32,
    /// The partitions.
    pub(crate) partitions: Partitions,
    /// Where to go on, if the page before ended in this part.
    pub(crate) resume: Option<Position>,
}

/// The parts of a read in the order of the answer, without those that earlier pages have answered; `None` if the table has
/// no owner.
pub(crate) fn split(state: &ClusterState, command: &ReadCommand) -> Option<Vec<Part>> {
    match &command.partitions {
        Partitions::Keys(keys) => {
            let resume = command.resume.as_ref();
            let done = resume.and_then(|at| keys.iter().position(|key| *key == at.key));
            let mut parts: Vec<Part> = Vec::new();
            for key in keys.iter().skip(done.unwrap_or(0)) {
                let shard = state.owner(command.table, key.token())?;
                let resume = resume.filter(|at| at.key == *key).cloned();
                match parts.last_mut() {
                    Some(Part {
                        shard: last,
                        partitions: Partitions::Keys(keys),
                        ..
                    }) if *last == shard => keys.push(key.clone()),
                    _ => parts.push(Part {
                        shard,
                        partitions: Partitions::Keys(vec![key.clone()]),
                        resume,
                    }),
                }
            }
            Some(parts)
        }
        Partitions::Range { start, end } => {
            let map = state.tablets.get(&command.table)?;
            let from = command.resume.as_ref().map(|position| position.token);
            let mut parts: Vec<Part> = Vec::new();
            let mut below = Bound::Unbounded;
            for tablet in map.tablets() {
                let tablet_start =
                    std::mem::replace(&mut below, Bound::Excluded(tablet.last_token));
                let tablet_end = Bound::Included(tablet.last_token);
                let (low, high) = (higher(*start, tablet_start), lower(*end, tablet_end));
                if is_empty(low, high) || from.is_some_and(|token| token > tablet.last_token) {
                    continue;
                }
                let shard = state.owner(command.table, tablet.last_token)?;
                match parts.last_mut() {
                    // Neighbours of one shard are one range.
                    Some(Part {
                        shard: last,
                        partitions: Partitions::Range { end, .. },
                        ..
                    }) if *last == shard => *end = high,
                    _ => parts.push(Part {
                        shard,
                        partitions: Partitions::Range {
                            start: low,
                            end: high,
                        },
                        resume: command.resume.clone().filter(|_| parts.is_empty()),
                    }),
                }
            }
            Some(parts)
        }
    }
}

/// The smallest token that a lower bound lets in.
fn first(bound: Bound<Token>) -> i128 {
    match bound {
        Bound::Unbounded => i128::from(i64::MIN),
        Bound::Included(token) => i128::from(token.0),
        Bound::Excluded(token) => i128::from(token.0) + 1,
    }
}

/// The largest token that an upper bound lets in.
fn last(bound: Bound<Token>) -> i128 {
    match bound {
        Bound::Unbounded => i128::from(i64::MAX),
        Bound::Included(token) => i128::from(token.0),
        Bound::Excluded(token) => i128::from(token.0) - 1,
    }
}

fn higher(a: Bound<Token>, b: Bound<Token>) -> Bound<Token> {
    if first(a) >= first(b) { a } else { b }
}

fn lower(a: Bound<Token>, b: Bound<Token>) -> Bound<Token> {
    if last(a) <= last(b) { a } else { b }
}

fn is_empty(low: Bound<Token>, high: Bound<Token>) -> bool {
    first(low) > last(high)
}
