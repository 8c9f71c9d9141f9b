//! The engine: one directory of a simulated disk behind the storage trait.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use backend::{
    Bytes, Engine, Error, GcHooks, Goal, Health, Ingest, Progress, Reclaimed, Snapshot, Stats,
    VerifyReport,
};

use crate::compact::{self, DUE_RUNS, MOST_RUNS};
use crate::disk::{Lease, MemoryDisk, Occupant, Operation};
use crate::ingest::MemoryIngest;
use crate::run::{Range, Version};
use crate::snapshot::MemorySnapshot;

/// An engine on a [`MemoryDisk`].
pub struct MemoryEngine {
    shared: Arc<Shared>,
    hooks: Arc<dyn GcHooks>,
    discards: Mutex<Vec<Range>>,
    /// One compaction at a time.
    compacting: Mutex<()>,
    compactions: AtomicU64,
    compaction_written_bytes: AtomicU64,
}

/// What an engine and its ingest share.
pub(crate) struct Shared {
    pub(crate) disk: MemoryDisk,
    pub(crate) lease: Arc<Lease>,
    /// Taken away when the engine closes.
    occupant: Mutex<Option<Arc<Occupant>>>,
    pub(crate) ingesting: AtomicBool,
    pub(crate) ingests: AtomicU64,
    /// Why the last write failed, if it did.
    trouble: Mutex<Option<String>>,
}

impl Shared {
    pub(crate) fn open(&self) -> Result<(), Error> {
        self.occupant().map(drop).ok_or(Error::Closed)
    }

    fn occupant(&self) -> Option<Arc<Occupant>> {
        self.occupant
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Remembers for [`Engine::health`] how a write went; mistakes of the caller are no trouble.
    pub(crate) fn note<T>(&self, result: &Result<T, Error>) {
        let trouble = match result {
            Ok(_) => None,
            Err(error @ (Error::Io { .. } | Error::Corrupt { .. })) => Some(error.to_string()),
            Err(_) => return,
        };
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

impl MemoryEngine {
    pub(crate) fn new(
        disk: MemoryDisk,
        lease: Lease,
        occupant: Arc<Occupant>,
        hooks: Arc<dyn GcHooks>,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                disk,
                lease: Arc::new(lease),
                occupant: Mutex::new(Some(occupant)),
                ingesting: AtomicBool::new(false),
                ingests: AtomicU64::new(0),
                trouble: Mutex::new(None),
            }),
            hooks,
            discards: Mutex::new(Vec::new()),
            compacting: Mutex::new(()),
            compactions: AtomicU64::new(0),
            compaction_written_bytes: AtomicU64::new(0),
        }
    }

    fn version(&self) -> Result<Arc<Version>, Error> {
        self.shared.open()?;
        self.shared.disk.version(&self.shared.lease)
    }

    /// Merges and installs; the discards that it carried out are forgotten.
    fn rewrite(&self, version: &Arc<Version>, discards: &[Range]) -> Result<Progress, Error> {
        let mut gc = self.hooks.run(true);
        let merged = compact::merge(version, discards, &mut *gc)?;
        let written_bytes = merged.bytes();
        self.shared.disk.install(
            &self.shared.lease,
            Operation::Compact,
            written_bytes,
            |current| compact::replace(current, version, merged),
        )?;
        let mut pending = self.discards.lock().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|range| !discards.contains(range));
        self.compactions.fetch_add(1, Ordering::Relaxed);
        self.compaction_written_bytes
            .fetch_add(written_bytes, Ordering::Relaxed);
        Ok(Progress::Worked {
            read_bytes: version.bytes(),
            written_bytes,
        })
    }
}

impl Engine for MemoryEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        let version = self.version()?;
        self.shared
            .disk
            .operate(&self.shared.lease, Operation::Read)?;
        version.get(key)
    }

    fn snapshot(&self) -> Box<dyn Snapshot> {
        let occupant = self.shared.occupant();
        let version = occupant.and_then(|occupant| Some((self.version().ok()?, occupant)));
        Box::new(MemorySnapshot {
            disk: self.shared.disk.clone(),
            lease: self.shared.lease.clone(),
            version,
        })
    }

    fn ingest(&self) -> Result<Box<dyn Ingest>, Error> {
        if self.version()?.runs.len() >= MOST_RUNS {
            self.compact(Goal::Due)?;
        }
        if self.shared.ingesting.swap(true, Ordering::AcqRel) {
            return Err(Error::IngestInProgress);
        }
        Ok(Box::new(MemoryIngest::new(self.shared.clone())))
    }

    fn discard_range(&self, start: &[u8], end: Option<&[u8]>) -> Result<Reclaimed, Error> {
        let version = self.version()?;
        let end = end.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let range = Range::new(std::ops::Bound::Included(start), end);
        let mut discards = self.discards.lock().unwrap_or_else(PoisonError::into_inner);
        if version.runs.iter().any(|run| run.holds(&range)) && !discards.contains(&range) {
            discards.push(range);
        }
        Ok(Reclaimed::default())
    }

    fn compact(&self, goal: Goal) -> Result<Progress, Error> {
        let _one = self
            .compacting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let version = self.version()?;
        let discards = self
            .discards
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let due = match goal {
            Goal::Due => version.runs.len() >= DUE_RUNS || !discards.is_empty(),
            Goal::Everything => !version.runs.is_empty(),
        };
        if !due {
            return Ok(Progress::Idle);
        }
        let progress = self.rewrite(&version, &discards);
        self.shared.note(&progress);
        progress
    }

    fn checkpoint(&self, directory: &Path) -> Result<(), Error> {
        let version = self.version()?;
        self.shared
            .disk
            .create(&self.shared.lease, directory, version)
    }

    fn verify(&self, cancel: &AtomicBool) -> Result<VerifyReport, Error> {
        let version = self.version()?;
        let mut report = VerifyReport {
            complete: true,
            ..VerifyReport::default()
        };
        for (number, run) in version.runs.iter().enumerate() {
            for (key, cell) in run.iter() {
                if cancel.load(Ordering::Relaxed) {
                    report.complete = false;
                    return Ok(report);
                }
                report.bytes += cell.stored_bytes(key);
                match cell.check(key) {
                    Ok(_) => report.entries += 1,
                    Err(error) => report.damage.push(format!("run {number}: {error}")),
                }
            }
        }
        Ok(report)
    }

    fn stats(&self) -> Stats {
        let version = self.version().unwrap_or_default();
        let pending = self
            .discards
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len();
        Stats {
            disk_bytes: version.bytes(),
            files: version.runs.len() as u64,
            entries: version.entries(),
            runs: version.runs.len() as u64,
            runs_limit: Some(MOST_RUNS as u64),
            cache_bytes: 0,
            pinned_bytes: 0,
            pending_discards: pending as u64,
            ingests: self.shared.ingests.load(Ordering::Relaxed),
            compactions: self.compactions.load(Ordering::Relaxed),
            compaction_written_bytes: self.compaction_written_bytes.load(Ordering::Relaxed),
        }
    }

    fn health(&self) -> Health {
        if self.version().is_err() {
            return Health::Failed {
                reason: "the engine is closed or its machine crashed".to_owned(),
            };
        }
        match &*self
            .shared
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
        {
            None => Health::Ok,
            Some(reason) => Health::ReadOnly {
                reason: reason.clone(),
            },
        }
    }

    fn close(&self) -> Result<(), Error> {
        if self.shared.ingesting.load(Ordering::Acquire) {
            return Err(Error::IngestInProgress);
        }
        *self
            .shared
            .occupant
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }
}
