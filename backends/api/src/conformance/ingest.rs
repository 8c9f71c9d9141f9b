//! C4, C8, C9, C12, C13: what an ingest does and does not.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::collect::{
    Checked, contents, drain, ingest, key, open, put_numbers, settle, some, value,
};
use super::report::ensure;
use super::subject::Subject;
use crate::engine::{Direction, Goal};
use crate::error::Error;

pub(super) fn newest_wins_whole(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    for generation in 0..6 {
        put_numbers(&*engine, 0..20, generation, 30 + generation as usize * 7)?;
        if generation == 2 {
            settle(&*engine)?;
        }
        for number in 0..20 {
            let expected = value(number, generation, 30 + generation as usize * 7);
            ensure!(
                engine.get(&key(number))? == some(&expected),
                "key {number}, generation {generation}"
            );
        }
    }
    settle(&*engine)?;
    ensure!(
        engine.get(&key(7))? == some(&value(7, 5, 65)),
        "after compaction"
    );
    Ok(())
}

pub(super) fn deletes_hide(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    put_numbers(&*engine, 0..50, 0, 30)?;
    engine.compact(Goal::Everything)?;
    let deletes: BTreeMap<_, _> = (0..50)
        .step_by(2)
        .chain([77])
        .map(|number| (key(number), None))
        .collect();
    ingest(&*engine, &deletes)?;
    for step in ["at once", "after compaction", "after a whole compaction"] {
        for number in 0..50 {
            let there = engine.get(&key(number))?.is_some();
            ensure!(
                there == (number % 2 == 1),
                "{step}: key {number} is there: {there}"
            );
        }
        let left = drain(engine.snapshot().scan(
            Bound::Unbounded,
            Bound::Unbounded,
            Direction::Forward,
        )?)?;
        ensure!(
            left.len() == 25,
            "{step}: a scan gave {} entries, not 25",
            left.len()
        );
        settle(&*engine)?;
        if step == "after compaction" {
            engine.compact(Goal::Everything)?;
        }
    }
    put_numbers(&*engine, [4], 1, 30)?;
    ensure!(
        engine.get(&key(4))? == some(&value(4, 1, 30)),
        "a deleted key can be put again"
    );
    Ok(())
}

pub(super) fn order_is_enforced(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    for (first, second) in [
        (key(2), key(1)),
        (key(2), key(2)),
        (vec![b'a', 0], vec![b'a']),
    ] {
        let mut batch = engine.ingest()?;
        batch.put(&first, b"first")?;
        let refused = batch.put(&second, b"second");
        ensure!(
            matches!(refused, Err(Error::OutOfOrder)),
            "the second key gave {refused:?}"
        );
        let more = batch.put(&key(3), b"third");
        ensure!(
            matches!(more, Err(Error::IngestFailed)),
            "a failed ingest went on: {more:?}"
        );
        let finished = batch.finish();
        ensure!(
            matches!(finished, Err(Error::IngestFailed)),
            "a failed ingest finished with {finished:?}"
        );
    }
    ensure!(
        contents(&*engine.snapshot())?.is_empty(),
        "failed ingests left something"
    );
    let mut batch = engine.ingest()?;
    batch.delete(&key(2))?;
    let refused = batch.delete(&key(2));
    ensure!(
        matches!(refused, Err(Error::OutOfOrder)),
        "a repeated delete gave {refused:?}"
    );
    Ok(())
}

pub(super) fn nothing_shows_before_finish(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    put_numbers(&*engine, 0..10, 0, 30)?;
    let before = contents(&*engine.snapshot())?;
    let mut batch = engine.ingest()?;
    for number in 5..300 {
        batch.put(&key(number), &value(number, 1, 2_000))?;
    }
    ensure!(
        contents(&*engine.snapshot())? == before,
        "a scan sees an unfinished ingest"
    );
    ensure!(
        engine.get(&key(5))? == some(&value(5, 0, 30)),
        "a get sees an unfinished ingest"
    );
    let ingested = batch.finish()?;
    ensure!(
        ingested.puts == 295 && ingested.deletes == 0,
        "finish counted {ingested:?}"
    );
    ensure!(
        engine.get(&key(5))? == some(&value(5, 1, 2_000)),
        "finish returned and a get does not see it"
    );
    ensure!(
        contents(&*engine.snapshot())?.len() == 300,
        "finish returned and a scan does not see all of it"
    );
    Ok(())
}

pub(super) fn abort_leaves_nothing(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    put_numbers(&*engine, 0..10, 0, 30)?;
    let before = contents(&*engine.snapshot())?;
    let mut batch = engine.ingest()?;
    batch.put(&key(1), b"aborted")?;
    batch.abort();
    let mut batch = engine.ingest()?;
    batch.delete(&key(2))?;
    drop(batch);
    ensure!(
        contents(&*engine.snapshot())? == before,
        "an aborted ingest shows"
    );
    put_numbers(&*engine, 3..4, 1, 30)?;
    ensure!(
        engine.get(&key(1))? == some(&value(1, 0, 30)),
        "an aborted ingest came with a later one"
    );
    settle(&*engine)?;
    ensure!(
        engine.get(&key(2))? == some(&value(2, 0, 30)),
        "an aborted delete came with a compaction"
    );
    Ok(())
}

pub(super) fn one_ingest_at_a_time(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    let first = engine.ingest()?;
    let second = engine.ingest();
    ensure!(
        matches!(second, Err(Error::IngestInProgress)),
        "a second ingest began"
    );
    first.abort();
    let again = engine.ingest()?;
    drop(again);
    let mut last = engine.ingest()?;
    last.put(b"key", b"value")?;
    last.finish()?;
    drop(engine.ingest()?);
    Ok(())
}

pub(super) fn empty_ingest_changes_nothing(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    put_numbers(&*engine, 0..3, 0, 30)?;
    let before = contents(&*engine.snapshot())?;
    let ingested = engine.ingest()?.finish()?;
    ensure!(
        ingested == crate::Ingested::default(),
        "an empty ingest counted {ingested:?}"
    );
    ensure!(
        contents(&*engine.snapshot())? == before,
        "an empty ingest changed something"
    );
    Ok(())
}
