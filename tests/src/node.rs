//! A real node as a process of its own, for tests: start, kill, start again, look at its log.
//!
//! ```text
//!  Node::start(program, shards) ─► process on 127.0.0.1 and free ports, in a folder of its own
//!    .connect()   .kill()  .terminate()  .start_again(shards)
//!  drop ─► kill -9, and the log is shown if the test is failing
//! ```
//!
//! Nothing here depends on the time that a node needs: it is asked until it answers, and a process that ends early is noticed.
//!
//! Cost: a process; ready within the time the node needs to start.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::client::Connection;

/// How long a node may take until it answers, or until it has ended.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two questions.
const PAUSE: Duration = Duration::from_millis(5);

/// Ports for nodes.
///
/// They are below those that systems take for outgoing connections: a client that asks such a port again and again until somebody listens would one day be connected with itself.
const PORTS: Range<u16> = 20_000..32_000;

/// Variables that are meant for the tests; the node would warn of options that it does not know.
const OUR_ENVIRONMENT: [&str; 4] = [
    "MESSINA_CRASH_ROUNDS",
    "MESSINA_CRASH_SEED",
    "MESSINA_GOLDEN_AGAINST",
    "MESSINA_DIALOGUE_AGAINST",
];

/// How often another port is tried when somebody else took the free one.
const STARTS_MAX: usize = 4;

/// Bytes of the log that a failing test shows.
const SHOWN_LOG: usize = 16 << 10;

/// A node: its folder, its ports, and its process while it runs.
#[derive(Debug)]
pub struct Node {
    program: PathBuf,
    folder: TempDir,
    arguments: Vec<String>,
    ports: Ports,
    process: Option<Child>,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    cql: u16,
    shard_aware: u16,
    api: u16,
    prometheus: u16,
}

impl Ports {
    /// Ports that nobody listens on now.
    fn free() -> Self {
        let start = RandomState::new().hash_one(std::process::id());
        let first = usize::try_from(start % u64::from(PORTS.end - PORTS.start)).unwrap_or(0);
        let candidates = PORTS.cycle().skip(first).take(PORTS.len());
        let mut free =
            candidates.filter(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
        let mut next = || {
            free.next()
                .unwrap_or_else(|| panic!("no free port in {PORTS:?}"))
        };
        Self {
            cql: next(),
            shard_aware: next(),
            api: next(),
            prometheus: next(),
        }
    }
}

/// How an attempt to start ended.
enum Started {
    Ready,
    PortTaken,
}

impl Node {
    /// Starts a node on an empty folder and waits until it answers.
    ///
    /// `arguments` are added to those for folder, ports and shards.
    ///
    /// # Panics
    /// The node does not start; its log is in the message.
    ///
    /// # Cancel safety
    /// Cancelling kills the process.
    pub async fn start(program: impl AsRef<Path>, shards: u32, arguments: &[&str]) -> Self {
        let mut node = Self {
            program: program.as_ref().to_owned(),
            folder: tempfile::Builder::new()
                .prefix("messina-test-")
                .tempdir()
                .unwrap_or_else(|error| panic!("no folder for a node: {error}")),
            arguments: arguments.iter().map(|each| (*each).to_owned()).collect(),
            ports: Ports::free(),
            process: None,
        };
        node.start_again(shards).await;
        node
    }

    /// Starts the node on its folder, with any number of shards, and waits until it answers.
    ///
    /// # Panics
    /// It runs already, or does not start.
    ///
    /// # Cancel safety
    /// Cancelling leaves the process running until the node is dropped.
    pub async fn start_again(&mut self, shards: u32) {
        assert!(self.process.is_none(), "the node runs already");
        for _ in 0..STARTS_MAX {
            self.spawn(shards);
            match self.ready().await {
                Started::Ready => return,
                Started::PortTaken => self.ports = Ports::free(),
            }
        }
        panic!("no free port in {STARTS_MAX} attempts\n{}", self.log_tail());
    }

    /// Starts the node and kills it while it is starting.
    ///
    /// # Panics
    /// It runs already, or ends by itself.
    ///
    /// # Cancel safety
    /// Cancelling leaves the process running until the node is dropped.
    pub async fn start_and_kill(&mut self, shards: u32, after: Duration) {
        assert!(self.process.is_none(), "the node runs already");
        self.spawn(shards);
        sleep(after).await;
        self.kill();
    }

    /// Where drivers connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.ports.cql).into()
    }

    /// The folder that the node keeps its data in.
    #[must_use]
    pub fn workdir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Opens a connection.
    ///
    /// # Panics
    /// The node does not answer.
    ///
    /// # Cancel safety
    /// Cancelling closes the connection.
    pub async fn connect(&self) -> Connection {
        Connection::open(self.address())
            .await
            .unwrap_or_else(|error| panic!("cannot connect: {error}\n{}", self.log_tail()))
    }

