//! The native protocol, both directions, without I/O.
//!
//! Bytes in, messages out, and the other way round; versions 3 and 4 with LZ4, as server and as client.
//!
//! ```text
//!  socket ─► BytesMut ─► FrameDecoder ─► Frame ─► Request / Response
//!                        (limits, LZ4)            (borrowed from the frame)
//!  socket ◄─ BytesMut ◄─ Encoder ◄─ results, errors, events
//!            (many frames, one write)
//! ```
//!
//! Cost: a request is decoded without allocating (up to 24 values; beyond that one list of
//! offsets); its strings and values are slices of the frame.
//! A response is written into the connection's output buffer in place; its length is patched in
//! at the end, and cells go straight from storage to that buffer.
//!
//! Invariants:
//! * No bytes make anything here panic; what is wrong becomes a [`ProtocolError`] that says where.
//! * A length that a peer claims is checked against a limit before memory is taken for it.
//! * A frame is written whole or not at all: an unfinished one is cut off again.
//! * Bytes after the end of a message are ignored, as all servers of this protocol do.

mod error;
mod read;
mod write;

mod opcode;
mod type_option;
mod version;

mod compression;
mod frame;

mod request;
mod response;

pub use compression::Compression;
pub use cql_types::{Consistency, SerialConsistency};
pub use error::ProtocolError;
pub use frame::{Frame, FrameDecoder, FrameError, Limits, Peer, Prelude};
pub use opcode::Opcode;
pub use request::{
    Batch, BatchKind, BatchStatement, BatchStatements, BytesMap, EventType, EventTypes, Execute,
    OutgoingBatch, OutgoingBatchStatement, OutgoingParameters, OutgoingValues, Query,
    QueryParameters, Request, RequestEncoder, Startup, StatementSource, StringMap, ValueRef,
    Values,
};
pub use response::{
    ColumnSpec, ColumnsMetadata, Encoder, ErrorBody, ErrorCode, ErrorKind, Event, Extensions,
    FrameTooLarge, FrameWriter, Head, OwnedColumn, OwnedMetadata, OwnedPrepared, Prepared,
    RateLimitedOperation, Response, ResultBody, Rows, RowsMetadata, RowsWriter, SchemaChange,
    SchemaChangeKind, SchemaTarget, StatusChange, TopologyChange, WriteType,
};
pub use version::Version;
