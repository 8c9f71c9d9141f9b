//! The known ways to fall, one test each.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use node_env::SeededRng;
use raft::eraftpb::{Message, MessageType};

use super::cluster::{PATIENCE, World};
use super::*;

fn settled(ids: &[u64]) -> (World, u64) {
    let mut world = World::new(1, ids);
    world.run(400);
    let leader = world.leader().unwrap();
    for _ in 0..5 {
        world.propose(leader);
        world.run(30);
    }
    assert_eq!(world.acknowledged(), 5);
    (world, leader)
}

fn follower(world: &World, leader: u64) -> u64 {
    world.up().into_iter().find(|id| *id != leader).unwrap()
}

#[test]
fn a_joiner_starts_from_a_snapshot() {
    let (mut world, leader) = settled(&[1, 2, 3]);
    world.add(4, GroupState::joining());
    world
        .change(leader, vec![MemberStep::AddLearner(member(4))])
        .unwrap();
    world.run(600);
    assert_eq!(world.changes_done, 1);
    let status = world.status(4);
    assert!(status.snapshot > 0 && status.applied >= 7, "{status:?}");
    assert_eq!(status.members.learners, [member(4)].into());
    // A learner reads too.
    world.read(4);
    world.run(100);
    assert_eq!(world.reads_done, 1);
    world
        .change(
            leader,
            vec![
                MemberStep::AddVoter(member(4)),
                MemberStep::Remove(member(leader)),
            ],
        )
        .unwrap();
    world.run(600);
    world.must_settle();
}

#[test]
fn a_second_change_is_refused_not_swallowed() {
    let (mut world, leader) = settled(&[1, 2, 3]);
    world.add(4, GroupState::joining());
    world
        .change(leader, vec![MemberStep::AddLearner(member(4))])
        .unwrap();
    let second = world.change(leader, vec![MemberStep::AddLearner(member(5))]);
    assert!(
        matches!(second, Err(RaftError::ChangeRefused { .. })),
        "{second:?}"
    );
    let nothing = world.change(leader, Vec::new());
    assert!(matches!(nothing, Err(RaftError::ChangeRefused { .. })));
    world.run(300);
    let nobody = (1..=3).map(|id| MemberStep::Remove(member(id))).collect();
    assert!(matches!(
        world.change(leader, nobody),
        Err(RaftError::ChangeRefused { .. })
    ));
    let not_leader = world.change(
        follower(&world, leader),
        vec![MemberStep::AddLearner(member(5))],
    );
    assert_eq!(
        not_leader,
        Err(RaftError::NotLeader {
            leader: MemberId::new(leader)
        })
    );
}

#[test]
fn the_joint_phase_is_left_by_the_next_leader() {
    let (mut world, leader) = settled(&[1, 2, 3]);
    world.add(4, GroupState::joining());
    // It crashes at different moments of the change.
    for wait in 0..20 {
        let mut world_at = World::new(wait, &[1, 2, 3]);
        world_at.run(400);
        world_at.add(4, GroupState::joining());
        let leader = world_at.leader().unwrap();
        world_at
            .change(leader, vec![MemberStep::AddVoter(member(4))])
            .unwrap();
        world_at.run(wait);
        world_at.crash(leader, 300);
        world_at.run(500);
        world_at.must_settle();
    }
    world
        .change(leader, vec![MemberStep::AddVoter(member(4))])
        .unwrap();
    world.run(300);
    assert_eq!(world.status(leader).members, voters(1..=4));
}

#[test]
fn reads_are_asked_again_when_nobody_answers() {
    let (mut world, leader) = settled(&[1, 2, 3]);
    let at = follower(&world, leader);
    // The question is lost.
    world.blocked.insert((at, leader));
    world.read(at);
    world.run(5);
    world.blocked.clear();
    world.run(100);
    assert_eq!(world.reads_done, 1);
}

