//! The Raft group of the agreed log, as rows of the local store.
//!
//! `commit_idx` is written in the frame that applies a command: it is the index up to which the tables are changed.

use bytes::Bytes;
use cql_types::{HostId, Uuid, WriteTime};
use node_cluster::LocalImage;
use node_raft::{
    GroupId, GroupState, HardState, LogEntry, MemberId, Members, Payload, Snapshot, Write,
};
use system_tables::types::Disposition;
use system_tables::{Change, Local, TableError, system};

/// The first byte of a stored entry.
const EMPTY: u8 = 0;
const COMMAND: u8 = 1;

/// The member that a node is: the first half of its host id. The second half decides nothing, so a joiner whose first half
/// is taken must be refused.
pub(crate) fn member_of(host: HostId) -> Option<MemberId> {
    let (first, _) = host.0.as_u64_pair();
    MemberId::new(first)
}

fn group_key(group: GroupId) -> Uuid {
    Uuid::from_u128(group.0)
}

fn signed(number: u64) -> i64 {
    number.cast_signed()
}

fn unsigned(number: i64) -> u64 {
    number.cast_unsigned()
}

/// The rows of a new group with one member.
pub(crate) fn first_rows(
    group: GroupId,
    host: HostId,
    state: &GroupState,
    at: WriteTime,
) -> Change<Local> {
    let mut change = snapshot_rows(group, host, &state.snapshot, at);
    change.add(hard_state_rows(group, host, &state.hard_state, at));
    change.add(applied_rows(group, state.applied, at));
    change
}

/// What one write of the driver asks to keep.
pub(crate) fn write_rows(write: &Write, host: HostId, at: WriteTime) -> Change<Local> {
    let mut change = Change::new();
    if let Some(snapshot) = &write.snapshot {
        change.add(snapshot_rows(write.group, host, snapshot, at));
    }
    if let Some(hard_state) = &write.hard_state {
        change.add(hard_state_rows(write.group, host, hard_state, at));
    }
    let key = system::raft::Key {
        group_id: group_key(write.group),
    };
    if let Some(first) = write.entries.first() {
        // What was there from here on went another way.
        let from = system::raft::Clustering {
            index: signed(first.index),
        };
        let before = WriteTime(at.0.saturating_sub(1));
        change.add(system::raft::delete_range(&key, from.., before));
    }
    for entry in &write.entries {
        let row = system::raft::Row {
            index: signed(entry.index),
            data: payload_bytes(&entry.payload),
            term: signed(entry.term),
        };
        change.add(system::raft::upsert(&key, &row, at));
    }
    change
}

fn payload_bytes(payload: &Payload) -> Vec<u8> {
    match payload {
        // Changes of members are stored with the snapshot configuration; the log of one member has none.
        Payload::Empty | Payload::Members(_) => vec![EMPTY],
        Payload::Command(command) => {
            let mut out = Vec::with_capacity(command.len() + 1);
            out.push(COMMAND);
            out.extend_from_slice(command);
            out
        }
    }
}

/// The rows of a snapshot, and the end of the log before it.
pub(crate) fn snapshot_rows(
    group: GroupId,
    host: HostId,
    snapshot: &Snapshot,
    at: WriteTime,
) -> Change<Local> {
    let group_id = group_key(group);
    let snapshot_id = Uuid::from_u128(group.0 ^ u128::from(snapshot.index));
    let row = system::raft_snapshots::Row {
        idx: signed(snapshot.index),
        snapshot_id,
        term: signed(snapshot.term),
    };
    let mut change =
        system::raft_snapshots::upsert(&system::raft_snapshots::Key { group_id }, &row, at);
    let config = system::raft_snapshot_config::Key { group_id };
    let member = system::raft_snapshot_config::Row {
        disposition: Disposition::Current,
        server_id: host.0,
        can_vote: true,
    };
    change.add(system::raft_snapshot_config::upsert(&config, &member, at));
    change.add(system::raft::set_snapshot_id(
        &system::raft::Key { group_id },
        snapshot_id,
        at,
    ));
    change
}

/// Forgets the log up to an index.
pub(crate) fn compact_rows(group: GroupId, index: u64, at: WriteTime) -> Change<Local> {
    let key = system::raft::Key {
        group_id: group_key(group),
    };
    let to = system::raft::Clustering {
        index: signed(index),
    };
    system::raft::delete_range(&key, ..=to, at)
}

fn hard_state_rows(
    group: GroupId,
    host: HostId,
    hard_state: &HardState,
    at: WriteTime,
) -> Change<Local> {
    let key = system::raft::Key {
        group_id: group_key(group),
    };
    let mut change = system::raft::set_vote_term(&key, signed(hard_state.term), at);
    change.add(match hard_state.vote {
        Some(_) => system::raft::set_vote(&key, host.0, at),
        None => system::raft::clear_vote(&key, at),
    });
    change
}

/// Notes that the tables have everything up to an index.
pub(crate) fn applied_rows(group: GroupId, index: u64, at: WriteTime) -> Change<Local> {
    let key = system::raft::Key {
        group_id: group_key(group),
    };
    system::raft::set_commit_idx(&key, signed(index), at)
}

/// The state of the group as it was kept; `None` if there is no such group.
pub(crate) fn read_state(
    image: &LocalImage,
    group: GroupId,
    host: HostId,
) -> Result<Option<GroupState>, TableError> {
    let group_id = group_key(group);
    let Some(snapshot) =
        system::raft_snapshots::read(image, &system::raft_snapshots::Key { group_id })?
    else {
        return Ok(None);
    };
    let members = Members::of_voters(member_of(host));
    let (statics, rows) = match system::raft::read(image, &system::raft::Key { group_id })? {
        Some(partition) => partition,
        None => return Ok(None),
    };
    let applied = statics.commit_idx.map_or(0, unsigned);
    let entries = rows
        .into_iter()
        .map(|row| LogEntry {
            index: unsigned(row.index),
            term: unsigned(row.term),
            payload: match row.data.split_first() {
                Some((&COMMAND, command)) => Payload::Command(Bytes::copy_from_slice(command)),
                Some(_) | None => Payload::Empty,
            },
        })
        .collect();
    Ok(Some(GroupState {
        hard_state: HardState {
            term: statics.vote_term.map_or(0, unsigned),
            vote: statics.vote.and_then(|_| member_of(host)),
            commit: applied,
        },
        snapshot: Snapshot {
            index: unsigned(snapshot.idx),
            term: unsigned(snapshot.term),
            members: members.clone(),
            data: Bytes::new(),
        },
        entries,
        applied,
        members,
    }))
}
