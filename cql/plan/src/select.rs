//! Planning SELECT.

use std::sync::Arc;

use cql_mutation::{Order, Statics};
use cql_schema::{ColumnKind, Table};
use cql_syntax::{OrderBy, Select, Selectors};
use cql_types::{ComponentOrder, CqlType};

use crate::choice::{Choice, TupleChoice};
use crate::clustering::PrefixPart;
use crate::error::PlanError;
use crate::prepared::{ResultColumn, Variables};
use crate::project::Projection;
use crate::read::ReadPlan;
use crate::resolve::{Scope, column};
use crate::restrict::{FilterTerm, Filtering, Restrictions};
use crate::term::{Receiver, Term};

/// Plans a SELECT and names the columns of its result.
pub(crate) fn select(
    select: &Select,
    scope: &Scope<'_>,
    variables: &mut Variables,
) -> Result<(ReadPlan, Arc<[ResultColumn]>), PlanError> {
    let (_, table) = scope.table(&select.from)?;
    variables.enter(table);
    refuse_unsupported(select)?;
    let projection = match &select.selectors {
        Selectors::All(_) => Projection::all(table),
        Selectors::List(list) => Projection::compile(list, table)?,
    };
    let filtering = match select.allow_filtering {
        Some(_) => Filtering::Allowed,
        None => Filtering::Refused,
    };
    let restrictions = Restrictions::compile(&select.relations, table, variables, filtering)?;
    if select.distinct {
        check_distinct(select, &projection, &restrictions, table)?;
    }
    check_restrictions(select, &restrictions, table)?;
    let order = order(select, &restrictions, table)?;
    let int = |name| Receiver {
        name,
        ty: &CqlType::Int,
    };
    let per_partition_limit = select
        .per_partition_limit
        .as_ref()
        .map(|expr| Term::compile(expr, int("[per_partition_limit]"), variables))
        .transpose()?;
    let limit = select
        .limit
        .as_ref()
        .map(|expr| Term::compile(expr, int("[limit]"), variables))
        .transpose()?;
    let mut columns = projection.columns();
    for filter in &restrictions.filters {
        match filter.column.kind {
            ColumnKind::Static | ColumnKind::Regular => columns.insert(filter.column.number),
            ColumnKind::PartitionKey | ColumnKind::Clustering => {}
        }
    }
    let filters_rows = restrictions.filters.iter().any(FilterTerm::needs_row);
    // A partition that has only static columns is a row of a read that asks for whole partitions, whatever columns the
    // read names: so all of them must be looked at.
    let whole_partitions = restrictions.clustering.is_empty() && !filters_rows;
    let wants_statics = table
        .statics()
        .iter()
        .any(|column| columns.contains(column.number));
    let statics = match (table.has_static() && whole_partitions, wants_statics) {
        (true, _) => Statics::StandAlone,
        (false, true) => Statics::Fetch,
        (false, false) => Statics::Skip,
    };
    if statics == Statics::StandAlone {
        for column in table.statics() {
            columns.insert(column.number);
        }
    }
    let mut warnings = Vec::new();
    if projection.is_aggregate() && !restrictions.names_partitions() {
        warnings.push("Aggregation query used without partition key".to_owned());
    }
    let result = projection.result_columns(table);
    let plan = ReadPlan {
        table: Arc::clone(table),
        restrictions,
        projection,
        columns,
        statics,
        distinct: select.distinct,
        order,
        limit,
        per_partition_limit,
        warnings,
    };
    Ok((plan, result))
}

fn refuse_unsupported(select: &Select) -> Result<(), PlanError> {
    let from = select.from.span();
    if select.json {
        return Err(PlanError::unsupported("SELECT JSON", from));
    }
    if let Some(first) = select.group_by.first() {
        return Err(PlanError::unsupported("GROUP BY", first.span));
    }
    if let Some(parameter) = select.using.parameters.first() {
        return Err(PlanError::unsupported("USING in SELECT", parameter.span));
    }
    Ok(())
}

