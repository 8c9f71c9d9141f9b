//! What a read asks a replica for.

use super::{ColumnSet, Filter, Position};
use crate::clustering::Slices;
use crate::codec::{DecodeError, OrTruncated as _, Reader, put_bytes, put_signed, put_varint};
use bytes::Bytes;
use cql_types::{PartitionKey, TableId, Token, Uuid};
use std::ops::Bound;

/// The format byte of an encoded read command.
const COMMAND_FORMAT: u8 = 1;

const FLAG_REVERSE: u8 = 0x01;
const FLAG_DISTINCT: u8 = 0x02;
const FLAG_ROW_LIMIT: u8 = 0x04;
const FLAG_PARTITION_LIMIT: u8 = 0x08;
const FLAG_RESUME: u8 = 0x10;
const KNOWN_FLAGS: u8 =
    FLAG_REVERSE | FLAG_DISTINCT | FLAG_ROW_LIMIT | FLAG_PARTITION_LIMIT | FLAG_RESUME;

/// A read of one table. Carries its own `now`, so every page and every replica agrees on what has expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadCommand {
    /// The table.
    pub table: TableId,
    /// The partitions, in the order in which they are to be answered.
    pub partitions: Partitions,
    /// The rows wanted in each partition.
    pub slices: Slices,
    /// The order of rows within a partition.
    pub order: Order,
    /// The static and regular columns wanted, those of the filter included.
    pub columns: ColumnSet,
    /// What becomes of static columns.
    pub statics: Statics,
    /// Whether partitions are asked for, not rows: each live one yields one row without clustering.
    pub distinct: bool,
    /// Conditions on rows that the slices do not express.
    pub filter: Filter,
    /// LIMIT, over all pages; of a resumed read the position says what is left.
    pub row_limit: Option<u64>,
    /// PER PARTITION LIMIT.
    pub per_partition_limit: Option<u64>,
    /// How much one answer may hold.
    pub page: PageLimit,
    /// The second at which expiry is judged.
    pub now: i64,
    /// Where the page before ended.
    pub resume: Option<Position>,
}

/// Which partitions are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Partitions {
    /// These, in this order.
    Keys(Vec<PartitionKey>),
    /// All with a token in the range, by token, then by key bytes.
    Range {
        /// The lower bound.
        start: Bound<Token>,
        /// The upper bound.
        end: Bound<Token>,
    },
}

/// The order of rows within a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// As the clustering order of the table says.
    #[default]
    Forward,
    /// The other way round.
    Reverse,
}

/// What becomes of the static row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Statics {
    /// It is not read.
    #[default]
    Skip,
    /// It comes with the rows of its partition.
    Fetch,
    /// As `Fetch`, and a partition that has live static columns but no row yields one row without
    /// clustering: for reads that restrict neither clustering nor regular columns.
    StandAlone,
}

/// How much one answer may hold; each at least 1. A page ends behind the row that reaches a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit {
    /// Live rows.
    pub rows: u64,
    /// Bytes of the result buffer.
    pub bytes: u64,
    /// Tombstones walked over.
    pub tombstones: u64,
}

impl PageLimit {
    /// No limit.
    pub const NONE: Self = Self {
        rows: u64::MAX,
        bytes: u64::MAX,
        tombstones: u64::MAX,
    };
}

impl Default for PageLimit {
    fn default() -> Self {
        Self::NONE
    }
}

impl ReadCommand {
    /// A read of all columns and rows of some partitions, without limits.
    #[must_use]
    pub fn all_of(table: &cql_schema::Table, partitions: Partitions, now: i64) -> Self {
        Self {
            table: table.id,
            partitions,
            slices: Slices::all(),
            order: Order::Forward,
            columns: ColumnSet::all_of(table),
            statics: match table.has_static() {
                true => Statics::StandAlone,
                false => Statics::Skip,
            },
            distinct: false,
            filter: Filter::default(),
            row_limit: None,
            per_partition_limit: None,
            page: PageLimit::NONE,
            now,
            resume: None,
        }
    }

    /// How many rows may still be answered, over all pages.
    #[must_use]
    pub fn rows_left(&self) -> u64 {
        let resumed = self
            .resume
            .as_ref()
            .and_then(|position| position.remaining_rows);
        resumed.or(self.row_limit).unwrap_or(u64::MAX)
    }

