//! A simulated node with storage, and the table that the tests use.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use backend_memory::{MemoryDisk, MemoryFactory};
use cql_mutation::{
    CellRef, ClusteringKey, Deletion, Liveness, Mutation, PartitionUpdate, PartitionUpdateBuilder,
    Partitions, RangeTombstone, ReadCommand, ReadResult, RowBuilder, RowRef,
};
use cql_schema::{ColumnNumber, Table};
use cql_types::{
    BoundKind, ComponentOrder, CqlType, PartitionKey, Token, bound_bytes, encode_clustering,
    encode_clustering_prefix,
};
use node_env::files::Crash;
use node_env::spawn::SimSpawnOptions;
use node_env::{Env, Rng, SeededRng, SimMachine, TaskGroup};
use node_storage::{
    BrokenRules, LogOptions, Owner, ReadAnswer, ReplayReport, ShardStore, Space, SpaceOptions,
    SpaceRange, Storage, StorageError, StorageOptions, SyncMode, WriteBatch,
};

use crate::model::{Batch, Col, Seen, Write};

/// The space of the table.
pub(crate) const SPACE: Space = Space(1025);

/// A machine that lives through several runs of a node.
pub(crate) struct World {
    pub(crate) machine: SimMachine,
    pub(crate) disk: MemoryDisk,
    pub(crate) rng: SeededRng,
    pub(crate) broken: BrokenRules,
    pub(crate) sync: SyncMode,
    pub(crate) gc_grace_s: u32,
    pub(crate) memtable_bytes: u64,
    pub(crate) table: Arc<Table>,
}

/// One run of the node.
pub(crate) struct Life {
    pub(crate) env: Env,
    pub(crate) storage: Storage,
    pub(crate) local: ShardStore,
    pub(crate) shards: Vec<ShardStore>,
    pub(crate) report: ReplayReport,
    pub(crate) table: Arc<Table>,
    _tasks: TaskGroup,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        Self::with_compactions_in(seed, Duration::from_micros(20)..Duration::from_micros(900))
    }

    /// A world in which each turn of the compactor waits for so long.
    pub(crate) fn with_compactions_in(seed: u64, background: Range<Duration>) -> Self {
        let spawn = SimSpawnOptions {
            foreground: Duration::from_micros(20)..Duration::from_micros(500),
            background,
            ..SimSpawnOptions::default()
        };
        Self {
            machine: SimMachine::new(seed, spawn),
            disk: MemoryDisk::new(),
            rng: SeededRng::new(seed).fork("test"),
            broken: BrokenRules::NONE,
            sync: SyncMode::Batch,
            gc_grace_s: 864_000,
            memtable_bytes: 64 << 10,
            table: table(),
        }
    }

    pub(crate) fn options(&self, shards: u32) -> StorageOptions {
        StorageOptions {
            memtable_bytes: self.memtable_bytes,
            log: LogOptions {
                segment_bytes: 16 << 10,
                first_segment_bytes: 8 << 10,
                spares: 2,
                sync: self.sync,
            },
            ..StorageOptions::new("/node", shards)
        }
    }

    pub(crate) async fn boot(&mut self, shards: u32) -> Result<Life, StorageError> {
        let options = self.options(shards);
        self.boot_with(options).await
    }

    pub(crate) async fn boot_with(
        &mut self,
        options: StorageOptions,
    ) -> Result<Life, StorageError> {
        let shards = options.shards;
        let env = self.machine.boot();
        let factory = MemoryFactory::new(self.disk.clone());
        let storage = Storage::open_broken(&env, options, &factory, self.broken)?;
        storage.set_space_options([(
            SPACE,
            SpaceOptions {
                gc_grace_s: self.gc_grace_s,
            },
        )]);
        let tasks = TaskGroup::new("storage");
        let (local, _) = storage.open_local().await?;
        tasks.spawn("local", local.run()).unwrap();
        let owner = |_, token| Owner::Shard(shard_of(token, shards));
        let (replayed, report) = storage.replay(&owner).await?;
        let mut stores = Vec::new();
        for (number, replayed) in (0..).zip(replayed) {
            let store = storage.open_shard(number, replayed)?;
            tasks.spawn(format!("shard {number}"), store.run()).unwrap();
            stores.push(store);
        }
        Ok(Life {
            env,
            storage,
            local,
            shards: stores,
            report,
            table: Arc::clone(&self.table),
            _tasks: tasks,
        })
    }

    /// The power goes: the node's tasks stop where they are.
    pub(crate) fn cut_power(&mut self, life: Option<Life>) {
        drop(life);
        let seed = self.rng.next_u64();
        self.machine.crash(Crash::Power { seed });
        self.disk.crash(seed ^ 1);
    }
}

