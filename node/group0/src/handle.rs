//! How the rest of the node asks for agreed changes.

use std::fmt;
use std::time::Duration;

use cql_schema::{Change, SchemaChange, SchemaError};
use cql_types::TableId;
use node_env::Deadline;
use tokio::sync::{mpsc, oneshot};

/// Changes that may wait. Beyond this, those who ask wait within their own deadline.
const QUEUE_MAX: usize = 256;

/// What a change has brought.
#[derive(Debug, Clone, Default)]
pub struct Agreed {
    /// What clients are told; empty if there was nothing to change.
    pub events: Vec<SchemaChange>,
    /// What the client that asked is told besides.
    pub warnings: Vec<String>,
}

/// Why a change was not agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Group0Error {
    /// The change makes no sense with the schema; nothing was changed.
    Schema(SchemaError),
    /// Others changed the same things each time it was tried; nothing was changed.
    ConcurrentModification {
        /// How often it was tried.
        attempts: u32,
    },
    /// No agreement in time; it may yet come.
    Timeout {
        /// Who did not answer, if that is known.
        why: String,
    },
    /// This node cannot change agreed tables until it is started again.
    Failed {
        /// What has failed.
        why: String,
    },
    /// The node stops.
    Stopping,
}

impl fmt::Display for Group0Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema(error) => error.fmt(f),
            Self::ConcurrentModification { attempts } => write!(
                f,
                "Failed to apply group 0 change due to concurrent modification, {attempts} times; try again"
            ),
            Self::Timeout { why } => write!(f, "{why}; the change may yet be applied"),
            Self::Failed { why } => write!(
                f,
                "the agreed log of this node has failed: {why}; restart the node"
            ),
            Self::Stopping => f.write_str("the node is shutting down"),
        }
    }
}

impl std::error::Error for Group0Error {}

/// What is asked of the control task.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) wanted: Wanted,
    pub(crate) description: String,
    pub(crate) deadline: Deadline,
    pub(crate) reply: oneshot::Sender<Result<Agreed, Group0Error>>,
}

/// The kinds of changes.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    /// Of the schema.
    Schema(Box<Change>),
    /// All rows of a table go.
    Truncate(TableId),
    /// The tablets are dealt to the shards of this start.
    Redeal,
}

/// How long whoever asks for a change waits for it.
#[derive(Debug, Clone, Copy)]
pub struct ChangeTimeouts {
    /// Of the schema, and of tablets at a start.
    pub change: Duration,
    /// For a truncation.
    pub truncate: Duration,
}

/// Asks for agreed changes; clones ask the same control task.
#[derive(Debug, Clone)]
pub struct Group0Handle {
    queue: mpsc::Sender<Request>,
    timeouts: ChangeTimeouts,
}

impl Group0Handle {
    /// A handle, and the queue that the control task serves.
    pub(crate) fn new(timeouts: ChangeTimeouts) -> (Self, mpsc::Receiver<Request>) {
        let (queue, requests) = mpsc::channel(QUEUE_MAX);
        (Self { queue, timeouts }, requests)
    }

    /// Changes the schema; when it returns, every shard of this node has the new state.
    ///
    /// # Errors
    /// [`Group0Error`].
    ///
    /// # Cancel safety
    /// Dropping it leaves the outcome unknown.
    pub async fn change_schema(
        &self,
        change: Change,
        description: &str,
    ) -> Result<Agreed, Group0Error> {
        let wanted = Wanted::Schema(Box::new(change));
        self.ask(wanted, description, self.timeouts.change).await
    }

    /// Removes all rows of a table that were written before.
    ///
    /// # Errors
    /// [`Group0Error`].
    ///
    /// # Cancel safety
    /// Dropping it leaves the outcome unknown.
    pub async fn truncate(&self, table: TableId, description: &str) -> Result<Agreed, Group0Error> {
        self.ask(Wanted::Truncate(table), description, self.timeouts.truncate)
            .await
    }

    async fn ask(
        &self,
        wanted: Wanted,
        description: &str,
        timeout: Duration,
    ) -> Result<Agreed, Group0Error> {
        let deadline = Deadline::after(timeout);
        let (reply, answer) = oneshot::channel();
        let request = Request {
            wanted,
            description: description.to_owned(),
            deadline,
            reply,
        };
        let asked = async {
            self.queue
                .send(request)
                .await
                .map_err(|_| Group0Error::Stopping)?;
            answer.await.unwrap_or(Err(Group0Error::Stopping))
        };
        deadline.run(asked).await.unwrap_or_else(|_| {
            Err(Group0Error::Timeout {
                why: format!("no agreement within {} ms", timeout.as_millis()),
            })
        })
    }
}
