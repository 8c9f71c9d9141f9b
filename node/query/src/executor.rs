//! Runs one request of a client: from the decoded frame to the encoded answer.
//!
//! ```text
//! EXECUTE ─► cache ─► bind ─► coordinator ─► answer in the output buffer, with the log position it depends on
//! QUERY   ─► parse ─► plan ─┘        └─ other shards, DDL, many pages, writes that read ─► a future that ends with it
//! ```
//!
//! What this shard can do by itself is done in the same turn and costs no task and no queue; only the rest becomes a
//! future.
//! Nothing waits for the disk here: the connection holds an answer back until its position is durable.

use std::rc::Rc;
use std::sync::Arc;

use bytes::BytesMut;
use cql_mutation::{Mutation, ReadCommand};
use cql_plan::{BindContext, BindValues, Bound, Paging, PreparedKind, ReadPlan, Writes};
use cql_protocol::{
    Batch, BatchKind, Consistency, Encoder, ErrorBody, Execute, Head, Query, QueryParameters,
    StatementSource, WriteType,
};
use node_cluster::ClusterState;
use node_coordinator::{Coordinator, LogPosition, ReadOutcome};
use node_group0::Group0Handle;

use crate::failure;
use crate::outcome::{Answer, Outcome};
use crate::reply::{Pages, Reply, write_text_rows};
use crate::session::Session;
use crate::statement::{Statement, StatementCache, StatementId, statement_id};
use crate::values::{Positional, by_name};
use crate::write::{Unread, Writing, unread};

/// Limits of one request.
#[derive(Debug, Clone, Copy)]
pub struct QueryLimits {
    /// The most bytes that a page may hold.
    pub page_bytes: u64,
    /// The most tombstones that a page walks over.
    pub page_tombstones: u64,
    /// The most bytes that the answer of a read without paging may hold.
    pub unpaged_bytes: u64,
    /// Above this many tombstones a read draws a warning.
    pub tombstone_warn: u64,
    /// Above this many tombstones a read without paging fails.
    pub tombstone_fail: u64,
    /// Above this a batch draws a warning.
    pub batch_warn_bytes: usize,
    /// Above this a batch is refused.
    pub batch_fail_bytes: usize,
    /// The longest statement text.
    pub statement_bytes: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self {
            page_bytes: 1 << 20,
            page_tombstones: 10_000,
            unpaged_bytes: 100 << 20,
            tombstone_warn: 1_000,
            tombstone_fail: 100_000,
            batch_warn_bytes: 128 << 10,
            batch_fail_bytes: 1024 << 10,
            statement_bytes: 1 << 20,
        }
    }
}

/// Runs the requests of all connections of one shard.
pub struct Executor {
    coordinator: Rc<Coordinator>,
    statements: StatementCache,
    group0: Group0Handle,
    limits: QueryLimits,
}

/// What a request says besides its statement and values.
#[derive(Clone, Copy)]
struct Ask<'a> {
    consistency: Consistency,
    timestamp: Option<i64>,
    page_size: Option<u32>,
    paging_state: Option<&'a [u8]>,
    skip_metadata: bool,
}

impl<'a> Ask<'a> {
    fn of(parameters: &QueryParameters<'a>) -> Self {
        Self {
            consistency: parameters.consistency,
            timestamp: parameters.timestamp,
            page_size: parameters.page_size,
            paging_state: parameters.paging_state,
            skip_metadata: parameters.skip_metadata,
        }
    }
}

impl Executor {
    /// An executor for one shard.
    #[must_use]
    pub fn new(
        coordinator: Rc<Coordinator>,
        statements: StatementCache,
        group0: Group0Handle,
        limits: QueryLimits,
    ) -> Self {
        Self {
            coordinator,
            statements,
            group0,
            limits,
        }
    }

    /// The coordinator of this shard.
    #[must_use]
    pub fn coordinator(&self) -> &Rc<Coordinator> {
        &self.coordinator
    }

    /// QUERY.
    pub(crate) fn query(
        &self,
        session: &mut Session,
        stream: i16,
        query: &Query<'_>,
        out: &mut BytesMut,
    ) -> Outcome {
        let state = self.coordinator.state();
        let statement = match self.plan(&state, session.keyspace.as_deref(), query.text) {
            Ok(statement) => Arc::new(statement),
            Err(error) => return answer_error(session.encoder, stream, &error, out),
        };
        self.run(session, stream, &state, &statement, &query.parameters, out)
    }

    /// EXECUTE.
    pub(crate) fn execute(
        &self,
        session: &mut Session,
        stream: i16,
        execute: &Execute<'_>,
        out: &mut BytesMut,
    ) -> Outcome {
        let state = self.coordinator.state();
        match self.statement(&state, execute.id) {
            Ok(statement) => self.run(
                session,
                stream,
                &state,
                &statement,
                &execute.parameters,
                out,
            ),
            Err(error) => answer_error(session.encoder, stream, &error, out),
        }
    }

