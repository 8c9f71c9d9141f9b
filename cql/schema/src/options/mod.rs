//! Options of a table.

mod class;
mod property;
mod speculative;
mod with;

use std::collections::BTreeMap;

pub(crate) use property::Reader;

/// A map option such as `compaction`, keys and values as text.
pub type OptionMap = BTreeMap<String, String>;

/// What `CREATE TABLE ... WITH` sets.
#[derive(Debug, Clone, PartialEq)]
pub struct TableOptions {
    /// Free text.
    pub comment: String,
    /// Seconds after which written cells expire if the statement names no TTL; 0 is never.
    pub default_time_to_live: u32,
    /// Seconds for which tombstones are kept at least.
    pub gc_grace_seconds: u32,
    /// Wanted share of false positives of the engine's filters, 0 to 1.
    pub bloom_filter_fp_chance: f64,
    /// `keys` and `rows_per_partition`.
    pub caching: OptionMap,
    /// `class` (full name) and its options.
    pub compaction: OptionMap,
    /// `class` (full name) and its options, or only `enabled: false`.
    pub compression: OptionMap,
    /// Share of reads which check checksums, 0 to 1.
    pub crc_check_chance: f64,
    /// When a coordinator asks one more replica: `99p`, `50ms`, `ALWAYS`, `NEVER`...
    pub speculative_retry: String,
    /// Milliseconds after which a memtable is flushed; 0 is never.
    pub memtable_flush_period_in_ms: u32,
    /// Kept and shown.
    pub min_index_interval: u32,
    /// Kept and shown.
    pub max_index_interval: u32,
}

/// Longest TTL: 20 years in seconds, of tables and of statements.
pub const MAX_TTL_SECONDS: u32 = 20 * 365 * 24 * 60 * 60;

impl Default for TableOptions {
    fn default() -> Self {
        Self {
            comment: String::new(),
            default_time_to_live: 0,
            gc_grace_seconds: 864_000,
            bloom_filter_fp_chance: 0.01,
            caching: map([("keys", "ALL"), ("rows_per_partition", "NONE")]),
            compaction: map([
                (
                    "class",
                    "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy",
                ),
                ("max_threshold", "32"),
                ("min_threshold", "4"),
            ]),
            compression: map([
                ("chunk_length_in_kb", "16"),
                ("class", "org.apache.cassandra.io.compress.LZ4Compressor"),
            ]),
            crc_check_chance: 1.0,
            speculative_retry: "99p".to_owned(),
            memtable_flush_period_in_ms: 0,
            min_index_interval: 128,
            max_index_interval: 2048,
        }
    }
}

fn map<const N: usize>(pairs: [(&str, &str); N]) -> OptionMap {
    pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}
