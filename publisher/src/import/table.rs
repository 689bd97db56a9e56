//! Tables: CSV with named columns, and what ThreatExchange's tools write.
//!
//! | format | columns |
//! |---|---|
//! | [`Format::Csv`] | separated by commas, semicolons or tabs; with a header, the hash is in a column with a name such as `pdq`, `sha256` or `hash`, quality, class and tags in columns of such names; without, the hash is in the first one |
//! | [`Format::ThreatExchange`] | no header: `indicator,descriptor_id,added_on,tags`, or `indicator,indicator_id,descriptor_id,added_on,tags`; the tags separated by spaces |

use super::budget::Budgeted;
use super::record::{self, Record, Refusal, quality, refusal};
use super::{Format, ImportError, ImportOptions, Sink, read_failed};
use isonomy_core::list::Algorithm;
use std::io::BufRead;

/// Names of columns that hold hashes by any algorithm.
const ANY_HASH: [&str; 7] = ["hash", "hash_value", "hashvalue", "hash_digest", "digest", "indicator", "entry"];
const QUALITY: [&str; 1] = ["quality"];
const CLASS: [&str; 3] = ["class", "classification", "category"];
const TAGS: [&str; 2] = ["tags", "tag"];

/// Where in a table things are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Columns {
    delimiter: u8,
    has_header: bool,
    hash: usize,
    quality: Option<usize>,
    class: Option<usize>,
    tags: Option<usize>,
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
        let is_comment = record.get(0).is_some_and(|field| field.trim_ascii().starts_with(b"#"));
        let is_empty = record.iter().all(|field| field.trim_ascii().is_empty());
        if is_comment || is_empty || std::mem::take(&mut header) {
            continue;
        }
        let says = alone(&record, columns, sink.algorithm()).and_then(|()| row(&record, columns, sink.algorithm()));
        sink.take(place, says)?;
    }
    Ok(())
}

/// Refuses a row that has swallowed others: where a quotation mark is not closed, the rows that follow become part of its field,
/// and nobody would miss them.
fn alone(row: &csv::ByteRecord, columns: &Columns, algorithm: Algorithm) -> Result<(), Refusal> {
    let is_row = |line: &[u8]| {
        let mut fields = line.split(|&byte| byte == columns.delimiter);
        fields.any(|field| record::hash(field, algorithm).is_ok())
    };
    if row.iter().any(|field| field.split(|&byte| byte == b'\n').skip(1).any(is_row)) {
        return Err(refusal("row", "it holds other rows: a quotation mark is not closed"));
    }
    Ok(())
}

/// What a row says.
fn row(row: &csv::ByteRecord, columns: &Columns, algorithm: Algorithm) -> Result<Record, Refusal> {
    let field = row.get(columns.hash).ok_or_else(|| refusal("hash", "it has too few columns"))?;
    let digest = record::hash(field.trim_ascii().strip_prefix(b"pdq ").unwrap_or(field), algorithm);
    let words = |column: Option<usize>| -> Vec<String> {
        let text = column.and_then(|column| row.get(column)).map(String::from_utf8_lossy).unwrap_or_default();
        text.split([' ', ',', ';', '|']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    Ok(Record {
        quality: columns.quality.and_then(|column| row.get(column)).map(quality).transpose()?,
        classes: words(columns.class),
        tags: words(columns.tags),
        ..Record::of(digest.map_err(|reason| refusal("hash", reason))?)
    })
}

/// The columns of a table by its first line; `None` if it is none.
pub(super) fn columns(first: &[u8], options: &ImportOptions) -> Result<Option<Columns>, ImportError> {
    let count = |delimiter: u8| first.iter().filter(|&&byte| byte == delimiter).count();
    let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',');
    let names = fields(first, delimiter);
    let place = |wanted: &str| names.iter().position(|name| name == wanted);
    let one_of = |wanted: &[&str]| wanted.iter().find_map(|name| place(name));
    let named = |hash| {
        Some(Columns {
            delimiter,
            has_header: true,
            hash,
            quality: one_of(&QUALITY),
            class: one_of(&CLASS),
            tags: one_of(&TAGS),
        })
    };
    if let Some(column) = &options.column {
        let wanted = column.trim().to_lowercase();
        let no_column = || ImportError::NoColumn { wanted: column.clone(), found: names.clone() };
        return Ok(named(place(&wanted).ok_or_else(no_column)?));
    }
    if let Some(hash) = one_of(own_names(options.algorithm)).or_else(|| one_of(&ANY_HASH)) {
        return Ok(named(hash));
    }
    let starts_with_hash = names.first().is_some_and(|field| record::hash(field.as_bytes(), options.algorithm).is_ok());
    let plain = Columns { delimiter, has_header: false, hash: 0, quality: None, class: None, tags: None };
    Ok((starts_with_hash || options.format == Some(Format::Csv)).then_some(plain))
}

/// The columns of ThreatExchange's table by its first line; `None` if it is none.
pub(super) fn threat_exchange(first: &[u8], algorithm: Algorithm) -> Option<Columns> {
    let names = fields(first, b',');
    let is_number = |field: &String| !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit());
    let ids = names.len().checked_sub(3).filter(|ids| (1..=2).contains(ids))?;
    let is_one = record::hash(names.first()?.as_bytes(), algorithm).is_ok()
        && names[1..=ids].iter().all(is_number)
        && record::time(&names[ids + 1].to_uppercase()).is_some();
    let tags = Some(names.len() - 1);
    is_one.then_some(Columns { delimiter: b',', has_header: false, hash: 0, quality: None, class: None, tags })
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
