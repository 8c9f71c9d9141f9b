//! What this crate promises, tested from outside: the algebra of merging, reads against a naive model,
//! golden bytes of the formats, golden scripts, and bytes that are not ours.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tests"
)]

mod algebra;
mod collections;
mod format;
mod generate;
mod hostile;
mod model;
mod reading;
mod scripts;
mod table;
