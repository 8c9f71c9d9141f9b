//! INSERT, UPDATE, DELETE and BATCH: plans, and how values turn a plan into mutations.
//!
//! Binding costs one allocation for the partition key and one for the row; what a statement says is resolved once, when
//! it is prepared.
//!
//! A list element's path is a time and a serial number, so that elements appended later sort behind the older ones and
//! prepended ones before.

use std::sync::Arc;

use cql_mutation::{
    CellRef, ClusteringKey, ColumnSet, Deletion, Liveness, Mutation, PartitionUpdate,
    PartitionUpdateBuilder, RangeTombstone, RowBuf, RowBuilder, Slices,
};
use cql_schema::Table;
use cql_types::{ComponentOrder, CqlType, PartitionKey, is_exact, push_element};

use crate::choice::{Choice, partition_key, partition_keys, with_key};
use crate::clustering::{ClusteringRestriction, full_key};
use crate::draft::{Draft, Found, Kept, Writes};
use crate::error::PlanError;
use crate::operation::{Cells, Operation};
use crate::term::{Evaluated, Term};
use crate::values::{BindContext, BindValues};

/// Room for the head of a row.
const ROW_BYTES: usize = 24;

/// Room for a cell.
const CELL_BYTES: usize = 20;

/// The largest TTL: twenty years.
const TTL_MAX: i64 = 630_720_000;

/// A planned INSERT, UPDATE or DELETE.
#[derive(Debug)]
pub struct WritePlan {
    pub(crate) table: Arc<Table>,
    pub(crate) partition: Vec<Choice>,
    pub(crate) clustering: ClusteringRestriction,
    pub(crate) target: Target,
    /// What is done with static columns, by number.
    pub(crate) static_operations: Vec<Operation>,
    /// What is done with regular columns, by number.
    pub(crate) operations: Vec<Operation>,
    /// The lists that must be read before anything can be written.
    pub(crate) lists: Option<ColumnSet>,
    pub(crate) timestamp: Option<Term>,
    pub(crate) ttl: Option<Term>,
}

/// What a write aims at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// Rows, with a row marker (INSERT).
    Insert,
    /// Cells of rows (UPDATE, DELETE of columns).
    Cells,
    /// Static cells only: no clustering key is needed.
    StaticCells,
    /// Whole rows.
    Rows,
    /// Ranges of rows.
    Ranges,
    /// Whole partitions.
    Partitions,
}

/// A planned BATCH.
#[derive(Debug)]
pub struct BatchPlan {
    /// Whether it is logged.
    pub logged: bool,
    /// The statements.
    pub statements: Vec<Arc<WritePlan>>,
    pub(crate) timestamp: Option<Term>,
}

impl BatchPlan {
    /// The writes of all statements, in their order.
    ///
    /// # Errors
    /// As [`WritePlan::bind`].
    pub fn bind<V: BindValues + ?Sized>(
        &self,
        values: &V,
        ctx: &BindContext,
        out: &mut Writes,
    ) -> Result<(), PlanError> {
        let mut ctx = *ctx;
        if let Some(term) = &self.timestamp {
            ctx.timestamp = timestamp(term, values, &ctx)?;
        }
        let mut kept = None;
        for (index, statement) in self.statements.iter().enumerate() {
            let ctx = BindContext {
                unique: ctx.unique.wrapping_add(index as u64),
                ..ctx
            };
            if statement.lists.is_some() {
                // All statements share the values, so they are kept once.
                let values = kept.get_or_insert_with(|| Kept::of(values));
                let draft = Draft::new(statement, Arc::clone(values), &ctx)?;
                out.drafts.push(draft);
                continue;
            }
            statement.bind(values, &ctx, out)?;
        }
        Ok(())
    }
}

/// What the cells of one statement have in common.
pub(crate) struct Stamp {
    pub(crate) timestamp: i64,
    pub(crate) ttl: u32,
    pub(crate) now: i64,
}

