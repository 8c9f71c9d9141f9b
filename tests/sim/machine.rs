//! A simulated machine and the node that runs on it: files, engine, clock, shards and clients, all in one thread.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use backend_memory::{MemoryDisk, MemoryFactory};
use cql_protocol::Version;
use messina::boot::{
    BootError, ChangeTimeouts, Control, Identity, LogLength, NodeOptions, Shard, boot_broken,
};
use messina_tests::client::{ClientError, Connection};
use node_coordinator::Timeouts;
use node_env::files::{Crash, FileLock};
use node_env::spawn::SimSpawnOptions;
use node_env::{Deadline, NodeClock, SimMachine, TaskGroup};
use node_query::QueryLimits;
use node_storage::{BrokenRules, ShardStore, Storage, SyncMode};
use tokio::io::DuplexStream;
use tokio::runtime::{Builder, LocalOptions, RngSeed};

/// A client's end of a connection.
pub(crate) type Client = Connection<DuplexStream>;

/// Runs a story on a paused runtime of one thread whose choices come from a seed.
pub(crate) fn run<T>(seed: u64, story: impl Future<Output = T>) -> T {
    Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .rng_seed(RngSeed::from_bytes(&seed.to_le_bytes()))
        .build_local(LocalOptions::default())
        .unwrap()
        .block_on(story)
}

/// A machine: what survives a crash, more or less.
pub(crate) struct Machine {
    pub(crate) sim: SimMachine,
    pub(crate) disk: MemoryDisk,
    /// Rules of the storage that its nodes do not keep.
    pub(crate) broken: BrokenRules,
    pub(crate) log_length: LogLength,
}

/// A node on it: what does not.
pub(crate) struct Node {
    pub(crate) shards: Vec<Shard>,
    pub(crate) storage: Storage,
    pub(crate) local: ShardStore,
    pub(crate) clock: Arc<NodeClock>,
    control: Rc<TaskGroup>,
    connections: TaskGroup,
    _lock: Box<dyn FileLock>,
}

fn options(shards: u32, log_length: LogLength) -> NodeOptions {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    NodeOptions {
        identity: Identity {
            cluster_name: "simulated".to_owned(),
            data_center: "datacenter1".to_owned(),
            rack: "rack1".to_owned(),
            listen_address: address,
            rpc_address: address,
            native_port: 9042,
            ignore_msb: 12,
        },
        directory: PathBuf::from("/node"),
        log_directory: PathBuf::from("/node/log"),
        shards,
        memtable_bytes: 256 << 10,
        cache_bytes: 1 << 20,
        statement_bytes: 1 << 20,
        sync: SyncMode::Batch,
        segment_bytes: 64 << 10,
        timeouts: Timeouts {
            write: Duration::from_secs(2),
            read: Duration::from_secs(5),
            range: Duration::from_secs(10),
        },
        change_timeouts: ChangeTimeouts {
            change: Duration::from_secs(20),
            truncate: Duration::from_secs(20),
        },
        log_length,
        limits: QueryLimits::default(),
        frame_bytes: 1 << 20,
    }
}

impl Machine {
    /// A machine with empty disks.
    pub(crate) fn new(seed: u64) -> Self {
        let spawn = SimSpawnOptions {
            foreground: Duration::from_micros(10)..Duration::from_micros(500),
            background: Duration::from_micros(20)..Duration::from_micros(2_000),
            ..SimSpawnOptions::default()
        };
        Self {
            sim: SimMachine::new(seed, spawn),
            disk: MemoryDisk::new(),
            broken: BrokenRules::NONE,
            // Short, so that some changes also shorten the log.
            log_length: LogLength {
                snapshot_entries: 3 + seed % 5,
                trailing_entries: seed % 3,
            },
        }
    }

    /// Starts a node with that many shards.
    pub(crate) async fn boot(&mut self, shards: u32) -> Result<Node, BootError> {
        let env = self.sim.boot();
        let factory = MemoryFactory::new(self.disk.clone());
        let (control, seeds) =
            boot_broken(env, options(shards, self.log_length), &factory, self.broken).await?;
        let Control {
            running,
            storage,
            tasks,
            lock,
            env,
            ..
        } = control;
        let mut shards = Vec::new();
        for seed in seeds {
            shards.push(seed.start()?);
        }
        let local = running.store().store().clone();
        let stop = tasks.stop_token();
        tasks
            .spawn("group 0", async move {
                stop.run_until_cancelled_owned(running.run()).await;
            })
            .unwrap();
        Ok(Node {
            shards,
            storage,
            local,
            clock: env.clock,
            control: tasks,
            connections: TaskGroup::new("connections"),
            _lock: lock,
        })
    }

    /// The node, if there is one, dies where it stands.
    pub(crate) async fn crash(&mut self, node: Option<Node>, how: Crash, engine_seed: u64) {
        self.sim.crash(how);
        self.disk.crash(engine_seed);
        let Some(node) = node else { return };
        drop(node.connections);
        for shard in &node.shards {
            shard.tasks.close(Deadline::after(Duration::ZERO)).await;
        }
        node.control.close(Deadline::after(Duration::ZERO)).await;
    }
}

impl Node {
    /// A new connection to a shard.
    pub(crate) async fn connect(&self, shard: usize) -> Result<Client, ClientError> {
        Connection::start(self.pipe(shard, 64 << 10), Version::V4, None).await
    }

    /// The client's end of a new connection that takes so many bytes without waiting.
    pub(crate) fn pipe(&self, shard: usize, bytes: usize) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(bytes);
        let service = Rc::clone(&self.shards[shard % self.shards.len()].service);
        let stop = self.connections.stop_token();
        self.connections
            .spawn("connection", async move {
                node_query::serve(theirs, service, stop).await;
            })
            .unwrap();
        ours
    }

    /// Stops the node as SIGTERM does.
    pub(crate) async fn stop(self) {
        let patience = || Deadline::after(Duration::from_secs(10));
        assert_eq!(self.connections.close(patience()).await, [""; 0]);
        for shard in &self.shards {
            shard.replica.store().flush().await.unwrap();
            shard.replica.store().close().await;
            assert_eq!(shard.tasks.close(patience()).await, [""; 0]);
        }
        self.local.flush().await.unwrap();
        self.local.close().await;
        assert_eq!(self.control.close(patience()).await, [""; 0]);
        self.storage.close().await.unwrap();
    }

    /// The first panic of any of its tasks.
    pub(crate) async fn panicked(&self) -> Option<String> {
        let groups = self
            .shards
            .iter()
            .map(|shard| &*shard.tasks)
            .chain([&*self.control, &self.connections]);
        for group in groups {
            let panic = tokio::time::timeout(Duration::ZERO, group.panicked()).await;
            if let Ok(panic) = panic {
                return Some(format!("{}: {}", panic.task, panic.text));
            }
        }
        None
    }
}
