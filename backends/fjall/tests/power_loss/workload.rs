//! What the recorded run does, and what a database must hold after each step of it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use backend::{Direction, Engine, Error, Goal, KeepAll, OpenOptions, Progress};
use backend_fjall::FjallFactory;

pub(crate) type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// One step of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Open,
    Put { from: u32, to: u32, generation: u32 },
    Delete { from: u32, to: u32 },
    Compact,
    CompactEverything,
    Discard { from: u32, to: u32 },
    Checkpoint,
    Reopen,
}

pub(crate) fn steps() -> Vec<Step> {
    let put = |from, to, generation| Step::Put {
        from,
        to,
        generation,
    };
    vec![
        Step::Open,
        put(0, 60, 0),
        put(30, 90, 1),
        Step::Delete { from: 50, to: 55 },
        put(0, 20, 2),
        put(10, 40, 3),
        Step::Compact,
        put(5, 95, 4),
        Step::Checkpoint,
        Step::Reopen,
        Step::Discard { from: 80, to: 200 },
        Step::CompactEverything,
        put(0, 10, 5),
        Step::Reopen,
        put(1, 3, 6),
    ]
}

/// Where the database lies below the recorded folder: in folders that it must make itself.
pub(crate) fn directory(root: &Path) -> PathBuf {
    root.join("data").join("engine")
}

/// Where its checkpoint goes.
pub(crate) fn checkpoint(root: &Path) -> PathBuf {
    root.join("checkpoints").join("first")
}

fn key(number: u32) -> Vec<u8> {
    format!("key-{number:04}").into_bytes()
}

fn value(number: u32, generation: u32) -> Vec<u8> {
    format!("value-{number}-{generation}-")
        .repeat(20)
        .into_bytes()
}

/// What the database holds after so many steps.
///
/// Discarded keys are not part of it, from the beginning: whether they are there says nothing.
pub(crate) fn model(steps: &[Step]) -> Model {
    let mut model = Model::new();
    for step in steps {
        match *step {
            Step::Put {
                from,
                to,
                generation,
            } => {
                model.extend((from..to).map(|number| (key(number), value(number, generation))));
            }
            Step::Delete { from, to } => {
                (from..to).for_each(|number| drop(model.remove(&key(number))))
            }
            Step::Open
            | Step::Compact
            | Step::CompactEverything
            | Step::Discard { .. }
            | Step::Checkpoint
            | Step::Reopen => {}
        }
    }
    forget_discarded(model)
}

fn forget_discarded(mut model: Model) -> Model {
    for step in steps() {
        if let Step::Discard { from, to } = step {
            model.retain(|found, _| *found < key(from) || *found >= key(to));
        }
    }
    model
}

/// The recorded run: each step done is one byte on standard output.
pub(crate) fn run(root: &Path) {
    let mut engine = None;
    for step in steps() {
        carry_out(root, step, &mut engine).expect("a step of the run");
        let mut out = std::io::stdout();
        out.write_all(b".")
            .and_then(|()| out.flush())
            .expect("a byte written");
    }
}

fn open(directory: &Path) -> Result<Arc<dyn Engine>, Error> {
    Ok(FjallFactory::default().open_engine(&OpenOptions::new(directory), Arc::new(KeepAll))?)
}

fn carry_out(root: &Path, step: Step, slot: &mut Option<Arc<dyn Engine>>) -> Result<(), Error> {
    if matches!(step, Step::Open | Step::Reopen) {
        *slot = None;
        *slot = Some(open(&directory(root))?);
        return Ok(());
    }
    let engine = slot.as_ref().expect("the first step opens");
    match step {
        Step::Open | Step::Reopen => Ok(()),
        Step::Put {
            from,
            to,
            generation,
        } => {
            let mut ingest = engine.ingest()?;
            (from..to)
                .try_for_each(|number| ingest.put(&key(number), &value(number, generation)))?;
            ingest.finish().map(drop)
        }
        Step::Delete { from, to } => {
            let mut ingest = engine.ingest()?;
            (from..to).try_for_each(|number| ingest.delete(&key(number)))?;
            ingest.finish().map(drop)
        }
        Step::Compact => loop {
            if engine.compact(Goal::Due)? == Progress::Idle {
                return Ok(());
            }
        },
        Step::CompactEverything => engine.compact(Goal::Everything).map(drop),
        Step::Discard { from, to } => {
            engine.discard_range(&key(from), Some(&key(to)))?;
            carry_out(root, Step::Compact, slot)
        }
        Step::Checkpoint => engine.checkpoint(&checkpoint(root)),
    }
}

/// What the database in a folder holds, after checking every byte of it and writing to it once more.
pub(crate) fn contents(directory: &Path) -> Result<Model, String> {
    let problem = |error: Error| error.to_string();
    let engine = open(directory).map_err(problem)?;
    let report = engine.verify(&AtomicBool::new(false)).map_err(problem)?;
    if !report.damage.is_empty() {
        return Err(format!("damage: {:?}", report.damage));
    }
    let unbounded = std::ops::Bound::Unbounded;
    let mut scan = engine
        .snapshot()
        .scan(unbounded, unbounded, Direction::Forward)
        .map_err(problem)?;
    let mut model = Model::new();
    while let Some((key, value)) = scan.next().map_err(problem)? {
        model.insert(key.to_vec(), value.to_vec());
    }
    let mut ingest = engine.ingest().map_err(problem)?;
    ingest
        .put(b"written after the loss", b"value")
        .map_err(problem)?;
    ingest.finish().map_err(problem)?;
    Ok(forget_discarded(model))
}
