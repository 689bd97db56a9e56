//! With which day a date begins: a month, a quarter or a year with its first. Where several days can be meant, the latest counts.

use super::{MONTHS, has_units, is_date, is_days, is_month, is_period, is_seconds, is_year, number, runs};
use isonomy_core::time::Timestamp;

const DAY: u64 = 86_400;
/// The days from 1899-12-30, from which programs for tables count, to 1970-01-01.
const DAYS_TO_1970: u64 = 25_569;
/// How much earlier than in UTC a day begins somewhere.
const EARLIEST: u64 = 14 * 3_600;
/// The first year in which a list of hashes can have lost one.
const FIRST: u32 = 1990;
/// Days of later years from which programs count, or which they write where there is none.
const ORIGINS: [Day; 2] = [Day(2000, 1, 1), Day(2001, 1, 1)];
/// Weeks begin no later than so many days after a week of seven days that is counted from the first day of the year.
const LATE_WEEK: u32 = 3;

/// A year, month and day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::import) struct Day(u32, u32, u32);

impl Day {
    /// The last day that has begun at this time somewhere.
    pub(in crate::import) fn begun(now: Timestamp) -> Self {
        Self::at(now.plus(EARLIEST).0)
    }

    /// The day of a text, the latest that can be meant; `None` if it is no date.
    pub(in crate::import) fn of(text: &str) -> Option<Self> {
        Self::readings(text).into_iter().max()
    }

    /// The earliest day that can be meant.
    pub(in crate::import) fn earliest(text: &str) -> Option<Self> {
        Self::readings(text).into_iter().min()
    }

    /// All that can be meant: several, where the order of day and month is not clear.
    fn readings(text: &str) -> Vec<Self> {
        let date = text.split(['T', 't', ' ']).next().unwrap_or_default();
        let pointed = || text.split_whitespace().collect::<String>().trim_end_matches('.').to_owned();
        let split = ['-', '/', '.'].into_iter().map(|mark| of_numbers(date, mark)).find(|days| !days.is_empty());
        match Self::counted(text) {
            Some(day) => day.into_iter().collect(),
            None => match split.unwrap_or_else(|| of_numbers(&pointed(), '.')) {
                days if days.is_empty() => {
                    let others = || of_month(text).or_else(|| of_period(text)).or_else(|| with_units(text));
                    compact(date).or_else(|| named(text)).or_else(others).into_iter().collect()
                }
                days => days,
            },
        }
    }

    /// The day that a number alone is, of seconds, days or years; `None` if it is none of these.
    fn counted(text: &str) -> Option<Option<Self>> {
        if is_seconds(text) {
            // Ten digits of it are seconds, however many stand behind them.
            return Some(text.get(..10).and_then(|seconds| seconds.parse().ok()).map(Self::at));
        }
        let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
        if is_days(whole) && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Some(number(whole).map(|days| Self::at((u64::from(days) - DAYS_TO_1970) * DAY)));
        }
        is_year(text).then(|| Self::real(number(text)?, 1, 1))
    }

    /// Whether it is such as programs write where there is no date: 0001-01-01, 1900-01-01, 1970-01-01.
    pub(in crate::import) fn is_none(self) -> bool {
        self.0 < FIRST || ORIGINS.contains(&self)
    }

    fn at(seconds: u64) -> Self {
        let text = Timestamp(seconds).to_rfc3339();
        let part = |from: usize, to: usize| text.get(from..to).and_then(number).unwrap_or_default();
        Self(part(0, 4), part(5, 7), part(8, 10))
    }

    fn real(year: u32, month: u32, day: u32) -> Option<Self> {
        ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Self(year, month, day))
    }
}

/// The year of a number of four digits, or of two: `00` is that of 1900 where a program had no date.
fn year(text: &str) -> Option<u32> {
    match (text.len(), number(text)?) {
        (4, year) => Some(year),
        (2, year @ (0 | 70..)) => Some(1900 + year),
        (2, year) => Some(2000 + year),
        _ => None,
    }
}

/// `2026-01-31`, `31.1.2026`, `1/31/26`: where the order is not clear, all that can be meant.
fn of_numbers(date: &str, mark: char) -> Vec<Day> {
    let parts: Vec<&str> = date.split(mark).collect();
    let [first, second, third] = parts[..] else { return Vec::new() };
    let small = |text: &str| number(text).filter(|_| text.len() <= 2);
    let day = |of_year: &str, month: &str, day: &str| Day::real(year(of_year)?, small(month)?, small(day)?);
    let [year_first, day_first, month_first] =
        [day(first, second, third), day(third, second, first), day(third, first, second)];
    // With points the day comes first, if it can, and never the month.
    match mark {
        '.' => day_first.or(year_first).into_iter().collect(),
        _ => [year_first, day_first, month_first].into_iter().flatten().collect(),
    }
}

