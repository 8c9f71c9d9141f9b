//! C1: any bytes, from the shortest to the longest.

use super::collect::{Checked, Model, expect, ingest, open, reopen, settle};
use super::report::ensure;
use super::subject::Subject;
use crate::engine::Engine;
use crate::error::Error;
use crate::{MAX_KEY_BYTES, MAX_VALUE_BYTES};

fn store(engine: &dyn Engine, model: &Model) -> Checked {
    let changes = model
        .iter()
        .map(|(key, value)| (key.clone(), Some(value.clone())));
    Ok(ingest(engine, &changes.collect())?)
}

/// Stores the model and expects it at once, after compaction and after a reopen.
fn round_trip(subject: &dyn Subject, model: &Model) -> Checked {
    let engine = open(subject)?;
    store(&*engine, model)?;
    expect(&*engine, model, "after the ingest")?;
    settle(&*engine)?;
    engine.compact(crate::Goal::Everything)?;
    expect(&*engine, model, "after a compaction")?;
    let engine = reopen(subject, engine)?;
    expect(&*engine, model, "after a reopen")
}

pub(super) fn empty_and_odd_keys(subject: &dyn Subject) -> Checked {
    let keys: [&[u8]; 12] = [
        &[0x00],
        &[0x00, 0x00],
        &[0x00, 0xff],
        &[0x01],
        b"a",
        b"a\0",
        b"a\0b",
        b"ab",
        &[0x7f],
        &[0x80],
        &[0xff],
        &[0xff, 0xff, 0x00],
    ];
    let values: [&[u8]; 4] = [b"", &[0x00], &[0xff, 0x00, 0xff], b"value"];
    let model = keys.iter().zip(values.iter().cycle());
    round_trip(
        subject,
        &model
            .map(|(key, value)| (key.to_vec(), value.to_vec()))
            .collect(),
    )
}

pub(super) fn longest_keys(subject: &dyn Subject) -> Checked {
    let mut model = Model::new();
    for byte in [0x00, 0x61, 0xff] {
        for length in [1, MAX_KEY_BYTES - 1, MAX_KEY_BYTES] {
            model.insert(vec![byte; length], format!("{byte} {length}").into_bytes());
        }
        let mut last_differs = vec![byte; MAX_KEY_BYTES];
        if let Some(last) = last_differs.last_mut() {
            *last = 0x62;
        }
        model.insert(last_differs, b"differs in its last byte".to_vec());
    }
    round_trip(subject, &model)
}

pub(super) fn large_values(subject: &dyn Subject) -> Checked {
    let mib = 1 << 20;
    let sizes = [0, 1, 4_095, 4_096, 4_097, 65_536, mib, 3 * mib + 1, 8 * mib];
    let model = (0_u32..).zip(sizes).map(|(number, bytes)| {
        let value = if bytes == 0 {
            Vec::new()
        } else {
            super::collect::value(number, 1, bytes)
        };
        (super::collect::key(number), value)
    });
    round_trip(subject, &model.collect())
}

pub(super) fn wrong_lengths_are_refused(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    for length in [0, MAX_KEY_BYTES + 1] {
        let mut ingest = engine.ingest()?;
        let refused = ingest.put(&vec![b'k'; length], b"value");
        ensure!(
            matches!(refused, Err(Error::KeyLength { .. })),
            "a key of {length} bytes gave {refused:?}"
        );
        let finished = ingest.finish();
        ensure!(
            matches!(finished, Err(Error::IngestFailed)),
            "a failed ingest finished with {finished:?}"
        );
        ensure!(
            engine.get(&vec![b'k'; length])?.is_none(),
            "a key of {length} bytes is there"
        );
    }
    let mut ingest = engine.ingest()?;
    let refused = ingest.put(b"key", &vec![0; MAX_VALUE_BYTES + 1]);
    ensure!(
        matches!(refused, Err(Error::ValueLength { .. })),
        "too long a value gave {refused:?}"
    );
    Ok(())
}