#[test]
fn a_leader_alone_steps_down_and_fails_reads_fast() {
    let (mut world, leader) = settled(&[1, 2, 3]);
    for id in world.up() {
        world.blocked.insert((id, leader));
        world.blocked.insert((leader, id));
    }
    let ticket = world
        .with_driver(leader, |driver| driver.read_barrier(GROUP, PATIENCE))
        .unwrap();
    assert!(ticket.0 > 0);
    // Two election timeouts of the shortest kind.
    world.run(10 * 10 * 2 + 20);
    assert_ne!(world.status(leader).role, Role::Leader);
    assert_eq!(world.status(leader).waiting, 0, "the read was answered");
    world.must_settle();
}

#[test]
fn one_who_does_not_lead_says_who_does() {
    let (mut world, leader) = settled(&[1, 2, 3]);
    let at = follower(&world, leader);
    let mut driver_answer = None;
    world.with_driver(at, |driver| {
        let ticket = driver
            .add_entry(GROUP, Bytes::from_static(b"x"), Wait::Applied, PATIENCE)
            .unwrap();
        driver_answer = driver
            .turn()
            .answers
            .into_iter()
            .find(|(answered, _)| *answered == ticket);
    });
    let (_, answer) = driver_answer.unwrap();
    assert_eq!(
        answer,
        Err(RaftError::NotLeader {
            leader: MemberId::new(leader)
        })
    );
    // Proposed there, waited for here.
    let (index, term) = (
        world.status(leader).last_index + 1,
        world.status(leader).term,
    );
    let ticket = world
        .with_driver(at, |driver| {
            driver.wait_for(GROUP, index, term, Wait::Applied, PATIENCE)
        })
        .unwrap();
    assert!(ticket.0 > 0);
    world.propose(leader);
    world.run(60);
    assert_eq!(world.status(at).waiting, 0);
}

#[test]
fn a_lost_snapshot_is_sent_again() {
    let (mut world, leader) = settled(&[1, 2, 3]);
    let behind = follower(&world, leader);
    world.crash(behind, 300);
    for _ in 0..10 {
        world.propose(leader);
        world.run(20);
    }
    world.snapshot(leader);
    assert!(world.status(leader).first_index > 12);
    // It comes back and hears the leader, but the snapshot gets lost for a while, and nobody reports it.
    world.blocked.insert((leader, behind));
    world.run(400);
    world.blocked.clear();
    world.run(2_500);
    assert_eq!(world.status(behind).applied, world.status(leader).applied);
}

#[test]
fn the_leader_can_be_moved() {
    let (mut world, leader) = settled(&[1, 2, 3]);
    let next = follower(&world, leader);
    world
        .with_driver(leader, |driver| driver.transfer(GROUP, member(next)))
        .unwrap();
    world.run(60);
    assert_eq!(world.leader(), Some(next));
}

#[test]
fn a_group_that_panics_is_fenced_off_and_the_others_go_on() {
    let mut driver = Driver::new(Settings::default(), SeededRng::new(1));
    let other = GroupId(8);
    driver
        .start(GROUP, member(1), GroupState::first(voters([1, 2, 3])))
        .unwrap();
    driver
        .start(other, member(1), GroupState::first(voters([1])))
        .unwrap();
    let waiting = driver
        .add_entry(GROUP, Bytes::from_static(b"x"), Wait::Applied, PATIENCE)
        .unwrap();
    driver.turn();
    // A heartbeat that says more is committed than there is: the library's storage would be inconsistent.
    let mut message = Message::default();
    message.set_msg_type(MessageType::MsgHeartbeat);
    (message.to, message.from, message.term, message.commit) = (1, 2, 5, 100);
    driver.receive(GROUP, PeerMessage(message));
    let out = driver.turn();
    let [(failed, why)] = out.failed.as_slice() else {
        panic!("{out:?}")
    };
    assert_eq!(*failed, GROUP);
    assert!(why.contains("out of range"), "{why}");
    assert!(
        matches!(out.answers.as_slice(), [(ticket, Err(RaftError::Failed { .. }))] if *ticket == waiting)
    );
    let refused = driver.read_barrier(GROUP, PATIENCE);
    assert!(
        matches!(refused, Err(RaftError::Failed { .. })),
        "{refused:?}"
    );
    assert!(driver.status(GROUP).unwrap().failed.is_some());
    driver.tick(Duration::from_secs(1));
    assert_eq!(driver.status(other).unwrap().role, Role::Leader);
}

