//! The table of metrics.

use std::fmt::Write;

use super::{ecosystem, ours};
use crate::status::{NodeStatus, ShardStatus};

/// One metric.
pub(super) struct Metric {
    /// As in the text, but for the `_total` of counters.
    pub(super) name: &'static str,
    /// With its unit, where it has one.
    pub(super) help: &'static str,
    pub(super) kind: Kind,
    pub(super) read: Read,
}

/// How a metric moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It counts up while the process runs; `_total` is added to its name.
    Counter,
    /// It counts up as well, under a name that is not ours to change.
    NamedCounter,
    /// It goes up and down.
    Gauge,
}

/// Where a metric comes from.
pub(super) enum Read {
    /// A number of each shard, with the label `shard`.
    Shard(fn(&ShardStatus) -> u64),
    /// A number of the node.
    Node(fn(&NodeStatus) -> u64),
    /// A number of the node that may be unknown, and a fraction.
    Fraction(fn(&NodeStatus) -> Option<f64>),
}

pub(super) const fn shard(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    read: fn(&ShardStatus) -> u64,
) -> Metric {
    Metric {
        name,
        help,
        kind,
        read: Read::Shard(read),
    }
}

pub(super) const fn node(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    read: fn(&NodeStatus) -> u64,
) -> Metric {
    Metric {
        name,
        help,
        kind,
        read: Read::Node(read),
    }
}

pub(super) const fn fraction(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    read: fn(&NodeStatus) -> Option<f64>,
) -> Metric {
    Metric {
        name,
        help,
        kind,
        read: Read::Fraction(read),
    }
}

/// Every metric, those of the ecosystem first.
pub(super) fn all() -> impl Iterator<Item = &'static Metric> {
    [ecosystem::METRICS, ours::SHARDS, ours::NODE]
        .into_iter()
        .flatten()
}

impl Metric {
    /// The name of its samples.
    pub(super) fn sample_name(&self) -> String {
        match self.kind {
            Kind::Counter => format!("{}_total", self.name),
            Kind::NamedCounter | Kind::Gauge => self.name.to_owned(),
        }
    }
}

/// The table as Markdown, for the page in `docs/`.
#[must_use]
pub fn metrics_markdown() -> String {
    let mut text = String::from("| metric | per | moves | what it is |\n|---|---|---|---|\n");
    for metric in all() {
        let per = match metric.read {
            Read::Shard(_) => "shard",
            Read::Node(_) | Read::Fraction(_) => "node",
        };
        let moves = match metric.kind {
            Kind::Counter | Kind::NamedCounter => "up",
            Kind::Gauge => "both ways",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| `{}` | {per} | {moves} | {} |",
            metric.sample_name(),
            metric.help
        );
    }
    text
}
