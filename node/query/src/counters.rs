//! What the connections of one shard did; counted on the shard, read from anywhere.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one shard since the process started.
#[derive(Debug, Default)]
pub struct RequestCounters {
    accepted: AtomicU64,
    closed: AtomicU64,
    requests: AtomicU64,
    answered: AtomicU64,
    errors: AtomicU64,
}

impl RequestCounters {
    fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn connected(&self) {
        Self::add(&self.accepted);
    }

    pub(crate) fn disconnected(&self) {
        Self::add(&self.closed);
    }

    pub(crate) fn requested(&self) {
        Self::add(&self.requests);
    }

    pub(crate) fn answered(&self) {
        Self::add(&self.answered);
    }

    pub(crate) fn failed(&self) {
        Self::add(&self.errors);
    }

    /// Connections that were accepted.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Connections that are open.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.accepted()
            .saturating_sub(self.closed.load(Ordering::Relaxed))
    }

    /// Requests that arrived.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Requests that are being answered by more than this shard alone.
    #[must_use]
    pub fn serving(&self) -> u64 {
        self.requests()
            .saturating_sub(self.answered.load(Ordering::Relaxed))
    }

    /// Requests that were answered with an error.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }
}
