//! Keys of the store's own entries: space 0 and the clean-up index.

use cql_types::{PartitionKey, Token, encode_token};

use super::key::{PartitionPrefix, parse_front};
use crate::log::LogId;
use crate::space::{Space, SpaceRange};

const NEXT_SPACE: u8 = 1;
const FLUSHED: u8 = 2;
const DEAD: u8 = 3;
const ASSIGNED: u8 = 4;

fn own(tag: u8, rest: &[&[u8]]) -> Vec<u8> {
    let mut out = Space::STORE.0.to_be_bytes().to_vec();
    out.push(tag);
    out.extend(rest.iter().copied().flatten());
    out
}

/// An entry of the store itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoreKey {
    /// The lowest space that was never handed out.
    NextSpace,
    /// Up to where a log is in the engine.
    Flushed(LogId),
    /// Dead tokens of a space.
    Dead(SpaceRange),
    /// The largest assigned write time.
    Assigned,
}

/// The flushed position of a log that may be deleted.
pub(crate) const RETIRED: u64 = u64::MAX;

impl StoreKey {
    pub(crate) fn encode(self) -> Vec<u8> {
        match self {
            Self::NextSpace => own(NEXT_SPACE, &[]),
            Self::Flushed(log) => own(FLUSHED, &[&log.number().to_be_bytes()]),
            Self::Dead(range) => own(
                DEAD,
                &[
                    &range.space.0.to_be_bytes(),
                    &encode_token(range.first),
                    &encode_token(range.last),
                ],
            ),
            Self::Assigned => own(ASSIGNED, &[]),
        }
    }

    pub(crate) fn decode(key: &[u8]) -> Option<Self> {
        let rest = key.strip_prefix(&Space::STORE.0.to_be_bytes())?;
        match rest.split_first()? {
            (&NEXT_SPACE, []) => Some(Self::NextSpace),
            (&FLUSHED, number) => Some(Self::Flushed(LogId::from_number(u64::from_be_bytes(
                number.try_into().ok()?,
            )))),
            (&DEAD, rest) => {
                let (space, rest) = rest.split_first_chunk::<4>()?;
                let (first, rest) = rest.split_first_chunk::<8>()?;
                Some(Self::Dead(SpaceRange {
                    space: Space(u32::from_be_bytes(*space)),
                    first: cql_types::decode_token(*first),
                    last: cql_types::decode_token(rest.try_into().ok()?),
                }))
            }
            (&ASSIGNED, []) => Some(Self::Assigned),
            _ => None,
        }
    }

    /// All entries of the store, the end excluded.
    pub(crate) fn all() -> (Vec<u8>, Vec<u8>) {
        (own(0, &[]), (Space::STORE.0 + 1).to_be_bytes().to_vec())
    }
}

/// An entry of the clean-up index: from second `due` on, look at a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CleanupKey {
    pub(crate) due: i64,
    pub(crate) space: Space,
    pub(crate) token: Token,
    pub(crate) key: PartitionKey,
}

impl CleanupKey {
    pub(crate) fn decode(key: &[u8]) -> Option<Self> {
        let rest = key.strip_prefix(&Space::CLEANUP.0.to_be_bytes())?;
        let (due, rest) = rest.split_first_chunk::<8>()?;
        let (space, token, key, _) = parse_front(rest)?;
        let due = cql_types::decode_token(*due).0;
        Some(Self {
            due,
            space,
            token,
            key,
        })
    }

    /// All entries due at second `now` or before, the end excluded.
    pub(crate) fn due_at(now: i64) -> (Vec<u8>, Vec<u8>) {
        let mut end = Space::CLEANUP.0.to_be_bytes().to_vec();
        let start = end.clone();
        end.extend_from_slice(&encode_token(Token(now.saturating_add(1))));
        (start, end)
    }
}

/// The key of an index entry for a partition.
pub(crate) fn encode_cleanup(due: i64, partition: &PartitionPrefix) -> Vec<u8> {
    let mut out = Space::CLEANUP.0.to_be_bytes().to_vec();
    // A signed number that orders by its bytes, as a token does.
    out.extend_from_slice(&encode_token(Token(due)));
    out.extend_from_slice(partition.as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_come_back_in_their_ranges() {
        let (start, end) = StoreKey::all();
        let range = SpaceRange {
            space: Space(9),
            first: Token::MIN,
            last: Token(4),
        };
        let log = LogId {
            generation: 3,
            shard: LogId::LOCAL,
        };
        for key in [
            StoreKey::NextSpace,
            StoreKey::Flushed(log),
            StoreKey::Dead(range),
            StoreKey::Assigned,
        ] {
            let bytes = key.encode();
            assert!(start <= bytes && bytes < end);
            assert_eq!(StoreKey::decode(&bytes), Some(key));
        }
        assert_eq!(StoreKey::decode(&[0, 0, 0, 0, 77]), None);
        assert_eq!(StoreKey::decode(&[0, 0, 0, 1, 1]), None);
    }

    #[test]
    fn the_cleanup_index_orders_by_time() {
        let key = |due| CleanupKey {
            due,
            space: Space(1025),
            token: Token(-3),
            key: PartitionKey::from_bytes(bytes::Bytes::from_static(b"a\0b")).unwrap(),
        };
        let (start, end) = CleanupKey::due_at(10);
        for (due, inside) in [(-1, true), (0, true), (10, true), (11, false)] {
            let CleanupKey {
                space,
                token,
                key: partition,
                ..
            } = key(due);
            let bytes = encode_cleanup(due, &PartitionPrefix::new(space, token, &partition));
            assert_eq!(start <= bytes && bytes < end, inside, "{due}");
            assert_eq!(CleanupKey::decode(&bytes), Some(key(due)));
        }
    }
}
