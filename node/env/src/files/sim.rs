//! A disk in memory that behaves as badly as the contract allows.
//!
//! It keeps, beside what programs see, what a power cut would leave: the old content of every sector written since
//! the last sync of its file, and the changes of every directory since the last sync of that directory.
//! A clone is the same disk. One disk belongs to one simulated machine; a crash invalidates every open file and lock.

mod disk;
mod faults;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{
    Access, Entry, EntryKind, File, FileError, FileErrorKind, FileLock, FileOperation, Files,
    SyncPoint,
};
use disk::{Disk, Node};
pub use faults::{Fault, FileEvent, SyncFault, WriteFault};
use faults::{Faults, Verdict};

/// Bytes that reach the disk whole or not at all.
pub const SECTOR: usize = 512;

/// How a simulated machine goes down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// The process dies, as by `kill -9`: nothing written is lost.
    Process,
    /// Power is cut: of what was not synced, the seed decides what is left.
    Power {
        /// Decides what is left.
        seed: u64,
    },
}

/// The simulated file system.
#[derive(Clone)]
pub struct SimFiles {
    machine: Arc<Mutex<Machine>>,
}

struct Machine {
    disk: Disk,
    faults: Faults,
    /// Grows with each crash: open files and locks of an earlier life are dead.
    life: u64,
    locks: BTreeMap<PathBuf, u64>,
    quota: Option<u64>,
}

impl Default for SimFiles {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for SimFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let machine = self.lock_machine();
        f.debug_struct("SimFiles")
            .field("changes", &machine.faults.changes)
            .finish_non_exhaustive()
    }
}

impl SimFiles {
    /// An empty disk, a root directory and nothing else.
    #[must_use]
    pub fn new() -> Self {
        let machine = Machine {
            disk: Disk::new(),
            faults: Faults::default(),
            life: 0,
            locks: BTreeMap::new(),
            quota: None,
        };
        Self {
            machine: Arc::new(Mutex::new(machine)),
        }
    }

    /// The machine goes down and comes back: every open file and lock is dead, and after a power cut what was not
    /// synced is lost in parts. Injected faults that have not fired are forgotten; ignored syncs stay ignored.
    pub fn crash(&self, how: Crash) {
        let mut machine = self.lock_machine();
        machine.life += 1;
        machine.locks.clear();
        machine.faults.restart();
        match how {
            Crash::Process => {}
            Crash::Power { seed } => machine.disk.lose_power(seed),
        }
    }

    /// The machine goes down before the change (create, write, sync, rename, remove) that follows `changes` more:
    /// that call and all later ones fail until [`SimFiles::crash`]. For crashing at every step.
    pub fn go_down_after(&self, changes: u64) {
        let mut machine = self.lock_machine();
        machine.faults.down_at = Some(machine.faults.changes.saturating_add(changes));
    }

    /// How many changes (create, write, sync, rename, remove) were asked for so far.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.lock_machine().faults.changes
    }

    /// From now on every sync with this name says `Ok` and does nothing: to show what it protects.
    pub fn ignore_sync(&self, point: SyncPoint) {
        self.lock_machine().faults.ignored.insert(point.0);
    }

    /// Lets `fault` happen once, after `skip` calls that it fits.
    pub fn inject(&self, fault: Fault, skip: u64) {
        self.lock_machine().faults.planned.push((fault, skip));
    }

    /// How often each sync was asked for, by name: the list of what [`SimFiles::ignore_sync`] should be tried on.
    #[must_use]
    pub fn sync_counts(&self) -> BTreeMap<&'static str, u64> {
        self.lock_machine().faults.sync_counts.clone()
    }

    /// Bytes that all files together may hold; `None` is as good as endless.
    pub fn set_quota(&self, bytes: Option<u64>) {
        self.lock_machine().quota = bytes;
    }

    /// Bytes in all files.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.lock_machine().disk.used()
    }

    /// Changes one byte on the disk behind everybody's back; false if the file has no such byte.
    #[must_use]
    pub fn flip(&self, path: &Path, offset: u64, mask: u8) -> bool {
        self.lock_machine().disk.flip(path, offset, mask)
    }

    /// The last calls, oldest first; at most [`FileEvent::KEPT`].
    #[must_use]
    pub fn trace(&self) -> Vec<FileEvent> {
        self.lock_machine().faults.trace.iter().cloned().collect()
    }

    /// A hash over all calls ever made with their data: equal for equal runs.
    #[must_use]
    pub fn trace_hash(&self) -> u64 {
        self.lock_machine().faults.hash
    }

    fn lock_machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens an inode for the current life of the machine.
    fn handle(&self, machine: &Machine, inode: u64, path: &Path, access: Access) -> Arc<dyn File> {
        Arc::new(SimFile {
            machine: self.machine.clone(),
            life: machine.life,
            inode,
            path: path.to_path_buf(),
            access,
        })
    }
}

