//! Segments: made, recycled and removed, off the shard and off the log thread.

use std::sync::Arc;

use node_env::{FileError, FileErrorKind, SeededRng};

use super::segment::SegmentHeader;
use super::state::{FIRST_NUMBER, Segment, SharedLog, path};
use super::{LogOptions, LogPlace, SYNC_LOG_DIRECTORY, SYNC_LOG_SEGMENT};
use crate::stats::LogCounters;

impl SharedLog {
    /// Makes the first segment of a new log; the folder is there.
    ///
    /// # Errors
    /// The operating system's; nothing was promised yet.
    pub(crate) fn create(
        place: LogPlace,
        options: LogOptions,
        mut rng: SeededRng,
        counters: Arc<LogCounters>,
    ) -> Result<Self, FileError> {
        let salt = node_env::Rng::next_u64(&mut rng) | 1;
        let length = options.first_segment_bytes.max(4096);
        let first = make(&place, FIRST_NUMBER, salt, length)?;
        counters.segment_made();
        Ok(Self::new(place, options, Arc::new(first), rng, counters))
    }

    /// Waits until a segment is missing or free.
    pub(crate) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Brings the number of spares up to what is wanted, from free segments first, and removes free ones that are too many.
    ///
    /// Blocks; call it off the shard.
    ///
    /// # Errors
    /// [`FileErrorKind::Full`] when there is no space: call again when some came back; others: try again later.
    pub(crate) fn provision(&self) -> Result<(), FileError> {
        loop {
            let (free, number, salt) = {
                let mut state = self.lock();
                if state.spares.len() >= self.options.spares {
                    break;
                }
                let number = state.next_number;
                state.next_number += 1;
                let fits = |segment: &Arc<Segment>| segment.length == self.options.segment_bytes;
                let free = state
                    .free
                    .iter()
                    .position(fits)
                    .map(|at| state.free.swap_remove(at));
                (free, number, state.salt())
            };
            let made = match free {
                Some(free) => recycle(&self.place, &free, number, salt)
                    .inspect(|_| self.counters.segment_recycled()),
                None => make(&self.place, number, salt, self.options.segment_bytes)
                    .inspect(|_| self.counters.segment_made()),
            };
            let mut state = self.lock();
            match made {
                Ok(segment) => {
                    state.refused = None;
                    // Two provisioners never run at once, so numbers come in order.
                    state.spares.push_back(Arc::new(segment));
                }
                Err(error) => {
                    state.refused = Some(error.clone());
                    drop(state);
                    self.space_changed.notify_waiters();
                    return Err(error);
                }
            }
            drop(state);
            self.space_changed.notify_waiters();
        }
        self.remove_free()
    }

    /// Keeps as many free segments as there are spares, to be used again, and removes the others.
    fn remove_free(&self) -> Result<(), FileError> {
        loop {
            let free = {
                let free = &mut self.lock().free;
                let odd = free
                    .iter()
                    .position(|one| one.length != self.options.segment_bytes);
                match odd.or(free.len().checked_sub(self.options.spares + 1)) {
                    Some(at) => free.swap_remove(at),
                    None => return Ok(()),
                }
            };
            match self.place.files.remove(&free.path) {
                Ok(()) => self.counters.segment_removed(),
                Err(error) if error.kind == FileErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A new file, zero-filled and synced, with its name synced too.
fn make(place: &LogPlace, number: u64, salt: u64, length: u64) -> Result<Segment, FileError> {
    let path = path(place, number);
    match place.files.remove(&path) {
        Ok(()) => {}
        Err(error) if error.kind == FileErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let file = place.files.create(&path, length, SYNC_LOG_SEGMENT)?;
    // The header becomes durable with the first frames: the sync that covers them covers it.
    file.write_at(0, &header(place, number, salt, length))?;
    place.files.sync_dir(&place.directory, SYNC_LOG_DIRECTORY)?;
    Ok(Segment {
        file,
        path,
        number,
        salt,
        length,
    })
}

/// The same file under another number and salt; its old frames are in the engine.
///
/// Neither the header nor the new name is synced here: the header becomes durable with the first frames, and replay
/// goes by the header, not by the name.
fn recycle(place: &LogPlace, free: &Segment, number: u64, salt: u64) -> Result<Segment, FileError> {
    let path = path(place, number);
    free.file
        .write_at(0, &header(place, number, salt, free.length))?;
    place.files.rename(&free.path, &path)?;
    Ok(Segment {
        file: Arc::clone(&free.file),
        path,
        number,
        salt,
        length: free.length,
    })
}

fn header(place: &LogPlace, number: u64, salt: u64, length: u64) -> [u8; super::segment::HEADER] {
    SegmentHeader {
        log: place.id.number(),
        number,
        salt,
        length,
    }
    .encode()
}
