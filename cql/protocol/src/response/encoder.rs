//! Writes responses into a connection's output buffer.

use std::fmt;

use bytes::{BufMut, BytesMut};
use cql_types::Uuid;

use crate::compression::Compression;
use crate::frame::{COMPRESSED, CUSTOM_PAYLOAD, FrameError, HEADER, RESPONSE, TRACING, WARNING};
use crate::opcode::Opcode;
use crate::response::error::ErrorBody;
use crate::response::event::{Event, SchemaChange};
use crate::response::metadata::{Prepared, RowsMetadata};
use crate::response::rows::RowsWriter;
use crate::version::Version;
use crate::write;

const VOID: u32 = 1;
const ROWS: u32 = 2;
const SET_KEYSPACE: u32 = 3;
const PREPARED: u32 = 4;
const SCHEMA_CHANGE: u32 = 5;

/// Stream of events.
const EVENT_STREAM: i16 = -1;

/// Warnings beyond this many bytes are left out.
const MAX_WARNINGS: usize = 256 << 10;

/// Largest body that clients take.
const MAX_BODY: usize = 256 << 20;

/// Writes the responses of one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoder {
    /// Version of the connection.
    pub version: Version,
    /// Compression agreed on.
    pub compression: Option<Compression>,
    /// Extensions the client asked for.
    pub extensions: Extensions,
    /// Largest body, in bytes.
    pub max_body: usize,
}

/// Extensions that change how responses look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Extensions {
    /// Conditional statements are marked in the answer to PREPARE.
    pub lwt_mark: bool,
    /// The error for too many requests of one partition has its own code.
    pub rate_limit_error: bool,
}

/// Which request is answered, and what comes before the answer.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    /// Stream of the request.
    pub stream: i16,
    /// Session of the trace.
    pub tracing_id: Option<Uuid>,
    /// Warnings; not for version 3.
    pub warnings: &'a [String],
    /// Custom payload; not for version 3.
    pub payload: &'a [(&'a str, &'a [u8])],
}

impl Head<'_> {
    /// Nothing but the answer.
    #[must_use]
    pub fn new(stream: i16) -> Self {
        Self {
            stream,
            tracing_id: None,
            warnings: &[],
            payload: &[],
        }
    }
}

impl From<i16> for Head<'_> {
    fn from(stream: i16) -> Self {
        Self::new(stream)
    }
}

impl Encoder {
    /// An encoder without compression and extensions.
    #[must_use]
    pub fn new(version: Version) -> Self {
        Self {
            version,
            compression: None,
            extensions: Extensions::default(),
            max_body: MAX_BODY,
        }
    }