impl Machine {
    /// Counts a change; refuses it when the machine is down.
    fn change(&mut self, operation: FileOperation, path: &Path) -> Result<(), FileError> {
        self.up(operation, path)?;
        if self
            .faults
            .down_at
            .is_some_and(|at| self.faults.changes >= at)
        {
            self.faults.down = true;
        }
        self.up(operation, path)?;
        self.faults.changes += 1;
        Ok(())
    }

    fn up(&self, operation: FileOperation, path: &Path) -> Result<(), FileError> {
        if self.faults.down {
            return Err(down(operation, path));
        }
        Ok(())
    }

    /// Refuses what would exceed the quota.
    fn room(&self, operation: FileOperation, path: &Path, more: u64) -> Result<(), FileError> {
        match self.quota {
            Some(quota) if more > 0 && self.disk.used().saturating_add(more) > quota => Err(
                FileError::plain(operation, path, FileErrorKind::Full, "no space left"),
            ),
            Some(_) | None => Ok(()),
        }
    }
}

fn down(operation: FileOperation, path: &Path) -> FileError {
    FileError::plain(
        operation,
        path,
        FileErrorKind::Down,
        "the simulated machine is down",
    )
}

fn device(operation: FileOperation, path: &Path) -> FileError {
    FileError::plain(
        operation,
        path,
        FileErrorKind::Device,
        "an injected input/output error",
    )
}

#[derive(Debug)]
struct SimFile {
    machine: Arc<Mutex<Machine>>,
    life: u64,
    inode: u64,
    path: PathBuf,
    access: Access,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine")
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}

impl SimFile {
    fn machine(&self, operation: FileOperation) -> Result<MutexGuard<'_, Machine>, FileError> {
        let machine = self.machine.lock().unwrap_or_else(PoisonError::into_inner);
        if machine.life != self.life {
            return Err(down(operation, &self.path));
        }
        machine.up(operation, &self.path)?;
        Ok(machine)
    }

    /// Before a change of the content.
    fn writable(&self, operation: FileOperation) -> Result<MutexGuard<'_, Machine>, FileError> {
        let mut machine = self.machine(operation)?;
        if self.access == Access::Read {
            return Err(FileError::plain(
                operation,
                &self.path,
                FileErrorKind::Denied,
                "opened for reading only",
            ));
        }
        machine.change(operation, &self.path)?;
        Ok(machine)
    }
}

