//! Terms and selectors: everything that has a value.

use super::{Marker, Name, QualifiedName, TypeName};
use crate::{Span, Spanned};
use std::fmt;

/// A term (in `VALUES`, `SET`, `WHERE`) or a selector (behind `SELECT`).
///
/// One tree for both; the grammar lets columns, elements, slices and fields into selectors only.
#[derive(Clone, PartialEq, Eq)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{:?}", self.kind, self.span)
    }
}

/// The kinds of [`Expr`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExprKind {
    /// A constant.
    Literal(Literal),
    /// `?` or `:name`.
    Marker(Marker),
    /// `[a, b]`: a list or a vector.
    List(Vec<Expr>),
    /// `{a, b}`, and `{}`, which is an empty set, map or UDT as its receiver wants.
    Set(Vec<Expr>),
    /// `{k: v}` with at least one entry, in the order of the text.
    Map(Vec<(Expr, Expr)>),
    /// `{field: v}` with at least one field, in the order of the text.
    Udt(Vec<(Name, Expr)>),
    /// `(a, b)`. With one element it is a tuple of one or a mere grouping, as its place wants.
    Tuple(Vec<Expr>),
    /// `f(a, b)`, `ks.f(a)`.
    Call {
        /// The function.
        function: QualifiedName,
        /// What it is called with.
        arguments: Vec<Expr>,
    },
    /// `count(*)` or `count(1)`.
    CountRows,
    /// `token(a, b)`.
    Token(Vec<Expr>),
    /// `writetime(c)`, `maxwritetime(c)`, `ttl(c)`.
    CellFact {
        /// Which fact.
        fact: CellFact,
        /// The column, field or element.
        of: Box<Expr>,
    },
    /// `CAST(x AS t)`.
    Cast {
        /// What is converted.
        value: Box<Expr>,
        /// The type it is converted to.
        to: TypeName,
    },
    /// `(t) x`: says which type a term has, converts nothing.
    TypeHint {
        /// The type.
        ty: TypeName,
        /// The term.
        value: Box<Expr>,
    },
    /// `a + b` and the like.
    Binary {
        /// The operator.
        op: Spanned<ArithmeticOp>,
        /// What stands before it.
        left: Box<Expr>,
        /// What stands behind it.
        right: Box<Expr>,
    },
    /// `-x`, where `x` is not a number or duration (their sign is part of the literal).
    Negate(Box<Expr>),
    /// A column. Selectors only.
    Column(Name),
    /// `a.f`. Selectors only.
    Field {
        /// A column, or a field of one.
        base: Box<Expr>,
        /// The field.
        field: Name,
    },
    /// `c[k]`. Selectors only.
    Element {
        /// The collection.
        base: Box<Expr>,
        /// The key of the element.
        key: Box<Expr>,
    },
    /// `c[from..to]`, both ends optional and inclusive. Selectors only.
    Slice {
        /// The collection.
        base: Box<Expr>,
        /// The first key.
        from: Option<Box<Expr>>,
        /// The last key.
        to: Option<Box<Expr>>,
    },
}

/// A constant, as text: a number or duration keeps its sign and digits as they were written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Literal {
    /// `null`.
    Null,
    /// `true`, `false`.
    Boolean(bool),
    /// Decimal digits, perhaps behind a minus sign; of any length.
    Integer(Box<str>),
    /// Digits with a point or an exponent, or `NaN`, `Infinity` in this spelling; perhaps behind a minus sign.
    Float(Box<str>),
    /// The content of `'...'` or `$$...$$`, without quotes and doubled quotes.
    String(Box<str>),
    /// 36 characters, in lower case.
    Uuid(Box<str>),
    /// The hexadecimal digits behind `0x`, as written; perhaps an odd number, perhaps none.
    Blob(Box<str>),
    /// `1y2mo`, `P1Y2M`, `P0001-02-03T04:05:06` as written, perhaps behind a minus sign.
    Duration(Box<str>),
}

impl Literal {
    /// What it is, for messages: "an integer".
    #[must_use]
    pub const fn describe(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a floating-point number",
            Self::String(_) => "a string",
            Self::Uuid(_) => "a uuid",
            Self::Blob(_) => "a blob",
            Self::Duration(_) => "a duration",
        }
    }
}

/// What a selector can ask of a cell besides its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CellFact {
    /// `writetime(c)`: microseconds since the epoch.
    WriteTime,
    /// `maxwritetime(c)`: the largest write time of a collection.
    MaxWriteTime,
    /// `ttl(c)`: seconds left.
    Ttl,
}

impl CellFact {
    /// The name of its function.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WriteTime => "writetime",
            Self::MaxWriteTime => "maxwritetime",
            Self::Ttl => "ttl",
        }
    }
}

/// An operator between two terms. `*`, `/` and `%` bind closer; all of them to the left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each variant is named after its operator")]
pub enum ArithmeticOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl ArithmeticOp {
    /// Its sign.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}
