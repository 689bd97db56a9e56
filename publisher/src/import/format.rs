//! Recognising a format, and reading one line or record of it.

use super::{Format, ImportError, ImportOptions};
use isonomy_core::encoding::{from_base64, from_hex};
use isonomy_core::list::Algorithm;
use isonomy_core::note::holds_private_key;

/// Names of columns that hold hashes by any algorithm.
const ANY_HASH: [&str; 7] = ["hash", "hash_value", "hashvalue", "hash_digest", "digest", "indicator", "entry"];
/// The name of the column with the quality of a picture.
const QUALITY: &str = "quality";
/// The most of a line that an error shows, in characters.
const SHOWN: usize = 80;

/// What a line says.
pub(super) struct Row {
    pub(super) entry: Vec<u8>,
    pub(super) quality: Option<u64>,
}

/// How a file is read: `columns` for a table.
pub(super) struct Plan {
    pub(super) format: Format,
    pub(super) columns: Option<Columns>,
}

/// Where in a table the hashes are.
pub(super) struct Columns {
    pub(super) delimiter: u8,
    pub(super) has_header: bool,
    hash: usize,
    quality: Option<usize>,
}

/// The bytes without the mark that some programs put before UTF-8.
pub(super) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// How to read the file that starts with `head`.
pub(super) fn recognise(head: &[u8], options: &ImportOptions) -> Result<Plan, ImportError> {
    let mut lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b"#")).ok_or(ImportError::Empty)?;
    if holds_private_key(first) {
        return Err(ImportError::PrivateKey);
    }
    let algorithm = options.algorithm;
    let is = |format: Format| line(first, format, algorithm).is_ok();
    let wants_table = options.format == Some(Format::Csv) || options.column.is_some();
    let format = match options.format {
        Some(format) if format != Format::Csv => Some(format),
        None if !wants_table => [Format::Lines, Format::Sums].into_iter().find(|format| is(*format)),
        _ => None,
    };
    if let Some(format) = format {
        return Ok(Plan { format, columns: None });
    }
    let columns = columns(first, options)?.ok_or_else(|| unrecognised(first, algorithm))?;
    Ok(Plan { format: Format::Csv, columns: Some(columns) })
}

fn unrecognised(line: &[u8], algorithm: Algorithm) -> ImportError {
    let line = String::from_utf8_lossy(line).chars().take(SHOWN).collect();
    ImportError::Unrecognised { line, algorithm }
}

/// The columns of a table by its first line; `None` if it is none.
fn columns(first: &[u8], options: &ImportOptions) -> Result<Option<Columns>, ImportError> {
    let count = |delimiter: u8| first.iter().filter(|&&byte| byte == delimiter).count();
    let delimiter = [b'\t', b';', b','].into_iter().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',');
    let names = fields(first, delimiter);
    let place = |wanted: &str| names.iter().position(|name| name == wanted);
    let quality = place(QUALITY);
    if let Some(column) = &options.column {
        let wanted = column.trim().to_lowercase();
        let no_column = || ImportError::NoColumn { wanted: column.clone(), found: names.clone() };
        let hash = place(&wanted).ok_or_else(no_column)?;
        return Ok(Some(Columns { delimiter, has_header: true, hash, quality }));
    }
    if let Some(hash) = own_names(options.algorithm).iter().chain(&ANY_HASH).find_map(|name| place(name)) {
        return Ok(Some(Columns { delimiter, has_header: true, hash, quality }));
    }
    let starts_with_hash = names.first().is_some_and(|field| entry(field.as_bytes(), options.algorithm).is_ok());
    let plain = Columns { delimiter, has_header: false, hash: 0, quality: None };
    Ok((starts_with_hash || options.format == Some(Format::Csv)).then_some(plain))
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
    }
}

/// What a line of hashes or sums says.
pub(super) fn line(text: &[u8], format: Format, algorithm: Algorithm) -> Result<Row, String> {
    let text = match format {
        Format::Sums => sum(text).ok_or("it is not a hash, two spaces or a space and a star, and a name")?,
        Format::Lines | Format::Csv => text,
    };
    Ok(Row { entry: entry(text, algorithm)?, quality: None })
}

/// The hash in a line of sums. A backslash before it says that the name is written with escapes.
fn sum(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(b"\\").unwrap_or(text);
    let end = text.iter().position(|&byte| byte == b' ')?;
    let (hash, name) = text.split_at_checked(end)?;
    let name = name.strip_prefix(b"  ").or_else(|| name.strip_prefix(b" *"))?;
    (!name.is_empty()).then_some(hash)
}

/// What a record of a table says.
pub(super) fn record(record: &csv::ByteRecord, columns: &Columns, algorithm: Algorithm) -> Result<Row, String> {
    let field = record.get(columns.hash).ok_or("it has too few columns")?;
    let quality = match columns.quality {
        Some(place) => record.get(place),
        None => record.iter().find_map(|field| field.trim_ascii().strip_prefix(b"quality=")),
    };
    Ok(Row { entry: entry(field, algorithm)?, quality: quality.map(number).transpose()? })
}

fn number(field: &[u8]) -> Result<u64, String> {
    let text = std::str::from_utf8(field).ok();
    text.and_then(|text| text.trim().parse().ok()).ok_or_else(|| "its quality is not a number".to_owned())
}

/// The entry that a text of it stands for.
fn entry(text: &[u8], algorithm: Algorithm) -> Result<Vec<u8>, String> {
    let text = text.trim_ascii();
    let text = text.strip_prefix(b"hash=").or_else(|| text.strip_prefix(b"pdq ")).unwrap_or(text).trim_ascii();
    let text = std::str::from_utf8(text).map_err(|_| "it is not a hash: not text".to_owned())?;
    let size = algorithm.entry_size();
    let is_hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex && text.len() == 2 * size {
        return from_hex(&text.to_ascii_lowercase()).ok_or_else(|| "it is not hexadecimal".to_owned());
    }
    if let Some(bytes) = from_base64(text).filter(|bytes| bytes.len() == size) {
        return Ok(bytes);
    }
    if is_hex {
        return Err(format!("it has {} hexadecimal digits, where {algorithm} has {}", text.len(), 2 * size));
    }
    Err(format!("it is not a hash by {algorithm}, in hexadecimal or base64"))
}
