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
//! A record that holds no hash of the algorithm where there should be one is refused, with its line, field and reason, and so
//! is the whole import, unless refused records are to be skipped. An all-zero hash is always refused, an irregular one (rule 8)
//! unless that is allowed. Records about other kinds of hashes, and those that are not selected by class, tag or quality, are
//! passed over and counted.
//!
//! Files stream: beside the list itself, an import holds about 2,000,000 records (100 MB) however long they are; more is sorted
//! on disk. Feeds with ids take as much again, and the ids that are kept.

mod budget;
mod feed;
mod lines;
mod ncmec;
mod outcome;
mod recognise;
mod record;
mod sorting;
mod stopncii;
mod table;
mod terrorism;
mod updates;

use isonomy_core::encoding::{from_hex, to_hex};
use isonomy_core::list::entries::MAX_ENTRIES;
use isonomy_core::list::{Algorithm, Entries, ListError};
use outcome::{Id, OutcomeError, Sayings};
use recognise::{recognise, without_bom};
use record::{Choice, Record, Refusal, choose};
use serde::Serialize;
use std::io::{self, BufRead, BufReader, Read, Write};

/// The most bytes of a file.
pub const MAX_IMPORT_BYTES: u64 = 64 << 30;
/// The most bytes of a line.
pub const MAX_LINE: usize = 64 << 10;
/// The most refused records that a report shows.
const SHOWN: usize = 100;
/// How much of a file is looked at to recognise its format.
const HEAD: u64 = MAX_LINE as u64;

/// How the hashes are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// One hash on each line.
    Lines,
    /// As sha256sum, sha1sum and md5sum write it.
    Sums,
    /// A table with named columns.
    Csv,
    /// PDQ's own tools: `hash=…,quality=…`.
    Pdq,
    /// vPDQ: a hash for each frame of a video.
    Vpdq,
    /// ThreatExchange's table without a header.
    ThreatExchange,
    /// ThreatExchange's `threat_updates` JSON.
    Updates,
    /// StopNCII's JSON.
    #[serde(rename = "stopncii")]
    StopNcii,
    /// Tech Against Terrorism's JSON.
    Terrorism,
    /// NCMEC's hash-sharing XML, version 2.
    Ncmec,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 10] = [
        Self::Lines,
        Self::Sums,
        Self::Csv,
        Self::Pdq,
        Self::Vpdq,
        Self::ThreatExchange,
        Self::Updates,
        Self::StopNcii,
        Self::Terrorism,
        Self::Ncmec,
    ];
}

/// What to do with records that should hold a hash and don't.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Invalid {
    /// Refuse the whole import.
    #[default]
    Refuse,
    /// Leave them out, and report them.
    Skip,
}

/// What to do with hashes that rule 8 admits only by exception.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Irregular {
    /// Refuse them like records without a hash.
    #[default]
    Refuse,
    /// Admit them, and count them.
    Allow,
}

/// How files are to be read.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The list's algorithm.
    pub algorithm: Algorithm,
    /// The format; `None` to recognise it.
    pub format: Option<Format>,
    /// The column of a table that holds the hashes; `None` for one that is known to.
    pub column: Option<String>,
    /// Records that hold no hash.
    pub invalid: Invalid,
    /// Irregular hashes.
    pub irregular: Irregular,
    /// Where a file gives the quality of a picture, the least that is taken, 0 to 100.
    pub min_quality: u64,
    /// The classes that are taken, in either case; all if there are none.
    pub classes: Vec<String>,
    /// The tags of which a record has at least one; all records if there are none.
    pub tags: Vec<String>,
}

impl ImportOptions {
    /// To recognise the format, refuse what is not as it should be, and take everything.
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            format: None,
            column: None,
            invalid: Invalid::default(),
            irregular: Irregular::default(),
            min_quality: 0,
            classes: Vec::new(),
            tags: Vec::new(),
        }
    }
}

