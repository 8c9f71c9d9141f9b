//! Text to serialized bytes and back: what stands in a CQL statement.
//!
//! Collections, tuples, UDTs and vectors have a grammar of their own, which `cql-syntax` reads;
//! [`parse_scalar`] gets the text of one constant, without quotes.

use crate::collections::{ListIter, MapIter, TupleIter, VectorIter};
use crate::compare::{canonical_f32, canonical_f64};
use crate::duration::CqlDuration;
use crate::error::ValueError;
use crate::identifier::quoted;
use crate::ty::{CqlType, scalar};
use crate::validate::validate;
use crate::{decimal, temporal};
use num_bigint::BigInt;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use uuid::Uuid;

/// The serialized value of a scalar type from the text of a constant: the inside of a string, or the digits,
/// words and signs of a number, boolean, UUID, blob (`0x…` or bare hex) or duration.
///
/// Empty text is an empty value where the type has one, and false for `boolean`.
///
/// # Errors
/// Text that the type does not have; any text for a type that is not a scalar.
pub fn parse_scalar(ty: &CqlType, text: &str) -> Result<Vec<u8>, ValueError> {
    let kind = ty.kind_name();
    let error = |what: &'static str| ValueError::text(kind, text, what);
    if text.is_empty() && !matches!(ty, CqlType::Boolean) && ty.is_scalar() {
        validate(ty, &[]).map_err(|_| error("the type has no empty value"))?;
        return Ok(Vec::new());
    }
    let bytes = match ty {
        CqlType::Text => text.as_bytes().to_vec(),
        CqlType::Ascii => match text.is_ascii() {
            true => text.as_bytes().to_vec(),
            false => return Err(error("a character above 127")),
        },
        CqlType::TinyInt => integer::<i8>(kind, text)?.to_be_bytes().to_vec(),
        CqlType::SmallInt => integer::<i16>(kind, text)?.to_be_bytes().to_vec(),
        CqlType::Int => integer::<i32>(kind, text)?.to_be_bytes().to_vec(),
        CqlType::BigInt | CqlType::Counter => integer::<i64>(kind, text)?.to_be_bytes().to_vec(),
        CqlType::Varint => {
            let value = decimal::parse_integer(text).ok_or_else(|| error("expected an integer"))?;
            value.to_signed_bytes_be()
        }
        CqlType::Decimal => {
            let (scale, unscaled) = decimal::parse(text)?;
            let mut out = Vec::new();
            decimal::write(scale, &unscaled, &mut out);
            out
        }
        CqlType::Float => canonical_f32(float(kind, text)?).to_be_bytes().to_vec(),
        CqlType::Double => canonical_f64(float(kind, text)?).to_be_bytes().to_vec(),
        CqlType::Boolean => match text {
            "" => vec![0],
            _ if text.eq_ignore_ascii_case("false") => vec![0],
            _ if text.eq_ignore_ascii_case("true") => vec![1],
            _ => return Err(error("expected true or false")),
        },
        CqlType::Blob => hex(text).ok_or_else(|| error("expected an even number of hex digits"))?,
        CqlType::Date => temporal::parse_date(text)?.to_be_bytes().to_vec(),
        CqlType::Time => temporal::parse_time(text)?.to_be_bytes().to_vec(),
        CqlType::Timestamp => temporal::parse_timestamp(text)?.to_be_bytes().to_vec(),
        CqlType::Duration => {
            let mut out = Vec::new();
            CqlDuration::parse(text)?.write(&mut out);
            out
        }
        CqlType::Inet => inet(text).ok_or_else(|| error("expected an IPv4 or IPv6 address"))?,
        CqlType::Uuid => uuid(kind, text)?.into_bytes().to_vec(),
        CqlType::TimeUuid => {
            let uuid = uuid(kind, text)?;
            if uuid.get_version_num() != 1 {
                return Err(error("TimeUUID supports only version 1 UUIDs"));
            }
            uuid.into_bytes().to_vec()
        }
        CqlType::List { .. }
        | CqlType::Set { .. }
        | CqlType::Map { .. }
        | CqlType::Tuple(_)
        | CqlType::Udt { .. }
        | CqlType::Vector { .. } => {
            return Err(ValueError::WrongKind {
                expected: kind,
                found: "constant",
            });
        }
    };
    Ok(bytes)
}

