//! What an endpoint is.

use axum::Json;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use serde::Serialize;

use super::arguments::Arguments;
use super::router::Services;
use crate::error::ApiError;

/// One line of the table of endpoints.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    /// With `{name}` for what varies.
    pub(crate) path: &'static str,
    /// Of the query string.
    pub(crate) parameters: &'static [Parameter],
    /// What it gives or does.
    pub(crate) summary: &'static str,
    pub(crate) run: Run,
}

/// The methods that endpoints have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Post,
    Delete,
}

/// A parameter of the query string.
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) need: Need,
    pub(crate) summary: &'static str,
}

/// Whether a parameter must be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Required,
    Optional,
}

/// How an endpoint answers.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// At once.
    Now(fn(&Services, &Arguments) -> Answered),
    /// When others have answered, which takes moments.
    Soon(fn(&Services, &Arguments) -> BoxFuture<'static, Answered>),
    /// When work is done, which may take minutes.
    Work(fn(&Services, &Arguments) -> BoxFuture<'static, Answered>),
    /// At once, from the body of the request.
    Body(fn(&Services, &Arguments, &Bytes) -> Answered),
}

/// What comes of a request.
pub(crate) type Answered = Result<Response, ApiError>;

impl Method {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

impl Parameter {
    pub(crate) const fn required(name: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            need: Need::Required,
            summary,
        }
    }

    pub(crate) const fn optional(name: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            need: Need::Optional,
            summary,
        }
    }
}

impl Endpoint {
    pub(crate) const fn get(path: &'static str, summary: &'static str, run: Run) -> Self {
        Self::new(Method::Get, path, summary, run)
    }

    pub(crate) const fn post(path: &'static str, summary: &'static str, run: Run) -> Self {
        Self::new(Method::Post, path, summary, run)
    }

    pub(crate) const fn delete(path: &'static str, summary: &'static str, run: Run) -> Self {
        Self::new(Method::Delete, path, summary, run)
    }

    pub(crate) const fn with(mut self, parameters: &'static [Parameter]) -> Self {
        self.parameters = parameters;
        self
    }

    const fn new(method: Method, path: &'static str, summary: &'static str, run: Run) -> Self {
        Self {
            method,
            path,
            parameters: &[],
            summary,
            run,
        }
    }
}

/// An answer as JSON.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it ends handlers, which may fail before"
)]
pub(crate) fn json(value: impl Serialize) -> Answered {
    Ok(Json(value).into_response())
}

/// The answer of what has none: empty.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it ends handlers, which may fail before"
)]
pub(crate) fn done() -> Answered {
    Ok(().into_response())
}
