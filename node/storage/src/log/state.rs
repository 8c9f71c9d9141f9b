//! What the shard, the log thread and the provisioner share: the open segments and the frames on their way.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use node_env::{File, FileError, Rng, SeededRng};
use tokio::sync::Notify;

use super::frame::{self, Kind};
use super::segment::HEADER;
use super::{LogError, LogOptions, LogPlace, LogPosition};
use crate::stats::LogCounters;

/// An open segment file.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) file: Arc<dyn File>,
    pub(crate) path: PathBuf,
    pub(crate) number: u64,
    pub(crate) salt: u64,
    pub(crate) length: u64,
}

/// Consecutive frames of a batch that go into one segment.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) segment: Arc<Segment>,
    /// Where in the segment.
    pub(super) offset: u64,
    /// Which bytes of the batch.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Frames on their way to the disk.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) bytes: Vec<u8>,
    pub(super) runs: Vec<Run>,
    /// The last sequence in it.
    pub(super) last: u64,
    pub(super) frames: u64,
}

impl Batch {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.runs.clear();
        self.frames = 0;
    }
}

/// The segment that takes frames, and where its next one goes.
#[derive(Debug)]
struct Open {
    segment: Arc<Segment>,
    offset: u64,
}

/// A segment that takes no more frames.
#[derive(Debug)]
struct Used {
    segment: Arc<Segment>,
    /// No frame in it has a larger sequence.
    last: u64,
}

#[derive(Debug)]
pub(super) struct State {
    pending: Batch,
    next_sequence: u64,
    current: Open,
    pub(super) spares: VecDeque<Arc<Segment>>,
    used: VecDeque<Used>,
    /// Segments whose frames are all in the engine.
    pub(super) free: Vec<Arc<Segment>>,
    pub(super) next_number: u64,
    pub(super) rng: SeededRng,
    /// Set while the operating system refuses space.
    pub(super) refused: Option<FileError>,
    failure: Option<FileError>,
    gathering: Gathering,
}

/// Whether the log thread will look at pending frames without being woken: in periodic mode it comes back by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gathering {
    Yes,
    No,
}

/// One log, shared between its shard, its thread and the provisioner.
#[derive(Debug)]
pub(crate) struct SharedLog {
    pub(super) place: LogPlace,
    pub(super) options: LogOptions,
    pub(super) counters: Arc<LogCounters>,
    state: Mutex<State>,
    durable: AtomicU64,
    /// The durable position moved, or the log failed.
    pub(super) moved: Notify,
    /// There is other space than before.
    pub(crate) space_changed: Notify,
    /// A segment is missing or free.
    pub(super) wanted: Notify,
}

