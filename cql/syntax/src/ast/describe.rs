//! `DESCRIBE`, which the server answers itself.

use super::{Name, QualifiedName};

/// `DESCRIBE ...`, `DESC ...`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Describe {
    /// What is described.
    pub target: DescribeTarget,
    /// How much is said about it.
    pub detail: DescribeDetail,
}

/// How much a `DESCRIBE` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DescribeDetail {
    /// What a user would have typed.
    Plain,
    /// `WITH INTERNALS`: ids and dropped columns too.
    Internals,
    /// `WITH INTERNALS AND PASSWORDS`: hashed passwords of roles too.
    InternalsAndPasswords,
}

/// What a `DESCRIBE` describes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DescribeTarget {
    /// `CLUSTER`
    Cluster,
    /// `SCHEMA`: all keyspaces of users.
    Schema,
    /// `FULL SCHEMA`: those of the system too.
    FullSchema,
    /// `KEYSPACES`: their names.
    Keyspaces,
    /// `KEYSPACE [ks]` with all that is in it; without a name the current one.
    Keyspace(Option<Name>),
    /// `ONLY KEYSPACE [ks]` without what is in it.
    OnlyKeyspace(Option<Name>),
    /// `TABLES`: their names.
    Tables,
    /// `TABLE t`, `COLUMNFAMILY t`
    Table(QualifiedName),
    /// `TYPES`: their names.
    Types,
    /// `TYPE t`
    Type(QualifiedName),
    /// `FUNCTIONS`: their names.
    Functions,
    /// `FUNCTION f`
    Function(QualifiedName),
    /// `AGGREGATES`: their names.
    Aggregates,
    /// `AGGREGATE a`
    Aggregate(QualifiedName),
    /// `INDEX i`
    Index(QualifiedName),
    /// `MATERIALIZED VIEW v`
    View(QualifiedName),
    /// `x`, `ks.x`: whatever has this name; a keyspace first, then a table, index, view.
    Named(QualifiedName),
}
