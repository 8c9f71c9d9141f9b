//! What a file says, with every span and every comment; the formatter prints it, the checker gives it meaning.

use crate::source::Span;

/// One file.
#[derive(Clone, Debug, Default)]
pub struct File {
    /// Its items, in order.
    pub items: Vec<Item>,
    /// Comments behind the last one.
    pub tail: Vec<Remark>,
}

/// Something at the top level.
#[derive(Clone, Debug)]
pub enum Item {
    /// `keyspace shop { replication = local }`
    Keyspace(Keyspace),
    /// `table system.peers { ... }`
    Table(Table),
    /// `retired table system.old`
    RetiredTable(RetiredTable),
    /// `type system.address { street text }`, a user-defined type of CQL.
    Type(Fields),
    /// `tuple Replica { host uuid, shard int }`
    Tuple(Fields),
    /// `enum Stage : text { a, b }`
    Enum(Enum),
}

/// Which of the two kinds a remark is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemarkKind {
    /// `/// text`; the text is without the slashes.
    Doc,
    /// `// text`; the text is with the slashes.
    Comment,
}

/// A comment or a line of documentation.
#[derive(Clone, Debug)]
pub struct Remark {
    /// Which.
    pub kind: RemarkKind,
    /// The text.
    pub text: String,
    /// An empty line stands before it.
    pub blank_before: bool,
    /// Where.
    pub span: Span,
}

/// What stands around an item or a member.
#[derive(Clone, Debug, Default)]
pub struct Margin {
    /// Lines before it.
    pub lead: Vec<Remark>,
    /// Behind it, in the same line.
    pub trailing: Option<Remark>,
    /// An empty line stands between it and what precedes it, its lead or the member before.
    pub blank_before: bool,
}

impl Margin {
    /// The documentation before and behind, lines joined by `\n`; empty if there is none.
    pub fn doc(&self) -> String {
        let lines: Vec<&str> = self
            .lead
            .iter()
            .chain(&self.trailing)
            .filter(|remark| remark.kind == RemarkKind::Doc)
            .map(|remark| remark.text.as_str())
            .collect();
        lines.join("\n")
    }

    /// Is there any remark?
    pub fn has_remarks(&self) -> bool {
        !self.lead.is_empty() || self.trailing.is_some()
    }
}

/// A name as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Without quotes.
    pub text: String,
    /// Stood between quotes.
    pub quoted: bool,
    /// Where.
    pub span: Span,
}

/// `keyspace.name`
#[derive(Clone, Debug)]
pub struct QualifiedName {
    /// Before the dot.
    pub keyspace: Name,
    /// Behind it.
    pub name: Name,
}

impl QualifiedName {
    /// Both parts.
    pub fn span(&self) -> Span {
        self.keyspace.span.to(self.name.span)
    }
}

/// `@since(2)`
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Without `@`.
    pub name: Name,
    /// Between the parentheses.
    pub argument: Option<Name>,
    /// All of it.
    pub span: Span,
}

/// What stands between braces.
#[derive(Clone, Debug)]
pub struct Block<T> {
    /// In order.
    pub members: Vec<T>,
    /// Comments behind the last one.
    pub tail: Vec<Remark>,
    /// The first member stands in the line of the brace.
    pub one_line: bool,
    /// Some member could not be understood and is missing.
    pub is_torn: bool,
}

/// See [`Item::Keyspace`].
#[derive(Clone, Debug)]
pub struct Keyspace {
    /// Around it.
    pub margin: Margin,
    /// Its name.
    pub name: Name,
    /// `replication`, `durable_writes`.
    pub block: Block<Setting>,
}

/// See [`Item::Table`].
#[derive(Clone, Debug)]
pub struct Table {
    /// Around it.
    pub margin: Margin,
    /// Its name.
    pub name: QualifiedName,
    /// `@since(2)`
    pub attributes: Vec<Attribute>,
    /// Settings and columns.
    pub block: Block<Member>,
}

/// See [`Item::RetiredTable`].
#[derive(Clone, Debug)]
pub struct RetiredTable {
    /// Around it.
    pub margin: Margin,
    /// Its name.
    pub name: QualifiedName,
}

/// A line of a table.
#[derive(Clone, Debug)]
pub enum Member {
    /// `home local`, `id ...`, `partitioner "..."`
    Property(Property),
    /// `options { ... }`
    Options(Options),
    /// A column.
    Column(Column),
}

impl Member {
    /// What stands around it.
    pub fn margin(&self) -> &Margin {
        match self {
            Self::Property(property) => &property.margin,
            Self::Options(options) => &options.margin,
            Self::Column(column) => &column.margin,
        }
    }
}

