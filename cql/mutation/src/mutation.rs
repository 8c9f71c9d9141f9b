//! A change to one partition of one table: the body of a log frame, and what goes to other shards and nodes.
//!
//! ```text
//! format 01   table id, 16 bytes   length, partition key   partition update
//! ```

use crate::codec::{DecodeError, OrTruncated as _, Reader, bytes_len, put_bytes};
use crate::update::PartitionUpdate;
use bytes::Bytes;
use cql_types::{PartitionKey, TableId, Token, Uuid};

/// The format byte of a mutation.
pub const MUTATION_FORMAT: u8 = 1;

/// A change to one partition of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutation {
    /// The table.
    pub table: TableId,
    /// The partition.
    pub key: PartitionKey,
    /// The token of `key`; not in the bytes.
    pub token: Token,
    /// What changes.
    pub update: PartitionUpdate,
}

/// The front of an encoded [`Mutation`]: enough to find its owner, or to see that its table is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MutationHeader<'a> {
    /// The table.
    pub table: TableId,
    /// The serialized partition key.
    pub key: &'a [u8],
    /// The token of `key`.
    pub token: Token,
}

impl Mutation {
    /// A change to the partition `key`; hashes the key.
    #[must_use]
    pub fn new(table: TableId, key: PartitionKey, update: PartitionUpdate) -> Self {
        let token = key.token();
        Self {
            table,
            key,
            token,
            update,
        }
    }

    /// Appends the bytes in one pass.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(MUTATION_FORMAT);
        out.extend_from_slice(self.table.0.as_bytes());
        put_bytes(out, self.key.as_bytes());
        self.update.encode(out);
    }

    /// An upper bound of what [`Mutation::encode`] appends, exact but for a few dozen bytes.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        1 + 16 + bytes_len(self.key.as_bytes()) + self.update.encoded_len()
    }

    /// Reads one mutation that fills `bytes`. Rows are allocated one by one and can be moved on.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong; nothing larger than a small multiple of `bytes` was allocated.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let MutationHeader { table, key, token } = read_header(&mut reader)?;
        let key = PartitionKey::from_bytes(Bytes::copy_from_slice(key)).map_err(|_| {
            DecodeError::Invalid {
                what: "a mutation has an impossible partition key",
            }
        })?;
        let update = PartitionUpdate::decode(&mut reader)?;
        reader.finish("a mutation")?;
        Ok(Self {
            table,
            key,
            token,
            update,
        })
    }

    /// Reads only the front, without a look at the rows.
    ///
    /// # Errors
    /// As [`Mutation::decode`], for the front.
    pub fn peek(bytes: &[u8]) -> Result<MutationHeader<'_>, DecodeError> {
        read_header(&mut Reader::new(bytes))
    }
}

fn read_header<'a>(reader: &mut Reader<'a>) -> Result<MutationHeader<'a>, DecodeError> {
    const WHAT: &str = "a mutation";
    let format = reader.byte().or_truncated(WHAT)?;
    if format != MUTATION_FORMAT {
        return Err(DecodeError::UnknownFormat {
            what: WHAT,
            found: format,
        });
    }
    let table = TableId(Uuid::from_bytes(reader.array().or_truncated(WHAT)?));
    let key = reader.bytes().or_truncated(WHAT)?;
    Ok(MutationHeader {
        table,
        key,
        token: Token::of_key(key),
    })
}
