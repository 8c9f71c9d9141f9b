//! A disk that is really full: a small one, mounted for this process alone, filled up, and emptied again.
//!
//! Ingests and compactions must fail with "no space", reads go on, and when space is freed both go on without a
//! reopen. Linux only, and only where a process may mount a disk of its own; elsewhere the test says so and passes.
#![expect(
    clippy::print_stdout,
    reason = "a test without a harness reports by itself"
)]
#![expect(
    unsafe_code,
    reason = "unshare and mount have no safe interface in the standard library"
)]

fn main() {
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    #[cfg(target_os = "linux")]
    match small_disk::mount(16 << 20) {
        Ok(disk) => {
            fills_up_and_goes_on(disk.path());
            println!("full disk: ingests and compactions went on");
        }
        Err(error) => println!("full disk: skipped, no disk of our own: {error}"),
    }
    #[cfg(not(target_os = "linux"))]
    println!("full disk: skipped, mounting needs Linux");
}

#[cfg(target_os = "linux")]
fn fills_up_and_goes_on(disk: &std::path::Path) {
    use backend::{Engine, Error, Goal, Health, KeepAll, OpenOptions, Progress};
    use backend_fjall::FjallFactory;
    use std::io::Write;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    const KEYS: u32 = 2_000;

    fn value(number: u32, generation: u32) -> Vec<u8> {
        let mut state = u64::from(number) << 32 | u64::from(generation) | 1;
        let mut step = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            state.to_be_bytes()
        };
        (0..64).flat_map(|_| step()).collect()
    }

    fn put(engine: &dyn Engine, generation: u32) -> Result<(), Error> {
        let mut ingest = engine.ingest()?;
        (0..KEYS)
            .try_for_each(|number| ingest.put(&number.to_be_bytes(), &value(number, generation)))?;
        ingest.finish().map(drop)
    }

    fn expect(engine: &dyn Engine, generation: u32) {
        for number in 0..KEYS {
            let found = engine.get(&number.to_be_bytes()).expect("a read");
            assert!(
                found.is_some_and(|found| found == value(number, generation)),
                "key {number}"
            );
        }
    }

    fn no_space<T: std::fmt::Debug>(result: Result<T, Error>, what: &str) {
        match result {
            Err(error) => assert!(error.is_no_space(), "{what}: {error}"),
            Ok(done) => panic!("{what} succeeded on a full disk: {done:?}"),
        }
    }

    let directory = disk.join("database");
    let options = OpenOptions::new(&directory);
    let engine = FjallFactory::default()
        .open_engine(&options, Arc::new(KeepAll))
        .expect("opened");
    let engine: &dyn Engine = &*engine;
    for generation in 0..6 {
        put(engine, generation).expect("put");
    }
    let ballast = disk.join("ballast");
    // Little room is left, so that what fails does so in the middle of a file.
    let mut filling = std::fs::File::create(&ballast).expect("a file");
    while filling.write_all(&[0; 4_096]).is_ok() {}
    let length = filling.metadata().expect("a length").len();
    filling
        .set_len(length.saturating_sub(300 * 1_024))
        .expect("a little room");
    for _ in 0..4 {
        no_space(put(engine, 7), "an ingest");
        expect(engine, 5);
        no_space(engine.compact(Goal::Due), "a compaction");
        expect(engine, 5);
        no_space(engine.compact(Goal::Everything), "a whole compaction");
        expect(engine, 5);
        assert!(
            matches!(engine.health(), Health::ReadOnly { .. }),
            "{:?}",
            engine.health()
        );
    }
    filling.set_len(0).expect("room");
    while engine
        .compact(Goal::Due)
        .expect("a compaction that goes on")
        != Progress::Idle
    {}
    expect(engine, 5);
    put(engine, 8).expect("an ingest that goes on");
    expect(engine, 8);
    engine
        .compact(Goal::Everything)
        .expect("a whole compaction that goes on");
    assert_eq!(engine.health(), Health::Ok);
    let report = engine.verify(&AtomicBool::new(false)).expect("verified");
    assert!(report.damage.is_empty() && report.complete, "{report:?}");
    engine.close().expect("closed");
    let again = FjallFactory::default()
        .open_engine(&options, Arc::new(KeepAll))
        .expect("opened again");
    expect(&*again, 8);
    again.close().expect("closed again");
}

#[cfg(target_os = "linux")]
mod small_disk {
    //! A disk in memory, in a mount namespace of this process.

    use std::ffi::CString;
    use std::io;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    use tempfile::TempDir;

    /// A mounted disk; it goes with this value.
    pub(super) struct SmallDisk(TempDir);

    impl SmallDisk {
        pub(super) fn path(&self) -> &Path {
            self.0.path()
        }
    }

    impl Drop for SmallDisk {
        fn drop(&mut self) {
            if let Ok(path) = CString::new(self.0.path().as_os_str().as_bytes()) {
                // SAFETY: the path is a string that lives as long as the call.
                unsafe { libc::umount2(path.as_ptr(), libc::MNT_DETACH) };
            }
        }
    }

    pub(super) fn mount(bytes: u64) -> io::Result<SmallDisk> {
        let folder = TempDir::new()?;
        let path = CString::new(folder.path().as_os_str().as_bytes())?;
        let size = CString::new(format!("size={bytes}"))?;
        // As root a namespace of mounts will do; others need a namespace of users around it.
        for flags in [libc::CLONE_NEWNS, libc::CLONE_NEWUSER | libc::CLONE_NEWNS] {
            // SAFETY: the call takes flags only; this process has one thread.
            if unsafe { libc::unshare(flags) } == 0 {
                break;
            }
        }
        let nothing = std::ptr::null();
        // SAFETY: all strings live as long as the calls, and the others may be null for these operations.
        unsafe {
            check(libc::mount(
                nothing,
                c"/".as_ptr(),
                nothing,
                libc::MS_REC | libc::MS_PRIVATE,
                nothing.cast(),
            ))?;
            check(libc::mount(
                c"tmpfs".as_ptr(),
                path.as_ptr(),
                c"tmpfs".as_ptr(),
                0,
                size.as_ptr().cast(),
            ))?;
        }
        Ok(SmallDisk(folder))
    }

    fn check(result: libc::c_int) -> io::Result<()> {
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}
