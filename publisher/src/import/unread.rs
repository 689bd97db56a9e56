//! Columns of a table that are not read: which there are, and whether one of them may say that a row does not count any more.
//!
//! No list of names knows every word for what is gone. So a column that is not read is looked at, in the rows that are taken. If at
//! least half of its values are such as a mark has (yes or no, a sign, a date), or if it has a few short values of which one is such,
//! the table is refused until somebody says that the column tells nothing of that (`--ignore-column`). A column is excused by its name
//! alone where the name says what such values mean: `file`, `width: 1`, `added_on: 2026-01-01`; no name means yes or no by a text. A
//! date without more, such as in `date`, has to stand in every row: on some alone, it marks them.

use super::ImportError;
use super::columns::Columns;
use super::record::plain;
use super::state::{NO, YES};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The most values of a column that an error shows.
const EXAMPLES: usize = 3;
/// The longest value that a mark has.
const LONGEST: usize = 40;
/// So many values that differ are few, if none of them is longer than a word or two.
const FEW: usize = 4;
const SHORT: usize = 24;
/// What stands where there is nothing to say.
const NOTHING: [&str; 6] = ["none", "null", "nil", "na", "nan", "undefined"];
/// Yes and no in other languages than that of `state`, and what stands for them.
const OTHER_ANSWERS: [&str; 29] = [
    "ja",
    "nein",
    "wahr",
    "falsch",
    "oui",
    "non",
    "vrai",
    "faux",
    "si",
    "sim",
    "nao",
    "não",
    "verdadero",
    "falso",
    "vero",
    "tak",
    "nie",
    "prawda",
    "fałsz",
    "waar",
    "onwaar",
    "da",
    "net",
    "nej",
    "hai",
    "ok",
    "on",
    "off",
    "set",
];
/// Names of columns that hold any text, also one that looks like a mark.
const TEXTS: [&str; 6] = ["name", "title", "url", "uri", "folder", "source"];
/// The same of names of files, where a word such as `removed` says nothing either.
const FILES: [&str; 4] = ["file", "filename", "path", "filepath"];
/// Names of columns that hold numbers, among which there may be nothing but 0 and 1.
const NUMBERS: [&str; 17] = [
    "width", "height", "size", "bytes", "length", "duration", "frame", "frames", "norm", "delta", "page", "pages",
    "index", "number", "row", "line", "distance",
];
/// Words at the end of such a name.
const NUMBERED: [&str; 2] = ["id", "count"];
/// What came of a record, in names of columns that say when that was and nothing else.
const ORIGINS: [&str; 31] = [
    "added",
    "created",
    "creation",
    "updated",
    "update",
    "modified",
    "modification",
    "lastmod",
    "changed",
    "uploaded",
    "upload",
    "inserted",
    "ingested",
    "imported",
    "hashed",
    "reported",
    "received",
    "seen",
    "observed",
    "submitted",
    "collected",
    "generated",
    "exported",
    "downloaded",
    "posted",
    "published",
    "discovered",
    "detected",
    "captured",
    "taken",
    "recorded",
];
/// Around those.
const BEFORE: [&str; 7] = ["", "first", "last", "date", "time", "datetime", "timestamp"];
const AFTER: [&str; 9] = ["", "on", "at", "date", "time", "datetime", "timestamp", "since", "utc"];
/// Names of dates that say nothing of what was then.
const DATES: [&str; 5] = ["date", "time", "datetime", "timestamp", "ts"];
/// Parts of names of columns in which a number may be a date as programs for tables count it, in days.
const IN_DAYS: [&str; 4] = ["date", "until", "valid", "expir"];
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A column that is not read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct UnreadColumn {
    /// Its name; its number, from 1, if it has none.
    pub name: String,
    /// How many of the rows that were taken have a value in it.
    pub rows: u64,
}

/// A column that is not read and may say which rows don't count any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarkingColumn {
    /// Its name; its number, from 1, if it has none.
    pub name: String,
    /// The first of its values.
    pub values: String,
}

/// What a value is, as far as it could be a mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Value {
    /// A dash, which may be a mark or stand for nothing.
    Dash,
    /// 0 or 1.
    Bit,
    /// Yes or no.
    Answer,
    /// A sign, or a letter.
    Mark,
    /// A date, as it is written.
    Date,
    /// A number that may be the seconds of a date.
    Seconds,
    /// What no mark looks like.
    Other,
}

/// The columns that are not read, by their places.
pub(super) struct Unread {
    rows: u64,
    columns: BTreeMap<usize, Column>,
    /// The same beyond those of the first line.
    beyond: BTreeMap<usize, Column>,
}

