//! Bytes in and out: varints, a bounds-checked reader, and what can be wrong with bytes.
//!
//! A varint is LEB128, at most ten bytes; a signed one is zigzag-mapped first.
//! Reading never allocates and never panics; a count found in the input is compared with the bytes
//! that are left before anything is reserved for it.

use std::fmt;

/// Why bytes are not what they should be. The bytes came from a disk, a log, a peer or a client.
///
/// Nothing was changed. Bytes of a disk or log that passed their checksum and still fail here were
/// written by a newer version or by a defect; bytes of a client are to be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeError {
    /// The bytes end inside `what`.
    Truncated {
        /// The part that was being read.
        what: &'static str,
    },
    /// The first byte names a format this version does not know.
    UnknownFormat {
        /// The thing that was being read.
        what: &'static str,
        /// The format byte found.
        found: u8,
    },
    /// A flag is set that this version does not know.
    UnknownFlags {
        /// The part whose flags they are.
        what: &'static str,
        /// The flags found.
        found: u8,
    },
    /// Entries that must ascend strictly do not.
    NotAscending {
        /// The kind of entry.
        what: &'static str,
    },
    /// A value outside of its range, or two parts that contradict each other.
    Invalid {
        /// The rule that is broken.
        what: &'static str,
    },
    /// Bytes after the end of `what`.
    Trailing {
        /// The thing that was read.
        what: &'static str,
        /// How many bytes are left.
        count: usize,
    },
    /// The checksum does not fit the bytes.
    Checksum {
        /// The thing that was being read.
        what: &'static str,
    },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { what } => write!(f, "the bytes end inside {what}"),
            Self::UnknownFormat { what, found } => write!(
                f,
                "{what} has format {found}, which this version does not know; was it written by a newer one?"
            ),
            Self::UnknownFlags { what, found } => write!(
                f,
                "{what} has flags {found:#04x}, which this version does not know; was it written by a newer one?"
            ),
            Self::NotAscending { what } => write!(f, "{what} are not in ascending order"),
            Self::Invalid { what } => write!(f, "invalid: {what}"),
            Self::Trailing { what, count } => write!(f, "{count} bytes follow {what}"),
            Self::Checksum { what } => write!(f, "the checksum of {what} does not fit"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Appends `value` as LEB128.
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(low_byte(value) | 0x80);
        value >>= 7;
    }
    out.push(low_byte(value));
}

/// Appends `value` zigzag-mapped as LEB128.
pub(crate) fn put_signed(out: &mut Vec<u8>, value: i64) {
    put_varint(
        out,
        (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned(),
    );
}

/// Appends the length of `bytes` as a varint, then `bytes`.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// How many bytes [`put_bytes`] appends.
pub(crate) fn bytes_len(bytes: &[u8]) -> usize {
    varint_len(bytes.len() as u64) + bytes.len()
}

/// How many bytes [`put_varint`] appends.
pub(crate) fn varint_len(value: u64) -> usize {
    // 64 - leading zeros, in groups of seven, at least one.
    let bits = 64 - (value | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

const fn low_byte(value: u64) -> u8 {
    value.to_le_bytes()[0]
}

/// Reads from the front of a slice. `None` means that the bytes ended or a number did not fit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) const fn len(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*taken)
    }

    #[inline]
    pub(crate) fn varint(&mut self) -> Option<u64> {
        let first = self.byte()?;
        if first < 0x80 {
            return Some(u64::from(first));
        }
        self.varint_after(first)
    }

    fn varint_after(&mut self, first: u8) -> Option<u64> {
        let mut value = u64::from(first & 0x7f);
        let mut shift = 7_u32;
        loop {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                return None;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
            shift += 7;
        }
    }

    #[inline]
    pub(crate) fn signed(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// A varint length, then that many bytes.
    #[inline]
    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.varint()?).ok()?;
        self.take(len)
    }

    /// A varint count of entries that take at least `min_bytes` each; refuses one that cannot be true.
    pub(crate) fn count(&mut self, min_bytes: usize) -> Option<usize> {
        let count = usize::try_from(self.varint()?).ok()?;
        (count.checked_mul(min_bytes)? <= self.len()).then_some(count)
    }

    /// Refuses bytes that follow the end of `what`.
    pub(crate) fn finish(&self, what: &'static str) -> Result<(), DecodeError> {
        match self.len() {
            0 => Ok(()),
            count => Err(DecodeError::Trailing { what, count }),
        }
    }
}

/// Turns the `None` of a [`Reader`] into an error that names what was read.
pub(crate) trait OrTruncated<T> {
    fn or_truncated(self, what: &'static str) -> Result<T, DecodeError>;
}

impl<T> OrTruncated<T> for Option<T> {
    fn or_truncated(self, what: &'static str) -> Result<T, DecodeError> {
        self.ok_or(DecodeError::Truncated { what })
    }
}

/// The CRC-32 (IEEE) of `bytes`, a byte at a time: for the few dozen bytes of a paging state.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = 0_u32.wrapping_sub(crc & 1);
            crc = (crc >> 1) ^ (0xedb8_8320 & carry);
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_come_back() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(out.len(), varint_len(value));
            assert_eq!(Reader::new(&out).varint(), Some(value));
            assert_eq!(Reader::new(&out[..out.len() - 1]).varint(), None);
        }
        for value in [0, -1, 1, 63, -64, 64, i64::MIN, i64::MAX] {
            let mut out = Vec::new();
            put_signed(&mut out, value);
            assert_eq!(Reader::new(&out).signed(), Some(value));
        }
    }

    #[test]
    fn varints_above_64_bits_are_refused() {
        let mut eleven = vec![0xff; 10];
        eleven.push(0);
        assert_eq!(Reader::new(&eleven).varint(), None);
        assert_eq!(Reader::new(&[0x80; 3]).varint(), None);
    }

    #[test]
    fn crc_of_the_usual_check_string() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
