//! The tree to text.
//!
//! Keywords in capitals, one space between words, names in quotes only where they need them or had them.
//! Parsing the text gives the same tree, apart from spans.

mod access;
mod ddl;
mod dml;
mod expr;

use crate::ast::{
    Describe, DescribeDetail, DescribeTarget, Marker, Name, Property, PropertyValue, QualifiedName,
    Statement, StatementKind, TypeName, TypeNameKind,
};
use crate::keyword::is_plain_name;
use std::fmt::{self, Display, Formatter, Write as _};

/// Writes `name` as an identifier: in quotes if it would not be this name without.
///
/// # Errors
/// Only what `out` fails with.
pub fn print_name(name: &str, out: &mut impl fmt::Write) -> fmt::Result {
    if is_plain_name(name) {
        return out.write_str(name);
    }
    quoted(name, '"', out)
}

/// Writes `text` as a string literal.
///
/// # Errors
/// Only what `out` fails with.
pub fn print_string(text: &str, out: &mut impl fmt::Write) -> fmt::Result {
    quoted(text, '\'', out)
}

fn quoted(text: &str, quote: char, out: &mut impl fmt::Write) -> fmt::Result {
    out.write_char(quote)?;
    for (index, piece) in text.split(quote).enumerate() {
        if index > 0 {
            out.write_char(quote)?;
            out.write_char(quote)?;
        }
        out.write_str(piece)?;
    }
    out.write_char(quote)
}

/// Writes items with a separator between them.
fn separated<T>(
    f: &mut Formatter<'_>,
    separator: &str,
    items: &[T],
    each: impl Fn(&T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        each(item, f)?;
    }
    Ok(())
}

/// Writes items with commas between them.
fn commas<T: Display>(f: &mut Formatter<'_>, items: &[T]) -> fmt::Result {
    separated(f, ", ", items, Display::fmt)
}

/// Writes `words` and items with `AND` between them, if there is any.
fn clause<T: Display>(f: &mut Formatter<'_>, words: &str, items: &[T]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    f.write_str(words)?;
    separated(f, " AND ", items, Display::fmt)
}

/// `words` if `given`.
fn flag(given: bool, words: &'static str) -> &'static str {
    if given { words } else { "" }
}

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl Display for StatementKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Select(select) => select.fmt(f),
            Self::Insert(insert) => insert.fmt(f),
            Self::Update(update) => update.fmt(f),
            Self::Delete(delete) => delete.fmt(f),
            Self::Batch(batch) => batch.fmt(f),
            Self::Use(keyspace) => write!(f, "USE {keyspace}"),
            Self::Truncate(table) => write!(f, "TRUNCATE {table}"),
            Self::CreateKeyspace(create) => create.fmt(f),
            Self::AlterKeyspace(alter) => alter.fmt(f),
            Self::DropKeyspace(drop) => {
                let exists = flag(drop.if_exists, "IF EXISTS ");
                write!(f, "DROP KEYSPACE {exists}{}", drop.name)
            }
            Self::CreateTable(create) => create.fmt(f),
            Self::AlterTable(alter) => alter.fmt(f),
            Self::CreateType(create) => create.fmt(f),
            Self::AlterType(alter) => alter.fmt(f),
            Self::DropTable(drop)
            | Self::DropType(drop)
            | Self::DropIndex(drop)
            | Self::DropView(drop) => {
                let exists = flag(drop.if_exists, "IF EXISTS ");
                write!(f, "{} {exists}{}", self.verb(), drop.name)
            }
            Self::CreateIndex(create) => create.fmt(f),
            Self::CreateView(create) => create.fmt(f),
            Self::AlterView(alter) => alter.fmt(f),
            Self::CreateFunction(create) => create.fmt(f),
            Self::CreateAggregate(create) => create.fmt(f),
            Self::DropFunction(drop) | Self::DropAggregate(drop) => {
                let exists = flag(drop.if_exists, "IF EXISTS ");
                write!(f, "{} {exists}{}", self.verb(), drop.name)?;
                match &drop.parameters {
                    Some(types) => in_parens(f, types),
                    None => Ok(()),
                }
            }
            Self::CreateTrigger(create) => create.fmt(f),
            Self::DropTrigger(drop) => {
                let exists = flag(drop.if_exists, "IF EXISTS ");
                write!(f, "DROP TRIGGER {exists}{} ON {}", drop.name, drop.table)
            }
            Self::CreateRole(create) => create.fmt(f),
            Self::AlterRole(alter) => alter.fmt(f),
            Self::DropRole(drop) | Self::DropUser(drop) => {
                let exists = flag(drop.if_exists, "IF EXISTS ");
                write!(f, "{} {exists}{}", self.verb(), drop.name)
            }
            Self::CreateUser(create) => create.fmt(f),
            Self::AlterUser(alter) => alter.fmt(f),
            Self::Grant(grant) => write!(f, "GRANT {} TO {}", grant.what, grant.role),
            Self::Revoke(grant) => write!(f, "REVOKE {} FROM {}", grant.what, grant.role),
            Self::ListRoles(list) => list.fmt(f),
            Self::ListUsers => f.write_str("LIST USERS"),
            Self::ListPermissions(list) => list.fmt(f),
            Self::CreateServiceLevel(create) => create.fmt(f),
            Self::AlterServiceLevel(alter) => {
                write!(f, "ALTER SERVICE LEVEL {}", alter.name)?;
                clause(f, " WITH ", &alter.options)
            }
            Self::DropServiceLevel(drop) => {
                let exists = flag(drop.if_exists, "IF EXISTS ");
                write!(f, "DROP SERVICE LEVEL {exists}{}", drop.name)
            }
            Self::AttachServiceLevel(attach) => {
                write!(f, "ATTACH SERVICE LEVEL {} TO {}", attach.name, attach.role)
            }
            Self::DetachServiceLevel(detach) => {
                write!(f, "DETACH SERVICE LEVEL FROM {}", detach.role)
            }
            Self::ListServiceLevels(list) => list.fmt(f),
            Self::Describe(describe) => describe.fmt(f),
            Self::Explain(explained) => write!(f, "EXPLAIN {explained}"),
        }
    }
}

