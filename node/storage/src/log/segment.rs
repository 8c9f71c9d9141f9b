//! The header of a commit-log segment, and its place in the directory. Layout in `docs/storage-format.md`.

use super::frame::{self, u32_at, u64_at};

/// Bytes before the first frame.
pub(crate) const HEADER: usize = 64;

const MAGIC: [u8; 8] = *b"MSNALOG1";
const CHECKED: usize = 40;

/// Which log: a generation (one run of the process) and a shard of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogId {
    /// Grows by one with every start of the process.
    pub generation: u32,
    /// The shard, or [`LogId::LOCAL`].
    pub shard: u32,
}

impl LogId {
    /// The shard number of the local store.
    pub const LOCAL: u32 = u32::MAX;

    /// The id as one number: generation, then shard.
    #[must_use]
    pub const fn number(self) -> u64 {
        ((self.generation as u64) << 32) | self.shard as u64
    }

    /// The inverse of [`LogId::number`].
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
        Self {
            generation: (number >> 32) as u32,
            shard: number as u32,
        }
    }

    /// The file of a segment of this log.
    pub(crate) fn file_name(self, number: u64) -> String {
        format!("{self}-{number:010}.log")
    }

    /// Which log a file belongs to; the number in the name does not count, the header does.
    pub(crate) fn of_file(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".log")?.splitn(3, '-');
        let generation = parts.next()?.parse().ok()?;
        let shard = match parts.next()? {
            "local" => Self::LOCAL,
            number => number.parse().ok()?,
        };
        let id = Self { generation, shard };
        let number = parts.next()?.parse().ok()?;
        (id.file_name(number) == name).then_some(id)
    }
}

impl std::fmt::Display for LogId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.shard {
            Self::LOCAL => write!(f, "{:010}-local", self.generation),
            shard => write!(f, "{:010}-{shard:04}", self.generation),
        }
    }
}

/// What the header of a segment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    pub(crate) log: u64,
    pub(crate) number: u64,
    pub(crate) salt: u64,
    /// Length of the file.
    pub(crate) length: u64,
}

impl SegmentHeader {
    pub(crate) fn encode(self) -> [u8; HEADER] {
        let mut out = [0; HEADER];
        out[0..8].copy_from_slice(&MAGIC);
        out[8..16].copy_from_slice(&self.log.to_le_bytes());
        out[16..24].copy_from_slice(&self.number.to_le_bytes());
        out[24..32].copy_from_slice(&self.salt.to_le_bytes());
        out[32..40].copy_from_slice(&self.length.to_le_bytes());
        let crc = crc32fast::hash(&out[..CHECKED]);
        out[40..44].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// `None` when the bytes are no header that was ever written whole.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let checked = bytes.get(..CHECKED)?;
        if !checked.starts_with(&MAGIC) || crc32fast::hash(checked) != u32_at(bytes, CHECKED)? {
            return None;
        }
        Some(Self {
            log: u64_at(bytes, 8)?,
            number: u64_at(bytes, 16)?,
            salt: u64_at(bytes, 24)?,
            length: u64_at(bytes, 32)?,
        })
    }
}

/// The largest frame that a segment of this length takes: half of it.
pub(crate) fn frame_max(length: u64) -> usize {
    usize::try_from(length / 2).unwrap_or(usize::MAX) / frame::ALIGN * frame::ALIGN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_and_damage_is_seen() {
        let header = SegmentHeader {
            log: 1 << 32,
            number: 3,
            salt: 99,
            length: 4096,
        };
        let bytes = header.encode();
        assert_eq!(SegmentHeader::decode(&bytes), Some(header));
        for bit in 0..44 * 8 {
            let mut bad = bytes;
            bad[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(SegmentHeader::decode(&bad), None);
        }
        assert_eq!(SegmentHeader::decode(&[0; 64]), None);
        assert_eq!(SegmentHeader::decode(&bytes[..43]), None);
    }

    #[test]
    fn names_come_back() {
        for shard in [0, 12, 12_345, LogId::LOCAL] {
            let id = LogId {
                generation: 7,
                shard,
            };
            assert_eq!(LogId::of_file(&id.file_name(9)), Some(id));
            assert_eq!(LogId::from_number(id.number()), id);
        }
        assert_eq!(
            LogId {
                generation: 7,
                shard: 0
            }
            .file_name(1),
            "0000000007-0000-0000000001.log"
        );
        assert_eq!(
            LogId {
                generation: 7,
                shard: LogId::LOCAL
            }
            .file_name(1),
            "0000000007-local-0000000001.log"
        );
        for bad in [
            "7-0-1.log",
            "0000000007-0000.log",
            "0000000007-0000-0000000001",
            "x",
        ] {
            assert_eq!(LogId::of_file(bad), None);
        }
    }
}
