//! How a request fails: `{"message": ..., "code": ...}` with that code as the HTTP status.

use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::operator::OperatorError;

/// A request that was not answered as asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
}

impl ApiError {
    /// 400: the request makes no sense; it names something that does not exist, or a value that is not one.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// 403: a web page asks.
    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// 404: nothing is here.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// 405: something is here, but not for this method.
    pub(crate) fn wrong_method(message: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, message)
    }

    /// 413: the body is too large.
    pub(crate) fn too_large(bytes_max: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body of a request has at most {bytes_max} bytes"),
        )
    }

    /// 503: too many requests at a time.
    pub(crate) fn busy(concurrent: usize) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("{concurrent} requests are being worked on; try again when one has ended"),
        )
    }

    /// 504: not done in time.
    pub(crate) fn timeout(patience: Duration) -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            format!(
                "not done after {} s; what was begun goes on",
                patience.as_secs()
            ),
        )
    }

    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }
}

impl From<OperatorError> for ApiError {
    fn from(error: OperatorError) -> Self {
        let status = match &error {
            OperatorError::Starting | OperatorError::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            OperatorError::UnknownKeyspace(_) | OperatorError::UnknownTable { .. } => {
                StatusCode::BAD_REQUEST
            }
            OperatorError::Failed { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body {
            message: String,
            code: u16,
        }
        let body = Body {
            message: self.message,
            code: self.status.as_u16(),
        };
        (self.status, Json(body)).into_response()
    }
}
