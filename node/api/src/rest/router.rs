//! The way of a request through the table of endpoints.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter, on};
use node_env::{Deadline, Injections};
use tokio::sync::Semaphore;

use super::arguments::Arguments;
use super::endpoint::{Answered, Endpoint, Method, Run};
use super::{listing, unknown};
use crate::error::ApiError;
use crate::operator::{LogLevels, Operator};

/// What the endpoints work on.
#[derive(Clone)]
pub struct Services {
    /// The node.
    pub operator: Arc<dyn Operator>,
    /// Its loggers.
    pub log_levels: Arc<dyn LogLevels>,
    /// Where things can be made to go wrong; `None` where nobody may.
    pub injections: Option<Injections>,
}

/// How much requests may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long an answer may take that only asks.
    pub answer: Duration,
    /// How long a request waits for work such as a flush; what was begun goes on.
    pub work: Duration,
    /// Requests at a time that only ask.
    pub concurrent: usize,
    /// Requests at a time that wait for work.
    pub working: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            work: Duration::from_secs(3_600),
            concurrent: 64,
            working: 8,
            body_bytes: 64 << 10,
        }
    }
}

/// What all requests share.
struct Shared {
    services: Services,
    limits: Limits,
    places: Semaphore,
    working_places: Semaphore,
}

/// The REST interface of a node, to be served or called in memory.
pub fn router(services: Services, limits: Limits) -> Router {
    let shared = Arc::new(Shared {
        services,
        limits,
        places: Semaphore::new(limits.concurrent),
        working_places: Semaphore::new(limits.working),
    });
    let mut router = Router::new();
    for endpoint in listing::all() {
        router = router.route(endpoint.path, route(endpoint));
        // Tools write some of the paths with a slash at the end.
        if endpoint.path != "/" {
            router = router.route(&format!("{}/", endpoint.path), route(endpoint));
        }
    }
    router
        .fallback(async |request: Request| unknown::path(request.uri().path()))
        .method_not_allowed_fallback(async |request: Request| {
            unknown::method(request.method().as_str(), request.uri().path())
        })
        .with_state(shared)
}

fn route(endpoint: &'static Endpoint) -> MethodRouter<Arc<Shared>> {
    let filter = match endpoint.method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Delete => MethodFilter::DELETE,
    };
    on(
        filter,
        async move |State(shared): State<Arc<Shared>>, request: Request| {
            shared.answer(endpoint, request).await.into_response()
        },
    )
}

impl Shared {
    async fn answer(&self, endpoint: &'static Endpoint, request: Request) -> Answered {
        let limits = &self.limits;
        let (patience, places, concurrent) = match endpoint.run {
            Run::Now(_) | Run::Soon(_) | Run::Body(_) => {
                (limits.answer, &self.places, limits.concurrent)
            }
            Run::Work(_) => (limits.work, &self.working_places, limits.working),
        };
        let Ok(_place) = places.try_acquire() else {
            return Err(ApiError::busy(concurrent));
        };
        let answered = Deadline::after(patience)
            .run(self.run(endpoint, request))
            .await
            .unwrap_or_else(|_| Err(ApiError::timeout(patience)));
        if let Err(error) = &answered {
            tracing::debug!(
                method = endpoint.method.word(),
                path = endpoint.path,
                ?error,
                "REST request failed"
            );
        }
        answered
    }

    async fn run(&self, endpoint: &'static Endpoint, request: Request) -> Answered {
        let (mut parts, body) = request.into_parts();
        if endpoint.method != Method::Get {
            // A page of the web can make its reader's browser send requests here; browsers say so.
            if parts.headers.contains_key(header::ORIGIN) {
                return Err(ApiError::forbidden(
                    "requests of web pages change nothing here; send it without an `Origin` header",
                ));
            }
            tracing::info!(method = endpoint.method.word(), uri = %parts.uri, "REST request");
        }
        let arguments = Arguments::of(endpoint, &mut parts).await?;
        match endpoint.run {
            Run::Now(run) => run(&self.services, &arguments),
            Run::Soon(run) | Run::Work(run) => run(&self.services, &arguments).await,
            Run::Body(run) => run(&self.services, &arguments, &self.read(body).await?),
        }
    }

    async fn read(&self, body: Body) -> Result<Bytes, ApiError> {
        to_bytes(body, self.limits.body_bytes)
            .await
            .map_err(|_| ApiError::too_large(self.limits.body_bytes))
    }
}
