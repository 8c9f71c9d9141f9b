//! Metrics for Prometheus: a table of numbers of a [`NodeStatus`](crate::NodeStatus), written as OpenMetrics text.
//!
//! A scrape asks the node once for its status and writes every line of the table from it; between scrapes nothing is kept.
//! Names that start with `scylla_` are the ecosystem's, ours start with `messina_`; what each counts is said in the table.
//!
//! OpenMetrics wants the names of counters to end with `_total`, which many of the ecosystem's do not.
//! Those keep their name and are written with the type `unknown`; they count up all the same, and `rate()` works on them.

mod ecosystem;
mod ours;
mod page;
mod table;

pub use page::{metrics_router, metrics_text};
pub use table::metrics_markdown;
