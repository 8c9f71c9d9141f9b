//! Members in memory, a network that loses, doubles, delays and reorders, disks that forget what was not synced,
//! and the invariants, checked all the time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use node_env::{Rng, SeededRng};

use super::*;

/// A tick, in steps of the simulation.
const STEPS_A_TICK: u64 = 10;
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What a member's disk holds: a log of records, of which a crash keeps a prefix.
#[derive(Clone)]
enum Record {
    Raft(Write),
    Applied {
        index: u64,
        members: Members,
        commands: Vec<Bytes>,
    },
    Restored {
        snapshot: Snapshot,
        commands: Vec<Bytes>,
    },
    Snapshot(Snapshot),
}

/// The durable image: what the driver would be started from.
#[derive(Clone, Default)]
struct Disk {
    state: GroupState,
    machine: Vec<Bytes>,
    unsynced: Vec<Record>,
}

impl Disk {
    fn apply(&mut self, record: Record) {
        match record {
            Record::Raft(write) => {
                if let Some(snapshot) = write.snapshot {
                    self.state.entries.clear();
                    self.state.snapshot = snapshot;
                }
                if let Some(first) = write.entries.first() {
                    self.state.entries.retain(|entry| entry.index < first.index);
                    self.state.entries.extend(write.entries);
                }
                self.state.hard_state = write.hard_state.unwrap_or(self.state.hard_state);
            }
            Record::Applied {
                index,
                members,
                commands,
            } => {
                self.state.applied = index;
                self.state.members = members;
                self.machine.extend(commands);
            }
            Record::Restored { snapshot, commands } => {
                self.state.applied = snapshot.index;
                self.state.members = snapshot.members.clone();
                self.state.snapshot = snapshot;
                self.machine = commands;
            }
            Record::Snapshot(snapshot) => self.state.snapshot = snapshot,
        }
    }

    fn sync(&mut self) {
        for record in std::mem::take(&mut self.unsynced) {
            self.apply(record);
        }
    }
}

pub(super) struct Node {
    driver: Driver,
    disk: Disk,
    /// Writes whose sync is under way: when it ends, and up to which number.
    syncs: Vec<(u64, u64)>,
    /// The state machine as the running process sees it.
    machine: Vec<Bytes>,
    applied: u64,
    pub(super) down_until: Option<u64>,
    /// Snapshots being fetched, and when they will be here.
    fetching: Vec<(u64, IncomingSnapshot)>,
}

/// What is known of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Unknown,
    Acknowledged(u64),
    DefinitelyNot,
}

pub(super) struct World {
    pub(super) rng: SeededRng,
    pub(super) now: u64,
    pub(super) nodes: BTreeMap<u64, Node>,
    network: BTreeMap<(u64, u64), (u64, u64, Bytes)>,
    messages: u64,
    pub(super) blocked: BTreeSet<(u64, u64)>,
    /// One in so many messages is lost, or doubled; 0 for none.
    pub(super) loss: u64,
    pub(super) delay: u64,
    pub(super) sync_time: u64,
    /// One in so many snapshots cannot be fetched; 0 for none.
    pub(super) refused_snapshots: u64,
    pub(super) fetch_time: u64,
    leaders: BTreeMap<u64, u64>,
    chosen: BTreeMap<u64, LogEntry>,
    commands: u64,
    fates: BTreeMap<Bytes, Fate>,
    requests: BTreeMap<(u64, Ticket), Bytes>,
    barriers: BTreeMap<(u64, Ticket), u64>,
    changes: BTreeSet<(u64, Ticket)>,
    pub(super) changes_done: u64,
    pub(super) reads_done: u64,
    seed: u64,
}

impl World {
    pub(super) fn new(seed: u64, first: &[u64]) -> Self {
        let mut world = Self {
            rng: SeededRng::new(seed),
            now: 0,
            nodes: BTreeMap::new(),
            network: BTreeMap::new(),
            messages: 0,
            blocked: BTreeSet::new(),
            loss: 0,
            delay: 5,
            sync_time: 3,
            refused_snapshots: 0,
            fetch_time: 5,
            leaders: BTreeMap::new(),
            chosen: BTreeMap::new(),
            commands: 0,
            fates: BTreeMap::new(),
            requests: BTreeMap::new(),
            barriers: BTreeMap::new(),
            changes: BTreeSet::new(),
            changes_done: 0,
            reads_done: 0,
            seed,
        };
        for id in first {
            world.add(*id, GroupState::first(voters(first.iter().copied())));
        }
        world
    }

