//! What an engine and its ingest share: the tree, the view that is read, and the locks between writers.
//!
//! Locks, in the order in which they are taken:
//! `upkeep` (compaction, discards, checkpoint) → `slot` (is an ingest alive?) → `install` (an ingest becomes part of the
//! tree) → `publishing` (the view follows the tree). Readers take none of them, only `published` for a moment.
//!
//! After an error of the tree, the manifest is mended and what was half written is removed, both by the next writer that
//! holds `upkeep` and knows that no ingest is alive: only then can nothing be installed meanwhile.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use backend::Error;
use lsm_tree::{AbstractTree, AnyTree, Cache, SeqNo};

use crate::compact::Shape;
use crate::directory::Directory;
use crate::discards::Discards;
use crate::fault::FaultSwitch;
use crate::manifest;
use crate::view::View;

/// Versions below it may go: all but the newest, because views keep the tables that they read.
pub(crate) const EVERY_OLD_VERSION: SeqNo = SeqNo::MAX;

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
    pub(crate) cache: Arc<Cache>,
    pub(crate) discards: Discards,
    pub(crate) shape: Shape,
    pub(crate) faults: Arc<FaultSwitch>,
    /// An install failed; the manifest on disk may be ahead of the tree.
    suspicious: AtomicBool,
    /// Files of something that failed or was aborted may lie around.
    littered: AtomicBool,
    trouble: Mutex<Option<String>>,
    pub(crate) ingests: AtomicU64,
    pub(crate) compactions: AtomicU64,
    pub(crate) compaction_written_bytes: AtomicU64,
}

pub(crate) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(crate) fn new(
        open: Open,
        cache: Arc<Cache>,
        discards: Discards,
        shape: Shape,
        faults: Arc<FaultSwitch>,
    ) -> Self {
        let view = Arc::new(View::of(&open.tree, open.directory.clone()));
        Self {
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
        }
    }

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
    pub(crate) fn begin_ingest(&self) -> Result<(), Error> {
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

    /// Why the last write failed, if it did.
    pub(crate) fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    /// Lets go of the tree and the view; the folder is free when the last reader is gone.
    pub(crate) fn close(&self) -> Result<(), Error> {
        let _upkeep = lock(&self.upkeep);
        if *lock(&self.slot) {
            return Err(Error::IngestInProgress);
        }
        let view = self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(view);
        lock(&self.retired).clear();
        self.open
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use backend::{Engine, KeepAll, OpenOptions};

    use crate::FjallFactory;
    use crate::directory::CURRENT_FILE;
    use crate::manifest::{Current, version_file};

    /// An install that failed after it had replaced `current`: the file names a manifest that the tree does not know.
    #[test]
    fn a_manifest_that_a_failed_install_left_ahead_is_mended_before_the_next() {
        let folder = tempfile::TempDir::new().unwrap();
        let options = OpenOptions::new(folder.path());
        let put = |engine: &dyn Engine, key: &[u8]| {
            let mut ingest = engine.ingest().unwrap();
            ingest.put(key, b"value").unwrap();
            ingest.finish().unwrap();
        };
        for step in ["ingest", "compaction"] {
            let engine = FjallFactory::default()
                .open_engine(&options, std::sync::Arc::new(KeepAll))
                .unwrap();
            put(&*engine, b"before");
            let version = super::manifest::read(folder.path())
                .unwrap()
                .unwrap()
                .version;
            std::fs::copy(
                version_file(folder.path(), version),
                version_file(folder.path(), version + 1),
            )
            .unwrap();
            let ahead = Current::of(folder.path(), version + 1).unwrap().to_bytes();
            let ahead_file = folder.path().join("ahead");
            std::io::Write::write_all(&mut std::fs::File::create(&ahead_file).unwrap(), &ahead)
                .unwrap();
            std::fs::copy(&ahead_file, folder.path().join(CURRENT_FILE)).unwrap();
            engine.shared.failed();
            match step {
                "ingest" => put(&*engine, b"after"),
                _ => drop(engine.compact(backend::Goal::Due).unwrap()),
            }
            let mended = super::manifest::read(folder.path())
                .unwrap()
                .unwrap()
                .version;
            assert_eq!(
                mended,
                if step == "ingest" {
                    version + 1
                } else {
                    version
                },
                "{step}"
            );
            assert_eq!(
                engine.get(b"before").unwrap().as_deref(),
                Some(&b"value"[..])
            );
            engine.close().unwrap();
        }
        let engine = FjallFactory::default()
            .open_engine(&options, std::sync::Arc::new(KeepAll))
            .unwrap();
        for key in [b"before".as_slice(), b"after"] {
            assert_eq!(engine.get(key).unwrap().as_deref(), Some(&b"value"[..]));
        }
    }
}
