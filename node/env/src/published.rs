//! A value that is replaced whole, and read often.
//!
//! ```text
//!   Published<T>  one writer side, any thread        publish(new)  → version + 1, subscribers wake
//!   Reader<T>     one per shard, keeps its own Arc   load()        → one atomic load while nothing changed
//!   Watermark     a number that only grows           reached(n)    → waits
//! ```

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// A snapshot that all can see; a clone is the same place.
pub struct Published<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    /// Grows by one with each publication, after the value has changed.
    version: AtomicU64,
    value: Mutex<Arc<T>>,
    changed: Notify,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Arc<T>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Published<T> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Published<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Published")
            .field("version", &self.version())
            .field("value", &self.load())
            .finish()
    }
}

impl<T> Published<T> {
    /// The first value, version 0.
    #[must_use]
    pub fn new(value: T) -> Self {
        let value = Mutex::new(Arc::new(value));
        Self {
            shared: Arc::new(Shared {
                version: AtomicU64::new(0),
                value,
                changed: Notify::new(),
            }),
        }
    }

    /// Replaces the value and wakes subscribers; returns the new version.
    pub fn publish(&self, value: impl Into<Arc<T>>) -> u64 {
        let value = value.into();
        self.publish_with(|_| value)
    }

    /// Replaces the value by one made of it, while nobody else can; returns the new version.
    pub fn publish_with(&self, make: impl FnOnce(&Arc<T>) -> Arc<T>) -> u64 {
        let mut place = self.shared.lock();
        let new = make(&place);
        let old = std::mem::replace(&mut *place, new);
        let version = self.shared.version.fetch_add(1, Ordering::AcqRel) + 1;
        drop(place);
        // Outside the lock: the last owner of a large value pays for freeing it.
        drop(old);
        self.shared.changed.notify_waiters();
        version
    }

    /// The value now. Takes a lock; where it matters, use a [`Reader`].
    #[must_use]
    pub fn load(&self) -> Arc<T> {
        self.shared.lock().clone()
    }

    /// How often it was replaced.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.shared.version.load(Ordering::Acquire)
    }

    /// A reader with its own copy of the `Arc`, that has seen what is there now.
    #[must_use]
    pub fn subscribe(&self) -> Reader<T> {
        let place = self.shared.lock();
        let (cached, seen) = (place.clone(), self.version());
        drop(place);
        Reader {
            shared: self.shared.clone(),
            cached,
            seen,
        }
    }
}

/// One user's view of a [`Published`] value.
pub struct Reader<T> {
    shared: Arc<Shared<T>>,
    cached: Arc<T>,
    seen: u64,
}

impl<T> Clone for Reader<T> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            cached: self.cached.clone(),
            seen: self.seen,
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Reader<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("seen", &self.seen)
            .field("value", &self.cached)
            .finish()
    }
}

impl<T> Reader<T> {
    /// The value now; one atomic load unless it was replaced since the last call.
    pub fn load(&mut self) -> &Arc<T> {
        if self.shared.version.load(Ordering::Acquire) != self.seen {
            let place = self.shared.lock();
            self.seen = self.shared.version.load(Ordering::Acquire);
            let old = std::mem::replace(&mut self.cached, place.clone());
            drop(place);
            drop(old);
        }
        &self.cached
    }

    /// The value that this reader saw last, without looking for a newer one.
    #[must_use]
    pub fn seen(&self) -> &Arc<T> {
        &self.cached
    }

    /// The version of [`Reader::seen`].
    #[must_use]
    pub fn version(&self) -> u64 {
        self.seen
    }

    /// Waits until the value was replaced since this reader looked last, and returns it.
    /// Several replacements can be seen as one.
    ///
    /// # Cancel safety
    /// Safe: what was not returned is still new.
    pub async fn changed(&mut self) -> &Arc<T> {
        let shared = self.shared.clone();
        loop {
            let changed = shared.changed.notified();
            if shared.version.load(Ordering::Acquire) != self.seen {
                return self.load();
            }
            changed.await;
        }
    }
}

/// A number that only grows, such as a durable log position; a clone is the same number.
#[derive(Clone, Default)]
pub struct Watermark {
    shared: Arc<WatermarkShared>,
}

#[derive(Default)]
struct WatermarkShared {
    at: AtomicU64,
    grown: Notify,
}

impl fmt::Debug for Watermark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watermark").field(&self.load()).finish()
    }
}

impl Watermark {
    /// Where it stands.
    #[must_use]
    pub fn load(&self) -> u64 {
        self.shared.at.load(Ordering::Acquire)
    }

    /// Raises it and wakes all who wait; lower numbers change nothing.
    pub fn raise(&self, to: u64) {
        if self.shared.at.fetch_max(to, Ordering::AcqRel) < to {
            self.shared.grown.notify_waiters();
        }
    }

    /// Waits until it stands at `wanted` or above; returns where it stands.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn reached(&self, wanted: u64) -> u64 {
        loop {
            let grown = self.shared.grown.notified();
            let at = self.load();
            if at >= wanted {
                return at;
            }
            grown.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::run;
    use crate::tasks::TaskGroup;

    #[test]
    fn a_reader_sees_what_was_published() {
        let place = Published::new(1);
        let mut reader = place.subscribe();
        assert_eq!(**reader.load(), 1);
        assert_eq!(place.publish(2), 1);
        assert_eq!((**reader.seen(), reader.version()), (1, 0));
        assert_eq!(**reader.load(), 2);
        place.publish_with(|old| Arc::new(**old + 10));
        assert_eq!((**reader.load(), reader.version()), (12, 2));
        assert_eq!(*place.load(), 12);
    }

    #[test]
    fn a_subscriber_wakes_and_misses_nothing() {
        run(async {
            let place = Published::new(0);
            let mut reader = place.subscribe();
            let group = TaskGroup::new("test");
            let writer = place.clone();
            group
                .spawn("writer", async move {
                    for value in 1..=5 {
                        writer.publish(value);
                        tokio::task::yield_now().await;
                    }
                })
                .unwrap();
            let mut last = 0;
            while last < 5 {
                let now = **reader.changed().await;
                assert!(now > last);
                last = now;
            }
        });
    }

    #[test]
    fn threads_see_whole_values_in_order() {
        let place = Published::new((0_u64, 0_u64));
        std::thread::scope(|scope| {
            for _ in 0..3 {
                let mut reader = place.subscribe();
                scope.spawn(move || {
                    let mut last = 0;
                    while last < 2_000 {
                        let (a, b) = **reader.load();
                        assert!(a == b && a >= last);
                        last = a;
                    }
                });
            }
            for value in 1..=2_000 {
                place.publish((value, value));
            }
        });
    }

    #[test]
    fn a_watermark_only_grows() {
        run(async {
            let mark = Watermark::default();
            let group = TaskGroup::new("test");
            let raiser = mark.clone();
            group
                .spawn("raiser", async move {
                    for at in [3, 1, 7] {
                        raiser.raise(at);
                        tokio::task::yield_now().await;
                    }
                })
                .unwrap();
            assert_eq!(mark.reached(2).await, 3);
            assert_eq!(mark.reached(4).await, 7);
            mark.raise(1);
            assert_eq!(mark.load(), 7);
        });
    }
}
