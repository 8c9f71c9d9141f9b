//! The engine: a tree, the view that is read, and the locks between writers.
//!
//! Locks, in the order in which they are taken:
//! `upkeep` (compaction, discards, checkpoint) → `slot` (is an ingest alive?) → `install` (an ingest becomes part of the
//! tree) → `publishing` (the view follows the tree). Readers take none of them, only `published` for a moment.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use backend::{
    Bytes, Direction, Engine, Error, Goal, Health, Ingest, Progress, Reclaimed, Scan, Snapshot,
    Stats, VerifyReport,
};
use lsm_tree::{AbstractTree, AnyTree, Cache, SeqNo};

use crate::compact::Shape;
use crate::directory::Directory;
use crate::discards::{Discards, KeyRange};
use crate::fault::FaultSwitch;
use crate::ingest::FjallIngest;
use crate::manifest;
use crate::scan::ViewScan;
use crate::verify;
use crate::view::{View, table_bytes};

/// Versions below it may go: all but the newest, because views keep the tables that they read.
pub(crate) const EVERY_OLD_VERSION: SeqNo = SeqNo::MAX;

/// From this many runs on, an ingest does a compaction step first; the manifest has room for 255.
const MOST_RUNS: usize = 64;

/// A tree and the folder it lives in; the folder is free when both are gone.
pub(crate) struct Open {
    pub(crate) tree: AnyTree,
    pub(crate) directory: Arc<Directory>,
}

/// What an engine and its ingest share.
pub(crate) struct Shared {
    /// `None` once closed.
    open: RwLock<Option<Arc<Open>>>,
    published: RwLock<Option<Arc<View>>>,
    /// Views that were replaced and may still be read; dropped by writers, because that deletes files.
    retired: Mutex<Vec<Arc<View>>>,
    pub(crate) upkeep: Mutex<()>,
    /// Whether an ingest is alive.
    slot: Mutex<bool>,
    install: Mutex<()>,
    publishing: Mutex<()>,
    cache: Arc<Cache>,
    pub(crate) discards: Discards,
    pub(crate) shape: Shape,
    pub(crate) faults: Arc<FaultSwitch>,
    /// An install failed; the manifest on disk may be ahead of the tree.
    suspicious: AtomicBool,
    /// Files of something that failed or was aborted may lie around.
    littered: AtomicBool,
    trouble: Mutex<Option<String>>,
    ingests: AtomicU64,
    pub(crate) compactions: AtomicU64,
    pub(crate) compaction_written_bytes: AtomicU64,
}

/// fjall's engine behind the storage trait.
pub struct FjallEngine {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn open(&self) -> Result<Arc<Open>, Error> {
        self.open
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or(Error::Closed)
    }

    pub(crate) fn view(&self) -> Result<Arc<View>, Error> {
        self.published
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or(Error::Closed)
    }

    /// Makes the newest version of the tree the one that is read.
    pub(crate) fn publish(&self, open: &Open) {
        let _publishing = lock(&self.publishing);
        let view = Arc::new(View::of(&open.tree, open.directory.clone()));
        let old = self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(view);
        lock(&self.retired).extend(old);
        // Lets the tree forget older versions and their manifests. What fails here is tried again by the next one.
        let mut versions = open.tree.get_version_history_lock();
        if versions
            .maintenance(&open.directory.path, EVERY_OLD_VERSION)
            .is_err()
        {
            self.littered.store(true, Ordering::Release);
        }
        drop(versions);
        self.drop_retired();
    }

    /// Drops the replaced views that nobody reads any more, and with them the files of deleted tables.
    pub(crate) fn drop_retired(&self) {
        let mut retired = lock(&self.retired);
        let (unread, read) = retired
            .drain(..)
            .partition(|view| Arc::strong_count(view) == 1);
        *retired = read;
        drop(retired);
        let unread: Vec<Arc<View>> = unread;
        drop(unread);
    }

    /// Remembers for [`Engine::health`] how a write went; mistakes of the caller are no trouble.
    pub(crate) fn note<T>(&self, result: &Result<T, Error>) {
        let trouble = match result {
            Ok(_) => None,
            Err(error @ (Error::Io { .. } | Error::Corrupt { .. })) => Some(error.to_string()),
            Err(_) => return,
        };
        *lock(&self.trouble) = trouble;
    }

    /// Takes the place of the one ingest.
    fn begin_ingest(&self) -> Result<(), Error> {
        let mut slot = lock(&self.slot);
        if *slot {
            return Err(Error::IngestInProgress);
        }
        *slot = true;
        Ok(())
    }

    /// Gives that place back; files of an ingest that was not finished go first.
    pub(crate) fn end_ingest(&self, open: &Open) {
        let upkeep = self.upkeep.try_lock();
        let mut slot = lock(&self.slot);
        *slot = false;
        if upkeep.is_ok() {
            self.clean(open, *slot);
        }
    }