impl Life {
    pub(crate) fn owner(&self, pk: i32) -> usize {
        shard_of(key(pk).token(), self.shards.len() as u32) as usize
    }

    /// The token ranges of a shard.
    pub(crate) fn places(&self, shard: usize) -> Vec<SpaceRange> {
        let shards = self.shards.len() as u32;
        let first = |shard: u64| ((u128::from(shard) << 64).div_ceil(u128::from(shards))) as u64;
        let last = match shard as u32 + 1 == shards {
            true => u64::MAX,
            false => first(shard as u64 + 1) - 1,
        };
        let (first, last) = (
            Token::from_unsigned(first(shard as u64)),
            Token::from_unsigned(last),
        );
        vec![SpaceRange {
            space: SPACE,
            first,
            last,
        }]
    }

    pub(crate) async fn read(
        &self,
        shard: usize,
        command: &ReadCommand,
    ) -> Result<ReadAnswer, StorageError> {
        self.shards[shard]
            .read(&self.table, command, &self.places(shard))
            .await
    }

    /// A whole partition.
    pub(crate) async fn partition(&self, pk: i32) -> Result<(Seen, ReadAnswer), StorageError> {
        let command = ReadCommand::all_of(&self.table, Partitions::Keys(vec![key(pk)]), 0);
        let answer = self.read(self.owner(pk), &command).await?;
        let mut all = seen(&answer.result);
        Ok((all.remove(&pk).unwrap_or_default(), answer))
    }

    /// All shards, one after the other: the whole table in token order.
    pub(crate) async fn scan(&self) -> Result<BTreeMap<i32, Seen>, StorageError> {
        use std::ops::Bound::Unbounded;
        let mut all = BTreeMap::new();
        for shard in 0..self.shards.len() {
            let range = Partitions::Range {
                start: Unbounded,
                end: Unbounded,
            };
            let command = ReadCommand::all_of(&self.table, range, 0);
            let answer = self.read(shard, &command).await?;
            assert_eq!(answer.result.more, None);
            all.extend(seen(&answer.result));
        }
        Ok(all)
    }
}

pub(crate) fn shard_of(token: Token, shards: u32) -> u32 {
    token.shard(shards, 0)
}

pub(crate) fn table() -> Arc<Table> {
    let table = Table::builder("ks", "t")
        .partition_key("pk", CqlType::Int)
        .clustering("ck", CqlType::Int, ComponentOrder::Asc)
        .static_column("s", CqlType::Text)
        .regular("v", CqlType::Text)
        .regular("w", CqlType::Text)
        .build()
        .unwrap();
    Arc::new(table)
}

const S: ColumnNumber = ColumnNumber(0);

pub(crate) fn number(col: Col) -> ColumnNumber {
    match col {
        Col::V => ColumnNumber(1),
        Col::W => ColumnNumber(2),
    }
}

pub(crate) fn key(pk: i32) -> PartitionKey {
    PartitionKey::from_components(&[&pk.to_be_bytes()]).unwrap()
}

