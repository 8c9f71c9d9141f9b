//! Planning INSERT, UPDATE, DELETE and BATCH.

use std::sync::Arc;

use cql_schema::{ColumnKind, Table};
use cql_syntax::Span;
use cql_syntax::{
    Batch, BatchKind, BatchStatementKind, Condition, Delete, Insert, InsertSource, Relation,
    Update, Using, UsingKind,
};
use cql_types::{CqlType, quoted};

use crate::assignment::{assigned, assignment_action, delete_action, receiver};
use crate::choice::Choice;
use crate::clustering::{ClusteringRestriction, PrefixPart};
use crate::error::{PlanError, PlanErrorKind};
use crate::list::lists_read;
use crate::operation::{Action, Operation};
use crate::prepared::Variables;
use crate::resolve::{Scope, column};
use crate::restrict::{Filtering, Restrictions};
use crate::term::{Receiver, Term};
use crate::write::{BatchPlan, Target, WritePlan};

pub(crate) fn insert(
    insert: &Insert,
    scope: &Scope<'_>,
    variables: &mut Variables,
) -> Result<WritePlan, PlanError> {
    let table = scope.writable(&insert.table)?;
    variables.enter(table);
    if let Some(span) = insert.if_not_exists {
        return Err(PlanError::unsupported("IF NOT EXISTS on INSERT", span));
    }
    let InsertSource::Values {
        columns,
        values,
        values_span,
    } = &insert.source
    else {
        return Err(PlanError::unsupported("INSERT JSON", insert.table.span()));
    };
    if columns.len() != values.len() {
        return Err(PlanError::invalid("Unmatched column names/values")
            .at(*values_span)
            .help(format!(
                "{} columns are named, {} values are given",
                columns.len(),
                values.len()
            )));
    }
    let mut partition: Vec<Option<Choice>> = vec![None; table.partition_key().len()];
    let mut clustering: Vec<Option<Term>> = vec![None; table.clustering().len()];
    let mut operations = Vec::new();
    let mut seen: Vec<&str> = Vec::with_capacity(columns.len());
    for (name, value) in columns.iter().zip(values) {
        let column = column(table, name)?;
        if seen.contains(&name.as_str()) {
            return Err(PlanError::invalid(format!(
                "The column names contains duplicates: {}",
                name.as_str()
            ))
            .at(name.span));
        }
        seen.push(name.as_str());
        let term = Term::compile(value, receiver(column), variables)?;
        let position = usize::from(column.position);
        match column.kind {
            ColumnKind::PartitionKey => {
                if let Some(slot) = partition.get_mut(position) {
                    *slot = Some(Choice::One(term));
                }
            }
            ColumnKind::Clustering => {
                if let Some(slot) = clustering.get_mut(position) {
                    *slot = Some(term);
                }
            }
            ColumnKind::Static | ColumnKind::Regular => {
                operations.push(Operation::new(column, Action::Set(term)));
            }
        }
    }
    let partition = all_partition(partition, table)?;
    let only_statics =
        !operations.is_empty() && operations.iter().all(|operation| operation.is_static);
    let target = if clustering.iter().all(Option::is_none) && !clustering.is_empty() && only_statics
    {
        Target::StaticCells
    } else {
        Target::Insert
    };
    let prefix = match target {
        Target::Insert => whole_clustering(clustering, table, insert.table.span())?,
        _ => Vec::new(),
    };
    let using = Times::compile(&insert.using, variables)?;
    let (static_operations, operations) = by_number(operations);
    Ok(WritePlan {
        table: Arc::clone(table),
        partition,
        clustering: ClusteringRestriction {
            prefix,
            ranges: Vec::new(),
        },
        target,
        static_operations,
        operations,
        lists: None,
        timestamp: using.timestamp,
        ttl: using.ttl,
    })
}

/// The clustering key of an INSERT, which must name all of it.
fn whole_clustering(
    clustering: Vec<Option<Term>>,
    table: &Table,
    span: Span,
) -> Result<Vec<PrefixPart>, PlanError> {
    let missing: Vec<&str> = clustering
        .iter()
        .zip(table.clustering())
        .filter(|(term, _)| term.is_none())
        .map(|(_, column)| &*column.name)
        .collect();
    if !missing.is_empty() {
        return Err(PlanError::invalid(format!(
            "Some clustering keys are missing: {}",
            missing.join(", ")
        ))
        .at(span));
    }
    Ok(clustering
        .into_iter()
        .flatten()
        .map(|term| PrefixPart::Single(Choice::One(term)))
        .collect())
}

