//! The content of all local and agreed tables, as an immutable value.
//!
//! These tables are small and read by every shard, so each node keeps them whole in memory and shares the image by `Arc`.
//! A change makes a new image that shares every partition it does not touch.
//! Deleted data is forgotten at once: the image is changed in one place, by writes whose times only grow, and what is
//! durable lives in the store, where tombstones follow their own rules.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use cql_mutation::{
    Begin, ClusteringKey, Mutation, Order, PartitionHead, PartitionUpdate, PartitionUpdateBuilder,
    Partitions, Progress, PurgePolicy, Purged, ReadCommand, ReadResult, Reconciler, RowBuf,
    RowCopies, Slices, SortedRows, purge,
};
use cql_schema::Table;
use cql_types::{PartitionKey, TableId, Token};
use system_tables::TableReader;
use system_tables::error::StoreFailure;
use system_tables::read::Partitions as StoredPartitions;

/// Typed access for the accessors of the system tables.
impl TableReader for LocalImage {
    /// Nothing in these tables is judged by the time of day: what has expired is removed by its writer.
    fn now(&self) -> i64 {
        0
    }

    fn partition(
        &self,
        table: &Table,
        key: &PartitionKey,
        _slices: &Slices,
    ) -> Result<Option<Cow<'_, PartitionUpdate>>, StoreFailure> {
        Ok(Self::partition(self, table.id, key).map(|update| Cow::Borrowed(&**update)))
    }

    fn partitions<'r>(&'r self, table: &Table) -> Result<StoredPartitions<'r>, StoreFailure> {
        let all = Self::partitions(self, table.id);
        Ok(Box::new(all.map(|(key, update)| {
            Ok((key.clone(), Cow::Borrowed(&**update)))
        })))
    }
}

/// The partitions of one table, in token order.
type Partition = (PartitionKey, Arc<PartitionUpdate>);
type TableImage = BTreeMap<(Token, Vec<u8>), Partition>;

/// All local and agreed tables at one moment.
#[derive(Debug, Clone, Default)]
pub struct LocalImage {
    tables: BTreeMap<TableId, Arc<TableImage>>,
}

impl LocalImage {
    /// The image with some changes.
    #[must_use]
    pub fn with(&self, mutations: &[Mutation]) -> Self {
        let mut image = self.clone();
        for mutation in mutations {
            image.apply(mutation);
        }
        image
    }

    /// Changes this image in place; tables that others share are copied first, partition by reference.
    pub fn apply(&mut self, mutation: &Mutation) {
        let table = Arc::make_mut(self.tables.entry(mutation.table).or_default());
        let at = (mutation.token, mutation.key.as_bytes().to_vec());
        let old = table
            .get(&at)
            .map(|(_, update)| PartitionUpdate::clone(update));
        let merged = match old {
            None => mutation.update.clone(),
            Some(old) => old.merge(mutation.update.clone()),
        };
        let live = forget_deleted(merged);
        if live.is_empty() {
            table.remove(&at);
        } else {
            table.insert(at, (mutation.key.clone(), Arc::new(live)));
        }
    }

    /// Adds the rows of an answer, as they were read from the store at boot.
    pub fn load(&mut self, table: TableId, answer: &ReadResult) {
        let mut open: Option<(PartitionKey, PartitionUpdateBuilder)> = None;
        for row in answer.iter() {
            let is_next = open
                .as_ref()
                .is_none_or(|(key, _)| key.as_bytes() != row.partition.key);
            if is_next {
                self.load_partition(table, open.take());
                let Some(key) = answer.partition_key(&row.partition) else {
                    continue;
                };
                let mut builder = PartitionUpdateBuilder::new();
                if let Some(statics) = row.partition.static_row {
                    builder.static_row(statics.to_buf());
                }
                open = Some((key, builder));
            }
            if let (Some((_, builder)), Some(clustering), Some(content)) =
                (&mut open, row.clustering, row.row)
            {
                builder.row(ClusteringKey::new(clustering), content.to_buf());
            }
        }
        self.load_partition(table, open);
    }

