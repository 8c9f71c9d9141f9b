//! Asks the shards that own the data, and answers when enough replicas have done their part.
//!
//! On one node every partition has one replica, on the shard that owns its tablet; a consistency level that one replica
//! cannot reach is refused before anything is sent.
//!
//! What this shard owns is done in the caller's turn; what others own becomes a future with a deadline.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cql_mutation::{Mutation, Position, ReadCommand, ReadResult};
use cql_schema::{KeyspaceKind, Table};
use cql_types::Consistency;
use node_cluster::ClusterState;
use node_env::{Deadline, NodeClock, Rng, SeededRng};
use node_replica::{ApplyError, FetchError, LogPosition, Replica, ShardHandle};

use crate::error::{ReadError, WriteError};
use crate::quorum::Factors;
use crate::split::{Part, split};

/// How long requests may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// A write.
    pub write: Duration,
    /// A read of named partitions.
    pub read: Duration,
    /// A read of a token range.
    pub range: Duration,
}

/// A write under way on other shards.
pub type PendingWrite = Pin<Box<dyn Future<Output = Result<(), WriteError>>>>;

/// A read under way; with its answer comes the position of this shard's log that it depends on.
pub type PendingRead = Pin<Box<dyn Future<Output = Result<(ReadResult, LogPosition), ReadError>>>>;

/// What became of a write.
pub enum WriteOutcome {
    /// Applied here; it survives a crash when this position of the shard's log is durable.
    Here(LogPosition),
    /// Under way; durable when the future ends.
    Elsewhere(PendingWrite),
}

/// What became of a read.
pub enum ReadOutcome {
    /// Answered here; the answer may leave when this position of the shard's log is durable.
    Here(ReadResult, LogPosition),
    /// Under way.
    Elsewhere(PendingRead),
}

/// Coordinates the requests that arrive on one shard.
pub struct Coordinator {
    replica: Rc<Replica>,
    shards: Vec<ShardHandle>,
    clock: Arc<NodeClock>,
    unique: Cell<u64>,
    timeouts: Timeouts,
}

/// How many replicas of a partition live: this node has one.
const ALIVE: u32 = 1;

impl Coordinator {
    /// A coordinator on the shard of `replica`; `shards` lead to all shards of the node, by number.
    #[must_use]
    pub fn new(
        replica: Rc<Replica>,
        shards: Vec<ShardHandle>,
        clock: Arc<NodeClock>,
        mut rng: SeededRng,
        timeouts: Timeouts,
    ) -> Self {
        Self {
            replica,
            shards,
            clock,
            unique: Cell::new(rng.next_u64()),
            timeouts,
        }
    }

    /// The newest state of the cluster; a request loads it once.
    #[must_use]
    pub fn state(&self) -> Arc<ClusterState> {
        self.replica.state()
    }