fn in_parens<T: Display>(f: &mut Formatter<'_>, items: &[T]) -> fmt::Result {
    f.write_char('(')?;
    commas(f, items)?;
    f.write_char(')')
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.quoted {
            quoted(&self.text, '"', f)
        } else {
            print_name(&self.text, f)
        }
    }
}

impl Display for QualifiedName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(keyspace) = &self.keyspace {
            write!(f, "{keyspace}.")?;
        }
        self.name.fmt(f)
    }
}

impl Display for Marker {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, ":{name}"),
            None => f.write_char('?'),
        }
    }
}

impl Display for TypeName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            TypeNameKind::Named(name) => name.fmt(f),
            TypeNameKind::List(element) => write!(f, "list<{element}>"),
            TypeNameKind::Set(element) => write!(f, "set<{element}>"),
            TypeNameKind::Map(key, value) => write!(f, "map<{key}, {value}>"),
            TypeNameKind::Tuple(elements) => {
                f.write_str("tuple<")?;
                commas(f, elements)?;
                f.write_char('>')
            }
            TypeNameKind::Vector {
                element,
                dimensions,
            } => write!(f, "vector<{element}, {}>", dimensions.node),
            TypeNameKind::Frozen(inner) => write!(f, "frozen<{inner}>"),
            TypeNameKind::Custom(class) => print_string(class, f),
        }
    }
}

impl Display for Property {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name, self.value.node)
    }
}

impl Display for PropertyValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(literal) => literal.fmt(f),
            Self::Map(entries) => expr::literal_map(f, entries),
            Self::Word(word) => word.fmt(f),
        }
    }
}

impl Display for Describe {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "DESCRIBE {}", self.target)?;
        f.write_str(match self.detail {
            DescribeDetail::Plain => "",
            DescribeDetail::Internals => " WITH INTERNALS",
            DescribeDetail::InternalsAndPasswords => " WITH INTERNALS AND PASSWORDS",
        })
    }
}

impl Display for DescribeTarget {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let words = |f: &mut Formatter<'_>, words: &str, name: &Option<Name>| match name {
            Some(name) => write!(f, "{words} {name}"),
            None => f.write_str(words),
        };
        match self {
            Self::Cluster => f.write_str("CLUSTER"),
            Self::Schema => f.write_str("SCHEMA"),
            Self::FullSchema => f.write_str("FULL SCHEMA"),
            Self::Keyspaces => f.write_str("KEYSPACES"),
            Self::Keyspace(name) => words(f, "KEYSPACE", name),
            Self::OnlyKeyspace(name) => words(f, "ONLY KEYSPACE", name),
            Self::Tables => f.write_str("TABLES"),
            Self::Table(name) => write!(f, "TABLE {name}"),
            Self::Types => f.write_str("TYPES"),
            Self::Type(name) => write!(f, "TYPE {name}"),
            Self::Functions => f.write_str("FUNCTIONS"),
            Self::Function(name) => write!(f, "FUNCTION {name}"),
            Self::Aggregates => f.write_str("AGGREGATES"),
            Self::Aggregate(name) => write!(f, "AGGREGATE {name}"),
            Self::Index(name) => write!(f, "INDEX {name}"),
            Self::View(name) => write!(f, "MATERIALIZED VIEW {name}"),
            Self::Named(name) => name.fmt(f),
        }
    }
}
