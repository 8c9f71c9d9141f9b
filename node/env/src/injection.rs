//! Named points where tests and operators make things go wrong.
//!
//! The registry hangs on the node, not on the process: many nodes share a process when simulated.
//! A crate declares its points as constants (`const BEFORE_SYNC: Point = Point::new("log_before_sync", "...")`),
//! registers them at start so that the list is complete, and passes by them with [`Injections::check`] or
//! [`Injections::pass`]. Names are `area_step_condition`.
//!
//! Cost of passing a point while nothing is enabled on the node: one relaxed atomic load.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::deadline::Deadline;

/// A place in the code where something can be made to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// `area_step_condition`.
    pub name: &'static str,
    /// What happens here, for the list.
    pub doc: &'static str,
}

impl Point {
    /// A point, for a constant.
    #[must_use]
    pub const fn new(name: &'static str, doc: &'static str) -> Self {
        Self { name, doc }
    }
}

/// What happens at an enabled point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The call fails with [`Injected`].
    Fail,
    /// It panics.
    Panic,
    /// It goes on after that time. Only where the code can wait, elsewhere nothing.
    Delay(Duration),
    /// It goes on when a message comes, and fails after [`Injections::PATIENCE`].
    /// Only where the code can wait, elsewhere nothing.
    AwaitMessage,
    /// Nothing by itself: the code asks for the parameters and decides.
    Custom,
}

/// When an enabled point acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// At every passing.
    Always,
    /// At one passing, after `skip` others; then it is disabled.
    Once {
        /// Passings that go by.
        skip: u64,
    },
}

/// Parameters of an enabled point.
pub type Parameters = BTreeMap<String, String>;

/// The point did what it was enabled for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injected {
    /// The point's name.
    pub point: &'static str,
}

impl fmt::Display for Injected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "injected error `{}`", self.point)
    }
}

impl std::error::Error for Injected {}

/// Nobody registered a point of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPoint {
    /// What was asked for.
    pub name: String,
}

impl fmt::Display for UnknownPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "there is no injection point `{}`; list them to see the names",
            self.name
        )
    }
}

impl std::error::Error for UnknownPoint {}

/// A point as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointState {
    /// The point.
    pub point: Point,
    /// What it does, if enabled.
    pub action: Option<Action>,
    /// Passings since it was first enabled.
    pub hits: u64,
    /// Parameters, if enabled.
    pub parameters: Parameters,
}

/// The registry of a node; a clone is the same registry.
#[derive(Clone, Default)]
pub struct Injections {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// How many points are enabled.
    armed: AtomicUsize,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    known: BTreeSet<Point>,
    enabled: BTreeMap<&'static str, Enabled>,
    hits: BTreeMap<&'static str, u64>,
}

struct Enabled {
    action: Action,
    times: Times,
    parameters: Parameters,
}

/// What a passing found.
struct Hit {
    action: Action,
    parameters: Parameters,
}

impl Injections {
    /// How long a point waits for its message.
    pub const PATIENCE: Duration = Duration::from_secs(300);

    /// Nothing registered, nothing enabled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes points known, so that they can be listed and enabled.
    pub fn register(&self, points: &[Point]) {
        self.shared.lock().known.extend(points);
    }

    /// Enables a point, replacing what it was enabled for.
    ///
    /// # Errors
    /// [`UnknownPoint`] if nobody registered it.
    pub fn enable(
        &self,
        name: &str,
        action: Action,
        times: Times,
        parameters: Parameters,
    ) -> Result<(), UnknownPoint> {
        let mut state = self.shared.lock();
        let point = state.point(name)?;
        state.hits.entry(point.name).or_default();
        state.enabled.insert(
            point.name,
            Enabled {
                action,
                times,
                parameters,
            },
        );
        self.shared
            .armed
            .store(state.enabled.len(), Ordering::Release);
        Ok(())
    }

    /// Disables a point; whoever waits there goes on. Fine if it was not enabled.
    ///
    /// # Errors
    /// [`UnknownPoint`] if nobody registered it.
    pub fn disable(&self, name: &str) -> Result<(), UnknownPoint> {
        let mut state = self.shared.lock();
        let point = state.point(name)?;
        state.enabled.remove(point.name);
        self.shared
            .armed
            .store(state.enabled.len(), Ordering::Release);
        drop(state);
        self.shared.changed.notify_waiters();
        Ok(())
    }

