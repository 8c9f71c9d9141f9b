//! C5 to C7: snapshots, scans, multi-get.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::collect::{
    Checked, contents, expect_in, ingest, key, open, put_numbers, settle, some, value,
};
use super::report::ensure;
use super::subject::Subject;
use crate::engine::{Direction, Goal};

pub(super) fn snapshots_stand_still(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    let mut taken = Vec::new();
    for generation in 0..8_u32 {
        let snapshot = engine.snapshot();
        taken.push((contents(&*snapshot)?, snapshot));
        let numbers = (0..100).filter(|number| number % (generation + 2) == 0);
        put_numbers(&*engine, numbers, generation, 60)?;
        let deletes: BTreeMap<_, _> = (generation..90)
            .step_by(9)
            .map(|number| (key(number), None))
            .collect();
        ingest(&*engine, &deletes)?;
        match generation {
            2 | 5 => drop(settle(&*engine)?),
            6 => drop(engine.compact(Goal::Everything)?),
            _ => {}
        }
        for (age, (model, snapshot)) in taken.iter().enumerate() {
            expect_in(
                &**snapshot,
                model,
                &format!("snapshot {age} after generation {generation}"),
            )?;
        }
    }
    for (model, snapshot) in &taken {
        for number in 0..100 {
            let expected = model.get(&key(number)).map(|value| &value[..]);
            ensure!(
                snapshot.get(&key(number))?.as_deref() == expected,
                "get of key {number} in an old snapshot"
            );
        }
    }
    Ok(())
}

pub(super) fn scans_outlive_their_makers(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    put_numbers(&*engine, 0..2_000, 0, 100)?;
    let snapshot = engine.snapshot();
    let mut scan = snapshot.scan(Bound::Unbounded, Bound::Unbounded, Direction::Forward)?;
    for number in 0..100 {
        let entry = scan.next()?;
        ensure!(
            entry.is_some_and(|entry| entry.0 == key(number)),
            "entry {number}"
        );
    }
    drop(snapshot);
    put_numbers(&*engine, 0..2_000, 1, 100)?;
    settle(&*engine)?;
    engine.compact(Goal::Everything)?;
    drop(engine);
    let rest = std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let mut number = 100;
            while let Some((found, bytes)) = scan.next()? {
                ensure!(found == key(number), "entry {number} is another key");
                ensure!(
                    bytes == value(number, 0, 100),
                    "entry {number} has another value"
                );
                number += 1;
            }
            Ok(number)
        });
        reader.join()
    });
    let end = rest.map_err(|_| super::Failure::broken("the scan panicked on another thread"))??;
    ensure!(end == 2_000, "the scan ended after {end} entries");
    Ok(())
}

pub(super) fn scan_ends_for_good(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    put_numbers(&*engine, 0..3, 0, 10)?;
    for direction in [Direction::Forward, Direction::Reverse] {
        let mut scan = engine
            .snapshot()
            .scan(Bound::Unbounded, Bound::Unbounded, direction)?;
        for _ in 0..3 {
            ensure!(scan.next()?.is_some(), "the scan ended early");
        }
        for _ in 0..3 {
            ensure!(scan.next()?.is_none(), "the scan went on after its end");
        }
    }
    Ok(())
}

pub(super) fn multi_get_equals_gets(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    put_numbers(&*engine, (0..400).filter(|number| number % 3 != 0), 0, 50)?;
    put_numbers(&*engine, (0..400).filter(|number| number % 7 == 0), 1, 50)?;
    let snapshot = engine.snapshot();
    put_numbers(&*engine, 0..400, 2, 50)?;
    let orders: [Vec<u32>; 3] = [
        (0..420).collect(),
        (0..420).rev().collect(),
        vec![5, 5, 399, 0, 12, 5, 1_000, 7],
    ];
    for numbers in orders {
        let keys: Vec<_> = numbers.iter().map(|number| key(*number)).collect();
        let keys: Vec<_> = keys.iter().map(|key| &key[..]).collect();
        let mut got = vec![some(b"what was there stays")];
        snapshot.multi_get(&keys, &mut got)?;
        ensure!(
            got.len() == keys.len() + 1,
            "{} answers for {} keys",
            got.len() - 1,
            keys.len()
        );
        for (key, got) in keys.iter().zip(got.iter().skip(1)) {
            ensure!(
                *got == snapshot.get(key)?,
                "the answer for {}",
                super::collect::shown(key)
            );
        }
    }
    Ok(())
}
