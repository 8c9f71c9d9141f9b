//! A real node: a thread for each shard, one for control, sockets, signals.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use backend::Factory;
use node_api::{LogLevels, Operator, Services, StoreStatus};
use node_config::{CommitlogSync, Config};
use node_env::{Deadline, Env, Published, TaskGroup};
use node_query::{QueryLimits, Service, serve};
use node_storage::{ShardStore, Storage, SyncMode};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::boot::{
    BootError, ChangeTimeouts, Control, Doing, Identity, LogLength, NodeOptions, Shard, ShardSeed,
    boot, spawn_until_stopped,
};
use crate::operator::{NodeOperator, store_status};

/// Connections that may wait for one shard to take them.
const ACCEPT_QUEUE: usize = 1_024;

/// How often the node's clock looks at the time of day.
const CLOCK_PERIOD: Duration = Duration::from_secs(1);

/// How long a stopping node waits for its clients, and then for its disk.
const STOP_PATIENCE: Duration = Duration::from_secs(10);

/// A shard's thread, as control sees it.
struct ShardThread {
    connections: mpsc::Sender<TcpStream>,
    stop: CancellationToken,
    thread: JoinHandle<()>,
}

/// Tasks that run between two looks at the sockets while tasks are ready: as many turns of connections are one wait of a new
/// request at most.
const TASKS_PER_LOOK: u32 = 8;

/// A runtime of one thread.
pub(crate) fn runtime() -> Result<LocalRuntime, BootError> {
    Builder::new_current_thread()
        .enable_all()
        .event_interval(TASKS_PER_LOOK)
        .build_local(LocalOptions::default())
        .doing("start a runtime")
}

/// What a configuration means for a node.
pub(crate) fn node_options(config: &Config) -> NodeOptions {
    let options = &config.options;
    let memory = config.memory_split();
    let millis = Duration::from_millis;
    NodeOptions {
        identity: Identity {
            cluster_name: options.cluster_name.clone(),
            data_center: options.dc.clone(),
            rack: options.rack.clone(),
            listen_address: config.broadcast_address(),
            rpc_address: config.broadcast_rpc_address(),
            native_port: options.native_transport_port,
            ignore_msb: options.murmur3_partitioner_ignore_msb_bits,
        },
        directory: config.data_directory(),
        log_directory: config.commitlog_directory(),
        shards: config.shards(),
        memtable_bytes: memory.memtables,
        cache_bytes: memory.caches,
        statement_bytes: memory.requests / 4,
        sync: match options.commitlog_sync {
            CommitlogSync::Batch => SyncMode::Batch,
            CommitlogSync::Periodic => {
                SyncMode::Periodic(millis(options.commitlog_sync_period_in_ms))
            }
        },
        segment_bytes: config.segment_bytes(),
        timeouts: node_coordinator::Timeouts {
            write: millis(options.write_request_timeout_in_ms),
            read: millis(options.read_request_timeout_in_ms),
            range: millis(options.range_request_timeout_in_ms),
        },
        change_timeouts: ChangeTimeouts {
            change: millis(options.group0_raft_op_timeout_in_ms),
            truncate: millis(options.truncate_request_timeout_in_ms),
        },
        log_length: LogLength::default(),
        limits: QueryLimits {
            page_bytes: options.query_page_size_in_bytes,
            batch_warn_bytes: kilobytes(options.batch_size_warn_threshold_in_kb),
            batch_fail_bytes: kilobytes(options.batch_size_fail_threshold_in_kb),
            tombstone_warn: u64::from(options.tombstone_warn_threshold),
            tombstone_fail: u64::from(options.tombstone_failure_threshold),
            ..QueryLimits::default()
        },
        frame_bytes: usize::try_from(options.native_transport_max_frame_size.0)
            .unwrap_or(usize::MAX),
    }
}

fn kilobytes(count: u32) -> usize {
    usize::try_from(u64::from(count) << 10).unwrap_or(usize::MAX)
}

