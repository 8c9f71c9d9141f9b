//! Metrics under names of the ecosystem; only where ours count what the name says.

use super::table::Kind::{Counter, Gauge, NamedCounter};
use super::table::{Metric, node, shard};

/// Those of shards, then those of the node.
pub(super) const METRICS: &[Metric] = &[
    shard(
        "scylla_transport_current_connections",
        Gauge,
        "Connections of drivers open now",
        |s| s.requests.connections,
    ),
    shard(
        "scylla_transport_requests_serving",
        Gauge,
        "Requests that are being worked on",
        |s| s.requests.serving,
    ),
    shard(
        "scylla_transport_cql_requests_count",
        NamedCounter,
        "Requests received, of every kind",
        |s| s.requests.requests,
    ),
    shard(
        "scylla_transport_cql_errors",
        Counter,
        "Answers that were errors",
        |s| s.requests.errors,
    ),
    shard(
        "scylla_database_total_writes",
        NamedCounter,
        "Batches of writes, accepted or refused",
        |s| s.store.writes.saturating_add(s.store.refused),
    ),
    shard(
        "scylla_database_total_writes_failed",
        NamedCounter,
        "Batches of writes refused",
        |s| s.store.refused,
    ),
    shard(
        "scylla_database_total_reads",
        NamedCounter,
        "Reads begun",
        |s| s.store.reads,
    ),
    shard(
        "scylla_commitlog_disk_total_bytes",
        Gauge,
        "Bytes of log segments that hold frames",
        |s| s.store.log.disk_bytes,
    ),
    node(
        "scylla_node_operation_mode",
        Gauge,
        "1 starting, 3 normal, 6 draining, 7 drained",
        |n| n.mode.number(),
    ),
    node(
        "scylla_raft_group0_status",
        Gauge,
        "0 starting, 1 normal, 2 stopped",
        |n| n.schema.group0.number(),
    ),
    node(
        "scylla_database_schema_changed",
        NamedCounter,
        "Times that the schema got another version",
        |n| n.schema.version_changes,
    ),
];
