//! The traits of an open engine: writing, reading and upkeep.
//!
//! Every method may be called from any thread at any time (C17) and may block for the disk.
//! The clause numbers refer to [`contract`](crate::contract).

use std::ops::Bound;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;

use crate::error::Error;

/// A key and its value.
pub type Entry = (Bytes, Bytes);

/// An open engine: one ordered map from bytes to bytes.
///
/// A value that an engine hands out shares the engine's block: cloning costs a reference count, and holding a small
/// value holds its whole block (some KiB), so long-lived holders copy what they keep.
pub trait Engine: Send + Sync {
    /// The newest value of `key`, or `None`.
    ///
    /// The same as `snapshot().get(key)`, but cheaper.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the bytes on disk are damaged, [`Error::Io`], [`Error::Closed`].
    /// A key that is too long or empty is never there: `None`.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error>;

    /// The map as it is now, unchanged for as long as the snapshot lives (C5).
    ///
    /// Cheap (a few reference counts); does not touch the disk and does not wait for an install (C16).
    /// It pins the files it reads, so drop it early.
    fn snapshot(&self) -> Box<dyn Snapshot>;

    /// Begins the only write there is: a sorted batch, installed whole by [`Ingest::finish`].
    ///
    /// An engine may do a compaction step first when the caller let too many runs pile up; see [`Stats::runs_limit`].
    ///
    /// # Errors
    /// [`Error::IngestInProgress`] while another ingest lives (C13), [`Error::Io`], [`Error::Closed`].
    fn ingest(&self) -> Result<Box<dyn Ingest>, Error>;

    /// Declares that nobody will ever read or write a key in `start..end` again (C23).
    ///
    /// `end: None` means to the end of the map.
    /// Whole files go at once; [`compact`](Self::compact) rewrites the rest until none of it is left.
    /// Idempotent, and not remembered across a reopen: the caller, who remembers its dead ranges, says it again.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Closed`]; the range may be partly gone then, and calling again is right.
    fn discard_range(&self, start: &[u8], end: Option<&[u8]>) -> Result<Reclaimed, Error>;

    /// Does one step of upkeep on the caller's thread and says whether more is due.
    ///
    /// Call until [`Progress::Idle`] after ingests and discards; concurrent calls wait for each other.
    /// A step of [`Goal::Due`] is bounded by a few files, one of [`Goal::Everything`] by the size of the map.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Corrupt`]: nothing was changed, reads go on, and a later call tries again (C15).
    /// [`Error::IngestInProgress`]: after a failed install the engine must mend something first, and cannot while an
    /// ingest lives; try again later.
    fn compact(&self, goal: Goal) -> Result<Progress, Error>;

    /// Makes `directory`, which must not exist or be empty, a database of its own with the content of this moment (C24).
    ///
    /// # Errors
    /// [`Error::NotEmpty`] when something is there already, [`Error::Io`].
    /// After an error the directory may hold part of a copy; remove it.
    fn checkpoint(&self, directory: &Path) -> Result<(), Error>;

    /// Reads everything that is stored and checks it (C25); stops early when `cancel` becomes true.
    ///
    /// # Errors
    /// [`Error::Io`] when a file cannot be read at all; damage is not an error but a finding of the report.
    fn verify(&self, cancel: &AtomicBool) -> Result<VerifyReport, Error>;

    /// Counters and sizes, cheap enough for every second.
    fn stats(&self) -> Stats;

    /// Whether the engine takes writes, and if not, why (C29).
    fn health(&self) -> Health;

    /// Ends the engine; afterwards every call answers [`Error::Closed`] (C28).
    ///
    /// Idempotent.
    /// Snapshots and scans that live stay readable; the directory can be opened again when they are gone.
    ///
    /// # Errors
    /// [`Error::IngestInProgress`] while an ingest lives.
    fn close(&self) -> Result<(), Error>;
}

/// The map at one moment.
pub trait Snapshot: Send + Sync {
    /// The value of `key` at the snapshot's moment.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error>;

    /// Appends the value of each key to `out`, in the order of `keys` (C7).
    ///
    /// Ascending keys are read neighbour by neighbour; any other order is right too, but slower.
    ///
    /// # Errors
    /// As [`get`](Self::get); `out` then holds the answers before the failed one.
    fn multi_get(&self, keys: &[&[u8]], out: &mut Vec<Option<Bytes>>) -> Result<(), Error>;

