//! Turns: how much a connection does before the others of its shard go on.
//!
//! ```text
//!  one poll of the task = one turn: frames, reads that go on, answers, one write ─► over? give way ─► next poll
//! ```
//!
//! A turn ends after so many frames or so much time, whatever they were spent on: frames that keep arriving, or reads under
//! way. It overruns by one piece of work at most: a request, or a step of a read.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use node_env::NodeClock;

/// Frames that are executed in one turn.
const FRAMES_MAX: usize = 64;

/// A turn also ends when it has taken this long. A request takes some microseconds, but one that reads many rows, or reads
/// from the disk, takes a thousand times as many.
const TIME_MAX: Duration = Duration::from_micros(500);

/// Frames between two looks at the clock.
const FRAMES_PER_LOOK: usize = 4;

/// The turn of one connection.
pub(crate) struct Turn {
    clock: Arc<NodeClock>,
    start: Cell<Duration>,
    frames: Cell<usize>,
}

impl Turn {
    pub(crate) fn new(clock: Arc<NodeClock>) -> Self {
        Self {
            start: Cell::new(clock.monotonic()),
            frames: Cell::new(0),
            clock,
        }
    }

    /// Runs the work of a connection; each of its polls is a turn.
    pub(crate) async fn each_poll<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            self.start.set(self.clock.monotonic());
            self.frames.set(0);
            work.as_mut().poll(context)
        })
        .await
    }

    /// Whether another frame may be executed; counts it.
    pub(crate) fn takes_a_frame(&self) -> bool {
        let frames = self.frames.get();
        let is_over = frames >= FRAMES_MAX
            || frames > 0 && frames.is_multiple_of(FRAMES_PER_LOOK) && self.is_late();
        self.frames.set(frames + usize::from(!is_over));
        !is_over
    }

    /// Whether the connection should give way.
    pub(crate) fn is_over(&self) -> bool {
        self.frames.get() >= FRAMES_MAX || self.is_late()
    }

    fn is_late(&self) -> bool {
        self.clock.monotonic().saturating_sub(self.start.get()) > TIME_MAX
    }

    /// A request that goes on only in turns that are not over.
    pub(crate) async fn within<T>(
        self: Rc<Self>,
        mut request: Pin<Box<dyn Future<Output = T>>>,
    ) -> T {
        poll_fn(|context| match self.is_late() {
            false => request.as_mut().poll(context),
            true => {
                // Wakes the request when the runtime has looked at the sockets.
                let _pending = pin!(tokio::task::yield_now()).poll(context);
                Poll::Pending
            }
        })
        .await
    }
}
