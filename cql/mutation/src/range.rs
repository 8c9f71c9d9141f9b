//! Range tombstones of one partition: a map of disjoint ranges, each with the deletion that wins there.
//!
//! Wherever ranges overlap the larger deletion stays and the other is cut, and neighbours with the same
//! deletion are joined. So equal effect is equal content, and merging is commutative, associative and
//! idempotent: at each position it is the maximum of two deletions.
//!
//! Cost: finding the deletion of a position is one search in a sorted map. Adding a range costs one
//! search and a step for each range it touches; a range that is covered is removed by that, so adding
//! `n` ranges costs `O(n log n)` in all.

use crate::codec::{
    DecodeError, OrTruncated as _, Reader, bytes_len, put_bytes, put_signed, put_varint,
};
use crate::row::Deletion;
use std::collections::BTreeMap;
use std::ops::Bound;

/// The format byte of a chunk of range tombstones, as stored.
pub const RANGE_CHUNK_FORMAT: u8 = 1;

/// A deletion of all rows at positions from `start` up to but not including `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeTombstone {
    /// The first position.
    pub start: Vec<u8>,
    /// The first position after the range.
    pub end: Vec<u8>,
    /// The deletion.
    pub deletion: Deletion,
}

/// A range of a [`RangeTombstones`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RangeTombstoneRef<'a> {
    /// The first position.
    pub start: &'a [u8],
    /// The first position after the range.
    pub end: &'a [u8],
    /// The deletion.
    pub deletion: Deletion,
}

impl RangeTombstoneRef<'_> {
    /// An owned copy.
    #[must_use]
    pub fn to_owned(self) -> RangeTombstone {
        RangeTombstone {
            start: self.start.to_vec(),
            end: self.end.to_vec(),
            deletion: self.deletion,
        }
    }
}

/// Disjoint ranges, ascending, neighbours with the same deletion joined.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RangeTombstones {
    /// By start.
    ranges: BTreeMap<Vec<u8>, Span>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    end: Vec<u8>,
    deletion: Deletion,
}