    /// The node's clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<NodeClock> {
        &self.clock
    }

    /// The shard.
    #[must_use]
    pub fn shard(&self) -> u32 {
        self.replica.shard()
    }

    /// A number that differs from request to request.
    pub fn unique(&self) -> u64 {
        let next = self.unique.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.unique.set(next);
        next
    }

    /// Whether an answer that depends on a position may leave.
    #[must_use]
    pub fn is_durable(&self, position: LogPosition) -> bool {
        position == LogPosition::NONE || self.replica.store().is_durable(position)
    }

    /// Waits until a position is durable.
    ///
    /// # Errors
    /// The log has failed; what depends on the position may be lost, and may not.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn durable_at(&self, position: LogPosition) -> Result<(), WriteError> {
        let durable = self.replica.store().durable(position).await;
        durable.map_err(|error| WriteError::Unknown {
            why: error.to_string(),
        })
    }

    /// Writes mutations; all of one partition become visible in one turn.
    ///
    /// `logged` asks for all or nothing: then one shard must own everything.
    ///
    /// # Errors
    /// [`WriteError`] says whether anything may have been written.
    pub fn write(
        &self,
        state: &Arc<ClusterState>,
        mutations: Vec<Mutation>,
        level: Consistency,
        logged: bool,
    ) -> Result<WriteOutcome, WriteError> {
        let mut here = true;
        let mut checked = None;
        for mutation in &mutations {
            if checked != Some(mutation.table) {
                check_level(state, mutation, level)?;
                checked = Some(mutation.table);
            }
            here &= state.owner(mutation.table, mutation.token) == Some(self.shard());
        }
        if mutations.is_empty() {
            return Ok(WriteOutcome::Here(LogPosition::NONE));
        }
        if here {
            return self.write_here(mutations);
        }
        self.write_elsewhere(state, mutations, logged)
    }

    fn write_here(&self, mutations: Vec<Mutation>) -> Result<WriteOutcome, WriteError> {
        let assigned = Some(self.clock.newest_micros());
        if self.replica.has_room(&mutations) {
            let position = self
                .replica
                .apply(mutations, assigned)
                .map_err(write_error)?;
            return Ok(WriteOutcome::Here(position));
        }
        let replica = Rc::clone(&self.replica);
        let deadline = Deadline::after(self.timeouts.write);
        Ok(WriteOutcome::Elsewhere(Box::pin(async move {
            let admitted = deadline.run(replica.admit(&mutations)).await;
            match admitted {
                Ok(admitted) => admitted.map_err(write_error)?,
                Err(_) => {
                    return Err(WriteError::Overloaded {
                        why: "the shard has no room for writes; try again later".to_owned(),
                    });
                }
            }
            let position = replica.apply(mutations, assigned).map_err(write_error)?;
            let durable = replica.store().durable(position).await;
            durable.map_err(|error| WriteError::Unknown {
                why: error.to_string(),
            })
        })))
    }

    fn write_elsewhere(
        &self,
        state: &ClusterState,
        mutations: Vec<Mutation>,
        logged: bool,
    ) -> Result<WriteOutcome, WriteError> {
        let mut by_shard: BTreeMap<u32, Vec<Mutation>> = BTreeMap::new();
        for mutation in mutations {
            let owner =
                state
                    .owner(mutation.table, mutation.token)
                    .ok_or_else(|| WriteError::Refused {
                        why: format!("unconfigured table (id {})", mutation.table.0),
                    })?;
            by_shard.entry(owner).or_default().push(mutation);
        }
        if logged && by_shard.len() > 1 {
            return Err(WriteError::Refused {
                why: "a logged batch over partitions of several shards is not supported yet; \
                      use UNLOGGED, or partitions of one shard"
                    .to_owned(),
            });
        }
        let assigned = Some(self.clock.newest_micros());
        let deadline = Deadline::after(self.timeouts.write);
        let mut parts = Vec::with_capacity(by_shard.len());
        for (shard, mutations) in by_shard {
            let handle = self.handle(shard).ok_or_else(|| WriteError::Failed {
                why: format!("shard {shard} does not exist"),
            })?;
            parts.push(async move { handle.write(mutations, assigned).await });
        }
        Ok(WriteOutcome::Elsewhere(Box::pin(async move {
            let all = deadline.run(futures_util::future::join_all(parts)).await;
            let results = all.map_err(|_| WriteError::Unknown {
                why: "another shard did not answer in time".to_owned(),
            })?;
            // What is unknown outweighs what has failed.
            let mut failed = None;
            for error in results.into_iter().filter_map(Result::err) {
                let error = write_error(error);
                if failed.is_none() || matches!(error, WriteError::Unknown { .. }) {
                    failed = Some(error);
                }
            }
            failed.map_or(Ok(()), Err)
        })))
    }

    fn handle(&self, shard: u32) -> Option<ShardHandle> {
        self.shards.get(usize::try_from(shard).ok()?).cloned()
    }

    /// Reads a page; in this turn if this shard can do it by a few look-ups.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn read(
        self: &Rc<Self>,
        state: &Arc<ClusterState>,
        table: &Arc<Table>,
        command: &ReadCommand,
        level: Consistency,
    ) -> Result<ReadOutcome, ReadError> {
        if let Some(result) = read_image(state, table, command)? {
            return Ok(ReadOutcome::Here(result, LogPosition::NONE));
        }
        check_read_level(state, table, level)?;
        if self.owns_all(state, command)
            && let Some(answer) = self.replica.read_now(table, command).map_err(read_error)?
        {
            return Ok(ReadOutcome::Here(answer.result, answer.depends_on));
        }
        Ok(ReadOutcome::Elsewhere(self.read_later(
            Arc::clone(state),
            Arc::clone(table),
            command.clone(),
            level,
        )))
    }

    fn owns_all(&self, state: &ClusterState, command: &ReadCommand) -> bool {
        match &command.partitions {
            cql_mutation::Partitions::Keys(keys) => keys
                .iter()
                .all(|key| state.owner(command.table, key.token()) == Some(self.shard())),
            cql_mutation::Partitions::Range { .. } => false,
        }
    }

    /// Reads a page, wherever the partitions are.
    pub fn read_later(
        self: &Rc<Self>,
        state: Arc<ClusterState>,
        table: Arc<Table>,
        command: ReadCommand,
        level: Consistency,
    ) -> PendingRead {
        let coordinator = Rc::clone(self);
        Box::pin(async move {
            if let Some(result) = read_image(&state, &table, &command)? {
                return Ok((result, LogPosition::NONE));
            }
            check_read_level(&state, &table, level)?;
            let wait = match command.partitions {
                cql_mutation::Partitions::Keys(_) => coordinator.timeouts.read,
                cql_mutation::Partitions::Range { .. } => coordinator.timeouts.range,
            };
            let parts = split(&state, &command).ok_or_else(|| ReadError::Refused {
                why: format!("unconfigured table {}", table.name),
            })?;
            let pages = coordinator.read_parts(&table, &command, parts);
            Deadline::after(wait).run(pages).await.unwrap_or_else(|_| {
                Err(ReadError::Timeout {
                    why: format!("no answer within {} ms", wait.as_millis()),
                })
            })
        })
    }

    /// Asks one part after the other until the page is full.
    async fn read_parts(
        &self,
        table: &Arc<Table>,
        command: &ReadCommand,
        parts: Vec<Part>,
    ) -> Result<(ReadResult, LogPosition), ReadError> {
        let mut whole = ReadResult::default();
        let mut depends_on = LogPosition::NONE;
        let mut rows_left = command.rows_left();
        let mut page = command.page;
        let limited = command.row_limit.is_some();
        let mut parts = parts.into_iter().peekable();
        while let Some(part) = parts.next() {
            let resume = part.resume.map(|position| Position {
                remaining_rows: limited.then_some(rows_left),
                ..position
            });
            let wanted = ReadCommand {
                partitions: part.partitions,
                row_limit: limited.then_some(rows_left),
                page,
                resume,
                ..command.clone()
            };
            let (result, position) = self.read_part(part.shard, table, wanted).await?;
            depends_on = depends_on.max(position);
            rows_left = rows_left.saturating_sub(result.row_count());
            page.rows = page.rows.saturating_sub(result.row_count());
            page.bytes = page.bytes.saturating_sub(result.byte_count() as u64);
            page.tombstones = page.tombstones.saturating_sub(result.stats.tombstones);
            whole.append(result);
            if whole.more.is_some() || rows_left == 0 {
                break;
            }
            let is_full = page.rows == 0 || page.bytes == 0 || page.tombstones == 0;
            if is_full && parts.peek().is_some() {
                match behind(&whole, limited.then_some(rows_left)) {
                    Some(more) => {
                        whole.more = Some(more);
                        break;
                    }
                    // Tombstones alone filled the page: there is no row to go on from, so it grows.
                    None => page.tombstones = command.page.tombstones.max(1),
                }
            }
            page.rows = page.rows.max(1);
            page.bytes = page.bytes.max(1);
            page.tombstones = page.tombstones.max(1);
        }
        Ok((whole, depends_on))
    }

    async fn read_part(
        &self,
        shard: u32,
        table: &Arc<Table>,
        command: ReadCommand,
    ) -> Result<(ReadResult, LogPosition), ReadError> {
        if shard == self.shard() {
            let answer = self
                .replica
                .read(table, &command)
                .await
                .map_err(read_error)?;
            return Ok((answer.result, answer.depends_on));
        }
        let handle = self.handle(shard).ok_or_else(|| ReadError::Failed {
            why: format!("shard {shard} does not exist"),
        })?;
        let result = handle.read(Arc::clone(table), command).await;
        // The other shard answers when what it read is durable there.
        Ok((result.map_err(read_error)?, LogPosition::NONE))
    }
}

