//! ERROR.

use std::fmt;

use bytes::{BufMut, BytesMut};

use crate::error::ProtocolError;
use crate::read::Reader;
use crate::version::Version;
use crate::write;
use cql_types::Consistency;

/// Code of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Something failed in the server.
    ServerError,
    /// The client broke the protocol.
    ProtocolError,
    /// Authentication failed.
    BadCredentials,
    /// Too few replicas are alive to begin.
    Unavailable,
    /// The server has too much to do.
    Overloaded,
    /// The server is not ready.
    IsBootstrapping,
    /// TRUNCATE failed.
    TruncateError,
    /// Too few replicas confirmed a write in time.
    WriteTimeout,
    /// Too few replicas answered a read in time.
    ReadTimeout,
    /// Replicas failed to read.
    ReadFailure,
    /// A function failed.
    FunctionFailure,
    /// Replicas failed to write.
    WriteFailure,
    /// The change log could not be written.
    CdcWriteFailure,
    /// A conditional write may or may not have been applied.
    CasWriteUnknown,
    /// The statement is not CQL.
    SyntaxError,
    /// The user may not do that.
    Unauthorized,
    /// The statement makes no sense.
    Invalid,
    /// An option makes no sense.
    ConfigError,
    /// What was to be made exists.
    AlreadyExists,
    /// The statement id is not known.
    Unprepared,
    /// Too many requests for one partition (extension).
    RateLimitError,
}

impl ErrorCode {
    /// All codes.
    pub const ALL: [Self; 21] = [
        Self::ServerError,
        Self::ProtocolError,
        Self::BadCredentials,
        Self::Unavailable,
        Self::Overloaded,
        Self::IsBootstrapping,
        Self::TruncateError,
        Self::WriteTimeout,
        Self::ReadTimeout,
        Self::ReadFailure,
        Self::FunctionFailure,
        Self::WriteFailure,
        Self::CdcWriteFailure,
        Self::CasWriteUnknown,
        Self::SyntaxError,
        Self::Unauthorized,
        Self::Invalid,
        Self::ConfigError,
        Self::AlreadyExists,
        Self::Unprepared,
        Self::RateLimitError,
    ];

    /// The number in messages.
    #[must_use]
    pub fn code(self) -> u32 {
        match self {
            Self::ServerError => 0x0000,
            Self::ProtocolError => 0x000A,
            Self::BadCredentials => 0x0100,
            Self::Unavailable => 0x1000,
            Self::Overloaded => 0x1001,
            Self::IsBootstrapping => 0x1002,
            Self::TruncateError => 0x1003,
            Self::WriteTimeout => 0x1100,
            Self::ReadTimeout => 0x1200,
            Self::ReadFailure => 0x1300,
            Self::FunctionFailure => 0x1400,
            Self::WriteFailure => 0x1500,
            Self::CdcWriteFailure => 0x1600,
            Self::CasWriteUnknown => 0x1700,
            Self::SyntaxError => 0x2000,
            Self::Unauthorized => 0x2100,
            Self::Invalid => 0x2200,
            Self::ConfigError => 0x2300,
            Self::AlreadyExists => 0x2400,
            Self::Unprepared => 0x2500,
            Self::RateLimitError => 0xF000,
        }
    }

    /// The code with that number.
    #[must_use]
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code() == code)
    }
}

/// An error as the client is told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorBody {
    /// What happened, for a person.
    pub message: String,
    /// What happened, for a program.
    pub kind: ErrorKind,
}