struct Column {
    name: String,
    /// Whether a number in it may be a date.
    may_count_days: bool,
    values: u64,
    /// How many of them may be marks, and how many can't; dashes are neither.
    marks: u64,
    others: u64,
    /// The kinds of values that were seen and may be marks, each once.
    seen: Vec<Value>,
    /// The first values, each once, but dashes.
    distinct: BTreeSet<String>,
    has_long: bool,
    examples: Vec<String>,
}

impl Unread {
    /// Of a table with these columns.
    pub(super) fn of(columns: &Columns) -> Self {
        let named = columns.unread.iter().map(|(place, name)| (*place, Column::new(name.clone())));
        Self { rows: 0, columns: named.collect(), beyond: BTreeMap::new() }
    }

    /// Looks at the columns of a row.
    pub(super) fn look_at(&mut self, row: &csv::ByteRecord) {
        self.rows += 1;
        for (place, column) in &mut self.columns {
            column.look_at(row.get(*place).unwrap_or_default());
        }
    }

    /// Looks at the fields of a row beyond the columns, which are columns without a name, where no row is refused for having some.
    pub(super) fn look_beyond(&mut self, row: &csv::ByteRecord, columns: &Columns) {
        if !columns.states.is_empty() {
            return;
        }
        for (place, field) in row.iter().enumerate().skip(columns.count) {
            if !field.trim_ascii().is_empty() && !columns.unheard.contains(&place) {
                self.beyond.entry(place).or_insert_with(|| Column::new((place + 1).to_string())).look_at(field);
            }
        }
    }

    /// The columns; an error if one of them may say what is not heard.
    pub(super) fn finish(self) -> (Vec<UnreadColumn>, Result<(), ImportError>) {
        let Self { rows, mut columns, beyond } = self;
        columns.extend(beyond);
        let marks = columns.values().filter(|column| column.may_mark(rows));
        let marks: Vec<MarkingColumn> = marks.map(Column::marking).collect();
        let refused = if marks.is_empty() { Ok(()) } else { Err(ImportError::UnreadMarks(marks)) };
        let unread = columns.into_values().map(|column| UnreadColumn { name: column.name, rows: column.values });
        (unread.collect(), refused)
    }
}

impl Column {
    fn new(name: String) -> Self {
        let plain = plain(&name).replace("update", "");
        Self {
            may_count_days: IN_DAYS.iter().any(|part| plain.contains(part)),
            name,
            values: 0,
            marks: 0,
            others: 0,
            seen: Vec::new(),
            distinct: BTreeSet::new(),
            has_long: false,
            examples: Vec::new(),
        }
    }

    fn look_at(&mut self, field: &[u8]) {
        let field = field.trim_ascii();
        if field.is_empty() {
            return;
        }
        self.values += 1;
        let text = String::from_utf8_lossy(field);
        let text = text.trim();
        let Some(value) = value(text) else { return };
        let value = if self.may_count_days && is_days(text) { Value::Date } else { value };
        if value != Value::Dash {
            self.has_long |= text.len() > SHORT;
            // One more than a few is many.
            if !self.has_long && self.distinct.len() <= FEW {
                self.distinct.insert(text.to_lowercase());
            }
        }
        match value {
            Value::Other => return self.others += 1,
            Value::Dash => {}
            _ => self.marks += 1,
        }
        if !self.seen.contains(&value) {
            self.seen.push(value);
        }
        let example = format!("{text:?}");
        if self.examples.len() < EXAMPLES && !self.examples.contains(&example) {
            self.examples.push(example);
        }
    }

    /// Whether its values are such as a column of marks has, and its name does not say what else they mean.
    fn may_mark(&self, rows: u64) -> bool {
        let only = |values: &[Value]| self.seen.iter().all(|seen| values.contains(seen));
        let name = plain(&self.name);
        let is_excused = || {
            is_text(&name) && !self.seen.contains(&Value::Answer)
                || is_number(&self.name) && only(&[Value::Dash, Value::Bit, Value::Seconds])
                || is_origin(&name) && only(&[Value::Dash, Value::Date, Value::Seconds])
                || DATES.contains(&name.as_str()) && self.values == rows && only(&[Value::Date, Value::Seconds])
        };
        self.has_marks() && !is_excused()
    }

    fn has_marks(&self) -> bool {
        if self.others == 0 {
            return !self.seen.is_empty();
        }
        let are_few = !self.has_long && self.distinct.len() <= FEW;
        self.marks >= self.others || self.marks > 0 && are_few
    }

    fn marking(&self) -> MarkingColumn {
        MarkingColumn { name: self.name.clone(), values: self.examples.join(", ") }
    }
}

