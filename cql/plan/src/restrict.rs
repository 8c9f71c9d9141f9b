//! The WHERE clause: which relations name the partition, which the rows in it, and which must be filtered.

use std::sync::Arc;

use cql_schema::{Column, ColumnKind, Table};
use cql_syntax::Span;
use cql_syntax::{Comparison, Expr, ExprKind, InValues, Left, Marker, Name, Relation, Test};
use cql_types::CqlType;

use crate::choice::{Choice, TupleChoice, TupleTerm, list_of};
use crate::clustering::{ClusteringRestriction, PrefixPart, RangeBound, RangeOp};
use crate::error::PlanError;
use crate::prepared::Variables;
use crate::resolve;
use crate::term::{Receiver, Term};

/// A compiled WHERE clause.
#[derive(Debug)]
pub(crate) struct Restrictions {
    /// The choice of each partition key column; `None` where there is none.
    pub(crate) partition: Vec<Option<Choice>>,
    /// Bounds on the token.
    pub(crate) tokens: Vec<TokenBound>,
    /// What restricts the clustering columns.
    pub(crate) clustering: ClusteringRestriction,
    /// What is left to be looked at row by row.
    pub(crate) filters: Vec<FilterTerm>,
}

/// `token(...) op term`.
#[derive(Debug)]
pub(crate) struct TokenBound {
    /// The operator; `None` is equality.
    pub(crate) op: Option<RangeOp>,
    /// What it is compared with.
    pub(crate) term: TokenTerm,
}

/// The other side of a token relation.
#[derive(Debug)]
pub(crate) enum TokenTerm {
    /// A bigint.
    Number(Term),
    /// `token(term, ...)`.
    Key(Vec<Term>),
}

/// A relation that is tested on each row.
#[derive(Debug)]
pub(crate) struct FilterTerm {
    /// The column.
    pub(crate) column: Column,
    /// The test.
    pub(crate) test: FilterTest,
    /// Where it stands.
    pub(crate) span: Span,
}

/// The test of a [`FilterTerm`].
#[derive(Debug)]
pub(crate) enum FilterTest {
    /// A comparison.
    Compare(Comparison, Term),
    /// `IN`.
    In(Choice),
    /// `CONTAINS`: an element or a value.
    Contains(Term),
    /// `CONTAINS KEY`.
    ContainsKey(Term),
}

/// A single-column relation on a clustering column.
enum ClusteringTest {
    Choice(Choice),
    Range(RangeOp, Term),
}

struct Compiler<'a, 'v> {
    table: &'a Table,
    variables: &'v mut Variables,
    partition: Vec<Option<Choice>>,
    tokens: Vec<TokenBound>,
    singles: Vec<(usize, ClusteringTest, Span)>,
    tuples: Vec<(usize, usize, TupleTest, Span)>,
    filters: Vec<FilterTerm>,
}

enum TupleTest {
    Choice(TupleChoice),
    Range(RangeOp, TupleTerm),
}

impl Restrictions {
    /// Compiles the relations of a statement.
    pub(crate) fn compile(
        relations: &[Relation],
        table: &Table,
        variables: &mut Variables,
    ) -> Result<Self, PlanError> {
        let mut compiler = Compiler {
            table,
            variables,
            partition: vec![None; table.partition_key().len()],
            tokens: Vec::new(),
            singles: Vec::new(),
            tuples: Vec::new(),
            filters: Vec::new(),
        };
        for relation in relations {
            compiler.relation(relation)?;
        }
        compiler.finish()
    }

    /// Whether every partition key column has a value.
    pub(crate) fn names_partitions(&self) -> bool {
        self.partition.iter().all(Option::is_some)
    }

    /// Whether some partition key column has a value.
    pub(crate) fn touches_partition(&self) -> bool {
        self.partition.iter().any(Option::is_some)
    }
}

impl Compiler<'_, '_> {
    fn relation(&mut self, relation: &Relation) -> Result<(), PlanError> {
        match &relation.left {
            Left::Column(name) => self.single(name, relation),
            Left::Columns(names) => self.tuple(names, relation),
            Left::Token(names) => self.token(names, relation),
            Left::Element { .. } | Left::Field { .. } | Left::Index(_) => Err(
                PlanError::unsupported("this kind of restriction", relation.span),
            ),
        }
    }

