//! The manifest on disk: `current` names `v<number>` and its checksum, and that one lists the tables.
//!
//! The engine writes `v<number + 1>`, syncs it, and replaces `current`. When an error comes between replacing and
//! installing, the file on disk is ahead of the tree in memory, and the next install would overwrite the very manifest
//! that `current` names. [`mend`] puts `current` back, which it may do only while nothing can be installed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use backend::Error;

use crate::directory::{CURRENT_FILE, sync_folder};

/// The length of `current`: version, checksum, kind of checksum.
const CURRENT_BYTES: usize = 8 + 16 + 1;

/// What `current` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Current {
    pub(crate) version: u64,
    checksum: u128,
}

impl Current {
    pub(crate) fn of(directory: &Path, version: u64) -> io::Result<Self> {
        let bytes = fs::read(version_file(directory, version))?;
        Ok(Self {
            version,
            checksum: xxhash_rust::xxh3::xxh3_128(&bytes),
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first_chunk::<8>()?;
        let (checksum, rest) = rest.split_first_chunk::<16>()?;
        (rest == [0]).then(|| Self {
            version: u64::from_le_bytes(*version),
            checksum: u128::from_le_bytes(*checksum),
        })
    }

    pub(crate) fn to_bytes(self) -> [u8; CURRENT_BYTES] {
        let mut bytes = [0; CURRENT_BYTES];
        let (version, rest) = bytes.split_at_mut(8);
        version.copy_from_slice(&self.version.to_le_bytes());
        if let Some((checksum, _)) = rest.split_first_chunk_mut::<16>() {
            *checksum = self.checksum.to_le_bytes();
        }
        bytes
    }
}

/// The file of a manifest.
pub(crate) fn version_file(directory: &Path, version: u64) -> PathBuf {
    directory.join(format!("v{version}"))
}

/// Reads `current` and checks the manifest that it names; `None` in a new folder.
pub(crate) fn read(directory: &Path) -> Result<Option<Current>, Error> {
    let bytes = match fs::read(directory.join(CURRENT_FILE)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::io("read the manifest", error)),
    };
    let Some(current) = Current::parse(&bytes) else {
        return Err(Error::Corrupt {
            what: format!("{} does not name a manifest", CURRENT_FILE),
        });
    };
    match Current::of(directory, current.version) {
        Ok(found) if found == current => Ok(Some(current)),
        Ok(_) => Err(Error::Corrupt {
            what: format!("manifest v{} has another checksum", current.version),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::Corrupt {
            what: format!("manifest v{} is missing", current.version),
        }),
        Err(error) => Err(Error::io("read the manifest", error)),
    }
}

/// Makes `current` name `version` again if it names another one.
pub(crate) fn mend(directory: &Path, version: u64) -> Result<(), Error> {
    let on_disk = fs::read(directory.join(CURRENT_FILE));
    let on_disk = on_disk.map_err(|error| Error::io("read the manifest", error))?;
    if Current::parse(&on_disk).is_some_and(|current| current.version == version) {
        return Ok(());
    }
    replace(directory, version).map_err(|error| Error::io("put the manifest back", error))
}

#[expect(
    clippy::disallowed_methods,
    reason = "an engine owns the files of its folder"
)]
fn replace(directory: &Path, version: u64) -> io::Result<()> {
    let temporary = directory.join(".tmp-current");
    let mut file = File::create(&temporary)?;
    file.write_all(&Current::of(directory, version)?.to_bytes())?;
    file.sync_all()?;
    fs::rename(&temporary, directory.join(CURRENT_FILE))?;
    sync_folder(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn current_round_trips_and_refuses_other_lengths() {
        let current = Current {
            version: 7,
            checksum: 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10,
        };
        let bytes = current.to_bytes();
        assert_eq!(Current::parse(&bytes), Some(current));
        assert_eq!(Current::parse(&bytes[..24]), None);
        assert_eq!(Current::parse(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(Current::parse(&[]), None);
    }

    #[test]
    fn a_manifest_that_is_ahead_is_put_back() {
        let folder = tempfile::TempDir::new().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            File::create(folder.path().join(name))
                .unwrap()
                .write_all(bytes)
                .unwrap();
        };
        write("v1", b"the tables of version 1");
        write("v2", b"the tables of version 2");
        for version in [1, 2] {
            write(
                CURRENT_FILE,
                &Current::of(folder.path(), version).unwrap().to_bytes(),
            );
            mend(folder.path(), 1).unwrap();
            assert_eq!(
                read(folder.path()).unwrap().map(|current| current.version),
                Some(1)
            );
        }
        write("v1", b"the tables of version 2");
        assert!(matches!(read(folder.path()), Err(Error::Corrupt { .. })));
    }
}
