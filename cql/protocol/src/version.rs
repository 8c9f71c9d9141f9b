//! Versions of the protocol.

use std::fmt;

/// A version that this crate speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// Version 3.
    V3,
    /// Version 4.
    V4,
}

impl Version {
    /// The lowest.
    pub const LOWEST: Self = Self::V3;
    /// The greatest; what frames are written in while a connection has none.
    pub const GREATEST: Self = Self::V4;

    /// The number.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::V3 => 3,
            Self::V4 => 4,
        }
    }

    /// The version with that number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            3 => Some(Self::V3),
            4 => Some(Self::V4),
            _ => None,
        }
    }

    /// Whether values may be unset, and responses carry warnings and payloads.
    pub(crate) fn has_v4(self) -> bool {
        self >= Self::V4
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{0}/v{0}", self.number())
    }
}