/// The CQL literal of a serialized value: `'it''s'`, `0xcafe`, `{1: 'a'}`, `{name: 'x', age: null}`.
/// Parses back to the same bytes where the type has one way to write a value, else to an equal value.
///
/// An empty value of a type that is not text or blob is `blob_as_<type>(0x)`;
/// bytes that are not of the type come out as a blob.
#[must_use]
pub fn to_literal(ty: &CqlType, bytes: &[u8]) -> String {
    let mut out = String::new();
    match validate(ty, bytes) {
        Ok(()) => push_literal(ty, bytes, &mut out),
        Err(_) => push_hex(bytes, &mut out),
    }
    out
}

fn push_literal(ty: &CqlType, bytes: &[u8], out: &mut String) {
    match ty {
        CqlType::List { element, .. } => {
            push_sequence('[', ']', ListIter::trusted(bytes), out, |bytes, out| {
                push_literal(element, bytes, out);
            });
        }
        CqlType::Set { element, .. } => {
            push_sequence('{', '}', ListIter::trusted(bytes), out, |bytes, out| {
                push_literal(element, bytes, out);
            });
        }
        CqlType::Map { key, value, .. } => {
            push_sequence('{', '}', MapIter::trusted(bytes), out, |(k, v), out| {
                push_literal(key, k, out);
                out.push_str(": ");
                push_literal(value, v, out);
            });
        }
        CqlType::Tuple(parts) => {
            let fields = parts.iter().zip(TupleIter::trusted(bytes));
            push_sequence('(', ')', fields, out, |(ty, bytes), out| {
                push_field(ty, bytes, out)
            });
        }
        CqlType::Udt { def, .. } => {
            let fields = def.fields.iter().zip(TupleIter::trusted(bytes));
            push_sequence('{', '}', fields, out, |((name, ty), bytes), out| {
                out.push_str(&quoted(name));
                out.push_str(": ");
                push_field(ty, bytes, out);
            });
        }
        CqlType::Vector {
            element,
            dimensions,
        } => {
            let elements = VectorIter::trusted(bytes, *dimensions, element.vector_element_len());
            push_sequence('[', ']', elements, out, |bytes, out| {
                push_literal(element, bytes, out)
            });
        }
        scalar!() => push_scalar(ty, bytes, out),
    }
}

/// A valid scalar.
fn push_scalar(ty: &CqlType, bytes: &[u8], out: &mut String) {
    match ty {
        CqlType::Ascii | CqlType::Text => push_quoted(&String::from_utf8_lossy(bytes), out),
        CqlType::Blob => push_hex(bytes, out),
        other if bytes.is_empty() => {
            out.push_str("blob_as_");
            out.push_str(other.kind_name());
            out.push_str("(0x)");
        }
        other => out.push_str(&scalar_text(other, bytes)),
    }
}

fn push_field(ty: &CqlType, bytes: Option<&[u8]>, out: &mut String) {
    match bytes {
        Some(bytes) => push_literal(ty, bytes, out),
        None => out.push_str("null"),
    }
}

fn push_sequence<T>(
    open: char,
    close: char,
    items: impl Iterator<Item = T>,
    out: &mut String,
    mut push: impl FnMut(T, &mut String),
) {
    out.push(open);
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        push(item, out);
    }
    out.push(close);
}

