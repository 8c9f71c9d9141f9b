//! One node with its shards, in one thread, on simulated files and clock, from a seed.
//!
//! ```text
//!  story ─► machine: files, engine, clock ─► node (booted as the real one) ◄─ pipes ─ actors: clients
//!    │                                                                                  │
//!    └─► crash, restart with other shards ─► verify ◄──── world, model: what must be there ◄┘
//! ```
//!
//! Every seed is a story of several lives: clients change tables and types, write, read and empty tables; storage flushes;
//! the node dies at some moment, at some change of a file or at some operation of the engine, and starts again with another number of shards.
//! Statements go as text or prepared; columns are ints and collections, some values expire, tombstones are purged, agreed logs are shortened.
//! Now and then a sync, a write or an operation of the engine fails once, or the disk is full, and the node goes on as well as it can.
//! Nothing acknowledged may be lost, nothing read may disappear, no row may be torn, no batch and no schema change be half there.
//!
//! `MESSINA_SIM_SEEDS=1000` plays so many seeds, `MESSINA_SIM_SEED=17` plays one and, with `--nocapture`, prints every statement and answer;
//! `RUST_LOG=debug` adds what the node says.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test may stop at the first surprise and talks to who started it"
)]

mod actor;
mod changes;
mod content;
mod foreign;
mod machine;
mod model;
mod reads;
mod rules;
mod statements;
mod story;
mod syncs;
mod template;
mod turns;
mod verify;
mod world;
mod writes;

use story::{Plot, play};
use world::Told;

/// Seeds that are played when nothing else is asked for.
const SEEDS: u64 = 50;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn play_or_tell(seed: u64) -> story::Played {
    let plot = Plot {
        is_loud: number("MESSINA_SIM_SEED").is_some(),
        ..Plot::new(seed)
    };
    play(plot).unwrap_or_else(|why| {
        panic!(
            "seed {seed}: {why}\n\nto play it again:\n  \
             MESSINA_SIM_SEED={seed} cargo test -p messina-tests --test sim stories -- --nocapture"
        )
    })
}

#[test]
fn nothing_is_lost_in_stories_of_crashes() {
    let seeds = match number("MESSINA_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("MESSINA_SIM_SEEDS").unwrap_or(SEEDS),
    };
    if number("MESSINA_SIM_SEED").is_some() {
        tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .without_time()
            .init();
    }
    let (mut answers, mut told) = (0, Told::default());
    for seed in seeds.clone() {
        let played = play_or_tell(seed);
        answers += played.answers;
        told += played.told;
    }
    let seeds = seeds.end - seeds.start;
    println!("{seeds} seeds, {answers} answers, {told:?}");
    if seeds >= SEEDS {
        let Told {
            changes_made,
            changes_not_made,
            writes_made,
            writes_not_made,
            rows,
            starts_cut,
            prepared_again,
            shortened_logs,
            errors,
        } = told;
        let least = [
            changes_made,
            changes_not_made,
            writes_made,
            writes_not_made,
            starts_cut,
            prepared_again,
            shortened_logs,
            errors,
            rows / 100,
        ];
        assert!(
            least.into_iter().min() >= Some(5),
            "stories of nothing: {told:?}"
        );
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in [3, 4] {
        assert_eq!(play_or_tell(seed), play_or_tell(seed));
    }
    assert_ne!(play_or_tell(3).trace, play_or_tell(4).trace);
}
