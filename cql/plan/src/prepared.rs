//! A prepared statement: what the client learns when it prepares, and the plan.

use std::sync::Arc;

use cql_schema::{Change, Table};
use cql_syntax::Marker;
use cql_types::{CqlType, TableId, Uuid};

use crate::describe::DescribePlan;
use crate::error::PlanError;
use crate::read::ReadPlan;
use crate::term::{Receiver, Term};
use crate::values::BindValues;
use crate::write::{BatchPlan, WritePlan};

/// A statement that was resolved against a schema.
#[derive(Debug)]
pub struct Prepared {
    /// The markers in the order of their indexes.
    pub variables: Vec<Variable>,
    /// Which variables form the partition key, in key order; empty unless all of it is bound by markers.
    pub pk_indexes: Vec<u16>,
    /// The columns of the result; none for a statement without rows.
    pub columns: Option<Arc<[ResultColumn]>>,
    /// The tables it was resolved against, with their versions: when one changes it must be prepared again.
    pub tables: Vec<(TableId, Uuid)>,
    /// What to do.
    pub kind: PreparedKind,
}

/// What a prepared statement does.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is moved once, when it is prepared; a box would be one more step for every read"
)]
pub enum PreparedKind {
    /// INSERT, UPDATE, DELETE.
    Write(Arc<WritePlan>),
    /// BATCH as a statement.
    Batch(BatchPlan),
    /// SELECT.
    Read(ReadPlan),
    /// A schema change.
    Schema(Change),
    /// USE.
    Use(Arc<str>),
    /// TRUNCATE.
    Truncate(Arc<Table>),
    /// DESCRIBE: rows made of the schema.
    Describe(DescribePlan),
    /// EXPLAIN: one row a line, each with one text cell.
    Explain(Vec<String>),
}

/// A bind marker.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name: the marker's own, or what it is bound to.
    pub name: Arc<str>,
    /// The type of its values.
    pub ty: CqlType,
    /// The keyspace of the table it belongs to.
    pub keyspace: Arc<str>,
    /// The table.
    pub table: Arc<str>,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultColumn {
    /// The keyspace of the table it comes from.
    pub keyspace: Arc<str>,
    /// The table.
    pub table: Arc<str>,
    /// Its name or alias.
    pub name: Arc<str>,
    /// The type of its cells.
    pub ty: CqlType,
}

impl Prepared {
    /// Refuses a request with more or fewer values than markers.
    ///
    /// # Errors
    /// `INVALID` with both numbers.
    pub fn check_count<V: BindValues + ?Sized>(&self, values: &V) -> Result<(), PlanError> {
        if values.len() == self.variables.len() {
            return Ok(());
        }
        Err(PlanError::invalid(format!(
            "Invalid amount of bind variables: expected {} but {} were bound",
            self.variables.len(),
            values.len()
        )))
    }
}

/// Collects the markers while a statement is compiled.
#[derive(Debug)]
pub(crate) struct Variables {
    slots: Vec<Option<Variable>>,
    keyspace: Arc<str>,
    table: Arc<str>,
}

impl Variables {
    /// For a statement with this many markers.
    pub(crate) fn new(markers: usize) -> Self {
        Self {
            slots: vec![None; markers],
            keyspace: Arc::from(""),
            table: Arc::from(""),
        }
    }

    /// The table to which the markers that follow belong.
    pub(crate) fn enter(&mut self, table: &Table) {
        self.keyspace = Arc::clone(&table.keyspace);
        self.table = Arc::clone(&table.name);
    }

    /// Notes the type of a marker and gives its term.
    pub(crate) fn marker(&mut self, marker: &Marker, to: Receiver<'_>) -> Term {
        let index = usize::from(marker.index);
        let name: Arc<str> = Arc::from(
            marker
                .name
                .as_ref()
                .map_or(to.name, cql_syntax::Name::as_str),
        );
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = Some(Variable {
                name,
                ty: to.ty.clone(),
                keyspace: Arc::clone(&self.keyspace),
                table: Arc::clone(&self.table),
            });
        }
        Term::Marker {
            index,
            ty: to.ty.clone(),
            name: Arc::from(to.name),
        }
    }

    /// All variables; a marker whose type nothing determined is refused.
    pub(crate) fn finish(self) -> Result<Vec<Variable>, PlanError> {
        self.slots
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| PlanError::invalid("a bind marker stands where its type cannot be told"))
    }
}
