//! From serialized values to ordered bytes.

use super::{
    ESCAPE, LONG_VARINT, NEXT, NEXT_EMPTY, NEXT_EMPTY_DESC, NEXT_NULL, TERMINATOR, ZERO_LAST,
    ZERO_MORE, integer,
};
use crate::collections::{ListIter, MapIter, TupleIter, VectorIter};
use crate::compare::{canonical_f32, canonical_f64};
use crate::decimal::Parts;
use crate::error::ValueError;
use crate::id::{timeuuid_order, uuid_order};
use crate::partition_key::{KeyError, MAX_KEY_BYTES};
use crate::ty::{ComponentOrder, CqlType};
use crate::{varint, vint};
use uuid::Uuid;

/// Appends a serialized partition key, escaped and terminated: lossless and prefix-free.
pub fn encode_partition_key(key: &[u8], out: &mut Vec<u8>) {
    out.reserve(key.len() + 2);
    escape(key, out);
    out.push(TERMINATOR);
}

/// Appends a whole clustering: one serialized value for each column, none null.
///
/// # Errors
/// Another number of values than of columns, a value above [`MAX_KEY_BYTES`], a value that is not of its type.
/// `out` may then hold part of the key.
pub fn encode_clustering(
    types: &[(CqlType, ComponentOrder)],
    values: &[&[u8]],
    out: &mut Vec<u8>,
) -> Result<(), KeyError> {
    if values.len() != types.len() {
        return Err(KeyError::WrongCount {
            expected: types.len(),
            found: values.len(),
        });
    }
    encode_clustering_prefix(types, values, out)?;
    out.push(TERMINATOR);
    Ok(())
}

/// Appends the first columns of a clustering without its end; [`bound_bytes`](super::bound_bytes) turns it into
/// a position.
///
/// # Errors
/// As [`encode_clustering`], but fewer values than columns are right.
pub fn encode_clustering_prefix(
    types: &[(CqlType, ComponentOrder)],
    values: &[&[u8]],
    out: &mut Vec<u8>,
) -> Result<(), KeyError> {
    if values.len() > types.len() {
        return Err(KeyError::WrongCount {
            expected: types.len(),
            found: values.len(),
        });
    }
    out.reserve(values.iter().map(|value| value.len() + 2).sum::<usize>() + 1);
    for ((ty, order), value) in types.iter().zip(values) {
        if value.len() > MAX_KEY_BYTES {
            return Err(KeyError::TooLong { len: value.len() });
        }
        let start = out.len();
        element(ty, Some(value), out)?;
        if *order == ComponentOrder::Desc {
            invert_component(out, start);
        }
    }
    Ok(())
}

/// Appends one value of any type, terminated: the order-preserving name of a set element or map key.
///
/// # Errors
/// A value that is not of its type; `out` may then hold part of it.
pub fn encode_value(ty: &CqlType, value: &[u8], out: &mut Vec<u8>) -> Result<(), KeyError> {
    out.reserve(value.len() + 3);
    element(ty, Some(value), out)?;
    out.push(TERMINATOR);
    Ok(())
}

/// Turns the component that begins at `start` round: the payload bit by bit, the mark of an empty value.
fn invert_component(out: &mut [u8], start: usize) {
    if let Some([mark, payload @ ..]) = out.get_mut(start..) {
        if *mark == NEXT_EMPTY {
            *mark = NEXT_EMPTY_DESC;
        }
        payload.iter_mut().for_each(|byte| *byte = !*byte);
    }
}

/// A mark and a payload, or a mark that says it all.
fn element(ty: &CqlType, value: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), ValueError> {
    match value {
        None => out.push(NEXT_NULL),
        Some([]) if !is_escaped(ty) => out.push(NEXT_EMPTY),
        Some(value) => {
            out.push(NEXT);
            payload(ty, value, out)?;
        }
    }
    Ok(())
}