    /// Adds a node that was never there, with a state.
    pub(super) fn add(&mut self, id: u64, state: GroupState) {
        let disk = Disk {
            state,
            ..Disk::default()
        };
        let node = self.started(id, disk);
        self.nodes.insert(id, node);
    }

    fn started(&mut self, id: u64, disk: Disk) -> Node {
        let mut driver = Driver::new(Settings::default(), SeededRng::new(self.rng.next_u64()));
        driver.tick(self.clock());
        driver
            .start(GROUP, member(id), disk.state.clone())
            .unwrap_or_else(|error| {
                panic!("seed {}: member {id} does not start: {error}", self.seed)
            });
        let (machine, applied) = (disk.machine.clone(), disk.state.applied);
        Node {
            driver,
            disk,
            syncs: Vec::new(),
            machine,
            applied,
            down_until: None,
            fetching: Vec::new(),
        }
    }

    fn clock(&self) -> Duration {
        Duration::from_millis(self.now * 100 / STEPS_A_TICK)
    }

    pub(super) fn up(&self) -> Vec<u64> {
        self.nodes
            .iter()
            .filter(|(_, node)| node.down_until.is_none())
            .map(|(id, _)| *id)
            .collect()
    }

    pub(super) fn status(&self, id: u64) -> GroupStatus {
        self.nodes[&id].driver.status(GROUP).unwrap()
    }

    /// Who leads in the largest term, of those that run.
    pub(super) fn leader(&self) -> Option<u64> {
        let leaders = self.up().into_iter().map(|id| (self.status(id), id));
        leaders
            .filter(|(status, _)| status.role == Role::Leader)
            .max_by_key(|(status, _)| status.term)
            .map(|(_, id)| id)
    }

    pub(super) fn crash(&mut self, id: u64, for_steps: u64) {
        let until = self.now + for_steps;
        let kept = {
            let Some(node) = self.nodes.get_mut(&id) else {
                return;
            };
            let len = node.disk.unsynced.len();
            self.rng.index(len + 1)
        };
        let node = self.nodes.get_mut(&id).unwrap();
        let mut disk = node.disk.clone();
        // The log is written in order: a crash keeps a prefix of what was not synced.
        disk.unsynced.truncate(kept);
        disk.sync();
        let mut node = self.started(id, disk);
        node.down_until = Some(until);
        self.nodes.insert(id, node);
        self.requests.retain(|(at, _), _| *at != id);
        self.barriers.retain(|(at, _), _| *at != id);
        self.changes.retain(|(at, _)| *at != id);
    }

    pub(super) fn propose(&mut self, at: u64) {
        self.commands += 1;
        let command = Bytes::from(format!("{}", self.commands));
        self.fates.insert(command.clone(), Fate::Unknown);
        let wait = if self.rng.one_in(2) {
            Wait::Applied
        } else {
            Wait::Committed
        };
        let driver = &mut self.nodes.get_mut(&at).unwrap().driver;
        if let Ok(ticket) = driver.add_entry(GROUP, command.clone(), wait, PATIENCE) {
            self.requests.insert((at, ticket), command);
        }
        self.settle(at);
    }

    pub(super) fn read(&mut self, at: u64) {
        let acknowledged = self.fates.values().map(|fate| match fate {
            Fate::Acknowledged(index) => *index,
            Fate::Unknown | Fate::DefinitelyNot => 0,
        });
        let floor = acknowledged.max().unwrap_or(0);
        let driver = &mut self.nodes.get_mut(&at).unwrap().driver;
        if let Ok(ticket) = driver.read_barrier(GROUP, PATIENCE) {
            self.barriers.insert((at, ticket), floor);
        }
        self.settle(at);
    }

