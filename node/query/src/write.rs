//! The writes of one request: what must be read for them, then the coordinator, then the answer.
//!
//! What needs no read goes to the coordinator in the turn of the request.
//! Otherwise one draft after the other is read for and finished, and only then anything is written: all of them see what
//! was there before the request.
//! Between the last read and the write no turn ends if this shard owns both.

use std::rc::Rc;
use std::sync::Arc;

use bytes::BytesMut;
use cql_mutation::{Mutation, PageLimit, ReadCommand, ReadResult};
use cql_plan::Draft;
use cql_protocol::{Consistency, Encoder, ErrorBody, Head, WriteType};
use node_cluster::ClusterState;
use node_coordinator::{Coordinator, LogPosition, ReadError, ReadOutcome, WriteOutcome};

use crate::executor::{QueryLimits, answer_error};
use crate::failure;
use crate::outcome::{Answer, Outcome};
use crate::statement::Statement;

/// Drafts of one request that are read for before others of the shard have their turn.
const READS_PER_TURN: usize = 64;

/// A draft, with the statement that its errors point into.
pub(crate) struct Unread {
    pub(crate) statement: Arc<Statement>,
    pub(crate) draft: Draft,
}

/// How a request writes and is answered.
#[derive(Clone, Copy)]
pub(crate) struct Writing {
    pub(crate) encoder: Encoder,
    pub(crate) stream: i16,
    pub(crate) consistency: Consistency,
    pub(crate) kind: WriteType,
    pub(crate) limits: QueryLimits,
}

impl Writing {
    /// Writes everything, after the reads if there are any.
    pub(crate) fn run(
        self,
        coordinator: &Rc<Coordinator>,
        state: &Arc<ClusterState>,
        mutations: Vec<Mutation>,
        unread: Vec<Unread>,
        out: &mut BytesMut,
    ) -> Outcome {
        if unread.is_empty() {
            return self.write(coordinator, state, mutations, out);
        }
        let (coordinator, state) = (Rc::clone(coordinator), Arc::clone(state));
        Outcome::Later(Box::pin(self.read_and_write(
            coordinator,
            state,
            mutations,
            unread,
        )))
    }

    async fn read_and_write(
        self,
        coordinator: Rc<Coordinator>,
        state: Arc<ClusterState>,
        mut mutations: Vec<Mutation>,
        unread: Vec<Unread>,
    ) -> Answer {
        let mut bytes = BytesMut::new();
        // Also a refusal tells what was read.
        let mut position = LogPosition::NONE;
        for (index, Unread { statement, draft }) in unread.into_iter().enumerate() {
            if index % READS_PER_TURN == READS_PER_TURN - 1 {
                tokio::task::yield_now().await;
            }
            let finished = match self.read(&coordinator, &state, &draft).await {
                Ok((found, depends_on)) => {
                    position = position.max(depends_on);
                    draft
                        .finish(&found, &mut mutations)
                        .map_err(|error| failure::plan(&error, &statement.text))
                }
                Err(error) => Err(error),
            };
            if let Err(error) = finished {
                self.encoder.error(&mut bytes, self.stream, &error);
                return Answer { bytes, position };
            }
        }
        let answer = match self.write(&coordinator, &state, mutations, &mut bytes) {
            Outcome::Answered(position) => Answer { bytes, position },
            Outcome::Later(answer) => answer.await,
        };
        Answer {
            position: position.max(answer.position),
            ..answer
        }
    }

    /// Reads what a draft must know, at the level of the write.
    async fn read(
        &self,
        coordinator: &Rc<Coordinator>,
        state: &Arc<ClusterState>,
        draft: &Draft,
    ) -> Result<(ReadResult, LogPosition), ErrorBody> {
        let command = ReadCommand {
            // One more than allowed, so that too much is seen without being held.
            page: PageLimit {
                rows: u64::MAX,
                bytes: self.limits.unpaged_bytes + 1,
                tombstones: self.limits.tombstone_fail + 1,
            },
            ..draft.command().clone()
        };
        let level = self.consistency;
        let failed = |error: &ReadError| failure::read_first(error, self.consistency);
        let (found, position) = match coordinator.read(state, draft.table(), &command, level) {
            Ok(ReadOutcome::Here(found, position)) => (found, position),
            Ok(ReadOutcome::Elsewhere(pending)) => pending.await.map_err(|error| failed(&error))?,
            Err(error) => return Err(failed(&error)),
        };
        let tombstones = found.stats.tombstones;
        if tombstones > self.limits.tombstone_fail {
            let why = format!(
                "the read before the write came over {tombstones} tombstones, at most {} are walked over; \
                 write the list as a whole, or change fewer rows at a time",
                self.limits.tombstone_fail
            );
            return Err(failed(&ReadError::Failed { why }));
        }
        if found.more.is_some() || found.byte_count() as u64 > self.limits.unpaged_bytes {
            return Err(failure::invalid(format!(
                "the lists to be read before the write have more than {} bytes; change fewer rows at a time",
                self.limits.unpaged_bytes
            )));
        }
        Ok((found, position))
    }

    fn write(
        &self,
        coordinator: &Coordinator,
        state: &Arc<ClusterState>,
        mutations: Vec<Mutation>,
        out: &mut BytesMut,
    ) -> Outcome {
        let Self {
            encoder,
            stream,
            consistency,
            kind,
            limits,
        } = *self;
        let mut warning = Vec::new();
        if kind != WriteType::Simple {
            let bytes: usize = mutations.iter().map(Mutation::encoded_len).sum();
            if bytes > limits.batch_fail_bytes {
                let message = format!(
                    "Batch too large: {bytes} bytes, at most {} are allowed; write it in parts",
                    limits.batch_fail_bytes
                );
                return answer_error(encoder, stream, &failure::invalid(message), out);
            }
            if bytes > limits.batch_warn_bytes {
                warning.push(format!(
                    "Batch of {bytes} bytes is larger than {} bytes",
                    limits.batch_warn_bytes
                ));
            }
        }
        let head = Head {
            warnings: &warning,
            ..Head::new(stream)
        };
        let logged = kind == WriteType::Batch;
        match coordinator.write(state, mutations, consistency, logged) {
            Ok(WriteOutcome::Here(position)) => {
                encoder.void(out, head);
                Outcome::Answered(position)
            }
            Ok(WriteOutcome::Elsewhere(pending)) => {
                let mut bytes = BytesMut::new();
                encoder.void(&mut bytes, head);
                Outcome::Later(Box::pin(async move {
                    if let Err(error) = pending.await {
                        bytes.clear();
                        let error = failure::write(&error, consistency, kind);
                        encoder.error(&mut bytes, stream, &error);
                    }
                    Answer::ready(bytes)
                }))
            }
            Err(error) => answer_error(
                encoder,
                stream,
                &failure::write(&error, consistency, kind),
                out,
            ),
        }
    }
}

/// The drafts of one statement.
pub(crate) fn unread(
    drafts: Vec<Draft>,
    statement: &Arc<Statement>,
) -> impl Iterator<Item = Unread> {
    drafts.into_iter().map(|draft| Unread {
        statement: Arc::clone(statement),
        draft,
    })
}
