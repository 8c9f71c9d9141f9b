//! What can be wrong with a message.

use std::borrow::Cow;
use std::fmt;

use crate::response::ErrorCode;

/// Bytes that are no message, or a message against the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProtocolError {
    /// The body ends before an item does.
    Truncated {
        /// The item.
        what: &'static str,
        /// Where it begins, in bytes from the start of the body.
        at: usize,
        /// Bytes it should have.
        needed: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// A length or count that cannot be.
    Length {
        /// The item.
        what: &'static str,
        /// Where it begins.
        at: usize,
        /// The length.
        length: i64,
    },
    /// Text that is not UTF-8.
    Utf8 {
        /// The item.
        what: &'static str,
        /// Where it begins.
        at: usize,
    },
    /// A code or word that is not one of those known.
    Unknown {
        /// What the code stands for.
        what: &'static str,
        /// Where it is.
        at: usize,
        /// The code or word.
        found: String,
    },
    /// A message against the rules of the protocol.
    Rule(Cow<'static, str>),
    /// A message that is well formed and asks for something that makes no sense; answered with `INVALID`.
    Invalid(Cow<'static, str>),
}

impl ProtocolError {
    /// The error code that the client gets.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Truncated { .. }
            | Self::Length { .. }
            | Self::Utf8 { .. }
            | Self::Unknown { .. }
            | Self::Rule(_) => ErrorCode::ProtocolError,
            Self::Invalid(_) => ErrorCode::Invalid,
        }
    }

    #[cold]
    pub(crate) fn unknown(what: &'static str, at: usize, found: impl fmt::Display) -> Self {
        Self::Unknown {
            what,
            at,
            found: found.to_string(),
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated {
                what,
                at,
                needed,
                left,
            } => write!(
                f,
                "Malformed message: {what} at byte {at} needs {needed} bytes, but only {left} are left"
            ),
            Self::Length { what, at, length } => {
                write!(
                    f,
                    "Malformed message: {what} at byte {at} has the impossible length {length}"
                )
            }
            Self::Utf8 { what, at } => {
                write!(f, "Malformed message: {what} at byte {at} is not UTF-8")
            }
            Self::Unknown { what, at, found } => write!(f, "Unknown {what} {found} at byte {at}"),
            Self::Rule(reason) | Self::Invalid(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for ProtocolError {}
