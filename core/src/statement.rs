//! Statements: what the log holds. A statement is a signed [`Note`] whose text is one canonical JSON object
//! ([`crate::json`]); its field `statement` says which kind it is:
//!
//! | kind | type | says |
//! |---|---|---|
//! | `isonomy/charter/v1` | [`Charter`] | what a list may be used for, and under whose control |
//! | `isonomy/release/v1` | [`Release`] | one version of a list's content |
//! | `isonomy/attestation/v1` | [`Attestation`] | an auditor's finding |
//!
//! Its identity is SHA-256 of the text alone; the log's entry is the whole note, of at most 65,535 bytes.

use crate::attestation::Attestation;
use crate::charter::Charter;
use crate::hash::StatementId;
use crate::json::{self, JsonError};
use crate::note::{Note, NoteError};
use crate::release::Release;
use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most bytes that a whole statement has, its signatures included: the size of a log entry.
pub const MAX_STATEMENT_SIZE: usize = 65_535;

/// Why bytes are not a statement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// Not a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Its text is not canonical JSON of the kind that it names.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// It names no kind of statement that is known here.
    #[error("not a statement of a known kind")]
    UnknownKind,
    /// A field has a value that no statement can have.
    #[error("{field}: {problem}")]
    Field {
        /// The field, as a path.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

impl StatementError {
    pub(crate) fn field(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Field { field, problem: problem.into() }
    }
}

/// Fails with `problem` about `field` unless `condition` holds.
pub(crate) fn require(condition: bool, field: &'static str, problem: &str) -> Result<(), StatementError> {
    if condition { Ok(()) } else { Err(StatementError::field(field, problem)) }
}

/// Fails unless `items` are strictly ascending, as sets are written.
pub(crate) fn require_set<T: Ord>(items: &[T], field: &'static str) -> Result<(), StatementError> {
    require(items.is_sorted_by(|a, b| a < b), field, "a set is written in strictly ascending order")
}

/// The name of a list, such as `hotline.example/known-images`: `[a-z0-9.-]+(/[a-z0-9-]+)+`, at most 128 characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListName(String);

/// The longest list name, in bytes.
pub const MAX_LIST_NAME: usize = 128;

impl ListName {
    /// The list with this name; `None` if it can't be one.
    pub fn new(name: &str) -> Option<Self> {
        let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let (authority, path) = name.split_once('/')?;
        // A dot alone, or two, would be a path of its own kind.
        let authority_ok =
            !authority.is_empty() && !authority.starts_with('.') && authority.bytes().all(|c| plain(c) || c == b'.');
        let path_ok = path.split('/').all(|part| !part.is_empty() && part.bytes().all(plain));
        (authority_ok && path_ok && name.len() <= MAX_LIST_NAME).then(|| Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ListName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ListName({})", self.0)
    }
}

impl Serialize for ListName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ListName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::new(&name).ok_or_else(|| serde::de::Error::custom("a list's name is like hotline.example/known-images"))
    }
}

/// A text and its signatures, as parsed: who signed it is for [`crate::rules`] to judge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signed<T> {
    id: StatementId,
    note: Note,
    body: T,
}

impl<T> Signed<T> {
    fn new(note: Note, body: T) -> Self {
        Self { id: StatementId::of(note.text()), note, body }
    }

    /// The identity: SHA-256 of the text.
    pub fn id(&self) -> StatementId {
        self.id
    }

    /// The note: text and signature lines.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// What it says.
    pub fn body(&self) -> &T {
        &self.body
    }

    /// The bytes of the note: the log's entry.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.note.to_bytes()
    }
}

/// A statement of one of the three kinds, with its signatures.
// Statements are handled one at a time, so the size of the largest does not matter.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Statement {
    /// What a list may be used for.
    Charter(Signed<Charter>),
    /// One version of a list.
    Release(Signed<Release>),
    /// An auditor's finding.
    Attestation(Signed<Attestation>),
}

