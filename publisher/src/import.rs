//! Files of hashes, in the formats that maintainers have, to the entries of a list.
//!
//! | format | a line |
//! |---|---|
//! | [`Format::Lines`] | `<hash>` or `pdq <hash>` |
//! | [`Format::Sums`] | `<hash>  <name>` or `<hash> *<name>`, as sha256sum, sha1sum and md5sum write it |
//! | [`Format::Csv`] | fields separated by commas, semicolons or tabs; with a header, the hash is in a column with a name such as `pdq`, `sha256` or `hash`; without, in the first one, also as `hash=<hash>` |
//!
//! A hash is hexadecimal in either case, or standard base64. The format is recognised by the first line that is neither
//! empty nor a comment (`#`), unless it is given. Order and repetitions of hashes don't matter.
//!
//! A line that holds no hash of the algorithm is refused, with its number and the reason, and so is the whole file, unless
//! refused lines are to be skipped. An all-zero hash is always refused, an irregular one (rule 8) unless that is allowed.

mod format;

use format::{Columns, Row};
use isonomy_core::list::entries::MAX_ENTRIES;
use isonomy_core::list::{Algorithm, Entries, EntryVerdict, ListError};
use serde::Serialize;
use std::io::{self, BufRead, Read};

/// The most bytes of a file.
pub const MAX_IMPORT_BYTES: u64 = 16 << 30;
/// The most bytes of a line.
pub const MAX_LINE: usize = 64 << 10;
/// The most refused lines that a report shows.
const SHOWN: usize = 100;
/// How much of a file is looked at to recognise its format.
const HEAD: u64 = MAX_LINE as u64;

/// How the hashes are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One hash on each line.
    Lines,
    /// As sha256sum, sha1sum and md5sum write it.
    Sums,
    /// A table.
    Csv,
}

/// What to do with lines that hold no hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Invalid {
    /// Refuse the whole file.
    #[default]
    Refuse,
    /// Leave them out, and report them.
    Skip,
}

/// What to do with hashes that rule 8 admits only by exception.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Irregular {
    /// Refuse them like lines without a hash.
    #[default]
    Refuse,
    /// Admit them, and count them.
    Allow,
}

/// How a file is to be read.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// The list's algorithm.
    pub algorithm: Algorithm,
    /// The format; `None` to recognise it.
    pub format: Option<Format>,
    /// The column of a table that holds the hashes; `None` for one that is known to.
    pub column: Option<String>,
    /// Lines that hold no hash.
    pub invalid: Invalid,
    /// Irregular hashes.
    pub irregular: Irregular,
    /// Where a table gives the quality of a picture, the least that is taken.
    pub min_quality: u64,
}

impl ImportOptions {
    /// To recognise the format, refuse what is not as it should be, and take any quality.
    pub fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            format: None,
            column: None,
            invalid: Invalid::default(),
            irregular: Irregular::default(),
            min_quality: 0,
        }
    }
}

/// Why a file is not imported.
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
    /// The file is larger than [`MAX_IMPORT_BYTES`].
    #[error("the file is larger than {MAX_IMPORT_BYTES} bytes; split it")]
    TooLarge,
    /// There are more hashes than a list can have.
    #[error("the file holds more hashes than the {MAX_ENTRIES} that a list can have")]
    TooMany,
    /// Lines were refused.
    #[error("{}", refusal(.0))]
    Refused(Box<ImportReport>),
    /// The hashes can't be a list.
    #[error(transparent)]
    List(#[from] ListError),
}

fn refusal(report: &ImportReport) -> String {
    let first = report.refused.first().map(|line| format!("; the first is line {}: {}", line.line, line.reason));
    format!(
        "{} of {} lines are refused{}. Nothing was imported: mend the file, or leave such lines out with --skip-invalid",
        report.refused_lines,
        report.lines,
        first.unwrap_or_default()
    )
}

/// The entries of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imported {
    /// The entries, sorted, each once.
    pub entries: Entries,
    /// How it went.
    pub report: ImportReport,
}

