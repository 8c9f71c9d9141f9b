//! Puts the relations on clustering columns into column order: a prefix with values, then ranges, then what is left.

use std::sync::Arc;

use cql_schema::Table;
use cql_syntax::{Comparison, Span};

use crate::choice::{Choice, TupleChoice, TupleTerm};
use crate::clustering::{ClusteringRestriction, PrefixPart, RangeBound, RangeOp};
use crate::error::PlanError;
use crate::restrict::{FilterTerm, FilterTest, Filtering};
use crate::term::Term;

/// A single-column relation on a clustering column.
pub(crate) enum ClusteringTest {
    Choice(Choice),
    Range(RangeOp, Term),
}

/// A relation on several clustering columns.
pub(crate) enum TupleTest {
    Choice(TupleChoice),
    Range(RangeOp, TupleTerm),
}

/// The relations on clustering columns, in the order of the text.
pub(crate) struct Arranger<'a> {
    table: &'a Table,
    /// By the position of the column.
    singles: Vec<(usize, ClusteringTest, Span)>,
    /// By the position of the first column and the number of columns.
    tuples: Vec<(usize, usize, TupleTest, Span)>,
}

impl<'a> Arranger<'a> {
    pub(crate) fn new(table: &'a Table) -> Self {
        Self {
            table,
            singles: Vec::new(),
            tuples: Vec::new(),
        }
    }

    pub(crate) fn single(&mut self, position: usize, test: ClusteringTest, span: Span) {
        self.singles.push((position, test, span));
    }

    pub(crate) fn tuple(&mut self, position: usize, width: usize, test: TupleTest, span: Span) {
        self.tuples.push((position, width, test, span));
    }

    /// The restriction, and what must be filtered.
    pub(crate) fn finish(
        mut self,
        filtering: Filtering,
    ) -> Result<(ClusteringRestriction, Vec<FilterTerm>), PlanError> {
        let mut clustering = ClusteringRestriction::default();
        self.singles.sort_by_key(|(position, _, _)| *position);
        self.tuples.sort_by_key(|(position, _, _, _)| *position);
        let mut next = 0;
        loop {
            let choices = self.choices_at(next)?;
            let ranges = self.ranges_at(next)?;
            match choices {
                Some(part) if ranges.is_empty() => {
                    next += part.width();
                    clustering.prefix.push(part);
                }
                Some(_) => {
                    return Err(PlanError::invalid(format!(
                        "{} cannot be restricted by more than one relation if it includes an Equal",
                        self.name_at(next)
                    )));
                }
                None => {
                    clustering.ranges = ranges;
                    break;
                }
            }
        }
        match filtering {
            Filtering::Refused => {
                self.refuse_rest(next, !clustering.ranges.is_empty())?;
                Ok((clustering, Vec::new()))
            }
            Filtering::Allowed => {
                let filters = self.filter_rest()?;
                Ok((clustering, filters))
            }
        }
    }

    /// Refuses what follows a column without a relation, or one with a range.
    fn refuse_rest(&self, next: usize, ranged: bool) -> Result<(), PlanError> {
        let rest = self
            .singles
            .first()
            .map(|(position, _, span)| (*position, *span))
            .or_else(|| self.tuples.first().map(|(at, _, _, span)| (*at, *span)));
        let Some((position, span)) = rest else {
            return Ok(());
        };
        if position < next {
            return Err(PlanError::invalid(format!(
                "{} cannot be restricted by more than one relation if it includes an Equal",
                self.name_at(position)
            ))
            .at(span));
        }
        let (column, before) = (self.name_at(position), self.name_at(next));
        let message = if ranged {
            format!(
                "Clustering column \"{column}\" cannot be restricted (preceding column \"{before}\" is restricted by a non-EQ relation)"
            )
        } else {
            format!(
                "PRIMARY KEY column \"{column}\" cannot be restricted as preceding column \"{before}\" is not restricted"
            )
        };
        Err(PlanError::invalid(message).at(span))
    }

