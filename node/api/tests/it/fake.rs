//! A node made of constants, which remembers what was asked of it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, ready};
use node_api::{
    Endpoint, EngineHealth, EngineStatus, Group0State, Identity, Keyspace, KeyspaceOwner, Liveness,
    LogLevel, LogLevels, LogStatus, Loggers, MergerStatus, Mode, NodeStatus, Operator,
    OperatorError, OptionKind, OptionRow, Placement, ProcessStatus, ReplayStatus, RequestStatus,
    SchemaStatus, Services, ShardStatus, StatementStatus, StorageStatus, StoreStatus, Target,
    UnknownLogger,
};
use node_env::Injections;
use node_env::injection::Point;

/// How the fake node behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It answers.
    Serves,
    /// It boots.
    Boots,
    /// It never answers what takes time.
    Hangs,
    /// Its work fails.
    Fails,
}

/// A node made of constants.
pub(crate) struct FakeNode {
    pub(crate) mood: Mood,
    /// Work that it was asked for, in order.
    pub(crate) asked: Mutex<Vec<String>>,
}

impl FakeNode {
    pub(crate) fn new(mood: Mood) -> Arc<Self> {
        let asked = Mutex::default();
        Arc::new(Self { mood, asked })
    }

    fn known<T>(&self, value: T) -> Result<T, OperatorError> {
        match self.mood {
            Mood::Boots => Err(OperatorError::Starting),
            Mood::Serves | Mood::Hangs | Mood::Fails => Ok(value),
        }
    }

    fn work(&self, name: &str, target: &Target) -> BoxFuture<'static, Result<(), OperatorError>> {
        self.asked.lock().unwrap().push(format!("{name} {target}"));
        let why = "no space left on the device; free some".to_owned();
        match self.mood {
            Mood::Serves => ready(Ok(())).boxed(),
            Mood::Boots => ready(Err(OperatorError::Starting)).boxed(),
            Mood::Hangs => pending().boxed(),
            Mood::Fails => ready(Err(OperatorError::Failed { why })).boxed(),
        }
    }
}

impl Operator for FakeNode {
    fn mode(&self) -> Mode {
        match self.mood {
            Mood::Boots => Mode::Starting,
            Mood::Serves | Mood::Hangs | Mood::Fails => Mode::Normal,
        }
    }

    fn uptime(&self) -> Duration {
        Duration::from_millis(90_061_007)
    }

    fn native_transport(&self) -> bool {
        self.mood != Mood::Boots
    }

    fn identity(&self) -> Result<Identity, OperatorError> {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.known(Identity {
            host_id: "11111111-2222-4333-8444-555555555555".to_owned(),
            cluster_name: "Test <1>".to_owned(),
            release_version: "3.0.8".to_owned(),
            program_version: "0.1.0".to_owned(),
            schema_version: "aaaaaaaa-bbbb-1ccc-8ddd-eeeeeeeeeeee".to_owned(),
            partitioner: "org.apache.cassandra.dht.Murmur3Partitioner".to_owned(),
            snitch: "org.apache.cassandra.locator.SimpleSnitch".to_owned(),
            address,
            native: (address, 9_042),
            tokens: vec![i64::MIN, 0, i64::MAX],
        })
    }

    fn endpoints(&self) -> Result<Vec<Endpoint>, OperatorError> {
        let endpoint = |last, liveness, host_id: &str| Endpoint {
            address: IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)),
            host_id: host_id.to_owned(),
            data_center: "datacenter1".to_owned(),
            rack: format!("rack{last}"),
            liveness,
        };
        self.known(vec![
            endpoint(1, Liveness::Up, "11111111-2222-4333-8444-555555555555"),
            endpoint(2, Liveness::Down, "22222222-2222-4333-8444-555555555555"),
        ])
    }

    fn keyspaces(&self) -> Result<Vec<Keyspace>, OperatorError> {
        let keyspace = |name: &str, owner, placement, tables: &[&str]| Keyspace {
            name: name.to_owned(),
            owner,
            placement,
            tables: tables.iter().map(|&table| table.to_owned()).collect(),
        };
        let (system, user) = (KeyspaceOwner::System, KeyspaceOwner::User);
        self.known(vec![
            keyspace("shop", user, Placement::Tablets, &["items", "orders"]),
            keyspace("system", system, Placement::Local, &["local", "peers"]),
            keyspace("system_shared", system, Placement::Everywhere, &["roles"]),
        ])
    }

    fn options(&self) -> Vec<OptionRow> {
        let row = |name: &str, value: &str, kind, source: &str, doc: &str| OptionRow {
            name: name.to_owned(),
            value: value.to_owned(),
            kind,
            source: source.to_owned(),
            doc: doc.to_owned(),
        };
        vec![
            row(
                "api_port",
                "10000",
                OptionKind::Number,
                "default",
                "Port of the REST interface.",
            ),
            row(
                "cluster_name",
                "7",
                OptionKind::Text,
                "yaml",
                "The cluster's name.",
            ),
            row(
                "developer_mode",
                "true",
                OptionKind::Flag,
                "cli",
                "Fewer checks.",
            ),
            row("smp", "", OptionKind::Number, "default", "Shards."),
        ]
    }

    fn status(&self) -> BoxFuture<'static, NodeStatus> {
        match self.mood {
            Mood::Hangs => pending().boxed(),
            Mood::Fails => ready(broken_status()).boxed(),
            Mood::Serves | Mood::Boots => {
                let mode = self.mode();
                ready(NodeStatus { mode, ..status() }).boxed()
            }
        }
    }

    fn flush(&self, target: Target) -> BoxFuture<'static, Result<(), OperatorError>> {
        self.work("flush", &target)
    }

    fn compact(&self, target: Target) -> BoxFuture<'static, Result<(), OperatorError>> {
        self.work("compact", &target)
    }
}

