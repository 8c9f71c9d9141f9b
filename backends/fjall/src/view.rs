//! A view: the immutable tables of one version, and how a key is found in them.

use std::sync::Arc;

use backend::{Bytes, Error};
use lsm_tree::table::filter::standard_bloom::Builder as BloomBuilder;
use lsm_tree::{AbstractTree, AnyTree, SeqNo, Table};

use crate::directory::Directory;
use crate::discards::KeyRange;
use crate::error::translate;

/// Reads see all of a view: its tables are those of one version.
const EVERYTHING: SeqNo = SeqNo::MAX;

/// The tables of one version, the newest run first; in a run, tables are in key order and do not overlap.
///
/// The directory comes last: a deleted table unlinks its file when it drops, and must do so before the folder is free
/// for another engine, which may use the same file name again.
pub(crate) struct View {
    runs: Vec<Vec<Table>>,
    _directory: Arc<Directory>,
}

impl View {
    /// The tables of the tree's newest version. Waits for an install that is under way.
    pub(crate) fn of(tree: &AnyTree, directory: Arc<Directory>) -> Self {
        let version = tree.current_version();
        let levels = version.iter_levels();
        let runs = levels
            .flat_map(|level| level.iter())
            .map(|run| run.to_vec())
            .collect();
        Self {
            runs,
            _directory: directory,
        }
    }

    pub(crate) fn runs(&self) -> &[Vec<Table>] {
        &self.runs
    }

    pub(crate) fn tables(&self) -> impl Iterator<Item = &Table> {
        self.runs.iter().flatten()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.tables().map(table_bytes).sum()
    }

    /// The newest value of a key; newer runs hide older ones.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        if key.is_empty() {
            return Ok(None);
        }
        let hash = BloomBuilder::get_hash(key);
        for run in &self.runs {
            let Some(table) = table_for(run, key) else {
                continue;
            };
            let item = table
                .get(key, EVERYTHING, hash)
                .map_err(|error| translate("read a value", error))?;
            if let Some(item) = item {
                return Ok((!item.key.is_tombstone()).then(|| item.value.into()));
            }
        }
        Ok(None)
    }

    /// The tables that may hold keys of a range.
    pub(crate) fn overlapping(&self, range: &KeyRange) -> impl Iterator<Item = &Table> {
        self.tables().filter(|table| {
            range.overlaps(
                table.metadata.key_range.min(),
                table.metadata.key_range.max(),
            )
        })
    }
}

/// The table of a run that may hold a key.
fn table_for<'run>(run: &'run [Table], key: &[u8]) -> Option<&'run Table> {
    let index = run.partition_point(|table| table.metadata.key_range.max()[..] < *key);
    run.get(index)
        .filter(|table| table.metadata.key_range.min()[..] <= *key)
}

pub(crate) fn table_bytes(table: &Table) -> u64 {
    table.metadata.file_size
}

pub(crate) fn bytes_of<'table>(tables: impl Iterator<Item = &'table Table>) -> u64 {
    tables.map(table_bytes).sum()
}
