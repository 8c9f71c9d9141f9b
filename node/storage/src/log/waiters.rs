//! Who waits for a position to become durable.
//!
//! Waiters belong to the shard. The log thread wakes one task of the shard, the pump, which wakes all waiters up to the
//! new durable position in one go; a wake-up within a thread costs nanoseconds, one across threads a system call.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::task::Waker;

use super::LogPosition;

/// Waiters of one shard, by the position they wait for.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    waiting: RefCell<BTreeMap<LogPosition, Vec<Waker>>>,
}

impl Waiters {
    /// Wakes `waker` when everything up to `position` is durable.
    pub(crate) fn add(&self, position: LogPosition, waker: &Waker) {
        let mut waiting = self.waiting.borrow_mut();
        let group = waiting.entry(position).or_default();
        if !group.iter().any(|known| known.will_wake(waker)) {
            group.push(waker.clone());
        }
    }

    /// Wakes everyone who waits for a position up to `durable`.
    pub(crate) fn wake_up_to(&self, durable: LogPosition) {
        let ready = {
            let mut waiting = self.waiting.borrow_mut();
            let later = waiting.split_off(&LogPosition(durable.0.saturating_add(1)));
            std::mem::replace(&mut *waiting, later)
        };
        for waker in ready.into_values().flatten() {
            waker.wake();
        }
    }

    /// How many positions are waited for.
    pub(crate) fn len(&self) -> usize {
        self.waiting.borrow().values().map(Vec::len).sum()
    }
}
