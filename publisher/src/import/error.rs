//! Why files are not imported.

use super::MAX_IMPORT_BYTES;
use super::outcome::OutcomeError;
use super::report::ImportReport;
use super::unread::{MarkingColumn, Marks};
use isonomy_core::list::entries::MAX_ENTRIES;
use isonomy_core::list::{Algorithm, ListError};
use isonomy_store::files::FileError;
use std::io;

/// The most columns that an error names.
const NAMED: usize = 16;

/// Why files are not imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It can't be read.
    #[error("can't read the file: {0}")]
    Read(#[from] io::Error),
    /// What does not fit into memory can't be sorted.
    #[error(
        "can't sort what was read in the temporary folder {folder}: {source}. The environment variable TMPDIR names another one"
    )]
    Sorting {
        /// The folder.
        folder: String,
        /// What failed.
        source: io::Error,
    },
    /// What was refused can't be told.
    #[error("can't write down what was refused: {0}")]
    Telling(FileError),
    /// There is nothing in it.
    #[error("the file holds nothing but empty lines and comments")]
    Empty,
    /// It is a private key, which no message may show.
    #[error("this is a private key; nothing of it is shown. Give a file of hashes")]
    PrivateKey,
    /// Its text is not in UTF-8.
    #[error("the file is in UTF-16, as some programs for tables write it: save it as UTF-8")]
    Utf16,
    /// Its format is not recognised.
    #[error(
        "the format is not recognised from the first line, {line:?}: it is neither a hash by {algorithm} nor a table with a column such as `hash`; give the format with --format, or the name or number of the column with --column"
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
    /// A table has several columns of the name that the hash's has.
    #[error(
        "the table has several columns called {name}: call the one with the hashes otherwise, and name it with --column"
    )]
    SeveralColumns {
        /// The name.
        name: String,
    },
    /// Columns of a table are not read, and may say which records don't count any more.
    #[error("{}", marks(.0))]
    UnreadMarks(Vec<MarkingColumn>),
    /// Nothing says what a table holds.
    #[error(
        "nothing says where the hashes stand: the first line, {line:?}, has neither a hash by {algorithm} nor the name of a column such as \
         `hash`. If lines such as a title stand before the names, take them out; or name the column with --column. Nothing was imported"
    )]
    Nameless {
        /// The first line.
        line: String,
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// A document in XML or JSON is not of its format as a whole.
    #[error("the document is malformed: {0}. Nothing was imported")]
    Malformed(String),
    /// A record without descriptors was taken, before one came that has some.
    #[error(
        "{first} has no descriptors, and a later one has: nobody may stand behind the first one any more. Get the feed with the \
         descriptors of all, or import what has none by itself; with --skip-invalid, give the files with descriptors first, and those \
         without are left out. Nothing was imported"
    )]
    Undescribed {
        /// Which one it is.
        first: String,
    },
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
    #[error("line {line} of the kept ids is not as `--ids` writes it; is it another file?")]
    Ids {
        /// The line, from 1.
        line: u64,
    },
    /// The kept ids are not all that were written.
    #[error(
        "the kept ids are cut off, or empty: the line is missing that ends them. Restore the file from a copy, since what it lost can't be \
         withdrawn by its id any more. If nothing was imported with it yet, take it away; if it is all that there was, add the line \
         `end {ids}`"
    )]
    IdsCut {
        /// How many there are.
        ids: u64,
    },
    /// Records were refused.
    #[error("{}", refusal(.0))]
    Refused(Box<ImportReport>),
    /// The hashes can't be a list.
    #[error(transparent)]
    List(#[from] ListError),
}

impl ImportError {
    /// A failure of the temporary files in which records are sorted.
    pub(super) fn sorting(source: io::Error) -> Self {
        Self::Sorting { folder: std::env::temp_dir().display().to_string(), source }
    }
}

impl From<OutcomeError> for ImportError {
    fn from(error: OutcomeError) -> Self {
        match error {
            OutcomeError::File(error) => Self::sorting(error),
            OutcomeError::List(error) => Self::List(error),
        }
    }
}

fn marks(columns: &[MarkingColumn]) -> String {
    let named = &columns[..columns.len().min(NAMED)];
    let said = named.iter().map(|MarkingColumn { name, values, marks }| {
        let values: Vec<String> = values.iter().map(|value| format!("{value:?}")).collect();
        let why = match marks {
            Marks::Values => "is not read, and has values such as marks have, or few of them",
            Marks::NoKinds => {
                "is read for kinds of hashes and of files alone, and has others that are such as marks have, or few"
            }
            Marks::Ahead => "is not read, and has dates that have not come yet",
            Marks::NoNames => {
                "stands behind the hashes, where names of files should, and has few values that come again"
            }
        };
        format!("the column {name} {why} ({})", values.join(", "))
    });
    let more = match columns.len() - named.len() {
        0 => String::new(),
        more => format!("; and {more} more columns"),
    };
    let flags: String = named.iter().map(|column| format!(" --ignore-column {}", quoted(&column.name))).collect();
    format!(
        "{}{more}: that may mark records that are withdrawn. Names and words are heard in English alone: call a column that does `status` \
         (active or withdrawn) or `deleted` (yes or no); pass over what says nothing of that with `isonomy list import{flags}`, or take it \
         out of the table. Nothing was imported",
        said.collect::<Vec<_>>().join("; ")
    )
}

/// A name from a file, as a shell takes it for that name and nothing else; what a terminal would obey is shown and not obeyed.
fn quoted(name: &str) -> String {
    let is_shown = |c: char| !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let escaped = |c: char| if is_shown(c) { c.to_string() } else { c.escape_default().to_string() };
    let name: String = name.chars().map(escaped).collect();
    format!("'{}'", name.replace('\'', r"'\''"))
}

fn refusal(report: &ImportReport) -> String {
    let first = report.refused.first().map(|one| format!("; the first is {}", one.words()));
    format!(
        "{} of {} records are refused{}. Nothing was imported: mend the file; `isonomy list import --skip-invalid` leaves such records out",
        report.refused_records,
        report.records,
        first.unwrap_or_default()
    )
}