/// Runs a node until it is told to stop.
///
/// # Errors
/// It could not start; what was started is stopped again.
pub(crate) async fn run(
    config: &Arc<Config>,
    env: Env,
    factory: &dyn Factory,
    log_levels: Arc<dyn LogLevels>,
) -> Result<(), BootError> {
    let started = env.clock.monotonic();
    if let Some(port) = config.shard_aware_port() {
        tracing::info!(
            port,
            "connections for a certain shard are not supported yet; this port is not opened"
        );
    }
    let options = node_options(config);
    // The port is taken first: a node that cannot be reached need not touch its data.
    let address = SocketAddr::new(config.options.rpc_address, options.identity.native_port);
    let listener = bind(address, "native_transport_port", "listen for CQL clients")?;
    let api = listen("api_port", "listen for REST", config.api())?;
    let metrics = listen(
        "prometheus_port",
        "listen for Prometheus",
        config.prometheus(),
    )?;
    let (control, seeds) = boot(env, options, factory).await?;
    // All at once: each waits for the disk to make its log.
    let starting: Vec<_> = seeds
        .into_iter()
        .map(start_shard)
        .collect::<Result<_, _>>()?;
    let mut shards = Vec::with_capacity(starting.len());
    for shard in starting {
        shards.push(shard.await?);
    }
    let stop = CancellationToken::new();
    let accepting = accept(listener, &shards, stop.clone())?;
    spawn_until_stopped(&control.tasks, "accept", accepting)?;
    let Control {
        running,
        group0,
        storage,
        tasks,
        shards: handles,
        lock,
        published,
        statements,
        counters,
        env,
    } = control;
    let local = running.store().store().clone();
    spawn_until_stopped(&tasks, "group 0", running.run())?;
    let stopping = Arc::new(AtomicBool::new(false));
    let local_status = Arc::new(Published::new(StoreStatus::default()));
    let operator: Arc<dyn Operator> = Arc::new(NodeOperator {
        storage: storage.clone(),
        shards: handles.clone(),
        counters,
        published,
        statements,
        config: Arc::clone(config),
        started,
        stopping: Arc::clone(&stopping),
        local_status: Arc::clone(&local_status),
        env: env.clone(),
    });
    let injections = env.injections.clone();
    let services = Services {
        operator,
        log_levels,
        injections: Some(injections),
    };
    serve_operators(services, api, metrics, &tasks, &stop)?;
    let clock = Arc::clone(&env.clock);
    let watched = local.clone();
    spawn_until_stopped(&tasks, "clock", async move {
        loop {
            local_status.publish(store_status(
                &watched.status(),
                &watched.stats(),
                &watched.log_stats(),
            ));
            tokio::time::sleep(CLOCK_PERIOD).await;
            clock.follow_wall();
        }
    })?;
    tracing::info!(%address, shards = handles.len(), "listening for CQL clients");
    stop_signal().await;
    tracing::info!("stopping");
    stopping.store(true, Ordering::Relaxed);
    stop.cancel();
    drop(group0);
    stop_node(shards, &local, &tasks, &storage).await;
    drop(lock);
    tracing::info!("stopped");
    Ok(())
}

/// Serves REST and metrics, where there are listeners for them.
fn serve_operators(
    services: Services,
    api: Option<tokio::net::TcpListener>,
    metrics: Option<tokio::net::TcpListener>,
    tasks: &TaskGroup,
    stop: &CancellationToken,
) -> Result<(), BootError> {
    if let Some(listener) = metrics {
        let operator = Arc::clone(&services.operator);
        let router = node_api::metrics_router(operator, node_api::Limits::default());
        let serving = node_api::serve("metrics", listener, router, stop.clone());
        tasks.spawn("metrics", serving).doing("serve metrics")?;
    }
    if let Some(listener) = api {
        let router = node_api::router(services, node_api::Limits::default());
        let serving = node_api::serve("REST", listener, router, stop.clone());
        tasks.spawn("REST", serving).doing("serve REST")?;
    }
    Ok(())
}

/// The boot, backwards: clients, shards, local store, storage.
async fn stop_node(
    shards: Vec<ShardThread>,
    local: &ShardStore,
    tasks: &TaskGroup,
    storage: &Storage,
) {
    for shard in &shards {
        shard.stop.cancel();
    }
    for shard in shards {
        join(shard).await;
    }
    if let Err(error) = local.flush().await {
        tracing::warn!(%error, "the local store was not flushed; the next start replays its log");
    }
    local.close().await;
    let left = tasks.close(Deadline::after(STOP_PATIENCE)).await;
    if !left.is_empty() {
        tracing::warn!(?left, "tasks that did not end in time");
    }
    if let Err(error) = storage.close().await {
        tracing::warn!(%error, "the storage did not close well; nothing acknowledged is lost");
    }
}

/// Listens where the configuration says, if it says so.
fn listen(
    option: &str,
    doing: &'static str,
    place: Option<(IpAddr, u16)>,
) -> Result<Option<tokio::net::TcpListener>, BootError> {
    let Some((address, port)) = place else {
        return Ok(None);
    };
    let listener = bind(SocketAddr::new(address, port), option, doing)?;
    tokio::net::TcpListener::from_std(listener)
        .map(Some)
        .doing(doing)
}

