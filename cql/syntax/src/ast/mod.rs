//! What a statement says, as a tree.
//!
//! The tree is owned (it does not borrow from the text), free of meaning (names are not resolved, literals are kept as text), and complete: printing it gives a text that parses to the same tree.
//! Statements of features that the database lacks are here as well, so that the planner can refuse them with a span.
//!
//! [`Statement`] is the root; [`Expr`] is everything that has a value; [`Name`] is everything that names something.

mod access;
mod ddl;
mod describe;
mod dml;
mod expr;
mod select;
mod types;

pub use access::*;
pub use ddl::*;
pub use describe::*;
pub use dml::*;
pub use expr::*;
pub use select::*;
pub use types::*;

use crate::{Span, Spanned};
use std::fmt;

/// One parsed statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Statement {
    /// What it says.
    pub kind: StatementKind,
    /// From its first to its last token, without the semicolon.
    pub span: Span,
    pub(crate) markers: Vec<Marker>,
}

impl Statement {
    /// The bind markers in the order of the text; `markers()[i].index == i`.
    #[must_use]
    pub fn markers(&self) -> &[Marker] {
        &self.markers
    }
}

/// A bind marker: `?` or `:name`.
#[derive(Clone, PartialEq, Eq)]
pub struct Marker {
    /// The number of markers before it in the statement (in the whole batch for a statement of a batch).
    pub index: u16,
    /// The name of a `:name` marker.
    pub name: Option<Name>,
    /// Where it stands.
    pub span: Span,
}

impl fmt::Debug for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, ":{}#{}", name.text, self.index),
            None => write!(f, "?#{}", self.index),
        }
    }
}

/// The name of a keyspace, table, column, type, field, function, role and so on.
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    /// The name as it is stored: lower case when it was not quoted, without quotes.
    pub text: Box<str>,
    /// How it was written. A quoted name is never a keyword or the name of a native type.
    pub quoted: bool,
    /// Where it stands, with its quotes.
    pub span: Span,
}

impl Name {
    /// The name as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quote = if self.quoted { "\"" } else { "" };
        write!(f, "{quote}{}{quote}@{:?}", self.text, self.span)
    }
}

/// A name that may be led by that of its keyspace: `t`, `ks.t`.
#[derive(Clone, PartialEq, Eq)]
pub struct QualifiedName {
    /// The keyspace, if it was given.
    pub keyspace: Option<Name>,
    /// The name in that keyspace.
    pub name: Name,
}

impl QualifiedName {
    /// Both names.
    #[must_use]
    pub fn span(&self) -> Span {
        self.keyspace
            .as_ref()
            .map_or(self.name.span, |keyspace| keyspace.span.to(self.name.span))
    }
}

impl fmt::Debug for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(keyspace) = &self.keyspace {
            write!(f, "{keyspace:?}.")?;
        }
        write!(f, "{:?}", self.name)
    }
}

/// Every kind of statement.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each variant is named after its statement")]
pub enum StatementKind {
    Select(Box<Select>),
    Insert(Box<Insert>),
    Update(Box<Update>),
    Delete(Box<Delete>),
    Batch(Batch),
    Use(Name),
    Truncate(QualifiedName),
    CreateKeyspace(CreateKeyspace),
    AlterKeyspace(AlterKeyspace),
    DropKeyspace(DropKeyspace),
    CreateTable(CreateTable),
    AlterTable(AlterTable),
    DropTable(DropObject),
    CreateType(CreateType),
    AlterType(AlterType),
    DropType(DropObject),
    CreateIndex(CreateIndex),
    DropIndex(DropObject),
    CreateView(Box<CreateView>),
    AlterView(AlterView),
    DropView(DropObject),
    CreateFunction(Box<CreateFunction>),
    DropFunction(DropFunction),
    CreateAggregate(Box<CreateAggregate>),
    DropAggregate(DropFunction),
    CreateTrigger(CreateTrigger),
    DropTrigger(DropTrigger),
    CreateRole(CreateRole),
    AlterRole(AlterRole),
    DropRole(DropRole),
    CreateUser(CreateUser),
    AlterUser(AlterUser),
    DropUser(DropRole),
    Grant(Grant),
    Revoke(Grant),
    ListRoles(ListRoles),
    ListUsers,
    ListPermissions(ListPermissions),
    CreateServiceLevel(CreateServiceLevel),
    AlterServiceLevel(AlterServiceLevel),
    DropServiceLevel(DropServiceLevel),
    AttachServiceLevel(AttachServiceLevel),
    DetachServiceLevel(DetachServiceLevel),
    ListServiceLevels(ListServiceLevels),
    Describe(Describe),
    Explain(Box<StatementKind>),
}