    /// PREPARE.
    pub(crate) fn prepare(
        &self,
        session: &Session,
        stream: i16,
        text: &str,
        out: &mut BytesMut,
    ) -> Outcome {
        let state = self.coordinator.state();
        let keyspace = session.keyspace.as_deref();
        let id = statement_id(keyspace, text);
        let cached = self
            .statements
            .get(&id)
            .filter(|statement| statement.is_current(&state));
        let statement =
            match cached.map_or_else(|| self.plan(&state, keyspace, text).map(Arc::new), Ok) {
                Ok(statement) => statement,
                Err(error) => return answer_error(session.encoder, stream, &error, out),
            };
        let prepared = cql_protocol::Prepared {
            id: &id,
            variables: &statement.variables,
            partition_key: &statement.prepared.pk_indexes,
            result: statement.result.as_ref(),
            is_lwt: false,
        };
        session.encoder.prepared(out, stream, &prepared);
        self.statements.insert(id, statement);
        Outcome::Answered(LogPosition::NONE)
    }

    /// BATCH.
    pub(crate) fn batch(
        &self,
        session: &Session,
        stream: i16,
        batch: &Batch<'_>,
        out: &mut BytesMut,
    ) -> Outcome {
        let state = self.coordinator.state();
        match self.bind_batch(session, &state, batch) {
            Ok((mutations, unread)) => {
                let kind = match batch.kind {
                    BatchKind::Logged => WriteType::Batch,
                    BatchKind::Unlogged | BatchKind::Counter => WriteType::UnloggedBatch,
                };
                self.writing(session.encoder, stream, batch.consistency, kind)
                    .run(&self.coordinator, &state, mutations, unread, out)
            }
            Err(error) => answer_error(session.encoder, stream, &error, out),
        }
    }

    fn bind_batch(
        &self,
        session: &Session,
        state: &ClusterState,
        batch: &Batch<'_>,
    ) -> Result<(Vec<Mutation>, Vec<Unread>), ErrorBody> {
        if batch.kind == BatchKind::Counter {
            return Err(failure::invalid("counter batches are not supported yet"));
        }
        let mut writes = Writes {
            mutations: Vec::with_capacity(batch.len()),
            drafts: Vec::new(),
        };
        let mut all_unread = Vec::new();
        let base = self.context(batch.timestamp);
        for (index, one) in batch.statements().enumerate() {
            let statement = match one.source {
                StatementSource::Text(text) => {
                    Arc::new(self.plan(state, session.keyspace.as_deref(), text)?)
                }
                StatementSource::Prepared(id) => self.statement(state, id)?,
            };
            let PreparedKind::Write(plan) = &statement.prepared.kind else {
                return Err(failure::invalid(
                    "Invalid statement in batch: only UPDATE, INSERT and DELETE statements are allowed.",
                ));
            };
            let values = Positional(&one.values);
            let ctx = BindContext {
                unique: base.unique.wrapping_add(index as u64),
                ..base
            };
            statement
                .prepared
                .check_count(&values)
                .and_then(|()| plan.bind(&values, &ctx, &mut writes))
                .map_err(|error| failure::plan(&error, &statement.text))?;
            let drafts = std::mem::take(&mut writes.drafts);
            all_unread.extend(unread(drafts, &statement));
        }
        Ok((writes.mutations, all_unread))
    }

    /// The statement with this id, if it is known and its tables did not change.
    fn statement(&self, state: &ClusterState, id: &[u8]) -> Result<Arc<Statement>, ErrorBody> {
        let key = StatementId::try_from(id).map_err(|_| ErrorBody::unprepared(id))?;
        let statement = self
            .statements
            .get(&key)
            .ok_or_else(|| ErrorBody::unprepared(id))?;
        if statement.is_current(state) {
            return Ok(statement);
        }
        self.statements.remove(&key);
        Err(ErrorBody::unprepared(id))
    }

    fn plan(
        &self,
        state: &ClusterState,
        keyspace: Option<&str>,
        text: &str,
    ) -> Result<Statement, ErrorBody> {
        if text.len() > self.limits.statement_bytes {
            return Err(failure::invalid(format!(
                "the statement has {} bytes, at most {} are allowed; bind its values instead",
                text.len(),
                self.limits.statement_bytes
            )));
        }
        let parsed = cql_syntax::parse_statement(text).map_err(|error| failure::syntax(&error))?;
        let prepared = cql_plan::prepare(&parsed, &state.schema, keyspace)
            .map_err(|error| failure::plan(&error, text))?;
        Ok(Statement::new(text, prepared, state.schema.version()))
    }

