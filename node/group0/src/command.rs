//! What is agreed on, as it stands in the log.
//!
//! CBOR with the names of fields, so that another version of the program skips what it does not know.

use std::fmt;

use cql_mutation::{DecodeError, Mutation};
use cql_types::{HostId, TableId, Uuid};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// An agreed change: applied whole, or not at all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Command {
    /// The state that it was made from; another one at the time of applying makes it void.
    pub(crate) prev_state_id: Option<Uuid>,
    /// The state that it makes.
    pub(crate) new_state_id: Uuid,
    /// The node that proposed it.
    pub(crate) creator: HostId,
    /// What it is about, for the history.
    pub(crate) description: String,
    /// Rows of agreed tables.
    pub(crate) mutations: Vec<Mutation>,
    /// A table whose rows all go.
    pub(crate) truncate: Option<TableId>,
}

/// The form in the log.
#[derive(Serialize, Deserialize)]
struct Written {
    prev_state_id: Option<ByteBuf>,
    new_state_id: ByteBuf,
    creator: ByteBuf,
    description: String,
    mutations: Vec<ByteBuf>,
    #[serde(default)]
    truncate: Option<ByteBuf>,
}

/// Bytes in the log are no command.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// Not CBOR, or a field is missing.
    Form(String),
    /// A mutation in it is damaged.
    Mutation(DecodeError),
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form(why) => write!(f, "a command of the agreed log is damaged: {why}"),
            Self::Mutation(error) => {
                write!(
                    f,
                    "a mutation in a command of the agreed log is damaged: {error}"
                )
            }
        }
    }
}

fn id(uuid: &Uuid) -> ByteBuf {
    ByteBuf::from(uuid.as_bytes().to_vec())
}

fn read_id(bytes: &[u8]) -> Result<Uuid, CommandError> {
    Uuid::from_slice(bytes).map_err(|error| CommandError::Form(error.to_string()))
}

impl Command {
    /// The bytes for the log.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mutations = self
            .mutations
            .iter()
            .map(|mutation| {
                let mut out = Vec::with_capacity(mutation.encoded_len());
                mutation.encode(&mut out);
                ByteBuf::from(out)
            })
            .collect();
        let written = Written {
            prev_state_id: self.prev_state_id.as_ref().map(id),
            new_state_id: id(&self.new_state_id),
            creator: id(&self.creator.0),
            description: self.description.clone(),
            mutations,
            truncate: self.truncate.as_ref().map(|table| id(&table.0)),
        };
        let mut out = Vec::new();
        // Writing to memory cannot fail, and the form has no maps with keys that CBOR lacks.
        let _ = ciborium::into_writer(&written, &mut out);
        out
    }

    /// Reads what [`Command::encode`] wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, CommandError> {
        let written: Written =
            ciborium::from_reader(bytes).map_err(|error| CommandError::Form(error.to_string()))?;
        Ok(Self {
            prev_state_id: written
                .prev_state_id
                .map(|bytes| read_id(&bytes))
                .transpose()?,
            new_state_id: read_id(&written.new_state_id)?,
            creator: HostId(read_id(&written.creator)?),
            description: written.description,
            mutations: written
                .mutations
                .iter()
                .map(|bytes| Mutation::decode(bytes).map_err(CommandError::Mutation))
                .collect::<Result<_, _>>()?,
            truncate: written
                .truncate
                .map(|bytes| read_id(&bytes).map(TableId))
                .transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_come_back_as_they_were() {
        let command = Command {
            prev_state_id: Some(Uuid::from_u128(1)),
            new_state_id: Uuid::from_u128(2),
            creator: HostId(Uuid::from_u128(3)),
            description: "CREATE TABLE t".to_owned(),
            mutations: Vec::new(),
            truncate: Some(TableId(Uuid::from_u128(4))),
        };
        assert_eq!(Command::decode(&command.encode()).unwrap(), command);
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let bytes = Command {
            prev_state_id: None,
            new_state_id: Uuid::from_u128(2),
            creator: HostId(Uuid::from_u128(3)),
            description: String::new(),
            mutations: Vec::new(),
            truncate: None,
        }
        .encode();
        for cut in 0..bytes.len() {
            assert!(Command::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }
}