impl StatementKind {
    /// The words that the statement starts with, for messages: `CREATE TABLE`.
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Select(_) => "SELECT",
            Self::Insert(_) => "INSERT",
            Self::Update(_) => "UPDATE",
            Self::Delete(_) => "DELETE",
            Self::Batch(_) => "BATCH",
            Self::Use(_) => "USE",
            Self::Truncate(_) => "TRUNCATE",
            Self::CreateKeyspace(_) => "CREATE KEYSPACE",
            Self::AlterKeyspace(_) => "ALTER KEYSPACE",
            Self::DropKeyspace(_) => "DROP KEYSPACE",
            Self::CreateTable(_) => "CREATE TABLE",
            Self::AlterTable(_) => "ALTER TABLE",
            Self::DropTable(_) => "DROP TABLE",
            Self::CreateType(_) => "CREATE TYPE",
            Self::AlterType(_) => "ALTER TYPE",
            Self::DropType(_) => "DROP TYPE",
            Self::CreateIndex(_) => "CREATE INDEX",
            Self::DropIndex(_) => "DROP INDEX",
            Self::CreateView(_) => "CREATE MATERIALIZED VIEW",
            Self::AlterView(_) => "ALTER MATERIALIZED VIEW",
            Self::DropView(_) => "DROP MATERIALIZED VIEW",
            Self::CreateFunction(_) => "CREATE FUNCTION",
            Self::DropFunction(_) => "DROP FUNCTION",
            Self::CreateAggregate(_) => "CREATE AGGREGATE",
            Self::DropAggregate(_) => "DROP AGGREGATE",
            Self::CreateTrigger(_) => "CREATE TRIGGER",
            Self::DropTrigger(_) => "DROP TRIGGER",
            Self::CreateRole(_) => "CREATE ROLE",
            Self::AlterRole(_) => "ALTER ROLE",
            Self::DropRole(_) => "DROP ROLE",
            Self::CreateUser(_) => "CREATE USER",
            Self::AlterUser(_) => "ALTER USER",
            Self::DropUser(_) => "DROP USER",
            Self::Grant(_) => "GRANT",
            Self::Revoke(_) => "REVOKE",
            Self::ListRoles(_) => "LIST ROLES",
            Self::ListUsers => "LIST USERS",
            Self::ListPermissions(_) => "LIST PERMISSIONS",
            Self::CreateServiceLevel(_) => "CREATE SERVICE LEVEL",
            Self::AlterServiceLevel(_) => "ALTER SERVICE LEVEL",
            Self::DropServiceLevel(_) => "DROP SERVICE LEVEL",
            Self::AttachServiceLevel(_) => "ATTACH SERVICE LEVEL",
            Self::DetachServiceLevel(_) => "DETACH SERVICE LEVEL",
            Self::ListServiceLevels(_) => "LIST SERVICE LEVELS",
            Self::Describe(_) => "DESCRIBE",
            Self::Explain(_) => "EXPLAIN",
        }
    }
}

/// `name = value`, an entry of a `WITH` clause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Property {
    /// The name of the option.
    pub name: Name,
    /// Its value.
    pub value: Spanned<PropertyValue>,
}

/// The value of an option.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PropertyValue {
    /// A constant.
    Literal(Literal),
    /// `{key: value, ...}`, possibly empty, in the order of the text.
    Map(Vec<(Spanned<Literal>, Spanned<Literal>)>),
    /// A bare word.
    Word(Name),
}
