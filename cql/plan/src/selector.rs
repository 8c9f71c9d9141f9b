//! The SELECT list: from selectors to what a result shows.

use std::sync::Arc;

use cql_schema::{ColumnKind, Table};
use cql_syntax::{CellFact, Expr, ExprKind, Literal, Selector, TypeName};
use cql_types::{CqlType, parse_type};

use crate::aggregate::Aggregate;
use crate::cast::can_cast;
use crate::error::PlanError;
use crate::functions::Function;
use crate::prepared::Variables;
use crate::project::{Item, Projection, What};
use crate::resolve::column;
use crate::term::{Receiver, Term};

impl Projection {
    /// A list of selectors.
    pub(crate) fn compile(selectors: &[Selector], table: &Table) -> Result<Self, PlanError> {
        let mut projection = Self::empty();
        for selector in selectors {
            let (what, name, ty) = projection.selector(&selector.expr, table)?;
            if !what.is_aggregate() && what.any(&What::is_aggregate) {
                return Err(PlanError::unsupported(
                    "an aggregate within another function",
                    selector.expr.span,
                ));
            }
            let name = match &selector.alias {
                Some(alias) => Arc::from(alias.as_str()),
                None => Arc::from(name),
            };
            projection.items.push(Item { what, name, ty });
        }
        projection.aggregate = projection.items.iter().any(|item| item.what.is_aggregate());
        Ok(projection)
    }

    fn selector(
        &mut self,
        expr: &Expr,
        table: &Table,
    ) -> Result<(What, String, CqlType), PlanError> {
        match &expr.kind {
            ExprKind::Column(name) => {
                let column = column(table, name)?;
                let what = self.read(column);
                Ok((what, column.name.to_string(), column.ty.clone()))
            }
            ExprKind::Field { base, field } => {
                let (what, name, ty) = self.selector(base, table)?;
                let CqlType::Udt { def, .. } = &ty else {
                    return Err(PlanError::invalid(format!(
                        "Invalid field selection: {name} of type {ty} is not a user type"
                    ))
                    .at(expr.span));
                };
                let Some((index, field_ty)) = def.field(field.as_str()) else {
                    return Err(PlanError::invalid(format!(
                        "{} of type {} has no field {}",
                        name,
                        def.name,
                        field.as_str()
                    ))
                    .at(field.span)
                    .did_you_mean(field.as_str(), def.fields.iter().map(|(name, _)| &**name)));
                };
                let what = What::Field(Box::new(what), index);
                Ok((what, format!("{name}.{}", field.as_str()), field_ty.clone()))
            }
            ExprKind::CountRows => Ok((What::CountRows, "count".to_owned(), CqlType::BigInt)),
            ExprKind::CellFact { fact, of } => self.cell_fact(*fact, of, expr, table),
            ExprKind::Token(arguments) => token(arguments, expr, table),
            ExprKind::Call {
                function,
                arguments,
            } => self.call(function, arguments, expr, table),
            ExprKind::Cast { value, to } => self.cast(value, to, expr, table),
            ExprKind::Element { base, key } => self.element(base, key, expr, table),
            ExprKind::Literal(_)
            | ExprKind::Marker(_)
            | ExprKind::List(_)
            | ExprKind::Set(_)
            | ExprKind::Map(_)
            | ExprKind::Udt(_)
            | ExprKind::Tuple(_)
            | ExprKind::TypeHint { .. }
            | ExprKind::Binary { .. }
            | ExprKind::Negate(_)
            | ExprKind::Slice { .. } => Err(PlanError::unsupported(
                "this expression in a SELECT list",
                expr.span,
            )),
        }
    }

    fn cell_fact(
        &mut self,
        fact: CellFact,
        of: &Expr,
        expr: &Expr,
        table: &Table,
    ) -> Result<(What, String, CqlType), PlanError> {
        let ExprKind::Column(name) = &of.kind else {
            return Err(PlanError::unsupported(
                format!("{}() of a part of a column", fact.name()),
                of.span,
            ));
        };
        let column = column(table, name)?;
        match column.kind {
            ColumnKind::PartitionKey | ColumnKind::Clustering => {
                return Err(PlanError::invalid(format!(
                    "Cannot use selection function {} on PRIMARY KEY part {}",
                    fact.name(),
                    column.name
                ))
                .at(expr.span));
            }
            ColumnKind::Static | ColumnKind::Regular => {}
        }
        if column.ty.is_multi_cell() {
            return Err(PlanError::unsupported(
                format!("{}() of a non-frozen collection or user type", fact.name()),
                expr.span,
            ));
        }
        let slot = self.slot(column);
        let (what, ty) = match fact {
            CellFact::WriteTime | CellFact::MaxWriteTime => {
                (What::WriteTime(slot), CqlType::BigInt)
            }
            CellFact::Ttl => (What::Ttl(slot), CqlType::Int),
        };
        Ok((what, format!("{}({})", fact.name(), column.name), ty))
    }

