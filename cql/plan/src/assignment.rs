//! What is done with one column: the assignments of UPDATE and the targets of DELETE.

use std::sync::Arc;

use cql_schema::{Column, ColumnKind, Table};
use cql_syntax::{AssignmentOp, Expr, Target as AstTarget};
use cql_types::CqlType;

use crate::error::PlanError;
use crate::list::Index;
use crate::operation::{Action, Place};
use crate::prepared::Variables;
use crate::resolve::column;
use crate::term::{Receiver, Term};

/// The column as what a term is assigned to.
pub(crate) fn receiver(column: &Column) -> Receiver<'_> {
    Receiver {
        name: &column.name,
        ty: &column.ty,
    }
}

/// The column that an assignment or deletion names: not one of the key.
pub(crate) fn assigned<'t>(table: &'t Table, target: &AstTarget) -> Result<&'t Column, PlanError> {
    let name = target.column();
    let column = column(table, name)?;
    match column.kind {
        ColumnKind::Static | ColumnKind::Regular => Ok(column),
        ColumnKind::PartitionKey | ColumnKind::Clustering => Err(PlanError::invalid(format!(
            "PRIMARY KEY part {} found in SET part",
            column.name
        ))
        .at(name.span)),
    }
}

/// What an assignment does with its column.
pub(crate) fn assignment_action(
    column: &Column,
    target: &AstTarget,
    op: AssignmentOp,
    variables: &mut Variables,
    value: &Expr,
) -> Result<Action, PlanError> {
    match (target, op) {
        (AstTarget::Column(_), AssignmentOp::Set) => {
            Term::compile(value, receiver(column), variables).map(Action::Set)
        }
        (AstTarget::Column(name), AssignmentOp::Add | AssignmentOp::Prepend) => {
            if !column.ty.is_multi_cell() || matches!(column.ty, CqlType::Udt { .. }) {
                return Err(not_multi_cell(column, "+").at(name.span));
            }
            let place = match (op, &column.ty) {
                (AssignmentOp::Prepend, CqlType::List { .. }) => Place::Front,
                (AssignmentOp::Prepend, _) => {
                    return Err(PlanError::invalid(format!(
                        "Invalid operation: {} is no list, so that nothing can be put before it",
                        column.name
                    ))
                    .at(name.span)
                    .help(format!("write {0} = {0} + ...", column.name)));
                }
                (AssignmentOp::Set | AssignmentOp::Add | AssignmentOp::Subtract, _) => Place::Back,
            };
            let term = Term::compile(value, receiver(column), variables)?;
            Ok(Action::Add(term, place))
        }
        (AstTarget::Column(name), AssignmentOp::Subtract) => match &column.ty {
            CqlType::Set { frozen: false, .. } => {
                Term::compile(value, receiver(column), variables).map(Action::Remove)
            }
            CqlType::Map {
                key, frozen: false, ..
            } => {
                let ty = CqlType::Set {
                    element: Arc::clone(key),
                    frozen: true,
                };
                let to = Receiver {
                    name: &column.name,
                    ty: &ty,
                };
                Term::compile(value, to, variables).map(Action::Remove)
            }
            CqlType::List { frozen: false, .. } => {
                Term::compile(value, receiver(column), variables).map(Action::RemoveEqual)
            }
            _ => Err(not_multi_cell(column, "-").at(name.span)),
        },
        (AstTarget::Element { key, column: name }, AssignmentOp::Set) => match &column.ty {
            CqlType::Map {
                key: key_ty,
                value: value_ty,
                frozen: false,
            } => {
                let key = compile_part(key, &part_name("key", column), key_ty, variables)?;
                let value = compile_part(value, &part_name("value", column), value_ty, variables)?;
                Ok(Action::SetElement(key, value))
            }
            CqlType::List {
                element,
                frozen: false,
            } => {
                let index = Index::compile(key, column, variables)?;
                let name = part_name("value", column);
                let value = compile_part(value, &name, element, variables)?;
                Ok(Action::SetIndex(index, value))
            }
            _ => Err(not_multi_cell(column, "[]").at(name.span)),
        },
        (
            AstTarget::Field {
                field,
                column: name,
            },
            AssignmentOp::Set,
        ) => {
            let CqlType::Udt { def, frozen: false } = &column.ty else {
                return Err(not_multi_cell(column, ".").at(name.span));
            };
            let (index, ty) = user_field(def, field)?;
            let name = format!("{}.{}", column.name, field.as_str());
            let value = compile_part(value, &name, ty, variables)?;
            Ok(Action::SetField(index, value))
        }
        (AstTarget::Element { .. } | AstTarget::Field { .. }, _) => Err(PlanError::unsupported(
            "this assignment to a part of a column",
            target.column().span,
        )),
    }
}

/// What DELETE does with a column or a part of it.
pub(crate) fn delete_action(
    column: &Column,
    target: &AstTarget,
    variables: &mut Variables,
) -> Result<Action, PlanError> {
    match target {
        AstTarget::Column(_) => Ok(Action::Delete),
        AstTarget::Element { key, column: name } => match &column.ty {
            CqlType::Map {
                key: ty,
                frozen: false,
                ..
            } => {
                let key = compile_part(key, &part_name("key", column), ty, variables)?;
                Ok(Action::DeleteElement(key))
            }
            CqlType::Set {
                element: ty,
                frozen: false,
            } => {
                let element = compile_part(key, &part_name("value", column), ty, variables)?;
                Ok(Action::DeleteElement(element))
            }
            CqlType::List { frozen: false, .. } => {
                Index::compile(key, column, variables).map(Action::DeleteIndex)
            }
            _ => Err(not_multi_cell(column, "[]").at(name.span)),
        },
        AstTarget::Field {
            field,
            column: name,
        } => {
            let CqlType::Udt { def, frozen: false } = &column.ty else {
                return Err(not_multi_cell(column, ".").at(name.span));
            };
            let (index, _) = user_field(def, field)?;
            Ok(Action::SetField(index, Term::Null))
        }
    }
}

fn user_field<'d>(
    def: &'d cql_types::UdtType,
    field: &cql_syntax::Name,
) -> Result<(u16, &'d CqlType), PlanError> {
    let found = def.field(field.as_str());
    found
        .and_then(|(index, ty)| Some((u16::try_from(index).ok()?, ty)))
        .ok_or_else(|| {
            PlanError::invalid(format!(
                "UDT column does not have a field named {}",
                field.as_str()
            ))
            .at(field.span)
            .did_you_mean(field.as_str(), def.fields.iter().map(|(name, _)| &**name))
        })
}

/// What drivers know a part of a column by.
pub(crate) fn part_name(role: &str, column: &Column) -> String {
    format!("{role}({})", column.name)
}

pub(crate) fn compile_part(
    expr: &Expr,
    name: &str,
    ty: &CqlType,
    variables: &mut Variables,
) -> Result<Term, PlanError> {
    Term::compile(expr, Receiver { name, ty }, variables)
}

fn not_multi_cell(column: &Column, op: &str) -> PlanError {
    PlanError::invalid(format!(
        "Invalid operation ({op}) for column {} of type {}",
        column.name, column.ty
    ))
    .help("only non-frozen collections and user types have parts that can be changed alone")
}
