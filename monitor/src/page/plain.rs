//! Words of rules and findings, as people read them: times to the minute, durations in units, fields by plain names.
//! The report keeps the exact words, which programs and experts go by.

use crate::units;
use isonomy_core::charter::RECORD_QUESTIONS;
use isonomy_core::time::Timestamp;
use maud::{Markup, html};

/// The fields of a charter that words of rules name, and what they are for people.
const FIELDS: [(&str, &str); 29] = [
    ("action.most", "the strongest action"),
    ("action.recipients", "recipients of reports"),
    ("curation.curators", "curators"),
    ("curation.min_jurisdictions", "the least number of jurisdictions"),
    ("curation.threshold", "the least number of curators"),
    ("limits.max_added", "the most entries added per release"),
    ("limits.max_entries", "the most entries"),
    ("limits.min_interval", "the time between releases that add"),
    ("limits.min_visibility", "the time in public before use"),
    ("limits.notice", "the time of notice"),
    ("limits.validity", "the time of validity"),
    ("maintainer.contact", "the maintainer’s contact"),
    ("maintainer.jurisdiction", "the maintainer’s jurisdiction"),
    ("maintainer.keys", "the maintainer’s keys"),
    ("maintainer.name", "the maintainer’s name"),
    ("matching.algorithm", "the algorithm"),
    ("matching.max_distance", "the greatest distance"),
    ("matching.min_quality", "the least quality"),
    ("purpose.aim", "the aim"),
    ("purpose.code", "the purpose"),
    ("purpose.definition", "the definition"),
    ("purpose.exclusions", "what is never listed"),
    ("purpose.self_generated", "the clause on self-generated content"),
    ("purpose.statutes", "statutes"),
    ("purpose.victims", "the clause on victims"),
    ("reach.jurisdictions", "jurisdictions"),
    ("reach.surfaces", "where matching is allowed"),
    ("redress.complaints", "where to complain"),
    ("redress.removal_deadline", "the time to remove a wrong entry"),
];

/// The length of a time like `2026-01-31T23:59:59Z`.
const TIME: usize = 20;

/// The words for people, as a sentence begins.
pub(super) fn plain(words: &str) -> String {
    let words = with_units(&with_fields(&with_times(words)));
    units::sentence(&words)
}

/// The same as text of a page, in which times are not broken over lines.
pub(super) fn prose(words: &str) -> Markup {
    let words = plain(words);
    let (mut parts, mut rest): (Vec<(&str, bool)>, &str) = (Vec::new(), &words);
    while let Some(at) = rest.find(" UTC") {
        let (before, after) = rest.split_at(at + 4);
        let start = before.len().checked_sub(TIME).filter(|start| before.get(*start..).is_some_and(is_minute));
        let (text, time) = before.split_at(start.unwrap_or(before.len()));
        parts.extend([(text, false), (time, true)]);
        rest = after;
    }
    parts.push((rest, false));
    html! { @for (part, is_time) in parts { @if is_time && !part.is_empty() { span class="whole" { (part) } } @else { (coded(part)) } } }
}

/// Text in which what stands between backticks is code.
fn coded(text: &str) -> Markup {
    let parts: Vec<&str> = text.split('`').collect();
    // An odd one is a character like any other.
    if parts.len().is_multiple_of(2) {
        return html! { (text) };
    }
    html! { @for (at, part) in parts.into_iter().enumerate() { @if at % 2 == 1 { code { (part) } } @else { (part) } } }
}

/// Whether this is a time as [`minute`] shows it.
fn is_minute(text: &str) -> bool {
    let exact = text.strip_suffix(" UTC").map(|minute| format!("{}:00Z", minute.replace(' ', "T")));
    exact.is_some_and(|exact| Timestamp::from_rfc3339(&exact).is_some())
}