impl Stamp {
    /// A live cell.
    pub(crate) fn live<'v>(&self, value: &'v [u8]) -> CellRef<'v> {
        match self.ttl {
            0 => CellRef::live(self.timestamp, value),
            ttl => CellRef::expiring(self.timestamp, ttl, self.now + i64::from(ttl), value),
        }
    }

    /// A deleted cell.
    pub(crate) fn tombstone(&self) -> CellRef<'static> {
        CellRef::tombstone(self.timestamp, self.now)
    }

    /// A deletion of everything up to this statement.
    pub(crate) fn deletion(&self) -> Deletion {
        Deletion {
            timestamp: self.timestamp,
            deleted_at: self.now,
        }
    }

    fn liveness(&self) -> Liveness {
        match self.ttl {
            0 => Liveness::lasting(self.timestamp),
            ttl => Liveness::expiring(self.timestamp, ttl, self.now + i64::from(ttl)),
        }
    }
}

impl WritePlan {
    /// The table written to.
    #[must_use]
    pub fn table(&self) -> &Arc<Table> {
        &self.table
    }

    /// Whether the statement brings its own write time.
    pub(crate) fn has_timestamp(&self) -> bool {
        self.timestamp.is_some()
    }

    /// Appends the mutations for these values, one a partition; or a draft, if the statement must read first.
    ///
    /// # Errors
    /// `INVALID` when a value does not fit its type, a key is null or too long, or a TTL or timestamp is out of range.
    pub fn bind<V: BindValues + ?Sized>(
        self: &Arc<Self>,
        values: &V,
        ctx: &BindContext,
        out: &mut Writes,
    ) -> Result<(), PlanError> {
        if self.lists.is_some() {
            out.drafts.push(Draft::new(self, Kept::of(values), ctx)?);
            return Ok(());
        }
        if self
            .partition
            .iter()
            .all(|choice| choice.single().is_some())
        {
            let terms = self
                .partition
                .iter()
                .map(|choice| choice.single().unwrap_or(&Term::Null));
            let columns = self.table.partition_key();
            let key = with_key(terms.zip(columns), values, ctx, partition_key)?;
            out.mutations
                .push(self.mutation(key, values, ctx, &Found::default())?);
            return Ok(());
        }
        let keys = partition_keys(self.partition.iter(), &self.table, values, ctx)?;
        let update = self.update(values, ctx, &Found::default())?;
        out.mutations.extend(
            keys.into_iter()
                .map(|key| Mutation::new(self.table.id, key, update.clone())),
        );
        Ok(())
    }

    /// The mutation of one partition.
    pub(crate) fn mutation<V: BindValues + ?Sized>(
        &self,
        key: PartitionKey,
        values: &V,
        ctx: &BindContext,
        found: &Found<'_>,
    ) -> Result<Mutation, PlanError> {
        let update = self.update(values, ctx, found)?;
        Ok(Mutation::new(self.table.id, key, update))
    }

    fn stamp<V: BindValues + ?Sized>(
        &self,
        values: &V,
        ctx: &BindContext,
    ) -> Result<Stamp, PlanError> {
        let timestamp = match &self.timestamp {
            None => ctx.timestamp,
            Some(term) => timestamp(term, values, ctx)?,
        };
        let default = self.table.options.default_time_to_live;
        let ttl = match &self.ttl {
            None => default,
            Some(term) => match term.evaluate(values, ctx)? {
                Evaluated::Null | Evaluated::Unset => default,
                Evaluated::Value(bytes) => time_to_live(&bytes)?,
            },
        };
        Ok(Stamp {
            timestamp,
            ttl,
            now: ctx.now,
        })
    }