fn bind(address: SocketAddr, option: &str, doing: &'static str) -> Result<TcpListener, BootError> {
    let listener = TcpListener::bind(address).map_err(|error| BootError {
        doing,
        why: match error.kind() {
            std::io::ErrorKind::AddrInUse => format!(
                "{address} is in use by another program; stop it or set {option} to a free port"
            ),
            std::io::ErrorKind::AddrNotAvailable => format!(
                "{} is not an address of this machine; set the address beside {option} to one that is",
                address.ip()
            ),
            _ => format!("{address}: {error}"),
        },
    })?;
    listener
        .set_nonblocking(true)
        .doing("listen for CQL clients")?;
    Ok(listener)
}

/// Starts the thread of a shard; the future waits until it serves.
fn start_shard(
    seed: ShardSeed,
) -> Result<impl Future<Output = Result<ShardThread, BootError>>, BootError> {
    let (connections, incoming) = mpsc::channel(ACCEPT_QUEUE);
    let (ready, started) = oneshot::channel();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let name = format!("shard {}", seed.number());
    let thread = std::thread::Builder::new()
        .name(name)
        .spawn(move || {
            let runtime = match runtime() {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = ready.send(Err(error));
                    return;
                }
            };
            runtime.block_on(run_shard(seed, incoming, stopped, ready));
        })
        .doing("start a shard's thread")?;
    Ok(async {
        match started.await {
            Ok(Ok(())) => Ok(ShardThread {
                connections,
                stop,
                thread,
            }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(BootError {
                doing: "start a shard",
                why: "its thread has panicked; the log says why".to_owned(),
            }),
        }
    })
}

async fn run_shard(
    seed: ShardSeed,
    incoming: mpsc::Receiver<TcpStream>,
    stop: CancellationToken,
    ready: oneshot::Sender<Result<(), BootError>>,
) {
    let number = seed.number();
    let Shard {
        service,
        replica,
        tasks,
    } = match seed.start() {
        Ok(shard) => shard,
        Err(error) => {
            let _ = ready.send(Err(error));
            return;
        }
    };
    let connections = Rc::new(TaskGroup::new("connections"));
    // The one who waits has not gone: it awaits this.
    let _ = ready.send(Ok(()));
    take_connections(incoming, &service, &connections, &stop).await;
    let left = connections.close(Deadline::after(STOP_PATIENCE)).await;
    if !left.is_empty() {
        tracing::warn!(
            shard = number,
            connections = left.len(),
            "connections that did not end in time"
        );
    }
    let store = replica.store();
    if let Err(error) = store.flush().await {
        tracing::warn!(shard = number, %error, "a shard was not flushed; the next start replays its log");
    }
    store.close().await;
    tasks.close(Deadline::after(STOP_PATIENCE)).await;
}

async fn take_connections(
    mut incoming: mpsc::Receiver<TcpStream>,
    service: &Rc<Service>,
    connections: &Rc<TaskGroup>,
    stop: &CancellationToken,
) {
    loop {
        let socket = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            socket = incoming.recv() => match socket {
                Some(socket) => socket,
                None => return,
            },
        };
        let peer = socket.peer_addr();
        let socket = match tokio::net::TcpStream::from_std(socket) {
            Ok(socket) => socket,
            Err(error) => {
                tracing::debug!(%error, "a connection ended before it began");
                continue;
            }
        };
        let service = Rc::clone(service);
        let token = connections.stop_token();
        let served = connections.spawn("connection", async move {
            let ended = serve(socket, service, token).await;
            tracing::debug!(?peer, ?ended, "a connection ended");
        });
        if served.is_err() {
            return;
        }
    }
}

/// Deals new connections to the shards in turn.
fn accept(
    listener: TcpListener,
    shards: &[ShardThread],
    stop: CancellationToken,
) -> Result<impl Future<Output = ()> + use<>, BootError> {
    let listener = tokio::net::TcpListener::from_std(listener).doing("listen for CQL clients")?;
    let queues: Vec<_> = shards
        .iter()
        .map(|shard| shard.connections.clone())
        .collect();
    Ok(async move {
        for queue in queues.iter().cycle() {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => return,
                accepted = listener.accept() => accepted,
            };
            let socket = match accepted.and_then(|(socket, _)| {
                socket.set_nodelay(true)?;
                socket.into_std()
            }) {
                Ok(socket) => socket,
                Err(error) => {
                    // Out of file descriptors, usually; the others go on, and this one tries again.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            if queue.send(socket).await.is_err() {
                return;
            }
        }
    })
}

async fn join(shard: ShardThread) {
    let thread = shard.thread;
    drop(shard.connections);
    while !thread.is_finished() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    if thread.join().is_err() {
        tracing::error!("a shard's thread has panicked");
    }
}

/// Ends when the process is asked to stop.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::warn!(
            "signals cannot be heard; only kill -9 stops this node, which loses nothing"
        );
        return std::future::pending().await;
    };
    tokio::select! {
        biased;
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
