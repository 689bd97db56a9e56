//! Which format a file has, by how it begins.

use super::columns::{self, Columns};
use super::{Format, ImportError, ImportOptions, lines};
use isonomy_core::list::Algorithm;
use isonomy_core::note::holds_private_key;

/// The most of a line that an error shows, in characters.
const SHOWN: usize = 80;

/// How a file is read: `columns` for a table.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) format: Format,
    pub(super) columns: Option<Columns>,
}

/// The bytes without the mark that some programs put before UTF-8.
pub(super) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// How to read the file that starts with `head`.
pub(super) fn recognise(head: &[u8], options: &ImportOptions) -> Result<Plan, ImportError> {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(ImportError::Utf16);
    }
    // Some programs end lines by a carriage return alone.
    let mut lines = head.split(|byte| b"\r\n".contains(byte));
    // A table may begin by saying how it is separated.
    let is_content = |line: &[u8]| !line.is_empty() && !line.starts_with(b"#") && !line.starts_with(b"sep=");
    // A table's first column may have an empty name, with a tab behind it.
    let row = lines.find(|line| is_content(line.trim_ascii())).ok_or(ImportError::Empty)?;
    let first = row.trim_ascii();
    if holds_private_key(first) {
        return Err(ImportError::PrivateKey);
    }
    let wants_table = options.column.is_some().then_some(Format::Csv);
    let format =
        options.format.or(wants_table).or_else(|| structured(head)).or_else(|| by_line(first, options.algorithm));
    let columns = match format {
        Some(Format::Csv) | None => columns::columns(row, options)?,
        Some(Format::ThreatExchange) => columns::threat_exchange(row, &options.ignored),
        Some(format) => return Ok(Plan { format, columns: None }),
    };
    let columns = Some(columns.ok_or_else(|| unrecognised(first, options.algorithm))?);
    Ok(Plan { format: format.unwrap_or(Format::Csv), columns })
}

/// The format of a document in XML or JSON.
fn structured(head: &[u8]) -> Option<Format> {
    let text = head.trim_ascii_start();
    match text.first()? {
        b'<' => text.windows(11).any(|word| word == b"queryResult").then_some(Format::Ncmec),
        // The list of records stands in a field of the document, or is the document.
        b'{' => names(text, 1).find_map(|name| match name {
            b"hashRecords" => Some(Format::StopNcii),
            b"results" => Some(Format::Terrorism),
            b"data" => Some(Format::Updates),
            _ => None,
        }),
        b'[' => names(text, 2).find_map(|name| match name {
            b"hashStatus" => Some(Format::StopNcii),
            b"hash_digest" => Some(Format::Terrorism),
            b"indicator" => Some(Format::Updates),
            _ => None,
        }),
        _ => None,
    }
}

/// The names of fields at this depth in the beginning of a document in JSON: texts before a colon, in so many objects and lists.
fn names(json: &[u8], depth: usize) -> impl Iterator<Item = &[u8]> {
    let (mut rest, mut open) = (json, 0usize);
    std::iter::from_fn(move || {
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'{' | b'[' => open += 1,
                b'}' | b']' => open = open.saturating_sub(1),
                b'"' => {
                    let text = &after[..end_of_text(after)?];
                    rest = &after[text.len() + 1..];
                    if open == depth && rest.trim_ascii_start().starts_with(b":") {
                        return Some(text);
                    }
                }
                _ => {}
            }
        }
        None
    })
}

/// Where the quotation mark is that ends a text.
fn end_of_text(json: &[u8]) -> Option<usize> {
    let mut is_escaped = false;
    json.iter().position(|&byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })
}

/// The format of a file with a record on each line.
fn by_line(first: &[u8], algorithm: Algorithm) -> Option<Format> {
    let by_line = [Format::Lines, Format::Sums, Format::Pdq, Format::Vpdq];
    let fits = |format: &Format| lines::line(first, *format, algorithm).is_ok();
    let exchange = || columns::like_threat_exchange(first, algorithm).map(|_| Format::ThreatExchange);
    by_line.into_iter().find(fits).or_else(exchange)
}

fn unrecognised(line: &[u8], algorithm: Algorithm) -> ImportError {
    ImportError::Unrecognised { line: shown(line), algorithm }
}

/// What an error shows of a line.
pub(super) fn shown(line: &[u8]) -> String {
    String::from_utf8_lossy(line).chars().take(SHOWN).collect()
}
