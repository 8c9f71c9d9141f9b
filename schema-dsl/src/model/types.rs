//! Types with all names resolved.

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// One of CQL's own.
    Native(Native),
    /// A sequence.
    List(Box<Type>, Form),
    /// Distinct values in order.
    Set(Box<Type>, Form),
    /// Values under keys, in order.
    Map(Box<Type>, Box<Type>, Form),
    /// A fixed sequence of values without names.
    Tuple(Vec<Type>),
    /// A fixed number of values of one type.
    Vector(Box<Type>, u16),
    /// A tuple with named fields, by its name.
    Record(String),
    /// A user-defined type.
    User {
        /// Its keyspace.
        keyspace: String,
        /// Its name.
        name: String,
        /// Frozen or not.
        form: Form,
    },
    /// An enum, by its name.
    Enum(String),
    /// Something that was reported and could not be understood.
    Unknown,
}

/// How a collection or user-defined type is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As one value.
    Frozen,
    /// As a cell per element.
    Cells,
}

impl Type {
    /// Is it stored as a cell per element?
    pub fn is_multi_cell(&self) -> bool {
        match self {
            Self::List(_, form)
            | Self::Set(_, form)
            | Self::Map(_, _, form)
            | Self::User { form, .. } => *form == Form::Cells,
            Self::Native(_)
            | Self::Tuple(_)
            | Self::Vector(..)
            | Self::Record(_)
            | Self::Enum(_)
            | Self::Unknown => false,
        }
    }

    /// The types directly inside.
    pub fn children(&self) -> Vec<&Self> {
        match self {
            Self::List(element, _) | Self::Set(element, _) | Self::Vector(element, _) => {
                vec![element]
            }
            Self::Map(key, value, _) => vec![key, value],
            Self::Tuple(elements) => elements.iter().collect(),
            Self::Native(_)
            | Self::Record(_)
            | Self::User { .. }
            | Self::Enum(_)
            | Self::Unknown => Vec::new(),
        }
    }

    /// Calls `visit` with the type and all types written inside it.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        visit(self);
        for child in self.children() {
            child.walk(visit);
        }
    }
}

/// A type that CQL has of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are CQL's")]
pub enum Native {
    Ascii,
    BigInt,
    Blob,
    Boolean,
    Counter,
    Date,
    Decimal,
    Double,
    Duration,
    Float,
    Inet,
    Int,
    SmallInt,
    Text,
    Time,
    Timestamp,
    TimeUuid,
    TinyInt,
    Uuid,
    Varint,
}

impl Native {
    /// All, by name.
    pub const ALL: [Self; 20] = [
        Self::Ascii,
        Self::BigInt,
        Self::Blob,
        Self::Boolean,
        Self::Counter,
        Self::Date,
        Self::Decimal,
        Self::Double,
        Self::Duration,
        Self::Float,
        Self::Inet,
        Self::Int,
        Self::SmallInt,
        Self::Text,
        Self::Time,
        Self::Timestamp,
        Self::TimeUuid,
        Self::TinyInt,
        Self::Uuid,
        Self::Varint,
    ];

    /// Its name in CQL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ascii => "ascii",
            Self::BigInt => "bigint",
            Self::Blob => "blob",
            Self::Boolean => "boolean",
            Self::Counter => "counter",
            Self::Date => "date",
            Self::Decimal => "decimal",
            Self::Double => "double",
            Self::Duration => "duration",
            Self::Float => "float",
            Self::Inet => "inet",
            Self::Int => "int",
            Self::SmallInt => "smallint",
            Self::Text => "text",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::TimeUuid => "timeuuid",
            Self::TinyInt => "tinyint",
            Self::Uuid => "uuid",
            Self::Varint => "varint",
        }
    }

    /// The type of that name; `varchar` is `text`.
    pub fn of_name(name: &str) -> Option<Self> {
        if name == "varchar" {
            return Some(Self::Text);
        }
        Self::ALL.into_iter().find(|native| native.name() == name)
    }
}
