//! Requests as a client writes them.

use bytes::{BufMut, BytesMut};

use crate::compression::Compression;
use crate::frame::{COMPRESSED, CUSTOM_PAYLOAD, HEADER, TRACING};
use crate::opcode::Opcode;
use crate::request::batch::{BatchKind, StatementSource};
use crate::request::maps::EventType;
use crate::request::query::{
    NAMES, PAGE_SIZE, PAGING_STATE, SERIAL_CONSISTENCY, SKIP_METADATA, TIMESTAMP, VALUES,
};
use crate::request::values::ValueRef;
use crate::version::Version;
use crate::write;
use cql_types::{Consistency, SerialConsistency};

/// Writes requests of one connection.
///
/// Counts that do not fit their two bytes are cut off, as are bodies above 2 GiB: a client keeps below.
#[derive(Debug, Clone, Copy)]
pub struct RequestEncoder {
    /// Version.
    pub version: Version,
    /// Compression agreed on.
    pub compression: Option<Compression>,
}

/// Values to bind.
#[derive(Debug, Clone, Copy)]
pub enum OutgoingValues<'a> {
    /// By position.
    Positional(&'a [ValueRef<'a>]),
    /// By name.
    Named(&'a [(&'a str, ValueRef<'a>)]),
}

/// Parameters of QUERY and EXECUTE.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingParameters<'a> {
    /// How many replicas must answer.
    pub consistency: Consistency,
    /// Values.
    pub values: OutgoingValues<'a>,
    /// Leave the columns out of the result.
    pub skip_metadata: bool,
    /// Rows a page.
    pub page_size: Option<i32>,
    /// Where the page before ended.
    pub paging_state: Option<&'a [u8]>,
    /// For conditional statements.
    pub serial_consistency: Option<SerialConsistency>,
    /// Write time, µs.
    pub timestamp: Option<i64>,
}

impl OutgoingParameters<'_> {
    /// Only a consistency level.
    #[must_use]
    pub fn new(consistency: Consistency) -> Self {
        Self {
            consistency,
            values: OutgoingValues::Positional(&[]),
            skip_metadata: false,
            page_size: None,
            paging_state: None,
            serial_consistency: None,
            timestamp: None,
        }
    }
}

/// A batch.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingBatch<'a> {
    /// Kind.
    pub kind: BatchKind,
    /// Statements.
    pub statements: &'a [OutgoingBatchStatement<'a>],
    /// How many replicas must answer.
    pub consistency: Consistency,
    /// For conditional statements.
    pub serial_consistency: Option<SerialConsistency>,
    /// Write time, µs.
    pub timestamp: Option<i64>,
}

/// One statement of a batch.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingBatchStatement<'a> {
    /// Text or id.
    pub source: StatementSource<'a>,
    /// Values.
    pub values: &'a [ValueRef<'a>],
}

impl RequestEncoder {
    /// STARTUP.
    pub fn startup(&self, out: &mut BytesMut, stream: i16, options: &[(&str, &str)]) {
        let plain = Self {
            compression: None,
            ..*self
        };
        plain.frame(out, stream, Opcode::Startup, |out| {
            write::count(out, options.len());
            for (name, value) in options {
                write::string(out, name);
                write::string(out, value);
            }
        });
    }

    /// OPTIONS.
    pub fn options(&self, out: &mut BytesMut, stream: i16) {
        self.frame(out, stream, Opcode::Options, |_| {});
    }

    /// AUTH_RESPONSE.
    pub fn auth_response(&self, out: &mut BytesMut, stream: i16, token: Option<&[u8]>) {
        self.frame(out, stream, Opcode::AuthResponse, |out| match token {
            Some(token) => write::bytes(out, token),
            None => out.put_i32(-1),
        });
    }

    /// REGISTER.
    pub fn register(&self, out: &mut BytesMut, stream: i16, types: &[EventType]) {
        let names: Vec<&str> = types.iter().map(|kind| kind.name()).collect();
        self.frame(out, stream, Opcode::Register, |out| {
            write::string_list(out, &names)
        });
    }

    /// PREPARE.
    pub fn prepare(&self, out: &mut BytesMut, stream: i16, statement: &str) {
        self.frame(out, stream, Opcode::Prepare, |out| {
            write::long_string(out, statement)
        });
    }

    /// QUERY.
    pub fn query(
        &self,
        out: &mut BytesMut,
        stream: i16,
        statement: &str,
        parameters: &OutgoingParameters<'_>,
    ) {
        self.frame(out, stream, Opcode::Query, |out| {
            write::long_string(out, statement);
            write_parameters(out, parameters);
        });
    }

    /// EXECUTE.
    pub fn execute(
        &self,
        out: &mut BytesMut,
        stream: i16,
        id: &[u8],
        parameters: &OutgoingParameters<'_>,
    ) {
        self.frame(out, stream, Opcode::Execute, |out| {
            write::short_bytes(out, id);
            write_parameters(out, parameters);
        });
    }

