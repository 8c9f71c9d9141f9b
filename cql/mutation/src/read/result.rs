//! The answer of a read: one flat buffer of partitions and rows, and views of it.
//!
//! ```text
//! partition   01   token, 8 bytes   length, partition key   length, static row (0: none)
//! row         02   length, clustering key   length u32, row
//! alone       03
//! ```
//!
//! A partition comes before its rows. `alone` is the one row, without clustering, of a partition that stands
//! for itself: DISTINCT, or only static columns. Rows hold live cells only, of wanted columns only, and are
//! rows in the stored form, so two answers with equal content are equal bytes.

use super::Position;
use crate::codec::{DecodeError, OrTruncated as _, Reader, put_bytes, put_varint};
use crate::digest::digest_128;
use crate::row::RowRef;
use bytes::Bytes;
use cql_types::{PartitionKey, Token};

pub(crate) const ITEM_PARTITION: u8 = 1;
pub(crate) const ITEM_ROW: u8 = 2;
pub(crate) const ITEM_ALONE: u8 = 3;

const RESULT_FORMAT: u8 = 1;

/// The answer of a read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadResult {
    pub(crate) items: Bytes,
    pub(crate) rows: u64,
    /// Where to go on; `None` if nothing is left.
    pub more: Option<Position>,
    /// What the answer cost.
    pub stats: ReadStats,
}

/// What a read walked over, for warnings and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReadStats {
    /// Partitions looked at.
    pub partitions: u64,
    /// Rows looked at, after merging.
    pub rows_scanned: u64,
    /// Cells that are deleted, expired or shadowed, and deletions of rows, ranges and partitions.
    pub tombstones: u64,
}

impl ReadStats {
    /// Adds the numbers of another part of the same read.
    pub const fn add(&mut self, other: Self) {
        self.partitions += other.partitions;
        self.rows_scanned += other.rows_scanned;
        self.tombstones += other.tombstones;
    }
}

/// The partition of a row in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultPartition<'a> {
    /// The token.
    pub token: Token,
    /// The serialized partition key.
    pub key: &'a [u8],
    /// The live static cells.
    pub static_row: Option<RowRef<'a>>,
}

/// A row of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResultRow<'a> {
    /// Its partition; the same for all rows until the next partition.
    pub partition: ResultPartition<'a>,
    /// The encoded clustering key; `None` if the partition stands alone.
    pub clustering: Option<&'a [u8]>,
    /// The live cells; `None` if the partition stands alone.
    pub row: Option<RowRef<'a>>,
}

impl ReadResult {
    /// How many rows there are, in the sense of LIMIT.
    #[must_use]
    pub const fn row_count(&self) -> u64 {
        self.rows
    }

    /// How long the buffer is.
    #[must_use]
    pub const fn byte_count(&self) -> usize {
        self.items.len()
    }

    /// The rows, in the order of the command.
    #[must_use]
    pub fn iter(&self) -> ResultRows<'_> {
        ResultRows {
            reader: Reader::new(&self.items),
            partition: None,
        }
    }

    /// The key of a partition of this answer, sharing its memory.
    ///
    /// # Panics
    /// If the partition belongs to another answer.
    #[must_use]
    pub fn partition_key(&self, partition: &ResultPartition<'_>) -> Option<PartitionKey> {
        PartitionKey::from_bytes(self.items.slice_ref(partition.key)).ok()
    }

    /// Appends the rows of an answer that follows this one, and takes over its position.
    pub fn append(&mut self, next: Self) {
        if self.items.is_empty() {
            self.items = next.items;
        } else if !next.items.is_empty() {
            self.items = [&self.items[..], &next.items[..]].concat().into();
        }
        self.rows += next.rows;
        self.more = next.more;
        self.stats.add(next.stats);
    }

    /// A digest of all that a client could see of the rows: equal for equal content.
    #[must_use]
    pub fn digest(&self) -> u128 {
        digest_128(&self.items)
    }

    /// Appends the bytes that go to another shard or node.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(RESULT_FORMAT);
        match &self.more {
            None => out.push(0),
            Some(position) => {
                out.push(1);
                put_bytes(out, &position.encode());
            }
        }
        for number in [
            self.rows,
            self.stats.partitions,
            self.stats.rows_scanned,
            self.stats.tombstones,
        ] {
            put_varint(out, number);
        }
        put_bytes(out, &self.items);
    }

    /// Reads an answer that fills `bytes`, sharing its memory, and checks every row.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong.
    pub fn decode(bytes: &Bytes) -> Result<Self, DecodeError> {
        const WHAT: &str = "a read result";
        let mut reader = Reader::new(bytes);
        let format = reader.byte().or_truncated(WHAT)?;
        if format != RESULT_FORMAT {
            return Err(DecodeError::UnknownFormat {
                what: WHAT,
                found: format,
            });
        }
        let more = match reader.byte().or_truncated(WHAT)? {
            0 => None,
            1 => Some(Position::decode(reader.bytes().or_truncated(WHAT)?)?),
            _ => {
                return Err(DecodeError::Invalid {
                    what: "unknown kind of end of a read result",
                });
            }
        };
        let mut number = || reader.varint().or_truncated(WHAT);
        let rows = number()?;
        let stats = ReadStats {
            partitions: number()?,
            rows_scanned: number()?,
            tombstones: number()?,
        };
        let items = reader.bytes().or_truncated(WHAT)?;
        reader.finish(WHAT)?;
        if check_items(items)? != rows {
            return Err(DecodeError::Invalid {
                what: "a read result has another number of rows",
            });
        }
        let items = match items.is_empty() {
            true => Bytes::new(),
            false => bytes.slice_ref(items),
        };
        Ok(Self {
            items,
            rows,
            more,
            stats,
        })
    }
}

