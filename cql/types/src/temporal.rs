//! Text forms of `timestamp`, `date` and `time`, on the proleptic Gregorian calendar.
//!
//! ```text
//! timestamp  2011-02-03[(T| )04:05[:06[.789…]]][zone]   or milliseconds since the epoch
//! date       2011-02-03, -5877641-06-23                 or days, 2^31 being 1970-01-01
//! time       04:05:06[.123456789]                       or nanoseconds since midnight
//! zone       Z, +01, +0100, +01:00, ' UTC' and other common abbreviations; without one: UTC
//! ```

use crate::error::ValueError;
use crate::validate::NANOS_PER_DAY;
use std::fmt::Write as _;

const MILLIS_PER_DAY: i64 = 86_400_000;
/// The serialized form of 1970-01-01.
const DATE_EPOCH: i64 = 1 << 31;

/// Zone abbreviations and their minutes east of Greenwich.
const ZONES: [(&str, i64); 21] = [
    ("AKDT", -480),
    ("AKST", -540),
    ("CDT", -300),
    ("CEST", 120),
    ("CET", 60),
    ("CST", -360),
    ("EDT", -240),
    ("EEST", 180),
    ("EET", 120),
    ("EST", -300),
    ("GMT", 0),
    ("HST", -600),
    ("JST", 540),
    ("MDT", -360),
    ("MSK", 180),
    ("MST", -420),
    ("PDT", -420),
    ("PST", -480),
    ("UT", 0),
    ("UTC", 0),
    ("WET", 0),
];

/// Milliseconds since the Unix epoch; digits beyond milliseconds are dropped.
pub(crate) fn parse_timestamp(text: &str) -> Result<i64, ValueError> {
    let error = |what: &'static str| ValueError::text("timestamp", text, what);
    if is_integer(text) {
        return text.parse().map_err(|_| error("does not fit 64 bits"));
    }
    let mut scan = Scan(text);
    let moment = scan.timestamp();
    match (moment, scan.0) {
        (Some(millis), "") => millis.ok_or_else(|| error("out of range")),
        _ => Err(error(
            "expected yyyy-mm-dd[(T| )hh:mm[:ss[.fff]]][+hhmm] or milliseconds",
        )),
    }
}

/// The serialized form: days, 2^31 being 1970-01-01.
pub(crate) fn parse_date(text: &str) -> Result<u32, ValueError> {
    let error = |what: &'static str| ValueError::text("date", text, what);
    if is_integer(text) {
        return text
            .parse()
            .map_err(|_| error("days must be within 0..4294967295"));
    }
    let mut scan = Scan(text);
    match (scan.date(), scan.0) {
        (Some(days), "") => u32::try_from(days + DATE_EPOCH)
            .map_err(|_| error("must be within -5877641-06-23..5881580-07-11")),
        _ => Err(error("expected yyyy-mm-dd or days")),
    }
}

/// Nanoseconds since midnight.
pub(crate) fn parse_time(text: &str) -> Result<i64, ValueError> {
    let error = |what: &'static str| ValueError::text("time", text, what);
    let nanos = if is_integer(text) {
        text.parse().ok()
    } else {
        let mut scan = Scan(text);
        scan.time_of_day(Seconds::Required)
            .filter(|_| scan.0.is_empty())
    };
    match nanos {
        Some(nanos @ 0..NANOS_PER_DAY) => Ok(nanos),
        _ => Err(error(
            "expected hh:mm:ss[.fffffffff] or nanoseconds within 0..86399999999999",
        )),
    }
}