    /// Makes filters of what is left.
    fn filter_rest(self) -> Result<Vec<FilterTerm>, PlanError> {
        if let Some((_, _, _, span)) = self.tuples.first() {
            return Err(PlanError::unsupported(
                "a relation on several columns that must be filtered",
                *span,
            ));
        }
        let columns = self.table.clustering();
        Ok(self
            .singles
            .into_iter()
            .filter_map(|(position, test, span)| {
                let column = columns.get(position)?.clone();
                let test = match test {
                    ClusteringTest::Choice(Choice::One(term)) => {
                        FilterTest::Compare(Comparison::Equal, term)
                    }
                    ClusteringTest::Choice(choice) => FilterTest::In(choice),
                    ClusteringTest::Range(op, term) => FilterTest::Compare(op.comparison(), term),
                };
                Some(FilterTerm { column, test, span })
            })
            .collect())
    }

    fn name_at(&self, position: usize) -> Arc<str> {
        self.table
            .clustering()
            .get(position)
            .map_or_else(|| Arc::from(""), |column| Arc::clone(&column.name))
    }

    /// Takes the `=` or `IN` that begins at a column.
    fn choices_at(&mut self, position: usize) -> Result<Option<PrefixPart>, PlanError> {
        let mut found = None;
        let mut twice = None;
        for (_, test, span) in extract(&mut self.singles, |(at, test, _)| {
            *at == position && matches!(test, ClusteringTest::Choice(_))
        }) {
            if let ClusteringTest::Choice(choice) = test
                && found.replace(PrefixPart::Single(choice)).is_some()
            {
                twice = Some(span);
            }
        }
        for (_, width, test, span) in extract(&mut self.tuples, |(at, _, test, _)| {
            *at == position && matches!(test, TupleTest::Choice(_))
        }) {
            if let TupleTest::Choice(choice) = test
                && found.replace(PrefixPart::Tuple(width, choice)).is_some()
            {
                twice = Some(span);
            }
        }
        match twice {
            None => Ok(found),
            Some(span) => Err(PlanError::invalid(format!(
                "{} cannot be restricted by more than one relation if it includes an Equal",
                self.name_at(position)
            ))
            .at(span)),
        }
    }

    /// Takes the ranges that begin at a column.
    fn ranges_at(&mut self, position: usize) -> Result<Vec<RangeBound>, PlanError> {
        let mut ranges: Vec<RangeBound> = Vec::new();
        let mut spans = Vec::new();
        for (_, test, span) in extract(&mut self.singles, |(at, test, _)| {
            *at == position && matches!(test, ClusteringTest::Range(..))
        }) {
            if let ClusteringTest::Range(op, term) = test {
                spans.push(span);
                ranges.push(RangeBound {
                    op,
                    width: 1,
                    tuple: TupleTerm::Terms(vec![term]),
                });
            }
        }
        for (_, width, test, span) in extract(&mut self.tuples, |(at, _, test, _)| {
            *at == position && matches!(test, TupleTest::Range(..))
        }) {
            if let TupleTest::Range(op, tuple) = test {
                spans.push(span);
                ranges.push(RangeBound { op, width, tuple });
            }
        }
        for (side, is_start) in [("start", true), ("end", false)] {
            let mut same = ranges
                .iter()
                .zip(&spans)
                .filter(|(range, _)| range.op.is_start() == is_start);
            if let (Some(_), Some((_, span))) = (same.next(), same.next()) {
                return Err(PlanError::invalid(format!(
                    "More than one restriction was found for the {side} bound on {}",
                    self.name_at(position)
                ))
                .at(*span));
            }
        }
        Ok(ranges)
    }
}

/// Removes and returns the items that match, in order.
fn extract<T>(items: &mut Vec<T>, matches: impl Fn(&T) -> bool) -> Vec<T> {
    let (taken, kept) = std::mem::take(items).into_iter().partition(matches);
    *items = kept;
    taken
}
