//! `/v2/config`: the options that the node runs with.

use cql_types::did_you_mean;
use serde::Serialize;

use super::arguments::Arguments;
use super::endpoint::{Answered, Endpoint, Run, json};
use super::router::Services;
use crate::error::ApiError;
use crate::operator::{OptionKind, OptionRow};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(
        "/v2/config",
        "every option: name, value, where it came from, what it means",
        Run::Now(options),
    ),
    Endpoint::get(
        "/v2/config/{id}",
        "the value of an option",
        Run::Now(option),
    ),
];

/// The value of an option as JSON.
#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    Number(i64),
    Flag(bool),
    Text(String),
    /// It follows from other options.
    Absent,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    value: Value,
    source: String,
    doc: String,
}

fn value(row: &OptionRow) -> Value {
    if row.value.is_empty() {
        return Value::Absent;
    }
    let parsed = match row.kind {
        OptionKind::Number => row.value.parse().ok().map(Value::Number),
        OptionKind::Flag => row.value.parse().ok().map(Value::Flag),
        OptionKind::Text => None,
    };
    parsed.unwrap_or_else(|| Value::Text(row.value.clone()))
}

fn options(services: &Services, _: &Arguments) -> Answered {
    let rows = services.operator.options().into_iter();
    let listed = rows.map(|row| Listed {
        value: value(&row),
        name: row.name,
        source: row.source,
        doc: row.doc,
    });
    json(listed.collect::<Vec<_>>())
}

fn option(services: &Services, arguments: &Arguments) -> Answered {
    let id = arguments.required("id")?;
    let rows = services.operator.options();
    if let Some(row) = rows.iter().find(|row| row.name == id) {
        return json(value(row));
    }
    let near = did_you_mean(id, rows.iter().map(|row| row.name.as_str()));
    let cure = near.map_or_else(
        || "GET /v2/config lists them".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    Err(ApiError::not_found(format!(
        "there is no option `{id}`; {cure}"
    )))
}
