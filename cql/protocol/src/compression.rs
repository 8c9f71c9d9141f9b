//! Compression of frame bodies.

use bytes::{Bytes, BytesMut};

use crate::error::ProtocolError;

/// An algorithm that a connection may agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// LZ4 blocks, preceded by the uncompressed length (int, big endian).
    Lz4,
}

/// Bodies below this many bytes are sent as they are.
const WORTHWHILE: usize = 512;

/// A block of LZ4 grows to at most this many times its size, and a few bytes.
const MAX_GROWTH: usize = 255;

impl Compression {
    /// The name in STARTUP and SUPPORTED.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lz4 => "lz4",
        }
    }

    /// The algorithm of that name, in any case.
    ///
    /// # Errors
    /// Names that are not known, and `snappy`, which other servers have.
    pub fn from_name(name: &str) -> Result<Self, ProtocolError> {
        match name.to_ascii_lowercase().as_str() {
            "lz4" => Ok(Self::Lz4),
            "snappy" => Err(ProtocolError::Rule(
                "Compression algorithm snappy is not supported; use lz4 or none".into(),
            )),
            _ => Err(ProtocolError::Rule(
                format!("Unknown compression algorithm: {name}; lz4 is supported").into(),
            )),
        }
    }

    /// Gives the plain body of a compressed one.
    ///
    /// # Errors
    /// Bodies that are not compressed data, or whose plain length is above `max` or impossible.
    pub(crate) fn decompress(self, body: &[u8], max: usize) -> Result<Bytes, ProtocolError> {
        let Self::Lz4 = self;
        if body.is_empty() {
            return Ok(Bytes::new());
        }
        let Some((length, block)) = body.split_first_chunk::<4>() else {
            return Err(ProtocolError::Truncated {
                what: "length of the compressed body",
                at: 0,
                needed: 4,
                left: body.len(),
            });
        };
        let claimed = i32::from_be_bytes(*length);
        let plain = usize::try_from(claimed)
            .ok()
            .filter(|plain| {
                *plain <= max && *plain <= block.len().saturating_mul(MAX_GROWTH).saturating_add(16)
            })
            .ok_or(ProtocolError::Length {
                what: "uncompressed body",
                at: 0,
                length: i64::from(claimed),
            })?;
        if plain == 0 {
            return Ok(Bytes::new());
        }
        let mut out = vec![0; plain];
        match lz4_flex::block::decompress_into(block, &mut out) {
            Ok(written) if written == plain => Ok(Bytes::from(out)),
            Ok(written) => Err(ProtocolError::Rule(
                format!("Compressed body holds {written} bytes, not the {plain} that it claims")
                    .into(),
            )),
            Err(error) => Err(ProtocolError::Rule(
                format!("Compressed body is corrupt: {error}").into(),
            )),
        }
    }

    /// Compresses the body that begins at `start` of `out`, in place.
    ///
    /// Gives whether it did: small bodies, and those that would not shrink, stay as they are.
    pub(crate) fn compress_tail(self, out: &mut BytesMut, start: usize) -> bool {
        let Self::Lz4 = self;
        let plain = out.len().saturating_sub(start);
        let Ok(claimed) = i32::try_from(plain) else {
            return false;
        };
        if plain < WORTHWHILE {
            return false;
        }
        let end = out.len();
        let room = lz4_flex::block::get_maximum_output_size(plain);
        out.resize(end + room, 0);
        let (head, scratch) = out.split_at_mut(end);
        let Some(body) = head.get_mut(start..) else {
            return false;
        };
        let compressed = lz4_flex::block::compress_into(body, scratch).unwrap_or(usize::MAX);
        let total = compressed.saturating_add(4);
        let shrunk = total < plain;
        if let (true, Some((length, block)), Some(found)) = (
            shrunk,
            body.split_first_chunk_mut::<4>(),
            scratch.get(..compressed),
        ) {
            *length = claimed.to_be_bytes();
            if let Some(target) = block.get_mut(..compressed) {
                target.copy_from_slice(found);
            }
        }
        out.truncate(if shrunk { start + total } else { end });
        shrunk
    }
}