/// Types whose order is that of their bytes, of any length; an empty value has a payload too.
pub(super) const fn is_escaped(ty: &CqlType) -> bool {
    matches!(
        ty,
        CqlType::Ascii | CqlType::Blob | CqlType::Duration | CqlType::Inet | CqlType::Text
    )
}

fn payload(ty: &CqlType, value: &[u8], out: &mut Vec<u8>) -> Result<(), ValueError> {
    match ty {
        CqlType::Ascii | CqlType::Blob | CqlType::Duration | CqlType::Inet | CqlType::Text => {
            escape(value, out);
        }
        CqlType::TinyInt => out.extend(signed::<1>(ty, value)?),
        CqlType::SmallInt => out.extend(signed::<2>(ty, value)?),
        CqlType::Int => out.extend(signed::<4>(ty, value)?),
        CqlType::Timestamp => out.extend(signed::<8>(ty, value)?),
        CqlType::BigInt | CqlType::Counter => {
            integer::push(i64::from_be_bytes(fixed(ty, value)?), out);
        }
        CqlType::Date => out.extend(fixed::<4>(ty, value)?),
        CqlType::Time => out.extend(fixed::<8>(ty, value)?),
        CqlType::Boolean => out.push(u8::from(fixed::<1>(ty, value)? != [0])),
        CqlType::Float => {
            let bits = canonical_f32(f32::from_be_bytes(fixed(ty, value)?)).to_bits();
            let flip = if bits >> 31 == 0 { 1 << 31 } else { u32::MAX };
            out.extend((bits ^ flip).to_be_bytes());
        }
        CqlType::Double => {
            let bits = canonical_f64(f64::from_be_bytes(fixed(ty, value)?)).to_bits();
            let flip = if bits >> 63 == 0 { 1 << 63 } else { u64::MAX };
            out.extend((bits ^ flip).to_be_bytes());
        }
        CqlType::TimeUuid => {
            push_pair(timeuuid_order(&Uuid::from_bytes(fixed(ty, value)?)), out);
        }
        CqlType::Uuid => push_pair(uuid_order(&Uuid::from_bytes(fixed(ty, value)?)), out),
        CqlType::Varint => push_varint(value, out),
        CqlType::Decimal => push_decimal(value, out)?,
        CqlType::List { element: ty, .. } | CqlType::Set { element: ty, .. } => {
            for value in ListIter::parse(value)? {
                element(ty, Some(value), out)?;
            }
            out.push(TERMINATOR);
        }
        CqlType::Map { key, value: ty, .. } => {
            for (k, v) in MapIter::parse(value)? {
                element(key, Some(k), out)?;
                element(ty, Some(v), out)?;
            }
            out.push(TERMINATOR);
        }
        CqlType::Tuple(parts) => push_fields(parts.len(), parts.iter(), value, out)?,
        CqlType::Udt { def, .. } => {
            push_fields(
                def.fields.len(),
                def.fields.iter().map(|(_, ty)| ty),
                value,
                out,
            )?;
        }
        CqlType::Vector {
            element: ty,
            dimensions,
        } => {
            for value in VectorIter::parse(value, *dimensions, ty.vector_element_len())? {
                element(ty, Some(value), out)?;
            }
            out.push(TERMINATOR);
        }
    }
    Ok(())
}

/// Fields up to the last that is not null.
fn push_fields<'t>(
    count: usize,
    types: impl Iterator<Item = &'t CqlType>,
    value: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    let mut end = out.len();
    for (ty, value) in types.zip(TupleIter::parse(value, count)?) {
        element(ty, value, out)?;
        if value.is_some() {
            end = out.len();
        }
    }
    out.truncate(end);
    out.push(TERMINATOR);
    Ok(())
}

fn fixed<const N: usize>(ty: &CqlType, value: &[u8]) -> Result<[u8; N], ValueError> {
    value.try_into().map_err(|_| ValueError::WrongLength {
        ty: ty.kind_name(),
        len: N,
        empty_is_legal: true,
        found: value.len(),
    })
}