/// `20260131`, also with hours, minutes and seconds after it.
fn compact(date: &str) -> Option<Day> {
    let date = date.trim_end_matches(['Z', 'z']);
    let is_one = matches!(date.len(), 8 | 12 | 14) && date.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then(|| Day::real(year(date.get(..4)?)?, number(date.get(4..6)?)?, number(date.get(6..8)?)?))?
}

/// `31 January 2026`, `Jan 31, 2026`, `31-Jan-26`, `March 2026`.
fn named(text: &str) -> Option<Day> {
    let written = is_date(text).then(|| without_time(text))?;
    let runs = runs(&written);
    let of_name = |word: &String| MONTHS.iter().position(|names| names.contains(&word.as_str()));
    let month = runs.iter().find_map(of_name)? as u32 + 1;
    let numbers: Vec<&String> = runs.iter().filter(|word| number(word).is_some()).collect();
    // Of two short numbers the second is the year; one alone is, where it is joined to the month, and else may be the day.
    let short = match numbers.len() {
        1 if !written.contains(char::is_whitespace) => Some(0),
        2 => Some(1),
        _ => None,
    };
    let own = numbers.iter().position(|word| word.len() == 4).or(short)?;
    let mut others = numbers.iter().enumerate().filter(|(place, word)| *place != own && word.len() <= 2);
    let day = others.next().map_or(Some(1), |(_, word)| number(word))?;
    Day::real(year(numbers[own])?, month, day)
}

/// A date without the time beside it: `14:05`, `04.14.13`.
fn without_time(text: &str) -> String {
    let is_time = |word: &&str| word.contains(':') || word.split('.').filter(|part| number(part).is_some()).count() > 2;
    text.split_whitespace().filter(|word| !is_time(word)).collect::<Vec<&str>>().join(" ")
}

/// `03.2026`, `2026-03`.
fn of_month(text: &str) -> Option<Day> {
    let numbers = is_month(text).then(|| runs(text))?;
    let of_year = numbers.iter().find(|run| is_year(run))?;
    let month = numbers.iter().find(|run| run.len() <= 2)?;
    Day::real(number(of_year)?, number(month)?, 1)
}

/// `Q1 2026`, `2026-W12`.
fn of_period(text: &str) -> Option<Day> {
    let runs = is_period(text).then(|| runs(text))?;
    let numbers: Vec<&String> = runs.iter().filter(|run| number(run).is_some()).collect();
    let own = numbers.iter().position(|run| is_year(run)).unwrap_or(numbers.len().checked_sub(1)?);
    let count = number(numbers.iter().enumerate().find(|(place, _)| *place != own)?.1)?;
    let is_week = runs.iter().any(|run| ["w", "kw", "cw", "week", "woche", "semaine"].contains(&run.as_str()));
    let is_half = runs.iter().any(|run| ["h", "s"].contains(&run.as_str()));
    let before = count.checked_sub(1)?;
    let year = year(numbers[own])?;
    if is_week {
        let begun = Timestamp::from_rfc3339(&format!("{year:04}-01-01T00:00:00Z"))?;
        let days = before.checked_mul(7).filter(|days| *days < 366)? + LATE_WEEK;
        return Some(Day::at(begun.plus(u64::from(days) * DAY).0));
    }
    Day::real(year, before.checked_mul(if is_half { 6 } else { 3 })? + 1, 1)
}

