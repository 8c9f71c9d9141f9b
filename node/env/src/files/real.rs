//! The operating system's files.

use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{
    Access, Entry, EntryKind, File, FileError, FileErrorKind, FileLock, FileOperation, Files,
    SyncPoint,
};

/// Zero bytes written at once when a file is made.
const FILL: usize = 1 << 20;

/// The operating system's files; paths mean what they mean to the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealFiles;

#[derive(Debug)]
struct RealFile {
    file: fs::File,
    path: PathBuf,
}

#[derive(Debug)]
struct RealLock {
    _held: fs::File,
}

impl FileLock for RealLock {}

/// Turns an I/O error into ours.
fn failed(operation: FileOperation, path: &Path) -> impl Fn(io::Error) -> FileError {
    move |error| FileError::os(operation, path, &error)
}

impl File for RealFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), FileError> {
        self.file
            .write_all_at(bytes, offset)
            .map_err(failed(FileOperation::Write, &self.path))
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<usize, FileError> {
        let mut read = 0;
        while let Some(rest) = out.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset.saturating_add(read as u64)) {
                Ok(0) => break,
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FileError::os(FileOperation::Read, &self.path, &error)),
            }
        }
        Ok(read)
    }

    fn sync_data(&self, _why: SyncPoint) -> Result<(), FileError> {
        self.file
            .sync_data()
            .map_err(failed(FileOperation::Sync, &self.path))
    }

    fn len(&self) -> Result<u64, FileError> {
        Ok(self
            .file
            .metadata()
            .map_err(failed(FileOperation::Read, &self.path))?
            .len())
    }

    fn set_len(&self, len: u64) -> Result<(), FileError> {
        self.file
            .set_len(len)
            .map_err(failed(FileOperation::Resize, &self.path))
    }
}

impl RealFile {
    /// Writes zero bytes, so that the space is really there, and syncs content and length.
    fn fill(&self, len: u64) -> Result<(), FileError> {
        let zeros = vec![0; FILL.min(usize::try_from(len).unwrap_or(FILL))];
        let mut at = 0;
        while at < len {
            let rest = usize::try_from(len - at).unwrap_or(FILL);
            let chunk = zeros.get(..rest).unwrap_or(&zeros);
            self.write_at(at, chunk)?;
            at += chunk.len() as u64;
        }
        self.file
            .sync_all()
            .map_err(failed(FileOperation::Sync, &self.path))
    }
}

/// The directory of a path, `.` for a bare name.
fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

impl Files for RealFiles {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that the others are told to use"
    )]
    fn create(&self, path: &Path, len: u64, _why: SyncPoint) -> Result<Arc<dyn File>, FileError> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(failed(FileOperation::Create, path))?;
        let file = RealFile {
            file,
            path: path.to_path_buf(),
        };
        if let Err(error) = file.fill(len) {
            // Best effort: what counts is the error that the caller sees.
            drop(fs::remove_file(path));
            return Err(FileError {
                operation: FileOperation::Create,
                ..error
            });
        }
        Ok(Arc::new(file))
    }

    fn open(&self, path: &Path, access: Access) -> Result<Arc<dyn File>, FileError> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(access == Access::ReadWrite)
            .open(path)
            .map_err(failed(FileOperation::Open, path))?;
        Ok(Arc::new(RealFile {
            file,
            path: path.to_path_buf(),
        }))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that the others are told to use"
    )]
    fn rename(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        if directory_of(from) != directory_of(to) {
            return Err(FileError::plain(
                FileOperation::Rename,
                from,
                FileErrorKind::Unsupported,
                format!("{} is in another directory", to.display()),
            ));
        }
        fs::rename(from, to).map_err(failed(FileOperation::Rename, from))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that the others are told to use"
    )]
    fn remove(&self, path: &Path) -> Result<(), FileError> {
        fs::remove_file(path).map_err(failed(FileOperation::Remove, path))
    }

    fn list(&self, dir: &Path) -> Result<Vec<Entry>, FileError> {
        let failed = failed(FileOperation::List, dir);
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir).map_err(&failed)? {
            let entry = entry.map_err(&failed)?;
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                // Another thread has removed or renamed it since the folder was read.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(failed(error)),
            };
            entries.push(described(
                entry.file_name().to_string_lossy().into_owned(),
                &metadata,
            ));
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    fn entry(&self, path: &Path) -> Result<Option<Entry>, FileError> {
        match fs::metadata(path) {
            Ok(metadata) => {
                let name = path.file_name().unwrap_or(path.as_os_str());
                Ok(Some(described(
                    name.to_string_lossy().into_owned(),
                    &metadata,
                )))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FileError::os(FileOperation::List, path, &error)),
        }
    }

    fn create_dir_all(&self, dir: &Path, why: SyncPoint) -> Result<(), FileError> {
        let missing: Vec<&Path> = dir
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty() && !path.is_dir())
            .collect();
        // The deepest that is there already: whoever made it may have died before its name was durable.
        let there = missing.last().map_or(Some(dir), |path| path.parent());
        if let Some(there) = there.filter(|path| path.file_name().is_some()) {
            match self.sync_dir(directory_of(there), why) {
                // A directory that we may not read is not one in which we made something.
                Err(error) if error.kind != FileErrorKind::Denied => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        for path in missing.into_iter().rev() {
            match fs::create_dir(path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
                Err(error) => {
                    return Err(FileError::os(FileOperation::CreateDirectory, path, &error));
                }
            }
            self.sync_dir(directory_of(path), why)?;
        }
        Ok(())
    }

    fn sync_dir(&self, dir: &Path, _why: SyncPoint) -> Result<(), FileError> {
        let failed = failed(FileOperation::Sync, dir);
        fs::File::open(dir)
            .map_err(&failed)?
            .sync_all()
            .map_err(&failed)
    }

    fn available_space(&self, dir: &Path) -> Result<u64, FileError> {
        let space = rustix::fs::statvfs(dir)
            .map_err(|error| FileError::os(FileOperation::AskSpace, dir, &error.into()))?;
        Ok(space.f_bavail.saturating_mul(space.f_frsize))
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn FileLock>, FileError> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed(FileOperation::Lock, path))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(RealLock { _held: file })),
            Err(fs::TryLockError::WouldBlock) => Err(FileError::plain(
                FileOperation::Lock,
                path,
                FileErrorKind::Locked,
                "it is locked",
            )),
            Err(fs::TryLockError::Error(error)) => {
                Err(FileError::os(FileOperation::Lock, path, &error))
            }
        }
    }
}

fn described(name: String, metadata: &fs::Metadata) -> Entry {
    if metadata.is_dir() {
        Entry {
            name,
            kind: EntryKind::Directory,
            len: 0,
        }
    } else {
        Entry {
            name,
            kind: EntryKind::File,
            len: metadata.len(),
        }
    }
}