    fn single(&mut self, name: &Name, relation: &Relation) -> Result<(), PlanError> {
        let column = resolve::column(self.table, name)?.clone();
        let to = Receiver {
            name: &column.name,
            ty: &column.ty,
        };
        let span = relation.span;
        match &relation.test {
            Test::Compare(op, expr) => {
                let term = Term::compile(expr, to, self.variables)?;
                self.compared(column, op.node, term, span)
            }
            Test::Between(low, high) => {
                let low = Term::compile(low, to, self.variables)?;
                let high = Term::compile(high, to, self.variables)?;
                self.compared(column.clone(), Comparison::GreaterOrEqual, low, span)?;
                self.compared(column, Comparison::LessOrEqual, high, span)
            }
            Test::In(list) => {
                let choice = self.choice(list, &column)?;
                match column.kind {
                    ColumnKind::PartitionKey => self.partition_choice(&column, choice, span),
                    ColumnKind::Clustering => {
                        let test = ClusteringTest::Choice(choice);
                        self.singles
                            .push((usize::from(column.position), test, span));
                        Ok(())
                    }
                    ColumnKind::Static | ColumnKind::Regular => {
                        self.filter(column, FilterTest::In(choice), span)
                    }
                }
            }
            Test::Contains(expr) => {
                let element = match &column.ty {
                    CqlType::List { element, .. } | CqlType::Set { element, .. } => element,
                    CqlType::Map { value, .. } => value,
                    _ => {
                        return Err(PlanError::invalid(format!(
                            "Cannot use CONTAINS on non-collection column {}",
                            column.name
                        ))
                        .at(span));
                    }
                };
                let to = Receiver {
                    name: &column.name,
                    ty: element,
                };
                let term = Term::compile(expr, to, self.variables)?;
                self.filter(column.clone(), FilterTest::Contains(term), span)
            }
            Test::ContainsKey(expr) => {
                let CqlType::Map { key, .. } = &column.ty else {
                    return Err(PlanError::invalid(format!(
                        "Cannot use CONTAINS KEY on non-map column {}",
                        column.name
                    ))
                    .at(span));
                };
                let to = Receiver {
                    name: &column.name,
                    ty: key,
                };
                let term = Term::compile(expr, to, self.variables)?;
                self.filter(column.clone(), FilterTest::ContainsKey(term), span)
            }
            Test::IsNotNull => Err(PlanError::invalid(format!(
                "Unsupported restriction: {} IS NOT NULL",
                column.name
            ))
            .at(span)),
            Test::Like(_) => Err(PlanError::unsupported("LIKE", span)),
            Test::NotIn(_) | Test::NotContains(_) | Test::NotContainsKey(_) | Test::Matches(_) => {
                Err(PlanError::unsupported("this operator", span))
            }
        }
    }

    fn compared(
        &mut self,
        column: Column,
        op: Comparison,
        term: Term,
        span: Span,
    ) -> Result<(), PlanError> {
        if column.ty.is_multi_cell() {
            return Err(PlanError::invalid(format!(
                "Collection column '{}' ({}) cannot be restricted by a '{}' relation",
                column.name,
                column.ty,
                op.symbol()
            ))
            .at(span));
        }
        let range = range_op(op);
        match (column.kind, range) {
            (ColumnKind::Static | ColumnKind::Regular, _) => {
                self.filter(column, FilterTest::Compare(op, term), span)
            }
            (_, None) if op == Comparison::NotEqual => Err(PlanError::invalid(format!(
                "Unsupported \"!=\" relation: {} != ...",
                column.name
            ))
            .at(span)),
            (ColumnKind::PartitionKey, None) => {
                self.partition_choice(&column, Choice::One(term), span)
            }
            (ColumnKind::PartitionKey, Some(_)) => Err(PlanError::invalid(
                "Only EQ and IN relation are supported on the partition key (unless you use the token() function)",
            )
            .at(span)),
            (ColumnKind::Clustering, range) => {
                let test = match range {
                    None => ClusteringTest::Choice(Choice::One(term)),
                    Some(op) => ClusteringTest::Range(op, term),
                };
                self.singles.push((usize::from(column.position), test, span));
                Ok(())
            }
        }
    }

