//! Compaction: bounded steps on a background thread, woken by ingests and discards.

use std::sync::Arc;
use std::time::Duration;

use backend::{Engine, Goal, Progress};
use node_env::{Loop, Phase, Turn};

use crate::budget::Backlog;
use crate::stats::{NodeCounters, add};

/// After a failed step, such as one that met a full disk.
const RETRY: Duration = Duration::from_secs(5);

/// The body of the compactor.
pub(crate) struct CompactorLoop {
    engine: Arc<dyn Engine>,
    backlog: Arc<Backlog>,
    counters: Arc<NodeCounters>,
}

impl CompactorLoop {
    pub(crate) fn new(
        engine: Arc<dyn Engine>,
        backlog: Arc<Backlog>,
        counters: Arc<NodeCounters>,
    ) -> Self {
        Self {
            engine,
            backlog,
            counters,
        }
    }
}

impl Loop for CompactorLoop {
    fn turn(&mut self, phase: Phase) -> Turn {
        if phase == Phase::Stopping {
            return Turn::Done;
        }
        match self.engine.compact(Goal::Due) {
            Ok(Progress::Idle) => Turn::Idle,
            Ok(Progress::Worked { .. }) => {
                add(&self.counters.compactions, 1);
                self.backlog.update(&*self.engine);
                Turn::Again
            }
            Err(backend::Error::Closed) => Turn::Idle,
            Err(error) => {
                add(&self.counters.compaction_failures, 1);
                tracing::warn!(error = %error, "a compaction step failed; it is tried again");
                Turn::IdleFor(RETRY)
            }
        }
    }
}
