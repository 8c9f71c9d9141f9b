//! SELECT: the plan, and how values turn it into a [`ReadCommand`].

use std::ops::Bound as Limit;
use std::sync::Arc;

use bytes::Bytes;
use cql_mutation::{
    ColumnSet, Comparison, Filter, FilterColumn, Operator, Order, PageLimit, Partitions, Position,
    Predicate, ReadCommand, Slice, Slices, Statics,
};
use cql_schema::{ColumnKind, Table};
use cql_syntax as ast;
use cql_types::Token;

use crate::choice::{Choice, by_token, partition_key, partition_keys, with_key};
use crate::clustering::{RangeOp, full_key};
use crate::error::{PlanError, PlanErrorKind};
use crate::project::Projection;
use crate::restrict::{FilterTerm, FilterTest, Restrictions, TokenBound, TokenTerm};
use crate::term::{Evaluated, Term};
use crate::values::{BindContext, BindValues};

/// A planned SELECT.
#[derive(Debug)]
pub struct ReadPlan {
    pub(crate) table: Arc<Table>,
    pub(crate) restrictions: Restrictions,
    pub(crate) projection: Projection,
    pub(crate) columns: ColumnSet,
    pub(crate) statics: Statics,
    pub(crate) distinct: bool,
    pub(crate) order: Order,
    pub(crate) limit: Option<Term>,
    pub(crate) per_partition_limit: Option<Term>,
    pub(crate) warnings: Vec<String>,
}

/// What the request says of paging.
#[derive(Debug, Clone, Copy)]
pub struct Paging<'a> {
    /// Rows a page; `None` without paging.
    pub rows: Option<u32>,
    /// Where the page before ended, as the client got it.
    pub state: Option<&'a [u8]>,
    /// The most bytes a page may hold.
    pub bytes: u64,
    /// The most tombstones a page may walk over.
    pub tombstones: u64,
}

/// How many rows an aggregate fetches at a time.
const AGGREGATE_PAGE_ROWS: u64 = 10_000;

impl ReadPlan {
    /// The table read.
    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// How rows become result rows.
    #[must_use]
    pub fn projection(&self) -> &Projection {
        &self.projection
    }

    /// What to tell the client besides the rows.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether the answer is one row that counts all others: pages are then fetched until none is left.
    #[must_use]
    pub fn is_aggregate(&self) -> bool {
        self.projection.is_aggregate()
    }

    /// The command for these values.
    ///
    /// # Errors
    /// `INVALID` when a value does not fit; `PROTOCOL_ERROR` when the paging state is damaged.
    pub fn bind<V: BindValues + ?Sized>(
        &self,
        values: &V,
        ctx: &BindContext,
        paging: &Paging<'_>,
    ) -> Result<ReadCommand, PlanError> {
        let slices = if self.table.clustering().is_empty() && self.restrictions.names_partitions() {
            // The one row of each partition, so that the storage may look it up instead of scanning.
            Slices::new(vec![Slice::row(&full_key(&[], &[])?)])
        } else if self.restrictions.clustering.is_empty() {
            Slices::all()
        } else {
            Slices::new(
                self.restrictions
                    .clustering
                    .slices(&self.table, values, ctx)?,
            )
        };
        let row_limit = self.row_limit(self.limit.as_ref(), "LIMIT", values, ctx)?;
        let per_partition_limit = self.row_limit(
            self.per_partition_limit.as_ref(),
            "PER PARTITION LIMIT",
            values,
            ctx,
        )?;
        let resume = match paging.state {
            None => None,
            Some(state) => Some(self.resume(state)?),
        };
        let rows = match paging.rows {
            _ if self.is_aggregate() => AGGREGATE_PAGE_ROWS,
            Some(rows) => u64::from(rows).max(1),
            None => u64::MAX,
        };
        Ok(ReadCommand {
            table: self.table.id,
            partitions: self.partitions(values, ctx)?,
            slices,
            order: self.order,
            columns: self.columns.clone(),
            statics: self.statics,
            distinct: self.distinct,
            filter: self.filter(values, ctx)?,
            // LIMIT counts the rows of the result, and an aggregate has one.
            row_limit: row_limit.filter(|_| !self.is_aggregate()),
            per_partition_limit,
            // Only who can go on with another page may be given a part.
            page: match paging.rows.is_some() || self.is_aggregate() {
                true => PageLimit {
                    rows,
                    bytes: paging.bytes,
                    tombstones: paging.tombstones,
                },
                false => PageLimit::NONE,
            },
            now: ctx.now,
            resume,
        })
    }

