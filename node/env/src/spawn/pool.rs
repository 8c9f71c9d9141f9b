//! The bounded pool of nice threads behind `offload`.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::real::be_nice;
use super::{Job, OffloadError, panic_text};

#[derive(Debug)]
pub(super) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Mutex<Queue>,
    work: Condvar,
    /// Jobs that may wait.
    limit: usize,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool")
            .field("waiting", &self.lock().jobs.len())
            .finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<(&'static str, Job)>,
    stopped: bool,
}

impl Pool {
    /// Starts `threads` threads (at least one).
    pub(super) fn start(threads: usize, limit: usize) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            work: Condvar::new(),
            limit: limit.max(1),
        });
        let pool = Self {
            shared: shared.clone(),
        };
        for number in 0..threads.max(1) {
            let shared = shared.clone();
            std::thread::Builder::new()
                .name(format!("offload {number}"))
                .spawn(move || {
                    be_nice();
                    shared.work();
                })?;
        }
        Ok(pool)
    }

    pub(super) fn push(&self, name: &'static str, job: Job) -> Result<(), OffloadError> {
        let mut queue = self.shared.lock();
        if queue.stopped {
            return Err(OffloadError::Stopped);
        }
        if queue.jobs.len() >= self.shared.limit {
            return Err(OffloadError::Overloaded {
                waiting: queue.jobs.len(),
            });
        }
        queue.jobs.push_back((name, job));
        drop(queue);
        self.shared.work.notify_one();
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.stopped = true;
        queue.jobs.clear();
        drop(queue);
        self.shared.work.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut queue = self.lock();
        while !queue.stopped {
            let Some((name, job)) = queue.jobs.pop_front() else {
                queue = self
                    .work
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(queue);
            if let Err(payload) = catch_unwind(AssertUnwindSafe(job)) {
                tracing::error!(name, panic = %panic_text(&*payload), "an offloaded job panicked");
            }
            queue = self.lock();
        }
    }
}
