//! NCMEC's hash-sharing XML, version 2.
//!
//! ```text
//! queryResult
//!   images, videos
//!     image, video                 member (with id), timestamp, id, classification, fingerprints {md5, sha1, pdq, …},
//!                                  feedback {affirmativeFeedback, negativeFeedback}
//!     deletedImage, deletedVideo   member (with id), timestamp, id
//! ```
//!
//! A deletion names no hash: it withdraws what the same member gave under the same id, in this file or in an earlier
//! one whose ids were kept, and so does a record that comes again with another hash. Images and videos have ids of their own. A record with
//! negative feedback is disputed, wherever in it that stands. Other fingerprints are not read, nor are other elements and attributes, unless
//! they are called as columns are that say whether a row still counts (`state`), or are a word for what is gone, outside of a feedback; such an
//! attribute above the records is refused; of paging, that there is a next page. Any other element above or in the
//! place of a record is refused, since records may stand in it, and so is a document without images and videos. A document type declaration is refused, as
//! are entities other than the five of XML itself and character references, elements deeper than 32 levels, and anything
//! between two records that is larger than 1 MiB; a document that ends too early is refused whole.

use super::budget::Budgeted;
use super::dates::Day;
use super::record::{self, Action, Record, Refusal, is_of, refusal};
use super::state::{self, Memo};
use super::{ImportError, Sink};
use isonomy_core::list::Algorithm;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};
use std::io::BufRead;

const MAX_DEPTH: usize = 32;
/// The most of a text that is kept.
const MAX_TEXT: usize = 1024;

pub(super) fn read(reader: impl BufRead, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let (budgeted, position) = Budgeted::new(reader);
    let mut reader = Reader::from_reader(budgeted);
    let mut buffer = Vec::new();
    let mut document = Document::default();
    let mut begun = position.at();
    loop {
        buffer.clear();
        let before = position.at();
        let failed = |why: String| malformed(position.at().line, &why);
        let event = reader.read_event_into(&mut buffer).map_err(|error| failed(error.to_string()))?;
        let is_end = matches!(event, Event::Eof);
        let was_outside = document.item.is_none();
        if let Event::Comment(comment) = &event
            && !sink.ignores(state::COMMENT)
        {
            state::check_heading(comment.xml10_content().as_bytes()).map_err(failed)?;
        }
        let record = document.event(event, sink.algorithm()).map_err(failed)?;
        for (name, text) in document.above.drain(..) {
            if state::may_say_gone(&name, &text, Day::begun(sink.now())) && !sink.ignores(&name) {
                return Err(failed(format!(
                    "the attribute {name} may say that all records in an element are gone, and is not read there: if it says so, leave them \
                     out (if it says nothing of that, `isonomy list import --ignore-column` passes it over)"
                )));
            }
        }
        if std::mem::take(&mut document.has_next_page) {
            sink.more_pages();
        }
        if was_outside {
            // The place of the record that this event begins, if it begins one.
            begun = before;
        }
        if let Some(record) = record {
            let (said, leaving) = (std::mem::take(&mut document.said), std::mem::take(&mut document.leaving));
            let record = record.and_then(|record| heard(record, said, leaving, sink));
            sink.take(begun, record)?;
            position.end_record();
        }
        if is_end {
            return Ok(());
        }
    }
}

/// A record with what its other elements say.
fn heard(
    record: Record,
    said: Vec<(String, String)>,
    leaving: Vec<String>,
    sink: &mut Sink<'_>,
) -> Result<Record, Refusal> {
    let Record { hash: Some(hash), action: Action::Add, .. } = &record else { return Ok(record) };
    let heard = said.into_iter().filter(|(name, _)| !sink.ignores(name)).collect();
    let said = state::of_fields(heard, Day::begun(sink.now()));
    let said = said.map_err(|refusal| refusal.holding([hash.clone()]))?;
    if let Some(name) = leaving.iter().find(|name| said.action == Action::Add && !sink.ignores(name)) {
        return Err(state::unexplained(name).holding([hash.clone()]));
    }
    Ok(Record { action: said.action, is_disputed: record.is_disputed || said.is_disputed, ..record })
}

