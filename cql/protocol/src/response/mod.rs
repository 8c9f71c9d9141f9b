//! What servers answer.
//!
//! [`Encoder`] writes answers into the output buffer of a connection, one after the other;
//! [`Response::decode`] is the other direction.

mod decode;
mod encoder;
mod error;
mod event;
mod metadata;
mod rows;

pub use decode::{OwnedColumn, OwnedMetadata, OwnedPrepared, Response, ResultBody, Rows};
pub use encoder::{Encoder, Extensions, FrameTooLarge, FrameWriter, Head};
pub use error::{ErrorBody, ErrorCode, ErrorKind, RateLimitedOperation, WriteType};
pub use event::{
    Event, SchemaChange, SchemaChangeKind, SchemaTarget, StatusChange, TopologyChange,
};
pub use metadata::{ColumnSpec, ColumnsMetadata, Prepared, RowsMetadata};
pub use rows::RowsWriter;
