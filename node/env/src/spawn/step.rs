//! Loops and jobs turned by hand, one at a time: unit tests without a runtime.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::wake::Signal;
use super::{
    Job, Loop, LoopEnd, LoopHandle, OffloadError, Phase, Spawn, StartShard, Turn, Urgency,
    panic_text,
};
use crate::chance::{Rng, SeededRng};

/// Runs nothing by itself: [`StepSpawn::step`] turns one loop or runs one job, chosen by the seed.
pub struct StepSpawn {
    state: Mutex<State>,
}

struct State {
    rng: SeededRng,
    loops: Vec<Stepped>,
    jobs: VecDeque<Job>,
}

struct Stepped {
    signal: Arc<Signal>,
    /// Out while it is being turned.
    body: Option<Box<dyn Loop>>,
    rest: Rest,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// Wants another turn at once.
    None,
    UntilWoken,
    UntilTimeOrWoken,
}

impl fmt::Debug for StepSpawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        let names: Vec<&str> = state
            .loops
            .iter()
            .map(|stepped| stepped.signal.name())
            .collect();
        f.debug_struct("StepSpawn")
            .field("loops", &names)
            .field("jobs", &state.jobs.len())
            .finish()
    }
}

impl StepSpawn {
    /// Steps in an order given by `rng`.
    #[must_use]
    pub fn new(rng: SeededRng) -> Self {
        Self {
            state: Mutex::new(State {
                rng,
                loops: Vec::new(),
                jobs: VecDeque::new(),
            }),
        }
    }

    /// Turns one loop that wants it, or runs one job. False if there is nothing to do.
    pub fn step(&self) -> bool {
        let mut state = self.lock();
        let ready: Vec<usize> = state
            .loops
            .iter()
            .enumerate()
            .filter(|(_, stepped)| {
                stepped.body.is_some()
                    && (stepped.rest == Rest::None || stepped.signal.is_pending())
            })
            .map(|(number, _)| number)
            .collect();
        let choice = ready.len() + usize::from(!state.jobs.is_empty());
        let chosen = state.rng.index(choice);
        if let Some(&number) = ready.get(chosen) {
            self.turn(state, number);
            return true;
        }
        let Some(job) = state.jobs.pop_front() else {
            return false;
        };
        drop(state);
        if let Err(payload) = catch_unwind(AssertUnwindSafe(job)) {
            tracing::error!(panic = %panic_text(&*payload), "an offloaded job panicked");
        }
        true
    }

    /// Steps until nothing wants to. Stops after `limit` steps; returns whether it settled.
    pub fn settle(&self, limit: usize) -> bool {
        (0..limit).any(|_| !self.step())
    }

    /// The patience of every resting loop runs out: each wants a turn.
    pub fn pass_time(&self) {
        for stepped in &mut self.lock().loops {
            if stepped.rest == Rest::UntilTimeOrWoken {
                stepped.rest = Rest::None;
            }
        }
    }

    /// The machine crashes: loops and jobs are dropped without a last turn.
    pub fn kill(&self) {
        let (loops, jobs) = {
            let mut state = self.lock();
            (
                std::mem::take(&mut state.loops),
                std::mem::take(&mut state.jobs),
            )
        };
        drop(jobs);
        for stepped in loops {
            stepped.signal.finish(LoopEnd::Killed);
        }
    }

    fn turn(&self, mut state: MutexGuard<'_, State>, number: usize) {
        let Some(stepped) = state.loops.get_mut(number) else {
            return;
        };
        let Some(mut body) = stepped.body.take() else {
            return;
        };
        let signal = stepped.signal.clone();
        // The turn may give work to others, so the state is free meanwhile.
        drop(state);
        signal.take();
        let phase = signal.phase();
        let turn = catch_unwind(AssertUnwindSafe(|| body.turn(phase)));
        let rest = match (turn, phase) {
            (Err(payload), _) => Err(LoopEnd::Panicked(panic_text(&*payload))),
            (Ok(Turn::Again), _) => Ok(Rest::None),
            (Ok(Turn::Done), _) | (Ok(Turn::Idle | Turn::IdleFor(_)), Phase::Stopping) => {
                Err(LoopEnd::Done)
            }
            (Ok(Turn::Idle), Phase::Running) => Ok(Rest::UntilWoken),
            (Ok(Turn::IdleFor(_)), Phase::Running) => Ok(Rest::UntilTimeOrWoken),
        };
        let mut state = self.lock();
        let place = state
            .loops
            .iter_mut()
            .find(|stepped| Arc::ptr_eq(&stepped.signal, &signal));
        match (rest, place) {
            (Ok(rest), Some(stepped)) => {
                stepped.body = Some(body);
                stepped.rest = rest;
            }
            (Ok(_), None) => {}
            (Err(end), _) => {
                state
                    .loops
                    .retain(|stepped| !Arc::ptr_eq(&stepped.signal, &signal));
                drop(state);
                drop(body);
                signal.finish(end);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spawn for StepSpawn {
    fn dedicated(&self, name: &str, _urgency: Urgency, body: Box<dyn Loop>) -> LoopHandle {
        let signal = Signal::new(name);
        self.lock().loops.push(Stepped {
            signal: signal.clone(),
            body: Some(body),
            rest: Rest::None,
        });
        LoopHandle(signal)
    }

    /// There is no runtime to run a shard on: it ends at once, as killed.
    fn shard(&self, name: &str, _start: StartShard) -> LoopHandle {
        let signal = Signal::new(name);
        signal.finish(LoopEnd::Killed);
        LoopHandle(signal)
    }

    fn offload_job(&self, _name: &'static str, job: Job) -> Result<(), OffloadError> {
        self.lock().jobs.push_back(job);
        Ok(())
    }
}
