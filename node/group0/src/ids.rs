//! State ids: time-based uuids that only grow, and the write times that they carry.

use cql_types::{Uuid, WriteTime, compare_timeuuid, timeuuid_from, timeuuid_micros};
use node_env::{NodeClock, Rng, SeededRng};

/// A fresh time-based uuid whose time is above that of `after`.
pub(crate) fn next_state_id(clock: &NodeClock, rng: &mut SeededRng, after: Option<Uuid>) -> Uuid {
    let floor = after.and_then(|id| timeuuid_micros(&id)).unwrap_or(0);
    clock.raise_above(floor);
    let [a, b, c, d, e, f, g, h] = rng.next_u64().to_be_bytes();
    // The multicast bit says that the node id is not a hardware address.
    let node = [a | 1, b, c, d, e, f];
    let id = timeuuid_from(
        clock.write_time(),
        node,
        u16::from_be_bytes([g, h]) & 0x3fff,
    );
    debug_assert!(after.is_none_or(|old| compare_timeuuid(&old, &id).is_lt()));
    id
}

/// The write time of everything that a state id brings.
pub(crate) fn write_time(id: Uuid) -> WriteTime {
    WriteTime(timeuuid_micros(&id).unwrap_or(0))
}
