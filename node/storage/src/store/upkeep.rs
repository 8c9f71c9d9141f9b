//! The upkeep of a store: loops of which none ends.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use node_env::files::FileOperation;
use node_env::spawn::LoopEnd;
use node_env::{FileError, FileErrorKind, offload};

use super::shard::{Sealed, Shard};
use crate::error::StorageError;
use crate::log::LogPosition;
use crate::memtable::Origin;
use crate::stats::add;

/// After a flush or a new segment failed.
const RETRY: Duration = Duration::from_millis(500);

impl Shard {
    /// Wakes everyone whose position became durable.
    pub(super) async fn pump(self: Rc<Self>) {
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

    /// A log thread that has died will never make anything durable.
    pub(super) async fn watch_log(self: Rc<Self>) {
        match self.log_loop.ended().await {
            LoopEnd::Panicked(text) => self.log.fail(FileError {
                operation: FileOperation::Write,
                path: self.node.log_directory.clone(),
                kind: FileErrorKind::Device,
                text: format!("the log thread panicked: {text}"),
            }),
            LoopEnd::Done | LoopEnd::Killed => {}
        }
        std::future::pending::<()>().await;
    }

    /// Keeps spare segments ready, and the log from growing without end.
    pub(super) async fn prepare_segments(self: Rc<Self>) {
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
    pub(super) async fn flush_sealed(self: Rc<Self>) {
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
