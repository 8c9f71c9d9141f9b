//! C24 to C30: checkpoints, verification, opening and closing, statistics.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::collect::{
    Checked, contents, expect, faults, key, open, put_numbers, settle, some, value,
};
use super::report::{Failure, ensure};
use super::subject::{FaultKind, Subject};
use crate::engine::Goal;
use crate::error::Error;
use crate::gc::KeepAll;
use crate::open::OpenOptions;

pub(super) fn checkpoint_opens_with_its_content(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    put_numbers(&*engine, 0..300, 0, 200)?;
    settle(&*engine)?;
    put_numbers(&*engine, 100..400, 1, 200)?;
    let then = contents(&*engine.snapshot())?;
    engine.checkpoint(&subject.directory(1))?;
    put_numbers(&*engine, 0..400, 2, 200)?;
    engine.compact(Goal::Everything)?;
    let now = contents(&*engine.snapshot())?;
    let options = OpenOptions::new(subject.directory(1));
    let copy = subject.factory().open(&options, Arc::new(KeepAll))?;
    expect(&*copy, &then, "the checkpoint")?;
    put_numbers(&*copy, 0..400, 3, 200)?;
    copy.compact(Goal::Everything)?;
    expect(&*engine, &now, "the original, after its checkpoint changed")?;
    copy.close()?;
    drop(copy);
    let report = engine.verify(&AtomicBool::new(false))?;
    ensure!(
        report.damage.is_empty(),
        "a checkpoint damaged the original: {:?}",
        report.damage
    );
    Ok(())
}

pub(super) fn checkpoint_wants_an_empty_place(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    put_numbers(&*engine, 0..3, 0, 20)?;
    engine.checkpoint(&subject.directory(1))?;
    let again = engine.checkpoint(&subject.directory(1));
    ensure!(
        matches!(again, Err(Error::NotEmpty { .. })),
        "a checkpoint over another gave {again:?}"
    );
    let onto_itself = engine.checkpoint(&subject.directory(0));
    ensure!(
        onto_itself.is_err(),
        "a checkpoint onto its own database was made"
    );
    expect(&*engine, &contents(&*engine.snapshot())?, "afterwards")
}

pub(super) fn verify_accepts_good_data(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    put_numbers(&*engine, 0..500, 0, 200)?;
    put_numbers(&*engine, 200..700, 1, 200)?;
    let report = engine.verify(&AtomicBool::new(false))?;
    ensure!(
        report.complete && report.damage.is_empty(),
        "good data was not accepted: {report:?}"
    );
    ensure!(
        report.entries == 1_000,
        "{} entries were checked of 1000",
        report.entries
    );
    let cancelled = engine.verify(&AtomicBool::new(true))?;
    ensure!(
        !cancelled.complete,
        "a cancelled verification says that it is complete"
    );
    Ok(())
}

pub(super) fn damage_is_found(subject: &dyn Subject) -> Checked {
    let faults = faults(subject, FaultKind::FlipByte)?;
    let mut answered = 0;
    for seed in 0..12 {
        let directory = subject.directory(u32::try_from(seed).unwrap_or(0));
        let options = OpenOptions::new(&directory);
        let engine = subject.factory().open(&options, Arc::new(KeepAll))?;
        put_numbers(&*engine, 0..400, 0, 200)?;
        engine.close()?;
        drop(engine);
        ensure!(
            faults.flip_byte(&directory, seed),
            "seed {seed}: nothing to damage"
        );
        let engine = match subject.factory().open(&options, Arc::new(KeepAll)) {
            Ok(engine) => engine,
            Err(Error::Corrupt { .. } | Error::Format { .. } | Error::Io { .. }) => continue,
            Err(other) => return Err(other.into()),
        };
        for number in 0..400 {
            match engine.get(&key(number)) {
                Ok(found) => {
                    ensure!(
                        found == some(&value(number, 0, 200)),
                        "seed {seed}: a wrong answer for key {number}"
                    );
                    answered += 1;
                }
                Err(Error::Corrupt { .. } | Error::Io { .. }) => {}
                Err(other) => return Err(other.into()),
            }
        }
        let report = engine.verify(&AtomicBool::new(false))?;
        ensure!(
            !report.damage.is_empty(),
            "seed {seed}: the damage was not found"
        );
    }
    ensure!(answered > 0, "no undamaged key could be read in any round");
    Ok(())
}

