//! The cluster as a value: schema, nodes, tablets, replicas; immutable and pure.
//!
//! ```text
//! local store ── LocalImage ──► load ──► ClusterState ── Arc ──► every shard, every request
//! ```
//!
//! A request loads the state once and uses it to its end; nothing here waits, locks or asks a clock.

mod image;
mod load;
mod own;
mod rows;
mod state;
mod tablet;

pub use image::LocalImage;
pub use load::{LoadError, SCHEMA_VERSION_KEY, load};
pub use own::{Program, own_rows, stored_tables};
pub use rows::{rows_of_delta, rows_of_keyspace};
pub use state::{ClusterState, LocalNode, SpacePlace};
pub use tablet::{Tablet, TabletMap, TabletMapError, TabletReplica};
