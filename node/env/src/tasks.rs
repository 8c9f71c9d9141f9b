//! Tasks of a shard: each has a name, each belongs to a group, and a group ends as a whole.
//!
//! A group lives on one runtime, like the shard that owns it; its futures need not be `Send`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use crate::deadline::Deadline;
use crate::spawn::panic_text;

/// The group is closing: nothing new is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupClosed;

impl fmt::Display for GroupClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this part of the node is shutting down")
    }
}

impl std::error::Error for GroupClosed {}

/// A task that panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskPanic {
    /// The task's name.
    pub task: String,
    /// The words of the panic.
    pub text: String,
}

/// The owner of tasks on one runtime. Dropping it drops the tasks where they wait.
pub struct TaskGroup {
    shared: Rc<Shared>,
}

struct Shared {
    name: String,
    stop: CancellationToken,
    state: RefCell<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    next: u64,
    running: BTreeMap<u64, Running>,
    closed: bool,
    panicked: Option<TaskPanic>,
}

struct Running {
    name: String,
    abort: Option<AbortHandle>,
}

impl TaskGroup {
    /// An empty group; the name appears in logs.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let shared = Shared {
            name: name.to_owned(),
            stop: CancellationToken::new(),
            state: RefCell::default(),
            changed: Notify::new(),
        };
        Self {
            shared: Rc::new(shared),
        }
    }

    /// Starts a task on this runtime.
    ///
    /// # Errors
    /// [`GroupClosed`] once the group is closing; the future is dropped.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the seam that the others are told to use"
    )]
    pub fn spawn(
        &self,
        name: impl Into<String>,
        future: impl Future<Output = ()> + 'static,
    ) -> Result<(), GroupClosed> {
        let number = {
            let mut state = self.shared.state.borrow_mut();
            if state.closed {
                return Err(GroupClosed);
            }
            state.next += 1;
            let number = state.next;
            state.running.insert(
                number,
                Running {
                    name: name.into(),
                    abort: None,
                },
            );
            number
        };
        let leave = Leave {
            shared: self.shared.clone(),
            number,
        };
        let task = tokio::task::spawn_local(async move {
            let mut future = pin!(future);
            let ended = poll_fn(|context| {
                match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
                    Ok(Poll::Pending) => Poll::Pending,
                    Ok(Poll::Ready(())) => Poll::Ready(None),
                    Err(payload) => Poll::Ready(Some(panic_text(&*payload))),
                }
            });
            if let Some(text) = ended.await {
                leave.panicked(text);
            }
            drop(leave);
        });
        if let Some(running) = self.shared.state.borrow_mut().running.get_mut(&number) {
            running.abort = Some(task.abort_handle());
        }
        Ok(())
    }

    /// Cancelled when the group is asked to stop: every task waits for it beside its work, in a `biased` select,
    /// first.
    #[must_use]
    pub fn stop_token(&self) -> CancellationToken {
        self.shared.stop.clone()
    }

    /// Names of the tasks that run, in the order they were started.
    #[must_use]
    pub fn running(&self) -> Vec<String> {
        self.shared
            .state
            .borrow()
            .running
            .values()
            .map(|running| running.name.clone())
            .collect()
    }

    /// Asks all tasks to stop, waits until `deadline`, then drops those that did not.
    /// Returns the names of those, which is a bug of theirs.
    ///
    /// # Cancel safety
    /// Safe: asked to stop they stay.
    pub async fn close(&self, deadline: Deadline) -> Vec<String> {
        self.shared.state.borrow_mut().closed = true;
        self.shared.stop.cancel();
        let all_left = async {
            loop {
                let changed = self.shared.changed.notified();
                if self.shared.state.borrow().running.is_empty() {
                    return;
                }
                changed.await;
            }
        };
        if deadline.run(all_left).await.is_ok() {
            return Vec::new();
        }
        let left = self.running();
        tracing::warn!(group = %self.shared.name, tasks = ?left, "tasks did not stop in time");
        self.shared.abort_all();
        left
    }

    /// Waits for the first panic of a task: whoever owns the group decides what still stands.
    ///
    /// # Cancel safety
    /// Safe; the panic is kept.
    pub async fn panicked(&self) -> TaskPanic {
        loop {
            let changed = self.shared.changed.notified();
            let panicked = self.shared.state.borrow().panicked.clone();
            match panicked {
                Some(panic) => return panic,
                None => changed.await,
            }
        }
    }
}

