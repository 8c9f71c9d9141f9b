//! What clients ask.
//!
//! [`Request::decode`] borrows from the frame; [`RequestEncoder`] is the other direction.

mod batch;
mod encode;
mod maps;
mod query;
mod values;

pub use batch::{Batch, BatchKind, BatchStatement, BatchStatements, StatementSource};
pub use encode::{
    OutgoingBatch, OutgoingBatchStatement, OutgoingParameters, OutgoingValues, RequestEncoder,
};
pub use maps::{BytesMap, EventType, EventTypes, Startup, StringMap};
pub use query::{Execute, Query, QueryParameters};
pub use values::{ValueRef, Values};

use crate::error::ProtocolError;
use crate::frame::{CUSTOM_PAYLOAD, Frame};
use crate::opcode::Opcode;
use crate::read::Reader;
use crate::version::Version;

/// A request, borrowed from its frame.
#[derive(Debug, Clone)]
pub enum Request<'a> {
    /// First message.
    Startup(Startup<'a>),
    /// What do you support?
    Options,
    /// A statement as text.
    Query(Query<'a>),
    /// Keep this statement.
    Prepare(&'a str),
    /// Run a kept statement.
    Execute(Execute<'a>),
    /// Several statements.
    Batch(Batch<'a>),
    /// Tell me of these events.
    Register(EventTypes),
    /// Token for the authenticator.
    AuthResponse(Option<&'a [u8]>),
}

impl<'a> Request<'a> {
    /// Reads the body of a frame.
    ///
    /// A custom payload is checked and skipped.
    ///
    /// # Errors
    /// Says what is wrong where; the connection can go on.
    pub fn decode(frame: &'a Frame) -> Result<Self, ProtocolError> {
        let version = frame.version;
        let mut reader = Reader::new(&frame.body);
        if frame.flags & CUSTOM_PAYLOAD != 0 {
            if !version.has_v4() {
                return Err(ProtocolError::Rule(
                    "Received frame with CUSTOM_PAYLOAD flag for native protocol version < 4"
                        .into(),
                ));
            }
            BytesMap::read(&mut reader)?;
        }
        match frame.opcode {
            Opcode::Execute => Execute::read(&mut reader, version).map(Self::Execute),
            Opcode::Query => Query::read(&mut reader, version).map(Self::Query),
            Opcode::Batch => Batch::read(&mut reader, version).map(Self::Batch),
            Opcode::Prepare => reader.long_string("statement").map(Self::Prepare),
            Opcode::Startup => Startup::read(&mut reader).map(Self::Startup),
            Opcode::Options => Ok(Self::Options),
            Opcode::Register => EventTypes::read(&mut reader).map(Self::Register),
            Opcode::AuthResponse => reader.bytes("token").map(Self::AuthResponse),
            Opcode::Error
            | Opcode::Ready
            | Opcode::Authenticate
            | Opcode::Supported
            | Opcode::Result
            | Opcode::Event
            | Opcode::AuthChallenge
            | Opcode::AuthSuccess => Err(ProtocolError::Rule(
                format!("{} is not a request", frame.opcode).into(),
            )),
        }
    }

    /// Its kind.
    #[must_use]
    pub fn opcode(&self) -> Opcode {
        match self {
            Self::Startup(_) => Opcode::Startup,
            Self::Options => Opcode::Options,
            Self::Query(_) => Opcode::Query,
            Self::Prepare(_) => Opcode::Prepare,
            Self::Execute(_) => Opcode::Execute,
            Self::Batch(_) => Opcode::Batch,
            Self::Register(_) => Opcode::Register,
            Self::AuthResponse(_) => Opcode::AuthResponse,
        }
    }
}

/// Refuses values that are unset where the version has none.
pub(crate) fn unset_needs_v4(version: Version) -> Result<(), ProtocolError> {
    match version {
        Version::V3 => Err(ProtocolError::Rule(
            "Unset values need native protocol version 4".into(),
        )),
        Version::V4 => Ok(()),
    }
}
