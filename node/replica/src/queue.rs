//! Requests between shards of one node.
//!
//! A request travels through a bounded queue and brings the slot for its answer along, so an answer never waits for a
//! queue: two full queues cannot wait for each other.

use std::sync::Arc;

use cql_mutation::{Mutation, ReadCommand, ReadResult};
use cql_schema::Table;
use tokio::sync::{mpsc, oneshot};

use crate::error::{ApplyError, FetchError};

/// Requests that may wait for one shard. Beyond this, senders wait, each within its own deadline.
const QUEUE_MAX: usize = 4_096;

/// How many requests a shard takes out of its queue at a time.
pub(crate) const BATCH_MAX: usize = 256;

/// What one shard asks of another. The answer comes when what it depends on is durable.
#[derive(Debug)]
pub enum ShardRequest {
    /// Apply these mutations, whole.
    Write {
        /// All of partitions that the shard owns.
        mutations: Vec<Mutation>,
        /// The write time, if this node assigned it.
        assigned: Option<i64>,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), ApplyError>>,
    },
    /// Read partitions that the shard owns.
    Read {
        /// The table, in the schema that the command was bound with.
        table: Arc<Table>,
        /// What to read.
        command: Box<ReadCommand>,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<ReadResult, FetchError>>,
    },
    /// Bring everything written so far into the engine.
    Flush {
        /// Where the answer goes.
        reply: oneshot::Sender<Result<(), FetchError>>,
    },
    /// How the shard's store is doing.
    Sizes {
        /// Where the answer goes.
        reply: oneshot::Sender<ShardSizes>,
    },
}

/// How the store of one shard is doing, with its counters.
#[derive(Debug, Clone)]
pub struct ShardSizes {
    /// The shard.
    pub shard: u32,
    /// Its store at this moment.
    pub status: node_storage::StoreStatus,
    /// Counters of reads, writes and flushes.
    pub store: node_storage::ShardStats,
    /// Counters of the log.
    pub log: node_storage::LogStats,
}

/// Where requests for one shard go in. Clones lead to the same shard.
#[derive(Debug, Clone)]
pub struct ShardHandle {
    queue: mpsc::Sender<ShardRequest>,
}

/// Where they come out, on the shard.
#[derive(Debug)]
pub struct RequestQueue {
    queue: mpsc::Receiver<ShardRequest>,
}

impl ShardHandle {
    /// A queue to a shard.
    #[must_use]
    pub fn new() -> (Self, RequestQueue) {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        (Self { queue: sender }, RequestQueue { queue: receiver })
    }

    /// Applies mutations on the shard; answers when they are durable.
    ///
    /// # Errors
    /// [`ApplyError`] says whether they may have been applied.
    ///
    /// # Cancel safety
    /// Dropping it before the answer leaves the outcome unknown.
    pub async fn write(
        &self,
        mutations: Vec<Mutation>,
        assigned: Option<i64>,
    ) -> Result<(), ApplyError> {
        let (reply, answer) = oneshot::channel();
        let request = ShardRequest::Write {
            mutations,
            assigned,
            reply,
        };
        self.queue
            .send(request)
            .await
            .map_err(|_| ApplyError::Stopping)?;
        answer.await.unwrap_or(Err(ApplyError::Stopping))
    }

    /// Reads on the shard.
    ///
    /// # Errors
    /// [`FetchError`].
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn read(
        &self,
        table: Arc<Table>,
        command: ReadCommand,
    ) -> Result<ReadResult, FetchError> {
        self.ask(|reply| ShardRequest::Read {
            table,
            command: Box::new(command),
            reply,
        })
        .await
        .unwrap_or(Err(FetchError::Stopping))
    }

    /// Flushes the shard.
    ///
    /// # Errors
    /// [`FetchError`].
    ///
    /// # Cancel safety
    /// Safe; the flush goes on.
    pub async fn flush(&self) -> Result<(), FetchError> {
        self.ask(|reply| ShardRequest::Flush { reply })
            .await
            .unwrap_or(Err(FetchError::Stopping))
    }

    /// How the shard is doing; `None` when it stops.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn sizes(&self) -> Option<ShardSizes> {
        self.ask(|reply| ShardRequest::Sizes { reply }).await
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> ShardRequest) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.queue.send(request(reply)).await.ok()?;
        answer.await.ok()
    }
}

impl RequestQueue {
    /// The next requests, at least one; none when all handles are gone.
    ///
    /// # Cancel safety
    /// Safe.
    pub(crate) async fn next(&mut self, into: &mut Vec<ShardRequest>) -> usize {
        self.queue.recv_many(into, BATCH_MAX).await
    }
}
