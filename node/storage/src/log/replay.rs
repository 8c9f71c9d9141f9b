//! Reads an old log back, frame by frame. The rules of torn tails and holes are in `docs/storage-format.md`.
//!
//! A frame that was read is not always durable, and a sync does not always help: after one that failed, the operating
//! system shows bytes that it will never write again. So the frames that no later one calls durable are written once
//! more, in place, and synced, before anything of the log is believed.
//!
//! Cost: one segment in memory at a time; the crc of every frame; the last batch is read and written twice.
//!
//! # Invariants
//! * Sequences come out ascending by one; copies of a frame come out once.
//! * A frame that was ever durable comes out or the replay fails.

use std::collections::VecDeque;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use node_env::files::{Access, EntryKind};
use node_env::{File, FileError, FileErrorKind, Files};

use super::frame::{self, ALIGN, Frame};
use super::segment::{HEADER, LogId, SegmentHeader};
use super::{LogPosition, SYNC_LOG_REPLAY};

/// No segment is longer; a longer file is not ours.
const SEGMENT_MAX: u64 = 2 << 30;

/// Why an old log cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// A file could not be read.
    File(FileError),
    /// Frames that were acknowledged are missing or damaged.
    Hole {
        /// Which log.
        log: String,
        /// The segment where reading stopped.
        file: PathBuf,
        /// The offset there.
        offset: u64,
        /// The first missing sequence.
        missing: u64,
        /// A later frame that proves it.
        seen: u64,
    },
    /// A frame checks, but what is in it cannot be understood.
    Frame {
        /// Which log.
        log: String,
        /// Which frame.
        sequence: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A file in a log's folder is not a segment.
    NotASegment {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Hole {
                log,
                file,
                offset,
                missing,
                seen,
            } => write!(
                f,
                "commit log {log} has a hole: frame {missing} should stand at byte {offset} of {}, and frame {seen} \
                 proves that it was durable; acknowledged writes are lost: restore the file, or move the log's folder \
                 away and repair from replicas",
                file.display()
            ),
            Self::Frame {
                log,
                sequence,
                what,
            } => write!(
                f,
                "frame {sequence} of commit log {log} cannot be read: {what}; was it written by a newer version?"
            ),
            Self::NotASegment { file, what } => {
                write!(
                    f,
                    "{} is no commit-log segment: {what}; move it away",
                    file.display()
                )
            }
        }
    }
}

impl std::error::Error for ReplayError {}

impl From<FileError> for ReplayError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

/// A segment of an old log.
#[derive(Debug)]
struct OldSegment {
    file: Arc<dyn File>,
    path: PathBuf,
    header: SegmentHeader,
}

/// An old log, being read.
#[derive(Debug)]
pub(crate) struct LogReader {
    id: LogId,
    segments: Vec<OldSegment>,
    /// The segment in `bytes`.
    at: usize,
    bytes: Vec<u8>,
    offset: usize,
    next: u64,
    state: Reading,
    /// The highest sequence that some frame calls durable.
    durable: u64,
    /// Where frames begin that were written when the same sequence was durable, from the last that begin at or before
    /// the first frame that nothing calls durable.
    writes: VecDeque<Written>,
    /// For each segment that was left, the end of its frames.
    ends: Vec<usize>,
}

/// The first of some frames that were written together.
#[derive(Clone, Copy, Debug)]
struct Written {
    sequence: u64,
    durable_before: u64,
    /// Where it is: the segment, and the place in it.
    at: usize,
    offset: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Yes,
    Ended,
}

/// A frame that checked, without its borrow.
#[derive(Clone, Copy, Debug)]
struct Peeked {
    sequence: u64,
    durable_before: u64,
    kind: frame::Kind,
    /// Bytes of the body.
    body: usize,
    /// Bytes of the frame.
    size: usize,
}

