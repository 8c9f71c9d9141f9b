//! Spaces: prefixes of the key, each the local incarnation of a table or of a tablet's data.

use cql_types::Token;

/// The number of a space. Handed out once and never again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Space(pub u32);

impl Space {
    /// The entries of the store itself.
    pub const STORE: Self = Self(0);
    /// The first number that is handed out; those below are fixed, for tables that every node has.
    pub const FIRST_DYNAMIC: Self = Self(1024);
    /// The clean-up index.
    pub const CLEANUP: Self = Self(u32::MAX);

    /// Whether rows may be written to it.
    #[must_use]
    pub const fn is_for_data(self) -> bool {
        self.0 != Self::STORE.0 && self.0 != Self::CLEANUP.0
    }
}

impl std::fmt::Display for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "space {}", self.0)
    }
}

/// Tokens from `first` to `last`, both included, of a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpaceRange {
    /// The space.
    pub space: Space,
    /// The first token.
    pub first: Token,
    /// The last token.
    pub last: Token,
}

impl SpaceRange {
    /// The whole space.
    #[must_use]
    pub const fn whole(space: Space) -> Self {
        Self {
            space,
            first: Token::MIN,
            last: Token::MAX,
        }
    }

    /// Whether a place lies in it.
    #[must_use]
    pub fn contains(&self, space: Space, token: Token) -> bool {
        self.space == space && self.first <= token && token <= self.last
    }
}
