//! The whole table of endpoints, for programs and for readers.

use std::fmt::Write;

use serde::Serialize;

use super::endpoint::{Answered, Endpoint, Need, Run, json};
use super::{config, gossip, injection, page, storage_service, system};

/// The listing itself.
const ENDPOINTS: &[Endpoint] = &[Endpoint::get(
    "/api-doc",
    "this list",
    Run::Now(|_, _| listing()),
)];

/// Every endpoint, area by area.
pub(crate) fn all() -> impl Iterator<Item = &'static Endpoint> {
    [
        page::ENDPOINTS,
        ENDPOINTS,
        storage_service::ENDPOINTS,
        gossip::ENDPOINTS,
        system::ENDPOINTS,
        config::ENDPOINTS,
        injection::ENDPOINTS,
    ]
    .into_iter()
    .flatten()
}

#[derive(Serialize)]
struct Listed {
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    parameters: Vec<ListedParameter>,
}

#[derive(Serialize)]
struct ListedParameter {
    name: &'static str,
    required: bool,
    summary: &'static str,
}

fn listing() -> Answered {
    let parameters = |endpoint: &Endpoint| {
        endpoint
            .parameters
            .iter()
            .map(|parameter| ListedParameter {
                name: parameter.name,
                required: parameter.need == Need::Required,
                summary: parameter.summary,
            })
            .collect()
    };
    let listed: Vec<Listed> = all()
        .map(|endpoint| Listed {
            method: endpoint.method.word(),
            path: endpoint.path,
            summary: endpoint.summary,
            parameters: parameters(endpoint),
        })
        .collect();
    json(listed)
}

/// The table as Markdown, for the page in `docs/`.
#[must_use]
pub fn endpoints_markdown() -> String {
    let mut text =
        String::from("| request | parameters | what it gives or does |\n|---|---|---|\n");
    for endpoint in all() {
        let parameters: Vec<String> = endpoint
            .parameters
            .iter()
            .map(|parameter| match parameter.need {
                Need::Required => format!("`{}` (required): {}", parameter.name, parameter.summary),
                Need::Optional => format!("`{}`: {}", parameter.name, parameter.summary),
            })
            .collect();
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| `{} {}` | {} | {} |",
            endpoint.method.word(),
            endpoint.path,
            parameters.join("; "),
            endpoint.summary
        );
    }
    text
}
