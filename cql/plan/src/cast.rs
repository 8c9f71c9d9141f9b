//! CAST: from a number to another kind of number, and from what has a text form to text.

use cql_types::{CqlType, to_literal};

/// Whether a value of one type can become one of the other.
pub(crate) fn can_cast(from: &CqlType, to: &CqlType) -> bool {
    match to {
        CqlType::Text | CqlType::Ascii => {
            number_len(from).is_some()
                || matches!(
                    from,
                    CqlType::Ascii
                        | CqlType::Boolean
                        | CqlType::Decimal
                        | CqlType::TimeUuid
                        | CqlType::Uuid
                        | CqlType::Varint
                )
        }
        _ => number_len(from).is_some() && number_len(to).is_some(),
    }
}

/// The value as one of the other type; none if it is not of its own.
pub(crate) fn cast(from: &CqlType, to: &CqlType, bytes: &[u8]) -> Option<Vec<u8>> {
    match (from, to) {
        (CqlType::Ascii, CqlType::Text) => Some(bytes.to_vec()),
        (_, CqlType::Text | CqlType::Ascii) => Some(to_literal(from, bytes).into_bytes()),
        _ => Some(encode(Number::decode(from, bytes)?, to)),
    }
}

/// A number of one of the types of fixed length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Number {
    /// `tinyint` to `bigint`.
    Whole(i64),
    /// `float` and `double`.
    Broken(f64),
}

impl Number {
    /// The number in serialized bytes.
    pub(crate) fn decode(ty: &CqlType, bytes: &[u8]) -> Option<Self> {
        Some(match ty {
            CqlType::TinyInt => Self::Whole(i8::from_be_bytes(bytes.try_into().ok()?).into()),
            CqlType::SmallInt => Self::Whole(i16::from_be_bytes(bytes.try_into().ok()?).into()),
            CqlType::Int => Self::Whole(i32::from_be_bytes(bytes.try_into().ok()?).into()),
            CqlType::BigInt => Self::Whole(i64::from_be_bytes(bytes.try_into().ok()?)),
            CqlType::Float => Self::Broken(f32::from_be_bytes(bytes.try_into().ok()?).into()),
            CqlType::Double => Self::Broken(f64::from_be_bytes(bytes.try_into().ok()?)),
            _ => return None,
        })
    }
}

/// Whether it is one of the types of [`Number`], and how long its values are.
pub(crate) fn number_len(ty: &CqlType) -> Option<usize> {
    match ty {
        CqlType::TinyInt => Some(1),
        CqlType::SmallInt => Some(2),
        CqlType::Int | CqlType::Float => Some(4),
        CqlType::BigInt | CqlType::Double => Some(8),
        _ => None,
    }
}

/// A number as a value of a type: whole numbers keep their low bytes, broken ones end at the limits.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "that is what a cast does"
)]
pub(crate) fn encode(number: Number, to: &CqlType) -> Vec<u8> {
    match (to, number) {
        (CqlType::Float, Number::Whole(whole)) => (whole as f32).to_be_bytes().to_vec(),
        (CqlType::Float, Number::Broken(broken)) => (broken as f32).to_be_bytes().to_vec(),
        (CqlType::Double, Number::Whole(whole)) => (whole as f64).to_be_bytes().to_vec(),
        (CqlType::Double, Number::Broken(broken)) => broken.to_be_bytes().to_vec(),
        (_, Number::Whole(whole)) => low_bytes(whole, to),
        (CqlType::BigInt, Number::Broken(broken)) => low_bytes(broken as i64, to),
        (_, Number::Broken(broken)) => low_bytes((broken as i32).into(), to),
    }
}

fn low_bytes(whole: i64, to: &CqlType) -> Vec<u8> {
    let len = number_len(to).unwrap_or(8);
    let bytes = whole.to_be_bytes();
    bytes.get(bytes.len() - len..).unwrap_or_default().to_vec()
}
