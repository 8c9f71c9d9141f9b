//! How a node is doing: one struct per subsystem, filled by the server, shown by REST, by the status page and as metrics.
//!
//! Counters count since the process started; the rest is true of one moment.
//! Nothing here is computed from anything else here, so that a number has one source.

use serde::Serialize;

/// The whole node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeStatus {
    /// What it is doing as a member of its cluster.
    pub mode: Mode,
    /// Milliseconds since the process started.
    pub uptime_ms: u64,
    /// Every shard, in order of its number.
    pub shards: Vec<ShardStatus>,
    /// The store of the node's own and the agreed tables, which the control thread owns.
    pub local_store: StoreStatus,
    /// What the shards share.
    pub storage: StorageStatus,
    /// The agreed log and what it holds.
    pub schema: SchemaStatus,
    /// Prepared statements, shared by the shards.
    pub statements: StatementStatus,
    /// The process as the operating system sees it.
    pub process: ProcessStatus,
}

/// What a node is doing as a member of its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// It boots: reads its logs, or waits for the agreed log.
    Starting,
    /// It serves.
    Normal,
    /// It is shutting down and finishes what it began.
    Draining,
    /// It has finished, everything is durable, and it serves no more.
    Drained,
}

impl Mode {
    /// The word that tools know.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Normal => "NORMAL",
            Self::Draining => "DRAINING",
            Self::Drained => "DRAINED",
        }
    }

    /// The number that dashboards know.
    #[must_use]
    pub fn number(self) -> u64 {
        match self {
            Self::Starting => 1,
            Self::Normal => 3,
            Self::Draining => 6,
            Self::Drained => 7,
        }
    }
}

/// One shard.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ShardStatus {
    /// Its number, from 0.
    pub shard: u32,
    /// Tablets of user tables that it owns.
    pub tablets: u64,
    /// What drivers ask of it.
    pub requests: RequestStatus,
    /// What it holds.
    pub store: StoreStatus,
}

/// The native protocol on one shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RequestStatus {
    /// Connections open right now.
    pub connections: u64,
    /// Connections accepted.
    pub connections_accepted: u64,
    /// Requests received, of every kind.
    pub requests: u64,
    /// Requests that are being worked on or wait until what they wrote is durable.
    pub serving: u64,
    /// Answers that were errors.
    pub errors: u64,
}

/// One store: the memtables and the commit log of a shard, or of the control thread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StoreStatus {
    /// Batches of writes accepted; a batch is what one statement or one `BATCH` brings to one store.
    pub writes: u64,
    /// Partitions changed by those batches, each counted once a batch.
    pub mutations: u64,
    /// Batches refused: too large, no space, or the log has stopped.
    pub refused: u64,
    /// Batches that were delayed because too much was not in the engine yet.
    pub delayed: u64,
    /// Reads begun.
    pub reads: u64,
    /// Reads of single rows that were answered in one turn of the shard.
    pub reads_at_once: u64,
    /// Rows that reads visited, live or not.
    pub rows_visited: u64,
    /// Bytes of rows that are not in the engine yet, in all memtables.
    pub memtable_bytes: u64,
    /// Memtables that wait for their flush.
    pub sealed_memtables: u64,
    /// Memtables sealed.
    pub seals: u64,
    /// Memtables flushed.
    pub flushes: u64,
    /// Flushes that failed and were tried again.
    pub flush_failures: u64,
    /// Answers that wait for a sync right now.
    pub waiting: u64,
    /// Its commit log.
    pub log: LogStatus,
    /// Why writes are refused until a restart, if they are.
    pub failure: Option<String>,
}

/// One commit log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LogStatus {
    /// Bytes of segments that hold frames.
    pub disk_bytes: u64,
    /// Frames written.
    pub frames: u64,
    /// Bytes of frames written, padding included.
    pub frame_bytes: u64,
    /// Syncs of frames.
    pub syncs: u64,
    /// Answers that had to wait for a sync.
    pub waits: u64,
    /// Segments made new.
    pub segments_made: u64,
    /// Segments used again.
    pub segments_recycled: u64,
    /// Segments removed.
    pub segments_removed: u64,
    /// The last accepted position: frames since the process started.
    pub accepted_position: u64,
    /// Up to where everything survives a crash.
    pub durable_position: u64,
}

