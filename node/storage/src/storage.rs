//! The storage of a node: opens, replays, hands out stores, and looks after spaces.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use backend::{Engine, Factory};
use cql_mutation::Mutation;
use cql_types::Token;
use node_env::Env;
use node_env::spawn::LoopEnd;

use crate::error::StorageError;
use crate::floor::Floors;
use crate::log::{LogId, LogOptions, LogPosition, SyncMode};
use crate::memtable::{Memtable, Origin};
use crate::node::{BrokenRules, Node};
use crate::replay::{Owner, ReplayReport, Replayed, replay};
use crate::space::{Space, SpaceRange};
use crate::spaces::SpaceOptions;
use crate::stats::NodeStats;
use crate::store::ShardStore;

/// Where a node keeps its data, and how much memory it may use for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageOptions {
    /// The node's data directory.
    pub directory: PathBuf,
    /// Where the commit logs are; `log` in the data directory unless it is on a device of its own.
    pub log_directory: PathBuf,
    /// The most bytes that the engine's cache may hold.
    pub cache_bytes: u64,
    /// The most bytes that unflushed rows of all shards together may take.
    pub memtable_bytes: u64,
    /// Shards of this run.
    pub shards: u32,
    /// The logs of the shards; that of the local store is always synced before answers leave.
    pub log: LogOptions,
}

impl StorageOptions {
    /// Options for a data directory, with the defaults of a small node.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, shards: u32) -> Self {
        let directory = directory.into();
        Self {
            log_directory: directory.join("log"),
            directory,
            cache_bytes: 16 << 20,
            memtable_bytes: 64 << 20,
            shards: shards.max(1),
            log: LogOptions::default(),
        }
    }
}

/// The storage of a node. Cloning shares it; it may be used from any thread.
///
/// ```text
/// open ─► open_local ─► (read the local tables) ─► replay ─► open_shard, on each shard
/// ```
#[derive(Clone)]
pub struct Storage {
    node: Arc<Node>,
}

impl Storage {
    /// Opens the engine in the data directory and starts the merger. Blocks.
    ///
    /// # Errors
    /// [`StorageError::Format`] for a directory of somebody else or of another version, the engine's, the files'.
    pub fn open(
        env: &Env,
        options: StorageOptions,
        factory: &dyn Factory,
    ) -> Result<Self, StorageError> {
        Self::open_broken(env, options, factory, BrokenRules::NONE)
    }

    /// As [`Storage::open`], with rules switched off: to show in tests what each of them protects.
    ///
    /// # Errors
    /// As [`Storage::open`].
    #[doc(hidden)]
    pub fn open_broken(
        env: &Env,
        options: StorageOptions,
        factory: &dyn Factory,
        broken: BrokenRules,
    ) -> Result<Self, StorageError> {
        let node = Node::open(env, options, factory, broken)?;
        Ok(Self {
            node: Arc::new(node),
        })
    }

    /// Replays the logs of the local store and opens it. Comes before everything else.
    ///
    /// # Errors
    /// [`StorageError::Replay`] for a damaged log, the files', the engine's.
    ///
    /// # Cancel safety
    /// Not safe: begin again with [`Storage::open`].
    pub async fn open_local(&self) -> Result<(ShardStore, ReplayReport), StorageError> {
        let logs = self.old_logs(|log| log.shard == LogId::LOCAL);
        let (mut replayed, report) = replay(&self.node, logs, 1, &|_, _| Owner::Shard(0)).await?;
        let log = LogOptions {
            sync: SyncMode::Batch,
            ..self.node.options.log
        };
        let limit_bytes = self.node.options.memtable_bytes / 8;
        let mine = replayed.pop();
        let store = ShardStore::open(&self.node, LogId::LOCAL, log, limit_bytes, mine)?;
        Ok((store, report))
    }

    /// Replays the logs of all shards of older runs; `owner` says who gets a mutation. The answer has one entry a shard.
    ///
    /// Mutations of dead spaces are skipped without asking. Until this has returned nothing is purged anywhere.
    ///
    /// # Errors
    /// [`StorageError::Replay`] for a damaged log, the files', the engine's.
    ///
    /// # Cancel safety
    /// Not safe: begin again with [`Storage::open`].
    pub async fn replay(
        &self,
        owner: &dyn Fn(Space, Token) -> Owner,
    ) -> Result<(Vec<Replayed>, ReplayReport), StorageError> {
        let logs = self.old_logs(|log| log.shard != LogId::LOCAL);
        let shards = self.node.options.shards as usize;
        let replayed = replay(&self.node, logs, shards, owner).await?;
        // Those of the local store came first, so from here on the floors know of everything.
        self.node.floors.replayed();
        Ok(replayed)
    }