/// Why files are not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It can't be read.
    #[error("can't read the file: {0}")]
    Read(#[from] io::Error),
    /// There is nothing in it.
    #[error("the file holds nothing but empty lines and comments")]
    Empty,
    /// It is a private key, which no message may show.
    #[error("this is a private key; nothing of it is shown. Give a file of hashes")]
    PrivateKey,
    /// Its format is not recognised.
    #[error(
        "the format is not recognised from the first line, {line:?}: it is neither a hash by {algorithm} nor a table with a column such as `hash`; give the format with --format, or the name of the column with --column"
    )]
    Unrecognised {
        /// The first line.
        line: String,
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// A table does not have the column.
    #[error("the table has no column {wanted}; it has {}", found.join(", "))]
    NoColumn {
        /// The column that was asked for.
        wanted: String,
        /// The columns that there are.
        found: Vec<String>,
    },
    /// A document in XML or JSON is not of its format as a whole.
    #[error("the document is malformed: {0}. Nothing was imported")]
    Malformed(String),
    /// What should select records stands in none of them.
    #[error("no record gives a {what}, so {flag} would select nothing; leave it out, or give another file")]
    NothingToSelectBy {
        /// `quality`, `class` or `tag`.
        what: &'static str,
        /// The flag.
        flag: &'static str,
    },
    /// The file is larger than [`MAX_IMPORT_BYTES`].
    #[error("the file is larger than {MAX_IMPORT_BYTES} bytes; split it")]
    TooLarge,
    /// There are more hashes than a list can have.
    #[error("the files hold more hashes than the {MAX_ENTRIES} that a list can have")]
    TooMany,
    /// Ids that were kept are not as they were written.
    #[error("line {line} of the kept ids is not as it was written: {text:?}")]
    Ids {
        /// The line, from 1.
        line: u64,
        /// What stands there.
        text: String,
    },
    /// Records were refused.
    #[error("{}", refusal(.0))]
    Refused(Box<ImportReport>),
    /// The hashes can't be a list.
    #[error(transparent)]
    List(#[from] ListError),
}

impl From<OutcomeError> for ImportError {
    fn from(error: OutcomeError) -> Self {
        match error {
            OutcomeError::File(error) => Self::Read(error),
            OutcomeError::List(error) => Self::List(error),
        }
    }
}

fn refusal(report: &ImportReport) -> String {
    let first = report.refused.first().map(|one| format!("; the first is {}", one.words()));
    format!(
        "{} of {} records are refused{}. Nothing was imported: mend the file, or leave such records out with --skip-invalid",
        report.refused_records,
        report.records,
        first.unwrap_or_default()
    )
}

/// How the import of one file went.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ImportReport {
    /// The format.
    pub format: Format,
    /// Lines or records.
    pub records: u64,
    /// Hashes that were taken, repetitions too.
    pub taken: u64,
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
}

/// A record that was refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RefusedRecord {
    /// The number of the line on which it stands, or ends where it has several; from 1.
    pub line: u64,
    /// Which part of it.
    pub field: &'static str,
    /// Why.
    pub reason: String,
}

impl RefusedRecord {
    /// Where it stands, and why it is refused.
    pub fn words(&self) -> String {
        format!("line {}, {}: {}", self.line, self.field, self.reason)
    }
}

/// What came of all files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imported {
    /// The entries that come, sorted, each once.
    pub entries: Entries,
    /// Hashes that are withdrawn: they go if the list had them.
    pub withdrawn: Entries,
    /// How often a hash was given that had been given already.
    pub duplicates: u64,
    /// Entries that rule 8 admits only by exception.
    pub irregular: u64,
    /// Withdrawals by an id under which nothing was known: what they were meant to remove may still be listed.
    pub unknown_ids: u64,
    ids: Vec<(Id, Vec<u8>)>,
}