    fn context(&self, timestamp: Option<i64>) -> BindContext {
        let clock = self.coordinator.clock();
        let node_time = clock.write_time();
        BindContext {
            timestamp: timestamp.unwrap_or(node_time),
            node_time,
            now: node_time.div_euclid(1_000_000),
            unique: self.coordinator.unique(),
        }
    }

    fn run(
        &self,
        session: &mut Session,
        stream: i16,
        state: &Arc<ClusterState>,
        statement: &Arc<Statement>,
        parameters: &QueryParameters<'_>,
        out: &mut BytesMut,
    ) -> Outcome {
        let values = &parameters.values;
        let ask = Ask::of(parameters);
        if values.is_named() {
            return match by_name(values, &statement.prepared) {
                Ok(bound) => {
                    let bound: &[Bound<'_>] = &bound;
                    self.run_bound(session, stream, state, statement, bound, ask, out)
                }
                Err(error) => {
                    let error = failure::plan(&error, &statement.text);
                    answer_error(session.encoder, stream, &error, out)
                }
            };
        }
        let values = Positional(values);
        if let Err(error) = statement.prepared.check_count(&values) {
            let error = failure::plan(&error, &statement.text);
            return answer_error(session.encoder, stream, &error, out);
        }
        self.run_bound(session, stream, state, statement, &values, ask, out)
    }

    #[expect(clippy::too_many_arguments, reason = "what a request consists of")]
    fn run_bound<V: BindValues + ?Sized>(
        &self,
        session: &mut Session,
        stream: i16,
        state: &Arc<ClusterState>,
        statement: &Arc<Statement>,
        values: &V,
        ask: Ask<'_>,
        out: &mut BytesMut,
    ) -> Outcome {
        let encoder = session.encoder;
        let refuse = |error: &cql_plan::PlanError, out: &mut BytesMut| {
            answer_error(encoder, stream, &failure::plan(error, &statement.text), out)
        };
        let write = |kind: WriteType, writes: Writes, out: &mut BytesMut| {
            let unread = unread(writes.drafts, statement).collect();
            self.writing(encoder, stream, ask.consistency, kind).run(
                &self.coordinator,
                state,
                writes.mutations,
                unread,
                out,
            )
        };
        match &statement.prepared.kind {
            PreparedKind::Write(plan) => {
                let ctx = self.context(ask.timestamp);
                let mut writes = Writes {
                    mutations: Vec::with_capacity(1),
                    drafts: Vec::new(),
                };
                match plan.bind(values, &ctx, &mut writes) {
                    Ok(()) => write(WriteType::Simple, writes, out),
                    Err(error) => refuse(&error, out),
                }
            }
            PreparedKind::Batch(plan) => {
                let ctx = self.context(ask.timestamp);
                let mut writes = Writes::default();
                let kind = match plan.logged {
                    true => WriteType::Batch,
                    false => WriteType::UnloggedBatch,
                };
                match plan.bind(values, &ctx, &mut writes) {
                    Ok(()) => write(kind, writes, out),
                    Err(error) => refuse(&error, out),
                }
            }
            PreparedKind::Read(plan) => {
                let ctx = self.context(None);
                let paging = Paging {
                    rows: ask.page_size,
                    state: ask.paging_state,
                    bytes: self.limits.page_bytes,
                    tombstones: self.limits.page_tombstones,
                };
                match plan.bind(values, &ctx, &paging) {
                    Ok(mut command) => {
                        if ask.page_size.is_none() && !plan.is_aggregate() {
                            // One more than allowed, so that too much is seen without being held.
                            command.page.bytes = self.limits.unpaged_bytes + 1;
                            command.page.tombstones = self.limits.tombstone_fail + 1;
                        }
                        self.read(
                            encoder, stream, state, statement, plan, command, ctx, ask, out,
                        )
                    }
                    Err(error) => refuse(&error, out),
                }
            }
            PreparedKind::Use(keyspace) => {
                session.keyspace = Some(Arc::clone(keyspace));
                encoder.set_keyspace(out, stream, keyspace);
                Outcome::Answered(LogPosition::NONE)
            }
            PreparedKind::Schema(_) | PreparedKind::Truncate(_) => {
                self.agree(encoder, stream, Arc::clone(statement))
            }
            PreparedKind::Explain(lines) => {
                let rows: Vec<Vec<String>> = lines.iter().map(|line| vec![line.clone()]).collect();
                write_text_rows(encoder, stream, statement, &rows, out);
                Outcome::Answered(LogPosition::NONE)
            }
            PreparedKind::Describe(plan) => {
                match plan.rows(&state.schema, &state.local.cluster_name) {
                    Ok(rows) => {
                        write_text_rows(encoder, stream, statement, &rows, out);
                        Outcome::Answered(LogPosition::NONE)
                    }
                    Err(error) => refuse(&error, out),
                }
            }
        }
    }

    fn writing(
        &self,
        encoder: Encoder,
        stream: i16,
        consistency: Consistency,
        kind: WriteType,
    ) -> Writing {
        Writing {
            encoder,
            stream,
            consistency,
            kind,
            limits: self.limits,
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a read consists of")]
    fn read(
        &self,
        encoder: Encoder,
        stream: i16,
        state: &Arc<ClusterState>,
        statement: &Arc<Statement>,
        plan: &ReadPlan,
        command: ReadCommand,
        ctx: BindContext,
        ask: Ask<'_>,
        out: &mut BytesMut,
    ) -> Outcome {
        let level = ask.consistency;
        let consistency = ask.consistency;
        let single_page = !plan.is_aggregate();
        let reply = Reply {
            encoder,
            stream,
            skip_metadata: ask.skip_metadata,
            paged: ask.page_size.is_some(),
            consistency,
            limits: self.limits,
        };
        let keep = single_page.then_some(());
        let outcome = match keep {
            Some(()) => self.coordinator.read(state, plan.table(), &command, level),
            None => Ok(ReadOutcome::Elsewhere(self.coordinator.read_later(
                Arc::clone(state),
                Arc::clone(plan.table()),
                command.clone(),
                level,
            ))),
        };
        match outcome {
            Ok(ReadOutcome::Here(result, position)) => {
                reply.rows(statement, plan, &result, &ctx, out);
                Outcome::Answered(position)
            }
            Ok(ReadOutcome::Elsewhere(first)) => {
                let statement = Arc::clone(statement);
                let coordinator = Rc::clone(&self.coordinator);
                let state = Arc::clone(state);
                Outcome::Later(Box::pin(async move {
                    let mut bytes = BytesMut::new();
                    let PreparedKind::Read(plan) = &statement.prepared.kind else {
                        return Answer::ready(bytes);
                    };
                    let done = match first.await {
                        Ok((result, position)) if single_page => {
                            reply.rows(&statement, plan, &result, &ctx, &mut bytes);
                            Ok(position)
                        }
                        Ok(page) => {
                            let pages = Pages {
                                coordinator,
                                state,
                                command,
                                level,
                            };
                            pages
                                .totals(page, plan, &ctx)
                                .await
                                .map(|(totals, position)| {
                                    reply.totals(&statement, plan, &totals, &mut bytes);
                                    position
                                })
                        }
                        Err(error) => Err(error),
                    };
                    match done {
                        Ok(position) => Answer { bytes, position },
                        Err(error) => {
                            bytes.clear();
                            encoder.error(&mut bytes, stream, &failure::read(&error, consistency));
                            Answer::ready(bytes)
                        }
                    }
                }))
            }
            Err(error) => answer_error(encoder, stream, &failure::read(&error, consistency), out),
        }
    }

    /// A schema change or a TRUNCATE: the control task agrees on it with the cluster.
    fn agree(&self, encoder: Encoder, stream: i16, statement: Arc<Statement>) -> Outcome {
        let group0 = self.group0.clone();
        Outcome::Later(Box::pin(async move {
            let mut bytes = BytesMut::new();
            let done = match &statement.prepared.kind {
                PreparedKind::Schema(change) => {
                    group0.change_schema(change.clone(), &statement.text).await
                }
                PreparedKind::Truncate(table) => group0.truncate(table.id, &statement.text).await,
                PreparedKind::Write(_)
                | PreparedKind::Batch(_)
                | PreparedKind::Read(_)
                | PreparedKind::Use(_)
                | PreparedKind::Explain(_)
                | PreparedKind::Describe(_) => Ok(node_group0::Agreed::default()),
            };
            match done {
                Ok(agreed) => {
                    let head = Head {
                        warnings: &agreed.warnings,
                        ..Head::new(stream)
                    };
                    match agreed.events.first() {
                        Some(event) => {
                            encoder.schema_change(&mut bytes, head, &crate::schema_event(event))
                        }
                        None => encoder.void(&mut bytes, head),
                    }
                }
                Err(error) => encoder.error(&mut bytes, stream, &failure::group0(&error)),
            }
            Answer::ready(bytes)
        }))
    }
}

pub(crate) fn answer_error(
    encoder: Encoder,
    stream: i16,
    error: &ErrorBody,
    out: &mut BytesMut,
) -> Outcome {
    encoder.error(out, stream, error);
    Outcome::Answered(LogPosition::NONE)
}