/// The literal of a valid, non-empty scalar that is not text or blob.
fn scalar_text(ty: &CqlType, bytes: &[u8]) -> String {
    let number = || {
        bytes
            .iter()
            .fold(sign_of(bytes), |acc, byte| (acc << 8) | i64::from(*byte))
    };
    match ty {
        CqlType::BigInt
        | CqlType::Counter
        | CqlType::Int
        | CqlType::SmallInt
        | CqlType::TinyInt => number().to_string(),
        CqlType::Boolean => (number() != 0).to_string(),
        CqlType::Date => {
            let date = bytes
                .first_chunk()
                .map_or(0, |bytes| u32::from_be_bytes(*bytes));
            format!("'{}'", temporal::date_text(date))
        }
        CqlType::Time => format!("'{}'", temporal::time_text(number())),
        CqlType::Timestamp => {
            let text = temporal::timestamp_text(number());
            match text.ends_with('Z') {
                true => format!("'{text}'"),
                false => text,
            }
        }
        CqlType::Float => {
            let value = bytes
                .first_chunk()
                .map_or(0.0, |bytes| f32::from_be_bytes(*bytes));
            float_text(
                value.is_nan(),
                value.is_infinite(),
                value > 0.0,
                format!("{value:?}"),
            )
        }
        CqlType::Double => {
            let value = bytes
                .first_chunk()
                .map_or(0.0, |bytes| f64::from_be_bytes(*bytes));
            float_text(
                value.is_nan(),
                value.is_infinite(),
                value > 0.0,
                format!("{value:?}"),
            )
        }
        CqlType::Varint => BigInt::from_signed_bytes_be(bytes).to_string(),
        CqlType::Decimal => decimal::split(bytes).map_or_else(String::new, |(scale, unscaled)| {
            decimal::to_text(scale, &BigInt::from_signed_bytes_be(unscaled))
        }),
        CqlType::Duration => CqlDuration::from_bytes(bytes)
            .unwrap_or_default()
            .to_string(),
        CqlType::Inet => match (<[u8; 4]>::try_from(bytes), <[u8; 16]>::try_from(bytes)) {
            (Ok(v4), _) => format!("'{}'", Ipv4Addr::from(v4)),
            (_, Ok(v6)) => format!("'{}'", Ipv6Addr::from(v6)),
            _ => String::new(),
        },
        CqlType::TimeUuid | CqlType::Uuid => {
            Uuid::from_slice(bytes).unwrap_or_default().to_string()
        }
        CqlType::Ascii
        | CqlType::Blob
        | CqlType::Text
        | CqlType::List { .. }
        | CqlType::Set { .. }
        | CqlType::Map { .. }
        | CqlType::Tuple(_)
        | CqlType::Udt { .. }
        | CqlType::Vector { .. } => String::new(),
    }
}

const fn sign_of(bytes: &[u8]) -> i64 {
    match bytes {
        [first, ..] if *first >= 0x80 => -1,
        _ => 0,
    }
}

fn float_text(is_nan: bool, is_infinite: bool, is_positive: bool, digits: String) -> String {
    match (is_nan, is_infinite, is_positive) {
        (true, _, _) => "NaN".to_owned(),
        (_, true, true) => "Infinity".to_owned(),
        (_, true, false) => "-Infinity".to_owned(),
        _ => digits,
    }
}

fn push_quoted(text: &str, out: &mut String) {
    out.push('\'');
    for c in text.chars() {
        if c == '\'' {
            out.push('\'');
        }
        out.push(c);
    }
    out.push('\'');
}

fn push_hex(bytes: &[u8], out: &mut String) {
    out.push_str("0x");
    for byte in bytes {
        let _ = write!(out, "{byte:02x}"); // writing to a string cannot fail
    }
}

fn integer<T: FromStr>(kind: &'static str, text: &str) -> Result<T, ValueError> {
    text.parse().map_err(|_| {
        ValueError::text(
            kind,
            text,
            "expected an integer within the range of the type",
        )
    })
}

/// Digits, or the words NaN and Infinity in any case.
fn float<T: FromStr>(kind: &'static str, text: &str) -> Result<T, ValueError> {
    let error = || ValueError::text(kind, text, "expected a number, NaN or Infinity");
    let word = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = word
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    match is_number || word.eq_ignore_ascii_case("nan") || word.eq_ignore_ascii_case("infinity") {
        true => text.parse().map_err(|_| error()),
        false => Err(error()),
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .unwrap_or(text);
    let (pairs, []) = digits.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    pairs
        .iter()
        .map(|[high, low]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok())
        .collect()
}

/// An IPv4 address written as IPv6 is stored as IPv4.
fn inet(text: &str) -> Option<Vec<u8>> {
    match text.parse().ok()? {
        IpAddr::V4(v4) => Some(v4.octets().to_vec()),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => Some(v4.octets().to_vec()),
            None => Some(v6.octets().to_vec()),
        },
    }
}

/// Only the form with hyphens.
fn uuid(kind: &'static str, text: &str) -> Result<Uuid, ValueError> {
    let parsed = if text.len() == 36 {
        Uuid::try_parse(text).ok()
    } else {
        None
    };
    parsed.ok_or_else(|| {
        ValueError::text(kind, text, "expected xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")
    })
}
