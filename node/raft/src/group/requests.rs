//! Requests: proposals that wait for a leader, reads that are asked for until they are answered.

use raft::eraftpb::{Message, MessageType};

use super::{Group, READ_TICKS};
use crate::entry::{Payload, library_entry};
use crate::error::RaftError;
use crate::members::{Members, MembersChange};
use crate::output::{Done, Wait};
use crate::waiting::{Waiter, Waiting};

impl Group {
    pub(super) fn accepts(&self) -> Result<(), RaftError> {
        match &self.failed {
            Some(why) => Err(RaftError::Failed { why: why.clone() }),
            None if self.waiters.len() >= self.settings.waiting => Err(RaftError::Overloaded),
            None => Ok(()),
        }
    }

    pub(crate) fn add(&mut self, waiter: Waiter) -> Result<(), RaftError> {
        self.accepts()?;
        if let Waiting::Propose {
            payload: Payload::Command(data),
            ..
        } = &waiter.what
            && (data.is_empty() || data.len() > self.settings.command_bytes)
        {
            return Err(RaftError::BadSize {
                bytes: data.len(),
                limit: self.settings.command_bytes,
            });
        }
        self.waiters.add(waiter);
        self.propose_waiting();
        Ok(())
    }

    pub(crate) fn next_round(&self) -> u64 {
        self.reads.round + 1
    }

    /// Waits for an entry that was proposed elsewhere.
    pub(crate) fn add_entry_waiter(
        &mut self,
        waiter: Waiter,
        index: u64,
        term: u64,
    ) -> Result<(), RaftError> {
        self.accepts()?;
        let ticket = waiter.ticket;
        let Waiting::Entry { wait, .. } = waiter.what else {
            return Err(RaftError::CommitStatusUnknown);
        };
        if index > self.handed_out {
            self.waiters.add(waiter);
            return Ok(());
        }
        let answer = match self.raw.store().term_at(index) {
            Some(found) if found == term => {
                if wait == Wait::Applied && index > self.applied {
                    self.waiters.add(waiter);
                    return Ok(());
                }
                Ok(Done { index, term })
            }
            Some(_) => Err(RaftError::DroppedEntry),
            None => Err(RaftError::CommitStatusUnknown),
        };
        self.waiters.answer(ticket, answer);
        Ok(())
    }

    /// Whether the library would take this change now.
    pub(crate) fn check_change(&self, change: &MembersChange) -> Result<(), RaftError> {
        let refused = |why: &str| {
            Err(RaftError::ChangeRefused {
                why: why.to_owned(),
            })
        };
        if change.steps.is_empty() {
            return refused("there is nothing to change");
        }
        if !self.is_leader() {
            return Err(RaftError::NotLeader {
                leader: self.leader(),
            });
        }
        if self.members.is_joint() || self.raw.raft.has_pending_conf() {
            return refused("another change is under way");
        }
        let changes = change.to_library();
        let checked =
            raft::Changer::new(self.raw.raft.prs()).enter_joint(false, changes.get_changes());
        checked
            .map(|_| ())
            .map_err(|error| RaftError::ChangeRefused {
                why: error.to_string(),
            })
    }

    /// Proposes what waits for that, if this member leads; tells the others who does.
    pub(super) fn propose_waiting(&mut self) {
        if !self.waiters.has_proposals() || self.failed.is_some() {
            return;
        }
        if !self.is_leader() {
            if let leader @ Some(_) = self.leader() {
                for waiter in self.waiters.take_proposals() {
                    self.waiters
                        .answer(waiter.ticket, Err(RaftError::NotLeader { leader }));
                }
            } else if self.members != Members::default() && !self.members.contains(self.member) {
                for waiter in self.waiters.take_proposals() {
                    self.waiters.answer(waiter.ticket, Err(RaftError::Removed));
                }
            }
            return;
        }
        for waiter in self.waiters.take_proposals() {
            self.propose(waiter);
        }
    }

    pub(super) fn propose(&mut self, mut waiter: Waiter) {
        let Waiting::Propose { payload, wait } = &waiter.what else {
            return;
        };
        let (is_change, wait) = (matches!(payload, Payload::Members(_)), *wait);
        let mut message = Message::default();
        message.set_msg_type(MessageType::MsgPropose);
        message.from = self.member.get();
        message.set_entries(vec![library_entry(payload)].into());
        // The library does not say where it put the entry: look at once.
        let proposed = self.act(|raw| {
            raw.raft.step(message)?;
            Ok::<_, raft::Error>((raw.raft.raft_log.last_index(), raw.raft.term))
        });
        match proposed {
            None => {
                let why = self.failed.clone().unwrap_or_default();
                self.waiters
                    .answer(waiter.ticket, Err(RaftError::Failed { why }));
            }
            // A transfer of leadership, or too much that is not committed: again at the next tick.
            Some(Err(_)) => self.waiters.add(waiter),
            Some(Ok((index, term))) if is_change => {
                waiter.what = Waiting::Change {
                    index,
                    term,
                    entered: false,
                };
                self.waiters.add(waiter);
            }
            Some(Ok((index, term))) => match wait {
                Wait::Proposed => self.waiters.answer(waiter.ticket, Ok(Done { index, term })),
                Wait::Committed | Wait::Applied => {
                    waiter.what = Waiting::Entry { index, term, wait };
                    self.waiters.add(waiter);
                }
            },
        }
    }

    pub(super) fn begin_reads(&mut self) {
        let Some(newest) = self.waiters.newest_round() else {
            return;
        };
        let overdue = self.ticks.saturating_sub(self.reads.at_tick) >= READ_TICKS;
        let due = newest > self.reads.round || self.reads.again || overdue;
        if !due || (self.leader().is_none() && !self.is_leader()) {
            return;
        }
        self.reads.again = false;
        self.reads.round += 1;
        self.reads.at_tick = self.ticks;
        let mut context = Vec::with_capacity(24);
        for word in [self.member.get(), self.life, self.reads.round] {
            context.extend(word.to_be_bytes());
        }
        self.act(|raw| raw.read_index(context));
    }

    pub(super) fn read_answered(&mut self, context: &[u8], index: u64) {
        let words: Vec<u64> = context
            .chunks_exact(8)
            .filter_map(|word| Some(u64::from_be_bytes(word.try_into().ok()?)))
            .collect();
        // An answer to an earlier life of this member says nothing about now.
        if let [member, life, round] = *words
            && member == self.member.get()
            && life == self.life
        {
            self.waiters.round_answered(round, index);
        }
    }
}
