//! C18 to C23: compaction, hooks, discarded ranges.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::collect::{
    Checked, Model, contents, expect, expect_in, ingest, key, open, open_with, put_numbers, reopen,
    settle, some, value,
};
use super::report::ensure;
use super::subject::Subject;
use crate::engine::{Engine, Goal, Progress};
use crate::gc::{Gc, GcHooks, GcRun};

/// Many overlapping ingests with deletes.
fn churn(engine: &dyn Engine) -> Checked {
    for generation in 0..10_u32 {
        let mut changes = BTreeMap::new();
        for number in (0..400).filter(|number| (number + generation) % 3 != 0) {
            let delete = (number * 7 + generation) % 11 == 0;
            changes.insert(
                key(number),
                (!delete).then(|| value(number, generation, 120)),
            );
        }
        ingest(engine, &changes)?;
    }
    Ok(())
}

pub(super) fn compaction_is_invisible(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    churn(&*engine)?;
    let before = contents(&*engine.snapshot())?;
    for _ in 0..1_000 {
        if engine.compact(Goal::Due)? == Progress::Idle {
            break;
        }
        expect(&*engine, &before, "between compaction steps")?;
    }
    engine.compact(Goal::Everything)?;
    expect(&*engine, &before, "after a whole compaction")?;
    let engine = reopen(subject, engine)?;
    expect(&*engine, &before, "after a whole compaction and a reopen")
}

pub(super) fn compaction_ends(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    settle(&*engine)?;
    ensure!(
        engine.compact(Goal::Everything)? == Progress::Idle,
        "an empty map was compacted"
    );
    churn(&*engine)?;
    settle(&*engine)?;
    let again = settle(&*engine)?;
    ensure!(again == 0, "idle, and then {again} more steps");
    let idle = engine.stats();
    ensure!(idle.runs <= 8, "{} runs are left when idle", idle.runs);
    ensure!(
        idle.runs_limit.is_none_or(|limit| limit >= 4 * 8),
        "ingests wait from {:?} runs on, which leaves no time to slow down",
        idle.runs_limit
    );
    Ok(())
}

pub(super) fn compaction_drops_hidden_versions(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    for generation in 0..8 {
        put_numbers(&*engine, 0..200, generation, 1_000)?;
    }
    let deletes: BTreeMap<_, _> = (0..100).map(|number| (key(number), None)).collect();
    ingest(&*engine, &deletes)?;
    engine.compact(Goal::Everything)?;
    let stats = engine.stats();
    ensure!(
        stats.entries == 100,
        "{} entries are stored where 100 are alive",
        stats.entries
    );
    ensure!(
        stats.disk_bytes < 200 * 1_024,
        "{} bytes are stored for 100 KB of data",
        stats.disk_bytes
    );
    Ok(())
}

/// Whether a run was on the last level, and the keys it was asked about.
type SeenRun = (bool, Vec<Vec<u8>>);

/// What the runs were asked, and what they are to answer.
#[derive(Clone, Default)]
struct Recorder {
    runs: Arc<Mutex<Vec<SeenRun>>>,
    verdicts: Arc<Mutex<BTreeMap<Vec<u8>, Gc>>>,
}

impl Recorder {
    fn runs(&self) -> Vec<SeenRun> {
        self.runs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn say(&self, number: u32, verdict: Gc) {
        self.verdicts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key(number), verdict);
    }