/// The position behind the last partition of an answer.
fn behind(result: &ReadResult, remaining_rows: Option<u64>) -> Option<Position> {
    let last = result.iter().last()?;
    Some(Position {
        token: last.partition.token,
        key: result.partition_key(&last.partition)?,
        clustering: None,
        partition_has_rows: true,
        remaining_rows,
        remaining_in_partition: None,
    })
}

/// Answers reads of the node's own tables from the image.
fn read_image(
    state: &ClusterState,
    table: &Table,
    command: &ReadCommand,
) -> Result<Option<ReadResult>, ReadError> {
    let kind = state
        .schema
        .keyspace(&table.keyspace)
        .map(|keyspace| keyspace.kind);
    match kind {
        Some(KeyspaceKind::User) => Ok(None),
        Some(KeyspaceKind::System | KeyspaceKind::Virtual) => {
            Ok(Some(state.read_own(table, command)))
        }
        None => Err(ReadError::Refused {
            why: format!("unconfigured table {}", table.name),
        }),
    }
}

fn check_level(
    state: &ClusterState,
    mutation: &Mutation,
    level: Consistency,
) -> Result<(), WriteError> {
    let Some(table) = state.schema.table_by_id(mutation.table) else {
        return Err(WriteError::Refused {
            why: format!("unconfigured table (id {})", mutation.table.0),
        });
    };
    match level {
        Consistency::Serial | Consistency::LocalSerial => Err(WriteError::Refused {
            why: "You must use conditional updates for serializable writes".to_owned(),
        }),
        _ => factors(state, table)
            .check(level, ALIVE)
            .map_err(WriteError::Unavailable),
    }
}

