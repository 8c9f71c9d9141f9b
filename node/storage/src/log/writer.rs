//! The log thread: writes, syncs, publishes; nothing else.

use std::sync::Arc;
use std::time::Duration;

use node_env::{FileError, Loop, NodeClock, Phase, Turn};

use super::frame;
use super::state::{Batch, Segment, SharedLog};
use super::{SYNC_LOG_FRAMES, SyncMode};

/// In periodic mode frames gather this long before they are written.
const GATHER: Duration = Duration::from_millis(10);

/// The body of the log thread of one shard.
pub(crate) struct LogLoop {
    log: Arc<SharedLog>,
    clock: Arc<NodeClock>,
    batch: Batch,
    /// Segments with frames that were written and not synced.
    dirty: Vec<Arc<Segment>>,
    /// The last sequence that was written.
    written: u64,
    last_sync: Duration,
    stopped: Stopped,
}

/// Whether the log has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopped {
    No,
    Yes,
}

impl LogLoop {
    pub(crate) fn new(log: Arc<SharedLog>, clock: Arc<NodeClock>) -> Self {
        let last_sync = clock.monotonic();
        Self {
            log,
            clock,
            batch: Batch::default(),
            dirty: Vec::new(),
            written: 0,
            last_sync,
            stopped: Stopped::No,
        }
    }

    /// Writes everything that is pending, moving it to other segments once if a write fails.
    fn write(&mut self) -> Result<(), FileError> {
        let mut from = 0;
        let mut retried = false;
        while let Err((failed, error)) = self.write_runs(from) {
            let moved = match retried {
                false => self.log.relocate(&mut self.batch, failed),
                true => return Err(error),
            };
            if moved.is_err() {
                return Err(error);
            }
            tracing::warn!(log = %self.log.place.id, error = %error, "a write to the commit log failed; going on in the next segment");
            (from, retried) = (failed, true);
        }
        self.written = self.batch.last.max(self.written);
        self.log
            .counters
            .frames_written(self.batch.frames, self.batch.bytes.len() as u64);
        self.batch.clear();
        Ok(())
    }

    fn write_runs(&mut self, from: usize) -> Result<(), (usize, FileError)> {
        let durable = self.log.durable().0;
        for (index, run) in self.batch.runs.iter().enumerate().skip(from) {
            let Some(bytes) = self.batch.bytes.get_mut(run.start..run.end) else {
                continue;
            };
            let mut rest = &mut *bytes;
            while let Some(size) = frame::seal(rest, run.segment.salt, durable) {
                rest = rest.get_mut(size..).unwrap_or_default();
            }
            if let Err(error) = run.segment.file.write_at(run.offset, bytes) {
                return Err((index, error));
            }
            if self
                .dirty
                .last()
                .is_none_or(|last| last.number != run.segment.number)
            {
                self.dirty.push(Arc::clone(&run.segment));
            }
        }
        Ok(())
    }

    /// Syncs what was written and publishes it.
    fn sync(&mut self) -> Result<(), FileError> {
        for segment in &self.dirty {
            segment.file.sync_data(SYNC_LOG_FRAMES)?;
            self.log.counters.synced();
        }
        self.dirty.clear();
        self.last_sync = self.clock.monotonic();
        self.log.publish(self.written);
        Ok(())
    }

    fn work(&mut self, phase: Phase) -> Result<Turn, FileError> {
        let mut next = std::mem::take(&mut self.batch);
        self.log.take(&mut next);
        self.batch = next;
        let wrote = !self.batch.bytes.is_empty();
        if wrote {
            self.write()?;
        }
        match (self.log.options.sync, phase) {
            (SyncMode::Periodic(every), Phase::Running) => {
                let since = self.clock.monotonic().saturating_sub(self.last_sync);
                if !self.dirty.is_empty() && since >= every {
                    self.sync()?;
                }
                Ok(match (wrote, self.dirty.is_empty()) {
                    (true, _) => Turn::IdleFor(GATHER),
                    (false, true) => Turn::Idle,
                    (false, false) => Turn::IdleFor(every.saturating_sub(since).max(GATHER)),
                })
            }
            (SyncMode::Batch, _) | (SyncMode::Periodic(_), Phase::Stopping) => {
                if !self.dirty.is_empty() {
                    self.sync()?;
                }
                Ok(if wrote { Turn::Again } else { Turn::Idle })
            }
        }
    }
}

impl Loop for LogLoop {
    fn turn(&mut self, phase: Phase) -> Turn {
        match self.stopped {
            Stopped::Yes => Turn::Idle,
            Stopped::No => self.work(phase).unwrap_or_else(|cause| {
                self.stopped = Stopped::Yes;
                self.log.fail(cause);
                Turn::Idle
            }),
        }
    }
}
