//! Every sync of a node has a reason: without it, some story goes wrong.
//!
//! The storage's own tests show the same for its parts; here the whole node is booted, and written by clients.
//! The others are shown there only, because they need a cut at one certain step, a full disk, or logs in a place of their own:
//! those of the names of data directory and format file, of removed and of replayed logs, and of the space of segments.

use std::collections::BTreeSet;

use node_env::SyncPoint;
use node_storage::{
    SYNC_DIRECTORY, SYNC_FORMAT, SYNC_FORMAT_NAME, SYNC_LOG_DIRECTORY, SYNC_LOG_FRAMES,
    SYNC_LOG_REMOVALS, SYNC_LOG_REPLAY, SYNC_LOG_SEGMENT,
};

use crate::play_or_tell;
use crate::story::{Plot, play};

/// Stories that may be told until one goes wrong.
const STORIES: u64 = 60;

fn something_goes_wrong_without(point: SyncPoint) {
    let wrong = (0..STORIES).find_map(|seed| {
        let plot = Plot {
            ignored: Some(point),
            ..Plot::new(seed)
        };
        Some((seed, play(plot).err()?))
    });
    let Some((seed, why)) = wrong else {
        panic!("{point} can be left out without harm");
    };
    assert!(
        play(Plot::new(seed)).is_ok(),
        "seed {seed} goes wrong anyway"
    );
    println!("without {point}, seed {seed}: {why}");
}

#[test]
fn without_the_sync_of_the_format_a_story_goes_wrong() {
    something_goes_wrong_without(SYNC_FORMAT);
}

#[test]
fn without_the_sync_of_directories_a_story_goes_wrong() {
    something_goes_wrong_without(SYNC_DIRECTORY);
}

#[test]
fn without_the_sync_of_the_names_of_segments_a_story_goes_wrong() {
    something_goes_wrong_without(SYNC_LOG_DIRECTORY);
}

#[test]
fn without_the_sync_of_frames_a_story_goes_wrong() {
    something_goes_wrong_without(SYNC_LOG_FRAMES);
}

/// A sync that is not in this list has no test anywhere.
#[test]
fn every_sync_of_a_node_is_known() {
    let known = [
        SYNC_DIRECTORY,
        SYNC_FORMAT,
        SYNC_FORMAT_NAME,
        SYNC_LOG_DIRECTORY,
        SYNC_LOG_FRAMES,
        SYNC_LOG_REMOVALS,
        SYNC_LOG_REPLAY,
        SYNC_LOG_SEGMENT,
    ];
    let known: BTreeSet<&str> = known.iter().map(|point| point.0).collect();
    let used: BTreeSet<&str> = (0..4).flat_map(|seed| play_or_tell(seed).syncs).collect();
    assert_eq!(used, known);
}
