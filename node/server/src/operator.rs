//! The node as operators see it: status, flush and compaction for REST and metrics.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backend::{Goal, Health, Progress};
use cql_schema::{KeyspaceKind, Replication};
use node_api::{
    EngineHealth, EngineStatus, Group0State, KeyspaceOwner, Liveness, LogStatus, MergerStatus,
    Mode, NodeStatus, Operator, OperatorError, OptionKind, OptionRow, Placement, ProcessStatus,
    ReplayStatus, RequestStatus, SchemaStatus, ShardStatus, StatementStatus, StorageStatus,
    StoreStatus, Target,
};
use node_cluster::ClusterState;
use node_config::Config;
use node_env::{Env, Published, offload};
use node_query::{RequestCounters, StatementCache};
use node_replica::{ShardHandle, ShardSizes};
use node_storage::Storage;

use crate::boot::{PROGRAM, VERSIONS};

/// A boxed future that may be dropped.
type Later<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;

/// What the operator's view of a node is made of.
pub(crate) struct NodeOperator {
    pub(crate) env: Env,
    pub(crate) storage: Storage,
    pub(crate) shards: Vec<ShardHandle>,
    pub(crate) counters: Vec<Arc<RequestCounters>>,
    pub(crate) published: Arc<Published<ClusterState>>,
    pub(crate) statements: StatementCache,
    pub(crate) config: Arc<Config>,
    pub(crate) started: Duration,
    pub(crate) stopping: Arc<AtomicBool>,
    /// The store of the node's own tables, as control saw it lately.
    pub(crate) local_status: Arc<Published<StoreStatus>>,
}

impl Operator for NodeOperator {
    fn mode(&self) -> Mode {
        match self.stopping.load(Ordering::Relaxed) {
            true => Mode::Draining,
            false => Mode::Normal,
        }
    }

    fn uptime(&self) -> Duration {
        self.env.clock.monotonic().saturating_sub(self.started)
    }

    fn native_transport(&self) -> bool {
        self.mode() == Mode::Normal
    }

    fn identity(&self) -> Result<node_api::Identity, OperatorError> {
        let state = self.published.load();
        let local = &state.local;
        let (token, _) = local.host_id.0.as_u64_pair();
        Ok(node_api::Identity {
            host_id: local.host_id.0.to_string(),
            cluster_name: local.cluster_name.clone(),
            release_version: VERSIONS.release.to_owned(),
            program_version: PROGRAM.version.to_owned(),
            schema_version: state.schema.version().to_string(),
            partitioner: "org.apache.cassandra.dht.Murmur3Partitioner".to_owned(),
            snitch: "SimpleSnitch".to_owned(),
            address: local.listen_address,
            native: (local.rpc_address, local.native_port),
            tokens: vec![token.cast_signed()],
        })
    }

    fn endpoints(&self) -> Result<Vec<node_api::Endpoint>, OperatorError> {
        let state = self.published.load();
        let local = &state.local;
        let address: IpAddr = local.listen_address;
        Ok(vec![node_api::Endpoint {
            address,
            host_id: local.host_id.0.to_string(),
            data_center: local.data_center.clone(),
            rack: local.rack.clone(),
            liveness: Liveness::Up,
        }])
    }

    fn keyspaces(&self) -> Result<Vec<node_api::Keyspace>, OperatorError> {
        let state = self.published.load();
        Ok(state
            .schema
            .keyspaces()
            .map(|keyspace| node_api::Keyspace {
                name: keyspace.name.to_string(),
                owner: match keyspace.kind {
                    KeyspaceKind::User => KeyspaceOwner::User,
                    KeyspaceKind::System | KeyspaceKind::Virtual => KeyspaceOwner::System,
                },
                placement: match (&keyspace.replication, keyspace.kind) {
                    (Replication::Everywhere, KeyspaceKind::User) => Placement::Tablets,
                    (Replication::Everywhere, _) => Placement::Everywhere,
                    (Replication::Local, _) => Placement::Local,
                    (Replication::Simple { .. } | Replication::NetworkTopology { .. }, _) => {
                        Placement::Tablets
                    }
                },
                tables: keyspace.tables.keys().map(ToString::to_string).collect(),
            })
            .collect())
    }

    fn options(&self) -> Vec<OptionRow> {
        self.config
            .rows()
            .into_iter()
            .map(|row| OptionRow {
                name: row.name.to_owned(),
                kind: match row.kind {
                    _ if row.value.parse::<f64>().is_ok() => OptionKind::Number,
                    _ if row.value.parse::<bool>().is_ok() => OptionKind::Flag,
                    _ => OptionKind::Text,
                },
                value: row.value,
                source: row.source.to_owned(),
                doc: node_config::spec(row.name)
                    .map_or_else(String::new, |spec| spec.doc.to_owned()),
            })
            .collect()
    }

