//! What a store owns, and what happens within one turn of its shard.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;

use cql_mutation::{Mutation, ReadCommand};
use cql_schema::Table;
use node_env::{LoopHandle, Waker};
use tokio::sync::Notify;

use crate::batch::WriteBatch;
use crate::budget::{Admission, Budget};
use crate::error::{StorageError, WriteError};
use crate::layout::cut::Reader;
use crate::log::{LogError, LogPosition, SharedLog, SyncMode, Waiters, WakeLog};
use crate::memtable::Memtable;
use crate::node::{Node, ReplayGroup};
use crate::read::{self, CopyBudget, ROWS_PER_STEP, Walk, WalkEnd, WalkStep};
use crate::space::SpaceRange;
use crate::stats::{LogCounters, ShardCounters, add};
use crate::yield_now::yield_now;

/// A memtable that takes no more writes.
#[derive(Clone)]
pub(super) struct Sealed {
    pub(super) memtable: Arc<Memtable>,
    /// Whom to tell that it is flushed, if it came from older logs.
    pub(super) group: Option<Arc<ReplayGroup>>,
}

/// What a store owns.
pub(super) struct Shard {
    pub(super) node: Arc<Node>,
    pub(super) log: Arc<SharedLog>,
    pub(super) log_loop: LoopHandle,
    pub(super) log_waker: Waker,
    pub(super) sync: SyncMode,
    pub(super) budget: Budget,
    pub(super) active: RefCell<Memtable>,
    /// Oldest first.
    pub(super) sealed: RefCell<VecDeque<Sealed>>,
    pub(super) sealed_bytes: Cell<u64>,
    /// Everything up to here is in the engine.
    pub(super) flushed: Cell<LogPosition>,
    pub(super) waiters: Waiters,
    /// A memtable was sealed.
    pub(super) to_flush: Notify,
    /// A memtable was flushed.
    pub(super) was_flushed: Notify,
    pub(super) scratch: RefCell<Vec<u8>>,
    pub(super) counters: ShardCounters,
    pub(super) log_counters: Arc<LogCounters>,
}

impl Shard {
    pub(super) fn apply(&self, batch: WriteBatch) -> Result<LogPosition, WriteError> {
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
    pub(super) fn seal(&self) {
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

    pub(super) fn unflushed_bytes(&self) -> u64 {
        self.sealed_bytes.get() + self.active.borrow().bytes() as u64
    }

    pub(super) fn admission(&self) -> Admission {
        let backlog = self.node.backlog.thousandths();
        self.budget.admission(self.unflushed_bytes(), backlog)
    }

    pub(super) async fn wait_for_flush(&self) {
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

    pub(super) async fn wait_for_log(&self, bytes: usize) -> Result<(), LogError> {
        loop {
            let changed = self.log.space_changed.notified();
            match self.log.check_space(bytes) {
                Err(LogError::NoSpace { cause: None }) => changed.await,
                result => return result,
            }
        }
    }

    /// `None` while the position is on its way.
    pub(super) fn is_durable(&self, position: LogPosition) -> Option<Result<(), LogError>> {
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
    pub(super) fn with_memtables<T>(&self, body: impl FnOnce(&[&Memtable]) -> T) -> T {
        let active = self.active.borrow();
        let sealed = self.sealed.borrow();
        let mut memtables: Vec<&Memtable> = Vec::with_capacity(1 + sealed.len());
        memtables.push(&active);
        memtables.extend(sealed.iter().rev().map(|one| &*one.memtable));
        body(&memtables)
    }

    /// One turn of a read: memtables, then the snapshot, and only then anything that may wait.
    pub(super) async fn read_turn(
        &self,
        table: &Table,
        command: &ReadCommand,
        places: &[SpaceRange],
        turn: u32,
    ) -> Result<(WalkEnd, LogPosition), StorageError> {
        let budget = CopyBudget::for_turn(command, turn);
        let copied =
            self.with_memtables(|memtables| read::copy(command, places, memtables, budget))?;
        let reader = Reader::new(&*self.node.engine);
        let depends_on = copied.depends_on;
        let mut walk = Walk::new(command, table, copied, reader);
        let mut partitions = 0;
        loop {
            match walk.step(ROWS_PER_STEP)? {
                WalkStep::Rows => yield_now().await,
                WalkStep::Partition => {
                    partitions += 1;
                    if partitions % PARTITIONS_PER_STEP == 0 {
                        yield_now().await;
                    }
                }
                WalkStep::Done => return Ok((walk.finish(), depends_on)),
            }
        }
    }
}

/// Partitions that a step of a read may open.
const PARTITIONS_PER_STEP: usize = 16;
