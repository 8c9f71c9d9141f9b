//! What went wrong with a file: which call, which path, what to do.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileOperation {
    /// `create`
    Create,
    /// `open`
    Open,
    /// `write_at`
    Write,
    /// `read_at`, `len`
    Read,
    /// `sync_data`, `sync_dir`
    Sync,
    /// `set_len`
    Resize,
    /// `rename`
    Rename,
    /// `remove`
    Remove,
    /// `list`, `entry`
    List,
    /// `create_dir_all`
    CreateDirectory,
    /// `available_space`
    AskSpace,
    /// `lock`
    Lock,
}

impl fmt::Display for FileOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Create => "create",
            Self::Open => "open",
            Self::Write => "write to",
            Self::Read => "read from",
            Self::Sync => "sync",
            Self::Resize => "resize",
            Self::Rename => "rename",
            Self::Remove => "remove",
            Self::List => "list",
            Self::CreateDirectory => "create the directory",
            Self::AskSpace => "ask for the free space of",
            Self::Lock => "lock",
        })
    }
}

/// What a caller can decide on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileErrorKind {
    /// No such file or directory.
    NotFound,
    /// The name is taken.
    Exists,
    /// No space left, or over quota: free some, then go on.
    Full,
    /// Not allowed: wrong owner or mode.
    Denied,
    /// Somebody else holds the lock.
    Locked,
    /// More bytes than the caller was prepared for.
    TooLarge,
    /// The call cannot do that, here or at all.
    Unsupported,
    /// The simulated machine is down: every call fails until it is started again.
    Down,
    /// The device failed, or anything else.
    Device,
}

/// A failed call on [`super::Files`] or [`super::File`]; cheap to clone, so that all waiters can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// Which call.
    pub operation: FileOperation,
    /// On which path.
    pub path: PathBuf,
    /// What a caller can decide on.
    pub kind: FileErrorKind,
    /// The operating system's words.
    pub text: String,
}

impl FileError {
    /// An error in the operating system's words.
    pub(crate) fn os(operation: FileOperation, path: &Path, error: &io::Error) -> Self {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => FileErrorKind::NotFound,
            io::ErrorKind::AlreadyExists => FileErrorKind::Exists,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FileErrorKind::Full,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                FileErrorKind::Denied
            }
            io::ErrorKind::Unsupported | io::ErrorKind::CrossesDevices => {
                FileErrorKind::Unsupported
            }
            _ => FileErrorKind::Device,
        };
        Self {
            operation,
            path: path.to_path_buf(),
            kind,
            text: error.to_string(),
        }
    }

    /// An error in our own words.
    pub(crate) fn plain(
        operation: FileOperation,
        path: &Path,
        kind: FileErrorKind,
        text: impl Into<String>,
    ) -> Self {
        Self {
            operation,
            path: path.to_path_buf(),
            kind,
            text: text.into(),
        }
    }

    /// Whether freeing space would cure it.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.kind == FileErrorKind::Full
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot {} {}: {}",
            self.operation,
            self.path.display(),
            self.text
        )?;
        match self.kind {
            FileErrorKind::Full => f.write_str("; free some space on this file system"),
            FileErrorKind::Denied => f.write_str("; check its owner and mode"),
            FileErrorKind::Locked => f.write_str("; another process uses this directory"),
            FileErrorKind::NotFound
            | FileErrorKind::Exists
            | FileErrorKind::TooLarge
            | FileErrorKind::Unsupported
            | FileErrorKind::Down
            | FileErrorKind::Device => Ok(()),
        }
    }
}

impl std::error::Error for FileError {}
