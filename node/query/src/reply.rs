//! From what was read to the answer that the client gets.

use std::rc::Rc;
use std::sync::Arc;

use bytes::BytesMut;
use cql_mutation::{ReadCommand, ReadResult};
use cql_plan::{BindContext, ReadPlan, RowSink, Totals};
use cql_protocol::{Consistency, Encoder, ErrorBody, Head, RowsMetadata, RowsWriter};
use node_cluster::ClusterState;
use node_coordinator::{Coordinator, LogPosition, ReadError};

use crate::executor::QueryLimits;
use crate::failure;
use crate::statement::Statement;

/// The pages of an aggregate.
pub(crate) struct Pages {
    pub(crate) coordinator: Rc<Coordinator>,
    pub(crate) state: Arc<ClusterState>,
    pub(crate) command: ReadCommand,
    pub(crate) level: Consistency,
}

impl Pages {
    pub(crate) async fn totals(
        mut self,
        first: (ReadResult, LogPosition),
        plan: &ReadPlan,
        ctx: &BindContext,
    ) -> Result<(Totals, LogPosition), ReadError> {
        let mut totals = Totals::default();
        let (mut result, mut position) = first;
        loop {
            totals.add(plan.projection(), plan.table(), &result, ctx);
            let Some(more) = result.more.take() else {
                return Ok((totals, position));
            };
            self.command.resume = Some(more);
            let next = self.coordinator.read_later(
                Arc::clone(&self.state),
                Arc::clone(plan.table()),
                self.command.clone(),
                self.level,
            );
            let (page, depends) = next.await?;
            result = page;
            position = position.max(depends);
        }
    }
}

/// How the rows of one answer are written.
#[derive(Clone, Copy)]
pub(crate) struct Reply {
    pub(crate) encoder: Encoder,
    pub(crate) stream: i16,
    pub(crate) skip_metadata: bool,
    pub(crate) paged: bool,
    pub(crate) consistency: Consistency,
    pub(crate) limits: QueryLimits,
}

impl Reply {
    pub(crate) fn rows(
        &self,
        statement: &Statement,
        plan: &ReadPlan,
        result: &ReadResult,
        ctx: &BindContext,
        out: &mut BytesMut,
    ) {
        if !self.paged
            && let Err(error) = self.check_unpaged(result)
        {
            self.encoder.error(out, self.stream, &error);
            return;
        }
        let mut warnings = plan.warnings().to_vec();
        if result.stats.tombstones > self.limits.tombstone_warn {
            warnings.push(format!(
                "Read {} live rows and {} tombstone cells for a query on {}.{}",
                result.row_count(),
                result.stats.tombstones,
                plan.table().keyspace,
                plan.table().name
            ));
        }
        let paging_state = result.more.as_ref().map(cql_mutation::Position::encode);
        self.write(
            statement,
            &warnings,
            paging_state.as_deref(),
            out,
            |writer| {
                let mut sink = Sink::new(writer, plan.projection().width());
                plan.projection().rows(plan.table(), result, ctx, &mut sink);
            },
        );
    }

    pub(crate) fn totals(
        &self,
        statement: &Statement,
        plan: &ReadPlan,
        totals: &Totals,
        out: &mut BytesMut,
    ) {
        self.write(statement, plan.warnings(), None, out, |writer| {
            let mut sink = Sink::new(writer, plan.projection().width());
            totals.finish(plan.projection(), &mut sink);
        });
    }

    /// Refuses an answer that is too large for one piece.
    fn check_unpaged(&self, result: &ReadResult) -> Result<(), ErrorBody> {
        let bytes = result.byte_count() as u64;
        if bytes > self.limits.unpaged_bytes {
            return Err(failure::invalid(format!(
                "the answer has {bytes} bytes, at most {} may be asked for without paging; set a page size",
                self.limits.unpaged_bytes
            )));
        }
        let tombstones = result.stats.tombstones;
        if tombstones > self.limits.tombstone_fail {
            let why = format!(
                "the read came over {tombstones} tombstones, at most {} are walked over without paging; \
                 set a page size, or read a smaller range",
                self.limits.tombstone_fail
            );
            return Err(failure::read(&ReadError::Failed { why }, self.consistency));
        }
        Ok(())
    }

    fn write(
        &self,
        statement: &Statement,
        warnings: &[String],
        paging_state: Option<&[u8]>,
        out: &mut BytesMut,
        fill: impl FnOnce(&mut RowsWriter<'_>),
    ) {
        let Some(columns) = &statement.result else {
            self.encoder.void(out, self.stream);
            return;
        };
        let metadata = RowsMetadata {
            columns,
            skip: self.skip_metadata,
            paging_state,
        };
        let head = Head {
            warnings,
            ..Head::new(self.stream)
        };
        let mut writer = self.encoder.rows(out, head, &metadata);
        fill(&mut writer);
        if let Err(error) = writer.finish() {
            self.encoder
                .error(out, self.stream, &failure::invalid(error.to_string()));
        }
    }
}

/// Writes cells into a frame and counts rows.
struct Sink<'w, 'o> {
    writer: &'w mut RowsWriter<'o>,
    width: usize,
    left: usize,
}

impl<'w, 'o> Sink<'w, 'o> {
    fn new(writer: &'w mut RowsWriter<'o>, width: usize) -> Self {
        Self {
            writer,
            width,
            left: 0,
        }
    }
}

impl RowSink for Sink<'_, '_> {
    fn begin_row(&mut self) {
        self.left = self.width;
    }

    fn cell(&mut self, value: Option<&[u8]>) {
        self.writer.cell_or_null(value);
        self.left -= 1;
        if self.left == 0 {
            self.writer.end_row();
        }
    }
}

pub(crate) fn write_text_rows(
    encoder: Encoder,
    stream: i16,
    statement: &Statement,
    rows: &[Vec<String>],
    out: &mut BytesMut,
) {
    let Some(columns) = &statement.result else {
        return encoder.void(out, stream);
    };
    let metadata = RowsMetadata {
        columns,
        skip: false,
        paging_state: None,
    };
    let mut writer = encoder.rows(out, stream, &metadata);
    for row in rows {
        for cell in row {
            writer.cell(cell.as_bytes());
        }
        writer.end_row();
    }
    if let Err(error) = writer.finish() {
        encoder.error(out, stream, &failure::invalid(error.to_string()));
    }
}