#[test]
fn a_timeout_without_a_quorum_names_the_dead() {
    let mut driver = Driver::new(Settings::default(), SeededRng::new(1));
    driver
        .start(GROUP, member(1), GroupState::first(voters([1, 2, 3])))
        .unwrap();
    let barrier = |driver: &mut Driver, until: u64| {
        driver.read_barrier(GROUP, Duration::from_secs(1)).unwrap();
        driver.tick(Duration::from_secs(until));
        match driver.turn().answers.remove(0).1 {
            Err(RaftError::Timeout {
                unknown: false,
                text,
            }) => text,
            other => panic!("{other:?}"),
        }
    };
    let plain = format!("group [{GROUP}] raft operation [read_barrier] timed out");
    driver.set_dead(BTreeSet::from([member(2)]));
    assert_eq!(barrier(&mut driver, 5), plain);
    driver.set_dead(BTreeSet::from([member(2), member(3), member(9)]));
    let lost =
        ", there is no raft quorum, total voters count 3, alive voters count 1, dead voters [2, 3]";
    assert_eq!(barrier(&mut driver, 10), format!("{plain}{lost}"));
}

#[test]
fn election_timeouts_come_from_the_seed() {
    let ticks = |seed: u64| {
        let mut driver = Driver::new(Settings::default(), SeededRng::new(seed));
        driver
            .start(GROUP, member(1), GroupState::first(voters([1, 2, 3])))
            .unwrap();
        (1..100)
            .filter(|tick| {
                driver.tick(Duration::from_millis(100 * tick));
                !driver.turn().messages.is_empty()
            })
            .collect::<Vec<u64>>()
    };
    assert_eq!(ticks(1), ticks(1));
    assert!((2..20).any(|seed| ticks(seed) != ticks(1)));
}

#[test]
fn progress_never_falls_behind_what_is_known() {
    // A rejection that was delayed until its member has long caught up.
    let (mut world, leader) = settled(&[1, 2, 3]);
    let other = follower(&world, leader);
    world.with_driver(leader, |driver| {
        driver.report_unreachable(GROUP, member(other))
    });
    let status = world.status(leader);
    let peer = status
        .peers
        .iter()
        .find(|peer| peer.member == member(other))
        .unwrap();
    let mut message = Message::default();
    message.set_msg_type(MessageType::MsgAppendResponse);
    (message.to, message.from, message.term) = (leader, other, status.term);
    (message.index, message.reject, message.reject_hint) = (peer.matched, true, 1);
    world.with_driver(leader, |driver| driver.receive(GROUP, PeerMessage(message)));
    assert_eq!(world.status(leader).repairs, 1);
    world.propose(leader);
    world.run(100);
    assert_eq!(world.acknowledged(), 6);
    world.must_settle();
}

#[test]
fn nothing_that_depends_on_a_write_leaves_before_it() {
    let mut driver = Driver::new(Settings::default(), SeededRng::new(1));
    driver
        .start(GROUP, member(1), GroupState::first(voters([1, 2, 3])))
        .unwrap();
    driver.turn();
    let mut message = Message::default();
    message.set_msg_type(MessageType::MsgRequestVote);
    (message.to, message.from, message.term) = (1, 2, 9);
    (message.index, message.log_term) = (1, 1);
    driver.receive(GROUP, PeerMessage(message));
    let out = driver.turn();
    let [write] = out.writes.as_slice() else {
        panic!("{out:?}")
    };
    assert_eq!(write.hard_state.unwrap().vote, Some(member(2)));
    assert!(write.must_sync && out.messages.is_empty());
    driver.persisted(GROUP, write.number);
    let out = driver.turn();
    assert_eq!(out.messages.len(), 1, "{out:?}");
}