    fn filter(&mut self, column: Column, test: FilterTest, span: Span) -> Result<(), PlanError> {
        self.filters.push(FilterTerm { column, test, span });
        Ok(())
    }

    fn partition_choice(
        &mut self,
        column: &Column,
        choice: Choice,
        span: Span,
    ) -> Result<(), PlanError> {
        let Some(slot) = self.partition.get_mut(usize::from(column.position)) else {
            return Ok(());
        };
        if slot.is_some() {
            return Err(PlanError::invalid(format!(
                "{} cannot be restricted by more than one relation if it includes an Equal",
                column.name
            ))
            .at(span));
        }
        *slot = Some(choice);
        Ok(())
    }

    fn choice(&mut self, list: &InValues, column: &Column) -> Result<Choice, PlanError> {
        if column.ty.is_multi_cell() {
            return Err(PlanError::invalid(format!(
                "Collection column '{}' ({}) cannot be restricted by a 'IN' relation",
                column.name, column.ty
            )));
        }
        match list {
            InValues::List(items) => {
                let terms = items
                    .iter()
                    .map(|item| {
                        let to = Receiver {
                            name: &column.name,
                            ty: &column.ty,
                        };
                        Term::compile(item, to, self.variables)
                    })
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(Choice::Many(terms))
            }
            InValues::Marker(marker) => {
                let ty = list_of(&column.ty);
                Ok(Choice::List(self.list_marker(marker, &column.name, &ty)))
            }
        }
    }

    fn list_marker(&mut self, marker: &Marker, name: &str, ty: &CqlType) -> Term {
        let name = format!("in({name})");
        self.variables.marker(marker, Receiver { name: &name, ty })
    }

    fn tuple(&mut self, names: &[Name], relation: &Relation) -> Result<(), PlanError> {
        let span = relation.span;
        let columns = names
            .iter()
            .map(|name| resolve::column(self.table, name).cloned())
            .collect::<Result<Vec<_>, _>>()?;
        let Some(first) = columns.first() else {
            return Err(PlanError::invalid("an empty list of columns").at(span));
        };
        for (column, position) in columns.iter().zip(first.position..) {
            if column.kind != ColumnKind::Clustering {
                return Err(PlanError::invalid(format!(
                    "Multi-column relations can only be applied to clustering columns but was applied to: {}",
                    column.name
                ))
                .at(span));
            }
            if column.position != position {
                return Err(PlanError::invalid(format!(
                    "Clustering columns must appear in the PRIMARY KEY order in multi-column relations: {}",
                    name_list(&columns)
                ))
                .at(span));
            }
        }
        let position = usize::from(first.position);
        let test = match &relation.test {
            Test::Compare(op, expr) => {
                let tuple = self.tuple_term(expr, &columns)?;
                match (op.node, range_op(op.node)) {
                    (Comparison::Equal, _) => TupleTest::Choice(TupleChoice::One(tuple)),
                    (_, Some(op)) => TupleTest::Range(op, tuple),
                    (_, None) => {
                        return Err(PlanError::invalid(format!(
                            "Unsupported \"!=\" relation: ({}) != ...",
                            name_list(&columns)
                        ))
                        .at(span));
                    }
                }
            }
            Test::In(InValues::List(items)) => {
                let tuples = items
                    .iter()
                    .map(|item| self.tuple_term(item, &columns))
                    .collect::<Result<_, _>>()?;
                TupleTest::Choice(TupleChoice::Many(tuples))
            }
            Test::In(InValues::Marker(marker)) => {
                let ty = list_of(&tuple_type(&columns));
                let name = name_list(&columns);
                TupleTest::Choice(TupleChoice::List(self.list_marker(marker, &name, &ty)))
            }
            _ => {
                return Err(PlanError::unsupported(
                    "this operator on several columns",
                    span,
                ));
            }
        };
        self.tuples.push((position, columns.len(), test, span));
        Ok(())
    }

