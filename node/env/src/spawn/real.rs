//! A real node: threads.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use super::pool::Pool;
use super::wake::{EndGuard, Signal};
use super::{
    Job, Loop, LoopEnd, LoopHandle, OffloadError, Phase, Spawn, StartShard, Turn, Urgency,
    panic_text,
};

/// Sizes of a real node's thread pool.
#[derive(Clone, Copy, Debug)]
pub struct RealSpawnOptions {
    /// Threads of the offload pool.
    pub offload_threads: usize,
    /// Jobs that may wait for them.
    pub offload_queue: usize,
}

impl Default for RealSpawnOptions {
    fn default() -> Self {
        Self {
            offload_threads: 2,
            offload_queue: 1_024,
        }
    }
}

/// Threads of the operating system.
#[derive(Debug)]
pub struct RealSpawn {
    pool: Pool,
}

impl RealSpawn {
    /// Starts the offload pool.
    ///
    /// # Errors
    /// The operating system gives no thread.
    pub fn new(options: RealSpawnOptions) -> io::Result<Self> {
        Ok(Self {
            pool: Pool::start(options.offload_threads, options.offload_queue)?,
        })
    }
}

impl Spawn for RealSpawn {
    fn dedicated(&self, name: &str, urgency: Urgency, body: Box<dyn Loop>) -> LoopHandle {
        let signal = Signal::new(name);
        start_thread(&signal, move |signal| {
            match urgency {
                Urgency::Background => be_nice(),
                Urgency::Foreground => {}
            }
            run_loop(signal, body);
            LoopEnd::Done
        });
        LoopHandle(signal)
    }

    fn shard(&self, name: &str, start: StartShard) -> LoopHandle {
        let signal = Signal::new(name);
        start_thread(&signal, move |signal| {
            let options = tokio::runtime::LocalOptions::default();
            match tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build_local(options)
            {
                Ok(runtime) => {
                    runtime.block_on(start());
                    LoopEnd::Done
                }
                Err(error) => {
                    tracing::error!(name = signal.name(), %error, "a shard has no runtime");
                    LoopEnd::Killed
                }
            }
        });
        LoopHandle(signal)
    }

    fn offload_job(&self, name: &'static str, job: Job) -> Result<(), OffloadError> {
        self.pool.push(name, job)
    }
}

/// Runs `work` on a thread of its own and records how it ended, also when there is no thread to be had.
fn start_thread(signal: &Arc<Signal>, work: impl FnOnce(&Arc<Signal>) -> LoopEnd + Send + 'static) {
    let guard = EndGuard(signal.clone());
    let started = std::thread::Builder::new()
        .name(signal.name().to_owned())
        .spawn(move || {
            guard.0.runs_here();
            let end = catch_unwind(AssertUnwindSafe(|| work(&guard.0)))
                .unwrap_or_else(|payload| LoopEnd::Panicked(panic_text(&*payload)));
            guard.0.finish(end);
        });
    if let Err(error) = started {
        tracing::error!(name = signal.name(), %error, "the operating system gives no thread");
    }
}

fn run_loop(signal: &Signal, mut body: Box<dyn Loop>) {
    loop {
        // Taken before the turn: what comes during it causes another one.
        signal.take();
        let phase = signal.phase();
        let patience = match (body.turn(phase), phase) {
            (Turn::Again, _) => continue,
            (Turn::Done, _) | (Turn::Idle | Turn::IdleFor(_), Phase::Stopping) => return,
            (Turn::Idle, Phase::Running) => None,
            (Turn::IdleFor(patience), Phase::Running) => Some(patience),
        };
        park(signal, patience);
    }
}

/// Parks until woken or out of patience. Does not take the wake-up.
fn park(signal: &Signal, patience: Option<Duration>) {
    let Some(patience) = patience else {
        while !signal.is_pending() {
            std::thread::park();
        }
        return;
    };
    // Without a look at the clock: an early return is only a turn that finds nothing to do.
    if !signal.is_pending() {
        std::thread::park_timeout(patience);
    }
}

/// Makes the calling thread yield to others; an operating system that refuses is not worth stopping for.
pub(super) fn be_nice() {
    if let Err(error) = rustix::process::setpriority_process(None, 10) {
        tracing::debug!(%error, "this thread stays as urgent as the others");
    }
}
