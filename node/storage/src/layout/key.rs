//! Keys: `[space][token][partition key][kind][clustering][sub]`.

use std::ops::Range;

use cql_types::{PartitionKey, Token, encode_partition_key, encode_token};

use crate::space::Space;

/// What stands after the clustering of everything that is stored today; 1 and 2 are reserved.
pub(crate) const SUB_ROW: u8 = 0;

/// The parts of a partition, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Deletion and static row.
    Header,
    /// Range tombstones.
    Chunk,
    /// A row.
    Row,
}

impl Kind {
    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::Header => 0,
            Self::Chunk => 1,
            Self::Row => 2,
        }
    }

    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Header),
            1 => Some(Self::Chunk),
            2 => Some(Self::Row),
            _ => None,
        }
    }
}

/// The byte after every kind: ends the ranges of a partition.
const KIND_END: u8 = 3;

/// Bytes of space and token.
pub(crate) const FRONT: usize = 12;

/// Space and token as one number that orders like their bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u128);

impl Place {
    pub(crate) const fn new(space: Space, token: Token) -> Self {
        Self(((space.0 as u128) << 64) | token.unsigned() as u128)
    }

    pub(crate) const fn space(self) -> Space {
        #[expect(clippy::cast_possible_truncation, reason = "the upper half is a u32")]
        Space((self.0 >> 64) as u32)
    }

    pub(crate) const fn token(self) -> Token {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
        Token::from_unsigned(self.0 as u64)
    }

    /// The place after the last one of the space.
    pub(crate) const fn after(space: Space) -> Self {
        Self((space.0 as u128 + 1) << 64)
    }
}

/// The keys of one partition: its prefix, to which kinds and clustering keys are added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartitionPrefix(Vec<u8>);

impl PartitionPrefix {
    pub(crate) fn new(space: Space, token: Token, key: &PartitionKey) -> Self {
        let mut out = Vec::with_capacity(FRONT + key.as_bytes().len() + 24);
        out.extend_from_slice(&space.0.to_be_bytes());
        out.extend_from_slice(&encode_token(token));
        encode_partition_key(key.as_bytes(), &mut out);
        Self(out)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn with(&self, kind: u8, rest: &[u8], sub: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.0.len() + rest.len() + 2);
        out.extend_from_slice(&self.0);
        out.push(kind);
        out.extend_from_slice(rest);
        out.extend_from_slice(sub);
        out
    }

    pub(crate) fn header(&self) -> Vec<u8> {
        self.with(Kind::Header.byte(), &[], &[SUB_ROW])
    }

    pub(crate) fn chunk(&self, start: &[u8]) -> Vec<u8> {
        self.with(Kind::Chunk.byte(), start, &[SUB_ROW])
    }

    pub(crate) fn row(&self, clustering: &[u8]) -> Vec<u8> {
        self.with(Kind::Row.byte(), clustering, &[SUB_ROW])
    }

    /// From the first chunk to the last, the end excluded.
    pub(crate) fn chunks(&self) -> (Vec<u8>, Vec<u8>) {
        (
            self.with(Kind::Chunk.byte(), &[], &[]),
            self.with(Kind::Row.byte(), &[], &[]),
        )
    }

    /// All rows, the end excluded.
    pub(crate) fn rows(&self) -> (Vec<u8>, Vec<u8>) {
        (self.with(Kind::Row.byte(), &[], &[]), self.end())
    }

    /// The keys of the rows from one clustering position up to but not including another.
    pub(crate) fn rows_between(&self, start: &[u8], end: Option<&[u8]>) -> (Vec<u8>, Vec<u8>) {
        let end = end.map_or_else(|| self.end(), |end| self.row_position(end));
        (self.row_position(start), end)
    }

    /// The place of a clustering position among the rows. The zero byte behind every position keeps their order.
    pub(crate) fn row_position(&self, position: &[u8]) -> Vec<u8> {
        self.with(Kind::Row.byte(), position, &[SUB_ROW])
    }

    /// After everything of the partition.
    pub(crate) fn end(&self) -> Vec<u8> {
        self.with(KIND_END, &[], &[])
    }

    /// Where the clustering lies in the key of a row of this partition; `None` for any other key.
    pub(crate) fn clustering_of_row(&self, key: &[u8]) -> Option<Range<usize>> {
        let (kind, clustering) = self.split(key)?;
        let start = self.0.len() + 1;
        (kind == Kind::Row).then(|| start..start + clustering.len())
    }

    /// Kind and clustering of a key of this partition; `None` for a key of another one.
    pub(crate) fn split<'a>(&self, key: &'a [u8]) -> Option<(Kind, &'a [u8])> {
        let rest = key.strip_prefix(self.0.as_slice())?;
        let (kind, rest) = rest.split_first()?;
        let (_sub, clustering) = rest.split_last()?;
        Some((Kind::from_byte(*kind)?, clustering))
    }
}

/// The first key of a place.
pub(crate) fn place_start(place: Place) -> Vec<u8> {
    let mut out = Vec::with_capacity(FRONT);
    // A place past the last space starts after every key.
    let space = u32::try_from(place.0 >> 64).unwrap_or(u32::MAX);
    out.extend_from_slice(&space.to_be_bytes());
    out.extend_from_slice(&encode_token(place.token()));
    out
}

/// Reads space, token and partition key at the front of a key of user data.
pub(crate) fn parse_front(key: &[u8]) -> Option<(Space, Token, PartitionKey, PartitionPrefix)> {
    let (space, token) = parse_place(key)?;
    let (pk, rest) = cql_types::decode_partition_key(key.get(FRONT..)?).ok()?;
    let prefix = key.get(..key.len().checked_sub(rest.len())?)?;
    let key = PartitionKey::from_bytes(bytes::Bytes::from(pk)).ok()?;
    Some((space, token, key, PartitionPrefix(prefix.to_vec())))
}

/// The length of the prefix of the partition that a key belongs to. Copies nothing.
pub(crate) fn prefix_len(key: &[u8]) -> Option<usize> {
    let (pk, _) = cql_types::split_partition_key(key.get(FRONT..)?).ok()?;
    Some(FRONT + pk.len())
}

/// Reads space and token at the front of a key.
pub(crate) fn parse_place(key: &[u8]) -> Option<(Space, Token)> {
    let (space, rest) = key.split_first_chunk::<4>()?;
    let token = rest.first_chunk::<8>()?;
    Some((
        Space(u32::from_be_bytes(*space)),
        cql_types::decode_token(*token),
    ))
}