/// What happened, with the fields of its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// Something failed in the server.
    ServerError,
    /// The client broke the protocol.
    ProtocolError,
    /// Authentication failed.
    BadCredentials,
    /// Too few replicas are alive to begin.
    Unavailable {
        /// Level asked for.
        consistency: Consistency,
        /// Replicas that must be alive.
        required: u32,
        /// Replicas that are.
        alive: u32,
    },
    /// The server has too much to do.
    Overloaded,
    /// The server is not ready.
    IsBootstrapping,
    /// TRUNCATE failed.
    TruncateError,
    /// Too few replicas confirmed a write in time.
    WriteTimeout {
        /// Level asked for.
        consistency: Consistency,
        /// Replicas that confirmed.
        received: u32,
        /// Replicas that must confirm.
        block_for: u32,
        /// What was written.
        write_type: WriteType,
    },
    /// Too few replicas answered a read in time.
    ReadTimeout {
        /// Level asked for.
        consistency: Consistency,
        /// Replicas that answered.
        received: u32,
        /// Replicas that must answer.
        block_for: u32,
        /// The replica asked for the rows, not only their digest, answered.
        data_present: bool,
    },
    /// Replicas failed to read. Version 3: a timeout.
    ReadFailure {
        /// Level asked for.
        consistency: Consistency,
        /// Replicas that answered.
        received: u32,
        /// Replicas that must answer.
        block_for: u32,
        /// Replicas that failed.
        failures: u32,
        /// The replica asked for the rows, not only their digest, answered.
        data_present: bool,
    },
    /// A function failed. Version 3: `Invalid`.
    FunctionFailure {
        /// Keyspace.
        keyspace: String,
        /// Name.
        function: String,
        /// Types of its arguments.
        argument_types: Vec<String>,
    },
    /// Replicas failed to write. Version 3: a timeout.
    WriteFailure {
        /// Level asked for.
        consistency: Consistency,
        /// Replicas that confirmed.
        received: u32,
        /// Replicas that must confirm.
        block_for: u32,
        /// Replicas that failed.
        failures: u32,
        /// What was written.
        write_type: WriteType,
    },
    /// The change log could not be written. Version 3: `Invalid`.
    CdcWriteFailure,
    /// A conditional write may or may not have been applied. Sent as a timeout of kind CAS.
    CasWriteUnknown {
        /// Level asked for.
        consistency: Consistency,
        /// Replicas that confirmed.
        received: u32,
        /// Replicas that must confirm.
        block_for: u32,
    },
    /// The statement is not CQL.
    SyntaxError,
    /// The user may not do that.
    Unauthorized,
    /// The statement makes no sense.
    Invalid,
    /// An option makes no sense.
    ConfigError,
    /// What was to be made exists.
    AlreadyExists {
        /// Keyspace.
        keyspace: String,
        /// Table; empty if the keyspace itself exists.
        table: String,
    },
    /// The statement id is not known.
    Unprepared {
        /// The id.
        id: Vec<u8>,
    },
    /// Too many requests for one partition. Without the extension: `ConfigError`.
    RateLimitError {
        /// What was asked.
        operation: RateLimitedOperation,
        /// The coordinator refused, not the replicas.
        rejected_by_coordinator: bool,
    },
}

/// What was asked of a partition too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RateLimitedOperation {
    /// A read.
    Read,
    /// A write.
    Write,
}

/// What was written when a write failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WriteType {
    /// One statement.
    Simple,
    /// A logged batch.
    Batch,
    /// An unlogged batch.
    UnloggedBatch,
    /// A counter.
    Counter,
    /// The log of a batch.
    BatchLog,
    /// A conditional write.
    Cas,
    /// A view.
    View,
    /// The change log.
    Cdc,
}

impl WriteType {
    const ALL: [Self; 8] = [
        Self::Simple,
        Self::Batch,
        Self::UnloggedBatch,
        Self::Counter,
        Self::BatchLog,
        Self::Cas,
        Self::View,
        Self::Cdc,
    ];

    /// The word in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Simple => "SIMPLE",
            Self::Batch => "BATCH",
            Self::UnloggedBatch => "UNLOGGED_BATCH",
            Self::Counter => "COUNTER",
            Self::BatchLog => "BATCH_LOG",
            Self::Cas => "CAS",
            Self::View => "VIEW",
            Self::Cdc => "CDC",
        }
    }
}

impl ErrorKind {
    /// Its code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::ServerError => ErrorCode::ServerError,
            Self::ProtocolError => ErrorCode::ProtocolError,
            Self::BadCredentials => ErrorCode::BadCredentials,
            Self::Unavailable { .. } => ErrorCode::Unavailable,
            Self::Overloaded => ErrorCode::Overloaded,
            Self::IsBootstrapping => ErrorCode::IsBootstrapping,
            Self::TruncateError => ErrorCode::TruncateError,
            Self::WriteTimeout { .. } => ErrorCode::WriteTimeout,
            Self::ReadTimeout { .. } => ErrorCode::ReadTimeout,
            Self::ReadFailure { .. } => ErrorCode::ReadFailure,
            Self::FunctionFailure { .. } => ErrorCode::FunctionFailure,
            Self::WriteFailure { .. } => ErrorCode::WriteFailure,
            Self::CdcWriteFailure => ErrorCode::CdcWriteFailure,
            Self::CasWriteUnknown { .. } => ErrorCode::CasWriteUnknown,
            Self::SyntaxError => ErrorCode::SyntaxError,
            Self::Unauthorized => ErrorCode::Unauthorized,
            Self::Invalid => ErrorCode::Invalid,
            Self::ConfigError => ErrorCode::ConfigError,
            Self::AlreadyExists { .. } => ErrorCode::AlreadyExists,
            Self::Unprepared { .. } => ErrorCode::Unprepared,
            Self::RateLimitError { .. } => ErrorCode::RateLimitError,
        }
    }

    /// The same as clients of `version`, with or without the extension, understand it.
    fn understood_by(&self, version: Version, rate_limit_error: bool) -> Self {
        match *self {
            Self::CasWriteUnknown {
                consistency,
                received,
                block_for,
            } => Self::WriteTimeout {
                consistency,
                received,
                block_for,
                write_type: WriteType::Cas,
            },
            Self::RateLimitError { .. } if !rate_limit_error => Self::ConfigError,
            Self::ReadFailure {
                consistency,
                received,
                block_for,
                data_present,
                ..
            } if !version.has_v4() => Self::ReadTimeout {
                consistency,
                received,
                block_for,
                data_present,
            },
            Self::WriteFailure {
                consistency,
                received,
                block_for,
                write_type,
                ..
            } if !version.has_v4() => Self::WriteTimeout {
                consistency,
                received,
                block_for,
                write_type,
            },
            Self::FunctionFailure { .. } | Self::CdcWriteFailure if !version.has_v4() => {
                Self::Invalid
            }
            _ => self.clone(),
        }
    }
}