impl fmt::Debug for TaskGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("name", &self.shared.name)
            .finish_non_exhaustive()
    }
}

impl Drop for TaskGroup {
    fn drop(&mut self) {
        self.shared.state.borrow_mut().closed = true;
        self.shared.stop.cancel();
        self.shared.abort_all();
    }
}

impl Shared {
    fn abort_all(&self) {
        // Collected first: a task that is dropped leaves, which changes the map.
        let handles: Vec<AbortHandle> = self
            .state
            .borrow()
            .running
            .values()
            .filter_map(|running| running.abort.clone())
            .collect();
        handles.iter().for_each(AbortHandle::abort);
    }
}

/// Signs a task off however it ends.
struct Leave {
    shared: Rc<Shared>,
    number: u64,
}

impl Leave {
    fn panicked(&self, text: String) {
        let mut state = self.shared.state.borrow_mut();
        let task = state
            .running
            .get(&self.number)
            .map_or_else(String::new, |running| running.name.clone());
        tracing::error!(group = %self.shared.name, task, panic = %text, "a task panicked");
        state.panicked.get_or_insert(TaskPanic { task, text });
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.shared.state.borrow_mut().running.remove(&self.number);
        self.shared.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::simulation::run;

    #[test]
    fn tasks_are_named_and_leave() {
        run(async {
            let group = TaskGroup::new("shard 0");
            group.spawn("short", async {}).unwrap();
            group.spawn("long", std::future::pending()).unwrap();
            assert_eq!(group.running(), ["short", "long"]);
            tokio::task::yield_now().await;
            assert_eq!(group.running(), ["long"]);
        });
    }

    #[test]
    fn a_group_closes_when_its_tasks_obey() {
        run(async {
            let group = TaskGroup::new("shard 0");
            let stop = group.stop_token();
            group
                .spawn("obedient", async move { stop.cancelled().await })
                .unwrap();
            assert!(
                group
                    .close(Deadline::after(Duration::from_secs(1)))
                    .await
                    .is_empty()
            );
            assert_eq!(group.spawn("late", async {}), Err(GroupClosed));
        });
    }

    #[test]
    fn a_task_that_does_not_stop_is_named_and_dropped() {
        run(async {
            let group = TaskGroup::new("shard 0");
            group.spawn("deaf", std::future::pending()).unwrap();
            assert_eq!(
                group.close(Deadline::after(Duration::from_secs(1))).await,
                ["deaf"]
            );
            tokio::task::yield_now().await;
            assert!(group.running().is_empty());
        });
    }

    #[test]
    fn dropping_a_group_drops_its_tasks() {
        run(async {
            let group = TaskGroup::new("shard 0");
            let held = Rc::new(());
            let inside = held.clone();
            group
                .spawn("holder", async move {
                    std::future::pending::<()>().await;
                    drop(inside);
                })
                .unwrap();
            drop(group);
            tokio::task::yield_now().await;
            assert_eq!(Rc::strong_count(&held), 1);
        });
    }

    #[test]
    fn a_panic_is_reported_and_the_others_go_on() {
        run(async {
            let group = TaskGroup::new("shard 0");
            group
                .spawn("unlucky", async { panic!("out of luck") })
                .unwrap();
            group.spawn("other", std::future::pending()).unwrap();
            let expected = TaskPanic {
                task: "unlucky".into(),
                text: "out of luck".into(),
            };
            assert_eq!(group.panicked().await, expected);
            assert_eq!(group.running(), ["other"]);
        });
    }
}