impl<'a> IntoIterator for &'a ReadResult {
    type Item = ResultRow<'a>;
    type IntoIter = ResultRows<'a>;

    fn into_iter(self) -> ResultRows<'a> {
        self.iter()
    }
}

/// The rows of a [`ReadResult`].
#[derive(Debug, Clone)]
pub struct ResultRows<'a> {
    reader: Reader<'a>,
    partition: Option<ResultPartition<'a>>,
}

impl<'a> Iterator for ResultRows<'a> {
    type Item = ResultRow<'a>;

    fn next(&mut self) -> Option<ResultRow<'a>> {
        loop {
            match self.reader.byte()? {
                ITEM_PARTITION => {
                    let token = Token(i64::from_le_bytes(self.reader.array()?));
                    let key = self.reader.bytes()?;
                    let row = self.reader.bytes()?;
                    let static_row = (!row.is_empty()).then(|| RowRef::trusted(row));
                    self.partition = Some(ResultPartition {
                        token,
                        key,
                        static_row,
                    });
                }
                ITEM_ROW => {
                    let clustering = Some(self.reader.bytes()?);
                    let len = u32::from_le_bytes(self.reader.array()?);
                    let row = self.reader.take(usize::try_from(len).ok()?)?;
                    let row = Some(RowRef::trusted(row));
                    return Some(ResultRow {
                        partition: self.partition?,
                        clustering,
                        row,
                    });
                }
                _alone => {
                    let partition = self.partition?;
                    return Some(ResultRow {
                        partition,
                        clustering: None,
                        row: None,
                    });
                }
            }
        }
    }
}

/// Checks items of a peer; answers the number of rows.
fn check_items(items: &[u8]) -> Result<u64, DecodeError> {
    const WHAT: &str = "the rows of a read result";
    let mut reader = Reader::new(items);
    let (mut partitions, mut rows) = (0, 0);
    while let Some(item) = reader.byte() {
        match item {
            ITEM_PARTITION => {
                reader.take(8).or_truncated(WHAT)?;
                reader.bytes().or_truncated(WHAT)?;
                let row = reader.bytes().or_truncated(WHAT)?;
                if !row.is_empty() {
                    RowRef::parse(row)?;
                }
                partitions += 1;
            }
            ITEM_ROW | ITEM_ALONE if partitions == 0 => {
                return Err(DecodeError::Invalid {
                    what: "a row of a read result has no partition",
                });
            }
            ITEM_ROW => {
                reader.bytes().or_truncated(WHAT)?;
                let len = u32::from_le_bytes(reader.array().or_truncated(WHAT)?);
                let len = usize::try_from(len).unwrap_or(usize::MAX);
                RowRef::parse(reader.take(len).or_truncated(WHAT)?)?;
                rows += 1;
            }
            ITEM_ALONE => rows += 1,
            _ => {
                return Err(DecodeError::Invalid {
                    what: "unknown item in a read result",
                });
            }
        }
    }
    Ok(rows)
}
