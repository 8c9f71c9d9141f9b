//! Responses as a client reads them.

use bytes::Bytes;
use cql_types::CqlType;

use crate::error::ProtocolError;
use crate::frame::{Frame, Prelude};
use crate::opcode::Opcode;
use crate::read::Reader;
use crate::response::error::ErrorBody;
use crate::response::event::{Event, SchemaChange};
use crate::response::metadata::{GLOBAL_TABLE, HAS_MORE_PAGES, LWT_MARK, NO_METADATA};
use crate::type_option::read_type;
use crate::version::Version;

/// A response.
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// Something went wrong.
    Error(ErrorBody),
    /// The connection may be used.
    Ready,
    /// Class name of the authenticator.
    Authenticate(String),
    /// Options and their values.
    Supported(Vec<(String, Vec<String>)>),
    /// Outcome of a statement.
    Result(ResultBody),
    /// Something happened.
    Event(Event),
    /// Next question of the authenticator.
    AuthChallenge(Option<Vec<u8>>),
    /// The authenticator is satisfied.
    AuthSuccess(Option<Vec<u8>>),
}

/// Outcome of a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum ResultBody {
    /// Done.
    Void,
    /// Rows.
    Rows(Rows),
    /// The keyspace in use.
    SetKeyspace(String),
    /// A statement was prepared.
    Prepared(OwnedPrepared),
    /// The schema changed.
    SchemaChange(SchemaChange),
}

/// Rows of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// Columns.
    pub metadata: OwnedMetadata,
    /// How many rows.
    pub count: usize,
    cells: Bytes,
}

/// Columns of a result.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OwnedMetadata {
    /// How many columns; also said if they are not described.
    pub count: usize,
    /// The columns; empty if the client was to know them.
    pub columns: Vec<OwnedColumn>,
    /// Where the next page begins.
    pub paging_state: Option<Vec<u8>>,
}

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnedColumn {
    /// Keyspace of the table.
    pub keyspace: String,
    /// Table.
    pub table: String,
    /// Name.
    pub name: String,
    /// Type.
    pub ty: CqlType,
}

/// The answer to PREPARE.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnedPrepared {
    /// Id for EXECUTE.
    pub id: Vec<u8>,
    /// Bind variables.
    pub variables: Vec<OwnedColumn>,
    /// Which variables are the columns of the partition key.
    pub partition_key: Vec<u16>,
    /// Marked as conditional.
    pub is_lwt: bool,
    /// Columns of the result.
    pub result: OwnedMetadata,
}

impl Response {
    /// Reads the body of a frame, and what comes before it.
    ///
    /// # Errors
    /// Says what is wrong where.
    pub fn decode(frame: &Frame) -> Result<(Prelude, Self), ProtocolError> {
        let mut reader = Reader::new(&frame.body);
        let prelude = Prelude::read(frame.flags, &mut reader)?;
        let reader = &mut reader;
        let owned = |token: Option<&[u8]>| token.map(<[u8]>::to_vec);
        let response = match frame.opcode {
            Opcode::Error => Self::Error(ErrorBody::read(reader)?),
            Opcode::Ready => Self::Ready,
            Opcode::Authenticate => Self::Authenticate(reader.string("authenticator")?.to_owned()),
            Opcode::Supported => {
                let mut options = Vec::new();
                for _ in 0..reader.short("number of options")? {
                    let name = reader.string("name of an option")?.to_owned();
                    options.push((name, reader.string_list("values of an option")?));
                }
                Self::Supported(options)
            }
            Opcode::Result => Self::Result(ResultBody::read(reader, frame)?),
            Opcode::Event => Self::Event(Event::read(reader)?),
            Opcode::AuthChallenge => Self::AuthChallenge(owned(reader.bytes("token")?)),
            Opcode::AuthSuccess => Self::AuthSuccess(owned(reader.bytes("token")?)),
            Opcode::Startup
            | Opcode::Options
            | Opcode::Query
            | Opcode::Prepare
            | Opcode::Execute
            | Opcode::Register
            | Opcode::Batch
            | Opcode::AuthResponse => {
                return Err(ProtocolError::Rule(
                    format!("{} is not a response", frame.opcode).into(),
                ));
            }
        };
        Ok((prelude, response))
    }
}

