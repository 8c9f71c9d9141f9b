//! Keys whose bytes order like CQL values, after Apache Cassandra's published `ByteComparable` specification
//! (its OSS50 version).
//!
//! ```text
//! partition key   escaped bytes, 38                           lossless; ordered by bytes
//! clustering      component*, 38
//! component       40 payload | 3F (empty) | in nested values 3E (null)
//! DESC component  40 inverted payload | 41 (empty)
//!
//! text, blob, inet, duration   escaped: 00 ends it; n zero bytes are 00, n-1 times FE, FF (last ones: FE)
//! tinyint, smallint, int       sign flipped                 timestamp likewise
//! bigint, counter              sign and length in leading bits, 1 to 9 bytes
//! varint                       as bigint up to 6 bytes; then FF or 00, length - 7, bytes
//! decimal                      sign and size of the exponent, exponent, base-100 digits, 00
//! float, double                sign flipped, negatives inverted; every NaN is one NaN
//! boolean, date, time          as they are (boolean 00 or 01)
//! uuid, timeuuid               version and time first
//! list, set, map, tuple, ...   component*, 38; trailing nulls of tuples and UDTs left out
//! ```
//!
//! # Invariants
//! * Comparing two encodings byte by byte compares the values in clustering order.
//! * Values that are equal in CQL (1.0 and 1.00) have the same bytes, so the bytes as written may be lost:
//!   see [`is_lossless`] and [`is_exact`]. Decoding gives a value that is equal in CQL.
//! * No encoded key is a prefix of another of the same table; nor with 20 or 60 instead of the last byte,
//!   which is how [`bound_bytes`] makes positions between keys.
//! * Encoding appends to the caller's buffer and allocates nothing else (decimals above 15 bytes excepted).

mod decode;
mod encode;
mod integer;
mod number;

pub use decode::{
    ClusteringDecoder, decode_clustering, decode_partition_key, decode_value, split_partition_key,
};
pub use encode::{encode_clustering, encode_clustering_prefix, encode_partition_key, encode_value};

use crate::collections::{ListIter, MapIter, TupleIter, VectorIter};
use crate::ty::CqlType;
use crate::{decimal, varint, vint};

/// Before a value.
const NEXT: u8 = 0x40;
/// Instead of a value that is empty and has no payload.
const NEXT_EMPTY: u8 = 0x3f;
/// The same in a descending column.
const NEXT_EMPTY_DESC: u8 = 0x41;
/// Instead of a null inside a tuple or UDT.
const NEXT_NULL: u8 = 0x3e;
/// Ends a sequence.
const TERMINATOR: u8 = 0x38;
/// Below every continuation of a prefix.
const BELOW: u8 = 0x20;
/// Above every continuation of a prefix.
const ABOVE: u8 = 0x60;
/// Ends an escaped value, or begins zero bytes in it.
const ESCAPE: u8 = 0x00;
/// A zero byte that another one, or the end, follows.
const ZERO_MORE: u8 = 0xfe;
/// The last zero byte of several inside a value.
const ZERO_LAST: u8 = 0xff;
/// Varints of at least this many digits are written with their length.
const LONG_VARINT: usize = 7;

/// Which side of all keys with a prefix a bound lies on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BoundKind {
    /// The range begins before the keys with this prefix.
    StartInclusive,
    /// The range begins after them.
    StartExclusive,
    /// The range ends after them.
    EndInclusive,
    /// The range ends before them.
    EndExclusive,
}

/// The position, as bytes to compare with encoded clusterings, before or after all keys that begin with a
/// prefix made by [`encode_clustering_prefix`]. It equals no key. The empty prefix gives the ends of a partition.
#[must_use]
pub fn bound_bytes(prefix: &[u8], kind: BoundKind) -> Vec<u8> {
    let mut out = Vec::with_capacity(prefix.len() + 1);
    out.extend_from_slice(prefix);
    out.push(match kind {
        BoundKind::StartInclusive | BoundKind::EndExclusive => BELOW,
        BoundKind::StartExclusive | BoundKind::EndInclusive => ABOVE,
    });
    out
}

