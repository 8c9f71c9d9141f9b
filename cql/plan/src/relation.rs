//! One relation of a WHERE clause at a time: its column, its operator and its values.

use cql_schema::{Column, ColumnKind, Table};
use cql_syntax::{Comparison, Expr, ExprKind, InValues, Left, Marker, Name, Relation, Span, Test};
use cql_types::CqlType;

use crate::arrange::{Arranger, ClusteringTest, TupleTest};
use crate::choice::{Choice, TupleChoice, TupleTerm, list_of};
use crate::clustering::RangeOp;
use crate::error::PlanError;
use crate::prepared::Variables;
use crate::resolve;
use crate::restrict::{FilterTerm, FilterTest, Filtering, Restrictions, TokenBound, TokenTerm};
use crate::term::{Receiver, Term};

/// Sorts the relations of one WHERE clause by what they restrict.
pub(crate) struct Compiler<'a, 'v> {
    table: &'a Table,
    variables: &'v mut Variables,
    filtering: Filtering,
    partition: Vec<Option<Choice>>,
    tokens: Vec<TokenBound>,
    clustering: Arranger<'a>,
    filters: Vec<FilterTerm>,
}

impl<'a, 'v> Compiler<'a, 'v> {
    pub(crate) fn new(
        table: &'a Table,
        variables: &'v mut Variables,
        filtering: Filtering,
    ) -> Self {
        Self {
            table,
            variables,
            filtering,
            partition: vec![None; table.partition_key().len()],
            tokens: Vec::new(),
            clustering: Arranger::new(table),
            filters: Vec::new(),
        }
    }

    /// All relations together.
    pub(crate) fn finish(self) -> Result<Restrictions, PlanError> {
        let (clustering, rest) = self.clustering.finish(self.filtering)?;
        let mut filters = self.filters;
        filters.extend(rest);
        Ok(Restrictions {
            partition: self.partition,
            tokens: self.tokens,
            clustering,
            filters,
        })
    }
}

