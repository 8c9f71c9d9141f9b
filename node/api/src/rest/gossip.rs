//! `/gossiper`, `/failure_detector`, `/snitch`: which nodes there are, where they are, and whether they answer.

use serde::Serialize;

use super::arguments::Arguments;
use super::endpoint::{Answered, Endpoint as Line, Parameter, Run, json};
use super::router::Services;
use crate::error::ApiError;
use crate::operator::{Endpoint, Liveness};

const HOST: Parameter = Parameter::optional("host", "the address of a node; this node if absent");

pub(super) const ENDPOINTS: &[Line] = &[
    Line::get(
        "/gossiper/endpoint/live",
        "addresses of the nodes that answer",
        Run::Now(|services, _| json(addresses(services, Liveness::Up)?)),
    ),
    Line::get(
        "/gossiper/endpoint/down",
        "addresses of the nodes that do not answer",
        Run::Now(|services, _| json(addresses(services, Liveness::Down)?)),
    ),
    Line::get(
        "/failure_detector/simple_states",
        "address and `UP` or `DOWN` of every node",
        Run::Now(simple_states),
    ),
    Line::get(
        "/failure_detector/count/endpoint/up",
        "how many nodes answer",
        Run::Now(|services, _| json(addresses(services, Liveness::Up)?.len())),
    ),
    Line::get(
        "/failure_detector/count/endpoint/down",
        "how many nodes do not answer",
        Run::Now(|services, _| json(addresses(services, Liveness::Down)?.len())),
    ),
    Line::get(
        "/snitch/datacenter",
        "the data center of a node",
        Run::Now(|services, arguments| json(endpoint(services, arguments)?.data_center)),
    )
    .with(&[HOST]),
    Line::get(
        "/snitch/rack",
        "the rack of a node",
        Run::Now(|services, arguments| json(endpoint(services, arguments)?.rack)),
    )
    .with(&[HOST]),
    Line::get(
        "/snitch/name",
        "how places are known",
        Run::Now(|services, _| json(services.operator.identity()?.snitch)),
    ),
];

/// An entry of a map, as tools read it.
#[derive(Serialize)]
pub(super) struct Pair<T> {
    pub(super) key: String,
    pub(super) value: T,
}

fn addresses(services: &Services, liveness: Liveness) -> Result<Vec<String>, ApiError> {
    let endpoints = services.operator.endpoints()?.into_iter();
    let wanted = endpoints.filter(|endpoint| endpoint.liveness == liveness);
    Ok(wanted
        .map(|endpoint| endpoint.address.to_string())
        .collect())
}

fn simple_states(services: &Services, _: &Arguments) -> Answered {
    let endpoints = services.operator.endpoints()?.into_iter();
    let states = endpoints.map(|endpoint| Pair {
        key: endpoint.address.to_string(),
        value: match endpoint.liveness {
            Liveness::Up => "UP",
            Liveness::Down => "DOWN",
        },
    });
    json(states.collect::<Vec<_>>())
}

/// The node that `host` names.
fn endpoint(services: &Services, arguments: &Arguments) -> Result<Endpoint, ApiError> {
    let host = match arguments.optional("host") {
        Some(host) => host.to_owned(),
        None => services.operator.identity()?.address.to_string(),
    };
    let mut endpoints = services.operator.endpoints()?.into_iter();
    endpoints
        .find(|endpoint| endpoint.address.to_string() == host)
        .ok_or_else(|| ApiError::bad(format!("no node has the address `{host}`")))
}