pub(crate) fn update(
    update: &Update,
    scope: &Scope<'_>,
    variables: &mut Variables,
) -> Result<WritePlan, PlanError> {
    let table = scope.writable(&update.table)?;
    variables.enter(table);
    refuse_condition(update.condition.as_ref())?;
    let using = Times::compile(&update.using, variables)?;
    let mut operations = Vec::with_capacity(update.assignments.len());
    for assignment in &update.assignments {
        let column = assigned(table, &assignment.target)?;
        let action = assignment_action(
            column,
            &assignment.target,
            assignment.op,
            variables,
            &assignment.value,
        )?;
        // What sets the whole column goes with nothing else.
        let conflict = operations.iter().any(|other: &Operation| {
            other.number == column.number
                && [&other.action, &action]
                    .iter()
                    .any(|action| matches!(action, Action::Set(_)))
        });
        if conflict {
            return Err(PlanError::invalid(format!(
                "Multiple incompatible setting of column {}",
                column.name
            ))
            .kind(PlanErrorKind::Syntax)
            .at(assignment.span));
        }
        operations.push(Operation::new(column, action));
    }
    let restrictions = written_rows(&update.relations, table, update.table.span(), variables)?;
    let only_statics = operations.iter().all(|operation| operation.is_static);
    let target = if only_statics && restrictions.clustering.is_empty() {
        Target::StaticCells
    } else {
        Target::Cells
    };
    if only_statics && !restrictions.clustering.is_empty() {
        return Err(PlanError::invalid(format!(
            "Invalid restrictions on clustering columns since the UPDATE statement modifies only static columns ({})",
            table.clustering().iter().map(|column| &*column.name).collect::<Vec<_>>().join(", ")
        ))
        .at(update.table.span()));
    }
    if target == Target::Cells {
        if !restrictions.clustering.ranges.is_empty() {
            return Err(PlanError::invalid(
                "Slice restrictions are not supported on the clustering columns in UPDATE statements",
            )
            .at(update.table.span()));
        }
        require_clustering(&restrictions.clustering, table, update.table.span())?;
    }
    let lists = lists_read(&operations, update.table.span())?;
    let (static_operations, operations) = by_number(operations);
    Ok(WritePlan {
        table: Arc::clone(table),
        partition: all_partition(restrictions.partition, table)?,
        clustering: restrictions.clustering,
        target,
        static_operations,
        operations,
        lists,
        timestamp: using.timestamp,
        ttl: using.ttl,
    })
}

pub(crate) fn delete(
    delete: &Delete,
    scope: &Scope<'_>,
    variables: &mut Variables,
) -> Result<WritePlan, PlanError> {
    let table = scope.writable(&delete.table)?;
    variables.enter(table);
    refuse_condition(delete.condition.as_ref())?;
    let mut operations = Vec::with_capacity(delete.targets.len());
    for target in &delete.targets {
        let column = assigned(table, target)?;
        operations.push(Operation::new(
            column,
            delete_action(column, target, variables)?,
        ));
    }
    let using = Times::compile(&delete.using, variables)?;
    if let Some(ttl) = delete.using.ttl() {
        return Err(PlanError::invalid("a deletion has no TTL").at(ttl.span));
    }
    let restrictions = written_rows(&delete.relations, table, delete.table.span(), variables)?;
    let span = delete.table.span();
    let clustering = restrictions.clustering;
    let complete =
        clustering.ranges.is_empty() && clustering.prefix_len() == table.clustering().len();
    let only_statics = operations.iter().all(|operation| operation.is_static);
    let target = match (operations.is_empty(), clustering.is_empty()) {
        (true, true) if !table.clustering().is_empty() => Target::Partitions,
        (true, _) if table.clustering().is_empty() => Target::Partitions,
        (true, _) if complete => Target::Rows,
        (true, _) => Target::Ranges,
        (false, true) if only_statics => Target::StaticCells,
        (false, _) => {
            if only_statics {
                return Err(PlanError::invalid(
                    "Invalid restrictions on clustering columns since the DELETE statement modifies only static columns",
                )
                .at(span));
            }
            if !clustering.ranges.is_empty() {
                return Err(PlanError::invalid(
                    "Range deletions are not supported for specific columns",
                )
                .at(span));
            }
            require_clustering(&clustering, table, span)?;
            Target::Cells
        }
    };
    let lists = lists_read(&operations, span)?;
    let (static_operations, operations) = by_number(operations);
    Ok(WritePlan {
        table: Arc::clone(table),
        partition: all_partition(restrictions.partition, table)?,
        clustering,
        target,
        static_operations,
        operations,
        lists,
        timestamp: using.timestamp,
        ttl: None,
    })
}

