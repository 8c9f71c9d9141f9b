//! `decimal`: i32 scale and an unscaled integer, worth unscaled × 10^-scale.
//!
//! For order and keys a decimal is taken apart into a sign, base-100 digits without leading or trailing zeros,
//! and an exponent: value = ± 0.d0d1d2… × 100^exponent. Equal values, as 1.0 and 1.00, have equal parts.
//! Unscaled integers of up to 15 bytes are taken apart without allocating.

use crate::error::ValueError;
use crate::varint;
use num_bigint::{BigInt, BigUint, Sign};
use std::cmp::Ordering;

/// Scale and unscaled bytes of a serialized decimal; `None` if there are no digits at all.
pub(crate) fn split(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (scale, unscaled) = bytes.split_first_chunk::<4>()?;
    match unscaled {
        [] => None,
        _ => Some((i32::from_be_bytes(*scale), unscaled)),
    }
}

/// The base-100 digits of a decimal that is not zero.
pub(crate) struct Parts {
    pub(crate) negative: bool,
    /// value = ± 0.d0d1d2… × 100^exponent
    pub(crate) exponent: i64,
    digits: Digits,
}

enum Digits {
    Few { digits: [u8; 20], len: usize },
    Many(Vec<u8>),
}

impl Parts {
    /// Takes a serialized decimal apart; `None` if it is zero (or malformed, which counts as zero).
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let (scale, unscaled) = split(bytes)?;
        let odd = scale.rem_euclid(2) != 0;
        let half_scale = (i64::from(scale) + i64::from(odd)) / 2;
        let (negative, mut digits) = match varint::to_i128(unscaled) {
            Some(0) => return None,
            Some(small) => (
                small < 0,
                Digits::few(small.unsigned_abs() * if odd { 10 } else { 1 }),
            ),
            None => {
                let (sign, magnitude) = BigInt::from_signed_bytes_be(unscaled).into_parts();
                let magnitude = if odd { magnitude * 10_u8 } else { magnitude };
                (
                    sign == Sign::Minus,
                    Digits::Many(magnitude.to_radix_be(100)),
                )
            }
        };
        let exponent = digits.as_slice().len() as i64 - half_scale;
        digits.strip_trailing_zeros();
        Some(Self {
            negative,
            exponent,
            digits,
        })
    }

    /// The digits 0 to 99, largest first; neither the first nor the last is 0.
    pub(crate) fn digits(&self) -> &[u8] {
        self.digits.as_slice()
    }
}

impl Digits {
    fn few(mut magnitude: u128) -> Self {
        let mut digits = [0; 20];
        let mut len = 0;
        for digit in digits.iter_mut().rev() {
            if magnitude == 0 {
                break;
            }
            let low = (magnitude % 100) as u8;
            *digit = low;
            magnitude /= 100;
            len += 1;
        }
        digits.rotate_left(20 - len);
        Self::Few { digits, len }
    }

    fn as_slice(&self) -> &[u8] {
        match self {
            Self::Few { digits, len } => digits.get(..*len).unwrap_or(digits),
            Self::Many(digits) => digits,
        }
    }

    fn strip_trailing_zeros(&mut self) {
        let zeros = self
            .as_slice()
            .iter()
            .rev()
            .take_while(|digit| **digit == 0)
            .count();
        match self {
            Self::Few { len, .. } => *len -= zeros,
            Self::Many(digits) => digits.truncate(digits.len() - zeros),
        }
    }
}

/// The order of two serialized decimals that are not empty.
pub(crate) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (Some((scale_a, unscaled_a)), Some((scale_b, unscaled_b))) = (split(a), split(b)) else {
        return a.len().cmp(&b.len()); // not valid; any order does
    };
    if scale_a == scale_b {
        return varint::compare(unscaled_a, unscaled_b);
    }
    if let Some(order) = by_sign_or_size(scale_a, unscaled_a, scale_b, unscaled_b) {
        return order;
    }
    if varint::to_i128(unscaled_a).is_none() || varint::to_i128(unscaled_b).is_none() {
        return compare_multiplied(scale_a, unscaled_a, scale_b, unscaled_b);
    }
    match (Parts::of(a), Parts::of(b)) {
        (None, None) => Ordering::Equal,
        (Some(a), None) => negative_first(a.negative),
        (None, Some(b)) => negative_first(b.negative).reverse(),
        (Some(a), Some(b)) => {
            let sizes = a
                .exponent
                .cmp(&b.exponent)
                .then_with(|| a.digits().cmp(b.digits()));
            if a.negative { sizes.reverse() } else { sizes }
        }
    }
}

