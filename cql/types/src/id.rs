//! Ids: tables, hosts, and the two UUID flavours of CQL with their orders.
//!
//! A time UUID (version 1) holds 100-nanosecond ticks since 1582-10-15, a clock sequence and a node.
//! Nothing here reads a clock or draws chance; callers pass them in.

use md5::{Digest, Md5};
use std::cmp::Ordering;
use std::fmt;
pub use uuid::Uuid;

/// 100-nanosecond ticks from 1582-10-15 to the Unix epoch.
const EPOCH_TICKS: i64 = 0x01b2_1dd2_1381_4000;

/// Flipping these bits turns a comparison of bytes as signed numbers into one as unsigned numbers.
pub(crate) const SIGN_BITS: u64 = 0x8080_8080_8080_8080;

/// Identifies one incarnation of a table: dropped and created again, it has another id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct TableId(pub Uuid);

/// Identifies a node for as long as it is a member.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct HostId(pub Uuid);

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id that system tables have on every node: a version 3 UUID of the two names, one after the other.
#[must_use]
pub fn table_id_for(keyspace: &str, name: &str) -> Uuid {
    let mut hash = Md5::new();
    hash.update(keyspace);
    hash.update(name);
    uuid::Builder::from_md5_bytes(hash.finalize().into()).into_uuid()
}

/// A time UUID for `micros` since the Unix epoch. Only the low 14 bits of `clock_seq` count.
///
/// Times outside the 60 bits of a UUID (about the years 1582 to 5236) wrap around.
#[must_use]
pub fn timeuuid_from(micros: i64, node: [u8; 6], clock_seq: u16) -> Uuid {
    let [n0, n1, n2, n3, n4, n5] = node;
    let [high, low] = ((clock_seq & 0x3fff) | 0x8000).to_be_bytes();
    timeuuid_from_parts(micros.wrapping_mul(10), [high, low, n0, n1, n2, n3, n4, n5])
}

/// The smallest time UUID, in CQL order, of a millisecond since the Unix epoch; what `minTimeuuid` gives.
#[must_use]
pub fn timeuuid_min(millis: i64) -> Uuid {
    timeuuid_from_parts(millis.wrapping_mul(10_000), [0x80; 8])
}

/// The largest time UUID, in CQL order, of a millisecond since the Unix epoch; what `maxTimeuuid` gives.
#[must_use]
pub fn timeuuid_max(millis: i64) -> Uuid {
    timeuuid_from_parts(millis.wrapping_mul(10_000).wrapping_add(9_999), [0x7f; 8])
}

/// A version 1 UUID from ticks since the Unix epoch and its last eight bytes as they are.
fn timeuuid_from_parts(unix_ticks: i64, last: [u8; 8]) -> Uuid {
    let ticks = unix_ticks.wrapping_add(EPOCH_TICKS).cast_unsigned();
    let low = ticks & 0xffff_ffff;
    let mid = (ticks >> 32) & 0xffff;
    let high = (ticks >> 48) & 0x0fff;
    Uuid::from_u64_pair(
        (low << 32) | (mid << 16) | 0x1000 | high,
        u64::from_be_bytes(last),
    )
}

/// Microseconds since the Unix epoch in a time UUID, rounded towards the past; `None` for other versions.
#[must_use]
pub fn timeuuid_micros(uuid: &Uuid) -> Option<i64> {
    if uuid.get_version_num() != 1 {
        return None;
    }
    let (high, _) = uuid.as_u64_pair();
    let ticks = (time_first(high) & 0x0fff_ffff_ffff_ffff).cast_signed();
    Some((ticks - EPOCH_TICKS).div_euclid(10))
}

/// The order of CQL's `timeuuid`: by time, then by the last eight bytes as signed bytes.
#[must_use]
pub fn compare_timeuuid(a: &Uuid, b: &Uuid) -> Ordering {
    timeuuid_order(a).cmp(&timeuuid_order(b))
}

/// The order of CQL's `uuid`: by version; within version 1 by time; then by bytes.
#[must_use]
pub fn compare_uuid(a: &Uuid, b: &Uuid) -> Ordering {
    uuid_order(a).cmp(&uuid_order(b))
}