impl Statement {
    /// Parses a whole statement, which has at least one signature line.
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        Self::from_note(Note::parse(bytes, MAX_STATEMENT_SIZE)?)
    }

    /// Parses a draft, which may still lack signatures.
    pub fn parse_draft(bytes: &[u8]) -> Result<Self, StatementError> {
        Self::from_note(Note::parse_draft(bytes, MAX_STATEMENT_SIZE)?)
    }

    /// The kind that bytes name, if they have the form of a statement, whether or not that kind and version are known here: a
    /// note whose text is a JSON object, which begins with the line of a kind, `isonomy/`, a name of a-z and `-`, `/v`, and a
    /// number. What a later version of the format looks like beyond that, nobody knows yet.
    pub fn form_of(bytes: &[u8]) -> Option<String> {
        let note = Note::parse(bytes, MAX_STATEMENT_SIZE).ok()?;
        let kind = json::string_field(note.text(), "statement")?;
        let (name, version) = kind.strip_prefix("isonomy/")?.split_once("/v")?;
        let is_name = !name.is_empty() && name.bytes().all(|c| c.is_ascii_lowercase() || c == b'-');
        let is_number = !version.starts_with('0') && !version.is_empty() && version.bytes().all(|c| c.is_ascii_digit());
        let begins = note.text().starts_with(&alloc::format!("{{\n  \"statement\": \"{kind}\""));
        (is_name && is_number && begins).then_some(kind)
    }

    /// The statement of this note.
    pub fn from_note(note: Note) -> Result<Self, StatementError> {
        let kind = json::string_field(note.text(), "statement").ok_or(StatementError::UnknownKind)?;
        match kind.as_str() {
            Charter::KIND => {
                let body = Charter::parse(note.text())?;
                Ok(Self::Charter(Signed::new(note, body)))
            }
            Release::KIND => {
                let body = Release::parse(note.text())?;
                Ok(Self::Release(Signed::new(note, body)))
            }
            Attestation::KIND => {
                let body = Attestation::parse(note.text())?;
                Ok(Self::Attestation(Signed::new(note, body)))
            }
            _ => Err(StatementError::UnknownKind),
        }
    }

    /// The list that it is about.
    pub fn list(&self) -> &ListName {
        match self {
            Self::Charter(charter) => &charter.body.list,
            Self::Release(release) => &release.body.list,
            Self::Attestation(attestation) => &attestation.body.list,
        }
    }

    /// The identity: SHA-256 of the text.
    pub fn id(&self) -> StatementId {
        match self {
            Self::Charter(charter) => charter.id,
            Self::Release(release) => release.id,
            Self::Attestation(attestation) => attestation.id,
        }
    }

    /// The note: text and signature lines.
    pub fn note(&self) -> &Note {
        match self {
            Self::Charter(charter) => &charter.note,
            Self::Release(release) => &release.note,
            Self::Attestation(attestation) => &attestation.note,
        }
    }

    /// The bytes of the note: the log's entry.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.note().to_bytes()
    }

    /// The charter that this is, if it is one.
    pub fn into_charter(self) -> Option<Signed<Charter>> {
        if let Self::Charter(charter) = self { Some(charter) } else { None }
    }

    /// The attestation that this is, if it is one.
    pub fn into_attestation(self) -> Option<Signed<Attestation>> {
        if let Self::Attestation(attestation) = self { Some(attestation) } else { None }
    }

    /// The release that this is, if it is one.
    pub fn into_release(self) -> Option<Signed<Release>> {
        if let Self::Release(release) = self { Some(release) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn list_names() {
        for good in ["hotline.example/known-images", "a/b", "a.b-c/d/e-1"] {
            assert_eq!(ListName::new(good).unwrap().as_str(), good);
        }
        let long = alloc::format!("a/{}", "b".repeat(127));
        for bad in ["", "a", "a/", "/b", "a//b", "A/b", "a/b.c", "a/../b", "../a", "./a", "a b/c", "a/é", &long] {
            assert_eq!(ListName::new(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_later_versions_may_look_like() {
        let line = "\u{2014} a.example AAAAAAA=\n";
        let form = |text: &str| Statement::form_of(alloc::format!("{text}\n{line}").as_bytes());
        for (kind, is_form) in [
            ("isonomy/charter/v1", true),
            ("isonomy/release/v2", true),
            ("isonomy/seal-of/v10", true),
            ("isonomy/charter/v0", false),
            ("isonomy/charter/v", false),
            ("isonomy//v1", false),
            ("isonomy/Charter/v1", false),
            ("isonomy/charter", false),
            ("other/charter/v1", false),
        ] {
            let text = alloc::format!("{{\n  \"statement\": \"{kind}\",\n  \"x\": 1\n}}\n");
            assert_eq!(form(&text), is_form.then(|| kind.to_owned()), "{kind}");
            assert_eq!(Statement::form_of(text.as_bytes()), None, "unsigned");
        }
        for text in
            ["{\"statement\": \"isonomy/charter/v1\"}\n", "{\n  \"statement\": \"isonomy/charter/v1\",\n", "x\n"]
        {
            assert_eq!(form(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(statement) = Statement::parse_draft(&bytes) {
                prop_assert_eq!(statement.to_bytes(), bytes);
            }
        }

        #[test]
        fn arbitrary_text_in_a_note_never_panics(text in "\\{\n  \"statement\": \"isonomy/(charter|release|attestation)/v1\"[ -~\n]{0,200}\n") {
            if let Ok(note) = Note::new(text, Vec::new()) {
                let _ = Statement::from_note(note);
            }
        }
    }
}
