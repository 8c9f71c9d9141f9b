//! The types of CQL, as values.
//!
//! A [`CqlType`] is cheap to clone: scalars are plain, everything with parts shares them by `Arc`.
//! *Multi-cell* types (collections and UDTs that are not frozen) are stored as one cell per element;
//! all others as one cell. Everything inside another type is frozen, said or not.

use crate::type_name;
use std::fmt;
use std::sync::Arc;

/// The pattern of all types without parts, so that a match over [`CqlType`] names every variant.
macro_rules! scalar {
    () => {
        CqlType::Ascii
            | CqlType::BigInt
            | CqlType::Blob
            | CqlType::Boolean
            | CqlType::Counter
            | CqlType::Date
            | CqlType::Decimal
            | CqlType::Double
            | CqlType::Duration
            | CqlType::Float
            | CqlType::Inet
            | CqlType::Int
            | CqlType::SmallInt
            | CqlType::Text
            | CqlType::Time
            | CqlType::Timestamp
            | CqlType::TimeUuid
            | CqlType::TinyInt
            | CqlType::Uuid
            | CqlType::Varint
    };
}
pub(crate) use scalar;

/// How deep types may nest; bounds every recursion over values. Deeper ones are refused when parsed.
pub const MAX_TYPE_DEPTH: usize = 32;

/// A CQL type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum CqlType {
    /// Text of 7-bit characters.
    Ascii,
    /// 64-bit signed integer.
    BigInt,
    /// Any bytes.
    Blob,
    /// One byte, 0 is false.
    Boolean,
    /// A 64-bit signed sum that is changed by increments only.
    Counter,
    /// A day: u32, 2^31 is 1970-01-01.
    Date,
    /// i32 scale and a `varint`: unscaled × 10^-scale.
    Decimal,
    /// IEEE 754 binary64.
    Double,
    /// Months, days and nanoseconds, each a zigzag variable-length integer. Has no order.
    Duration,
    /// IEEE 754 binary32.
    Float,
    /// An IPv4 or IPv6 address, 4 or 16 bytes.
    Inet,
    /// 32-bit signed integer.
    Int,
    /// 16-bit signed integer.
    SmallInt,
    /// UTF-8 text.
    Text,
    /// Nanoseconds since midnight, i64.
    Time,
    /// Milliseconds since the Unix epoch, i64.
    Timestamp,
    /// A version 1 UUID.
    TimeUuid,
    /// 8-bit signed integer.
    TinyInt,
    /// A UUID of any version.
    Uuid,
    /// Integer of any size, two's complement, big-endian.
    Varint,
    /// Values in the order they were put.
    List {
        /// Type of the values.
        element: Arc<CqlType>,
        /// Stored as one cell.
        frozen: bool,
    },
    /// Distinct values in their order.
    Set {
        /// Type of the values.
        element: Arc<CqlType>,
        /// Stored as one cell.
        frozen: bool,
    },
    /// Values by distinct keys, in the order of the keys.
    Map {
        /// Type of the keys.
        key: Arc<CqlType>,
        /// Type of the values.
        value: Arc<CqlType>,
        /// Stored as one cell.
        frozen: bool,
    },
    /// A fixed number of values, each of its own type, each possibly null. Always one cell.
    Tuple(Arc<[CqlType]>),
    /// A user-defined type: named fields, each possibly null.
    Udt {
        /// Name and fields.
        def: Arc<UdtType>,
        /// Stored as one cell.
        frozen: bool,
    },
    /// A fixed number of values of one type, none null. Always one cell.
    Vector {
        /// Type of the values.
        element: Arc<CqlType>,
        /// How many; at least 1.
        dimensions: u16,
    },
}

/// The definition of a user-defined type.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct UdtType {
    /// The keyspace it lives in.
    pub keyspace: Arc<str>,
    /// Its name, without quotes.
    pub name: Arc<str>,
    /// Field names and types, in the order of the serialized form.
    pub fields: Vec<(Arc<str>, CqlType)>,
}

/// The direction of one clustering column.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum ComponentOrder {
    /// Small values first.
    #[default]
    Asc,
    /// Large values first.
    Desc,
}

impl CqlType {
    /// Stored as one cell per element: a collection or UDT that is not frozen.
    #[must_use]
    pub const fn is_multi_cell(&self) -> bool {
        match self {
            Self::List { frozen, .. }
            | Self::Set { frozen, .. }
            | Self::Map { frozen, .. }
            | Self::Udt { frozen, .. } => !*frozen,
            scalar!() | Self::Tuple(_) | Self::Vector { .. } => false,
        }
    }

    /// A list, set or map, frozen or not.
    #[must_use]
    pub const fn is_collection(&self) -> bool {
        matches!(
            self,
            Self::List { .. } | Self::Set { .. } | Self::Map { .. }
        )
    }

    /// A type without parts.
    #[must_use]
    pub const fn is_scalar(&self) -> bool {
        matches!(self, scalar!())
    }

