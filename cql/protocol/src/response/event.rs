//! EVENT, and the schema change that is also a result.

use std::net::SocketAddr;

use bytes::BytesMut;

use crate::error::ProtocolError;
use crate::read::Reader;
use crate::request::EventType;
use crate::write;

/// Something that happened in the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A node came or went.
    Topology {
        /// Which of the two.
        change: TopologyChange,
        /// Where clients reach it.
        node: SocketAddr,
    },
    /// A node is up or down.
    Status {
        /// Which of the two.
        change: StatusChange,
        /// Where clients reach it.
        node: SocketAddr,
    },
    /// The schema changed.
    Schema(SchemaChange),
}

/// A node came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TopologyChange {
    /// It came.
    NewNode,
    /// It went.
    RemovedNode,
}

/// A node is up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StatusChange {
    /// It is up.
    Up,
    /// It is down.
    Down,
}

/// A schema change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaChange {
    /// What happened.
    pub change: SchemaChangeKind,
    /// Keyspace of the object, or the keyspace itself.
    pub keyspace: String,
    /// To what.
    pub target: SchemaTarget,
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SchemaChangeKind {
    /// It is new.
    Created,
    /// It was changed.
    Updated,
    /// It is gone.
    Dropped,
}

/// The object that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaTarget {
    /// The keyspace.
    Keyspace,
    /// A table or view of that name.
    Table(String),
    /// A user type of that name.
    Type(String),
    /// A function; version 4.
    Function {
        /// Name.
        name: String,
        /// Types of its arguments.
        argument_types: Vec<String>,
    },
    /// An aggregate; version 4.
    Aggregate {
        /// Name.
        name: String,
        /// Types of its arguments.
        argument_types: Vec<String>,
    },
}

impl Event {
    /// Its kind, for whoever registered.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        match self {
            Self::Topology { .. } => EventType::TopologyChange,
            Self::Status { .. } => EventType::StatusChange,
            Self::Schema(_) => EventType::SchemaChange,
        }
    }

    pub(crate) fn write(&self, out: &mut BytesMut) {
        write::string(out, self.event_type().name());
        match self {
            Self::Topology { change, node } => {
                write::string(out, change.name());
                write::inet(out, *node);
            }
            Self::Status { change, node } => {
                write::string(out, change.name());
                write::inet(out, *node);
            }
            Self::Schema(change) => change.write(out),
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, ProtocolError> {
        let at = reader.at();
        Ok(match reader.string("event type")? {
            "TOPOLOGY_CHANGE" => {
                let change = word(
                    reader,
                    "topology change",
                    &[TopologyChange::NewNode, TopologyChange::RemovedNode],
                    |c| c.name(),
                )?;
                Self::Topology {
                    change,
                    node: reader.inet("address of a node")?,
                }
            }
            "STATUS_CHANGE" => {
                let change = word(
                    reader,
                    "status change",
                    &[StatusChange::Up, StatusChange::Down],
                    |c| c.name(),
                )?;
                Self::Status {
                    change,
                    node: reader.inet("address of a node")?,
                }
            }
            "SCHEMA_CHANGE" => SchemaChange::read(reader).map(Self::Schema)?,
            other => return Err(ProtocolError::unknown("event type", at, other)),
        })
    }
}

/// Reads a word that stands for one of `all`.
fn word<T: Copy>(
    reader: &mut Reader<'_>,
    what: &'static str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, ProtocolError> {
    let at = reader.at();
    let found = reader.string(what)?;
    all.iter()
        .copied()
        .find(|one| name(*one) == found)
        .ok_or_else(|| ProtocolError::unknown(what, at, found))
}

impl TopologyChange {
    fn name(self) -> &'static str {
        match self {
            Self::NewNode => "NEW_NODE",
            Self::RemovedNode => "REMOVED_NODE",
        }
    }
}

impl StatusChange {
    fn name(self) -> &'static str {
        match self {
            Self::Up => "UP",
            Self::Down => "DOWN",
        }
    }
}

impl SchemaChangeKind {
    const ALL: [Self; 3] = [Self::Created, Self::Updated, Self::Dropped];

    /// The word in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Updated => "UPDATED",
            Self::Dropped => "DROPPED",
        }
    }
}

impl SchemaChange {
    pub(crate) fn write(&self, out: &mut BytesMut) {
        write::string(out, self.change.name());
        let (target, name, arguments) = match &self.target {
            SchemaTarget::Keyspace => ("KEYSPACE", None, None),
            SchemaTarget::Table(name) => ("TABLE", Some(name), None),
            SchemaTarget::Type(name) => ("TYPE", Some(name), None),
            SchemaTarget::Function {
                name,
                argument_types,
            } => ("FUNCTION", Some(name), Some(argument_types)),
            SchemaTarget::Aggregate {
                name,
                argument_types,
            } => ("AGGREGATE", Some(name), Some(argument_types)),
        };
        write::string(out, target);
        write::string(out, &self.keyspace);
        if let Some(name) = name {
            write::string(out, name);
        }
        if let Some(types) = arguments {
            write::string_list(out, types);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, ProtocolError> {
        let change = word(
            reader,
            "schema change",
            &SchemaChangeKind::ALL,
            SchemaChangeKind::name,
        )?;
        let at = reader.at();
        let target = reader.string("target of the change")?;
        let keyspace = reader.string("keyspace")?.to_owned();
        let name = |reader: &mut Reader<'_>| reader.string("name of the object").map(str::to_owned);
        let target = match target {
            "KEYSPACE" => SchemaTarget::Keyspace,
            "TABLE" => SchemaTarget::Table(name(reader)?),
            "TYPE" => SchemaTarget::Type(name(reader)?),
            "FUNCTION" => SchemaTarget::Function {
                name: name(reader)?,
                argument_types: reader.string_list("argument types")?,
            },
            "AGGREGATE" => SchemaTarget::Aggregate {
                name: name(reader)?,
                argument_types: reader.string_list("argument types")?,
            },
            other => {
                return Err(ProtocolError::unknown(
                    "target of a schema change",
                    at,
                    other,
                ));
            }
        };
        Ok(Self {
            change,
            keyspace,
            target,
        })
    }
}
