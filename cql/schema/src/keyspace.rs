//! A keyspace: a namespace with a replication rule.

use std::collections::BTreeMap;
use std::sync::Arc;

use cql_types::UdtType;

use crate::replication::Replication;
use crate::table::Table;

/// Tables and types under one name and one replication rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Keyspace {
    /// Name, exact (not quoted).
    pub name: Arc<str>,
    /// Who made it, which decides who may change it.
    pub kind: KeyspaceKind,
    /// Which nodes hold its rows.
    pub replication: Replication,
    /// Stored and shown; the commit log is written either way.
    pub durable_writes: bool,
    /// Whether tables are cut into tablets; `None` if the statement said nothing.
    pub tablets: Option<Tablets>,
    /// Tables by name.
    pub tables: BTreeMap<Arc<str>, Arc<Table>>,
    /// User types by name.
    pub types: BTreeMap<Arc<str>, Arc<UdtType>>,
}

/// Who made a keyspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyspaceKind {
    /// The node's own tables; users may only read them.
    System,
    /// Rows made at read time from the node's state; no storage.
    Virtual,
    /// Made by a user with CREATE KEYSPACE.
    User,
}

/// The `tablets` option of a keyspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tablets {
    /// Whether tables of this keyspace are cut into tablets.
    pub enabled: bool,
    /// How many tablets a new table starts with; `None` lets the balancer choose.
    pub initial: Option<u32>,
}

impl Keyspace {
    /// An empty keyspace of that kind with `durable_writes` on.
    #[must_use]
    pub fn new(name: &str, kind: KeyspaceKind, replication: Replication) -> Self {
        Self {
            name: Arc::from(name),
            kind,
            replication,
            durable_writes: true,
            tablets: None,
            tables: BTreeMap::new(),
            types: BTreeMap::new(),
        }
    }

    /// This keyspace with `table` put in, or put in the place of the one with its name.
    #[must_use]
    pub fn with_table(mut self, table: impl Into<Arc<Table>>) -> Self {
        let table = table.into();
        self.tables.insert(Arc::clone(&table.name), table);
        self
    }

    /// This keyspace with the user type put in, or put in the place of the one with its name.
    #[must_use]
    pub fn with_type(mut self, def: impl Into<Arc<UdtType>>) -> Self {
        let def = def.into();
        self.types.insert(Arc::clone(&def.name), def);
        self
    }
}
