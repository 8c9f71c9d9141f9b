//! Why a value is not one of its type.

use std::borrow::Cow;
use std::fmt;

/// Why bytes or text are not a value of a type. Shown to clients as INVALID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueError {
    /// A length that values of the type do not have.
    WrongLength {
        /// The type's CQL name.
        ty: &'static str,
        /// Bytes of a value that is not empty.
        len: usize,
        /// Whether no bytes at all would do too.
        empty_is_legal: bool,
        /// Bytes found.
        found: usize,
    },
    /// The bytes break a rule of the type.
    Invalid {
        /// The type's CQL name without parameters, as `text` or `list`.
        ty: &'static str,
        /// The rule that is broken.
        what: &'static str,
    },
    /// Text that is not a constant of the type.
    Text {
        /// The type's CQL name.
        ty: &'static str,
        /// The text, shortened.
        text: String,
        /// What was expected.
        what: Cow<'static, str>,
    },
    /// A [`Value`](crate::Value) or a text for a type of another shape.
    WrongKind {
        /// The type's CQL name without parameters.
        expected: &'static str,
        /// The kind found.
        found: &'static str,
    },
}

impl ValueError {
    pub(crate) const fn invalid(ty: &'static str, what: &'static str) -> Self {
        Self::Invalid { ty, what }
    }

    pub(crate) fn text(ty: &'static str, text: &str, what: impl Into<Cow<'static, str>>) -> Self {
        const SHOWN: usize = 64;
        let mut shown: String = text.chars().take(SHOWN).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        Self::Text {
            ty,
            text: shown,
            what: what.into(),
        }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongLength {
                ty,
                len,
                empty_is_legal,
                found,
            } => {
                let or_none = if *empty_is_legal { " or 0" } else { "" };
                write!(f, "Expected {len}{or_none} byte {ty} ({found})")
            }
            Self::Invalid { ty, what } => write!(f, "Invalid {ty}: {what}"),
            Self::Text { ty, text, what } => {
                write!(f, "Unable to make {ty} from '{text}': {what}")
            }
            Self::WrongKind { expected, found } => {
                write!(
                    f,
                    "Expected a value of type {expected}, got one of type {found}"
                )
            }
        }
    }
}

impl std::error::Error for ValueError {}
