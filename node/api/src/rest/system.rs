//! `/system`: uptime and loggers.

use cql_types::did_you_mean;

use super::arguments::Arguments;
use super::endpoint::{Answered, Endpoint, Parameter, Run, done, json};
use super::router::Services;
use crate::error::ApiError;
use crate::operator::{LogLevel, Loggers};

const LEVEL: Parameter = Parameter::required("level", "error, warn, info, debug or trace");

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(
        "/system/uptime_ms",
        "milliseconds since the process started",
        Run::Now(|services, _| json(milliseconds(services))),
    ),
    Endpoint::get(
        "/system/logger",
        "names of loggers",
        Run::Now(|services, _| json(names(services))),
    ),
    Endpoint::post(
        "/system/logger",
        "changes the level of all loggers",
        Run::Now(|services, arguments| set(services, arguments, Loggers::All)),
    )
    .with(&[LEVEL]),
    Endpoint::get(
        "/system/logger/{name}",
        "the level of a logger",
        Run::Now(level),
    ),
    Endpoint::post(
        "/system/logger/{name}",
        "changes the level of a logger, until the node stops",
        Run::Now(|services, arguments| {
            set(
                services,
                arguments,
                Loggers::One(arguments.required("name")?),
            )
        }),
    )
    .with(&[LEVEL]),
];

fn milliseconds(services: &Services) -> u64 {
    u64::try_from(services.operator.uptime().as_millis()).unwrap_or(u64::MAX)
}

fn names(services: &Services) -> Vec<String> {
    services.log_levels.levels().into_keys().collect()
}

fn level(services: &Services, arguments: &Arguments) -> Answered {
    let name = arguments.required("name")?;
    match services.log_levels.levels().get(name) {
        Some(level) => json(level),
        None => Err(unknown(services, name)),
    }
}

fn set(services: &Services, arguments: &Arguments, which: Loggers<'_>) -> Answered {
    let level: LogLevel = arguments
        .required("level")?
        .parse()
        .map_err(|error: String| ApiError::bad(error))?;
    services
        .log_levels
        .set(which, level)
        .map_err(|error| unknown(services, &error.name))?;
    done()
}

fn unknown(services: &Services, name: &str) -> ApiError {
    let names = names(services);
    let near = did_you_mean(name, names.iter().map(String::as_str));
    let cure = near.map_or_else(
        || "GET /system/logger lists them".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    ApiError::bad(format!("there is no logger `{name}`; {cure}"))
}
