//! Names of types: CQL text and the Java class names that drivers read for custom types; both ways.
//!
//! CQL text is what `system_schema.columns.type` holds and what a client writes in DDL.
//! Class names hold UDT and field names as hex, so that they survive their own syntax.

use crate::identifier::quoted;
use crate::ty::{CqlType, MAX_TYPE_DEPTH, UdtType};
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
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
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
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    let ty = parser.class(Cells::Many)?;
    parser.end()?;
    bounded(ty)
}

/// Refuses what could be multi-cell inside what is.
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
        _ => Ok(()),
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
        _ => "",
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
        scalar => f.write_str(scalar.kind_name())?,
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
        scalar => {
            let line = SCALARS.iter().find(|(ty, _, _)| ty == scalar);
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

fn from_hex(text: &str) -> Option<Arc<str>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let bytes: Option<Vec<u8>> = pairs
        .iter()
        .map(|[high, low]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok())
        .collect();
    String::from_utf8(bytes?).ok().map(Arc::from)
}

/// Whether a class name not inside `FrozenType` means one cell or many.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cells {
    One,
    Many,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// A type in CQL text.
    fn cql(&mut self, resolve: &ResolveUdt<'_>) -> Result<CqlType, TypeParseError> {
        self.nested(|parser| parser.cql_inner(resolve))
    }

    fn cql_inner(&mut self, resolve: &ResolveUdt<'_>) -> Result<CqlType, TypeParseError> {
        if self.rest().starts_with('\'') {
            return parse_java_class_name(self.between_quotes('\'')?.as_str());
        }
        if self.rest().starts_with('"') {
            let name = self.between_quotes('"')?;
            return self.udt(name, resolve);
        }
        let word = self.word("the name of a type")?;
        let name = word.to_ascii_lowercase();
        if !self.rest().starts_with('<') {
            let name = if name == "varchar" {
                "text"
            } else {
                name.as_str()
            };
            return match SCALARS.iter().find(|(_, cql, _)| *cql == name) {
                Some((ty, _, _)) => Ok(ty.clone()),
                None => self.udt(name.to_owned(), resolve),
            };
        }
        self.expect('<', "<")?;
        let ty = match name.as_str() {
            "frozen" => self.cql(resolve)?.freeze(),
            "list" => CqlType::List {
                element: Arc::new(self.cql(resolve)?),
                frozen: false,
            },
            "set" => CqlType::Set {
                element: Arc::new(self.cql(resolve)?),
                frozen: false,
            },
            "map" => {
                let key = Arc::new(self.cql(resolve)?);
                self.expect(',', ",")?;
                CqlType::Map {
                    key,
                    value: Arc::new(self.cql(resolve)?),
                    frozen: false,
                }
            }
            "tuple" => {
                let mut parts = vec![self.cql(resolve)?.freeze()];
                while self.eat(',') {
                    parts.push(self.cql(resolve)?.freeze());
                }
                CqlType::Tuple(parts.into())
            }
            "vector" => {
                let element = Arc::new(self.cql(resolve)?.freeze());
                self.expect(',', ",")?;
                CqlType::Vector {
                    element,
                    dimensions: self.dimensions()?,
                }
            }
            _ => {
                return Err(TypeParseError::Unknown {
                    name: word.to_owned(),
                });
            }
        };
        self.expect('>', ">")?;
        Ok(ty)
    }

    /// A UDT whose name, or keyspace, has been read.
    fn udt(&mut self, first: String, resolve: &ResolveUdt<'_>) -> Result<CqlType, TypeParseError> {
        let (keyspace, name) = match self.eat('.') {
            false => (None, first),
            true if self.rest().starts_with('"') => (Some(first), self.between_quotes('"')?),
            true => (
                Some(first),
                self.word("the name of a user type")?.to_ascii_lowercase(),
            ),
        };
        match resolve(&name) {
            Some(def)
                if keyspace
                    .as_deref()
                    .is_none_or(|keyspace| *def.keyspace == *keyspace) =>
            {
                Ok(CqlType::Udt { def, frozen: false })
            }
            _ => Err(TypeParseError::Unknown { name }),
        }
    }

    /// A type as a class name.
    fn class(&mut self, cells: Cells) -> Result<CqlType, TypeParseError> {
        self.nested(|parser| parser.class_inner(cells))
    }

    fn class_inner(&mut self, cells: Cells) -> Result<CqlType, TypeParseError> {
        let word = self.word("a class name")?;
        let class = word.strip_prefix(PACKAGE).unwrap_or(word);
        if let Some((ty, _, _)) = SCALARS.iter().find(|(_, _, name)| *name == class) {
            return Ok(ty.clone());
        }
        if class == "DateType" {
            return Ok(CqlType::Timestamp); // the class of timestamps in old schemas
        }
        self.expect('(', "(")?;
        let frozen = cells == Cells::One;
        let ty = match class {
            "FrozenType" => self.class(Cells::One)?.freeze(),
            "ReversedType" => self.class(cells)?,
            "ListType" => CqlType::List {
                element: self.part()?,
                frozen,
            },
            "SetType" => CqlType::Set {
                element: self.part()?,
                frozen,
            },
            "MapType" => {
                let key = self.part()?;
                self.expect(',', ",")?;
                CqlType::Map {
                    key,
                    value: self.part()?,
                    frozen,
                }
            }
            "TupleType" => {
                let mut parts = vec![self.class(Cells::One)?];
                while self.eat(',') {
                    parts.push(self.class(Cells::One)?);
                }
                CqlType::Tuple(parts.into())
            }
            "UserType" => CqlType::Udt {
                def: Arc::new(self.user_type()?),
                frozen,
            },
            "VectorType" => {
                let element = self.part()?;
                self.expect(',', ",")?;
                CqlType::Vector {
                    element,
                    dimensions: self.dimensions()?,
                }
            }
            _ => {
                return Err(TypeParseError::Unknown {
                    name: word.to_owned(),
                });
            }
        };
        self.expect(')', ")")?;
        Ok(ty)
    }

    fn part(&mut self) -> Result<Arc<CqlType>, TypeParseError> {
        self.class(Cells::One).map(Arc::new)
    }

    fn user_type(&mut self) -> Result<UdtType, TypeParseError> {
        let keyspace = Arc::from(self.word("a keyspace")?);
        self.expect(',', ",")?;
        let name = self.hex_name()?;
        let mut fields = Vec::new();
        while self.eat(',') {
            let field = self.hex_name()?;
            self.expect(':', ":")?;
            fields.push((field, self.class(Cells::Many)?));
        }
        Ok(UdtType {
            keyspace,
            name,
            fields,
        })
    }

    fn hex_name(&mut self) -> Result<Arc<str>, TypeParseError> {
        self.skip_space();
        let at = self.at;
        let word = self.word("a name in hex")?;
        from_hex(word).ok_or(TypeParseError::Syntax {
            at,
            expected: "a name in hex",
        })
    }

    fn dimensions(&mut self) -> Result<u16, TypeParseError> {
        self.skip_space();
        let at = self.at;
        let expected = "a number of dimensions from 1 to 65535";
        match self.word(expected)?.parse() {
            Ok(dimensions) if dimensions > 0 => Ok(dimensions),
            _ => Err(TypeParseError::Syntax { at, expected }),
        }
    }

    /// Runs `inner` one level deeper.
    fn nested(
        &mut self,
        inner: impl FnOnce(&mut Self) -> Result<CqlType, TypeParseError>,
    ) -> Result<CqlType, TypeParseError> {
        // `frozen<…>` is a level of text but not of the type, hence twice the depth.
        if self.depth >= 2 * MAX_TYPE_DEPTH {
            return Err(TypeParseError::TooDeep);
        }
        self.depth += 1;
        let ty = inner(self);
        self.depth -= 1;
        ty
    }

    fn skip_space(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// What is left, from the next character that is not space.
    fn rest(&mut self) -> &'a str {
        self.skip_space();
        self.text.get(self.at..).unwrap_or_default()
    }

    fn eat(&mut self, c: char) -> bool {
        let found = self.rest().starts_with(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn expect(&mut self, c: char, expected: &'static str) -> Result<(), TypeParseError> {
        match self.eat(c) {
            true => Ok(()),
            false => Err(TypeParseError::Syntax {
                at: self.at,
                expected,
            }),
        }
    }

    /// Letters, digits, `_`, `$`; dots too, if the word is a class name.
    fn word(&mut self, expected: &'static str) -> Result<&'a str, TypeParseError> {
        let rest = self.rest();
        let plain =
            |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$' || c == '-' || c == '+';
        let len = match rest.strip_prefix(PACKAGE) {
            Some(class) => PACKAGE.len() + class.find(|c| !plain(c)).unwrap_or(class.len()),
            None => rest.find(|c| !plain(c)).unwrap_or(rest.len()),
        };
        match rest.get(..len) {
            Some(word) if !word.is_empty() => {
                self.at += len;
                Ok(word)
            }
            _ => Err(TypeParseError::Syntax {
                at: self.at,
                expected,
            }),
        }
    }

    /// Text between two `quote`s, in which a doubled one stands for one.
    fn between_quotes(&mut self, quote: char) -> Result<String, TypeParseError> {
        let mut out = String::new();
        let mut chars = self.rest().char_indices().skip(1).peekable();
        while let Some((at, c)) = chars.next() {
            if c != quote {
                out.push(c);
            } else if chars.next_if(|(_, next)| *next == quote).is_some() {
                out.push(quote);
            } else {
                self.at += at + quote.len_utf8();
                return Ok(out);
            }
        }
        Err(TypeParseError::Syntax {
            at: self.text.len(),
            expected: "a closing quote",
        })
    }

    fn end(&mut self) -> Result<(), TypeParseError> {
        match self.rest() {
            "" => Ok(()),
            _ => Err(TypeParseError::Syntax {
                at: self.at,
                expected: "the end",
            }),
        }
    }
}