impl ResultBody {
    fn read(reader: &mut Reader<'_>, frame: &Frame) -> Result<Self, ProtocolError> {
        let at = reader.at();
        Ok(match reader.int("kind of result")? {
            1 => Self::Void,
            2 => Self::Rows(Rows::read(reader, frame)?),
            3 => Self::SetKeyspace(reader.string("keyspace")?.to_owned()),
            4 => Self::Prepared(OwnedPrepared::read(reader, frame.version)?),
            5 => Self::SchemaChange(SchemaChange::read(reader)?),
            other => return Err(ProtocolError::unknown("kind of result", at, other)),
        })
    }
}

impl Rows {
    fn read(reader: &mut Reader<'_>, frame: &Frame) -> Result<Self, ProtocolError> {
        let metadata = OwnedMetadata::read(reader)?;
        let count = reader.count("number of rows")?;
        let cells = frame.body.slice(reader.at()..);
        // A row without columns has no bytes, so nothing else would bound their number.
        if metadata.count == 0 && count > 0 {
            return Err(ProtocolError::Rule("Rows without columns".into()));
        }
        for _ in 0..count {
            for _ in 0..metadata.count {
                reader.bytes("cell")?;
            }
        }
        Ok(Self {
            metadata,
            count,
            cells,
        })
    }

    /// All cells, row by row; a cell without a value is `None`.
    pub fn cells(&self) -> impl Iterator<Item = Option<&[u8]>> {
        let mut reader = Reader::new(&self.cells);
        let total = self.count.saturating_mul(self.metadata.count);
        (0..total).map_while(move |_| reader.bytes("cell").ok())
    }
}

fn read_columns(
    reader: &mut Reader<'_>,
    flags: u32,
    count: usize,
) -> Result<Vec<OwnedColumn>, ProtocolError> {
    let table = |reader: &mut Reader<'_>| -> Result<(String, String), ProtocolError> {
        Ok((
            reader.string("keyspace")?.to_owned(),
            reader.string("table")?.to_owned(),
        ))
    };
    let global = match flags & GLOBAL_TABLE {
        0 => None,
        _ => Some(table(reader)?),
    };
    let mut columns = Vec::new();
    for _ in 0..count {
        let (keyspace, table) = match &global {
            Some(names) => names.clone(),
            None => table(reader)?,
        };
        let name = reader.string("name of a column")?.to_owned();
        columns.push(OwnedColumn {
            keyspace,
            table,
            name,
            ty: read_type(reader)?,
        });
    }
    Ok(columns)
}

impl OwnedMetadata {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ProtocolError> {
        let flags = reader.int("metadata flags")?.cast_unsigned();
        let count = reader.count("number of columns")?;
        let paging_state = match flags & HAS_MORE_PAGES {
            0 => None,
            _ => reader.bytes("paging state")?.map(<[u8]>::to_vec),
        };
        let columns = match flags & NO_METADATA {
            0 => read_columns(reader, flags, count)?,
            _ => Vec::new(),
        };
        Ok(Self {
            count,
            columns,
            paging_state,
        })
    }
}

impl OwnedPrepared {
    fn read(reader: &mut Reader<'_>, version: Version) -> Result<Self, ProtocolError> {
        let id = reader.short_bytes("statement id")?.to_vec();
        let flags = reader.int("metadata flags")?.cast_unsigned();
        let count = reader.count("number of variables")?;
        let mut partition_key = Vec::new();
        if version.has_v4() {
            for _ in 0..reader.count("number of partition key variables")? {
                partition_key.push(reader.short("index of a partition key variable")?);
            }
        }
        let variables = read_columns(reader, flags, count)?;
        let result = OwnedMetadata::read(reader)?;
        Ok(Self {
            id,
            variables,
            partition_key,
            is_lwt: flags & LWT_MARK != 0,
            result,
        })
    }
}
