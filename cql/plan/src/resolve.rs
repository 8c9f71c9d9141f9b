//! Names: from what a statement says to what the schema knows.

use std::sync::Arc;

use cql_schema::{Column, Keyspace, KeyspaceKind, Schema, Table};
use cql_syntax::{Name, QualifiedName};

use crate::error::{PlanError, PlanErrorKind};

/// The schema a statement is planned against, and the session's keyspace.
pub(crate) struct Scope<'a> {
    /// The schema.
    pub(crate) schema: &'a Schema,
    /// The keyspace set by USE.
    pub(crate) keyspace: Option<&'a str>,
}

impl<'a> Scope<'a> {
    /// The keyspace that a name means.
    pub(crate) fn keyspace_of(&self, name: &QualifiedName) -> Result<String, PlanError> {
        match (&name.keyspace, self.keyspace) {
            (Some(keyspace), _) => Ok(keyspace.as_str().to_owned()),
            (None, Some(keyspace)) => Ok(keyspace.to_owned()),
            (None, None) => Err(PlanError::invalid(
                "No keyspace has been specified. USE a keyspace, or explicitly specify keyspace.tablename",
            )
            .at(name.span())),
        }
    }

    /// The table that a name means, with its keyspace.
    pub(crate) fn table(
        &self,
        name: &QualifiedName,
    ) -> Result<(&'a Arc<Keyspace>, &'a Arc<Table>), PlanError> {
        let keyspace_name = self.keyspace_of(name)?;
        let Some(keyspace) = self.schema.keyspace(&keyspace_name) else {
            let known = self.schema.keyspaces().map(|keyspace| &*keyspace.name);
            return Err(
                PlanError::invalid(format!("Keyspace {keyspace_name} does not exist"))
                    .at(name.span())
                    .did_you_mean(&keyspace_name, known),
            );
        };
        match keyspace.tables.get(name.name.as_str()) {
            Some(table) => Ok((keyspace, table)),
            None => Err(
                PlanError::invalid(format!("unconfigured table {}", name.name.as_str()))
                    .at(name.name.span)
                    .did_you_mean(
                        name.name.as_str(),
                        keyspace.tables.keys().map(|name| &**name),
                    ),
            ),
        }
    }

    /// The table that a statement writes to: not one of the node's own.
    pub(crate) fn writable(&self, name: &QualifiedName) -> Result<&'a Arc<Table>, PlanError> {
        let (keyspace, table) = self.table(name)?;
        match keyspace.kind {
            KeyspaceKind::User => Ok(table),
            KeyspaceKind::System | KeyspaceKind::Virtual => Err(PlanError::invalid(format!(
                "{}.{} belongs to the node and is not user-modifiable",
                table.keyspace, table.name
            ))
            .kind(PlanErrorKind::Unauthorized)
            .at(name.span())),
        }
    }
}

/// The column that a name means.
pub(crate) fn column<'t>(table: &'t Table, name: &Name) -> Result<&'t Column, PlanError> {
    table.column(name.as_str()).ok_or_else(|| {
        PlanError::invalid(format!(
            "Undefined column name {} in table {}.{}",
            name.as_str(),
            table.keyspace,
            table.name
        ))
        .at(name.span)
        .did_you_mean(
            name.as_str(),
            table.columns().iter().map(|column| &*column.name),
        )
    })
}
