//! Metrics under our own names.

use super::table::Kind::{Counter, Gauge};
use super::table::{Metric, fraction, node, shard};

/// Those of shards.
pub(super) const SHARDS: &[Metric] = &[
    shard(
        "messina_shard_tablets",
        Gauge,
        "Tablets of user tables that the shard owns",
        |s| s.tablets,
    ),
    shard(
        "messina_shard_writable",
        Gauge,
        "1 if the shard takes writes, 0 if it needs a restart",
        |s| u64::from(s.store.failure.is_none()),
    ),
    shard(
        "messina_connections_accepted",
        Counter,
        "Connections of drivers accepted",
        |s| s.requests.connections_accepted,
    ),
    shard(
        "messina_requests",
        Counter,
        "Requests of drivers received, of every kind",
        |s| s.requests.requests,
    ),
    shard(
        "messina_request_errors",
        Counter,
        "Answers to drivers that were errors",
        |s| s.requests.errors,
    ),
    shard(
        "messina_writes",
        Counter,
        "Batches of writes accepted",
        |s| s.store.writes,
    ),
    shard(
        "messina_mutations",
        Counter,
        "Partitions changed, each counted once a batch",
        |s| s.store.mutations,
    ),
    shard(
        "messina_writes_refused",
        Counter,
        "Batches refused: too large, no space, or the log has stopped",
        |s| s.store.refused,
    ),
    shard(
        "messina_writes_delayed",
        Counter,
        "Batches delayed because flushes or compactions were behind",
        |s| s.store.delayed,
    ),
    shard("messina_reads", Counter, "Reads begun", |s| s.store.reads),
    shard(
        "messina_reads_at_once",
        Counter,
        "Reads of single rows answered in one turn",
        |s| s.store.reads_at_once,
    ),
    shard(
        "messina_rows_visited",
        Counter,
        "Rows that reads visited, live or not",
        |s| s.store.rows_visited,
    ),
    shard(
        "messina_memtable_bytes",
        Gauge,
        "Bytes of rows that are not in the engine yet",
        |s| s.store.memtable_bytes,
    ),
    shard(
        "messina_memtables_sealed",
        Gauge,
        "Memtables that wait for their flush",
        |s| s.store.sealed_memtables,
    ),
    shard(
        "messina_memtable_flushes",
        Counter,
        "Memtables flushed",
        |s| s.store.flushes,
    ),
    shard(
        "messina_memtable_flush_failures",
        Counter,
        "Flushes that failed and were tried again",
        |s| s.store.flush_failures,
    ),
    shard(
        "messina_log_frames",
        Counter,
        "Frames written to the log",
        |s| s.store.log.frames,
    ),
    shard(
        "messina_log_written_bytes",
        Counter,
        "Bytes written to the log, padding included",
        |s| s.store.log.frame_bytes,
    ),
    shard("messina_log_syncs", Counter, "Syncs of the log", |s| {
        s.store.log.syncs
    }),
    shard(
        "messina_log_waits",
        Counter,
        "Answers that waited for a sync",
        |s| s.store.log.waits,
    ),
    shard(
        "messina_log_waiting",
        Gauge,
        "Answers that wait for a sync now",
        |s| s.store.waiting,
    ),
    shard(
        "messina_log_segments_made",
        Counter,
        "Segments made new",
        |s| s.store.log.segments_made,
    ),
    shard(
        "messina_log_segments_recycled",
        Counter,
        "Segments used again",
        |s| s.store.log.segments_recycled,
    ),
    shard(
        "messina_log_segments_removed",
        Counter,
        "Segments removed",
        |s| s.store.log.segments_removed,
    ),
    shard(
        "messina_log_accepted_position",
        Gauge,
        "The last accepted frame of this run",
        |s| s.store.log.accepted_position,
    ),
    shard(
        "messina_log_durable_position",
        Gauge,
        "The last frame of this run that survives a crash",
        |s| s.store.log.durable_position,
    ),
];

