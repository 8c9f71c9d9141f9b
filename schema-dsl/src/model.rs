//! What the files mean: tables, types and keyspaces with all names resolved and all numbers given.

mod types;

use std::collections::BTreeMap;
use std::fmt;

use md5::{Digest as _, Md5};

use crate::ast::{Order, Role};
use crate::names;
use crate::options::Options;
use crate::source::Span;

pub use types::{Form, Native, Type};

/// Everything that the files of a run declare, in the order in which they declare it.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Keyspaces.
    pub keyspaces: Vec<Keyspace>,
    /// User-defined types of CQL, each behind those that it uses.
    pub user_types: Vec<Fields>,
    /// Tuples with named fields.
    pub tuples: Vec<Fields>,
    /// Enums.
    pub enums: Vec<Enum>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Tables that once were.
    pub retired_tables: Vec<RetiredTable>,
}

/// A keyspace.
#[derive(Clone, Debug)]
pub struct Keyspace {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub doc: String,
    /// The class and its parameters, as CQL's replication map.
    pub replication: BTreeMap<String, String>,
    /// Are its writes logged?
    pub durable_writes: bool,
    /// Its name in the text.
    pub span: Span,
}

/// Where a table lives, which decides who may write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// On each node, with content of its own.
    Local,
    /// On each shard of each node.
    ShardLocal,
    /// On each node, with content that all agree on.
    Group0,
    /// In a replicated keyspace.
    Distributed,
    /// Nowhere: made when it is read.
    Virtual,
}

impl Home {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Local,
        Self::ShardLocal,
        Self::Group0,
        Self::Distributed,
        Self::Virtual,
    ];

    /// As the language writes it.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::ShardLocal => "shard_local",
            Self::Group0 => "group0",
            Self::Distributed => "distributed",
            Self::Virtual => "virtual",
        }
    }
}

/// The id of a table, a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TableId(pub u128);

impl TableId {
    /// The ecosystem's rule: the name-based UUID (version 3) of the keyspace's name followed by the table's.
    pub fn of(keyspace: &str, name: &str) -> Self {
        let mut hash = Md5::new();
        hash.update(keyspace.as_bytes());
        hash.update(name.as_bytes());
        let bytes: [u8; 16] = hash.finalize().into();
        let bits = u128::from_be_bytes(bytes);
        let version = (bits & !(0xf_u128 << 76)) | (3_u128 << 76);
        Self((version & !(0b11_u128 << 62)) | (0b10_u128 << 62))
    }

    /// Reads `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`.
    pub fn parse(text: &str) -> Option<Self> {
        let groups: Vec<&str> = text.split('-').collect();
        let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
        if lengths != [8, 4, 4, 4, 12] {
            return None;
        }
        u128::from_str_radix(&groups.concat(), 16).ok().map(Self)
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or("").to_owned();
        write!(
            f,
            "{}-{}-{}-{}-{}",
            part(0, 8),
            part(8, 12),
            part(12, 16),
            part(16, 20),
            part(20, 32)
        )
    }
}

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its keyspace.
    pub keyspace: String,
    /// Its name.
    pub name: String,
    /// Its documentation; also its comment in CQL.
    pub doc: String,
    /// Its id.
    pub id: TableId,
    /// Where it lives.
    pub home: Home,
    /// The version that introduced it, from 1.
    pub since: u32,
    /// All columns in the order of the text, retired ones included.
    pub columns: Vec<Column>,
    /// Properties other than the comment.
    pub options: Options,
    /// The class of its partitioner, if it is not the usual one.
    pub partitioner: Option<String>,
    /// Its name in the text.
    pub span: Span,
}

impl Table {
    /// `keyspace.name`
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.keyspace, self.name)
    }

    /// The columns of one role, in the order of the text.
    pub fn with_role(&self, role: Role) -> impl Iterator<Item = &Column> {
        self.columns
            .iter()
            .filter(move |column| column.role == role)
    }

    /// Is there such a column?
    pub fn has(&self, role: Role) -> bool {
        self.with_role(role).next().is_some()
    }

    /// The column of that name, unless it is retired.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns
            .iter()
            .find(|column| column.name == name && column.role != Role::Retired)
    }
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name in CQL.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Its type.
    pub ty: Type,
    /// May its value be absent?
    pub optional: bool,
    /// The direction of a clustering column.
    pub order: Order,
    /// The version that introduced it.
    pub since: u32,
    /// Under which number values are stored; columns of the key have none.
    ///
    /// Numbers are given in the order of the text, columns of an older version first.
    pub number: Option<u16>,
    /// Its documentation.
    pub doc: String,
    /// Its name in the text.
    pub span: Span,
}

