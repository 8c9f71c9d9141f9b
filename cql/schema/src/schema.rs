//! The whole schema as one value.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use cql_types::{TableId, UdtType, Uuid};

use crate::keyspace::Keyspace;
use crate::table::Table;

/// All keyspaces of a cluster, as of one schema version.
///
/// Immutable and cheap to clone; a change makes a new one that shares what did not change.
#[derive(Clone)]
pub struct Schema {
    inner: Arc<Inner>,
}

struct Inner {
    keyspaces: BTreeMap<Arc<str>, Arc<Keyspace>>,
    by_id: BTreeMap<TableId, Arc<Table>>,
    version: Uuid,
}

impl Schema {
    /// A schema without any keyspace.
    #[must_use]
    pub fn empty(version: Uuid) -> Self {
        Self::from_parts(Vec::new(), version)
    }

    /// Puts keyspaces together, as read back from their stored rows.
    ///
    /// Of two keyspaces with one name, and of two tables with one id, the later wins.
    #[must_use]
    pub fn from_parts(keyspaces: Vec<Keyspace>, version: Uuid) -> Self {
        let keyspaces = keyspaces
            .into_iter()
            .map(|ks| (Arc::clone(&ks.name), Arc::new(ks)))
            .collect();
        Self::from_map(keyspaces, version)
    }

    fn from_map(keyspaces: BTreeMap<Arc<str>, Arc<Keyspace>>, version: Uuid) -> Self {
        let by_id = keyspaces
            .values()
            .flat_map(|ks| ks.tables.values())
            .map(|table| (table.id, Arc::clone(table)))
            .collect();
        Self {
            inner: Arc::new(Inner {
                keyspaces,
                by_id,
                version,
            }),
        }
    }

    /// The version all nodes compare to see whether they agree.
    #[must_use]
    pub fn version(&self) -> Uuid {
        self.inner.version
    }

    /// All keyspaces, by name.
    pub fn keyspaces(&self) -> impl ExactSizeIterator<Item = &Arc<Keyspace>> {
        self.inner.keyspaces.values()
    }

    /// All tables, by id.
    pub fn tables(&self) -> impl ExactSizeIterator<Item = &Arc<Table>> {
        self.inner.by_id.values()
    }

    /// The keyspace of that exact name.
    #[must_use]
    pub fn keyspace(&self, name: &str) -> Option<&Arc<Keyspace>> {
        self.inner.keyspaces.get(name)
    }

    /// The table of that exact name.
    #[must_use]
    pub fn table(&self, keyspace: &str, name: &str) -> Option<&Arc<Table>> {
        self.keyspace(keyspace)?.tables.get(name)
    }

    /// The table with that id.
    #[must_use]
    pub fn table_by_id(&self, id: TableId) -> Option<&Arc<Table>> {
        self.inner.by_id.get(&id)
    }

    /// The user type of that exact name.
    #[must_use]
    pub fn user_type(&self, keyspace: &str, name: &str) -> Option<&Arc<UdtType>> {
        self.keyspace(keyspace)?.types.get(name)
    }

    /// This schema with `keyspace` put in, or put in the place of the one with its name.
    #[must_use]
    pub fn with_keyspace(&self, keyspace: impl Into<Arc<Keyspace>>, version: Uuid) -> Self {
        let keyspace = keyspace.into();
        let mut keyspaces = self.inner.keyspaces.clone();
        keyspaces.insert(Arc::clone(&keyspace.name), keyspace);
        Self::from_map(keyspaces, version)
    }

    /// This schema without the keyspace of that name.
    #[must_use]
    pub fn without_keyspace(&self, name: &str, version: Uuid) -> Self {
        let mut keyspaces = self.inner.keyspaces.clone();
        keyspaces.remove(name);
        Self::from_map(keyspaces, version)
    }
}

/// Names only: a schema may hold thousands of tables.
impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema")
            .field("version", &self.inner.version)
            .field("keyspaces", &self.inner.keyspaces.keys())
            .field("tables", &self.inner.by_id.len())
            .finish()
    }
}
