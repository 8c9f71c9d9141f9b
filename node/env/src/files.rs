//! Files, as the commit log needs them: synchronous, positioned, explicit about durability.
//!
//! Two implementations obey one contract, checked by one conformance suite (`files/conformance.rs`):
//! [`RealFiles`] is the operating system, [`SimFiles`] keeps everything in memory, forgets at a crash what was
//! not synced, tears sectors, runs full, fails, and records what was asked.
//!
//! # The contract
//!
//! 1. Nothing written is durable before [`File::sync_data`] of that file returned `Ok`.
//! 2. No change of a directory (create, rename, remove, a new directory) is durable before
//!    [`Files::sync_dir`] of *that directory* returned `Ok`; a crash keeps any subset of the others that
//!    respects the order of changes to one name.
//! 3. A write that was not synced survives a crash in any subset of its sectors of 512 bytes.
//! 4. A rename replaces its target in one step and stays within one directory.
//! 5. After a failed sync the bytes written since the last good one may be lost, even if a later sync says `Ok`.
//! 6. Every sync says why it is there, by a [`SyncPoint`]; a simulation can ignore each of them by that name,
//!    so that a test can show what the sync protects.
//!
//! Calls block. Log and merger threads call them, a shard's thread never does.

mod error;
mod real;
mod sim;

#[cfg(test)]
mod conformance;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use error::{FileError, FileErrorKind, FileOperation};
pub use real::RealFiles;
pub use sim::{Crash, Fault, FileEvent, SECTOR, SimFiles, SyncFault, WriteFault};

/// Why a sync is there: a short stable name, `area.what`, declared once as a constant beside the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SyncPoint(pub &'static str);

impl fmt::Display for SyncPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What an opened file may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading only; writes fail.
    Read,
    /// Reading and writing.
    ReadWrite,
}

/// What a name in a directory stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The last component of the path; names that are not UTF-8 are listed with replacement characters.
    pub name: String,
    /// File or directory.
    pub kind: EntryKind,
    /// Bytes in the file; 0 for a directory.
    pub len: u64,
}

/// An open file. Shared by reference; positioned calls do not disturb each other.
pub trait File: Send + Sync + fmt::Debug {
    /// The path that it was opened under, for messages.
    fn path(&self) -> &Path;

    /// Writes all of `bytes` at `offset`, extending the file as needed; not durable until synced.
    ///
    /// # Errors
    /// [`FileErrorKind::Full`] when there is no space; any error may leave a prefix written.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), FileError>;

    /// Fills `out` from `offset` on; returns how many bytes there were, less than asked only at the end of the file.
    ///
    /// # Errors
    /// The operating system's, with the path.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, FileError>;

    /// Makes every byte written so far, and the length, durable.
    ///
    /// # Errors
    /// After an error the bytes since the last good sync may be lost whatever a later sync says:
    /// write them again elsewhere or stop.
    fn sync_data(&self, why: SyncPoint) -> Result<(), FileError>;

    /// Length in bytes.
    ///
    /// # Errors
    /// The operating system's, with the path.
    fn len(&self) -> Result<u64, FileError>;

    /// Whether the file has no bytes.
    ///
    /// # Errors
    /// As [`File::len`].
    fn is_empty(&self) -> Result<bool, FileError> {
        Ok(self.len()? == 0)
    }

    /// Cuts the file, or extends it by zero bytes, to `len`; not durable until synced.
    ///
    /// # Errors
    /// [`FileErrorKind::Full`] when there is no space.
    fn set_len(&self, len: u64) -> Result<(), FileError>;
}

/// A held lock on a lock file; dropping it lets go. The operating system lets go for a process that died.
pub trait FileLock: Send + Sync + fmt::Debug {}

/// A file system.
pub trait Files: Send + Sync + fmt::Debug {
    /// Makes a new file of `len` zero bytes whose space is allocated and whose content is synced.
    /// Its name is durable only after [`Files::sync_dir`] of its directory.
    ///
    /// # Errors
    /// [`FileErrorKind::Exists`] if the name is taken; [`FileErrorKind::Full`] when there is no space, and then
    /// nothing of the file is left behind.
    fn create(&self, path: &Path, len: u64, why: SyncPoint) -> Result<Arc<dyn File>, FileError>;

    /// Opens a file that exists.
    ///
    /// # Errors
    /// [`FileErrorKind::NotFound`] if it does not.
    fn open(&self, path: &Path, access: Access) -> Result<Arc<dyn File>, FileError>;

    /// Gives a file another name in the same directory, replacing what had it.
    ///
    /// # Errors
    /// [`FileErrorKind::Unsupported`] across directories; [`FileErrorKind::NotFound`] if `from` does not exist.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), FileError>;

    /// Removes a file; its open handles stay usable.
    ///
    /// # Errors
    /// [`FileErrorKind::NotFound`] if it does not exist.
    fn remove(&self, path: &Path) -> Result<(), FileError>;

    /// What is in a directory, sorted by name.
    ///
    /// # Errors
    /// [`FileErrorKind::NotFound`] if it does not exist.
    fn list(&self, dir: &Path) -> Result<Vec<Entry>, FileError>;

    /// What a path stands for; `None` if nothing is there.
    ///
    /// # Errors
    /// The operating system's, with the path.
    fn entry(&self, path: &Path) -> Result<Option<Entry>, FileError>;

    /// Makes a directory with all its parents; fine if it is there. The parents of new directories are synced.
    ///
    /// The name of what is there already is made durable too: a process that made it may have died before it came to that.
    ///
    /// # Errors
    /// [`FileErrorKind::Exists`] if a file has that name.
    fn create_dir_all(&self, dir: &Path, why: SyncPoint) -> Result<(), FileError>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// The operating system's, with the path.
    fn sync_dir(&self, dir: &Path, why: SyncPoint) -> Result<(), FileError>;

    /// Bytes that can still be written to the file system that holds `dir`, for an unprivileged user.
    ///
    /// # Errors
    /// The operating system's, with the path.
    fn available_space(&self, dir: &Path) -> Result<u64, FileError>;

    /// Takes the exclusive lock of the file `path`, making it if needed, without waiting.
    ///
    /// # Errors
    /// [`FileErrorKind::Locked`] if somebody holds it.
    fn lock(&self, path: &Path) -> Result<Box<dyn FileLock>, FileError>;
}

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// [`FileErrorKind::TooLarge`] above the limit, before anything is allocated.
pub fn read_all(file: &dyn File, limit: u64) -> Result<Vec<u8>, FileError> {
    let len = file.len()?;
    let too_large = || {
        FileError::plain(
            FileOperation::Read,
            file.path(),
            FileErrorKind::TooLarge,
            format!("{len} bytes, at most {limit} expected"),
        )
    };
    if len > limit {
        return Err(too_large());
    }
    let mut bytes = vec![0; usize::try_from(len).map_err(|_| too_large())?];
    let read = file.read_at(0, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}
