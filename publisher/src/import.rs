//! Files of hashes, in the formats that maintainers have, to the entries of a list.
//!
//! | format | module |
//! |---|---|
//! | [`Format::Lines`], [`Format::Sums`], [`Format::Pdq`], [`Format::Vpdq`] | `lines`: a record on each line |
//! | [`Format::Csv`], [`Format::ThreatExchange`] | `table` |
//! | [`Format::Updates`] | `updates`: ThreatExchange's `threat_updates` JSON |
//! | [`Format::StopNcii`] | `stopncii`: StopNCII's JSON |
//! | [`Format::Terrorism`] | `terrorism`: Tech Against Terrorism's JSON |
//! | [`Format::Ncmec`] | `ncmec`: NCMEC's hash-sharing XML |
//!
//! A hash is hexadecimal in either case, or standard base64. The format is recognised by how a file begins, unless it is
//! given. Files may be of several formats and come in any order, as may the records in them; repetitions don't matter. Of all
//! that is said of one hash, the latest counts (`outcome`).
//!
//! A record that holds no hash of the algorithm where there should be one is refused, with its place, field and reason, and so
//! is the whole import, unless refused records are to be skipped. An all-zero hash is always refused, an irregular one (rule 8)
//! unless that is allowed. Records about other kinds of hashes, and those that are not selected by class, tag or quality, are
//! passed over and counted.
//!
//! Files stream: beside the list itself, an import holds about 250,000 records (16 MB) however long they are; more is sorted
//! on disk. Feeds with ids take as much again, and the ids that are kept.

mod budget;
mod columns;
mod dates;
mod error;
mod feed;
mod frames;
mod ids;
mod lines;
mod ncmec;
mod options;
mod outcome;
mod reactions;
mod recognise;
mod record;
mod refusals;
mod report;
mod sink;
mod sorting;
mod state;
mod stopncii;
mod table;
mod terrorism;
#[cfg(test)]
mod tests;
mod unambiguous;
mod unread;
mod updates;
mod words;

pub use error::ImportError;
pub use frames::renumbered;
pub use options::{Format, ImportOptions, Invalid, Irregular, Unselected};
pub use refusals::RefusalTable;
pub use report::{ImportReport, Imported, RefusedRecord};
pub use unread::{MarkingColumn, Marks, UnreadColumn};
pub use words::{WordCount, WordCounts};

use feed::Backing;
use isonomy_store::files::FileError;
use outcome::Sayings;
use recognise::{recognise, without_bom};
use sink::{Seen, Sink};
use std::io::{self, BufRead, BufReader, Read};

/// The most bytes of a file.
pub const MAX_IMPORT_BYTES: u64 = 64 << 30;
/// The most bytes of a line.
pub const MAX_LINE: usize = 64 << 10;
/// How much of a file is looked at to recognise its format.
const HEAD: u64 = MAX_LINE as u64;

/// Takes up each record that is refused.
pub type TellRefused<'t> = &'t mut dyn FnMut(&RefusedRecord) -> Result<(), FileError>;

/// Imports any number of files into one list.
pub struct Importer<'o> {
    options: &'o ImportOptions,
    sayings: Sayings,
    seen: Seen,
    backing: Backing,
}

impl<'o> Importer<'o> {
    /// An import of nothing yet.
    pub fn new(options: &'o ImportOptions) -> Self {
        Self { options, sayings: Sayings::new(options.algorithm), seen: Seen::default(), backing: Backing::default() }
    }

    /// Takes up the ids that an earlier import kept ([`Imported::write_ids`]), all of them.
    pub fn know_ids(&mut self, kept: impl BufRead) -> Result<(), ImportError> {
        ids::read(kept, self.options.algorithm, |given| self.sayings.know(&given))
    }

    /// Reads a file to its end.
    pub fn read(&mut self, file: impl BufRead) -> Result<ImportReport, ImportError> {
        self.read_and_tell(file, &mut |_| Ok(()))
    }

    /// Reads a file to its end, and says of each refused record what a report says of the first ones.
    pub fn read_and_tell(&mut self, file: impl BufRead, tell: TellRefused<'_>) -> Result<ImportReport, ImportError> {
        let mut file = file;
        let mut head = Vec::new();
        file.by_ref().take(HEAD).read_to_end(&mut head)?;
        let plan = recognise(without_bom(&head), self.options)?;
        let limited = Limited { left: MAX_IMPORT_BYTES, inner: io::Cursor::new(without_bom(&head)).chain(file) };
        let whole = BufReader::with_capacity(1 << 16, limited);
        let skipped = head.len() - without_bom(&head).len();
        let mut sink = Sink::new(plan.format, self, tell, skipped as u64);
        match (plan.columns, feed::shape(plan.format)) {
            (Some(columns), _) => table::read(whole, &columns, &mut sink)?,
            (None, Some(shape)) => feed::read(whole, &shape, &mut sink)?,
            (None, None) if plan.format == Format::Ncmec => ncmec::read(whole, &mut sink)?,
            (None, None) => lines::read(whole, plan.format, &mut sink)?,
        }
        sink.finish()
    }

    /// What came of all files that were read.
    pub fn finish(self) -> Result<Imported, ImportError> {
        self.seen.check(self.options)?;
        let outcome = self.sayings.finish()?;
        let irregular = outcome.added.irregular(self.options.algorithm)?;
        Ok(Imported {
            entries: outcome.added,
            withdrawn: outcome.removed,
            unselected: outcome.passed_over,
            refused: outcome.refused,
            duplicates: outcome.duplicates,
            irregular,
            unknown_ids: outcome.unknown_ids,
            ids: outcome.ids,
        })
    }
}

/// Imports one file of hashes.
pub fn import(file: impl BufRead, options: &ImportOptions) -> Result<(Imported, ImportReport), ImportError> {
    let mut importer = Importer::new(options);
    let report = importer.read(file)?;
    Ok((importer.finish()?, report))
}

/// Fails once more than `left` bytes are read.
struct Limited<R> {
    left: u64,
    inner: R,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(count)
    }
}

fn read_failed(error: io::Error) -> ImportError {
    if error.kind() == io::ErrorKind::FileTooLarge { ImportError::TooLarge } else { ImportError::Read(error) }
}