    /// Disables all points; whoever waits goes on.
    pub fn disable_all(&self) {
        let mut state = self.shared.lock();
        state.enabled.clear();
        self.shared.armed.store(0, Ordering::Release);
        drop(state);
        self.shared.changed.notify_waiters();
    }

    /// Lets one who waits at this point go on: disables it, which is what a message means here.
    ///
    /// # Errors
    /// [`UnknownPoint`] if nobody registered it.
    pub fn message(&self, name: &str) -> Result<(), UnknownPoint> {
        self.disable(name)
    }

    /// All points, by name.
    #[must_use]
    pub fn list(&self) -> Vec<PointState> {
        let state = self.shared.lock();
        let described = state.known.iter().map(|point| {
            let enabled = state.enabled.get(point.name);
            PointState {
                point: *point,
                action: enabled.map(|enabled| enabled.action),
                hits: state.hits.get(point.name).copied().unwrap_or(0),
                parameters: enabled
                    .map(|enabled| enabled.parameters.clone())
                    .unwrap_or_default(),
            }
        });
        described.collect()
    }

    /// Passings of a point while it was enabled.
    #[must_use]
    pub fn hits(&self, point: Point) -> u64 {
        self.shared
            .lock()
            .hits
            .get(point.name)
            .copied()
            .unwrap_or(0)
    }

    /// Waits until a point was passed at least `times` while enabled: "the code is there now".
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn reached(&self, point: Point, times: u64) {
        loop {
            let changed = self.shared.changed.notified();
            if self.hits(point) >= times {
                return;
            }
            changed.await;
        }
    }

    /// Passes a point where the code cannot wait.
    ///
    /// # Errors
    /// [`Injected`] if enabled to fail.
    ///
    /// # Panics
    /// If enabled to panic.
    pub fn check(&self, point: Point) -> Result<(), Injected> {
        match self.hit(point).map(|hit| hit.action) {
            None | Some(Action::Delay(_) | Action::AwaitMessage | Action::Custom) => Ok(()),
            Some(Action::Fail) => Err(Injected { point: point.name }),
            Some(Action::Panic) => panic!("injected panic `{}`", point.name),
        }
    }

    /// Passes a point where the code can wait.
    ///
    /// # Errors
    /// [`Injected`] if enabled to fail, or if no message came in time.
    ///
    /// # Panics
    /// If enabled to panic.
    ///
    /// # Cancel safety
    /// Safe; the passing counts.
    pub async fn pass(&self, point: Point) -> Result<(), Injected> {
        match self.hit(point).map(|hit| hit.action) {
            None | Some(Action::Custom) => Ok(()),
            Some(Action::Fail) => Err(Injected { point: point.name }),
            Some(Action::Panic) => panic!("injected panic `{}`", point.name),
            Some(Action::Delay(delay)) => {
                tokio::time::sleep(delay).await;
                Ok(())
            }
            Some(Action::AwaitMessage) => {
                let message = async {
                    loop {
                        let changed = self.shared.changed.notified();
                        if !self.shared.lock().enabled.contains_key(point.name) {
                            return;
                        }
                        changed.await;
                    }
                };
                let waited = Deadline::after(Self::PATIENCE).run(message).await;
                waited.map_err(|_| Injected { point: point.name })
            }
        }
    }

    /// Passes a point whose code decides by the parameters; `None` if it is not enabled.
    #[must_use]
    pub fn parameters(&self, point: Point) -> Option<Parameters> {
        self.hit(point).map(|hit| hit.parameters)
    }

