//! The directories of a node, one for its data and one for its commit logs: whose they are, and of which format.
//!
//! Each has a format file. The directory of the logs gets its file first: where the data has one, the logs must have one
//! too, or acknowledged writes would be missing without a word.

use std::path::{Path, PathBuf};

use node_env::files::{Access, read_all};
use node_env::{FileErrorKind, Files, SyncPoint};

use crate::error::StorageError;
use crate::storage::StorageOptions;

/// The folders that a node makes for itself.
pub const SYNC_DIRECTORY: SyncPoint = SyncPoint("storage.directory");
/// The content of the format file, before it gets its name.
pub const SYNC_FORMAT: SyncPoint = SyncPoint("storage.format");
/// The name of the format file.
pub const SYNC_FORMAT_NAME: SyncPoint = SyncPoint("storage.format-name");

/// The file in the data directory that the process using it holds a lock on.
pub const LOCK_FILE: &str = "LOCK";

/// What the format file says.
const FORMAT: &str = "messina data 1\n";

/// The name of the format file, in both directories.
const FORMAT_FILE: &str = "FORMAT";

/// Its name while it is written.
const NEW_FORMAT_FILE: &str = "FORMAT.new";

/// Checks that both directories are ours, of this format and together, or empty. Changes nothing.
///
/// # Errors
/// [`StorageError::Format`], [`StorageError::Foreign`], [`StorageError::LogsMissing`], the files'.
pub fn check_directories(files: &dyn Files, options: &StorageOptions) -> Result<(), StorageError> {
    let (directory, logs) = (&options.directory, &options.log_directory);
    if has_format(files, directory)? {
        return match has_format(files, logs)? {
            true => Ok(()),
            false => Err(StorageError::LogsMissing {
                directory: logs.clone(),
            }),
        };
    }
    for folder in [directory, logs] {
        if let Some(found) = stranger(files, folder, logs)? {
            return Err(StorageError::Foreign {
                directory: folder.clone(),
                found,
            });
        }
    }
    Ok(())
}

/// Checks both directories and makes them ours if they are empty.
pub(crate) fn claim_directories(
    files: &dyn Files,
    options: &StorageOptions,
) -> Result<(), StorageError> {
    let (directory, logs) = (&options.directory, &options.log_directory);
    check_directories(files, options)?;
    files.create_dir_all(directory, SYNC_DIRECTORY)?;
    if has_format(files, directory)? {
        // The process that wrote it may have been killed before its name was durable.
        files.sync_dir(directory, SYNC_FORMAT_NAME)?;
        return Ok(());
    }
    files.create_dir_all(logs, SYNC_DIRECTORY)?;
    write_format(files, logs)?;
    write_format(files, directory)
}

/// The first thing in a directory without data that no first start leaves there when it is cut short.
fn stranger(
    files: &dyn Files,
    folder: &Path,
    logs: &Path,
) -> Result<Option<PathBuf>, StorageError> {
    let entries = match files.list(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind == FileErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let is_stranger = |name: &str| {
        let ours =
            [LOCK_FILE, FORMAT_FILE, NEW_FORMAT_FILE].contains(&name) || folder.join(name) == logs;
        // An empty file system has the second; hidden files belong to tools that look after folders.
        !ours && name != "lost+found" && !name.starts_with('.')
    };
    let mut names = entries.into_iter().map(|entry| entry.name);
    Ok(names
        .find(|name| is_stranger(name))
        .map(|name| folder.join(name)))
}

/// Whether a directory has a format file, which must be of this version.
fn has_format(files: &dyn Files, directory: &Path) -> Result<bool, StorageError> {
    let path = directory.join(FORMAT_FILE);
    let file = match files.open(&path, Access::Read) {
        Ok(file) => file,
        Err(error) if error.kind == FileErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let found = read_all(&*file, 1024)?;
    match found == FORMAT.as_bytes() {
        true => Ok(true),
        false => Err(StorageError::Format {
            file: path,
            found: String::from_utf8_lossy(&found).trim().to_owned(),
        }),
    }
}

fn write_format(files: &dyn Files, directory: &Path) -> Result<(), StorageError> {
    let new = directory.join(NEW_FORMAT_FILE);
    match files.remove(&new) {
        Ok(()) => {}
        Err(error) if error.kind == FileErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    let file = files.create(&new, 0, SYNC_FORMAT)?;
    file.write_at(0, FORMAT.as_bytes())?;
    file.sync_data(SYNC_FORMAT)?;
    files.rename(&new, &directory.join(FORMAT_FILE))?;
    files.sync_dir(directory, SYNC_FORMAT_NAME)?;
    Ok(())
}
