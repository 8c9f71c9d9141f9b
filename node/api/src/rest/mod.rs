//! The REST interface: a table of endpoints, and one way through which every request goes.
//!
//! ```text
//!  request ─► route ─► origin? ─► a free place? ─► parameters as declared? ─► body within bounds ─► run, in time ─► answer
//!               └ 404, 405      └ 403          └ 503                      └ 400                └ 413           └ 504
//! ```
//!
//! The table is the only place that names an endpoint: routes, checks of parameters, suggestions, the listing at `/api-doc/` and the
//! page in `docs/` are made from it. A handler is a function from services and checked arguments to an answer.

mod arguments;
mod config;
mod endpoint;
mod gossip;
mod injection;
mod listing;
mod page;
mod router;
mod storage_service;
mod system;
mod unknown;

pub use listing::endpoints_markdown;
pub(crate) use page::HTML_HEADERS;
pub use router::{Limits, Services, router};
