//! Values as trees: for literals, tests, tools and generated code. The data path works on serialized bytes.

use crate::collections::{
    ListIter, MapIter, TupleIter, VectorIter, push_count, push_element, push_vector_element,
};
use crate::compare::compare;
use crate::decimal;
use crate::duration::CqlDuration;
use crate::error::ValueError;
use crate::ty::CqlType;
use crate::validate::validate;
use num_bigint::BigInt;
use std::net::IpAddr;
use uuid::Uuid;

/// A value of a CQL type. Null is the absence of one: `Option<Value>`.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// `ascii`.
    Ascii(String),
    /// `bigint`.
    BigInt(i64),
    /// `blob`.
    Blob(Vec<u8>),
    /// `boolean`.
    Boolean(bool),
    /// `counter`.
    Counter(i64),
    /// `date`: days, 2^31 being 1970-01-01.
    Date(u32),
    /// `decimal`: unscaled × 10^-scale.
    Decimal {
        /// Digits after the point, if positive.
        scale: i32,
        /// The digits.
        unscaled: BigInt,
    },
    /// `double`.
    Double(f64),
    /// `duration`.
    Duration(CqlDuration),
    /// `float`.
    Float(f32),
    /// `inet`.
    Inet(IpAddr),
    /// `int`.
    Int(i32),
    /// `smallint`.
    SmallInt(i16),
    /// `text`.
    Text(String),
    /// `time`: nanoseconds since midnight.
    Time(i64),
    /// `timestamp`: milliseconds since the Unix epoch.
    Timestamp(i64),
    /// `timeuuid`.
    TimeUuid(Uuid),
    /// `tinyint`.
    TinyInt(i8),
    /// `uuid`.
    Uuid(Uuid),
    /// `varint`.
    Varint(BigInt),
    /// `list`.
    List(Vec<Value>),
    /// `set`, in any order; encoded in the order of the type, duplicates dropped.
    Set(Vec<Value>),
    /// `map`, in any order; encoded in the order of the keys, of equal keys the last.
    Map(Vec<(Value, Value)>),
    /// `tuple`; fewer fields than the type has are right.
    Tuple(Vec<Option<Value>>),
    /// A UDT, fields in the order of its definition; fewer than it has are right.
    Udt(Vec<Option<Value>>),
    /// `vector`.
    Vector(Vec<Value>),
    /// The zero-length value of any type that has one.
    Empty,
}

impl Value {
    /// The CQL name of the value's type, without parameters.
    #[must_use]
    pub const fn kind_name(&self) -> &'static str {
        match self {
            Self::Ascii(_) => "ascii",
            Self::BigInt(_) => "bigint",
            Self::Blob(_) => "blob",
            Self::Boolean(_) => "boolean",
            Self::Counter(_) => "counter",
            Self::Date(_) => "date",
            Self::Decimal { .. } => "decimal",
            Self::Double(_) => "double",
            Self::Duration(_) => "duration",
            Self::Float(_) => "float",
            Self::Inet(_) => "inet",
            Self::Int(_) => "int",
            Self::SmallInt(_) => "smallint",
            Self::Text(_) => "text",
            Self::Time(_) => "time",
            Self::Timestamp(_) => "timestamp",
            Self::TimeUuid(_) => "timeuuid",
            Self::TinyInt(_) => "tinyint",
            Self::Uuid(_) => "uuid",
            Self::Varint(_) => "varint",
            Self::List(_) => "list",
            Self::Set(_) => "set",
            Self::Map(_) => "map",
            Self::Tuple(_) => "tuple",
            Self::Udt(_) => "udt",
            Self::Vector(_) => "vector",
            Self::Empty => "empty",
        }
    }
}

/// Appends the serialized form of `value`.
///
/// # Errors
/// A value of another type, or one that the type does not allow; `out` may then hold part of it.
pub fn encode(value: &Value, ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
    let start = out.len();
    encode_parts(value, ty, out)?;
    validate(ty, out.get(start..).unwrap_or_default())
}

