//! Frames: header, limits, compression, and what every body may begin with.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};
use cql_types::Uuid;

use crate::compression::Compression;
use crate::error::ProtocolError;
use crate::opcode::Opcode;
use crate::read::Reader;
use crate::version::Version;

pub(crate) const HEADER: usize = 9;

/// Header of versions 1 and 2.
const OLD_HEADER: usize = 8;

pub(crate) const RESPONSE: u8 = 0x80;
pub(crate) const COMPRESSED: u8 = 0x01;
pub(crate) const TRACING: u8 = 0x02;
pub(crate) const CUSTOM_PAYLOAD: u8 = 0x04;
pub(crate) const WARNING: u8 = 0x08;

/// Memory taken ahead for a frame of which only the header has come.
const MAX_READ_AHEAD: usize = 1 << 20;

/// How large bodies may be, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until [`FrameDecoder::start`]: whoever has not introduced himself gets little memory.
    pub before_startup: usize,
    /// After that; also of the plain body of a compressed one.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            before_startup: 100_000,
            body: 256 << 20,
        }
    }
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// It sends requests.
    Client,
    /// It sends responses.
    Server,
}

/// One message, not yet understood. Its body is plain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Version.
    pub version: Version,
    /// Header flags.
    pub flags: u8,
    /// Which request it is, or answers; −1 for events.
    pub stream: i16,
    /// Kind.
    pub opcode: Opcode,
    /// Body.
    pub body: Bytes,
}

impl Frame {
    /// Whether the client asks for a trace.
    #[must_use]
    pub fn wants_tracing(&self) -> bool {
        self.flags & TRACING != 0
    }
}

/// Cuts a stream of bytes into frames.
///
/// After an error the stream has no frame boundaries any more: answer with [`FrameError`] and close.
#[derive(Debug)]
pub struct FrameDecoder {
    peer: Peer,
    limits: Limits,
    started: bool,
    version: Option<Version>,
    compression: Option<Compression>,
}

struct Header {
    version: Version,
    flags: u8,
    stream: i16,
    opcode: Opcode,
    length: usize,
}

impl FrameDecoder {
    /// A decoder for a new connection.
    #[must_use]
    pub fn new(peer: Peer, limits: Limits) -> Self {
        Self {
            peer,
            limits,
            started: false,
            version: None,
            compression: None,
        }
    }

    /// The handshake has got so far that the full limit applies.
    pub fn start(&mut self) {
        self.started = true;
    }

    /// From now on bodies may be compressed.
    pub fn set_compression(&mut self, compression: Option<Compression>) {
        self.compression = compression;
    }

