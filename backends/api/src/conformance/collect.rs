//! Short words for what checks do all the time: fill a database, read a range, wait for compactions.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::report::{Failure, ensure};
use super::subject::{FaultKind, Faults, Subject};
use crate::engine::{Direction, Engine, Goal, Progress, Scan, Snapshot};
use crate::error::Error;
use crate::gc::{GcHooks, KeepAll};
use crate::open::OpenOptions;
use crate::{Bytes, engine::Entry};

/// The result of a check or of a part of it.
pub(super) type Checked<T = ()> = Result<T, Failure>;

/// The steps after which [`settle`] gives up.
const MOST_STEPS: u32 = 1_000;

/// What a database should hold.
pub(super) type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// Opens the first database of the subject.
pub(super) fn open(subject: &dyn Subject) -> Checked<Arc<dyn Engine>> {
    open_with(subject, Arc::new(KeepAll))
}

/// Opens the first database of the subject with hooks.
pub(super) fn open_with(
    subject: &dyn Subject,
    hooks: Arc<dyn GcHooks>,
) -> Checked<Arc<dyn Engine>> {
    Ok(subject
        .factory()
        .open(&OpenOptions::new(subject.directory(0)), hooks)?)
}

/// Closes an engine and opens its database again.
pub(super) fn reopen(subject: &dyn Subject, engine: Arc<dyn Engine>) -> Checked<Arc<dyn Engine>> {
    engine.close()?;
    drop(engine);
    open(subject)
}

/// The faults of a subject, or a skip.
pub(super) fn faults(subject: &dyn Subject, kind: FaultKind) -> Checked<&dyn Faults> {
    let faults = subject
        .faults()
        .filter(|faults| faults.supported().contains(&kind));
    faults.ok_or(Failure::lacks(kind))
}

/// A key that sorts by its number.
pub(super) fn key(number: u32) -> Vec<u8> {
    format!("key-{number:08}").into_bytes()
}

/// A value that names its key and generation and does not compress to nothing.
pub(super) fn value(number: u32, generation: u32, bytes: usize) -> Vec<u8> {
    let mut value = format!("value-{number}-{generation}:").into_bytes();
    let mut state = u64::from(number) << 32 | u64::from(generation) | 1;
    while value.len() < bytes {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        value.extend_from_slice(&state.to_be_bytes());
    }
    value.truncate(bytes.max(1));
    value
}

/// Ingests puts (`Some`) and deletes (`None`) in key order.
pub(super) fn ingest(
    engine: &dyn Engine,
    changes: &BTreeMap<Vec<u8>, Option<Vec<u8>>>,
) -> Result<(), Error> {
    let mut ingest = engine.ingest()?;
    for (key, value) in changes {
        match value {
            Some(value) => ingest.put(key, value)?,
            None => ingest.delete(key)?,
        }
    }
    ingest.finish().map(drop)
}

/// Ingests numbered keys with values of one generation.
pub(super) fn put_numbers(
    engine: &dyn Engine,
    numbers: impl IntoIterator<Item = u32>,
    generation: u32,
    value_bytes: usize,
) -> Result<(), Error> {
    let put = |number| (key(number), Some(value(number, generation, value_bytes)));
    ingest(engine, &numbers.into_iter().map(put).collect())
}

/// Runs due compactions to the end.
pub(super) fn settle(engine: &dyn Engine) -> Checked<u32> {
    for step in 0..MOST_STEPS {
        if engine.compact(Goal::Due)? == Progress::Idle {
            return Ok(step);
        }
    }
    Err(Failure::broken(format!(
        "compaction did not end within {MOST_STEPS} steps"
    )))
}

/// Reads a scan to its end.
pub(super) fn drain(mut scan: Box<dyn Scan>) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    while let Some(entry) = scan.next()? {
        entries.push(entry);
    }
    Ok(entries)
}

/// Everything that a snapshot shows.
pub(super) fn contents(snapshot: &dyn Snapshot) -> Result<Model, Error> {
    let entries = drain(snapshot.scan(Bound::Unbounded, Bound::Unbounded, Direction::Forward)?)?;
    Ok(entries
        .into_iter()
        .map(|(key, value)| (key.to_vec(), value.to_vec()))
        .collect())
}

/// Checks that a database shows exactly the model: by scans both ways, and by gets of its keys.
pub(super) fn expect(engine: &dyn Engine, model: &Model, when: &str) -> Checked {
    let snapshot = engine.snapshot();
    expect_in(&*snapshot, model, when)?;
    for (key, value) in model {
        let got = engine.get(key)?;
        ensure!(
            got.as_deref() == Some(&value[..]),
            "{when}: get of {} is not its value",
            shown(key)
        );
    }
    Ok(())
}

/// As [`expect`], for one snapshot.
pub(super) fn expect_in(snapshot: &dyn Snapshot, model: &Model, when: &str) -> Checked {
    let forward = drain(snapshot.scan(Bound::Unbounded, Bound::Unbounded, Direction::Forward)?)?;
    same(forward.iter(), model.iter(), when)?;
    let reverse = drain(snapshot.scan(Bound::Unbounded, Bound::Unbounded, Direction::Reverse)?)?;
    same(reverse.iter(), model.iter().rev(), when)
}

/// Checks that entries are those expected, in order.
pub(super) fn same<'a>(
    got: impl Iterator<Item = &'a Entry>,
    expected: impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>,
    when: &str,
) -> Checked {
    let mut got = got.map(|(key, value)| (&key[..], &value[..]));
    let mut expected = expected.map(|(key, value)| (&key[..], &value[..]));
    loop {
        match (got.next(), expected.next()) {
            (None, None) => return Ok(()),
            (got, expected) if got == expected => {}
            (got, expected) => {
                let name = |entry: Option<(&[u8], &[u8])>| {
                    entry.map_or("the end".to_owned(), |entry| shown(entry.0))
                };
                let (got, expected) = (name(got), name(expected));
                return Err(Failure::broken(format!(
                    "{when}: a scan gave {got} where {expected} was expected, or another value"
                )));
            }
        }
    }
}

/// A key as text, cut short.
pub(super) fn shown(key: &[u8]) -> String {
    let (head, rest) = key.split_at_checked(40).unwrap_or((key, &[]));
    format!(
        "{}{}",
        head.escape_ascii(),
        if rest.is_empty() { "" } else { "…" }
    )
}

/// The value as bytes, for comparing with [`Engine::get`].
pub(super) fn some(value: &[u8]) -> Option<Bytes> {
    Some(Bytes::copy_from_slice(value))
}
