//! BATCH.

use crate::error::ProtocolError;
use crate::read::Reader;
use crate::request::query::{NAMES, read_serial_and_timestamp};
use crate::request::values::{Values, skip};
use crate::version::Version;
use cql_types::{Consistency, SerialConsistency};

/// BATCH: several statements.
#[derive(Debug, Clone)]
pub struct Batch<'a> {
    /// Kind.
    pub kind: BatchKind,
    /// How many replicas must answer.
    pub consistency: Consistency,
    /// For conditional statements.
    pub serial_consistency: Option<SerialConsistency>,
    /// Write time, µs since the epoch; never `i64::MIN`.
    pub timestamp: Option<i64>,
    statements: &'a [u8],
    count: u16,
    version: Version,
}

/// How a batch is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchKind {
    /// All of it or nothing, in the end.
    Logged,
    /// Each partition by itself.
    Unlogged,
    /// Counter updates.
    Counter,
}

impl BatchKind {
    /// The byte in messages.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Logged => 0,
            Self::Unlogged => 1,
            Self::Counter => 2,
        }
    }

    fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Logged),
            1 => Some(Self::Unlogged),
            2 => Some(Self::Counter),
            _ => None,
        }
    }
}

/// One statement of a batch.
#[derive(Debug, Clone)]
pub struct BatchStatement<'a> {
    /// Text or id.
    pub source: StatementSource<'a>,
    /// Bound values, by position.
    pub values: Values<'a>,
}

/// A statement in text or by the id of a prepared one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatementSource<'a> {
    /// Text.
    Text(&'a str),
    /// The id that PREPARE was answered with.
    Prepared(&'a [u8]),
}

impl<'a> Batch<'a> {
    /// Checks all statements on the way to what comes after them.
    pub(crate) fn read(reader: &mut Reader<'a>, version: Version) -> Result<Self, ProtocolError> {
        let code = reader.byte("batch type")?;
        let kind = BatchKind::from_code(code)
            .ok_or_else(|| ProtocolError::unknown("batch type", reader.at() - 1, code))?;
        let count = reader.short("number of statements")?;
        let statements = reader.rest();
        for _ in 0..count {
            source(reader)?;
            for _ in 0..reader.short("number of values")? {
                skip(reader, version)?;
            }
        }
        let consistency = reader.consistency("consistency")?;
        let flags = reader.byte("batch flags")?;
        if flags & NAMES != 0 {
            return Err(ProtocolError::Rule(
                "Values by name are not possible in a batch; bind them by position".into(),
            ));
        }
        let (serial_consistency, timestamp) = read_serial_and_timestamp(reader, flags)?;
        Ok(Self {
            kind,
            consistency,
            serial_consistency,
            timestamp,
            statements,
            count,
            version,
        })
    }

    /// How many statements.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.count)
    }

    /// Whether it has no statement.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The statements in order.
    #[must_use]
    pub fn statements(&self) -> BatchStatements<'a> {
        BatchStatements {
            reader: Reader::new(self.statements),
            left: self.count,
            version: self.version,
        }
    }
}

/// Goes through the statements of a batch.
#[derive(Debug, Clone)]
pub struct BatchStatements<'a> {
    reader: Reader<'a>,
    left: u16,
    version: Version,
}

impl<'a> Iterator for BatchStatements<'a> {
    type Item = BatchStatement<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        // All of it was read once, so nothing fails here.
        let source = source(&mut self.reader).ok()?;
        let values = Values::read(&mut self.reader, self.version, false).ok()?;
        Some(BatchStatement { source, values })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.left), Some(usize::from(self.left)))
    }
}

impl ExactSizeIterator for BatchStatements<'_> {}

fn source<'a>(reader: &mut Reader<'a>) -> Result<StatementSource<'a>, ProtocolError> {
    match reader.byte("kind of statement")? {
        0 => reader.long_string("statement").map(StatementSource::Text),
        1 => reader
            .short_bytes("statement id")
            .map(StatementSource::Prepared),
        other => Err(ProtocolError::unknown(
            "kind of statement",
            reader.at() - 1,
            other,
        )),
    }
}