    fn fall_silent(&self) {
        self.verdicts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl GcHooks for Recorder {
    fn run(&self, last_level: bool) -> Box<dyn GcRun> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.push((last_level, Vec::new()));
        Box::new(RecorderRun {
            recorder: self.clone(),
            index: runs.len() - 1,
        })
    }
}

struct RecorderRun {
    recorder: Recorder,
    index: usize,
}

impl GcRun for RecorderRun {
    fn visit(&mut self, key: &[u8], _value: &[u8]) -> Gc {
        let mut runs = self
            .recorder
            .runs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((_, keys)) = runs.get_mut(self.index) {
            keys.push(key.to_vec());
        }
        let verdicts = self
            .recorder
            .verdicts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        verdicts.get(key).cloned().unwrap_or(Gc::Keep)
    }
}

pub(super) fn hooks_run_in_key_order(subject: &dyn Subject) -> Checked {
    let recorder = Recorder::default();
    let engine = open_with(subject, Arc::new(recorder.clone()))?;
    churn(&*engine)?;
    settle(&*engine)?;
    engine.compact(Goal::Everything)?;
    let runs = recorder.runs();
    ensure!(!runs.is_empty(), "no hook was ever called");
    for (index, (_, keys)) in runs.iter().enumerate() {
        ensure!(
            keys.is_sorted(),
            "run {index} did not visit its keys in order"
        );
    }
    Ok(())
}

pub(super) fn hooks_never_resurrect(subject: &dyn Subject) -> Checked {
    let recorder = Recorder::default();
    let engine = open_with(subject, Arc::new(recorder.clone()))?;
    // Old versions at the bottom, newer ones above, in several runs.
    for generation in 0..3 {
        put_numbers(&*engine, 0..300, generation, 100)?;
        if generation == 0 {
            engine.compact(Goal::Everything)?;
        }
    }
    for number in 0..100 {
        recorder.say(number, Gc::Remove);
        recorder.say(number + 100, Gc::Replace(b"replaced".to_vec()));
    }
    for generation in 3..6 {
        put_numbers(
            &*engine,
            (0..300).filter(|number| number % 10 == 0),
            generation,
            100,
        )?;
        settle(&*engine)?;
        let seen = contents(&*engine.snapshot())?;
        for number in 0..300 {
            let newest = if number % 10 == 0 { generation } else { 2 };
            let newest = value(number, newest, 100);
            let allowed = match (number / 100, seen.get(&key(number))) {
                (0, None) => true,
                (1, Some(found)) if found == b"replaced" => true,
                (_, Some(found)) => *found == newest,
                (_, None) => false,
            };
            ensure!(
                allowed,
                "generation {generation}: key {number} shows neither its newest value nor the hook's answer"
            );
        }
    }
    engine.compact(Goal::Everything)?;
    for number in 0..300 {
        let expected = match number / 100 {
            0 => None,
            1 => some(b"replaced"),
            _ => some(&value(number, if number % 10 == 0 { 5 } else { 2 }, 100)),
        };
        ensure!(
            engine.get(&key(number))? == expected,
            "key {number} after everything was rewritten"
        );
    }
    recorder.fall_silent();
    put_numbers(&*engine, [5], 9, 100)?;
    engine.compact(Goal::Everything)?;
    ensure!(
        engine.get(&key(5))? == some(&value(5, 9, 100)),
        "a removed key can be put again"
    );
    Ok(())
}

pub(super) fn everything_shows_every_key(subject: &dyn Subject) -> Checked {
    let recorder = Recorder::default();
    let engine = open_with(subject, Arc::new(recorder.clone()))?;
    churn(&*engine)?;
    settle(&*engine)?;
    let alive: BTreeSet<_> = contents(&*engine.snapshot())?.into_keys().collect();
    let before = recorder.runs().len();
    engine.compact(Goal::Everything)?;
    let runs = recorder.runs();
    let shown: BTreeSet<_> = runs
        .iter()
        .skip(before)
        .filter(|run| run.0)
        .flat_map(|run| run.1.clone())
        .collect();
    ensure!(
        shown == alive,
        "{} keys are alive, {} were shown on the last level",
        alive.len(),
        shown.len()
    );
    Ok(())
}

pub(super) fn hooks_do_not_disturb_snapshots(subject: &dyn Subject) -> Checked {
    let recorder = Recorder::default();
    let engine = open_with(subject, Arc::new(recorder.clone()))?;
    churn(&*engine)?;
    let snapshot = engine.snapshot();
    let before = contents(&*snapshot)?;
    for number in 0..400 {
        recorder.say(
            number,
            if number % 2 == 0 {
                Gc::Remove
            } else {
                Gc::Replace(b"other".to_vec())
            },
        );
    }
    settle(&*engine)?;
    engine.compact(Goal::Everything)?;
    expect_in(&*snapshot, &before, "a snapshot from before the hooks")?;
    let after = contents(&*engine.snapshot())?;
    let expected: Model = before
        .keys()
        .filter(|key| !is_even(key))
        .map(|key| (key.clone(), b"other".to_vec()))
        .collect();
    ensure!(after == expected, "the hooks' answers were not carried out");
    Ok(())
}

fn is_even(key: &[u8]) -> bool {
    key.last().is_some_and(|digit| digit % 2 == 0)
}

pub(super) fn discarded_ranges_come_back(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    for generation in 0..3 {
        put_numbers(&*engine, 0..1_000, generation, 1_000)?;
    }
    engine.compact(Goal::Everything)?;
    let full = engine.stats();
    let snapshot = engine.snapshot();
    let kept = snapshot.get(&key(950))?;
    engine.discard_range(&key(100), Some(&key(900)))?;
    engine.discard_range(&key(100), Some(&key(900)))?;
    settle(&*engine)?;
    let after = engine.stats();
    ensure!(
        after.pending_discards == 0,
        "{} discards are pending when idle",
        after.pending_discards
    );
    ensure!(
        after.disk_bytes < full.disk_bytes / 3 && after.entries == 200,
        "{} bytes of {} and {} entries are left, where a fifth is alive",
        after.disk_bytes,
        full.disk_bytes,
        after.entries
    );
    ensure!(
        snapshot.get(&key(950))? == kept,
        "a snapshot changed outside of the discarded range"
    );
    let left = contents(&*engine.snapshot())?;
    ensure!(
        left.len() == 200,
        "{} keys are left of 200 outside the discarded range",
        left.len()
    );
    engine.discard_range(&key(900), None)?;
    settle(&*engine)?;
    ensure!(
        engine.stats().entries == 100,
        "{} entries are left below an open range",
        engine.stats().entries
    );
    Ok(())
}

pub(super) fn discard_keeps_the_neighbours(subject: &dyn Subject) -> Checked {
    let engine = open(subject)?;
    churn(&*engine)?;
    let mut model = contents(&*engine.snapshot())?;
    let ranges = [
        (key(20), key(21)),
        (key(50), key(60)),
        (key(55), key(70)),
        (key(300), key(300)),
        (key(200), key(100)),
    ];
    for (start, end) in &ranges {
        engine.discard_range(start, Some(end))?;
        model.retain(|key, _| !(start <= key && key < end));
    }
    let outside = |key: &[u8]| {
        !ranges
            .iter()
            .any(|(start, end)| &start[..] <= key && key < &end[..])
    };
    let mut seen = contents(&*engine.snapshot())?;
    seen.retain(|key, _| outside(key));
    ensure!(seen == model, "a discard touched its neighbours at once");
    settle(&*engine)?;
    expect(&*engine, &model, "after the discards were carried out")?;
    ensure!(
        engine.stats().pending_discards == 0,
        "discards are pending when idle"
    );
    // What lies outside may be written as ever.
    put_numbers(&*engine, [19, 21, 70], 50, 100)?;
    for number in [19, 21, 70] {
        ensure!(
            engine.get(&key(number))? == some(&value(number, 50, 100)),
            "key {number} written after the discards"
        );
    }
    let engine = reopen(subject, engine)?;
    ensure!(
        engine.get(&key(21))? == some(&value(21, 50, 100)),
        "key 21 after a reopen"
    );
    Ok(())
}