/// A tuple with named fields or a user-defined type.
#[derive(Clone, Debug)]
pub struct Fields {
    /// The keyspace of a user-defined type.
    pub keyspace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub doc: String,
    /// The fields.
    pub fields: Vec<Field>,
    /// Its name in the text.
    pub span: Span,
}

/// A field.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// May its value be absent?
    pub optional: bool,
    /// Its documentation.
    pub doc: String,
    /// Its name in the text.
    pub span: Span,
}

/// An enum.
#[derive(Clone, Debug)]
pub struct Enum {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub doc: String,
    /// The type in which values are stored: text, ascii, or an integer.
    pub base: Native,
    /// The values.
    pub values: Vec<EnumValue>,
    /// Values that once were.
    pub retired: Vec<EnumValue>,
    /// Its name in the text.
    pub span: Span,
}

/// A value of an enum.
#[derive(Clone, Debug)]
pub struct EnumValue {
    /// Its name.
    pub name: String,
    /// What is stored.
    pub stored: Stored,
    /// Its documentation.
    pub doc: String,
    /// Its name in the text.
    pub span: Span,
}

/// What stands in a column for a value of an enum.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stored {
    /// A text.
    Text(String),
    /// A number.
    Number(i64),
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// A table that once was.
#[derive(Clone, Debug)]
pub struct RetiredTable {
    /// Its keyspace.
    pub keyspace: String,
    /// Its name.
    pub name: String,
    /// Its name in the text.
    pub span: Span,
}

impl Model {
    /// The tuple of that name.
    pub fn tuple(&self, name: &str) -> Option<&Fields> {
        self.tuples.iter().find(|tuple| tuple.name == name)
    }

    /// The enum of that name.
    pub fn enumeration(&self, name: &str) -> Option<&Enum> {
        self.enums
            .iter()
            .find(|enumeration| enumeration.name == name)
    }

    /// The user-defined type of that name.
    pub fn user_type(&self, keyspace: &str, name: &str) -> Option<&Fields> {
        self.user_types
            .iter()
            .find(|ty| ty.keyspace.as_deref() == Some(keyspace) && ty.name == name)
    }

    /// The type as `system_schema` shows it: tuples by their fields, enums by what is stored.
    pub fn cql_type(&self, ty: &Type) -> String {
        let wrap = |text: String, form: Form| match form {
            Form::Frozen => format!("frozen<{text}>"),
            Form::Cells => text,
        };
        let tuple = |elements: Vec<String>| format!("frozen<tuple<{}>>", elements.join(", "));
        match ty {
            Type::Native(native) => native.name().to_owned(),
            Type::List(element, form) => wrap(format!("list<{}>", self.cql_type(element)), *form),
            Type::Set(element, form) => wrap(format!("set<{}>", self.cql_type(element)), *form),
            Type::Map(key, value, form) => wrap(
                format!("map<{}, {}>", self.cql_type(key), self.cql_type(value)),
                *form,
            ),
            Type::Tuple(elements) => tuple(
                elements
                    .iter()
                    .map(|element| self.cql_type(element))
                    .collect(),
            ),
            Type::Vector(element, dimensions) => {
                format!("vector<{}, {dimensions}>", self.cql_type(element))
            }
            Type::Record(name) => match self.tuple(name) {
                Some(record) => tuple(
                    record
                        .fields
                        .iter()
                        .map(|field| self.cql_type(&field.ty))
                        .collect(),
                ),
                None => name.clone(),
            },
            Type::User { name, form, .. } => wrap(names::cql(name), *form),
            Type::Enum(name) => self
                .enumeration(name)
                .map_or("text", |found| found.base.name())
                .to_owned(),
            Type::Unknown => "unknown".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_the_ecosystem_s_rule() {
        let id = |keyspace, name| TableId::of(keyspace, name).to_string();
        assert_eq!(
            id("system", "local"),
            "7ad54392-bcdd-35a6-8417-4e047860b377"
        );
        assert_eq!(
            id("system_schema", "keyspaces"),
            "abac5682-dea6-31c5-b535-b3d6cffd0fb6"
        );
        assert_eq!(
            id("system_schema", "columns"),
            "24101c25-a2ae-3af7-87c1-b40ee1aca33f"
        );
        let local = TableId::of("system", "local");
        assert_eq!(TableId::parse(&local.to_string()), Some(local));
        assert_eq!(TableId::parse("7ad54392"), None);
    }
}