    /// Appends the bytes that go to another shard or node.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(self.order == Order::Reverse, FLAG_REVERSE)
            | flag(self.distinct, FLAG_DISTINCT)
            | flag(self.row_limit.is_some(), FLAG_ROW_LIMIT)
            | flag(self.per_partition_limit.is_some(), FLAG_PARTITION_LIMIT)
            | flag(self.resume.is_some(), FLAG_RESUME);
        out.extend_from_slice(&[COMMAND_FORMAT, flags]);
        out.extend_from_slice(self.table.0.as_bytes());
        encode_partitions(&self.partitions, out);
        self.slices.encode(out);
        self.columns.encode(out);
        out.push(match self.statics {
            Statics::Skip => 0,
            Statics::Fetch => 1,
            Statics::StandAlone => 2,
        });
        self.filter.encode(out);
        for limit in [self.row_limit, self.per_partition_limit]
            .into_iter()
            .flatten()
        {
            put_varint(out, limit);
        }
        for limit in [self.page.rows, self.page.bytes, self.page.tombstones] {
            put_varint(out, limit);
        }
        put_signed(out, self.now);
        if let Some(position) = &self.resume {
            put_bytes(out, &position.encode());
        }
    }

    /// Reads a command that fills `bytes`; what is allocated is bounded by a small multiple of them.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        const WHAT: &str = "a read command";
        let mut reader = Reader::new(bytes);
        let format = reader.byte().or_truncated(WHAT)?;
        if format != COMMAND_FORMAT {
            return Err(DecodeError::UnknownFormat {
                what: WHAT,
                found: format,
            });
        }
        let flags = reader.byte().or_truncated(WHAT)?;
        if flags & !KNOWN_FLAGS != 0 {
            return Err(DecodeError::UnknownFlags {
                what: WHAT,
                found: flags,
            });
        }
        let table = TableId(Uuid::from_bytes(reader.array().or_truncated(WHAT)?));
        let partitions = decode_partitions(&mut reader)?;
        let slices = Slices::decode(&mut reader)?;
        let columns = ColumnSet::decode(&mut reader)?;
        let statics = match reader.byte().or_truncated(WHAT)? {
            0 => Statics::Skip,
            1 => Statics::Fetch,
            2 => Statics::StandAlone,
            _ => {
                return Err(DecodeError::Invalid {
                    what: "unknown use of static columns",
                });
            }
        };
        let filter = Filter::decode(&mut reader)?;
        let mut number = || reader.varint().or_truncated(WHAT);
        let mut limit = |flag: u8| match flags & flag {
            0 => Ok(None),
            _ => number().map(Some),
        };
        let row_limit = limit(FLAG_ROW_LIMIT)?;
        let per_partition_limit = limit(FLAG_PARTITION_LIMIT)?;
        let page = PageLimit {
            rows: number()?,
            bytes: number()?,
            tombstones: number()?,
        };
        let now = reader.signed().or_truncated(WHAT)?;
        let resume = match flags & FLAG_RESUME {
            0 => None,
            _ => Some(Position::decode(reader.bytes().or_truncated(WHAT)?)?),
        };
        reader.finish(WHAT)?;
        let order = match flags & FLAG_REVERSE {
            0 => Order::Forward,
            _ => Order::Reverse,
        };
        let distinct = flags & FLAG_DISTINCT != 0;
        Ok(Self {
            table,
            partitions,
            slices,
            order,
            columns,
            statics,
            distinct,
            filter,
            row_limit,
            per_partition_limit,
            page,
            now,
            resume,
        })
    }
}

fn encode_partitions(partitions: &Partitions, out: &mut Vec<u8>) {
    match partitions {
        Partitions::Keys(keys) => {
            out.push(0);
            put_varint(out, keys.len() as u64);
            for key in keys {
                put_bytes(out, key.as_bytes());
            }
        }
        Partitions::Range { start, end } => {
            out.push(1);
            for bound in [start, end] {
                let (kind, token) = match bound {
                    Bound::Unbounded => (0, Token::MIN),
                    Bound::Included(token) => (1, *token),
                    Bound::Excluded(token) => (2, *token),
                };
                out.push(kind);
                out.extend_from_slice(&token.0.to_be_bytes());
            }
        }
    }
}

fn decode_partitions(reader: &mut Reader<'_>) -> Result<Partitions, DecodeError> {
    const WHAT: &str = "the partitions of a read command";
    match reader.byte().or_truncated(WHAT)? {
        0 => {
            let count = reader.count(2).or_truncated(WHAT)?;
            let mut keys = Vec::with_capacity(count);
            for _ in 0..count {
                let key = Bytes::copy_from_slice(reader.bytes().or_truncated(WHAT)?);
                keys.push(
                    PartitionKey::from_bytes(key).map_err(|_| DecodeError::Invalid {
                        what: "a read command has an impossible partition key",
                    })?,
                );
            }
            Ok(Partitions::Keys(keys))
        }
        1 => {
            let mut bound = || {
                let kind = reader.byte().or_truncated(WHAT)?;
                let token = Token(i64::from_be_bytes(reader.array().or_truncated(WHAT)?));
                match kind {
                    0 => Ok(Bound::Unbounded),
                    1 => Ok(Bound::Included(token)),
                    2 => Ok(Bound::Excluded(token)),
                    _ => Err(DecodeError::Invalid {
                        what: "unknown kind of token bound",
                    }),
                }
            };
            Ok(Partitions::Range {
                start: bound()?,
                end: bound()?,
            })
        }
        _ => Err(DecodeError::Invalid {
            what: "unknown kind of partitions",
        }),
    }
}