    /// The same type stored as one cell, with everything inside frozen too.
    #[must_use]
    pub fn freeze(&self) -> Self {
        let freeze = |part: &Arc<Self>| match part.is_deeply_frozen() {
            true => Arc::clone(part),
            false => Arc::new(part.freeze()),
        };
        match self {
            Self::List { element, .. } => Self::List {
                element: freeze(element),
                frozen: true,
            },
            Self::Set { element, .. } => Self::Set {
                element: freeze(element),
                frozen: true,
            },
            Self::Map { key, value, .. } => Self::Map {
                key: freeze(key),
                value: freeze(value),
                frozen: true,
            },
            Self::Tuple(parts) => Self::Tuple(parts.iter().map(Self::freeze).collect()),
            Self::Udt { def, .. } => Self::Udt {
                def: Arc::clone(def),
                frozen: true,
            },
            Self::Vector {
                element,
                dimensions,
            } => Self::Vector {
                element: freeze(element),
                dimensions: *dimensions,
            },
            scalar!() => self.clone(),
        }
    }

    fn is_deeply_frozen(&self) -> bool {
        match self {
            Self::List { element, frozen } | Self::Set { element, frozen } => {
                *frozen && element.is_deeply_frozen()
            }
            Self::Map { key, value, frozen } => {
                *frozen && key.is_deeply_frozen() && value.is_deeply_frozen()
            }
            Self::Tuple(parts) => parts.iter().all(Self::is_deeply_frozen),
            Self::Udt { frozen, .. } => *frozen,
            Self::Vector { element, .. } => element.is_deeply_frozen(),
            scalar!() => true,
        }
    }

    /// Bytes of every value that is not empty, if all have the same length.
    #[must_use]
    pub fn fixed_len(&self) -> Option<usize> {
        match self {
            Self::Boolean | Self::TinyInt => Some(1),
            Self::SmallInt => Some(2),
            Self::Int | Self::Float | Self::Date => Some(4),
            Self::BigInt | Self::Counter | Self::Double | Self::Time | Self::Timestamp => Some(8),
            Self::TimeUuid | Self::Uuid => Some(16),
            Self::Vector {
                element,
                dimensions,
            } => element
                .vector_element_len()?
                .checked_mul(usize::from(*dimensions)),
            Self::Ascii
            | Self::Blob
            | Self::Decimal
            | Self::Duration
            | Self::Inet
            | Self::Text
            | Self::Varint
            | Self::List { .. }
            | Self::Set { .. }
            | Self::Map { .. }
            | Self::Tuple(_)
            | Self::Udt { .. } => None,
        }
    }

    /// Bytes of this type as an element of a vector; `None` if each element is preceded by its length.
    ///
    /// Not [`CqlType::fixed_len`]: the ecosystem writes the lengths of `tinyint`, `smallint`, `date`, `time`
    /// and `counter` elements.
    #[must_use]
    pub fn vector_element_len(&self) -> Option<usize> {
        match self {
            Self::TinyInt | Self::SmallInt | Self::Date | Self::Time | Self::Counter => None,
            other => other.fixed_len(),
        }
    }

    /// Whether `test` holds for this type or for any type inside it, UDT fields included.
    pub fn any(&self, test: &dyn Fn(&Self) -> bool) -> bool {
        test(self)
            || match self {
                Self::List { element, .. }
                | Self::Set { element, .. }
                | Self::Vector { element, .. } => element.any(test),
                Self::Map { key, value, .. } => key.any(test) || value.any(test),
                Self::Tuple(parts) => parts.iter().any(|part| part.any(test)),
                Self::Udt { def, .. } => def.fields.iter().any(|(_, ty)| ty.any(test)),
                scalar!() => false,
            }
    }

    /// Is or contains the UDT `keyspace.name`, at any depth.
    #[must_use]
    pub fn references_udt(&self, keyspace: &str, name: &str) -> bool {
        self.any(&|ty| {
            matches!(ty, Self::Udt { def, .. } if *def.keyspace == *keyspace && *def.name == *name)
        })
    }

    /// Is or contains a `duration`, which has no order: not for keys, set elements or map keys.
    #[must_use]
    pub fn contains_duration(&self) -> bool {
        self.any(&|ty| matches!(ty, Self::Duration))
    }

    /// Is or contains a `counter`.
    #[must_use]
    pub fn contains_counter(&self) -> bool {
        self.any(&|ty| matches!(ty, Self::Counter))
    }

    /// Levels of nesting: 1 for a scalar, 2 for a list of scalars.
    #[must_use]
    pub fn depth(&self) -> usize {
        1 + match self {
            Self::List { element, .. }
            | Self::Set { element, .. }
            | Self::Vector { element, .. } => element.depth(),
            Self::Map { key, value, .. } => key.depth().max(value.depth()),
            Self::Tuple(parts) => parts.iter().map(Self::depth).max().unwrap_or(0),
            Self::Udt { def, .. } => def
                .fields
                .iter()
                .map(|(_, ty)| ty.depth())
                .max()
                .unwrap_or(0),
            scalar!() => 0,
        }
    }

    /// The CQL name of the type without its parameters: `list`, `text`; `tuple`, `vector`, and `udt`.
    #[must_use]
    pub const fn kind_name(&self) -> &'static str {
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
            Self::List { .. } => "list",
            Self::Set { .. } => "set",
            Self::Map { .. } => "map",
            Self::Tuple(_) => "tuple",
            Self::Udt { .. } => "udt",
            Self::Vector { .. } => "vector",
        }
    }
}

/// The text of `system_schema.columns.type`: `frozen` only where a type could also be multi-cell,
/// and on tuples.
impl fmt::Display for CqlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        type_name::write_cql(self, f)
    }
}

impl UdtType {
    /// The position and type of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<(usize, &CqlType)> {
        let at = self.fields.iter().position(|(field, _)| **field == *name)?;
        self.fields.get(at).map(|(_, ty)| (at, ty))
    }
}
