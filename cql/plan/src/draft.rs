//! Writes that must know a list before they are made: elements named by index or by value.
//!
//! ```text
//! bind ─► Writes ─┬─ mutations: ready
//!                 └─ Draft ─ command() ─► read ─ finish(ReadResult) ─► mutations
//! ```
//!
//! A list's element is stored under a path that only a read can tell.
//! A [`Draft`] keeps what its statement was bound with, so that the request itself is not needed any more.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use cql_mutation::{Mutation, Partitions, ReadCommand, ReadResult, RowRef, Slice, Slices, Statics};
use cql_schema::Table;
use cql_types::PartitionKey;

use crate::choice::{by_token, partition_keys};
use crate::clustering::full_key;
use crate::error::PlanError;
use crate::operation::Operation;
use crate::values::{BindContext, BindValues, Bound};
use crate::write::WritePlan;

/// What a request writes.
#[derive(Debug, Default)]
pub struct Writes {
    /// What can be written as it is.
    pub mutations: Vec<Mutation>,
    /// What must be read for first. All of it is read before anything of the request is written.
    pub drafts: Vec<Draft>,
}

/// A bound write that lacks what a read will tell.
#[derive(Debug)]
pub struct Draft {
    plan: Arc<WritePlan>,
    values: Arc<Kept>,
    ctx: BindContext,
    keys: Vec<PartitionKey>,
    command: ReadCommand,
}

impl Draft {
    pub(crate) fn new(
        plan: &Arc<WritePlan>,
        values: Arc<Kept>,
        ctx: &BindContext,
    ) -> Result<Self, PlanError> {
        let keys = partition_keys(plan.partition.iter(), &plan.table, &*values, ctx)?;
        let keys = by_token(keys);
        let command = ReadCommand {
            slices: slices(plan, &*values, ctx)?,
            columns: plan.lists.clone().unwrap_or_default(),
            statics: match plan.static_operations.iter().any(Operation::needs_read) {
                true => Statics::StandAlone,
                false => Statics::Skip,
            },
            ..ReadCommand::all_of(&plan.table, Partitions::Keys(keys.clone()), ctx.now)
        };
        Ok(Self {
            plan: Arc::clone(plan),
            values,
            ctx: *ctx,
            keys,
            command,
        })
    }

    /// The table read and written.
    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        &self.plan.table
    }

    /// What is to be read: the lists in question of the rows in question.
    #[must_use]
    pub fn command(&self) -> &ReadCommand {
        &self.command
    }

    /// Appends the mutations, one a partition.
    ///
    /// # Errors
    /// As [`WritePlan::bind`]; and `INVALID` when an index is outside of its list, or its list is null.
    pub fn finish(&self, found: &ReadResult, out: &mut Vec<Mutation>) -> Result<(), PlanError> {
        let mut partitions: BTreeMap<&[u8], Found<'_>> = BTreeMap::new();
        for row in found {
            let partition = partitions.entry(row.partition.key).or_default();
            partition.static_row = row.partition.static_row;
            if let Some((clustering, cells)) = row.clustering.zip(row.row) {
                partition.rows.insert(clustering, cells);
            }
        }
        let nothing = Found::default();
        for key in &self.keys {
            let found = partitions.get(key.as_bytes()).unwrap_or(&nothing);
            out.push(
                self.plan
                    .mutation(key.clone(), &*self.values, &self.ctx, found)?,
            );
        }
        Ok(())
    }
}

/// What was read of one partition.
#[derive(Debug, Default)]
pub(crate) struct Found<'r> {
    pub(crate) static_row: Option<RowRef<'r>>,
    /// By encoded clustering key.
    pub(crate) rows: BTreeMap<&'r [u8], RowRef<'r>>,
}

/// The rows whose lists are read.
fn slices<V: BindValues + ?Sized>(
    plan: &WritePlan,
    values: &V,
    ctx: &BindContext,
) -> Result<Slices, PlanError> {
    if !plan.operations.iter().any(Operation::needs_read) {
        return Ok(Slices::none());
    }
    if plan.table.clustering().is_empty() {
        return Ok(Slices::new(vec![Slice::row(&full_key(&[], &[])?)]));
    }
    let slices = plan.clustering.slices(&plan.table, values, ctx)?;
    Ok(Slices::new(slices))
}

/// The values of a request that has ended its turn.
#[derive(Debug)]
pub(crate) struct Kept(Vec<KeptValue>);

#[derive(Debug)]
enum KeptValue {
    Value(Bytes),
    Null,
    Unset,
}

impl Kept {
    pub(crate) fn of<V: BindValues + ?Sized>(values: &V) -> Arc<Self> {
        let kept = (0..values.len()).map(|index| match values.get(index) {
            Bound::Value(bytes) => KeptValue::Value(Bytes::copy_from_slice(bytes)),
            Bound::Null => KeptValue::Null,
            Bound::Unset => KeptValue::Unset,
        });
        Arc::new(Self(kept.collect()))
    }
}

impl BindValues for Kept {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, index: usize) -> Bound<'_> {
        match self.0.get(index) {
            Some(KeptValue::Value(bytes)) => Bound::Value(bytes),
            Some(KeptValue::Null) => Bound::Null,
            Some(KeptValue::Unset) | None => Bound::Unset,
        }
    }
}
