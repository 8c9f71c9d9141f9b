//! Options of this ecosystem that we know and do not serve yet.
//!
//! Ignoring most of them costs speed or comfort and gets a warning.
//! Ignoring some of them would break a promise, of secrecy above all; those are refused unless they ask for nothing.

use crate::suggest::closest;
use crate::yaml::Node;

/// What is to be done about an option that is not in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Known and harmless: a warning.
    Ignored,
    /// It asks for what we cannot promise.
    Refused {
        /// What to do.
        cure: String,
    },
    /// Nobody knows it.
    Unknown {
        /// Names that look like it.
        similar: Option<String>,
    },
}

/// Ignored with a warning.
const IGNORED: &[&str] = &[
    "alternator_address",
    "alternator_https_port",
    "alternator_port",
    "alternator_write_isolation",
    "api_doc_dir",
    "api_ui_dir",
    "auto_bootstrap",
    "auto_snapshot",
    "auto_snapshot_ttl",
    "back_pressure_enabled",
    "batchlog_replay_cleanup_after_replays",
    "batchlog_replay_throttle_in_kb",
    "cdc_enabled",
    "cdc_raw_directory",
    "column_index_size_in_kb",
    "commit_failure_policy",
    "commitlog_reuse_segments",
    "commitlog_sync_batch_window_in_ms",
    "commitlog_total_space_in_mb",
    "commitlog_use_o_dsync",
    "compaction_collection_elements_count_warning_threshold",
    "compaction_large_cell_warning_threshold_mb",
    "compaction_large_partition_warning_threshold_mb",
    "compaction_large_row_warning_threshold_mb",
    "compaction_rows_count_warning_threshold",
    "compaction_throughput_mb_per_sec",
    "components_memory_reclaim_threshold",
    "concurrent_compactors",
    "concurrent_counter_writes",
    "concurrent_reads",
    "concurrent_writes",
    "consistent_cluster_management",
    "consistent_rangemovement",
    "counter_cache_size_in_mb",
    "critical_disk_utilization_level",
    "cross_node_timeout",
    "developer_mode",
    "direct_failure_detector_ping_timeout_in_ms",
    "disk_failure_policy",
    "dynamic_snitch_badness_threshold",
    "dynamic_snitch_reset_interval_in_ms",
    "dynamic_snitch_update_interval_in_ms",
    "enable_cql_config_updates",
    "enable_file_stream",
    "enable_materialized_views",
    "enable_repair_based_node_ops",
    "enable_tablets",
    "enable_user_defined_functions",
    "enforce_rack_list",
    "error_injections_at_startup",
    "experimental",
    "experimental_features",
    "failure_detector_timeout_in_ms",
    "file_cache_size_in_mb",
    "force_capacity_based_balancing",
    "group0_tombstone_gc_refresh_interval_in_ms",
    "hinted_handoff_enabled",
    "hinted_handoff_throttle_in_kb",
    "hints_directory",
    "incremental_backups",
    "index_summary_capacity_in_mb",
    "initial_token",
    "inter_dc_stream_throughput_outbound_megabits_per_sec",
    "inter_dc_tcp_nodelay",
    "internode_compression",
    "internode_recv_buff_size_in_bytes",
    "internode_send_buff_size_in_bytes",
    "join_ring",
    "key_cache_keys_to_save",
    "key_cache_save_period",
    "key_cache_size_in_mb",
    "listen_interface",
    "listen_on_broadcast_address",
    "maintenance_socket",
    "max_clustering_key_restrictions_per_query",
    "max_concurrent_requests_per_shard",
    "max_hint_window_in_ms",
    "max_hinted_handoff_concurrency",
    "max_hints_delivery_threads",
    "max_memory_for_unlimited_query_hard_limit",
    "max_memory_for_unlimited_query_soft_limit",
    "max_partition_key_restrictions_per_query",
    "max_value_size_in_mb",
    "maximum_replication_factor_fail_threshold",
    "maximum_replication_factor_warn_threshold",
    "memtable_allocation_type",
    "memtable_cleanup_threshold",
    "memtable_flush_writers",
    "memtable_heap_space_in_mb",
    "memtable_offheap_space_in_mb",
    "memtable_total_space_in_mb",
    "minimum_replication_factor_fail_threshold",
    "minimum_replication_factor_warn_threshold",
    "native_transport_flush_in_batches_legacy",
    "native_transport_max_concurrent_connections",
    "native_transport_max_concurrent_connections_per_ip",
    "native_transport_max_threads",
    "overprovisioned",
    "permissions_update_interval_in_ms",
    "permissions_validity_in_ms",
    "prometheus_prefix",
    "query_tombstone_page_limit",
    "restrict_dtcs",
    "restrict_future_timestamp",
    "restrict_replication_simplestrategy",
    "restrict_twcs_without_default_ttl",
    "rf_rack_valid_keyspaces",
    "ring_delay_ms",
    "role_manager",
    "roles_validity_in_ms",
    "row_cache_save_period",
    "row_cache_size_in_mb",
    "rpc_interface",
    "rpc_keepalive",
    "rpc_max_threads",
    "rpc_min_threads",
    "rpc_port",
    "rpc_server_type",
    "saved_caches_directory",
    "schema_commitlog_directory",
    "schema_commitlog_segment_size_in_mb",
    "service_levels_interval_ms",
    "size_based_balance_threshold_percentage",
    "slow_query_log_timeout_in_ms",
    "snapshot_before_compaction",
    "ssl_storage_port",
    "sstable_format",
    "sstable_preemptive_open_interval_in_mb",
    "start_native_transport",
    "start_rpc",
    "storage_port",
    "stream_io_throughput_mb_per_sec",
    "stream_throughput_outbound_megabits_per_sec",
    "streaming_socket_timeout_in_ms",
    "strict_allow_filtering",
    "strict_is_not_null_in_views",
    "tablet_load_stats_refresh_interval_in_seconds",
    "tablet_streaming_read_concurrency_per_shard",
    "tablet_streaming_write_concurrency_per_shard",
    "tablets_initial_scale_factor",
    "tablets_mode_for_new_keyspaces",
    "tablets_per_shard_goal",
    "target_tablet_size_in_bytes",
    "task_ttl_in_seconds",
    "tracetype_query_ttl",
    "tracetype_repair_ttl",
    "trickle_fsync",
    "trickle_fsync_interval_in_kb",
    "twcs_max_window_count",
    "uninitialized_connections_semaphore_cpu_concurrency",
    "user_task_ttl_in_seconds",
    "view_building",
    "view_flow_control_delay_limit_in_ms",
    "view_hints_directory",
    "write_consistency_levels_disallowed",
    "write_consistency_levels_warned",
];

