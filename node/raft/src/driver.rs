//! All groups of a shard, and the one place where they are touched.
//!
//! The owner calls inputs (`receive`, `add_entry`, `persisted`, `tick`, ...) as things happen, then [`Driver::turn`],
//! and does what the output says; as long as `turn` says something, again. Nothing here waits, reads a clock, or
//! touches a file or a socket.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use node_env::SeededRng;

use crate::entry::{BrokenState, GroupState, Payload, Snapshot};
use crate::error::RaftError;
use crate::group::Group;
use crate::id::{GroupId, MemberId};
use crate::members::{Members, MembersChange};
use crate::message::PeerMessage;
use crate::output::{GroupStatus, Output, Ticket, Wait};
use crate::settings::Settings;
use crate::waiting::{Waiter, Waiting};

/// The driver of a shard's groups.
pub struct Driver {
    settings: Settings,
    rng: SeededRng,
    groups: BTreeMap<GroupId, Group>,
    /// Groups that may have something to say.
    dirty: BTreeSet<GroupId>,
    /// Members whose nodes are believed to be dead.
    dead: BTreeSet<MemberId>,
    tickets: u64,
    /// Answers of groups that are gone.
    orphans: Vec<(Ticket, RaftError)>,
    /// Groups started so far: each gets its own stream of chance.
    started: u64,
    /// Monotonic time at the last tick.
    now: Duration,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Driver")
            .field("groups", &self.groups.len())
            .finish_non_exhaustive()
    }
}

impl Driver {
    /// A driver without groups. `rng` gives the elections their chance.
    #[must_use]
    pub fn new(settings: Settings, rng: SeededRng) -> Self {
        Self {
            settings,
            rng,
            groups: BTreeMap::new(),
            dirty: BTreeSet::new(),
            dead: BTreeSet::new(),
            tickets: 0,
            orphans: Vec::new(),
            started: 0,
            now: Duration::ZERO,
        }
    }

    /// Starts a group from what was kept of it, or from [`GroupState::first`] once that is kept, or from
    /// [`GroupState::joining`]. A group of one leads at once, without a tick.
    ///
    /// # Errors
    /// [`BrokenState`] if no group can start from it, or the group runs already.
    pub fn start(
        &mut self,
        group: GroupId,
        member: MemberId,
        state: GroupState,
    ) -> Result<(), BrokenState> {
        if self.groups.contains_key(&group) {
            return Err(BrokenState {
                why: format!("group [{group}] runs already"),
            });
        }
        self.started += 1;
        let rng = self.rng.fork(&format!("{group} {member} {}", self.started));
        let started = Group::new(group, member, state, self.settings, rng)?;
        self.groups.insert(group, started);
        self.dirty.insert(group);
        Ok(())
    }

    /// Takes a group away; its requests are answered with [`RaftError::Stopped`].
    pub fn stop(&mut self, group: GroupId) {
        if let Some(mut stopped) = self.groups.remove(&group) {
            stopped.waiters.fail_all(&RaftError::Stopped);
            let answers = std::mem::take(&mut stopped.waiters.answers);
            self.orphans.extend(
                answers
                    .into_iter()
                    .map(|(ticket, answer)| (ticket, answer.err().unwrap_or(RaftError::Stopped))),
            );
        }
    }

    fn group(&mut self, id: GroupId) -> Result<&mut Group, RaftError> {
        self.dirty.insert(id);
        match self.groups.get_mut(&id) {
            Some(group) => Ok(group),
            None => {
                self.dirty.remove(&id);
                Err(RaftError::NoSuchGroup(id))
            }
        }
    }

    fn request(
        &mut self,
        group: GroupId,
        wait: Duration,
        what: Waiting,
    ) -> Result<Ticket, RaftError> {
        let deadline = self.now.saturating_add(wait);
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.group(group)?.add(Waiter {
            ticket,
            deadline,
            what,
        })?;
        Ok(ticket)
    }

    // ---- requests ----

    /// Puts a command into the log, if this member leads. While nobody leads the request waits.
    /// `patience` is how long it may take at most.
    ///
    /// # Errors
    /// At once: [`RaftError::NoSuchGroup`], [`RaftError::BadSize`], [`RaftError::Overloaded`], [`RaftError::Failed`].
    /// All others come as the ticket's answer, [`RaftError::NotLeader`] among them.
    pub fn add_entry(
        &mut self,
        group: GroupId,
        command: Bytes,
        wait: Wait,
        patience: Duration,
    ) -> Result<Ticket, RaftError> {
        self.request(
            group,
            patience,
            Waiting::Propose {
                payload: Payload::Command(command),
                wait,
            },
        )
    }

    /// Waits here for an entry that the leader put into its log elsewhere.
    ///
    /// # Errors
    /// As [`Driver::add_entry`].
    pub fn wait_for(
        &mut self,
        group: GroupId,
        index: u64,
        term: u64,
        wait: Wait,
        patience: Duration,
    ) -> Result<Ticket, RaftError> {
        let deadline = self.now.saturating_add(patience);
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let waiter = Waiter {
            ticket,
            deadline,
            what: Waiting::Entry { index, term, wait },
        };
        self.group(group)?.add_entry_waiter(waiter, index, term)?;
        Ok(ticket)
    }

    /// Waits until everything that was committed anywhere before this call is applied here. On any member.
    ///
    /// # Errors
    /// As [`Driver::add_entry`].
    pub fn read_barrier(
        &mut self,
        group: GroupId,
        patience: Duration,
    ) -> Result<Ticket, RaftError> {
        let round = self.group(group)?.next_round();
        self.request(group, patience, Waiting::Read { round })
    }

