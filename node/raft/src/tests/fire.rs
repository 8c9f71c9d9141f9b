//! Three and more members under loss, delay, reordering, partitions, crashes and changes of members, from seeds.

use super::cluster::World;
use super::*;
use node_env::Rng;

/// How many seeds: the given number, or what `MESSINA_RAFT_SEEDS` says.
fn seeds(usual: u64) -> u64 {
    let asked = std::env::var("MESSINA_RAFT_SEEDS")
        .ok()
        .and_then(|text| text.parse().ok());
    asked.unwrap_or(usual)
}

/// Steps of trouble for one seed.
const STEPS: u64 = 1_200;

fn trouble(world: &mut World) {
    let up = world.up();
    let Some(at) = up.get(world.rng.index(up.len())).copied() else {
        return;
    };
    match world.rng.below(100) {
        0..25 => world.propose(world.leader().filter(|_| at % 4 != 0).unwrap_or(at)),
        25..35 => world.read(at),
        35..37 => {
            let steps = world.rng.between(1, 300);
            world.crash(at, steps);
        }
        37..40 => {
            let all: Vec<u64> = world.nodes.keys().copied().collect();
            let other = all[world.rng.index(all.len())];
            // One direction only, sometimes both.
            world.blocked.insert((at, other));
            if world.rng.one_in(2) {
                world.blocked.insert((other, at));
            }
        }
        40..44 => world.blocked.clear(),
        44..46 => world.snapshot(at),
        46..48 => {
            let all: Vec<u64> = world.nodes.keys().copied().collect();
            let to = member(all[world.rng.index(all.len())]);
            drop(world.with_driver(at, |driver| driver.transfer(GROUP, to)));
        }
        48..50 => (world.loss, world.delay) = (world.rng.between(2, 20), world.rng.between(1, 60)),
        50..52 => world.sync_time = world.rng.between(1, 40),
        _ => {}
    }
}

fn survive(seed: u64) -> World {
    let mut world = World::new(seed, &[1, 2, 3]);
    (world.refused_snapshots, world.fetch_time) = (4, 60);
    for _ in 0..STEPS {
        if world.rng.one_in(4) {
            trouble(&mut world);
        }
        world.step();
    }
    world.must_settle();
    world
}

#[test]
fn three_members_survive() {
    let (mut acknowledged, mut reads) = (0, 0);
    for seed in 0..seeds(200) {
        let world = survive(seed);
        acknowledged += world.acknowledged();
        reads += world.reads_done;
    }
    // The fire must not be so hot that nothing is tested.
    assert!(
        acknowledged > 2_000 && reads > 600,
        "{acknowledged} {reads}"
    );
}

#[test]
fn a_seed_is_a_history() {
    for seed in [3, 77] {
        assert_eq!(survive(seed).trace(), survive(seed).trace());
    }
}

#[test]
fn changing_members_survive() {
    let mut done = 0;
    for seed in 1_000..1_000 + seeds(120) {
        let mut world = World::new(seed, &[1, 2, 3]);
        (world.refused_snapshots, world.fetch_time) = (4, 60);
        for id in 4..=5 {
            world.add(id, GroupState::joining());
        }
        for _ in 0..STEPS {
            if world.rng.one_in(4) {
                trouble(&mut world);
            }
            if world.rng.one_in(40)
                && let Some(leader) = world.leader()
            {
                let steps = (0..world.rng.between(1, 4)).map(|_| {
                    let id = member(world.rng.between(1, 6));
                    match world.rng.below(3) {
                        0 => MemberStep::AddVoter(id),
                        1 => MemberStep::AddLearner(id),
                        _ => MemberStep::Remove(id),
                    }
                });
                let mut steps: Vec<MemberStep> = steps.collect();
                // Member 1 always votes, so that somebody is left.
                steps.push(MemberStep::AddVoter(member(1)));
                drop(world.change(leader, steps));
            }
            world.step();
        }
        world.must_settle();
        done += world.changes_done;
    }
    assert!(done > 100, "{done}");
}