    fn call(
        &mut self,
        name: &cql_syntax::QualifiedName,
        arguments: &[Expr],
        expr: &Expr,
        table: &Table,
    ) -> Result<(What, String, CqlType), PlanError> {
        let text = name.name.as_str();
        if text == "count" {
            let [argument] = arguments else {
                return Err(PlanError::invalid(
                    "Invalid number of arguments in call to function count: 1 required",
                )
                .at(expr.span));
            };
            if let ExprKind::Literal(Literal::Integer(one)) = &argument.kind
                && &**one == "1"
            {
                return Ok((What::CountRows, "count".to_owned(), CqlType::BigInt));
            }
            let (what, column, _) = self.selector(argument, table)?;
            let what = What::Count(Box::new(what));
            return Ok((what, format!("system.count({column})"), CqlType::BigInt));
        }
        if let Some(aggregate) = Aggregate::find(text) {
            return self.aggregate(aggregate, text, arguments, expr, table);
        }
        let Some(function) = Function::find(text) else {
            return Err(PlanError::invalid(format!("Unknown function '{text}'"))
                .at(name.span())
                .did_you_mean(text, Function::NAMES.iter().copied()));
        };
        let mut label = String::new();
        let argument = match (arguments, function.arguments()) {
            ([], []) => None,
            ([one], accepted @ [_, ..]) => {
                let (what, column, ty) = self.selector(one, table)?;
                if !accepted.contains(&ty) {
                    return Err(PlanError::invalid(format!(
                        "Type error: {column} cannot be passed as argument 0 of function {text} of type {ty}"
                    ))
                    .at(one.span));
                }
                label = column;
                Some((ty, Box::new(what)))
            }
            (given, accepted) => {
                return Err(PlanError::invalid(format!(
                    "Invalid number of arguments in call to function {text}: {} required but {} provided",
                    usize::from(!accepted.is_empty()),
                    given.len()
                ))
                .at(expr.span));
            }
        };
        let name = format!("system.{text}({label})");
        Ok((What::Call(function, argument), name, function.returns()))
    }

    fn aggregate(
        &mut self,
        aggregate: Aggregate,
        name: &str,
        arguments: &[Expr],
        expr: &Expr,
        table: &Table,
    ) -> Result<(What, String, CqlType), PlanError> {
        let [argument] = arguments else {
            return Err(PlanError::invalid(format!(
                "Invalid number of arguments in call to function {name}: 1 required but {} provided",
                arguments.len()
            ))
            .at(expr.span));
        };
        let (what, column, ty) = self.selector(argument, table)?;
        if what.any(&What::is_aggregate) {
            return Err(PlanError::invalid(
                "aggregate functions cannot be used as arguments of aggregate functions",
            )
            .at(argument.span));
        }
        if !aggregate.takes(&ty) {
            let exact = matches!(ty, CqlType::Varint | CqlType::Decimal | CqlType::Counter);
            return Err(match exact {
                true => PlanError::unsupported(format!("{name}() of type {ty}"), expr.span),
                false => PlanError::invalid(format!(
                    "Invalid call to function {name}, none of its signatures matches (known: numbers, not {ty})"
                ))
                .at(expr.span),
            });
        }
        let what = What::Aggregate(aggregate, Box::new(what), ty.clone());
        Ok((what, format!("system.{name}({column})"), ty))
    }

    fn cast(
        &mut self,
        value: &Expr,
        to: &TypeName,
        expr: &Expr,
        table: &Table,
    ) -> Result<(What, String, CqlType), PlanError> {
        let (what, name, from) = self.selector(value, table)?;
        let target = parse_type(&to.to_string(), &|_| None)
            .map_err(|error| PlanError::invalid(error.to_string()).at(expr.span))?;
        if from == target {
            return Ok((what, name, from));
        }
        if !can_cast(&from, &target) {
            return Err(PlanError::invalid(format!(
                "{name} of type {from} cannot be cast to {target}"
            ))
            .at(expr.span));
        }
        let name = format!("cast({name} as {target})");
        let what = What::Cast(Box::new(what), from, target.clone());
        Ok((what, name, target))
    }

    fn element(
        &mut self,
        base: &Expr,
        key: &Expr,
        expr: &Expr,
        table: &Table,
    ) -> Result<(What, String, CqlType), PlanError> {
        let (what, name, whole) = self.selector(base, table)?;
        let (key_ty, ty) = match &whole {
            CqlType::Map { key, value, .. } => (key, value),
            CqlType::Set { element, .. } => (element, element),
            _ => {
                return Err(PlanError::invalid(format!(
                    "Invalid element selection: {name} is of type {whole} and has no elements with keys"
                ))
                .at(expr.span));
            }
        };
        let to = Receiver {
            name: &name,
            ty: key_ty,
        };
        let Term::Constant(bytes) = Term::compile(key, to, &mut Variables::new(0))? else {
            return Err(PlanError::unsupported(
                "a key in a selection that is no constant",
                key.span,
            ));
        };
        let (label, ty) = (format!("{name}[{key}]"), (**ty).clone());
        let what = What::Element(Box::new(what), whole.clone(), bytes.to_vec());
        Ok((what, label, ty))
    }
}

fn token(
    arguments: &[Expr],
    expr: &Expr,
    table: &Table,
) -> Result<(What, String, CqlType), PlanError> {
    let keys = table.partition_key();
    let in_order = arguments.len() == keys.len()
        && arguments.iter().zip(keys).all(|(argument, key)| {
            matches!(&argument.kind, ExprKind::Column(name) if name.as_str() == &*key.name)
        });
    let names: Vec<&str> = keys.iter().map(|key| &*key.name).collect();
    if !in_order {
        return Err(PlanError::invalid(format!(
            "The token function arguments must be in the partition key order: {}",
            names.join(", ")
        ))
        .at(expr.span));
    }
    let name = format!("system.token({})", names.join(", "));
    Ok((What::Token, name, CqlType::BigInt))
}
