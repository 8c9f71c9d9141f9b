//! C16 and C17: readers beside installs and compactions.

use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use super::collect::{Checked, drain, faults, key, open, put_numbers, settle, some, value};
use super::report::{Failure, ensure};
use super::subject::{FaultKind, Subject};
use crate::engine::{Direction, Engine};

/// How long a blocked read may take before it counts as waiting for the install, which lasts until it is done.
const DEADLOCK: Duration = Duration::from_secs(20);

/// Every kind of read, once.
fn read_everything(engine: &dyn Engine) -> Checked {
    ensure!(engine.get(&key(3))? == some(&value(3, 0, 100)), "a get");
    let snapshot = engine.snapshot();
    ensure!(
        snapshot.get(&key(4))? == some(&value(4, 0, 100)),
        "a get in a snapshot"
    );
    let (first, second) = (key(5), key(6));
    let mut got = Vec::new();
    snapshot.multi_get(&[&first, &second], &mut got)?;
    ensure!(
        got == [some(&value(5, 0, 100)), some(&value(6, 0, 100))],
        "a multi-get"
    );
    let entries = drain(snapshot.scan(Bound::Unbounded, Bound::Unbounded, Direction::Forward)?)?;
    ensure!(
        entries.len() == 500,
        "a scan gave {} entries",
        entries.len()
    );
    let _ = engine.stats();
    let _ = engine.health();
    Ok(())
}

/// An install is held until the reads are done, so a read that waits for it never ends.
pub(super) fn reads_do_not_wait_for_an_install(subject: &dyn Subject) -> Checked {
    let faults = faults(subject, FaultKind::HoldInstall)?;
    let engine = open(subject)?;
    put_numbers(&*engine, 0..500, 0, 100)?;
    let engine = &*engine;
    std::thread::scope(|scope| {
        let mut outcome = Err(Failure::broken("the install was never held"));
        let mut writer = None;
        faults.while_install_held(engine, &mut || {
            writer = Some(scope.spawn(move || put_numbers(engine, [10_000], 0, 100)));
            let (done, reads) = mpsc::channel();
            scope.spawn(move || done.send(read_everything(engine)).ok());
            outcome = match reads.recv_timeout(DEADLOCK) {
                Ok(outcome) => outcome,
                Err(_) => Err(Failure::broken("reads waited for the install")),
            };
        });
        let finished = writer.map(std::thread::ScopedJoinHandle::join);
        ensure!(
            matches!(finished, Some(Ok(Ok(())))),
            "the held ingest did not finish: {finished:?}"
        );
        outcome
    })?;
    ensure!(
        engine.get(&key(10_000))?.is_some(),
        "the held ingest is not there"
    );
    Ok(())
}

/// Each ingest writes one generation into all keys, so a reader that sees two has seen half an ingest.
pub(super) fn readers_see_whole_ingests(subject: &dyn Subject) -> Checked {
    const KEYS: u32 = 200;
    let engine = open(subject)?;
    let engine = &*engine;
    put_numbers(engine, 0..KEYS, 0, 64)?;
    let stop = AtomicBool::new(false);
    let stop = &stop;
    std::thread::scope(|scope| {
        let reader = |direction| {
            scope.spawn(move || -> Checked<u32> {
                let mut rounds = 0;
                while !stop.load(Ordering::Acquire) {
                    let scan =
                        engine
                            .snapshot()
                            .scan(Bound::Unbounded, Bound::Unbounded, direction)?;
                    let entries = drain(scan)?;
                    ensure!(
                        entries.len() == KEYS as usize,
                        "a scan saw {} keys",
                        entries.len()
                    );
                    let generation = |value: &[u8]| {
                        let text = value.split(|byte| *byte == b':').next().unwrap_or_default();
                        text.rsplit(|byte| *byte == b'-')
                            .next()
                            .unwrap_or_default()
                            .to_vec()
                    };
                    let mut generations: Vec<_> =
                        entries.iter().map(|entry| generation(&entry.1)).collect();
                    generations.dedup();
                    ensure!(
                        generations.len() == 1,
                        "one scan saw {} generations",
                        generations.len()
                    );
                    ensure!(engine.get(&key(rounds % KEYS))?.is_some(), "a key vanished");
                    rounds += 1;
                }
                Ok(rounds)
            })
        };
        let readers = [reader(Direction::Forward), reader(Direction::Reverse)];
        let compactor = scope.spawn(move || -> Checked<u32> {
            let mut steps = 0;
            while !stop.load(Ordering::Acquire) {
                steps += settle(engine)?;
                std::thread::yield_now();
            }
            Ok(steps)
        });
        let written =
            (1..30).try_for_each(|generation| put_numbers(engine, 0..KEYS, generation, 64));
        stop.store(true, Ordering::Release);
        let panicked = |_| Failure::broken("a thread panicked");
        for reader in readers {
            reader.join().map_err(panicked)??;
        }
        compactor.join().map_err(panicked)??;
        Ok(written?)
    })
}