fn signed<const N: usize>(ty: &CqlType, value: &[u8]) -> Result<[u8; N], ValueError> {
    let mut bytes = fixed(ty, value)?;
    if let [first, ..] = &mut bytes[..] {
        *first ^= 0x80;
    }
    Ok(bytes)
}

fn push_pair((high, low): (u64, u64), out: &mut Vec<u8>) {
    out.extend_from_slice(&high.to_be_bytes());
    out.extend_from_slice(&low.to_be_bytes());
}

/// Appends `bytes` so that a mark after it ends it and no zero byte in it can be taken for the end.
pub(super) fn escape(bytes: &[u8], out: &mut Vec<u8>) {
    let mut rest = bytes;
    loop {
        let plain = rest
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(rest.len());
        let (before, after) = rest.split_at(plain);
        out.extend_from_slice(before);
        out.push(ESCAPE);
        if after.is_empty() {
            return;
        }
        let zeros = after.iter().take_while(|byte| **byte == 0).count();
        (_, rest) = after.split_at(zeros);
        out.resize(out.len() + zeros - 1, ZERO_MORE);
        if rest.is_empty() {
            out.push(ZERO_MORE);
            return;
        }
        out.push(ZERO_LAST);
    }
}

fn push_varint(value: &[u8], out: &mut Vec<u8>) {
    let digits = varint::digits(value);
    if digits.bytes.len() < LONG_VARINT {
        let small = varint::to_i128(value).and_then(|small| i64::try_from(small).ok());
        return integer::push(small.unwrap_or(0), out);
    }
    let sign = if digits.negative { 0 } else { 0xff };
    out.push(sign);
    let start = out.len();
    vint::push_unsigned((digits.bytes.len() - LONG_VARINT) as u64, out);
    if digits.negative
        && let Some(len) = out.get_mut(start..)
    {
        len.iter_mut().for_each(|byte| *byte = !*byte);
    }
    out.extend_from_slice(digits.bytes);
}

fn push_decimal(value: &[u8], out: &mut Vec<u8>) -> Result<(), ValueError> {
    if crate::decimal::split(value).is_none() {
        return Err(ValueError::invalid(
            "decimal",
            "expected 0 or at least 5 bytes",
        ));
    }
    let Some(parts) = Parts::of(value) else {
        out.push(0x80);
        return Ok(());
    };
    let exponent = if parts.negative {
        -parts.exponent
    } else {
        parts.exponent
    };
    let exponent_bytes = exponent.to_be_bytes();
    let len = 8 - exponent.unsigned_abs().leading_zeros() / 8;
    let sign = if parts.negative { 0_u8 } else { 0x80 };
    #[expect(clippy::cast_possible_truncation, reason = "0 to 8")]
    let len_byte = len as u8;
    out.push(
        sign + if exponent < 0 {
            0x40 - len_byte
        } else {
            0x40 + len_byte
        },
    );
    let (_, exponent_bytes) = exponent_bytes.split_at(8 - len as usize);
    out.extend_from_slice(exponent_bytes);
    push_digits(&parts, out);
    out.push(0);
    Ok(())
}

/// Base-100 digits above 0x80. Of a negative number the first is rounded down, so that the rest add to it.
fn push_digits(parts: &Parts, out: &mut Vec<u8>) {
    let digits = parts.digits();
    if !parts.negative {
        out.extend(digits.iter().map(|digit| 0x80 + digit));
        return;
    }
    let last = digits.len().saturating_sub(1);
    out.extend(digits.iter().enumerate().map(|(at, digit)| match at {
        0 if last == 0 => 0x80 - digit,
        0 => 0x7f - digit,
        _ if at == last => 0x80 + 100 - digit,
        _ => 0x80 + 99 - digit,
    }));
}
