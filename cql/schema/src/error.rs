//! Why a schema change is refused.

use std::fmt;

/// A refused change: what the client is told, and with which error code.
///
/// `Display` gives the message followed by the cure, if one is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError {
    /// Which error code the client gets.
    pub kind: SchemaErrorKind,
    /// What is wrong, naming the object.
    pub message: String,
    /// How to fix it, such as `did you mean 'comment'?`.
    pub help: Option<String>,
    /// The word of the statement that is at fault, so that whoever has the text can point at it.
    pub subject: Option<String>,
}

/// The error codes of the native protocol that a schema change can end with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaErrorKind {
    /// `INVALID`: the statement makes no sense with this schema.
    Invalid,
    /// `CONFIG_ERROR`: an option has a value that cannot be used.
    Config,
    /// `UNAUTHORIZED`: the object belongs to the node.
    Unauthorized,
    /// `ALREADY_EXISTS`, with the names that its body carries.
    AlreadyExists {
        /// Keyspace.
        keyspace: String,
        /// Table; empty if the keyspace itself exists.
        table: String,
    },
}

impl SchemaError {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(SchemaErrorKind::Invalid, message.into())
    }

    pub(crate) fn config(message: impl Into<String>) -> Self {
        Self::new(SchemaErrorKind::Config, message.into())
    }

    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(SchemaErrorKind::Unauthorized, message.into())
    }

    pub(crate) fn keyspace_exists(keyspace: &str) -> Self {
        let kind = SchemaErrorKind::AlreadyExists {
            keyspace: keyspace.to_owned(),
            table: String::new(),
        };
        Self::new(kind, format!("Cannot add existing keyspace \"{keyspace}\"")).at(keyspace)
    }

    pub(crate) fn table_exists(keyspace: &str, table: &str) -> Self {
        let kind = SchemaErrorKind::AlreadyExists {
            keyspace: keyspace.to_owned(),
            table: table.to_owned(),
        };
        let message =
            format!("Cannot add already existing table \"{table}\" to keyspace \"{keyspace}\"");
        Self::new(kind, message).at(table)
    }

    fn new(kind: SchemaErrorKind, message: String) -> Self {
        Self {
            kind,
            message,
            help: None,
            subject: None,
        }
    }

    /// Names the word at fault.
    pub(crate) fn at(mut self, subject: &str) -> Self {
        self.subject = Some(subject.to_owned());
        self
    }

    /// Adds the cure.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds `did you mean 'x'?` if a candidate is close to `word`.
    pub(crate) fn did_you_mean<'a>(
        self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match cql_types::did_you_mean(word, candidates) {
            Some(candidate) => self.help(format!("did you mean '{candidate}'?")),
            None => self,
        }
    }
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.help {
            Some(help) => write!(f, "{} ({help})", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for SchemaError {}