impl Imported {
    /// Writes, for [`Importer::know_ids`] in a later import, which hash was given under which id: a line each, the first 16
    /// bytes of SHA-256 of the id, and the hash, in hexadecimal.
    pub fn write_ids(&self, mut out: impl Write) -> io::Result<()> {
        for (id, hash) in &self.ids {
            writeln!(out, "{} {}", to_hex(id), to_hex(hash))?;
        }
        out.flush()
    }
}

/// Imports any number of files into one list.
pub struct Importer<'o> {
    options: &'o ImportOptions,
    sayings: Sayings,
    seen: Seen,
}

/// Whether any record gave what could select it.
#[derive(Clone, Copy, Default)]
struct Seen {
    records: bool,
    quality: bool,
    class: bool,
    tag: bool,
}

impl<'o> Importer<'o> {
    /// An import of nothing yet.
    pub fn new(options: &'o ImportOptions) -> Self {
        Self { options, sayings: Sayings::new(options.algorithm), seen: Seen::default() }
    }

    /// Takes up the ids that an earlier import kept ([`Imported::write_ids`]).
    pub fn know_ids(&mut self, kept: impl BufRead) -> Result<(), ImportError> {
        const LINE: u64 = 256;
        let mut kept = kept;
        let mut line = String::new();
        for number in 1.. {
            line.clear();
            if kept.by_ref().take(LINE).read_line(&mut line)? == 0 {
                break;
            }
            let parts = line.trim_end().split_once(' ');
            let parts = parts.and_then(|(id, hash)| Some((from_hex(id)?.try_into().ok()?, from_hex(hash)?)));
            let parts = parts.filter(|(_, hash)| hash.len() == self.options.algorithm.entry_size());
            let (id, hash) =
                parts.ok_or_else(|| ImportError::Ids { line: number, text: line.trim_end().to_owned() })?;
            self.sayings.know(id, &hash)?;
        }
        Ok(())
    }

    /// Reads a file to its end.
    pub fn read(&mut self, mut file: impl BufRead) -> Result<ImportReport, ImportError> {
        let mut head = Vec::new();
        file.by_ref().take(HEAD).read_to_end(&mut head)?;
        let plan = recognise(without_bom(&head), self.options)?;
        let limited = Limited { left: MAX_IMPORT_BYTES, inner: io::Cursor::new(without_bom(&head)).chain(file) };
        let whole = BufReader::with_capacity(1 << 16, limited);
        let mut sink = Sink::new(plan.format, self);
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
        self.check_selection()?;
        let outcome = self.sayings.finish()?;
        let irregular = outcome.added.irregular(self.options.algorithm)?;
        Ok(Imported {
            entries: outcome.added,
            withdrawn: outcome.removed,
            duplicates: outcome.duplicates,
            irregular,
            unknown_ids: outcome.unknown_ids,
            ids: outcome.ids,
        })
    }

    /// A selection by what no record gives is a mistake: it would take nothing, or all.
    fn check_selection(&self) -> Result<(), ImportError> {
        let (seen, options) = (self.seen, self.options);
        for (is_wanted, is_there, what, flag) in [
            (options.min_quality > 0, seen.quality, "quality", "--min-quality"),
            (!options.classes.is_empty(), seen.class, "class", "--class"),
            (!options.tags.is_empty(), seen.tag, "tag", "--tag"),
        ] {
            if is_wanted && !is_there && seen.records {
                return Err(ImportError::NothingToSelectBy { what, flag });
            }
        }
        Ok(())
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

/// Takes the records of one file.
struct Sink<'s> {
    options: &'s ImportOptions,
    sayings: &'s mut Sayings,
    seen: &'s mut Seen,
    report: ImportReport,
}

impl<'s> Sink<'s> {
    fn new(format: Format, importer: &'s mut Importer<'_>) -> Self {
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

    fn algorithm(&self) -> Algorithm {
        self.options.algorithm
    }

    /// Takes up what a record says.
    fn take(&mut self, line: u64, record: Result<Record, Refusal>) -> Result<(), ImportError> {
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
            (Choice::Taken, record::Action::Add) => report.taken += 1,
            (Choice::Taken, record::Action::Remove) => report.withdrawals += 1,
        }
        if report.taken > MAX_ENTRIES {
            return Err(ImportError::TooMany);
        }
        if choice == Choice::Taken {
            self.sayings.say(&record)?;
        }
        Ok(())
    }

