//! Clustering restrictions: from relations on clustering columns to slices of encoded keys.
//!
//! Columns are restricted from the first on: by `=` and `IN` (the prefix), then by at most one group of ranges.
//! Every range becomes a set of intervals between encoded positions, so that mixed directions, tuples and repeated
//! bounds need no cases: intervals of one restriction are united, those of several are intersected.

use cql_mutation::Slice;
use cql_schema::Table;
use cql_syntax::Comparison;
use cql_types::{
    BoundKind, ComponentOrder, CqlType, bound_bytes, encode_clustering, encode_clustering_prefix,
};

use crate::choice::{COMBINATIONS_MAX, Choice, KeyValue, TupleChoice, TupleTerm};
use crate::error::PlanError;
use crate::values::{BindContext, BindValues};

/// What the WHERE clause says of the clustering columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClusteringRestriction {
    /// Columns with `=` or `IN`, from the first on.
    pub(crate) prefix: Vec<PrefixPart>,
    /// Ranges over the columns that follow the prefix.
    pub(crate) ranges: Vec<RangeBound>,
}

/// One or more columns of the prefix.
#[derive(Debug, Clone)]
pub(crate) enum PrefixPart {
    /// One column.
    Single(Choice),
    /// Several columns, restricted together.
    Tuple(usize, TupleChoice),
}

impl PrefixPart {
    /// How many columns it covers.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Single(_) => 1,
            Self::Tuple(width, _) => *width,
        }
    }
}

/// `<`, `<=`, `>` or `>=` over one or more columns.
#[derive(Debug, Clone)]
pub(crate) struct RangeBound {
    /// The operator.
    pub(crate) op: RangeOp,
    /// How many columns.
    pub(crate) width: usize,
    /// The values.
    pub(crate) tuple: TupleTerm,
}

/// The operator of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RangeOp {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl RangeOp {
    /// Whether it bounds from below.
    pub(crate) fn is_start(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual)
    }

    /// The operator as it is written.
    pub(crate) fn comparison(self) -> Comparison {
        match self {
            Self::Less => Comparison::Less,
            Self::LessOrEqual => Comparison::LessOrEqual,
            Self::Greater => Comparison::Greater,
            Self::GreaterOrEqual => Comparison::GreaterOrEqual,
        }
    }

    fn is_inclusive(self) -> bool {
        matches!(self, Self::LessOrEqual | Self::GreaterOrEqual)
    }
}

impl ClusteringRestriction {
    /// How many columns the prefix covers.
    pub(crate) fn prefix_len(&self) -> usize {
        self.prefix.iter().map(PrefixPart::width).sum()
    }

    /// Whether no column is restricted.
    pub(crate) fn is_empty(&self) -> bool {
        self.prefix.is_empty() && self.ranges.is_empty()
    }

    /// Every value combination of the prefix.
    pub(crate) fn prefixes<'v, V: BindValues + ?Sized>(
        &'v self,
        table: &Table,
        values: &'v V,
        ctx: &BindContext,
    ) -> Result<Vec<Vec<KeyValue<'v>>>, PlanError> {
        let mut all: Vec<Vec<KeyValue<'v>>> = vec![Vec::new()];
        let mut column = 0;
        for part in &self.prefix {
            let name = table
                .clustering()
                .get(column)
                .map_or("", |column| &*column.name);
            let choices = match part {
                PrefixPart::Single(choice) => choice
                    .values(name, values, ctx)?
                    .into_iter()
                    .map(|value| vec![value])
                    .collect(),
                PrefixPart::Tuple(width, tuples) => tuples.tuples(name, *width, values, ctx)?,
            };
            if all.len().saturating_mul(choices.len()) > COMBINATIONS_MAX {
                return Err(PlanError::invalid(format!(
                    "clustering key cartesian product size {} is greater than maximum {COMBINATIONS_MAX}",
                    all.len().saturating_mul(choices.len())
                ))
                .help("ask for fewer values at a time"));
            }
            all = all
                .iter()
                .flat_map(|start| {
                    choices.iter().map(move |choice| {
                        let mut longer = start.clone();
                        longer.extend(choice.iter().cloned());
                        longer
                    })
                })
                .collect();
            column += part.width();
        }
        Ok(all)
    }

    /// The slices for one request, in no order.
    pub(crate) fn slices<V: BindValues + ?Sized>(
        &self,
        table: &Table,
        values: &V,
        ctx: &BindContext,
    ) -> Result<Vec<Slice>, PlanError> {
        if self.is_empty() {
            return Ok(vec![Slice::all()]);
        }
        let types = table.clustering_types();
        let mut slices = Vec::new();
        for prefix in self.prefixes(table, values, ctx)? {
            if prefix.len() == types.len() {
                slices.push(Slice::row(&full_key(types, &prefix)?));
                continue;
            }
            let from = Encoded::prefix(types, &prefix)?;
            let mut intervals = vec![Slice {
                start: from.before(),
                end: from.after(),
            }];
            for range in &self.ranges {
                let first = table.clustering().get(prefix.len());
                let name = first.map_or("", |column| &*column.name);
                let tuple = range.tuple.values(name, range.width, values, ctx)?;
                intervals = intersect(&intervals, &from.range(range.op, &tuple)?);
            }
            slices.append(&mut intervals);
        }
        Ok(slices)
    }
}

