//! Opening engines on a simulated disk.

use std::sync::Arc;

use backend::{Capability, Engine, Error, Factory, GcHooks, OpenOptions};

use crate::disk::MemoryDisk;
use crate::engine::MemoryEngine;

/// Opens engines on one [`MemoryDisk`].
#[derive(Clone, Debug, Default)]
pub struct MemoryFactory {
    disk: MemoryDisk,
}

impl MemoryFactory {
    /// A factory for a disk; keep a handle of the disk to crash it and to open its data again.
    #[must_use]
    pub fn new(disk: MemoryDisk) -> Self {
        Self { disk }
    }

    /// The disk of its engines.
    #[must_use]
    pub fn disk(&self) -> &MemoryDisk {
        &self.disk
    }
}

impl Factory for MemoryFactory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn capabilities(&self) -> &'static [Capability] {
        &[Capability::Checksums, Capability::CheapCheckpoint]
    }

    fn open(
        &self,
        options: &OpenOptions,
        hooks: Arc<dyn GcHooks>,
    ) -> Result<Arc<dyn Engine>, Error> {
        let (lease, occupant) = self.disk.open(&options.directory)?;
        Ok(Arc::new(MemoryEngine::new(
            self.disk.clone(),
            lease,
            occupant,
            hooks,
        )))
    }
}
