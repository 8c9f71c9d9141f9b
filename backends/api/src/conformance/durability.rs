//! C10 to C12: what survives a reopen and a loss of power.

use std::collections::BTreeMap;

use super::collect::{
    Checked, Model, contents, expect, faults, ingest, key, open, put_numbers, reopen, settle, value,
};
use super::report::ensure;
use super::subject::{FaultKind, Subject};

pub(super) fn finished_ingests_survive_reopen(subject: &dyn Subject) -> Checked {
    let mut engine = open(subject)?;
    let mut model = Model::new();
    for round in 0..6_u32 {
        let mut changes = BTreeMap::new();
        for number in (round * 10)..(round * 10 + 60) {
            let delete = number % 7 == round % 7;
            changes.insert(key(number), (!delete).then(|| value(number, round, 80)));
        }
        ingest(&*engine, &changes)?;
        for (key, value) in changes {
            match value {
                Some(value) => model.insert(key, value),
                None => model.remove(&key),
            };
        }
        if round % 2 == 1 {
            settle(&*engine)?;
        }
        engine = reopen(subject, engine)?;
        expect(&*engine, &model, &format!("after reopen {round}"))?;
    }
    Ok(())
}

pub(super) fn aborted_ingests_leave_no_bytes(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    put_numbers(&*engine, 0..100, 0, 1_000)?;
    let engine = reopen(subject, engine)?;
    let before = engine.stats().disk_bytes;
    let mut batch = engine.ingest()?;
    for number in 0..1_000 {
        batch.put(&key(number), &value(number, 1, 1_000))?;
    }
    drop(batch);
    let engine = reopen(subject, engine)?;
    let after = engine.stats().disk_bytes;
    ensure!(
        after == before,
        "{before} bytes before an aborted ingest, {after} after it and a reopen"
    );
    Ok(())
}

pub(super) fn power_loss_keeps_what_finished(subject: &dyn Subject) -> Checked {
    let faults = faults(subject, FaultKind::LosePower)?;
    let mut model = Model::new();
    for seed in 0..20_u64 {
        let engine = open(subject)?;
        expect(&*engine, &model, &format!("after crash {seed}"))?;
        let round = u32::try_from(seed).unwrap_or(0);
        put_numbers(&*engine, round..round + 40, round, 50)?;
        model.extend((round..round + 40).map(|number| (key(number), value(number, round, 50))));
        if seed % 3 == 0 {
            settle(&*engine)?;
        }
        let mut batch = engine.ingest()?;
        batch.put(&key(0), b"never finished")?;
        faults.lose_power(seed);
        ensure!(
            engine.get(&key(1)).is_err(),
            "an engine goes on after its machine lost power"
        );
        ensure!(
            batch.finish().is_err(),
            "an ingest finished after its machine lost power"
        );
    }
    Ok(())
}

pub(super) fn power_loss_in_finish_is_all_or_nothing(subject: &dyn Subject) -> Checked {
    let faults = faults(subject, FaultKind::LosePower)?;
    let mut outcomes = [0_u32; 2];
    let mut model = Model::new();
    for seed in 0..40_u64 {
        let generation = u32::try_from(seed).unwrap_or(0);
        let engine = open(subject)?;
        faults.lose_power_in_finish(seed);
        let mut after = model.clone();
        after.extend((0..30).map(|number| (key(number), value(number, generation, 50))));
        ensure!(
            put_numbers(&*engine, 0..30, generation, 50).is_err(),
            "finish returned after the power went"
        );
        drop(engine);
        let engine = open(subject)?;
        let found = contents(&*engine.snapshot())?;
        ensure!(
            found == model || found == after,
            "seed {seed}: a part of an ingest is there"
        );
        let [absent, whole] = &mut outcomes;
        *(if found == model { absent } else { whole }) += 1;
        model = found;
    }
    ensure!(
        !outcomes.contains(&0),
        "only one of the two outcomes was ever seen: {outcomes:?}"
    );
    Ok(())
}
