//! Where the records of a file go: taken, passed over or refused, and counted.

use super::outcome::Sayings;
use super::record::{Action, Choice, Record, Refusal, choose};
use super::{Format, ImportError, ImportOptions, ImportReport, Importer, Invalid, RefusedRecord};
use isonomy_core::list::Algorithm;
use isonomy_core::list::entries::MAX_ENTRIES;

/// The most refused records that a report shows.
const SHOWN: usize = 100;

/// Whether any record gave what could select it.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    pub(super) records: bool,
    pub(super) quality: bool,
    pub(super) class: bool,
    pub(super) tag: bool,
}

/// Takes the records of one file.
pub(super) struct Sink<'s> {
    options: &'s ImportOptions,
    sayings: &'s mut Sayings,
    seen: &'s mut Seen,
    report: ImportReport,
}

impl<'s> Sink<'s> {
    pub(super) fn new(format: Format, importer: &'s mut Importer<'_>) -> Self {
        let report = ImportReport {
            format,
            records: 0,
            taken: 0,
            withdrawals: 0,
            other_hashes: 0,
            not_selected: 0,
            refused_records: 0,
            refused: Vec::new(),
        };
        Self { options: importer.options, sayings: &mut importer.sayings, seen: &mut importer.seen, report }
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.options.algorithm
    }

    /// Takes up what a record says.
    pub(super) fn take(&mut self, line: u64, record: Result<Record, Refusal>) -> Result<(), ImportError> {
        let report = &mut self.report;
        report.records += 1;
        let chosen = record.and_then(|record| choose(&record, self.options).map(|choice| (record, choice)));
        let (record, choice) = match chosen {
            Ok(chosen) => chosen,
            Err(Refusal { field, reason }) => {
                report.refused_records += 1;
                if report.refused.len() < SHOWN {
                    report.refused.push(RefusedRecord { line, field, reason });
                }
                return Ok(());
            }
        };
        self.seen.note(&record);
        match (choice, record.action) {
            (Choice::OtherHash, _) => report.other_hashes += 1,
            (Choice::NotSelected, _) => report.not_selected += 1,
            (Choice::Taken, Action::Add) => report.taken += 1,
            (Choice::Taken, Action::Remove) => report.withdrawals += 1,
        }
        if report.taken > MAX_ENTRIES {
            return Err(ImportError::TooMany);
        }
        if choice == Choice::Taken {
            self.sayings.say(&record)?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<ImportReport, ImportError> {
        if self.report.refused_records > 0 && self.options.invalid == Invalid::Refuse {
            return Err(ImportError::Refused(Box::new(self.report)));
        }
        Ok(self.report)
    }
}

impl Seen {
    fn note(&mut self, record: &Record) {
        // What withdraws need not say what it was.
        self.records |= record.action == Action::Add;
        self.quality |= record.quality.is_some();
        self.class |= !record.classes.is_empty();
        self.tag |= !record.tags.is_empty();
    }
}