impl File for SimFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), FileError> {
        let mut machine = self.writable(FileOperation::Write)?;
        machine
            .faults
            .record("write", &self.path, offset, bytes.len() as u64, None, bytes);
        match machine.faults.write_verdict(&self.path) {
            None => {}
            Some(WriteFault::Fail) => return Err(device(FileOperation::Write, &self.path)),
            Some(WriteFault::Torn { bytes: kept }) => {
                let part = bytes.get(..kept).unwrap_or(bytes);
                machine.disk.write(self.inode, offset, part);
                return Err(device(FileOperation::Write, &self.path));
            }
        }
        let end = offset.saturating_add(bytes.len() as u64);
        let more = end.saturating_sub(machine.disk.len(self.inode));
        machine.room(FileOperation::Write, &self.path, more)?;
        machine.disk.write(self.inode, offset, bytes);
        Ok(())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, FileError> {
        let mut machine = self.machine(FileOperation::Read)?;
        if machine.faults.read_fails(&self.path) {
            return Err(device(FileOperation::Read, &self.path));
        }
        Ok(machine.disk.read(self.inode, offset, out))
    }

    fn sync_data(&self, why: SyncPoint) -> Result<(), FileError> {
        let mut machine = self.machine(FileOperation::Sync)?;
        machine.change(FileOperation::Sync, &self.path)?;
        machine
            .faults
            .record("sync", &self.path, 0, 0, Some(why), &[]);
        match machine.faults.sync_verdict(why) {
            Verdict::Do => machine.disk.sync(self.inode),
            Verdict::Ignore => {}
            Verdict::Fail => {
                machine.disk.abandon(self.inode);
                return Err(device(FileOperation::Sync, &self.path));
            }
        }
        Ok(())
    }

    fn len(&self) -> Result<u64, FileError> {
        Ok(self.machine(FileOperation::Read)?.disk.len(self.inode))
    }

    fn set_len(&self, len: u64) -> Result<(), FileError> {
        let mut machine = self.writable(FileOperation::Resize)?;
        machine
            .faults
            .record("resize", &self.path, 0, len, None, &[]);
        let more = len.saturating_sub(machine.disk.len(self.inode));
        machine.room(FileOperation::Resize, &self.path, more)?;
        machine.disk.resize(self.inode, len);
        Ok(())
    }
}

impl Files for SimFiles {
    fn create(&self, path: &Path, len: u64, why: SyncPoint) -> Result<Arc<dyn File>, FileError> {
        let operation = FileOperation::Create;
        let mut machine = self.lock_machine();
        machine.change(operation, path)?;
        machine
            .faults
            .record("create", path, 0, len, Some(why), &[]);
        machine.room(operation, path, len)?;
        let inode = machine.disk.create(operation, path)?;
        machine.disk.resize(inode, len);
        match machine.faults.sync_verdict(why) {
            Verdict::Do => machine.disk.sync(inode),
            Verdict::Ignore => {}
            Verdict::Fail => {
                machine.disk.unlink(operation, path)?;
                return Err(device(operation, path));
            }
        }
        Ok(self.handle(&machine, inode, path, Access::ReadWrite))
    }

