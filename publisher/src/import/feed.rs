//! Feeds in JSON: an object with a list of records in one field, or that list alone. Records stream one by one; none may be
//! larger than 1 MiB, nor deeper than 128 levels (`serde_json`'s own limit), nor name a field twice. Beside them the object is
//! asked whether there is a next page; what else is in it stops the import if it may say that records are gone, and is passed over else.
//! Fields of records that a format does not read are heard if they are called as columns are that say whether a row still counts (`state`):
//! `withdrawn`, `removed_on`. Any other is refused with its record if it has a word for what is gone, or in doubt.
//!
//! Some formats tell with each record who stands behind it ([`Shape`]). In an import where somebody stands behind one addition, those
//! behind which nobody does are not taken, in whichever file: a source may list what all have taken their word back for. Where nobody is
//! ever named, the files were got without that, and their additions count.

use super::budget::{Budgeted, Position};
use super::dates::Day;
use super::record::{self, Action, Record, Refusal, plain, refusal};
use super::state::{self, Memo, Said};
use super::unambiguous::Unambiguous;
use super::unread;
use super::{Format, ImportError, Sink, stopncii, terrorism, updates};
use isonomy_core::list::Algorithm;
use isonomy_core::time::Timestamp;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::io::BufRead;

/// How a format's records are found and read.
pub(super) struct Shape {
    /// The field that lists them.
    pub(super) field: &'static str,
    pub(super) record: fn(&Value, Algorithm) -> Result<Record, Refusal>,
    /// The field of a record that holds its hash.
    hash: &'static str,
    /// Its fields, and those of who stands behind it, that the format reads or knows to say nothing of whether it counts, though they are
    /// called so, or have such words.
    read: &'static [&'static str],
    /// Those of them that a record need not have, so that they can be passed over.
    optional: &'static [&'static str],
    /// Those in which a time stands after which it does not count any more.
    expires: &'static [&'static str],
    /// Those who stand behind a record, in formats that say so.
    backers: Option<Backers>,
    /// Whether a record, or one who stands behind it, calls it harmless; `None` if nothing is said of that.
    is_harmless: fn(&Value) -> Result<Option<bool>, Refusal>,
}

type Backers = for<'v> fn(&'v Value) -> &'v [Value];

/// What the additions of all files so far show of those who stand behind them.
#[derive(Clone, Copy, Default)]
pub(super) enum Backing {
    /// There was no addition.
    #[default]
    Unknown,
    /// Somebody stands behind one of them.
    Given,
    /// Nobody stands behind any of them. The first is on this line of the file that is being read.
    Missing { line: u64 },
    /// The same, and the first is in another file.
    MissingElsewhere,
}

impl Backing {
    /// The same, when the next file is begun.
    fn in_next_file(self) -> Self {
        if let Self::Missing { .. } = self { Self::MissingElsewhere } else { self }
    }
}

/// The shape of a format in JSON.
pub(super) fn shape(format: Format) -> Option<Shape> {
    let shape = match format {
        Format::StopNcii => Shape {
            field: "hashRecords",
            record: stopncii::record,
            hash: "hashValue",
            read: &["hashStatus", "signalType", "hashValue", "tags", "caseNumbers", "CSPFeedbacks"],
            optional: &["tags", "CSPFeedbacks"],
            expires: &[],
            backers: None,
            is_harmless: |_| Ok(None),
        },
        Format::Terrorism => Shape {
            field: "results",
            record: terrorism::record,
            hash: "hash_digest",
            read: &["deleted", "algorithm", "hash_digest", "ideology", "file_type"],
            optional: &["ideology", "file_type"],
            expires: &[],
            backers: None,
            is_harmless: |_| Ok(None),
        },
        Format::Updates => Shape {
            field: "data",
            record: updates::record,
            hash: "indicator",
            read: &[
                "should_delete",
                "status",
                "review_status",
                "reactions",
                "my_reactions",
                "type",
                "indicator",
                "tags",
                "descriptors",
            ],
            optional: &["tags"],
            expires: &["expired_on", "expire_time"],
            backers: Some(updates::descriptors),
            is_harmless: updates::is_harmless,
        },
        _ => return None,
    };
    Some(shape)
}

