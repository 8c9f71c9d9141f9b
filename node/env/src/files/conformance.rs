//! What real and simulated files must both do.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rstest::rstest;

use super::*;

const WHY: SyncPoint = SyncPoint("test");

/// A directory that goes away with the test.
struct TempDir(PathBuf);

impl TempDir {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("messina-files-{}-{name}", std::process::id()));
        drop(std::fs::remove_dir_all(&dir));
        Self(dir)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[derive(Clone, Copy)]
enum Which {
    Real,
    Simulated,
}

fn with_files(which: Which, name: &str, test: impl Fn(&dyn Files, &Path)) {
    match which {
        Which::Real => {
            let dir = TempDir::new(name);
            RealFiles.create_dir_all(&dir.0, WHY).unwrap();
            test(&RealFiles, &dir.0);
        }
        Which::Simulated => {
            let files = SimFiles::new();
            files.create_dir_all(Path::new("/data"), WHY).unwrap();
            test(&files, Path::new("/data"));
        }
    }
}

fn kind_of<T>(result: Result<T, FileError>) -> FileErrorKind {
    match result {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.kind,
    }
}

#[rstest]
fn bytes_written_are_read(#[values(Which::Real, Which::Simulated)] which: Which) {
    with_files(which, "bytes", |files, dir| {
        let file = files.create(&dir.join("a"), 2_000, WHY).unwrap();
        assert_eq!(file.len().unwrap(), 2_000);
        let mut all = vec![1; 3_000];
        assert_eq!(file.read_at(0, &mut all).unwrap(), 2_000);
        assert!(all[..2_000].iter().all(|&byte| byte == 0));
        file.write_at(1_998, b"hello").unwrap();
        file.sync_data(WHY).unwrap();
        assert_eq!(file.len().unwrap(), 2_003);
        let again = files.open(&dir.join("a"), Access::Read).unwrap();
        let mut some = [9; 8];
        assert_eq!(again.read_at(1_997, &mut some).unwrap(), 6);
        assert_eq!(&some, b"\0hello\x09\x09");
        assert_eq!(again.read_at(5_000, &mut some).unwrap(), 0);
        assert!(again.write_at(0, b"x").is_err());
        assert_eq!(read_all(&*again, 2_003).unwrap().len(), 2_003);
        assert_eq!(kind_of(read_all(&*again, 2_002)), FileErrorKind::TooLarge);
    });
}

#[rstest]
fn a_cut_file_grows_again_with_zeros(#[values(Which::Real, Which::Simulated)] which: Which) {
    with_files(which, "cut", |files, dir| {
        let file = files.create(&dir.join("a"), 0, WHY).unwrap();
        assert!(file.is_empty().unwrap());
        file.write_at(0, &[7; 1_500]).unwrap();
        file.set_len(600).unwrap();
        file.set_len(1_500).unwrap();
        let all = read_all(&*file, 10_000).unwrap();
        assert!(
            all[..600].iter().all(|&byte| byte == 7) && all[600..].iter().all(|&byte| byte == 0)
        );
    });
}

#[rstest]
fn names_come_and_go(#[values(Which::Real, Which::Simulated)] which: Which) {
    with_files(which, "names", |files, dir| {
        let (a, b) = (dir.join("a"), dir.join("b"));
        let open = files.create(&a, 3, WHY).unwrap();
        assert_eq!(kind_of(files.create(&a, 3, WHY)), FileErrorKind::Exists);
        files.create(&b, 10, WHY).unwrap();
        files.create_dir_all(&dir.join("deep/er"), WHY).unwrap();
        files.create_dir_all(&dir.join("deep/er"), WHY).unwrap();
        let names: Vec<(String, u64)> = files
            .list(dir)
            .unwrap()
            .into_iter()
            .map(|entry| (entry.name, entry.len))
            .collect();
        assert_eq!(
            names,
            [("a".into(), 3), ("b".into(), 10), ("deep".into(), 0)]
        );
        files.rename(&a, &b).unwrap();
        assert_eq!(files.entry(&b).unwrap().unwrap().len, 3);
        assert_eq!(files.entry(&a).unwrap(), None);
        assert_eq!(
            kind_of(files.rename(&b, &dir.join("deep/b"))),
            FileErrorKind::Unsupported
        );
        files.remove(&b).unwrap();
        open.write_at(0, b"still usable").unwrap();
        files.sync_dir(dir, WHY).unwrap();
        assert_eq!(kind_of(files.remove(&b)), FileErrorKind::NotFound);
        assert_eq!(
            kind_of(files.open(&b, Access::Read)),
            FileErrorKind::NotFound
        );
        assert_eq!(
            kind_of(files.list(&dir.join("nowhere"))),
            FileErrorKind::NotFound
        );
        assert_eq!(
            kind_of(files.create(&dir.join("nowhere/a"), 1, WHY)),
            FileErrorKind::NotFound
        );
        assert!(files.available_space(dir).unwrap() > 0);
    });
}

