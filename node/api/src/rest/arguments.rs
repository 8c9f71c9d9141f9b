//! The parameters of a request, checked against what its endpoint declares.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query, RawPathParams};
use axum::http::request::Parts;
use cql_types::did_you_mean;

use super::endpoint::{Endpoint, Need};
use crate::error::ApiError;

/// Parameters by name; those of the path and of the query string.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    values: BTreeMap<String, String>,
}

impl Arguments {
    /// Takes them out of a request.
    ///
    /// # Errors
    /// 400 for what is not UTF-8, unknown, given twice, or missing.
    pub(crate) async fn of(endpoint: &Endpoint, parts: &mut Parts) -> Result<Self, ApiError> {
        let mut arguments = Self::default();
        let path = RawPathParams::from_request_parts(parts, &())
            .await
            .map_err(|error| ApiError::bad(error.body_text()))?;
        for (name, value) in &path {
            arguments.put(name, value)?;
        }
        let Query(query) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|error| ApiError::bad(error.body_text()))?;
        for (name, value) in query {
            if !endpoint.parameters.iter().any(|known| known.name == name) {
                return Err(unknown(endpoint, &name));
            }
            arguments.put(&name, &value)?;
        }
        for parameter in endpoint.parameters {
            if parameter.need == Need::Required && arguments.optional(parameter.name).is_none() {
                return Err(ApiError::bad(format!(
                    "the parameter `{}` is missing: {}",
                    parameter.name, parameter.summary
                )));
            }
        }
        Ok(arguments)
    }

    /// One that may be absent; empty is absent.
    pub(crate) fn optional(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// One that the endpoint declares as required, or that is a part of its path.
    ///
    /// # Errors
    /// 400 if it is missing after all.
    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.optional(name)
            .ok_or_else(|| ApiError::bad(format!("`{name}` is missing")))
    }

    /// One that is something else than text; absent means its default.
    ///
    /// # Errors
    /// 400 if the text does not say such a thing.
    pub(crate) fn parsed<T>(&self, name: &str, default: T) -> Result<T, ApiError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Some(text) = self.optional(name) else {
            return Ok(default);
        };
        text.parse()
            .map_err(|error| ApiError::bad(format!("`{name}` cannot be `{text}`: {error}")))
    }

    fn put(&mut self, name: &str, value: &str) -> Result<(), ApiError> {
        match self.values.insert(name.to_owned(), value.to_owned()) {
            None => Ok(()),
            Some(_) => Err(ApiError::bad(format!(
                "the parameter `{name}` is given twice"
            ))),
        }
    }
}

fn unknown(endpoint: &Endpoint, name: &str) -> ApiError {
    let names: Vec<&str> = endpoint
        .parameters
        .iter()
        .map(|parameter| parameter.name)
        .collect();
    let cure = match did_you_mean(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "it takes none".to_owned(),
        None => format!("it takes {}", names.join(", ")),
    };
    ApiError::bad(format!(
        "{} has no parameter `{name}`; {cure}",
        endpoint.path
    ))
}
