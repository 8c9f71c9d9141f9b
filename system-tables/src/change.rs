//! What is to be written, and when.

use std::fmt;
use std::marker::PhantomData;

use cql_mutation::{CellRef, Deletion, Liveness, Mutation};
use cql_types::WriteTime;

use crate::error::TableError;
use crate::home::Home;

/// When something is written, and for how long.
///
/// Seconds of deletion and of expiry follow from the time of writing, so that a change is the same bytes wherever it
/// is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The time of writing.
    pub at: WriteTime,
    /// Seconds until the values expire, if not those of the table.
    pub ttl_s: Option<u32>,
}

impl Stamp {
    /// Written at `at`, for `ttl_s` seconds.
    #[must_use]
    pub const fn expiring(at: WriteTime, ttl_s: u32) -> Self {
        Self {
            at,
            ttl_s: Some(ttl_s),
        }
    }
}

impl From<WriteTime> for Stamp {
    fn from(at: WriteTime) -> Self {
        Self { at, ttl_s: None }
    }
}

/// A stamp as the cells of one table need it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    timestamp: i64,
    second: i64,
    ttl_s: u32,
}

impl Moment {
    pub(crate) fn new(table: &cql_schema::Table, stamp: Stamp) -> Self {
        let timestamp = stamp.at.0;
        let ttl_s = stamp.ttl_s.unwrap_or(table.options.default_time_to_live);
        Self {
            timestamp,
            second: timestamp.div_euclid(1_000_000),
            ttl_s,
        }
    }

    fn expires_at(self) -> i64 {
        self.second.saturating_add(i64::from(self.ttl_s))
    }

    pub(crate) fn cell(self, value: &[u8]) -> CellRef<'_> {
        match self.ttl_s {
            0 => CellRef::live(self.timestamp, value),
            ttl => CellRef::expiring(self.timestamp, ttl, self.expires_at(), value),
        }
    }

    pub(crate) fn tombstone(self) -> CellRef<'static> {
        CellRef::tombstone(self.timestamp, self.second)
    }

    pub(crate) fn liveness(self) -> Liveness {
        match self.ttl_s {
            0 => Liveness::lasting(self.timestamp),
            ttl => Liveness::expiring(self.timestamp, ttl, self.expires_at()),
        }
    }

    pub(crate) fn deletion(self) -> Deletion {
        Deletion {
            timestamp: self.timestamp,
            deleted_at: self.second,
        }
    }
}

/// Changes to tables of one home, at most one mutation for each partition.
///
/// What takes changes takes those of one home, so that agreed tables cannot be written by one node alone:
///
/// ```compile_fail,E0308
/// use cql_types::{Uuid, WriteTime};
/// use system_tables::{Change, Local, system::tablets};
///
/// fn write_locally(_change: Change<Local>) {}
///
/// let key = tablets::Key { table_id: Uuid::nil() };
/// write_locally(tablets::delete_partition(&key, WriteTime(1)));
/// ```
#[must_use = "a change does nothing until it is applied or committed"]
pub struct Change<H> {
    mutations: Vec<Mutation>,
    /// The first mistake; it comes out when the change is used.
    error: Option<TableError>,
    home: PhantomData<H>,
}

impl<H: Home> Change<H> {
    /// Nothing.
    pub const fn new() -> Self {
        Self {
            mutations: Vec::new(),
            error: None,
            home: PhantomData,
        }
    }

    pub(crate) fn of(result: Result<Mutation, TableError>) -> Self {
        match result {
            Ok(mutation) => Self {
                mutations: vec![mutation],
                error: None,
                home: PhantomData,
            },
            Err(error) => Self {
                mutations: Vec::new(),
                error: Some(error),
                home: PhantomData,
            },
        }
    }

    /// Adds another change; changes of one partition become one mutation.
    ///
    /// Costs a look at each mutation for each one added, which suits the few partitions of a command; rows of one
    /// partition are merged in one pass.
    pub fn add(&mut self, other: Self) -> &mut Self {
        self.error = self.error.take().or(other.error);
        for mutation in other.mutations {
            let same =
                |known: &&mut Mutation| known.table == mutation.table && known.key == mutation.key;
            match self.mutations.iter_mut().find(same) {
                Some(known) => {
                    let update = std::mem::take(&mut known.update);
                    known.update = update.merge(mutation.update);
                }
                None => self.mutations.push(mutation),
            }
        }
        self
    }

    /// This change and another.
    pub fn and(mut self, other: Self) -> Self {
        self.add(other);
        self
    }

    /// Does it change nothing? A change with a mistake in it is not empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.error.is_none()
            && self
                .mutations
                .iter()
                .all(|mutation| mutation.update.is_empty())
    }

    /// The mutations.
    ///
    /// # Errors
    /// [`TableFailure::Key`](crate::error::TableFailure::Key) or [`TableFailure::Value`](crate::error::TableFailure::Value): a key or value that cannot be stored; all or nothing.
    pub fn into_mutations(self) -> Result<Vec<Mutation>, TableError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(self.mutations),
        }
    }
}

impl<H: Home> Default for Change<H> {
    fn default() -> Self {
        Self::new()
    }
}

impl<H: Home> fmt::Debug for Change<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change")
            .field("home", &H::KIND)
            .field("mutations", &self.mutations)
            .field("error", &self.error)
            .finish()
    }
}

impl<H: Home> Extend<Self> for Change<H> {
    fn extend<I: IntoIterator<Item = Self>>(&mut self, changes: I) {
        for change in changes {
            self.add(change);
        }
    }
}

impl<H: Home> FromIterator<Self> for Change<H> {
    fn from_iter<I: IntoIterator<Item = Self>>(changes: I) -> Self {
        let mut all = Self::new();
        all.extend(changes);
        all
    }
}