    /// Begins any response; [`FrameWriter::finish`] completes it.
    pub fn frame<'o>(
        &self,
        out: &'o mut BytesMut,
        head: Head<'_>,
        opcode: Opcode,
    ) -> FrameWriter<'o> {
        let start = out.len();
        let Head {
            stream,
            tracing_id,
            warnings,
            payload,
        } = head;
        let warnings = if self.version.has_v4() { warnings } else { &[] };
        let payload = if self.version.has_v4() { payload } else { &[] };
        let mut flags = 0;
        for (is_set, flag) in [
            (tracing_id.is_some(), TRACING),
            (!warnings.is_empty(), WARNING),
            (!payload.is_empty(), CUSTOM_PAYLOAD),
        ] {
            flags |= if is_set { flag } else { 0 };
        }
        put_header(out, self.version.number(), flags, stream, opcode);
        if let Some(id) = tracing_id {
            out.put_slice(id.as_bytes());
        }
        if !warnings.is_empty() {
            write::string_list(out, bounded(warnings));
        }
        if !payload.is_empty() {
            write::bytes_map(out, payload);
        }
        FrameWriter {
            out,
            start,
            finished: false,
            compression: self.compression,
            max_body: self.max_body,
        }
    }

    fn small(
        &self,
        out: &mut BytesMut,
        head: Head<'_>,
        opcode: Opcode,
        body: impl FnOnce(&mut BytesMut),
    ) {
        let mut frame = self.frame(out, head, opcode);
        body(frame.body());
        if frame.finish().is_err() {
            // Only a huge custom payload can do that; the client still gets an answer.
            let error = ErrorBody::new(
                crate::ErrorKind::ServerError,
                "The response is too large for a frame",
            );
            let mut frame = self.frame(out, Head::new(head.stream), Opcode::Error);
            error.write(frame.body(), self.version, self.extensions.rate_limit_error);
            frame.complete();
        }
    }

    /// READY.
    pub fn ready(&self, out: &mut BytesMut, stream: i16) {
        self.small(out, Head::new(stream), Opcode::Ready, |_| {});
    }

    /// AUTHENTICATE, with the class name of the authenticator.
    pub fn authenticate(&self, out: &mut BytesMut, stream: i16, class: &str) {
        self.small(out, Head::new(stream), Opcode::Authenticate, |out| {
            write::string(out, class)
        });
    }

    /// AUTH_CHALLENGE.
    pub fn auth_challenge(&self, out: &mut BytesMut, stream: i16, token: &[u8]) {
        self.small(out, Head::new(stream), Opcode::AuthChallenge, |out| {
            write::bytes(out, token)
        });
    }

    /// AUTH_SUCCESS.
    pub fn auth_success(&self, out: &mut BytesMut, stream: i16, token: Option<&[u8]>) {
        self.small(
            out,
            Head::new(stream),
            Opcode::AuthSuccess,
            |out| match token {
                Some(token) => write::bytes(out, token),
                None => out.put_i32(-1),
            },
        );
    }

    /// SUPPORTED.
    pub fn supported(&self, out: &mut BytesMut, stream: i16, options: &[(&str, &[&str])]) {
        self.small(out, Head::new(stream), Opcode::Supported, |out| {
            write::count(out, options.len());
            for (name, values) in options {
                write::string(out, name);
                write::string_list(out, values);
            }
        });
    }

    /// ERROR.
    pub fn error<'h>(&self, out: &mut BytesMut, head: impl Into<Head<'h>>, error: &ErrorBody) {
        self.small(out, head.into(), Opcode::Error, |out| {
            error.write(out, self.version, self.extensions.rate_limit_error);
        });
    }

    /// The answer to bytes that end the connection, in a form that the client can read: its own
    /// version, or the greatest if it asked for one that is not spoken here.
    pub fn refuse(out: &mut BytesMut, error: &FrameError) {
        let body = ErrorBody::from(&error.error);
        let Some(old) = error.old_header else {
            let encoder = Self::new(error.version.unwrap_or(Version::GREATEST));
            encoder.error(out, error.stream, &body);
            return;
        };
        let mut content = BytesMut::new();
        body.write(&mut content, Version::LOWEST, false);
        let [_, stream] = error.stream.to_be_bytes();
        out.put_slice(&[old | RESPONSE, 0, stream, Opcode::Error.code()]);
        out.put_i32(write::int(content.len()));
        out.put_slice(&content);
    }

    /// RESULT without content.
    pub fn void<'h>(&self, out: &mut BytesMut, head: impl Into<Head<'h>>) {
        self.small(out, head.into(), Opcode::Result, |out| out.put_u32(VOID));
    }

    /// RESULT of USE.
    pub fn set_keyspace<'h>(&self, out: &mut BytesMut, head: impl Into<Head<'h>>, keyspace: &str) {
        self.small(out, head.into(), Opcode::Result, |out| {
            out.put_u32(SET_KEYSPACE);
            write::string(out, keyspace);
        });
    }

    /// RESULT of a schema change.
    pub fn schema_change<'h>(
        &self,
        out: &mut BytesMut,
        head: impl Into<Head<'h>>,
        change: &SchemaChange,
    ) {
        self.small(out, head.into(), Opcode::Result, |out| {
            out.put_u32(SCHEMA_CHANGE);
            change.write(out);
        });
    }

    /// RESULT of PREPARE.
    pub fn prepared<'h>(
        &self,
        out: &mut BytesMut,
        head: impl Into<Head<'h>>,
        prepared: &Prepared<'_>,
    ) {
        self.small(out, head.into(), Opcode::Result, |out| {
            out.put_u32(PREPARED);
            prepared.write(out, self.version, self.extensions.lwt_mark);
        });
    }

    /// RESULT with rows; write them and call [`RowsWriter::finish`].
    pub fn rows<'o, 'h>(
        &self,
        out: &'o mut BytesMut,
        head: impl Into<Head<'h>>,
        metadata: &RowsMetadata<'_>,
    ) -> RowsWriter<'o> {
        let mut frame = self.frame(out, head.into(), Opcode::Result);
        frame.body().put_u32(ROWS);
        metadata.write(frame.body(), self.version);
        RowsWriter::new(frame)
    }

    /// EVENT.
    pub fn event(&self, out: &mut BytesMut, event: &Event) {
        self.small(out, Head::new(EVENT_STREAM), Opcode::Event, |out| {
            event.write(out)
        });
    }
}

