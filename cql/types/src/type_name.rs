//! Names of types: CQL text and the Java class names that drivers read for custom types; both ways.
//!
//! CQL text is what `system_schema.columns.type` holds and what a client writes in DDL.
//! Class names hold UDT and field names as hex, so that they survive their own syntax.

mod parser;

use crate::identifier::quoted;
use crate::ty::{CqlType, MAX_TYPE_DEPTH, UdtType, scalar};
use parser::{Cells, Parser};
use std::fmt;
use std::sync::Arc;

/// Looks up a UDT by its name (without quotes) in the keyspace at hand.
pub type ResolveUdt<'a> = dyn Fn(&str) -> Option<Arc<UdtType>> + 'a;

/// Reads the CQL text of a type.
///
/// What is inside a tuple, a vector or `frozen<…>` becomes frozen.
/// `keyspace.name` is accepted for a UDT if `resolve` returns one of that keyspace.
///
/// # Errors
/// Text that is not a type, an unknown UDT, a non-frozen collection or UDT inside a collection,
/// nesting deeper than [`MAX_TYPE_DEPTH`]. Never panics and never recurses deeper than that.
pub fn parse_type(text: &str, resolve: &ResolveUdt<'_>) -> Result<CqlType, TypeParseError> {
    let mut parser = Parser::new(text);
    let ty = parser.cql(resolve)?;
    parser.end()?;
    check_nesting(&ty)?;
    bounded(ty)
}

/// The marshal class of a type, as `org.apache.cassandra.db.marshal.VectorType(…FloatType,3)`.
#[must_use]
pub fn java_class_name(ty: &CqlType) -> String {
    let mut out = String::new();
    write_class(ty, Frozen::Shown, &mut out);
    out
}

/// Reads a marshal class name, with or without its package. `ReversedType` is looked through.
///
/// # Errors
/// As [`parse_type`].
pub fn parse_java_class_name(text: &str) -> Result<CqlType, TypeParseError> {
    let mut parser = Parser::new(text);
    let ty = parser.class(Cells::Many)?;
    parser.end()?;
    bounded(ty)
}

/// Refuses what could be multi-cell inside what is. Deeper levels are inside something frozen.
fn check_nesting(ty: &CqlType) -> Result<(), TypeParseError> {
    let check = |part: &CqlType| match part.is_multi_cell() {
        true => Err(TypeParseError::NotFrozen {
            inner: part.to_string(),
        }),
        false => Ok(()),
    };
    match ty {
        CqlType::List { element, .. } | CqlType::Set { element, .. } => check(element),
        CqlType::Map { key, value, .. } => check(key).and_then(|()| check(value)),
        scalar!() | CqlType::Tuple(_) | CqlType::Udt { .. } | CqlType::Vector { .. } => Ok(()),
    }
}

fn bounded(ty: CqlType) -> Result<CqlType, TypeParseError> {
    match ty.depth() > MAX_TYPE_DEPTH {
        true => Err(TypeParseError::TooDeep),
        false => Ok(ty),
    }
}

/// Why a text is not a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeParseError {
    /// Something else was expected at a byte of the text.
    Syntax {
        /// Byte offset.
        at: usize,
        /// What was expected.
        expected: &'static str,
    },
    /// No type has this name.
    Unknown {
        /// The name.
        name: String,
    },
    /// A non-frozen collection or UDT inside a collection.
    NotFrozen {
        /// The inner type.
        inner: String,
    },
    /// Types nest deeper than [`MAX_TYPE_DEPTH`].
    TooDeep,
}

impl fmt::Display for TypeParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { at, expected } => {
                write!(f, "not a type: expected {expected} at character {at}")
            }
            Self::Unknown { name } => write!(f, "Unknown type {name}"),
            Self::NotFrozen { inner } => write!(
                f,
                "Non-frozen collections and user types are not allowed inside collections: write frozen<{inner}>"
            ),
            Self::TooDeep => write!(f, "types may nest at most {MAX_TYPE_DEPTH} deep"),
        }
    }
}

impl std::error::Error for TypeParseError {}

