//! Columns of a table that are not read: which there are, and whether one of them may say that a row does not count any more.
//!
//! No list of names knows every word for what is gone, and none every language. So a column that is not read is looked at, in the rows
//! that are taken. A table is refused until somebody says that the column tells nothing of that (`--ignore-column`), if
//!
//! - at least half of its values are such as a mark has (yes or no, a sign, a date), or it has few short values of which one is such;
//! - or it has few values at all, short or of several words, of which one comes again or is a single word, or a short one alone that stands in a part of the rows: `aktiv`
//!   and `gelöscht`, `live` and `retired`, or nothing but `supprimé` where that is meant, be it in one row;
//! - or it has more of them, up to as many as a state can have ([`MANY`]), if they are words, and there are half as many rows again: `aktiv`, `offen`, `geprüft`,
//!   `beanstandet`, `gelöscht`, `abgelaufen`.
//!
//! A column is excused by its name alone where the name says what such values mean: `file`, `width: 1`, `added_on: 2026-01-01`; no name
//! means yes or no by a text. A date without more, such as in `date`, has to stand in every row: on some alone, it marks them. What has
//! another value in each row (an id, an address, a free text, a number) is no column of marks. A date on which a record came, such as in
//! `added_on`, can't be one that has not come yet: then it says something else.
//!
//! A column that is read for some values alone (`type`) is watched like one that is not, once it has another. So are the fields that lines
//! name themselves (`label=…`).

use super::ImportError;
use super::columns::Columns;
use super::dates::{Day, is_date, is_days, is_seconds, is_year};
use super::record::{names_file, names_kind, plain, whole};
use super::state::{NO, YES};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The most values of a column that an error or a report shows.
const EXAMPLES: usize = 4;
/// The most columns that a report names.
const SHOWN: usize = 100;
/// The most names that the fields of lines have.
const MOST_FIELDS: usize = 64;
/// The longest value that a mark has, in characters.
const LONGEST: usize = 40;
/// So many values that differ are few, if no more than a tenth of all are longer than a word or two, or those that are come again.
const FEW: usize = 4;
/// So many words are those of a state, if there are half as many rows again, and a tenth of the values at most are no words.
const MANY: usize = 32;
/// Fewer values than those that differ may show by coming again.
const TOO_FEW: u64 = 2;
const SHORT: usize = 24;
const LONG_ARE_RARE: u64 = 10;
/// How much of a long value is compared, in characters.
const COMPARED: usize = 200;
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
/// Names of columns that hold one of few words, of which none means that something is gone.
const DESCRIPTIONS: [&str; 15] = [
    "mime",
    "mimetype",
    "contenttype",
    "mediatype",
    "filetype",
    "extension",
    "country",
    "countrycode",
    "language",
    "lang",
    "platform",
    "reporter",
    "uploader",
    "gender",
    "sex",
];
/// Words at the end of names of columns that hold free texts, of several words.
const NOTES: [&str; 8] = ["note", "notes", "comment", "comments", "remark", "remarks", "description", "caption"];
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
const NUMBERED: [&str; 2] = [ID, "count"];
const ID: &str = "id";
/// Before that word, what has many records.
const OWNERS: [&str; 30] = [
    "owner",
    "user",
    "case",
    "source",
    "member",
    "reporter",
    "uploader",
    "submitter",
    "author",
    "account",
    "app",
    "application",
    "organisation",
    "organization",
    "org",
    "partner",
    "platform",
    "provider",
    "agency",
    "company",
    "client",
    "customer",
    "tenant",
    "group",
    "batch",
    "list",
    "bank",
    "dataset",
    "descriptor",
    "report",
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
const DATES: [&str; 6] = ["date", "time", "datetime", "timestamp", "ts", "year"];
/// Parts of names of columns in which a number may be a date as programs for tables count it, in days.
const IN_DAYS: [&str; 4] = ["date", "until", "valid", "expir"];

/// A column that is not read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct UnreadColumn {
    /// Its name; its number, from 1, if it has none.
    pub name: String,
    /// How many of the rows that were taken have a value in it.
    pub rows: u64,
    /// The first of these values, each once, the long ones cut.
    pub values: Vec<String>,
}

/// A column that is not read and may say which rows don't count any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarkingColumn {
    /// Its name; its number, from 1, if it has none.
    pub name: String,
    /// The first of its values that may be marks, each once.
    pub values: Vec<String>,
    /// Why they may be.
    pub marks: Marks,
}

