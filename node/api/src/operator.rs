//! What REST and metrics ask of the node. The server implements it; tests have a fake.
//!
//! Short questions are answered at once from what the node publishes anyway.
//! Those that need the shards return a future, which may be dropped when its asker's patience ends.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Serialize;

use crate::status::{Mode, NodeStatus};

/// The node as its operators see it.
pub trait Operator: Send + Sync + 'static {
    /// What the node is doing.
    fn mode(&self) -> Mode;

    /// Time since the process started.
    fn uptime(&self) -> Duration;

    /// Whether it listens for drivers.
    fn native_transport(&self) -> bool;

    /// Who this node is.
    ///
    /// # Errors
    /// [`OperatorError::Starting`] until there is a cluster.
    fn identity(&self) -> Result<Identity, OperatorError>;

    /// All nodes that it knows, itself first.
    ///
    /// # Errors
    /// [`OperatorError::Starting`] until there is a cluster.
    fn endpoints(&self) -> Result<Vec<Endpoint>, OperatorError>;

    /// Keyspaces by name, the node's own included.
    ///
    /// # Errors
    /// [`OperatorError::Starting`] until there is a cluster.
    fn keyspaces(&self) -> Result<Vec<Keyspace>, OperatorError>;

    /// The options that it runs with, by name.
    fn options(&self) -> Vec<OptionRow>;

    /// Asks every subsystem how it is doing.
    fn status(&self) -> BoxFuture<'static, NodeStatus>;

    /// Brings everything that the memtables hold of the target at this moment into the engine.
    ///
    /// The work goes on if the future is dropped.
    ///
    /// # Errors
    /// [`OperatorError`].
    fn flush(&self, target: Target) -> BoxFuture<'static, Result<(), OperatorError>>;

    /// Flushes the target, then merges its data until every key is stored once.
    ///
    /// The work goes on if the future is dropped.
    ///
    /// # Errors
    /// [`OperatorError`].
    fn compact(&self, target: Target) -> BoxFuture<'static, Result<(), OperatorError>>;
}

/// What to flush or compact. The names exist, or existed a moment ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Everything on the node.
    Node,
    /// All tables of a keyspace.
    Keyspace(String),
    /// Some tables of a keyspace; never none.
    Tables {
        /// The keyspace.
        keyspace: String,
        /// The tables.
        tables: Vec<String>,
    },
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node => f.write_str("the node"),
            Self::Keyspace(keyspace) => write!(f, "keyspace {keyspace}"),
            Self::Tables { keyspace, tables } => write!(f, "{keyspace}.({})", tables.join(", ")),
        }
    }
}

/// Who a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its id, a UUID.
    pub host_id: String,
    /// The cluster's name.
    pub cluster_name: String,
    /// The version that drivers are told to be compatible with, as in `system.local`.
    pub release_version: String,
    /// The version of this program.
    pub program_version: String,
    /// The version of the schema, a UUID.
    pub schema_version: String,
    /// The partitioner's class name, as drivers know it.
    pub partitioner: String,
    /// How places are known: the snitch's class name.
    pub snitch: String,
    /// The address that other nodes know.
    pub address: IpAddr,
    /// Where drivers connect.
    pub native: (IpAddr, u16),
    /// Its tokens, as in `system.local`.
    pub tokens: Vec<i64>,
}

/// A node of the cluster, as this one sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The address that nodes know.
    pub address: IpAddr,
    /// Its id, a UUID.
    pub host_id: String,
    /// Its data center.
    pub data_center: String,
    /// Its rack.
    pub rack: String,
    /// Whether it answers.
    pub liveness: Liveness,
}

/// Whether a node answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It does.
    Up,
    /// It does not.
    Down,
}

/// A keyspace and its tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyspace {
    /// Its name.
    pub name: String,
    /// Whose it is.
    pub owner: KeyspaceOwner,
    /// Where its data is.
    pub placement: Placement,
    /// Its tables by name.
    pub tables: Vec<String>,
}

/// Whose a keyspace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyspaceOwner {
    /// The database's.
    System,
    /// A user's.
    User,
}

/// Where the data of a keyspace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// Each node has its own.
    Local,
    /// All nodes have the same.
    Everywhere,
    /// In tablets, each on some nodes.
    Tablets,
}

/// An option as the node runs with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionRow {
    /// Its name, as in the options file.
    pub name: String,
    /// The value, as it would be written; empty if it follows from other options.
    pub value: String,
    /// What the value is.
    pub kind: OptionKind,
    /// Where it came from: `default`, `yaml`, `env` or `cli`.
    pub source: String,
    /// What it means.
    pub doc: String,
}

/// What the value of an option is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// A whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// Anything else.
    Text,
}

/// Why the node did not do what an operator asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorError {
    /// It boots and does not know yet.
    Starting,
    /// It is shutting down.
    Stopping,
    /// The keyspace was dropped meanwhile, or never was.
    UnknownKeyspace(String),
    /// The table was dropped meanwhile, or never was.
    UnknownTable {
        /// The keyspace.
        keyspace: String,
        /// The table.
        table: String,
    },
    /// It was tried and failed.
    Failed {
        /// What failed, and what to do.
        why: String,
    },
}

impl fmt::Display for OperatorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Starting => f.write_str("the node is starting; try again in a moment"),
            Self::Stopping => f.write_str("the node is shutting down"),
            Self::UnknownKeyspace(keyspace) => write!(f, "there is no keyspace `{keyspace}`"),
            Self::UnknownTable { keyspace, table } => {
                write!(f, "there is no table `{table}` in keyspace `{keyspace}`")
            }
            Self::Failed { why } => f.write_str(why),
        }
    }
}

impl std::error::Error for OperatorError {}

/// The levels of the node's loggers, changed while it runs.
pub trait LogLevels: Send + Sync + 'static {
    /// Every logger and its level.
    fn levels(&self) -> BTreeMap<String, LogLevel>;

    /// Changes some loggers at once.
    ///
    /// # Errors
    /// [`UnknownLogger`]; nothing is changed then.
    fn set(&self, which: Loggers<'_>, level: LogLevel) -> Result<(), UnknownLogger>;
}

/// Which loggers to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loggers<'a> {
    /// All of them, and the level of those that come later.
    All,
    /// One.
    One(&'a str),
}

/// There is no logger of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLogger {
    /// What was asked for.
    pub name: String,
}

impl fmt::Display for UnknownLogger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no logger `{}`", self.name)
    }
}

impl std::error::Error for UnknownLogger {}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What failed.
    Error,
    /// And what may fail soon.
    Warn,
    /// And what an operator wants to know.
    Info,
    /// And what someone who looks for a mistake wants to know.
    Debug,
    /// And every step.
    Trace,
}

impl FromStr for LogLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "error" => Ok(Self::Error),
            "warn" => Ok(Self::Warn),
            "info" => Ok(Self::Info),
            "debug" => Ok(Self::Debug),
            "trace" => Ok(Self::Trace),
            other => Err(format!(
                "`{other}` is not a level; write error, warn, info, debug or trace"
            )),
        }
    }
}
