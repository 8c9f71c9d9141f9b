//! Starts the agreed log: founds it on a new node, takes it up on an old one.

use std::fmt;

use cql_types::{HostId, Uuid, WriteTime};
use node_cluster::{LocalImage, load};
use node_env::{Deadline, Rng, SeededRng};
use node_raft::{Driver, GroupId, GroupState, Members, Settings};
use system_tables::types::{BootstrapState, NodeState};
use system_tables::{Change, Group0 as Agreed, Local, TableError, system};
use tokio::sync::mpsc;

use crate::group::{Fatal, Group0, Parts};
use crate::handle::{ChangeTimeouts, Group0Handle, Request, Wanted};
use crate::ids::next_state_id;
use crate::raft_rows::{first_rows, member_of, read_state};

/// The key of the group's id.
const GROUP_KEY: &str = "raft_group0_id";

/// Why the agreed log cannot be started.
#[derive(Debug)]
pub struct StartError {
    why: String,
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for StartError {}

impl From<Fatal> for StartError {
    fn from(error: Fatal) -> Self {
        Self {
            why: error.to_string(),
        }
    }
}

impl From<TableError> for StartError {
    fn from(error: TableError) -> Self {
        Self {
            why: error.to_string(),
        }
    }
}

/// The versions that a node says it has.
#[derive(Debug, Clone, Copy)]
pub struct Versions {
    /// What drivers branch on.
    pub release: &'static str,
    /// Of CQL.
    pub cql: &'static str,
    /// Of the native protocol.
    pub protocol: &'static str,
}

/// The agreed log and the queue that it serves.
pub struct Running {
    group0: Group0,
    requests: mpsc::Receiver<Request>,
}

/// The id that this node was given at its first start; `None` if this is the first.
///
/// # Errors
/// The table of the node itself is damaged.
pub fn kept_host_id(image: &LocalImage) -> Result<Option<HostId>, TableError> {
    let key = system::local::Key {
        key: "local".to_owned(),
    };
    Ok(system::local::read(image, &key)?.map(|row| HostId(row.host_id)))
}

/// The name of the cluster that this node belongs to; `None` at its first start.
///
/// # Errors
/// The table of the node itself is damaged.
pub fn kept_cluster_name(image: &LocalImage) -> Result<Option<String>, TableError> {
    let key = system::local::Key {
        key: "local".to_owned(),
    };
    Ok(system::local::read(image, &key)?.map(|row| row.cluster_name))
}

/// A host id for a new node: a random uuid.
#[must_use]
pub fn new_host_id(rng: &mut SeededRng) -> HostId {
    let bits = (u128::from(rng.next_u64()) << 64) | u128::from(rng.next_u64());
    let versioned = (bits & !(0xf << 76)) | (0x4 << 76);
    HostId(Uuid::from_u128((versioned & !(0x3 << 62)) | (0x2 << 62)))
}

/// Starts the agreed log and publishes the first state.
///
/// # Errors
/// The local tables are damaged or cannot be written.
///
/// # Cancel safety
/// Not safe: start the node again.
pub async fn start(
    mut parts: Parts,
    versions: &Versions,
    timeouts: ChangeTimeouts,
) -> Result<(Running, Group0Handle), StartError> {
    let host = parts.local.host_id;
    let Some(member) = member_of(host) else {
        return Err(StartError {
            why: format!("the host id {} cannot be a member", host.0),
        });
    };
    let image = parts.store.image();
    let at = WriteTime(parts.clock.write_time());
    let mut rows = node_rows(&parts, versions, at);
    let kept = kept_group(image)?;
    let group = match kept {
        Some(group) => group,
        None => {
            let id = next_state_id(&parts.clock, &mut parts.rng, None);
            let group = GroupId(id.as_u128());
            let state = GroupState::first(Members::of_voters([member]));
            rows.add(first_rows(group, host, &state, at));
            let key = system::scylla_local::Key {
                key: GROUP_KEY.to_owned(),
            };
            rows.add(system::scylla_local::set_value(&key, &id.to_string(), at));
            group
        }
    };
    let mut mutations = rows.into_mutations()?;
    mutations.extend(topology_rows(&parts, versions, at).into_mutations()?);
    parts.store.write(mutations).await.map_err(Fatal::from)?;

    let state = read_state(parts.store.image(), group, host)?.ok_or_else(|| StartError {
        why: format!("group 0 [{group}] is named but not there; restore the node from a backup"),
    })?;
    let (snapshot_index, applied) = (state.snapshot.index, state.applied);
    let mut driver = Driver::new(Settings::default(), parts.rng.fork("raft"));
    driver
        .start(group, member, state)
        .map_err(|error| StartError {
            why: error.to_string(),
        })?;
    let first = load(parts.store.image().clone(), parts.local.clone(), None).map_err(|error| {
        StartError {
            why: error.to_string(),
        }
    })?;
    parts.spaces.configure(&first);
    parts.published.publish(first);
    let mut group0 = Group0::new(parts, driver, group, snapshot_index, applied);
    group0.find_doomed()?;
    // Entries that were committed and not applied are applied now.
    group0
        .drive(None)
        .await?
        .map_err(|why| StartError { why })?;
    let redealt = group0
        .change(
            &Wanted::Redeal,
            "deal tablets to the shards of this start",
            Deadline::after(timeouts.change),
        )
        .await;
    redealt.map_err(|error| StartError {
        why: error.to_string(),
    })?;
    group0.bury().await;
    let (handle, requests) = Group0Handle::new(timeouts);
    Ok((Running { group0, requests }, handle))
}

impl Running {
    /// Serves changes until every handle is gone.
    ///
    /// # Cancel safety
    /// A change under way may have been made.
    pub async fn run(mut self) {
        while let Some(request) = self.requests.recv().await {
            self.group0.serve(request).await;
        }
        tracing::debug!(host = %self.group0.host().0, "the agreed log has no more users");
    }

