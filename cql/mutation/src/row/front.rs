//! The front of a row: what comes before its columns.

use super::{
    Deletion, FLAG_CLUSTERING, FLAG_DELETION, FLAG_MARKER, FLAG_MARKER_EXPIRES, FLAG_WIDE,
    Liveness, RawColumns, WrittenClustering,
};
use crate::codec::Reader;

/// The front of a row, decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Front<'a> {
    pub(crate) base: i64,
    pub(crate) liveness: Option<Liveness>,
    pub(crate) deletion: Option<Deletion>,
    pub(crate) clustering: Option<WrittenClustering<'a>>,
    pub(crate) columns: Reader<'a>,
}

impl<'a> Front<'a> {
    /// The columns as they lie.
    pub(crate) const fn raw_columns(&self) -> RawColumns<'a> {
        RawColumns::new(self.base, self.columns)
    }
}

#[inline]
pub(super) fn read_front<'a>(flags: u8, reader: &mut Reader<'a>) -> Option<Front<'a>> {
    let base = match flags & FLAG_WIDE {
        0 => {
            let [a, b, c, d, e, f, g] = reader.array()?;
            i64::from_le_bytes([0, a, b, c, d, e, f, g]) >> 8
        }
        _ => i64::from_le_bytes(reader.array()?),
    };
    let mut front = Front {
        base,
        liveness: None,
        deletion: None,
        clustering: None,
        columns: *reader,
    };
    if flags & FLAG_MARKER != 0 {
        front.liveness = Some(match flags & FLAG_MARKER_EXPIRES {
            0 => Liveness::lasting(base),
            _ => {
                let (ttl, expires_at) = read_expiry(base, reader)?;
                Liveness {
                    timestamp: base,
                    ttl,
                    expires_at,
                }
            }
        });
    }
    if flags & FLAG_DELETION != 0 {
        front.deletion = Some(match flags & FLAG_MARKER {
            0 => Deletion {
                timestamp: base,
                deleted_at: read_second(base, reader)?,
            },
            _ => read_deletion(base, reader)?,
        });
    }
    if flags & FLAG_CLUSTERING != 0 {
        let timestamp = base.wrapping_add(reader.signed()?);
        front.clustering = Some(WrittenClustering {
            timestamp,
            bytes: reader.bytes()?,
        });
    }
    front.columns = *reader;
    Some(front)
}

pub(super) fn read_deletion(base: i64, reader: &mut Reader<'_>) -> Option<Deletion> {
    let timestamp = base.wrapping_add(reader.signed()?);
    Some(Deletion {
        timestamp,
        deleted_at: read_second(timestamp, reader)?,
    })
}

pub(super) fn read_expiry(timestamp: i64, reader: &mut Reader<'_>) -> Option<(u32, i64)> {
    let ttl = u32::try_from(reader.varint()?).ok()?;
    let second = read_second(timestamp, reader)?;
    (ttl != 0).then(|| (ttl, second.wrapping_add(i64::from(ttl))))
}

/// A second stored as its difference to the second of a write time.
pub(super) fn read_second(timestamp: i64, reader: &mut Reader<'_>) -> Option<i64> {
    Some(
        timestamp
            .div_euclid(1_000_000)
            .wrapping_add(reader.signed()?),
    )
}
