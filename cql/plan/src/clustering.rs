//! Clustering restrictions: from relations on clustering columns to slices of encoded keys.
//!
//! Columns are restricted from the first on: by `=` and `IN` (the prefix), then by at most one group of ranges.
//! Every range becomes a set of intervals between encoded positions, so that mixed directions, tuples and repeated
//! bounds need no cases: intervals of one restriction are united, those of several are intersected.

use cql_mutation::Slice;
use cql_schema::{Column, Table};
use cql_syntax::Comparison;
use cql_types::{
    BoundKind, ComponentOrder, CqlType, bound_bytes, encode_clustering, encode_clustering_prefix,
};

use crate::choice::{COMBINATIONS_MAX, Choice, KeyValue, TupleChoice, TupleTerm, with_key};
use crate::error::PlanError;
use crate::term::Term;
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

    /// Whether it names one row.
    pub(crate) fn names_one_row(&self, table: &Table) -> bool {
        self.prefix.len() == table.clustering().len() && self.has_one_prefix()
    }

    /// Evaluates the values of a prefix of equalities.
    pub(crate) fn with_prefix<'v, V: BindValues + ?Sized, R>(
        &'v self,
        table: &'v Table,
        values: &'v V,
        ctx: &BindContext,
        then: impl FnOnce(&[&[u8]]) -> Result<R, PlanError>,
    ) -> Result<R, PlanError> {
        let terms = Equalities {
            parts: self.prefix.iter(),
            columns: table.clustering().iter(),
        };
        with_key(terms, values, ctx, then)
    }

    /// Whether the prefix has nothing but equalities.
    fn has_one_prefix(&self) -> bool {
        self.prefix
            .iter()
            .all(|part| matches!(part, PrefixPart::Single(Choice::One(_))))
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
        if self.has_one_prefix() {
            return self.with_prefix(table, values, ctx, |prefix| {
                if prefix.len() == types.len() {
                    return Ok(vec![row_slice(full_key(types, prefix)?)]);
                }
                self.below(&Encoded::prefix(types, prefix)?, table, values, ctx)
            });
        }
        let mut slices = Vec::new();
        for prefix in self.prefixes(table, values, ctx)? {
            let prefix: Vec<&[u8]> = prefix.iter().map(|value| &**value).collect();
            if prefix.len() == types.len() {
                slices.push(row_slice(full_key(types, &prefix)?));
                continue;
            }
            let from = Encoded::prefix(types, &prefix)?;
            slices.append(&mut self.below(&from, table, values, ctx)?);
        }
        Ok(slices)
    }

    /// The slices below one prefix that the ranges leave.
    fn below<V: BindValues + ?Sized>(
        &self,
        from: &Encoded<'_>,
        table: &Table,
        values: &V,
        ctx: &BindContext,
    ) -> Result<Vec<Slice>, PlanError> {
        let name = table
            .clustering()
            .get(from.width)
            .map_or("", |column| &*column.name);
        let mut intervals: Option<Vec<Slice>> = None;
        for range in &self.ranges {
            let tuple = range.tuple.values(name, range.width, values, ctx)?;
            let these = from.range(range.op, &tuple)?;
            intervals = Some(match intervals {
                None => these,
                Some(before) => intersect(&before, &these),
            });
        }
        Ok(intervals.unwrap_or_else(|| {
            vec![Slice {
                start: from.before(),
                end: from.after(),
            }]
        }))
    }
}

/// The terms of a prefix of equalities, with their columns.
struct Equalities<'v> {
    parts: std::slice::Iter<'v, PrefixPart>,
    columns: std::slice::Iter<'v, Column>,
}

impl<'v> Iterator for Equalities<'v> {
    type Item = (&'v Term, &'v Column);

    fn next(&mut self) -> Option<Self::Item> {
        match self.parts.next()? {
            PrefixPart::Single(choice) => Some((choice.single()?, self.columns.next()?)),
            PrefixPart::Tuple(..) => None,
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.parts.len(), Some(self.parts.len()))
    }
}

impl ExactSizeIterator for Equalities<'_> {}

/// As [`Slice::row`], but takes the key.
fn row_slice(key: Vec<u8>) -> Slice {
    let mut end = Vec::with_capacity(key.len() + 1);
    end.extend_from_slice(&key);
    end.push(0);
    Slice { start: key, end }
}

/// The encoded key of a whole clustering; empty for a table without clustering columns, whose partitions have one row.
pub(crate) fn full_key(
    types: &[(CqlType, ComponentOrder)],
    key: &[&[u8]],
) -> Result<Vec<u8>, PlanError> {
    if types.is_empty() {
        return Ok(Vec::new());
    }
    let mut out = Vec::with_capacity(key.iter().map(|part| part.len() + 4).sum::<usize>() + 1);
    encode_clustering(types, key, &mut out)
        .map_err(|error| PlanError::invalid(error.to_string()))?;
    Ok(out)
}

/// An encoded prefix, and the types it was encoded with.
struct Encoded<'t> {
    types: &'t [(CqlType, ComponentOrder)],
    /// How many columns it covers.
    width: usize,
    bytes: Vec<u8>,
}

impl<'t> Encoded<'t> {
    fn prefix(types: &'t [(CqlType, ComponentOrder)], values: &[&[u8]]) -> Result<Self, PlanError> {
        let mut bytes = Vec::new();
        encode_clustering_prefix(types, values, &mut bytes)
            .map_err(|error| PlanError::invalid(error.to_string()))?;
        Ok(Self {
            types,
            width: values.len(),
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

    /// This prefix and one column more.
    fn longer(&self, value: &[u8]) -> Result<Self, PlanError> {
        let mut bytes = Vec::with_capacity(self.bytes.len() + value.len() + 4);
        bytes.extend_from_slice(&self.bytes);
        let types = self.types.get(self.width..).unwrap_or_default();
        encode_clustering_prefix(types, &[value], &mut bytes)
            .map_err(|error| PlanError::invalid(error.to_string()))?;
        Ok(Self {
            types: self.types,
            width: self.width + 1,
            bytes,
        })
    }

    /// The intervals of `(c0, c1, ...) op tuple` below this prefix.
    ///
    /// A tuple is greater when some component is greater and all before it are equal; each of these cases is one
    /// interval, whatever the direction of its column.
    fn range(&self, op: RangeOp, tuple: &[KeyValue<'_>]) -> Result<Vec<Slice>, PlanError> {
        let mut intervals = Vec::with_capacity(tuple.len());
        let mut deeper: Option<Self> = None;
        for (index, value) in tuple.iter().enumerate() {
            let outer = deeper.as_ref().unwrap_or(self);
            let inner = outer.longer(value)?;
            let order = self
                .types
                .get(outer.width)
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
            deeper = Some(inner);
        }
        Ok(intervals)
    }
}

fn intersect(a: &[Slice], b: &[Slice]) -> Vec<Slice> {
    let mut both = Vec::with_capacity(a.len());
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
