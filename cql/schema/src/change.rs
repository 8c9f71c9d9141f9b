//! What a DDL statement asks for, before any of it was checked.
//!
//! Types and option values are text: they mean something only together with the schema they are
//! applied to, and a change may be applied again to a newer one.

use cql_types::ComponentOrder;

/// A schema change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// CREATE KEYSPACE.
    CreateKeyspace(CreateKeyspace),
    /// ALTER KEYSPACE.
    AlterKeyspace(AlterKeyspace),
    /// DROP KEYSPACE.
    DropKeyspace(DropKeyspace),
    /// CREATE TABLE.
    CreateTable(CreateTable),
    /// ALTER TABLE.
    AlterTable(AlterTable),
    /// DROP TABLE.
    DropTable(DropTable),
    /// CREATE TYPE.
    CreateType(CreateType),
    /// ALTER TYPE.
    AlterType(AlterType),
    /// DROP TYPE.
    DropType(DropType),
}

/// Options after WITH, in the order written.
pub type Properties = Vec<(String, PropertyValue)>;

/// Value of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PropertyValue {
    /// A constant: the content of a string, or a number, `true` and so on as written.
    Literal(String),
    /// A map of constants.
    Map(Vec<(String, String)>),
}

/// CREATE KEYSPACE.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateKeyspace {
    /// Name.
    pub name: String,
    /// Options.
    pub properties: Properties,
    /// Do nothing if it exists.
    pub if_not_exists: bool,
}

/// ALTER KEYSPACE.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterKeyspace {
    /// Name.
    pub name: String,
    /// Options; those not named stay.
    pub properties: Properties,
    /// Do nothing if it is missing.
    pub if_exists: bool,
}

/// DROP KEYSPACE.
#[derive(Debug, Clone, PartialEq)]
pub struct DropKeyspace {
    /// Name.
    pub name: String,
    /// Do nothing if it is missing.
    pub if_exists: bool,
}

/// A column as a statement declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnDefinition {
    /// Name.
    pub name: String,
    /// Type as CQL text, user types without a keyspace or with it: `frozen<list<addr>>`.
    pub ty: String,
    /// Declared STATIC.
    pub is_static: bool,
}

/// CREATE TABLE.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CreateTable {
    /// Keyspace.
    pub keyspace: String,
    /// Name.
    pub name: String,
    /// All columns, in the order written.
    pub columns: Vec<ColumnDefinition>,
    /// Names of the partition key's columns.
    pub partition_key: Vec<String>,
    /// Names of the clustering key's columns.
    pub clustering: Vec<String>,
    /// CLUSTERING ORDER BY; empty if not written.
    pub clustering_order: Vec<(String, ComponentOrder)>,
    /// Options.
    pub properties: Properties,
    /// Do nothing if it exists.
    pub if_not_exists: bool,
}

/// ALTER TABLE.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterTable {
    /// Keyspace.
    pub keyspace: String,
    /// Name.
    pub name: String,
    /// Do nothing if it is missing.
    pub if_exists: bool,
    /// What to do.
    pub action: AlterTableAction,
}

/// What an ALTER TABLE does.
#[derive(Debug, Clone, PartialEq)]
pub enum AlterTableAction {
    /// ADD.
    Add {
        /// New columns.
        columns: Vec<ColumnDefinition>,
        /// Skip those that exist.
        if_not_exists: bool,
    },
    /// DROP.
    Drop {
        /// Names.
        columns: Vec<String>,
        /// Skip those that are missing.
        if_exists: bool,
        /// USING TIMESTAMP, µs.
        timestamp: Option<i64>,
    },
    /// RENAME.
    Rename {
        /// From, to.
        columns: Vec<(String, String)>,
        /// Skip those that are missing.
        if_exists: bool,
    },
    /// ALTER column TYPE, which is always refused.
    AlterType {
        /// Name.
        column: String,
    },
    /// WITH.
    With {
        /// Options; those not named stay.
        properties: Properties,
    },
}

/// DROP TABLE.
#[derive(Debug, Clone, PartialEq)]
pub struct DropTable {
    /// Keyspace.
    pub keyspace: String,
    /// Name.
    pub name: String,
    /// Do nothing if it is missing.
    pub if_exists: bool,
}

/// CREATE TYPE.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateType {
    /// Keyspace.
    pub keyspace: String,
    /// Name.
    pub name: String,
    /// Names and types of the fields.
    pub fields: Vec<(String, String)>,
    /// Do nothing if it exists.
    pub if_not_exists: bool,
}

/// ALTER TYPE.
#[derive(Debug, Clone, PartialEq)]
pub struct AlterType {
    /// Keyspace.
    pub keyspace: String,
    /// Name.
    pub name: String,
    /// Do nothing if it is missing.
    pub if_exists: bool,
    /// What to do.
    pub action: AlterTypeAction,
}

/// What an ALTER TYPE does.
#[derive(Debug, Clone, PartialEq)]
pub enum AlterTypeAction {
    /// ADD.
    Add {
        /// Name of the new field.
        field: String,
        /// Its type.
        ty: String,
        /// Do nothing if the field exists.
        if_not_exists: bool,
    },
    /// RENAME.
    Rename {
        /// From, to.
        fields: Vec<(String, String)>,
        /// Skip those that are missing.
        if_exists: bool,
    },
    /// ALTER field TYPE, which is always refused.
    AlterType {
        /// Name.
        field: String,
    },
}

/// DROP TYPE.
#[derive(Debug, Clone, PartialEq)]
pub struct DropType {
    /// Keyspace.
    pub keyspace: String,
    /// Name.
    pub name: String,
    /// Do nothing if it is missing.
    pub if_exists: bool,
}
