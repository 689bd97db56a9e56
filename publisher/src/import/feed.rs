//! Feeds in JSON: an object with a list of records in one field, or that list alone. Records stream one by one; none may be
//! larger than 1 MiB, nor deeper than 128 levels (`serde_json`'s own limit), nor name a field twice. Beside them the object is only
//! asked whether there is a next page; what else is in it is passed over.
//!
//! Some formats tell with each record who stands behind it ([`Shape`]). In a document where somebody stands behind one addition, those
//! behind which nobody does are not taken: a source may list what all have taken their word back for. Where nobody is ever named, the
//! document was got without that, and its additions count.

use super::budget::{Budgeted, Position};
use super::record::{self, Action, Record, Refusal, refusal};
use super::unambiguous::Unambiguous;
use super::{Format, ImportError, Sink, stopncii, terrorism, updates};
use isonomy_core::list::Algorithm;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::io::BufRead;

/// How a format's records are found and read.
pub(super) struct Shape {
    /// The field that lists them.
    pub(super) field: &'static str,
    pub(super) record: fn(&Value, Algorithm) -> Result<Record, Refusal>,
    /// Whether somebody stands behind a record, in formats that say so.
    is_backed: Option<fn(&Value) -> bool>,
}

/// What the additions of a document so far show of those who stand behind them.
#[derive(Clone, Copy, Default)]
enum Backing {
    /// There was no addition.
    #[default]
    Unknown,
    /// Somebody stands behind one of them.
    Given,
    /// Nobody stands behind any of them. The first is on this line.
    Missing { line: u64 },
}

/// The shape of a format in JSON.
pub(super) fn shape(format: Format) -> Option<Shape> {
    match format {
        Format::StopNcii => Some(Shape { field: "hashRecords", record: stopncii::record, is_backed: None }),
        Format::Terrorism => Some(Shape { field: "results", record: terrorism::record, is_backed: None }),
        Format::Updates => {
            Some(Shape { field: "data", record: updates::record, is_backed: Some(updates::is_described) })
        }
        _ => None,
    }
}

pub(super) fn read(reader: impl BufRead, shape: &Shape, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let (budgeted, position) = Budgeted::new(reader);
    let mut deserializer = serde_json::Deserializer::from_reader(budgeted);
    let mut failure = None;
    let outcome = (&mut deserializer).deserialize_any(Feed {
        shape,
        sink,
        position: &position,
        backing: Backing::default(),
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
    backing: Backing,
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
                map.next_value::<IgnoredAny>()?;
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
    fn records<'de, A: SeqAccess<'de>>(&mut self, records: &mut A) -> Result<(), A::Error> {
        while let Some(record) = records.next_element_seed(Begun(self.position))? {
            let taken = self.judge(&record).and_then(|record| self.sink.take(self.position.begun(), record));
            if let Err(failure) = taken {
                *self.failure = Some(failure);
                return Err(A::Error::custom("stopped"));
            }
            self.position.end_record();
        }
        Ok(())
    }

    /// What a record says. An addition behind which nobody stands is refused, or the document, if somebody stands behind another one:
    /// those who did may have taken their word back.
    fn judge(&mut self, value: &Value) -> Result<Result<Record, Refusal>, ImportError> {
        let record = (self.shape.record)(value, self.sink.algorithm());
        let (Some(is_backed), Ok(Record { action: Action::Add, hash: Some(_), .. })) = (self.shape.is_backed, &record)
        else {
            return Ok(record);
        };
        match (self.backing, is_backed(value)) {
            (Backing::Missing { line }, true) => Err(ImportError::Malformed(format!(
                "the record at line {line} has no descriptors, and a later one has: nobody may stand behind the first one any more. Get the feed with the descriptors of all"
            ))),
            (Backing::Given, false) => {
                let reason = "it has none, where others have some: nobody may stand behind it any more";
                Ok(Err(refusal("descriptors", reason)))
            }
            (Backing::Unknown, false) => {
                self.backing = Backing::Missing { line: self.position.begun().line };
                Ok(record)
            }
            (Backing::Unknown, true) => {
                self.backing = Backing::Given;
                Ok(record)
            }
            (Backing::Given, true) | (Backing::Missing { .. }, false) => Ok(record),
        }
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

/// Whether one of the fields by which feeds tell that there is a next page says so.
fn has_next(value: &Value) -> bool {
    match value {
        Value::Bool(has) => *has,
        Value::String(next) => !next.is_empty(),
        Value::Object(paging) => paging.get("next").is_some_and(has_next),
        _ => false,
    }
}

/// The text in a field; numbers as they are written.
pub(super) fn text(record: &Value, field: &str) -> Option<String> {
    match record.get(field)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The time in a field, in seconds; `None` if there is none.
pub(super) fn time(record: &Value, field: &'static str) -> Result<Option<u64>, Refusal> {
    if matches!(record.get(field), None | Some(Value::Null)) {
        return Ok(None);
    }
    let time = text(record, field).and_then(|text| record::time(&text));
    time.map(Some).ok_or_else(|| refusal(field, record::NO_TIME))
}

/// The words in a field: a text, or a list of them.
pub(super) fn words(record: &Value, field: &str) -> Vec<String> {
    match record.get(field) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(text)) if !text.is_empty() => vec![text.clone()],
        _ => Vec::new(),
    }
}
