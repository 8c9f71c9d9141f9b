//! Values that are the store's own: numbers, and the lengths inside of cut lists.
//!
//! Rows, partition headers and chunks of range tombstones have the bytes that `cql_mutation` gives them.

use crate::error::StorageError;
use crate::log::frame::{u32_at, u64_at};

/// The format byte of a cut list.
pub(crate) const CUT_LIST: u8 = 65;
/// The format byte of a number.
const NUMBER: u8 = 66;

/// A chunk of range tombstones is at most this long, unless one tombstone is longer.
pub(crate) const CHUNK_BYTES: usize = 4096;

/// Appends a length and the bytes.
pub(crate) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    // Keys and values are far below 4 GiB; a longer one could not have been accepted.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(bytes);
}

/// The inverse of [`put_bytes`]; moves `at` behind it.
pub(crate) fn take_bytes<'a>(bytes: &'a [u8], at: &mut usize) -> Option<&'a [u8]> {
    let length = u32_at(bytes, *at)? as usize;
    let start = *at + 4;
    let taken = bytes.get(start..start.checked_add(length)?)?;
    *at = start + length;
    Some(taken)
}

pub(crate) fn encode_number(number: u64) -> [u8; 9] {
    let mut out = [NUMBER; 9];
    out[1..].copy_from_slice(&number.to_le_bytes());
    out
}

pub(crate) fn decode_number(value: &[u8]) -> Result<u64, StorageError> {
    match (value.first(), u64_at(value, 1), value.len()) {
        (Some(&NUMBER), Some(number), 9) => Ok(number),
        _ => Err(StorageError::corrupt("a number of the store")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back() {
        assert_eq!(decode_number(&encode_number(u64::MAX)).unwrap(), u64::MAX);
        assert!(decode_number(&[NUMBER, 1]).is_err());
    }

    #[test]
    fn lengths_are_checked() {
        let mut out = Vec::new();
        put_bytes(b"abc", &mut out);
        let mut at = 0;
        assert_eq!(take_bytes(&out, &mut at), Some(b"abc".as_slice()));
        assert_eq!(at, out.len());
        assert_eq!(take_bytes(&out[..6], &mut 0), None);
        assert_eq!(take_bytes(&[0xff; 4], &mut 0), None);
    }
}
