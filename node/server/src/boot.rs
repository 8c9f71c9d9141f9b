//! From a directory to a node that can serve: each step is a function of what the one before it returned.
//!
//! ```text
//! engine ─► local tables ─► group 0 ─► first state ─► old logs replayed for their new owners ─► shards
//! ```
//!
//! Nothing here opens a socket or starts a thread, so a simulation boots a node with the same steps on one thread.

use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use backend::Factory;
use cql_protocol::{Event, Limits};
use node_cluster::{ClusterState, LocalImage, LocalNode, Program, own_rows, stored_tables};
use node_coordinator::{Coordinator, Timeouts};
use node_env::files::FileLock;
use node_env::{Env, Published, TaskGroup};
pub use node_group0::{ChangeTimeouts, LogLength};
use node_group0::{Group0Handle, Parts, Running, Versions};
use node_query::{EventHub, Executor, QueryLimits, RequestCounters, Service, StatementCache};
use node_replica::{LocalStore, LocalTable, Replica, RequestQueue, ShardHandle, Spaces};
use node_storage::{
    BrokenRules, LogOptions, Owner, Replayed, Space, Storage, StorageOptions, SyncMode,
};
use tokio::sync::mpsc;

/// What this program says it is.
pub const PROGRAM: Program = Program {
    version: env!("CARGO_PKG_VERSION"),
    build_mode: if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    },
    build_id: env!("CARGO_PKG_VERSION"),
};

/// What drivers branch on: the version with which those of Cassandra and ScyllaDB and cqlsh work.
pub const VERSIONS: Versions = Versions {
    release: "5.0.0",
    cql: "3.4.7",
    protocol: "4",
};

/// Events that may wait for one shard.
const EVENTS_MAX: usize = 1_024;

/// Who the node is, before it knows its id.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The name of its cluster.
    pub cluster_name: String,
    /// Its data center.
    pub data_center: String,
    /// Its rack.
    pub rack: String,
    /// Where it listens for nodes.
    pub listen_address: std::net::IpAddr,
    /// Where clients reach it.
    pub rpc_address: std::net::IpAddr,
    /// The port for clients.
    pub native_port: u16,
    /// Bits of a token that a map of tokens to shards leaves out. Tablets need none; it is told to those who ask.
    pub ignore_msb: u8,
}

/// What a node is started with.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// Who it is.
    pub identity: Identity,
    /// Its data.
    pub directory: PathBuf,
    /// Its commit logs.
    pub log_directory: PathBuf,
    /// How many shards.
    pub shards: u32,
    /// Bytes of unflushed rows, over all shards.
    pub memtable_bytes: u64,
    /// Bytes of the engine's cache.
    pub cache_bytes: u64,
    /// Bytes of prepared statements.
    pub statement_bytes: u64,
    /// When answers leave.
    pub sync: SyncMode,
    /// Length of a segment of the commit log.
    pub segment_bytes: u64,
    /// How long requests may take.
    pub timeouts: Timeouts,
    /// How long agreed changes may take.
    pub change_timeouts: ChangeTimeouts,
    /// When the agreed log is shortened.
    pub log_length: LogLength,
    /// Limits of requests.
    pub limits: QueryLimits,
    /// The longest frame of a client.
    pub frame_bytes: usize,
}

/// Why a node did not start.
#[derive(Debug)]
pub struct BootError {
    /// What it was doing.
    pub doing: &'static str,
    /// What went wrong, and what to do.
    pub why: String,
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.doing, self.why)
    }
}

impl std::error::Error for BootError {}

