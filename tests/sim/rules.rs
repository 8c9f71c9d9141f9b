//! Rules that look like overhead until they are gone: without one of them, some story goes wrong.
//!
//! The storage's own tests show the same step by step; here the whole node is booted, and nobody aims at the rule.

use node_storage::{BrokenRules, FloorRule, Slots};

use crate::story::{Plot, play};

/// Stories that may be told until one goes wrong; one in ten or twenty does.
const STORIES: u64 = 200;

fn some_story_goes_wrong(plot: Plot) {
    let wrong = (0..STORIES).find_map(|seed| Some((seed, play(Plot { seed, ..plot }).err()?)));
    let Some((seed, why)) = wrong else {
        panic!("{:?} does no harm", plot.broken);
    };
    let kept = Plot {
        seed,
        broken: BrokenRules::NONE,
        ..plot
    };
    assert!(play(kept).is_ok(), "seed {seed} goes wrong anyway");
    println!("with {:?}, seed {seed}: {why}", plot.broken);
}

#[test]
fn with_two_merges_at_once_a_story_goes_wrong() {
    some_story_goes_wrong(Plot {
        broken: BrokenRules {
            slots: Slots::Two,
            ..BrokenRules::NONE
        },
        ..Plot::new(0)
    });
}

#[test]
fn without_the_floor_a_story_goes_wrong() {
    some_story_goes_wrong(Plot {
        broken: BrokenRules {
            floor: FloorRule::Ignored,
            ..BrokenRules::NONE
        },
        writes_late: true,
        ..Plot::new(0)
    });
}
