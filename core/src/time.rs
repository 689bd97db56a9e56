//! Points in time and durations, to the second. Nothing here reads a clock.

use alloc::format;
use alloc::string::String;
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Seconds since 1970-01-01T00:00:00Z (POSIX), as in a cosignature.
///
/// In statements it is written as RFC 3339 in UTC, to the second: `2026-11-22T02:07:32Z`, years 1970 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Timestamp(pub u64);

/// The last second of the year 9999, the end of what RFC 3339 can write.
const LAST: u64 = 253_402_300_799;
const SECONDS_PER_DAY: u64 = 86_400;

impl Timestamp {
    /// This time plus `seconds`, at most the end of `u64`.
    pub fn plus(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// Seconds from `earlier` to this time; 0 if `earlier` is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 in UTC, to the second. Times after the year 9999 are shown as its last second.
    pub fn to_rfc3339(self) -> String {
        let seconds = self.0.min(LAST);
        let (year, month, day) = civil_from_days(seconds / SECONDS_PER_DAY);
        let rest = seconds % SECONDS_PER_DAY;
        let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// The reverse of [`Self::to_rfc3339`], for exactly that form.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 20 {
            return None;
        }
        let field = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
        let days = days_from_civil(field(0, 4)?, field(5, 7)?, field(8, 10)?)?;
        let seconds = field(11, 13)? * 3600 + field(14, 16)? * 60 + field(17, 19)?;
        let time = Self(days.checked_mul(SECONDS_PER_DAY)?.checked_add(seconds)?);
        (time.to_rfc3339() == text).then_some(time)
    }
}

/// Days since 1970-01-01 to (year, month, day) of the proleptic Gregorian calendar.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    // Counted from 0000-03-01, so that a leap day ends a year; an era is 400 years.
    let from_march = days + 719_468;
    let era = from_march / 146_097;
    let day_of_era = from_march % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

/// The reverse of [`civil_from_days`]; `None` before 1970 or for a month that does not exist.
fn days_from_civil(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) || year < 1970 {
        return None;
    }
    let shifted_year = year - u64::from(month <= 2);
    let (era, year_of_era) = (shifted_year / 400, shifted_year % 400);
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day.checked_sub(1)?;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (era * 146_097 + day_of_era).checked_sub(719_468)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_rfc3339(&text)
            .ok_or_else(|| serde::de::Error::custom("expected a UTC time such as 2026-11-22T02:07:32Z"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_known_values() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_679_315_147, "2023-03-20T12:25:47Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (LAST, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Timestamp(seconds).to_rfc3339(), text);
            assert_eq!(Timestamp::from_rfc3339(text), Some(Timestamp(seconds)));
        }
    }

    #[test]
    fn every_day_of_four_centuries_is_one_after_the_day_before() {
        for day in 0..146_097 + 20_000 {
            let (year, month, dom) = civil_from_days(day);
            assert_eq!(days_from_civil(year, month, dom), Some(day));
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for wrong in [
            "2026-11-22T02:07:32+00:00",
            "2026-11-22T02:07:32z",
            "2026-11-22 02:07:32Z",
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:60Z",
            "1969-12-31T23:59:59Z",
            "+026-01-01T00:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-1é-1T00:00:00Z",
        ] {
            assert_eq!(Timestamp::from_rfc3339(wrong), None, "{wrong}");
        }
    }
}