/// Whether a field has nothing to say: it is empty, or has a word or a dash that stands for that.
pub(super) fn says_nothing(field: &[u8]) -> bool {
    let text = String::from_utf8_lossy(field);
    is_dash(&text) || NOTHING.contains(&plain(&text).as_str())
}

fn is_dash(text: &str) -> bool {
    text.trim().trim_matches(['-', '–', '—']).is_empty()
}

/// Whether a column of this name, as [`plain`] gives it, holds names of files or the like.
pub(super) fn is_of_files(name: &str) -> bool {
    FILES.contains(&name)
}

fn is_text(name: &str) -> bool {
    TEXTS.contains(&name) || is_of_files(name)
}

/// Whether a column of this name, as it is written, holds numbers. `void` and `valid` end with no word.
fn is_number(name: &str) -> bool {
    let last = words(name).pop().unwrap_or_default();
    NUMBERS.contains(&plain(name).as_str()) || NUMBERED.contains(&last.as_str())
}

/// The words of a name, which are separated by what is no letter or digit, or begin with a capital: `descriptor_id`, `memberId`.
fn words(name: &str) -> Vec<String> {
    let (mut words, mut was_small) = (vec![String::new()], false);
    for letter in name.chars() {
        if !letter.is_alphanumeric() || was_small && letter.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_alphanumeric()) {
            word.extend(letter.to_lowercase());
        }
        was_small = letter.is_lowercase() || letter.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_origin(name: &str) -> bool {
    let between = |start: &str, end: &str| name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    let is_one = |start: &str| AFTER.iter().any(|end| between(start, end).is_some_and(|word| ORIGINS.contains(&word)));
    BEFORE.iter().any(|start| is_one(start))
}

/// Whether a number may be the days of a date between 2009 and 2064, as programs for tables count them.
fn is_days(text: &str) -> bool {
    text.len() == 5 && text.parse().is_ok_and(|days: u32| (40_000..=60_000).contains(&days))
}

/// Whether a text is a time: a date, or seconds.
pub(super) fn is_time(text: &str) -> bool {
    is_seconds(text) || is_date(text)
}

/// What a value is; `None` if it says nothing.
fn value(text: &str) -> Option<Value> {
    if text.len() > LONGEST {
        return Some(Value::Other);
    }
    let word = plain(text);
    if NOTHING.contains(&word.as_str()) {
        return None;
    }
    let is_answer = || [&YES[..], &NO, &OTHER_ANSWERS].concat().contains(&word.as_str());
    // One letter is a sign, too: x, A for added, D for deleted.
    let is_letter = || word.chars().count() == 1 && !word.chars().any(|letter| letter.is_ascii_digit());
    Some(match word.as_str() {
        "" if is_dash(text) => Value::Dash,
        "" => Value::Mark,
        "0" | "1" => Value::Bit,
        _ if is_letter() => Value::Mark,
        _ if is_answer() => Value::Answer,
        _ if is_seconds(text) => Value::Seconds,
        _ if is_date(text) => Value::Date,
        _ => Value::Other,
    })
}

/// Whether a number may be a time between 2001 and 2033, in seconds or thousandths of them.
fn is_seconds(text: &str) -> bool {
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    digits && matches!(whole.len(), 10 | 13) && whole.starts_with('1')
}

/// Whether a text is a date, with a time or without: `2026-01-31`, `31.1.2026`, `1/31/26`, `20260131`, `31 January 2026`.
fn is_date(text: &str) -> bool {
    let date = text.split(['T', 't', ' ']).next().unwrap_or_default();
    let is_day = |parts: &[&str]| {
        let sizes: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let is_year = |size: usize| size == 4 || size == 2;
        parts.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
            && matches!(sizes[..], [first, 1..=2, last] if is_year(first) && last <= 2 || first <= 2 && is_year(last))
    };
    // A version or an address has points, too, and no year of four digits.
    let is_split = |mark: char| {
        let parts: Vec<&str> = date.split(mark).collect();
        is_day(&parts) && (mark != '.' || parts.iter().any(|part| part.len() == 4))
    };
    ['-', '/', '.'].into_iter().any(is_split) || is_compact(date) || has_month(text)
}

/// `20260131`.
fn is_compact(date: &str) -> bool {
    let number = |digits: Option<&str>| digits.and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0);
    date.len() == 8
        && date.bytes().all(|byte| byte.is_ascii_digit())
        && (1900..2200).contains(&number(date.get(..4)))
        && (1..=12).contains(&number(date.get(4..6)))
        && (1..=31).contains(&number(date.get(6..)))
}

