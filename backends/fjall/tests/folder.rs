//! What lies in the folder of a database: nothing that failed, nothing that is not needed, nothing foreign.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use backend::{Engine, Error, Goal, KeepAll, OpenOptions, Progress};
use backend_fjall::{FaultSwitch, FjallEngine, FjallFactory, Refusal};
use tempfile::TempDir;

fn open(factory: &FjallFactory, directory: &Path) -> Result<Arc<FjallEngine>, Error> {
    factory.open_engine(&OpenOptions::new(directory), Arc::new(KeepAll))
}

fn put(
    engine: &dyn Engine,
    numbers: std::ops::Range<u32>,
    value_bytes: usize,
) -> Result<(), Error> {
    let mut ingest = engine.ingest()?;
    let mut state = 1_u64;
    for number in numbers {
        let mut value = Vec::with_capacity(value_bytes + 8);
        while value.len() < value_bytes {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            value.extend_from_slice(&state.to_be_bytes());
        }
        ingest.put(&number.to_be_bytes(), &value)?;
    }
    ingest.finish().map(drop)
}

fn table_files(directory: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(directory.join("tables")).expect("the folder of tables");
    files
        .map(|file| {
            file.expect("a file")
                .file_name()
                .into_string()
                .expect("a number")
        })
        .collect()
}

fn settle(engine: &dyn Engine) {
    while engine.compact(Goal::Due).expect("a step") != Progress::Idle {}
}

#[test]
fn what_fails_or_is_aborted_leaves_no_file() {
    let folder = TempDir::new().expect("a folder");
    let faults = Arc::new(FaultSwitch::default());
    let factory = FjallFactory::default().with_faults(faults.clone());
    let engine = open(&factory, folder.path()).expect("opened");
    for _ in 0..5 {
        put(&*engine, 0..2_000, 100).expect("put");
    }
    let before = table_files(folder.path());
    let mut ingest = engine.ingest().expect("an ingest");
    ingest.put(b"key", b"value").expect("put");
    ingest.abort();
    assert_eq!(table_files(folder.path()), before, "after an abort");
    faults.set(Some(Refusal::NoSpace));
    engine.compact(Goal::Due).expect_err("no space");
    assert_eq!(
        table_files(folder.path()),
        before,
        "after a failed compaction"
    );
    put(&*engine, 0..10, 10).expect_err("no space");
    assert_eq!(table_files(folder.path()), before, "after a failed ingest");
    faults.set(None);
    settle(&*engine);
    assert_eq!(
        table_files(folder.path()).len(),
        1,
        "after the compaction that went on"
    );
}

#[test]
fn replaced_files_go_when_the_last_reader_is_gone_and_a_writer_looks() {
    let folder = TempDir::new().expect("a folder");
    let engine = open(&FjallFactory::default(), folder.path()).expect("opened");
    for _ in 0..4 {
        put(&*engine, 0..100, 100).expect("put");
    }
    let snapshot = engine.snapshot();
    engine.compact(Goal::Everything).expect("compacted");
    assert_eq!(
        table_files(folder.path()).len(),
        5,
        "a snapshot keeps its files"
    );
    drop(snapshot);
    assert_eq!(
        table_files(folder.path()).len(),
        5,
        "a reader deletes nothing"
    );
    settle(&*engine);
    assert_eq!(table_files(folder.path()).len(), 1);
    assert_eq!(engine.retired_views(), 0);
}

#[test]
fn many_ingests_without_a_compaction_are_bounded() {
    let folder = TempDir::new().expect("a folder");
    let engine = open(&FjallFactory::default(), folder.path()).expect("opened");
    for _ in 0..80 {
        put(&*engine, 0..3, 10).expect("put");
    }
    assert!(engine.stats().runs <= 64, "{} runs", engine.stats().runs);
}

#[test]
fn a_foreign_folder_is_refused() {
    let folder = TempDir::new().expect("a folder");
    fs::create_dir(folder.path().join("holiday-pictures")).expect("made");
    let refused = open(&FjallFactory::default(), folder.path())
        .err()
        .expect("refused")
        .to_string();
    assert!(
        refused.contains("holds holiday-pictures and no database"),
        "{refused}"
    );
}

#[test]
fn memory_stays_within_the_cache() {
    let folder = TempDir::new().expect("a folder");
    let options = OpenOptions {
        cache_bytes: 1 << 20,
        ..OpenOptions::new(folder.path())
    };
    let engine = FjallFactory::default()
        .open_engine(&options, Arc::new(KeepAll))
        .expect("opened");
    for _ in 0..3 {
        put(&*engine, 0..30_000, 100).expect("put");
    }
    settle(&*engine);
    for number in (0..30_000_u32).step_by(7) {
        assert!(engine.get(&number.to_be_bytes()).expect("read").is_some());
    }
    let stats = engine.stats();
    assert!(stats.cache_bytes <= options.cache_bytes, "{stats:?}");
    assert!(stats.pinned_bytes < stats.disk_bytes / 500, "{stats:?}");
}
