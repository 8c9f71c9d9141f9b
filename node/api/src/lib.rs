//! REST, metrics and the status page.
//!
//! ```text
//!  operators ── HTTP ──► serve ──► router ────────► table of endpoints ──► Operator, LogLevels, Injections
//!  Prometheus ─ HTTP ──► serve ──► metrics_router ► table of metrics ────► NodeStatus
//! ```
//!
//! The node is behind [`Operator`], which the server implements; this crate knows no other part of it.
//! One [`NodeStatus`] feeds the status page, its JSON and the metrics, so they never disagree.
//! Both routers are plain values that can be called in memory. They hold nothing but permits: every answer is made anew.
//!
//! Everything has a bound: connections, requests at a time, the size of heads and bodies, the time for an answer.
//! A request with an `Origin` header changes nothing, so a web page cannot use its reader's browser to administrate a node.
//! There is no other protection: whoever reaches the address can administrate the node.
//!
//! Invariant: futures here are `Send`, because axum wants it, but run on the control thread; they never wait for user data
//! longer than [`Limits`] says.

mod error;
mod metrics;
mod operator;
mod process;
mod rest;
mod serve;
mod status;

pub use metrics::{metrics_markdown, metrics_router, metrics_text};
pub use operator::{
    Endpoint, Identity, Keyspace, KeyspaceOwner, Liveness, LogLevel, LogLevels, Loggers, Operator,
    OperatorError, OptionKind, OptionRow, Placement, Target, UnknownLogger,
};
pub use rest::{Limits, Services, endpoints_markdown, router};
pub use serve::serve;
pub use status::{
    EngineHealth, EngineStatus, Group0State, LogStatus, MergerStatus, Mode, NodeStatus,
    ProcessStatus, ReplayStatus, RequestStatus, SchemaStatus, ShardStatus, StatementStatus,
    StorageStatus, StoreStatus,
};
