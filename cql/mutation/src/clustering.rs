//! Where a row is in its partition: encoded clustering keys, and ranges of them.
//!
//! A position is a byte string in memcmp order: an encoded key (`cql_types::encode_clustering`) or a
//! bound between keys (`cql_types::bound_bytes`). This module only compares them.

use crate::codec::{DecodeError, OrTruncated as _, Reader, put_bytes, put_varint};
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Deref;

/// Before every row of a partition.
pub const PARTITION_START: &[u8] = &[];

/// After every row of a partition: no encoded key begins with this byte.
pub const PARTITION_END: &[u8] = &[0xff];

/// Keys up to this length need no allocation.
const INLINE_BYTES: usize = 22;

/// An encoded clustering key; empty for a table without clustering columns. Compares as its bytes do.
///
/// Keys of up to 22 bytes live in the value itself.
#[derive(Clone)]
pub struct ClusteringKey(Repr);

#[derive(Clone)]
enum Repr {
    Inline { len: u8, bytes: [u8; INLINE_BYTES] },
    Heap(Box<[u8]>),
}

impl ClusteringKey {
    /// Copies an encoded key.
    #[must_use]
    pub fn new(encoded: &[u8]) -> Self {
        let mut bytes = [0; INLINE_BYTES];
        match (bytes.get_mut(..encoded.len()), u8::try_from(encoded.len())) {
            (Some(slot), Ok(len)) => {
                slot.copy_from_slice(encoded);
                Self(Repr::Inline { len, bytes })
            }
            _ => Self(Repr::Heap(Box::from(encoded))),
        }
    }

    /// The encoded key.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => bytes.get(..usize::from(*len)).unwrap_or_default(),
            Repr::Heap(bytes) => bytes,
        }
    }

    /// Bytes this key takes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Repr::Inline { .. } => 0,
            Repr::Heap(bytes) => bytes.len(),
        }
    }
}

impl Default for ClusteringKey {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl From<Vec<u8>> for ClusteringKey {
    fn from(encoded: Vec<u8>) -> Self {
        match encoded.len() {
            0..=INLINE_BYTES => Self::new(&encoded),
            _ => Self(Repr::Heap(encoded.into_boxed_slice())),
        }
    }
}

impl From<&[u8]> for ClusteringKey {
    fn from(encoded: &[u8]) -> Self {
        Self::new(encoded)
    }
}

impl Deref for ClusteringKey {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Lets a sorted map be searched by plain bytes.
impl Borrow<[u8]> for ClusteringKey {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl PartialEq for ClusteringKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for ClusteringKey {}

impl PartialOrd for ClusteringKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ClusteringKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl std::hash::Hash for ClusteringKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl fmt::Debug for ClusteringKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", crate::owned::Hex(self.as_bytes()))
    }
}

/// Positions from `start` up to but not including `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    /// The first position.
    pub start: Vec<u8>,
    /// The first position after the slice.
    pub end: Vec<u8>,
}

impl Slice {
    /// The whole partition.
    #[must_use]
    pub fn all() -> Self {
        Self {
            start: PARTITION_START.to_vec(),
            end: PARTITION_END.to_vec(),
        }
    }

    /// Only the row with this encoded key. Keys are prefix-free, so nothing lies between the key
    /// and the key with a zero byte behind it.
    #[must_use]
    pub fn row(key: &[u8]) -> Self {
        let mut end = Vec::with_capacity(key.len() + 1);
        end.extend_from_slice(key);
        end.push(0);
        Self {
            start: key.to_vec(),
            end,
        }
    }

    /// Whether the slice has `position`.
    #[must_use]
    pub fn contains(&self, position: &[u8]) -> bool {
        self.start.as_slice() <= position && position < self.end.as_slice()
    }

    /// The key, if this is [`Slice::row`].
    #[must_use]
    pub fn single_row(&self) -> Option<&[u8]> {
        match self.end.split_last() {
            Some((0, key)) if key == self.start.as_slice() => Some(key),
            _ => None,
        }
    }
}

/// Disjoint slices, not empty, ascending: the rows a read wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slices(Vec<Slice>);

impl Slices {
    /// The whole partition.
    #[must_use]
    pub fn all() -> Self {
        Self(vec![Slice::all()])
    }

    /// No row: only static columns are wanted.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Sorts, drops empty slices and joins those that touch or overlap.
    #[must_use]
    pub fn new(mut slices: Vec<Slice>) -> Self {
        slices.retain(|slice| slice.start < slice.end);
        slices.sort_by(|a, b| a.start.cmp(&b.start));
        let mut joined: Vec<Slice> = Vec::with_capacity(slices.len());
        for slice in slices {
            match joined.last_mut() {
                Some(last) if slice.start <= last.end => {
                    if last.end < slice.end {
                        last.end = slice.end;
                    }
                }
                _ => joined.push(slice),
            }
        }
        Self(joined)
    }

    /// The slices, ascending.
    #[must_use]
    pub fn as_slice(&self) -> &[Slice] {
        &self.0
    }

    /// Whether this is exactly the whole partition.
    #[must_use]
    pub fn is_all(&self) -> bool {
        matches!(self.0.as_slice(), [only] if only.start == PARTITION_START && only.end == PARTITION_END)
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.0.len() as u64);
        for slice in &self.0 {
            put_bytes(out, &slice.start);
            put_bytes(out, &slice.end);
        }
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(2).or_truncated("the number of slices")?;
        let mut slices: Vec<Slice> = Vec::with_capacity(count);
        for _ in 0..count {
            let start = reader
                .bytes()
                .or_truncated("the start of a slice")?
                .to_vec();
            let end = reader.bytes().or_truncated("the end of a slice")?.to_vec();
            if start >= end || slices.last().is_some_and(|last| last.end >= start) {
                return Err(DecodeError::NotAscending { what: "slices" });
            }
            slices.push(Slice { start, end });
        }
        Ok(Self(slices))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(start: &[u8], end: &[u8]) -> Slice {
        Slice {
            start: start.to_vec(),
            end: end.to_vec(),
        }
    }

    #[test]
    fn keys_compare_as_bytes_whatever_their_home() {
        let short = ClusteringKey::new(b"abc");
        let long = ClusteringKey::new(&[b'a'; 40]);
        assert!(long < short);
        assert_eq!(long.as_bytes(), &[b'a'; 40]);
        assert_eq!(ClusteringKey::from(b"abc".to_vec()), short);
        assert_eq!((short.heap_bytes(), long.heap_bytes()), (0, 40));
        assert_eq!(size_of::<ClusteringKey>(), 24);
    }

    #[test]
    fn slices_are_sorted_and_joined() {
        let slices = Slices::new(vec![
            slice(b"d", b"f"),
            slice(b"a", b"b"),
            slice(b"b", b"c"),
            slice(b"x", b"x"),
        ]);
        assert_eq!(slices.as_slice(), [slice(b"a", b"c"), slice(b"d", b"f")]);
        assert!(Slices::new(vec![Slice::all(), slice(b"a", b"b")]).is_all());
        let mut out = Vec::new();
        slices.encode(&mut out);
        assert_eq!(Slices::decode(&mut Reader::new(&out)), Ok(slices));
    }

    #[test]
    fn the_slice_of_a_row_has_only_that_row() {
        let row = Slice::row(b"ab");
        assert!(row.contains(b"ab") && !row.contains(b"ab\x00") && !row.contains(b"aa"));
        assert_eq!(row.single_row(), Some(b"ab".as_slice()));
        assert_eq!(Slice::all().single_row(), None);
    }
}
