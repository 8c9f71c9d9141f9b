//! Snapshots and scans: an immutable version and the right to read it.

use std::ops::Bound;
use std::sync::Arc;

use backend::{Bytes, Direction, Entry, Error, Scan, Snapshot};

use crate::disk::{Lease, MemoryDisk, Occupant, Operation};
use crate::run::{Range, Version};

/// The map at one moment.
#[derive(Clone)]
pub(crate) struct MemorySnapshot {
    pub(crate) disk: MemoryDisk,
    pub(crate) lease: Arc<Lease>,
    /// `None` when the engine was closed or the machine had crashed when it was taken.
    pub(crate) version: Option<(Arc<Version>, Arc<Occupant>)>,
}

impl MemorySnapshot {
    fn version(&self) -> Result<&Arc<Version>, Error> {
        self.disk.operate(&self.lease, Operation::Read)?;
        self.version
            .as_ref()
            .map(|(version, _)| version)
            .ok_or(Error::Closed)
    }
}

impl Snapshot for MemorySnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        self.version()?.get(key)
    }

    fn multi_get(&self, keys: &[&[u8]], out: &mut Vec<Option<Bytes>>) -> Result<(), Error> {
        for key in keys {
            out.push(self.get(key)?);
        }
        Ok(())
    }

    fn scan(
        &self,
        start: Bound<&[u8]>,
        end: Bound<&[u8]>,
        direction: Direction,
    ) -> Result<Box<dyn Scan>, Error> {
        self.version()?;
        Ok(Box::new(MemoryScan {
            snapshot: self.clone(),
            rest: Some(Range::new(start, end)),
            direction,
        }))
    }
}

/// A scan: the part of the range that is still to come, `None` after the end or an error.
struct MemoryScan {
    snapshot: MemorySnapshot,
    rest: Option<Range>,
    direction: Direction,
}

impl MemoryScan {
    fn step(&mut self, rest: &mut Range) -> Result<Option<Entry>, Error> {
        let version = self.snapshot.version()?;
        while let Some((key, cell)) = version.edge(rest, self.direction) {
            let value = cell.check(key)?;
            rest.advance(key.clone(), self.direction);
            if let Some(value) = value {
                return Ok(Some((key.clone(), value.clone())));
            }
        }
        Ok(None)
    }
}

impl Scan for MemoryScan {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        let Some(mut rest) = self.rest.take() else {
            return Ok(None);
        };
        let entry = self.step(&mut rest)?;
        if entry.is_some() {
            self.rest = Some(rest);
        }
        Ok(entry)
    }
}
