//! Native functions that need no row: identifiers and times.
//!
//! A function takes serialized arguments and gives a serialized value; the clock and chance come with the
//! [`BindContext`].

use cql_types::{CqlType, Uuid, timeuuid_from, timeuuid_micros};

use crate::error::PlanError;
use crate::values::BindContext;

/// A native function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    /// `now()`: a new timeuuid.
    Now,
    /// `uuid()`: a new random uuid.
    Uuid,
    /// `current_timestamp()`.
    CurrentTimestamp,
    /// `current_date()`.
    CurrentDate,
    /// `current_time()`.
    CurrentTime,
    /// `current_timeuuid()`.
    CurrentTimeUuid,
    /// `min_timeuuid(timestamp)`: the smallest timeuuid of a millisecond.
    MinTimeUuid,
    /// `max_timeuuid(timestamp)`: the largest.
    MaxTimeUuid,
    /// `to_timestamp(timeuuid | date)`.
    ToTimestamp,
    /// `to_date(timeuuid | timestamp)`.
    ToDate,
    /// `to_unix_timestamp(timeuuid | timestamp | date)`: milliseconds.
    ToUnixTimestamp,
}

const DAY_MS: i64 = 86_400_000;
const DATE_ZERO: i64 = 1 << 31;

impl Function {
    /// Finds a function by its name, in the old spelling or the new.
    pub(crate) fn find(name: &str) -> Option<Self> {
        Some(match name {
            "now" => Self::Now,
            "uuid" => Self::Uuid,
            "current_timestamp" | "currenttimestamp" => Self::CurrentTimestamp,
            "current_date" | "currentdate" => Self::CurrentDate,
            "current_time" | "currenttime" => Self::CurrentTime,
            "current_timeuuid" | "currenttimeuuid" => Self::CurrentTimeUuid,
            "min_timeuuid" | "mintimeuuid" => Self::MinTimeUuid,
            "max_timeuuid" | "maxtimeuuid" => Self::MaxTimeUuid,
            "to_timestamp" | "totimestamp" => Self::ToTimestamp,
            "to_date" | "todate" => Self::ToDate,
            "to_unix_timestamp" | "tounixtimestamp" => Self::ToUnixTimestamp,
            _ => return None,
        })
    }

    /// Names for a did-you-mean.
    pub(crate) const NAMES: &'static [&'static str] = &[
        "now",
        "uuid",
        "current_timestamp",
        "current_date",
        "current_time",
        "current_timeuuid",
        "min_timeuuid",
        "max_timeuuid",
        "to_timestamp",
        "to_date",
        "to_unix_timestamp",
        "token",
        "count",
        "writetime",
        "ttl",
    ];

    /// The types that the one argument may have; empty for a function without arguments.
    pub(crate) fn arguments(self) -> &'static [CqlType] {
        match self {
            Self::Now
            | Self::Uuid
            | Self::CurrentTimestamp
            | Self::CurrentDate
            | Self::CurrentTime
            | Self::CurrentTimeUuid => &[],
            Self::MinTimeUuid | Self::MaxTimeUuid => &[CqlType::Timestamp],
            Self::ToTimestamp => &[CqlType::TimeUuid, CqlType::Date],
            Self::ToDate => &[CqlType::TimeUuid, CqlType::Timestamp],
            Self::ToUnixTimestamp => &[CqlType::TimeUuid, CqlType::Timestamp, CqlType::Date],
        }
    }

    /// The type of the result.
    pub(crate) fn returns(self) -> CqlType {
        match self {
            Self::Now | Self::CurrentTimeUuid | Self::MinTimeUuid | Self::MaxTimeUuid => {
                CqlType::TimeUuid
            }
            Self::Uuid => CqlType::Uuid,
            Self::CurrentTimestamp | Self::ToTimestamp => CqlType::Timestamp,
            Self::CurrentDate | Self::ToDate => CqlType::Date,
            Self::CurrentTime => CqlType::Time,
            Self::ToUnixTimestamp => CqlType::BigInt,
        }
    }

    /// Evaluates the function; `argument` has the given type, and a null gives a null.
    pub(crate) fn call(
        self,
        argument: Option<(&CqlType, &[u8])>,
        ctx: &BindContext,
        serial: u64,
    ) -> Result<Vec<u8>, PlanError> {
        let node_ms = ctx.node_time.div_euclid(1_000);
        let argument_ms = || argument.map_or(Ok(node_ms), |(ty, bytes)| millis(ty, bytes));
        Ok(match self {
            Self::Now | Self::CurrentTimeUuid => new_timeuuid(ctx, serial).as_bytes().to_vec(),
            Self::Uuid => random_uuid(ctx, serial).as_bytes().to_vec(),
            Self::CurrentTimestamp => node_ms.to_be_bytes().to_vec(),
            Self::CurrentDate => date(node_ms),
            Self::CurrentTime => (ctx.node_time.rem_euclid(DAY_MS * 1_000) * 1_000)
                .to_be_bytes()
                .to_vec(),
            Self::MinTimeUuid => bound_timeuuid(argument_ms()? * 1_000, 0x80).to_vec(),
            Self::MaxTimeUuid => bound_timeuuid(argument_ms()? * 1_000 + 999, 0x7f).to_vec(),
            Self::ToTimestamp | Self::ToUnixTimestamp => argument_ms()?.to_be_bytes().to_vec(),
            Self::ToDate => date(argument_ms()?),
        })
    }
}

