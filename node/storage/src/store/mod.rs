//! The store of one shard: everything it owns, on its own thread.
//!
//! ```text
//!  apply: encode ─► log (one frame) ─► memtable, all in one turn ─► position
//!  answers wait for: durable(position)
//!  run:   pump (wakes waiters), segments (prepares log space), flushes (oldest sealed memtable first)
//! ```
//!
//! The local store of a node is the same thing with a log of its own.

mod shard;
mod upkeep;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use cql_mutation::ReadCommand;
use cql_schema::Table;
use node_env::Urgency;
use tokio::sync::Notify;

use crate::batch::WriteBatch;
use crate::budget::{Admission, Budget, PATIENCE};
use crate::error::{StorageError, WriteError};
use crate::log::{LogError, LogId, LogLoop, LogOptions, LogPlace, LogPosition, SharedLog, Waiters};
use crate::memtable::{Memtable, Origin};
use crate::node::Node;
use crate::read::{self, ReadAnswer, WalkEnd};
use crate::replay::Replayed;
use crate::space::SpaceRange;
use crate::stats::{LogCounters, LogStats, ShardCounters, ShardStats, add};
use crate::yield_now::yield_now;

use shard::{Sealed, Shard};

/// The store of one shard. Cloning shares it; it stays on its thread.
#[derive(Clone)]
pub struct ShardStore {
    shard: Rc<Shard>,
}

/// How a store is doing at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreStatus {
    /// Bytes of rows that are not in the engine yet.
    pub unflushed_bytes: u64,
    /// Memtables that wait for their flush.
    pub sealed_memtables: usize,
    /// Bytes of log segments that hold frames.
    pub log_bytes: u64,
    /// The last accepted position.
    pub accepted: LogPosition,
    /// Up to where everything survives a crash.
    pub durable: LogPosition,
    /// Answers that wait for a sync right now.
    pub waiting: usize,
    /// Why writes are refused until a restart, if they are.
    pub failure: Option<String>,
}

impl ShardStore {
    pub(crate) fn open(
        node: &Arc<Node>,
        number: u32,
        options: LogOptions,
        limit_bytes: u64,
        replayed: Option<Replayed>,
    ) -> Result<Self, StorageError> {
        let id = LogId {
            generation: node.generation,
            shard: number,
        };
        let place = LogPlace {
            files: Arc::clone(&node.env.files),
            directory: node.log_directory.clone(),
            id,
        };
        let log_counters = Arc::new(LogCounters::default());
        let rng = node.env.rng(&format!("log {id}"));
        let log = SharedLog::create(place, options, rng, Arc::clone(&log_counters))?;
        let log = Arc::new(log);
        let body = LogLoop::new(Arc::clone(&log), Arc::clone(&node.env.clock));
        let log_loop =
            node.env
                .spawn
                .dedicated(&format!("log {id}"), Urgency::Foreground, Box::new(body));
        let mut sealed = VecDeque::new();
        if let Some(Replayed { memtables, group }) = replayed {
            sealed.extend(memtables.into_iter().map(|memtable| Sealed {
                memtable,
                group: Some(Arc::clone(&group)),
            }));
        }
        let sealed_bytes = sealed.iter().map(|one| one.memtable.bytes() as u64).sum();
        let shard = Shard {
            node: Arc::clone(node),
            log_waker: log_loop.waker(),
            log_loop,
            sync: options.sync,
            budget: Budget {
                limit_bytes: limit_bytes.max(1),
            },
            active: RefCell::new(Memtable::new(Arc::clone(&node.floors), Origin::Log(id))),
            sealed: RefCell::new(sealed),
            sealed_bytes: Cell::new(sealed_bytes),
            flushed: Cell::new(LogPosition::NONE),
            waiters: Waiters::default(),
            to_flush: Notify::new(),
            was_flushed: Notify::new(),
            scratch: RefCell::default(),
            counters: ShardCounters::default(),
            log_counters,
            log,
        };
        Ok(Self {
            shard: Rc::new(shard),
        })
    }