pub(super) fn read(reader: impl BufRead, shape: &Shape, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let (budgeted, position) = Budgeted::new(reader);
    let mut deserializer = serde_json::Deserializer::from_reader(budgeted);
    let mut failure = None;
    *sink.backing() = sink.backing().in_next_file();
    let outcome = (&mut deserializer).deserialize_any(Feed {
        shape,
        sink,
        position: &position,
        names: Memo::default(),
        failure: &mut failure,
    });
    let outcome = outcome.and_then(|()| deserializer.end());
    match (failure, outcome) {
        (Some(failure), _) => Err(failure),
        (None, outcome) => outcome.map_err(|error| ImportError::Malformed(error.to_string())),
    }
}

struct Feed<'f, 's> {
    shape: &'f Shape,
    sink: &'f mut Sink<'s>,
    position: &'f Position,
    names: Memo,
    /// What stopped the import, where that is more than an error of JSON.
    failure: &'f mut Option<ImportError>,
}

impl<'de> Visitor<'de> for Feed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the field `{}`, or a list of records", self.shape.field)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(field) = map.next_key::<String>()? {
            if ["hasMoreRecords", "next", "paging"].contains(&field.as_str()) {
                if has_next(&map.next_value()?) {
                    self.sink.more_pages();
                }
            } else if field != self.shape.field {
                let value = map.next_value::<Value>()?;
                self.beside(&field, &value).map_err(A::Error::custom)?;
            } else if std::mem::replace(&mut found, true) {
                return Err(A::Error::custom(format!("the field `{field}` stands there twice")));
            } else {
                map.next_value_seed(&mut self)?;
            }
            self.position.end_record();
        }
        if found { Ok(()) } else { Err(A::Error::missing_field(self.shape.field)) }
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut records: A) -> Result<(), A::Error> {
        self.records(&mut records)
    }
}

impl Feed<'_, '_> {
    /// Stops at what stands beside the records and may say that some of them, or all, are gone: nothing of that is read.
    fn beside(&mut self, field: &str, value: &Value) -> Result<(), String> {
        let today = Day::begun(self.sink.now());
        let is_list = value.is_array() || value.is_object();
        let is_telling = says_anything(value) && state::is_name_of_one(field);
        let says_gone = match is_telling {
            true => is_list || state::may_say_gone(field, &text_of(value), today),
            false => is_list && has_leaving(field, value, today),
        };
        // Not by the name alone, which a field of the records may have, too.
        let name = format!("/{field}");
        if !says_gone || self.sink.ignores(&name) {
            return Ok(());
        }
        Err(format!(
            "the field `{field}` beside `{}` may say what is gone, and nothing of it is read: give what it holds as a table with the names \
             hash and status, and take it out (if it says nothing of that, `isonomy list import --ignore-column {name}` passes it over)",
            self.shape.field
        ))
    }

    fn records<'de, A: SeqAccess<'de>>(&mut self, records: &mut A) -> Result<(), A::Error> {
        while let Some(mut record) = records.next_element_seed(Begun(self.position))? {
            for name in self.shape.optional {
                if let Some(fields) = record.as_object_mut().filter(|_| self.sink.ignores(name)) {
                    fields.remove(*name);
                }
            }
            let algorithm = self.sink.algorithm();
            let hash = || text(&record, self.shape.hash).and_then(|text| record::hash(text.as_bytes(), algorithm).ok());
            let judged = self.judge(&record).map(|judged| judged.map_err(|refusal| refusal.holding(hash())));
            let taken = judged.and_then(|judged| self.sink.take(self.position.begun(), judged));
            if let Err(failure) = taken {
                *self.failure = Some(failure);
                return Err(A::Error::custom("stopped"));
            }
            self.position.end_record();
        }
        Ok(())
    }

