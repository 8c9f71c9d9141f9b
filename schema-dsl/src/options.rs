//! The properties of a table: what they are called here and in CQL, and what values they take.

use crate::ast::{Setting, Value};
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::suggest::closest;

/// What values an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionKind {
    /// A time with its unit, kept in seconds.
    Seconds,
    /// A time with its unit, kept in milliseconds.
    Milliseconds,
    /// A number.
    Number,
    /// A text.
    Text,
    /// `all`, `keys`, `rows`, `none` or a map.
    Caching,
    /// A map from text to text.
    Map,
}

/// An option.
#[derive(Debug)]
pub struct OptionSpec {
    /// Its name in the language.
    pub name: &'static str,
    /// Its name in CQL.
    pub cql: &'static str,
    /// What values it takes.
    pub kind: OptionKind,
}

const fn spec(name: &'static str, cql: &'static str, kind: OptionKind) -> OptionSpec {
    OptionSpec { name, cql, kind }
}

/// All options, in the order in which CQL's DESCRIBE lists them.
pub static OPTIONS: [OptionSpec; 12] = [
    spec(
        "bloom_filter_fp_chance",
        "bloom_filter_fp_chance",
        OptionKind::Number,
    ),
    spec("caching", "caching", OptionKind::Caching),
    spec("comment", "comment", OptionKind::Text),
    spec("compaction", "compaction", OptionKind::Map),
    spec("compression", "compression", OptionKind::Map),
    spec("crc_check_chance", "crc_check_chance", OptionKind::Number),
    spec("default_ttl", "default_time_to_live", OptionKind::Seconds),
    spec("gc_grace", "gc_grace_seconds", OptionKind::Seconds),
    spec(
        "max_index_interval",
        "max_index_interval",
        OptionKind::Number,
    ),
    spec(
        "memtable_flush_period",
        "memtable_flush_period_in_ms",
        OptionKind::Milliseconds,
    ),
    spec(
        "min_index_interval",
        "min_index_interval",
        OptionKind::Number,
    ),
    spec("speculative_retry", "speculative_retry", OptionKind::Text),
];

/// The value of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionValue {
    /// A number as written, without unit.
    Number(String),
    /// A text.
    Text(String),
    /// Keys and values, in the order written.
    Map(Vec<(String, String)>),
}

/// The options that a table sets.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// With their values, in the order of [`OPTIONS`].
    pub set: Vec<(&'static OptionSpec, OptionValue)>,
}

impl Options {
    /// The value of an option by its name in the language.
    pub fn get(&self, name: &str) -> Option<&OptionValue> {
        self.set
            .iter()
            .find(|(spec, _)| spec.name == name)
            .map(|(_, value)| value)
    }

    /// A time in its unit.
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.get(name)? {
            OptionValue::Number(number) => number.parse().ok(),
            OptionValue::Text(_) | OptionValue::Map(_) => None,
        }
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            OptionValue::Text(text) => Some(text),
            OptionValue::Number(_) | OptionValue::Map(_) => None,
        }
    }
}

