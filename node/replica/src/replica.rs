//! The replica of one shard: finds the space of a request and hands it to the store.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use cql_mutation::{Mutation, ReadCommand, ReadResult};
use cql_schema::Table;
use node_cluster::{ClusterState, SpacePlace};
use node_env::{Reader, TaskGroup};
use node_storage::{LogPosition, ReadAnswer, ShardStore, Space, SpaceRange, WriteBatch};

use crate::error::{ApplyError, FetchError};
use crate::queue::{RequestQueue, ShardRequest, ShardSizes};

/// What one shard keeps.
pub struct Replica {
    shard: u32,
    store: ShardStore,
    state: RefCell<Reader<ClusterState>>,
}

impl Replica {
    /// A replica over the store of a shard.
    #[must_use]
    pub fn new(shard: u32, store: ShardStore, state: Reader<ClusterState>) -> Self {
        Self {
            shard,
            store,
            state: RefCell::new(state),
        }
    }

    /// The shard.
    #[must_use]
    pub fn shard(&self) -> u32 {
        self.shard
    }

    /// The store, for its upkeep and status.
    #[must_use]
    pub fn store(&self) -> &ShardStore {
        &self.store
    }

    /// The newest state of the cluster.
    #[must_use]
    pub fn state(&self) -> Arc<ClusterState> {
        Arc::clone(self.state.borrow_mut().load())
    }

    /// Applies mutations of this shard in one turn, as one frame of the log.
    ///
    /// # Errors
    /// [`ApplyError`]; nothing was applied.
    pub fn apply(
        &self,
        mutations: Vec<Mutation>,
        assigned: Option<i64>,
    ) -> Result<LogPosition, ApplyError> {
        let mut state = self.state.borrow_mut();
        let state = state.load();
        let mut placed = Vec::with_capacity(mutations.len());
        for mutation in mutations {
            let space = state
                .space(mutation.table, mutation.token)
                .ok_or(ApplyError::NoTable(mutation.table))?;
            if state.owner(mutation.table, mutation.token) != Some(self.shard) {
                return Err(ApplyError::NotOwner);
            }
            placed.push((Space(space), mutation));
        }
        let batch = WriteBatch {
            mutations: placed,
            assigned,
        };
        Ok(self.store.apply(batch)?)
    }

    /// Whether a write of these mutations need not wait.
    #[must_use]
    pub fn has_room(&self, mutations: &[Mutation]) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let admitted = std::pin::pin!(self.admit(mutations)).poll(&mut context);
        matches!(admitted, std::task::Poll::Ready(Ok(())))
    }

    /// Waits until there is room for a write of these mutations.
    ///
    /// # Errors
    /// Storage is full or overloaded; nothing was applied.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn admit(&self, mutations: &[Mutation]) -> Result<(), ApplyError> {
        let bytes = mutations.iter().map(Mutation::encoded_len).sum();
        Ok(self.store.admit(bytes).await?)
    }

    /// Answers a read of a few single rows in this turn; `None` if it asks for more.
    ///
    /// # Errors
    /// [`FetchError`].
    pub fn read_now(
        &self,
        table: &Arc<Table>,
        command: &ReadCommand,
    ) -> Result<Option<ReadAnswer>, FetchError> {
        let mut state = self.state.borrow_mut();
        let places = state
            .load()
            .places(table.id)
            .ok_or(FetchError::NoTable(table.id))?;
        if let [one] = &**places {
            return Ok(self.store.read_now(table, command, &[range(one)])?);
        }
        let places: Vec<SpaceRange> = places.iter().map(range).collect();
        Ok(self.store.read_now(table, command, &places)?)
    }

    /// Answers a read, a page at most.
    ///
    /// # Errors
    /// [`FetchError`].
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn read(
        &self,
        table: &Arc<Table>,
        command: &ReadCommand,
    ) -> Result<ReadAnswer, FetchError> {
        let places: Vec<SpaceRange> = self
            .state()
            .places(table.id)
            .ok_or(FetchError::NoTable(table.id))?
            .iter()
            .map(range)
            .collect();
        Ok(self.store.read(table, command, &places).await?)
    }

    /// Serves the requests of other shards until all of their handles are gone or the group is closed.
    ///
    /// # Cancel safety
    /// Requests that were taken out of the queue are lost; their senders see that the shard stops.
    pub async fn serve(self: Rc<Self>, mut queue: RequestQueue, tasks: Rc<TaskGroup>) {
        let mut requests = Vec::new();
        while queue.next(&mut requests).await > 0 {
            for request in requests.drain(..) {
                let replica = Rc::clone(&self);
                // A closed group means that the shard stops; the dropped reply tells the sender.
                let _ = tasks.spawn("request of another shard", async move {
                    replica.answer(request).await;
                });
            }
        }
    }

    async fn answer(&self, request: ShardRequest) {
        // A sender that has given up does not take its answer.
        match request {
            ShardRequest::Write {
                mutations,
                assigned,
                reply,
            } => {
                let _ = reply.send(self.write(mutations, assigned).await);
            }
            ShardRequest::Read {
                table,
                command,
                reply,
            } => {
                let _ = reply.send(self.read_durable(&table, &command).await);
            }
            ShardRequest::Flush { reply } => {
                let _ = reply.send(self.store.flush().await.map_err(FetchError::from));
            }
            ShardRequest::Sizes { reply } => {
                let _ = reply.send(self.sizes());
            }
        }
    }

    async fn write(
        &self,
        mutations: Vec<Mutation>,
        assigned: Option<i64>,
    ) -> Result<(), ApplyError> {
        self.admit(&mutations).await?;
        let position = self.apply(mutations, assigned)?;
        self.store.durable(position).await.map_err(ApplyError::Log)
    }

    async fn read_durable(
        &self,
        table: &Arc<Table>,
        command: &ReadCommand,
    ) -> Result<ReadResult, FetchError> {
        let answer = self.read(table, command).await?;
        self.store
            .durable(answer.depends_on)
            .await
            .map_err(FetchError::Log)?;
        Ok(answer.result)
    }

    /// How this shard is doing.
    #[must_use]
    pub fn sizes(&self) -> ShardSizes {
        ShardSizes {
            shard: self.shard,
            status: self.store.status(),
            store: self.store.stats(),
            log: self.store.log_stats(),
        }
    }
}

fn range(place: &SpacePlace) -> SpaceRange {
    SpaceRange {
        space: Space(place.space),
        first: place.first,
        last: place.last,
    }
}