fn put_header(out: &mut BytesMut, version: u8, flags: u8, stream: i16, opcode: Opcode) {
    let [s0, s1] = stream.to_be_bytes();
    out.put_slice(&[version | RESPONSE, flags, s0, s1, opcode.code(), 0, 0, 0, 0]);
}

/// As many warnings as fit.
fn bounded(warnings: &[String]) -> &[String] {
    let mut total = 0usize;
    let fitting = warnings.iter().take_while(|warning| {
        total = total.saturating_add(warning.len());
        total <= MAX_WARNINGS
    });
    let count = fitting.count();
    warnings.get(..count).unwrap_or_default()
}

/// A response in the making.
///
/// Dropped before [`FrameWriter::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct FrameWriter<'a> {
    out: &'a mut BytesMut,
    start: usize,
    finished: bool,
    compression: Option<Compression>,
    max_body: usize,
}

impl FrameWriter<'_> {
    /// Where the body is written to; what was written before must stay.
    #[inline]
    pub fn body(&mut self) -> &mut BytesMut {
        self.out
    }

    /// Bytes of the frame so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.out.len().saturating_sub(self.start)
    }

    /// Never: a frame has a header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Compresses the body if agreed and worthwhile, and writes its length into the header.
    ///
    /// # Errors
    /// The body is larger than a frame may be; nothing of it is left in the buffer.
    pub fn finish(mut self) -> Result<(), FrameTooLarge> {
        let bytes = self.len().saturating_sub(HEADER);
        if bytes > self.max_body {
            return Err(FrameTooLarge {
                bytes,
                max: self.max_body,
            });
        }
        let body = self.start + HEADER;
        if self
            .compression
            .is_some_and(|kind| kind.compress_tail(self.out, body))
        {
            self.set_flag(COMPRESSED);
        }
        self.complete();
        Ok(())
    }

    fn set_flag(&mut self, flag: u8) {
        if let Some(flags) = self.out.get_mut(self.start + 1) {
            *flags |= flag;
        }
    }

    /// Writes the length.
    fn complete(mut self) {
        let length = write::int(self.len().saturating_sub(HEADER));
        let start = self.start;
        if let Some(slot) = self
            .out
            .get_mut(start + HEADER - 4..)
            .and_then(|rest| rest.first_chunk_mut::<4>())
        {
            *slot = length.to_be_bytes();
        }
        self.finished = true;
    }
}

impl Drop for FrameWriter<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.out.truncate(self.start);
        }
    }
}

/// A response that does not fit into a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameTooLarge {
    /// Bytes of the body.
    pub bytes: usize,
    /// Bytes it may have.
    pub max: usize,
}

impl fmt::Display for FrameTooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "The result of {} bytes is larger than a frame may be ({}); ask for smaller pages",
            self.bytes, self.max
        )
    }
}

impl std::error::Error for FrameTooLarge {}
