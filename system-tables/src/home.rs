//! Where tables live, as types.

use std::fmt;

/// Where a table lives, which decides who may write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HomeKind {
    /// On each node, with content of its own; the node writes it.
    Local,
    /// On each shard of each node; the shard writes it.
    ShardLocal,
    /// On each node, with content that all agree on; only committed commands of group 0 write it.
    Group0,
    /// In a replicated keyspace; a coordinator writes it.
    Distributed,
    /// Nowhere; rows are made when a client reads them.
    Virtual,
}

impl fmt::Display for HomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "local",
            Self::ShardLocal => "shard_local",
            Self::Group0 => "group0",
            Self::Distributed => "distributed",
            Self::Virtual => "virtual",
        })
    }
}

/// A home as a type: the parameter of [`Table`](crate::Table) and [`Change`](crate::Change).
pub trait Home: sealed::Sealed + Copy + fmt::Debug + Send + Sync + 'static {
    /// The same as a value.
    const KIND: HomeKind;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! homes {
    ($($(#[$doc:meta])* $name:ident)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub enum $name {}

            impl sealed::Sealed for $name {}

            impl Home for $name {
                const KIND: HomeKind = HomeKind::$name;
            }
        )*
    };
}

homes! {
    /// See [`HomeKind::Local`].
    Local
    /// See [`HomeKind::ShardLocal`].
    ShardLocal
    /// See [`HomeKind::Group0`].
    Group0
    /// See [`HomeKind::Distributed`].
    Distributed
    /// See [`HomeKind::Virtual`].
    Virtual
}