/// Scalars with their CQL name and class name, one line a type.
const SCALARS: [(CqlType, &str, &str); 20] = [
    (CqlType::Ascii, "ascii", "AsciiType"),
    (CqlType::BigInt, "bigint", "LongType"),
    (CqlType::Blob, "blob", "BytesType"),
    (CqlType::Boolean, "boolean", "BooleanType"),
    (CqlType::Counter, "counter", "CounterColumnType"),
    (CqlType::Date, "date", "SimpleDateType"),
    (CqlType::Decimal, "decimal", "DecimalType"),
    (CqlType::Double, "double", "DoubleType"),
    (CqlType::Duration, "duration", "DurationType"),
    (CqlType::Float, "float", "FloatType"),
    (CqlType::Inet, "inet", "InetAddressType"),
    (CqlType::Int, "int", "Int32Type"),
    (CqlType::SmallInt, "smallint", "ShortType"),
    (CqlType::Text, "text", "UTF8Type"),
    (CqlType::Time, "time", "TimeType"),
    (CqlType::Timestamp, "timestamp", "TimestampType"),
    (CqlType::TimeUuid, "timeuuid", "TimeUUIDType"),
    (CqlType::TinyInt, "tinyint", "ByteType"),
    (CqlType::Uuid, "uuid", "UUIDType"),
    (CqlType::Varint, "varint", "IntegerType"),
];

const PACKAGE: &str = "org.apache.cassandra.db.marshal.";

/// Writes the CQL text of `ty`.
pub(crate) fn write_cql(ty: &CqlType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let close = match ty {
        CqlType::List { frozen, .. }
        | CqlType::Set { frozen, .. }
        | CqlType::Map { frozen, .. }
        | CqlType::Udt { frozen, .. }
            if !frozen =>
        {
            ""
        }
        CqlType::List { .. }
        | CqlType::Set { .. }
        | CqlType::Map { .. }
        | CqlType::Udt { .. }
        | CqlType::Tuple(_) => {
            f.write_str("frozen<")?;
            ">"
        }
        scalar!() | CqlType::Vector { .. } => "",
    };
    match ty {
        CqlType::List { element, .. } => write!(f, "list<{element}>")?,
        CqlType::Set { element, .. } => write!(f, "set<{element}>")?,
        CqlType::Map { key, value, .. } => write!(f, "map<{key}, {value}>")?,
        CqlType::Tuple(parts) => {
            for (at, part) in parts.iter().enumerate() {
                write!(f, "{}{part}", if at == 0 { "tuple<" } else { ", " })?;
            }
            f.write_str(">")?;
        }
        CqlType::Udt { def, .. } => f.write_str(&quoted(&def.name))?,
        CqlType::Vector {
            element,
            dimensions,
        } => write!(f, "vector<{element}, {dimensions}>")?,
        scalar!() => f.write_str(ty.kind_name())?,
    }
    f.write_str(close)
}

/// Whether a frozen type says so; what is inside a frozen type does not say it again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frozen {
    Shown,
    Implied,
}

fn write_class(ty: &CqlType, frozen: Frozen, out: &mut String) {
    let could_be_multi_cell = ty.is_collection() || matches!(ty, CqlType::Udt { .. });
    let wrapped = could_be_multi_cell && !ty.is_multi_cell() && frozen == Frozen::Shown;
    let inside = match could_be_multi_cell && ty.is_multi_cell() {
        true => frozen,
        false => Frozen::Implied,
    };
    if wrapped {
        out.push_str(PACKAGE);
        out.push_str("FrozenType(");
    }
    out.push_str(PACKAGE);
    match ty {
        CqlType::List { element, .. } => write_classes("ListType", [&**element], inside, out),
        CqlType::Set { element, .. } => write_classes("SetType", [&**element], inside, out),
        CqlType::Map { key, value, .. } => {
            write_classes("MapType", [&**key, &**value], inside, out);
        }
        CqlType::Tuple(parts) => write_classes("TupleType", parts.iter(), inside, out),
        CqlType::Udt { def, .. } => {
            out.push_str("UserType(");
            out.push_str(&def.keyspace);
            out.push(',');
            push_hex(&def.name, out);
            for (name, field) in &def.fields {
                out.push(',');
                push_hex(name, out);
                out.push(':');
                write_class(field, inside, out);
            }
            out.push(')');
        }
        CqlType::Vector {
            element,
            dimensions,
        } => {
            out.push_str("VectorType(");
            write_class(element, frozen, out);
            out.push_str(" , ");
            out.push_str(&dimensions.to_string());
            out.push(')');
        }
        scalar!() => {
            let line = SCALARS.iter().find(|(scalar, _, _)| scalar == ty);
            out.push_str(line.map_or("BytesType", |(_, _, class)| class));
        }
    }
    if wrapped {
        out.push(')');
    }
}

fn write_classes<'a>(
    class: &str,
    parts: impl IntoIterator<Item = &'a CqlType>,
    frozen: Frozen,
    out: &mut String,
) {
    out.push_str(class);
    for (at, part) in parts.into_iter().enumerate() {
        out.push(if at == 0 { '(' } else { ',' });
        write_class(part, frozen, out);
    }
    out.push(')');
}

fn push_hex(text: &str, out: &mut String) {
    for byte in text.bytes() {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
}
