//! A node as a process of its own, seen from outside: its memory, its processor time, its files.
//!
//! Figures come from `/proc`, so these programs run on Linux.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use perf_event::events::Software;
use perf_event::{Builder, Counter};
use tempfile::TempDir;

use crate::Outcome;
use crate::arguments::Arguments;
use crate::pipeline::Pipeline;
use crate::stopwatch::{Stopwatch, pause};

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(300);

/// Between two attempts to reach it.
const PAUSE: Duration = Duration::from_micros(200);

/// Ticks of a second in `/proc/PID/stat`: what Linux shows to programs, whatever it counts in.
const TICKS: u64 = 100;

/// A node in a folder of its own; it is killed when this is dropped.
#[derive(Debug)]
pub struct Node {
    program: PathBuf,
    arguments: Vec<String>,
    folder: TempDir,
    cql: u16,
    metrics: u16,
    child: Child,
}

impl Node {
    /// Starts a node on an empty folder and does not wait for it.
    ///
    /// # Errors
    /// There is no such program, no folder or no port.
    pub fn spawn(program: &Path, arguments: &[&str]) -> Outcome<Self> {
        let folder = tempfile::Builder::new()
            .prefix("messina-bench-")
            .tempdir()?;
        let (cql, metrics) = (free_port()?, free_port()?);
        let mut all: Vec<String> = Vec::new();
        for (name, value) in [
            (
                "--workdir",
                folder.path().join("data").display().to_string(),
            ),
            ("--native-transport-port", cql.to_string()),
            ("--native-shard-aware-transport-port", "0".to_owned()),
            ("--prometheus-port", metrics.to_string()),
            ("--api-port", "0".to_owned()),
        ] {
            all.extend([name.to_owned(), value]);
        }
        all.extend(arguments.iter().map(|&each| each.to_owned()));
        let child = start(program, &all, folder.path())?;
        Ok(Self {
            program: program.to_owned(),
            arguments: all,
            folder,
            cql,
            metrics,
            child,
        })
    }

    /// Starts one with the options that most programs take: `--memory` (128MB), `--smp`, `--sync` of the commit log.
    ///
    /// # Errors
    /// As [`Node::spawn`]; an argument is not a value of its option.
    pub fn spawn_with(arguments: &Arguments, smp: &str, sync: &str) -> Outcome<Self> {
        let option = |name: &str, default: &str| arguments.or(name, default.to_owned());
        let (memory, smp, sync) = (
            option("memory", "128MB")?,
            option("smp", smp)?,
            option("sync", sync)?,
        );
        let options = [
            "--memory",
            &memory,
            "--smp",
            &smp,
            "--commitlog-sync",
            &sync,
        ];
        Self::spawn(&arguments.program()?, &options)
    }

    /// `kill -9`; returns once the process is gone.
    ///
    /// # Errors
    /// The process cannot be killed.
    pub fn kill(&mut self) -> Outcome {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Starts the killed node again on its folder and does not wait for it.
    ///
    /// # Errors
    /// The program has gone.
    pub fn spawn_again(&mut self) -> Outcome {
        self.child = start(&self.program, &self.arguments, self.folder.path())?;
        Ok(())
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.cql).into()
    }

    /// The first connection to a node that starts: tries until it answers.
    ///
    /// # Errors
    /// It ends, or does not answer in time.
    pub fn connect(&mut self) -> Outcome<Pipeline> {
        let watch = Stopwatch::start();
        loop {
            match Pipeline::open(self.address()) {
                Ok(connection) => return Ok(connection),
                Err(error) if watch.elapsed() > PATIENCE => return Err(error),
                Err(_) => {}
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("the node ended with {status}: {}", self.log()).into());
            }
            pause(PAUSE);
        }
    }

    /// The process.
    #[must_use]
    pub fn usage(&self) -> Usage {
        Usage(self.child.id())
    }

    /// The sum of a metric over its labels.
    ///
    /// # Errors
    /// The node does not answer, or has no such metric.
    pub fn metric(&self, name: &str) -> Outcome<f64> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.metrics))?;
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let mut found = None;
        for line in text.lines() {
            let Some((key, value)) = line.rsplit_once(' ') else {
                continue;
            };
            if key.split('{').next() == Some(name) {
                *found.get_or_insert(0.0) += value.parse::<f64>()?;
            }
        }
        found.ok_or_else(|| format!("no metric {name}").into())
    }

    /// Bytes of its files that are allocated on disk.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn disk_bytes(&self) -> Outcome<u64> {
        Ok(allocated(&self.folder.path().join("data"))?)
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("node.log")).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already; a destructor has nobody to tell.
        drop(self.kill());
    }
}

