//! Frames of the commit log: the bytes around one batch.
//!
//! The shard reserves the header and writes the body ([`begin`], [`end`]); the log thread, which alone knows what is
//! durable by then, seals it ([`seal`]). Layout in `docs/storage-format.md`.
//!
//! # Invariants
//! * A frame starts at a multiple of [`ALIGN`] and is padded with zeros to one.
//! * [`parse`] never believes a length before it was compared with the bytes at hand, and no frame before its crc.

/// Frames start at multiples of this many bytes.
pub(crate) const ALIGN: usize = 8;

/// Bytes before the body.
pub(crate) const HEADER: usize = 32;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A batch of mutations.
    Mutations,
}

impl Kind {
    fn byte(self) -> u8 {
        match self {
            Self::Mutations => 1,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Mutations),
            _ => None,
        }
    }
}

/// A frame that checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) sequence: u64,
    /// Every frame up to this sequence was durable when this one was written.
    pub(crate) durable_before: u64,
    pub(crate) kind: Kind,
    pub(crate) body: &'a [u8],
}

/// The bytes that a frame with this body takes in a segment.
pub(crate) fn size(body: usize) -> usize {
    (HEADER + body).next_multiple_of(ALIGN)
}

/// Appends an unsealed frame to `out`: header, what `body` writes, padding.
pub(crate) fn append(
    out: &mut Vec<u8>,
    salt: u64,
    sequence: u64,
    kind: Kind,
    body: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    let mut header = [0_u8; HEADER];
    header[8..16].copy_from_slice(&salt.to_le_bytes());
    header[16..24].copy_from_slice(&sequence.to_le_bytes());
    header[28] = kind.byte();
    out.extend_from_slice(&header);
    body(out);
    let length = u32::try_from(out.len() - start - HEADER).unwrap_or(u32::MAX);
    if let Some(field) = out.get_mut(start..start + 4) {
        field.copy_from_slice(&length.to_le_bytes());
    }
    out.resize(start + size(length as usize), 0);
}

/// Completes the frame at the start of `bytes`: salt, distance to the durable position, crc. Returns its size.
///
/// `None` when the bytes are not an unsealed frame, which is a bug of the caller.
pub(crate) fn seal(bytes: &mut [u8], salt: u64, durable: u64) -> Option<usize> {
    let length = u32_at(bytes, 0)? as usize;
    let sequence = u64_at(bytes, 16)?;
    let total = size(length);
    let frame = bytes.get_mut(..total)?;
    let unsynced = u32::try_from(sequence.saturating_sub(durable)).unwrap_or(u32::MAX);
    frame.get_mut(8..16)?.copy_from_slice(&salt.to_le_bytes());
    frame
        .get_mut(24..28)?
        .copy_from_slice(&unsynced.to_le_bytes());
    let crc = checksum(frame.get(..HEADER + length)?)?;
    frame.get_mut(4..8)?.copy_from_slice(&crc.to_le_bytes());
    Some(total)
}

/// The frame at the start of `bytes` if it belongs to the segment with this salt and checks, and its size.
pub(crate) fn parse(bytes: &[u8], salt: u64) -> Option<(Frame<'_>, usize)> {
    if u64_at(bytes, 8)? != salt {
        return None;
    }
    let length = u32_at(bytes, 0)? as usize;
    let whole = bytes.get(..HEADER.checked_add(length)?)?;
    if checksum(whole)? != u32_at(bytes, 4)? {
        return None;
    }
    let sequence = u64_at(bytes, 16)?;
    let frame = Frame {
        sequence,
        durable_before: sequence.saturating_sub(u64::from(u32_at(bytes, 24)?)),
        kind: Kind::from_byte(*bytes.get(28)?)?,
        body: whole.get(HEADER..)?,
    };
    Some((frame, size(length)))
}

/// The crc of a whole frame without padding: everything but the crc itself.
fn checksum(frame: &[u8]) -> Option<u32> {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(frame.get(..4)?);
    hasher.update(frame.get(8..)?);
    Some(hasher.finalize())
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed(body: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        append(&mut out, 7, 42, Kind::Mutations, |out| {
            out.extend_from_slice(body)
        });
        assert_eq!(seal(&mut out, 7, 40), Some(out.len()));
        out
    }

    #[test]
    fn a_sealed_frame_comes_back() {
        for length in 0..40 {
            let body = vec![9; length];
            let bytes = sealed(&body);
            assert_eq!(bytes.len() % ALIGN, 0);
            let (frame, taken) = parse(&bytes, 7).unwrap();
            assert_eq!(taken, bytes.len());
            assert_eq!(
                frame,
                Frame {
                    sequence: 42,
                    durable_before: 40,
                    kind: Kind::Mutations,
                    body: &body
                }
            );
        }
    }

    #[test]
    fn any_changed_bit_is_refused() {
        let good = sealed(b"some bytes");
        for bit in 0..(HEADER + 10) * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse(&bad, 7), None, "bit {bit}");
        }
        assert_eq!(parse(&good, 8), None);
        for cut in 0..HEADER + 10 {
            assert_eq!(parse(&good[..cut], 7), None);
        }
    }

    #[test]
    fn golden_frame() {
        let bytes = sealed(&[0xaa, 0xbb]);
        assert_eq!(bytes.len(), 40);
        assert_eq!(bytes[..4], [2, 0, 0, 0]);
        assert_eq!(bytes[8..16], [7, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(bytes[16..24], [42, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(
            bytes[24..],
            [2, 0, 0, 0, 1, 0, 0, 0, 0xaa, 0xbb, 0, 0, 0, 0, 0, 0]
        );
    }
}
