//! `duration`: months, days and nanoseconds, which do not convert into each other.
//!
//! Text forms: `1y2mo3w4d5h6m7s8ms9us10ns` (units in this order, each once), ISO 8601 `P1Y2M3DT4H5M6S` and
//! `P3W`, and ISO 8601 alternative `P0001-02-03T04:05:06`; each with a `-` before it for the negative.

use crate::error::ValueError;
use crate::vint;
use std::fmt;

/// A length of time; months, days and nanoseconds are never of opposite signs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct CqlDuration {
    /// Months.
    pub months: i32,
    /// Days.
    pub days: i32,
    /// Nanoseconds.
    pub nanos: i64,
}

const NANOS_PER_SECOND: i64 = 1_000_000_000;
const NANOS_PER_MINUTE: i64 = 60 * NANOS_PER_SECOND;
const NANOS_PER_HOUR: i64 = 60 * NANOS_PER_MINUTE;

impl CqlDuration {
    /// Reads the serialized form, all of it.
    ///
    /// # Errors
    /// Bytes that are not three integers, values out of range, opposite signs.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ValueError> {
        let invalid = |what| ValueError::invalid("duration", what);
        let cut = || invalid("expected three variable-length integers");
        let (months, rest) = vint::take_signed(bytes).ok_or_else(cut)?;
        let (days, rest) = vint::take_signed(rest).ok_or_else(cut)?;
        let (nanos, rest) = vint::take_signed(rest).ok_or_else(cut)?;
        if !rest.is_empty() {
            return Err(cut());
        }
        let months = i32::try_from(months).map_err(|_| invalid("months do not fit 32 bits"))?;
        let days = i32::try_from(days).map_err(|_| invalid("days do not fit 32 bits"))?;
        let duration = Self {
            months,
            days,
            nanos,
        };
        match duration.has_one_sign() {
            true => Ok(duration),
            false => Err(invalid(
                "months, days and nanoseconds must be all of the same sign",
            )),
        }
    }

    /// Appends the serialized form.
    pub fn write(self, out: &mut Vec<u8>) {
        vint::push_signed(i64::from(self.months), out);
        vint::push_signed(i64::from(self.days), out);
        vint::push_signed(self.nanos, out);
    }

    /// Whether no two of the three parts are of opposite signs.
    #[must_use]
    pub const fn has_one_sign(self) -> bool {
        let some_negative = self.months < 0 || self.days < 0 || self.nanos < 0;
        let some_positive = self.months > 0 || self.days > 0 || self.nanos > 0;
        !(some_negative && some_positive)
    }

    /// Reads any of the text forms.
    ///
    /// # Errors
    /// Text of another form, units out of order or repeated, values out of range.
    pub fn parse(text: &str) -> Result<Self, ValueError> {
        let error = |what| ValueError::text("duration", text, what);
        let (negative, body) = match text.strip_prefix('-') {
            Some(body) => (true, body),
            None => (false, text),
        };
        let total = match body.strip_prefix('P') {
            Some(iso) if iso.as_bytes().get(4) == Some(&b'-') => alternative(iso),
            Some(iso) => iso_8601(iso),
            None => units(body),
        };
        total
            .and_then(|total| total.finish(negative))
            .map_err(error)
    }
}

impl fmt::Display for CqlDuration {
    /// The first text form; parses back. Nothing at all is `0ns`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !(self.months < 0 || self.days < 0 || self.nanos < 0) && *self == Self::default() {
            return f.write_str("0ns");
        }
        if self.months < 0 || self.days < 0 || self.nanos < 0 {
            f.write_str("-")?;
        }
        let months = u64::from(self.months.unsigned_abs());
        let mut nanos = self.nanos.unsigned_abs();
        let mut part = |count: u64, unit: &str| match count {
            0 => Ok(()),
            _ => write!(f, "{count}{unit}"),
        };
        part(months / 12, "y")?;
        part(months % 12, "mo")?;
        part(u64::from(self.days.unsigned_abs()), "d")?;
        for (unit, size) in [
            ("h", NANOS_PER_HOUR),
            ("m", NANOS_PER_MINUTE),
            ("s", NANOS_PER_SECOND),
            ("ms", 1_000_000),
            ("us", 1_000),
            ("ns", 1),
        ] {
            let size = size.unsigned_abs();
            part(nanos / size, unit)?;
            nanos %= size;
        }
        Ok(())
    }
}