/// `2011-02-03T04:05:06.789Z`; outside of years 0 to 9999 the milliseconds.
pub(crate) fn timestamp_text(millis: i64) -> String {
    let days = millis.div_euclid(MILLIS_PER_DAY);
    let (year, month, day) = civil_from_days(days);
    if !(0..=9999).contains(&year) {
        return millis.to_string();
    }
    let of_day = millis.rem_euclid(MILLIS_PER_DAY);
    let (seconds, millis) = (of_day / 1000, of_day % 1000);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// `2011-02-03`.
pub(crate) fn date_text(date: u32) -> String {
    let (year, month, day) = civil_from_days(i64::from(date) - DATE_EPOCH);
    match year < 0 {
        true => format!("-{:04}-{month:02}-{day:02}", -year),
        false => format!("{year:04}-{month:02}-{day:02}"),
    }
}

/// `04:05:06.000000789`.
pub(crate) fn time_text(nanos: i64) -> String {
    let (seconds, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write!(
        out,
        "{:02}:{:02}:{:02}.{nanos:09}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    out
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Days since 1970-01-01; the calendar is counted from March, so that the leap day ends a year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of days since 1970-01-01.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = (from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

const fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seconds {
    Required,
    Optional,
}

/// What is left to read.
struct Scan<'a>(&'a str);

impl Scan<'_> {
    /// Some(None) is a moment that does not fit.
    fn timestamp(&mut self) -> Option<Option<i64>> {
        let days = self.date()?;
        let mut millis = 0;
        if self.eat("T") || self.starts_with_hour() && self.eat(" ") {
            millis = self.time_of_day(Seconds::Optional)? / 1_000_000;
        }
        let offset_minutes = self.zone()?;
        let day = days.checked_mul(MILLIS_PER_DAY);
        Some(day.and_then(|day| day.checked_add(millis - offset_minutes * 60_000)))
    }

    /// A space and a digit come next.
    fn starts_with_hour(&self) -> bool {
        self.0
            .strip_prefix(' ')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// Days since 1970-01-01.
    fn date(&mut self) -> Option<i64> {
        let negative = self.eat("-");
        let _ = negative || self.eat("+");
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        if !(4..=9).contains(&digits) {
            return None;
        }
        let year = self.number(digits)?;
        let year = if negative { -year } else { year };
        let month = self
            .after("-", 2)
            .filter(|month| (1..=12).contains(month))?;
        let day = self
            .after("-", 2)
            .filter(|day| (1..=days_of_month(year, month)).contains(day))?;
        Some(days_from_civil(year, month, day))
    }

    /// Nanoseconds of the day.
    fn time_of_day(&mut self, seconds: Seconds) -> Option<i64> {
        let hour = self.number(2).filter(|hour| *hour < 24)?;
        let minute = self.after(":", 2).filter(|minute| *minute < 60)?;
        let mut nanos = (hour * 60 + minute) * 60_000_000_000;
        if seconds == Seconds::Required || self.0.starts_with(':') {
            nanos += self.after(":", 2).filter(|second| *second < 60)? * 1_000_000_000;
            if self.eat(".") {
                let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
                if !(1..=9).contains(&digits) {
                    return None;
                }
                let missing = u32::try_from(9 - digits).unwrap_or(0);
                nanos += self.number(digits)? * 10_i64.pow(missing);
            }
        }
        Some(nanos)
    }

    /// Minutes east of Greenwich; 0 at the end of the text.
    fn zone(&mut self) -> Option<i64> {
        if self.0.is_empty() || self.eat("Z") || self.eat("z") {
            return Some(0);
        }
        if let Some(name) = self.0.strip_prefix(' ') {
            let name = name.to_ascii_uppercase();
            let (_, minutes) = ZONES.iter().find(|(zone, _)| *zone == name)?;
            self.0 = "";
            return Some(*minutes);
        }
        let negative = self.eat("-");
        if !negative && !self.eat("+") {
            return None;
        }
        let hours = self.number(2).filter(|hours| *hours <= 18)?;
        let colon = self.eat(":");
        let minutes = match self.0 {
            "" if !colon => 0,
            _ => self.number(2).filter(|minutes| *minutes < 60)?,
        };
        let east = hours * 60 + minutes;
        Some(if negative { -east } else { east })
    }

    fn eat(&mut self, text: &str) -> bool {
        match self.0.strip_prefix(text) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn after(&mut self, separator: &str, digits: usize) -> Option<i64> {
        match self.eat(separator) {
            true => self.number(digits),
            false => None,
        }
    }

    /// Exactly `digits` digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let (number, rest) = self.0.split_at_checked(digits)?;
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.0 = rest;
        number.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    #[rstest]
    #[case("0", 0)]
    #[case("-1", -1)]
    #[case("1299038700000", 1_299_038_700_000)]
    #[case("2011-02-03 04:05+0000", 1_296_705_900_000)]
    #[case("2011-02-03 04:05", 1_296_705_900_000)]
    #[case("2011-02-03 04:05:00+0000", 1_296_705_900_000)]
    #[case("2011-02-03 04:05:00.000+0000", 1_296_705_900_000)]
    #[case("2011-02-03T04:05+00", 1_296_705_900_000)]
    #[case("2011-02-03T04:05:00.000Z", 1_296_705_900_000)]
    #[case("2011-02-03T05:05:00+01:00", 1_296_705_900_000)]
    #[case("2011-02-02 20:05 PST", 1_296_705_900_000)]
    #[case("2011-02-03 04:05 utc", 1_296_705_900_000)]
    #[case("2011-02-03T04:05:00.1Z", 1_296_705_900_100)]
    #[case("2011-02-03T04:05:00.1239999", 1_296_705_900_123)]
    #[case("2011-02-03", 1_296_691_200_000)]
    #[case("2011-02-03+0100", 1_296_687_600_000)]
    #[case("2011-02-03 GMT", 1_296_691_200_000)]
    #[case("1969-12-31T23:59:59.999Z", -1)]
    #[case("+12345-01-01", 327_403_382_400_000)]
    fn timestamps(#[case] text: &str, #[case] millis: i64) {
        assert_eq!(parse_timestamp(text), Ok(millis));
    }

    #[rstest]
    #[case("")]
    #[case("now")]
    #[case("2011-02-30")]
    #[case("2011-13-01")]
    #[case("2011-2-3")]
    #[case("11-02-03")]
    #[case("2011-02-03 04")]
    #[case("2011-02-03 04:05:")]
    #[case("2011-02-03 24:00")]
    #[case("2011-02-03 04:05:00.")]
    #[case("2011-02-03 04:05 XYZ")]
    #[case("2011-02-03 04:05+1")]
    #[case("2011-02-03 04:05+01:")]
    #[case("2011-02-03 04:05Zx")]
    #[case("999999999-01-01")]
    #[case("99999999999999999999")]
    #[case("2011-02-0µ")]
    fn other_timestamps_are_refused(#[case] text: &str) {
        assert!(parse_timestamp(text).is_err());
    }

    #[rstest]
    #[case("1970-01-01", 1 << 31)]
    #[case("1969-12-31", (1 << 31) - 1)]
    #[case("-5877641-06-23", 0)]
    #[case("5881580-07-11", u32::MAX)]
    #[case("2000-02-29", (1 << 31) + 11_016)]
    fn dates(#[case] text: &str, #[case] date: u32) {
        assert_eq!(parse_date(text), Ok(date));
        assert_eq!(date_text(date), text);
        assert_eq!(parse_date(&date.to_string()), Ok(date));
    }

    #[test]
    fn other_dates_are_refused() {
        for text in [
            "",
            "-1",
            "4294967296",
            "-5877641-06-22",
            "5881580-07-12",
            "1900-02-29",
            "1970-01-01T00:00",
        ] {
            assert!(parse_date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(parse_time("08:12:54"), Ok(29_574_000_000_000));
        assert_eq!(parse_time("08:12:54.123"), Ok(29_574_123_000_000));
        assert_eq!(parse_time("08:12:54.123456789"), Ok(29_574_123_456_789));
        assert_eq!(parse_time("86399999999999"), Ok(NANOS_PER_DAY - 1));
        assert_eq!(time_text(29_574_123_456_789), "08:12:54.123456789");
        for text in [
            "",
            "08:12",
            "8:12:54",
            "24:00:00",
            "08:12:54.1234567890",
            "86400000000000",
            "-1",
        ] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_parses_back(millis: i64, date: u32, shift in 0..64_u32) {
            let millis = millis >> shift;
            prop_assert_eq!(parse_timestamp(&timestamp_text(millis)), Ok(millis));
            prop_assert_eq!(parse_date(&date_text(date)), Ok(date));
        }
    }
}