    fn status(&self) -> Later<NodeStatus> {
        let shards = self.shards.clone();
        let counters = self.counters.clone();
        let published = Arc::clone(&self.published);
        let storage = self.storage.clone();
        let local_status = Arc::clone(&self.local_status);
        let (mode, uptime, prepared) = (self.mode(), self.uptime(), self.statements.len());
        Box::pin(async move {
            let state = published.load();
            let mut statuses = Vec::with_capacity(shards.len());
            for (handle, counters) in shards.iter().zip(&counters) {
                if let Some(sizes) = handle.sizes().await {
                    statuses.push(shard_status(&sizes, counters, &state));
                }
            }
            NodeStatus {
                mode,
                uptime_ms: u64::try_from(uptime.as_millis()).unwrap_or(u64::MAX),
                shards: statuses,
                local_store: StoreStatus::clone(&local_status.load()),
                storage: storage_status(&storage),
                schema: SchemaStatus {
                    group0: Group0State::Normal,
                    keyspaces: state.schema.keyspaces().len() as u64,
                    tables: state.schema.tables().len() as u64,
                    version_changes: state.version,
                },
                statements: StatementStatus { prepared },
                process: ProcessStatus::read(|path| std::fs::read_to_string(path).ok()),
            }
        })
    }

    fn flush(&self, target: Target) -> Later<Result<(), OperatorError>> {
        let shards = self.shards.clone();
        let known = self.known(&target);
        Box::pin(async move {
            known?;
            // A memtable holds all tables of its shard, so a flush of one is a flush of all.
            for shard in &shards {
                shard.flush().await.map_err(|error| OperatorError::Failed {
                    why: error.to_string(),
                })?;
            }
            Ok(())
        })
    }

    fn compact(&self, target: Target) -> Later<Result<(), OperatorError>> {
        let flush = self.flush(target);
        let engine = Arc::clone(self.storage.engine());
        let spawn = Arc::clone(&self.env.spawn);
        Box::pin(async move {
            flush.await?;
            let done = offload(&spawn, "compact", move || engine.compact(Goal::Everything)).await;
            match done {
                Ok(Ok(Progress::Idle | Progress::Worked { .. })) => Ok(()),
                Ok(Err(error)) => Err(OperatorError::Failed {
                    why: error.to_string(),
                }),
                Err(error) => Err(OperatorError::Failed {
                    why: error.to_string(),
                }),
            }
        })
    }
}

impl NodeOperator {
    /// Refuses a keyspace or table that is not there.
    fn known(&self, target: &Target) -> Result<(), OperatorError> {
        let state = self.published.load();
        let keyspace = |name: &String| {
            state
                .schema
                .keyspace(name)
                .ok_or_else(|| OperatorError::UnknownKeyspace(name.clone()))
        };
        match target {
            Target::Node => Ok(()),
            Target::Keyspace(name) => keyspace(name).map(|_| ()),
            Target::Tables {
                keyspace: name,
                tables,
            } => {
                let keyspace = keyspace(name)?;
                match tables
                    .iter()
                    .find(|table| !keyspace.tables.contains_key(table.as_str()))
                {
                    None => Ok(()),
                    Some(table) => Err(OperatorError::UnknownTable {
                        keyspace: name.clone(),
                        table: table.clone(),
                    }),
                }
            }
        }
    }
}

fn shard_status(
    sizes: &ShardSizes,
    requests: &RequestCounters,
    state: &ClusterState,
) -> ShardStatus {
    let tablets = state
        .tablets
        .values()
        .flat_map(|map| map.tablets())
        .flat_map(|tablet| &tablet.replicas)
        .filter(|replica| replica.shard == sizes.shard)
        .count();
    ShardStatus {
        shard: sizes.shard,
        tablets: tablets as u64,
        requests: RequestStatus {
            connections: requests.connections(),
            connections_accepted: requests.accepted(),
            requests: requests.requests(),
            serving: requests.serving(),
            errors: requests.errors(),
        },
        store: store_status(&sizes.status, &sizes.store, &sizes.log),
    }
}

