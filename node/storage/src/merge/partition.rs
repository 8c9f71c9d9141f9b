//! The flush of a partition that has a static row, a deletion or range tombstones.
//!
//! First the header and the chunks, merged with the older ones; then the rows, side by side with the older rows that the
//! new deletions cover, since those must go too.

use std::collections::{BTreeMap, VecDeque};

use backend::{Direction, Entry};
use bytes::Bytes;
use cql_mutation::{
    ClusteringKey, Deletion, PartitionHeader, PurgePolicy, Purged, RangeChunks, RangeTombstones,
    RowBuf, RowRef, Shadowed, purge, shadow,
};
use cql_types::PartitionKey;

use super::sink::{RowChange, Sink};
use super::{MergeContext, ROWS_PER_TURN};
use crate::error::StorageError;
use crate::layout::cut::{CutScan, Reader};
use crate::layout::key::{Kind, PartitionPrefix, Place};
use crate::layout::value::CHUNK_BYTES;
use crate::memtable::Partition;
use crate::stats::add;

/// The older and the newer value of a chunk.
type BeforeAndAfter<'a> = (Option<&'a [u8]>, Option<Vec<u8>>);

/// What a partition has in the engine beside rows.
#[derive(Debug, Default)]
pub(super) struct StoredHead {
    header: Option<Bytes>,
    chunks: BTreeMap<Vec<u8>, Bytes>,
}

impl StoredHead {
    pub(super) fn read(reader: &Reader, prefix: &PartitionPrefix) -> Result<Self, StorageError> {
        let Some(header) = reader.get(&prefix.header())? else {
            return Ok(Self::default());
        };
        let mut chunks = BTreeMap::new();
        if decode_header(&header)?.ranges == RangeChunks::Present {
            let (start, end) = prefix.chunks();
            let mut scan = reader.scan(start, end, Direction::Forward)?;
            while let Some((key, value)) = scan.next()? {
                chunks.insert(key.to_vec(), value);
            }
        }
        Ok(Self {
            header: Some(header),
            chunks,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.header.is_none()
    }

    pub(super) fn header(&self) -> Result<PartitionHeader<'_>, StorageError> {
        self.header
            .as_ref()
            .map_or(Ok(PartitionHeader::default()), decode_header)
    }

    pub(super) fn tombstones(&self) -> Result<RangeTombstones, StorageError> {
        let mut all = RangeTombstones::new();
        for chunk in self.chunks.values() {
            all.add_chunk(chunk)
                .map_err(|why| StorageError::undecodable("a chunk of range tombstones", why))?;
        }
        Ok(all)
    }

    /// Writes what the partition has from now on, touching only what changes.
    pub(super) fn replace(
        &self,
        prefix: &PartitionPrefix,
        deletion: Option<Deletion>,
        static_row: Option<RowRef<'_>>,
        tombstones: &RangeTombstones,
        sink: &mut Sink,
    ) {
        let ranges = match tombstones.is_empty() {
            true => RangeChunks::Absent,
            false => RangeChunks::Present,
        };
        let header = PartitionHeader {
            deletion,
            static_row,
            ranges,
        };
        let mut bytes = Vec::new();
        header.encode(&mut bytes);
        let newer = (!header.is_empty()).then_some(bytes.as_slice());
        sink.replace(&prefix.header(), self.header.as_deref(), newer);
        let mut chunks: BTreeMap<Vec<u8>, BeforeAndAfter<'_>> = self
            .chunks
            .iter()
            .map(|(key, old)| (key.clone(), (Some(&old[..]), None)))
            .collect();
        for (start, value) in tombstones.to_chunks(CHUNK_BYTES) {
            chunks.entry(prefix.chunk(&start)).or_default().1 = Some(value);
        }
        for (key, (older, newer)) in chunks {
            sink.replace(&key, older, newer.as_deref());
        }
    }
}

pub(crate) fn decode_header(bytes: &Bytes) -> Result<PartitionHeader<'_>, StorageError> {
    PartitionHeader::decode(bytes)
        .map_err(|why| StorageError::undecodable("a partition header", why))
}

/// A walk over stored rows in ranges of one partition, for what a deletion shadows there.
pub(super) struct ShadowWalk {
    ranges: VecDeque<(Vec<u8>, Vec<u8>)>,
    scan: Option<CutScan>,
    peeked: Option<Entry>,
}