    fn old_logs(&self, wanted: impl Fn(&LogId) -> bool) -> Vec<LogId> {
        self.node.old_logs.keys().copied().filter(wanted).collect()
    }

    /// Opens the store of a shard, on that shard, with what the replay found for it. Blocks.
    ///
    /// # Errors
    /// The files', such as no space for the first segment of the log.
    pub fn open_shard(&self, shard: u32, replayed: Replayed) -> Result<ShardStore, StorageError> {
        let limit_bytes = self.node.options.memtable_bytes / u64::from(self.node.options.shards);
        ShardStore::open(
            &self.node,
            shard,
            self.node.options.log,
            limit_bytes,
            Some(replayed),
        )
    }

    /// Hands out a space that was never used and never will be again, durably.
    ///
    /// # Errors
    /// The engine's; [`StorageError::NoMoreSpaces`].
    ///
    /// # Cancel safety
    /// Safe; a number may be lost.
    pub async fn new_space(&self) -> Result<Space, StorageError> {
        self.node.new_space().await
    }

    /// Declares tokens of a space dead, durably: nobody will ever read or write them again. Takes one small ingest, whatever
    /// the space holds; what it holds is reclaimed afterwards.
    ///
    /// # Errors
    /// The engine's; asking again is right.
    ///
    /// # Cancel safety
    /// Safe; the mark may or may not be there.
    pub async fn kill(&self, range: SpaceRange) -> Result<(), StorageError> {
        self.node.kill(range).await
    }

    /// Whether a token of a space is dead.
    #[must_use]
    pub fn is_dead(&self, space: Space, token: Token) -> bool {
        self.node.spaces.rules().is_dead(space, token)
    }

    /// The ranges that are dead and not forgotten.
    #[must_use]
    pub fn dead_ranges(&self) -> Vec<SpaceRange> {
        self.node.spaces.rules().dead_ranges().collect()
    }

    /// Says what the tables of some spaces want. Tombstones of a space that was never described are never purged.
    pub fn set_space_options(&self, options: impl IntoIterator<Item = (Space, SpaceOptions)>) {
        self.node.spaces.set_options(options);
    }

    /// Where others pin the replay floor, for writes that they hold back.
    #[must_use]
    pub fn floors(&self) -> &Arc<Floors> {
        &self.node.floors
    }

    /// Merges mutations that no log has, from a stream or a repair, into the engine; durable and visible when it returns.
    ///
    /// # Errors
    /// The engine's; then nothing of it is visible, and giving it again is right.
    ///
    /// # Cancel safety
    /// Safe; the rows may or may not come in.
    pub async fn import(&self, mutations: Vec<(Space, Mutation)>) -> Result<(), StorageError> {
        let mut memtable = Memtable::new(Arc::clone(&self.node.floors), Origin::Import);
        for (
            space,
            Mutation {
                key, token, update, ..
            },
        ) in mutations
        {
            memtable.apply(space, token, key, update, LogPosition::NONE);
        }
        self.node.merger.flush(Arc::new(memtable)).await
    }

    /// Purges range and partition tombstones whose time has come, and forgets dead spaces of which nothing is left.
    /// Runs by itself every minute.
    ///
    /// # Errors
    /// The engine's.
    ///
    /// # Cancel safety
    /// Safe; it goes on.
    pub async fn clean_up(&self) -> Result<(), StorageError> {
        self.node.merger.clean_up().await
    }

    /// The largest write time that this node's clock ever assigned, as far as the engine and the logs that were replayed know.
    #[must_use]
    pub fn largest_assigned(&self) -> Option<i64> {
        let assigned = self.node.assigned.load(Ordering::Acquire);
        (assigned != i64::MIN).then_some(assigned)
    }

    /// Counters of the merger, replay and compactions.
    #[must_use]
    pub fn stats(&self) -> NodeStats {
        self.node.counters.read()
    }

    /// The engine, for statistics, checkpoints and verification. Only the merger writes it.
    #[must_use]
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.node.engine
    }

    /// Stops merger and compactor after the work they have begun, and closes the engine. Close the stores first.
    ///
    /// # Errors
    /// The engine's.
    ///
    /// # Cancel safety
    /// Safe to call again.
    pub async fn close(&self) -> Result<(), StorageError> {
        for worker in [&self.node.merger_loop, &self.node.compactor] {
            worker.stop();
            match worker.ended().await {
                LoopEnd::Done | LoopEnd::Killed => {}
                LoopEnd::Panicked(text) => {
                    tracing::error!(worker = worker.name(), panic = %text, "a worker had panicked")
                }
            }
        }
        Ok(self.node.engine.close()?)
    }
}