impl RangeTombstones {
    /// No ranges; allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            ranges: BTreeMap::new(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many disjoint ranges there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = RangeTombstoneRef<'_>> {
        self.ranges.iter().map(view)
    }

    /// The deletion at `position`.
    #[must_use]
    pub fn covering(&self, position: &[u8]) -> Option<Deletion> {
        self.around(position).map(|range| range.deletion)
    }

    /// The range that has `position`.
    #[must_use]
    pub fn around(&self, position: &[u8]) -> Option<RangeTombstoneRef<'_>> {
        let upto = (Bound::Unbounded, Bound::Included(position));
        let found = self.ranges.range::<[u8], _>(upto).next_back().map(view)?;
        (position < found.end).then_some(found)
    }

    /// The ranges that overlap `start..end`, cut to it.
    #[must_use]
    pub fn slice(&self, start: &[u8], end: &[u8]) -> Self {
        let mut cut = Self::new();
        for range in self.overlapping(start, end) {
            let from = range.start.max(start).to_vec();
            let span = Span {
                end: range.end.min(end).to_vec(),
                deletion: range.deletion,
            };
            cut.ranges.insert(from, span);
        }
        cut
    }

    /// The ranges that overlap `start..end`, whole, ascending.
    pub fn overlapping<'a>(
        &'a self,
        start: &'a [u8],
        end: &'a [u8],
    ) -> impl Iterator<Item = RangeTombstoneRef<'a>> {
        let before = self.around(start).filter(|range| range.start < start);
        let inside = match start < end {
            true => Some(
                self.ranges
                    .range::<[u8], _>((Bound::Included(start), Bound::Excluded(end))),
            ),
            false => None,
        };
        let before = before.filter(|_| start < end);
        before
            .into_iter()
            .chain(inside.into_iter().flatten().map(view))
    }

    /// Adds a range; where it overlaps others the larger deletion stays. An empty range adds nothing.
    pub fn add(&mut self, range: RangeTombstone) {
        let RangeTombstone {
            start,
            end,
            deletion,
        } = range;
        if start >= end {
            return;
        }
        let mut at = start;
        for old in self.take_overlapping(&at, &end) {
            if old.start < at {
                // The part of the old range before the new one.
                self.insert(
                    old.start,
                    Span {
                        end: at.clone(),
                        deletion: old.deletion,
                    },
                );
            } else if at < old.start {
                let gap = std::mem::replace(&mut at, old.start);
                self.insert(
                    gap,
                    Span {
                        end: at.clone(),
                        deletion,
                    },
                );
            }
            let common = old.end.as_slice().min(&end).to_vec();
            let winner = old.deletion.max(deletion);
            let from = std::mem::replace(&mut at, common.clone());
            self.insert(
                from,
                Span {
                    end: common,
                    deletion: winner,
                },
            );
            if end < old.end {
                // The part of the old range after the new one.
                self.insert(
                    end.clone(),
                    Span {
                        end: old.end,
                        deletion: old.deletion,
                    },
                );
            }
        }
        if at < end {
            self.insert(at, Span { end, deletion });
        }
    }

    /// Adds all ranges of `other`.
    pub fn merge(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        for (start, span) in other.ranges {
            self.add(RangeTombstone {
                start,
                end: span.end,
                deletion: span.deletion,
            });
        }
    }

    /// Removes the ranges that a deletion of the whole partition shadows.
    pub fn shadow(&mut self, deletion: Deletion) {
        self.retain(|range| !deletion.shadows(range.deletion.timestamp));
    }

    /// Keeps the ranges that `keep` wants.
    pub fn retain(&mut self, mut keep: impl FnMut(RangeTombstoneRef<'_>) -> bool) {
        self.ranges.retain(|start, span| keep(view((start, span))));
    }

    /// About how many bytes the ranges take on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let entry = size_of::<Vec<u8>>() + size_of::<Span>();
        self.iter()
            .map(|range| range.start.len() + range.end.len() + entry)
            .sum()
    }

    fn take_overlapping(&mut self, start: &[u8], end: &[u8]) -> Vec<RangeTombstone> {
        let taken: Vec<RangeTombstone> = self
            .overlapping(start, end)
            .map(RangeTombstoneRef::to_owned)
            .collect();
        for range in &taken {
            self.ranges.remove(&range.start);
        }
        taken
    }

    /// Adds a range that overlaps no other, joining it with equal neighbours.
    fn insert(&mut self, start: Vec<u8>, mut span: Span) {
        let after = self
            .ranges
            .get(&span.end)
            .filter(|next| next.deletion == span.deletion);
        if after.is_some()
            && let Some(next) = self.ranges.remove(&span.end)
        {
            span.end = next.end;
        }
        let upto = (Bound::Unbounded, Bound::Excluded(start.as_slice()));
        match self.ranges.range_mut::<[u8], _>(upto).next_back() {
            Some((_, last)) if last.end == start && last.deletion == span.deletion => {
                last.end = span.end;
            }
            _ => {
                self.ranges.insert(start, span);
            }
        }
    }

    /// Appends the ranges: count, then start, end and deletion of each.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.ranges.len() as u64);
        for range in self.iter() {
            encode_range(range, out);
        }
    }

    pub(crate) fn encoded_len(&self) -> usize {
        // A deletion takes at most twenty bytes.
        let range =
            |range: RangeTombstoneRef<'_>| bytes_len(range.start) + bytes_len(range.end) + 20;
        10 + self.iter().map(range).sum::<usize>()
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader
            .count(4)
            .or_truncated("the number of range tombstones")?;
        let mut decoded = Self::new();
        for _ in 0..count {
            decoded.push(decode_range(reader)?)?;
        }
        Ok(decoded)
    }

    /// Adds a range that must lie behind all others.
    fn push(&mut self, range: RangeTombstone) -> Result<(), DecodeError> {
        let last = self.ranges.last_key_value();
        if range.start >= range.end || last.is_some_and(|(_, last)| last.end > range.start) {
            return Err(DecodeError::NotAscending {
                what: "range tombstones",
            });
        }
        self.insert(
            range.start,
            Span {
                end: range.end,
                deletion: range.deletion,
            },
        );
        Ok(())
    }

    /// Cuts the list into the values of stored chunks, each at most `chunk_bytes` long unless one range
    /// is longer, with the start of its first range, which is the position to store it at.
    pub fn to_chunks(&self, chunk_bytes: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut chunks: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for range in self.iter() {
            let mut encoded = Vec::new();
            encode_range(range, &mut encoded);
            match chunks.last_mut() {
                Some((_, chunk)) if chunk.len() + encoded.len() <= chunk_bytes => {
                    chunk.append(&mut encoded);
                }
                _ => {
                    let mut chunk = vec![RANGE_CHUNK_FORMAT];
                    chunk.append(&mut encoded);
                    chunks.push((range.start.to_vec(), chunk));
                }
            }
        }
        chunks
    }

    /// Adds the ranges of one stored chunk.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are no chunk; then some of its ranges may have been added.
    pub fn add_chunk(&mut self, chunk: &[u8]) -> Result<(), DecodeError> {
        let mut reader = Reader::new(chunk);
        let format = reader.byte().or_truncated("a range tombstone chunk")?;
        if format != RANGE_CHUNK_FORMAT {
            return Err(DecodeError::UnknownFormat {
                what: "a range tombstone chunk",
                found: format,
            });
        }
        while !reader.is_empty() {
            self.add(decode_range(&mut reader)?);
        }
        Ok(())
    }
}