    /// Changes the members, if this member leads; answered when the change is applied here and its joint phase over.
    ///
    /// # Errors
    /// At once, as [`Driver::add_entry`], and [`RaftError::ChangeRefused`], [`RaftError::NotLeader`].
    pub fn change_members(
        &mut self,
        group: GroupId,
        change: MembersChange,
        patience: Duration,
    ) -> Result<Ticket, RaftError> {
        self.group(group)?.check_change(&change)?;
        let what = Waiting::Propose {
            payload: Payload::Members(change),
            wait: Wait::Applied,
        };
        self.request(group, patience, what)
    }

    /// Asks another member to lead.
    ///
    /// # Errors
    /// [`RaftError::NotLeader`], [`RaftError::NoSuchGroup`].
    pub fn transfer(&mut self, group: GroupId, to: MemberId) -> Result<(), RaftError> {
        self.group(group)?.transfer(to)
    }

    /// Stands for election now.
    ///
    /// # Errors
    /// [`RaftError::NoSuchGroup`].
    pub fn campaign(&mut self, group: GroupId) -> Result<(), RaftError> {
        self.group(group)?.campaign();
        Ok(())
    }

    // ---- what happens ----

    /// A message from another member came. For a group that is not here it is dropped.
    pub fn receive(&mut self, group: GroupId, message: PeerMessage) {
        if let Ok(group) = self.group(group) {
            group.receive(message);
        }
    }

    /// Time has passed: to be called once a tick, with monotonic time.
    pub fn tick(&mut self, now: Duration) {
        self.now = self.now.max(now);
        for (id, group) in &mut self.groups {
            group.tick(self.now, &self.dead);
            self.dirty.insert(*id);
        }
    }

    /// The writes of a group up to a number are durable.
    pub fn persisted(&mut self, group: GroupId, number: u64) {
        if let Ok(group) = self.group(group) {
            group.persisted(number);
        }
    }

    /// The entries of a group up to an index are applied, and that is kept, together with their members.
    pub fn applied(&mut self, group: GroupId, index: u64) {
        if let Ok(group) = self.group(group) {
            group.applied(index);
        }
    }

    /// The owner made a snapshot as of `index`, which must be what is applied. Returns what is to be kept of it,
    /// with its term and members filled in; `None` if the index does not fit.
    pub fn snapshot_taken(&mut self, group: GroupId, index: u64, data: Bytes) -> Option<Snapshot> {
        let group = self.group(group).ok()?;
        group
            .snapshot_taken(index, data)
            .then(|| group.kept_snapshot().clone())
    }

    /// Entries up to `index` are not needed any more; never more than the snapshot covers and is applied.
    pub fn compact(&mut self, group: GroupId, index: u64) {
        if let Ok(group) = self.group(group) {
            group.compact(index);
        }
    }

    /// The state of an offered snapshot, its index and its members are applied and kept, or so much is applied
    /// already.
    pub fn snapshot_applied(&mut self, group: GroupId, index: u64) {
        if let Ok(group) = self.group(group) {
            group.snapshot_applied(index);
        }
    }

    /// An offered snapshot could not be had; the leader will offer one again.
    pub fn snapshot_failed(&mut self, group: GroupId) {
        if let Ok(group) = self.group(group) {
            group.snapshot_failed();
        }
    }

    /// Whether a member that was sent a snapshot has it. Without this it is tried again much later.
    pub fn report_snapshot(&mut self, group: GroupId, to: MemberId, sent: bool) {
        if let Ok(group) = self.group(group) {
            group.report_snapshot(to, sent);
        }
    }

    /// A message could not be sent.
    pub fn report_unreachable(&mut self, group: GroupId, to: MemberId) {
        if let Ok(group) = self.group(group) {
            group.report_unreachable(to);
        }
    }

    /// Which members' nodes are dead, as the failure detector thinks. For what a timeout says; never for safety.
    pub fn set_dead(&mut self, dead: BTreeSet<MemberId>) {
        self.dead = dead;
    }

    /// Fences a group off: its owner cannot write or apply for it any more.
    pub fn fail(&mut self, group: GroupId, why: &str) {
        if let Ok(group) = self.group(group) {
            group.fail(why.to_owned());
        }
    }

    // ---- the turn ----

    /// Collects what all touched groups want done.
    pub fn turn(&mut self) -> Output {
        let mut out = Output::default();
        out.answers.extend(
            self.orphans
                .drain(..)
                .map(|(ticket, error)| (ticket, Err(error))),
        );
        for id in std::mem::take(&mut self.dirty) {
            if let Some(group) = self.groups.get_mut(&id)
                && group.turn(&mut out)
            {
                self.dirty.insert(id);
            }
        }
        out
    }

    /// Whether a turn may have something to say.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        !self.dirty.is_empty() || !self.orphans.is_empty()
    }

    // ---- looking ----

    /// A look at a group.
    #[must_use]
    pub fn status(&self, group: GroupId) -> Option<GroupStatus> {
        self.groups.get(&group).map(Group::status)
    }

    /// The members of a group, as of the entries handed out.
    #[must_use]
    pub fn members(&self, group: GroupId) -> Option<&Members> {
        self.groups.get(&group).map(Group::members)
    }

    /// Whether this member alone decides: what it wrote is committed, so its owner may write the effects of its
    /// entries together with the entries.
    #[must_use]
    pub fn is_sole_voter(&self, group: GroupId) -> bool {
        self.groups.get(&group).is_some_and(Group::is_sole_voter)
    }

    /// The groups here.
    pub fn groups(&self) -> impl Iterator<Item = GroupId> + '_ {
        self.groups.keys().copied()
    }
}
