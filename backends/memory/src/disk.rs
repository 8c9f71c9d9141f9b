//! The simulated disk: what every directory holds, how much fits, and which faults are to come.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use backend::Error;

use crate::run::Version;

/// Something an engine asks of the disk; the sync points at which faults strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// An entry of an ingest is written.
    Put,
    /// An ingest becomes durable and visible.
    Install,
    /// A compaction writes its result.
    Compact,
    /// A value is read.
    Read,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full, for this operation.
    NoSpace,
    /// The disk reports an I/O error, for this operation.
    Io,
    /// The machine loses power; the seed decides whether an install that was under way is there afterwards.
    Crash {
        /// Decides what survives.
        seed: u64,
    },
}

type Observer = Arc<dyn Fn(Operation) + Send + Sync>;

/// A disk in memory; clones are handles of the same one.
#[derive(Clone, Default)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
    observer: Arc<Mutex<Option<Observer>>>,
    /// Held over each install; a test holds it to see that reads do not wait.
    pub(crate) install: Arc<Mutex<()>>,
}

#[derive(Default)]
struct State {
    directories: BTreeMap<PathBuf, Directory>,
    /// Grows with each crash; handles of an older one are dead.
    epoch: u64,
    capacity_bytes: Option<u64>,
    refusing: Option<Fault>,
    /// Faults to come: after so many more operations of that kind.
    faults: Vec<(Operation, u64, Fault)>,
}

#[derive(Default)]
struct Directory {
    version: Arc<Version>,
    occupant: Weak<Occupant>,
    /// Bytes of the ingest under way.
    unfinished_bytes: u64,
    /// What a crash left of an ingest; the next open removes it.
    torn_bytes: u64,
}

/// Names a directory, and the life of the machine in which it was opened.
#[derive(Debug)]
pub(crate) struct Lease {
    directory: PathBuf,
    epoch: u64,
}

/// Shows that a directory is in use; an open engine, its snapshots and its scans share it.
#[derive(Debug)]
pub(crate) struct Occupant {
    epoch: u64,
}

impl fmt::Debug for MemoryDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("MemoryDisk")
            .field("directories", &state.directories.keys())
            .field("epoch", &state.epoch)
            .finish_non_exhaustive()
    }
}

