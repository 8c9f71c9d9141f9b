//! Whether bytes are a value of a type.
//!
//! One walk over the bytes, no allocation, recursion as deep as the type.
//! *Empty* means zero-length: legal for most scalars (a value smaller than all others), for collections,
//! tuples and UDTs; not for `tinyint`, `smallint`, `date`, `time`, `duration` and vectors.

use crate::collections::{ListIter, MapIter, TupleIter, VectorIter};
use crate::duration::CqlDuration;
use crate::error::ValueError;
use crate::ty::CqlType;

/// Nanoseconds of a day; a `time` is below.
pub(crate) const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Checks that `bytes` are a value of `ty`.
///
/// The order and distinctness of set elements and map keys are not checked: clients send them in any order;
/// [`normalize`](crate::normalize) makes them canonical.
///
/// # Errors
/// What does not fit, in words for the client.
pub fn validate(ty: &CqlType, bytes: &[u8]) -> Result<(), ValueError> {
    match ty {
        CqlType::Blob | CqlType::Varint => Ok(()),
        CqlType::Ascii => match bytes.is_ascii() {
            true => Ok(()),
            false => Err(ValueError::invalid("ascii", "a byte above 127")),
        },
        CqlType::Text => match std::str::from_utf8(bytes) {
            Ok(_) => Ok(()),
            Err(_) => Err(ValueError::invalid("text", "the bytes are not UTF-8")),
        },
        CqlType::BigInt
        | CqlType::Boolean
        | CqlType::Counter
        | CqlType::Double
        | CqlType::Float
        | CqlType::Int
        | CqlType::Timestamp
        | CqlType::Uuid => match bytes {
            [] => Ok(()),
            _ => fixed(ty, bytes),
        },
        CqlType::Date | CqlType::SmallInt | CqlType::TinyInt => fixed(ty, bytes),
        CqlType::Time => {
            fixed(ty, bytes)?;
            let nanos = bytes.first_chunk().map(|chunk| i64::from_be_bytes(*chunk));
            match nanos {
                Some(0..NANOS_PER_DAY) => Ok(()),
                _ => Err(ValueError::invalid(
                    "time",
                    "not within 0..86399999999999 nanoseconds",
                )),
            }
        }
        CqlType::TimeUuid => match bytes {
            [] => Ok(()),
            _ => {
                fixed(ty, bytes)?;
                match bytes.get(6) {
                    Some(0x10..=0x1f) => Ok(()),
                    _ => Err(ValueError::invalid(
                        "timeuuid",
                        "Invalid version for TimeUUID type.",
                    )),
                }
            }
        },
        CqlType::Inet => match bytes.len() {
            0 | 4 | 16 => Ok(()),
            _ => Err(ValueError::invalid("inet", "an address has 4 or 16 bytes")),
        },
        CqlType::Decimal => match bytes.len() {
            1..=4 => Err(ValueError::invalid(
                "decimal",
                "expected 0 or at least 5 bytes",
            )),
            _ => Ok(()),
        },
        CqlType::Duration => CqlDuration::from_bytes(bytes).map(|_| ()),
        CqlType::List { element, .. } | CqlType::Set { element, .. } => {
            ListIter::parse(bytes)?.try_for_each(|bytes| validate(element, bytes))
        }
        CqlType::Map { key, value, .. } => MapIter::parse(bytes)?.try_for_each(|(k, v)| {
            validate(key, k)?;
            validate(value, v)
        }),
        CqlType::Tuple(parts) => {
            let present = TupleIter::parse(bytes, parts.len())?;
            parts
                .iter()
                .zip(present)
                .try_for_each(|(ty, bytes)| validate_field(ty, bytes))
        }
        CqlType::Udt { def, .. } => {
            let present = TupleIter::parse(bytes, def.fields.len())?;
            let mut fields = def.fields.iter().zip(present);
            fields.try_for_each(|((_, ty), bytes)| validate_field(ty, bytes))
        }
        CqlType::Vector {
            element,
            dimensions,
        } => {
            if bytes.is_empty() {
                return Err(ValueError::invalid("vector", "Invalid empty vector value"));
            }
            VectorIter::parse(bytes, *dimensions, element.vector_element_len())?
                .try_for_each(|bytes| validate(element, bytes))
        }
    }
}

fn validate_field(ty: &CqlType, bytes: Option<&[u8]>) -> Result<(), ValueError> {
    bytes.map_or(Ok(()), |bytes| validate(ty, bytes))
}

fn fixed(ty: &CqlType, bytes: &[u8]) -> Result<(), ValueError> {
    match ty.fixed_len() {
        Some(len) if len != bytes.len() => Err(ValueError::WrongLength {
            ty: ty.kind_name(),
            len,
            empty_is_legal: !matches!(
                ty,
                CqlType::Date | CqlType::SmallInt | CqlType::TinyInt | CqlType::Time
            ),
            found: bytes.len(),
        }),
        _ => Ok(()),
    }
}