    fn finish(self) -> Result<ImportReport, ImportError> {
        if self.report.refused_records > 0 && self.options.invalid == Invalid::Refuse {
            return Err(ImportError::Refused(Box::new(self.report)));
        }
        Ok(self.report)
    }
}

impl Seen {
    fn note(&mut self, record: &Record) {
        self.records = true;
        self.quality |= record.quality.is_some();
        self.class |= !record.classes.is_empty();
        self.tag |= !record.tags.is_empty();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entries;
    use isonomy_core::encoding::to_base64;
    use proptest::prelude::*;

    fn pdq(text: &str) -> Result<(Imported, ImportReport), ImportError> {
        import(text.as_bytes(), &ImportOptions::new(Algorithm::PdqFull))
    }

    fn hexes(count: u64) -> Vec<String> {
        entries(1, count).iter().map(to_hex).collect()
    }

    #[test]
    fn every_line_format_gives_the_same_entries() {
        let (list, hexes) = (entries(1, 3), hexes(3));
        let table = |format: &dyn Fn(&str) -> String| hexes.iter().map(|hex| format(hex)).collect::<String>();
        for (format, text) in [
            (Format::Lines, table(&|hex| format!("{hex}\n"))),
            (Format::Lines, table(&|hex| format!("  {}\r\n", hex.to_uppercase()))),
            (Format::Lines, "# a comment\n\n".to_owned() + &table(&|hex| format!("pdq {hex}\n"))),
            (Format::Lines, list.iter().map(|entry| to_base64(entry) + "\n").collect()),
            (Format::Sums, table(&|hex| format!("{hex}  a name, with a comma.jpg\n"))),
            (Format::Sums, table(&|hex| format!("{hex} *name\n"))),
            (Format::Sums, table(&|hex| format!("\\{hex}  na\\nme\n"))),
            (Format::Csv, "\u{feff}File,Quality,PDQ\n".to_owned() + &table(&|hex| format!("\"a,\nb\",100,{hex}\n"))),
            (Format::Csv, "hash;note\n".to_owned() + &table(&|hex| format!("{hex};\n"))),
            (Format::Csv, "indicator\tother\n".to_owned() + &table(&|hex| format!("{hex}\tx\n"))),
            (Format::Csv, "pdq\n".to_owned() + &table(&|hex| format!("{hex}\n"))),
            (Format::Csv, table(&|hex| format!("{hex},meta,more\n"))),
            (Format::Pdq, table(&|hex| format!("hash={hex},norm=1,delta=0,quality=100,filename=x,y\n"))),
            (Format::Vpdq, table(&|hex| format!("0,100,{hex},0.033\n"))),
            (
                Format::ThreatExchange,
                table(&|hex| format!("{hex},4711,2020-07-31T18:47:45+0000,tag other\n").replace("+0000", "Z")),
            ),
            (Format::ThreatExchange, table(&|hex| format!("{hex},1,4711,1596221265,\n"))),
        ] {
            let (imported, report) = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((imported.entries, report.format), (list.clone(), format), "{text}");
            assert_eq!((report.records, report.refused_records), (3, 0));
        }
    }

    #[test]
    fn digests_of_files_are_imported_by_their_algorithm() {
        for (algorithm, name, hex) in [
            (Algorithm::Sha256, "SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (Algorithm::Sha1, "SHA1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Algorithm::Md5, "MD5", "900150983cd24fb0d6963f7d28e17f72"),
        ] {
            for text in
                [format!("{hex}  abc\n"), format!("{name} (a) = b) = {hex}\n"), format!("\\{name} (a) = {hex}\n")]
            {
                let (imported, report) = import(text.as_bytes(), &ImportOptions::new(algorithm)).unwrap();
                assert_eq!((imported.entries.len(), report.format), (1, Format::Sums), "{text}");
            }
        }
        let wrong = import(&b"900150983cd24fb0d6963f7d28e17f72\n"[..], &ImportOptions::new(Algorithm::Sha256));
        assert!(matches!(wrong, Err(ImportError::Unrecognised { .. })));
        let sums = ImportOptions { format: Some(Format::Sums), ..ImportOptions::new(Algorithm::Sha256) };
        let other = import(&b"MD5 (a) = 900150983cd24fb0d6963f7d28e17f72\n"[..], &sums).unwrap_err();
        assert!(other.to_string().contains("line 1, algorithm"), "{other}");
    }

    #[test]
    fn nothing_of_a_private_key_is_shown() {
        let text = crate::testing::key("c1").to_private_text();
        let table = ImportOptions { column: Some("pdq".into()), ..ImportOptions::new(Algorithm::PdqFull) };
        for options in [table, ImportOptions::new(Algorithm::PdqFull)] {
            for file in [format!("{}\n", *text), format!("\n # key\n \t{}", *text)] {
                let error = import(file.as_bytes(), &options).unwrap_err();
                assert!(matches!(error, ImportError::PrivateKey), "{error}");
            }
        }
    }

    #[test]
    fn a_bad_line_refuses_the_file_or_is_skipped_and_reported() {
        let hexes = hexes(2);
        let text = format!("{}\nnonsense\n{}\n{}\n{}\n", hexes[0], &hexes[1][1..], "0".repeat(64), hexes[1]);
        let Err(ImportError::Refused(report)) = pdq(&text) else { panic!("accepted") };
        let lines: Vec<(u64, &str)> = report.refused.iter().map(|one| (one.line, one.field)).collect();
        assert_eq!((report.records, report.refused_records), (5, 3));
        assert_eq!(lines, [(2, "hash"), (3, "hash"), (4, "hash")]);
        assert!(report.refused[1].reason.contains("63 hexadecimal digits"), "{report:?}");
        assert!(pdq(&text).unwrap_err().to_string().contains("line 2, hash"));
        let options = ImportOptions { invalid: Invalid::Skip, ..ImportOptions::new(Algorithm::PdqFull) };
        let (imported, report) = import(text.as_bytes(), &options).unwrap();
        assert_eq!((imported.entries.len(), report.refused_records), (2, 3));
    }

    #[test]
    fn irregular_hashes_need_permission_and_blank_ones_never_get_it() {
        let text = format!("{}\n{}\n", hexes(1)[0], "01".repeat(32));
        assert!(matches!(pdq(&text), Err(ImportError::Refused(_))));
        let options = ImportOptions { irregular: Irregular::Allow, ..ImportOptions::new(Algorithm::PdqFull) };
        assert_eq!(import(text.as_bytes(), &options).unwrap().0.irregular, 1);
        let blank = text + &"00".repeat(32);
        assert!(matches!(import(blank.as_bytes(), &options), Err(ImportError::Refused(_))));
    }

    #[test]
    fn column_quality_class_and_tag_select() {
        let hexes = hexes(2);
        let text = format!(
            "pdq,mine,quality,class,tags\n{},{},49,A1,one two\n{},{},50,b2,three\n",
            hexes[0], hexes[1], hexes[1], hexes[0]
        );
        let plain = || ImportOptions { column: Some("Mine".into()), ..ImportOptions::new(Algorithm::PdqFull) };
        for options in [
            ImportOptions { min_quality: 50, ..plain() },
            ImportOptions { classes: vec!["B1".into(), "B2".into()], ..plain() },
            ImportOptions { tags: vec!["three".into()], ..plain() },
        ] {
            let (imported, report) = import(text.as_bytes(), &options).unwrap();
            assert_eq!(
                (to_hex(imported.entries.as_bytes()), report.not_selected),
                (hexes[0].clone(), 1),
                "{options:?}"
            );
        }
        let missing = import(text.as_bytes(), &ImportOptions { column: Some("theirs".into()), ..plain() }).unwrap_err();
        assert!(missing.to_string().contains("it has pdq, mine, quality"), "{missing}");
        let nothing = ImportOptions { min_quality: 50, ..ImportOptions::new(Algorithm::PdqFull) };
        let nothing = import(hexes[0].as_bytes(), &nothing).unwrap_err();
        assert!(matches!(nothing, ImportError::NothingToSelectBy { flag: "--min-quality", .. }), "{nothing}");
        assert!(matches!(pdq(&text.replace(",50,", ",101,")), Err(ImportError::Refused(_))));
    }

    #[test]
    fn what_is_not_recognised_is_said() {
        assert!(matches!(pdq(""), Err(ImportError::Empty)));
        assert!(matches!(pdq("\n# nothing\n\n"), Err(ImportError::Empty)));
        assert!(matches!(pdq("hello world\n"), Err(ImportError::Unrecognised { .. })));
        assert!(matches!(pdq("a,b,c\n1,2,3\n"), Err(ImportError::Unrecognised { .. })));
        assert!(matches!(pdq("<html></html>"), Err(ImportError::Unrecognised { .. })));
        let forced = ImportOptions { format: Some(Format::Lines), ..ImportOptions::new(Algorithm::PdqFull) };
        assert!(matches!(import(&b"hello world\n"[..], &forced), Err(ImportError::Refused(_))));
        let long = [&vec![b'a'; 3 * MAX_LINE][..], b"\n", hexes(1)[0].as_bytes()].concat();
        let skip = ImportOptions { invalid: Invalid::Skip, ..forced };
        let (imported, report) = import(&long[..], &skip).unwrap();
        assert_eq!((imported.entries.len(), report.refused[0].line), (1, 1));
    }

    fn any_options() -> impl Strategy<Value = ImportOptions> {
        (
            prop::sample::select(&Algorithm::ALL[..]),
            proptest::option::of(prop::sample::select(&Format::ALL[..])),
            proptest::option::of(Just("hash".to_owned())),
            any::<bool>(),
            any::<bool>(),
        )
            .prop_map(|(algorithm, format, column, skip, allow)| ImportOptions {
                format,
                column,
                invalid: if skip { Invalid::Skip } else { Invalid::Refuse },
                irregular: if allow { Irregular::Allow } else { Irregular::Refuse },
                ..ImportOptions::new(algorithm)
            })
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), options in any_options()) {
            if let Ok((imported, report)) = import(&bytes[..], &options) {
                prop_assert_eq!(report.taken, imported.entries.len() as u64 + imported.duplicates);
            }
        }

