//! The engine: the storage trait over what [`shared`](crate::shared) keeps.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use backend::{
    Bytes, Direction, Engine, Error, Goal, Health, Ingest, Progress, Reclaimed, Scan, Snapshot,
    Stats, VerifyReport,
};
use lsm_tree::AbstractTree;

use crate::discards::KeyRange;
use crate::ingest::FjallIngest;
use crate::scan::ViewScan;
use crate::shared::{Shared, lock};
use crate::verify;
use crate::view::View;

/// From this many runs on, an ingest does a compaction step first; the manifest has room for 255.
const MOST_RUNS: usize = 64;

/// fjall's engine behind the storage trait.
pub struct FjallEngine {
    pub(crate) shared: Arc<Shared>,
}

impl FjallEngine {
    pub(crate) fn new(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Calls `body` while the lock is held that the tree holds over the syncs of an install.
    ///
    /// For the conformance check of C16.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn while_install_held(&self, body: &mut dyn FnMut()) -> Result<(), Error> {
        let open = self.shared.open()?;
        let _held = open.tree.get_version_history_lock();
        body();
        Ok(())
    }

    fn has_too_many_runs(&self) -> Result<bool, Error> {
        Ok(self.shared.view()?.runs().len() >= MOST_RUNS)
    }

    /// Replaced views that are still read, or were when a writer looked last.
    #[must_use]
    pub fn retired_views(&self) -> usize {
        self.shared.retired_count()
    }
}

impl Engine for FjallEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        self.shared.view()?.get(key)
    }

    fn snapshot(&self) -> Box<dyn Snapshot> {
        Box::new(FjallSnapshot(self.shared.view().ok()))
    }

    fn ingest(&self) -> Result<Box<dyn Ingest>, Error> {
        let open = self.shared.open()?;
        if self.has_too_many_runs()? {
            // The step under way may do.
            drop(lock(&self.shared.upkeep));
            if self.has_too_many_runs()? {
                self.compact(Goal::Due)?;
            }
        }
        self.shared.begin_ingest()?;
        Ok(Box::new(FjallIngest::new(self.shared.clone(), open)))
    }

    fn discard_range(&self, start: &[u8], end: Option<&[u8]>) -> Result<Reclaimed, Error> {
        self.shared.open()?;
        self.shared.discards.add(KeyRange::new(start, end));
        // A compaction under way does the rest when it is done.
        match self.shared.upkeep.try_lock() {
            Ok(_upkeep) => self.drop_discarded(),
            Err(_) => Ok(Reclaimed::default()),
        }
    }

    fn compact(&self, goal: Goal) -> Result<Progress, Error> {
        let progress = self.compact_step(goal);
        self.shared.note(&progress);
        progress
    }

    fn checkpoint(&self, directory: &Path) -> Result<(), Error> {
        self.checkpoint_into(directory)
    }

    fn verify(&self, cancel: &AtomicBool) -> Result<VerifyReport, Error> {
        let directory = self.shared.open()?.directory.clone();
        verify::verify(&directory, &*self.shared.view()?, cancel)
    }

    fn stats(&self) -> Stats {
        let Ok(view) = self.shared.view() else {
            return Stats::default();
        };
        let pinned = |table: &lsm_tree::Table| {
            (table.pinned_filter_size() + table.pinned_block_index_size()) as u64
        };
        Stats {
            disk_bytes: view.bytes(),
            files: view.tables().count() as u64,
            entries: view.tables().map(|table| table.metadata.item_count).sum(),
            runs: view.runs().len() as u64,
            runs_limit: Some(MOST_RUNS as u64),
            cache_bytes: self.shared.cache.size(),
            pinned_bytes: view.tables().map(pinned).sum(),
            pending_discards: self.shared.discards.len(),
            ingests: self.shared.ingests.load(Ordering::Relaxed),
            compactions: self.shared.compactions.load(Ordering::Relaxed),
            compaction_written_bytes: self.shared.compaction_written_bytes.load(Ordering::Relaxed),
        }
    }

    fn health(&self) -> Health {
        if self.shared.view().is_err() {
            return Health::Failed {
                reason: "the engine is closed".to_owned(),
            };
        }
        match self.shared.trouble() {
            None => Health::Ok,
            Some(reason) => Health::ReadOnly { reason },
        }
    }

    fn close(&self) -> Result<(), Error> {
        self.shared.close()
    }
}

/// A view that somebody reads; `None` when the engine was closed already.
struct FjallSnapshot(Option<Arc<View>>);

impl FjallSnapshot {
    fn view(&self) -> Result<&Arc<View>, Error> {
        self.0.as_ref().ok_or(Error::Closed)
    }
}

impl Snapshot for FjallSnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        self.view()?.get(key)
    }

    fn multi_get(&self, keys: &[&[u8]], out: &mut Vec<Option<Bytes>>) -> Result<(), Error> {
        let view = self.view()?;
        out.reserve(keys.len());
        for key in keys {
            out.push(view.get(key)?);
        }
        Ok(())
    }

    fn scan(
        &self,
        start: std::ops::Bound<&[u8]>,
        end: std::ops::Bound<&[u8]>,
        direction: Direction,
    ) -> Result<Box<dyn Scan>, Error> {
        Ok(Box::new(ViewScan::new(
            self.view()?.clone(),
            start,
            end,
            direction,
        )?))
    }
}
