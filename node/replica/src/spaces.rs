//! Spaces of user tables: made before a state names them, killed after no state does.

use std::fmt;

use node_cluster::ClusterState;
use node_storage::{Space, SpaceOptions, SpaceRange, Storage, StorageError};

/// Makes and kills spaces.
#[derive(Clone)]
pub struct Spaces {
    storage: Storage,
}

impl fmt::Debug for Spaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spaces").finish_non_exhaustive()
    }
}

impl Spaces {
    /// The spaces of a node's storage.
    #[must_use]
    pub fn new(storage: Storage) -> Self {
        Self { storage }
    }

    /// A number that no space ever had, durably.
    ///
    /// # Errors
    /// The engine's.
    ///
    /// # Cancel safety
    /// Safe; a number may be lost.
    pub async fn create(&self) -> Result<u32, StorageError> {
        Ok(self.storage.new_space().await?.0)
    }

    /// Gives up everything in a space: constant time; its bytes come back by compaction.
    ///
    /// # Errors
    /// The engine's; asking again is right.
    ///
    /// # Cancel safety
    /// Safe; the space may or may not be dead.
    pub async fn kill(&self, space: u32) -> Result<(), StorageError> {
        self.storage.kill(SpaceRange::whole(Space(space))).await
    }

    /// Tells storage how long the tombstones of each table are kept.
    pub fn configure(&self, state: &ClusterState) {
        let options = state.spaces.iter().flat_map(|(table, places)| {
            let gc_grace_s = state
                .schema
                .table_by_id(*table)
                .map(|table| table.options.gc_grace_seconds);
            places.iter().filter_map(move |place| {
                Some((
                    Space(place.space),
                    SpaceOptions {
                        gc_grace_s: gc_grace_s?,
                    },
                ))
            })
        });
        self.storage.set_space_options(options);
    }
}
