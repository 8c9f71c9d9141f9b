//! Requests that wait for something of a group.

use std::time::Duration;

use crate::entry::Payload;
use crate::error::RaftError;
use crate::output::{Done, Ticket, Wait};

/// What one waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// To be proposed, when this member leads.
    Propose { payload: Payload, wait: Wait },
    /// For an entry of a place and term.
    Entry { index: u64, term: u64, wait: Wait },
    /// For a change of members of a place and term to be over, joint phase included.
    Change {
        index: u64,
        term: u64,
        entered: bool,
    },
    /// For the answer to a read round of this number or a later one.
    Read { round: u64 },
    /// For an index to be applied.
    ReadAt { index: u64 },
}

impl Waiting {
    /// For messages.
    fn operation(&self) -> &'static str {
        match self {
            Self::Propose {
                payload: Payload::Members(_),
                ..
            }
            | Self::Change { .. } => "modify_config",
            Self::Propose { .. } | Self::Entry { .. } => "add_entry",
            Self::Read { .. } | Self::ReadAt { .. } => "read_barrier",
        }
    }

    /// Whether something may come of it after it was given up.
    fn may_still_happen(&self) -> bool {
        matches!(self, Self::Entry { .. } | Self::Change { .. })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    pub(crate) ticket: Ticket,
    pub(crate) deadline: Duration,
    pub(crate) what: Waiting,
}

pub(crate) type Answer = (Ticket, Result<Done, RaftError>);

/// The requests of one group.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    list: Vec<Waiter>,
    pub(crate) answers: Vec<Answer>,
}

impl Waiters {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn add(&mut self, waiter: Waiter) {
        self.list.push(waiter);
    }

    pub(crate) fn answer(&mut self, ticket: Ticket, answer: Result<Done, RaftError>) {
        self.answers.push((ticket, answer));
    }

    /// Asks of each whether it is over, and answers those that are.
    pub(crate) fn settle(
        &mut self,
        mut over: impl FnMut(&mut Waiting) -> Option<Result<Done, RaftError>>,
    ) {
        let answers = &mut self.answers;
        self.list.retain_mut(|waiter| match over(&mut waiter.what) {
            Some(answer) => {
                answers.push((waiter.ticket, answer));
                false
            }
            None => true,
        });
    }

    /// Answers all with an error.
    pub(crate) fn fail_all(&mut self, error: &RaftError) {
        self.settle(|_| Some(Err(error.clone())));
    }

    /// Answers those whose deadline has passed. `explain` makes the text from the operation's name.
    pub(crate) fn expire(&mut self, now: Duration, explain: impl Fn(&'static str) -> String) {
        let answers = &mut self.answers;
        self.list.retain(|waiter| {
            if waiter.deadline > now {
                return true;
            }
            let unknown = waiter.what.may_still_happen();
            let text = explain(waiter.what.operation());
            answers.push((waiter.ticket, Err(RaftError::Timeout { unknown, text })));
            false
        });
    }

    /// Takes those that are to be proposed.
    pub(crate) fn take_proposals(&mut self) -> Vec<Waiter> {
        self.list
            .extract_if(.., |waiter| matches!(waiter.what, Waiting::Propose { .. }))
            .collect()
    }

    pub(crate) fn has_proposals(&self) -> bool {
        self.list
            .iter()
            .any(|waiter| matches!(waiter.what, Waiting::Propose { .. }))
    }

    /// The newest read round that somebody waits for.
    pub(crate) fn newest_round(&self) -> Option<u64> {
        let rounds = self.list.iter().filter_map(|waiter| match waiter.what {
            Waiting::Read { round } => Some(round),
            Waiting::Propose { .. }
            | Waiting::Entry { .. }
            | Waiting::Change { .. }
            | Waiting::ReadAt { .. } => None,
        });
        rounds.max()
    }

    /// An entry was committed: those that waited for it, or for what it shows to be lost, are over.
    pub(crate) fn committed(&mut self, index: u64, term: u64, payload: &Payload) {
        self.settle(|waiting| match waiting {
            Waiting::Entry {
                index: at,
                term: of,
                wait: Wait::Committed | Wait::Proposed,
            } if *at == index && *of == term => Some(Ok(Done { index, term })),
            // Another entry in its place, or one of a later term before it: it is gone.
            Waiting::Entry {
                index: at,
                term: of,
                ..
            }
            | Waiting::Change {
                index: at,
                term: of,
                ..
            } if (index == *at && *of != term) || (index < *at && *of < term) => {
                Some(Err(RaftError::DroppedEntry))
            }
            Waiting::Change {
                index: at,
                term: of,
                entered,
            } if *at == index && *of == term => match payload {
                Payload::Members(_) => {
                    *entered = true;
                    None
                }
                // The library makes an empty entry of a change that comes at the wrong time.
                Payload::Empty | Payload::Command(_) => Some(Err(RaftError::ChangeRefused {
                    why: "another change is under way".to_owned(),
                })),
            },
            Waiting::Entry { .. }
            | Waiting::Change { .. }
            | Waiting::Propose { .. }
            | Waiting::Read { .. }
            | Waiting::ReadAt { .. } => None,
        });
    }

    /// Everything up to `index` is applied.
    pub(crate) fn applied(&mut self, index: u64, current_term: u64, joint: bool) {
        self.settle(|waiting| match waiting {
            Waiting::Entry {
                index: at,
                term,
                wait: Wait::Applied,
            } if *at <= index => Some(Ok(Done {
                index: *at,
                term: *term,
            })),
            Waiting::ReadAt { index: at } if *at <= index => Some(Ok(Done {
                index: *at,
                term: current_term,
            })),
            Waiting::Change {
                index: at,
                term,
                entered: true,
            } if *at <= index && !joint => Some(Ok(Done {
                index: *at,
                term: *term,
            })),
            Waiting::Entry { .. }
            | Waiting::Change { .. }
            | Waiting::Propose { .. }
            | Waiting::Read { .. }
            | Waiting::ReadAt { .. } => None,
        });
    }

    /// A snapshot up to `index` took the place of the log.
    pub(crate) fn jumped(&mut self, index: u64) {
        self.settle(|waiting| match waiting {
            Waiting::Entry { index: at, .. } | Waiting::Change { index: at, .. }
                if *at <= index =>
            {
                Some(Err(RaftError::CommitStatusUnknown))
            }
            Waiting::Entry { .. }
            | Waiting::Change { .. }
            | Waiting::Propose { .. }
            | Waiting::Read { .. }
            | Waiting::ReadAt { .. } => None,
        });
    }

    /// A read round was answered.
    pub(crate) fn round_answered(&mut self, round: u64, index: u64) {
        for waiter in &mut self.list {
            if matches!(waiter.what, Waiting::Read { round: wanted } if wanted <= round) {
                waiter.what = Waiting::ReadAt { index };
            }
        }
    }

    /// The leader stepped down because it heard from too few.
    pub(crate) fn quorum_lost(&mut self) {
        self.settle(|waiting| {
            matches!(waiting, Waiting::Read { .. }).then_some(Err(RaftError::NoQuorum))
        });
    }
}
