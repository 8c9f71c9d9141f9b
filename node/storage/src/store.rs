//! The store of one shard: everything it owns, on its own thread.
//!
//! ```text
//!  apply: encode ─► log (one frame) ─► memtable, all in one turn ─► position
//!  answers wait for: durable(position)
//!  run:   pump (wakes waiters), segments (prepares log space), flushes (oldest sealed memtable first)
//! ```
//!
//! The local store of a node is the same thing with a log of its own.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use cql_mutation::{Mutation, ReadCommand};
use cql_schema::Table;
use node_env::{LoopHandle, Urgency, Waker, offload};
use tokio::sync::Notify;

use crate::batch::WriteBatch;
use crate::budget::{Admission, Budget, PATIENCE};
use crate::error::{StorageError, WriteError};
use crate::layout::cut::Reader;
use crate::log::{
    LogError, LogId, LogLoop, LogOptions, LogPlace, LogPosition, SharedLog, SyncMode, Waiters,
    WakeLog,
};
use crate::memtable::{Memtable, Origin};
use crate::node::{Node, ReplayGroup};
use crate::read::{self, CopyBudget, ROWS_PER_STEP, ReadAnswer, Walk, WalkEnd, WalkStep};
use crate::replay::Replayed;
use crate::space::SpaceRange;
use crate::stats::{LogCounters, LogStats, ShardCounters, ShardStats, add};
use crate::yield_now::yield_now;

/// After a flush or a new segment failed.
const RETRY: Duration = Duration::from_millis(500);

/// Where reads that need more than a turn are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadsRun {
    /// On the shard, in steps: while the data is in memory.
    OnShard,
    /// In the offload pool: while the device is slow or the engine busy.
    Offloaded,
}

/// A memtable that takes no more writes.
#[derive(Clone)]
struct Sealed {
    memtable: Arc<Memtable>,
    /// Whom to tell that it is flushed, if it came from older logs.
    group: Option<Arc<ReplayGroup>>,
}