/// `31 January 2026`, `Jan 31, 2026`, `31-Jan-26`.
fn has_month(text: &str) -> bool {
    let words: Vec<String> = text.split(|letter: char| !letter.is_alphanumeric()).map(plain).collect();
    let is_month = |word: &String| {
        word.chars().all(char::is_alphabetic) && word.len() <= 9 && MONTHS.iter().any(|month| word.starts_with(month))
    };
    let is_number = |word: &&String| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    words.iter().any(is_month) && words.iter().filter(is_number).count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_marks_dates_or_texts() {
        for (text, expected) in [
            ("null", None),
            ("N/A", None),
            ("-", Some(Value::Dash)),
            ("—", Some(Value::Dash)),
            ("+", Some(Value::Mark)),
            ("✓", Some(Value::Mark)),
            ("x", Some(Value::Mark)),
            ("D", Some(Value::Mark)),
            ("False", Some(Value::Answer)),
            ("Nein", Some(Value::Answer)),
            ("WAHR", Some(Value::Answer)),
            ("Fałsz", Some(Value::Answer)),
            ("46022", Some(Value::Other)),
            ("0", Some(Value::Bit)),
            ("1767225600", Some(Value::Seconds)),
            ("1767225600.5", Some(Value::Seconds)),
            ("1767225600000", Some(Value::Seconds)),
            ("2026-01-31", Some(Value::Date)),
            ("2026-01-31T10:00:00Z", Some(Value::Date)),
            ("2026-01-31 10:00:00+01:00", Some(Value::Date)),
            ("31.1.2026", Some(Value::Date)),
            ("1/31/26", Some(Value::Date)),
            ("20260131", Some(Value::Date)),
            ("31 January 2026", Some(Value::Date)),
            ("Jan 31, 2026", Some(Value::Date)),
            ("1.2.3", Some(Value::Other)),
            ("192.168.0.1", Some(Value::Other)),
            ("99999999", Some(Value::Other)),
            ("7", Some(Value::Other)),
            ("640", Some(Value::Other)),
            ("10150000000000001", Some(Value::Other)),
            ("may be", Some(Value::Other)),
            ("a.jpg", Some(Value::Other)),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
        assert_eq!(value(&"1".repeat(LONGEST + 1)), Some(Value::Other));
    }

    #[test]
    fn names_excuse_what_they_explain() {
        for (name, values, rows, expected) in [
            ("is_csam", &["false"][..], 1, true),
            ("valid_until", &["2026-01-31", "null"], 2, true),
            ("valid_until", &["2026-01-31", "-"], 2, true),
            ("mark", &["-"], 1, true),
            ("mark", &["-", "see below"], 2, false),
            ("is_csam", &["no", "yes", "unsure"], 3, true),
            ("is_csam", &["no", "no, by a long text that nobody reads"], 2, true),
            ("is_csam", &["no", "see a", "see b", "see c", "see d"], 5, false),
            ("is_csam", &["no", "see a", "see b", "see c"], 4, true),
            ("is_csam", &["WAHR", "FALSCH"], 2, true),
            ("valid_from", &["46022", ""], 2, true),
            ("Date Added", &["46022", "46023"], 2, false),
            ("weight", &["46022"], 1, false),
            ("update_size", &["46022"], 1, false),
            ("void", &["0", "1"], 2, true),
            ("still_valid", &["0", "1"], 2, true),
            ("account", &["0", "1"], 2, true),
            ("account paid", &["0", "1"], 2, true),
            ("memberId", &["0", "1"], 2, false),
            ("View Count", &["0", "1"], 2, false),
            ("file_is_csam", &["yes", "no"], 2, true),
            ("profile", &["x"], 1, true),
            ("file_path", &["x", "a.jpg"], 2, false),
            ("File", &["yes"], 1, true),
            ("source", &["yes", "no", "a"], 3, true),
            ("width", &["1", "640"], 2, false),
            ("added_on", &["2026-01-31", "unknown"], 2, false),
            ("note", &["null"], 1, false),
            ("width", &["1"], 1, false),
            ("width", &["yes"], 1, true),
            ("descriptor_id", &["1596221265"], 1, false),
            ("file", &["x"], 1, false),
            ("added_on", &["2026-01-31"], 2, false),
            ("First Seen", &["1767225600"], 2, false),
            ("created", &["yes"], 1, true),
            ("date", &["2026-01-31"], 1, false),
            ("date", &["2026-01-31"], 2, true),
        ] {
            let mut column = Column::new(name.to_owned());
            values.iter().for_each(|value| column.look_at(value.as_bytes()));
            assert_eq!(column.may_mark(rows), expected, "{name}: {values:?}");
        }
    }
}
