//! Tests of the crate through its public interface: one binary, one module a topic.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod draw;
mod keys;
mod literals;
mod types;
mod values;