    /// What a record says by fields that its format does not read. What one of several who stand behind it says of itself alone disputes it;
    /// whose word is taken back, or over, is not asked whether it is harmless.
    fn hear(&mut self, record: Record, value: &Value) -> Result<Record, Refusal> {
        if record.action != Action::Add || record.hash.is_none() {
            return Ok(record);
        }
        let own = self.said(value)?;
        let backers = self.shape.backers.map(|backers| backers(value)).unwrap_or_default();
        let (mut standing, mut is_disputed) = (Vec::new(), record.is_disputed || own.is_disputed);
        for backer in backers {
            let said = self.said(backer)?;
            is_disputed |= said.is_disputed || said.action == Action::Remove;
            if said.action == Action::Add {
                standing.push((self.shape.is_harmless)(backer)?);
            }
        }
        let is_called_harmless = match (self.shape.is_harmless)(value)? {
            Some(true) => !standing.contains(&Some(false)),
            _ => !backers.is_empty() && standing.iter().all(|said| *said == Some(true)),
        };
        let is_gone = own.action == Action::Remove || is_called_harmless;
        if !is_gone {
            std::iter::once(value).chain(backers).try_for_each(|level| self.understood(level))?;
        }
        let action = if is_gone { Action::Remove } else { Action::Add };
        Ok(Record { action, is_disputed, ..record })
    }

    /// What an object says by its fields that the format does not read.
    fn said(&mut self, level: &Value) -> Result<Said, Refusal> {
        let mut said = Vec::new();
        for (name, value) in level.as_object().into_iter().flatten() {
            let is_read = !self.names.ask(name, state::is_name_of_one) || self.shape.read.contains(&name.as_str());
            if !is_read && says_anything(value) && !self.sink.ignores(name) {
                let text = text_of(value);
                let is_end = self.shape.expires.contains(&name.as_str());
                said.push((name.clone(), if is_end { self.is_over(text) } else { text }));
            }
        }
        state::of_fields(said, Day::begun(self.sink.now()))
    }

    /// Refuses a text that is a word of leaving, where nothing says what of.
    fn understood(&mut self, level: &Value) -> Result<(), Refusal> {
        for (name, value) in level.as_object().into_iter().flatten() {
            let is_heard = self.shape.read.contains(&name.as_str()) || self.names.ask(name, state::is_name_of_one);
            let today = Day::begun(self.sink.now());
            if !is_heard && has_leaving(name, value, today) && !self.sink.ignores(name) {
                return Err(state::unexplained(name));
            }
        }
        Ok(())
    }

    /// Whether a time has come, yes or no; the text itself if that can't be told. The time 0 is none.
    fn is_over(&self, text: String) -> String {
        let now = Some(self.sink.now()).filter(|now| *now != Timestamp::default());
        match (record::time(&text), now) {
            (Some(0), _) => "no".to_owned(),
            (None, _) if is_never(&text) => "no".to_owned(),
            (Some(end), Some(now)) => if end <= now.0 { "yes" } else { "no" }.to_owned(),
            _ => text,
        }
    }

    /// What a record says. An addition behind which nobody stands is refused, or the document, if somebody stands behind another one:
    /// those who did may have taken their word back.
    fn judge(&mut self, value: &Value) -> Result<Result<Record, Refusal>, ImportError> {
        let record = (self.shape.record)(value, self.sink.algorithm()).and_then(|record| self.hear(record, value));
        let (Some(backers), Ok(Record { action: Action::Add, hash: Some(_), .. })) = (self.shape.backers, &record)
        else {
            return Ok(record);
        };
        let line = self.position.begun().line;
        let backing = self.sink.backing();
        let without = match (*backing, !backers(value).is_empty()) {
            (Backing::Missing { line }, true) => format!("the record at line {line}"),
            (Backing::MissingElsewhere, true) => "a record of a file that was read before".to_owned(),
            (Backing::Given, false) => {
                let reason = "it has none, where others have some: nobody may stand behind it any more";
                return Ok(Err(refusal("descriptors", reason)));
            }
            (Backing::Unknown, false) => {
                *backing = Backing::Missing { line };
                return Ok(record);
            }
            (Backing::Unknown, true) => {
                *backing = Backing::Given;
                return Ok(record);
            }
            (Backing::Given, true) | (Backing::Missing { .. } | Backing::MissingElsewhere, false) => return Ok(record),
        };
        Err(ImportError::Undescribed { first: without })
    }
}