#[rstest]
fn a_lock_has_one_holder(#[values(Which::Real, Which::Simulated)] which: Which) {
    with_files(which, "lock", |files, dir| {
        let held = files.lock(&dir.join("lock")).unwrap();
        let second = files.lock(&dir.join("lock")).unwrap_err();
        assert_eq!(second.kind, FileErrorKind::Locked);
        assert!(second.to_string().contains("another process"), "{second}");
        drop(held);
        files.lock(&dir.join("lock")).unwrap();
    });
}

/// A simulated disk with one durable file, `/data/a`, of `len` zero bytes.
fn disk(len: u64) -> (SimFiles, Arc<dyn File>) {
    let files = SimFiles::new();
    files.create_dir_all(Path::new("/data"), WHY).unwrap();
    let file = files.create(Path::new("/data/a"), len, WHY).unwrap();
    files.sync_dir(Path::new("/data"), WHY).unwrap();
    (files, file)
}

fn content(files: &SimFiles, path: &str) -> Option<Vec<u8>> {
    let file = files.open(Path::new(path), Access::Read).ok()?;
    Some(read_all(&*file, 1 << 20).unwrap())
}

/// A process makes a directory and is killed before the name is durable; the next one finds it, and power is cut.
#[test]
fn a_directory_that_was_found_stays() {
    for seed in 0..50 {
        for deep in ["/data", "/data/log"] {
            let (files, dir) = (SimFiles::new(), Path::new(deep));
            let steps = if deep == "/data" { 1 } else { 3 };
            files.go_down_after(steps);
            assert!(files.create_dir_all(dir, WHY).is_err());
            files.crash(Crash::Process);
            assert!(files.entry(dir).unwrap().is_some());
            files.create_dir_all(dir, WHY).unwrap();
            files.crash(Crash::Power { seed });
            assert!(files.entry(dir).unwrap().is_some(), "{deep}, seed {seed}");
        }
    }
}

#[test]
fn a_power_cut_tears_what_was_not_synced_and_nothing_else() {
    let (mut lost, mut kept, mut torn) = (0, 0, 0);
    for seed in 0..200 {
        let (files, file) = disk(4 * SECTOR as u64);
        file.write_at(0, &[1; SECTOR]).unwrap();
        file.sync_data(WHY).unwrap();
        file.write_at(SECTOR as u64, &[2; 2 * SECTOR]).unwrap();
        files.crash(Crash::Power { seed });
        assert_eq!(kind_of(file.sync_data(WHY)), FileErrorKind::Down);
        let all = content(&files, "/data/a").unwrap();
        assert_eq!(all.len(), 4 * SECTOR);
        let sectors: Vec<u8> = all
            .chunks(SECTOR)
            .map(|sector| {
                assert!(
                    sector.iter().all(|byte| *byte == sector[0]),
                    "a sector is never torn"
                );
                sector[0]
            })
            .collect();
        assert_eq!((sectors[0], sectors[3]), (1, 0));
        match (sectors[1], sectors[2]) {
            (0, 0) => lost += 1,
            (2, 2) => kept += 1,
            _ => torn += 1,
        }
    }
    assert!(lost > 20 && kept > 20 && torn > 20, "{lost} {kept} {torn}");
}

#[test]
fn a_power_cut_loses_names_that_were_not_synced() {
    let (mut with, mut without) = (0, 0);
    for seed in 0..100 {
        let (files, _) = disk(1);
        let new = files.create(Path::new("/data/new"), 5, WHY).unwrap();
        new.sync_data(WHY).unwrap();
        files.crash(Crash::Power { seed });
        assert!(content(&files, "/data/a").is_some());
        match content(&files, "/data/new") {
            Some(bytes) => {
                assert_eq!(bytes.len(), 5);
                with += 1;
            }
            None => without += 1,
        }
    }
    assert!(with > 10 && without > 10);
}

#[test]
fn a_rename_is_whole_whatever_survives() {
    for seed in 0..100 {
        let (files, _) = disk(1);
        files.create(Path::new("/data/b"), 2, WHY).unwrap();
        files.sync_dir(Path::new("/data"), WHY).unwrap();
        files
            .rename(Path::new("/data/b"), Path::new("/data/a"))
            .unwrap();
        files.crash(Crash::Power { seed });
        let lens: Vec<u64> = files
            .list(Path::new("/data"))
            .unwrap()
            .into_iter()
            .map(|entry| entry.len)
            .collect();
        assert!(lens == [1, 2] || lens == [2], "{lens:?}");
    }
}

