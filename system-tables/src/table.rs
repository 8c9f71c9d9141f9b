//! A system table as a value: what the generated code calls.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use cql_types::TableId;

use crate::declaration::TableDeclaration;
use crate::home::{Home, HomeKind};

/// A system table whose home is `H`.
///
/// The schema object is built on first use and never changes; it is the same on every node and in every run, so
/// that the statics which hold tables hold no state.
pub struct Table<H> {
    declaration: TableDeclaration,
    schema: OnceLock<Arc<cql_schema::Table>>,
    home: PhantomData<H>,
}

impl<H: Home> Table<H> {
    /// The table that the generated code declares.
    #[must_use]
    pub const fn new(declaration: TableDeclaration) -> Self {
        Self {
            declaration,
            schema: OnceLock::new(),
            home: PhantomData,
        }
    }

    /// The schema object.
    ///
    /// # Panics
    /// If the generated code is wrong, which a test of this crate excludes.
    pub fn schema(&self) -> &Arc<cql_schema::Table> {
        self.schema.get_or_init(|| match self.declaration.build() {
            Ok(table) => Arc::new(table),
            Err(error) => panic!(
                "{}.{}: {error}",
                self.declaration.keyspace, self.declaration.name
            ),
        })
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> TableId {
        TableId(self.declaration.id)
    }

    /// What the generated code says of it.
    #[must_use]
    pub const fn declaration(&self) -> &TableDeclaration {
        &self.declaration
    }
}

impl<H: Home> fmt::Debug for Table<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{} ({})",
            self.declaration.keyspace,
            self.declaration.name,
            H::KIND
        )
    }
}

/// A system table of whatever home.
pub trait AnyTable: fmt::Debug + Send + Sync {
    /// The schema object.
    fn schema(&self) -> &Arc<cql_schema::Table>;

    /// Where it lives.
    fn home(&self) -> HomeKind;

    /// What the generated code says of it.
    fn declaration(&self) -> &TableDeclaration;

    /// Its id.
    fn id(&self) -> TableId {
        TableId(self.declaration().id)
    }
}

impl<H: Home> AnyTable for Table<H> {
    fn schema(&self) -> &Arc<cql_schema::Table> {
        self.schema()
    }

    fn home(&self) -> HomeKind {
        H::KIND
    }

    fn declaration(&self) -> &TableDeclaration {
        &self.declaration
    }
}