/// Sums of what was read, without a sign.
#[derive(Default)]
struct Total {
    months: u64,
    days: u64,
    nanos: u64,
}

const TOO_LARGE: &str = "the value is too large";
const FORMAT: &str =
    "expected 1y2mo3w4d5h6m7s8ms9us10ns, P1Y2M3DT4H5M6S, P1W or P0001-02-03T04:05:06";

impl Total {
    fn add(&mut self, count: u64, unit: &Unit) -> Result<(), &'static str> {
        let target = match unit.of {
            Of::Months => &mut self.months,
            Of::Days => &mut self.days,
            Of::Nanos => &mut self.nanos,
        };
        let sum = count
            .checked_mul(unit.size)
            .and_then(|more| target.checked_add(more));
        *target = sum.ok_or(TOO_LARGE)?;
        Ok(())
    }

    fn finish(self, negative: bool) -> Result<CqlDuration, &'static str> {
        let months = i32::try_from(self.months).map_err(|_| TOO_LARGE)?;
        let days = i32::try_from(self.days).map_err(|_| TOO_LARGE)?;
        let nanos = i64::try_from(self.nanos).map_err(|_| TOO_LARGE)?;
        Ok(match negative {
            true => CqlDuration {
                months: -months,
                days: -days,
                nanos: -nanos,
            },
            false => CqlDuration {
                months,
                days,
                nanos,
            },
        })
    }
}

#[derive(Clone, Copy)]
enum Of {
    Months,
    Days,
    Nanos,
}

struct Unit {
    name: &'static str,
    of: Of,
    size: u64,
}

const fn unit(name: &'static str, of: Of, size: i64) -> Unit {
    Unit {
        name,
        of,
        size: size.unsigned_abs(),
    }
}

/// The units of the first form, largest first.
const UNITS: [Unit; 10] = [
    unit("y", Of::Months, 12),
    unit("mo", Of::Months, 1),
    unit("w", Of::Days, 7),
    unit("d", Of::Days, 1),
    unit("h", Of::Nanos, NANOS_PER_HOUR),
    unit("m", Of::Nanos, NANOS_PER_MINUTE),
    unit("s", Of::Nanos, NANOS_PER_SECOND),
    unit("ms", Of::Nanos, 1_000_000),
    unit("us", Of::Nanos, 1_000),
    unit("ns", Of::Nanos, 1),
];

/// The units of ISO 8601 before and after the `T`.
const ISO_DATE: [Unit; 3] = [
    unit("Y", Of::Months, 12),
    unit("M", Of::Months, 1),
    unit("D", Of::Days, 1),
];
const ISO_TIME: [Unit; 3] = [
    unit("H", Of::Nanos, NANOS_PER_HOUR),
    unit("M", Of::Nanos, NANOS_PER_MINUTE),
    unit("S", Of::Nanos, NANOS_PER_SECOND),
];

fn units(body: &str) -> Result<Total, &'static str> {
    let lower = body.replace('µ', "u").to_ascii_lowercase();
    if lower.is_empty() {
        return Err(FORMAT);
    }
    let mut total = Total::default();
    sequence(&lower, &UNITS, &mut total)?;
    Ok(total)
}

fn iso_8601(iso: &str) -> Result<Total, &'static str> {
    let mut total = Total::default();
    if let Some(weeks) = iso.strip_suffix('W') {
        total.add(number(weeks)?, &unit("W", Of::Days, 7))?;
        return Ok(total);
    }
    let (date, time) = iso.split_once('T').unwrap_or((iso, ""));
    sequence(date, &ISO_DATE, &mut total)?;
    sequence(time, &ISO_TIME, &mut total)?;
    Ok(total)
}

/// `0001-02-03T04:05:06`.
fn alternative(iso: &str) -> Result<Total, &'static str> {
    let mut rest = iso;
    let mut total = Total::default();
    let fields = ISO_DATE.iter().zip([("-", 4), ("-", 2), ("T", 2)]);
    let fields = fields.chain(ISO_TIME.iter().zip([(":", 2), (":", 2), ("", 2)]));
    for (unit, (end, width)) in fields {
        let (digits, after) = rest.split_at_checked(width).ok_or(FORMAT)?;
        total.add(number(digits)?, unit)?;
        rest = after.strip_prefix(end).ok_or(FORMAT)?;
    }
    match rest {
        "" => Ok(total),
        _ => Err(FORMAT),
    }
}

