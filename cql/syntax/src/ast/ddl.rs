//! Statements that change the schema.

use super::{Expr, Name, Property, QualifiedName, Relation, Selectors, TypeName};
use crate::{Span, Spanned};

/// `CREATE KEYSPACE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateKeyspace {
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// The keyspace.
    pub name: Name,
    /// `WITH`: replication, durable_writes, tablets and whatever else was written.
    pub options: Vec<Property>,
}

/// `ALTER KEYSPACE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlterKeyspace {
    /// `IF EXISTS`
    pub if_exists: bool,
    /// The keyspace.
    pub name: Name,
    /// `WITH`
    pub options: Vec<Property>,
}

/// `DROP KEYSPACE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DropKeyspace {
    /// `IF EXISTS`
    pub if_exists: bool,
    /// The keyspace.
    pub name: Name,
}

/// `DROP TABLE`, `DROP TYPE`, `DROP INDEX`, `DROP MATERIALIZED VIEW`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DropObject {
    /// `IF EXISTS`
    pub if_exists: bool,
    /// What is dropped.
    pub name: QualifiedName,
}

/// `CREATE TABLE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateTable {
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// The table.
    pub name: QualifiedName,
    /// The columns in the order of the text.
    pub columns: Vec<ColumnDefinition>,
    /// The `PRIMARY KEY (...)` clauses. A table needs one, here or at a column; the grammar takes any number.
    pub primary_keys: Vec<PrimaryKey>,
    /// `WITH`
    pub options: Vec<TableOption>,
}

/// `name type [STATIC] [PRIMARY KEY]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ColumnDefinition {
    /// The column.
    pub name: Name,
    /// Its type.
    pub ty: TypeName,
    /// The word `STATIC`.
    pub is_static: Option<Span>,
    /// The words `PRIMARY KEY`.
    pub primary_key: Option<Span>,
}

/// `PRIMARY KEY ((a, b), c)`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PrimaryKey {
    /// The columns of the partition key; at least one.
    pub partition: Vec<Name>,
    /// The clustering columns.
    pub clustering: Vec<Name>,
    /// The whole clause.
    pub span: Span,
}

/// An entry of the `WITH` clause of a table or view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TableOption {
    /// `COMPACT STORAGE`
    CompactStorage(Span),
    /// `CLUSTERING ORDER BY (a DESC)`
    ClusteringOrder(Vec<(Name, Direction)>, Span),
    /// `name = value`, also `id = <uuid>`.
    Property(Property),
}

/// The direction of a clustering column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each variant is named after its keyword")]
pub enum Direction {
    Ascending,
    Descending,
}

/// `ALTER TABLE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlterTable {
    /// `IF EXISTS` before the name.
    pub if_exists: bool,
    /// The table.
    pub name: QualifiedName,
    /// What is done to it.
    pub action: AlterTableAction,
}

/// What an `ALTER TABLE` does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AlterTableAction {
    /// `ADD a int`, `ADD (a int, b int)`, `ADD a int, b int`
    Add {
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// The new columns.
        columns: Vec<ColumnDefinition>,
    },
    /// `DROP a`, `DROP (a, b)`, `DROP a, b`
    Drop {
        /// `IF EXISTS`
        if_exists: bool,
        /// The columns.
        columns: Vec<Name>,
        /// `USING TIMESTAMP`: an integer, microseconds since the epoch.
        timestamp: Option<Expr>,
    },
    /// `DROP COMPACT STORAGE`
    DropCompactStorage,
    /// `RENAME a TO b AND c TO d`
    Rename {
        /// `IF EXISTS`
        if_exists: bool,
        /// Old and new names.
        names: Vec<(Name, Name)>,
    },
    /// `ALTER a TYPE t`, which the database refuses.
    AlterColumn {
        /// The column.
        column: Name,
        /// The wanted type.
        ty: TypeName,
    },
    /// `WITH ...`
    With(Vec<TableOption>),
}

/// `CREATE TYPE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateType {
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// The type.
    pub name: QualifiedName,
    /// The fields; at least one.
    pub fields: Vec<(Name, TypeName)>,
}

/// `ALTER TYPE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlterType {
    /// `IF EXISTS` before the name.
    pub if_exists: bool,
    /// The type.
    pub name: QualifiedName,
    /// What is done to it.
    pub action: AlterTypeAction,
}

