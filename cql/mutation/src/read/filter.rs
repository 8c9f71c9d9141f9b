//! Conditions that are looked at row by row, at the replica.

use crate::codec::{DecodeError, OrTruncated as _, Reader, put_bytes, put_varint};
use crate::collection::assemble_collection;
use crate::row::{ColumnRef, RowRef};
use bytes::Bytes;
use cql_schema::{Column, ColumnKind, ColumnNumber, Table};
use cql_types::{CqlType, ListIter, MapIter, PartitionKey, compare};
use std::borrow::Cow;
use std::cmp::Ordering;

/// A conjunction of comparisons; without any it lets everything pass.
///
/// A null, and bytes that are not of the column's type, satisfy no comparison.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// All must hold.
    pub comparisons: Vec<Comparison>,
}

/// One condition on one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The column. Its type is that of the table at the replica.
    pub column: FilterColumn,
    /// What must hold of it.
    pub predicate: Predicate,
}

/// A column by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterColumn {
    /// The component of the partition key at this position.
    PartitionKey(u16),
    /// The component of the clustering key at this position.
    Clustering(u16),
    /// A static or regular column.
    Cell(ColumnNumber),
}

/// A condition; operands are serialized values of the column's type or of its parts' types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Predicate {
    /// Stands in this relation to the operand.
    Compare(Operator, Bytes),
    /// Equals one of these.
    In(Vec<Bytes>),
    /// A list or set has this element, or a map this value.
    Contains(Bytes),
    /// A map has this key.
    ContainsKey(Bytes),
    /// A map has this value for this key.
    Entry {
        /// The key.
        key: Bytes,
        /// The value.
        value: Bytes,
    },
    /// Is not null.
    IsNotNull,
}

/// A relation in the order of the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Eq,
    /// `!=`
    NotEq,
    /// `<`
    Lt,
    /// `<=`
    LtEq,
    /// `>`
    Gt,
    /// `>=`
    GtEq,
}

impl Operator {
    const ALL: [Self; 6] = [
        Self::Eq,
        Self::NotEq,
        Self::Lt,
        Self::LtEq,
        Self::Gt,
        Self::GtEq,
    ];

    const fn code(self) -> u8 {
        match self {
            Self::Eq => 0,
            Self::NotEq => 1,
            Self::Lt => 2,
            Self::LtEq => 3,
            Self::Gt => 4,
            Self::GtEq => 5,
        }
    }

    /// Whether a value that compares so to the operand satisfies the relation.
    #[must_use]
    pub const fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::NotEq => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::LtEq => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::GtEq => order.is_ge(),
        }
    }
}

/// What a filter looks at: a row in its place. Cells that are not live at `now` are null.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The partition.
    pub key: &'a PartitionKey,
    /// The encoded clustering key; `None` for a partition that stands alone.
    pub clustering: Option<&'a [u8]>,
    /// The static row.
    pub static_row: Option<RowRef<'a>>,
    /// The row.
    pub row: Option<RowRef<'a>>,
    /// The second at which expiry is judged.
    pub now: i64,
}

impl Filter {
    /// Whether everything passes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.comparisons.is_empty()
    }

    /// Whether all comparisons hold.
    #[must_use]
    pub fn matches(&self, table: &Table, subject: &Subject<'_>) -> bool {
        self.comparisons
            .iter()
            .all(|comparison| comparison.holds(table, subject))
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.comparisons.len() as u64);
        for comparison in &self.comparisons {
            comparison.encode(out);
        }
    }

    pub(crate) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(3).or_truncated("a filter")?;
        let mut comparisons = Vec::with_capacity(count);
        for _ in 0..count {
            comparisons.push(Comparison::decode(reader)?);
        }
        Ok(Self { comparisons })
    }
}

