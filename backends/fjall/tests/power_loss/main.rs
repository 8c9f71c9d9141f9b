//! Loss of power at every sync of a real run, on real files.
//!
//! The test runs itself under a recorder of system calls ([`recorder`]), which stops it at every sync and keeps what
//! the folder looks like. [`image`] then makes the folders that a loss of power could leave at that moment: only
//! what POSIX promises (a file's bytes after a sync of the file, a folder's entries after a sync of the folder), and
//! mixtures in which some of the unsynced bytes and entries made it. Each is opened and compared with what the run had
//! been told was done.
//!
//! Linux only, because the recorder is; elsewhere the test says so and passes.
#![expect(
    clippy::print_stdout,
    reason = "a test without a harness reports by itself"
)]

#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod recorder;
#[cfg(target_os = "linux")]
mod workload;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("power loss: skipped, the recorder needs Linux");
}

#[cfg(target_os = "linux")]
fn main() {
    use std::collections::BTreeSet;

    use image::{Believed, Loss};

    if let Some(directory) = std::env::var_os(recorder::CHILD_VARIABLE) {
        workload::run(std::path::Path::new(&directory));
        return;
    }
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let recording = match recorder::record(folder.path()) {
        Ok(recording) => recording,
        Err(recorder::Unavailable(reason)) => {
            println!("power loss: skipped, {reason}");
            return;
        }
    };
    assert_eq!(
        recording.last().map(|moment| moment.acknowledged),
        Some(workload::steps().len()),
        "the run ended early"
    );

    let mut opened = 0;
    for loss in [
        Loss::Everything,
        Loss::Some { seed: 1 },
        Loss::Some { seed: 2 },
    ] {
        let found = image::replay(&recording, &Believed::All, loss, &mut opened);
        assert_eq!(found, None, "power loss that loses {loss:?}");
    }
    // The test can fail: each kind of sync is missed when it does nothing.
    let kinds: BTreeSet<_> = recording
        .iter()
        .filter_map(|moment| image::kind(&recording, moment))
        .collect();
    for kind in &kinds {
        let believed = Believed::AllBut(kind.clone());
        let found = image::replay(&recording, &believed, Loss::Everything, &mut opened);
        assert!(
            found.is_some(),
            "without the syncs of {kind} nothing was lost"
        );
    }
    println!(
        "power loss: {} syncs of {} kinds, {opened} folders opened",
        recording.len() - 1,
        kinds.len()
    );
}
