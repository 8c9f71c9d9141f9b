//! Variable-length integers of the protocol: as many leading one bits as bytes follow.

/// Takes an unsigned integer off the front of `bytes`; `None` if they are cut short.
pub(crate) fn take_unsigned(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let extra = first.leading_ones();
    let (more, rest) = rest.split_at_checked(extra as usize)?;
    let start = match extra {
        0..=7 => u64::from(*first) & (0x7f >> extra),
        _ => 0,
    };
    let value = more
        .iter()
        .fold(start, |acc, byte| (acc << 8) | u64::from(*byte));
    Some((value, rest))
}

/// Takes a signed integer, zigzag: 0, -1, 1, -2 are 0, 1, 2, 3.
pub(crate) fn take_signed(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let (zigzag, rest) = take_unsigned(bytes)?;
    let value = (zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed();
    Some((value, rest))
}

/// Appends an unsigned integer in its shortest form.
pub(crate) fn push_unsigned(value: u64, out: &mut Vec<u8>) {
    let bits = 64 - value.leading_zeros();
    let extra = (bits.max(1) - 1) / 7; // each byte carries seven bits, the ninth all eight
    let extra = extra.min(8);
    let bytes = value.to_be_bytes();
    if extra == 8 {
        out.push(0xff);
        out.extend_from_slice(&bytes);
        return;
    }
    let (_, tail) = bytes.split_at(7 - extra as usize);
    let mark = !(0xff_u8 >> extra);
    out.extend_from_slice(tail);
    let at = out.len() - tail.len();
    if let Some(first) = out.get_mut(at) {
        *first |= mark;
    }
}

/// Bytes that [`push_unsigned`] appends.
pub(crate) const fn len_unsigned(value: u64) -> usize {
    let bits = 64 - value.leading_zeros() as usize;
    match bits {
        0 => 1,
        57.. => 9,
        bits => bits.div_ceil(7),
    }
}

/// Appends a signed integer, zigzag.
pub(crate) fn push_signed(value: i64, out: &mut Vec<u8>) {
    push_unsigned(((value << 1) ^ (value >> 63)).cast_unsigned(), out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, &[0])]
    #[case(127, &[0x7f])]
    #[case(128, &[0x80, 0x80])]
    #[case(16_383, &[0xbf, 0xff])]
    #[case(16_384, &[0xc0, 0x40, 0x00])]
    #[case((1 << 56) - 1, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])]
    #[case(1 << 56, &[0xff, 1, 0, 0, 0, 0, 0, 0, 0])]
    #[case(u64::MAX, &[0xff; 9])]
    fn known_bytes(#[case] value: u64, #[case] bytes: &[u8]) {
        let mut out = Vec::new();
        push_unsigned(value, &mut out);
        assert_eq!(out, bytes);
        assert_eq!(len_unsigned(value), bytes.len());
    }

    proptest! {
        #[test]
        fn round_trip(value: i64, shift in 0..64_u32) {
            let value = value >> shift;
            let mut out = Vec::new();
            push_signed(value, &mut out);
            prop_assert_eq!(take_signed(&out), Some((value, &[][..])));
            out.pop();
            prop_assert_eq!(take_signed(&out), None);
        }
    }
}
