//! Tables: CSV with named columns, and what ThreatExchange's tools write.
//!
//! | format | columns |
//! |---|---|
//! | [`Format::Csv`] | separated by commas, semicolons or tabs; with a header, the hash is in a column with a name such as `pdq`, `sha256` or `hash`, quality, class, tags, and whether the record still counts (`deleted`, `status`) in columns of such names; without, the hash is in the first one |
//! | [`Format::ThreatExchange`] | no header: `indicator,descriptor_id,added_on,tags`, or `indicator,indicator_id,descriptor_id,added_on,tags`; the tags separated by spaces |

use super::budget::Budgeted;
use super::record::{self, Action, Record, Refusal, quality, refusal};
use super::{Format, ImportError, ImportOptions, Sink, read_failed};
use isonomy_core::list::Algorithm;
use std::io::BufRead;

/// Names of columns that hold hashes by any algorithm.
const ANY_HASH: [&str; 7] = ["hash", "hash_value", "hashvalue", "hash_digest", "digest", "indicator", "entry"];
const QUALITY: [&str; 1] = ["quality"];
const CLASS: [&str; 3] = ["class", "classification", "category"];
const TAGS: [&str; 2] = ["tags", "tag"];
const STATE: [&str; 5] = ["deleted", "should_delete", "is_deleted", "hashstatus", "status"];

/// Where in a table things are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Columns {
    delimiter: u8,
    has_header: bool,
    /// How many there are in the first line.
    count: usize,
    hash: usize,
    quality: Option<usize>,
    class: Option<usize>,
    tags: Option<usize>,
    /// Whether it still counts.
    state: Option<usize>,
}

pub(super) fn read(whole: impl BufRead, columns: &Columns, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let (budgeted, position) = Budgeted::new(whole);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(columns.delimiter).from_reader(budgeted);
    let mut record = csv::ByteRecord::new();
    let mut header = columns.has_header;
    while reader.read_byte_record(&mut record).map_err(|error| read_failed(error.into()))? {
        let breaks = record.iter().flatten().filter(|&&byte| byte == b'\n').count();
        let place = position.lines_back(breaks);
        position.end_record();
        let is_empty = record.iter().all(|field| field.trim_ascii().is_empty());
        if is_empty || is_comment(&record, columns, sink.algorithm()) || std::mem::take(&mut header) {
            continue;
        }
        let says = alone(&record, columns, sink.algorithm()).and_then(|()| row(&record, columns, sink.algorithm()));
        sink.take(place, says)?;
    }
    Ok(())
}

/// Whether a row is a comment: it begins with # and has not the fields of a row (the name of a file can begin so, too), or it says
/// how the table is separated.
fn is_comment(row: &csv::ByteRecord, columns: &Columns, algorithm: Algorithm) -> bool {
    let first = row.get(0).unwrap_or_default().trim_ascii();
    let is_row = || row.len() == columns.count && columns.count > 1;
    let holds_hash = || row.iter().any(|field| record::hash(field, algorithm).is_ok());
    first == b"sep=" || first.starts_with(b"#") && !is_row() && !holds_hash()
}

/// Refuses a row that holds more than one: where a quotation mark is not closed, the rows that follow become part of its field,
/// and nobody would miss them. Nor would they where several hashes stand in a row of a table that doesn't say which is meant.
fn alone(row: &csv::ByteRecord, columns: &Columns, algorithm: Algorithm) -> Result<(), Refusal> {
    let is_hash = |field: &[u8]| record::hash(field, algorithm).is_ok();
    let is_row = |line: &[u8]| line.split(|&byte| byte == columns.delimiter).any(is_hash);
    let has_swallowed = |(place, field): (usize, &[u8])| {
        let mut lines = field.split(|byte| b"\r\n".contains(byte));
        let first = lines.next().unwrap_or_default();
        // The field of the hash may end with an empty line.
        lines.any(is_row) || first.len() < field.len() && place != columns.hash && is_row(first)
    };
    if row.iter().enumerate().any(has_swallowed) {
        return Err(refusal("row", "it holds other rows: a quotation mark is not closed"));
    }
    if !columns.has_header && row.iter().filter(|field| is_hash(field)).count() > 1 {
        let advice = "put a line with names before the first row, such as hash,other, or give a hash its own line";
        return Err(refusal("row", format!("it holds several hashes: {advice}")));
    }
    match row.get(0).filter(|field| field.trim_ascii().starts_with(b"#")) {
        Some(_) => Err(refusal(
            "row",
            "it begins with # like a comment, and has the fields of a row: take the # away, or the row",
        )),
        None => Ok(()),
    }
}

