//! EXPLAIN: in lines of text, what a statement would read or write.

use std::sync::Arc;

use cql_mutation::{ColumnSet, Order, Statics};
use cql_schema::{Column, Table};
use cql_types::CqlType;

use crate::choice::{Choice, TupleChoice};
use crate::clustering::{ClusteringRestriction, PrefixPart};
use crate::prepared::{PreparedKind, ResultColumn};
use crate::read::ReadPlan;
use crate::write::{Target, WritePlan};

/// The column of an answer to EXPLAIN.
pub(crate) fn columns() -> Arc<[ResultColumn]> {
    Arc::from([ResultColumn {
        keyspace: Arc::from("system"),
        table: Arc::from("explain"),
        name: Arc::from("plan"),
        ty: CqlType::Text,
    }])
}

/// The lines for a plan.
pub(crate) fn lines(kind: &PreparedKind) -> Vec<String> {
    match kind {
        PreparedKind::Read(plan) => read(plan),
        PreparedKind::Write(plan) => write(plan),
        PreparedKind::Batch(batch) => {
            let word = if batch.logged { "logged" } else { "unlogged" };
            let mut lines = vec![format!("{word} batch of {}", batch.statements.len())];
            for statement in &batch.statements {
                lines.extend(write(statement).into_iter().map(|line| format!("  {line}")));
            }
            lines
        }
        PreparedKind::Truncate(table) => vec![format!("drop all rows of {}", name(table))],
        PreparedKind::Schema(_) => vec!["schema change".to_owned()],
        PreparedKind::Use(keyspace) => vec![format!("use keyspace {keyspace}")],
        PreparedKind::Describe(_) => vec!["read the schema".to_owned()],
        PreparedKind::Explain(lines) => lines.clone(),
    }
}

fn read(plan: &ReadPlan) -> Vec<String> {
    let table = &*plan.table;
    let restrictions = &plan.restrictions;
    let mut lines = vec![format!("read {}", name(table))];
    lines.push(if restrictions.names_partitions() {
        format!(
            "partitions: {}",
            partitions(restrictions.partition.iter().flatten(), table)
        )
    } else if restrictions.tokens.is_empty() {
        "partitions: all (full scan)".to_owned()
    } else {
        "partitions: those in a range of tokens (scan)".to_owned()
    });
    if !table.clustering().is_empty() && !plan.distinct {
        lines.push(format!("rows: {}", rows(&restrictions.clustering, table)));
    }
    let mut filters: Vec<&str> = restrictions
        .filters
        .iter()
        .map(|filter| &*filter.column.name)
        .collect();
    if !restrictions.names_partitions() {
        let keys = restrictions.partition.iter().zip(table.partition_key());
        let restricted = keys.filter(|(choice, _)| choice.is_some());
        filters.extend(restricted.map(|(_, column)| &*column.name));
    }
    if !filters.is_empty() {
        lines.push(format!(
            "filter: {} (tested on every row read)",
            filters.join(", ")
        ));
    }
    lines.push(format!("columns: {}", read_columns(plan)));
    if plan.distinct {
        lines.push("one row a partition".to_owned());
    }
    if plan.order == Order::Reverse {
        lines.push("order: against the clustering order".to_owned());
    }
    if plan.is_aggregate() {
        lines.push("all rows become one".to_owned());
    }
    if plan.limit.is_some() {
        lines.push("stops at LIMIT".to_owned());
    }
    if plan.per_partition_limit.is_some() {
        lines.push("goes to the next partition at PER PARTITION LIMIT".to_owned());
    }
    lines
}

fn read_columns(plan: &ReadPlan) -> String {
    let statics = match plan.statics {
        Statics::Skip => "",
        Statics::Fetch | Statics::StandAlone => " with the static row",
    };
    let names: Vec<&str> = plan
        .columns
        .iter()
        .filter_map(|number| plan.table.column_by_number(number))
        .map(|column| &*column.name)
        .collect();
    match names.is_empty() {
        true => "only keys".to_owned(),
        false => format!("keys, {}{statics}", names.join(", ")),
    }
}

fn write(plan: &WritePlan) -> Vec<String> {
    let table = &*plan.table;
    let (verb, rows_matter) = match plan.target {
        Target::Insert => ("insert a row into", true),
        Target::Cells => ("write cells of", true),
        Target::StaticCells => ("write static cells of", false),
        Target::Rows => ("delete rows of", true),
        Target::Ranges => ("delete ranges of rows of", true),
        Target::Partitions => ("delete partitions of", false),
    };
    let mut lines = vec![format!("{verb} {}", name(table))];
    lines.push(format!(
        "partitions: {}",
        partitions(plan.partition.iter(), table)
    ));
    if rows_matter && !table.clustering().is_empty() {
        lines.push(format!("rows: {}", rows(&plan.clustering, table)));
    }
    let lists: Vec<&str> = plan
        .lists
        .iter()
        .flat_map(ColumnSet::iter)
        .filter_map(|number| table.column_by_number(number))
        .map(|column| &*column.name)
        .collect();
    lines.push(match lists.is_empty() {
        true => "reads nothing before it writes".to_owned(),
        false => format!("reads {} before it writes", lists.join(", ")),
    });
    lines
}

fn name(table: &Table) -> String {
    format!("{}.{}", table.keyspace, table.name)
}

fn partitions<'c>(choices: impl Iterator<Item = &'c Choice>, table: &Table) -> String {
    choices
        .zip(table.partition_key())
        .map(|(choice, column)| restricted(choice, column))
        .collect::<Vec<_>>()
        .join(" and ")
}

fn restricted(choice: &Choice, column: &Column) -> String {
    match choice {
        Choice::One(_) => format!("{} = one value", column.name),
        Choice::Many(terms) => format!("{} = one of {} values", column.name, terms.len()),
        Choice::List(_) => format!("{} = one of a bound list", column.name),
    }
}

fn rows(clustering: &ClusteringRestriction, table: &Table) -> String {
    if clustering.is_empty() {
        return "all of the partition".to_owned();
    }
    let names = |from: usize, width: usize| -> String {
        let columns = table.clustering().iter().skip(from).take(width);
        let names: Vec<&str> = columns.map(|column| &*column.name).collect();
        match names.as_slice() {
            [one] => (*one).to_owned(),
            several => format!("({})", several.join(", ")),
        }
    };
    let mut parts = Vec::new();
    let mut position = 0;
    for part in &clustering.prefix {
        parts.push(match part {
            PrefixPart::Single(choice) => match table.clustering().get(position) {
                Some(column) => restricted(choice, column),
                None => String::new(),
            },
            PrefixPart::Tuple(width, choice) => {
                let values = match choice {
                    TupleChoice::One(_) => "one tuple".to_owned(),
                    TupleChoice::Many(tuples) => format!("one of {} tuples", tuples.len()),
                    TupleChoice::List(_) => "one of a bound list of tuples".to_owned(),
                };
                format!("{} = {values}", names(position, *width))
            }
        });
        position += part.width();
    }
    for range in &clustering.ranges {
        let side = match range.op.is_start() {
            true => "from a bound on",
            false => "up to a bound",
        };
        parts.push(format!("{} {side}", names(position, range.width)));
    }
    parts.join(" and ")
}