impl MemoryDisk {
    /// An empty disk without a limit and without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Limits the bytes of all directories together, ingests under way included; `None` lifts the limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.lock().capacity_bytes = bytes;
    }

    /// Bytes in use.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.lock().used_bytes()
    }

    /// Lets every write fail in this way until it is called with `None`.
    ///
    /// [`Fault::Crash`] strikes once.
    pub fn refuse_writes(&self, fault: Option<Fault>) {
        self.lock().refusing = fault;
    }

    /// Lets the operation fail that comes after `skip` more of its kind.
    pub fn inject(&self, operation: Operation, skip: u64, fault: Fault) {
        self.lock().faults.push((operation, skip, fault));
    }

    /// Calls `observer` before each operation, for delays in simulated time and for traces.
    ///
    /// The observer must not use the disk or its engines.
    pub fn observe(&self, observer: impl Fn(Operation) + Send + Sync + 'static) {
        *self.observer.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(observer));
    }

    /// Loses power: engines, snapshots and ingests of before are dead, what was not installed is gone.
    ///
    /// The seed decides how much of an ingest under way takes up room until the next open.
    pub fn crash(&self, seed: u64) {
        self.lock().crash(seed);
    }

    /// Turns one stored bit of a directory over; false when there is none.
    #[must_use]
    pub fn damage(&self, directory: &Path, seed: u64) -> bool {
        let mut state = self.lock();
        let Some(directory) = state.directories.get_mut(directory) else {
            return false;
        };
        let mut version = Version::clone(&directory.version);
        let Some(entries) = version
            .runs
            .iter()
            .map(|run| run.len())
            .sum::<u64>()
            .checked_sub(1)
        else {
            return false;
        };
        let mut nth = usize::try_from(mix(seed) % (entries + 1)).unwrap_or(0);
        for run in &mut version.runs {
            let len = usize::try_from(run.len()).unwrap_or(usize::MAX);
            if nth < len {
                Arc::make_mut(run).damage(nth, mix(seed ^ 1));
                directory.version = Arc::new(version);
                return true;
            }
            nth -= len;
        }
        false
    }

    /// Calls `body` while an install is held back, as if its sync took that long.
    ///
    /// For the conformance check of C16.
    pub fn while_install_held(&self, body: &mut dyn FnMut()) {
        let _held = self.install.lock().unwrap_or_else(PoisonError::into_inner);
        body();
    }

    /// Takes a directory into use, making it when it is missing, and removes what a crash left there.
    pub(crate) fn open(&self, path: &Path) -> Result<(Lease, Arc<Occupant>), Error> {
        let mut state = self.lock();
        let epoch = state.epoch;
        let directory = state.directories.entry(path.to_owned()).or_default();
        if directory
            .occupant
            .upgrade()
            .is_some_and(|occupant| occupant.epoch == epoch)
        {
            return Err(Error::Locked {
                directory: path.to_owned(),
            });
        }
        let occupant = Arc::new(Occupant { epoch });
        directory.occupant = Arc::downgrade(&occupant);
        directory.torn_bytes = 0;
        Ok((
            Lease {
                directory: path.to_owned(),
                epoch,
            },
            occupant,
        ))
    }

    /// The version of a directory, unless a crash came in between.
    pub(crate) fn version(&self, lease: &Lease) -> Result<Arc<Version>, Error> {
        let state = self.lock();
        state.alive(lease)?;
        let directory = state.directories.get(&lease.directory);
        Ok(directory
            .map(|directory| directory.version.clone())
            .unwrap_or_default())
    }

    /// Announces an operation; the fault that is due strikes.
    pub(crate) fn operate(&self, lease: &Lease, operation: Operation) -> Result<(), Error> {
        let observer = self
            .observer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(observer) = observer {
            observer(operation);
        }
        let mut state = self.lock();
        state.alive(lease)?;
        match state.due(operation) {
            None => Ok(()),
            Some(Fault::Crash { seed }) => {
                state.crash(seed);
                Err(Error::Closed)
            }
            Some(Fault::NoSpace) => Err(no_space(operation)),
            Some(Fault::Io) => Err(io_error(operation)),
        }
    }

    /// Takes room for bytes of an ingest under way.
    pub(crate) fn reserve(&self, lease: &Lease, bytes: u64) -> Result<(), Error> {
        let mut state = self.lock();
        state.alive(lease)?;
        state.fits(bytes, Operation::Put)?;
        if let Some(directory) = state.directories.get_mut(&lease.directory) {
            directory.unfinished_bytes += bytes;
        }
        Ok(())
    }

    /// Gives back what [`reserve`](Self::reserve) took.
    pub(crate) fn release(&self, lease: &Lease, bytes: u64) {
        let mut state = self.lock();
        if state.epoch != lease.epoch {
            return;
        }
        if let Some(directory) = state.directories.get_mut(&lease.directory) {
            directory.unfinished_bytes = directory.unfinished_bytes.saturating_sub(bytes);
        }
    }

    /// Replaces the version of a directory by what `change` makes of it: the one commit there is.
    ///
    /// A crash that strikes here leaves the old or the new one, as its seed decides.
    pub(crate) fn install(
        &self,
        lease: &Lease,
        operation: Operation,
        extra_bytes: u64,
        change: impl FnOnce(&Version) -> Version,
    ) -> Result<(), Error> {
        let observer = self
            .observer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(observer) = observer {
            observer(operation);
        }
        let _install = self.install.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.lock();
        state.alive(lease)?;
        let fault = state.due(operation);
        match fault {
            Some(Fault::NoSpace) => return Err(no_space(operation)),
            Some(Fault::Io) => return Err(io_error(operation)),
            Some(Fault::Crash { seed }) if mix(seed) & 1 == 0 => {
                state.crash(seed);
                return Err(Error::Closed);
            }
            Some(Fault::Crash { .. }) | None => {}
        }
        if extra_bytes > 0 {
            state.fits(extra_bytes, operation)?;
        }
        if let Some(directory) = state.directories.get_mut(&lease.directory) {
            directory.version = Arc::new(change(&directory.version));
        }
        match fault {
            Some(Fault::Crash { seed }) => {
                state.crash(seed);
                Err(Error::Closed)
            }
            Some(Fault::NoSpace | Fault::Io) | None => Ok(()),
        }
    }

    /// Makes a directory with the given content; it must be missing or empty.
    pub(crate) fn create(
        &self,
        lease: &Lease,
        path: &Path,
        version: Arc<Version>,
    ) -> Result<(), Error> {
        let mut state = self.lock();
        state.alive(lease)?;
        let target = state.directories.get(path);
        if target.is_some_and(|target| {
            !target.version.runs.is_empty() || target.occupant.strong_count() > 0
        }) {
            return Err(Error::NotEmpty {
                directory: path.to_owned(),
            });
        }
        state.fits(version.bytes(), Operation::Compact)?;
        state.directories.insert(
            path.to_owned(),
            Directory {
                version,
                ..Directory::default()
            },
        );
        Ok(())
    }
}