/// What the shards share: the engine, its merger, and what the start replayed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StorageStatus {
    /// The engine.
    pub engine: EngineStatus,
    /// Who writes to it.
    pub merger: MergerStatus,
    /// What the start took from the logs of earlier runs.
    pub replay: ReplayStatus,
}

/// The engine's database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EngineStatus {
    /// Whether it works.
    pub health: EngineHealth,
    /// Bytes on disk of live files.
    pub disk_bytes: u64,
    /// Live files.
    pub files: u64,
    /// Entries stored, every version and tombstone counted.
    pub entries: u64,
    /// Sorted runs that a look-up may have to visit; ingests add, compactions remove.
    pub runs: u64,
    /// Bytes in the block cache.
    pub cache_bytes: u64,
    /// Bytes of filters and indexes held outside of the cache.
    pub pinned_bytes: u64,
    /// Discarded ranges of which something may still be on disk.
    pub pending_discards: u64,
    /// Ingests finished.
    pub ingests: u64,
    /// Compactions done.
    pub compactions: u64,
    /// Bytes written by compactions.
    pub compaction_written_bytes: u64,
}

/// Whether an engine works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum EngineHealth {
    /// Reads and writes work.
    #[default]
    Ok,
    /// The last write failed; reads work, and the next write that succeeds mends it.
    ReadOnly {
        /// What failed.
        reason: String,
    },
    /// Nothing works until a restart.
    Failed {
        /// What failed.
        reason: String,
    },
}

impl EngineHealth {
    /// Whether writes reach the engine.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Ok)
    }
}

/// What flushes and compactions did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MergerStatus {
    /// Merges finished: flushes and imports.
    pub merges: u64,
    /// Rows merged into the engine.
    pub rows_merged: u64,
    /// Rows among them of which the engine had an older version.
    pub rows_with_older: u64,
    /// Rows that were not written because nothing was left of them.
    pub rows_dropped: u64,
    /// Older rows that a new range or partition tombstone removed or trimmed.
    pub rows_shadowed: u64,
    /// Partition and range tombstones purged.
    pub tombstones_purged: u64,
    /// Bytes of keys and values handed to the engine.
    pub bytes_written: u64,
    /// Partitions that were not flushed because their space is dead.
    pub flush_skipped_dead: u64,
    /// Entries that compactions dropped because their space is dead.
    pub reclaimed_entries: u64,
    /// Rows that compactions purged, whole or in part.
    pub rows_purged_by_compaction: u64,
    /// Compaction steps.
    pub compactions: u64,
    /// Compaction steps that failed and are tried again.
    pub compaction_failures: u64,
}

/// What the start took from the logs of earlier runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReplayStatus {
    /// Frames applied again.
    pub frames: u64,
    /// Bytes of those frames.
    pub bytes: u64,
    /// Mutations that were skipped because their space is dead.
    pub skipped_dead: u64,
}

/// The agreed log and the schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SchemaStatus {
    /// Whether schema changes are possible.
    pub group0: Group0State,
    /// Keyspaces, the node's own included.
    pub keyspaces: u64,
    /// Tables, the node's own included.
    pub tables: u64,
    /// Times that the schema got another version.
    pub version_changes: u64,
}

/// Whether the agreed log takes changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group0State {
    /// The node boots.
    #[default]
    Starting,
    /// It takes changes.
    Normal,
    /// It failed or was stopped; changes are refused until a restart.
    Stopped,
}

impl Group0State {
    /// The number that dashboards know.
    #[must_use]
    pub fn number(self) -> u64 {
        match self {
            Self::Starting => 0,
            Self::Normal => 1,
            Self::Stopped => 2,
        }
    }
}

/// Prepared statements of the node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StatementStatus {
    /// Statements in the cache.
    pub prepared: u64,
}

/// The process; what the operating system does not tell is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ProcessStatus {
    /// Bytes of memory that are resident.
    pub resident_bytes: Option<u64>,
    /// Seconds of processor time used, by user code and the kernel for it.
    pub cpu_seconds: Option<f64>,
    /// Threads.
    pub threads: Option<u64>,
}