    fn tuple_term(&mut self, expr: &Expr, columns: &[Column]) -> Result<TupleTerm, PlanError> {
        match &expr.kind {
            ExprKind::Tuple(items) if items.len() == columns.len() => {
                let terms = items
                    .iter()
                    .zip(columns)
                    .map(|(item, column)| {
                        let to = Receiver {
                            name: &column.name,
                            ty: &column.ty,
                        };
                        Term::compile(item, to, self.variables)
                    })
                    .collect::<Result<_, _>>()?;
                Ok(TupleTerm::Terms(terms))
            }
            ExprKind::Marker(marker) => {
                let name = format!("({})", name_list(columns));
                let to = Receiver {
                    name: &name,
                    ty: &tuple_type(columns),
                };
                Ok(TupleTerm::Marker(self.variables.marker(marker, to)))
            }
            ExprKind::Tuple(items) => Err(PlanError::invalid(format!(
                "Expected {} elements in value tuple, but got {}",
                columns.len(),
                items.len()
            ))
            .at(expr.span)),
            _ => match columns {
                [column] => {
                    let to = Receiver {
                        name: &column.name,
                        ty: &column.ty,
                    };
                    Term::compile(expr, to, self.variables).map(|term| TupleTerm::Terms(vec![term]))
                }
                _ => Err(PlanError::invalid("a tuple is expected here").at(expr.span)),
            },
        }
    }

    fn token(&mut self, names: &[Name], relation: &Relation) -> Result<(), PlanError> {
        let keys = self.table.partition_key();
        let in_order = names.len() == keys.len()
            && names
                .iter()
                .zip(keys)
                .all(|(name, column)| name.as_str() == &*column.name);
        if !in_order {
            return Err(PlanError::invalid(format!(
                "The token function arguments must be in the partition key order: {}",
                name_list(keys)
            ))
            .at(relation.span));
        }
        let Test::Compare(op, expr) = &relation.test else {
            return Err(PlanError::unsupported(
                "this operator on token()",
                relation.span,
            ));
        };
        if op.node == Comparison::NotEqual {
            return Err(
                PlanError::invalid("Unsupported \"!=\" relation on token()").at(relation.span)
            );
        }
        let arguments = match &expr.kind {
            ExprKind::Token(arguments) => Some(arguments),
            _ => None,
        };
        let term = match arguments {
            Some(arguments) => {
                if arguments.len() != keys.len() {
                    return Err(PlanError::invalid(format!(
                        "Invalid number of arguments in call to function token: {} required but {} provided",
                        keys.len(),
                        arguments.len()
                    ))
                    .at(expr.span));
                }
                TokenTerm::Key(
                    arguments
                        .iter()
                        .zip(keys)
                        .map(|(argument, column)| {
                            let to = Receiver {
                                name: &column.name,
                                ty: &column.ty,
                            };
                            Term::compile(argument, to, self.variables)
                        })
                        .collect::<Result<_, _>>()?,
                )
            }
            None => {
                let to = Receiver {
                    name: "partition key token",
                    ty: &CqlType::BigInt,
                };
                TokenTerm::Number(Term::compile(expr, to, self.variables)?)
            }
        };
        self.tokens.push(TokenBound {
            op: range_op(op.node),
            term,
        });
        Ok(())
    }

    /// Puts the clustering relations into column order.
    fn finish(mut self) -> Result<Restrictions, PlanError> {
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
        let rest = self
            .singles
            .first()
            .map(|(position, _, span)| (*position, *span))
            .or_else(|| self.tuples.first().map(|(at, _, _, span)| (*at, *span)));
        if let Some((position, span)) = rest {
            let ranged = !clustering.ranges.is_empty();
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
            return Err(PlanError::invalid(message).at(span));
        }
        Ok(Restrictions {
            partition: self.partition,
            tokens: self.tokens,
            clustering,
            filters: self.filters,
        })
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

fn range_op(op: Comparison) -> Option<RangeOp> {
    match op {
        Comparison::Equal | Comparison::NotEqual => None,
        Comparison::Less => Some(RangeOp::Less),
        Comparison::LessOrEqual => Some(RangeOp::LessOrEqual),
        Comparison::Greater => Some(RangeOp::Greater),
        Comparison::GreaterOrEqual => Some(RangeOp::GreaterOrEqual),
    }
}

fn tuple_type(columns: &[Column]) -> CqlType {
    CqlType::Tuple(columns.iter().map(|column| column.ty.clone()).collect())
}

fn name_list(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
    names.join(", ")
}
