//! The order of CQL values, on their serialized bytes.
//!
//! Empty values come first. Numbers go by size, with -0.0 before 0.0 and NaN (all of them equal) last;
//! text, blobs, addresses, dates, times and durations by bytes; UUIDs by version, then time, then bytes;
//! lists, sets, maps, tuples, UDTs and vectors element by element, null first, a prefix before what it begins.
//! Allocates nothing, except for decimals of different scale above 15 bytes.

use crate::collections::{ListIter, TupleIter, VectorIter};
use crate::id::{compare_timeuuid, compare_uuid};
use crate::ty::{CqlType, UdtType};
use crate::{decimal, varint};
use std::cmp::Ordering;
use uuid::Uuid;

/// The CQL order of two serialized values of `ty`. Total on valid values.
///
/// On bytes that [`validate`](crate::validate) refuses the answer means nothing, but there is one.
#[must_use]
pub fn compare(ty: &CqlType, a: &[u8], b: &[u8]) -> Ordering {
    match (a.is_empty(), b.is_empty()) {
        (false, false) => compare_present(ty, a, b),
        (a_empty, b_empty) => b_empty.cmp(&a_empty),
    }
}

fn compare_present(ty: &CqlType, a: &[u8], b: &[u8]) -> Ordering {
    match ty {
        CqlType::Ascii
        | CqlType::Blob
        | CqlType::Date
        | CqlType::Duration
        | CqlType::Inet
        | CqlType::Text
        | CqlType::Time => a.cmp(b),
        CqlType::TinyInt => by(a, b, i8::from_be_bytes, i8::cmp),
        CqlType::SmallInt => by(a, b, i16::from_be_bytes, i16::cmp),
        CqlType::Int => by(a, b, i32::from_be_bytes, i32::cmp),
        CqlType::BigInt | CqlType::Counter | CqlType::Timestamp => {
            by(a, b, i64::from_be_bytes, i64::cmp)
        }
        CqlType::Boolean => by(a, b, |[byte]: [u8; 1]| byte != 0, bool::cmp),
        CqlType::Float => by(
            a,
            b,
            |bytes| canonical_f32(f32::from_be_bytes(bytes)),
            f32::total_cmp,
        ),
        CqlType::Double => by(
            a,
            b,
            |bytes| canonical_f64(f64::from_be_bytes(bytes)),
            f64::total_cmp,
        ),
        CqlType::TimeUuid => by(a, b, Uuid::from_bytes, compare_timeuuid),
        CqlType::Uuid => by(a, b, Uuid::from_bytes, compare_uuid),
        CqlType::Varint => varint::compare(a, b),
        CqlType::Decimal => decimal::compare(a, b),
        CqlType::List { element, .. } | CqlType::Set { element, .. } => {
            ListIter::trusted(a).cmp_with(ListIter::trusted(b), |a, b| compare(element, a, b))
        }
        CqlType::Map { key, value, .. } => compare_maps(key, value, a, b),
        CqlType::Tuple(parts) => compare_fields(parts.iter(), a, b),
        CqlType::Udt { def, .. } => compare_udts(def, a, b),
        CqlType::Vector {
            element,
            dimensions,
        } => {
            let elements =
                |bytes| VectorIter::trusted(bytes, *dimensions, element.vector_element_len());
            elements(a).cmp_with(elements(b), |a, b| compare(element, a, b))
        }
    }
}

/// Compares values of a fixed length; bytes of another length are compared as they are.
fn by<const N: usize, T>(
    a: &[u8],
    b: &[u8],
    read: impl Fn([u8; N]) -> T,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Ordering {
    match (a.try_into(), b.try_into()) {
        (Ok(a), Ok(b)) => compare(&read(a), &read(b)),
        _ => a.cmp(b),
    }
}

/// All NaN are one value, above infinity.
pub(crate) const fn canonical_f32(value: f32) -> f32 {
    if value.is_nan() {
        f32::from_bits(0x7fc0_0000)
    } else {
        value
    }
}

/// As [`canonical_f32`].
pub(crate) const fn canonical_f64(value: f64) -> f64 {
    if value.is_nan() {
        f64::from_bits(0x7ff8_0000_0000_0000)
    } else {
        value
    }
}

/// Lexicographic order by a comparison of elements.
trait CmpWith<'a>: Iterator<Item = &'a [u8]> + Sized {
    fn cmp_with(
        mut self,
        mut other: Self,
        mut compare: impl FnMut(&'a [u8], &'a [u8]) -> Ordering,
    ) -> Ordering {
        loop {
            let order = match (self.next(), other.next()) {
                (None, None) => return Ordering::Equal,
                (None, Some(_)) => Ordering::Less,
                (Some(_), None) => Ordering::Greater,
                (Some(a), Some(b)) => compare(a, b),
            };
            if order.is_ne() {
                return order;
            }
        }
    }
}

impl<'a> CmpWith<'a> for ListIter<'a> {}
impl<'a> CmpWith<'a> for VectorIter<'a> {}

fn compare_maps(key: &CqlType, value: &CqlType, a: &[u8], b: &[u8]) -> Ordering {
    let mut is_key = false;
    let parts = crate::collections::map_parts;
    parts(a).cmp_with(parts(b), |a, b| {
        is_key = !is_key;
        compare(if is_key { key } else { value }, a, b)
    })
}

fn compare_udts(def: &UdtType, a: &[u8], b: &[u8]) -> Ordering {
    compare_fields(def.fields.iter().map(|(_, ty)| ty), a, b)
}

/// Fields that are missing count as null.
fn compare_fields<'t>(types: impl Iterator<Item = &'t CqlType>, a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (TupleIter::trusted(a), TupleIter::trusted(b));
    for ty in types {
        let order = match (a.next().flatten(), b.next().flatten()) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => compare(ty, a, b),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}