impl State {
    fn alive(&self, lease: &Lease) -> Result<(), Error> {
        if lease.epoch == self.epoch {
            Ok(())
        } else {
            Err(Error::Closed)
        }
    }

    fn crash(&mut self, seed: u64) {
        self.epoch += 1;
        self.faults.clear();
        self.refusing = None;
        for (salt, directory) in (0..).zip(self.directories.values_mut()) {
            let unfinished_bytes = std::mem::take(&mut directory.unfinished_bytes);
            directory.torn_bytes += mix(seed ^ salt) % (unfinished_bytes + 1);
        }
    }

    fn used_bytes(&self) -> u64 {
        let bytes = |directory: &Directory| {
            directory.version.bytes() + directory.unfinished_bytes + directory.torn_bytes
        };
        self.directories.values().map(bytes).sum()
    }

    fn fits(&self, bytes: u64, operation: Operation) -> Result<(), Error> {
        match self.capacity_bytes {
            Some(capacity) if self.used_bytes() + bytes > capacity => Err(no_space(operation)),
            Some(_) | None => Ok(()),
        }
    }

    /// The fault that strikes this operation, if any.
    fn due(&mut self, operation: Operation) -> Option<Fault> {
        let mut due = None;
        self.faults.retain_mut(|(kind, skip, fault)| {
            if *kind != operation {
                return true;
            }
            if *skip > 0 || due.is_some() {
                *skip = skip.saturating_sub(1);
                return true;
            }
            due = Some(*fault);
            false
        });
        match operation {
            Operation::Read => due,
            Operation::Put | Operation::Install | Operation::Compact => due.or(self.refusing),
        }
    }
}

fn doing(operation: Operation) -> &'static str {
    match operation {
        Operation::Put => "write an entry of an ingest",
        Operation::Install => "install an ingest",
        Operation::Compact => "write a compacted run",
        Operation::Read => "read a value",
    }
}

fn no_space(operation: Operation) -> Error {
    Error::io(
        doing(operation),
        io::Error::from(io::ErrorKind::StorageFull),
    )
}

fn io_error(operation: Operation) -> Error {
    Error::io(doing(operation), io::Error::other("simulated I/O error"))
}

/// Spreads a seed over all bits (the finalizer of splitmix64).
fn mix(seed: u64) -> u64 {
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
