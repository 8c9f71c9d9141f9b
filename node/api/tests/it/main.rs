//! REST and metrics over a fake node: every endpoint word for word, bounds, time, sockets, and the page in `docs/`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod bounds;
mod docs;
mod fake;
mod metrics;
mod scripts;
mod sockets;