fn with_times(words: &str) -> String {
    let (mut shown, mut rest) = (String::with_capacity(words.len()), words);
    while let Some(next) = rest.chars().next() {
        let exact = rest.get(..TIME).filter(|text| Timestamp::from_rfc3339(text).is_some());
        let length = match exact {
            Some(exact) => {
                shown.push_str(&minute(exact));
                TIME
            }
            None => {
                shown.push(next);
                next.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    shown
}

/// A time in its exact form, to the minute.
pub(super) fn minute(exact: &str) -> String {
    let (date, clock) = exact.split_once('T').unwrap_or((exact, ""));
    format!("{date} {} UTC", clock.get(..5).unwrap_or_default())
}

/// Names of fields in plain words, where a word begins with one.
fn with_fields(words: &str) -> String {
    let plain = |word: &str| {
        let start = word.strip_prefix('(').map_or("", |_| "(");
        let path = word.trim_start_matches('(').trim_end_matches([':', ',', ';', ')', '.']);
        let name = named(path)?;
        let end = word.get(start.len() + path.len()..)?;
        Some((format!("{start}{name}{end}"), is_duration(path)))
    };
    let mut shown: Vec<String> = Vec::new();
    // After a field that is a duration stands `from A to B`, in seconds.
    let mut seconds_at = None;
    for (at, word) in words.split(' ').enumerate() {
        let is_seconds = seconds_at.is_some_and(|field| at == field + 2 || at == field + 4);
        match plain(word) {
            Some((name, is_duration)) => {
                shown.push(name);
                seconds_at = is_duration.then_some(at);
            }
            None if is_seconds => shown.push(in_units(word).unwrap_or_else(|| word.to_owned())),
            None => shown.push(word.to_owned()),
        }
    }
    shown.join(" ")
}

/// What the field at this path is for people; of the record, what its answer is to.
fn named(path: &str) -> Option<String> {
    let of_record = |path: &str| {
        let (part, name) = path.split_once('.')?;
        let (.., question) = RECORD_QUESTIONS.iter().find(|(of, field, _)| (*of, *field) == (part, name))?;
        Some(format!("the answer to “{question}”"))
    };
    match path.strip_prefix("record.") {
        Some(of) => of_record(of),
        None => FIELDS.iter().find(|(field, _)| *field == path).map(|(_, name)| (*name).to_owned()),
    }
}

fn is_duration(field: &str) -> bool {
    matches!(
        field,
        "limits.min_interval"
            | "limits.min_visibility"
            | "limits.notice"
            | "limits.validity"
            | "redress.removal_deadline"
    )
}

/// A number of seconds, with what follows it, in units.
fn in_units(word: &str) -> Option<String> {
    let digits = word.trim_end_matches(|c: char| !c.is_ascii_digit());
    let rest = word.get(digits.len()..)?;
    Some(units::duration(digits.parse().ok()?) + rest)
}

/// Durations such as `90000 s` in units.
fn with_units(words: &str) -> String {
    let mut shown: Vec<String> = Vec::new();
    for word in words.split(' ') {
        let after = word.strip_prefix('s').filter(|rest| !rest.starts_with(char::is_alphanumeric));
        let seconds = shown.last().and_then(|last| last.parse().ok());
        match (after, seconds) {
            (Some(after), Some(seconds)) => {
                shown.pop();
                shown.push(units::duration(seconds) + after);
            }
            _ => shown.push(word.to_owned()),
        }
    }
    shown.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn words_of_rules_become_plain() {
        for (exact, shown) in [
            ("", ""),
            ("public for 90 s of 86400 s", "Public for 90 seconds of 1 day"),
            ("matching.max_distance from 20 to 31", "The greatest distance from 20 to 31"),
            (
                "edition 2 widens the charter (limits.notice from 2592000 to 86400; reach.surfaces: adds \"private\"), \
                 public since 2026-11-22T03:50:12Z; it",
                "Edition 2 widens the charter (the time of notice from 30 days to 1 day; where matching is allowed: \
                 adds \"private\"), public since 2026-11-22 03:50 UTC; it",
            ),
            ("the limits.noticed 3 sheep", "The limits.noticed 3 sheep"),
        ] {
            assert_eq!(plain(exact), shown);
        }
    }

    #[test]
    fn times_in_prose_stay_whole() {
        let shown = prose("a <b> at 2026-11-22T03:50:12Z; UTC is <i>").into_string();
        assert_eq!(shown, "A &lt;b&gt; at <span class=\"whole\">2026-11-22 03:50 UTC</span>; UTC is &lt;i&gt;");
        assert_eq!(prose("no time").into_string(), "No time");
        assert_eq!(prose("raise `a_b` & wait").into_string(), "Raise <code>a_b</code> &amp; wait");
        assert_eq!(prose("a ` b").into_string(), "A ` b", "an odd one is a character like any other");
    }

    #[test]
    fn every_field_that_an_amendment_can_name_has_a_plain_name_once() {
        assert!(FIELDS.is_sorted_by(|one, other| one.0 < other.0));
        assert!(FIELDS.iter().all(|(field, name)| field.contains('.') && !name.contains('_')));
    }

    proptest! {
        #[test]
        fn any_words_can_be_shown(words in "\\PC{0,80}") {
            plain(&words);
        }
    }
}