    pub(super) fn change(&mut self, at: u64, steps: Vec<MemberStep>) -> Result<(), RaftError> {
        let driver = &mut self.nodes.get_mut(&at).unwrap().driver;
        let change = MembersChange {
            steps,
            context: Bytes::new(),
        };
        let ticket = driver.change_members(GROUP, change, PATIENCE)?;
        self.changes.insert((at, ticket));
        self.settle(at);
        Ok(())
    }

    /// Makes a snapshot whose data is the whole state machine, and forgets the log before it.
    pub(super) fn snapshot(&mut self, at: u64) {
        let node = self.nodes.get_mut(&at).unwrap();
        let data = packed(&node.machine);
        if let Some(snapshot) = node.driver.snapshot_taken(GROUP, node.applied, data) {
            let index = snapshot.index;
            node.disk.unsynced.push(Record::Snapshot(snapshot));
            node.driver.compact(GROUP, index);
        }
        self.settle(at);
    }

    pub(super) fn with_driver<T>(&mut self, at: u64, work: impl FnOnce(&mut Driver) -> T) -> T {
        let result = work(&mut self.nodes.get_mut(&at).unwrap().driver);
        self.settle(at);
        result
    }

    /// One step of time: messages arrive, syncs end, clocks tick.
    pub(super) fn step(&mut self) {
        self.now += 1;
        let ids: Vec<u64> = self.nodes.keys().copied().collect();
        for id in &ids {
            let node = self.nodes.get_mut(id).unwrap();
            if node.down_until.is_some_and(|until| until <= self.now) {
                node.down_until = None;
                self.settle(*id);
            }
        }
        while let Some(((at, _), _)) = self.network.first_key_value()
            && *at <= self.now
        {
            let (_, (from, to, bytes)) = self.network.pop_first().unwrap();
            let cut = self.blocked.contains(&(from, to));
            if cut
                || self
                    .nodes
                    .get(&to)
                    .is_none_or(|node| node.down_until.is_some())
            {
                continue;
            }
            let message = PeerMessage::decode(bytes).unwrap();
            self.nodes
                .get_mut(&to)
                .unwrap()
                .driver
                .receive(GROUP, message);
            self.settle(to);
        }
        for id in &ids {
            let node = self.nodes.get_mut(id).unwrap();
            if node.down_until.is_some() {
                continue;
            }
            let done: Vec<u64> = node
                .syncs
                .iter()
                .filter(|(at, _)| *at <= self.now)
                .map(|(_, number)| *number)
                .collect();
            node.syncs.retain(|(at, _)| *at > self.now);
            for number in done {
                // One log: what was written before is durable too.
                node.disk.sync();
                node.driver.persisted(GROUP, number);
            }
            let due = |(at, _): &mut (u64, IncomingSnapshot)| *at <= self.now;
            let fetched: Vec<_> = node.fetching.extract_if(.., due).collect();
            // Clocks do not tick together.
            if (self.now + id * 3).is_multiple_of(STEPS_A_TICK) {
                let clock = Duration::from_millis(self.now * 100 / STEPS_A_TICK);
                node.driver.tick(clock);
            }
            self.settle(*id);
            for (_, offer) in fetched {
                self.fetched(*id, offer);
            }
        }
    }

    pub(super) fn run(&mut self, steps: u64) {
        for _ in 0..steps {
            self.step();
        }
    }

