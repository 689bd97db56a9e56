//! Columns of a table that are not read: which there are, and whether one of them may say that a row does not count any more.
//!
//! No list of names knows every word for what is gone. So a column that is not read is looked at, and if all its values are such as a
//! mark has (yes or no, a sign, a date), the table is refused until somebody says that the column tells nothing of that
//! (`--ignore-column`). A column is excused by its name alone where the name says what such values mean: `file`, `width: 1`,
//! `added_on: 2026-01-01`. A date without more, such as in `date`, has to stand in every row: on some alone, it marks them.

use super::ImportError;
use super::columns::Columns;
use super::record::plain;
use super::state::{NO, YES};
use serde::Serialize;
use std::collections::BTreeMap;

/// The most values of a column that an error shows.
const EXAMPLES: usize = 3;
/// The longest value that a mark has.
const LONGEST: usize = 40;
/// What stands where there is nothing to say.
const NOTHING: [&str; 6] = ["none", "null", "nil", "na", "nan", "undefined"];
/// Yes and no in other languages than that of `state`, and what stands for them.
const OTHER_ANSWERS: [&str; 17] =
    ["ja", "nein", "oui", "non", "si", "sim", "nao", "tak", "nie", "da", "net", "nej", "hai", "ok", "on", "off", "set"];
/// Names of columns that hold any text, also one that looks like a mark.
const TEXTS: [&str; 8] = ["name", "path", "title", "url", "uri", "folder", "filename", "source"];
/// Names of columns that hold numbers, among which there may be nothing but 0 and 1.
const NUMBERS: [&str; 18] = [
    "width", "height", "size", "bytes", "length", "duration", "frame", "frames", "norm", "delta", "page", "pages",
    "index", "number", "row", "line", "count", "distance",
];
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
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// A column that is not read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct UnreadColumn {
    /// Its name; its number, from 1, if it has none.
    pub name: String,
    /// How many rows have a value in it.
    pub rows: u64,
}

/// What a value is, as far as it could be a mark.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Value {
    /// A dash, which may be a mark or stand for nothing.
    Dash,
    /// 0 or 1.
    Bit,
    /// Yes, no, or a sign.
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
    values: u64,
    /// The kinds of values that were seen, each once.
    seen: Vec<Value>,
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
        if !columns.is_watched || !columns.states.is_empty() {
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
        let marks = columns.values().find(|column| column.may_mark(rows));
        let refused = marks.map_or(Ok(()), |column| {
            Err(ImportError::UnreadMarks { name: column.name.clone(), values: column.examples.join(", ") })
        });
        let unread = columns.into_values().map(|column| UnreadColumn { name: column.name, rows: column.values });
        (unread.collect(), refused)
    }
}

impl Column {
    fn new(name: String) -> Self {
        Self { name, values: 0, seen: Vec::new(), examples: Vec::new() }
    }

    fn look_at(&mut self, field: &[u8]) {
        let field = field.trim_ascii();
        if field.is_empty() {
            return;
        }
        self.values += 1;
        // What can't be a mark any more stays so.
        if self.seen == [Value::Other] {
            return;
        }
        let text = String::from_utf8_lossy(field);
        match value(text.trim()) {
            None => {}
            Some(Value::Other) => self.seen = vec![Value::Other],
            Some(value) => {
                if !self.seen.contains(&value) {
                    self.seen.push(value);
                }
                let example = format!("{:?}", text.trim());
                if self.examples.len() < EXAMPLES && !self.examples.contains(&example) {
                    self.examples.push(example);
                }
            }
        }
    }

    /// Whether all its values are such as a mark has, and its name does not say what else they mean.
    fn may_mark(&self, rows: u64) -> bool {
        let only = |values: &[Value]| self.seen.iter().all(|seen| values.contains(seen));
        let name = plain(&self.name);
        let is_excused = || {
            is_text(&name)
                || is_number(&name) && only(&[Value::Dash, Value::Bit, Value::Seconds])
                || is_origin(&name) && only(&[Value::Dash, Value::Date, Value::Seconds])
                || DATES.contains(&name.as_str()) && self.values == rows && only(&[Value::Date, Value::Seconds])
        };
        !self.seen.is_empty() && !only(&[Value::Other]) && !is_excused()
    }
}

fn is_text(name: &str) -> bool {
    TEXTS.contains(&name) || name.contains("file")
}

fn is_number(name: &str) -> bool {
    NUMBERS.contains(&name) || name.ends_with("id") || name.ends_with("count")
}

fn is_origin(name: &str) -> bool {
    let between = |start: &str, end: &str| name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    let is_one = |start: &str| AFTER.iter().any(|end| between(start, end).is_some_and(|word| ORIGINS.contains(&word)));
    BEFORE.iter().any(|start| is_one(start))
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
        "" if text.trim_matches(['-', '–', '—']).is_empty() => Value::Dash,
        "" => Value::Mark,
        "0" | "1" => Value::Bit,
        _ if is_answer() || is_letter() => Value::Mark,
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
            ("False", Some(Value::Mark)),
            ("Nein", Some(Value::Mark)),
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