    fn load_partition(
        &mut self,
        table: TableId,
        partition: Option<(PartitionKey, PartitionUpdateBuilder)>,
    ) {
        if let Some((key, builder)) = partition {
            self.apply(&Mutation::new(table, key, builder.finish()));
        }
    }

    /// One partition.
    #[must_use]
    pub fn partition(&self, table: TableId, key: &PartitionKey) -> Option<&Arc<PartitionUpdate>> {
        let at = (key.token(), key.as_bytes().to_vec());
        Some(&self.tables.get(&table)?.get(&at)?.1)
    }

    /// All partitions of a table, in token order.
    pub fn partitions(
        &self,
        table: TableId,
    ) -> impl Iterator<Item = (&PartitionKey, &Arc<PartitionUpdate>)> {
        self.tables
            .get(&table)
            .into_iter()
            .flat_map(|table| table.values())
            .map(|(key, update)| (key, update))
    }

    /// Answers a read as a replica would.
    #[must_use]
    pub fn read(&self, command: &ReadCommand, table: &Table) -> ReadResult {
        let mut reconciler = Reconciler::new(command, table);
        match &command.partitions {
            Partitions::Keys(keys) => {
                let resume = command.resume.as_ref();
                let behind =
                    resume.and_then(|position| keys.iter().position(|key| *key == position.key));
                for key in keys.iter().skip(behind.unwrap_or(0)) {
                    let Some(update) = self.partition(command.table, key) else {
                        continue;
                    };
                    if read_partition(&mut reconciler, command, key, update) == Progress::Stop {
                        break;
                    }
                }
            }
            Partitions::Range { start, end } => {
                let resume = command
                    .resume
                    .as_ref()
                    .map(|position| (position.token, position.key.as_bytes()));
                for (key, update) in self.partitions(command.table) {
                    let token = key.token();
                    let behind = resume.is_none_or(|from| (token, key.as_bytes()) >= from);
                    if !behind || !within(token, start, end) {
                        continue;
                    }
                    if read_partition(&mut reconciler, command, key, update) == Progress::Stop {
                        break;
                    }
                }
            }
        }
        reconciler.finish()
    }
}

fn within(token: Token, start: &std::ops::Bound<Token>, end: &std::ops::Bound<Token>) -> bool {
    use std::ops::RangeBounds as _;
    (*start, *end).contains(&token)
}

fn read_partition(
    reconciler: &mut Reconciler<'_>,
    command: &ReadCommand,
    key: &PartitionKey,
    update: &PartitionUpdate,
) -> Progress {
    let head = PartitionHead {
        deletion: update.deletion,
        static_row: update.static_row.clone(),
        tombstones: update.tombstones.clone(),
    };
    if reconciler.begin_partition(key, key.token(), head) == Begin::Stop {
        return Progress::Stop;
    }
    let slices = reconciler.slices();
    let mut rows = RowCopies::default();
    let mut take = |(clustering, row): &(ClusteringKey, RowBuf)| {
        if slices.iter().any(|slice| slice.contains(clustering)) {
            rows.push(clustering.as_bytes(), row.as_ref());
        }
    };
    match command.order {
        Order::Forward => update.rows.iter().for_each(&mut take),
        Order::Reverse => update.rows.iter().rev().for_each(&mut take),
    }
    let mut sources = [SortedRows::<Infallible>::complete(rows)];
    loop {
        match reconciler.run(&mut sources, usize::MAX) {
            Ok(Progress::Budget) => {}
            Ok(done) => return done,
        }
    }
}

/// Drops every tombstone, and what it shadows.
fn forget_deleted(update: PartitionUpdate) -> PartitionUpdate {
    let everything = PurgePolicy {
        gc_before: i64::MAX,
        floor: i64::MAX,
        now: 0,
    };
    let live = |row: RowBuf| match purge(row.as_ref(), &everything) {
        Purged::Unchanged => Some(row),
        Purged::Changed(row) => Some(row),
        Purged::Nothing => None,
    };
    PartitionUpdate {
        static_row: update.static_row.and_then(live),
        rows: update
            .rows
            .into_iter()
            .filter_map(|(clustering, row)| Some((clustering, live(row)?)))
            .collect(),
        ..PartitionUpdate::default()
    }
}