/// A record; its first byte was looked at, and nothing behind it.
struct Begun<'p>(&'p Position);

impl<'de> DeserializeSeed<'de> for Begun<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.begin_record();
        Unambiguous::deserialize(deserializer).map(|Unambiguous(value)| value)
    }
}

/// The list of records, in its field.
impl<'de> DeserializeSeed<'de> for &mut Feed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        struct Records<'r, 'f, 's>(&'r mut Feed<'f, 's>);
        impl<'de> Visitor<'de> for Records<'_, '_, '_> {
            type Value = ();
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of records")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<(), A::Error> {
                self.0.records(&mut records)
            }
        }
        deserializer.deserialize_seq(Records(self))
    }
}

/// Whether a time is the last that programs can write, for one that never comes: the end of the year 9999.
fn is_never(text: &str) -> bool {
    const LAST: u64 = 253_402_300_799;
    text.starts_with("9999-12-31") || text.parse() == Ok(LAST)
}

/// Whether one of the fields by which feeds tell that there is a next page says so.
fn has_next(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(has) => *has,
        Value::Number(has) => has.as_f64() != Some(0.0),
        Value::String(next) => !["", "0", "false", "no"].contains(&next.trim().to_lowercase().as_str()),
        Value::Object(paging) => paging.get("next").is_some_and(has_next),
        Value::Array(next) => !next.is_empty(),
    }
}

/// What a field holds, as text.
fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether a text in a field, or in what it holds, is a word of leaving, or a field in it says clearly that something is gone. A name may be any.
fn has_leaving(name: &str, value: &Value, today: Day) -> bool {
    let says_gone = |(name, value): (&String, &Value)| {
        says_anything(value) && state::is_name_of_one(name) && state::may_say_gone(name, &text_of(value), today)
    };
    match value {
        Value::String(text) => !unread::is_of_names(&plain(name)) && state::is_word_of_doubt(text.as_bytes()),
        Value::Array(items) => items.iter().any(|item| has_leaving(name, item, today)),
        Value::Object(fields) => {
            fields.iter().any(says_gone) || fields.iter().any(|(name, value)| has_leaving(name, value, today))
        }
        _ => false,
    }
}

/// Whether a field says anything.
fn says_anything(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    }
}

/// The text in a field; numbers as they are written.
pub(super) fn text(record: &Value, field: &str) -> Option<String> {
    record.get(field).filter(|value| value.is_string() || value.is_number()).and_then(|value| word(value, field))
}

/// The time in a field, in seconds; `None` if there is none.
pub(super) fn time(record: &Value, field: &'static str) -> Result<Option<u64>, Refusal> {
    if matches!(record.get(field), None | Some(Value::Null)) {
        return Ok(None);
    }
    let time = text(record, field).and_then(|text| record::time(&text));
    time.map(Some).ok_or_else(|| refusal(field, record::NO_TIME))
}

/// The words in a field: a text, or a list of them; or, as ThreatExchange's edges are, a list of objects with a `text`, also in `data`.
pub(super) fn words(record: &Value, field: &'static str) -> Result<Vec<String>, Refusal> {
    let words = match record.get(field) {
        None | Some(Value::Null) => Some(Vec::new()),
        Some(Value::String(text)) => Some(Some(text.clone()).into_iter().filter(|text| !text.is_empty()).collect()),
        Some(listed) => list(listed).and_then(|items| items.iter().map(|item| word(item, "text")).collect()),
    };
    words.ok_or_else(|| refusal(field, "it is neither a text, nor a list of texts or of objects with a `text`"))
}

/// A list, by itself or as the `data` of an edge.
pub(super) fn list(value: &Value) -> Option<&[Value]> {
    value.as_array().or_else(|| value.get("data")?.as_array()).map(Vec::as_slice)
}

/// A text or number, by itself or in this field of an object.
pub(super) fn word(item: &Value, field: &str) -> Option<String> {
    match item {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        item => text(item, field),
    }
}
