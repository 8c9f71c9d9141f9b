//! Writing the primitive notations of the protocol.
//!
//! Lengths that do not fit cut text off at a character, and bytes at the limit: both are checked
//! where they enter (names, statements, values), so here it only has to be harmless.

use std::net::{IpAddr, SocketAddr};

use bytes::{BufMut, BytesMut};

const SHORT: usize = 65_535;
const INT: usize = 2_147_483_647;

pub(crate) fn string(out: &mut BytesMut, text: &str) {
    let text = cut(text, SHORT);
    out.put_u16(u16::try_from(text.len()).unwrap_or(u16::MAX));
    out.put_slice(text.as_bytes());
}

pub(crate) fn long_string(out: &mut BytesMut, text: &str) {
    bytes(out, cut(text, INT).as_bytes());
}

fn cut(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    text.get(..text.floor_char_boundary(limit))
        .unwrap_or_default()
}

pub(crate) fn short_bytes(out: &mut BytesMut, content: &[u8]) {
    let content = content.get(..SHORT).unwrap_or(content);
    out.put_u16(u16::try_from(content.len()).unwrap_or(u16::MAX));
    out.put_slice(content);
}

#[inline]
pub(crate) fn bytes(out: &mut BytesMut, content: &[u8]) {
    let content = content.get(..INT).unwrap_or(content);
    out.put_i32(int(content.len()));
    out.put_slice(content);
}

/// A count or length as an int.
#[inline]
pub(crate) fn int(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A count as a short; lists longer than that are cut by their writers.
pub(crate) fn count(out: &mut BytesMut, count: usize) {
    out.put_u16(u16::try_from(count).unwrap_or(u16::MAX));
}

pub(crate) fn string_list<T: AsRef<str>>(out: &mut BytesMut, list: &[T]) {
    let list = list.get(..SHORT).unwrap_or(list);
    count(out, list.len());
    for text in list {
        string(out, text.as_ref());
    }
}

pub(crate) fn bytes_map<K: AsRef<str>, V: AsRef<[u8]>>(out: &mut BytesMut, map: &[(K, V)]) {
    let map = map.get(..SHORT).unwrap_or(map);
    count(out, map.len());
    for (key, value) in map {
        string(out, key.as_ref());
        bytes(out, value.as_ref());
    }
}

pub(crate) fn inet_address(out: &mut BytesMut, address: IpAddr) {
    match address {
        IpAddr::V4(v4) => {
            out.put_u8(4);
            out.put_slice(&v4.octets());
        }
        IpAddr::V6(v6) => {
            out.put_u8(16);
            out.put_slice(&v6.octets());
        }
    }
}

pub(crate) fn inet(out: &mut BytesMut, address: SocketAddr) {
    inet_address(out, address.ip());
    out.put_i32(i32::from(address.port()));
}
