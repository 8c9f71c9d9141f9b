//! Turns: how much a connection does before the others of its shard go on.
//!
//! ```text
//!  one poll of the task = one turn: requests under way, new frames, one write ─► over? give way, read ─► next poll
//! ```
//!
//! A turn ends after so many frames or so much time, whatever they were spent on. It overruns by a few pieces of work: as
//! many requests as are executed between two looks at the clock, or two steps of reads.
//! Neither requests under way nor new frames can keep the other ones from their part of it.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
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
    steps: Cell<u64>,
}

impl Turn {
    pub(crate) fn new(clock: Arc<NodeClock>) -> Self {
        Self {
            start: Cell::new(clock.monotonic()),
            frames: Cell::new(0),
            steps: Cell::new(0),
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

    /// Whether another frame may be executed; some may in every turn.
    pub(crate) fn takes_frames(&self) -> bool {
        let frames = self.frames.get();
        let looks = frames > 0 && frames.is_multiple_of(FRAMES_PER_LOOK);
        frames < FRAMES_MAX && !(looks && self.is_late())
    }

    /// A frame was executed.
    pub(crate) fn count_frame(&self) {
        self.frames.set(self.frames.get() + 1);
    }

    /// Whether requests under way have had their part, when frames wait for theirs.
    pub(crate) fn is_half_over(&self) -> bool {
        self.spent() > TIME_MAX / 2
    }

    /// Whether the connection should give way.
    pub(crate) fn is_over(&self) -> bool {
        self.frames.get() >= FRAMES_MAX || self.is_late()
    }

    fn is_late(&self) -> bool {
        self.spent() > TIME_MAX
    }

    fn spent(&self) -> Duration {
        self.clock.monotonic().saturating_sub(self.start.get())
    }

    /// A request under way whose steps are counted.
    pub(crate) async fn counted<T>(
        self: Rc<Self>,
        mut request: Pin<Box<dyn Future<Output = T>>>,
    ) -> T {
        poll_fn(|context| {
            self.steps.set(self.steps.get().wrapping_add(1));
            request.as_mut().poll(context)
        })
        .await
    }

    /// How many steps requests under way have gone.
    pub(crate) fn steps(&self) -> u64 {
        self.steps.get()
    }
}
