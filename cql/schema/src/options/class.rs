//! Map options: `caching`, and those with a class, `compaction` and `compression`.

use crate::error::SchemaError;
use crate::options::OptionMap;
use crate::options::property::{Reader, parse_boolean};

const COMPACTION_PACKAGE: &str = "org.apache.cassandra.db.compaction.";
const COMPRESSION_PACKAGE: &str = "org.apache.cassandra.io.compress.";

/// A strategy and the options that only it has.
struct Strategy {
    class: &'static str,
    has_thresholds: bool,
    options: &'static [&'static str],
}

const STRATEGIES: [Strategy; 5] = [
    Strategy {
        class: "SizeTieredCompactionStrategy",
        has_thresholds: true,
        options: &["bucket_high", "bucket_low", "min_sstable_size"],
    },
    Strategy {
        class: "LeveledCompactionStrategy",
        has_thresholds: true,
        options: &[
            "fanout_size",
            "single_sstable_uplevel",
            "sstable_size_in_mb",
        ],
    },
    Strategy {
        class: "TimeWindowCompactionStrategy",
        has_thresholds: true,
        options: &[
            "bucket_high",
            "bucket_low",
            "compaction_window_size",
            "compaction_window_unit",
            "enable_optimized_twcs_queries",
            "expired_sstable_check_frequency_seconds",
            "min_sstable_size",
            "timestamp_resolution",
            "unsafe_aggressive_sstable_expiration",
        ],
    },
    Strategy {
        class: "UnifiedCompactionStrategy",
        has_thresholds: false,
        options: &[
            "base_shard_count",
            "expired_sstable_check_frequency_seconds",
            "flush_size_override",
            "max_sstables_to_compact",
            "min_sstable_size",
            "overlap_inclusion_method",
            "parallelize_output_shards",
            "scaling_parameters",
            "sstable_growth",
            "target_sstable_size",
            "unsafe_aggressive_sstable_expiration",
        ],
    },
    Strategy {
        class: "IncrementalCompactionStrategy",
        has_thresholds: true,
        options: &[
            "bucket_high",
            "bucket_low",
            "min_sstable_size",
            "space_amplification_goal",
            "sstable_size_in_mb",
        ],
    },
];

/// Options that every strategy has.
const COMMON: [&str; 8] = [
    "enabled",
    "log_all",
    "max_threshold",
    "min_threshold",
    "only_purge_repaired_tombstones",
    "tombstone_compaction_interval",
    "tombstone_threshold",
    "unchecked_tombstone_compaction",
];

const COMPRESSORS: [&str; 7] = [
    "DeflateCompressor",
    "LZ4Compressor",
    "LZ4WithDictsCompressor",
    "NoopCompressor",
    "SnappyCompressor",
    "ZstdCompressor",
    "ZstdWithDictsCompressor",
];

/// Checks `compaction` and gives its stored form.
pub(crate) fn compaction(property: Reader<'_>) -> Result<OptionMap, SchemaError> {
    let mut map = property.map()?;
    let class = map.get("class").ok_or_else(|| {
        property.config("Missing sub-option 'class' for the 'compaction' option.".to_owned())
    })?;
    let short = class.strip_prefix(COMPACTION_PACKAGE).unwrap_or(class);
    let Some(strategy) = STRATEGIES.iter().find(|strategy| strategy.class == short) else {
        return Err(property
            .config(format!(
                "Unable to find compaction strategy class '{COMPACTION_PACKAGE}{short}'"
            ))
            .did_you_mean(short, STRATEGIES.iter().map(|strategy| strategy.class)));
    };
    let full = format!("{COMPACTION_PACKAGE}{short}");
    map.insert("class".to_owned(), full);
    let known = || COMMON.iter().chain(strategy.options).copied();
    for key in map.keys().filter(|key| *key != "class") {
        if !known().any(|known| known == key) {
            return Err(property
                .config(format!(
                    "Properties specified [{key}] are not understood by {}",
                    strategy.class
                ))
                .did_you_mean(key, known()));
        }
    }
    if strategy.has_thresholds {
        let min = threshold(property, &map, "min_threshold", 4)?;
        let max = threshold(property, &map, "max_threshold", 32)?;
        if min < 2 {
            return Err(property.config(format!(
                "Min compaction threshold cannot be less than 2 (got {min})"
            )));
        }
        if min > max {
            return Err(property.config(format!(
                "max_threshold {max} is less than min_threshold {min}"
            )));
        }
        map.insert("min_threshold".to_owned(), min.to_string());
        map.insert("max_threshold".to_owned(), max.to_string());
    }
    Ok(map)
}

fn threshold(
    property: Reader<'_>,
    map: &OptionMap,
    key: &str,
    default: u32,
) -> Result<u32, SchemaError> {
    let Some(text) = map.get(key) else {
        return Ok(default);
    };
    text.trim()
        .parse()
        .map_err(|_| property.config(format!("{key} must be a whole number, found '{text}'")))
}