/// `2026年3月1日`, in the numbers of the west.
fn with_units(text: &str) -> Option<Day> {
    let numbers: Vec<String> =
        has_units(text).then(|| runs(text))?.into_iter().filter(|run| number(run).is_some()).collect();
    let part = |place: usize| numbers.get(place).map_or(Some(1), |text| number(text));
    Day::real(year(numbers.first().filter(|text| text.len() == 4)?)?, part(1)?, part(2)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_begins_with_its_first_day_and_is_the_latest_that_can_be_meant() {
        for (text, expected) in [
            ("2026-01-31", Some(Day(2026, 1, 31))),
            ("2026-01-31T23:00:00.5+0100", Some(Day(2026, 1, 31))),
            ("2026-01-31 10:00:00 UTC", Some(Day(2026, 1, 31))),
            ("31.1.2026", Some(Day(2026, 1, 31))),
            ("1. 3. 2026", Some(Day(2026, 3, 1))),
            ("2026. 3. 1.", Some(Day(2026, 3, 1))),
            ("2.11.2026", Some(Day(2026, 11, 2))),
            ("1/31/26", Some(Day(2026, 1, 31))),
            ("2/11/2026", Some(Day(2026, 11, 2))),
            ("11/2/2026", Some(Day(2026, 11, 2))),
            ("26-03-01", Some(Day(2026, 3, 1))),
            ("28.02.25", Some(Day(2025, 2, 28))),
            ("27.11.26", Some(Day(2026, 11, 27))),
            ("27. 11. 26.", Some(Day(2026, 11, 27))),
            ("26.3.15", Some(Day(2015, 3, 26))),
            ("32.3.15", Some(Day(2032, 3, 15))),
            ("27-NOV-26 04.14.13.000000 AM", Some(Day(2026, 11, 27))),
            ("27 Nov 26 04:14", Some(Day(2026, 11, 27))),
            ("Nov 26, 2026, 4:00 PM", Some(Day(2026, 11, 26))),
            ("Fri Nov 27 04:00:00 UTC 2026", Some(Day(2026, 11, 27))),
            ("Dec 27 14:05", None),
            ("27 Dec 14:05:09", None),
            ("Dec 27 04.14.13", None),
            ("Dec 27 14h05", None),
            ("Dec 12", None),
            ("20260131103000", Some(Day(2026, 1, 31))),
            ("20260131T103000Z", Some(Day(2026, 1, 31))),
            ("31 January 2026", Some(Day(2026, 1, 31))),
            ("Jan 31, 2026", Some(Day(2026, 1, 31))),
            ("31-Jan-26", Some(Day(2026, 1, 31))),
            ("Mon, 02 Mar 2026 10:00:00 GMT", Some(Day(2026, 3, 2))),
            ("1er mars 2026", Some(Day(2026, 3, 1))),
            ("31st December 2026", Some(Day(2026, 12, 31))),
            ("Mrz-26", Some(Day(2026, 3, 1))),
            ("May 2026", Some(Day(2026, 5, 1))),
            ("03.2026", Some(Day(2026, 3, 1))),
            ("2026-03", Some(Day(2026, 3, 1))),
            ("2026", Some(Day(2026, 1, 1))),
            ("Q4 2026", Some(Day(2026, 10, 1))),
            ("2026-Q1", Some(Day(2026, 1, 1))),
            ("Q1/26", Some(Day(2026, 1, 1))),
            ("1. Quartal 2026", Some(Day(2026, 1, 1))),
            ("2026-H2", Some(Day(2026, 7, 1))),
            ("2026-W01", Some(Day(2026, 1, 4))),
            ("KW 12 2026", Some(Day(2026, 3, 22))),
            ("2026年3月1日", Some(Day(2026, 3, 1))),
            ("2026年3月", Some(Day(2026, 3, 1))),
            ("1767225600", Some(Day(2026, 1, 1))),
            ("1767225600.5", Some(Day(2026, 1, 1))),
            ("1767225600000", Some(Day(2026, 1, 1))),
            ("46022", Some(Day(2025, 12, 31))),
            ("46022.75", Some(Day(2025, 12, 31))),
            ("9999-12-31", Some(Day(9999, 12, 31))),
            ("0001-01-01T00:00:00", Some(Day(1, 1, 1))),
            ("1.1.70", Some(Day(1970, 1, 1))),
            ("1/1/00", Some(Day(1900, 1, 1))),
            ("1. Januar 1900", Some(Day(1900, 1, 1))),
            ("0000-00-00", None),
            ("-0001-11-30", None),
            ("2026-13-45", None),
            ("-62135596800", None),
            ("3 people complained", None),
            ("2 weeks ago", None),
            ("1.2.3", None),
            ("86400", None),
            ("soon", None),
            ("march", None),
            ("set 12", None),
            ("W99 2026", None),
            ("", None),
        ] {
            assert_eq!(Day::of(text), expected, "{text}");
        }
    }

    #[test]
    fn no_day_is_one_of_which_nobody_can_have_withdrawn_a_hash() {
        for (text, expected) in [
            ("0001-01-01", true),
            ("1601-01-01", true),
            ("1753-01-01", true),
            ("1899-12-30", true),
            ("1900-01-01", true),
            ("1969-12-31T16:00:00-08:00", true),
            ("1970-01-01", true),
            ("1980-01-01", true),
            ("2000-01-01", true),
            ("2001-01-01", true),
            ("2001-01-02", false),
            ("1990-01-01", false),
        ] {
            assert_eq!(Day::of(text).map(Day::is_none), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_day_has_begun_once_it_has_somewhere() {
        let at = |text: &str| Day::begun(Timestamp::from_rfc3339(text).unwrap());
        assert_eq!(at("2026-01-31T09:59:59Z"), Day(2026, 1, 31));
        assert_eq!(at("2026-01-31T10:00:00Z"), Day(2026, 2, 1));
    }
}