impl Comparison {
    fn holds(&self, table: &Table, subject: &Subject<'_>) -> bool {
        let Some((column, value)) = self.column.value(table, subject) else {
            return false;
        };
        self.predicate.holds(&column.ty, &value)
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let (kind, number) = match self.column {
            FilterColumn::PartitionKey(position) => (0, position),
            FilterColumn::Clustering(position) => (1, position),
            FilterColumn::Cell(number) => (2, number.0),
        };
        out.push(kind);
        out.extend_from_slice(&number.to_le_bytes());
        match &self.predicate {
            Predicate::Compare(operator, operand) => {
                out.extend_from_slice(&[0, operator.code()]);
                put_bytes(out, operand);
            }
            Predicate::In(operands) => {
                out.push(1);
                put_varint(out, operands.len() as u64);
                operands.iter().for_each(|operand| put_bytes(out, operand));
            }
            Predicate::Contains(operand) => {
                out.push(2);
                put_bytes(out, operand);
            }
            Predicate::ContainsKey(operand) => {
                out.push(3);
                put_bytes(out, operand);
            }
            Predicate::Entry { key, value } => {
                out.push(4);
                put_bytes(out, key);
                put_bytes(out, value);
            }
            Predicate::IsNotNull => out.push(5),
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        const WHAT: &str = "a comparison";
        let kind = reader.byte().or_truncated(WHAT)?;
        let number = u16::from_le_bytes(reader.array().or_truncated(WHAT)?);
        let column = match kind {
            0 => FilterColumn::PartitionKey(number),
            1 => FilterColumn::Clustering(number),
            2 => FilterColumn::Cell(ColumnNumber(number)),
            _ => {
                return Err(DecodeError::Invalid {
                    what: "unknown kind of filtered column",
                });
            }
        };
        let operand = |reader: &mut Reader<'_>| {
            reader
                .bytes()
                .map(Bytes::copy_from_slice)
                .or_truncated(WHAT)
        };
        let predicate = match reader.byte().or_truncated(WHAT)? {
            0 => {
                let code = usize::from(reader.byte().or_truncated(WHAT)?);
                let unknown = DecodeError::Invalid {
                    what: "unknown comparison operator",
                };
                Predicate::Compare(*Operator::ALL.get(code).ok_or(unknown)?, operand(reader)?)
            }
            1 => {
                let count = reader.count(1).or_truncated(WHAT)?;
                Predicate::In(
                    (0..count)
                        .map(|_| operand(reader))
                        .collect::<Result<_, _>>()?,
                )
            }
            2 => Predicate::Contains(operand(reader)?),
            3 => Predicate::ContainsKey(operand(reader)?),
            4 => Predicate::Entry {
                key: operand(reader)?,
                value: operand(reader)?,
            },
            5 => Predicate::IsNotNull,
            _ => {
                return Err(DecodeError::Invalid {
                    what: "unknown predicate",
                });
            }
        };
        Ok(Self { column, predicate })
    }
}

impl FilterColumn {
    /// The column's definition and its serialized value; `None` if it is null or does not exist.
    fn value<'a>(
        self,
        table: &'a Table,
        subject: &Subject<'a>,
    ) -> Option<(&'a Column, Cow<'a, [u8]>)> {
        match self {
            Self::PartitionKey(position) => {
                let columns = table.partition_key();
                let mut components = subject.key.components(columns.len()).ok()?;
                let value = components.nth(usize::from(position))?;
                Some((columns.get(usize::from(position))?, Cow::Borrowed(value)))
            }
            Self::Clustering(position) => {
                let column = table.clustering().get(usize::from(position))?;
                let value = clustering_component(table, subject.clustering?, position)?;
                Some((column, Cow::Owned(value)))
            }
            Self::Cell(number) => {
                let column = table.column_by_number(number)?;
                let row = match column.kind {
                    ColumnKind::Static => subject.static_row?,
                    ColumnKind::Regular => subject.row?,
                    ColumnKind::PartitionKey | ColumnKind::Clustering => return None,
                };
                let value = match row.cell(number)? {
                    ColumnRef::Simple(cell) => Cow::Borrowed(cell.live_value(subject.now)?),
                    ColumnRef::Complex(complex) => {
                        let mut value = Vec::new();
                        assemble_collection(&column.ty, &complex, subject.now, &mut value)
                            .then_some(Cow::Owned(value))?
                    }
                };
                Some((column, value))
            }
        }
    }
}

fn clustering_component(table: &Table, key: &[u8], position: u16) -> Option<Vec<u8>> {
    let values = cql_types::decode_clustering(table.clustering_types(), key).ok()?;
    values.into_iter().nth(usize::from(position))
}

impl Predicate {
    /// Whether it holds of a value that is not null.
    fn holds(&self, ty: &CqlType, value: &[u8]) -> bool {
        match self {
            Self::Compare(operator, operand) => operator.accepts(compare(ty, value, operand)),
            Self::In(operands) => operands
                .iter()
                .any(|operand| compare(ty, value, operand).is_eq()),
            Self::Contains(operand) => match ty {
                CqlType::List { element, .. } | CqlType::Set { element, .. } => {
                    ListIter::trusted(value).any(|part| compare(element, part, operand).is_eq())
                }
                CqlType::Map { value: ty, .. } => {
                    MapIter::trusted(value).any(|(_, part)| compare(ty, part, operand).is_eq())
                }
                _ => false,
            },
            Self::ContainsKey(operand) => match ty {
                CqlType::Map { key, .. } => {
                    MapIter::trusted(value).any(|(part, _)| compare(key, part, operand).is_eq())
                }
                _ => false,
            },
            Self::Entry {
                key: at,
                value: wanted,
            } => match ty {
                CqlType::Map { key, value: ty, .. } => {
                    MapIter::trusted(value).any(|(part, found)| {
                        compare(key, part, at).is_eq() && compare(ty, found, wanted).is_eq()
                    })
                }
                _ => false,
            },
            Self::IsNotNull => true,
        }
    }
}