/// Those of the node.
pub(super) const NODE: &[Metric] = &[
    fraction(
        "messina_uptime_seconds",
        Gauge,
        "Seconds since the process started",
        |n| Some(n.uptime_ms as f64 / 1_000.0),
    ),
    node(
        "messina_keyspaces",
        Gauge,
        "Keyspaces, the node's own included",
        |n| n.schema.keyspaces,
    ),
    node(
        "messina_tables",
        Gauge,
        "Tables, the node's own included",
        |n| n.schema.tables,
    ),
    node(
        "messina_schema_version_changes",
        Counter,
        "Times that the schema got another version",
        |n| n.schema.version_changes,
    ),
    node(
        "messina_prepared_statements",
        Gauge,
        "Prepared statements in the cache",
        |n| n.statements.prepared,
    ),
    node(
        "messina_local_store_writes",
        Counter,
        "Batches written to the node's own and the agreed tables",
        |n| n.local_store.writes,
    ),
    node(
        "messina_local_store_log_syncs",
        Counter,
        "Syncs of the log of those tables",
        |n| n.local_store.log.syncs,
    ),
    node(
        "messina_local_store_log_bytes",
        Gauge,
        "Bytes of segments of that log",
        |n| n.local_store.log.disk_bytes,
    ),
    node(
        "messina_local_store_writable",
        Gauge,
        "1 if those tables take writes, 0 if the node needs a restart",
        |n| u64::from(n.local_store.failure.is_none()),
    ),
    node(
        "messina_engine_writable",
        Gauge,
        "1 if the engine works, 0 if it cannot write",
        |n| u64::from(n.storage.engine.health.is_ok()),
    ),
    node(
        "messina_engine_disk_bytes",
        Gauge,
        "Bytes of the engine's files",
        |n| n.storage.engine.disk_bytes,
    ),
    node("messina_engine_files", Gauge, "The engine's files", |n| {
        n.storage.engine.files
    }),
    node(
        "messina_engine_entries",
        Gauge,
        "Entries in them, every version and tombstone counted",
        |n| n.storage.engine.entries,
    ),
    node(
        "messina_engine_runs",
        Gauge,
        "Sorted runs that a look-up may have to visit",
        |n| n.storage.engine.runs,
    ),
    node(
        "messina_engine_cache_bytes",
        Gauge,
        "Bytes in the block cache",
        |n| n.storage.engine.cache_bytes,
    ),
    node(
        "messina_engine_pinned_bytes",
        Gauge,
        "Bytes of filters and indexes outside of the cache",
        |n| n.storage.engine.pinned_bytes,
    ),
    node(
        "messina_engine_pending_discards",
        Gauge,
        "Discarded ranges that may still take space",
        |n| n.storage.engine.pending_discards,
    ),
    node("messina_engine_ingests", Counter, "Ingests finished", |n| {
        n.storage.engine.ingests
    }),
    node(
        "messina_engine_compactions",
        Counter,
        "Compactions done",
        |n| n.storage.engine.compactions,
    ),
    node(
        "messina_engine_compaction_written_bytes",
        Counter,
        "Bytes written by compactions",
        |n| n.storage.engine.compaction_written_bytes,
    ),
    node(
        "messina_merger_jobs",
        Counter,
        "Flushes and imports merged into the engine",
        |n| n.storage.merger.merges,
    ),
    node(
        "messina_merger_rows",
        Counter,
        "Rows merged into the engine",
        |n| n.storage.merger.rows_merged,
    ),
    node(
        "messina_merger_rows_with_older",
        Counter,
        "Rows among them that had an older version",
        |n| n.storage.merger.rows_with_older,
    ),
    node(
        "messina_merger_rows_dropped",
        Counter,
        "Rows of which nothing was left to write",
        |n| n.storage.merger.rows_dropped,
    ),
    node(
        "messina_merger_rows_shadowed",
        Counter,
        "Older rows that a range or partition tombstone removed or trimmed",
        |n| n.storage.merger.rows_shadowed,
    ),
    node(
        "messina_merger_tombstones_purged",
        Counter,
        "Partition and range tombstones purged",
        |n| n.storage.merger.tombstones_purged,
    ),
    node(
        "messina_merger_written_bytes",
        Counter,
        "Bytes of keys and values handed to the engine",
        |n| n.storage.merger.bytes_written,
    ),
    node(
        "messina_merger_skipped_dead",
        Counter,
        "Partitions not flushed because their table is gone",
        |n| n.storage.merger.flush_skipped_dead,
    ),
    node(
        "messina_compaction_steps",
        Counter,
        "Compaction steps",
        |n| n.storage.merger.compactions,
    ),
    node(
        "messina_compaction_failures",
        Counter,
        "Compaction steps that failed and are tried again",
        |n| n.storage.merger.compaction_failures,
    ),
    node(
        "messina_compaction_rows_purged",
        Counter,
        "Rows that compactions purged, whole or in part",
        |n| n.storage.merger.rows_purged_by_compaction,
    ),
    node(
        "messina_compaction_reclaimed_entries",
        Counter,
        "Entries that compactions dropped because their table is gone",
        |n| n.storage.merger.reclaimed_entries,
    ),
    node(
        "messina_replay_frames",
        Counter,
        "Frames of old logs applied at start",
        |n| n.storage.replay.frames,
    ),
    node(
        "messina_replay_bytes",
        Counter,
        "Bytes of those frames",
        |n| n.storage.replay.bytes,
    ),
    node(
        "messina_replay_skipped_dead",
        Counter,
        "Mutations of old logs skipped because their table is gone",
        |n| n.storage.replay.skipped_dead,
    ),
    fraction(
        "process_resident_memory_bytes",
        Gauge,
        "Bytes of memory that are resident",
        |n| n.process.resident_bytes.map(|bytes| bytes as f64),
    ),
    fraction(
        "process_cpu_seconds",
        Counter,
        "Seconds of processor time used",
        |n| n.process.cpu_seconds,
    ),
    fraction("process_threads", Gauge, "Threads", |n| {
        n.process.threads.map(|threads| threads as f64)
    }),
];