pub(crate) fn clustering(ck: i32) -> Vec<u8> {
    let mut out = Vec::new();
    encode_clustering(
        &[(CqlType::Int, ComponentOrder::Asc)],
        &[&ck.to_be_bytes()],
        &mut out,
    )
    .unwrap();
    out
}

/// The position before or after a clustering key.
pub(crate) fn bound(ck: i32, kind: BoundKind) -> Vec<u8> {
    let mut prefix = Vec::new();
    encode_clustering_prefix(
        &[(CqlType::Int, ComponentOrder::Asc)],
        &[&ck.to_be_bytes()],
        &mut prefix,
    )
    .unwrap();
    bound_bytes(&prefix, kind)
}

/// A batch of the model as the storage takes it.
pub(crate) fn write_batch(table: &Table, batch: &Batch, deleted_at: i64) -> WriteBatch {
    let time = batch.time;
    let deletion = Deletion {
        timestamp: time,
        deleted_at,
    };
    let mut mutations: Vec<(Space, Mutation)> = Vec::new();
    for (pk, write) in &batch.writes {
        let update = update(write, time, deletion);
        mutations.push((SPACE, Mutation::new(table.id, key(*pk), update)));
    }
    WriteBatch {
        mutations,
        assigned: Some(time),
    }
}

fn update(write: &Write, time: i64, deletion: Deletion) -> PartitionUpdate {
    let mut update = PartitionUpdateBuilder::new();
    let mut row = RowBuilder::new();
    match write {
        Write::Insert { ck, cells } | Write::Update { ck, cells } => {
            if matches!(write, Write::Insert { .. }) {
                row.liveness(Liveness::lasting(time));
            }
            for (col, value) in cells {
                match value {
                    Some(text) => row.cell(number(*col), CellRef::live(time, text.as_bytes())),
                    None => row.tombstone(number(*col), time, deletion.deleted_at),
                };
            }
            update.row(ClusteringKey::new(&clustering(*ck)), row.take());
        }
        Write::Static { value } => {
            match value {
                Some(text) => row.set(S, time, text.as_bytes()),
                None => row.tombstone(S, time, deletion.deleted_at),
            };
            update.static_row(row.take());
        }
        Write::DeleteRow { ck } => {
            row.delete_row(deletion);
            update.row(ClusteringKey::new(&clustering(*ck)), row.take());
        }
        Write::DeleteRange { from, to } => {
            update.delete_range(RangeTombstone {
                start: bound(*from, BoundKind::StartInclusive),
                end: bound(*to, BoundKind::EndInclusive),
                deletion,
            });
        }
        Write::DeletePartition => {
            update.delete_partition(deletion);
        }
    }
    update.finish()
}

/// An answer as the model speaks.
pub(crate) fn seen(result: &ReadResult) -> BTreeMap<i32, Seen> {
    let text = |row: RowRef<'_>, number| {
        let (_, column) = row.cells().find(|(found, _)| *found == number)?;
        match column {
            cql_mutation::ColumnRef::Simple(cell) => {
                let value = cell.live_value(0)?;
                Some(String::from_utf8(value.to_vec()).unwrap())
            }
            cql_mutation::ColumnRef::Complex(_) => None,
        }
    };
    let mut all: BTreeMap<i32, Seen> = BTreeMap::new();
    for row in result.iter() {
        let pk = i32::from_be_bytes(row.partition.key.try_into().unwrap());
        let partition = all.entry(pk).or_default();
        partition.fixed = row.partition.static_row.and_then(|row| text(row, S));
        if let (Some(ck), Some(row)) = (row.clustering, row.row) {
            let types = [(CqlType::Int, ComponentOrder::Asc)];
            let ck = cql_types::decode_clustering(&types, ck).unwrap().remove(0);
            let ck = i32::from_be_bytes(ck.try_into().unwrap());
            let cells = (text(row, number(Col::V)), text(row, number(Col::W)));
            assert_eq!(partition.rows.insert(ck, cells), None, "a row came twice");
        }
    }
    all.retain(|_, seen| !seen.is_empty());
    all
}
