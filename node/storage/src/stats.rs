//! Counters of storage. Each counts since the process started; reading them costs a few loads.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($(#[$doc:meta])* $live:ident => $plain:ident { $($(#[$field_doc:meta])* $field:ident),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(crate) struct $live { $(pub(crate) $field: AtomicU64),* }

        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $plain { $($(#[$field_doc])* pub $field: u64),* }

        impl $live {
            pub(crate) fn read(&self) -> $plain {
                $plain { $($field: self.$field.load(Ordering::Relaxed)),* }
            }
        }
    };
}

counters! {
    /// What one commit log did.
    LogCounters => LogStats {
        /// Frames written.
        frames,
        /// Bytes of frames written, padding included.
        bytes,
        /// Syncs of frames.
        syncs,
        /// Segments made new.
        segments_made,
        /// Segments used again.
        segments_recycled,
        /// Segments removed.
        segments_removed,
        /// Answers that had to wait for a sync.
        waits,
    }
}

counters! {
    /// What one shard's store did.
    ShardCounters => ShardStats {
        /// Batches accepted.
        writes,
        /// Mutations in them.
        mutations,
        /// Batches refused: too large, no space, or the log has stopped.
        refused,
        /// Reads begun.
        reads,
        /// Rows that reads visited, live or not.
        rows_visited,
        /// Reads of single rows that were answered in one turn.
        reads_at_once,
        /// Memtables sealed.
        seals,
        /// Memtables flushed.
        flushes,
        /// Flushes that failed and were tried again.
        flush_failures,
        /// Writes that were delayed because flushes or compactions were behind.
        delayed,
    }
}

counters! {
    /// What the merger and replay did.
    NodeCounters => NodeStats {
        /// Merges finished: flushes and imports.
        merges,
        /// Rows merged.
        rows_merged,
        /// Rows among them of which the engine had an older version.
        rows_with_older,
        /// Rows that were not written because nothing was left of them.
        rows_dropped,
        /// Older rows that a new range or partition tombstone removed or trimmed.
        rows_shadowed,
        /// Partition and range tombstones purged.
        tombstones_purged,
        /// Bytes of keys and values handed to the engine.
        bytes_written,
        /// Frames of old logs applied again.
        replayed_frames,
        /// Bytes of those frames.
        replayed_bytes,
        /// Mutations of old logs that belonged to dead spaces.
        replay_skipped_dead,
        /// Partitions that were not flushed because their space is dead.
        flush_skipped_dead,
        /// Entries that compactions dropped because their space is dead.
        reclaimed_entries,
        /// Rows that compactions purged, whole or in part.
        rows_purged_by_compaction,
        /// Compaction steps.
        compactions,
        /// Compaction steps that failed.
        compaction_failures,
    }
}

pub(crate) fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

impl LogCounters {
    pub(crate) fn frames_written(&self, frames: u64, bytes: u64) {
        add(&self.frames, frames);
        add(&self.bytes, bytes);
    }

    pub(crate) fn synced(&self) {
        add(&self.syncs, 1);
    }

    pub(crate) fn segment_made(&self) {
        add(&self.segments_made, 1);
    }

    pub(crate) fn segment_recycled(&self) {
        add(&self.segments_recycled, 1);
    }

    pub(crate) fn segment_removed(&self) {
        add(&self.segments_removed, 1);
    }
}
