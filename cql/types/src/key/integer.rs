//! Signed 64-bit integers in 1 to 9 bytes that order like them.
//!
//! The first bit is the inverted sign; then come as many bits of the same value as bytes follow,
//! one bit of the other value (not in nine bytes), and the two's complement.

/// Appends `value`.
pub(super) fn push(value: i64, out: &mut Vec<u8>) {
    let magnitude = (value ^ (value >> 63)).cast_unsigned();
    let bits = 64 - magnitude.leading_zeros();
    let len = (bits / 7 + 1).min(9);
    let marks = ((1_u128 << len) - 1) << (7 * len);
    let positive = marks | u128::from(magnitude);
    let encoded = if value < 0 { !positive } else { positive };
    let bytes = encoded.to_be_bytes();
    let (_, tail) = bytes.split_at(16 - len as usize);
    out.extend_from_slice(tail);
}

/// How many bytes an integer has that begins with these.
pub(super) fn len(first: u8, second: Option<u8>) -> usize {
    let invert = if first < 0x80 { 0xff } else { 0 };
    match (first ^ invert).leading_ones() {
        8 if second.is_some_and(|second| (second ^ invert) >= 0x80) => 9,
        ones => ones as usize,
    }
}

/// The integer in all of `bytes`, as many as [`len`] said.
pub(super) fn decode(bytes: &[u8]) -> i64 {
    let len = bytes.len().min(9);
    let negative = bytes.first().is_some_and(|first| *first < 0x80);
    let invert = if negative { 0xff } else { 0 };
    let all = bytes
        .iter()
        .fold(0_u128, |acc, byte| (acc << 8) | u128::from(byte ^ invert));
    let magnitude = all & ((1 << (7 * len)) - 1);
    #[expect(clippy::cast_possible_truncation, reason = "at most 63 bits")]
    let magnitude = magnitude as i64;
    if negative { !magnitude } else { magnitude }
}