        #[test]
        fn text_that_looks_like_hashes_never_panics(
            text in "([0-9a-fA-F]{0,66}[ ,;*\n\"=#(){}\\[\\]<>/&:]{0,3}(hash|pdq |hashRecords|queryResult|data)?){0,9}",
            options in any_options(),
        ) {
            let _ = import(text.as_bytes(), &options);
        }

        #[test]
        fn order_and_repetition_do_not_matter(
            mut lines in Just(hexes(20)).prop_shuffle(),
            repeated in proptest::collection::vec(0..20usize, 0..5),
            cut in 1usize..20,
        ) {
            let again: Vec<String> = repeated.iter().map(|at| lines[*at].clone()).collect();
            lines.extend(again);
            let (imported, _) = pdq(&lines.join("\n")).unwrap();
            prop_assert_eq!(&imported.entries, &entries(1, 20));
            prop_assert_eq!(imported.duplicates, repeated.len() as u64);
            // In two files, the second first.
            let options = ImportOptions::new(Algorithm::PdqFull);
            let mut importer = Importer::new(&options);
            importer.read(lines[cut..].join("\n").as_bytes()).unwrap();
            importer.read(lines[..cut].join("\n").as_bytes()).unwrap();
            prop_assert_eq!(importer.finish().unwrap(), imported);
        }
    }
}
