//! Every sync has a reason: without it, some story loses what was acknowledged.
//!
//! | sync | protects | without it |
//! |---|---|---|
//! | `storage.directory` | the directories of data and logs | everything is gone |
//! | `storage.format` | the content of the format file | the next start finds an empty one |
//! | `storage.format-name` | its name | the next start finds data without it |
//! | `log.directory` | the names of segments | a segment is gone |
//! | `log.frames` | frames | acknowledged writes are gone |
//! | `log.removals` | the absence of logs that are done with | they come back and are replayed: deleted rows live again |
//! | `log.replay` | frames that a killed process left unsynced | what the next run has shown is gone |
//! | `log.segment` | the space of segments | a write can meet a full disk |

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use node_env::files::{Crash, Fault, SyncFault};
use node_env::simulation::run;
use node_env::{Files as _, SyncPoint};
use node_storage::{
    SYNC_DIRECTORY, SYNC_FORMAT, SYNC_FORMAT_NAME, SYNC_LOG_DIRECTORY, SYNC_LOG_FRAMES,
    SYNC_LOG_REMOVALS, SYNC_LOG_REPLAY, SYNC_LOG_SEGMENT,
};
use rstest::rstest;

use crate::crash::{Plot, tell};
use crate::model::{Batch, Write};
use crate::world::{Life, World, write_batch};

const ALL: [SyncPoint; 8] = [
    SYNC_DIRECTORY,
    SYNC_FORMAT,
    SYNC_FORMAT_NAME,
    SYNC_LOG_DIRECTORY,
    SYNC_LOG_FRAMES,
    SYNC_LOG_REMOVALS,
    SYNC_LOG_REPLAY,
    SYNC_LOG_SEGMENT,
];

/// `nothing_acknowledged_is_lost` tells the same stories with all syncs.
#[rstest]
#[case(SYNC_FORMAT)]
#[case(SYNC_DIRECTORY)]
#[case(SYNC_LOG_DIRECTORY)]
#[case(SYNC_LOG_FRAMES)]
fn without_this_sync_data_is_lost(#[case] point: SyncPoint) {
    let lost = (0..60).find_map(|seed| {
        tell(Plot {
            ignored: Some(point),
            ..Plot::new(seed)
        })
        .err()
    });
    assert!(lost.is_some(), "{point} can be left out without harm");
}

/// The logs are elsewhere, so that nobody else makes the name of the data directory durable; whether it is gone.
fn data_directory_is_gone(seed: u64, ignored: Option<SyncPoint>) -> bool {
    run(async {
        let mut world = World::new(seed);
        if let Some(point) = ignored {
            world.machine.files.ignore_sync(point);
        }
        let mut options = world.options(1);
        options.directory = "/data/node".into();
        options.log_directory = "/log".into();
        let life = world.boot_with(options).await.unwrap();
        world.cut_power(Some(life));
        let directory = world.machine.files.entry(Path::new("/data/node")).unwrap();
        directory.is_none()
    })
}

#[test]
fn without_the_sync_of_its_name_the_data_directory_is_gone() {
    assert!((0..40).all(|seed| !data_directory_is_gone(seed, None)));
    assert!(
        (0..40).any(|seed| data_directory_is_gone(seed, Some(SYNC_DIRECTORY))),
        "{SYNC_DIRECTORY} can be left out without harm"
    );
}

/// The power goes at some step of the very first start; whether the next start works.
fn first_start_cut_at(step: u64, seed: u64, ignored: Option<SyncPoint>) -> bool {
    run(async {
        let mut world = World::new(seed);
        if let Some(point) = ignored {
            world.machine.files.ignore_sync(point);
        }
        world.machine.files.go_down_after(step);
        let life = world.boot(1).await.ok();
        world.cut_power(life);
        world.boot(1).await.is_ok()
    })
}

#[test]
fn a_first_start_may_be_cut_at_any_step() {
    for step in 0..24 {
        for seed in 0..8 {
            assert!(
                first_start_cut_at(step, seed, None),
                "step {step}, seed {seed}"
            );
        }
    }
}

#[test]
fn without_the_name_of_the_format_file_a_cut_first_start_is_the_last() {
    let fails = |step| (0..40).any(|seed| !first_start_cut_at(step, seed, Some(SYNC_FORMAT_NAME)));
    assert!(
        (0..24).any(fails),
        "{SYNC_FORMAT_NAME} can be left out without harm"
    );
}

/// The process is killed at some step of its first start, the power goes after the second; whether there can be a third.
fn first_start_killed_at(step: u64, seed: u64) -> bool {
    run(async {
        let mut world = World::new(seed);
        world.machine.files.go_down_after(step);
        drop(world.boot(1).await);
        world.machine.crash(Crash::Process);
        world.disk.crash(seed);
        let life = world.boot(1).await.unwrap();
        world.cut_power(Some(life));
        world.boot(1).await.is_ok()
    })
}

#[test]
fn a_start_that_finds_a_format_file_makes_its_name_durable() {
    for step in 0..24 {
        for seed in 0..20 {
            assert!(
                first_start_killed_at(step, seed),
                "step {step}, seed {seed}"
            );
        }
    }
}