    fn resume(&self, state: &[u8]) -> Result<Position, PlanError> {
        let damaged = |why: String| {
            PlanError::invalid(format!("Invalid value for the paging state: {why}"))
                .kind(PlanErrorKind::Protocol)
        };
        let position = Position::decode(state).map_err(|error| damaged(error.to_string()))?;
        let keys = self.table.partition_key().len();
        match position.key.components(keys) {
            Ok(_) => Ok(position),
            Err(error) => Err(damaged(format!("it belongs to another statement: {error}"))),
        }
    }

    fn row_limit<V: BindValues + ?Sized>(
        &self,
        term: Option<&Term>,
        clause: &str,
        values: &V,
        ctx: &BindContext,
    ) -> Result<Option<u64>, PlanError> {
        let Some(term) = term else { return Ok(None) };
        match term.evaluate(values, ctx)? {
            Evaluated::Unset => Ok(None),
            Evaluated::Null => Err(PlanError::invalid(format!(
                "Invalid null value of {clause}"
            ))),
            Evaluated::Value(bytes) => {
                let limit = <[u8; 4]>::try_from(&*bytes).map(i32::from_be_bytes);
                match limit.ok().and_then(|limit| u64::try_from(limit).ok()) {
                    Some(limit) if limit > 0 => Ok(Some(limit)),
                    _ => Err(PlanError::invalid(format!(
                        "{clause} must be strictly positive"
                    ))),
                }
            }
        }
    }

    fn partitions<V: BindValues + ?Sized>(
        &self,
        values: &V,
        ctx: &BindContext,
    ) -> Result<Partitions, PlanError> {
        if !self.restrictions.names_partitions() {
            return self.token_range(values, ctx);
        }
        let columns = self.table.partition_key();
        let choices = &self.restrictions.partition;
        if choices.iter().all(|choice| one_of(choice).is_some()) {
            let terms = choices
                .iter()
                .map(|choice| one_of(choice).unwrap_or(&Term::Null));
            let key = with_key(terms.zip(columns), values, ctx, partition_key)?;
            return Ok(Partitions::Keys(vec![key]));
        }
        let keys = partition_keys(choices.iter().flatten(), &self.table, values, ctx)?;
        Ok(Partitions::Keys(by_token(keys)))
    }

    fn token_range<V: BindValues + ?Sized>(
        &self,
        values: &V,
        ctx: &BindContext,
    ) -> Result<Partitions, PlanError> {
        let (mut start, mut end) = (Limit::Unbounded, Limit::Unbounded);
        for TokenBound { op, term } in &self.restrictions.tokens {
            let token = token_of(term, values, ctx)?;
            match op {
                None => {
                    start = Limit::Included(token);
                    end = Limit::Included(token);
                }
                Some(RangeOp::Greater) => start = Limit::Excluded(token),
                Some(RangeOp::GreaterOrEqual) => start = Limit::Included(token),
                // No partition has the smallest token: as an upper bound it means the end of the ring.
                Some(RangeOp::Less | RangeOp::LessOrEqual) if token == Token(i64::MIN) => {
                    end = Limit::Unbounded;
                }
                Some(RangeOp::Less) => end = Limit::Excluded(token),
                Some(RangeOp::LessOrEqual) => end = Limit::Included(token),
            }
        }
        Ok(Partitions::Range { start, end })
    }