/// What a process of this machine uses.
#[derive(Debug, Clone, Copy)]
pub struct Usage(u32);

impl Usage {
    /// Any process.
    #[must_use]
    pub fn of(pid: u32) -> Self {
        Self(pid)
    }

    /// Bytes resident now.
    ///
    /// # Errors
    /// The process has gone.
    pub fn resident(self) -> Outcome<u64> {
        self.status("VmRSS:")
    }

    /// The most bytes that were ever resident.
    ///
    /// # Errors
    /// The process has gone.
    pub fn resident_peak(self) -> Outcome<u64> {
        self.status("VmHWM:")
    }

    /// Processor time of all its threads, in user and kernel mode, to 10 ms.
    ///
    /// # Errors
    /// The process has gone.
    pub fn processor(self) -> Outcome<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        // The name in parentheses may hold anything; utime and stime are the 12th and 13th words after it.
        let (_, after) = stat.rsplit_once(')').ok_or("no process name")?;
        let ticks = after
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse::<u64>)
            .sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 1_000 / TICKS))
    }

    /// Processor time of its first thread; while it runs, as of the kernel's last tick.
    ///
    /// # Errors
    /// The process has gone.
    pub fn first_thread_processor(self) -> Outcome<Duration> {
        let text = std::fs::read_to_string(format!("/proc/{0}/task/{0}/schedstat", self.0))?;
        let nanos = text.split_whitespace().next().ok_or("no schedstat")?;
        Ok(Duration::from_nanos(nanos.parse()?))
    }

    /// A clock that counts the processor time of its thread of that name.
    ///
    /// # Errors
    /// There is no such thread, or the kernel lets nobody count (`sysctl kernel.perf_event_paranoid=1` allows it).
    pub fn thread(self, name: &str) -> Outcome<ThreadClock> {
        for entry in std::fs::read_dir(format!("/proc/{}/task", self.0))? {
            let entry = entry?;
            if std::fs::read_to_string(entry.path().join("comm"))?.trim() == name {
                let thread = entry.file_name().to_string_lossy().parse()?;
                let mut clock = Builder::new(Software::TASK_CLOCK)
                    .observe_pid(thread)
                    .include_kernel()
                    .build()?;
                clock.enable()?;
                return Ok(ThreadClock(clock));
            }
        }
        Err(format!("no thread {name:?}").into())
    }

    /// Waits until the process does next to nothing for three seconds in a row.
    ///
    /// # Errors
    /// The process has gone.
    pub fn settle(self) -> Outcome {
        let mut quiet = 0;
        while quiet < 3 {
            let before = self.processor()?;
            pause(Duration::from_secs(1));
            let busy = self.processor()? - before;
            quiet = if busy < Duration::from_millis(50) {
                quiet + 1
            } else {
                0
            };
        }
        Ok(())
    }

    fn status(self, field: &str) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let kib = line.and_then(|rest| rest.split_whitespace().next());
        let kib: u64 = kib.ok_or(format!("no {field}"))?.parse()?;
        Ok(kib << 10)
    }
}

/// Counts the processor time of a thread, exactly, also while it runs.
pub struct ThreadClock(Counter);

impl ThreadClock {
    /// Processor time since the clock was made.
    ///
    /// # Errors
    /// The kernel's.
    pub fn read(&mut self) -> Outcome<Duration> {
        Ok(Duration::from_nanos(self.0.read()?))
    }
}

fn start(program: &Path, arguments: &[String], folder: &Path) -> Outcome<Child> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("node.log"))?;
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .map_err(|error| format!("{}: {error}; build it first", program.display()))?;
    Ok(child)
}

fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn allocated(folder: &Path) -> io::Result<u64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() {
            allocated(&entry.path())?
        } else {
            // Files may vanish while the node works.
            entry
                .metadata()
                .map_or(0, |metadata| metadata.blocks() * 512)
        };
    }
    Ok(bytes)
}
