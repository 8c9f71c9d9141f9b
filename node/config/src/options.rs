//! The table of options: every name, type, default, range and meaning, once.
//!
//! Everything else is made from it: the typed [`Options`], the flags and their help, the environment variables,
//! what the file may hold, `system.config` and `docs/options.md`.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use crate::value::{
    Authenticator, Authorizer, Backend, Bytes, CommitlogSync, LogLevel, OptionValue, Partitioner,
    Seeds, Snitch,
};
use crate::yaml::Node;

/// Whether a running node takes a new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// On reload.
    Yes,
    /// Only at the next start.
    AtStart,
}

/// A value as given, before it has a type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Given<'a> {
    Text(&'a str),
    Node(&'a Node),
}

/// One row of the table.
#[derive(Debug)]
pub struct OptionSpec {
    /// The name, as in the file: `native_transport_port`.
    pub name: &'static str,
    /// The heading that it stands under.
    pub section: &'static str,
    /// What it means, ending with a full stop.
    pub doc: &'static str,
    /// What to write: `NUMBER`, `true|false`.
    pub kind: &'static str,
    /// Whether a running node takes a new value.
    pub live: Live,
    /// Numbers that are allowed.
    pub range: Option<RangeInclusive<u64>>,
    pub(crate) set: fn(&mut Options, Given<'_>) -> Result<(), String>,
    pub(crate) get: fn(&Options) -> String,
}

impl OptionSpec {
    /// The flag, without dashes in front: `native-transport-port`.
    #[must_use]
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// The environment variable: `MESSINA_NATIVE_TRANSPORT_PORT`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("{}{}", crate::PREFIX, self.name.to_ascii_uppercase())
    }

    /// The default as text; empty if it follows from other options.
    #[must_use]
    pub fn default_text(&self) -> String {
        (self.get)(&Options::default())
    }
}

/// Converts, and checks the range.
fn converted<T: OptionValue>(
    given: Given<'_>,
    range: Option<&RangeInclusive<u64>>,
) -> Result<T, String> {
    let value = match given {
        Given::Text(text) => T::from_text(text)?,
        Given::Node(node) => T::from_node(node)?,
    };
    if let (Some(range), Some(number)) = (range, value.as_number())
        && !range.contains(&number)
    {
        return Err(format!(
            "it must be from {} to {}",
            range.start(),
            range.end()
        ));
    }
    Ok(value)
}

macro_rules! options {
    ($( $section:literal { $(
        $(#[doc = $doc:literal])+
        $name:ident: $type:ty = $default:expr, $live:ident $(, in $range:expr)?;
    )+ } )+) => {
        /// All options with their values. The fields are those of the table; see `docs/options.md`.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Options { $($(
            $(#[doc = $doc])+
            pub $name: $type,
        )+)+ }

        impl Default for Options {
            fn default() -> Self {
                Self { $($( $name: $default, )+)+ }
            }
        }

        /// The table, in the order of the help.
        pub static TABLE: &[OptionSpec] = &[ $($(
            OptionSpec {
                name: stringify!($name),
                section: $section,
                doc: concat!($($doc, "\n"),+),
                kind: <$type as OptionValue>::KIND,
                live: Live::$live,
                range: options!(@range $($range)?),
                set: |options, given| {
                    let range: Option<RangeInclusive<u64>> = options!(@range $($range)?);
                    options.$name = converted::<$type>(given, range.as_ref())?;
                    Ok(())
                },
                get: |options| options.$name.to_text(),
            },
        )+)+ ];
    };
    (@range) => { None };
    (@range $range:expr) => { Some($range) };
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// An hour, for timeouts.
const LONGEST_MS: u64 = 3_600_000;

options! {
    "Node" {
        /// The cluster's name, the same on all its nodes.
        /// It cannot change once there is data.
        cluster_name: String = "Messina".to_owned(), AtStart;
        /// Directory of everything that the node keeps.
        workdir: PathBuf = PathBuf::from("./messina-data"), AtStart;
        /// Directory of the engine's files; by default `data` in `workdir`.
        /// One directory is supported.
        data_file_directories: Option<PathBuf> = None, AtStart;
        /// Directory of the commit log; by default `commitlog` in `workdir`.
        commitlog_directory: Option<PathBuf> = None, AtStart;
        /// Shards, each with a thread of its own; by default as many as there are processors.
        /// Another number at the next start is fine.
        smp: Option<u32> = None, AtStart, in 1..=256;
        /// Memory for memtables, caches and requests of all shards.
        /// By default a quarter of what this process may use, at least 64MB.
        memory: Option<Bytes> = None, AtStart, in (64 << 20)..=(1 << 50);
        /// The storage engine.
        backend: Backend = Backend::Fjall, AtStart;
        /// The data center of this node.
        dc: String = "datacenter1".to_owned(), AtStart;
        /// The rack of this node.
        rack: String = "rack1".to_owned(), AtStart;
        /// How the place of a node is known.
        endpoint_snitch: Snitch = Snitch::Simple, AtStart;
        /// How keys become tokens.
        partitioner: Partitioner = Partitioner::Murmur3, AtStart;
        /// Accepted for the files of other systems; data is spread by tablets, whatever it says.
        num_tokens: u32 = 256, AtStart, in 1..=1536;
        /// Nodes to ask for the cluster at the first start; for now only this node itself.
        /// The file also takes the nested `seed_provider`.
        seeds: Seeds = Seeds::default(), AtStart;
        /// Who may connect; only `AllowAllAuthenticator` is supported yet.
        authenticator: Authenticator = Authenticator::AllowAll, AtStart;
        /// Who may do what; only `AllowAllAuthorizer` is supported yet.
        authorizer: Authorizer = Authorizer::AllowAll, AtStart;
        /// How much is logged.
        log_level: LogLevel = LogLevel::Info, Yes;
    }
    "Addresses and ports" {
        /// Address for other nodes.
        listen_address: IpAddr = LOOPBACK, AtStart;
        /// Address that other nodes are told; by default `listen_address`.
        broadcast_address: Option<IpAddr> = None, AtStart;
        /// Address for drivers.
        rpc_address: IpAddr = LOOPBACK, AtStart;
        /// Address that drivers are told; by default `rpc_address`.
        /// Needed when `rpc_address` is 0.0.0.0 or ::.
        broadcast_rpc_address: Option<IpAddr> = None, AtStart;
        /// Port for drivers.
        native_transport_port: u16 = 9042, AtStart, in 1..=65535;
        /// Port where a driver chooses the shard that serves its connection; 0 means none.
        native_shard_aware_transport_port: u16 = 19042, AtStart;
        /// The largest frame of the native protocol that is accepted.
        native_transport_max_frame_size: Bytes = Bytes(16 << 20), AtStart, in (1 << 16)..=(256 << 20);
        /// Address of the REST interface; by default `listen_address`.
        /// Whoever reaches it can administrate the node.
        api_address: Option<IpAddr> = None, AtStart;
        /// Port of the REST interface; 0 means none.
        api_port: u16 = 10000, AtStart;
        /// Address of the metrics; by default `listen_address`.
        prometheus_address: Option<IpAddr> = None, AtStart;
        /// Port of the metrics; 0 means none.
        prometheus_port: u16 = 9180, AtStart;
    }
    "Durability" {
        /// When a write is acknowledged: when it is durable (`batch`), or at once (`periodic`).
        /// With `periodic`, up to a period of acknowledged writes is lost when the machine fails.
        commitlog_sync: CommitlogSync = CommitlogSync::Batch, AtStart;
        /// With `periodic`, how often the commit log is synced.
        commitlog_sync_period_in_ms: u64 = 10_000, AtStart, in 1..=LONGEST_MS;
        /// Size of a segment of the commit log; the largest mutation is half of it.
        commitlog_segment_size_in_mb: u32 = 32, AtStart, in 1..=1024;
    }
    "Requests" {
        /// How long the coordinator waits for a read of partitions.
        read_request_timeout_in_ms: u64 = 5_000, Yes, in 1..=LONGEST_MS;
        /// How long the coordinator waits for a read of a range.
        range_request_timeout_in_ms: u64 = 10_000, Yes, in 1..=LONGEST_MS;
        /// How long the coordinator waits for a write.
        write_request_timeout_in_ms: u64 = 2_000, Yes, in 1..=LONGEST_MS;
        /// How long the coordinator waits for a write of counters.
        counter_write_request_timeout_in_ms: u64 = 5_000, Yes, in 1..=LONGEST_MS;
        /// How long the coordinator tries a conditional write against others.
        cas_contention_timeout_in_ms: u64 = 1_000, Yes, in 1..=LONGEST_MS;
        /// How long the coordinator waits for a truncation.
        truncate_request_timeout_in_ms: u64 = 60_000, Yes, in 1..=LONGEST_MS;
        /// How long the coordinator waits for anything else.
        request_timeout_in_ms: u64 = 10_000, Yes, in 1..=LONGEST_MS;
        /// How long a schema change waits for the agreed log.
        group0_raft_op_timeout_in_ms: u64 = 60_000, Yes, in 1..=LONGEST_MS;
        /// A larger batch gets a warning.
        batch_size_warn_threshold_in_kb: u32 = 128, Yes, in 1..=1_048_576;
        /// A larger batch is refused.
        batch_size_fail_threshold_in_kb: u32 = 1_024, Yes, in 1..=1_048_576;
        /// A page of results ends when it has grown to this size, even before it has all the rows asked for.
        query_page_size_in_bytes: u64 = 1 << 20, Yes, in 1_024..=(256 << 20);
        /// A read that passes more tombstones gets a warning.
        tombstone_warn_threshold: u32 = 1_000, Yes, in 1..=4_294_967_295;
        /// A read that passes more tombstones fails.
        tombstone_failure_threshold: u32 = 100_000, Yes, in 1..=4_294_967_295;
    }
    "Data placement" {
        /// Bits of the token, from the left, that do not decide about the shard.
        /// Drivers are told; it cannot change once there is data.
        murmur3_partitioner_ignore_msb_bits: u8 = 12, AtStart, in 0..=63;
    }
}

/// Names that the file may use for an option of another name.
pub(crate) const ALIASES: [(&str, &str); 1] = [("seed_provider", "seeds")];

/// The row of an option.
#[must_use]
pub fn spec(name: &str) -> Option<&'static OptionSpec> {
    TABLE.iter().find(|spec| spec.name == name)
}
