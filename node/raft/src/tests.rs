//! What one member does, and what three do under fire.

mod cluster;
mod codec;
mod fire;
mod single;
mod traps;

use crate::*;

/// The group of the tests.
const GROUP: GroupId = GroupId(7);

fn member(id: u64) -> MemberId {
    MemberId::new(id).unwrap()
}

fn voters(ids: impl IntoIterator<Item = u64>) -> Members {
    Members::of_voters(ids.into_iter().map(member))
}
