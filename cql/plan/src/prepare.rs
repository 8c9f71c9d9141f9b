//! From a parsed statement to a [`Prepared`] one.

use std::sync::Arc;

use cql_schema::{Schema, Table};
use cql_syntax::{Span, Statement, StatementKind};
use cql_types::{TableId, Uuid};

use crate::choice::Choice;
use crate::error::PlanError;
use crate::prepared::{Prepared, PreparedKind, ResultColumn, Variables};
use crate::resolve::Scope;
use crate::term::Term;
use crate::{ddl, describe, explain, modify, select};

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
    let (kind, columns) = match &statement.kind {
        StatementKind::Explain(explained) => {
            let (kind, _) = plan(explained, statement.span, &scope, &mut variables)?;
            let kind = PreparedKind::Explain(explain::lines(&kind));
            (kind, Some(explain::columns()))
        }
        other => plan(other, statement.span, &scope, &mut variables)?,
    };
    Ok(Prepared {
        variables: variables.finish()?,
        pk_indexes: pk_indexes(&kind),
        columns,
        tables: tables(&kind),
        kind,
    })
}

/// What a statement does, and the columns of its result.
type Planned = (PreparedKind, Option<Arc<[ResultColumn]>>);

fn plan(
    statement: &StatementKind,
    span: Span,
    scope: &Scope<'_>,
    variables: &mut Variables,
) -> Result<Planned, PlanError> {
    let kind = match statement {
        StatementKind::Insert(one) => {
            PreparedKind::Write(Arc::new(modify::insert(one, scope, variables)?))
        }
        StatementKind::Update(one) => {
            PreparedKind::Write(Arc::new(modify::update(one, scope, variables)?))
        }
        StatementKind::Delete(one) => {
            PreparedKind::Write(Arc::new(modify::delete(one, scope, variables)?))
        }
        StatementKind::Batch(one) => PreparedKind::Batch(modify::batch(one, scope, variables)?),
        StatementKind::Select(one) => {
            let (plan, result) = select::select(one, scope, variables)?;
            return Ok((PreparedKind::Read(plan), Some(result)));
        }
        StatementKind::Use(name) => {
            if scope.schema.keyspace(name.as_str()).is_none() {
                let known = scope.schema.keyspaces().map(|keyspace| &*keyspace.name);
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
            let (plan, result) = describe::describe(one, scope);
            return Ok((PreparedKind::Describe(plan), Some(result)));
        }
        other => match ddl::plan(other, scope)? {
            Some(change) => PreparedKind::Schema(change),
            None => return Err(PlanError::unsupported(other.verb(), span)),
        },
    };
    Ok((kind, None))
}

/// Which markers form the partition key of a plan.
fn pk_indexes(kind: &PreparedKind) -> Vec<u16> {
    match kind {
        PreparedKind::Write(plan) => marked(plan.partition.iter()),
        PreparedKind::Read(plan) if plan.restrictions.names_partitions() => {
            marked(plan.restrictions.partition.iter().flatten())
        }
        PreparedKind::Read(_)
        | PreparedKind::Batch(_)
        | PreparedKind::Schema(_)
        | PreparedKind::Use(_)
        | PreparedKind::Truncate(_)
        | PreparedKind::Describe(_)
        | PreparedKind::Explain(_) => Vec::new(),
    }
}

/// The tables that a plan was made for, with their versions.
fn tables(kind: &PreparedKind) -> Vec<(TableId, Uuid)> {
    let tables: Vec<&Arc<Table>> = match kind {
        PreparedKind::Write(plan) => vec![&plan.table],
        PreparedKind::Batch(batch) => batch.statements.iter().map(|one| &one.table).collect(),
        PreparedKind::Read(plan) => vec![&plan.table],
        PreparedKind::Schema(_)
        | PreparedKind::Use(_)
        | PreparedKind::Truncate(_)
        | PreparedKind::Describe(_)
        | PreparedKind::Explain(_) => Vec::new(),
    };
    let mut versions: Vec<_> = tables
        .iter()
        .map(|table| (table.id, table.version))
        .collect();
    versions.sort_unstable();
    versions.dedup();
    versions
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