fn malformed(line: u64, why: &str) -> ImportError {
    ImportError::Malformed(format!("{why}, at line {line}"))
}

/// Where in the document one is, and what was gathered of the record in hand.
#[derive(Default)]
struct Document {
    path: Vec<String>,
    has_root: bool,
    /// Whether it has images or videos, be it none.
    has_lists: bool,
    has_next_page: bool,
    text: String,
    item: Option<Item>,
    /// The names and texts of elements and attributes of the record that are called as what says whether it still counts.
    said: Vec<(String, String)>,
    /// The names of others whose text is a word of leaving.
    leaving: Vec<String>,
    /// The attributes of an element above the records.
    above: Vec<(String, String)>,
    names: Memo,
}

#[derive(Default)]
struct Item {
    is_deletion: bool,
    is_video: bool,
    member: Option<String>,
    id: Option<String>,
    time: Option<String>,
    classes: Vec<String>,
    fingerprints: Vec<String>,
    is_disputed: bool,
}

impl Document {
    fn event(&mut self, event: Event<'_>, algorithm: Algorithm) -> Result<Option<Result<Record, Refusal>>, String> {
        match event {
            Event::Start(start) => self.open(&start)?,
            Event::Empty(start) => {
                self.open(&start)?;
                return Ok(self.close(algorithm));
            }
            Event::End(_) => return Ok(self.close(algorithm)),
            Event::Text(text) => self.add(&text.xml10_content()),
            Event::CData(text) => self.add(&text.into_inner()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(character)) => self.add(character.encode_utf8(&mut [0; 4])),
                Ok(None) => {
                    let name = reference.into_inner();
                    let text =
                        resolve_predefined_entity(&name).ok_or_else(|| format!("the entity {name} is refused"))?;
                    self.add(text);
                }
                Err(error) => return Err(error.to_string()),
            },
            Event::DocType(_) => return Err("a document type declaration is refused".to_owned()),
            Event::Eof if !self.path.is_empty() || !self.has_root => {
                return Err("the document ends too early".to_owned());
            }
            Event::Eof if !self.has_lists => return Err("the document has neither images nor videos".to_owned()),
            Event::Eof | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        Ok(None)
    }

    fn add(&mut self, text: &str) {
        let room = MAX_TEXT.saturating_sub(self.text.len());
        self.text.extend(text.chars().take(room));
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        let name = String::from(start.local_name().into_inner());
        if self.path.len() == MAX_DEPTH {
            return Err(format!("elements are deeper than {MAX_DEPTH} levels"));
        }
        if self.path.is_empty() {
            if self.has_root || name != "queryResult" {
                return Err(format!("the document has {name} where it must have one queryResult"));
            }
            self.has_root = true;
        }
        self.path.push(name);
        self.text.clear();
        match self.places()[..] {
            [_] | ["queryResult", "paging"] => {}
            ["queryResult", "images" | "videos"] => self.has_lists = true,
            ["queryResult", "images" | "videos", kind @ ("image" | "video" | "deletedImage" | "deletedVideo")] => {
                let (is_deletion, is_video) = (kind.starts_with("deleted"), matches!(kind, "video" | "deletedVideo"));
                self.item = Some(Item { is_deletion, is_video, ..Item::default() });
                self.said.clear();
                self.leaving.clear();
            }
            [_, name] | [_, "images" | "videos", name] => {
                return Err(format!("the element {name} is none that is known there"));
            }
            [_, _, _, "member"] => {
                let id = start.try_get_attribute("id").map_err(|error| error.to_string())?;
                let id = id.map(|id| id.value.to_string());
                if let Some(item) = &mut self.item {
                    item.member = id;
                }
            }
            [_, _, _, .., "negativeFeedback"] => {
                if let Some(item) = &mut self.item {
                    item.is_disputed = true;
                }
            }
            _ => {}
        }
        if self.item.is_some() {
            for attribute in start.attributes() {
                let attribute = attribute.map_err(|error| error.to_string())?;
                let name = String::from(attribute.key.local_name().into_inner());
                if self.names.ask(&name, state::is_name_of_one) {
                    self.said.push((name, attribute.value.to_string()));
                } else if !self.is_any_text(&name) && state::is_word_of_doubt(attribute.value.as_bytes()) {
                    self.leaving.push(name);
                }
            }
        } else {
            // Of all records in it at once.
            for attribute in start.attributes() {
                let attribute = attribute.map_err(|error| error.to_string())?;
                let name = String::from(attribute.key.local_name().into_inner());
                self.above.push((name, attribute.value.to_string()));
            }
        }
        Ok(())
    }