fn check_distinct(
    select: &Select,
    projection: &Projection,
    restrictions: &Restrictions,
    table: &Table,
) -> Result<(), PlanError> {
    let span = select.from.span();
    if let Some(limit) = &select.per_partition_limit {
        return Err(PlanError::invalid(
            "PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries",
        )
        .at(limit.span));
    }
    let filters_rows = restrictions.filters.iter().any(FilterTerm::needs_row);
    if filters_rows || !restrictions.clustering.is_empty() {
        return Err(PlanError::invalid(
            "SELECT DISTINCT with WHERE clause only supports restriction by partition key and/or static columns.",
        )
        .at(span));
    }
    let wrong = table.columns().iter().find(|column| {
        matches!(column.kind, ColumnKind::Clustering | ColumnKind::Regular)
            && projection.mentions(column)
    });
    if let Some(column) = wrong {
        return Err(PlanError::invalid(format!(
            "SELECT DISTINCT queries must only request partition key columns and/or static columns (not {})",
            column.name
        ))
        .at(span));
    }
    let one = restrictions
        .partition
        .iter()
        .all(|choice| matches!(choice, Some(Choice::One(_))));
    let missing = table
        .partition_key()
        .iter()
        .find(|column| !one && !projection.mentions(column));
    if let Some(column) = missing {
        return Err(PlanError::invalid(format!(
            "SELECT DISTINCT queries must request all the partition key columns (missing {})",
            column.name
        ))
        .at(span));
    }
    Ok(())
}

const NEEDS_FILTERING: &str = "Cannot execute this query as it might involve data filtering and thus may have unpredictable performance. If you want to execute this query despite the performance unpredictability, use ALLOW FILTERING";

fn check_restrictions(
    select: &Select,
    restrictions: &Restrictions,
    table: &Table,
) -> Result<(), PlanError> {
    let span = select.from.span();
    let whole = restrictions.names_partitions();
    let mixed = restrictions.touches_partition() && !restrictions.tokens.is_empty();
    if mixed {
        return Err(PlanError::invalid(
            "Columns of the partition key cannot be restricted by both a normal relation and a token relation",
        )
        .at(span));
    }
    if select.allow_filtering.is_some() {
        return Ok(());
    }
    let unbounded_rows = !whole && !restrictions.clustering.is_empty();
    let partial_key = !whole && restrictions.touches_partition();
    if !restrictions.filters.is_empty() || unbounded_rows || partial_key {
        let place = restrictions
            .filters
            .first()
            .map_or(span, |filter| filter.span);
        let error = PlanError::invalid(NEEDS_FILTERING).at(place);
        let missing: Vec<&str> = restrictions
            .partition
            .iter()
            .zip(table.partition_key())
            .filter(|(choice, _)| choice.is_none())
            .map(|(_, column)| &*column.name)
            .collect();
        return Err(match partial_key {
            true => error.help(format!("or restrict {} too", missing.join(", "))),
            false => error,
        });
    }
    Ok(())
}

/// ORDER BY: the clustering order or its exact reverse.
fn order(select: &Select, restrictions: &Restrictions, table: &Table) -> Result<Order, PlanError> {
    let Some(first) = select.order_by.first() else {
        return Ok(Order::Forward);
    };
    let span = first.column.span;
    if !restrictions.names_partitions() {
        return Err(PlanError::invalid(
            "ORDER BY is only supported when the partition key is restricted by an EQ or an IN.",
        )
        .at(span));
    }
    if !restrictions.names_one_partition() {
        return Err(PlanError::unsupported(
            "ORDER BY with more than one partition (IN)",
            span,
        ));
    }
    let fixed = restrictions
        .clustering
        .prefix
        .iter()
        .take_while(|part| {
            matches!(
                part,
                PrefixPart::Single(Choice::One(_)) | PrefixPart::Tuple(_, TupleChoice::One(_))
            )
        })
        .map(PrefixPart::width)
        .sum::<usize>();
    let mut expected = 0;
    let mut reversed = None;
    for part in &select.order_by {
        let column = column(table, &part.column)?;
        let wanted = match &part.by {
            OrderBy::Ascending => ComponentOrder::Asc,
            OrderBy::Descending => ComponentOrder::Desc,
            OrderBy::Nearest(expr) => return Err(PlanError::unsupported("ANN OF", expr.span)),
        };
        let position = usize::from(column.position);
        // Columns with one value do not matter for the order.
        while expected < position && expected < fixed {
            expected += 1;
        }
        if column.kind != ColumnKind::Clustering || position != expected {
            return Err(PlanError::invalid(
                "Order by is currently only supported on the clustered columns of the PRIMARY KEY, in the order of their declaration",
            )
            .at(part.column.span));
        }
        expected += 1;
        let this = wanted != column.order;
        if reversed.is_some_and(|reversed| reversed != this) {
            return Err(PlanError::invalid(
                "Unsupported order by relation: it must be the clustering order or its exact reverse",
            )
            .at(part.column.span));
        }
        reversed = Some(this);
    }
    Ok(match reversed {
        Some(true) => Order::Reverse,
        Some(false) | None => Order::Forward,
    })
}