    fn filter<V: BindValues + ?Sized>(
        &self,
        values: &V,
        ctx: &BindContext,
    ) -> Result<Filter, PlanError> {
        let mut comparisons = Vec::new();
        if !self.restrictions.names_partitions() {
            for (choice, column) in self
                .restrictions
                .partition
                .iter()
                .zip(self.table.partition_key())
            {
                let Some(choice) = choice else { continue };
                let operands = choice
                    .values(&column.name, values, ctx)?
                    .into_iter()
                    .map(|value| Bytes::copy_from_slice(&value))
                    .collect();
                comparisons.push(Comparison {
                    column: FilterColumn::PartitionKey(column.position),
                    predicate: Predicate::In(operands),
                });
            }
        }
        for term in &self.restrictions.filters {
            comparisons.push(comparison(term, values, ctx)?);
        }
        Ok(Filter { comparisons })
    }
}

/// The term of an equality.
fn one_of(choice: &Option<Choice>) -> Option<&Term> {
    choice.as_ref()?.single()
}

fn token_of<V: BindValues + ?Sized>(
    term: &TokenTerm,
    values: &V,
    ctx: &BindContext,
) -> Result<Token, PlanError> {
    const NAME: &str = "partition key token";
    match term {
        TokenTerm::Number(term) => {
            let bytes = crate::choice::key_value(term, NAME, values, ctx)?;
            <[u8; 8]>::try_from(&*bytes)
                .map(|bytes| Token(i64::from_be_bytes(bytes)))
                .map_err(|_| PlanError::invalid("a token is a bigint"))
        }
        TokenTerm::Key(terms) => {
            let parts = terms
                .iter()
                .map(|term| crate::choice::key_value(term, NAME, values, ctx))
                .collect::<Result<Vec<_>, _>>()?;
            let parts: Vec<&[u8]> = parts.iter().map(|part| &**part).collect();
            Ok(partition_key(&parts)?.token())
        }
    }
}

fn comparison<V: BindValues + ?Sized>(
    term: &FilterTerm,
    values: &V,
    ctx: &BindContext,
) -> Result<Comparison, PlanError> {
    let column = match term.column.kind {
        ColumnKind::PartitionKey => FilterColumn::PartitionKey(term.column.position),
        ColumnKind::Clustering => FilterColumn::Clustering(term.column.position),
        ColumnKind::Static | ColumnKind::Regular => FilterColumn::Cell(term.column.number),
    };
    let name = &term.column.name;
    let operand = |term: &Term| {
        crate::choice::key_value(term, name, values, ctx)
            .map(|value| Bytes::copy_from_slice(&value))
    };
    let predicate = match &term.test {
        FilterTest::Compare(op, value) => Predicate::Compare(operator(*op), operand(value)?),
        FilterTest::In(choice) => Predicate::In(
            choice
                .values(name, values, ctx)?
                .iter()
                .map(|value| Bytes::copy_from_slice(value))
                .collect(),
        ),
        FilterTest::Contains(value) => Predicate::Contains(operand(value)?),
        FilterTest::ContainsKey(value) => Predicate::ContainsKey(operand(value)?),
        FilterTest::Entry(key, value) => Predicate::Entry {
            key: operand(key)?,
            value: operand(value)?,
        },
    };
    Ok(Comparison { column, predicate })
}

fn operator(op: ast::Comparison) -> Operator {
    match op {
        ast::Comparison::Equal => Operator::Eq,
        ast::Comparison::NotEqual => Operator::NotEq,
        ast::Comparison::Less => Operator::Lt,
        ast::Comparison::LessOrEqual => Operator::LtEq,
        ast::Comparison::Greater => Operator::Gt,
        ast::Comparison::GreaterOrEqual => Operator::GtEq,
    }
}