    /// The version of the connection, fixed by its first frame.
    #[must_use]
    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// Takes the next frame out of `buffer`; `None` if it has not come whole.
    ///
    /// The body shares the memory of `buffer` unless it was compressed.
    ///
    /// # Errors
    /// A header or a compressed body that ends the connection.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let Some(header) = self.header(buffer)? else {
            return Ok(None);
        };
        let whole = HEADER + header.length;
        if buffer.len() < whole {
            let missing = whole - buffer.len();
            buffer.reserve(missing.min(MAX_READ_AHEAD));
            return Ok(None);
        }
        self.version = Some(header.version);
        let mut body = buffer.split_to(whole);
        body.advance(HEADER);
        let mut body = body.freeze();
        let Header {
            version,
            flags,
            stream,
            opcode,
            ..
        } = header;
        if flags & COMPRESSED != 0 {
            let error = |error| FrameError {
                version: Some(version),
                stream,
                error,
                old_header: None,
            };
            let compression = self.compression.ok_or_else(|| {
                error(ProtocolError::Rule(
                    "A compressed frame, but no compression was agreed on in STARTUP".into(),
                ))
            })?;
            body = compression
                .decompress(&body, self.max_body())
                .map_err(error)?;
        }
        Ok(Some(Frame {
            version,
            flags,
            stream,
            opcode,
            body,
        }))
    }

    fn max_body(&self) -> usize {
        match self.started {
            true => self.limits.body,
            false => self.limits.before_startup.min(self.limits.body),
        }
    }

    /// Reads and checks the header, so that nothing more needs to come for a frame that is refused.
    fn header(&self, buffer: &[u8]) -> Result<Option<Header>, FrameError> {
        if let Some(error) = self.refused_version(buffer) {
            return Err(error);
        }
        let Some([version, flags, s0, s1, opcode, l0, l1, l2, l3]) = buffer.first_chunk::<HEADER>()
        else {
            return Ok(None);
        };
        let Some(number) = Version::from_number(version & !RESPONSE) else {
            return Ok(None); // an old header that has not come whole
        };
        let stream = i16::from_be_bytes([*s0, *s1]);
        let error = |error| FrameError {
            version: Some(number),
            stream,
            error,
            old_header: None,
        };
        if let Some(before) = self.version
            && before != number
        {
            return Err(error(ProtocolError::Rule(
                format!(
                    "Invalid message version. Got {number} but previous messages on this connection had version {before}"
                )
                .into(),
            )));
        }
        let Some(opcode) = Opcode::from_code(*opcode) else {
            return Err(error(ProtocolError::Rule(
                format!("Unknown opcode {opcode}").into(),
            )));
        };
        let from_server = version & RESPONSE != 0;
        let expected = match self.peer {
            Peer::Client => !from_server && opcode.is_request(),
            Peer::Server => from_server && !opcode.is_request(),
        };
        if !expected {
            let what = match self.peer {
                Peer::Client => "request",
                Peer::Server => "response",
            };
            return Err(error(ProtocolError::Rule(
                format!("Wrong protocol direction: a {what} is expected, got {opcode}").into(),
            )));
        }
        let length = i32::from_be_bytes([*l0, *l1, *l2, *l3]);
        let max = self.max_body();
        match usize::try_from(length) {
            Ok(length) if length <= max => Ok(Some(Header {
                version: number,
                flags: *flags,
                stream,
                opcode,
                length,
            })),
            Ok(_) => Err(error(ProtocolError::Rule(
                format!("Request is too big: length {length} exceeds maximum allowed length {max}")
                    .into(),
            ))),
            Err(_) => Err(error(ProtocolError::Length {
                what: "frame body",
                at: 0,
                length: i64::from(length),
            })),
        }
    }

    /// The error for a version that is not spoken here, as soon as its header has come.
    fn refused_version(&self, buffer: &[u8]) -> Option<FrameError> {
        let number = buffer.first()? & !RESPONSE;
        if Version::from_number(number).is_some() {
            return None;
        }
        let (stream, old_header) = match number {
            1 | 2 => {
                let [_, _, stream, ..] = buffer.first_chunk::<OLD_HEADER>()?;
                (i16::from(stream.cast_signed()), Some(number))
            }
            // A newer client: gocql takes the answer for a refused version only from stream 0, which Cassandra uses, and
            // the others wait for it there too, because it is the first stream that they use.
            _ => {
                buffer.first_chunk::<HEADER>()?;
                (0, None)
            }
        };
        let error = ProtocolError::Rule(
            format!(
                "Invalid or unsupported protocol version ({number}); the lowest supported version is {} \
                 and the greatest is {}",
                Version::LOWEST.number(),
                Version::GREATEST.number()
            )
            .into(),
        );
        Some(FrameError {
            version: None,
            stream,
            error,
            old_header,
        })
    }
}

/// Why a connection must end, and how to say so: [`crate::Encoder::refuse`] writes the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameError {
    /// Version of the frame, if it is one of ours.
    pub version: Option<Version>,
    /// Stream of the frame.
    pub stream: i16,
    /// What is wrong.
    pub error: ProtocolError,
    /// Version of a client that knows only the header of 8 bytes.
    pub(crate) old_header: Option<u8>,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for FrameError {}

/// What a response's body may begin with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prelude {
    /// Session of the trace.
    pub tracing_id: Option<Uuid>,
    /// Warnings.
    pub warnings: Vec<String>,
    /// Custom payload; a null value is `None`.
    pub payload: Vec<(String, Option<Vec<u8>>)>,
}

impl Prelude {
    /// Reads what the flags of a response announce.
    pub(crate) fn read(flags: u8, reader: &mut Reader<'_>) -> Result<Self, ProtocolError> {
        let mut prelude = Self::default();
        if flags & TRACING != 0 {
            prelude.tracing_id = Some(reader.uuid("tracing id")?);
        }
        if flags & WARNING != 0 {
            prelude.warnings = reader.string_list("warnings")?;
        }
        if flags & CUSTOM_PAYLOAD != 0 {
            for _ in 0..reader.short("custom payload")? {
                let key = reader.string("key of the custom payload")?.to_owned();
                let value = reader
                    .bytes("value of the custom payload")?
                    .map(<[u8]>::to_vec);
                prelude.payload.push((key, value));
            }
        }
        Ok(prelude)
    }
}