impl LogReader {
    /// Lists the segments of a log and reads their headers; frames up to `flushed` are not needed any more.
    pub(crate) fn open(
        files: &dyn Files,
        directory: &Path,
        id: LogId,
        flushed: LogPosition,
    ) -> Result<Self, ReplayError> {
        let mut segments = Vec::new();
        for entry in files.list(directory)? {
            if entry.kind == EntryKind::Directory || LogId::of_file(&entry.name) != Some(id) {
                continue;
            }
            let path = directory.join(&entry.name);
            let file = files.open(&path, Access::ReadWrite)?;
            let mut head = [0; HEADER];
            let read = file.read_at(0, &mut head)?;
            let Some(header) = head.get(..read).and_then(SegmentHeader::decode) else {
                tracing::debug!(file = %path.display(), "a segment without header was never used");
                continue;
            };
            if header.log != id.number() {
                return Err(ReplayError::NotASegment {
                    file: path,
                    what: "it belongs to another log",
                });
            }
            segments.push(OldSegment { file, path, header });
        }
        segments.sort_by_key(|segment| segment.header.number);
        let mut reader = Self {
            id,
            segments,
            at: 0,
            bytes: Vec::new(),
            offset: 0,
            next: flushed.0 + 1,
            state: Reading::Yes,
            durable: 0,
            writes: VecDeque::new(),
            ends: Vec::new(),
        };
        reader.start()?;
        Ok(reader)
    }