/// What an `ALTER TYPE` does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AlterTypeAction {
    /// `ADD f t`
    Add {
        /// `IF NOT EXISTS`
        if_not_exists: bool,
        /// The new field.
        field: Name,
        /// Its type.
        ty: TypeName,
    },
    /// `RENAME f TO g AND ...`
    Rename {
        /// `IF EXISTS`
        if_exists: bool,
        /// Old and new names.
        names: Vec<(Name, Name)>,
    },
    /// `ALTER f TYPE t`, which the database refuses.
    AlterField {
        /// The field.
        field: Name,
        /// The wanted type.
        ty: TypeName,
    },
}

/// `CREATE INDEX`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateIndex {
    /// `CREATE CUSTOM INDEX`
    pub custom: bool,
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// The index, if it was named.
    pub name: Option<QualifiedName>,
    /// The table.
    pub table: QualifiedName,
    /// What is indexed, in the order of the text; may be empty for a custom index.
    pub targets: Vec<IndexTarget>,
    /// `USING 'class'`
    pub using: Option<Spanned<Box<str>>>,
    /// `WITH`
    pub options: Vec<Property>,
}

/// What an index covers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IndexTarget {
    /// `c`
    Column(Name),
    /// `(a, b)`: the partition key of a local index.
    Columns(Vec<Name>),
    /// `keys(c)`
    Keys(Name),
    /// `values(c)`
    Values(Name),
    /// `entries(c)`
    Entries(Name),
    /// `full(c)`
    Full(Name),
}

/// `CREATE MATERIALIZED VIEW`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateView {
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// The view.
    pub name: QualifiedName,
    /// The selected columns.
    pub selectors: Selectors,
    /// The base table.
    pub from: QualifiedName,
    /// `WHERE`
    pub relations: Vec<Relation>,
    /// The primary key of the view.
    pub primary_key: PrimaryKey,
    /// `WITH`
    pub options: Vec<TableOption>,
}

/// `ALTER MATERIALIZED VIEW`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlterView {
    /// `IF EXISTS`
    pub if_exists: bool,
    /// The view.
    pub name: QualifiedName,
    /// `WITH`
    pub options: Vec<TableOption>,
}

/// `CREATE FUNCTION`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateFunction {
    /// `OR REPLACE`
    pub or_replace: bool,
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// The function.
    pub name: QualifiedName,
    /// Its parameters.
    pub parameters: Vec<(Name, TypeName)>,
    /// What it does with nulls.
    pub on_null: OnNull,
    /// Its type.
    pub returns: TypeName,
    /// The language of its body.
    pub language: Name,
    /// Its body.
    pub body: Spanned<Box<str>>,
}

/// What a function does when an argument is null.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnNull {
    /// `CALLED ON NULL INPUT`
    Called,
    /// `RETURNS NULL ON NULL INPUT`
    ReturnsNull,
}

/// `DROP FUNCTION`, `DROP AGGREGATE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DropFunction {
    /// `IF EXISTS`
    pub if_exists: bool,
    /// The function.
    pub name: QualifiedName,
    /// Its parameter types, if they were given.
    pub parameters: Option<Vec<TypeName>>,
}

/// `CREATE AGGREGATE`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateAggregate {
    /// `OR REPLACE`
    pub or_replace: bool,
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// The aggregate.
    pub name: QualifiedName,
    /// The types of its parameters.
    pub parameters: Vec<TypeName>,
    /// `SFUNC`: folds a row into the state.
    pub state_function: Name,
    /// `STYPE`: the type of the state.
    pub state_type: TypeName,
    /// `REDUCEFUNC`: merges two states.
    pub reduce_function: Option<Name>,
    /// `FINALFUNC`: turns the state into the result.
    pub final_function: Option<Name>,
    /// `INITCOND`: the first state.
    pub initial: Option<Expr>,
}

/// `CREATE TRIGGER`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreateTrigger {
    /// `IF NOT EXISTS`
    pub if_not_exists: bool,
    /// The trigger.
    pub name: Name,
    /// The table.
    pub table: QualifiedName,
    /// The class.
    pub class: Spanned<Box<str>>,
}

/// `DROP TRIGGER`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DropTrigger {
    /// `IF EXISTS`
    pub if_exists: bool,
    /// The trigger.
    pub name: Name,
    /// The table.
    pub table: QualifiedName,
}