/// The order of decimals of about the same size, of which one is large: brings both to the larger scale.
/// Costs a multiplication of that size; taking them apart would cost its square.
fn compare_multiplied(scale_a: i32, a: &[u8], scale_b: i32, b: &[u8]) -> Ordering {
    let (a, b) = (
        BigInt::from_signed_bytes_be(a),
        BigInt::from_signed_bytes_be(b),
    );
    let power = |zeros: u32| BigInt::from(10).pow(zeros);
    match scale_a < scale_b {
        true => (a * power(scale_b.abs_diff(scale_a))).cmp(&b),
        false => a.cmp(&(b * power(scale_a.abs_diff(scale_b)))),
    }
}

const fn negative_first(negative: bool) -> Ordering {
    if negative {
        Ordering::Less
    } else {
        Ordering::Greater
    }
}

/// The order, if signs or rough sizes decide; else the scales differ by no more than there are digits.
fn by_sign_or_size(scale_a: i32, a: &[u8], scale_b: i32, b: &[u8]) -> Option<Ordering> {
    let (a, b) = (varint::digits(a), varint::digits(b));
    if a.negative != b.negative {
        return Some(negative_first(a.negative));
    }
    match (a.bytes == [0], b.bytes == [0]) {
        (false, false) => {}
        // None is negative, else the signs would differ.
        (a_is_zero, b_is_zero) => return Some(b_is_zero.cmp(&a_is_zero)),
    }
    // 256^(n-1) <= |x| + 1 <= 256^n, and 2.40 < log10(256) < 2.41: bounds of the decimal exponent, in hundredths.
    let bounds = |len: usize, scale: i32| {
        let (len, scale) = (len as i128, i128::from(scale) * 100);
        ((len - 1) * 240 - 100 - scale, len * 241 + 100 - scale)
    };
    let (low_a, high_a) = bounds(a.bytes.len(), scale_a);
    let (low_b, high_b) = bounds(b.bytes.len(), scale_b);
    let sizes = if high_a < low_b {
        Ordering::Less
    } else if high_b < low_a {
        Ordering::Greater
    } else {
        return None;
    };
    Some(if a.negative { sizes.reverse() } else { sizes })
}

/// Serialized form from scale and unscaled value.
pub(crate) fn write(scale: i32, unscaled: &BigInt, out: &mut Vec<u8>) {
    out.extend_from_slice(&scale.to_be_bytes());
    out.extend_from_slice(&unscaled.to_signed_bytes_be());
}

/// The decimal of given parts, with the fewest digits that its scale allows; `None` if no decimal is worth this.
pub(crate) fn from_parts(negative: bool, exponent: i64, digits: &[u8]) -> Option<(i32, BigInt)> {
    let mut magnitude = BigUint::from_radix_be(digits, 100)?;
    let mut scale = (digits.len() as i64)
        .checked_sub(exponent)?
        .checked_mul(2)?;
    if digits.last().is_some_and(|last| last % 10 == 0) {
        magnitude /= 10_u8;
        scale -= 1;
    }
    let zeros = i64::from(i32::MIN) - scale;
    if zeros > 0 {
        // Only a key of nearly this many bytes can ask for so many zeros.
        let zeros = u32::try_from(zeros).ok().filter(|zeros| *zeros < 1 << 18)?;
        magnitude *= BigUint::from(10_u8).pow(zeros);
        scale = i64::from(i32::MIN);
    }
    let sign = if negative { Sign::Minus } else { Sign::Plus };
    Some((
        i32::try_from(scale).ok()?,
        BigInt::from_biguint(sign, magnitude),
    ))
}

/// Reads `12`, `-1.50`, `.5`, `1E-40`.
pub(crate) fn parse(text: &str) -> Result<(i32, BigInt), ValueError> {
    let error = |what: &'static str| ValueError::text("decimal", text, what);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let exponent: i64 = match exponent {
        None => 0,
        Some(digits) => digits
            .parse()
            .map_err(|_| error("expected an exponent after E"))?,
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(error("expected digits after the point"));
    }
    let unscaled = parse_integer(&digits).ok_or_else(|| error("expected a decimal number"))?;
    let scale = (fraction.len() as i64).checked_sub(exponent);
    let scale = scale.and_then(|scale| i32::try_from(scale).ok());
    Ok((
        scale.ok_or_else(|| error("the exponent is out of range"))?,
        unscaled,
    ))
}