    /// BATCH.
    pub fn batch(&self, out: &mut BytesMut, stream: i16, batch: &OutgoingBatch<'_>) {
        self.frame(out, stream, Opcode::Batch, |out| {
            out.put_u8(batch.kind.code());
            write::count(out, batch.statements.len());
            for statement in batch.statements {
                match statement.source {
                    StatementSource::Text(text) => {
                        out.put_u8(0);
                        write::long_string(out, text);
                    }
                    StatementSource::Prepared(id) => {
                        out.put_u8(1);
                        write::short_bytes(out, id);
                    }
                }
                write_positional(out, statement.values);
            }
            out.put_u16(batch.consistency.code());
            let serial = batch.serial_consistency.map_or(0, |_| SERIAL_CONSISTENCY);
            out.put_u8(serial | batch.timestamp.map_or(0, |_| TIMESTAMP));
            write_serial_and_timestamp(out, batch.serial_consistency, batch.timestamp);
        });
    }

    /// Any request whose body is written by `body`.
    pub fn frame(
        &self,
        out: &mut BytesMut,
        stream: i16,
        opcode: Opcode,
        body: impl FnOnce(&mut BytesMut),
    ) {
        let start = out.len();
        out.put_u8(self.version.number());
        out.put_u8(0);
        out.put_i16(stream);
        out.put_u8(opcode.code());
        out.put_i32(0);
        body(out);
        let compressed = self
            .compression
            .is_some_and(|kind| kind.compress_tail(out, start + HEADER));
        let length = write::int(out.len() - start - HEADER);
        if let Some(frame) = out.get_mut(start..)
            && let Some([_, flags, _, _, _, l0, l1, l2, l3]) = frame.first_chunk_mut::<HEADER>()
        {
            [*l0, *l1, *l2, *l3] = length.to_be_bytes();
            *flags |= if compressed { COMPRESSED } else { 0 };
        }
    }

    /// Asks for a trace of the request that begins at `start` of `out`.
    pub fn ask_for_tracing(&self, out: &mut BytesMut, start: usize) {
        if let Some(flags) = out.get_mut(start + 1) {
            *flags |= TRACING;
        }
    }

    /// A request with a custom payload before its body.
    pub fn frame_with_payload(
        &self,
        out: &mut BytesMut,
        stream: i16,
        opcode: Opcode,
        payload: &[(&str, &[u8])],
        body: impl FnOnce(&mut BytesMut),
    ) {
        let start = out.len();
        self.frame(out, stream, opcode, |out| {
            write::bytes_map(out, payload);
            body(out);
        });
        if let Some(flags) = out.get_mut(start + 1) {
            *flags |= CUSTOM_PAYLOAD;
        }
    }
}

fn write_parameters(out: &mut BytesMut, parameters: &OutgoingParameters<'_>) {
    let OutgoingParameters {
        consistency,
        values,
        skip_metadata,
        page_size,
        paging_state,
        serial_consistency,
        timestamp,
    } = *parameters;
    let mut flags = match values {
        OutgoingValues::Positional([]) | OutgoingValues::Named([]) => 0,
        OutgoingValues::Positional(_) => VALUES,
        OutgoingValues::Named(_) => VALUES | NAMES,
    };
    for (is_set, flag) in [
        (skip_metadata, SKIP_METADATA),
        (page_size.is_some(), PAGE_SIZE),
        (paging_state.is_some(), PAGING_STATE),
        (serial_consistency.is_some(), SERIAL_CONSISTENCY),
        (timestamp.is_some(), TIMESTAMP),
    ] {
        if is_set {
            flags |= flag;
        }
    }
    out.put_u16(consistency.code());
    out.put_u8(flags);
    match values {
        OutgoingValues::Positional([]) | OutgoingValues::Named([]) => {}
        OutgoingValues::Positional(values) => write_positional(out, values),
        OutgoingValues::Named(values) => {
            write::count(out, values.len());
            for (name, value) in values {
                write::string(out, name);
                write_value(out, *value);
            }
        }
    }
    if let Some(rows) = page_size {
        out.put_i32(rows);
    }
    if let Some(state) = paging_state {
        write::bytes(out, state);
    }
    write_serial_and_timestamp(out, serial_consistency, timestamp);
}

fn write_positional(out: &mut BytesMut, values: &[ValueRef<'_>]) {
    write::count(out, values.len());
    for value in values {
        write_value(out, *value);
    }
}

fn write_value(out: &mut BytesMut, value: ValueRef<'_>) {
    match value {
        ValueRef::Bytes(content) => write::bytes(out, content),
        ValueRef::Null => out.put_i32(-1),
        ValueRef::Unset => out.put_i32(-2),
    }
}

fn write_serial_and_timestamp(
    out: &mut BytesMut,
    serial: Option<SerialConsistency>,
    timestamp: Option<i64>,
) {
    if let Some(serial) = serial {
        out.put_u16(serial.level().code());
    }
    if let Some(micros) = timestamp {
        out.put_i64(micros);
    }
}
