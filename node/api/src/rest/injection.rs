//! `/v2/error_injection`: makes things go wrong, for tests and exercises.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use cql_types::did_you_mean;
use node_env::Injections;
use node_env::injection::{Action, Parameters, PointState, Times, UnknownPoint};
use serde::Serialize;

use super::arguments::Arguments;
use super::endpoint::{Answered, Endpoint, Parameter, Run, done, json};
use super::gossip::Pair;
use super::router::Services;
use crate::error::ApiError;

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::get(
        "/v2/error_injection/points",
        "every point: name, what happens there, what it is enabled for, how often it was passed",
        Run::Now(points),
    ),
    Endpoint::get(
        "/v2/error_injection/injection",
        "names of the points that are enabled",
        Run::Now(enabled),
    ),
    Endpoint::get(
        "/v2/error_injection/injection/{name}",
        "whether a point is enabled, and its parameters",
        Run::Now(one),
    ),
    Endpoint::post(
        "/v2/error_injection/injection/{name}",
        "enables a point; the body may be a JSON object of parameters, all text",
        Run::Body(enable),
    )
    .with(&[
        Parameter::optional("one_shot", "true: it acts once, then it is disabled"),
        Parameter::optional("skip", "with `one_shot`, how many passings go by before it acts"),
        Parameter::optional(
            "action",
            "`fail`, `panic`, `delay`, `await_message`, or `custom`, which leaves it to the code; `fail` if absent",
        ),
        Parameter::optional("delay_ms", "with `delay`, for how long"),
    ]),
    Endpoint::delete(
        "/v2/error_injection/injection/{name}",
        "disables a point; whoever waits there goes on",
        Run::Now(|services, arguments| known(services, arguments, Injections::disable)),
    ),
    Endpoint::delete(
        "/v2/error_injection/injection",
        "disables all points",
        Run::Now(|services, _| {
            injections(services)?.disable_all();
            done()
        }),
    ),
    Endpoint::post(
        "/v2/error_injection/injection/{name}/message",
        "lets whoever waits at a point go on",
        Run::Now(|services, arguments| known(services, arguments, Injections::message)),
    ),
    Endpoint::get(
        "/v2/error_injection/injection/{name}/enters",
        "how often a point was passed since it was first enabled",
        Run::Now(|services, arguments| json(state(services, arguments)?.hits)),
    ),
];

fn injections(services: &Services) -> Result<&Injections, ApiError> {
    services
        .injections
        .as_ref()
        .ok_or_else(|| ApiError::not_found("this node does not take injected errors"))
}

fn unknown(injections: &Injections, error: &UnknownPoint) -> ApiError {
    let states = injections.list();
    let near = did_you_mean(&error.name, states.iter().map(|state| state.point.name));
    let cure = near.map_or_else(
        || "GET /v2/error_injection/points lists them".to_owned(),
        |near| format!("did you mean `{near}`?"),
    );
    ApiError::bad(format!(
        "there is no injection point `{}`; {cure}",
        error.name
    ))
}

fn state(services: &Services, arguments: &Arguments) -> Result<PointState, ApiError> {
    let (injections, name) = (injections(services)?, arguments.required("name")?);
    let mut states = injections.list().into_iter();
    states
        .find(|state| state.point.name == name)
        .ok_or_else(|| {
            unknown(
                injections,
                &UnknownPoint {
                    name: name.to_owned(),
                },
            )
        })
}

fn known(
    services: &Services,
    arguments: &Arguments,
    act: fn(&Injections, &str) -> Result<(), UnknownPoint>,
) -> Answered {
    let injections = injections(services)?;
    act(injections, arguments.required("name")?).map_err(|error| unknown(injections, &error))?;
    done()
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Fail => "fail",
        Action::Panic => "panic",
        Action::Delay(_) => "delay",
        Action::AwaitMessage => "await_message",
        Action::Custom => "custom",
    }
}

fn points(services: &Services, _: &Arguments) -> Answered {
    #[derive(Serialize)]
    struct Listed {
        name: &'static str,
        doc: &'static str,
        action: Option<&'static str>,
        enters: u64,
    }
    let states = injections(services)?.list().into_iter();
    let listed = states.map(|state| Listed {
        name: state.point.name,
        doc: state.point.doc,
        action: state.action.map(word),
        enters: state.hits,
    });
    json(listed.collect::<Vec<_>>())
}

fn enabled(services: &Services, _: &Arguments) -> Answered {
    let states = injections(services)?.list().into_iter();
    let enabled = states.filter(|state| state.action.is_some());
    json(enabled.map(|state| state.point.name).collect::<Vec<_>>())
}

fn one(services: &Services, arguments: &Arguments) -> Answered {
    #[derive(Serialize)]
    struct State {
        enabled: bool,
        parameters: Vec<Pair<String>>,
    }
    let state = state(services, arguments)?;
    let parameters = state.parameters.into_iter();
    // Tools expect a list with an element for each place that keeps points; here the node keeps them.
    json([State {
        enabled: state.action.is_some(),
        parameters: parameters.map(|(key, value)| Pair { key, value }).collect(),
    }])
}

fn enable(services: &Services, arguments: &Arguments, body: &Bytes) -> Answered {
    let injections = injections(services)?;
    let skip = arguments.parsed("skip", 0)?;
    let times = match (arguments.parsed("one_shot", false)?, skip) {
        (true, skip) => Times::Once { skip },
        (false, 0) => Times::Always,
        (false, _) => return Err(ApiError::bad("`skip` goes with `one_shot=true`")),
    };
    let delay_ms: u64 = arguments.parsed("delay_ms", 0)?;
    let action = match (arguments.optional("action").unwrap_or("fail"), delay_ms) {
        ("delay", 1..) => Action::Delay(Duration::from_millis(delay_ms)),
        ("delay", 0) => return Err(ApiError::bad("`action=delay` needs `delay_ms`")),
        (_, 1..) => return Err(ApiError::bad("`delay_ms` goes with `action=delay`")),
        ("fail", _) => Action::Fail,
        ("panic", _) => Action::Panic,
        ("await_message", _) => Action::AwaitMessage,
        ("custom", _) => Action::Custom,
        (other, _) => {
            return Err(ApiError::bad(format!(
                "`action` cannot be `{other}`; write fail, panic, delay, await_message or custom"
            )));
        }
    };
    injections
        .enable(
            arguments.required("name")?,
            action,
            times,
            parameters(body)?,
        )
        .map_err(|error| unknown(injections, &error))?;
    done()
}

fn parameters(body: &Bytes) -> Result<Parameters, ApiError> {
    if body.is_empty() {
        return Ok(Parameters::new());
    }
    let Json(parameters) = Json::<BTreeMap<String, String>>::from_bytes(body).map_err(|error| {
        ApiError::bad(format!(
            "the body must be a JSON object from text to text: {}",
            error.body_text()
        ))
    })?;
    Ok(parameters)
}
