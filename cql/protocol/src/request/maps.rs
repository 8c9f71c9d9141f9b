//! STARTUP, REGISTER, and maps that are read in place.

use crate::compression::Compression;
use crate::error::ProtocolError;
use crate::read::Reader;

/// A map of strings.
#[derive(Debug, Clone, Copy)]
pub struct StringMap<'a> {
    reader: Reader<'a>,
    count: u16,
}

impl<'a> StringMap<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, ProtocolError> {
        let count = reader.short("number of options")?;
        let map = Self {
            reader: *reader,
            count,
        };
        for _ in 0..count {
            reader.string("name of an option")?;
            reader.string("value of an option")?;
        }
        Ok(map)
    }

    /// All pairs in the order sent.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut reader = self.reader;
        (0..self.count).map_while(move |_| {
            let name = reader.string("name of an option").ok()?;
            Some((name, reader.string("value of an option").ok()?))
        })
    }

    /// The value of `name`; the last if it was sent several times.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.iter()
            .filter(|(found, _)| *found == name)
            .last()
            .map(|(_, value)| value)
    }
}

/// A map from strings to bytes.
#[derive(Debug, Clone, Copy)]
pub struct BytesMap<'a> {
    reader: Reader<'a>,
    count: u16,
}

impl<'a> BytesMap<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, ProtocolError> {
        let count = reader.short("custom payload")?;
        let map = Self {
            reader: *reader,
            count,
        };
        for _ in 0..count {
            reader.string("key of the custom payload")?;
            reader.bytes("value of the custom payload")?;
        }
        Ok(map)
    }

    /// All pairs in the order sent; a null value is `None`.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> + use<'a> {
        let mut reader = self.reader;
        (0..self.count).map_while(move |_| {
            let key = reader.string("key of the custom payload").ok()?;
            Some((key, reader.bytes("value of the custom payload").ok()?))
        })
    }
}

/// STARTUP: the client introduces itself.
#[derive(Debug, Clone, Copy)]
pub struct Startup<'a> {
    /// All options, also those that mean nothing here.
    pub options: StringMap<'a>,
}

impl<'a> Startup<'a> {
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, ProtocolError> {
        StringMap::read(reader).map(|options| Self { options })
    }

    /// The version of CQL that the client wants; any from 3 on will do.
    ///
    /// # Errors
    /// It is missing, or below 3.
    pub fn cql_version(&self) -> Result<&'a str, ProtocolError> {
        let version = self.options.get("CQL_VERSION").ok_or_else(|| {
            ProtocolError::Rule("Missing value CQL_VERSION in STARTUP message".into())
        })?;
        // The Rust driver says 4.0.0 and speaks the CQL of 3.
        match version.split('.').next().map(str::parse::<u32>) {
            Some(Ok(3..)) => Ok(version),
            Some(_) | None => Err(ProtocolError::Rule(
                format!("CQL version {version} is not supported by the binary protocol (supported versions are 3.x.y)")
                    .into(),
            )),
        }
    }

    /// The compression that the client wants; `None` if it wants none.
    ///
    /// # Errors
    /// As [`Compression::from_name`].
    pub fn compression(&self) -> Result<Option<Compression>, ProtocolError> {
        self.options
            .get("COMPRESSION")
            .map(Compression::from_name)
            .transpose()
    }
}

/// Kind of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventType {
    /// Nodes come and go.
    TopologyChange,
    /// Nodes are up or down.
    StatusChange,
    /// Keyspaces, tables, types change.
    SchemaChange,
    /// Routes to nodes change; may be asked for, is never sent.
    ClientRoutesChange,
}

impl EventType {
    /// All kinds.
    pub const ALL: [Self; 4] = [
        Self::TopologyChange,
        Self::StatusChange,
        Self::SchemaChange,
        Self::ClientRoutesChange,
    ];

    /// The word in messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::TopologyChange => "TOPOLOGY_CHANGE",
            Self::StatusChange => "STATUS_CHANGE",
            Self::SchemaChange => "SCHEMA_CHANGE",
            Self::ClientRoutesChange => "CLIENT_ROUTES_CHANGE",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::TopologyChange => 1,
            Self::StatusChange => 2,
            Self::SchemaChange => 4,
            Self::ClientRoutesChange => 8,
        }
    }
}

/// A set of kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventTypes(u8);

impl EventTypes {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, ProtocolError> {
        let mut types = Self::default();
        for _ in 0..reader.short("number of event types")? {
            let at = reader.at();
            let name = reader.string("event type")?;
            let known = EventType::ALL
                .into_iter()
                .find(|kind| kind.name().eq_ignore_ascii_case(name));
            types =
                types.with(known.ok_or_else(|| ProtocolError::unknown("event type", at, name))?);
        }
        Ok(types)
    }

    /// This set and `kind`.
    #[must_use]
    pub fn with(self, kind: EventType) -> Self {
        Self(self.0 | kind.bit())
    }

    /// All of both sets.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `kind` is in it.
    #[must_use]
    pub fn contains(self, kind: EventType) -> bool {
        self.0 & kind.bit() != 0
    }

    /// Whether it is empty.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}