    /// The node's own tables, for their upkeep.
    #[must_use]
    pub fn store(&self) -> &node_replica::LocalStore {
        &self.group0.parts.store
    }
}

fn kept_group(image: &LocalImage) -> Result<Option<GroupId>, StartError> {
    let key = system::scylla_local::Key {
        key: GROUP_KEY.to_owned(),
    };
    let Some(row) = system::scylla_local::read(image, &key)? else {
        return Ok(None);
    };
    let id = Uuid::parse_str(&row.value).map_err(|error| StartError {
        why: format!("the id of group 0 is kept as {:?}: {error}", row.value),
    })?;
    Ok(Some(GroupId(id.as_u128())))
}

/// What the node says of itself.
fn node_rows(parts: &Parts, versions: &Versions, at: WriteTime) -> Change<Local> {
    let local = &parts.local;
    let key = system::local::Key {
        key: "local".to_owned(),
    };
    let seconds = i32::try_from(at.0.div_euclid(1_000_000)).ok();
    let kept = system::local::read(&**parts.store.image(), &key)
        .ok()
        .flatten();
    let row = system::local::Row {
        bootstrapped: Some(BootstrapState::Completed),
        broadcast_address: local.listen_address,
        cluster_name: local.cluster_name.clone(),
        cql_version: versions.cql.to_owned(),
        data_center: local.data_center.clone(),
        gossip_generation: seconds,
        host_id: local.host_id.0,
        listen_address: local.listen_address,
        native_protocol_version: versions.protocol.to_owned(),
        partitioner: "org.apache.cassandra.dht.Murmur3Partitioner".to_owned(),
        rack: local.rack.clone(),
        release_version: versions.release.to_owned(),
        rpc_address: local.rpc_address,
        schema_version: kept.as_ref().map_or(Uuid::nil(), |row| row.schema_version),
        supported_features: None,
        tokens: tokens(local.host_id),
        truncated_at: Default::default(),
    };
    system::local::upsert(&key, &row, at)
}

/// The one token of a node, as drivers want to see one: data is placed by tablets.
fn tokens(host: HostId) -> std::collections::BTreeSet<String> {
    let (first, _) = host.0.as_u64_pair();
    std::iter::once(first.cast_signed().to_string()).collect()
}

fn topology_rows(parts: &Parts, versions: &Versions, at: WriteTime) -> Change<Agreed> {
    let local = &parts.local;
    let key = system::topology::Key {
        key: "topology".to_owned(),
    };
    let row = system::topology::Row {
        host_id: local.host_id.0,
        cleanup_status: None,
        datacenter: local.data_center.clone(),
        ignore_msb: i32::from(local.ignore_msb),
        intended_storage_mode: None,
        node_state: NodeState::Normal,
        num_tokens: 1,
        rack: local.rack.clone(),
        rebuild_option: None,
        release_version: versions.release.to_owned(),
        replaced_id: None,
        request_id: None,
        shard_count: i32::try_from(local.shards).unwrap_or(i32::MAX),
        supported_features: Default::default(),
        tokens: tokens(local.host_id),
        tokens_string: None,
        topology_request: None,
    };
    let mut change = system::topology::upsert(&key, &row, at);
    change.add(system::topology::set_version(&key, 1, at));
    change.add(system::topology::set_fence_version(&key, 1, at));
    change
}