impl FromIterator<RangeTombstone> for RangeTombstones {
    fn from_iter<I: IntoIterator<Item = RangeTombstone>>(ranges: I) -> Self {
        let mut all = Self::new();
        ranges.into_iter().for_each(|range| all.add(range));
        all
    }
}

/// Start, end, write time, and the deletion second as the difference to the second of the write time.
fn encode_range(range: RangeTombstoneRef<'_>, out: &mut Vec<u8>) {
    put_bytes(out, range.start);
    put_bytes(out, range.end);
    put_deletion(range.deletion, out);
}

fn decode_range(reader: &mut Reader<'_>) -> Result<RangeTombstone, DecodeError> {
    let start = reader
        .bytes()
        .or_truncated("the start of a range tombstone")?
        .to_vec();
    let end = reader
        .bytes()
        .or_truncated("the end of a range tombstone")?
        .to_vec();
    let deletion = take_deletion(reader).or_truncated("a range tombstone")?;
    match start < end {
        true => Ok(RangeTombstone {
            start,
            end,
            deletion,
        }),
        false => Err(DecodeError::Invalid {
            what: "a range tombstone is empty",
        }),
    }
}

/// Eight bytes of write time, then the deletion second as the difference to the second of it.
pub(crate) fn put_deletion(deletion: Deletion, out: &mut Vec<u8>) {
    out.extend_from_slice(&deletion.timestamp.to_le_bytes());
    let second = deletion.timestamp.div_euclid(1_000_000);
    put_signed(out, deletion.deleted_at.wrapping_sub(second));
}

/// The inverse of [`put_deletion`].
pub(crate) fn take_deletion(reader: &mut Reader<'_>) -> Option<Deletion> {
    let timestamp = i64::from_le_bytes(reader.array()?);
    let second = timestamp.div_euclid(1_000_000);
    Some(Deletion {
        timestamp,
        deleted_at: second.wrapping_add(reader.signed()?),
    })
}

fn view<'a>((start, span): (&'a Vec<u8>, &'a Span)) -> RangeTombstoneRef<'a> {
    RangeTombstoneRef {
        start,
        end: &span.end,
        deletion: span.deletion,
    }
}