    /// Does what a driver asks for.
    fn settle(&mut self, id: u64) {
        loop {
            let node = self.nodes.get_mut(&id).unwrap();
            if node.down_until.is_some() || !node.driver.is_dirty() {
                return;
            }
            let out = node.driver.turn();
            assert_eq!(
                out.failed,
                [],
                "seed {}, step {}: member {id}",
                self.seed,
                self.now
            );
            for write in out.writes {
                if write.must_sync {
                    node.syncs
                        .push((self.now + 1 + self.rng.below(self.sync_time), write.number));
                    // Syncs of one log end in order.
                    node.syncs.sort_unstable_by_key(|(_, number)| *number);
                    let mut latest = 0;
                    for (at, _) in &mut node.syncs {
                        latest = latest.max(*at);
                        *at = latest;
                    }
                }
                node.disk.unsynced.push(Record::Raft(write));
            }
            for committed in out.committed {
                let commands = committed
                    .entries
                    .iter()
                    .filter_map(|entry| match &entry.payload {
                        Payload::Command(data) => Some(data.clone()),
                        Payload::Empty | Payload::Members(_) => None,
                    });
                let commands: Vec<Bytes> = commands.collect();
                let last = committed.entries.last().unwrap().index;
                assert_eq!(
                    committed.entries[0].index,
                    node.applied + 1,
                    "seed {}: a hole",
                    self.seed
                );
                node.machine.extend(commands.iter().cloned());
                node.applied = last;
                node.disk.unsynced.push(Record::Applied {
                    index: last,
                    members: committed.members,
                    commands,
                });
                node.driver.applied(GROUP, last);
                for entry in committed.entries {
                    let seed = self.seed;
                    if let Payload::Command(data) = &entry.payload {
                        assert_ne!(
                            self.fates[data],
                            Fate::DefinitelyNot,
                            "seed {seed}: applied after all"
                        );
                    }
                    let chosen = self
                        .chosen
                        .entry(entry.index)
                        .or_insert_with(|| entry.clone());
                    assert_eq!(*chosen, entry, "seed {seed}: two entries in one place");
                }
            }
            let wanted = !out.snapshots_wanted.is_empty();
            for offer in out.snapshots_offered {
                let takes = 1 + self.rng.below(self.fetch_time);
                node.fetching.push((self.now + takes, offer));
            }
            self.send(id, out.messages);
            self.answered(id, out.answers);
            self.check_leader(id);
            if wanted {
                self.snapshot(id);
            }
        }
    }

    /// The state of a snapshot is here, or cannot be had.
    fn fetched(&mut self, id: u64, offer: IncomingSnapshot) {
        let refuse = self.refused_snapshots > 0 && self.rng.one_in(self.refused_snapshots);
        let silent = self.refused_snapshots > 0 && self.rng.one_in(self.refused_snapshots);
        let node = self.nodes.get_mut(&id).unwrap();
        let index = offer.snapshot.index;
        if refuse {
            node.driver.snapshot_failed(GROUP);
        } else if node.applied >= index {
            // More is applied by now than the snapshot holds.
            node.driver.snapshot_applied(GROUP, index);
        } else {
            let commands = unpacked(&offer.snapshot.data);
            node.machine = commands.clone();
            node.applied = index;
            node.disk.unsynced.push(Record::Restored {
                snapshot: offer.snapshot,
                commands,
            });
            node.driver.snapshot_applied(GROUP, index);
        }
        self.settle(id);
        // The sender learns of it, mostly.
        let leader = self.nodes.get_mut(&offer.from.get());
        if let Some(leader) = leader.filter(|node| node.down_until.is_none() && !silent) {
            leader.driver.report_snapshot(GROUP, member(id), !refuse);
            self.settle(offer.from.get());
        }
    }

    fn send(&mut self, from: u64, messages: Vec<Outgoing>) {
        for outgoing in messages {
            let to = outgoing.to.get();
            let bytes = Bytes::from(outgoing.message.encode());
            let copies = match self.loss {
                0 => 1,
                loss if self.rng.one_in(loss) => 0,
                loss if self.rng.one_in(loss) => 2,
                _ => 1,
            };
            for _ in 0..copies {
                self.messages += 1;
                let at = self.now + 1 + self.rng.below(self.delay);
                self.network
                    .insert((at, self.messages), (from, to, bytes.clone()));
            }
        }
    }

