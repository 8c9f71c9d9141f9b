//! The cluster at one moment: what a request needs to know, loaded once and used to its end.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use cql_mutation::{ReadCommand, ReadResult};
use cql_schema::{Schema, Table};
use cql_types::{HostId, TableId, Token};

use crate::image::LocalImage;
use crate::tablet::TabletMap;

/// This node, as it presents itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalNode {
    /// Its id, made at the first start.
    pub host_id: HostId,
    /// The name of the cluster.
    pub cluster_name: String,
    /// Its data center.
    pub data_center: String,
    /// Its rack.
    pub rack: String,
    /// Where it listens for nodes.
    pub listen_address: IpAddr,
    /// Where it listens for clients.
    pub rpc_address: IpAddr,
    /// The port for clients.
    pub native_port: u16,
    /// How many shards it has.
    pub shards: u32,
    /// How many upper bits of a token do not count for the shard.
    pub ignore_msb: u8,
}

/// A range of tokens, both ends included, and the number of the space that holds its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpacePlace {
    /// The first token.
    pub first: Token,
    /// The last token.
    pub last: Token,
    /// The space.
    pub space: u32,
}

/// The cluster at one moment; immutable, replaced whole.
#[derive(Debug, Clone)]
pub struct ClusterState {
    /// Grows by one with each state that this process publishes.
    pub version: u64,
    /// All keyspaces, tables and types, the node's own included.
    pub schema: Schema,
    /// This node.
    pub local: Arc<LocalNode>,
    /// Which shard owns which tokens, of each user table.
    pub tablets: BTreeMap<TableId, TabletMap>,
    /// Which spaces hold the data of each user table on this node, by token.
    pub spaces: BTreeMap<TableId, Arc<[SpacePlace]>>,
    /// The content of the local and agreed tables.
    pub image: Arc<LocalImage>,
}

impl ClusterState {
    /// The shard of this node that owns a token of a table; `None` if the table is not kept in shards, or is gone.
    #[must_use]
    pub fn owner(&self, table: TableId, token: Token) -> Option<u32> {
        self.tablets
            .get(&table)?
            .shard_on(self.local.host_id, token)
    }

    /// The spaces of a table on this node.
    #[must_use]
    pub fn places(&self, table: TableId) -> Option<&Arc<[SpacePlace]>> {
        self.spaces.get(&table)
    }

    /// The space that holds a token of a table.
    #[must_use]
    pub fn space(&self, table: TableId, token: Token) -> Option<u32> {
        self.places(table)?
            .iter()
            .find(|place| place.first <= token && token <= place.last)
            .map(|place| place.space)
    }

    /// Answers a read of one of the node's own tables.
    #[must_use]
    pub fn read_own(&self, table: &Table, command: &ReadCommand) -> ReadResult {
        self.image.read(command, table)
    }
}