impl ErrorBody {
    /// An error of that kind.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            kind,
        }
    }

    /// The error that tells of an id that is not known.
    #[must_use]
    pub fn unprepared(id: &[u8]) -> Self {
        let mut message = "No prepared statement with ID ".to_owned();
        for byte in id {
            message += &format!("{byte:02x}");
        }
        Self::new(
            ErrorKind::Unprepared { id: id.to_vec() },
            message + " found.",
        )
    }

    pub(crate) fn write(&self, out: &mut BytesMut, version: Version, rate_limit_error: bool) {
        let kind = self.kind.understood_by(version, rate_limit_error);
        out.put_u32(kind.code().code());
        write::string(out, &self.message);
        kind.write_fields(out);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, ProtocolError> {
        let code = reader.int("error code")?.cast_unsigned();
        let code = ErrorCode::from_code(code)
            .ok_or_else(|| ProtocolError::unknown("error code", 0, format_args!("{code:#06x}")))?;
        let message = reader.string("error message")?.to_owned();
        Ok(Self {
            message,
            kind: ErrorKind::read_fields(code, reader)?,
        })
    }
}

/// Level, received, block for: three fields that several errors begin with.
fn put_progress(out: &mut BytesMut, consistency: Consistency, received: u32, block_for: u32) {
    out.put_u16(consistency.code());
    out.put_u32(received);
    out.put_u32(block_for);
}

fn read_progress(reader: &mut Reader<'_>) -> Result<(Consistency, u32, u32), ProtocolError> {
    Ok((
        reader.consistency("consistency")?,
        number(reader, "received")?,
        number(reader, "block for")?,
    ))
}

fn number(reader: &mut Reader<'_>, what: &'static str) -> Result<u32, ProtocolError> {
    reader
        .count(what)
        .map(|count| u32::try_from(count).unwrap_or(u32::MAX))
}

fn read_write_type(reader: &mut Reader<'_>) -> Result<WriteType, ProtocolError> {
    let at = reader.at();
    let name = reader.string("write type")?;
    WriteType::ALL
        .into_iter()
        .find(|kind| kind.name() == name)
        .ok_or_else(|| ProtocolError::unknown("write type", at, name))
}

impl ErrorKind {
    fn write_fields(&self, out: &mut BytesMut) {
        match self {
            Self::Unavailable {
                consistency,
                required,
                alive,
            } => {
                put_progress(out, *consistency, *required, *alive);
            }
            Self::WriteTimeout {
                consistency,
                received,
                block_for,
                write_type,
            } => {
                put_progress(out, *consistency, *received, *block_for);
                write::string(out, write_type.name());
            }
            Self::ReadTimeout {
                consistency,
                received,
                block_for,
                data_present,
            } => {
                put_progress(out, *consistency, *received, *block_for);
                out.put_u8(u8::from(*data_present));
            }
            Self::ReadFailure {
                consistency,
                received,
                block_for,
                failures,
                data_present,
            } => {
                put_progress(out, *consistency, *received, *block_for);
                out.put_u32(*failures);
                out.put_u8(u8::from(*data_present));
            }
            Self::FunctionFailure {
                keyspace,
                function,
                argument_types,
            } => {
                write::string(out, keyspace);
                write::string(out, function);
                write::string_list(out, argument_types);
            }
            Self::WriteFailure {
                consistency,
                received,
                block_for,
                failures,
                write_type,
            } => {
                put_progress(out, *consistency, *received, *block_for);
                out.put_u32(*failures);
                write::string(out, write_type.name());
            }
            Self::CasWriteUnknown {
                consistency,
                received,
                block_for,
            } => {
                put_progress(out, *consistency, *received, *block_for);
            }
            Self::AlreadyExists { keyspace, table } => {
                write::string(out, keyspace);
                write::string(out, table);
            }
            Self::Unprepared { id } => write::short_bytes(out, id),
            Self::RateLimitError {
                operation,
                rejected_by_coordinator,
            } => {
                out.put_u8(match operation {
                    RateLimitedOperation::Read => 0,
                    RateLimitedOperation::Write => 1,
                });
                out.put_u8(u8::from(*rejected_by_coordinator));
            }
            Self::ServerError
            | Self::ProtocolError
            | Self::BadCredentials
            | Self::Overloaded
            | Self::IsBootstrapping
            | Self::TruncateError
            | Self::CdcWriteFailure
            | Self::SyntaxError
            | Self::Unauthorized
            | Self::Invalid
            | Self::ConfigError => {}
        }
    }

