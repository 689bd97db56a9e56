//! Numbers and durations, as people read them.

/// A duration, in the largest unit of which there are at least two, or which divides it.
pub(crate) fn duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let fits = |(unit, _): &&(u64, &str)| seconds >= 2 * unit || (seconds >= *unit && seconds.is_multiple_of(*unit));
    let (unit, name) = UNITS.iter().find(fits).copied().unwrap_or((1, "second"));
    let count = seconds / unit;
    let about = if seconds.is_multiple_of(unit) { "" } else { "about " };
    format!("{about}{} {name}{}", number(count), if count == 1 { "" } else { "s" })
}

/// A number, its digits in groups of three.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// A number in few characters, for example `1.2k`, `100k`, `2M`.
pub(crate) fn compact(number: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")];
    let Some((unit, name)) = UNITS.iter().find(|(unit, _)| number >= *unit) else { return number.to_string() };
    match (number / unit, number % unit * 10 / unit) {
        (whole, 0) => format!("{whole}{name}"),
        (whole, tenth) => format!("{whole}.{tenth}{name}"),
    }
}

/// A duration in few characters, for example `30s`, `12h`.
pub(crate) fn short_duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3600, "h"), (60, "min")];
    match UNITS.iter().find(|(unit, _)| seconds >= 2 * unit) {
        Some((unit, name)) => format!("{}{name}", seconds / unit),
        None => format!("{seconds}s"),
    }
}

/// The words with a capital letter at the start.
pub(crate) fn sentence(words: &str) -> String {
    // An address is what it is.
    if words.split(' ').next().is_some_and(|first| first.contains("://")) {
        return words.to_owned();
    }
    let mut rest = words.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// So many entries.
pub(crate) fn entries(count: u64) -> String {
    self::count(usize::try_from(count).unwrap_or(usize::MAX), "entry", "entries")
}

/// So many of something, for example `1 breach` or `3 breaches`.
pub fn count(count: usize, one: &str, many: &str) -> String {
    format!("{} {}", number(count as u64), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_begin_with_a_capital() {
        assert_eq!([sentence(""), sentence("é 1"), sentence("3 a")], ["", "É 1", "3 a"]);
        assert_eq!(sentence("http://a/ is down"), "http://a/ is down");
    }

    #[test]
    fn numbers_and_durations() {
        assert_eq!([number(0), number(999), number(1000), number(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([compact(0), compact(999), compact(1500), compact(200_000)], ["0", "999", "1.5k", "200k"]);
        assert_eq!([short_duration(2), short_duration(43_200), short_duration(172_800)], ["2s", "12h", "2d"]);
        for (seconds, words) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (60, "1 minute"),
            (90, "90 seconds"),
            (3600, "1 hour"),
            (5400, "90 minutes"),
            (86_400, "1 day"),
            (100_000, "about 27 hours"),
            (2_592_000, "30 days"),
        ] {
            assert_eq!(duration(seconds), words);
        }
        assert_eq!([count(1, "breach", "breaches"), count(0, "breach", "breaches")], ["1 breach", "0 breaches"]);
    }
}