    fn hit(&self, point: Point) -> Option<Hit> {
        if self.shared.armed.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut state = self.shared.lock();
        let enabled = state.enabled.get_mut(point.name)?;
        let hit = Hit {
            action: enabled.action,
            parameters: enabled.parameters.clone(),
        };
        let (acts, spent) = match &mut enabled.times {
            Times::Always => (true, false),
            // One who waits for a message stays enabled until it comes.
            Times::Once { skip: 0 } => (true, enabled.action != Action::AwaitMessage),
            Times::Once { skip } => {
                *skip -= 1;
                (false, false)
            }
        };
        *state.hits.entry(point.name).or_default() += 1;
        if spent {
            state.enabled.remove(point.name);
            self.shared
                .armed
                .store(state.enabled.len(), Ordering::Release);
        }
        drop(state);
        self.shared.changed.notify_waiters();
        acts.then_some(hit)
    }
}

impl fmt::Debug for Injections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.shared.lock();
        f.debug_struct("Injections")
            .field("enabled", &state.enabled.keys().collect::<Vec<_>>())
            .finish()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn point(&self, name: &str) -> Result<Point, UnknownPoint> {
        let found = self.known.iter().find(|point| point.name == name);
        found.copied().ok_or_else(|| UnknownPoint {
            name: name.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::run;
    use crate::tasks::TaskGroup;

    const SYNC: Point = Point::new("log_before_sync", "before a frame is synced");

    fn registry() -> Injections {
        let injections = Injections::new();
        injections.register(&[SYNC]);
        injections
    }

    #[test]
    fn a_point_fails_once_when_due() {
        let injections = registry();
        assert_eq!(injections.check(SYNC), Ok(()));
        let none = Parameters::new;
        injections
            .enable(SYNC.name, Action::Fail, Times::Once { skip: 1 }, none())
            .unwrap();
        assert_eq!(injections.check(SYNC), Ok(()));
        assert_eq!(
            injections.check(SYNC),
            Err(Injected {
                point: "log_before_sync"
            })
        );
        assert_eq!(injections.check(SYNC), Ok(()));
        assert_eq!(injections.hits(SYNC), 2);
        let unknown = injections.enable("log_befor_sync", Action::Fail, Times::Always, none());
        assert!(unknown.is_err());
    }

    #[test]
    fn registries_do_not_share() {
        let (one, other) = (registry(), registry());
        let parameters = Parameters::from([("bytes".to_owned(), "7".to_owned())]);
        one.enable(SYNC.name, Action::Custom, Times::Always, parameters.clone())
            .unwrap();
        assert_eq!(one.parameters(SYNC), Some(parameters));
        assert_eq!(other.parameters(SYNC), None);
        assert_eq!(one.list()[0].action, Some(Action::Custom));
        one.disable_all();
        assert_eq!(one.parameters(SYNC), None);
    }

    #[test]
    #[should_panic(expected = "injected panic `log_before_sync`")]
    fn a_point_panics() {
        let injections = registry();
        injections
            .enable(SYNC.name, Action::Panic, Times::Always, Parameters::new())
            .unwrap();
        drop(injections.check(SYNC));
    }

    #[test]
    fn a_point_waits_for_its_message() {
        run(async {
            let injections = registry();
            let await_message = Action::AwaitMessage;
            injections
                .enable(
                    SYNC.name,
                    await_message,
                    Times::Once { skip: 0 },
                    Parameters::new(),
                )
                .unwrap();
            let group = TaskGroup::new("test");
            let (inside, passed) = (
                injections.clone(),
                std::rc::Rc::new(std::cell::Cell::new(false)),
            );
            let told = passed.clone();
            group
                .spawn("waits", async move {
                    inside.pass(SYNC).await.unwrap();
                    told.set(true);
                })
                .unwrap();
            injections.reached(SYNC, 1).await;
            tokio::time::sleep(Duration::from_secs(10)).await;
            assert!(!passed.get());
            injections.message(SYNC.name).unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
            assert!(passed.get());
            // Without a message it fails in the end.
            injections
                .enable(SYNC.name, await_message, Times::Always, Parameters::new())
                .unwrap();
            assert!(injections.pass(SYNC).await.is_err());
            injections
                .enable(
                    SYNC.name,
                    Action::Delay(Duration::from_secs(1)),
                    Times::Always,
                    Parameters::new(),
                )
                .unwrap();
            let start = tokio::time::Instant::now();
            injections.pass(SYNC).await.unwrap();
            assert_eq!(start.elapsed(), Duration::from_secs(1));
        });
    }
}
