//! A gate counts who is inside, and whoever closes it waits until all have left.
//!
//! Used where something may go away only when nobody uses it: a version of the cluster's state, a space, a shard
//! that shuts down. It knows its holders by name, so that a close that takes long can say who keeps it open.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The gate; a clone is the same gate. Any thread may enter. Cost of entering: one uncontended lock.
#[derive(Clone)]
pub struct Gate {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    left: Notify,
}

#[derive(Default)]
struct State {
    closed: bool,
    inside: BTreeMap<&'static str, usize>,
}

/// The gate is closed: what it guards is going away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateClosed;

impl fmt::Display for GateClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is closed")
    }
}

impl std::error::Error for GateClosed {}

/// Being inside; dropping it leaves.
#[must_use = "dropping the pass leaves the gate at once"]
pub struct GatePass {
    shared: Arc<Shared>,
    who: &'static str,
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

impl Gate {
    /// An open gate with nobody inside.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                state: Mutex::default(),
                left: Notify::new(),
            }),
        }
    }

    /// Goes in, under a name that says what kind of work it is.
    ///
    /// # Errors
    /// [`GateClosed`] after [`Gate::close`] was called.
    pub fn enter(&self, who: &'static str) -> Result<GatePass, GateClosed> {
        let mut state = self.shared.lock();
        if state.closed {
            return Err(GateClosed);
        }
        *state.inside.entry(who).or_default() += 1;
        Ok(GatePass {
            shared: self.shared.clone(),
            who,
        })
    }

    /// Lets nobody in any more and waits until all have left.
    ///
    /// # Cancel safety
    /// Safe: the gate stays closed, waiting can be resumed by calling again.
    pub async fn close(&self) {
        self.shared.lock().closed = true;
        loop {
            let left = self.shared.left.notified();
            if self.shared.lock().inside.is_empty() {
                return;
            }
            left.await;
        }
    }

    /// Who is inside, and how often.
    #[must_use]
    pub fn holders(&self) -> Vec<(&'static str, usize)> {
        self.shared
            .lock()
            .inside
            .iter()
            .map(|(who, times)| (*who, *times))
            .collect()
    }

    /// Whether it was closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.lock().closed
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("closed", &self.is_closed())
            .field("holders", &self.holders())
            .finish()
    }
}

impl fmt::Debug for GatePass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GatePass").field(&self.who).finish()
    }
}

impl Drop for GatePass {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if let Some(times) = state.inside.get_mut(self.who) {
            *times -= 1;
            if *times == 0 {
                state.inside.remove(self.who);
            }
        }
        let last = state.inside.is_empty();
        drop(state);
        if last {
            self.shared.left.notify_waiters();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::deadline::Deadline;
    use crate::simulation::run;

    #[test]
    fn closing_waits_for_those_inside() {
        run(async {
            let gate = Gate::new();
            let (first, second) = (gate.enter("read").unwrap(), gate.enter("read").unwrap());
            let third = gate.enter("write").unwrap();
            assert_eq!(gate.holders(), [("read", 2), ("write", 1)]);
            let soon = || Deadline::after(Duration::from_millis(1));
            assert!(soon().run(gate.close()).await.is_err());
            assert_eq!(gate.enter("read").unwrap_err(), GateClosed);
            drop((first, second));
            assert!(soon().run(gate.close()).await.is_err());
            assert_eq!(gate.holders(), [("write", 1)]);
            drop(third);
            assert!(soon().run(gate.close()).await.is_ok());
        });
    }
}
