//! What becomes of a request.

use std::future::Future;
use std::pin::Pin;

use bytes::BytesMut;
use node_coordinator::LogPosition;

/// What became of a request in the turn in which it was decoded.
pub(crate) enum Outcome {
    /// The answer is in the output buffer; it may leave when this position is durable.
    Answered(LogPosition),
    /// The answer comes later.
    Later(Pin<Box<dyn Future<Output = Answer>>>),
}

/// An answer that came later.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The encoded frame.
    pub(crate) bytes: BytesMut,
    /// It may leave when this position of the shard's log is durable.
    pub(crate) position: LogPosition,
}

impl Answer {
    /// An answer that depends on nothing any more.
    pub(crate) fn ready(bytes: BytesMut) -> Self {
        Self {
            bytes,
            position: LogPosition::NONE,
        }
    }
}
