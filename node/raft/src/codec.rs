//! Bytes of entries, members and snapshots: ours, so that nothing from the network or the disk meets protobuf.
//!
//! Little documents of LEB128 numbers and length-prefixed byte strings, each behind a format byte of its owner.
//! Decoding is bounded: no count is believed beyond the bytes that are there.

use std::collections::BTreeSet;
use std::fmt;

use bytes::{Buf, Bytes};

use crate::entry::{LogEntry, Payload, Snapshot};
use crate::id::MemberId;
use crate::members::{MOST_MEMBERS, MemberStep, Members, MembersChange};

/// Bytes that are not what they should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// What was being read.
    pub what: &'static str,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "bytes of a Raft group are damaged or of a newer version: {}",
            self.what
        )
    }
}

impl std::error::Error for DecodeError {}

pub(crate) fn damaged<T>(what: &'static str) -> Result<T, DecodeError> {
    Err(DecodeError { what })
}

pub(crate) fn write_varint(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or(0);
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

pub(crate) fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads from the front of a shared buffer.
pub(crate) struct Reader {
    bytes: Bytes,
}

impl Reader {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self { bytes }
    }

    pub(crate) fn byte(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        self.bytes.try_get_u8().map_err(|_| DecodeError { what })
    }

    pub(crate) fn varint(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(what)?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return damaged(what);
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        damaged(what)
    }

    pub(crate) fn bytes(&mut self, what: &'static str) -> Result<Bytes, DecodeError> {
        let len = usize::try_from(self.varint(what)?).map_err(|_| DecodeError { what })?;
        if len > self.bytes.len() {
            return damaged(what);
        }
        Ok(self.bytes.split_to(len))
    }

    /// A count of things of at least one byte each.
    pub(crate) fn count(&mut self, most: usize, what: &'static str) -> Result<usize, DecodeError> {
        let count = usize::try_from(self.varint(what)?).map_err(|_| DecodeError { what })?;
        if count > most || count > self.bytes.len() {
            return damaged(what);
        }
        Ok(count)
    }

    pub(crate) fn member(&mut self, what: &'static str) -> Result<MemberId, DecodeError> {
        MemberId::new(self.varint(what)?).ok_or(DecodeError { what })
    }

    pub(crate) fn end(&self, what: &'static str) -> Result<(), DecodeError> {
        if self.bytes.is_empty() {
            Ok(())
        } else {
            damaged(what)
        }
    }
}

fn write_set(out: &mut Vec<u8>, set: &BTreeSet<MemberId>) {
    write_varint(out, set.len() as u64);
    for member in set {
        write_varint(out, member.get());
    }
}

fn read_set(reader: &mut Reader) -> Result<BTreeSet<MemberId>, DecodeError> {
    let count = reader.count(MOST_MEMBERS, "members")?;
    (0..count).map(|_| reader.member("a member")).collect()
}

pub(crate) fn write_members(out: &mut Vec<u8>, members: &Members) {
    write_set(out, &members.voters);
    write_set(out, &members.learners);
    write_set(out, &members.outgoing);
    write_set(out, &members.next_learners);
}

pub(crate) fn read_members(reader: &mut Reader) -> Result<Members, DecodeError> {
    Ok(Members {
        voters: read_set(reader)?,
        learners: read_set(reader)?,
        outgoing: read_set(reader)?,
        next_learners: read_set(reader)?,
    })
}

const EMPTY: u8 = 0;
const COMMAND: u8 = 1;
const MEMBERS: u8 = 2;

pub(crate) fn write_change(out: &mut Vec<u8>, change: &MembersChange) {
    write_varint(out, change.steps.len() as u64);
    for step in &change.steps {
        let (kind, member) = match step {
            MemberStep::AddVoter(member) => (0, member),
            MemberStep::AddLearner(member) => (1, member),
            MemberStep::Remove(member) => (2, member),
        };
        out.push(kind);
        write_varint(out, member.get());
    }
    write_bytes(out, &change.context);
}

pub(crate) fn read_change(reader: &mut Reader) -> Result<MembersChange, DecodeError> {
    let count = reader.count(MOST_MEMBERS, "steps of a change")?;
    let mut steps = Vec::with_capacity(count);
    for _ in 0..count {
        let kind = reader.byte("a step of a change")?;
        let member = reader.member("a step of a change")?;
        steps.push(match kind {
            0 => MemberStep::AddVoter(member),
            1 => MemberStep::AddLearner(member),
            2 => MemberStep::Remove(member),
            _ => return damaged("a step of a change"),
        });
    }
    Ok(MembersChange {
        steps,
        context: reader.bytes("the context of a change")?,
    })
}

impl Payload {
    /// The bytes of what an entry holds, for storing beside its index and term.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    /// Reads what [`Payload::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are anything else.
    pub fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let payload = Self::read(&mut reader)?;
        reader.end("an entry")?;
        Ok(payload)
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Empty => out.push(EMPTY),
            Self::Command(data) => {
                out.push(COMMAND);
                write_bytes(out, data);
            }
            Self::Members(change) => {
                out.push(MEMBERS);
                write_change(out, change);
            }
        }
    }

    fn read(reader: &mut Reader) -> Result<Self, DecodeError> {
        match reader.byte("the kind of an entry")? {
            EMPTY => Ok(Self::Empty),
            COMMAND => Ok(Self::Command(reader.bytes("a command")?)),
            MEMBERS => Ok(Self::Members(read_change(reader)?)),
            _ => damaged("the kind of an entry"),
        }
    }
}

pub(crate) fn write_entry(out: &mut Vec<u8>, entry: &LogEntry) {
    write_varint(out, entry.index);
    write_varint(out, entry.term);
    entry.payload.write(out);
}

pub(crate) fn read_entry(reader: &mut Reader) -> Result<LogEntry, DecodeError> {
    Ok(LogEntry {
        index: reader.varint("an index")?,
        term: reader.varint("a term")?,
        payload: Payload::read(reader)?,
    })
}

pub(crate) fn write_snapshot(out: &mut Vec<u8>, snapshot: &Snapshot) {
    write_varint(out, snapshot.index);
    write_varint(out, snapshot.term);
    write_members(out, &snapshot.members);
    write_bytes(out, &snapshot.data);
}

pub(crate) fn read_snapshot(reader: &mut Reader) -> Result<Snapshot, DecodeError> {
    Ok(Snapshot {
        index: reader.varint("a snapshot's index")?,
        term: reader.varint("a snapshot's term")?,
        members: read_members(reader)?,
        data: reader.bytes("a snapshot's data")?,
    })
}

impl Members {
    /// The bytes, for storing.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_members(&mut out, self);
        out
    }

    /// Reads what [`Members::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are anything else.
    pub fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let members = read_members(&mut reader)?;
        reader.end("members")?;
        Ok(members)
    }
}
