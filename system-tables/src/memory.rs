//! System tables in memory: what a test writes to, and what an immutable view of small tables can be made of.

use std::borrow::Cow;
use std::collections::BTreeMap;

use cql_mutation::{Mutation, PartitionUpdate, Slices};
use cql_types::{PartitionKey, TableId, Token};

use crate::change::Change;
use crate::error::{StoreFailure, TableError};
use crate::home::Home;
use crate::read::{Partitions, TableReader};

/// Merged partitions of any tables, ordered by table and token.
///
/// Nothing is ever purged: tombstones stay.
#[derive(Clone, Debug, Default)]
pub struct MemoryTables {
    partitions: BTreeMap<(TableId, Token, PartitionKey), PartitionUpdate>,
    now: i64,
}

impl MemoryTables {
    /// Empty tables, read as of second 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads as of this second from now on.
    pub fn set_now(&mut self, now: i64) {
        self.now = now;
    }

    /// Merges a change into the tables.
    ///
    /// # Errors
    /// The mistake that the change carries; nothing was merged then.
    pub fn apply<H: Home>(&mut self, change: Change<H>) -> Result<(), TableError> {
        change
            .into_mutations()?
            .into_iter()
            .for_each(|mutation| self.merge(mutation));
        Ok(())
    }

    /// Merges a mutation into the tables.
    pub fn merge(&mut self, mutation: Mutation) {
        let Mutation {
            table,
            key,
            token,
            update,
        } = mutation;
        let partition = self.partitions.entry((table, token, key)).or_default();
        *partition = std::mem::take(partition).merge(update);
    }
}

impl TableReader for MemoryTables {
    fn now(&self) -> i64 {
        self.now
    }

    fn partition(
        &self,
        table: &cql_schema::Table,
        key: &PartitionKey,
        _slices: &Slices,
    ) -> Result<Option<Cow<'_, PartitionUpdate>>, StoreFailure> {
        let place = (table.id, key.token(), key.clone());
        Ok(self.partitions.get(&place).map(Cow::Borrowed))
    }

    fn partitions<'r>(&'r self, table: &cql_schema::Table) -> Result<Partitions<'r>, StoreFailure> {
        let id = table.id;
        let all = self
            .partitions
            .iter()
            .filter(move |((table, _, _), _)| *table == id);
        Ok(Box::new(all.map(|((_, _, key), update)| {
            Ok((key.clone(), Cow::Borrowed(update)))
        })))
    }
}