impl ShadowWalk {
    pub(super) fn new(
        prefix: &PartitionPrefix,
        deletion: Option<Deletion>,
        tombstones: &RangeTombstones,
    ) -> Self {
        let ranges = match deletion {
            Some(_) => VecDeque::from([prefix.rows()]),
            None => tombstones
                .iter()
                .map(|range| prefix.rows_between(range.start, Some(range.end)))
                .collect(),
        };
        Self {
            ranges,
            scan: None,
            peeked: None,
        }
    }

    pub(super) fn peek(&mut self, reader: &Reader) -> Result<Option<&Entry>, StorageError> {
        while self.peeked.is_none() {
            if let Some(scan) = &mut self.scan
                && let Some(entry) = scan.next()?
            {
                self.peeked = Some(entry);
                break;
            }
            let Some((start, end)) = self.ranges.pop_front() else {
                return Ok(None);
            };
            self.scan = Some(reader.scan(start, end, Direction::Forward)?);
        }
        Ok(self.peeked.as_ref())
    }

    pub(super) fn take(&mut self) -> Option<Entry> {
        self.peeked.take()
    }

    fn stop(&mut self) {
        *self = Self {
            ranges: VecDeque::new(),
            scan: None,
            peeked: None,
        };
    }
}

/// A partition with deletions, being flushed.
pub(super) struct OpenPartition {
    pub(super) place: Place,
    pub(super) key: PartitionKey,
    pub(super) prefix: PartitionPrefix,
    /// Of the whole partition, merged with the older one.
    deletion: Option<Deletion>,
    /// Merged with the older ones.
    tombstones: RangeTombstones,
    walk: ShadowWalk,
    after: Option<ClusteringKey>,
    cut_short: bool,
}

/// How far a partition is.
pub(super) enum PartitionStep {
    More,
    Done {
        /// Not everything that the deletions cover was looked at.
        cut_short: bool,
    },
}

impl OpenPartition {
    /// Writes header and chunks.
    pub(super) fn open(
        place: Place,
        partition: &Partition,
        policy: &PurgePolicy,
        sink: &mut Sink,
    ) -> Result<Self, StorageError> {
        let prefix = PartitionPrefix::new(place.space(), place.token(), partition.key());
        let stored = StoredHead::read(&sink.reader, &prefix)?;
        let none = RangeTombstones::new();
        let (new_deletion, new_static, new_tombstones) = match partition.extras() {
            Some(extras) => (
                extras.deletion,
                extras.static_row.as_ref(),
                &extras.tombstones,
            ),
            None => (None, None, &none),
        };
        let new = PartitionHeader {
            deletion: new_deletion,
            static_row: new_static.map(RowBuf::as_ref),
            ranges: RangeChunks::Absent,
        };
        let (deletion, static_row, _) = stored.header()?.merge(new);
        let static_row = static_row.and_then(|row| {
            let purged = purge(row.as_ref(), policy);
            if purged != Purged::Unchanged
                && let Some(newest) = row.as_ref().max_timestamp()
            {
                sink.purged(place.space(), newest);
            }
            match purged {
                Purged::Unchanged => Some(row),
                Purged::Changed(less) => Some(less),
                Purged::Nothing => None,
            }
        });
        let mut tombstones = stored.tombstones()?;
        tombstones.merge(new_tombstones.clone());
        if let Some(deletion) = deletion {
            tombstones.shadow(deletion);
        }
        stored.replace(
            &prefix,
            deletion,
            static_row.as_ref().map(RowBuf::as_ref),
            &tombstones,
            sink,
        );
        let walk = ShadowWalk::new(&prefix, new_deletion, new_tombstones);
        let key = partition.key().clone();
        Ok(Self {
            place,
            key,
            prefix,
            deletion,
            tombstones,
            walk,
            after: None,
            cut_short: false,
        })
    }

    fn deletion_at(&self, clustering: &[u8]) -> Option<Deletion> {
        self.deletion.max(self.tombstones.covering(clustering))
    }