/// How an import went.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ImportReport {
    /// The format.
    pub format: Format,
    /// Lines or records that should hold a hash.
    pub lines: u64,
    /// Entries that came of them.
    pub entries: u64,
    /// Hashes that were there already.
    pub duplicates: u64,
    /// Entries that rule 8 admits only by exception.
    pub irregular: u64,
    /// How many lines were refused.
    pub refused_lines: u64,
    /// The first of those.
    pub refused: Vec<RefusedLine>,
}

/// A line that was refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RefusedLine {
    /// Its number, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// Imports a file of hashes.
pub fn import(mut file: impl BufRead, options: &ImportOptions) -> Result<Imported, ImportError> {
    let mut head = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut head)?;
    let plan = format::recognise(format::without_bom(&head), options)?;
    let whole = Limited { left: MAX_IMPORT_BYTES, inner: io::Cursor::new(format::without_bom(&head)).chain(file) };
    let mut collector = Collector::new(plan.format, options);
    match plan.columns {
        None => collector.lines(whole)?,
        Some(columns) => collector.table(whole, &columns)?,
    }
    collector.finish()
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

/// Gathers entries and refusals.
struct Collector<'o> {
    options: &'o ImportOptions,
    bytes: Vec<u8>,
    report: ImportReport,
}

impl<'o> Collector<'o> {
    fn new(format: Format, options: &'o ImportOptions) -> Self {
        let report = ImportReport {
            format,
            lines: 0,
            entries: 0,
            duplicates: 0,
            irregular: 0,
            refused_lines: 0,
            refused: Vec::new(),
        };
        Self { options, bytes: Vec::new(), report }
    }

    fn lines(&mut self, whole: impl Read) -> Result<(), ImportError> {
        let mut reader = io::BufReader::new(whole);
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let limit = MAX_LINE as u64 + 1;
            if reader.by_ref().take(limit).read_until(b'\n', &mut line).map_err(read_failed)? == 0 {
                break;
            }
            if line.len() > MAX_LINE && !line.ends_with(b"\n") {
                skip_line(&mut reader)?;
                self.take(number, Err(format!("it is longer than {MAX_LINE} bytes")))?;
                continue;
            }
            let text = line.trim_ascii();
            if !text.is_empty() && !text.starts_with(b"#") {
                self.take(number, format::line(text, self.report.format, self.options.algorithm))?;
            }
        }
        Ok(())
    }

    fn table(&mut self, whole: impl Read, columns: &Columns) -> Result<(), ImportError> {
        let mut reader =
            csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(columns.delimiter).from_reader(whole);
        let mut record = csv::ByteRecord::new();
        let mut header = columns.has_header;
        while reader.read_byte_record(&mut record).map_err(|error| read_failed(error.into()))? {
            let is_comment = record.get(0).is_some_and(|field| field.trim_ascii().starts_with(b"#"));
            let is_empty = record.iter().all(|field| field.trim_ascii().is_empty());
            if is_comment || is_empty {
                continue;
            }
            if std::mem::take(&mut header) {
                continue;
            }
            let line = record.position().map_or(0, csv::Position::line);
            self.take(line, format::record(&record, columns, self.options.algorithm))?;
        }
        Ok(())
    }

    /// Takes up what a line says.
    fn take(&mut self, line: u64, row: Result<Row, String>) -> Result<(), ImportError> {
        self.report.lines += 1;
        match row.and_then(|row| self.check(row)) {
            Ok(entry) => self.bytes.extend_from_slice(&entry),
            Err(reason) => {
                self.report.refused_lines += 1;
                if self.report.refused.len() < SHOWN {
                    self.report.refused.push(RefusedLine { line, reason });
                }
            }
        }
        let count = self.bytes.len() / self.options.algorithm.entry_size();
        if count as u64 > MAX_ENTRIES { Err(ImportError::TooMany) } else { Ok(()) }
    }

    fn check(&self, row: Row) -> Result<Vec<u8>, String> {
        if let Some(quality) = row.quality.filter(|quality| *quality < self.options.min_quality) {
            return Err(format!("its quality is {quality}, below {}", self.options.min_quality));
        }
        match (self.options.algorithm.check_entry(&row.entry), self.options.irregular) {
            (EntryVerdict::Valid, _) | (EntryVerdict::Irregular(_), Irregular::Allow) => Ok(row.entry),
            (EntryVerdict::Irregular(reason), Irregular::Refuse) => {
                Err(format!("{reason}; such hashes are admitted only with --allow-irregular"))
            }
            (EntryVerdict::Forbidden(reason), _) => Err(reason.to_owned()),
        }
    }

    fn finish(self) -> Result<Imported, ImportError> {
        let Self { options, bytes, mut report } = self;
        if report.refused_lines > 0 && options.invalid == Invalid::Refuse {
            return Err(ImportError::Refused(Box::new(report)));
        }
        let (entries, duplicates) = Entries::from_unsorted(options.algorithm.entry_size(), bytes)?;
        report.entries = entries.len() as u64;
        report.duplicates = duplicates;
        report.irregular = entries.irregular(options.algorithm)?;
        Ok(Imported { entries, report })
    }
}

