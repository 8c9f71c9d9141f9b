//! Prepared statements and the cache that all connections of the node share.

use std::sync::Arc;

use cql_plan::{Prepared, ResultColumn};
use cql_protocol::{ColumnSpec, ColumnsMetadata};
use cql_types::Uuid;
use md5::{Digest as _, Md5};
use moka::sync::Cache;
use node_cluster::ClusterState;

/// What a client uses to name a prepared statement.
pub(crate) type StatementId = [u8; 16];

/// A statement that was parsed and planned, with its metadata in the form in which it is sent.
#[derive(Debug)]
pub(crate) struct Statement {
    /// The text it was made from.
    pub(crate) text: Arc<str>,
    /// The plan.
    pub(crate) prepared: Prepared,
    /// The markers.
    pub(crate) variables: ColumnsMetadata,
    /// The columns of the result, if it has one.
    pub(crate) result: Option<ColumnsMetadata>,
    /// The schema it was planned against.
    schema: Uuid,
}

impl Statement {
    /// Makes a statement of a plan.
    pub(crate) fn new(text: &str, prepared: Prepared, schema: Uuid) -> Self {
        let variables: Vec<ColumnSpec<'_>> = prepared
            .variables
            .iter()
            .map(|variable| ColumnSpec {
                keyspace: &variable.keyspace,
                table: &variable.table,
                name: &variable.name,
                ty: &variable.ty,
            })
            .collect();
        let variables = ColumnsMetadata::new(&variables);
        let result = prepared.columns.as_deref().map(result_metadata);
        Self {
            text: Arc::from(text),
            prepared,
            variables,
            result,
            schema,
        }
    }

    /// Whether the tables it was planned against are still the same.
    pub(crate) fn is_current(&self, state: &ClusterState) -> bool {
        self.schema == state.schema.version()
            || self.prepared.tables.iter().all(|(id, version)| {
                state
                    .schema
                    .table_by_id(*id)
                    .is_some_and(|table| table.version == *version)
            })
    }
}

fn result_metadata(columns: &[ResultColumn]) -> ColumnsMetadata {
    let columns: Vec<ColumnSpec<'_>> = columns
        .iter()
        .map(|column| ColumnSpec {
            keyspace: &column.keyspace,
            table: &column.table,
            name: &column.name,
            ty: &column.ty,
        })
        .collect();
    ColumnsMetadata::new(&columns)
}

/// The id of a statement: the same on every node, so that a client may use it anywhere.
pub(crate) fn statement_id(keyspace: Option<&str>, text: &str) -> StatementId {
    let mut hash = Md5::new();
    hash.update(keyspace.unwrap_or_default());
    hash.update(text);
    hash.finalize().into()
}

/// Statements by id, the least used of them forgotten when they take too much memory.
#[derive(Clone, Debug)]
pub struct StatementCache {
    statements: Cache<StatementId, Arc<Statement>>,
}

impl StatementCache {
    /// A cache that holds about `bytes` of statements.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        // A plan takes a few times its text.
        let weigh = |_: &StatementId, statement: &Arc<Statement>| {
            u32::try_from(statement.text.len() * 8 + 2_048).unwrap_or(u32::MAX)
        };
        Self {
            statements: Cache::builder().max_capacity(bytes).weigher(weigh).build(),
        }
    }

    pub(crate) fn get(&self, id: &StatementId) -> Option<Arc<Statement>> {
        self.statements.get(id)
    }

    pub(crate) fn insert(&self, id: StatementId, statement: Arc<Statement>) {
        self.statements.insert(id, statement);
    }

    pub(crate) fn remove(&self, id: &StatementId) {
        self.statements.invalidate(id);
    }

    /// How many statements it holds, about.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.statements.entry_count()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