    fn update<V: BindValues + ?Sized>(
        &self,
        values: &V,
        ctx: &BindContext,
        found: &Found<'_>,
    ) -> Result<PartitionUpdate, PlanError> {
        let stamp = &self.stamp(values, ctx)?;
        let mut builder = PartitionUpdateBuilder::new();
        match self.target {
            Target::Partitions => {
                builder.delete_partition(stamp.deletion());
                return Ok(builder.finish());
            }
            Target::Ranges => {
                let slices = self.clustering.slices(&self.table, values, ctx)?;
                for slice in Slices::new(slices).as_slice() {
                    builder.delete_range(RangeTombstone {
                        start: slice.start.clone(),
                        end: slice.end.clone(),
                        deletion: stamp.deletion(),
                    });
                }
                return Ok(builder.finish());
            }
            Target::Insert | Target::Cells | Target::StaticCells | Target::Rows => {}
        }
        let mut cells = Cells::new(stamp, ctx, found);
        let mut update = PartitionUpdate::default();
        if !self.static_operations.is_empty() {
            cells.before = found.static_row;
            let mut row = RowBuilder::new();
            for operation in &self.static_operations {
                operation.apply(values, &mut cells, &mut row)?;
            }
            update.static_row = Some(row.finish()).filter(|row| !row.as_ref().is_empty());
        }
        if self.target == Target::StaticCells {
            return Ok(update);
        }
        if self.clustering.names_one_row(&self.table) {
            let row = self
                .clustering
                .with_prefix(&self.table, values, ctx, |clustering| {
                    self.row(clustering, values, stamp, &mut cells)
                })?;
            if let Some(row) = row {
                update.rows = vec![row];
            }
            return Ok(update);
        }
        let mut builder = PartitionUpdateBuilder::from(update);
        for clustering in self.clustering.prefixes(&self.table, values, ctx)? {
            let parts: Vec<&[u8]> = clustering.iter().map(|value| &**value).collect();
            if let Some((key, row)) = self.row(&parts, values, stamp, &mut cells)? {
                builder.row(key, row);
            }
        }
        Ok(builder.finish())
    }

    /// The change of one row; none if it has nothing to say.
    fn row<V: BindValues + ?Sized>(
        &self,
        clustering: &[&[u8]],
        values: &V,
        stamp: &Stamp,
        cells: &mut Cells<'_>,
    ) -> Result<Option<(ClusteringKey, RowBuf)>, PlanError> {
        let types = self.table.clustering_types();
        let key = ClusteringKey::from(full_key(types, clustering)?);
        let mut row = RowBuilder::with_capacity(ROW_BYTES + CELL_BYTES * self.operations.len());
        if self.target == Target::Insert {
            row.liveness(stamp.liveness());
        }
        if self.target == Target::Rows {
            row.delete_row(stamp.deletion());
        } else if let Some(written) = written_clustering(types, clustering)? {
            row.written_clustering(stamp.timestamp, &written);
        }
        cells.before = cells.found.rows.get(&*key).copied();
        for operation in &self.operations {
            operation.apply(values, cells, &mut row)?;
        }
        let row = row.finish();
        Ok(match row.as_ref().is_empty() {
            true => None,
            false => Some((key, row)),
        })
    }
}

/// The clustering as written, where the encoded key cannot give it back: the values as the fields of a tuple.
fn written_clustering(
    types: &[(CqlType, ComponentOrder)],
    values: &[&[u8]],
) -> Result<Option<Vec<u8>>, PlanError> {
    if types
        .iter()
        .zip(values)
        .all(|((ty, _), value)| is_exact(ty, value))
    {
        return Ok(None);
    }
    let mut out = Vec::new();
    for value in values {
        push_element(Some(value), &mut out)
            .map_err(|error| PlanError::invalid(error.to_string()))?;
    }
    Ok(Some(out))
}

fn timestamp<V: BindValues + ?Sized>(
    term: &Term,
    values: &V,
    ctx: &BindContext,
) -> Result<i64, PlanError> {
    match term.evaluate(values, ctx)? {
        Evaluated::Unset => Ok(ctx.timestamp),
        Evaluated::Null => Err(PlanError::invalid("Invalid null value of timestamp")),
        Evaluated::Value(bytes) => match <[u8; 8]>::try_from(&*bytes).map(i64::from_be_bytes) {
            Ok(i64::MIN) | Err(_) => Err(PlanError::invalid("Invalid timestamp value")
                .help("give microseconds since the epoch as a bigint")),
            Ok(timestamp) => Ok(timestamp),
        },
    }
}

fn time_to_live(bytes: &[u8]) -> Result<u32, PlanError> {
    let Ok(ttl) = <[u8; 4]>::try_from(bytes).map(i32::from_be_bytes) else {
        return Err(PlanError::invalid("Invalid TTL value").help("give seconds as an int"));
    };
    if i64::from(ttl) > TTL_MAX {
        return Err(PlanError::invalid(format!(
            "ttl is too large. requested ({ttl}) maximum ({TTL_MAX})"
        )));
    }
    u32::try_from(ttl).map_err(|_| {
        PlanError::invalid(format!(
            "A TTL must be greater or equal to 0, but was {ttl}"
        ))
    })
}
