//! Where a page ended, and the opaque bytes in which a client keeps it.
//!
//! ```text
//! version 01   flags   token, 8 bytes   length, partition key   [length, clustering]
//! [rows left]  [rows left in the partition]   crc32 of all before, 4 bytes
//! ```
//!
//! The checksum is against accidents, not against malice: a forged state can only name another place
//! in the same table.

use crate::clustering::ClusteringKey;
use crate::codec::{DecodeError, OrTruncated as _, Reader, crc32, put_bytes, put_varint};
use bytes::Bytes;
use cql_types::{PartitionKey, Token};

const VERSION: u8 = 1;
const WHAT: &str = "a paging state";

const FLAG_CLUSTERING: u8 = 0x01;
const FLAG_ROWS: u8 = 0x02;
const FLAG_PARTITION_ROWS: u8 = 0x04;
const FLAG_SEEN: u8 = 0x08;

/// The place up to which a read has come, and what its limits still allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The token of `key`.
    pub token: Token,
    /// The last partition touched.
    pub key: PartitionKey,
    /// The last row done in it, so that the next page goes on behind it (before it, in reverse order);
    /// `None` if the whole partition is done.
    pub clustering: Option<ClusteringKey>,
    /// Whether the partition has shown a row; then it yields no row for its static columns alone.
    pub partition_has_rows: bool,
    /// How many rows LIMIT still allows; `None` without LIMIT.
    pub remaining_rows: Option<u64>,
    /// How many rows PER PARTITION LIMIT still allows in this partition; `None` without.
    pub remaining_in_partition: Option<u64>,
}

impl Position {
    /// The opaque bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let key = self.key.as_bytes();
        let clustering_len = self.clustering.as_ref().map_or(0, |key| key.len());
        let mut out = Vec::with_capacity(40 + key.len() + clustering_len);
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(self.clustering.is_some(), FLAG_CLUSTERING)
            | flag(self.remaining_rows.is_some(), FLAG_ROWS)
            | flag(self.remaining_in_partition.is_some(), FLAG_PARTITION_ROWS)
            | flag(self.partition_has_rows, FLAG_SEEN);
        out.extend_from_slice(&[VERSION, flags]);
        out.extend_from_slice(&self.token.0.to_be_bytes());
        put_bytes(&mut out, key);
        if let Some(clustering) = &self.clustering {
            put_bytes(&mut out, clustering);
        }
        for remaining in [self.remaining_rows, self.remaining_in_partition]
            .into_iter()
            .flatten()
        {
            put_varint(&mut out, remaining);
        }
        let crc = crc32(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads what a client gave back.
    ///
    /// # Errors
    /// [`DecodeError`] for anything that [`Position::encode`] did not write; tell the client that its paging
    /// state is invalid.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (body, crc) = bytes.split_last_chunk::<4>().or_truncated(WHAT)?;
        if crc32(body) != u32::from_le_bytes(*crc) {
            return Err(DecodeError::Checksum { what: WHAT });
        }
        let mut reader = Reader::new(body);
        let version = reader.byte().or_truncated(WHAT)?;
        if version != VERSION {
            return Err(DecodeError::UnknownFormat {
                what: WHAT,
                found: version,
            });
        }
        let flags = reader.byte().or_truncated(WHAT)?;
        if flags & !(FLAG_CLUSTERING | FLAG_ROWS | FLAG_PARTITION_ROWS | FLAG_SEEN) != 0 {
            return Err(DecodeError::UnknownFlags {
                what: WHAT,
                found: flags,
            });
        }
        let token = Token(i64::from_be_bytes(reader.array().or_truncated(WHAT)?));
        let key = reader.bytes().or_truncated(WHAT)?;
        let key = PartitionKey::from_bytes(Bytes::copy_from_slice(key)).map_err(|_| {
            DecodeError::Invalid {
                what: "a paging state has an impossible key",
            }
        })?;
        if key.token() != token {
            return Err(DecodeError::Invalid {
                what: "a paging state has another key's token",
            });
        }
        let clustering = match flags & FLAG_CLUSTERING {
            0 => None,
            _ => Some(ClusteringKey::new(reader.bytes().or_truncated(WHAT)?)),
        };
        let mut remaining = |flag: u8| match flags & flag {
            0 => Ok(None),
            _ => reader.varint().or_truncated(WHAT).map(Some),
        };
        let remaining_rows = remaining(FLAG_ROWS)?;
        let remaining_in_partition = remaining(FLAG_PARTITION_ROWS)?;
        reader.finish(WHAT)?;
        let partition_has_rows = flags & FLAG_SEEN != 0;
        Ok(Self {
            token,
            key,
            clustering,
            partition_has_rows,
            remaining_rows,
            remaining_in_partition,
        })
    }
}
