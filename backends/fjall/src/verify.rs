//! Verification: every byte of every file against the checksum that the manifest keeps.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use backend::{Error, VerifyReport};
use xxhash_rust::xxh3::Xxh3;

use crate::directory::Directory;
use crate::manifest;
use crate::view::View;

/// How much is read before looking whether to stop.
const CHUNK_BYTES: usize = 256 * 1024;

/// Checks the manifest and all files of a view.
pub(crate) fn verify(
    directory: &Directory,
    view: &View,
    cancel: &AtomicBool,
) -> Result<VerifyReport, Error> {
    let mut report = VerifyReport::default();
    match manifest::read(&directory.path) {
        Err(Error::Corrupt { what }) => report.damage.push(what),
        read => drop(read?),
    }
    for table in view.tables() {
        let checked =
            checksum(&table.path, cancel).map_err(|error| Error::io("verify a table", error))?;
        let Some((checksum, bytes)) = checked else {
            return Ok(report);
        };
        report.bytes += bytes;
        if checksum == table.checksum().into_u128() {
            report.entries += table.metadata.item_count;
        } else {
            let keys = &table.metadata.key_range;
            report.damage.push(format!(
                "table {} with keys {} to {} has another checksum",
                table.id(),
                keys.min().escape_ascii(),
                keys.max().escape_ascii()
            ));
        }
    }
    report.complete = !cancel.load(Ordering::Relaxed);
    Ok(report)
}

/// The checksum and length of a file; `None` when cancelled.
fn checksum(path: &Path, cancel: &AtomicBool) -> io::Result<Option<(u128, u64)>> {
    let mut file = File::open(path)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut hash = Xxh3::new();
    let mut bytes = 0;
    while !cancel.load(Ordering::Relaxed) {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(Some((hash.digest128(), bytes)));
        }
        hash.update(chunk.get(..read).unwrap_or_default());
        bytes += read as u64;
    }
    Ok(None)
}