struct Shard {
    node: Arc<Node>,
    log: Arc<SharedLog>,
    log_loop: LoopHandle,
    log_waker: Waker,
    sync: SyncMode,
    budget: Budget,
    active: RefCell<Memtable>,
    /// Oldest first.
    sealed: RefCell<VecDeque<Sealed>>,
    sealed_bytes: Cell<u64>,
    /// Everything up to here is in the engine.
    flushed: Cell<LogPosition>,
    waiters: Waiters,
    /// A memtable was sealed.
    to_flush: Notify,
    /// A memtable was flushed.
    was_flushed: Notify,
    reads: Cell<ReadsRun>,
    scratch: RefCell<Vec<u8>>,
    counters: ShardCounters,
    log_counters: Arc<LogCounters>,
}

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
            reads: Cell::new(ReadsRun::OnShard),
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
        let mut tasks: [Task; 3] = [
            Box::pin(Rc::clone(&self.shard).pump()),
            Box::pin(Rc::clone(&self.shard).prepare_segments()),
            Box::pin(Rc::clone(&self.shard).flush_sealed()),
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
    /// Writes are delayed in proportion to what is unflushed. Call it before [`ShardStore::apply`], which refuses what does
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

    /// Says where reads that need more than a turn are merged from now on.
    pub fn set_reads(&self, run: ReadsRun) {
        self.shard.reads.set(run);
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

    /// Ends the log after everything accepted is durable. Flush first to make the next start quick.
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

impl Shard {
    fn apply(&self, batch: WriteBatch) -> Result<LogPosition, WriteError> {
        if let Some((space, _)) = batch
            .mutations
            .iter()
            .find(|(space, _)| !space.is_for_data())
        {
            return Err(WriteError::NotForData { space: *space });
        }
        let (position, wake) = {
            let mut body = self.scratch.borrow_mut();
            body.clear();
            batch.encode(&mut body);
            self.log.append(&body)?
        };
        if wake == WakeLog::Yes {
            self.log_waker.wake();
        }
        let is_full = {
            let mut active = self.active.borrow_mut();
            if let Some(assigned) = batch.assigned {
                active.assigned(assigned);
            }
            add(&self.counters.writes, 1);
            add(&self.counters.mutations, batch.mutations.len() as u64);
            for (
                space,
                Mutation {
                    key, token, update, ..
                },
            ) in batch.mutations
            {
                active.apply(space, token, key, update, position);
            }
            self.budget.is_full(active.bytes() as u64)
        };
        if is_full {
            self.seal();
        }
        Ok(position)
    }

    /// Puts the active memtable behind the sealed ones and begins a new one.
    fn seal(&self) {
        let mut active = self.active.borrow_mut();
        if active.is_empty() {
            return;
        }
        let new = Memtable::new(Arc::clone(&self.node.floors), active.origin());
        let memtable = Arc::new(std::mem::replace(&mut *active, new));
        self.sealed_bytes
            .set(self.sealed_bytes.get() + memtable.bytes() as u64);
        self.sealed.borrow_mut().push_back(Sealed {
            memtable,
            group: None,
        });
        add(&self.counters.seals, 1);
        self.to_flush.notify_one();
    }

    fn unflushed_bytes(&self) -> u64 {
        self.sealed_bytes.get() + self.active.borrow().bytes() as u64
    }

    fn admission(&self) -> Admission {
        self.budget.admission(self.unflushed_bytes())
    }

    async fn wait_for_flush(&self) {
        loop {
            let flushed = self.was_flushed.notified();
            if self.admission() != Admission::Wait {
                return;
            }
            // A large limit is many memtables away from a small one: what is there goes first.
            self.seal();
            flushed.await;
        }
    }

    async fn wait_for_log(&self, bytes: usize) -> Result<(), LogError> {
        loop {
            let changed = self.log.space_changed.notified();
            match self.log.check_space(bytes) {
                Err(LogError::NoSpace { cause: None }) => changed.await,
                result => return result,
            }
        }
    }

    /// `None` while the position is on its way.
    fn is_durable(&self, position: LogPosition) -> Option<Result<(), LogError>> {
        if position <= self.log.durable().max(self.flushed.get()) {
            return Some(Ok(()));
        }
        match (self.log.failure(), self.sync) {
            (Some(cause), _) => Some(Err(LogError::Unknown { cause })),
            (None, SyncMode::Periodic(_)) => Some(Ok(())),
            (None, SyncMode::Batch) => None,
        }
    }

    /// Calls `body` with the memtables, newest first.
    fn with_memtables<T>(&self, body: impl FnOnce(&[&Memtable]) -> T) -> T {
        let active = self.active.borrow();
        let sealed = self.sealed.borrow();
        let mut memtables: Vec<&Memtable> = Vec::with_capacity(1 + sealed.len());
        memtables.push(&active);
        memtables.extend(sealed.iter().rev().map(|one| &*one.memtable));
        body(&memtables)
    }

    /// One turn of a read: memtables, then the snapshot, and only then anything that may wait.
    async fn read_turn(
        &self,
        table: &Arc<Table>,
        command: &ReadCommand,
        places: &[SpaceRange],
        turn: u32,
    ) -> Result<(WalkEnd, LogPosition), StorageError> {
        let budget = CopyBudget::for_turn(command, turn);
        let copied =
            self.with_memtables(|memtables| read::copy(command, places, memtables, budget))?;
        let reader = Reader::new(&*self.node.engine);
        let depends_on = copied.depends_on;
        let end = match self.reads.get() {
            ReadsRun::OnShard => {
                let mut walk = Walk::new(command, table, copied, reader);
                let mut steps = 0;
                loop {
                    match walk.step(ROWS_PER_STEP)? {
                        WalkStep::Rows => yield_now().await,
                        WalkStep::Partition => {
                            steps += 1;
                            if steps % PARTITIONS_PER_STEP == 0 {
                                yield_now().await;
                            }
                        }
                        WalkStep::Done => break walk.finish(),
                    }
                }
            }
            ReadsRun::Offloaded => {
                let (table, command) = (Arc::clone(table), command.clone());
                offload(&self.node.env.spawn, "read", move || {
                    let mut walk = Walk::new(&command, &table, copied, reader);
                    while walk.step(ROWS_PER_STEP)? != WalkStep::Done {}
                    Ok::<_, StorageError>(walk.finish())
                })
                .await??
            }
        };
        Ok((end, depends_on))
    }

    /// Wakes everyone whose position became durable.
    async fn pump(self: Rc<Self>) {
        loop {
            match self.log.failure() {
                None => self
                    .waiters
                    .wake_up_to(self.log.durable().max(self.flushed.get())),
                Some(_) => {
                    // What is in memory can still be saved by a flush.
                    self.seal();
                    self.waiters.wake_up_to(LogPosition(u64::MAX - 1));
                }
            }
            self.log.moved().await;
        }
    }

    /// Keeps spare segments ready, and the log from growing without end.
    async fn prepare_segments(self: Rc<Self>) {
        loop {
            let log = Arc::clone(&self.log);
            match offload(&self.node.env.spawn, "log segments", move || {
                log.provision()
            })
            .await
            {
                Ok(Ok(())) => {
                    if self.log.used_bytes() > self.log_bytes_max() {
                        self.seal();
                    }
                    self.log.wanted().await;
                }
                Ok(Err(error)) => {
                    tracing::warn!(log = %self.log.id(), error = %error, "no new log segment; writes go on while there is prepared space");
                    tokio::time::sleep(RETRY).await;
                }
                Err(error) => {
                    tracing::debug!(error = %error, "log segments are prepared later");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// With more log than this the memtable is flushed even if it is small, so that a restart stays quick.
    fn log_bytes_max(&self) -> u64 {
        (self.budget.limit_bytes * 2).max(4 * self.node.options.log.segment_bytes)
    }

    /// Flushes sealed memtables, oldest first, one at a time.
    async fn flush_sealed(self: Rc<Self>) {
        loop {
            let oldest = self.sealed.borrow().front().cloned();
            let Some(oldest) = oldest else {
                self.to_flush.notified().await;
                continue;
            };
            match self.node.merger.flush(Arc::clone(&oldest.memtable)).await {
                Ok(()) => self.flushed(oldest).await,
                Err(StorageError::Stopped) => {
                    self.was_flushed.notify_waiters();
                    std::future::pending::<()>().await;
                }
                Err(error) => {
                    add(&self.counters.flush_failures, 1);
                    tracing::warn!(log = %self.log.id(), error = %error, "a flush failed; it is tried again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// The oldest memtable is in the engine: from this turn on reads find its rows there.
    async fn flushed(&self, Sealed { memtable, group }: Sealed) {
        drop(self.sealed.borrow_mut().pop_front());
        self.sealed_bytes.set(
            self.sealed_bytes
                .get()
                .saturating_sub(memtable.bytes() as u64),
        );
        add(&self.counters.flushes, 1);
        if matches!(memtable.origin(), Origin::Log(_)) {
            self.flushed.set(self.flushed.get().max(memtable.last()));
            self.log.release(memtable.last());
            self.waiters.wake_up_to(self.flushed.get());
        }
        // Freeing a large memtable takes long, so not here.
        let job = Box::new(move || drop(memtable));
        if let Err(error) = self
            .node
            .env
            .spawn
            .offload_job("drop a flushed memtable", job)
        {
            tracing::debug!(error = %error, "a flushed memtable is dropped on its shard");
        }
        if let Some(group) = group
            && let Err(error) = group.done().await
        {
            tracing::warn!(error = %error, "old logs stay until the next start");
        }
        self.was_flushed.notify_waiters();
    }
}

/// Partitions that a step of a read may open.
const PARTITIONS_PER_STEP: usize = 16;