/// Why the values of a column may be marks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Marks {
    /// They are such as marks have, or few.
    Values,
    /// They are none of the kinds of hashes and files for which the column is read, and such as marks have, or few.
    NoKinds,
    /// They are dates on which something came, by its name, and have not come yet.
    Ahead,
    /// They come again where names of files should stand.
    NoNames,
}

/// What there is in columns that are not read.
pub(super) struct Found {
    /// The first of them.
    pub(super) columns: Vec<UnreadColumn>,
    /// How many more there are.
    pub(super) more: u64,
    /// Numbers of columns that were to be ignored, and in which no row has anything.
    pub(super) not_ignored: Vec<String>,
    /// An error if one of them may say what is not heard.
    pub(super) marks: Result<(), ImportError>,
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
    /// A number that may be a year.
    Year,
    /// A number that may be the seconds of a date.
    Seconds,
    /// Any other number.
    Number,
    /// What no mark looks like.
    Other,
}

/// A field and its name.
pub(super) type Field<'f> = (Cow<'f, str>, &'f [u8]);

/// The columns that are not read, by their places.
pub(super) struct Unread {
    rows: u64,
    columns: BTreeMap<usize, Column>,
    /// The same beyond those of the first line.
    beyond: BTreeMap<usize, Column>,
    /// Places there that are to be ignored, and were not met.
    ignored: Vec<(usize, String)>,
    /// The last day that has begun, if anybody says so.
    today: Option<Day>,
    /// Whether all are names of files, which are any, and hardly come again.
    are_names: bool,
}

struct Column {
    name: String,
    understood: Understood,
    /// The last day on which a date in it can have come, if that is to be looked at.
    today: Option<Day>,
    /// The first dates after that.
    ahead: Vec<String>,
    /// Whether a number in it may be a date.
    may_count_days: bool,
    values: u64,
    /// How many of them may be marks, but years.
    marks: u64,
    /// How many of them are years: marks, unless other numbers stand beside them.
    years: u64,
    /// How many of them are other numbers.
    numbers: u64,
    /// How many of them are other texts.
    texts: u64,
    /// How many of these are long, and whether a short one is a single word.
    longs: u64,
    has_word: bool,
    /// Whether a short one is a single word of letters alone, so hardly an id.
    has_plain_word: bool,
    /// How many values are words, one or several, which of them there are, and whether some have several.
    worded: u64,
    words: BTreeSet<u64>,
    has_spaces: bool,
    /// How many of the long ones have several words: a digest or an address says nothing of its row, however often it comes.
    phrases: u64,
    /// The kinds of values that were seen and may be marks, each once.
    seen: Vec<Value>,
    /// The first short values, each once, but dashes; and the first long ones of several words. Of each its digest, in small letters.
    distinct: BTreeSet<u64>,
    distinct_phrases: BTreeSet<u64>,
    /// The first values, and those of them that may be marks.
    examples: Vec<String>,
    marking: Vec<String>,
}

/// How much of a column is understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Understood {
    /// It is not read.
    Nothing,
    /// It is read for kinds of hashes and of files, and has nothing else.
    All,
    /// It has others, too.
    Some,
}

impl Unread {
    /// Of a table with these columns, on this day.
    pub(super) fn of(columns: &Columns, today: Option<Day>) -> Self {
        let mut unread = Self { ignored: columns.ignored_beyond.clone(), ..Self::of_fields(today) };
        for (place, name) in &columns.unread {
            unread.columns.insert(*place, Column::new(name.clone()).on(today));
        }
        if let Some(place) = columns.kind_or_file {
            let name = columns.names.get(place).cloned().unwrap_or_default();
            unread.columns.insert(place, Column { understood: Understood::All, ..Column::new(name) });
        }
        unread
    }

    /// Of lines that name their fields themselves.
    pub(super) fn of_fields(today: Option<Day>) -> Self {
        Self {
            rows: 0,
            columns: BTreeMap::new(),
            beyond: BTreeMap::new(),
            ignored: Vec::new(),
            today,
            are_names: false,
        }
    }

    /// The same of lines in which names of files stand.
    pub(super) fn of_names(self) -> Self {
        Self { are_names: true, ..self }
    }

