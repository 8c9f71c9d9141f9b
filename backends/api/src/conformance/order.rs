//! C2 and C3: order, bounds and ranges, compared with a model.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::collect::{Checked, Model, drain, ingest, key, open, same, settle, value};
use super::report::ensure;
use super::subject::Subject;
use crate::engine::{Direction, Engine};

/// Four overlapping ingests, some compacted, some deletes; returns what should be there.
fn layered(engine: &dyn Engine) -> Checked<Model> {
    let mut model = Model::new();
    for generation in 0..4_u32 {
        let mut changes = BTreeMap::new();
        for number in (generation..120).step_by(generation as usize + 1) {
            let delete = (number + generation) % 5 == 4;
            changes.insert(
                key(number),
                (!delete).then(|| value(number, generation, 40)),
            );
        }
        ingest(engine, &changes)?;
        for (key, value) in changes {
            match value {
                Some(value) => model.insert(key, value),
                None => model.remove(&key),
            };
        }
        if generation == 1 {
            settle(engine)?;
        }
    }
    Ok(model)
}

/// Compares a scan both ways with the model.
fn compare(engine: &dyn Engine, model: &Model, start: Bound<&[u8]>, end: Bound<&[u8]>) -> Checked {
    let when = format!("range {start:?} to {end:?}");
    let within = |key: &[u8]| {
        let above = match start {
            Bound::Included(start) => start <= key,
            Bound::Excluded(start) => start < key,
            Bound::Unbounded => true,
        };
        let below = match end {
            Bound::Included(end) => key <= end,
            Bound::Excluded(end) => key < end,
            Bound::Unbounded => true,
        };
        above && below
    };
    let expected: Vec<_> = model.iter().filter(|(key, _)| within(key)).collect();
    let snapshot = engine.snapshot();
    let forward = drain(snapshot.scan(start, end, Direction::Forward)?)?;
    same(forward.iter(), expected.iter().copied(), &when)?;
    let reverse = drain(snapshot.scan(start, end, Direction::Reverse)?)?;
    same(reverse.iter(), expected.iter().rev().copied(), &when)
}

pub(super) fn scans_are_ordered(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    layered(&*engine)?;
    let snapshot = engine.snapshot();
    for direction in [Direction::Forward, Direction::Reverse] {
        let entries = drain(snapshot.scan(Bound::Unbounded, Bound::Unbounded, direction)?)?;
        let ascending = |pair: &[crate::Entry]| match pair {
            [first, second] => first.0 < second.0,
            _ => true,
        };
        let sorted = match direction {
            Direction::Forward => entries.windows(2).all(ascending),
            Direction::Reverse => entries
                .iter()
                .rev()
                .cloned()
                .collect::<Vec<_>>()
                .windows(2)
                .all(ascending),
        };
        ensure!(sorted, "{direction:?}: keys are not strictly in order");
        ensure!(!entries.is_empty(), "{direction:?}: the scan is empty");
    }
    Ok(())
}

pub(super) fn every_bound_both_ways(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    let model = layered(&*engine)?;
    let before = b"a".to_vec();
    let after = b"z".to_vec();
    let ends = [
        before,
        key(0),
        key(17),
        key(18),
        key(60),
        [key(60), vec![0]].concat(),
        key(119),
        after,
    ];
    for start in &ends {
        for end in &ends {
            let bounds = |key: &'_ [u8]| {
                [
                    Bound::Unbounded,
                    Bound::Included(key.to_vec()),
                    Bound::Excluded(key.to_vec()),
                ]
            };
            for start in bounds(start) {
                for end in bounds(end) {
                    compare(
                        &*engine,
                        &model,
                        start.as_ref().map(|key| &key[..]),
                        end.as_ref().map(|key| &key[..]),
                    )?;
                }
            }
        }
    }
    Ok(())
}

pub(super) fn crossed_bounds_are_empty(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    layered(&*engine)?;
    let (low, high) = (key(10), key(50));
    let crossed = [
        (Bound::Included(&high[..]), Bound::Included(&low[..])),
        (Bound::Included(&high), Bound::Excluded(&low)),
        (Bound::Excluded(&high), Bound::Excluded(&low)),
        (Bound::Excluded(&high), Bound::Excluded(&high)),
        (Bound::Included(&high), Bound::Excluded(&high)),
        (Bound::Excluded(&high), Bound::Included(&high)),
    ];
    for (start, end) in crossed {
        for direction in [Direction::Forward, Direction::Reverse] {
            let entries = drain(engine.snapshot().scan(start, end, direction)?)?;
            ensure!(
                entries.is_empty(),
                "{start:?} to {end:?} gave {} entries",
                entries.len()
            );
        }
    }
    Ok(())
}

/// Small keys over a tiny alphabet, so that prefixes, neighbours and repeats are common.
pub(super) fn ranges_agree_with_a_model(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    let mut model = Model::new();
    let mut state = 0x5eed_u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let word = |next: &mut dyn FnMut(u64) -> u64| -> Vec<u8> {
        let letter = |next: &mut dyn FnMut(u64) -> u64| match next(4) {
            0 => 0x00,
            1 => 0x01,
            2 => 0x7f,
            _ => 0xff,
        };
        (0..=next(4)).map(|_| letter(next)).collect()
    };
    for round in 0..24_u32 {
        let mut changes = BTreeMap::new();
        for _ in 0..next(30) {
            let put = next(4) > 0;
            changes.insert(word(&mut next), put.then(|| value(round, 0, 20)));
        }
        ingest(&*engine, &changes)?;
        for (key, value) in changes {
            match value {
                Some(value) => model.insert(key, value),
                None => model.remove(&key),
            };
        }
        match next(4) {
            0 => drop(engine.compact(crate::Goal::Due)?),
            1 if round % 7 == 0 => drop(engine.compact(crate::Goal::Everything)?),
            _ => {}
        }
        for _ in 0..6 {
            let (start, end) = (word(&mut next), word(&mut next));
            let bound = |kind: u64, key: &'_ [u8]| match kind {
                0 => Bound::Included(key.to_vec()),
                1 => Bound::Excluded(key.to_vec()),
                _ => Bound::Unbounded,
            };
            let (start, end) = (bound(next(3), &start), bound(next(3), &end));
            compare(
                &*engine,
                &model,
                start.as_ref().map(|key| &key[..]),
                end.as_ref().map(|key| &key[..]),
            )?;
        }
    }
    super::collect::expect(&*engine, &model, "at the end")
}
