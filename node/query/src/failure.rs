//! What went wrong, as the client is told: code, fields, message.

use cql_plan::{PlanError, PlanErrorKind};
use cql_protocol::{Consistency, ErrorBody, ErrorKind, WriteType};
use cql_syntax::SyntaxError;
use node_coordinator::{ReadError, Unavailable, WriteError};
use node_group0::Group0Error;

pub(crate) fn invalid(message: impl Into<String>) -> ErrorBody {
    ErrorBody::new(ErrorKind::Invalid, message)
}

pub(crate) fn syntax(error: &SyntaxError) -> ErrorBody {
    ErrorBody::new(ErrorKind::SyntaxError, error.to_string())
}

pub(crate) fn plan(error: &PlanError, text: &str) -> ErrorBody {
    let kind = match error.kind {
        PlanErrorKind::Syntax => ErrorKind::SyntaxError,
        PlanErrorKind::Invalid => ErrorKind::Invalid,
        PlanErrorKind::Unauthorized => ErrorKind::Unauthorized,
        PlanErrorKind::Protocol => ErrorKind::ProtocolError,
    };
    ErrorBody::new(kind, error.render(text))
}

fn unavailable(error: &Unavailable, consistency: Consistency) -> ErrorBody {
    let kind = ErrorKind::Unavailable {
        consistency,
        required: error.required,
        alive: error.alive,
    };
    ErrorBody::new(kind, error.to_string())
}

pub(crate) fn write(error: &WriteError, consistency: Consistency, kind: WriteType) -> ErrorBody {
    match error {
        WriteError::Unavailable(error) => unavailable(error, consistency),
        WriteError::Unknown { .. } => unknown_write(error.to_string(), consistency, kind),
        WriteError::Overloaded { .. } => ErrorBody::new(ErrorKind::Overloaded, error.to_string()),
        WriteError::Refused { .. } => invalid(error.to_string()),
        WriteError::Failed { .. } => ErrorBody::new(
            ErrorKind::WriteFailure {
                consistency,
                received: 0,
                block_for: 1,
                failures: 1,
                write_type: kind,
            },
            error.to_string(),
        ),
    }
}

/// A write of which nobody knows whether it will be there: the code on which clients do not retry blindly.
pub(crate) fn unknown_write(
    message: String,
    consistency: Consistency,
    write_type: WriteType,
) -> ErrorBody {
    let kind = ErrorKind::WriteTimeout {
        consistency,
        received: 0,
        block_for: 1,
        write_type,
    };
    ErrorBody::new(kind, message)
}

pub(crate) fn read(error: &ReadError, consistency: Consistency) -> ErrorBody {
    match error {
        ReadError::Unavailable(error) => unavailable(error, consistency),
        ReadError::Refused { .. } => invalid(error.to_string()),
        ReadError::Timeout { .. } => ErrorBody::new(
            ErrorKind::ReadTimeout {
                consistency,
                received: 0,
                block_for: 1,
                data_present: false,
            },
            error.to_string(),
        ),
        ReadError::Failed { .. } => ErrorBody::new(
            ErrorKind::ReadFailure {
                consistency,
                received: 0,
                block_for: 1,
                failures: 1,
                data_present: false,
            },
            error.to_string(),
        ),
    }
}

/// As [`read`], for the read that a write begins with.
pub(crate) fn read_first(error: &ReadError, consistency: Consistency) -> ErrorBody {
    match error {
        ReadError::Refused { .. } => invalid(format!(
            "the statement must read a list before it writes: {error}"
        )),
        ReadError::Unavailable(_) | ReadError::Timeout { .. } | ReadError::Failed { .. } => {
            read(error, consistency)
        }
    }
}

pub(crate) fn group0(error: &Group0Error) -> ErrorBody {
    use cql_schema::SchemaErrorKind;
    let Group0Error::Schema(schema) = error else {
        return ErrorBody::new(ErrorKind::ServerError, error.to_string());
    };
    let kind = match &schema.kind {
        SchemaErrorKind::Invalid => ErrorKind::Invalid,
        SchemaErrorKind::Config => ErrorKind::ConfigError,
        SchemaErrorKind::Unauthorized => ErrorKind::Unauthorized,
        SchemaErrorKind::AlreadyExists { keyspace, table } => ErrorKind::AlreadyExists {
            keyspace: keyspace.clone(),
            table: table.clone(),
        },
    };
    ErrorBody::new(kind, schema.to_string())
}
