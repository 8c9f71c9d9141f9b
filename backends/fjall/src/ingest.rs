//! An ingest: the engine's bulk ingestion, begun with the first entry.

use std::sync::Arc;

use backend::{Error, Ingest, Ingested, MAX_KEY_BYTES, MAX_VALUE_BYTES};
use lsm_tree::{AnyIngestion, AnyTree};
use self_cell::self_cell;

use crate::error::translate;
use crate::shared::{Open, Shared};

/// The writer, until it is finished.
type Writer<'tree> = Option<AnyIngestion<'tree>>;

self_cell!(
    struct OwnedWriter {
        owner: AnyTree,

        #[not_covariant]
        dependent: Writer,
    }
);

/// The one ingest of an engine.
pub(crate) struct FjallIngest {
    /// `None` before the first entry.
    writer: Option<OwnedWriter>,
    last_key: Vec<u8>,
    done: Ingested,
    failed: bool,
    shared: Arc<Shared>,
    open: Arc<Open>,
}

impl FjallIngest {
    pub(crate) fn new(shared: Arc<Shared>, open: Arc<Open>) -> Self {
        Self {
            writer: None,
            last_key: Vec::new(),
            done: Ingested::default(),
            failed: false,
            shared,
            open,
        }
    }

    fn add(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Error> {
        if self.failed {
            return Err(Error::IngestFailed);
        }
        let added = self.try_add(key, value);
        if added.is_err() {
            self.failed = true;
            self.shared.note(&added);
        }
        added
    }

    fn try_add(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Error> {
        let value_bytes = value.map_or(0, <[u8]>::len);
        if key.is_empty() || key.len() > MAX_KEY_BYTES {
            return Err(Error::KeyLength { bytes: key.len() });
        }
        if value_bytes > MAX_VALUE_BYTES {
            return Err(Error::ValueLength { bytes: value_bytes });
        }
        if key <= &self.last_key[..] {
            return Err(Error::OutOfOrder);
        }
        let writing = |error| translate("write an ingest", error);
        self.shared
            .faults
            .check()
            .map_err(|error| writing(error.into()))?;
        let writer = match &mut self.writer {
            Some(writer) => writer,
            empty => {
                let writer =
                    OwnedWriter::try_new(self.open.tree.clone(), |tree| tree.ingestion().map(Some));
                empty.insert(writer.map_err(writing)?)
            }
        };
        let written = writer.with_dependent_mut(|_, writer| match (writer, value) {
            (Some(writer), Some(value)) => writer.write(key, value),
            (Some(writer), None) => writer.write_tombstone(key),
            (None, _) => Ok(()),
        });
        written.map_err(writing)?;
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        self.done.bytes += (key.len() + value_bytes) as u64;
        match value {
            Some(_) => self.done.puts += 1,
            None => self.done.deletes += 1,
        }
        Ok(())
    }

    fn install(&mut self) -> Result<Ingested, Error> {
        let Some(writer) = &mut self.writer else {
            return Ok(self.done);
        };
        let installing = |error| translate("install an ingest", error);
        self.shared.install(&self.open, || {
            self.shared
                .faults
                .check()
                .map_err(|error| installing(error.into()))?;
            let finished =
                writer.with_dependent_mut(|_, writer| writer.take().map(AnyIngestion::finish));
            finished.unwrap_or(Ok(())).map_err(installing)
        })?;
        self.writer = None;
        Ok(self.done)
    }
}

impl Ingest for FjallIngest {
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<(), Error> {
        self.add(key, Some(value))
    }

    fn delete(&mut self, key: &[u8]) -> Result<(), Error> {
        self.add(key, None)
    }

    fn finish(mut self: Box<Self>) -> Result<Ingested, Error> {
        if self.failed {
            return Err(Error::IngestFailed);
        }
        let installed = self.install();
        self.shared.note(&installed);
        installed
    }

    fn abort(self: Box<Self>) {}
}

impl Drop for FjallIngest {
    fn drop(&mut self) {
        if self.writer.take().is_some() {
            self.shared.litter();
        }
        self.shared.end_ingest(&self.open);
    }
}