fn check_read_level(
    state: &ClusterState,
    table: &Table,
    level: Consistency,
) -> Result<(), ReadError> {
    match level {
        Consistency::Any | Consistency::EachQuorum => Err(ReadError::Refused {
            why: format!("{level} ConsistencyLevel is only supported for writes"),
        }),
        _ => factors(state, table)
            .check(level, ALIVE)
            .map_err(ReadError::Unavailable),
    }
}

fn factors(state: &ClusterState, table: &Table) -> Factors {
    state
        .schema
        .keyspace(&table.keyspace)
        .map_or(Factors { total: 1, local: 1 }, |keyspace| {
            Factors::of(&keyspace.replication, &state.local.data_center)
        })
}

fn write_error(error: ApplyError) -> WriteError {
    let why = error.to_string();
    if error.is_unknown() {
        return WriteError::Unknown { why };
    }
    match error {
        ApplyError::NoTable(_) => WriteError::Refused { why },
        ApplyError::NotOwner => WriteError::Overloaded { why },
        ApplyError::Storage(node_replica::StorageWriteError::Log(
            node_replica::LogError::TooLarge { .. },
        )) => WriteError::Refused { why },
        ApplyError::Storage(_) => WriteError::Overloaded { why },
        ApplyError::Log(_) | ApplyError::Stopping => WriteError::Failed { why },
    }
}

fn read_error(error: FetchError) -> ReadError {
    let why = error.to_string();
    match error {
        FetchError::NoTable(_) => ReadError::Refused { why },
        FetchError::Storage(_) | FetchError::Log(_) | FetchError::Stopping => {
            ReadError::Failed { why }
        }
    }
}
