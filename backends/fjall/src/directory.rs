//! The folder of a database: who uses it, what lies in it, and that it is there after a loss of power.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use backend::Error;

/// The file whose lock says that the folder is in use.
const LOCK_FILE: &str = "lock";

/// The folder of the table files.
pub(crate) const TABLES_FOLDER: &str = "tables";

/// The file that names the manifest in force.
pub(crate) const CURRENT_FILE: &str = "current";

/// A folder that this process uses; the lock ends when the last holder drops it.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Takes a folder into use, making it when it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let path = std::path::absolute(path)
            .map_err(|error| Error::io("find the database folder", error))?;
        create_durably(&path).map_err(|error| Error::io("make the database folder", error))?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK_FILE))
            .map_err(|error| Error::io("open the lock of the database folder", error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked { directory: path }),
            Err(TryLockError::Error(error)) => {
                return Err(Error::io("lock the database folder", error));
            }
        }
        refuse_foreign(&path)?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn tables(&self) -> PathBuf {
        self.path.join(TABLES_FOLDER)
    }

    /// The numbers of all table files, and their paths.
    pub(crate) fn table_files(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.tables())? {
            let path = entry?.path();
            if let Some(number) = path
                .file_name()
                .and_then(OsStr::to_str)
                .and_then(|name| name.parse().ok())
            {
                files.push((number, path));
            }
        }
        Ok(files)
    }
}

/// Refuses a folder without a database in which other things lie.
fn refuse_foreign(path: &Path) -> Result<(), Error> {
    let reading = |error| Error::io("read the database folder", error);
    if path.join(CURRENT_FILE).try_exists().map_err(reading)? {
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(reading)? {
        let name = entry.map_err(reading)?.file_name();
        // What a creation that was cut short leaves: a first manifest and temporary files beside it.
        let ours = name == LOCK_FILE
            || name == TABLES_FOLDER
            || name == "v0"
            || name.as_encoded_bytes().starts_with(b".tmp");
        if !ours {
            let what = format!(
                "{} holds {} and no database",
                path.display(),
                name.display()
            );
            return Err(Error::Format { what });
        }
    }
    Ok(())
}

/// Makes a folder and its parents, and syncs every folder that got an entry.
pub(crate) fn create_durably(path: &Path) -> io::Result<()> {
    if path.try_exists()? {
        return Ok(());
    }
    let Some(parent) = path.parent() else {
        return fs::create_dir(path);
    };
    create_durably(parent)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    sync_folder(parent)
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
