//! A node in this process: one shard, one thread for everything that is not the log, a flush or the engine.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use backend_fjall::FjallFactory;
use messina::boot::{ChangeTimeouts, Control, Identity, LogLength, NodeOptions, Shard, boot};
use messina_benches::Outcome;
use messina_tests::client::Connection;
use node_coordinator::Timeouts;
use node_env::spawn::RealSpawnOptions;
use node_env::{Deadline, Env, TaskGroup};
use node_query::QueryLimits;
use node_storage::{Storage, SyncMode};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};

use crate::cases::Frames;

/// Bytes that a direction of the pipe holds.
const PIPE_BYTES: usize = 256 << 10;

/// Bytes of a frame's header; the last four are the length of what follows.
const HEADER_BYTES: usize = 9;

/// A node and the runtime it lives in.
pub(crate) struct InProcess {
    runtime: LocalRuntime,
    shard: Shard,
    storage: Storage,
    control: Rc<TaskGroup>,
    connections: TaskGroup,
    client: DuplexStream,
    input: Vec<u8>,
    _folder: TempDir,
}

impl InProcess {
    /// Boots it in a folder of its own.
    pub(crate) fn boot() -> Outcome<Self> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build_local(LocalOptions::default())?;
        let folder = tempfile::tempdir()?;
        let connections = TaskGroup::new("connections");
        let started = runtime.block_on(async {
            let env = Env::real(RealSpawnOptions::default())?;
            let options = options(folder.path());
            let (control, seeds) = boot(env, options, &FjallFactory::default()).await?;
            let Control {
                running,
                storage,
                tasks,
                ..
            } = control;
            let seed = seeds.into_iter().next().ok_or("no shard")?;
            let shard = seed.start()?;
            let stop = tasks.stop_token();
            tasks
                .spawn("group 0", async move {
                    stop.run_until_cancelled_owned(running.run()).await;
                })
                .map_err(|_| "the node stops")?;
            let client = pipe(&shard, &connections)?;
            Outcome::Ok((shard, storage, tasks, client))
        });
        let (shard, storage, control, client) = started?;
        let mut node = Self {
            runtime,
            shard,
            storage,
            control,
            connections,
            client,
            input: vec![0; PIPE_BYTES],
            _folder: folder,
        };
        node.pump(&Frames::startup())?;
        Ok(node)
    }

    /// Runs `work` with a connection of the ordinary client.
    pub(crate) fn with_client<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Connection<DuplexStream>) -> Outcome<T>,
    ) -> Outcome<T> {
        let stream = self
            .runtime
            .block_on(async { pipe(&self.shard, &self.connections) })?;
        self.runtime.block_on(async {
            let mut client = Connection::start(stream, cql_protocol::Version::V4, None).await?;
            work(&mut client).await
        })
    }

    /// Sends the frames, a window at a time, and reads an answer for each; gives the bytes of the answers.
    pub(crate) fn pump(&mut self, frames: &Frames) -> Outcome<u64> {
        let Self {
            runtime,
            client,
            input,
            ..
        } = self;
        runtime.block_on(async {
            let mut bytes = 0;
            for (window, count) in frames.windows() {
                client.write_all(window).await?;
                bytes += receive(client, input, count).await?;
            }
            Ok(bytes)
        })
    }

    /// Writes the memtable into the engine.
    pub(crate) fn flush(&mut self) -> Outcome {
        let store = self.shard.replica.store().clone();
        Ok(self.runtime.block_on(async move { store.flush().await })?)
    }

    /// Stops it.
    pub(crate) fn stop(self) -> Outcome {
        let patience = || Deadline::after(Duration::from_secs(10));
        let Self {
            runtime,
            shard,
            storage,
            control,
            connections,
            ..
        } = self;
        runtime.block_on(async move {
            connections.close(patience()).await;
            shard.replica.store().close().await;
            shard.tasks.close(patience()).await;
            control.close(patience()).await;
            storage.close().await?;
            Ok(())
        })
    }
}

/// A new connection to the shard; must be called inside of its runtime.
fn pipe(shard: &Shard, connections: &TaskGroup) -> Outcome<DuplexStream> {
    let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
    let service = Rc::clone(&shard.service);
    let stop = connections.stop_token();
    connections
        .spawn("connection", async move {
            node_query::serve(theirs, service, stop).await;
        })
        .map_err(|_| "the node stops")?;
    Ok(ours)
}

/// Reads so many answers; an error among them ends the program.
async fn receive(client: &mut DuplexStream, input: &mut Vec<u8>, count: u64) -> Outcome<u64> {
    let (mut answers, mut total) = (0, 0);
    let (mut start, mut end) = (0, 0);
    while answers < count {
        let header = input
            .get(start..end)
            .and_then(|bytes| bytes.get(..HEADER_BYTES));
        let length = header.and_then(frame_bytes);
        match length {
            Some(length) if end - start >= length => {
                check(input.get(start..start + length).unwrap_or_default())?;
                start += length;
                answers += 1;
                total += u64::try_from(length)?;
            }
            _ => {
                input.copy_within(start..end, 0);
                (start, end) = (0, end - start);
                if end == input.len() {
                    input.resize(end * 2, 0);
                }
                let room = input.get_mut(end..).unwrap_or_default();
                let read = client.read(room).await?;
                if read == 0 {
                    return Err("the node closed the connection".into());
                }
                end += read;
            }
        }
    }
    Ok(total)
}

/// Bytes of the frame with this header.
fn frame_bytes(header: &[u8]) -> Option<usize> {
    let length = u32::from_be_bytes(header.last_chunk().copied()?);
    Some(HEADER_BYTES + usize::try_from(length).ok()?)
}

fn check(frame: &[u8]) -> Outcome {
    if frame.get(4) == Some(&cql_protocol::Opcode::Error.code()) {
        return Err(format!("refused: {}", String::from_utf8_lossy(frame)).into());
    }
    Ok(())
}

/// Processor time of this thread.
pub(crate) fn thread_processor() -> Outcome<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos = text.split_whitespace().next().ok_or("no schedstat")?;
    Ok(Duration::from_nanos(nanos.parse()?))
}

fn options(folder: &Path) -> NodeOptions {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    NodeOptions {
        identity: Identity {
            cluster_name: "measured".to_owned(),
            data_center: "datacenter1".to_owned(),
            rack: "rack1".to_owned(),
            listen_address: address,
            rpc_address: address,
            native_port: 9042,
            ignore_msb: 12,
        },
        directory: folder.join("data"),
        log_directory: folder.join("commitlog"),
        shards: 1,
        memtable_bytes: 1 << 30,
        cache_bytes: 256 << 20,
        statement_bytes: 1 << 20,
        sync: SyncMode::Periodic(Duration::from_secs(10)),
        segment_bytes: 32 << 20,
        timeouts: Timeouts {
            write: Duration::from_secs(60),
            read: Duration::from_secs(60),
            range: Duration::from_secs(60),
        },
        change_timeouts: ChangeTimeouts {
            change: Duration::from_secs(60),
            truncate: Duration::from_secs(60),
        },
        log_length: LogLength::default(),
        limits: QueryLimits::default(),
        frame_bytes: 16 << 20,
    }
}