fn encode_parts(value: &Value, ty: &CqlType, out: &mut Vec<u8>) -> Result<(), ValueError> {
    match (value, ty) {
        (Value::Empty, _) => {}
        (Value::Ascii(text), CqlType::Ascii) | (Value::Text(text), CqlType::Text) => {
            out.extend(text.as_bytes())
        }
        (Value::Blob(bytes), CqlType::Blob) => out.extend(bytes),
        (Value::Boolean(value), CqlType::Boolean) => out.push(u8::from(*value)),
        (Value::TinyInt(value), CqlType::TinyInt) => out.extend(value.to_be_bytes()),
        (Value::SmallInt(value), CqlType::SmallInt) => out.extend(value.to_be_bytes()),
        (Value::Int(value), CqlType::Int) => out.extend(value.to_be_bytes()),
        (Value::Date(value), CqlType::Date) => out.extend(value.to_be_bytes()),
        (Value::BigInt(value), CqlType::BigInt)
        | (Value::Counter(value), CqlType::Counter)
        | (Value::Time(value), CqlType::Time)
        | (Value::Timestamp(value), CqlType::Timestamp) => out.extend(value.to_be_bytes()),
        (Value::Float(value), CqlType::Float) => out.extend(value.to_be_bytes()),
        (Value::Double(value), CqlType::Double) => out.extend(value.to_be_bytes()),
        (Value::Uuid(value), CqlType::Uuid) | (Value::TimeUuid(value), CqlType::TimeUuid) => {
            out.extend(value.as_bytes());
        }
        (Value::Inet(IpAddr::V4(value)), CqlType::Inet) => out.extend(value.octets()),
        (Value::Inet(IpAddr::V6(value)), CqlType::Inet) => out.extend(value.octets()),
        (Value::Varint(value), CqlType::Varint) => out.extend(value.to_signed_bytes_be()),
        (Value::Decimal { scale, unscaled }, CqlType::Decimal) => {
            decimal::write(*scale, unscaled, out)
        }
        (Value::Duration(value), CqlType::Duration) => value.write(out),
        (Value::List(values), CqlType::List { element, .. }) => {
            push_count(values.len(), out)?;
            for value in values {
                push_element(Some(&encoded(value, element)?), out)?;
            }
        }
        (Value::Set(values), CqlType::Set { element, .. }) => {
            let elements: Result<Vec<_>, _> =
                values.iter().map(|value| encoded(value, element)).collect();
            push_set(element, elements?, out)?;
        }
        (Value::Map(pairs), CqlType::Map { key, value, .. }) => {
            let pairs = pairs
                .iter()
                .map(|(k, v)| Ok((encoded(k, key)?, encoded(v, value)?)));
            push_map(key, pairs.collect::<Result<Vec<_>, ValueError>>()?, out)?;
        }
        (Value::Tuple(fields), CqlType::Tuple(parts)) => {
            encode_fields(fields, parts.iter(), parts.len(), out)?
        }
        (Value::Udt(fields), CqlType::Udt { def, .. }) => {
            encode_fields(
                fields,
                def.fields.iter().map(|(_, ty)| ty),
                def.fields.len(),
                out,
            )?;
        }
        (Value::Vector(values), CqlType::Vector { element, .. }) => {
            for value in values {
                push_vector_element(&encoded(value, element)?, element.vector_element_len(), out)?;
            }
        }
        (value, ty) => {
            return Err(ValueError::WrongKind {
                expected: ty.kind_name(),
                found: value.kind_name(),
            });
        }
    }
    Ok(())
}

fn encoded(value: &Value, ty: &CqlType) -> Result<Vec<u8>, ValueError> {
    let mut out = Vec::new();
    encode_parts(value, ty, &mut out)?;
    Ok(out)
}

fn encode_fields<'t>(
    fields: &[Option<Value>],
    types: impl Iterator<Item = &'t CqlType>,
    count: usize,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    if fields.len() > count {
        return Err(ValueError::invalid(
            "tuple",
            "more fields than its type has",
        ));
    }
    for (field, ty) in fields.iter().zip(types) {
        match field {
            None => push_element(None, out)?,
            Some(value) => push_element(Some(&encoded(value, ty)?), out)?,
        }
    }
    Ok(())
}

/// Appends a set of serialized elements: sorted, without duplicates.
pub(crate) fn push_set<T: AsRef<[u8]>>(
    ty: &CqlType,
    mut elements: Vec<T>,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    elements.sort_by(|a, b| compare(ty, a.as_ref(), b.as_ref()));
    elements.dedup_by(|a, b| compare(ty, a.as_ref(), b.as_ref()).is_eq());
    push_count(elements.len(), out)?;
    elements
        .iter()
        .try_for_each(|element| push_element(Some(element.as_ref()), out))
}

/// Appends a map of serialized keys and values: sorted by key, of equal keys the last.
pub(crate) fn push_map<T: AsRef<[u8]>>(
    ty: &CqlType,
    mut pairs: Vec<(T, T)>,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    pairs.reverse();
    pairs.sort_by(|(a, _), (b, _)| compare(ty, a.as_ref(), b.as_ref()));
    pairs.dedup_by(|(a, _), (b, _)| compare(ty, a.as_ref(), b.as_ref()).is_eq());
    push_count(pairs.len(), out)?;
    for (key, value) in &pairs {
        push_element(Some(key.as_ref()), out)?;
        push_element(Some(value.as_ref()), out)?;
    }
    Ok(())
}

