//! An ingest: a run that grows beside the version until it is installed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use backend::{Bytes, Error, Ingest, Ingested, MAX_KEY_BYTES, MAX_VALUE_BYTES};

use crate::disk::Operation;
use crate::engine::Shared;
use crate::run::{Cell, Run, Version};

/// The one ingest of an engine; dropping it gives its room back.
pub(crate) struct MemoryIngest {
    shared: Arc<Shared>,
    run: Run,
    last_key: Option<Bytes>,
    done: Ingested,
    failed: bool,
}

impl MemoryIngest {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            run: Run::default(),
            last_key: None,
            done: Ingested::default(),
            failed: false,
        }
    }

    fn add(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), Error> {
        if self.failed {
            return Err(Error::IngestFailed);
        }
        let added = self.try_add(key, value);
        self.failed = added.is_err();
        self.shared.note(&added);
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
        if self.last_key.as_ref().is_some_and(|last| key <= &last[..]) {
            return Err(Error::OutOfOrder);
        }
        self.shared.open()?;
        self.shared
            .disk
            .operate(&self.shared.lease, Operation::Put)?;
        let cell = Cell::new(key, value.map(Bytes::copy_from_slice));
        self.shared
            .disk
            .reserve(&self.shared.lease, cell.stored_bytes(key))?;
        let key = Bytes::copy_from_slice(key);
        self.last_key = Some(key.clone());
        self.done.bytes += (key.len() + value_bytes) as u64;
        match value {
            Some(_) => self.done.puts += 1,
            None => self.done.deletes += 1,
        }
        self.run.insert(key, cell);
        Ok(())
    }

    fn install(&mut self) -> Result<Ingested, Error> {
        self.shared.open()?;
        if self.run.is_empty() {
            return Ok(self.done);
        }
        let run = Arc::new(self.run.clone());
        self.shared
            .disk
            .install(&self.shared.lease, Operation::Install, 0, |version| {
                let mut runs = vec![run];
                runs.extend(version.runs.iter().cloned());
                Version { runs }
            })?;
        Ok(self.done)
    }
}

impl Ingest for MemoryIngest {
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
        if installed.is_ok() {
            self.shared.ingests.fetch_add(1, Ordering::Relaxed);
        }
        installed
    }

    fn abort(self: Box<Self>) {}
}

impl Drop for MemoryIngest {
    fn drop(&mut self) {
        self.shared
            .disk
            .release(&self.shared.lease, self.run.bytes());
        self.shared.ingesting.store(false, Ordering::Release);
    }
}
