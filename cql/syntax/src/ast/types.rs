//! The names of types.

use super::QualifiedName;
use crate::{Span, Spanned};
use std::fmt;

/// A type as it is written in a statement.
#[derive(Clone, PartialEq, Eq)]
pub struct TypeName {
    /// Which type.
    pub kind: TypeNameKind,
    /// Where it stands.
    pub span: Span,
}

impl fmt::Debug for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}@{:?}", self.kind, self.span)
    }
}

/// The kinds of [`TypeName`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TypeNameKind {
    /// A native type when it has neither keyspace nor quotes and such a type exists, else a UDT.
    Named(QualifiedName),
    /// `list<t>`
    List(Box<TypeName>),
    /// `set<t>`
    Set(Box<TypeName>),
    /// `map<k, v>`
    Map(Box<TypeName>, Box<TypeName>),
    /// `tuple<a, b>`
    Tuple(Vec<TypeName>),
    /// `vector<t, n>`
    Vector {
        /// The type of an element.
        element: Box<TypeName>,
        /// The number of elements; not checked against any limit.
        dimensions: Spanned<u32>,
    },
    /// `frozen<t>`
    Frozen(Box<TypeName>),
    /// `'org.example.SomeType'`: a type by the name of its class.
    Custom(Box<str>),
}
