//! A group of one.

use std::time::Duration;

use bytes::Bytes;
use node_env::SeededRng;

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

/// A driver with a group of one that leads and has applied its first entry, and what it wrote.
fn leader() -> (Driver, Vec<Write>) {
    let mut driver = Driver::new(Settings::default(), SeededRng::new(1));
    driver
        .start(GROUP, member(1), GroupState::first(voters([1])))
        .unwrap();
    let writes = settle(&mut driver);
    assert_eq!(driver.status(GROUP).unwrap().role, Role::Leader);
    (driver, writes)
}

/// Does what the driver asks for until it is silent, without ever ticking.
fn settle(driver: &mut Driver) -> Vec<Write> {
    let mut writes = Vec::new();
    while driver.is_dirty() {
        let out = driver.turn();
        for write in out.writes {
            driver.persisted(write.group, write.number);
            writes.push(write);
        }
        for committed in out.committed {
            driver.applied(committed.group, committed.entries.last().unwrap().index);
        }
    }
    writes
}

#[test]
fn it_leads_and_commits_without_a_tick() {
    let (mut driver, _) = leader();
    assert!(driver.is_sole_voter(GROUP));
    let ticket = driver
        .add_entry(GROUP, Bytes::from_static(b"x"), Wait::Applied, PATIENCE)
        .unwrap();
    let barrier = driver.read_barrier(GROUP, PATIENCE).unwrap();

    // Proposed: one write, nothing else, and no answer before it is durable.
    let out = driver.turn();
    let [write] = out.writes.as_slice() else {
        panic!("{out:?}")
    };
    assert!(write.must_sync && write.hard_state.is_none());
    assert_eq!(
        write.entries,
        [LogEntry {
            index: 3,
            term: 2,
            payload: Payload::Command(Bytes::from_static(b"x"))
        }]
    );
    assert_eq!(
        (out.committed.as_slice(), out.messages.as_slice()),
        (&[][..], &[][..])
    );
    // The barrier does not depend on what is not committed.
    assert_eq!(out.answers, [(barrier, Ok(Done { index: 2, term: 2 }))]);

    // Persisted: committed.
    driver.persisted(GROUP, write.number);
    let out = driver.turn();
    let [committed] = out.committed.as_slice() else {
        panic!("{out:?}")
    };
    assert_eq!(committed.entries, write.entries);
    assert_eq!(
        out.writes.iter().filter(|write| write.must_sync).count(),
        0,
        "a commit index need not be synced"
    );
    assert_eq!(out.answers, []);

    // Applied: answered.
    driver.applied(GROUP, 3);
    assert_eq!(
        driver.turn().answers,
        [(ticket, Ok(Done { index: 3, term: 2 }))]
    );
    assert!(!driver.is_dirty());
}

#[test]
fn it_starts_again_from_what_was_kept() {
    let (mut driver, mut writes) = leader();
    for text in ["a", "b", "c"] {
        driver
            .add_entry(
                GROUP,
                Bytes::from_static(text.as_bytes()),
                Wait::Applied,
                PATIENCE,
            )
            .unwrap();
        writes.extend(settle(&mut driver));
    }
    let mut state = GroupState::first(voters([1]));
    for write in writes {
        state.hard_state = write.hard_state.unwrap_or(state.hard_state);
        state.entries.extend(write.entries);
    }
    // What was applied last was not kept: it is handed out again.
    state.applied = 3;
    let mut driver = Driver::new(Settings::default(), SeededRng::new(2));
    driver.start(GROUP, member(1), state).unwrap();
    let mut applied = Vec::new();
    while driver.is_dirty() {
        let out = driver.turn();
        for write in &out.writes {
            driver.persisted(GROUP, write.number);
        }
        for committed in &out.committed {
            applied.extend(committed.entries.iter().map(|entry| entry.index));
            driver.applied(GROUP, *applied.last().unwrap());
        }
    }
    assert_eq!(
        applied,
        [4, 5, 6],
        "two commands and the new term's own entry"
    );
    let status = driver.status(GROUP).unwrap();
    assert_eq!(
        (status.role, status.term, status.commit),
        (Role::Leader, 3, 6)
    );
}

#[test]
fn sizes_are_checked() {
    let (mut driver, _) = leader();
    let mut add =
        |command: Vec<u8>| driver.add_entry(GROUP, command.into(), Wait::Applied, PATIENCE);
    assert!(matches!(
        add(Vec::new()),
        Err(RaftError::BadSize { bytes: 0, .. })
    ));
    assert!(matches!(
        add(vec![0; (16 << 20) + 1]),
        Err(RaftError::BadSize { .. })
    ));
    let other = driver.read_barrier(GroupId(9), PATIENCE);
    assert_eq!(other, Err(RaftError::NoSuchGroup(GroupId(9))));
}