pub(crate) fn batch(
    batch: &Batch,
    scope: &Scope<'_>,
    variables: &mut Variables,
) -> Result<BatchPlan, PlanError> {
    let using = Times::compile(&batch.using, variables)?;
    if let Some(ttl) = batch.using.ttl() {
        return Err(
            PlanError::invalid("Global TTL on the BATCH statement is not supported.").at(ttl.span),
        );
    }
    let mut statements = Vec::with_capacity(batch.statements.len());
    for statement in &batch.statements {
        let plan = match &statement.kind {
            BatchStatementKind::Insert(one) => insert(one, scope, variables)?,
            BatchStatementKind::Update(one) => update(one, scope, variables)?,
            BatchStatementKind::Delete(one) => delete(one, scope, variables)?,
        };
        if using.timestamp.is_some() && plan.has_timestamp() {
            return Err(PlanError::invalid(
                "Timestamp must be set either on BATCH or individual statements",
            )
            .at(statement.span));
        }
        if batch.kind == BatchKind::Counter {
            return Err(PlanError::invalid(
                "Cannot include non-counter statement in a counter batch",
            )
            .at(statement.span));
        }
        statements.push(Arc::new(plan));
    }
    Ok(BatchPlan {
        logged: batch.kind == BatchKind::Logged,
        statements,
        timestamp: using.timestamp,
    })
}

/// USING, compiled.
struct Times {
    timestamp: Option<Term>,
    ttl: Option<Term>,
}

impl Times {
    fn compile(using: &Using, variables: &mut Variables) -> Result<Self, PlanError> {
        let mut times = Self {
            timestamp: None,
            ttl: None,
        };
        for parameter in &using.parameters {
            match parameter.kind {
                UsingKind::Timestamp => {
                    let to = Receiver {
                        name: "[timestamp]",
                        ty: &CqlType::BigInt,
                    };
                    times.timestamp = Some(Term::compile(&parameter.value, to, variables)?);
                }
                UsingKind::Ttl => {
                    let to = Receiver {
                        name: "[ttl]",
                        ty: &CqlType::Int,
                    };
                    times.ttl = Some(Term::compile(&parameter.value, to, variables)?);
                }
                UsingKind::Timeout => {
                    return Err(PlanError::unsupported("USING TIMEOUT", parameter.span));
                }
            }
        }
        Ok(times)
    }
}

/// Those of static columns and those of regular ones, both by number.
fn by_number(mut operations: Vec<Operation>) -> (Vec<Operation>, Vec<Operation>) {
    operations.sort_by_key(|operation| operation.number);
    operations
        .into_iter()
        .partition(|operation| operation.is_static)
}

fn all_partition(choices: Vec<Option<Choice>>, table: &Table) -> Result<Vec<Choice>, PlanError> {
    let missing: Vec<&str> = choices
        .iter()
        .zip(table.partition_key())
        .filter(|(choice, _)| choice.is_none())
        .map(|(_, column)| &*column.name)
        .collect();
    if missing.is_empty() {
        return Ok(choices.into_iter().flatten().collect());
    }
    Err(PlanError::invalid(format!(
        "Some partition key parts are missing: {}",
        missing.join(", ")
    )))
}

fn require_clustering(
    clustering: &ClusteringRestriction,
    table: &Table,
    span: Span,
) -> Result<(), PlanError> {
    let missing: Vec<&str> = table
        .clustering()
        .iter()
        .skip(clustering.prefix_len())
        .map(|column| &*column.name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(PlanError::invalid(format!(
        "Some clustering keys are missing: {}",
        missing.join(", ")
    ))
    .at(span))
}

/// The WHERE clause of a write, which must be there.
fn written_rows(
    relations: &[Relation],
    table: &Table,
    span: Span,
    variables: &mut Variables,
) -> Result<Restrictions, PlanError> {
    if relations.is_empty() {
        let keys: Vec<String> = table
            .partition_key()
            .iter()
            .map(|column| format!("{} = ...", quoted(&column.name)))
            .collect();
        return Err(
            PlanError::invalid("expected WHERE: a write names its partitions")
                .kind(PlanErrorKind::Syntax)
                .at(span)
                .help(format!("add WHERE {}", keys.join(" AND "))),
        );
    }
    let restrictions = Restrictions::compile(relations, table, variables, Filtering::Refused)?;
    refuse_filters(&restrictions)?;
    Ok(restrictions)
}

fn refuse_condition(condition: Option<&Condition>) -> Result<(), PlanError> {
    match condition {
        None => Ok(()),
        Some(condition) => Err(PlanError::unsupported(
            "a conditional statement (IF)",
            condition.span,
        )),
    }
}

fn refuse_filters(restrictions: &Restrictions) -> Result<(), PlanError> {
    if let Some(filter) = restrictions.filters.first() {
        return Err(PlanError::invalid(format!(
            "Non PRIMARY KEY columns found in where clause: {}",
            filter.column.name
        ))
        .at(filter.span));
    }
    if !restrictions.tokens.is_empty() {
        return Err(PlanError::invalid(
            "The token function cannot be used in WHERE clauses for UPDATE and DELETE statements",
        ));
    }
    Ok(())
}