/// Reads a serialized value.
///
/// # Errors
/// What [`validate`] refuses.
pub fn decode(ty: &CqlType, bytes: &[u8]) -> Result<Value, ValueError> {
    validate(ty, bytes)?;
    Ok(decode_valid(ty, bytes))
}

/// Of bytes that are not valid it gives some value.
fn decode_valid(ty: &CqlType, bytes: &[u8]) -> Value {
    let text = || String::from_utf8_lossy(bytes).into_owned();
    if bytes.is_empty() && !matches!(ty, CqlType::Ascii | CqlType::Blob | CqlType::Text) {
        return Value::Empty;
    }
    match ty {
        CqlType::Ascii => Value::Ascii(text()),
        CqlType::Text => Value::Text(text()),
        CqlType::Blob => Value::Blob(bytes.to_vec()),
        CqlType::Boolean => Value::Boolean(bytes != [0]),
        CqlType::TinyInt => Value::TinyInt(i8::from_be_bytes(chunk(bytes))),
        CqlType::SmallInt => Value::SmallInt(i16::from_be_bytes(chunk(bytes))),
        CqlType::Int => Value::Int(i32::from_be_bytes(chunk(bytes))),
        CqlType::BigInt => Value::BigInt(i64::from_be_bytes(chunk(bytes))),
        CqlType::Counter => Value::Counter(i64::from_be_bytes(chunk(bytes))),
        CqlType::Date => Value::Date(u32::from_be_bytes(chunk(bytes))),
        CqlType::Time => Value::Time(i64::from_be_bytes(chunk(bytes))),
        CqlType::Timestamp => Value::Timestamp(i64::from_be_bytes(chunk(bytes))),
        CqlType::Float => Value::Float(f32::from_be_bytes(chunk(bytes))),
        CqlType::Double => Value::Double(f64::from_be_bytes(chunk(bytes))),
        CqlType::Uuid => Value::Uuid(Uuid::from_bytes(chunk(bytes))),
        CqlType::TimeUuid => Value::TimeUuid(Uuid::from_bytes(chunk(bytes))),
        CqlType::Inet => Value::Inet(match bytes.len() {
            4 => IpAddr::from(chunk::<4>(bytes)),
            _ => IpAddr::from(chunk::<16>(bytes)),
        }),
        CqlType::Varint => Value::Varint(BigInt::from_signed_bytes_be(bytes)),
        CqlType::Decimal => {
            let (scale, unscaled) = decimal::split(bytes).unwrap_or((0, &[]));
            Value::Decimal {
                scale,
                unscaled: BigInt::from_signed_bytes_be(unscaled),
            }
        }
        CqlType::Duration => Value::Duration(CqlDuration::from_bytes(bytes).unwrap_or_default()),
        CqlType::List { element, .. } => Value::List(
            ListIter::trusted(bytes)
                .map(|bytes| decode_valid(element, bytes))
                .collect(),
        ),
        CqlType::Set { element, .. } => Value::Set(
            ListIter::trusted(bytes)
                .map(|bytes| decode_valid(element, bytes))
                .collect(),
        ),
        CqlType::Map { key, value, .. } => {
            let pairs = MapIter::trusted(bytes);
            Value::Map(
                pairs
                    .map(|(k, v)| (decode_valid(key, k), decode_valid(value, v)))
                    .collect(),
            )
        }
        CqlType::Tuple(parts) => Value::Tuple(decode_fields(parts.iter(), bytes)),
        CqlType::Udt { def, .. } => {
            Value::Udt(decode_fields(def.fields.iter().map(|(_, ty)| ty), bytes))
        }
        CqlType::Vector {
            element,
            dimensions,
        } => {
            let elements = VectorIter::trusted(bytes, *dimensions, element.vector_element_len());
            Value::Vector(elements.map(|bytes| decode_valid(element, bytes)).collect())
        }
    }
}

fn decode_fields<'t>(types: impl Iterator<Item = &'t CqlType>, bytes: &[u8]) -> Vec<Option<Value>> {
    let present = types.zip(TupleIter::trusted(bytes));
    present
        .map(|(ty, bytes)| bytes.map(|bytes| decode_valid(ty, bytes)))
        .collect()
}

fn chunk<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().unwrap_or([0; N])
}