/// Numbers each followed by a unit; units in the order of `units`, each at most once.
fn sequence(text: &str, units: &[Unit], total: &mut Total) -> Result<(), &'static str> {
    let mut rest = text;
    let mut next_unit = 0;
    while !rest.is_empty() {
        let digits_len = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, after) = rest.split_at_checked(digits_len).ok_or(FORMAT)?;
        let name_len = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (name, after) = after.split_at_checked(name_len).ok_or(FORMAT)?;
        let at = units
            .iter()
            .position(|unit| unit.name == name)
            .ok_or(FORMAT)?;
        if at < next_unit {
            return Err("units must go from large to small, each at most once");
        }
        if let Some(unit) = units.get(at) {
            total.add(number(digits)?, unit)?;
        }
        next_unit = at + 1;
        rest = after;
    }
    Ok(())
}

fn number(digits: &str) -> Result<u64, &'static str> {
    match digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty() {
        true => digits.parse().map_err(|_| TOO_LARGE),
        false => Err(FORMAT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const HOUR: i64 = NANOS_PER_HOUR;

    #[rstest]
    #[case("1y2mo", 14, 0, 0)]
    #[case("-1y2mo", -14, 0, 0)]
    #[case("1Y2MO", 14, 0, 0)]
    #[case("2w", 0, 14, 0)]
    #[case("2d10h", 0, 2, 10 * HOUR)]
    #[case("30h20m", 0, 0, 30 * HOUR + 20 * NANOS_PER_MINUTE)]
    #[case("56s567ms5us1ns", 0, 0, 56_567_005_001)]
    #[case("5µs", 0, 0, 5_000)]
    #[case("PT1M1S", 0, 0, 61 * NANOS_PER_SECOND)]
    #[case("P1Y2M3DT4H5M6S", 14, 3, 4 * HOUR + 5 * NANOS_PER_MINUTE + 6 * NANOS_PER_SECOND)]
    #[case("-P1Y2D", -12, -2, 0)]
    #[case("P3W", 0, 21, 0)]
    #[case("P", 0, 0, 0)]
    #[case("P0001-02-03T04:05:06", 14, 3, 4 * HOUR + 5 * NANOS_PER_MINUTE + 6 * NANOS_PER_SECOND)]
    #[case("-178956970y7mo2147483647d9223372036854775807ns", -i32::MAX, -i32::MAX, -i64::MAX)]
    #[case("0s", 0, 0, 0)]
    fn text_forms(#[case] text: &str, #[case] months: i32, #[case] days: i32, #[case] nanos: i64) {
        let duration = CqlDuration {
            months,
            days,
            nanos,
        };
        assert_eq!(CqlDuration::parse(text), Ok(duration));
        assert_eq!(CqlDuration::parse(&duration.to_string()), Ok(duration));
        let mut bytes = Vec::new();
        duration.write(&mut bytes);
        assert_eq!(CqlDuration::from_bytes(&bytes), Ok(duration));
    }

    #[rstest]
    #[case("")]
    #[case("-")]
    #[case("1")]
    #[case("d")]
    #[case("1d1y")]
    #[case("1d2d")]
    #[case("1x")]
    #[case("1d ")]
    #[case("P1D2Y")]
    #[case("P1H")]
    #[case("PT1D")]
    #[case("P0001-02-03")]
    #[case("P0001-02-03T04:05:061")]
    #[case("P000µ-02-03T04:05:06")]
    #[case("178956970y8mo")]
    #[case("2147483648d")]
    #[case("9223372036854775808ns")]
    #[case("99999999999999999999999d")]
    fn other_text_is_refused(#[case] text: &str) {
        assert!(CqlDuration::parse(text).is_err());
    }

    #[test]
    fn serialized_durations_are_checked() {
        let mut mixed = Vec::new();
        CqlDuration {
            months: 1,
            days: -1,
            nanos: 0,
        }
        .write(&mut mixed);
        assert!(CqlDuration::from_bytes(&mixed).is_err());
        assert!(CqlDuration::from_bytes(&[0, 0]).is_err());
        assert!(CqlDuration::from_bytes(&[0, 0, 0, 0]).is_err());
        assert!(CqlDuration::from_bytes(&[0xfe; 40]).is_err());
        let least = CqlDuration {
            months: i32::MIN,
            days: i32::MIN,
            nanos: i64::MIN,
        };
        let mut bytes = Vec::new();
        least.write(&mut bytes);
        assert_eq!(CqlDuration::from_bytes(&bytes), Ok(least));
    }
}
