//! Options of a table from the properties of a statement.

use cql_types::{TableId, Uuid};

use crate::change::PropertyValue;
use crate::error::SchemaError;
use crate::options::property::{Reader, parse_boolean};
use crate::options::{MAX_TTL_SECONDS, TableOptions, class, speculative};

/// Options after a statement's properties were applied.
#[derive(Debug)]
pub(crate) struct Altered {
    pub(crate) options: TableOptions,
    /// `WITH ID = ...`.
    pub(crate) id: Option<TableId>,
    pub(crate) warnings: Vec<String>,
}

/// Every property that a table statement may name, for suggestions.
const KNOWN: [&str; 28] = [
    "additional_write_policy",
    "allow_auto_snapshot",
    "bloom_filter_fp_chance",
    "caching",
    "cdc",
    "comment",
    "compaction",
    "compression",
    "crc_check_chance",
    "dclocal_read_repair_chance",
    "default_time_to_live",
    "extensions",
    "gc_grace_seconds",
    "id",
    "in_memory",
    "incremental_backups",
    "max_index_interval",
    "memtable",
    "memtable_flush_period_in_ms",
    "min_index_interval",
    "paxos_grace_seconds",
    "per_partition_rate_limit",
    "read_repair",
    "read_repair_chance",
    "speculative_retry",
    "synchronous_updates",
    "tablets",
    "tombstone_gc",
];

/// Numbers are stored as a signed 32-bit `int`.
const MAX_INT: u32 = i32::MAX.unsigned_abs();

impl TableOptions {
    /// These options with `properties` applied; what they do not name stays.
    ///
    /// # Errors
    /// An unknown or repeated property, or a value that the property cannot have.
    pub(crate) fn with(
        &self,
        properties: &[(String, PropertyValue)],
    ) -> Result<Altered, SchemaError> {
        let mut altered = Altered {
            options: self.clone(),
            id: None,
            warnings: Vec::new(),
        };
        for property in Reader::all(properties)? {
            altered.apply(property)?;
        }
        let TableOptions {
            min_index_interval: min,
            max_index_interval: max,
            ..
        } = altered.options;
        if max < min {
            return Err(SchemaError::config(format!(
                "max_index_interval must be greater than or equal to min_index_interval ({min}) (got {max})"
            ))
            .at("max_index_interval"));
        }
        Ok(altered)
    }
}

impl Altered {
    fn apply(&mut self, property: Reader<'_>) -> Result<(), SchemaError> {
        let options = &mut self.options;
        match property.name {
            "comment" => property.text()?.clone_into(&mut options.comment),
            "default_time_to_live" => {
                options.default_time_to_live = property.integer(0, MAX_TTL_SECONDS)?
            }
            "gc_grace_seconds" => options.gc_grace_seconds = property.integer(0, MAX_INT)?,
            "memtable_flush_period_in_ms" => {
                options.memtable_flush_period_in_ms = property.integer(0, MAX_INT)?;
            }
            "min_index_interval" => options.min_index_interval = property.integer(1, MAX_INT)?,
            "max_index_interval" => options.max_index_interval = property.integer(1, MAX_INT)?,
            "bloom_filter_fp_chance" => {
                let chance = property.double()?;
                if !(chance > 0.0 && chance <= 1.0) {
                    return Err(property.config(format!(
                        "bloom_filter_fp_chance must be larger than 0 and less than or equal to 1.0 (got {chance})"
                    )));
                }
                options.bloom_filter_fp_chance = chance;
            }
            "crc_check_chance" => options.crc_check_chance = share(property)?,
            "caching" => options.caching = class::caching(property)?,
            "compaction" => options.compaction = class::compaction(property)?,
            "compression" => options.compression = class::compression(property)?,
            "speculative_retry" => options.speculative_retry = speculative_retry(property)?,
            "id" => {
                let text = property.text()?;
                let id = Uuid::try_parse(text)
                    .map_err(|_| property.config(format!("Invalid table id {text}")))?;
                self.id = Some(TableId(id));
            }
            _ => {
                if let Some(warning) = accept_without_effect(property)? {
                    self.warnings.push(warning);
                }
            }
        }
        Ok(())
    }
}

fn share(property: Reader<'_>) -> Result<f64, SchemaError> {
    let chance = property.double()?;
    if (0.0..=1.0).contains(&chance) {
        return Ok(chance);
    }
    Err(property.config(format!(
        "{} must be larger than or equal to 0 and smaller than or equal to 1.0 (got {chance})",
        property.name
    )))
}

fn speculative_retry(property: Reader<'_>) -> Result<String, SchemaError> {
    let text = property.text()?;
    speculative::normalize(text).ok_or_else(|| {
        property
            .config(format!(
                "Invalid value {text} for option '{}'",
                property.name
            ))
            .help("write ALWAYS, NEVER, a percentile such as 99p, or a time such as 50ms")
    })
}

/// Properties that other systems print and that change nothing here.
///
/// Gives a warning if the value asks for something else than what happens, and an error if going
/// on without it would surprise.
fn accept_without_effect(property: Reader<'_>) -> Result<Option<String>, SchemaError> {
    let is_default = match property.name {
        "read_repair" => {
            let text = property.text()?;
            let known = ["BLOCKING", "NONE"]
                .iter()
                .any(|word| text.eq_ignore_ascii_case(word));
            if !known {
                return Err(property.config(format!(
                    "Invalid value {text} for option 'read_repair': BLOCKING or NONE is expected"
                )));
            }
            text.eq_ignore_ascii_case("BLOCKING")
        }
        "additional_write_policy" => speculative_retry(property)? == "99p",
        "memtable" => property.text()? == "default",
        "extensions" => property.map()?.is_empty(),
        "allow_auto_snapshot" | "incremental_backups" => property.boolean()?,
        "synchronous_updates" | "in_memory" => !property.boolean()?,
        "paxos_grace_seconds" => property.integer(0, MAX_INT)? == 864_000,
        "dclocal_read_repair_chance" | "read_repair_chance" => share(property)? == 0.0,
        "cdc" => return refuse_unless_off(property, "cdc is not supported yet"),
        "per_partition_rate_limit" => {
            return match property.map()?.is_empty() {
                true => Ok(None),
                false => {
                    Err(property
                        .invalid("per_partition_rate_limit is not supported yet".to_owned()))
                }
            };
        }
        "tablets" => {
            property.map()?;
            false
        }
        "tombstone_gc" => {
            let map = property.map()?;
            return match map.get("mode").map(String::as_str) {
                Some("timeout") => Ok(None),
                Some(_) | None => Err(property
                    .invalid("this mode of tombstone_gc is not supported yet".to_owned())
                    .help("tombstones are kept for gc_grace_seconds: write {'mode': 'timeout'}")),
            };
        }
        unknown => {
            return Err(property
                .invalid(format!("Unknown property '{unknown}'"))
                .did_you_mean(unknown, KNOWN));
        }
    };
    Ok((!is_default).then(|| {
        format!(
            "the property '{}' is accepted but has no effect here",
            property.name
        )
    }))
}

/// `false`, or a map with `enabled: false`.
fn refuse_unless_off(property: Reader<'_>, message: &str) -> Result<Option<String>, SchemaError> {
    let on = match property.map() {
        Ok(map) => map
            .get("enabled")
            .is_some_and(|text| parse_boolean(text) != Some(false)),
        Err(_) => property.boolean()?,
    };
    match on {
        true => Err(property.invalid(message.to_owned())),
        false => Ok(None),
    }
}