    /// `kill -9`; returns once the process is gone.
    ///
    /// # Panics
    /// The process has ended before.
    pub fn kill(&mut self) {
        let Some(mut process) = self.process.take() else {
            panic!("there is no process to kill");
        };
        if let Ok(Some(status)) = process.try_wait() {
            panic!("the node ended by itself: {status}\n{}", self.log_tail());
        }
        process
            .kill()
            .and_then(|()| process.wait())
            .unwrap_or_else(|error| panic!("kill: {error}"));
    }

    /// SIGTERM, and waits until the process has ended by itself.
    ///
    /// # Panics
    /// It does not end in time.
    ///
    /// # Cancel safety
    /// Cancelling leaves the process to the destructor.
    pub async fn terminate(&mut self) -> ExitStatus {
        let Some(process) = &self.process else {
            panic!("there is no process to end");
        };
        let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            kill_process(pid, Signal::TERM).unwrap_or_else(|error| panic!("SIGTERM: {error}"));
        }
        timeout(PATIENCE, self.ended())
            .await
            .unwrap_or_else(|_| panic!("SIGTERM does not end it\n{}", self.log_tail()))
    }

    /// Asks the REST interface; gives the status and the body.
    ///
    /// # Errors
    /// The interface does not answer.
    ///
    /// # Cancel safety
    /// Cancelling closes the connection; the request may have had its effect.
    pub async fn api(&self, method: &str, path: &str) -> io::Result<(u16, String)> {
        http(self.ports.api, method, path).await
    }

    /// The metrics in Prometheus' text format.
    ///
    /// # Errors
    /// The interface does not answer.
    ///
    /// # Cancel safety
    /// Yes.
    pub async fn metrics(&self) -> io::Result<String> {
        Ok(http(self.ports.prometheus, "GET", "/metrics").await?.1)
    }

    /// What the node has logged, of all its starts.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.log_file()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let start = log.ceil_char_boundary(log.len().saturating_sub(SHOWN_LOG));
        format!(
            "--- log of {} ---\n{}--- end of the log ---",
            self.program.display(),
            log.get(start..).unwrap_or_default()
        )
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("node.log")
    }

    fn spawn(&mut self, shards: u32) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .and_then(|file| Ok((file.try_clone()?, file)));
        let (out, err) = log.unwrap_or_else(|error| panic!("no log file: {error}"));
        let mut command = Command::new(&self.program);
        for ours in OUR_ENVIRONMENT {
            command.env_remove(ours);
        }
        let process = command
            .arg("--workdir")
            .arg(self.workdir())
            .args(["--smp", &shards.to_string()])
            .args(["--native-transport-port", &self.ports.cql.to_string()])
            .args([
                "--native-shard-aware-transport-port",
                &self.ports.shard_aware.to_string(),
            ])
            .args(["--api-port", &self.ports.api.to_string()])
            .args(["--prometheus-port", &self.ports.prometheus.to_string()])
            .args(&self.arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        self.process = Some(process);
    }

    /// Waits until the node answers a query.
    async fn ready(&mut self) -> Started {
        let address = self.address();
        let log_before = self.log().len();
        let answers = async {
            loop {
                if let Ok(mut connection) = Connection::open(address).await
                    && connection
                        .query("SELECT key FROM system.local")
                        .await
                        .is_ok()
                {
                    return;
                }
                sleep(PAUSE).await;
            }
        };
        let ended = tokio::select! {
            () = answers => return Started::Ready,
            status = self.ended() => Some(status),
            () = sleep(PATIENCE) => None,
        };
        let log = self.log();
        let new = log.get(log_before..).unwrap_or_default().to_lowercase();
        match ended {
            Some(_) if new.contains("in use") => Started::PortTaken,
            Some(status) => panic!("the node did not start: {status}\n{}", self.log_tail()),
            None => panic!("the node does not answer\n{}", self.log_tail()),
        }
    }

    async fn ended(&mut self) -> ExitStatus {
        loop {
            let Some(process) = &mut self.process else {
                panic!("there is no process to wait for");
            };
            match process.try_wait() {
                Ok(Some(status)) => {
                    self.process = None;
                    return status;
                }
                Ok(None) => sleep(PAUSE).await,
                Err(error) => panic!("waiting for the node: {error}"),
            }
        }
    }
}

impl Drop for Node {
    #[expect(
        clippy::print_stderr,
        reason = "a failing test shows the log of its node"
    )]
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            // The process may have ended by itself; there is nobody to tell in a destructor.
            drop(process.kill());
            drop(process.wait());
        }
        if std::thread::panicking() {
            eprintln!("{}", self.log_tail());
        }
    }
}

/// One request of HTTP/1.1 on a connection of its own.
async fn http(port: u16, method: &str, path: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer
        .split_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| io::Error::other(format!("this is no HTTP: {answer}")))?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok((status, body.to_owned()))
}