/// Checks `compression` and gives its stored form.
pub(crate) fn compression(property: Reader<'_>) -> Result<OptionMap, SchemaError> {
    let mut map = property.map()?;
    let class = match (map.remove("class"), map.remove("sstable_compression")) {
        (Some(_), Some(_)) => {
            return Err(property.config(
                "The 'sstable_compression' option must not be used if the compression algorithm \
                 is already specified by the 'class' option"
                    .to_owned(),
            ));
        }
        (class, old) => class.or(old),
    };
    let enabled = match map.remove("enabled") {
        None => true,
        Some(text) => parse_boolean(&text).ok_or_else(|| {
            property.config(format!(
                "Invalid value for compression sub-option 'enabled': '{text}'"
            ))
        })?,
    };
    let class = match class.as_deref() {
        Some("") => None,
        None if !enabled || map.is_empty() => None,
        None => {
            return Err(property
                .config("Missing sub-option 'class' for the 'compression' option.".to_owned()));
        }
        Some(_) if !enabled => {
            return Err(property.config(
                "If the 'enabled' option is set to false no other options must be specified"
                    .to_owned(),
            ));
        }
        Some(class) => Some(class),
    };
    let Some(class) = class else {
        return match map.keys().next() {
            None => Ok([("enabled".to_owned(), "false".to_owned())].into()),
            Some(key) => Err(property.config(format!(
                "Compression is off, so the sub-option '{key}' must not be specified"
            ))),
        };
    };
    let short = class.strip_prefix(COMPRESSION_PACKAGE).unwrap_or(class);
    if !COMPRESSORS.contains(&short) {
        return Err(property
            .config(format!(
                "Could not create Compression for type {COMPRESSION_PACKAGE}{short}"
            ))
            .did_you_mean(short, COMPRESSORS));
    }
    // The old name of the chunk length.
    if let Some(length) = map.remove("chunk_length_kb") {
        map.entry("chunk_length_in_kb".to_owned()).or_insert(length);
    }
    map.entry("chunk_length_in_kb".to_owned())
        .or_insert_with(|| "16".to_owned());
    for (key, value) in &map {
        check_compression_option(property, key, value)?;
    }
    map.insert("class".to_owned(), format!("{COMPRESSION_PACKAGE}{short}"));
    Ok(map)
}

fn check_compression_option(
    property: Reader<'_>,
    key: &str,
    value: &str,
) -> Result<(), SchemaError> {
    let good = match key {
        "chunk_length_in_kb" => value
            .trim()
            .parse::<u32>()
            .is_ok_and(|kib| kib.is_power_of_two() && kib <= 1 << 20),
        "min_compress_ratio" => value
            .trim()
            .parse::<f64>()
            .is_ok_and(|ratio| ratio >= 1.0 || ratio == 0.0),
        "crc_check_chance" => value
            .trim()
            .parse::<f64>()
            .is_ok_and(|chance| (0.0..=1.0).contains(&chance)),
        "compression_level" => value.trim().parse::<i32>().is_ok(),
        "lz4_compressor_type" => ["fast", "high"].contains(&value),
        "lz4_high_compressor_level" => value
            .trim()
            .parse::<u32>()
            .is_ok_and(|level| (1..=17).contains(&level)),
        other => {
            let known = [
                "chunk_length_in_kb",
                "class",
                "compression_level",
                "enabled",
                "min_compress_ratio",
            ];
            return Err(property
                .config(format!("Unknown compression options: ({other})"))
                .did_you_mean(other, known));
        }
    };
    match (good, key) {
        (true, _) => Ok(()),
        (false, "chunk_length_in_kb") => Err(property.config(format!(
            "chunk_length_in_kb must be a power of 2 (got {value})"
        ))),
        (false, _) => Err(property.config(format!(
            "Invalid value for compression sub-option '{key}': '{value}'"
        ))),
    }
}

/// Checks `caching` and gives its stored form.
pub(crate) fn caching(property: Reader<'_>) -> Result<OptionMap, SchemaError> {
    let mut keys = "ALL".to_owned();
    let mut rows = "NONE".to_owned();
    let word = |value: &str| {
        ["ALL", "NONE"]
            .into_iter()
            .find(|word| value.eq_ignore_ascii_case(word))
            .map(str::to_owned)
    };
    for (key, value) in property.map()? {
        match key.as_str() {
            "keys" => {
                keys = word(&value).ok_or_else(|| {
                    property.config(format!(
                        "Invalid value '{value}' for caching sub-option 'keys': only 'ALL' and 'NONE' are allowed."
                    ))
                })?;
            }
            "rows_per_partition" => {
                let count = value
                    .trim()
                    .parse::<u32>()
                    .ok()
                    .map(|count| count.to_string());
                rows = word(&value).or(count).ok_or_else(|| {
                    property.config(format!(
                        "Invalid value '{value}' for caching sub-option 'rows_per_partition': \
                         only 'ALL', 'NONE', and integer values are allowed."
                    ))
                })?;
            }
            // Another way to say that rows are not cached; every read goes through the same cache here.
            "enabled" if parse_boolean(&value).is_some() => {}
            other => {
                return Err(property
                    .config(format!(
                        "Invalid caching sub-options [{other}]: only 'keys' and 'rows_per_partition' are allowed."
                    ))
                    .did_you_mean(other, ["keys", "rows_per_partition"]));
            }
        }
    }
    Ok([
        ("keys".to_owned(), keys),
        ("rows_per_partition".to_owned(), rows),
    ]
    .into())
}