/// Reads an integer of any size, with an optional sign.
pub(crate) fn parse_integer(text: &str) -> Option<BigInt> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    match !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => BigInt::parse_bytes(text.strip_prefix('+').unwrap_or(text).as_bytes(), 10),
        false => None,
    }
}

/// `-1.50`, or `-150E+40` where the scale asks for many zeros; parses back to the same scale and digits.
pub(crate) fn to_text(scale: i32, unscaled: &BigInt) -> String {
    const ZEROS_MAX: usize = 6;
    let digits = unscaled.magnitude().to_string();
    let sign = if unscaled.sign() == Sign::Minus {
        "-"
    } else {
        ""
    };
    match usize::try_from(scale) {
        Ok(0) => format!("{sign}{digits}"),
        Ok(scale) if scale < digits.len() => {
            let (whole, fraction) = digits.split_at(digits.len() - scale);
            format!("{sign}{whole}.{fraction}")
        }
        Ok(scale) if scale - digits.len() < ZEROS_MAX => {
            format!("{sign}0.{digits:0>scale$}")
        }
        _ => format!("{sign}{digits}E{}", -i64::from(scale)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn serialized(text: &str) -> Vec<u8> {
        let (scale, unscaled) = parse(text).unwrap();
        let mut out = Vec::new();
        write(scale, &unscaled, &mut out);
        out
    }

    #[rstest]
    #[case("0", 0, 0)]
    #[case("-1E-40", 40, -1)]
    #[case("1.50", 2, 150)]
    #[case("+1.5e1", 0, 15)]
    #[case(".5", 1, 5)]
    #[case("5.", 0, 5)]
    #[case("1E2147483648", i32::MIN, 1)]
    fn text_to_parts(#[case] text: &str, #[case] scale: i32, #[case] unscaled: i64) {
        assert_eq!(parse(text), Ok((scale, BigInt::from(unscaled))));
        let written = to_text(scale, &BigInt::from(unscaled));
        assert_eq!(parse(&written), Ok((scale, BigInt::from(unscaled))));
    }

    #[rstest]
    #[case("")]
    #[case(".")]
    #[case("1E")]
    #[case("1.-5")]
    #[case("--1")]
    #[case("1_0")]
    #[case("NaN")]
    #[case("1E2147483649")]
    #[case("1E99999999999999999999")]
    fn other_text_is_refused(#[case] text: &str) {
        assert!(parse(text).is_err());
    }

    #[test]
    fn sizes_decide_without_writing_out_zeros() {
        let order = [
            "-1E2000000000",
            "-2",
            "-1E-2000000000",
            "0",
            "1E-2000000000",
            "1E-1",
            "0.11",
            "99",
            "100",
            "1E2000000000",
        ];
        for (at, a) in order.iter().enumerate() {
            for (bt, b) in order.iter().enumerate() {
                assert_eq!(
                    compare(&serialized(a), &serialized(b)),
                    at.cmp(&bt),
                    "{a} {b}"
                );
            }
        }
        assert_eq!(
            compare(&serialized("1.0"), &serialized("1.00")),
            Ordering::Equal
        );
        assert_eq!(
            compare(&serialized("0.0"), &serialized("0")),
            Ordering::Equal
        );
    }

    proptest! {
        #[test]
        fn compare_agrees_with_arithmetic(
            a in prop::collection::vec(any::<u8>(), 1..24), scale_a in -30..30_i32,
            b in prop::collection::vec(any::<u8>(), 1..24), scale_b in -30..30_i32,
        ) {
            let bytes = |scale: i32, unscaled: &[u8]| [&scale.to_be_bytes()[..], unscaled].concat();
            let whole = |scale: i32, unscaled: &[u8]| {
                BigInt::from_signed_bytes_be(unscaled) * BigInt::from(10).pow((30 - scale).unsigned_abs())
            };
            let (left, right) = (bytes(scale_a, &a), bytes(scale_b, &b));
            let expected = whole(scale_a, &a).cmp(&whole(scale_b, &b));
            prop_assert_eq!(compare(&left, &right), expected);
        }

        #[test]
        fn parts_and_back(unscaled in prop::collection::vec(any::<u8>(), 1..24), scale: i32) {
            let bytes = [&scale.to_be_bytes()[..], &unscaled].concat();
            if let Some(parts) = Parts::of(&bytes) {
                let (scale, unscaled) = from_parts(parts.negative, parts.exponent, parts.digits()).unwrap();
                let mut again = Vec::new();
                write(scale, &unscaled, &mut again);
                prop_assert_eq!(compare(&bytes, &again), Ordering::Equal);
            }
        }
    }
}
