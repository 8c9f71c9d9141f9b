//! The storage of simulated nodes, compared with a model that knows nothing of its code.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod backlog;
mod crash;
mod directories;
mod golden;
mod log_faults;
mod model;
mod reads;
mod rules;
mod spaces;
mod syncs;
mod world;