    fn read_fields(code: ErrorCode, reader: &mut Reader<'_>) -> Result<Self, ProtocolError> {
        Ok(match code {
            ErrorCode::ServerError => Self::ServerError,
            ErrorCode::ProtocolError => Self::ProtocolError,
            ErrorCode::BadCredentials => Self::BadCredentials,
            ErrorCode::Unavailable => {
                let (consistency, required, alive) = read_progress(reader)?;
                Self::Unavailable {
                    consistency,
                    required,
                    alive,
                }
            }
            ErrorCode::Overloaded => Self::Overloaded,
            ErrorCode::IsBootstrapping => Self::IsBootstrapping,
            ErrorCode::TruncateError => Self::TruncateError,
            ErrorCode::WriteTimeout => {
                let (consistency, received, block_for) = read_progress(reader)?;
                let write_type = read_write_type(reader)?;
                Self::WriteTimeout {
                    consistency,
                    received,
                    block_for,
                    write_type,
                }
            }
            ErrorCode::ReadTimeout => {
                let (consistency, received, block_for) = read_progress(reader)?;
                let data_present = reader.byte("data present")? != 0;
                Self::ReadTimeout {
                    consistency,
                    received,
                    block_for,
                    data_present,
                }
            }
            ErrorCode::ReadFailure => {
                let (consistency, received, block_for) = read_progress(reader)?;
                let failures = number(reader, "failures")?;
                let data_present = reader.byte("data present")? != 0;
                Self::ReadFailure {
                    consistency,
                    received,
                    block_for,
                    failures,
                    data_present,
                }
            }
            ErrorCode::FunctionFailure => Self::FunctionFailure {
                keyspace: reader.string("keyspace")?.to_owned(),
                function: reader.string("function")?.to_owned(),
                argument_types: reader.string_list("argument types")?,
            },
            ErrorCode::WriteFailure => {
                let (consistency, received, block_for) = read_progress(reader)?;
                let failures = number(reader, "failures")?;
                let write_type = read_write_type(reader)?;
                Self::WriteFailure {
                    consistency,
                    received,
                    block_for,
                    failures,
                    write_type,
                }
            }
            ErrorCode::CdcWriteFailure => Self::CdcWriteFailure,
            ErrorCode::CasWriteUnknown => {
                let (consistency, received, block_for) = read_progress(reader)?;
                Self::CasWriteUnknown {
                    consistency,
                    received,
                    block_for,
                }
            }
            ErrorCode::SyntaxError => Self::SyntaxError,
            ErrorCode::Unauthorized => Self::Unauthorized,
            ErrorCode::Invalid => Self::Invalid,
            ErrorCode::ConfigError => Self::ConfigError,
            ErrorCode::AlreadyExists => Self::AlreadyExists {
                keyspace: reader.string("keyspace")?.to_owned(),
                table: reader.string("table")?.to_owned(),
            },
            ErrorCode::Unprepared => Self::Unprepared {
                id: reader.short_bytes("statement id")?.to_vec(),
            },
            ErrorCode::RateLimitError => {
                let operation = match reader.byte("operation")? {
                    0 => RateLimitedOperation::Read,
                    _ => RateLimitedOperation::Write,
                };
                let rejected_by_coordinator = reader.byte("rejected by coordinator")? != 0;
                Self::RateLimitError {
                    operation,
                    rejected_by_coordinator,
                }
            }
        })
    }
}

impl From<&ProtocolError> for ErrorBody {
    fn from(error: &ProtocolError) -> Self {
        let kind = match error {
            ProtocolError::Invalid(_) => ErrorKind::Invalid,
            ProtocolError::Truncated { .. }
            | ProtocolError::Length { .. }
            | ProtocolError::Utf8 { .. }
            | ProtocolError::Unknown { .. }
            | ProtocolError::Rule(_) => ErrorKind::ProtocolError,
        };
        Self::new(kind, error.to_string())
    }
}

impl fmt::Display for ErrorBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind.code(), self.message)
    }
}

impl std::error::Error for ErrorBody {}
