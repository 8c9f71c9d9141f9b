//! From a parsed statement to a [`Prepared`] one.

use std::sync::Arc;

use cql_schema::{Schema, Table};
use cql_syntax::{Statement, StatementKind};

use crate::choice::Choice;
use crate::error::PlanError;
use crate::prepared::{Prepared, PreparedKind, Variables};
use crate::resolve::Scope;
use crate::term::Term;
use crate::{ddl, describe, modify, select};

/// Resolves a statement against a schema.
///
/// # Errors
/// What is wrong with it, with the place in the text.
pub fn prepare(
    statement: &Statement,
    schema: &Schema,
    keyspace: Option<&str>,
) -> Result<Prepared, PlanError> {
    let scope = Scope { schema, keyspace };
    let mut variables = Variables::new(statement.markers().len());
    let mut tables: Vec<&Arc<Table>> = Vec::new();
    let mut columns = None;
    let mut pk_indexes = Vec::new();
    let kind = match &statement.kind {
        StatementKind::Insert(one) => {
            let plan = modify::insert(one, &scope, &mut variables)?;
            pk_indexes = marked(plan.partition.iter());
            PreparedKind::Write(plan)
        }
        StatementKind::Update(one) => {
            let plan = modify::update(one, &scope, &mut variables)?;
            pk_indexes = marked(plan.partition.iter());
            PreparedKind::Write(plan)
        }
        StatementKind::Delete(one) => {
            let plan = modify::delete(one, &scope, &mut variables)?;
            pk_indexes = marked(plan.partition.iter());
            PreparedKind::Write(plan)
        }
        StatementKind::Batch(batch) => {
            PreparedKind::Batch(modify::batch(batch, &scope, &mut variables)?)
        }
        StatementKind::Select(one) => {
            let (plan, result) = select::select(one, &scope, &mut variables)?;
            columns = Some(result);
            if plan.restrictions.names_partitions() {
                pk_indexes = marked(plan.restrictions.partition.iter().flatten());
            }
            PreparedKind::Read(plan)
        }
        StatementKind::Use(name) => {
            if schema.keyspace(name.as_str()).is_none() {
                let known = schema.keyspaces().map(|keyspace| &*keyspace.name);
                return Err(PlanError::invalid(format!(
                    "Keyspace '{}' does not exist",
                    name.as_str()
                ))
                .at(name.span)
                .did_you_mean(name.as_str(), known));
            }
            PreparedKind::Use(Arc::from(name.as_str()))
        }
        StatementKind::Truncate(name) => PreparedKind::Truncate(Arc::clone(scope.writable(name)?)),
        StatementKind::Describe(one) => {
            let (plan, result) = describe::describe(one, &scope)?;
            columns = Some(result);
            PreparedKind::Describe(plan)
        }
        other => match ddl::plan(other, &scope)? {
            Some(change) => PreparedKind::Schema(change),
            None => return Err(PlanError::unsupported(other.verb(), statement.span)),
        },
    };
    match &kind {
        PreparedKind::Write(plan) => tables.push(&plan.table),
        PreparedKind::Batch(batch) => tables.extend(batch.statements.iter().map(|one| &one.table)),
        PreparedKind::Read(plan) => tables.push(&plan.table),
        PreparedKind::Schema(_)
        | PreparedKind::Use(_)
        | PreparedKind::Truncate(_)
        | PreparedKind::Describe(_) => {}
    }
    let mut tables: Vec<_> = tables
        .iter()
        .map(|table| (table.id, table.version))
        .collect();
    tables.sort_unstable();
    tables.dedup();
    Ok(Prepared {
        variables: variables.finish()?,
        pk_indexes,
        columns,
        tables,
        kind,
    })
}

/// The markers that form the partition key, or none unless all of it is bound by markers.
fn marked<'c>(choices: impl Iterator<Item = &'c Choice>) -> Vec<u16> {
    choices
        .map(|choice| match choice.single()? {
            Term::Marker { index, .. } => u16::try_from(*index).ok(),
            Term::Null | Term::Constant(_) | Term::Parts { .. } | Term::Call { .. } => None,
        })
        .collect::<Option<Vec<_>>>()
        .unwrap_or_default()
}
