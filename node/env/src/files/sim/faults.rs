//! What goes wrong on the simulated disk, and the record of what was asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::path::Path;

use crate::files::SyncPoint;

/// How a sync goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncFault {
    /// It says `Ok` and does nothing.
    Ignore,
    /// It fails; what it should have made durable can be lost for good.
    Fail,
}

/// How a write goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// It fails and writes nothing.
    Fail,
    /// It fails after that many bytes.
    Torn {
        /// Bytes written.
        bytes: usize,
    },
}

/// Something that goes wrong once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A sync with this name, or any.
    Sync(Option<SyncPoint>, SyncFault),
    /// A write to a file whose path contains this text.
    Write(String, WriteFault),
    /// A read of a file whose path contains this text fails.
    Read(String),
}

/// One call, as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEvent {
    /// Which call.
    pub call: &'static str,
    /// On which path.
    pub path: String,
    /// Where in the file.
    pub offset: u64,
    /// How many bytes.
    pub len: u64,
    /// Name of the sync.
    pub point: Option<SyncPoint>,
}

impl FileEvent {
    /// How many of the last calls are kept.
    pub const KEPT: usize = 4_096;
}

impl fmt::Display for FileEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {}+{}",
            self.call, self.path, self.offset, self.len
        )?;
        self.point.map_or(Ok(()), |point| write!(f, " ({point})"))
    }
}

pub(super) enum Verdict {
    Do,
    Ignore,
    Fail,
}

#[derive(Default)]
pub(super) struct Faults {
    pub(super) changes: u64,
    pub(super) down_at: Option<u64>,
    pub(super) down: bool,
    pub(super) ignored: BTreeSet<&'static str>,
    /// A fault and how many fitting calls go by first.
    pub(super) planned: Vec<(Fault, u64)>,
    pub(super) sync_counts: BTreeMap<&'static str, u64>,
    pub(super) trace: VecDeque<FileEvent>,
    pub(super) hash: u64,
}

impl Faults {
    pub(super) fn restart(&mut self) {
        self.down = false;
        self.down_at = None;
        self.planned.clear();
    }

    pub(super) fn record(
        &mut self,
        call: &'static str,
        path: &Path,
        offset: u64,
        len: u64,
        point: Option<SyncPoint>,
        data: &[u8],
    ) {
        let path = path.to_string_lossy().into_owned();
        let event = FileEvent {
            call,
            path,
            offset,
            len,
            point,
        };
        let mut hash = self.hash ^ 0xcbf2_9ce4_8422_2325;
        let mut mix = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        mix(event.to_string().as_bytes());
        mix(data);
        self.hash = hash;
        if self.trace.len() == FileEvent::KEPT {
            self.trace.pop_front();
        }
        self.trace.push_back(event);
    }

    /// Takes the first planned fault that fits and is due; counts the others down.
    fn due<T>(&mut self, fits: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        let mut found = None;
        self.planned.retain_mut(|(fault, skip)| {
            if found.is_some() {
                return true;
            }
            let Some(how) = fits(fault) else { return true };
            if *skip > 0 {
                *skip -= 1;
                return true;
            }
            found = Some(how);
            false
        });
        found
    }

    pub(super) fn sync_verdict(&mut self, why: SyncPoint) -> Verdict {
        *self.sync_counts.entry(why.0).or_default() += 1;
        let planned = self.due(|fault| match fault {
            Fault::Sync(point, how) if point.is_none_or(|point| point == why) => Some(*how),
            Fault::Sync(..) | Fault::Write(..) | Fault::Read(_) => None,
        });
        match planned {
            Some(SyncFault::Fail) => Verdict::Fail,
            Some(SyncFault::Ignore) => Verdict::Ignore,
            None if self.ignored.contains(why.0) => Verdict::Ignore,
            None => Verdict::Do,
        }
    }

    pub(super) fn write_verdict(&mut self, path: &Path) -> Option<WriteFault> {
        let path = path.to_string_lossy();
        self.due(|fault| match fault {
            Fault::Write(part, how) if path.contains(part.as_str()) => Some(*how),
            Fault::Sync(..) | Fault::Write(..) | Fault::Read(_) => None,
        })
    }

    pub(super) fn read_fails(&mut self, path: &Path) -> bool {
        let path = path.to_string_lossy();
        self.due(|fault| match fault {
            Fault::Read(part) if path.contains(part.as_str()) => Some(()),
            Fault::Sync(..) | Fault::Write(..) | Fault::Read(_) => None,
        })
        .is_some()
    }
}
