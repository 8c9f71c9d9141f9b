//! Applies a change to a schema: every rule of DDL, and nothing but rules.
//!
//! Each statement has its function here or in a file beside this one; it reads the schema, refuses or
//! builds the new object, and hands it to [`Work`], which makes the next schema and the delta.

mod alter_table;
mod keyspace;
mod replication;
mod table;
mod user_type;

use std::sync::Arc;

use cql_types::{TableId, UdtType, Uuid};

use crate::change::Change;
use crate::delta::{ChangeKind, ChangeTarget, Delta, Diff, SchemaChange};
use crate::error::SchemaError;
use crate::keyspace::{Keyspace, KeyspaceKind};
use crate::schema::Schema;
use crate::table::{Table, TablePartsError};

/// What the proposer of a change adds to it: everything that is not in the statement or the schema.
pub trait Proposer {
    /// A fresh table id.
    fn table_id(&mut self) -> TableId;

    /// The version of the next schema, also given to the tables that change; asked for once a change.
    fn version(&mut self) -> Uuid;

    /// Write time of the change, µs since the epoch.
    fn write_time(&self) -> i64;

    /// Names of the data centers that have nodes; a `replication_factor` of `NetworkTopologyStrategy`
    /// means these.
    fn data_centers(&self) -> Vec<Arc<str>>;
}

/// Checks `change` against `schema` and says what becomes of it.
///
/// Pure: the same change, schema and answers of the proposer give the same delta.
/// The delta is empty if IF EXISTS or IF NOT EXISTS made it so.
///
/// # Errors
/// Says which rule the change breaks, as the client shall read it.
pub fn apply(
    change: &Change,
    schema: &Schema,
    proposer: &mut dyn Proposer,
) -> Result<Delta, SchemaError> {
    let mut work = Work { schema, proposer };
    match change {
        Change::CreateKeyspace(create) => keyspace::create(create, &mut work),
        Change::AlterKeyspace(alter) => keyspace::alter(alter, &mut work),
        Change::DropKeyspace(drop) => keyspace::drop_keyspace(drop, &mut work),
        Change::CreateTable(create) => table::create(create, &mut work),
        Change::AlterTable(alter) => alter_table::alter(alter, &mut work),
        Change::DropTable(drop) => table::drop_table(drop, &mut work),
        Change::CreateType(create) => user_type::create(create, &mut work),
        Change::AlterType(alter) => user_type::alter(alter, &mut work),
        Change::DropType(drop) => user_type::drop_type(drop, &mut work),
    }
}

/// A change in the making.
struct Work<'a> {
    schema: &'a Schema,
    proposer: &'a mut dyn Proposer,
}

impl Work<'_> {
    fn nothing(&self) -> Delta {
        Delta::nothing(self.schema)
    }

    /// The keyspace of that name, which a user may change.
    fn keyspace(&self, name: &str) -> Result<&Arc<Keyspace>, SchemaError> {
        let Some(keyspace) = self.schema.keyspace(name) else {
            let users = self
                .schema
                .keyspaces()
                .filter(|keyspace| keyspace.kind == KeyspaceKind::User);
            return Err(
                SchemaError::invalid(format!("Keyspace '{name}' doesn't exist"))
                    .at(name)
                    .did_you_mean(name, users.map(|keyspace| &*keyspace.name)),
            );
        };
        match keyspace.kind {
            KeyspaceKind::User => Ok(keyspace),
            KeyspaceKind::System | KeyspaceKind::Virtual => Err(SchemaError::unauthorized(
                format!("{name} keyspace is not user-modifiable."),
            )
            .at(name)),
        }
    }

    /// The keyspace of that name; `None` if the statement says that it may be missing.
    fn keyspace_if(
        &self,
        name: &str,
        if_exists: bool,
    ) -> Result<Option<&Arc<Keyspace>>, SchemaError> {
        match self.schema.keyspace(name) {
            None if if_exists => Ok(None),
            None | Some(_) => self.keyspace(name).map(Some),
        }
    }

    /// A delta in which `keyspace` takes the place of the one with its name.
    fn replace(&self, keyspace: Keyspace, version: Uuid) -> Delta {
        Delta {
            schema: self.schema.with_keyspace(keyspace, version),
            ..self.nothing()
        }
    }

    /// A delta in which one keyspace is new or its own properties changed.
    fn put_keyspace(&self, keyspace: Keyspace, version: Uuid) -> Delta {
        let after = Arc::new(keyspace);
        let mut delta = self.nothing();
        delta.schema = self.schema.with_keyspace(Arc::clone(&after), version);
        let kind = match self.schema.keyspace(&after.name) {
            Some(before) => {
                delta.keyspaces.push(Diff::Updated {
                    before: Arc::clone(before),
                    after: Arc::clone(&after),
                });
                ChangeKind::Updated
            }
            None => {
                delta.keyspaces.push(Diff::Created(Arc::clone(&after)));
                ChangeKind::Created
            }
        };
        delta
            .events
            .push(event(kind, ChangeTarget::Keyspace, &after.name, None));
        delta
    }

    /// A delta in which one table of `keyspace` is new or changed.
    fn put_table(&self, keyspace: &Keyspace, table: Table) -> Delta {
        let after = Arc::new(table);
        let before = keyspace.tables.get(&after.name).map(Arc::clone);
        let next = keyspace.clone().with_table(Arc::clone(&after));
        let mut delta = self.replace(next, after.version);
        let (kind, diff) = match before {
            Some(before) => (
                ChangeKind::Updated,
                Diff::Updated {
                    before,
                    after: Arc::clone(&after),
                },
            ),
            None => (ChangeKind::Created, Diff::Created(Arc::clone(&after))),
        };
        delta.tables.push(diff);
        delta.events.push(event(
            kind,
            ChangeTarget::Table,
            &after.keyspace,
            Some(&after.name),
        ));
        delta
    }

    /// The event of a type.
    fn type_event(delta: &mut Delta, kind: ChangeKind, def: &UdtType) {
        delta.events.push(event(
            kind,
            ChangeTarget::Type,
            &def.keyspace,
            Some(&def.name),
        ));
    }
}

fn event(
    change: ChangeKind,
    target: ChangeTarget,
    keyspace: &Arc<str>,
    name: Option<&Arc<str>>,
) -> SchemaChange {
    SchemaChange {
        change,
        target,
        keyspace: Arc::clone(keyspace),
        name: name.map(Arc::clone),
    }
}

/// The rules above [`Table::from_parts`] leave nothing for it to refuse; what it still refuses is told.
fn table_refused(error: &TablePartsError) -> SchemaError {
    SchemaError::invalid(error.to_string())
}