impl SharedLog {
    pub(super) fn new(
        place: LogPlace,
        options: LogOptions,
        first: Arc<Segment>,
        rng: SeededRng,
        counters: Arc<LogCounters>,
    ) -> Self {
        Self {
            place,
            options,
            counters,
            state: Mutex::new(State {
                pending: Batch::default(),
                next_sequence: 1,
                next_number: first.number + 1,
                current: Open {
                    segment: first,
                    offset: HEADER as u64,
                },
                spares: VecDeque::new(),
                used: VecDeque::new(),
                free: Vec::new(),
                rng,
                refused: None,
                failure: None,
                gathering: Gathering::No,
            }),
            durable: AtomicU64::new(0),
            moved: Notify::new(),
            space_changed: Notify::new(),
            wanted: Notify::new(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Every change below leaves the state whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which log this is.
    pub(crate) fn id(&self) -> super::LogId {
        self.place.id
    }

    /// Accepts a frame with this body, or refuses it before anything has changed.
    ///
    /// The first value is its position, the second whether the log thread must be woken for it.
    pub(crate) fn append(&self, body: &[u8]) -> Result<(LogPosition, WakeLog), LogError> {
        let size = self.check_size(body.len())?;
        let state = &mut *self.lock();
        if let Some(cause) = &state.failure {
            return Err(LogError::Stopped {
                cause: cause.clone(),
            });
        }
        if !state.current.fits(size) {
            state.next_segment(size)?;
            self.wanted.notify_one();
        }
        let sequence = state.next_sequence;
        state.next_sequence += 1;
        let was_empty = state.pending.bytes.is_empty();
        state.push(sequence, |out| {
            frame::append(out, 0, sequence, Kind::Mutations, |out| {
                out.extend_from_slice(body)
            });
        });
        let wake = match state.gathering {
            Gathering::No => was_empty,
            Gathering::Yes => state.pending.bytes.len() > PERIODIC_BYTES,
        };
        Ok((
            LogPosition(sequence),
            if wake { WakeLog::Yes } else { WakeLog::No },
        ))
    }

    /// Whether a body of this many bytes would be accepted now.
    pub(crate) fn check_space(&self, body: usize) -> Result<(), LogError> {
        let size = self.check_size(body)?;
        let state = self.lock();
        if let Some(cause) = &state.failure {
            return Err(LogError::Stopped {
                cause: cause.clone(),
            });
        }
        match state.current.fits(size) || state.spares.iter().any(|spare| fits(spare, size)) {
            true => Ok(()),
            false => Err(LogError::NoSpace {
                cause: state.refused.clone(),
            }),
        }
    }

    fn check_size(&self, body: usize) -> Result<usize, LogError> {
        let max = self.options.body_max();
        match body <= max {
            true => Ok(frame::size(body)),
            false => Err(LogError::TooLarge { bytes: body, max }),
        }
    }

    /// The highest position up to which everything is on the disk.
    pub(crate) fn durable(&self) -> LogPosition {
        LogPosition(self.durable.load(Ordering::Acquire))
    }

    /// The position of the last accepted frame.
    pub(crate) fn last(&self) -> LogPosition {
        LogPosition(self.lock().next_sequence - 1)
    }

    /// What ended the log, if something did.
    pub(crate) fn failure(&self) -> Option<FileError> {
        self.lock().failure.clone()
    }

    /// Waits until the durable position moved or the log failed, since the last call.
    pub(crate) async fn moved(&self) {
        self.moved.notified().await;
    }

    /// Everything up to `flushed` is in the engine: segments that hold nothing else are free.
    pub(crate) fn release(&self, flushed: LogPosition) {
        let state = &mut *self.lock();
        while let Some(used) = state.used.front()
            && used.last <= flushed.0
        {
            if let Some(used) = state.used.pop_front() {
                state.free.push(used.segment);
            }
        }
        if state.free.len() > self.options.spares || state.spares.len() < self.options.spares {
            self.wanted.notify_one();
        }
    }

    /// Bytes of segments that hold frames.
    pub(crate) fn used_bytes(&self) -> u64 {
        let state = self.lock();
        state
            .used
            .iter()
            .map(|used| used.segment.length)
            .sum::<u64>()
            + state.current.offset
    }

    /// Takes what is pending; `into` is empty and lends its memory to the next batch.
    pub(super) fn take(&self, into: &mut Batch) {
        let state = &mut *self.lock();
        std::mem::swap(&mut state.pending, into);
        state.gathering = match self.options.sync {
            super::SyncMode::Periodic(_) if !into.bytes.is_empty() => Gathering::Yes,
            super::SyncMode::Periodic(_) | super::SyncMode::Batch => Gathering::No,
        };
    }

    pub(super) fn publish(&self, durable: u64) {
        self.durable.fetch_max(durable, Ordering::AcqRel);
        self.moved.notify_one();
    }

    /// Ends the log: nothing more is accepted, and what was not durable may be or not be there after a restart.
    pub(crate) fn fail(&self, cause: FileError) {
        tracing::error!(log = %self.place.id, error = %cause, "the commit log has stopped; writes are refused until a restart");
        self.lock().failure.get_or_insert(cause);
        self.moved.notify_one();
        self.space_changed.notify_waiters();
    }

    /// Gives the frames of `batch` from byte `from` on, and all that are pending, another place, in segments that
    /// nothing was written to yet. The failed segment takes no more frames.
    pub(super) fn relocate(&self, batch: &mut Batch, failed_run: usize) -> Result<(), LogError> {
        let state = &mut *self.lock();
        let kept = batch
            .runs
            .get(..failed_run)
            .map(<[Run]>::to_vec)
            .unwrap_or_default();
        let moved_from = batch.runs.get(failed_run).map_or(0, |run| run.start);
        let failed = batch
            .runs
            .get(failed_run)
            .map_or(0, |run| run.segment.number);
        let mut bytes = std::mem::take(&mut batch.bytes);
        bytes.append(&mut state.pending.bytes);
        let mut untouched: VecDeque<Arc<Segment>> = VecDeque::new();
        let runs = batch
            .runs
            .iter()
            .skip(failed_run)
            .chain(&state.pending.runs);
        let planned = runs
            .map(|run| &run.segment)
            .chain([&state.current.segment])
            .chain(&state.spares);
        for segment in planned {
            if segment.number > failed
                && untouched
                    .back()
                    .is_none_or(|last| last.number < segment.number)
            {
                untouched.push_back(Arc::clone(segment));
            }
        }
        let first_moved = bytes
            .get(moved_from..)
            .and_then(|rest| frame::u64_at(rest, 16))
            .unwrap_or(1);
        if let Some(run) = batch.runs.get(failed_run) {
            state.used.retain(|used| used.segment.number < failed);
            state.used.push_back(Used {
                segment: Arc::clone(&run.segment),
                last: first_moved - 1,
            });
        }
        let frames = batch.frames + state.pending.frames;
        *batch = Batch {
            bytes: Vec::new(),
            runs: kept,
            last: batch.last,
            frames,
        };
        batch
            .bytes
            .extend_from_slice(bytes.get(..moved_from).unwrap_or_default());
        state.pending.clear();
        std::mem::swap(&mut state.pending, batch);
        state.spares = untouched;
        let first = state
            .spares
            .pop_front()
            .ok_or(LogError::NoSpace { cause: None });
        let placed = first.and_then(|segment| {
            state.current = Open {
                segment,
                offset: HEADER as u64,
            };
            state.place_all(bytes.get(moved_from..).unwrap_or_default())
        });
        std::mem::swap(&mut state.pending, batch);
        self.wanted.notify_one();
        placed
    }
}

/// In periodic mode the log thread is woken early when this much waits.
const PERIODIC_BYTES: usize = 256 << 10;

/// Whether the log thread must be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WakeLog {
    Yes,
    No,
}

fn fits(segment: &Segment, size: usize) -> bool {
    HEADER as u64 + size as u64 <= segment.length
}

impl Open {
    fn fits(&self, size: usize) -> bool {
        self.offset + size as u64 <= self.segment.length
    }
}

impl State {
    /// Opens the first spare that takes a frame of this size; smaller ones before it become free.
    fn next_segment(&mut self, size: usize) -> Result<(), LogError> {
        let Some(at) = self.spares.iter().position(|spare| fits(spare, size)) else {
            return Err(LogError::NoSpace {
                cause: self.refused.clone(),
            });
        };
        let skipped = self.spares.drain(..at).collect::<Vec<_>>();
        let Some(segment) = self.spares.pop_front() else {
            return Err(LogError::NoSpace {
                cause: self.refused.clone(),
            });
        };
        let last = self.next_sequence - 1;
        let full = std::mem::replace(
            &mut self.current,
            Open {
                segment,
                offset: HEADER as u64,
            },
        );
        self.used.push_back(Used {
            segment: full.segment,
            last,
        });
        self.used
            .extend(skipped.into_iter().map(|segment| Used { segment, last }));
        Ok(())
    }

    /// Appends one frame, written by `write`, at the place where the current segment goes on.
    fn push(&mut self, sequence: u64, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.pending.bytes.len();
        write(&mut self.pending.bytes);
        let end = self.pending.bytes.len();
        match self.pending.runs.last_mut() {
            Some(run) if run.segment.number == self.current.segment.number => run.end = end,
            Some(_) | None => self.pending.runs.push(Run {
                segment: Arc::clone(&self.current.segment),
                offset: self.current.offset,
                start,
                end,
            }),
        }
        self.current.offset += (end - start) as u64;
        self.pending.last = sequence;
        self.pending.frames += 1;
    }

    /// Places frames that have their sequences already.
    fn place_all(&mut self, mut frames: &[u8]) -> Result<(), LogError> {
        while let (Some(length), Some(sequence)) =
            (frame::u32_at(frames, 0), frame::u64_at(frames, 16))
        {
            let Some((one, rest)) = frames.split_at_checked(frame::size(length as usize)) else {
                break;
            };
            if !self.current.fits(one.len()) {
                let Some(segment) = self
                    .spares
                    .pop_front()
                    .filter(|spare| fits(spare, one.len()))
                else {
                    return Err(LogError::NoSpace {
                        cause: self.refused.clone(),
                    });
                };
                let full = std::mem::replace(
                    &mut self.current,
                    Open {
                        segment,
                        offset: HEADER as u64,
                    },
                );
                self.used.push_back(Used {
                    segment: full.segment,
                    last: sequence - 1,
                });
            }
            self.pending.frames -= 1; // counted before
            self.push(sequence, |out| out.extend_from_slice(one));
            frames = rest;
        }
        Ok(())
    }

    /// A salt that no file of this log had; zero would look like unwritten bytes.
    pub(super) fn salt(&mut self) -> u64 {
        self.rng.next_u64() | 1
    }
}

/// The first number of a log's segments.
pub(super) const FIRST_NUMBER: u64 = 1;

/// The path of a segment of this log.
pub(super) fn path(place: &LogPlace, number: u64) -> PathBuf {
    place.directory.join(place.id.file_name(number))
}
