//! Terms and selectors.

use super::{commas, in_parens, print_string, separated};
use crate::Spanned;
use crate::ast::{Expr, ExprKind, Literal};
use std::fmt::{self, Display, Formatter, Write as _};

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(text) | Self::Float(text) | Self::Uuid(text) | Self::Duration(text) => {
                f.write_str(text)
            }
            Self::String(text) => print_string(text, f),
            Self::Blob(digits) => write!(f, "0x{digits}"),
        }
    }
}

/// `{a: 1, ...}` of constants.
pub(super) fn literal_map(
    f: &mut Formatter<'_>,
    entries: &[(Spanned<Literal>, Spanned<Literal>)],
) -> fmt::Result {
    f.write_char('{')?;
    separated(f, ", ", entries, |(key, value), f| {
        write!(f, "{}: {}", key.node, value.node)
    })?;
    f.write_char('}')
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Literal(literal) => literal.fmt(f),
            ExprKind::Marker(marker) => marker.fmt(f),
            ExprKind::List(elements) => {
                f.write_char('[')?;
                commas(f, elements)?;
                f.write_char(']')
            }
            ExprKind::Set(elements) => {
                f.write_char('{')?;
                commas(f, elements)?;
                f.write_char('}')
            }
            ExprKind::Map(entries) => {
                f.write_char('{')?;
                separated(f, ", ", entries, |(key, value), f| {
                    write!(f, "{key}: {value}")
                })?;
                f.write_char('}')
            }
            ExprKind::Udt(fields) => {
                f.write_char('{')?;
                separated(f, ", ", fields, |(name, value), f| {
                    write!(f, "{name}: {value}")
                })?;
                f.write_char('}')
            }
            ExprKind::Tuple(elements) => in_parens(f, elements),
            ExprKind::Call {
                function,
                arguments,
            } => {
                function.fmt(f)?;
                in_parens(f, arguments)
            }
            ExprKind::CountRows => f.write_str("count(*)"),
            ExprKind::Token(of) => {
                f.write_str("token")?;
                in_parens(f, of)
            }
            ExprKind::CellFact { fact, of } => write!(f, "{}({of})", fact.name()),
            ExprKind::Cast { value, to } => write!(f, "CAST({value} AS {to})"),
            ExprKind::TypeHint { ty, value } => write!(f, "({ty}) {value}"),
            ExprKind::Binary { op, left, right } => {
                write!(f, "{left} {} {right}", op.node.symbol())
            }
            // Two minus signs in a row would start a comment.
            ExprKind::Negate(negated) => write!(f, "- {negated}"),
            ExprKind::Column(column) => column.fmt(f),
            ExprKind::Field { base, field } => write!(f, "{base}.{field}"),
            ExprKind::Element { base, key } => write!(f, "{base}[{key}]"),
            ExprKind::Slice { base, from, to } => {
                write!(f, "{base}[")?;
                if let Some(from) = from {
                    from.fmt(f)?;
                }
                // A space, for `1...` would be read as `1. ..`.
                f.write_str(" .. ")?;
                if let Some(to) = to {
                    to.fmt(f)?;
                }
                f.write_char(']')
            }
        }
    }
}