/// Two numbers that order like `timeuuid`; [`timeuuid_from_order`] is the inverse.
pub(crate) fn timeuuid_order(uuid: &Uuid) -> (u64, u64) {
    let (high, low) = uuid.as_u64_pair();
    (time_first(high), low ^ SIGN_BITS)
}

pub(crate) fn timeuuid_from_order((high, low): (u64, u64)) -> Uuid {
    Uuid::from_u64_pair(time_last(high), low ^ SIGN_BITS)
}

/// Two numbers that order like `uuid`; [`uuid_from_order`] is the inverse.
pub(crate) fn uuid_order(uuid: &Uuid) -> (u64, u64) {
    let (high, low) = uuid.as_u64_pair();
    match (high >> 12) & 0xf {
        1 => (time_first(high), low),
        version => {
            let before = (high >> 4) & 0x0fff_ffff_ffff_f000;
            ((version << 60) | before | (high & 0xfff), low)
        }
    }
}

pub(crate) fn uuid_from_order((high, low): (u64, u64)) -> Uuid {
    match high >> 60 {
        1 => Uuid::from_u64_pair(time_last(high), low),
        version => {
            let before = (high & 0x0fff_ffff_ffff_f000) << 4;
            Uuid::from_u64_pair(before | (version << 12) | (high & 0xfff), low)
        }
    }
}

/// `low(32) mid(16) version(4) high(12)` to `version high mid low`.
const fn time_first(high: u64) -> u64 {
    (high << 48) | ((high << 16) & 0xffff_0000_0000) | (high >> 32)
}

/// The inverse of [`time_first`].
const fn time_last(ordered: u64) -> u64 {
    (ordered << 32) | ((ordered >> 16) & 0xffff_0000) | (ordered >> 48)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("system", "local", "7ad54392-bcdd-35a6-8417-4e047860b377")]
    #[case("system", "peers", "37f71aca-7dc2-383b-a706-72528af04d4f")]
    #[case("system_schema", "keyspaces", "abac5682-dea6-31c5-b535-b3d6cffd0fb6")]
    fn table_ids_that_drivers_know(#[case] keyspace: &str, #[case] name: &str, #[case] id: &str) {
        assert_eq!(table_id_for(keyspace, name).to_string(), id);
    }

    #[test]
    fn timeuuids_carry_their_time() {
        let uuid = timeuuid_from(1_234_567_890_123_456, [1, 2, 3, 4, 5, 6], 7);
        assert_eq!(timeuuid_micros(&uuid), Some(1_234_567_890_123_456));
        assert_eq!(uuid.get_version_num(), 1);
        assert_eq!(&uuid.as_bytes()[8..], [0x80, 7, 1, 2, 3, 4, 5, 6]);
        assert_eq!(timeuuid_micros(&timeuuid_from(-1, [0; 6], 0)), Some(-1));
        assert_eq!(timeuuid_micros(&Uuid::nil()), None);
    }

    #[test]
    fn minimum_and_maximum_enclose_their_millisecond() {
        let inside = timeuuid_from(5_000_999, [0xff; 6], 0x3fff);
        assert_eq!(
            compare_timeuuid(&timeuuid_min(5_000), &inside),
            Ordering::Less
        );
        assert_eq!(
            compare_timeuuid(&timeuuid_max(5_000), &inside),
            Ordering::Greater
        );
        assert_eq!(
            compare_timeuuid(&timeuuid_max(4_999), &timeuuid_min(5_000)),
            Ordering::Less
        );
    }

    #[rstest]
    #[case(
        "cc520882-9507-44fb-8fc9-b349ecdee658",
        "4cc52088-2950-74fb-8fc9-b349ecdee658"
    )]
    #[case(
        "2a92d750-d8dc-11e6-a2de-cf8ecd4cf053",
        "11e6d8dc-2a92-d750-a2de-cf8ecd4cf053"
    )]
    fn uuid_order_is_the_published_one(#[case] uuid: Uuid, #[case] ordered: Uuid) {
        assert_eq!(uuid_order(&uuid), ordered.as_u64_pair());
        assert_eq!(uuid_from_order(ordered.as_u64_pair()), uuid);
        assert_eq!(timeuuid_from_order(timeuuid_order(&uuid)), uuid);
    }
}