    /// Handles some rows.
    pub(super) fn step(
        &mut self,
        partition: &Partition,
        context: &MergeContext,
        policy: &PurgePolicy,
        sink: &mut Sink,
        budget: &mut usize,
    ) -> Result<PartitionStep, StorageError> {
        let after = self.after.take();
        let rows: Vec<_> = partition
            .rows_after(after.as_ref())
            .take(ROWS_PER_TURN)
            .collect();
        let keys: Vec<Vec<u8>> = rows.iter().map(|(key, _)| self.prefix.row(key)).collect();
        let older = sink.reader.multi_get(&keys)?;
        for (((clustering, row), key), older) in rows.iter().zip(&keys).zip(&older) {
            self.shadow_until(Some(key), usize::MAX, context, sink, budget)?;
            let deletion = self.deletion_at(clustering);
            let change = RowChange {
                key,
                older: older.as_ref(),
                newer: Some(row.as_ref()),
                deletion,
            };
            sink.row(context, self.place.space(), policy, change);
        }
        add(&context.counters.rows_merged, rows.len() as u64);
        add(
            &context.counters.rows_with_older,
            older.iter().flatten().count() as u64,
        );
        if rows.len() == ROWS_PER_TURN {
            self.after = rows.last().map(|(key, _)| (*key).clone());
            return Ok(PartitionStep::More);
        }
        // Nothing new is behind here, so that the walk can go on alone, in parts.
        self.after = rows.last().map(|(key, _)| (*key).clone()).or(after);
        match self.shadow_until(None, ROWS_PER_TURN, context, sink, budget)? {
            Walk::Paused => Ok(PartitionStep::More),
            Walk::Reached => Ok(PartitionStep::Done {
                cut_short: self.cut_short,
            }),
        }
    }

    /// Takes away what the deletions shadow, in stored rows before `key`; at `key` itself the caller does it.
    fn shadow_until(
        &mut self,
        key: Option<&[u8]>,
        rows_max: usize,
        context: &MergeContext,
        sink: &mut Sink,
        budget: &mut usize,
    ) -> Result<Walk, StorageError> {
        for _ in 0..rows_max {
            let Some((found, _)) = self.walk.peek(&sink.reader)? else {
                return Ok(Walk::Reached);
            };
            if let Some(key) = key
                && found >= key
            {
                if found == key {
                    self.walk.take();
                }
                return Ok(Walk::Reached);
            }
            let Some((found, value)) = self.walk.take() else {
                return Ok(Walk::Reached);
            };
            if *budget == 0 {
                self.walk.stop();
                self.cut_short = true;
                return Ok(Walk::Reached);
            }
            *budget -= 1;
            let deletion = match self.prefix.split(&found) {
                Some((Kind::Row, clustering)) => self.deletion_at(clustering),
                Some((Kind::Header | Kind::Chunk, _)) | None => None,
            };
            if let Some(deletion) = deletion {
                let shadowed = shadow_stored(&value, deletion);
                if let Some(newer) = shadowed {
                    add(&context.counters.rows_shadowed, 1);
                    sink.replace(&found, Some(&value), newer.as_ref().map(RowBuf::as_bytes));
                }
            }
        }
        Ok(Walk::Paused)
    }

    /// From which second on the tombstones of this partition may be purged; `None` if it has none.
    pub(super) fn cleanup_due(&self, gc_grace_s: Option<u32>) -> Option<i64> {
        cleanup_due(self.deletion, &self.tombstones, gc_grace_s)
    }
}

enum Walk {
    Reached,
    Paused,
}

/// From which second on the first of some deletions may be purged.
pub(super) fn cleanup_due(
    deletion: Option<Deletion>,
    tombstones: &RangeTombstones,
    gc_grace_s: Option<u32>,
) -> Option<i64> {
    let ranges = tombstones.iter().map(|range| range.deletion.deleted_at);
    let first = deletion
        .map(|deletion| deletion.deleted_at)
        .into_iter()
        .chain(ranges)
        .min()?;
    Some(first.saturating_add(i64::from(gc_grace_s.unwrap_or(0))))
}

/// What a deletion leaves of a stored row: `None` if it leaves it alone, else the rest, if there is one.
pub(super) fn shadow_stored(value: &Bytes, deletion: Deletion) -> Option<Option<RowBuf>> {
    match shadow(RowRef::trusted(value), deletion) {
        Shadowed::Untouched => None,
        Shadowed::Partly(rest) => Some(Some(rest)),
        Shadowed::Gone => Some(None),
    }
}
