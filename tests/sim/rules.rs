//! Rules that look like overhead until they are gone: without one of them, some story goes wrong.
//!
//! The storage's own tests show the same step by step; here the whole node is booted, and nobody aims at the rule.

use node_storage::{BrokenRules, FloorRule, Slots};

use crate::story::{Plot, play};

/// Stories that may be told until one goes wrong; one in ten or twenty does.
const STORIES: u64 = 200;

fn something_goes_wrong_with(broken: BrokenRules) {
    let wrong = (0..STORIES).find_map(|seed| {
        let plot = Plot {
            broken,
            ..Plot::new(seed)
        };
        Some((seed, play(plot).err()?))
    });
    let Some((seed, why)) = wrong else {
        panic!("{broken:?} does no harm");
    };
    assert!(
        play(Plot::new(seed)).is_ok(),
        "seed {seed} goes wrong anyway"
    );
    println!("with {broken:?}, seed {seed}: {why}");
}

#[test]
fn with_two_merges_at_once_a_story_goes_wrong() {
    something_goes_wrong_with(BrokenRules {
        slots: Slots::Two,
        ..BrokenRules::NONE
    });
}

#[test]
fn without_the_floor_a_story_goes_wrong() {
    something_goes_wrong_with(BrokenRules {
        floor: FloorRule::Ignored,
        ..BrokenRules::NONE
    });
}