pub(super) fn open_makes_and_locks(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    ensure!(
        contents(&*engine.snapshot())?.is_empty(),
        "a new database is not empty"
    );
    match open(subject) {
        Err(Failure::Broken { reason }) if reason.contains("in use") => {}
        Err(other) => return Err(other),
        Ok(_) => return Err(Failure::broken("a database was opened twice")),
    }
    put_numbers(&*engine, 0..3, 0, 20)?;
    drop(engine);
    let engine = open(subject)?;
    ensure!(
        contents(&*engine.snapshot())?.len() == 3,
        "dropped without close, and the data is not there"
    );
    Ok(())
}

pub(super) fn close_refuses_and_releases(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    put_numbers(&*engine, 0..3, 0, 20)?;
    let batch = engine.ingest()?;
    let early = engine.close();
    ensure!(
        matches!(early, Err(Error::IngestInProgress)),
        "closed under an ingest: {early:?}"
    );
    batch.abort();
    let snapshot = engine.snapshot();
    engine.close()?;
    engine.close()?;
    let closed = |what: &str, refused: bool| {
        if refused {
            Ok(())
        } else {
            Err(Failure::broken(format!("{what} works on a closed engine")))
        }
    };
    closed("get", matches!(engine.get(&key(0)), Err(Error::Closed)))?;
    closed("ingest", matches!(engine.ingest(), Err(Error::Closed)))?;
    closed(
        "compact",
        matches!(engine.compact(Goal::Due), Err(Error::Closed)),
    )?;
    closed(
        "a new snapshot",
        matches!(engine.snapshot().get(&key(0)), Err(Error::Closed)),
    )?;
    closed(
        "discard_range",
        matches!(engine.discard_range(&key(0), None), Err(Error::Closed)),
    )?;
    closed(
        "checkpoint",
        matches!(engine.checkpoint(&subject.directory(1)), Err(Error::Closed)),
    )?;
    ensure!(
        snapshot.get(&key(1))? == some(&value(1, 0, 20)),
        "a snapshot from before the close is not readable"
    );
    ensure!(
        open(subject).is_err(),
        "opened again while a snapshot lives"
    );
    drop(snapshot);
    let again = open(subject)?;
    ensure!(
        again.get(&key(2))? == some(&value(2, 0, 20)),
        "the data after close and open"
    );
    Ok(())
}

pub(super) fn statistics_follow_the_data(subject: &dyn Subject) -> Checked {
    let options = OpenOptions {
        cache_bytes: 256 * 1_024,
        ..OpenOptions::new(subject.directory(0))
    };
    let engine = subject.factory().open(&options, Arc::new(KeepAll))?;
    let empty = engine.stats();
    ensure!(
        empty.entries == 0 && empty.ingests == 0,
        "a new database counts {empty:?}"
    );
    for generation in 0..5 {
        put_numbers(&*engine, 0..1_000, generation, 500)?;
    }
    let full = engine.stats();
    ensure!(
        full.entries == 5_000 && full.ingests == 5,
        "after 5 ingests of 1000: {full:?}"
    );
    ensure!(
        full.disk_bytes > 2_000_000,
        "2.5 MB take {} bytes",
        full.disk_bytes
    );
    ensure!(full.files > 0 && full.runs > 1, "after 5 ingests: {full:?}");
    settle(&*engine)?;
    engine.compact(Goal::Everything)?;
    let compacted = engine.stats();
    ensure!(
        compacted.runs <= 1 && compacted.entries == 1_000,
        "after compaction: {compacted:?}"
    );
    ensure!(
        compacted.compactions > 0 && compacted.compaction_written_bytes > 0,
        "after compaction: {compacted:?}"
    );
    for number in 0..1_000 {
        engine.get(&key(number))?;
    }
    let cached = engine.stats().cache_bytes;
    ensure!(
        cached <= options.cache_bytes,
        "the cache holds {cached} of {} bytes",
        options.cache_bytes
    );
    Ok(())
}
