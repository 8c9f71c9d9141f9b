//! QUERY and EXECUTE, and the parameters they share.

use crate::error::ProtocolError;
use crate::read::Reader;
use crate::request::values::Values;
use crate::version::Version;
use cql_types::{Consistency, SerialConsistency};

pub(crate) const VALUES: u8 = 0x01;
pub(crate) const SKIP_METADATA: u8 = 0x02;
pub(crate) const PAGE_SIZE: u8 = 0x04;
pub(crate) const PAGING_STATE: u8 = 0x08;
pub(crate) const SERIAL_CONSISTENCY: u8 = 0x10;
pub(crate) const TIMESTAMP: u8 = 0x20;
pub(crate) const NAMES: u8 = 0x40;
pub(crate) const KEYSPACE: u8 = 0x80;

/// QUERY: a statement as text.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    /// The statement.
    pub text: &'a str,
    /// How to run it.
    pub parameters: QueryParameters<'a>,
}

/// EXECUTE: a statement that was prepared.
#[derive(Debug, Clone)]
pub struct Execute<'a> {
    /// The id that PREPARE was answered with.
    pub id: &'a [u8],
    /// How to run it.
    pub parameters: QueryParameters<'a>,
}

/// How to run a statement.
#[derive(Debug, Clone)]
pub struct QueryParameters<'a> {
    /// How many replicas must answer.
    pub consistency: Consistency,
    /// Bound values.
    pub values: Values<'a>,
    /// The client knows the columns of the result.
    pub skip_metadata: bool,
    /// Rows a page; `None` is all in one.
    pub page_size: Option<u32>,
    /// Where the page before ended.
    pub paging_state: Option<&'a [u8]>,
    /// For conditional statements.
    pub serial_consistency: Option<SerialConsistency>,
    /// Write time, µs since the epoch; never `i64::MIN`.
    pub timestamp: Option<i64>,
}

impl<'a> Query<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>, version: Version) -> Result<Self, ProtocolError> {
        Ok(Self {
            text: reader.long_string("statement")?,
            parameters: QueryParameters::read(reader, version)?,
        })
    }
}

impl<'a> Execute<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>, version: Version) -> Result<Self, ProtocolError> {
        Ok(Self {
            id: reader.short_bytes("statement id")?,
            parameters: QueryParameters::read(reader, version)?,
        })
    }
}

impl<'a> QueryParameters<'a> {
    #[inline]
    fn read(reader: &mut Reader<'a>, version: Version) -> Result<Self, ProtocolError> {
        let consistency = reader.consistency("consistency")?;
        let flags = reader.byte("query flags")?;
        let values = match flags & VALUES {
            0 => Values::none(),
            _ => Values::read(reader, version, flags & NAMES != 0)?,
        };
        let page_size = match flags & PAGE_SIZE {
            0 => None,
            // 0 and below is another way to ask for everything at once.
            _ => u32::try_from(reader.int("page size")?)
                .ok()
                .filter(|rows| *rows > 0),
        };
        let paging_state = match flags & PAGING_STATE {
            0 => None,
            _ => reader.bytes("paging state")?,
        };
        let (serial_consistency, timestamp) = read_serial_and_timestamp(reader, flags)?;
        Ok(Self {
            consistency,
            values,
            skip_metadata: flags & SKIP_METADATA != 0,
            page_size,
            paging_state,
            serial_consistency,
            timestamp,
        })
    }
}

/// The tail that QUERY, EXECUTE and BATCH share.
pub(crate) fn read_serial_and_timestamp(
    reader: &mut Reader<'_>,
    flags: u8,
) -> Result<(Option<SerialConsistency>, Option<i64>), ProtocolError> {
    let serial = match flags & SERIAL_CONSISTENCY {
        0 => None,
        _ => {
            let level = reader.consistency("serial consistency")?;
            Some(SerialConsistency::from_level(level).ok_or_else(|| {
                ProtocolError::Invalid(
                    format!("Invalid consistency for conditional update. Must be one of SERIAL or LOCAL_SERIAL, got {level}")
                        .into(),
                )
            })?)
        }
    };
    let timestamp = match flags & TIMESTAMP {
        0 => None,
        _ => match reader.long("timestamp")? {
            i64::MIN => {
                return Err(ProtocolError::Rule(
                    format!(
                        "Out of bound timestamp, must be in [{}, {}] (got {})",
                        i64::MIN + 1,
                        i64::MAX,
                        i64::MIN
                    )
                    .into(),
                ));
            }
            micros => Some(micros),
        },
    };
    if flags & KEYSPACE != 0 {
        return Err(ProtocolError::Rule(
            "A keyspace for one statement needs native protocol version 5".into(),
        ));
    }
    Ok((serial, timestamp))
}
