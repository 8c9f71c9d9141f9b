//! Waking loops, stopping them, and learning how they ended.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::Notify;

use super::Phase;

/// How a loop or shard ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoopEnd {
    /// It said so, or stopped when asked.
    Done,
    /// It panicked: whoever owns it must stop relying on it.
    Panicked(String),
    /// It was dropped without a last turn: the simulated machine crashed, or its runtime went away.
    Killed,
}

impl fmt::Display for LoopEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Panicked(text) => write!(f, "panicked: {text}"),
            Self::Killed => f.write_str("killed"),
        }
    }
}

/// What a loop, its waker and its handle share.
#[derive(Debug)]
pub(super) struct Signal {
    name: String,
    pending: AtomicBool,
    stopping: AtomicBool,
    /// The thread to unpark, once it runs.
    thread: OnceLock<std::thread::Thread>,
    /// The task to notify, in a simulation.
    task: Notify,
    end: Mutex<Option<LoopEnd>>,
    ended: Notify,
}

impl Signal {
    pub(super) fn new(name: &str) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            pending: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            thread: OnceLock::new(),
            task: Notify::new(),
            end: Mutex::new(None),
            ended: Notify::new(),
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// To be called on the loop's own thread before its first turn.
    pub(super) fn runs_here(&self) {
        // Set once by construction; a second call would name the same thread.
        self.thread.get_or_init(std::thread::current);
    }

    pub(super) fn wake(&self) {
        if !self.pending.swap(true, Ordering::AcqRel) {
            if let Some(thread) = self.thread.get() {
                thread.unpark();
            }
            self.task.notify_one();
        }
    }

    /// Takes the pending wake-up, if any.
    pub(super) fn take(&self) -> bool {
        self.pending.swap(false, Ordering::AcqRel)
    }

    /// Whether a wake-up waits to be taken.
    pub(super) fn is_pending(&self) -> bool {
        self.pending.load(Ordering::Acquire)
    }

    /// Waits for a wake-up, as a task. Cancel safe: a wake-up stays pending until [`Signal::take`].
    pub(super) async fn woken(&self) {
        while !self.is_pending() {
            self.task.notified().await;
        }
    }

    pub(super) fn phase(&self) -> Phase {
        if self.stopping.load(Ordering::Acquire) {
            Phase::Stopping
        } else {
            Phase::Running
        }
    }

    pub(super) fn finish(&self, end: LoopEnd) {
        if let LoopEnd::Panicked(text) = &end {
            tracing::error!(name = %self.name, panic = %text, "a loop panicked");
        }
        self.lock_end().get_or_insert(end);
        self.ended.notify_waiters();
    }

    fn lock_end(&self) -> MutexGuard<'_, Option<LoopEnd>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a loop as killed if nobody said how it ended.
pub(super) struct EndGuard(pub(super) Arc<Signal>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.finish(LoopEnd::Killed);
    }
}

/// Tells a loop that there is work. Cheap to clone; cheap to call while the loop is awake (one atomic).
#[derive(Clone, Debug)]
pub struct Waker(pub(super) Arc<Signal>);

impl Waker {
    /// Causes at least one turn that begins after this call.
    pub fn wake(&self) {
        self.0.wake();
    }
}

/// The owner's end of a loop or shard. Dropping it does not stop the loop.
#[derive(Clone, Debug)]
pub struct LoopHandle(pub(super) Arc<Signal>);

impl LoopHandle {
    /// The name it was started under.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// For those who give it work.
    #[must_use]
    pub fn waker(&self) -> Waker {
        Waker(self.0.clone())
    }

    /// Asks it to finish what it accepted and end; returns at once. Nothing for shards, which end by themselves.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Release);
        self.0.wake();
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn end(&self) -> Option<LoopEnd> {
        self.0.lock_end().clone()
    }

    /// Waits until it has ended.
    ///
    /// # Cancel safety
    /// Safe; asks nothing of the loop.
    pub async fn ended(&self) -> LoopEnd {
        loop {
            let ended = self.0.ended.notified();
            if let Some(end) = self.end() {
                return end;
            }
            ended.await;
        }
    }
}
