//! What a connection has agreed on: version, compression, keyspace, events.

use std::sync::Arc;

use cql_protocol::{Encoder, EventTypes, Version};

/// The state of one client's connection.
#[derive(Debug)]
pub(crate) struct Session {
    /// How answers are written.
    pub(crate) encoder: Encoder,
    /// Whether STARTUP was answered.
    pub(crate) stage: Stage,
    /// The keyspace set by USE.
    pub(crate) keyspace: Option<Arc<str>>,
    /// Events that the client registered for.
    pub(crate) events: EventTypes,
}

/// How far the handshake has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Only STARTUP and OPTIONS are answered.
    Connected,
    /// Everything is answered.
    Ready,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            encoder: Encoder::new(Version::GREATEST),
            stage: Stage::Connected,
            keyspace: None,
            events: EventTypes::default(),
        }
    }
}