/// Whether decoding gives back every valid value of `ty` byte by byte. Where it does not, a row must keep its
/// clustering as written; [`is_exact`] tells for one value.
#[must_use]
pub fn is_lossless(ty: &CqlType) -> bool {
    match ty {
        CqlType::Boolean
        | CqlType::Decimal
        | CqlType::Double
        | CqlType::Float
        | CqlType::Varint
        | CqlType::Tuple(_)
        | CqlType::Udt { .. } => false,
        CqlType::Ascii
        | CqlType::BigInt
        | CqlType::Blob
        | CqlType::Counter
        | CqlType::Date
        | CqlType::Duration
        | CqlType::Inet
        | CqlType::Int
        | CqlType::SmallInt
        | CqlType::Text
        | CqlType::Time
        | CqlType::Timestamp
        | CqlType::TimeUuid
        | CqlType::TinyInt
        | CqlType::Uuid => true,
        CqlType::List { element, .. } | CqlType::Set { element, .. } => is_lossless(element),
        CqlType::Map { key, value, .. } => is_lossless(key) && is_lossless(value),
        CqlType::Vector { element, .. } => {
            element.vector_element_len().is_some() && is_lossless(element)
        }
    }
}

/// Whether decoding gives back exactly these bytes of a valid value. May say no when in doubt, never a wrong yes.
#[must_use]
pub fn is_exact(ty: &CqlType, value: &[u8]) -> bool {
    if value.is_empty() || is_lossless(ty) {
        return true;
    }
    match ty {
        CqlType::Boolean => matches!(value, [0 | 1]),
        CqlType::Float => value.first_chunk().is_some_and(|bytes| {
            let value = f32::from_be_bytes(*bytes);
            !value.is_nan() || value.to_bits() == crate::compare::canonical_f32(value).to_bits()
        }),
        CqlType::Double => value.first_chunk().is_some_and(|bytes| {
            let value = f64::from_be_bytes(*bytes);
            !value.is_nan() || value.to_bits() == crate::compare::canonical_f64(value).to_bits()
        }),
        CqlType::Varint => is_minimal(value),
        CqlType::Decimal => decimal::split(value).is_some_and(|(scale, unscaled)| {
            is_minimal(unscaled)
                && varint::to_i128(unscaled).is_some_and(|small| match small {
                    0 => scale == 0,
                    _ => small % 10 != 0,
                })
        }),
        CqlType::List { element, .. } | CqlType::Set { element, .. } => {
            ListIter::trusted(value).all(|value| is_exact(element, value))
        }
        CqlType::Map { key, value: ty, .. } => {
            MapIter::trusted(value).all(|(k, v)| is_exact(key, k) && is_exact(ty, v))
        }
        CqlType::Tuple(parts) => are_exact_fields(parts.iter(), value),
        CqlType::Udt { def, .. } => are_exact_fields(def.fields.iter().map(|(_, ty)| ty), value),
        CqlType::Vector {
            element,
            dimensions,
        } => {
            let element_len = element.vector_element_len();
            let mut elements = VectorIter::trusted(value, *dimensions, element_len);
            let mut minimal_len = 0;
            let exact = elements.all(|value| {
                let len = vint::len_unsigned(value.len() as u64);
                minimal_len += value.len() + element_len.map_or(len, |_| 0);
                is_exact(element, value)
            });
            exact && minimal_len == value.len()
        }
        CqlType::Ascii
        | CqlType::BigInt
        | CqlType::Blob
        | CqlType::Counter
        | CqlType::Date
        | CqlType::Duration
        | CqlType::Inet
        | CqlType::Int
        | CqlType::SmallInt
        | CqlType::Text
        | CqlType::Time
        | CqlType::Timestamp
        | CqlType::TimeUuid
        | CqlType::TinyInt
        | CqlType::Uuid => true,
    }
}

/// All fields are there, with -1 for null, and exact themselves.
fn are_exact_fields<'t>(mut types: impl Iterator<Item = &'t CqlType>, value: &[u8]) -> bool {
    let mut fields = TupleIter::trusted(value);
    types.all(|ty| match fields.next() {
        None => false,
        Some(None) => true,
        Some(Some(value)) => is_exact(ty, value),
    }) && !has_odd_nulls(value)
}

/// A null written with a length other than -1.
fn has_odd_nulls(value: &[u8]) -> bool {
    let mut rest = value;
    while let Some((field, after)) = crate::collections::take_element(rest) {
        if field.is_none() && !rest.starts_with(&[0xff; 4]) {
            return true;
        }
        rest = after;
    }
    false
}

fn is_minimal(integer: &[u8]) -> bool {
    let digits = varint::digits(integer);
    let starts_with_sign =
        digits.bytes.first().is_some_and(|first| *first >= 0x80) == digits.negative;
    integer.len() == digits.bytes.len() + usize::from(!starts_with_sign)
}