#[test]
fn too_many_requests_are_refused() {
    let settings = Settings {
        waiting: 2,
        ..Settings::default()
    };
    let mut driver = Driver::new(settings, SeededRng::new(1));
    driver
        .start(GROUP, member(1), GroupState::first(voters([1])))
        .unwrap();
    settle(&mut driver);
    let mut add = || driver.add_entry(GROUP, Bytes::from_static(b"x"), Wait::Applied, PATIENCE);
    assert!(add().is_ok() && add().is_ok());
    assert_eq!(add(), Err(RaftError::Overloaded));
}

#[test]
fn requests_end_with_their_deadline_or_their_group() {
    let (mut driver, _) = leader();
    let late = driver
        .add_entry(
            GROUP,
            Bytes::from_static(b"x"),
            Wait::Applied,
            Duration::from_secs(1),
        )
        .unwrap();
    driver.turn();
    driver.tick(Duration::from_secs(2));
    let text = format!("group [{GROUP}] raft operation [add_entry] timed out");
    assert_eq!(
        driver.turn().answers,
        [(
            late,
            Err(RaftError::Timeout {
                unknown: true,
                text
            })
        )]
    );
    let stopped = driver
        .add_entry(GROUP, Bytes::from_static(b"y"), Wait::Applied, PATIENCE)
        .unwrap();
    driver.stop(GROUP);
    assert_eq!(driver.turn().answers, [(stopped, Err(RaftError::Stopped))]);
    assert!(driver.status(GROUP).is_none());
}

#[test]
fn a_broken_state_is_refused() {
    let entry = |index, term| LogEntry {
        index,
        term,
        payload: Payload::Empty,
    };
    let start = |change: &dyn Fn(&mut GroupState)| {
        let mut state = GroupState::first(voters([1]));
        state.hard_state.term = 5;
        change(&mut state);
        Driver::new(Settings::default(), SeededRng::new(1)).start(GROUP, member(1), state)
    };
    assert_eq!(start(&|_| ()), Ok(()));
    assert!(
        start(&|state| state.entries = vec![entry(3, 2)]).is_err(),
        "a hole"
    );
    assert!(
        start(&|state| state.entries = vec![entry(2, 3), entry(3, 2)]).is_err(),
        "a term that sinks"
    );
    assert!(
        start(&|state| state.entries = vec![entry(2, 9)]).is_err(),
        "a term not voted in"
    );
    assert!(
        start(&|state| state.hard_state.commit = 2).is_err(),
        "committed and lost"
    );
    assert!(
        start(&|state| state.applied = 2).is_err(),
        "applied and lost"
    );
    assert_eq!(
        start(&|state| state.entries = vec![entry(1, 9), entry(2, 9)]),
        Ok(()),
        "another history is dropped"
    );
}

#[test]
fn a_snapshot_shortens_the_log() {
    let (mut driver, _) = leader();
    for _ in 0..10 {
        driver
            .add_entry(GROUP, Bytes::from_static(b"x"), Wait::Applied, PATIENCE)
            .unwrap();
        settle(&mut driver);
    }
    assert_eq!(
        driver.snapshot_taken(GROUP, 5, Bytes::new()),
        None,
        "not what is applied"
    );
    let snapshot = driver
        .snapshot_taken(GROUP, 12, Bytes::from_static(b"where"))
        .unwrap();
    assert_eq!(
        (snapshot.index, snapshot.term, snapshot.members),
        (12, 2, voters([1]))
    );
    driver.compact(GROUP, 10);
    assert_eq!(driver.status(GROUP).unwrap().first_index, 11);
    driver.compact(GROUP, 100);
    assert_eq!(driver.status(GROUP).unwrap().first_index, 13);
    let ticket = driver
        .wait_for(GROUP, 5, 2, Wait::Applied, PATIENCE)
        .unwrap();
    assert_eq!(
        driver.turn().answers,
        [(ticket, Err(RaftError::CommitStatusUnknown))]
    );
    driver
        .add_entry(GROUP, Bytes::from_static(b"x"), Wait::Applied, PATIENCE)
        .unwrap();
    settle(&mut driver);
    assert_eq!(driver.status(GROUP).unwrap().applied, 13);
}