/// Names the step that failed.
pub(crate) trait Doing<T> {
    fn doing(self, what: &'static str) -> Result<T, BootError>;
}

impl<T, E: fmt::Display> Doing<T> for Result<T, E> {
    fn doing(self, doing: &'static str) -> Result<T, BootError> {
        self.map_err(|error| BootError {
            doing,
            why: error.to_string(),
        })
    }
}

/// The control task's part of a node.
pub struct Control {
    /// The agreed log; run it.
    pub running: Running,
    /// Asks for agreed changes.
    pub group0: Group0Handle,
    /// The newest state.
    pub published: Arc<Published<ClusterState>>,
    /// The storage of all shards.
    pub storage: Storage,
    /// Requests to the shards, by number.
    pub shards: Vec<ShardHandle>,
    /// Prepared statements of all shards.
    pub statements: StatementCache,
    /// What the connections of each shard did.
    pub counters: Vec<Arc<RequestCounters>>,
    /// Upkeep of the local store runs here.
    pub tasks: Rc<TaskGroup>,
    /// The seams.
    pub env: Env,
    /// Held while the node runs.
    pub lock: Box<dyn FileLock>,
}

/// What a shard is started from, on its own thread.
pub struct ShardSeed {
    number: u32,
    env: Env,
    storage: Storage,
    replayed: Replayed,
    published: Arc<Published<ClusterState>>,
    shards: Vec<ShardHandle>,
    queue: RequestQueue,
    events: mpsc::Receiver<Arc<Event>>,
    group0: Group0Handle,
    statements: StatementCache,
    counters: Arc<RequestCounters>,
    timeouts: Timeouts,
    limits: QueryLimits,
    frame_bytes: usize,
}

/// A shard that serves.
pub struct Shard {
    /// What its connections share.
    pub service: Rc<Service>,
    /// Its store and requests.
    pub replica: Rc<Replica>,
    /// Its tasks.
    pub tasks: Rc<TaskGroup>,
}

/// Opens the directory and brings the node to where its shards can be started.
///
/// # Errors
/// [`BootError`] names the step, what went wrong and what to do.
///
/// # Cancel safety
/// Not safe: start again with a new process.
pub async fn boot(
    env: Env,
    options: NodeOptions,
    factory: &dyn Factory,
) -> Result<(Control, Vec<ShardSeed>), BootError> {
    boot_broken(env, options, factory, BrokenRules::NONE).await
}

/// As [`boot`], with rules of the storage switched off: to show in tests what each of them protects.
///
/// # Errors
/// As [`boot`].
///
/// # Cancel safety
/// As [`boot`].
#[doc(hidden)]
pub async fn boot_broken(
    env: Env,
    options: NodeOptions,
    factory: &dyn Factory,
    broken: BrokenRules,
) -> Result<(Control, Vec<ShardSeed>), BootError> {
    let on_disk = storage_options(&options);
    // Nothing is written into a directory of somebody else, not even the file to lock.
    node_storage::check_directories(&*env.files, &on_disk).doing("look at the data directory")?;
    let lock = lock_directory(&env, &options)?;
    let storage =
        Storage::open_broken(&env, on_disk, factory, broken).doing("open the data directory")?;
    let tasks = Rc::new(TaskGroup::new("control"));
    let (local_store, report) = storage.open_local().await.doing("open the local store")?;
    tracing::debug!(?report, "the local store is replayed");
    spawn_until_stopped(&tasks, "local store", local_store.run())?;
    let store = LocalStore::load(local_store, local_tables())
        .await
        .doing("read the local tables")?;
    if let Some(assigned) = storage.largest_assigned() {
        env.clock.raise_above(assigned);
    }
    let store = store.with_own(own_rows(&PROGRAM).doing("describe the node's own tables")?);
    let local = Arc::new(identify(&env, &options, store.image())?);
    let published = Arc::new(Published::new(empty_state(&local, store.image())));
    let (event_senders, event_receivers): (Vec<_>, Vec<_>) = (0..options.shards)
        .map(|_| mpsc::channel(EVENTS_MAX))
        .unzip();
    let parts = Parts {
        store,
        spaces: Spaces::new(storage.clone()),
        clock: Arc::clone(&env.clock),
        rng: env.rng("group 0"),
        local,
        published: Arc::clone(&published),
        listener: schema_listener(event_senders),
        log_length: options.log_length,
    };
    let (running, group0) = node_group0::start(parts, &VERSIONS, options.change_timeouts)
        .await
        .doing("start group 0")?;
    let replayed = replay(&storage, &published).await?;
    if let Some(assigned) = storage.largest_assigned() {
        env.clock.raise_above(assigned);
    }
    let statements = StatementCache::new(options.statement_bytes);
    let (shards, queues): (Vec<_>, Vec<_>) =
        (0..options.shards).map(|_| ShardHandle::new()).unzip();
    let counters: Vec<Arc<RequestCounters>> = (0..options.shards).map(|_| Arc::default()).collect();
    let seeds = (0..)
        .zip(replayed)
        .zip(queues.into_iter().zip(event_receivers))
        .zip(counters.iter().cloned())
        .map(
            |(((number, replayed), (queue, events)), counters)| ShardSeed {
                number,
                env: env.clone(),
                storage: storage.clone(),
                replayed,
                published: Arc::clone(&published),
                shards: shards.clone(),
                queue,
                events,
                group0: group0.clone(),
                statements: statements.clone(),
                counters,
                timeouts: options.timeouts,
                limits: options.limits,
                frame_bytes: options.frame_bytes,
            },
        )
        .collect();
    let control = Control {
        running,
        group0,
        published,
        storage,
        shards,
        statements,
        counters,
        tasks,
        env,
        lock,
    };
    Ok((control, seeds))
}

fn lock_directory(env: &Env, options: &NodeOptions) -> Result<Box<dyn FileLock>, BootError> {
    let directory = &options.directory;
    env.files
        .create_dir_all(directory, node_storage::SYNC_DIRECTORY)
        .doing("make the data directory")?;
    env.files
        .lock(&directory.join(node_storage::LOCK_FILE))
        .doing("lock the data directory (is another node running on it?)")
}

fn storage_options(options: &NodeOptions) -> StorageOptions {
    let mut storage = StorageOptions::new(&options.directory, options.shards);
    storage.log_directory = options.log_directory.clone();
    storage.cache_bytes = options.cache_bytes;
    storage.memtable_bytes = options.memtable_bytes;
    storage.log = LogOptions {
        sync: options.sync,
        segment_bytes: options.segment_bytes,
        first_segment_bytes: LogOptions::default()
            .first_segment_bytes
            .min(options.segment_bytes),
        ..LogOptions::default()
    };
    storage
}

fn local_tables() -> Vec<LocalTable> {
    stored_tables()
        .map(|(space, table)| LocalTable {
            table: Arc::clone(table.schema()),
            space,
        })
        .collect()
}

fn identify(env: &Env, options: &NodeOptions, image: &LocalImage) -> Result<LocalNode, BootError> {
    const DOING: &str = "find out who this node is";
    let identity = &options.identity;
    if let Some(kept) = node_group0::kept_cluster_name(image).doing(DOING)?
        && kept != identity.cluster_name
    {
        return Err(BootError {
            doing: "use the data directory",
            why: format!(
                "it belongs to the cluster {kept:?}, the configuration says {:?}; \
                 set cluster_name to {kept:?} or choose another workdir",
                identity.cluster_name
            ),
        });
    }
    let host_id = match node_group0::kept_host_id(image).doing(DOING)? {
        Some(kept) => kept,
        None => node_group0::new_host_id(&mut env.rng("host id")),
    };
    Ok(LocalNode {
        host_id,
        cluster_name: identity.cluster_name.clone(),
        data_center: identity.data_center.clone(),
        rack: identity.rack.clone(),
        listen_address: identity.listen_address,
        rpc_address: identity.rpc_address,
        native_port: identity.native_port,
        shards: options.shards,
        ignore_msb: identity.ignore_msb,
    })
}

/// A state that nobody sees: group 0 publishes the first real one.
fn empty_state(local: &Arc<LocalNode>, image: &Arc<LocalImage>) -> ClusterState {
    ClusterState {
        version: 0,
        schema: cql_schema::Schema::empty(cql_types::Uuid::nil()),
        local: Arc::clone(local),
        tablets: Default::default(),
        spaces: Default::default(),
        image: Arc::clone(image),
    }
}

fn schema_listener(shards: Vec<mpsc::Sender<Arc<Event>>>) -> node_group0::SchemaListener {
    Box::new(move |change| {
        let event = Arc::new(Event::Schema(node_query::schema_event(change)));
        for (number, shard) in shards.iter().enumerate() {
            if shard.try_send(Arc::clone(&event)).is_err() {
                tracing::warn!(
                    shard = number,
                    "a shard takes no events; its clients see the change late"
                );
            }
        }
    })
}

/// Gives the frames of older logs to the shards that own their partitions now.
async fn replay(
    storage: &Storage,
    published: &Published<ClusterState>,
) -> Result<Vec<Replayed>, BootError> {
    let state = published.load();
    let tables: std::collections::BTreeMap<u32, cql_types::TableId> = state
        .spaces
        .iter()
        .flat_map(|(table, places)| places.iter().map(|place| (place.space, *table)))
        .collect();
    let owner = |space: Space, token| {
        let shard = tables
            .get(&space.0)
            .and_then(|table| state.owner(*table, token));
        shard.map_or(Owner::Gone, Owner::Shard)
    };
    let (replayed, report) = storage
        .replay(&owner)
        .await
        .doing("replay the commit log")?;
    if report.logs > 0 {
        tracing::info!(
            logs = report.logs,
            frames = report.frames,
            bytes = report.bytes,
            skipped = report.skipped,
            "replayed the commit log"
        );
    }
    Ok(replayed)
}

impl ShardSeed {
    /// The shard's number.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Opens the shard, on its thread and inside its runtime, and starts its tasks.
    ///
    /// # Errors
    /// The log cannot be opened.
    pub fn start(self) -> Result<Shard, BootError> {
        let store = self
            .storage
            .open_shard(self.number, self.replayed)
            .doing("open a shard")?;
        let tasks = Rc::new(TaskGroup::new(&format!("shard {}", self.number)));
        spawn_until_stopped(&tasks, "store", store.run())?;
        let replica = Rc::new(Replica::new(self.number, store, self.published.subscribe()));
        let serving = Rc::clone(&replica).serve(self.queue, Rc::clone(&tasks));
        spawn_until_stopped(&tasks, "requests of other shards", serving)?;
        let coordinator = Rc::new(Coordinator::new(
            Rc::clone(&replica),
            self.shards,
            Arc::clone(&self.env.clock),
            self.env.rng(&format!("coordinator {}", self.number)),
            self.timeouts,
        ));
        let events = EventHub::default();
        let hub = events.clone();
        let mut incoming = self.events;
        spawn_until_stopped(&tasks, "events", async move {
            while let Some(event) = incoming.recv().await {
                hub.send(&event);
            }
        })?;
        let executor = Executor::new(coordinator, self.statements, self.group0, self.limits);
        let service = Rc::new(Service {
            executor,
            events,
            supported: supported(),
            limits: Limits {
                body: self.frame_bytes,
                ..Limits::default()
            },
            counters: self.counters,
        });
        Ok(Shard {
            service,
            replica,
            tasks,
        })
    }
}

/// Starts a task that ends when its group is closed.
pub(crate) fn spawn_until_stopped(
    tasks: &TaskGroup,
    name: &'static str,
    work: impl Future<Output = ()> + 'static,
) -> Result<(), BootError> {
    let stop = tasks.stop_token();
    tasks
        .spawn(name, async move {
            stop.run_until_cancelled_owned(work).await;
        })
        .doing("start a task")
}

/// The answer to OPTIONS. The keys of shard-aware drivers come all together or not at all, and not yet.
fn supported() -> Vec<(String, Vec<String>)> {
    [
        ("CQL_VERSION", vec![VERSIONS.cql]),
        ("COMPRESSION", vec!["lz4"]),
        ("PROTOCOL_VERSIONS", vec!["3/v3", "4/v4"]),
    ]
    .into_iter()
    .map(|(name, values)| {
        (
            name.to_owned(),
            values.into_iter().map(str::to_owned).collect(),
        )
    })
    .collect()
}