    /// The next frame after the flushed position, or `None` at the end: then all of them are durable.
    ///
    /// # Errors
    /// [`ReplayError::Hole`], [`ReplayError::File`].
    pub(crate) fn next(&mut self) -> Result<Option<Frame<'_>>, ReplayError> {
        loop {
            if self.state == Reading::Ended {
                return Ok(None);
            }
            let Some(peeked) = self.peek() else {
                self.go_on()?;
                continue;
            };
            self.note(peeked);
            let body = self.offset + frame::HEADER;
            self.offset += peeked.size;
            if peeked.sequence < self.next {
                continue; // in the engine already, or a second copy
            }
            self.next = peeked.sequence + 1;
            let body = self.bytes.get(body..body + peeked.body).unwrap_or_default();
            let Peeked {
                sequence,
                durable_before,
                kind,
                ..
            } = peeked;
            return Ok(Some(Frame {
                sequence,
                durable_before,
                kind,
                body,
            }));
        }
    }

    /// Keeps in mind what the frame at the current place says of durability.
    fn note(&mut self, frame: Peeked) {
        let Peeked {
            sequence,
            durable_before,
            ..
        } = frame;
        let newest = self.writes.back();
        if newest.is_none_or(|last| last.durable_before != durable_before || last.at != self.at) {
            self.writes.push_back(Written {
                sequence,
                durable_before,
                at: self.at,
                offset: self.offset,
            });
        }
        self.durable = self.durable.max(durable_before);
        while let Some(second) = self.writes.get(1)
            && second.sequence <= self.durable + 1
        {
            self.writes.pop_front();
        }
    }

    /// Writes the frames that nothing calls durable once more, and syncs them.
    fn make_durable(&mut self) -> Result<(), ReplayError> {
        let Some(first) = self.writes.front() else {
            return Ok(());
        };
        let (mut begin, from) = (first.offset, first.at);
        for (at, segment) in self.segments.iter().enumerate().skip(from) {
            let end = self.ends.get(at).copied().unwrap_or_default();
            if end > HEADER {
                if begin <= HEADER {
                    // The header becomes durable with the first frames.
                    begin = 0;
                }
                let mut bytes = vec![0; end.saturating_sub(begin)];
                let read = segment.file.read_at(begin as u64, &mut bytes)?;
                bytes.truncate(read);
                segment.file.write_at(begin as u64, &bytes)?;
                segment.file.sync_data(SYNC_LOG_REPLAY)?;
            }
            begin = 0;
        }
        Ok(())
    }

    fn salt(&self) -> u64 {
        self.segments
            .get(self.at)
            .map_or(0, |segment| segment.header.salt)
    }

    /// A frame at the current place that is not beyond the next one.
    fn peek(&self) -> Option<Peeked> {
        let (frame, size) = frame::parse(self.bytes.get(self.offset..)?, self.salt())?;
        let Frame {
            sequence,
            durable_before,
            kind,
            body,
        } = frame;
        (sequence <= self.next).then_some(Peeked {
            sequence,
            durable_before,
            kind,
            body: body.len(),
            size,
        })
    }

    fn start(&mut self) -> Result<(), ReplayError> {
        match self.segments.is_empty() {
            true => self.state = Reading::Ended,
            false => {
                self.load(0)?;
                if self.peek().is_none() {
                    self.go_on()?;
                }
            }
        }
        Ok(())
    }

    fn load(&mut self, at: usize) -> Result<(), ReplayError> {
        let Some(segment) = self.segments.get(at) else {
            return Ok(());
        };
        let length = segment.file.len()?;
        if length > SEGMENT_MAX {
            return Err(ReplayError::NotASegment {
                file: segment.path.clone(),
                what: "it is too long",
            });
        }
        self.bytes.clear();
        self.bytes.resize(usize::try_from(length).unwrap_or(0), 0);
        let read = segment.file.read_at(0, &mut self.bytes)?;
        self.bytes.truncate(read);
        self.at = at;
        self.offset = HEADER;
        Ok(())
    }

    /// The current segment says no more: finds the segment that goes on, or ends, or reports a hole.
    fn go_on(&mut self) -> Result<(), ReplayError> {
        let (stopped_at, stopped_offset) = (self.at, self.offset);
        let mut proof = self.proof_of_hole();
        self.ends.push(stopped_offset);
        for at in stopped_at + 1..self.segments.len() {
            self.load(at)?;
            if self.peek().is_some() {
                return Ok(());
            }
            self.ends.push(HEADER);
            proof = proof.or(self.proof_of_hole());
        }
        self.state = Reading::Ended;
        self.bytes = Vec::new();
        match (proof, self.segments.get(stopped_at)) {
            (Some(seen), Some(segment)) => Err(ReplayError::Hole {
                log: self.id.to_string(),
                file: segment.path.clone(),
                offset: stopped_offset as u64,
                missing: self.next,
                seen,
            }),
            (None, _) | (Some(_), None) => self.make_durable(),
        }
    }

    /// The sequence of a valid frame, from the current place on, that was written when the next one was durable.
    fn proof_of_hole(&self) -> Option<u64> {
        let salt = self.salt();
        let salt_bytes = salt.to_le_bytes();
        let mut at = self.offset;
        while let Some(rest) = self.bytes.get(at..)
            && rest.len() >= frame::HEADER
        {
            // Almost all places fail at the salt, so look at nothing else first.
            if rest.get(8..16) == Some(&salt_bytes)
                && let Some((frame, size)) = frame::parse(rest, salt)
            {
                if frame.durable_before >= self.next {
                    return Some(frame.sequence);
                }
                at += size;
            } else {
                at += ALIGN;
            }
        }
        None
    }
}

/// The logs in a folder, by id; a folder that is missing has none.
pub(crate) fn list_logs(files: &dyn Files, folder: &Path) -> Result<Vec<LogId>, FileError> {
    let mut logs = match files.list(folder) {
        Ok(entries) => entries
            .iter()
            .filter_map(|entry| LogId::of_file(&entry.name))
            .collect::<Vec<_>>(),
        Err(error) if error.kind == FileErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    logs.sort_unstable();
    logs.dedup();
    Ok(logs)
}

/// Removes the segments of logs that are in the engine.
pub(crate) fn remove_logs(
    files: &dyn Files,
    folder: &Path,
    logs: &[LogId],
) -> Result<(), FileError> {
    for entry in files.list(folder)? {
        if LogId::of_file(&entry.name).is_some_and(|id| logs.contains(&id)) {
            files.remove(&folder.join(&entry.name))?;
        }
    }
    Ok(())
}