/// Which property a line sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PropertyKind {
    /// Where the table lives.
    Home,
    /// Its id, where the ecosystem's rule does not give it.
    Id,
    /// The class name of its partitioner.
    Partitioner,
}

impl PropertyKind {
    /// The keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Id => "id",
            Self::Partitioner => "partitioner",
        }
    }
}

/// A keyword with one value.
#[derive(Clone, Debug)]
pub struct Property {
    /// Around it.
    pub margin: Margin,
    /// Which.
    pub kind: PropertyKind,
    /// Where the keyword stands.
    pub keyword: Span,
    /// The value.
    pub value: Name,
}

/// `options { gc_grace = 0s }`
#[derive(Clone, Debug)]
pub struct Options {
    /// Around it.
    pub margin: Margin,
    /// Where the keyword stands.
    pub keyword: Span,
    /// The settings.
    pub block: Block<Setting>,
}

/// `name = value`
#[derive(Clone, Debug)]
pub struct Setting {
    /// Around it.
    pub margin: Margin,
    /// What is set.
    pub name: Name,
    /// To what.
    pub value: Value,
}

/// The value of a setting.
#[derive(Clone, Debug)]
pub enum Value {
    /// A bare word.
    Word(Name),
    /// A number with its unit, as written.
    Number(Name),
    /// A text between quotes.
    Text(Name),
    /// `{ a = 1, "b" = c }`
    Map(Vec<(Name, Value)>, Span),
}

impl Value {
    /// Where it stands.
    pub fn span(&self) -> Span {
        match self {
            Self::Word(name) | Self::Number(name) | Self::Text(name) => name.span,
            Self::Map(_, span) => *span,
        }
    }
}

/// What a column is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Part of the partition key.
    Partition,
    /// Part of the clustering key.
    Clustering,
    /// One value per partition.
    Static,
    /// One value per row.
    Regular,
    /// Was a static or regular column; its name and number stay taken.
    Retired,
}

impl Role {
    /// All, in the order in which a table lists them.
    pub const ALL: [Self; 5] = [
        Self::Partition,
        Self::Clustering,
        Self::Static,
        Self::Regular,
        Self::Retired,
    ];

    /// The keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Partition => "partition",
            Self::Clustering => "clustering",
            Self::Static => "static",
            Self::Regular => "column",
            Self::Retired => "retired",
        }
    }

    /// Part of the primary key?
    pub fn is_key(self) -> bool {
        matches!(self, Self::Partition | Self::Clustering)
    }
}

/// Direction of a clustering column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// Around it.
    pub margin: Margin,
    /// What it is.
    pub role: Role,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
    /// `asc` or `desc`, if written.
    pub order: Option<(Order, Span)>,
    /// `@since(2)`
    pub attributes: Vec<Attribute>,
}

/// A type as written.
#[derive(Clone, Debug)]
pub struct TypeExpr {
    /// `list`, `uuid`, `TabletStage`
    pub name: Name,
    /// Between the angle brackets.
    pub arguments: Vec<TypeArgument>,
    /// The question mark.
    pub optional: Option<Span>,
    /// All of it, without the question mark.
    pub span: Span,
}

/// What stands between angle brackets.
#[derive(Clone, Debug)]
pub enum TypeArgument {
    /// A type.
    Type(TypeExpr),
    /// A number, as the dimensions of a vector.
    Number(Name),
}

/// A tuple or a user-defined type.
#[derive(Clone, Debug)]
pub struct Fields {
    /// Around it.
    pub margin: Margin,
    /// The keyspace, which a tuple has not.
    pub keyspace: Option<Name>,
    /// Its name.
    pub name: Name,
    /// The fields.
    pub block: Block<Field>,
}

/// `host_id uuid`
#[derive(Clone, Debug)]
pub struct Field {
    /// Around it.
    pub margin: Margin,
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
}

/// See [`Item::Enum`].
#[derive(Clone, Debug)]
pub struct Enum {
    /// Around it.
    pub margin: Margin,
    /// Its name.
    pub name: Name,
    /// The type in which its values are stored; `text` if not written.
    pub base: Option<Name>,
    /// The values.
    pub block: Block<EnumValue>,
}

/// `streaming`, `join_group0 = "join group0"`, `failed = 1`, `retired lost`
#[derive(Clone, Debug)]
pub struct EnumValue {
    /// Around it.
    pub margin: Margin,
    /// `retired` stands before it.
    pub retired: bool,
    /// Its name.
    pub name: Name,
    /// What is stored, if not its name.
    pub stored: Option<Value>,
}
