//! What came of files, and how it went.

use super::ids::{self, Given};
use super::options::Format;
use super::unread::UnreadColumn;
use super::words::WordCounts;
use isonomy_core::list::Entries;
#[cfg(doc)]
use isonomy_matcher::pdq::USUAL_MINIMUM_QUALITY;
use serde::Serialize;
use std::io::{self, Write};

/// How the import of one file went.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ImportReport {
    /// The format.
    pub format: Format,
    /// Lines or records.
    pub records: u64,
    /// Hashes that were taken, repetitions too.
    pub taken: u64,
    /// Those of them whose quality the file gives, and it is below [`USUAL_MINIMUM_QUALITY`]: flat pictures, which match what is
    /// unlike.
    pub low_quality: u64,
    /// Those of them that somebody says don't belong there: called harmless by some who describe them, with negative feedback, or
    /// tagged so.
    pub disputed: u64,
    /// The first of those, in hexadecimal.
    pub disputed_first: Vec<String>,
    /// The classes of hashes that were taken.
    pub classes: WordCounts,
    /// Their tags.
    pub tags: WordCounts,
    /// Records that withdraw a hash.
    pub withdrawals: u64,
    /// Records without a hash by the list's algorithm.
    pub other_hashes: u64,
    /// Records that were not selected by class, tag or quality.
    pub not_selected: u64,
    /// How many records were refused.
    pub refused_records: u64,
    /// The first of those.
    pub refused: Vec<RefusedRecord>,
    /// Whether the file is one page of several, and there is a next one.
    pub more_pages: bool,
    /// The first columns of a table that were not read.
    pub unread: Vec<UnreadColumn>,
    /// How many more there are.
    pub unread_more: u64,
    /// The columns that were to be ignored, and that it does not have, beside that of the hash.
    pub not_ignored: Vec<String>,
}

/// A record that was refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RefusedRecord {
    /// Its number among the records of the file, from 1.
    pub record: u64,
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The byte of the file at which it begins, from 0.
    pub byte: u64,
    /// Which part of it.
    pub field: &'static str,
    /// Why.
    pub reason: String,
}

impl RefusedRecord {
    /// Where it stands, and why it is refused.
    pub fn words(&self) -> String {
        let Self { record, line, byte, field, reason } = self;
        format!("record {record} (line {line}, byte {byte}), {field}: {reason}")
    }
}

/// What came of all files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imported {
    /// The entries that come, sorted, each once.
    pub entries: Entries,
    /// Hashes that are withdrawn: they go if the list had them.
    pub withdrawn: Entries,
    /// Hashes of records that were not selected, of which no other record says that they come or go; only if the options ask for
    /// them.
    pub unselected: Entries,
    /// Hashes in records that were refused, of which no other record says anything; only if the options ask for them.
    pub refused: Entries,
    /// How often a hash was given that had been given already.
    pub duplicates: u64,
    /// Entries that rule 8 admits only by exception.
    pub irregular: u64,
    /// Withdrawals by an id under which nothing was known: what they were meant to remove may still be listed.
    pub unknown_ids: u64,
    pub(super) ids: Vec<Given>,
}

impl Imported {
    /// Writes which hash was given under which id, and what became of it, for [`Importer::know_ids`](super::Importer::know_ids) in a later
    /// import.
    pub fn write_ids(&self, out: impl Write) -> io::Result<()> {
        ids::write(&self.ids, out)
    }
}