/// What a row says.
fn row(row: &csv::ByteRecord, columns: &Columns, algorithm: Algorithm) -> Result<Record, Refusal> {
    let field = row.get(columns.hash).ok_or_else(|| refusal("hash", "it has too few columns"))?;
    let digest = record::hash(field.trim_ascii().strip_prefix(b"pdq ").unwrap_or(field), algorithm);
    let words = |column: Option<usize>, between: &[char]| -> Vec<String> {
        let text = column.and_then(|column| row.get(column)).map(String::from_utf8_lossy).unwrap_or_default();
        text.split(between).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    Ok(Record {
        quality: columns.quality.and_then(|column| row.get(column)).map(quality).transpose()?,
        classes: words(columns.class, &[',', ';', '|']), // one can have several words
        tags: words(columns.tags, &[' ', ',', ';', '|']),
        action: state(columns.state.and_then(|column| row.get(column)).unwrap_or_default())?,
        ..Record::of(digest.map_err(|reason| refusal("hash", reason))?)
    })
}

/// What a field says of whether the record still counts.
fn state(field: &[u8]) -> Result<Action, Refusal> {
    let text = String::from_utf8_lossy(field).trim().to_lowercase();
    match text.as_str() {
        "" | "false" | "no" | "0" | "f" | "active" | "received" | "malicious" | "unknown" => Ok(Action::Add),
        "true" | "yes" | "1" | "t" | "deleted" | "withdrawn" | "removed" | "non_malicious" => Ok(Action::Remove),
        _ => Err(refusal(
            "status",
            format!("{text:?} is none that is known, so whether the record still counts isn't, either"),
        )),
    }
}

/// The columns of a table by its first line; `None` if it is none.
pub(super) fn columns(first: &[u8], options: &ImportOptions) -> Result<Option<Columns>, ImportError> {
    let count = |delimiter: u8| first.iter().filter(|&&byte| byte == delimiter).count();
    let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',');
    let names = fields(first, delimiter);
    let place = |wanted: &str| names.iter().position(|name| name == wanted || name.replace([' ', '-'], "_") == wanted);
    let one_of = |wanted: &[&str]| wanted.iter().find_map(|name| place(name));
    let named = |hash| {
        Some(Columns {
            delimiter,
            has_header: true,
            count: names.len(),
            hash,
            quality: one_of(&QUALITY),
            class: one_of(&CLASS),
            tags: one_of(&TAGS),
            state: one_of(&STATE),
        })
    };
    let plain = |hash| Columns {
        delimiter,
        has_header: false,
        count: names.len(),
        hash,
        quality: None,
        class: None,
        tags: None,
        state: None,
    };
    if let Some(column) = &options.column {
        let wanted = column.trim().to_lowercase();
        // By its number, from 1, where there are no names.
        let number = || wanted.parse::<usize>().ok()?.checked_sub(1).filter(|number| *number < names.len());
        let no_column = || ImportError::NoColumn { wanted: column.clone(), found: names.clone() };
        return match place(&wanted) {
            Some(hash) => Ok(named(hash)),
            None => number().map(|number| Some(plain(number))).ok_or_else(no_column),
        };
    }
    if let Some(hash) = one_of(own_names(options.algorithm)).or_else(|| one_of(&ANY_HASH)) {
        return Ok(named(hash));
    }
    let starts_with_hash = names.first().is_some_and(|field| record::hash(field.as_bytes(), options.algorithm).is_ok());
    Ok((starts_with_hash || options.format == Some(Format::Csv)).then(|| plain(0)))
}

/// The columns of ThreatExchange's table by how many there are in its first line; `None` if it can't be one.
pub(super) fn threat_exchange(first: &[u8]) -> Option<Columns> {
    let count = fields(first, b',').len();
    let columns = || Columns {
        delimiter: b',',
        has_header: false,
        count,
        hash: 0,
        quality: None,
        class: None,
        tags: Some(count - 1),
        state: None,
    };
    (4..=5).contains(&count).then(columns)
}

/// The same, if that line is like one of its rows. When it was added may be written in any way.
pub(super) fn like_threat_exchange(first: &[u8], algorithm: Algorithm) -> Option<Columns> {
    let names = fields(first, b',');
    let is_number = |field: &String| !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit());
    let is_hash = || names.first().is_some_and(|field| record::hash(field.as_bytes(), algorithm).is_ok());
    threat_exchange(first).filter(|columns| names[1..columns.count - 2].iter().all(is_number) && is_hash())
}

/// The fields of one line, without white space around them and in small letters.
fn fields(line: &[u8], delimiter: u8) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(line);
    let mut record = csv::ByteRecord::new();
    match reader.read_byte_record(&mut record) {
        Ok(true) => record.iter().map(|field| String::from_utf8_lossy(field).trim().to_lowercase()).collect(),
        _ => Vec::new(),
    }
}

/// Names of columns that hold hashes by this algorithm.
fn own_names(algorithm: Algorithm) -> &'static [&'static str] {
    match algorithm {
        Algorithm::PdqFull => &["pdq/full", "pdq", "pdq_hash", "pdqhash"],
        Algorithm::Sha256 => &["sha256", "sha-256", "sha_256"],
        Algorithm::Sha1 => &["sha1", "sha-1", "sha_1"],
        Algorithm::Md5 => &["md5"],
        Algorithm::VpdqV1 => &["vpdq/v1", "vpdq"],
    }
}
