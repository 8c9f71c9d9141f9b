//! Messages between members, in our own bytes.
//!
//! Decoding refuses whatever a member of the library could trip over: messages that are not for the network,
//! entries that do not follow each other, counts beyond the bytes.

use bytes::Bytes;
use raft::eraftpb::{Message, MessageType};

use crate::codec::{
    DecodeError, Reader, damaged, read_entry, read_snapshot, write_bytes, write_entry,
    write_snapshot, write_varint,
};
use crate::entry::{LogEntry, Snapshot};
use crate::id::MemberId;

/// The first byte of a message.
const FORMAT: u8 = 1;
/// Entries in one message, at most.
const MOST_ENTRIES: usize = 1 << 20;

/// No term or index comes near this.
const LARGEST: u64 = 1 << 62;

/// A message from one member of a group to another.
#[derive(Clone, Debug, PartialEq)]
pub struct PeerMessage(pub(crate) Message);

/// Kinds that travel. Proposals do not: they go to the leader by a call of their own.
const KINDS: [(MessageType, u8); 12] = [
    (MessageType::MsgAppend, 1),
    (MessageType::MsgAppendResponse, 2),
    (MessageType::MsgRequestVote, 3),
    (MessageType::MsgRequestVoteResponse, 4),
    (MessageType::MsgSnapshot, 5),
    (MessageType::MsgHeartbeat, 6),
    (MessageType::MsgHeartbeatResponse, 7),
    (MessageType::MsgTimeoutNow, 8),
    (MessageType::MsgReadIndex, 9),
    (MessageType::MsgReadIndexResp, 10),
    (MessageType::MsgRequestPreVote, 11),
    (MessageType::MsgRequestPreVoteResponse, 12),
];

fn kind_byte(kind: MessageType) -> Option<u8> {
    KINDS
        .iter()
        .find(|(known, _)| *known == kind)
        .map(|(_, byte)| *byte)
}

impl PeerMessage {
    /// `None` for kinds that do not travel.
    pub(crate) fn new(message: Message) -> Option<Self> {
        kind_byte(message.get_msg_type()).map(|_| Self(message))
    }

    /// Who it is for.
    #[must_use]
    pub fn to(&self) -> Option<MemberId> {
        MemberId::new(self.0.to)
    }

    /// Who sent it.
    #[must_use]
    pub fn from(&self) -> Option<MemberId> {
        MemberId::new(self.0.from)
    }

    /// Bytes of entries in it, about; for budgets of queues.
    #[must_use]
    pub fn weight(&self) -> usize {
        let entries = self
            .0
            .entries
            .iter()
            .map(|entry| entry.data.len() + entry.context.len() + 32);
        64 + entries.sum::<usize>() + self.0.get_snapshot().data.len()
    }

    /// The snapshot that it carries.
    pub(crate) fn snapshot(&self) -> Option<Snapshot> {
        (self.0.get_msg_type() == MessageType::MsgSnapshot)
            .then(|| Snapshot::of_library(self.0.get_snapshot()))
    }

    /// The bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let message = &self.0;
        let mut out = vec![FORMAT, kind_byte(message.get_msg_type()).unwrap_or(0)];
        for number in [
            message.to,
            message.from,
            message.term,
            message.log_term,
            message.index,
            message.commit,
            message.commit_term,
            message.request_snapshot,
            u64::from(message.reject),
            message.reject_hint,
        ] {
            write_varint(&mut out, number);
        }
        write_bytes(&mut out, &message.context);
        match message.get_msg_type() {
            MessageType::MsgSnapshot => {
                write_snapshot(&mut out, &Snapshot::of_library(message.get_snapshot()));
            }
            MessageType::MsgReadIndex | MessageType::MsgReadIndexResp => {
                let context = message.entries.first().map(|entry| entry.data.clone());
                write_bytes(&mut out, &context.unwrap_or_default());
            }
            _ => {
                write_varint(&mut out, message.entries.len() as u64);
                for entry in &message.entries {
                    write_entry(&mut out, &LogEntry::of_library(entry));
                }
            }
        }
        out
    }

    /// Reads what [`PeerMessage::encode`] wrote; entries share the buffer.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are anything else.
    pub fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        if reader.byte("the format of a message")? != FORMAT {
            return damaged("the format of a message");
        }
        let kind = reader.byte("the kind of a message")?;
        let Some((kind, _)) = KINDS.iter().find(|(_, byte)| *byte == kind) else {
            return damaged("the kind of a message");
        };
        let mut message = Message::default();
        message.set_msg_type(*kind);
        message.to = reader.member("to whom a message goes")?.get();
        message.from = reader.member("from whom a message comes")?.get();
        message.term = reader.varint("a term")?;
        message.log_term = reader.varint("a term")?;
        message.index = reader.varint("an index")?;
        message.commit = reader.varint("an index")?;
        message.commit_term = reader.varint("a term")?;
        message.request_snapshot = reader.varint("an index")?;
        let numbers = [
            message.term,
            message.log_term,
            message.index,
            message.commit,
            message.commit_term,
        ];
        if numbers.into_iter().any(|number| number >= LARGEST) {
            return damaged("a number of a message");
        }
        message.reject = match reader.byte("a truth value")? {
            0 => false,
            1 => true,
            _ => return damaged("a truth value"),
        };
        message.reject_hint = reader.varint("an index")?;
        message.context = reader.bytes("a context")?;
        match kind {
            MessageType::MsgSnapshot => {
                let snapshot = read_snapshot(&mut reader)?;
                if snapshot.index == 0 || snapshot.members.voters.is_empty() {
                    return damaged("a snapshot of nothing");
                }
                message.set_snapshot(snapshot.to_library());
            }
            MessageType::MsgReadIndex | MessageType::MsgReadIndexResp => {
                let entry = raft::eraftpb::Entry {
                    data: reader.bytes("the context of a read")?,
                    ..Default::default()
                };
                message.set_entries(vec![entry].into());
            }
            _ => read_entries(&mut reader, &mut message)?,
        }
        reader.end("a message")?;
        check_term(&message)?;
        Ok(Self(message))
    }
}

/// Entries must follow what the message says comes before them.
fn read_entries(reader: &mut Reader, message: &mut Message) -> Result<(), DecodeError> {
    let count = reader.count(MOST_ENTRIES, "entries")?;
    if count > 0 && message.get_msg_type() != MessageType::MsgAppend {
        return damaged("entries where none belong");
    }
    let (mut index, mut term) = (message.index, message.log_term);
    let mut entries = Vec::new();
    for _ in 0..count {
        let entry = read_entry(reader)?;
        if index.checked_add(1) != Some(entry.index)
            || entry.term < term
            || entry.term > message.term
        {
            return damaged("entries that do not follow each other");
        }
        (index, term) = (entry.index, entry.term);
        entries.push(entry.to_library());
    }
    message.set_entries(entries.into());
    Ok(())
}

/// A message without a term counts as local, which only reads may be.
fn check_term(message: &Message) -> Result<(), DecodeError> {
    let may_be_local = message.get_msg_type() == MessageType::MsgReadIndex;
    if message.term == 0 && !may_be_local {
        damaged("a message without a term")
    } else {
        Ok(())
    }
}