/// Reads to the end of a line that is too long to be kept.
fn skip_line(reader: &mut impl BufRead) -> Result<(), ImportError> {
    loop {
        let buffer = reader.fill_buf().map_err(read_failed)?;
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let (count, done) = (end.map_or(buffer.len(), |end| end + 1), end.is_some() || buffer.is_empty());
        reader.consume(count);
        if done {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entries;
    use isonomy_core::encoding::{to_base64, to_hex};
    use proptest::prelude::*;

    fn pdq(text: &str) -> Result<Imported, ImportError> {
        import(text.as_bytes(), &ImportOptions::new(Algorithm::PdqFull))
    }

    fn hexes(count: u64) -> Vec<String> {
        entries(1, count).iter().map(to_hex).collect()
    }

    #[test]
    fn every_format_gives_the_same_entries() {
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
            (Format::Csv, table(&|hex| format!("hash={hex},norm=1,delta=0,quality=100,filename=x\n"))),
        ] {
            let imported = pdq(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((imported.entries, imported.report.format), (list.clone(), format), "{text}");
            assert_eq!((imported.report.lines, imported.report.refused_lines), (3, 0));
        }
    }

    #[test]
    fn digests_of_files_are_imported_by_their_algorithm() {
        for (algorithm, hex) in [
            (Algorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (Algorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
        ] {
            let text = format!("{hex}  abc\n");
            let imported = import(text.as_bytes(), &ImportOptions::new(algorithm)).unwrap();
            assert_eq!((imported.entries.len(), imported.report.format), (1, Format::Sums));
        }
        let wrong = import(&b"900150983cd24fb0d6963f7d28e17f72\n"[..], &ImportOptions::new(Algorithm::Sha256));
        assert!(matches!(wrong, Err(ImportError::Unrecognised { .. })));
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
        let lines: Vec<u64> = report.refused.iter().map(|line| line.line).collect();
        assert_eq!((report.lines, report.refused_lines, lines), (5, 3, vec![2, 3, 4]));
        assert!(report.refused[1].reason.contains("63 hexadecimal digits"), "{report:?}");
        assert!(pdq(&text).unwrap_err().to_string().contains("line 2"));
        let options = ImportOptions { invalid: Invalid::Skip, ..ImportOptions::new(Algorithm::PdqFull) };
        let imported = import(text.as_bytes(), &options).unwrap();
        assert_eq!((imported.entries.len(), imported.report.refused_lines), (2, 3));
    }

    #[test]
    fn irregular_hashes_need_permission_and_blank_ones_never_get_it() {
        let text = format!("{}\n{}\n", hexes(1)[0], "01".repeat(32));
        assert!(matches!(pdq(&text), Err(ImportError::Refused(_))));
        let options = ImportOptions { irregular: Irregular::Allow, ..ImportOptions::new(Algorithm::PdqFull) };
        assert_eq!(import(text.as_bytes(), &options).unwrap().report.irregular, 1);
        let blank = text + &"00".repeat(32);
        assert!(matches!(import(blank.as_bytes(), &options), Err(ImportError::Refused(_))));
    }

    #[test]
    fn the_column_and_the_least_quality_can_be_given() {
        let hexes = hexes(2);
        let text = format!("pdq,mine,quality\n{},{},49\n{},{},50\n", hexes[0], hexes[1], hexes[1], hexes[0]);
        let mut options = ImportOptions {
            column: Some("Mine".into()),
            invalid: Invalid::Skip,
            min_quality: 50,
            ..ImportOptions::new(Algorithm::PdqFull)
        };
        let imported = import(text.as_bytes(), &options).unwrap();
        assert_eq!(to_hex(imported.entries.as_bytes()), hexes[0]);
        assert!(imported.report.refused[0].reason.contains("49"));
        options.column = Some("theirs".into());
        let missing = import(text.as_bytes(), &options).unwrap_err();
        assert!(missing.to_string().contains("it has pdq, mine, quality"), "{missing}");
    }

    #[test]
    fn what_is_not_recognised_is_said() {
        assert!(matches!(pdq(""), Err(ImportError::Empty)));
        assert!(matches!(pdq("\n# nothing\n\n"), Err(ImportError::Empty)));
        assert!(matches!(pdq("hello world\n"), Err(ImportError::Unrecognised { .. })));
        assert!(matches!(pdq("a,b,c\n1,2,3\n"), Err(ImportError::Unrecognised { .. })));
        let forced = ImportOptions { format: Some(Format::Lines), ..ImportOptions::new(Algorithm::PdqFull) };
        assert!(matches!(import(&b"hello world\n"[..], &forced), Err(ImportError::Refused(_))));
        let long = [&vec![b'a'; 3 * MAX_LINE][..], b"\n", hexes(1)[0].as_bytes()].concat();
        let skip = ImportOptions { invalid: Invalid::Skip, ..forced };
        let imported = import(&long[..], &skip).unwrap();
        assert_eq!((imported.entries.len(), imported.report.refused[0].line), (1, 1));
    }

    fn any_options() -> impl Strategy<Value = ImportOptions> {
        let formats = [None, Some(Format::Lines), Some(Format::Sums), Some(Format::Csv)];
        let columns = [None, Some("hash".to_owned())];
        (
            prop::sample::select(&Algorithm::ALL[..]),
            prop::sample::select(formats.to_vec()),
            prop::sample::select(columns.to_vec()),
            any::<bool>(),
            any::<bool>(),
        )
            .prop_map(|(algorithm, format, column, skip, allow)| ImportOptions {
                algorithm,
                format,
                column,
                invalid: if skip { Invalid::Skip } else { Invalid::Refuse },
                irregular: if allow { Irregular::Allow } else { Irregular::Refuse },
                min_quality: 0,
            })
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), options in any_options()) {
            if let Ok(imported) = import(&bytes[..], &options) {
                prop_assert_eq!(imported.report.entries, imported.entries.len() as u64);
            }
        }

        #[test]
        fn text_that_looks_like_hashes_never_panics(text in "([0-9a-fA-F]{0,66}[ ,;*\n\"=#]{0,3}(hash|pdq )?){0,9}", options in any_options()) {
            let _ = import(text.as_bytes(), &options);
        }

        #[test]
        fn order_and_repetition_do_not_matter(
            mut lines in Just(hexes(20)).prop_shuffle(),
            repeated in proptest::collection::vec(0..20usize, 0..5),
        ) {
            let again: Vec<String> = repeated.iter().map(|at| lines[*at].clone()).collect();
            lines.extend(again);
            let imported = pdq(&lines.join("\n")).unwrap();
            prop_assert_eq!(imported.entries, entries(1, 20));
            prop_assert_eq!(imported.report.duplicates, repeated.len() as u64);
        }
    }
}