    /// Whether the text of an element or attribute of this name, where the path ends, may be any: it is read, a name, or in a feedback, which
    /// says nothing of the record as a whole.
    fn is_any_text(&self, name: &str) -> bool {
        const READ: [&str; 5] = ["id", "timestamp", "classification", "member", "name"];
        READ.contains(&name)
            || self.path.iter().any(|part| ["feedback", "feedbacks", "member"].contains(&part.as_str()))
    }

    fn places(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// Takes up the element that ends here; a record if it was one.
    fn close(&mut self, algorithm: Algorithm) -> Option<Result<Record, Refusal>> {
        let text = std::mem::take(&mut self.text).trim().to_owned();
        let depth = self.path.len();
        let name = self.path.pop()?;
        if depth == 3 && name == "next" && self.path[1] == "paging" {
            self.has_next_page = !text.is_empty();
        }
        if depth == 3 {
            return self.item.take().map(|item| {
                let hashes = item.hashes(algorithm);
                item.record(algorithm).map_err(|refusal| refusal.holding(hashes))
            });
        }
        if self.item.is_some() && self.names.ask(&name, state::is_name_of_one) {
            // One without a text may be a mark.
            let text = if text.is_empty() { "(no text)" } else { &text };
            self.said.push((name.clone(), text.to_owned()));
        } else if self.item.is_some() && !self.is_any_text(&name) && state::is_word_of_doubt(text.as_bytes()) {
            self.leaving.push(name.clone());
        }
        let item = self.item.as_mut()?;
        match (depth, name.as_str()) {
            (4, "id") => item.id = Some(text),
            (4, "timestamp") => item.time = Some(text),
            (4, "classification") if !text.is_empty() => item.classes.push(text),
            (5, name) if self.path.last().is_some_and(|parent| parent == "fingerprints") && is_of(name, algorithm) => {
                item.fingerprints.push(text);
            }
            _ => {}
        }
        None
    }
}

impl Item {
    /// The hashes that it holds, whether it is clear what it says of them or not.
    fn hashes(&self, algorithm: Algorithm) -> Vec<Vec<u8>> {
        let hash = |text: &String| record::hash(text.as_bytes(), algorithm).ok();
        self.fingerprints.iter().filter_map(hash).collect()
    }

    fn record(self, algorithm: Algorithm) -> Result<Record, Refusal> {
        let id = self.id.as_ref().filter(|id| !id.is_empty()).ok_or_else(|| refusal("id", "it is missing"))?;
        let member = self.member.as_ref().ok_or_else(|| refusal("member", "its id is missing"))?;
        let id = Some(format!("ncmec {member} {}{id}", if self.is_video { "video " } else { "" }));
        let time = match &self.time {
            Some(text) => Some(record::time(text).ok_or_else(|| refusal("timestamp", record::NO_TIME))?),
            None => None,
        };
        if self.is_deletion {
            return Ok(Record { id, time, ..Record::about(Action::Remove) });
        }
        let hash = match &self.fingerprints[..] {
            [] => None,
            [one] => Some(record::hash(one.as_bytes(), algorithm).map_err(|reason| refusal("fingerprints", reason))?),
            _ => return Err(refusal("fingerprints", format!("it has several by {algorithm}"))),
        };
        let is_disputed = self.is_disputed;
        Ok(Record { hash, id, time, classes: self.classes, is_disputed, ..Record::about(Action::Add) })
    }
}