/// A store as REST and metrics show it.
pub(crate) fn store_status(
    status: &node_storage::StoreStatus,
    store: &node_storage::ShardStats,
    log: &node_storage::LogStats,
) -> StoreStatus {
    StoreStatus {
        writes: store.writes,
        mutations: store.mutations,
        refused: store.refused,
        delayed: store.delayed,
        reads: store.reads,
        reads_at_once: store.reads_at_once,
        rows_visited: store.rows_visited,
        memtable_bytes: status.unflushed_bytes,
        sealed_memtables: status.sealed_memtables as u64,
        seals: store.seals,
        flushes: store.flushes,
        flush_failures: store.flush_failures,
        waiting: status.waiting as u64,
        log: LogStatus {
            disk_bytes: status.log_bytes,
            frames: log.frames,
            frame_bytes: log.bytes,
            syncs: log.syncs,
            waits: log.waits,
            segments_made: log.segments_made,
            segments_recycled: log.segments_recycled,
            segments_removed: log.segments_removed,
            accepted_position: status.accepted.0,
            durable_position: status.durable.0,
        },
        failure: status.failure.clone(),
    }
}

fn storage_status(storage: &Storage) -> StorageStatus {
    let engine = storage.engine().stats();
    let node = storage.stats();
    StorageStatus {
        engine: EngineStatus {
            health: match storage.engine().health() {
                Health::Ok => EngineHealth::Ok,
                Health::ReadOnly { reason } => EngineHealth::ReadOnly { reason },
                Health::Failed { reason } => EngineHealth::Failed { reason },
            },
            disk_bytes: engine.disk_bytes,
            files: engine.files,
            entries: engine.entries,
            runs: engine.runs,
            cache_bytes: engine.cache_bytes,
            pinned_bytes: engine.pinned_bytes,
            pending_discards: engine.pending_discards,
            ingests: engine.ingests,
            compactions: engine.compactions,
            compaction_written_bytes: engine.compaction_written_bytes,
        },
        merger: MergerStatus {
            merges: node.merges,
            rows_merged: node.rows_merged,
            rows_with_older: node.rows_with_older,
            rows_dropped: node.rows_dropped,
            rows_shadowed: node.rows_shadowed,
            tombstones_purged: node.tombstones_purged,
            bytes_written: node.bytes_written,
            flush_skipped_dead: node.flush_skipped_dead,
            reclaimed_entries: node.reclaimed_entries,
            rows_purged_by_compaction: node.rows_purged_by_compaction,
            compactions: node.compactions,
            compaction_failures: node.compaction_failures,
        },
        replay: ReplayStatus {
            frames: node.replayed_frames,
            bytes: node.replayed_bytes,
            skipped_dead: node.replay_skipped_dead,
        },
    }
}

/// Levels of the log, by the part of the program that writes to it.
pub(crate) struct LogFilter {
    levels: std::sync::Mutex<BTreeMap<String, node_api::LogLevel>>,
    apply: Box<dyn Fn(&str) + Send + Sync>,
}

/// The parts of the program that write to the log.
const LOGGERS: &[&str] = &[
    "messina",
    "node_api",
    "node_coordinator",
    "node_group0",
    "node_query",
    "node_raft",
    "node_replica",
    "node_storage",
];

impl LogFilter {
    /// All parts at one level; `apply` takes a filter such as `node_storage=debug,messina=info`.
    pub(crate) fn new(level: node_api::LogLevel, apply: Box<dyn Fn(&str) + Send + Sync>) -> Self {
        let levels = LOGGERS
            .iter()
            .map(|name| ((*name).to_owned(), level))
            .collect();
        Self {
            levels: std::sync::Mutex::new(levels),
            apply,
        }
    }
}

impl node_api::LogLevels for LogFilter {
    fn levels(&self) -> BTreeMap<String, node_api::LogLevel> {
        let levels = self.levels.lock();
        levels
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }

    fn set(
        &self,
        which: node_api::Loggers<'_>,
        level: node_api::LogLevel,
    ) -> Result<(), node_api::UnknownLogger> {
        let levels = self.levels.lock();
        let mut levels = levels.unwrap_or_else(std::sync::PoisonError::into_inner);
        match which {
            node_api::Loggers::All => levels.values_mut().for_each(|old| *old = level),
            node_api::Loggers::One(name) => match levels.get_mut(name) {
                Some(old) => *old = level,
                None => {
                    return Err(node_api::UnknownLogger {
                        name: name.to_owned(),
                    });
                }
            },
        }
        let filter: Vec<String> = levels
            .iter()
            .map(|(name, level)| format!("{name}={}", format!("{level:?}").to_lowercase()))
            .collect();
        (self.apply)(&filter.join(","));
        Ok(())
    }
}