    fn answered(&mut self, at: u64, answers: Vec<(Ticket, Result<Done, RaftError>)>) {
        for (ticket, answer) in answers {
            if let Some(command) = self.requests.remove(&(at, ticket)) {
                let fate = match answer {
                    Ok(Done { index, term }) => {
                        let chosen = &self.chosen[&index];
                        assert_eq!(
                            (chosen.term, &chosen.payload),
                            (term, &Payload::Command(command.clone()))
                        );
                        Fate::Acknowledged(index)
                    }
                    Err(
                        RaftError::Timeout { unknown: true, .. } | RaftError::CommitStatusUnknown,
                    ) => Fate::Unknown,
                    Err(_) => Fate::DefinitelyNot,
                };
                if fate == Fate::DefinitelyNot {
                    let applied = self
                        .chosen
                        .values()
                        .any(|entry| entry.payload == Payload::Command(command.clone()));
                    assert!(
                        !applied,
                        "seed {}: {command:?} was applied and is said not to be",
                        self.seed
                    );
                }
                self.fates.insert(command, fate);
            } else if let Some(floor) = self.barriers.remove(&(at, ticket)) {
                if let Ok(Done { index, .. }) = answer {
                    assert!(
                        index >= floor,
                        "seed {}: a stale read: {index} < {floor}",
                        self.seed
                    );
                    assert!(
                        self.nodes[&at].applied >= index,
                        "seed {}: read before applied",
                        self.seed
                    );
                    self.reads_done += 1;
                }
            } else if self.changes.remove(&(at, ticket)) && answer.is_ok() {
                self.changes_done += 1;
            }
        }
    }

    fn check_leader(&mut self, id: u64) {
        let status = self.status(id);
        if status.role == Role::Leader {
            let known = *self.leaders.entry(status.term).or_insert(id);
            assert_eq!(
                known, id,
                "seed {}: two leaders in term {}",
                self.seed, status.term
            );
        }
    }

    /// Faults off: the group must settle, serve, and agree; nothing acknowledged may be missing.
    pub(super) fn must_settle(&mut self) {
        (self.loss, self.delay, self.sync_time) = (0, 5, 3);
        (self.refused_snapshots, self.fetch_time) = (0, 5);
        self.blocked.clear();
        for node in self.nodes.values_mut() {
            node.down_until = node.down_until.map(|_| self.now);
        }
        let before = self.acknowledged();
        for _ in 0..30 {
            self.run(200);
            if let Some(leader) = self.leader() {
                self.propose(leader);
                self.run(60);
            }
            if self.acknowledged() >= before + 3 {
                break;
            }
        }
        assert!(
            self.acknowledged() >= before + 3,
            "seed {}: it does not serve again",
            self.seed
        );
        // Longer than it takes until a snapshot that was lost is sent again.
        self.run(1_500);
        let leader = self
            .leader()
            .unwrap_or_else(|| panic!("seed {}: nobody leads", self.seed));
        let members = self.status(leader).members;
        assert!(
            !members.is_joint(),
            "seed {}: the joint phase was not left: {members}",
            self.seed
        );
        let expected: Vec<Bytes> = self
            .chosen
            .values()
            .filter_map(|entry| match &entry.payload {
                Payload::Command(data) => Some(data.clone()),
                Payload::Empty | Payload::Members(_) => None,
            })
            .collect();
        for (command, fate) in &self.fates {
            if let Fate::Acknowledged(_) = fate {
                assert!(
                    expected.contains(command),
                    "seed {}: {command:?} is lost",
                    self.seed
                );
            }
        }
        for id in members.voters.iter().chain(&members.learners) {
            let node = &self.nodes[&id.get()];
            assert!(
                node.machine == expected,
                "seed {}: member {id} has another history: {} of {} commands\n{:?}\n{:?}",
                self.seed,
                node.machine.len(),
                expected.len(),
                self.status(id.get()),
                self.status(leader),
            );
        }
    }

    pub(super) fn acknowledged(&self) -> usize {
        self.fates
            .values()
            .filter(|fate| matches!(fate, Fate::Acknowledged(_)))
            .count()
    }

    /// A number that tells runs apart.
    pub(super) fn trace(&self) -> (u64, usize, u64, usize, u64) {
        (
            self.messages,
            self.chosen.len(),
            self.leaders.len() as u64,
            self.acknowledged(),
            self.reads_done,
        )
    }
}

fn packed(machine: &[Bytes]) -> Bytes {
    machine
        .iter()
        .map(|command| format!("{} ", String::from_utf8_lossy(command)))
        .collect::<String>()
        .into()
}

fn unpacked(data: &Bytes) -> Vec<Bytes> {
    String::from_utf8_lossy(data)
        .split_whitespace()
        .map(|text| Bytes::from(text.to_owned()))
        .collect()
}
