//! C14, C15, C29: a disk that says no, and then yes again.

use std::sync::Arc;

use super::collect::{
    Checked, contents, expect, faults, key, open, put_numbers, settle, some, value,
};
use super::report::{Failure, ensure};
use super::subject::{FaultKind, Subject, WriteFault};
use crate::engine::{Goal, Health, Progress};
use crate::error::Error;
use crate::gc::KeepAll;
use crate::open::OpenOptions;

/// Fails ingests, reads on, lets them go on.
fn ingest_resumes(subject: &dyn Subject, fault: WriteFault) -> Checked {
    let faults = faults(subject, FaultKind::RefuseWrites)?;
    let engine = open(subject)?;
    put_numbers(&*engine, 0..50, 0, 100)?;
    let before = contents(&*engine.snapshot())?;
    faults.refuse_writes(fault);
    for attempt in 0..3 {
        let failed = put_numbers(&*engine, 0..200, 1, 1_000);
        let Err(error) = failed else {
            return Err(Failure::broken(format!(
                "attempt {attempt} succeeded without a disk"
            )));
        };
        let expected = match fault {
            WriteFault::NoSpace => error.is_no_space(),
            WriteFault::Io => matches!(error, Error::Io { .. }),
        };
        ensure!(expected, "attempt {attempt} failed with: {error}");
        expect(&*engine, &before, "while writes fail")?;
    }
    faults.allow_writes();
    put_numbers(&*engine, 0..200, 2, 100)?;
    for number in 0..200 {
        ensure!(
            engine.get(&key(number))? == some(&value(number, 2, 100)),
            "key {number} after writes resumed"
        );
    }
    settle(&*engine)?;
    Ok(())
}

pub(super) fn full_disk_ingest_resumes(subject: &dyn Subject) -> Checked {
    ingest_resumes(subject, WriteFault::NoSpace)
}

pub(super) fn io_error_ingest_resumes(subject: &dyn Subject) -> Checked {
    ingest_resumes(subject, WriteFault::Io)
}

pub(super) fn full_disk_compaction_resumes(subject: &dyn Subject) -> Checked {
    let faults = faults(subject, FaultKind::RefuseWrites)?;
    for (database, goal) in [(0, Goal::Due), (1, Goal::Everything)] {
        let options = OpenOptions::new(subject.directory(database));
        let engine = subject.factory().open(&options, Arc::new(KeepAll))?;
        for generation in 0..6 {
            let numbers = (0..300).filter(|number| number % 6 != generation);
            put_numbers(&*engine, numbers, generation, 200)?;
        }
        let before = contents(&*engine.snapshot())?;
        faults.refuse_writes(WriteFault::NoSpace);
        for attempt in 0..3 {
            match engine.compact(goal) {
                Err(error) => ensure!(error.is_no_space(), "{goal:?}, attempt {attempt}: {error}"),
                Ok(done) => {
                    let reason = format!("{goal:?}, attempt {attempt}: {done:?} without a disk");
                    return Err(Failure::broken(reason));
                }
            }
            expect(&*engine, &before, "while compactions fail")?;
        }
        faults.allow_writes();
        let progress = engine.compact(goal)?;
        ensure!(
            progress != Progress::Idle,
            "{goal:?}: nothing was done once the disk had room"
        );
        settle(&*engine)?;
        expect(&*engine, &before, "after compactions went on")?;
        put_numbers(&*engine, 0..10, 7, 200)?;
        ensure!(
            engine.get(&key(9))? == some(&value(9, 7, 200)),
            "a write after compactions went on"
        );
    }
    Ok(())
}

pub(super) fn health_tells(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    ensure!(
        engine.health() == Health::Ok,
        "a new engine is not well: {:?}",
        engine.health()
    );
    let mistake = engine.ingest()?.put(b"", b"");
    ensure!(mistake.is_err(), "an empty key was taken");
    ensure!(
        engine.health() == Health::Ok,
        "a caller's mistake made the engine unwell"
    );
    if let Ok(faults) = faults(subject, FaultKind::RefuseWrites) {
        faults.refuse_writes(WriteFault::NoSpace);
        ensure!(
            put_numbers(&*engine, 0..10, 0, 100).is_err(),
            "a write succeeded without a disk"
        );
        let health = engine.health();
        ensure!(
            matches!(health, Health::ReadOnly { .. }),
            "after a failed write the health is {health:?}"
        );
        faults.allow_writes();
        put_numbers(&*engine, 0..10, 0, 100)?;
        ensure!(
            engine.health() == Health::Ok,
            "writes work and the engine is not well: {:?}",
            engine.health()
        );
    }
    engine.close()?;
    let health = engine.health();
    ensure!(
        matches!(health, Health::Failed { .. }),
        "after close the health is {health:?}"
    );
    Ok(())
}
