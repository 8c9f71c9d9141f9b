//! Integers of any size as serialized: two's complement, big-endian, possibly padded.
//!
//! Order and key encoding work on the bytes and allocate nothing, whatever the size.

use std::cmp::Ordering;

/// An integer split into its sign and the digits that count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digits<'a> {
    pub(crate) negative: bool,
    /// Without leading bytes that only repeat the sign; at least one byte, unless the input is empty.
    pub(crate) bytes: &'a [u8],
}

/// Drops the padding of a serialized integer. `00 ff` becomes `ff`, positive.
pub(crate) fn digits(bytes: &[u8]) -> Digits<'_> {
    let negative = bytes.first().is_some_and(|first| *first >= 0x80);
    let sign = if negative { 0xff } else { 0 };
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        if *first != sign || tail.is_empty() {
            break;
        }
        rest = tail;
    }
    Digits {
        negative,
        bytes: rest,
    }
}

/// The order of two serialized integers.
pub(crate) fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (digits(a), digits(b));
    match (a.negative, b.negative) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => by_len(&a, &b).then_with(|| a.bytes.cmp(b.bytes)),
        (true, true) => by_len(&b, &a).then_with(|| a.bytes.cmp(b.bytes)),
    }
}

fn by_len(a: &Digits<'_>, b: &Digits<'_>) -> Ordering {
    a.bytes.len().cmp(&b.bytes.len())
}

/// The integer, if its digits fit into 15 bytes (so that it can still be multiplied by ten).
pub(crate) fn to_i128(bytes: &[u8]) -> Option<i128> {
    let Digits { negative, bytes } = digits(bytes);
    if bytes.len() > 15 {
        return None;
    }
    let start = if negative { -1 } else { 0 };
    Some(
        bytes
            .iter()
            .fold(start, |acc, byte| (acc << 8) | i128::from(*byte)),
    )
}

/// The shortest serialized form of what [`digits`] gave.
pub(crate) fn push_minimal(negative: bool, bytes: &[u8], out: &mut Vec<u8>) {
    match bytes.first() {
        Some(first) if (*first >= 0x80) == negative => {}
        _ if negative => out.push(0xff),
        _ => out.push(0),
    }
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use num_bigint::BigInt;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn order_and_digits_agree_with_arithmetic(
            a in prop::collection::vec(prop_oneof![Just(0_u8), Just(0xff), any::<u8>()], 1..20),
            b in prop::collection::vec(prop_oneof![Just(0_u8), Just(0xff), any::<u8>()], 1..20),
        ) {
            let (big_a, big_b) = (BigInt::from_signed_bytes_be(&a), BigInt::from_signed_bytes_be(&b));
            prop_assert_eq!(compare(&a, &b), big_a.cmp(&big_b));
            let parts = digits(&a);
            let mut minimal = Vec::new();
            push_minimal(parts.negative, parts.bytes, &mut minimal);
            prop_assert_eq!(&minimal, &big_a.to_signed_bytes_be());
            if let Some(small) = to_i128(&a) {
                prop_assert_eq!(BigInt::from(small), big_a);
            }
        }
    }
}
