//! The simulated disk: capacity, faults to come, what a crash leaves, what an observer sees.

use std::path::Path;
use std::sync::{Arc, Mutex};

use backend::{Engine, Error, Factory, Goal, KeepAll, OpenOptions};
use backend_memory::{Fault, MemoryDisk, MemoryFactory, Operation};

const DIRECTORY: &str = "/database";

fn open(disk: &MemoryDisk) -> Arc<dyn Engine> {
    let factory = MemoryFactory::new(disk.clone());
    factory
        .open(&OpenOptions::new(DIRECTORY), Arc::new(KeepAll))
        .expect("opened")
}

fn put(engine: &dyn Engine, keys: std::ops::Range<u32>) -> Result<(), Error> {
    let mut ingest = engine.ingest()?;
    keys.into_iter()
        .try_for_each(|key| ingest.put(&key.to_be_bytes(), &[7; 100]))?;
    ingest.finish().map(drop)
}

#[test]
fn faults_strike_after_as_many_operations_as_said() {
    let disk = MemoryDisk::new();
    let engine = open(&disk);
    disk.inject(Operation::Put, 5, Fault::NoSpace);
    disk.inject(Operation::Install, 1, Fault::Io);
    assert!(put(&*engine, 0..5).is_ok());
    assert!(put(&*engine, 0..5).is_err_and(|error| error.is_no_space()));
    assert!(matches!(put(&*engine, 0..5), Err(Error::Io { .. })));
    assert!(put(&*engine, 0..5).is_ok());
    disk.inject(Operation::Read, 0, Fault::Io);
    assert!(engine.get(&[0; 4]).is_err());
    assert!(engine.get(&[0; 4]).is_ok());
    disk.inject(Operation::Compact, 0, Fault::Crash { seed: 3 });
    assert!(matches!(
        engine.compact(Goal::Everything),
        Err(Error::Closed)
    ));
    assert!(matches!(engine.get(&[0; 4]), Err(Error::Closed)));
    assert!(
        open(&disk)
            .get(&0_u32.to_be_bytes())
            .expect("read")
            .is_some()
    );
}

#[test]
fn a_full_disk_counts_what_is_under_way_and_what_a_crash_left() {
    let disk = MemoryDisk::new();
    disk.set_capacity(Some(10_000));
    let engine = open(&disk);
    put(&*engine, 0..50).expect("put");
    assert!(put(&*engine, 0..50).is_err_and(|error| error.is_no_space()));
    assert_eq!(
        disk.used_bytes(),
        50 * 120,
        "a failed ingest gives its room back"
    );
    drop(engine);
    let mut left = Vec::new();
    for seed in 0..8 {
        let engine = open(&disk);
        assert_eq!(
            disk.used_bytes(),
            50 * 120,
            "an open removes what the crash left"
        );
        let mut ingest = engine.ingest().expect("an ingest");
        for key in 0..20_u32 {
            ingest.put(&key.to_be_bytes(), &[7; 100]).expect("put");
        }
        disk.crash(seed);
        drop(ingest);
        left.push(disk.used_bytes() - 50 * 120);
    }
    left.sort_unstable();
    left.dedup();
    assert!(
        left.len() > 4 && left.iter().all(|bytes| *bytes <= 20 * 120),
        "torn bytes: {left:?}"
    );
}

#[test]
fn the_same_calls_leave_the_same_trace() {
    let run = || {
        let disk = MemoryDisk::new();
        let trace = Arc::new(Mutex::new(Vec::new()));
        let seen = trace.clone();
        disk.observe(move |operation| seen.lock().expect("a trace").push(operation));
        let engine = open(&disk);
        for _ in 0..5 {
            put(&*engine, 0..3).expect("put");
        }
        engine.compact(Goal::Due).expect("compacted");
        engine.get(b"key").expect("read");
        assert!(disk.damage(Path::new(DIRECTORY), 9));
        let found = (0..3_u32)
            .map(|key| engine.get(&key.to_be_bytes()).is_ok())
            .collect::<Vec<_>>();
        let trace = trace.lock().expect("a trace").clone();
        (trace, found)
    };
    let (trace, found) = run();
    assert_eq!((trace.clone(), found.clone()), run());
    assert_eq!(
        trace
            .iter()
            .filter(|operation| **operation == Operation::Install)
            .count(),
        5
    );
    assert_eq!(
        found.iter().filter(|good| !**good).count(),
        1,
        "one value is damaged"
    );
}
