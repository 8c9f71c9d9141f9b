//! The local store: the tables that this node keeps for itself and those that the cluster agrees on.
//!
//! ```text
//! write ─► one frame of the local log ─► durable ─► image ─► whoever publishes it
//! ```
//!
//! It is a storage instance with a log of its own, always synced before a write is answered, replayed before any shard's.
//! The whole content is kept in memory as an immutable image; the store below is its durable form, read once, at boot.
//! Each table has a space of its own, with a number that follows from its place in the list of tables.

use std::fmt;
use std::sync::Arc;

use cql_mutation::{Mutation, PageLimit, Partitions, ReadCommand};
use cql_schema::Table;
use cql_types::TableId;
use node_cluster::LocalImage;
use node_storage::{LogError, ShardStore, Space, SpaceRange, StorageError, WriteBatch, WriteError};

/// Rows that one step of reading the tables at boot takes.
const BOOT_PAGE_ROWS: u64 = 10_000;

/// A table of the local store, and the number of its space.
#[derive(Debug, Clone)]
pub struct LocalTable {
    /// The table.
    pub table: Arc<Table>,
    /// The number of its space: below those that are handed out, and never given to another table.
    pub space: u32,
}

/// The local tables of a node, on its control task.
pub struct LocalStore {
    store: ShardStore,
    tables: Vec<LocalTable>,
    image: Arc<LocalImage>,
}

/// Why the local store failed.
#[derive(Debug)]
pub enum LocalStoreError {
    /// A write names a table that is not local.
    NotLocal(TableId),
    /// The write was refused; nothing has changed.
    Refused(WriteError),
    /// The log failed: the write may be there after a restart, and may not.
    Unknown(LogError),
    /// The tables could not be read.
    Read(StorageError),
}

impl fmt::Display for LocalStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLocal(table) => write!(f, "table {} is not one of the node's own", table.0),
            Self::Refused(error) => write!(f, "the local store refused a write: {error}"),
            Self::Unknown(error) => write!(f, "the local store may have lost a write: {error}"),
            Self::Read(error) => write!(f, "the local store cannot be read: {error}"),
        }
    }
}

impl std::error::Error for LocalStoreError {}

impl LocalStore {
    /// Reads all tables of an opened store.
    ///
    /// # Errors
    /// [`LocalStoreError::Read`].
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn load(store: ShardStore, tables: Vec<LocalTable>) -> Result<Self, LocalStoreError> {
        let mut image = LocalImage::default();
        for LocalTable { table, space } in &tables {
            let everything = Partitions::Range {
                start: std::ops::Bound::Unbounded,
                end: std::ops::Bound::Unbounded,
            };
            let mut command = ReadCommand::all_of(table, everything, 0);
            command.page = PageLimit {
                rows: BOOT_PAGE_ROWS,
                ..PageLimit::NONE
            };
            let places = [SpaceRange::whole(Space(*space))];
            loop {
                let answer = store
                    .read(table, &command, &places)
                    .await
                    .map_err(LocalStoreError::Read)?;
                image.load(table.id, &answer.result);
                match answer.result.more {
                    Some(more) => command.resume = Some(more),
                    None => break,
                }
            }
        }
        Ok(Self {
            store,
            tables,
            image: Arc::new(image),
        })
    }

    /// The store with rows that only the image has: what the node says of itself anew at every start.
    #[must_use]
    pub fn with_own(mut self, mutations: Vec<Mutation>) -> Self {
        self.image = Arc::new(self.image.with(&mutations));
        self
    }

    /// The content at this moment.
    #[must_use]
    pub fn image(&self) -> &Arc<LocalImage> {
        &self.image
    }

    /// The store, for its upkeep.
    #[must_use]
    pub fn store(&self) -> &ShardStore {
        &self.store
    }

    /// Writes mutations as one frame: after a crash all of them are there or none.
    /// The image has them when this returns.
    ///
    /// # Errors
    /// [`LocalStoreError`] says whether they may have been applied.
    ///
    /// # Cancel safety
    /// Not safe: the image may miss what the log has.
    pub async fn write(&mut self, mutations: Vec<Mutation>) -> Result<(), LocalStoreError> {
        if mutations.is_empty() {
            return Ok(());
        }
        let mut placed = Vec::with_capacity(mutations.len());
        for mutation in &mutations {
            let space = self
                .tables
                .iter()
                .find(|local| local.table.id == mutation.table)
                .map(|local| Space(local.space))
                .ok_or(LocalStoreError::NotLocal(mutation.table))?;
            placed.push((space, mutation.clone()));
        }
        // All times in these tables are the node's own. The next start goes on above them, whatever the wall clock says then:
        // a row of the log of group 0 that is older than its predecessor's deletion would be lost.
        let assigned = mutations
            .iter()
            .filter_map(|mutation| mutation.update.max_timestamp())
            .max();
        let batch = WriteBatch {
            mutations: placed,
            assigned,
        };
        let bytes = batch.encoded_len();
        self.store
            .admit(bytes)
            .await
            .map_err(LocalStoreError::Refused)?;
        let position = self.store.apply(batch).map_err(LocalStoreError::Refused)?;
        self.store
            .durable(position)
            .await
            .map_err(LocalStoreError::Unknown)?;
        self.image = Arc::new(self.image.with(&mutations));
        Ok(())
    }
}