impl Compiler<'_, '_> {
    /// Takes the next relation.
    pub(crate) fn relation(&mut self, relation: &Relation) -> Result<(), PlanError> {
        match &relation.left {
            Left::Column(name) => self.single(name, relation),
            Left::Columns(names) => self.tuple(names, relation),
            Left::Token(names) => self.token(names, relation),
            Left::Element { column, key } => self.entry(column, key, relation),
            Left::Field { .. } | Left::Index(_) => Err(PlanError::unsupported(
                "this kind of restriction",
                relation.span,
            )),
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
                        self.clustering
                            .single(usize::from(column.position), test, span);
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
        if op == Comparison::NotEqual {
            return Err(PlanError::invalid(format!(
                "Unsupported \"!=\" relation: {} != ...",
                column.name
            ))
            .at(span));
        }
        let position = usize::from(column.position);
        match (column.kind, range_op(op)) {
            (ColumnKind::Static | ColumnKind::Regular, _) => {
                self.filter(column, FilterTest::Compare(op, term), span)
            }
            (ColumnKind::PartitionKey, None) => {
                self.partition_choice(&column, Choice::One(term), span)
            }
            (ColumnKind::PartitionKey, Some(_)) if self.filtering == Filtering::Allowed => {
                let taken = self.partition.get(position).is_some_and(Option::is_some);
                if taken {
                    return Err(restricted_twice(&column.name, span));
                }
                self.filter(column, FilterTest::Compare(op, term), span)
            }
            (ColumnKind::PartitionKey, Some(_)) => Err(PlanError::invalid(
                "Only EQ and IN relation are supported on the partition key (unless you use the token() function or ALLOW FILTERING)",
            )
            .at(span)),
            (ColumnKind::Clustering, None) => {
                let test = ClusteringTest::Choice(Choice::One(term));
                self.clustering.single(position, test, span);
                Ok(())
            }
            (ColumnKind::Clustering, Some(op)) => {
                self.clustering
                    .single(position, ClusteringTest::Range(op, term), span);
                Ok(())
            }
        }
    }

    /// `column[key] = value`.
    fn entry(&mut self, name: &Name, key: &Expr, relation: &Relation) -> Result<(), PlanError> {
        let column = resolve::column(self.table, name)?.clone();
        let span = relation.span;
        let CqlType::Map {
            key: key_ty,
            value: value_ty,
            ..
        } = &column.ty
        else {
            return Err(PlanError::invalid(format!(
                "Column {} of type {} has no entries to compare",
                column.name, column.ty
            ))
            .at(span));
        };
        let Test::Compare(op, expr) = &relation.test else {
            return Err(PlanError::unsupported("this operator on a map entry", span));
        };
        if op.node != Comparison::Equal {
            return Err(PlanError::unsupported("this operator on a map entry", span));
        }
        let to = |ty| Receiver {
            name: &column.name,
            ty,
        };
        let key = Term::compile(key, to(key_ty), self.variables)?;
        let value = Term::compile(expr, to(value_ty), self.variables)?;
        self.filter(column.clone(), FilterTest::Entry(key, value), span)
    }

    /// Adds a filter; values and bounds come only once a column.
    fn filter(&mut self, column: Column, test: FilterTest, span: Span) -> Result<(), PlanError> {
        for other in &self.filters {
            if other.column.number != column.number
                || other.column.kind != column.kind
                || other.column.position != column.position
            {
                continue;
            }
            match (other.test.side(), test.side()) {
                (Some(Side::Value), Some(_)) | (Some(_), Some(Side::Value)) => {
                    return Err(restricted_twice(&column.name, span));
                }
                (Some(Side::Bound(one)), Some(Side::Bound(other))) if one == other => {
                    let side = if one { "start" } else { "end" };
                    return Err(PlanError::invalid(format!(
                        "More than one restriction was found for the {side} bound on {}",
                        column.name
                    ))
                    .at(span));
                }
                (Some(Side::Bound(_)), Some(Side::Bound(_))) | (None, _) | (_, None) => {}
            }
        }
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
        let is_filtered = self.filters.iter().any(|filter| {
            filter.column.kind == ColumnKind::PartitionKey
                && filter.column.position == column.position
        });
        if slot.is_some() || is_filtered {
            return Err(restricted_twice(&column.name, span));
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
        self.clustering.tuple(position, columns.len(), test, span);
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
        let op = range_op(op.node);
        for other in &self.tokens {
            match (other.op, op) {
                (Some(one), Some(two)) if one.is_start() != two.is_start() => {}
                (Some(one), Some(_)) => {
                    let side = if one.is_start() { "start" } else { "end" };
                    return Err(PlanError::invalid(format!(
                        "More than one restriction was found for the {side} bound on {}",
                        name_list(keys)
                    ))
                    .at(relation.span));
                }
                (None, _) | (_, None) => {
                    return Err(restricted_twice(&name_list(keys), relation.span));
                }
            }
        }
        self.tokens.push(TokenBound { op, term });
        Ok(())
    }
}

fn restricted_twice(name: &str, span: Span) -> PlanError {
    PlanError::invalid(format!(
        "{name} cannot be restricted by more than one relation if it includes an Equal"
    ))
    .at(span)
}

/// What a filter says of the place of a value.
enum Side {
    /// It is one of some values.
    Value,
    /// It lies on one side of a bound; whether this is the lower one.
    Bound(bool),
}

impl FilterTest {
    fn side(&self) -> Option<Side> {
        match self {
            Self::Compare(op, _) => Some(match range_op(*op) {
                Some(op) => Side::Bound(op.is_start()),
                None => Side::Value,
            }),
            Self::In(_) => Some(Side::Value),
            Self::Contains(_) | Self::ContainsKey(_) | Self::Entry(..) => None,
        }
    }
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
