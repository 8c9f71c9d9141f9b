//! A simulated node: every loop, shard and job is a task of the one runtime, with a seeded virtual delay before
//! each turn, so that the order of events is explored and repeatable.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;

use super::wake::{EndGuard, Signal};
use super::{
    Job, Loop, LoopEnd, LoopHandle, OffloadError, Phase, Spawn, StartShard, Turn, Urgency,
    panic_text,
};
use crate::chance::{Rng, SeededRng};

/// How slow a simulated node is.
#[derive(Clone, Debug)]
pub struct SimSpawnOptions {
    /// Virtual time before each turn of a foreground loop.
    pub foreground: Range<Duration>,
    /// Virtual time before each turn of a background loop and before each offloaded job.
    pub background: Range<Duration>,
    /// Jobs that may wait.
    pub offload_queue: usize,
}

impl Default for SimSpawnOptions {
    fn default() -> Self {
        let micros = Duration::from_micros;
        Self {
            foreground: micros(20)..micros(2_000),
            background: micros(50)..micros(10_000),
            offload_queue: 1_024,
        }
    }
}

/// Tasks on the caller's `LocalRuntime`, with virtual delays from a seed.
#[derive(Debug)]
pub struct SimSpawn {
    options: SimSpawnOptions,
    waiting: Arc<AtomicUsize>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    rng: SeededRng,
    /// One stream of delays per loop, so that one loop's work does not change another's delays.
    started: u64,
    tasks: Vec<AbortHandle>,
    killed: bool,
}

impl SimSpawn {
    /// A spawner whose delays come from `rng`.
    #[must_use]
    pub fn new(rng: SeededRng, options: SimSpawnOptions) -> Self {
        let state = State {
            rng,
            started: 0,
            tasks: Vec::new(),
            killed: false,
        };
        Self {
            options,
            waiting: Arc::default(),
            state: Mutex::new(state),
        }
    }

    /// The machine crashes: everything started here is dropped where it waits, without a last turn.
    /// What is started from now on never runs.
    pub fn kill(&self) {
        let mut state = self.lock();
        state.killed = true;
        for task in std::mem::take(&mut state.tasks) {
            task.abort();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn delays(&self, name: &str, urgency: Urgency) -> Delays {
        let mut state = self.lock();
        state.started += 1;
        let rng = state.rng.fork(&format!("{name} {}", state.started));
        let range = match urgency {
            Urgency::Foreground => self.options.foreground.clone(),
            Urgency::Background => self.options.background.clone(),
        };
        Delays { rng, range }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that the others are told to use"
    )]
    fn start(&self, future: impl Future<Output = ()> + 'static) {
        let mut state = self.lock();
        if state.killed {
            return;
        }
        state.tasks.retain(|task| !task.is_finished());
        state
            .tasks
            .push(tokio::task::spawn_local(future).abort_handle());
    }
}

struct Delays {
    rng: SeededRng,
    range: Range<Duration>,
}

impl Delays {
    async fn pass(&mut self) {
        let nanos = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        let delay = self
            .rng
            .between(nanos(self.range.start), nanos(self.range.end));
        if delay == 0 {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(Duration::from_nanos(delay)).await;
        }
    }
}

impl Spawn for SimSpawn {
    fn dedicated(&self, name: &str, urgency: Urgency, body: Box<dyn Loop>) -> LoopHandle {
        let signal = Signal::new(name);
        let guard = EndGuard(signal.clone());
        let delays = self.delays(name, urgency);
        self.start(async move {
            let end = run_loop(&guard.0, body, delays).await;
            guard.0.finish(end);
        });
        LoopHandle(signal)
    }

    fn shard(&self, name: &str, start: StartShard) -> LoopHandle {
        let signal = Signal::new(name);
        let guard = EndGuard(signal.clone());
        self.start(async move {
            start().await;
            guard.0.finish(LoopEnd::Done);
        });
        LoopHandle(signal)
    }

    fn offload_job(&self, name: &'static str, job: Job) -> Result<(), OffloadError> {
        if self.lock().killed {
            return Err(OffloadError::Stopped);
        }
        let waiting = self.waiting.load(Ordering::Relaxed);
        if waiting >= self.options.offload_queue {
            return Err(OffloadError::Overloaded { waiting });
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let (mut delays, counter) = (self.delays(name, Urgency::Background), self.waiting.clone());
        self.start(async move {
            delays.pass().await;
            counter.fetch_sub(1, Ordering::Relaxed);
            if let Err(payload) = catch_unwind(AssertUnwindSafe(job)) {
                tracing::error!(name, panic = %panic_text(&*payload), "an offloaded job panicked");
            }
        });
        Ok(())
    }
}

async fn run_loop(signal: &Signal, mut body: Box<dyn Loop>, mut delays: Delays) -> LoopEnd {
    loop {
        delays.pass().await;
        // Taken before the turn: what comes during it causes another one.
        signal.take();
        let phase = signal.phase();
        let turn = match catch_unwind(AssertUnwindSafe(|| body.turn(phase))) {
            Ok(turn) => turn,
            Err(payload) => return LoopEnd::Panicked(panic_text(&*payload)),
        };
        match (turn, phase) {
            (Turn::Again, _) => {}
            (Turn::Done, _) | (Turn::Idle | Turn::IdleFor(_), Phase::Stopping) => {
                return LoopEnd::Done;
            }
            (Turn::Idle, Phase::Running) => signal.woken().await,
            (Turn::IdleFor(patience), Phase::Running) => {
                // Out of patience or woken: both cause a turn.
                drop(tokio::time::timeout(patience, signal.woken()).await);
            }
        }
    }
}