/// Refused unless the value asks for nothing, with what to do.
const REFUSED: &[(&str, &str)] = &[
    ("audit", "auditing is not supported yet: set it to none"),
    (
        "audit_logging_options",
        "auditing is not supported yet: set its `enabled` to false",
    ),
    (
        "client_encryption_options",
        "encryption of client connections is not supported yet: set its `enabled` to false, and use a network that you trust",
    ),
    (
        "server_encryption_options",
        "encryption between nodes is not supported yet: set its `internode_encryption` to none",
    ),
    (
        "transparent_data_encryption_options",
        "encryption of stored data is not supported: encrypt the file system",
    ),
    (
        "system_key_directory",
        "encryption of stored data is not supported: encrypt the file system",
    ),
    (
        "user_info_encryption",
        "encryption of stored data is not supported: encrypt the file system",
    ),
    (
        "system_info_encryption",
        "encryption of stored data is not supported: encrypt the file system",
    ),
    (
        "native_transport_port_ssl",
        "encryption of client connections is not supported yet: leave it out",
    ),
    (
        "native_shard_aware_transport_port_ssl",
        "encryption of client connections is not supported yet: leave it out",
    ),
    (
        "auth_superuser_name",
        "logins are not supported yet: leave it out",
    ),
    (
        "auth_superuser_salted_password",
        "logins are not supported yet: leave it out",
    ),
    (
        "replace_address",
        "a cluster has one node for now: leave it out",
    ),
    (
        "replace_address_first_boot",
        "a cluster has one node for now: leave it out",
    ),
    (
        "replace_node_first_boot",
        "a cluster has one node for now: leave it out",
    ),
    (
        "ignore_dead_nodes_for_replace",
        "a cluster has one node for now: leave it out",
    ),
    (
        "recovery_leader",
        "a cluster has one node for now: leave it out",
    ),
    (
        "maintenance_mode",
        "there is no maintenance mode yet: leave it out",
    ),
];

/// Whether a value asks for nothing: off, none, empty, or a mapping that says so.
fn asks_for_nothing(value: &Node) -> bool {
    match value {
        Node::Null | Node::Bool(false) | Node::Integer(0) => true,
        Node::Text(text) => matches!(
            text.trim().to_ascii_lowercase().as_str(),
            "" | "false" | "none" | "no" | "off"
        ),
        Node::List(items) => items.is_empty(),
        Node::Map(entries) => {
            entries.is_empty()
                || ["enabled", "internode_encryption"]
                    .into_iter()
                    .filter_map(|key| value.get(key))
                    .any(asks_for_nothing)
        }
        Node::Bool(true) | Node::Integer(_) | Node::Float(_) => false,
    }
}

/// Judges an option that is not in the table.
pub(crate) fn judge(name: &str, value: &Node) -> Verdict {
    if let Some((_, cure)) = REFUSED.iter().find(|(known, _)| *known == name) {
        return if asks_for_nothing(value) {
            Verdict::Ignored
        } else {
            Verdict::Refused {
                cure: (*cure).to_owned(),
            }
        };
    }
    if IGNORED.contains(&name) {
        return Verdict::Ignored;
    }
    let ours = crate::options::TABLE.iter().map(|spec| spec.name);
    let known = ours.chain(names());
    Verdict::Unknown {
        similar: closest(name, known).map(str::to_owned),
    }
}

/// All names that [`judge`] knows, so that they are known as flags too.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    IGNORED
        .iter()
        .copied()
        .chain(REFUSED.iter().map(|(name, _)| *name))
}