    /// Begins to read the keys between the bounds, in the given direction (C2, C3).
    ///
    /// Reads lazily, owns what it needs and may outlive the snapshot (C6).
    /// Bounds that cross each other are an empty range.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`].
    fn scan(
        &self,
        start: Bound<&[u8]>,
        end: Bound<&[u8]>,
        direction: Direction,
    ) -> Result<Box<dyn Scan>, Error>;
}

/// A scan under way.
pub trait Scan: Send {
    /// The next entry, or `None` at the end and ever after.
    ///
    /// # Errors
    /// [`Error::Corrupt`], [`Error::Io`]; the scan has ended then and answers `None`.
    fn next(&mut self) -> Result<Option<Entry>, Error>;
}

/// Which end of a range a scan begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Ascending keys.
    Forward,
    /// Descending keys.
    Reverse,
}

/// A sorted batch on its way in: keys strictly ascending, nothing visible before [`finish`](Self::finish).
///
/// Dropping it is [`abort`](Self::abort).
/// It stays on the thread that began it, because the writers of some engines cannot move.
pub trait Ingest {
    /// Adds a value; it replaces the older one whole.
    ///
    /// # Errors
    /// [`Error::OutOfOrder`], [`Error::KeyLength`], [`Error::ValueLength`], [`Error::Io`]; any of them fails the ingest,
    /// which answers [`Error::IngestFailed`] from then on (C8).
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error>;

    /// Removes a key; it need not exist.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    fn delete(&mut self, key: &[u8]) -> Result<(), Error>;

    /// Installs the batch: atomic, durable and visible when it returns (C9, C10).
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::IngestFailed`]: nothing of the batch is visible in this process, but after a reopen it
    /// may be there, whole (C11). Ingesting the same batch again is right in both cases.
    fn finish(self: Box<Self>) -> Result<Ingested, Error>;

    /// Forgets the batch (C12).
    fn abort(self: Box<Self>);
}

/// What an ingest brought in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// Values put.
    pub puts: u64,
    /// Keys deleted.
    pub deletes: u64,
    /// Bytes of keys and values.
    pub bytes: u64,
}

/// What a discard gave back at once; the rest comes back by compaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reclaimed {
    /// Bytes on disk that are free now, or when the last snapshot that reads them is dropped.
    pub bytes: u64,
}

/// How much a call of [`Engine::compact`] is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// One step of what is due: levels out of shape, discarded ranges.
    Due,
    /// Rewrite everything once, so that the hooks see every key on the last level (C22).
    Everything,
}

/// What a call of [`Engine::compact`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing was due.
    Idle,
    /// A step was done; more may be due.
    Worked {
        /// Bytes of files that the step replaced.
        read_bytes: u64,
        /// Bytes of files that it wrote.
        written_bytes: u64,
    },
}

/// What [`Engine::verify`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Entries that were read and are good.
    pub entries: u64,
    /// Bytes on disk that were checked.
    pub bytes: u64,
    /// A line for each damaged place: which file, which keys, what is wrong.
    pub damage: Vec<String>,
    /// False when `cancel` ended it early.
    pub complete: bool,
}

/// Sizes and counters of an engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes on disk of live files.
    pub disk_bytes: u64,
    /// Live files.
    pub files: u64,
    /// Entries stored, counting every version and tombstone.
    pub entries: u64,
    /// Sorted runs that a point lookup may have to visit; grows with ingests, shrinks with compactions.
    pub runs: u64,
    /// The runs from which on [`Engine::ingest`] does a compaction step first, if there is such a number.
    /// It is far above what is left when no compaction is due, so that callers can slow down before they are stopped.
    pub runs_limit: Option<u64>,
    /// Bytes held by the block cache; at most [`OpenOptions::cache_bytes`](crate::OpenOptions::cache_bytes).
    pub cache_bytes: u64,
    /// Bytes of filters and indexes held outside the cache.
    pub pinned_bytes: u64,
    /// Discarded ranges of which something may still be on disk (C23).
    pub pending_discards: u64,
    /// Ingests finished since open.
    pub ingests: u64,
    /// Compaction steps done since open.
    pub compactions: u64,
    /// Bytes written by compactions since open.
    pub compaction_written_bytes: u64,
}

/// Whether an engine works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Reads and writes work.
    Ok,
    /// The last write or compaction failed; reads work, and the next write that succeeds makes it `Ok` again.
    ReadOnly {
        /// What failed, for the log and the operator.
        reason: String,
    },
    /// The engine is closed or cannot go on; reopen it.
    Failed {
        /// What failed, for the log and the operator.
        reason: String,
    },
}
