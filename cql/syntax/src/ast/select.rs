//! `SELECT`, and the relations that it shares with the other statements.

use super::{Expr, Marker, Name, QualifiedName, Using};
use crate::{Span, Spanned};

/// `SELECT ... FROM ...`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Select {
    /// `SELECT JSON`: one column with a JSON text.
    pub json: bool,
    /// `SELECT DISTINCT`: partitions instead of rows.
    pub distinct: bool,
    /// What is selected.
    pub selectors: Selectors,
    /// The table.
    pub from: QualifiedName,
    /// The relations, all of which must hold. Empty without `WHERE`.
    pub relations: Vec<Relation>,
    /// `GROUP BY`: columns or calls. Empty without it.
    pub group_by: Vec<Expr>,
    /// `ORDER BY`. Empty without it.
    pub order_by: Vec<OrderByColumn>,
    /// `PER PARTITION LIMIT`: an integer or a marker.
    pub per_partition_limit: Option<Expr>,
    /// `LIMIT`: an integer or a marker.
    pub limit: Option<Expr>,
    /// `ALLOW FILTERING`.
    pub allow_filtering: Option<Span>,
    /// `BYPASS CACHE`.
    pub bypass_cache: Option<Span>,
    /// `USING TIMEOUT`; no other parameter is accepted here.
    pub using: Using,
}

/// What a `SELECT` returns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Selectors {
    /// `*`
    All(Span),
    /// At least one selector.
    List(Vec<Selector>),
}

/// `expr [AS alias]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selector {
    /// What is selected.
    pub expr: Expr,
    /// The name of the column in the result.
    pub alias: Option<Name>,
}

/// One entry of `ORDER BY`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderByColumn {
    /// The column.
    pub column: Name,
    /// The order.
    pub by: OrderBy,
}

/// How rows are ordered by a column.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OrderBy {
    /// Smallest first; also what nothing means.
    Ascending,
    /// Largest first.
    Descending,
    /// `ANN OF v`: nearest to the vector `v` first.
    Nearest(Expr),
}

/// `left test`, such as `a = 1`, `(a, b) IN ?`, `token(pk) > 7`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Relation {
    /// What is tested.
    pub left: Left,
    /// How.
    pub test: Test,
    /// The whole relation.
    pub span: Span,
}

/// The left side of a [`Relation`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Left {
    /// `a`
    Column(Name),
    /// `(a, b)`
    Columns(Vec<Name>),
    /// `token(a, b)`
    Token(Vec<Name>),
    /// `a[k]`
    Element {
        /// The collection.
        column: Name,
        /// The key of the element.
        key: Expr,
    },
    /// `a.f`; in conditions (`IF`) only.
    Field {
        /// The column of a UDT.
        column: Name,
        /// The field.
        field: Name,
    },
    /// `expr(index, ...)`: a question that only this index understands; its test is [`Test::Matches`].
    Index(QualifiedName),
}

/// The operator and the right side of a [`Relation`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Test {
    /// `= v`, `< v` and the like.
    Compare(Spanned<Comparison>, Expr),
    /// `IN ...`
    In(InValues),
    /// `NOT IN ...`
    NotIn(InValues),
    /// `CONTAINS v`: an element of a list or set, a value of a map.
    Contains(Expr),
    /// `CONTAINS KEY k`
    ContainsKey(Expr),
    /// `NOT CONTAINS v`
    NotContains(Expr),
    /// `NOT CONTAINS KEY k`
    NotContainsKey(Expr),
    /// `LIKE 'pattern%'`
    Like(Expr),
    /// `BETWEEN low AND high`, both inclusive.
    Between(Expr, Expr),
    /// `IS NOT NULL`
    IsNotNull,
    /// `expr(index, v)`: the value that is given to the index.
    Matches(Expr),
}

/// The right side of `IN`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InValues {
    /// `(a, b)`; may be empty. A marker inside stands for one value.
    List(Vec<Expr>),
    /// A marker for the whole list.
    Marker(Marker),
}

/// The operators of [`Test::Compare`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each variant is named after its operator")]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// Its sign.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}
