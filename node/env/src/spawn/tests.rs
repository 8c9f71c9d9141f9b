//! What every spawner must do, and what each does in its own way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;
use crate::chance::SeededRng;
use crate::simulation::run;

/// Takes numbers from an inbox and adds them up; the way a log loop takes frames.
struct Adder {
    inbox: Arc<Mutex<Vec<u64>>>,
    sum: Arc<AtomicUsize>,
    turns: Arc<AtomicUsize>,
}

impl Loop for Adder {
    fn turn(&mut self, _phase: Phase) -> Turn {
        self.turns.fetch_add(1, Ordering::SeqCst);
        let Some(number) = self.inbox.lock().unwrap().pop() else {
            return Turn::Idle;
        };
        assert_ne!(number, 13, "unlucky");
        self.sum
            .fetch_add(usize::try_from(number).unwrap(), Ordering::SeqCst);
        Turn::Again
    }
}

#[derive(Default, Clone)]
struct Probe {
    inbox: Arc<Mutex<Vec<u64>>>,
    sum: Arc<AtomicUsize>,
    turns: Arc<AtomicUsize>,
}

impl Probe {
    fn start(&self, spawn: &dyn Spawn) -> LoopHandle {
        let body = Adder {
            inbox: self.inbox.clone(),
            sum: self.sum.clone(),
            turns: self.turns.clone(),
        };
        spawn.dedicated("adder", Urgency::Foreground, Box::new(body))
    }

    fn give(&self, handle: &LoopHandle, number: u64) {
        self.inbox.lock().unwrap().push(number);
        handle.waker().wake();
    }

    fn sum(&self) -> usize {
        self.sum.load(Ordering::SeqCst)
    }
}

/// The contract of `Spawn`, for those that run by themselves.
async fn conforms(spawn: Arc<dyn Spawn>) {
    // A loop does all it was given before it stops, and no wake-up is lost.
    let probe = Probe::default();
    let handle = probe.start(&*spawn);
    for number in 101..=200 {
        probe.give(&handle, number);
    }
    handle.stop();
    assert_eq!(handle.ended().await, LoopEnd::Done);
    assert_eq!((probe.sum(), handle.name()), (15_050, "adder"));

    // A panic ends the loop and says why.
    let probe = Probe::default();
    let handle = probe.start(&*spawn);
    probe.give(&handle, 13);
    let LoopEnd::Panicked(text) = handle.ended().await else {
        panic!("a panic was expected")
    };
    assert!(text.contains("unlucky"), "{text}");

    // Jobs bring back results; a job that panics is reported and the pool goes on.
    assert_eq!(offload(&spawn, "job", || 6 * 7).await, Ok(42));
    let panicked = offload(&spawn, "bad job", || panic!("no")).await;
    assert_eq!(
        panicked,
        Err::<(), _>(OffloadError::Panicked { name: "bad job" })
    );
    assert_eq!(offload(&spawn, "job", || 1).await, Ok(1));

    // A shard may hold what is not `Send`.
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let handle = spawn.shard(
        "shard 7",
        Box::new(|| {
            Box::pin(async move {
                let local = std::rc::Rc::new(7);
                tokio::time::sleep(Duration::from_micros(1)).await;
                sender.send(*local).unwrap();
            })
        }),
    );
    assert_eq!(receiver.await, Ok(7));
    assert_eq!(handle.ended().await, LoopEnd::Done);
}

#[test]
fn real_conforms() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let spawn = RealSpawn::new(RealSpawnOptions {
        offload_threads: 1,
        offload_queue: 4,
    })
    .unwrap();
    runtime.block_on(conforms(Arc::new(spawn)));
}

#[test]
fn simulated_conforms() {
    run(async {
        conforms(Arc::new(SimSpawn::new(
            SeededRng::new(1),
            SimSpawnOptions::default(),
        )))
        .await;
    });
}

#[test]
fn a_full_pool_refuses() {
    let spawn = RealSpawn::new(RealSpawnOptions {
        offload_threads: 1,
        offload_queue: 1,
    })
    .unwrap();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (begun, has_begun) = std::sync::mpsc::channel();
    let block = Box::new(move || {
        begun.send(()).unwrap();
        wait.recv().unwrap();
    });
    spawn.offload_job("block", block).unwrap();
    has_begun.recv().unwrap();
    spawn.offload_job("waits", Box::new(|| ())).unwrap();
    let refused = spawn.offload_job("too many", Box::new(|| ())).unwrap_err();
    assert_eq!(refused, OffloadError::Overloaded { waiting: 1 });
    release.send(()).unwrap();
}

#[test]
fn a_simulated_loop_takes_virtual_time_and_dies_with_its_machine() {
    run(async {
        let options = SimSpawnOptions {
            foreground: Duration::from_millis(5)..Duration::from_millis(5),
            ..SimSpawnOptions::default()
        };
        let spawn = SimSpawn::new(SeededRng::new(1), options);
        let probe = Probe::default();
        let handle = probe.start(&spawn);
        probe.give(&handle, 1);
        let start = tokio::time::Instant::now();
        while probe.sum() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert!((5..=8).contains(&start.elapsed().as_millis()));
        probe.give(&handle, 2);
        spawn.kill();
        assert_eq!(handle.ended().await, LoopEnd::Killed);
        assert_eq!(probe.sum(), 1);
        assert_eq!(
            spawn.offload_job("late", Box::new(|| ())),
            Err(OffloadError::Stopped)
        );
        let late = probe.start(&spawn);
        assert_eq!(late.ended().await, LoopEnd::Killed);
    });
}

#[test]
fn a_loop_that_idles_for_a_while_turns_again() {
    struct Ticker(Arc<AtomicUsize>);
    impl Loop for Ticker {
        fn turn(&mut self, _phase: Phase) -> Turn {
            self.0.fetch_add(1, Ordering::SeqCst);
            Turn::IdleFor(Duration::from_secs(1))
        }
    }
    let turns = Arc::new(AtomicUsize::new(0));
    run(async {
        let spawn = SimSpawn::new(SeededRng::new(1), SimSpawnOptions::default());
        spawn.dedicated(
            "ticker",
            Urgency::Background,
            Box::new(Ticker(turns.clone())),
        );
        tokio::time::sleep(Duration::from_millis(10_500)).await;
    });
    assert!(
        (10..=11).contains(&turns.load(Ordering::SeqCst)),
        "{turns:?}"
    );
}

#[test]
fn steps_are_taken_by_hand() {
    let spawn = StepSpawn::new(SeededRng::new(1));
    let probe = Probe::default();
    let handle = probe.start(&spawn);
    assert!(spawn.step());
    assert!(!spawn.step(), "an idle loop wants no turn");
    probe.give(&handle, 3);
    let done = Arc::new(AtomicUsize::new(0));
    let counter = done.clone();
    spawn
        .offload_job(
            "job",
            Box::new(move || _ = counter.fetch_add(1, Ordering::SeqCst)),
        )
        .unwrap();
    assert!(spawn.settle(10));
    assert_eq!((probe.sum(), done.load(Ordering::SeqCst)), (3, 1));
    handle.stop();
    assert!(spawn.settle(10));
    assert_eq!(handle.end(), Some(LoopEnd::Done));
    let killed = probe.start(&spawn);
    spawn.kill();
    assert_eq!((killed.end(), spawn.step()), (Some(LoopEnd::Killed), false));
}