/// Gives the settings of an `options` block their meaning.
pub fn check(settings: &[Setting], diagnostics: &mut Vec<Diagnostic>) -> Options {
    let mut options = Options::default();
    let mut seen: Vec<&Setting> = Vec::new();
    for setting in settings {
        let name = setting.name.text.as_str();
        let Some(spec) = OPTIONS.iter().find(|spec| spec.name == name) else {
            let by_cql = OPTIONS
                .iter()
                .find(|spec| spec.cql == name)
                .map(|spec| spec.name);
            let suggestion = by_cql.or_else(|| closest(name, OPTIONS.iter().map(|spec| spec.name)));
            let all: Vec<String> = OPTIONS
                .iter()
                .map(|spec| format!("`{}`", spec.name))
                .collect();
            diagnostics.push(
                Diagnostic::error(
                    codes::S0207,
                    setting.name.span,
                    format!("there is no option `{name}`"),
                )
                .did_you_mean(suggestion)
                .help(format!("options are {}", all.join(", "))),
            );
            continue;
        };
        if let Some(first) = seen.iter().find(|other| other.name.text == name) {
            diagnostics.push(
                Diagnostic::error(
                    codes::S0105,
                    setting.name.span,
                    format!("the option `{name}` is set twice"),
                )
                .label("and again here")
                .also(first.name.span, "first here")
                .help("remove one of them"),
            );
            continue;
        }
        seen.push(setting);
        match value(spec, &setting.value) {
            Ok(value) => options.set.push((spec, value)),
            Err(expected) => {
                let message = format!("`{name}` does not take this value");
                diagnostics.push(
                    Diagnostic::error(codes::S0208, setting.value.span(), message)
                        .help(format!("write {expected}")),
                );
            }
        }
    }
    options.set.sort_by_key(|(spec, _)| spec.name);
    options
}

fn value(spec: &OptionSpec, value: &Value) -> Result<OptionValue, &'static str> {
    match (spec.kind, value) {
        (OptionKind::Seconds, Value::Number(number)) => {
            seconds(&number.text).map(|seconds| OptionValue::Number(seconds.to_string())).ok_or(
                "a time with its unit, such as `30d`, `12h`, `10m` or `0s`, of at most 2147483647 seconds",
            )
        }
        (OptionKind::Milliseconds, Value::Number(number)) => seconds(&number.text)
            .and_then(|seconds| seconds.checked_mul(1000))
            .map(|milliseconds| OptionValue::Number(milliseconds.to_string()))
            .ok_or("a time with its unit, such as `1h` or `0s`"),
        (OptionKind::Seconds | OptionKind::Milliseconds, _) => Err("a time with its unit, such as `30d` or `0s`"),
        (OptionKind::Number, Value::Number(number)) if !number.text.ends_with(char::is_alphabetic) => {
            Ok(OptionValue::Number(number.text.clone()))
        }
        (OptionKind::Number, _) => Err("a number without a unit"),
        (OptionKind::Text, Value::Text(text)) => Ok(OptionValue::Text(text.text.clone())),
        (OptionKind::Text, _) => Err("a text between quotes"),
        (OptionKind::Caching, Value::Word(word)) => {
            let (keys, rows) = match word.text.as_str() {
                "all" => ("ALL", "ALL"),
                "keys" => ("ALL", "NONE"),
                "rows" => ("NONE", "ALL"),
                "none" => ("NONE", "NONE"),
                _ => return Err("`all`, `keys`, `rows`, `none` or a map"),
            };
            let entry = |key: &str, value: &str| (key.to_owned(), value.to_owned());
            Ok(OptionValue::Map(vec![entry("keys", keys), entry("rows_per_partition", rows)]))
        }
        (OptionKind::Caching | OptionKind::Map, Value::Map(entries, _)) => flat(entries).map(OptionValue::Map),
        (OptionKind::Caching, _) => Err("`all`, `keys`, `rows`, `none` or a map"),
        (OptionKind::Map, _) => Err("a map such as `{ class = \"SizeTieredCompactionStrategy\" }`"),
    }
}

/// A map without maps in it, as texts.
pub fn flat(entries: &[(crate::ast::Name, Value)]) -> Result<Vec<(String, String)>, &'static str> {
    entries
        .iter()
        .map(|(key, value)| match value {
            Value::Word(name) | Value::Number(name) | Value::Text(name) => {
                Ok((key.text.clone(), name.text.clone()))
            }
            Value::Map(..) => Err("a map whose values are words, numbers or texts"),
        })
        .collect()
}

/// `30d` in seconds; none if there is no unit, another unit, or it is more than CQL's `int` holds.
fn seconds(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let factor = match text.get(digits.len()..)? {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let seconds = digits.parse::<u64>().ok()?.checked_mul(factor)?;
    (seconds <= i32::MAX as u64).then_some(seconds)
}