/// The encoded key of a whole clustering; empty for a table without clustering columns, whose partitions have one row.
pub(crate) fn full_key(
    types: &[(CqlType, ComponentOrder)],
    key: &[KeyValue<'_>],
) -> Result<Vec<u8>, PlanError> {
    if types.is_empty() {
        return Ok(Vec::new());
    }
    let parts: Vec<&[u8]> = key.iter().map(|value| &**value).collect();
    let mut out = Vec::with_capacity(parts.iter().map(|part| part.len() + 4).sum());
    encode_clustering(types, &parts, &mut out)
        .map_err(|error| PlanError::invalid(error.to_string()))?;
    Ok(out)
}

/// An encoded prefix, and the types it was encoded with.
struct Encoded<'t> {
    types: &'t [(CqlType, ComponentOrder)],
    values: Vec<Vec<u8>>,
    bytes: Vec<u8>,
}

impl<'t> Encoded<'t> {
    fn prefix(
        types: &'t [(CqlType, ComponentOrder)],
        values: &[KeyValue<'_>],
    ) -> Result<Self, PlanError> {
        let values: Vec<Vec<u8>> = values.iter().map(|value| value.to_vec()).collect();
        let parts: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        let mut bytes = Vec::new();
        encode_clustering_prefix(types, &parts, &mut bytes)
            .map_err(|error| PlanError::invalid(error.to_string()))?;
        Ok(Self {
            types,
            values,
            bytes,
        })
    }

    /// The position before all keys with the prefix.
    fn before(&self) -> Vec<u8> {
        bound_bytes(&self.bytes, BoundKind::StartInclusive)
    }

    /// The position behind all keys with the prefix.
    fn after(&self) -> Vec<u8> {
        bound_bytes(&self.bytes, BoundKind::EndInclusive)
    }

    fn longer(&self, tail: &[KeyValue<'_>]) -> Result<Self, PlanError> {
        let mut values: Vec<KeyValue<'_>> = self
            .values
            .iter()
            .map(|value| KeyValue::Borrowed(value.as_slice()))
            .collect();
        values.extend(tail.iter().cloned());
        Self::prefix(self.types, &values)
    }

    /// The intervals of `(c0, c1, ...) op tuple` below this prefix.
    ///
    /// A tuple is greater when some component is greater and all before it are equal; each of these cases is one
    /// interval, whatever the direction of its column.
    fn range(&self, op: RangeOp, tuple: &[KeyValue<'_>]) -> Result<Vec<Slice>, PlanError> {
        let mut intervals = Vec::with_capacity(tuple.len());
        for index in 0..tuple.len() {
            let outer = self.longer(tuple.get(..index).unwrap_or_default())?;
            let inner = self.longer(tuple.get(..=index).unwrap_or_default())?;
            let order = self
                .types
                .get(self.values.len() + index)
                .map_or(ComponentOrder::Asc, |(_, order)| *order);
            let last = index + 1 == tuple.len();
            let upwards = op.is_start() == (order == ComponentOrder::Asc);
            let inclusive = last && op.is_inclusive();
            intervals.push(if upwards {
                Slice {
                    start: if inclusive {
                        inner.before()
                    } else {
                        inner.after()
                    },
                    end: outer.after(),
                }
            } else {
                Slice {
                    start: outer.before(),
                    end: if inclusive {
                        inner.after()
                    } else {
                        inner.before()
                    },
                }
            });
        }
        Ok(intervals)
    }
}

fn intersect(a: &[Slice], b: &[Slice]) -> Vec<Slice> {
    let mut both = Vec::new();
    for left in a {
        for right in b {
            let start = left.start.as_slice().max(&right.start);
            let end = left.end.as_slice().min(&right.end);
            if start < end {
                both.push(Slice {
                    start: start.to_vec(),
                    end: end.to_vec(),
                });
            }
        }
    }
    both
}
