//! The merger's loop and the way to give it work.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use node_env::{Loop, Phase, Turn, Waker};
use tokio::sync::oneshot;

use super::cleanup::Cleanup;
use super::flush::Flush;
use super::store_change::StoreChange;
use super::{MergeContext, MergeJob, Step};
use crate::error::StorageError;
use crate::memtable::Memtable;

/// How often the clean-up index is looked at.
const CLEANUP_EVERY: Duration = Duration::from_secs(60);

type Done = oneshot::Sender<Result<(), StorageError>>;

/// Work for the merger. It is begun only when its turn comes.
enum Job {
    Flush(Arc<Memtable>),
    Store(StoreChange),
    Cleanup,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<(Job, Option<Done>)>,
    /// Set when the loop has ended: nobody would do the jobs.
    closed: Closed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Closed {
    Yes,
    #[default]
    No,
}

/// The way to the merger; cheap to clone.
#[derive(Clone)]
pub(crate) struct Merger {
    queue: Arc<Mutex<Queue>>,
    waker: Waker,
}

impl Merger {
    /// Merges a memtable into the engine; durable and visible when it returns.
    pub(crate) async fn flush(&self, memtable: Arc<Memtable>) -> Result<(), StorageError> {
        self.run(Job::Flush(memtable)).await
    }

    /// Changes entries of the store; durable when it returns.
    pub(crate) async fn store(&self, change: StoreChange) -> Result<(), StorageError> {
        self.run(Job::Store(change)).await
    }

    /// Looks at the partitions whose tombstones may go by now.
    pub(crate) async fn clean_up(&self) -> Result<(), StorageError> {
        self.run(Job::Cleanup).await
    }

    async fn run(&self, job: Job) -> Result<(), StorageError> {
        let (done, result) = oneshot::channel();
        {
            let mut queue = lock(&self.queue);
            if queue.closed == Closed::Yes {
                return Err(StorageError::Stopped);
            }
            queue.jobs.push_back((job, Some(done)));
        }
        self.waker.wake();
        result.await.unwrap_or(Err(StorageError::Stopped))
    }
}

fn lock(queue: &Mutex<Queue>) -> MutexGuard<'_, Queue> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many merges may be under way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slots {
    /// One: the rule.
    One,
    /// Two, which loses rows: only to show that it does.
    Two,
}

/// The body of the merger.
pub(crate) struct MergerLoop {
    context: Arc<MergeContext>,
    queue: Arc<Mutex<Queue>>,
    active: VecDeque<(Box<dyn MergeJob>, Option<Done>)>,
    /// **The exclusiveness of the merger**: no job begins while so many are under way.
    slots: usize,
    last_cleanup: Duration,
}

impl MergerLoop {
    /// The loop, and how to reach it once it was started and its waker is known.
    pub(crate) fn new(
        context: Arc<MergeContext>,
        slots: Slots,
    ) -> (Self, impl FnOnce(Waker) -> Merger) {
        let queue = Arc::new(Mutex::new(Queue::default()));
        let shared = Arc::clone(&queue);
        let last_cleanup = context.clock.monotonic();
        let slots = match slots {
            Slots::One => 1,
            Slots::Two => 2,
        };
        let body = Self {
            context,
            queue,
            active: VecDeque::new(),
            slots,
            last_cleanup,
        };
        (body, move |waker| Merger {
            queue: shared,
            waker,
        })
    }

    fn begin_jobs(&mut self) {
        while self.active.len() < self.slots
            && let Some((job, done)) = lock(&self.queue).jobs.pop_front()
        {
            let job: Box<dyn MergeJob> = match job {
                Job::Flush(memtable) => Box::new(Flush::new(memtable, &self.context)),
                Job::Store(change) => Box::new(change),
                Job::Cleanup => Box::new(Cleanup::new(&self.context)),
            };
            self.active.push_back((job, done));
        }
    }
}

impl Loop for MergerLoop {
    fn turn(&mut self, phase: Phase) -> Turn {
        self.begin_jobs();
        let Some((mut job, done)) = self.active.pop_front() else {
            let idle_for = self
                .context
                .clock
                .monotonic()
                .saturating_sub(self.last_cleanup);
            return match (idle_for >= CLEANUP_EVERY, phase) {
                (_, Phase::Stopping) => Turn::Idle,
                (false, Phase::Running) => Turn::IdleFor(CLEANUP_EVERY.saturating_sub(idle_for)),
                (true, Phase::Running) => {
                    self.last_cleanup = self.context.clock.monotonic();
                    lock(&self.queue).jobs.push_back((Job::Cleanup, None));
                    Turn::Again
                }
            };
        };
        match job.step(&self.context) {
            Ok(Step::More) if self.slots == 1 => self.active.push_front((job, done)),
            Ok(Step::More) => self.active.push_back((job, done)),
            Ok(Step::Finished) => answer(done, Ok(())),
            Err(error) => answer(done, Err(error)),
        }
        Turn::Again
    }
}

impl Drop for MergerLoop {
    fn drop(&mut self) {
        let jobs = {
            let mut queue = lock(&self.queue);
            queue.closed = Closed::Yes;
            std::mem::take(&mut queue.jobs)
        };
        for (_, done) in jobs {
            answer(done, Err(StorageError::Stopped));
        }
    }
}

fn answer(done: Option<Done>, result: Result<(), StorageError>) {
    match done {
        // Whoever asked may have gone; the work is done all the same.
        Some(done) => drop(done.send(result)),
        None => {
            if let Err(error) = result {
                tracing::warn!(error = %error, "a clean-up of tombstones failed; it is tried again");
            }
        }
    }
}
