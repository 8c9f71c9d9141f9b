//! Changes of members: done when handed out, and left by whoever leads then.

use raft::eraftpb::{Message, MessageType};

use super::Group;
use crate::entry::{Payload, library_entry};
use crate::members::{Members, MembersChange};

impl Group {
    /// Leaves a joint phase, whoever entered it.
    pub(super) fn leave_joint(&mut self) {
        if self.is_leader() && self.members.is_joint() && !self.raw.raft.has_pending_conf() {
            let mut message = Message::default();
            message.set_msg_type(MessageType::MsgPropose);
            message.from = self.member.get();
            let leave = Payload::Members(MembersChange::leave());
            message.set_entries(vec![library_entry(&leave)].into());
            // Refused: tried again after the next entry or tick.
            self.act(|raw| drop(raw.raft.step(message)));
        }
    }

    pub(super) fn change_members(&mut self, index: u64, change: &MembersChange) {
        let change = change.to_library();
        match self.act(|raw| raw.apply_conf_change(&change)) {
            Some(Ok(state)) => {
                self.members = Members::of_conf_state(&state);
                self.changes.push_back((index, self.members.clone()));
                self.step_down_if_not_voting();
            }
            // All members refuse it in the same way: nothing changes.
            Some(Err(error)) => {
                tracing::warn!(group = %self.id, index, %error, "a change of members is void");
            }
            None => {}
        }
    }

    /// The library lets a leader that votes no more go on, and stumbles over it later.
    pub(super) fn step_down_if_not_voting(&mut self) {
        if self.is_leader() && !self.raw.raft.promotable() {
            self.act(|raw| {
                // The others learn that the change is committed.
                raw.raft.bcast_append();
                let term = raw.raft.term;
                raw.raft.become_follower(term, 0);
            });
        }
    }
}
