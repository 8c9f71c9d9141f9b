//! Tables written by hand, for system tables and tests.

use std::sync::Arc;

use cql_types::{ComponentOrder, CqlType, TableId, Uuid, table_id_for};

use crate::options::TableOptions;
use crate::table::{Column, ColumnKind, ColumnNumber, Table, TableParts, TablePartsError};

/// Makes a [`Table`] column by column.
///
/// Key columns get their positions, static and regular columns their numbers in the order in which
/// they are named, so a new column belongs at the end.
/// Without [`TableBuilder::id`] the id is the name-based one of system tables.
#[derive(Debug, Clone)]
pub struct TableBuilder {
    parts: TableParts,
}

impl Table {
    /// Begins a table without columns.
    #[must_use]
    pub fn builder(keyspace: &str, name: &str) -> TableBuilder {
        let id = table_id_for(keyspace, name);
        TableBuilder {
            parts: TableParts {
                id: TableId(id),
                keyspace: Arc::from(keyspace),
                name: Arc::from(name),
                version: id,
                columns: Vec::new(),
                next_column: 0,
                dropped: Vec::new(),
                options: TableOptions::default(),
            },
        }
    }
}

impl TableBuilder {
    /// Sets the id.
    #[must_use]
    pub fn id(mut self, id: TableId) -> Self {
        self.parts.id = id;
        self
    }

    /// Sets the version.
    #[must_use]
    pub fn version(mut self, version: Uuid) -> Self {
        self.parts.version = version;
        self
    }

    /// Sets the options.
    #[must_use]
    pub fn options(mut self, options: TableOptions) -> Self {
        self.parts.options = options;
        self
    }

    /// Adds the next column of the partition key.
    #[must_use]
    pub fn partition_key(self, name: &str, ty: CqlType) -> Self {
        self.column(name, ty, ColumnKind::PartitionKey, ComponentOrder::Asc)
    }

    /// Adds the next column of the clustering key.
    #[must_use]
    pub fn clustering(self, name: &str, ty: CqlType, order: ComponentOrder) -> Self {
        self.column(name, ty, ColumnKind::Clustering, order)
    }

    /// Adds a static column.
    #[must_use]
    pub fn static_column(self, name: &str, ty: CqlType) -> Self {
        self.column(name, ty, ColumnKind::Static, ComponentOrder::Asc)
    }

    /// Adds a regular column.
    #[must_use]
    pub fn regular(self, name: &str, ty: CqlType) -> Self {
        self.column(name, ty, ColumnKind::Regular, ComponentOrder::Asc)
    }

    /// Checks the columns.
    ///
    /// # Errors
    /// As [`Table::from_parts`].
    pub fn build(self) -> Result<Table, TablePartsError> {
        Table::from_parts(self.parts)
    }

    fn column(mut self, name: &str, ty: CqlType, kind: ColumnKind, order: ComponentOrder) -> Self {
        let (position, number) = match kind {
            ColumnKind::PartitionKey | ColumnKind::Clustering => {
                let before = self
                    .parts
                    .columns
                    .iter()
                    .filter(|column| column.kind == kind)
                    .count();
                (u16::try_from(before).unwrap_or(u16::MAX), ColumnNumber::KEY)
            }
            ColumnKind::Static | ColumnKind::Regular => {
                let number = self.parts.next_column;
                self.parts.next_column = number.saturating_add(1);
                (0, ColumnNumber(number))
            }
        };
        self.parts.columns.push(Column {
            name: Arc::from(name),
            ty,
            kind,
            number,
            position,
            order,
        });
        self
    }
}
