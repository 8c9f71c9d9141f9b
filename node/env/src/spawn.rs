//! Work with a name and an owner.
//!
//! ```text
//!            real node                          simulation                    by hand (unit tests)
//! shard      OS thread + LocalRuntime           task of the one runtime       -
//! dedicated  OS thread, parks when idle         task, awaits its wake-up      turned by StepSpawn::step
//! offload    small bounded pool of nice threads task after a virtual delay    run by StepSpawn::step
//! ```
//!
//! [`Spawn`] is the seam. A *loop* ([`Loop`]) is the shape that serves all three columns: a body whose `turn` does
//! one bounded piece of work, may block on files, never awaits; whoever gives it work wakes it by its [`Waker`].
//! Tasks on a shard's own runtime are not behind the seam: they belong to a [`crate::TaskGroup`].

mod pool;
mod real;
mod sim;
mod step;
mod wake;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

pub use real::{RealSpawn, RealSpawnOptions};
pub use sim::{SimSpawn, SimSpawnOptions};
pub use step::StepSpawn;
pub use wake::{LoopEnd, LoopHandle, Waker};

/// What a turn says when it returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// There is more to do: turn again at once.
    Again,
    /// Nothing to do: turn again when woken. In [`Phase::Stopping`] this means that the loop is done.
    Idle,
    /// Nothing to do: turn again when woken or when this time has passed, whichever is first.
    IdleFor(Duration),
    /// Finished for good.
    Done,
}

/// Whether the loop was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Normal life.
    Running,
    /// Asked to stop: finish what was accepted; the next idle turn is the last.
    Stopping,
}

/// A loop with a place of its own: commit log, merger.
///
/// A wake-up that comes during a turn causes another turn, so that none is lost.
pub trait Loop: Send {
    /// One bounded piece of work; may block on files.
    fn turn(&mut self, phase: Phase) -> Turn;
}

/// How urgent the work of a thread is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody waits: the commit log, a flush.
    Foreground,
    /// It can wait for others: compaction. The thread is nice.
    Background,
}

/// A job for the offload pool.
pub type Job = Box<dyn FnOnce() + Send>;

/// Starts a shard: called once, where the shard will live.
pub type StartShard = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// Why a job was not run to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OffloadError {
    /// The queue is full: do it later, or refuse the request.
    Overloaded {
        /// How many jobs were waiting.
        waiting: usize,
    },
    /// The node is going down.
    Stopped,
    /// The job panicked; the pool goes on.
    Panicked {
        /// The job's name.
        name: &'static str,
    },
}

impl fmt::Display for OffloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overloaded { waiting } => {
                write!(
                    f,
                    "{waiting} background jobs are waiting already; try again later"
                )
            }
            Self::Stopped => f.write_str("the node is going down"),
            Self::Panicked { name } => {
                write!(f, "the background job `{name}` panicked; see the log")
            }
        }
    }
}

impl std::error::Error for OffloadError {}

/// Where work goes that does not run on the caller's runtime.
pub trait Spawn: Send + Sync + fmt::Debug {
    /// Gives a loop a place of its own until it is done. Named after what it does and its owner, as `log 2`.
    fn dedicated(&self, name: &str, urgency: Urgency, body: Box<dyn Loop>) -> LoopHandle;

    /// Starts a shard, which lives until its future ends. A shard never assumes that it has a thread.
    fn shard(&self, name: &str, start: StartShard) -> LoopHandle;

    /// Puts a job into the pool's bounded queue. Prefer [`offload`], which brings back the result.
    ///
    /// # Errors
    /// [`OffloadError::Overloaded`], [`OffloadError::Stopped`].
    fn offload_job(&self, name: &'static str, job: Job) -> Result<(), OffloadError>;
}

/// Runs blocking or long work off the shard and brings back its result.
///
/// # Errors
/// [`OffloadError`]; the job was not begun, except after [`OffloadError::Panicked`].
///
/// # Cancel safety
/// Dropping the future forgets the result; the job runs to its end all the same.
pub async fn offload<T, F>(
    spawn: &Arc<dyn Spawn>,
    name: &'static str,
    job: F,
) -> Result<T, OffloadError>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let (sender, result) = tokio::sync::oneshot::channel();
    spawn.offload_job(
        name,
        Box::new(move || {
            // A caller that has gone away needs no result.
            drop(sender.send(job()));
        }),
    )?;
    result.await.map_err(|_| OffloadError::Panicked { name })
}

/// The words of a panic, from what `catch_unwind` caught.
#[must_use]
pub fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}

#[cfg(test)]
mod tests;