    /// The upkeep of the store: wakes who waits for durability, prepares log segments, flushes. Its owner runs it as a task
    /// for as long as the store is used; without it nothing is flushed and nobody is woken.
    ///
    /// # Cancel safety
    /// Safe; a flush that was begun ends by itself.
    pub fn run(&self) -> impl Future<Output = ()> + 'static {
        type Task = Pin<Box<dyn Future<Output = ()>>>;
        let mut tasks: [Task; 4] = [
            Box::pin(Rc::clone(&self.shard).pump()),
            Box::pin(Rc::clone(&self.shard).prepare_segments()),
            Box::pin(Rc::clone(&self.shard).flush_sealed()),
            Box::pin(Rc::clone(&self.shard).watch_log()),
        ];
        poll_fn(move |context| {
            for task in &mut tasks {
                // None of them ever ends.
                let _pending = task.as_mut().poll(context);
            }
            Poll::Pending
        })
    }

    /// Waits until there is room for a batch of about so many bytes: in memory and in the log.
    ///
    /// Writes are delayed the longer the more waits to be flushed or compacted. Call it before [`ShardStore::apply`], which refuses what does
    /// not fit.
    ///
    /// # Errors
    /// [`WriteError::Overloaded`] after five seconds at the limit, [`WriteError::Log`]. Nothing has changed.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn admit(&self, bytes: usize) -> Result<(), WriteError> {
        match self.shard.admission() {
            Admission::Now => {}
            Admission::After(delay) => {
                add(&self.shard.counters.delayed, 1);
                tokio::time::sleep(delay).await;
            }
            Admission::Wait => {
                add(&self.shard.counters.delayed, 1);
                let wait = self.shard.wait_for_flush();
                if tokio::time::timeout(PATIENCE, wait).await.is_err() {
                    return Err(WriteError::Overloaded {
                        unflushed_bytes: self.shard.unflushed_bytes(),
                        limit_bytes: self.shard.budget.limit_bytes,
                    });
                }
            }
        }
        if self.shard.log.check_space(bytes).is_ok() {
            return Ok(());
        }
        let wait = self.shard.wait_for_log(bytes);
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(result) => Ok(result?),
            Err(_) => Ok(self.shard.log.check_space(bytes)?),
        }
    }

    /// Logs a batch as one frame and makes it visible, all in this turn. It survives a crash once the position is durable.
    ///
    /// # Errors
    /// [`WriteError::Log`], [`WriteError::NotForData`]: nothing has changed.
    pub fn apply(&self, batch: WriteBatch) -> Result<LogPosition, WriteError> {
        let applied = self.shard.apply(batch);
        if applied.is_err() {
            add(&self.shard.counters.refused, 1);
        }
        applied
    }

    /// Waits until everything up to a position survives a crash; at once in periodic mode.
    ///
    /// # Errors
    /// [`LogError::Unknown`] when the log has failed before: what depends on the position may be lost, or may not.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn durable(&self, position: LogPosition) -> Result<(), LogError> {
        let shard = &self.shard;
        let mut counted = false;
        poll_fn(|context| match shard.is_durable(position) {
            Some(result) => Poll::Ready(result),
            None => {
                if !std::mem::replace(&mut counted, true) {
                    add(&shard.log_counters.waits, 1);
                }
                shard.waiters.add(position, context.waker());
                Poll::Pending
            }
        })
        .await
    }

    /// Whether an answer that depends on a position may leave now; what [`ShardStore::durable`] waits for.
    #[must_use]
    pub fn is_durable(&self, position: LogPosition) -> bool {
        matches!(self.shard.is_durable(position), Some(Ok(())))
    }

    /// Answers a read of a few single rows in this turn; `None` if the command asks for more.
    ///
    /// `places` are the disjoint token ranges of the table that the shard holds, and the spaces they are in.
    ///
    /// # Errors
    /// The engine's; [`StorageError::NotHere`] for a key outside of `places`.
    pub fn read_now(
        &self,
        table: &Table,
        command: &ReadCommand,
        places: &[SpaceRange],
    ) -> Result<Option<ReadAnswer>, StorageError> {
        let shard = &self.shard;
        let answer = shard.with_memtables(|memtables| {
            read::read_single_rows(table, command, places, memtables, &shard.node.engine)
        })?;
        if let Some(answer) = &answer {
            add(&shard.counters.reads, 1);
            add(&shard.counters.reads_at_once, 1);
            add(
                &shard.counters.rows_visited,
                answer.result.stats.rows_scanned,
            );
        }
        Ok(answer)
    }

    /// Answers a read, a page at most. The rows of a partition in one turn are one state; a page may take several turns if
    /// it is large or filters much away.
    ///
    /// # Errors
    /// As [`ShardStore::read_now`].
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn read(
        &self,
        table: &Arc<Table>,
        command: &ReadCommand,
        places: &[SpaceRange],
    ) -> Result<ReadAnswer, StorageError> {
        if let Some(answer) = self.read_now(table, command, places)? {
            return Ok(answer);
        }
        add(&self.shard.counters.reads, 1);
        let mut command = command.clone();
        let mut turn = 0;
        let mut whole: Option<ReadAnswer> = None;
        loop {
            let (end, depends_on) = self.shard.read_turn(table, &command, places, turn).await?;
            let WalkEnd { result, again } = end;
            add(&self.shard.counters.rows_visited, result.stats.rows_scanned);
            let page = &mut command.page;
            page.rows = page.rows.saturating_sub(result.row_count()).max(1);
            page.bytes = page.bytes.saturating_sub(result.byte_count() as u64).max(1);
            page.tombstones = page
                .tombstones
                .saturating_sub(result.stats.tombstones)
                .max(1);
            let answer = match whole.take() {
                None => ReadAnswer { result, depends_on },
                Some(mut before) => {
                    before.result.append(result);
                    ReadAnswer {
                        depends_on: before.depends_on.max(depends_on),
                        ..before
                    }
                }
            };
            if again.is_none() {
                return Ok(answer);
            }
            whole = Some(answer);
            command.resume = again;
            turn += 1;
            yield_now().await;
        }
    }

    /// Seals the memtable and waits until everything written so far is in the engine.
    ///
    /// # Errors
    /// [`StorageError::Stopped`] when the store fails to flush and the node is going down.
    ///
    /// # Cancel safety
    /// Safe; the flush goes on.
    pub async fn flush(&self) -> Result<(), StorageError> {
        self.shard.seal();
        let target = self
            .shard
            .sealed
            .borrow()
            .back()
            .map(|one| Arc::as_ptr(&one.memtable));
        let Some(target) = target else { return Ok(()) };
        loop {
            let flushed = self.shard.was_flushed.notified();
            let waits = self
                .shard
                .sealed
                .borrow()
                .iter()
                .any(|one| Arc::as_ptr(&one.memtable) == target);
            if !waits {
                return Ok(());
            }
            if self.shard.node.merger_loop.end().is_some() {
                return Err(StorageError::Stopped);
            }
            flushed.await;
        }
    }

    /// Ends the log after everything accepted is durable; nothing may be applied afterwards.
    /// Flush first to make the next start quick.
    ///
    /// # Cancel safety
    /// Safe to call again.
    pub async fn close(&self) {
        self.shard.log_loop.stop();
        self.shard.log_loop.ended().await;
        self.shard.waiters.wake_up_to(LogPosition(u64::MAX - 1));
    }

    /// How the store is doing.
    #[must_use]
    pub fn status(&self) -> StoreStatus {
        let shard = &self.shard;
        StoreStatus {
            unflushed_bytes: shard.unflushed_bytes(),
            sealed_memtables: shard.sealed.borrow().len(),
            log_bytes: shard.log.used_bytes(),
            accepted: shard.log.last(),
            durable: shard.log.durable().max(shard.flushed.get()),
            waiting: shard.waiters.len(),
            failure: shard.log.failure().map(|error| error.to_string()),
        }
    }

    /// Counters of the store.
    #[must_use]
    pub fn stats(&self) -> ShardStats {
        self.shard.counters.read()
    }

    /// Counters of its log.
    #[must_use]
    pub fn log_stats(&self) -> LogStats {
        self.shard.log_counters.read()
    }
}