    fn open(&self, path: &Path, access: Access) -> Result<Arc<dyn File>, FileError> {
        let operation = FileOperation::Open;
        let machine = self.lock_machine();
        machine.up(operation, path)?;
        match machine.disk.find(path) {
            Some(Node::File(inode)) => Ok(self.handle(&machine, inode, path, access)),
            Some(Node::Directory(_)) => Err(FileError::plain(
                operation,
                path,
                FileErrorKind::Unsupported,
                "it is a directory",
            )),
            None => Err(not_found(operation, path)),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        let mut machine = self.lock_machine();
        machine.change(FileOperation::Rename, from)?;
        machine.faults.record(
            "rename",
            from,
            0,
            0,
            None,
            to.as_os_str().as_encoded_bytes(),
        );
        machine.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> Result<(), FileError> {
        let mut machine = self.lock_machine();
        machine.change(FileOperation::Remove, path)?;
        machine.faults.record("remove", path, 0, 0, None, &[]);
        machine.disk.unlink(FileOperation::Remove, path)
    }

    fn list(&self, dir: &Path) -> Result<Vec<Entry>, FileError> {
        let machine = self.lock_machine();
        machine.up(FileOperation::List, dir)?;
        machine
            .disk
            .list(dir)
            .ok_or_else(|| not_found(FileOperation::List, dir))
    }

    fn entry(&self, path: &Path) -> Result<Option<Entry>, FileError> {
        let machine = self.lock_machine();
        machine.up(FileOperation::List, path)?;
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        Ok(machine.disk.find(path).map(|node| match node {
            Node::File(inode) => Entry {
                name,
                kind: EntryKind::File,
                len: machine.disk.len(inode),
            },
            Node::Directory(_) => Entry {
                name,
                kind: EntryKind::Directory,
                len: 0,
            },
        }))
    }

    fn create_dir_all(&self, dir: &Path, why: SyncPoint) -> Result<(), FileError> {
        let operation = FileOperation::CreateDirectory;
        self.lock_machine().up(operation, dir)?;
        let steps: Vec<&Path> = dir
            .ancestors()
            .filter(|path| path.file_name().is_some())
            .collect();
        // The deepest that is there already: whoever made it may have died before its name was durable.
        let there = steps.iter().find(|path| {
            matches!(
                self.lock_machine().disk.find(path),
                Some(Node::Directory(_))
            )
        });
        if let Some(there) = there {
            self.sync_dir(there.parent().unwrap_or(Path::new("/")), why)?;
        }
        for path in steps.into_iter().rev() {
            let mut machine = self.lock_machine();
            match machine.disk.find(path) {
                Some(Node::Directory(_)) => continue,
                Some(Node::File(_)) => {
                    return Err(FileError::plain(
                        operation,
                        path,
                        FileErrorKind::Exists,
                        "a file has that name",
                    ));
                }
                None => {}
            }
            machine.change(operation, path)?;
            machine.faults.record("mkdir", path, 0, 0, None, &[]);
            machine.disk.create_directory(path)?;
            drop(machine);
            self.sync_dir(path.parent().unwrap_or(Path::new("/")), why)?;
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path, why: SyncPoint) -> Result<(), FileError> {
        let mut machine = self.lock_machine();
        machine.change(FileOperation::Sync, dir)?;
        machine.faults.record("syncdir", dir, 0, 0, Some(why), &[]);
        match machine.faults.sync_verdict(why) {
            Verdict::Do => machine.disk.sync_directory(dir),
            Verdict::Ignore => Ok(()),
            Verdict::Fail => Err(device(FileOperation::Sync, dir)),
        }
    }

    fn available_space(&self, dir: &Path) -> Result<u64, FileError> {
        let machine = self.lock_machine();
        machine.up(FileOperation::AskSpace, dir)?;
        match machine.disk.find(dir) {
            Some(_) => Ok(machine
                .quota
                .map_or(1 << 50, |quota| quota.saturating_sub(machine.disk.used()))),
            None => Err(not_found(FileOperation::AskSpace, dir)),
        }
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn FileLock>, FileError> {
        let operation = FileOperation::Lock;
        let mut machine = self.lock_machine();
        machine.up(operation, path)?;
        if machine.disk.find(path).is_none() {
            machine.change(operation, path)?;
            machine.disk.create(operation, path)?;
        }
        let life = machine.life;
        if machine.locks.insert(path.to_path_buf(), life).is_some() {
            return Err(FileError::plain(
                operation,
                path,
                FileErrorKind::Locked,
                "it is locked",
            ));
        }
        Ok(Box::new(SimLock {
            files: self.clone(),
            path: path.to_path_buf(),
            life,
        }))
    }
}

fn not_found(operation: FileOperation, path: &Path) -> FileError {
    FileError::plain(
        operation,
        path,
        FileErrorKind::NotFound,
        "no such file or directory",
    )
}

#[derive(Debug)]
struct SimLock {
    files: SimFiles,
    path: PathBuf,
    life: u64,
}

impl FileLock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut machine = self.files.lock_machine();
        if machine.life == self.life {
            machine.locks.remove(&self.path);
        }
    }
}
