//! Where the records of a file go: taken, passed over or refused, and counted.

use super::budget::Place;
use super::dates::Day;
use super::feed::Backing;
use super::outcome::Sayings;
use super::record::{Action, Choice, Record, Refusal, choose};
use super::state::{self, Memo};
use super::unread::Unread;
use super::words::WordCounts;
use super::{Format, ImportError, ImportOptions, ImportReport, Importer, Invalid, RefusedRecord, TellRefused};
use isonomy_core::encoding::to_hex;
use isonomy_core::list::Algorithm;
use isonomy_core::list::entries::MAX_ENTRIES;
use isonomy_core::time::Timestamp;
use isonomy_matcher::pdq::USUAL_MINIMUM_QUALITY;

/// The most refused records that a report shows.
const SHOWN: usize = 100;
/// The most disputed hashes that it shows.
const DISPUTED_SHOWN: usize = 20;

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
    backing: &'s mut Backing,
    tell: TellRefused<'s>,
    /// How many bytes of the file stand before what its parser sees.
    skipped: u64,
    report: ImportReport,
    /// Which classes and tags say that a hash does not belong there.
    doubts: Memo,
    /// Whether the columns that are not read are such as tell nothing of whether a record counts.
    columns: Result<(), ImportError>,
}

impl<'s> Sink<'s> {
    pub(super) fn new(format: Format, importer: &'s mut Importer<'_>, tell: TellRefused<'s>, skipped: u64) -> Self {
        let report = ImportReport {
            format,
            records: 0,
            taken: 0,
            low_quality: 0,
            disputed: 0,
            disputed_first: Vec::new(),
            classes: WordCounts::default(),
            tags: WordCounts::default(),
            withdrawals: 0,
            other_hashes: 0,
            not_selected: 0,
            refused_records: 0,
            refused: Vec::new(),
            more_pages: false,
            unread: Vec::new(),
            unread_more: 0,
            not_ignored: importer.options.ignored.clone(),
        };
        let Importer { options, sayings, seen, backing } = importer;
        Self { options, sayings, seen, backing, tell, skipped, report, doubts: Memo::default(), columns: Ok(()) }
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        self.options.algorithm
    }

    pub(super) fn now(&self) -> Timestamp {
        self.options.now
    }

    /// The last day that has begun; `None` if nobody says what time it is.
    pub(super) fn day(&self) -> Option<Day> {
        Some(self.options.now).filter(|now| *now != Timestamp::default()).map(Day::begun)
    }

    /// Takes up which of the columns that are to be passed over are not there.
    pub(super) fn not_ignored(&mut self, missing: &[String]) {
        self.report.not_ignored = missing.to_vec();
    }

    /// Whether a field of a record is to be passed over. Then it is there.
    pub(super) fn ignores(&mut self, name: &str) -> bool {
        let is_it = |wanted: &String| wanted.trim().to_lowercase() == name.to_lowercase();
        let ignores = self.options.ignored.iter().any(is_it);
        if ignores {
            self.report.not_ignored.retain(|wanted| !is_it(wanted));
        }
        ignores
    }

    pub(super) fn min_quality(&self) -> u64 {
        self.options.min_quality
    }

    /// What the additions so far show of those who stand behind them.
    pub(super) fn backing(&mut self) -> &mut Backing {
        self.backing
    }

    /// The file is one page of several, and says where the next one is.
    pub(super) fn more_pages(&mut self) {
        self.report.more_pages = true;
    }

    /// The columns of a table that were not read, and which of those to be ignored are not there.
    pub(super) fn unread(&mut self, unread: Unread) {
        let found = unread.finish();
        self.report.not_ignored.extend(found.not_ignored);
        (self.report.unread, self.report.unread_more, self.columns) = (found.columns, found.more, found.marks);
    }

    /// Takes up what a record says. Says what becomes of it; `None` if it is refused.
    pub(super) fn take(
        &mut self,
        place: Place,
        record: Result<Record, Refusal>,
    ) -> Result<Option<Choice>, ImportError> {
        self.report.records += 1;
        if let Ok(record) = &record {
            self.seen.note(record);
        }
        let chosen = record.and_then(|record| match choose(&record, self.options) {
            Ok(choice) => Ok((record, choice)),
            Err(refusal) => Err(refusal.holding(record.hash)),
        });
        match chosen {
            Ok((record, choice)) => self.choose(&record, choice).map(|()| Some(choice)),
            Err(refusal) => self.refuse(place, refusal).map(|()| None),
        }
    }

    fn choose(&mut self, record: &Record, choice: Choice) -> Result<(), ImportError> {
        let report = &mut self.report;
        match (choice, record.action) {
            (Choice::OtherHash, _) => report.other_hashes += 1,
            (Choice::NotSelected, _) => report.not_selected += 1,
            (Choice::Taken, Action::Remove) => report.withdrawals += 1,
            (Choice::Taken, Action::Add | Action::PassOver) => {
                report.taken += 1;
                let is_low = record.quality.is_some_and(|quality| quality < USUAL_MINIMUM_QUALITY.into());
                report.low_quality += u64::from(is_low && self.options.algorithm.is_perceptual());
                report.classes.add(&record.classes);
                report.tags.add(&record.tags);
                let doubts = &mut self.doubts;
                let mut words = record.classes.iter().chain(&record.tags);
                if record.is_disputed || words.any(|word| doubts.ask(word, state::is_phrase_of_doubt)) {
                    report.disputed += 1;
                    if report.disputed_first.len() < DISPUTED_SHOWN {
                        report.disputed_first.extend(record.hash.as_deref().map(to_hex));
                    }
                }
            }
        }
        if report.taken > MAX_ENTRIES {
            return Err(ImportError::TooMany);
        }
        let said = match choice {
            Choice::Taken => self.sayings.say(record),
            Choice::NotSelected => self.sayings.pass_over(record, self.options.unselected),
            Choice::OtherHash => Ok(()),
        };
        said.map_err(ImportError::sorting)
    }

    fn refuse(&mut self, place: Place, refusal: Refusal) -> Result<(), ImportError> {
        let report = &mut self.report;
        report.refused_records += 1;
        let (record, byte) = (report.records, place.byte + self.skipped);
        let refused = RefusedRecord { record, line: place.line, byte, field: refusal.field, reason: refusal.reason };
        (self.tell)(&refused).map_err(ImportError::Telling)?;
        if report.refused.len() < SHOWN {
            report.refused.push(refused);
        }
        self.sayings.refuse(&refusal.hashes, self.options.unselected).map_err(ImportError::sorting)
    }

    pub(super) fn finish(self) -> Result<ImportReport, ImportError> {
        if self.report.refused_records > 0 && self.options.invalid == Invalid::Refuse {
            // If none gives a quality, that says more than a thousand records without one.
            self.seen.check(self.options)?;
            return Err(ImportError::Refused(Box::new(self.report)));
        }
        self.columns.map(|()| self.report)
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

    /// A selection by what no record gives is a mistake: it would take nothing, or all.
    pub(super) fn check(self, options: &ImportOptions) -> Result<(), ImportError> {
        for (is_wanted, is_there, what, flag) in [
            (options.min_quality > 0, self.quality, "quality", "--min-quality"),
            (!options.classes.is_empty(), self.class, "class", "--class"),
            (!options.tags.is_empty(), self.tag, "tag", "--tag"),
        ] {
            if is_wanted && !is_there && self.records {
                return Err(ImportError::NothingToSelectBy { what, flag });
            }
        }
        Ok(())
    }
}