/// A node with two shards, each number another.
pub(crate) fn status() -> NodeStatus {
    NodeStatus {
        mode: Mode::Normal,
        uptime_ms: 90_061_007,
        shards: vec![shard(0), shard(1)],
        local_store: store(900),
        storage: storage(),
        schema: SchemaStatus {
            group0: Group0State::Normal,
            keyspaces: 801,
            tables: 802,
            version_changes: 803,
        },
        statements: StatementStatus { prepared: 804 },
        process: ProcessStatus {
            resident_bytes: Some(62_914_560),
            cpu_seconds: Some(1.75),
            threads: None,
        },
    }
}

/// The same with everything broken that can break.
fn broken_status() -> NodeStatus {
    let mut status = status();
    status.shards[1].store.failure = Some("sync: I/O error".to_owned());
    status.local_store.failure = Some("sync: I/O error".to_owned());
    status.storage.engine.health = EngineHealth::ReadOnly {
        reason: "no space left on the device".to_owned(),
    };
    status.schema.group0 = Group0State::Stopped;
    status
}

fn shard(shard: u32) -> ShardStatus {
    let base = 100 * u64::from(shard + 1);
    ShardStatus {
        shard,
        tablets: base + 1,
        requests: RequestStatus {
            connections: base + 2,
            connections_accepted: base + 3,
            requests: base + 4,
            serving: base + 5,
            errors: base + 6,
        },
        store: store(base + 10),
    }
}

fn store(base: u64) -> StoreStatus {
    StoreStatus {
        writes: base + 1,
        mutations: base + 2,
        refused: base + 3,
        delayed: base + 4,
        reads: base + 5,
        reads_at_once: base + 6,
        rows_visited: base + 7,
        memtable_bytes: base + 8,
        sealed_memtables: base + 9,
        seals: base + 10,
        flushes: base + 11,
        flush_failures: base + 12,
        waiting: base + 13,
        log: LogStatus {
            disk_bytes: base + 21,
            frames: base + 22,
            frame_bytes: base + 23,
            syncs: base + 24,
            waits: base + 25,
            segments_made: base + 26,
            segments_recycled: base + 27,
            segments_removed: base + 28,
            accepted_position: base + 29,
            durable_position: base + 30,
        },
        failure: None,
    }
}

fn storage() -> StorageStatus {
    StorageStatus {
        engine: EngineStatus {
            disk_bytes: 5 << 30,
            files: 702,
            entries: 703,
            runs: 704,
            cache_bytes: 705,
            pinned_bytes: 706,
            pending_discards: 707,
            ingests: 708,
            compactions: 709,
            compaction_written_bytes: 710,
            ..EngineStatus::default()
        },
        merger: MergerStatus {
            merges: 721,
            rows_merged: 722,
            rows_with_older: 723,
            rows_dropped: 724,
            rows_shadowed: 725,
            tombstones_purged: 726,
            bytes_written: 727,
            flush_skipped_dead: 728,
            reclaimed_entries: 729,
            rows_purged_by_compaction: 730,
            compactions: 731,
            compaction_failures: 732,
        },
        replay: ReplayStatus {
            frames: 741,
            bytes: 742,
            skipped_dead: 743,
        },
    }
}

/// Two loggers.
pub(crate) struct FakeLoggers {
    levels: Mutex<BTreeMap<String, LogLevel>>,
}

impl FakeLoggers {
    pub(crate) fn new() -> Arc<Self> {
        let names = ["node_query", "node_storage"];
        let levels = names.map(|name| (name.to_owned(), LogLevel::Info));
        let levels = Mutex::new(BTreeMap::from(levels));
        Arc::new(Self { levels })
    }
}

impl LogLevels for FakeLoggers {
    fn levels(&self) -> BTreeMap<String, LogLevel> {
        self.levels.lock().unwrap().clone()
    }

    fn set(&self, which: Loggers<'_>, level: LogLevel) -> Result<(), UnknownLogger> {
        let mut levels = self.levels.lock().unwrap();
        match which {
            Loggers::All => levels.values_mut().for_each(|known| *known = level),
            Loggers::One(name) => match levels.get_mut(name) {
                Some(known) => *known = level,
                None => {
                    return Err(UnknownLogger {
                        name: name.to_owned(),
                    });
                }
            },
        }
        Ok(())
    }
}

/// Everything that the endpoints work on, around a fake node.
pub(crate) fn services(node: Arc<FakeNode>) -> Services {
    let injections = Injections::new();
    injections.register(&[
        Point::new(
            "flush_before_ingest",
            "before a flush hands rows to the engine",
        ),
        Point::new("log_before_sync", "before frames of the log are synced"),
    ]);
    Services {
        operator: node,
        log_levels: FakeLoggers::new(),
        injections: Some(injections),
    }
}