#[test]
fn a_process_that_dies_loses_nothing() {
    let (files, file) = disk(0);
    file.write_at(0, b"abc").unwrap();
    let _lock = files.lock(Path::new("/data/lock")).unwrap();
    files.crash(Crash::Process);
    assert_eq!(content(&files, "/data/a").unwrap(), b"abc");
    files.lock(Path::new("/data/lock")).unwrap();
}

#[test]
fn an_ignored_sync_protects_nothing() {
    let survived = |ignore: bool| {
        (0..50).all(|seed| {
            let (files, file) = disk(SECTOR as u64);
            if ignore {
                files.ignore_sync(SyncPoint("log.frame"));
            }
            file.write_at(0, b"abc").unwrap();
            file.sync_data(SyncPoint("log.frame")).unwrap();
            assert_eq!(files.sync_counts()["log.frame"], 1);
            files.crash(Crash::Power { seed });
            content(&files, "/data/a").unwrap().starts_with(b"abc")
        })
    };
    assert!(survived(false));
    assert!(!survived(true));
}

#[test]
fn after_a_failed_sync_a_good_one_does_not_help() {
    let (files, file) = disk(SECTOR as u64);
    files.inject(Fault::Sync(None, SyncFault::Fail), 0);
    file.write_at(0, b"abc").unwrap();
    assert_eq!(kind_of(file.sync_data(WHY)), FileErrorKind::Device);
    file.sync_data(WHY).unwrap();
    assert!(content(&files, "/data/a").unwrap().starts_with(b"abc"));
    files.crash(Crash::Power { seed: 1 });
    assert!(content(&files, "/data/a").unwrap().starts_with(&[0, 0, 0]));
}

#[test]
fn a_full_disk_refuses_and_recovers() {
    let (files, file) = disk(100);
    files.set_quota(Some(150));
    assert_eq!(files.available_space(Path::new("/data")).unwrap(), 50);
    file.write_at(0, &[1; 100]).unwrap();
    assert!(file.write_at(100, &[1; 51]).unwrap_err().is_full());
    assert_eq!(file.len().unwrap(), 100);
    assert!(
        files
            .create(Path::new("/data/b"), 51, WHY)
            .unwrap_err()
            .is_full()
    );
    assert!(content(&files, "/data/b").is_none());
    files.remove(Path::new("/data/a")).unwrap();
    files.create(Path::new("/data/b"), 150, WHY).unwrap();
}

#[test]
fn faults_fire_once_when_due() {
    let (files, file) = disk(0);
    files.inject(Fault::Write("a".into(), WriteFault::Torn { bytes: 2 }), 1);
    files.inject(Fault::Read("a".into()), 0);
    file.write_at(0, b"....").unwrap();
    assert_eq!(kind_of(file.write_at(0, b"abcd")), FileErrorKind::Device);
    assert_eq!(kind_of(file.read_at(0, &mut [0; 4])), FileErrorKind::Device);
    assert_eq!(content(&files, "/data/a").unwrap(), b"ab..");
    assert!(files.flip(Path::new("/data/a"), 1, 0x20));
    assert_eq!(content(&files, "/data/a").unwrap(), b"aB..");
}

#[test]
fn a_machine_goes_down_at_every_step() {
    for step in 0..3 {
        let (files, file) = disk(0);
        files.go_down_after(step);
        let work = || {
            file.write_at(0, b"a")?;
            file.sync_data(WHY)?;
            files.rename(Path::new("/data/a"), Path::new("/data/b"))
        };
        assert_eq!(kind_of(work()), FileErrorKind::Down);
        assert_eq!(kind_of(files.list(Path::new("/data"))), FileErrorKind::Down);
        files.crash(Crash::Process);
        assert_eq!(
            content(&files, "/data/a").unwrap().len(),
            usize::from(step > 0)
        );
    }
}

#[test]
fn equal_runs_have_equal_traces() {
    let run = |text: &[u8]| {
        let (files, file) = disk(0);
        file.write_at(0, text).unwrap();
        assert_eq!(
            files.trace().last().unwrap().to_string(),
            "write /data/a 0+1"
        );
        files.trace_hash()
    };
    assert_eq!(run(b"x"), run(b"x"));
    assert_ne!(run(b"x"), run(b"y"));
}