/// Milliseconds since the epoch of a timeuuid, a timestamp or a date.
fn millis(ty: &CqlType, bytes: &[u8]) -> Result<i64, PlanError> {
    let malformed = || PlanError::invalid("a function got a value that is not of its type");
    match ty {
        CqlType::Timestamp => Ok(i64::from_be_bytes(
            bytes.try_into().map_err(|_| malformed())?,
        )),
        CqlType::Date => {
            let days = u32::from_be_bytes(bytes.try_into().map_err(|_| malformed())?);
            Ok((i64::from(days) - DATE_ZERO) * DAY_MS)
        }
        _ => {
            let uuid = Uuid::from_slice(bytes).map_err(|_| malformed())?;
            Ok(timeuuid_micros(&uuid)
                .ok_or_else(malformed)?
                .div_euclid(1_000))
        }
    }
}

fn date(millis: i64) -> Vec<u8> {
    let days = millis.div_euclid(DAY_MS) + DATE_ZERO;
    u32::try_from(days)
        .unwrap_or(u32::MAX)
        .to_be_bytes()
        .to_vec()
}

/// A timeuuid of the node's time; `serial` tells those of one request apart.
pub(crate) fn new_timeuuid(ctx: &BindContext, serial: u64) -> Uuid {
    let mixed = mix(ctx.unique ^ serial);
    let mut node = [0; 6];
    for (to, from) in node.iter_mut().zip(mixed.to_be_bytes()) {
        *to = from;
    }
    // The multicast bit says that the node id is not a hardware address.
    if let Some(first) = node.first_mut() {
        *first |= 1;
    }
    let sequence = u16::try_from((mixed & 0x3fff).wrapping_add(serial) & 0x3fff).unwrap_or(0);
    timeuuid_from(ctx.node_time, node, sequence)
}

fn random_uuid(ctx: &BindContext, serial: u64) -> Uuid {
    let high = mix(ctx.unique ^ serial.rotate_left(17));
    let low = mix(high ^ u64::from_be_bytes(ctx.node_time.to_be_bytes()));
    uuid_v4(high, low)
}

fn uuid_v4(high: u64, low: u64) -> Uuid {
    let bits = (u128::from(high) << 64) | u128::from(low);
    let version = (bits & !(0xf << 76)) | (0x4 << 76);
    Uuid::from_u128((version & !(0x3 << 62)) | (0x2 << 62))
}

/// The smallest or largest timeuuid of a time: every other byte is the extreme of a signed byte.
fn bound_timeuuid(micros: i64, extreme: u8) -> [u8; 16] {
    let mut bytes = *timeuuid_from(micros, [0; 6], 0).as_bytes();
    for byte in bytes.iter_mut().skip(8) {
        *byte = extreme;
    }
    bytes
}

/// The finalizer of splitmix64.
pub(crate) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