    /// Makes room for the fields of a line; `false` if there is none for so many names.
    pub(super) fn know(&mut self, fields: &[Field<'_>]) -> bool {
        for (name, _) in fields {
            if self.place(name).is_none() {
                if self.columns.len() == MOST_FIELDS {
                    return false;
                }
                self.columns.insert(self.columns.len(), Column::new(name.to_string()).on(self.today));
            }
        }
        true
    }

    /// Looks at the fields of a line.
    pub(super) fn look_at_fields(&mut self, fields: &[Field<'_>]) {
        self.rows += 1;
        for (name, field) in fields {
            let place = self.place(name);
            if let Some(column) = place.and_then(|place| self.columns.get_mut(&place)) {
                column.look_at(field);
            }
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().find(|(_, column)| column.name == name).map(|(place, _)| *place)
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
        self.ignored.retain(|(place, _)| *place >= row.len());
        if !columns.states.is_empty() {
            return;
        }
        for (place, field) in row.iter().enumerate().skip(columns.count) {
            if !field.trim_ascii().is_empty() && !columns.unheard.contains(&place) {
                let column = || Column::new((place + 1).to_string()).on(self.today);
                self.beyond.entry(place).or_insert_with(column).look_at(field);
            }
        }
    }

    /// What there is in the columns.
    pub(super) fn finish(self) -> Found {
        let Self { rows, mut columns, beyond, ignored, today: _, are_names } = self;
        columns.extend(beyond);
        columns.retain(|_, column| column.understood != Understood::All);
        let marks = |column: &Column| if are_names { column.no_names(rows) } else { column.marks(rows) };
        let marks: Vec<MarkingColumn> = columns.values().filter_map(marks).collect();
        columns.retain(|_, _| !are_names);
        let more = columns.len().saturating_sub(SHOWN) as u64;
        Found {
            columns: columns.into_values().take(SHOWN).map(Column::unread).collect(),
            more,
            not_ignored: ignored.into_iter().map(|(_, written)| written).collect(),
            marks: if marks.is_empty() { Ok(()) } else { Err(ImportError::UnreadMarks(marks)) },
        }
    }
}

impl Column {
    fn new(name: String) -> Self {
        let plain = plain(&name).replace("update", "");
        Self {
            may_count_days: IN_DAYS.iter().any(|part| plain.contains(part)),
            name,
            understood: Understood::Nothing,
            today: None,
            ahead: Vec::new(),
            values: 0,
            marks: 0,
            years: 0,
            numbers: 0,
            texts: 0,
            longs: 0,
            has_word: false,
            has_plain_word: false,
            worded: 0,
            words: BTreeSet::new(),
            has_spaces: false,
            seen: Vec::new(),
            distinct: BTreeSet::new(),
            distinct_phrases: BTreeSet::new(),
            phrases: 0,
            examples: Vec::new(),
            marking: Vec::new(),
        }
    }

    /// The same on this day: only where the name says that its dates have come can they have come too early.
    fn on(self, today: Option<Day>) -> Self {
        let name = plain(&self.name);
        Self { today: today.filter(|_| is_dated(&name)), ..self }
    }

    fn look_at(&mut self, field: &[u8]) {
        let field = field.trim_ascii();
        if field.is_empty() {
            return;
        }
        self.values += 1;
        let text = String::from_utf8_lossy(field);
        let text = text.trim();
        let is_understood = self.understood != Understood::Nothing && (names_file(text) || names_kind(text));
        if !is_understood {
            show(&mut self.examples, text);
        }
        let Some(value) = value(text) else { return };
        if self.understood == Understood::All && !is_understood {
            self.understood = Understood::Some;
        }
        let value = if self.may_count_days && is_days(text) { Value::Date } else { value };
        self.count(value, text);
        if !matches!(value, Value::Number | Value::Other) {
            if !self.seen.contains(&value) {
                self.seen.push(value);
            }
            if !is_understood {
                show(&mut self.marking, text);
            }
        }
        let is_moment = || matches!(value, Value::Date | Value::Seconds | Value::Year);
        // Where it may have come, it has.
        let is_ahead = |today| Day::earliest(text).is_some_and(|day| day > today);
        if self.today.is_some_and(|today| is_moment() && is_ahead(today)) {
            show(&mut self.ahead, text);
        }
    }

    fn count(&mut self, value: Value, text: &str) {
        let counted = match value {
            Value::Dash => return,
            Value::Number => &mut self.numbers,
            Value::Other => &mut self.texts,
            Value::Year => &mut self.years,
            _ => &mut self.marks,
        };
        *counted += 1;
        let (is_long, has_words) = (is_longer(text, SHORT), text.contains(char::is_whitespace));
        let is_phrase = is_long && (has_words || !is_opaque(text));
        self.longs += u64::from(is_long);
        self.phrases += u64::from(is_phrase);
        let is_word = value == Value::Other && !is_long && !has_words;
        self.has_word |= is_word;
        self.has_plain_word |= is_word && is_plain(text);
        let (has_room, word) = (|values: &BTreeSet<u64>, limit: usize| values.len() <= limit, || digest(text));
        if is_phrase || !is_long && is_plain(text) {
            self.worded += 1;
            self.has_spaces |= has_words;
            // One more than a number is more, however many they are.
            if has_room(&self.words, MANY) {
                self.words.insert(word());
            }
        }
        let distinct = match (is_long, is_phrase) {
            (false, _) => &mut self.distinct,
            (true, true) => &mut self.distinct_phrases,
            (true, false) => return,
        };
        if has_room(distinct, FEW) {
            distinct.insert(word());
        }
    }

    /// What of its values may mark rows, unless its name says what else they mean; `None` if nothing does.
    fn marks(&self, rows: u64) -> Option<MarkingColumn> {
        let is_state = (self.has_few(rows) || self.has_many(rows)) && !self.is_described(rows);
        let marks = if self.understood == Understood::Some { Marks::NoKinds } else { Marks::Values };
        let (values, marks) = match (self.has_marks() && !self.is_excused(rows), is_state) {
            _ if self.understood == Understood::All => return None,
            _ if !self.ahead.is_empty() => (&self.ahead, Marks::Ahead),
            (true, _) => (&self.marking, marks),
            (false, true) => (&self.examples, marks),
            (false, false) => return None,
        };
        Some(MarkingColumn { name: self.name.clone(), values: values.clone(), marks })
    }

    /// What of its values are no names of files, which hardly come again.
    fn no_names(&self, rows: u64) -> Option<MarkingColumn> {
        let (distinct, compared) = self.compared();
        // Several files may have one name.
        let come_again = compared > distinct + if distinct == 1 { FEW as u64 } else { 0 };
        let is_few = self.are_few() && come_again && self.worded + self.marks > 0;
        let values = || self.examples.clone();
        let marking = || MarkingColumn { name: self.name.clone(), values: values(), marks: Marks::NoNames };
        (is_few || self.has_many(rows)).then(marking)
    }

    /// How many values are compared, and how many there are among the first of them.
    fn compared(&self) -> (u64, u64) {
        let distinct = self.distinct.len() + self.distinct_phrases.len();
        (distinct as u64, self.said() - self.longs + self.phrases)
    }

    fn has_marks(&self) -> bool {
        let mut others = self.numbers + self.texts;
        let mut marks = self.marks;
        *(if self.numbers > 0 { &mut others } else { &mut marks }) += self.years;
        if others == 0 {
            return !self.seen.is_empty();
        }
        marks >= others || marks > 0 && self.are_few()
    }

    /// Whether the name says what its marks are.
    fn is_excused(&self, rows: u64) -> bool {
        let only = |values: &[Value]| self.seen.iter().all(|seen| values.contains(seen));
        let name = plain(&self.name);
        is_text(&name) && !self.seen.contains(&Value::Answer)
            || self.is_number() && only(&[Value::Dash, Value::Bit, Value::Seconds, Value::Year])
            || is_origin(&name) && only(&[Value::Dash, Value::Date, Value::Seconds, Value::Year])
            || DATES.contains(&name.as_str())
                && self.values == rows
                && only(&[Value::Date, Value::Seconds, Value::Year])
    }

    /// Values that are no dashes.
    fn said(&self) -> u64 {
        self.marks + self.years + self.numbers + self.texts
    }

    fn are_few(&self) -> bool {
        let phrases = self.distinct_phrases.len();
        let (values, longs) = match phrases <= FEW && self.phrases > phrases as u64 {
            true => (self.distinct.len() + phrases, self.longs - self.phrases),
            false => (self.distinct.len(), self.longs),
        };
        values <= FEW && longs * LONG_ARE_RARE <= self.said()
    }

    /// Whether it has few values of which one comes again or is a word, or a short one alone, in a part of the rows.
    fn has_few(&self, rows: u64) -> bool {
        let (distinct, compared) = self.compared();
        let is_alone = self.distinct.len() == 1 && self.said() < rows;
        let is_word = self.has_plain_word && !self.is_measured() && (self.are_few() || self.said() <= TOO_FEW);
        is_word || self.are_few() && (compared > distinct || is_alone)
    }

    /// Whether its name says that it holds numbers or dates, beside which a word says that there is none: `added_on: unknown`.
    fn is_measured(&self) -> bool {
        let name = plain(&self.name);
        self.is_number() || is_dated(&name)
    }

    /// Whether it has words alone, more than a few and as many as a state can have: fewer than there are rows, where each is a single one, or
    /// than there are values.
    fn has_many(&self, rows: u64) -> bool {
        let words = self.words.len();
        let among = if self.has_spaces { self.worded } else { rows };
        let are_words = (self.said() - self.worded) * LONG_ARE_RARE <= self.said();
        (FEW + 1..=MANY).contains(&words) && are_words && words as u64 * 3 <= among * 2
    }

    /// Whether the name says what its few values are.
    fn is_described(&self, rows: u64) -> bool {
        let name = plain(&self.name);
        let last = words(&self.name).pop().unwrap_or_default();
        is_text(&name)
            || DESCRIPTIONS.contains(&name.as_str())
            || NOTES.contains(&last.as_str()) && !self.has_word
            || last == ID && self.is_number()
            || self.texts == 0 && (self.is_number() || is_origin(&name))
            || self.texts == 0 && DATES.contains(&name.as_str()) && self.values == rows
    }

    /// Whether its name says that it holds numbers or ids. Few ids that come again may be those of states, unless they are of somebody or
    /// something that has many records.
    fn is_number(&self) -> bool {
        let words = words(&self.name);
        let is_of_many = match &words[..] {
            [.., of, last] if last == ID => OWNERS.contains(&of.as_str()),
            _ => true,
        };
        let (distinct, compared) = self.compared();
        is_number(&self.name) && (is_of_many || distinct > FEW as u64 || compared <= distinct)
    }

    fn unread(self) -> UnreadColumn {
        UnreadColumn { name: self.name, rows: self.values, values: self.examples }
    }
}

/// Whether a long text without a space is a digest, an address or a file's name, which says nothing of its row: not words that are joined,
/// or that are of a language without spaces.
fn is_opaque(text: &str) -> bool {
    text.is_ascii() && text.bytes().any(|byte| byte.is_ascii_digit() || b"/.@:".contains(&byte))
}

/// Whether a short text is of letters, and no id, address or name of a file: a point may end it.
fn is_plain(text: &str) -> bool {
    let is_other = |letter: char| letter.is_numeric() || "/.@:\\".contains(letter);
    text.chars().any(char::is_alphabetic) && !text.trim_end_matches('.').contains(is_other)
}

/// What is compared of a value, in small letters.
fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.chars().take(COMPARED).flat_map(char::to_lowercase).for_each(|letter| letter.hash(&mut hasher));
    hasher.finish()
}

/// Takes a value up among those that are shown.
fn show(values: &mut Vec<String>, text: &str) {
    if values.len() == EXAMPLES {
        return;
    }
    let value = shown(text);
    if !values.contains(&value) {
        values.push(value);
    }
}

/// What is shown of a value.
pub(super) fn shown(text: &str) -> String {
    let mut value: String = text.chars().take(LONGEST).collect();
    if value.len() < text.len() {
        value.push('…');
    }
    value
}

fn is_longer(text: &str, letters: usize) -> bool {
    text.len() > letters && text.chars().nth(letters).is_some()
}

/// Whether a field has nothing to say: it is empty, or has a word or a dash that stands for that.
pub(super) fn says_nothing(field: &[u8]) -> bool {
    let text = String::from_utf8_lossy(field);
    is_dash(&text) || is_word_for_nothing(text.trim())
}

/// A word for nothing; `\N` is what databases write.
fn is_word_for_nothing(text: &str) -> bool {
    text == "\\N" || NOTHING.contains(&plain(text).as_str())
}

fn is_dash(text: &str) -> bool {
    text.trim().trim_matches(['-', '–', '—']).is_empty()
}

/// Whether a column of this name, as [`plain`] gives it, holds names of files or the like.
pub(super) fn is_of_files(name: &str) -> bool {
    FILES.contains(&name)
}

/// The same, or a name or title of anything.
pub(super) fn is_of_names(name: &str) -> bool {
    is_of_files(name) || ["name", "title"].contains(&name)
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
pub(super) fn words(name: &str) -> Vec<String> {
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

/// Whether a column of this name holds dates, of what came or by themselves.
fn is_dated(name: &str) -> bool {
    is_origin(name) || DATES.contains(&name)
}

fn is_origin(name: &str) -> bool {
    let between = |start: &str, end: &str| name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
    let is_one = |start: &str| AFTER.iter().any(|end| between(start, end).is_some_and(|word| ORIGINS.contains(&word)));
    BEFORE.iter().any(|start| is_one(start))
}

/// What a value is; `None` if it says nothing.
fn value(text: &str) -> Option<Value> {
    if is_longer(text, LONGEST) {
        return Some(Value::Other);
    }
    if is_word_for_nothing(text) {
        return None;
    }
    let text = whole(text);
    let word = plain(text);
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
        _ if is_year(text) => Value::Year,
        _ if text.parse::<f64>().is_ok() => Value::Number,
        _ => Value::Other,
    })
}

#[cfg(test)]
mod tests;
