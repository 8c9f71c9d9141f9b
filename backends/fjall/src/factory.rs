//! Opening databases: the options of the engine and what they are set to.

use std::sync::Arc;

use backend::{Capability, Engine, Error, Factory, GcHooks, OpenOptions};
use lsm_tree::config::{BlockSizePolicy, PinningPolicy};
use lsm_tree::{AbstractTree, Cache, Config, SequenceNumberCounter};

use crate::compact::{Filters, Shape};
use crate::directory::{Directory, create_durably, sync_folder};
use crate::discards::Discards;
use crate::engine::FjallEngine;
use crate::error::translate;
use crate::fault::FaultSwitch;
use crate::manifest;
use crate::shared::{Open, Shared};

/// Opens databases of fjall's engine.
#[derive(Clone, Debug)]
pub struct FjallFactory {
    block_bytes: u32,
    shape: Shape,
    faults: Arc<FaultSwitch>,
}

impl Default for FjallFactory {
    fn default() -> Self {
        Self {
            block_bytes: 4_096,
            shape: Shape::default(),
            faults: Arc::default(),
        }
    }
}

impl FjallFactory {
    /// Sets the size of data blocks, before compression; 4 KiB when not set.
    ///
    /// Larger blocks compress better and make point reads dearer.
    #[must_use]
    pub fn with_block_bytes(mut self, bytes: u32) -> Self {
        self.block_bytes = bytes.clamp(1_024, 1_024 * 1_024);
        self
    }

    /// Sets the size at which compactions cut table files; 64 MiB when not set.
    ///
    /// It is also the unit of a compaction step.
    #[must_use]
    pub fn with_table_bytes(mut self, bytes: u64) -> Self {
        self.shape.table_bytes = bytes.max(64 * 1_024);
        self
    }

    /// Lets a test refuse the writes of the engines that are opened from here on.
    #[must_use]
    pub fn with_faults(mut self, faults: Arc<FaultSwitch>) -> Self {
        self.faults = faults;
        self
    }

    /// As [`Factory::open`], with the type of the engine.
    ///
    /// # Errors
    /// As [`Factory::open`].
    pub fn open_engine(
        &self,
        options: &OpenOptions,
        hooks: Arc<dyn GcHooks>,
    ) -> Result<Arc<FjallEngine>, Error> {
        let directory = Arc::new(Directory::open(&options.directory)?);
        // The engine trusts the manifest; a changed byte in it must not get that far.
        manifest::read(&directory.path)?;
        create_durably(&directory.tables())
            .map_err(|error| Error::io("make the folder of tables", error))?;
        let discards = Discards::default();
        let cache = Arc::new(Cache::with_capacity_bytes(options.cache_bytes));
        let seqno = SequenceNumberCounter::default();
        let visible_seqno = SequenceNumberCounter::default();
        let filters = Filters::new(hooks, discards.clone(), self.faults.clone());
        let tree = Config::new(&directory.path, seqno.clone(), visible_seqno.clone())
            .use_cache(cache.clone())
            .data_block_size_policy(BlockSizePolicy::all(self.block_bytes))
            .index_block_partitioning_policy(PinningPolicy::all(true))
            .filter_block_partitioning_policy(PinningPolicy::all(true))
            .index_block_pinning_policy(PinningPolicy::disabled())
            .filter_block_pinning_policy(PinningPolicy::disabled())
            .with_compaction_filter_factory(Some(Arc::new(filters)))
            .open()
            .map_err(|error| translate("open the database", error))?;
        let next = tree.get_highest_seqno().map_or(0, |highest| highest + 1);
        seqno.set(next);
        visible_seqno.set(next);
        sync_folder(&directory.path)
            .map_err(|error| Error::io("sync the database folder", error))?;
        let open = Open { tree, directory };
        let shared = Shared::new(open, cache, discards, self.shape, self.faults.clone());
        Ok(Arc::new(FjallEngine::new(shared)))
    }
}

impl Factory for FjallFactory {
    fn name(&self) -> &'static str {
        "fjall"
    }

    fn capabilities(&self) -> &'static [Capability] {
        &[
            Capability::Persistent,
            Capability::Checksums,
            Capability::CheapCheckpoint,
        ]
    }

    fn open(
        &self,
        options: &OpenOptions,
        hooks: Arc<dyn GcHooks>,
    ) -> Result<Arc<dyn Engine>, Error> {
        Ok(self.open_engine(options, hooks)?)
    }
}