/// A row is written in one life, flushed and purged in the next; in the third the power goes while the node starts.
/// Whether the row is back in the fourth.
fn a_deleted_row_is_back(step: u64, seed: u64, ignored: Option<SyncPoint>) -> bool {
    let batch = |time, write| Batch {
        time,
        writes: vec![(1, write)],
    };
    let apply = async |life: &Life, batch: &Batch| {
        let bytes = write_batch(&life.table, batch, 0);
        let position = life.shards[0].apply(bytes).unwrap();
        life.shards[0].durable(position).await.unwrap();
    };
    run(async {
        let mut world = World::new(seed);
        world.gc_grace_s = 0;
        if let Some(point) = ignored {
            world.machine.files.ignore_sync(point);
        }
        let life = world.boot(1).await.unwrap();
        apply(
            &life,
            &batch(
                5,
                Write::Insert {
                    ck: 1,
                    cells: Vec::new(),
                },
            ),
        )
        .await;
        drop(life);
        world.machine.crash(Crash::Process);
        world.disk.crash(0);
        let life = world.boot(1).await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        apply(&life, &batch(10, Write::DeleteRow { ck: 1 })).await;
        life.shards[0].flush().await.unwrap();
        assert!(life.partition(1).await.unwrap().0.is_empty());
        drop(life);
        world.machine.crash(Crash::Process);
        world.disk.crash(0);
        world.machine.files.go_down_after(step);
        let life = world.boot(1).await.ok();
        world.cut_power(life);
        let life = world.boot(1).await.unwrap();
        !life.partition(1).await.unwrap().0.is_empty()
    })
}

#[test]
fn logs_that_are_done_with_do_not_come_back() {
    for step in 0..10 {
        for seed in 0..6 {
            assert!(
                !a_deleted_row_is_back(step, seed, None),
                "step {step}, seed {seed}"
            );
        }
    }
}

#[test]
fn without_the_sync_of_removals_a_deleted_row_comes_back() {
    let back =
        |step| (0..12).any(|seed| a_deleted_row_is_back(step, seed, Some(SYNC_LOG_REMOVALS)));
    assert!(
        (0..10).any(back),
        "{SYNC_LOG_REMOVALS} can be left out without harm"
    );
}

/// Why a frame that was written is not durable when its process is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unsynced {
    /// The process is killed before the sync.
    Killed,
    /// The sync failed: the system shows the bytes and will never write them.
    Failed,
}

/// A process is killed while a frame is not durable; the next one reads it, and power is cut.
/// Whether what was read is gone after that.
fn a_row_that_was_read_is_gone(seed: u64, why: Unsynced, ignored: Option<SyncPoint>) -> bool {
    run(async {
        let mut world = World::new(seed);
        if let Some(point) = ignored {
            world.machine.files.ignore_sync(point);
        }
        let life = world.boot(1).await.unwrap();
        let cells = Vec::new();
        let insert = Batch {
            time: 5,
            writes: vec![(1, Write::Insert { ck: 1, cells })],
        };
        let files = &world.machine.files;
        match why {
            Unsynced::Killed => files.go_down_after(1),
            Unsynced::Failed => {
                files.inject(Fault::Sync(Some(SYNC_LOG_FRAMES), SyncFault::Fail), 0);
            }
        }
        let position = life.shards[0]
            .apply(write_batch(&life.table, &insert, 0))
            .unwrap();
        assert!(life.shards[0].durable(position).await.is_err());
        drop(life);
        world.machine.crash(Crash::Process);
        world.disk.crash(0);
        let life = world.boot(1).await.unwrap();
        assert!(!life.partition(1).await.unwrap().0.is_empty());
        world.cut_power(Some(life));
        let life = world.boot(1).await.unwrap();
        life.partition(1).await.unwrap().0.is_empty()
    })
}

#[test]
fn what_was_read_after_a_kill_stays() {
    for why in [Unsynced::Killed, Unsynced::Failed] {
        assert!((0..40).all(|seed| !a_row_that_was_read_is_gone(seed, why, None)));
    }
}

#[test]
fn without_the_sync_of_replayed_logs_a_row_that_was_read_is_gone() {
    assert!(
        (0..40).any(|seed| {
            a_row_that_was_read_is_gone(seed, Unsynced::Killed, Some(SYNC_LOG_REPLAY))
        }),
        "{SYNC_LOG_REPLAY} can be left out without harm"
    );
}

/// The space of a segment exists before its first frame: every segment was made by a call that syncs its zeros.
#[test]
fn segments_have_their_space_before_they_are_used() {
    run(async {
        let mut world = World::new(1);
        let life = world.boot(2).await.unwrap();
        let made: u64 = life
            .shards
            .iter()
            .chain([&life.local])
            .map(|store| store.log_stats().segments_made)
            .sum();
        let made_whole = world
            .machine
            .files
            .trace()
            .iter()
            .filter(|event| {
                event.call == "create" && event.point == Some(SYNC_LOG_SEGMENT) && event.len > 0
            })
            .count() as u64;
        assert!(made >= 3);
        assert_eq!(made, made_whole);
    });
}

/// A sync that is not in the table has no test.
#[test]
fn the_table_is_complete() {
    run(async {
        let mut world = World::new(1);
        let life = world.boot(2).await.unwrap();
        let store = &life.shards[0];
        store.admit(10).await.unwrap();
        world.cut_power(Some(life));
        drop(world.boot(1).await.unwrap());
        let used: BTreeSet<&str> = world.machine.files.sync_counts().into_keys().collect();
        let known: BTreeSet<&str> = ALL.iter().map(|point| point.0).collect();
        assert!(used.is_subset(&known), "{used:?}");
    });
}