    /// Runs an install of an ingest; the caller holds the slot.
    pub(crate) fn install(
        &self,
        open: &Open,
        install: impl FnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let _mended = self
            .suspicious
            .load(Ordering::Acquire)
            .then(|| lock(&self.upkeep));
        self.mend(open)?;
        let installing = lock(&self.install);
        let installed = install();
        drop(installing);
        match &installed {
            Ok(()) => {
                self.ingests.fetch_add(1, Ordering::Relaxed);
                self.publish(open);
            }
            Err(_) => self.failed(),
        }
        installed
    }

    /// After an error of the tree: the manifest is to be checked and the folder to be cleaned.
    pub(crate) fn failed(&self) {
        self.suspicious.store(true, Ordering::Release);
        self.littered.store(true, Ordering::Release);
    }

    /// After an ingest that left files behind.
    pub(crate) fn litter(&self) {
        self.littered.store(true, Ordering::Release);
    }

    /// Puts the manifest back if a failed install left it ahead. Nothing may be installed meanwhile.
    fn mend(&self, open: &Open) -> Result<(), Error> {
        if self.suspicious.load(Ordering::Acquire) {
            manifest::mend(&open.directory.path, open.tree.current_version().id())?;
            self.suspicious.store(false, Ordering::Release);
        }
        Ok(())
    }

    /// Mends and cleans before a compaction; the caller holds `upkeep`.
    ///
    /// # Errors
    /// When the manifest cannot be put back, or not yet because an ingest is alive.
    pub(crate) fn tidy_up(&self, open: &Open) -> Result<(), Error> {
        let slot = lock(&self.slot);
        if *slot && self.suspicious.load(Ordering::Acquire) {
            return Err(Error::IngestInProgress);
        }
        self.mend(open)?;
        self.clean(open, *slot);
        Ok(())
    }

    /// Removes the files of what failed or was aborted. The caller holds `upkeep` and the slot.
    #[expect(
        clippy::disallowed_methods,
        reason = "an engine owns the files of its folder"
    )]
    fn clean(&self, open: &Open, ingesting: bool) {
        if ingesting
            || self.suspicious.load(Ordering::Acquire)
            || !self.littered.load(Ordering::Acquire)
        {
            return;
        }
        let _publishing = lock(&self.publishing);
        let mut alive: Vec<u64> = open
            .tree
            .current_version()
            .iter_tables()
            .map(lsm_tree::Table::id)
            .collect();
        for view in lock(&self.retired).iter() {
            alive.extend(view.tables().map(lsm_tree::Table::id));
        }
        let Ok(files) = open.directory.table_files() else {
            return;
        };
        let dead = files.iter().filter(|(number, _)| !alive.contains(number));
        let removed = dead
            .map(|(_, path)| std::fs::remove_file(path))
            .all(|removed| removed.is_ok());
        self.littered.store(!removed, Ordering::Release);
    }

    /// Keeps ingests from being installed while the guard lives.
    pub(crate) fn hold_installs(&self) -> MutexGuard<'_, ()> {
        lock(&self.install)
    }

    pub(crate) fn retired_count(&self) -> usize {
        lock(&self.retired).len()
    }
}

impl FjallEngine {
    pub(crate) fn new(
        open: Open,
        cache: Arc<Cache>,
        discards: Discards,
        shape: Shape,
        faults: Arc<FaultSwitch>,
    ) -> Self {
        let view = Arc::new(View::of(&open.tree, open.directory.clone()));
        let shared = Shared {
            open: RwLock::new(Some(Arc::new(open))),
            published: RwLock::new(Some(view)),
            retired: Mutex::default(),
            upkeep: Mutex::default(),
            slot: Mutex::default(),
            install: Mutex::default(),
            publishing: Mutex::default(),
            cache,
            discards,
            shape,
            faults,
            suspicious: AtomicBool::new(false),
            littered: AtomicBool::new(false),
            trouble: Mutex::default(),
            ingests: AtomicU64::new(0),
            compactions: AtomicU64::new(0),
            compaction_written_bytes: AtomicU64::new(0),
        };
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
        if self.shared.view()?.runs().len() >= MOST_RUNS {
            self.compact(Goal::Due)?;
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
        match &*lock(&self.shared.trouble) {
            None => Health::Ok,
            Some(reason) => Health::ReadOnly {
                reason: reason.clone(),
            },
        }
    }

    fn close(&self) -> Result<(), Error> {
        let _upkeep = lock(&self.shared.upkeep);
        if *lock(&self.shared.slot) {
            return Err(Error::IngestInProgress);
        }
        let view = self
            .shared
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(view);
        lock(&self.shared.retired).clear();
        self.shared
            .open
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        Ok(())
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

pub(crate) fn bytes_of<'table>(tables: impl Iterator<Item = &'table lsm_tree::Table>) -> u64 {
    tables.map(table_bytes).sum()
}
