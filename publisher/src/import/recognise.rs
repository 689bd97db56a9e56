//! Which format a file has, by how it begins.

use super::{Format, ImportError, ImportOptions, lines, table};
use isonomy_core::list::Algorithm;
use isonomy_core::note::holds_private_key;

/// The most of a line that an error shows, in characters.
const SHOWN: usize = 80;

/// How a file is read: `columns` for a table.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) format: Format,
    pub(super) columns: Option<table::Columns>,
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
    let wants_table = options.column.is_some().then_some(Format::Csv);
    let format =
        options.format.or(wants_table).or_else(|| structured(head)).or_else(|| by_line(first, options.algorithm));
    let columns = match format {
        Some(Format::Csv) | None => table::columns(first, options)?,
        Some(Format::ThreatExchange) => table::threat_exchange(first, options.algorithm),
        Some(format) => return Ok(Plan { format, columns: None }),
    };
    let columns = Some(columns.ok_or_else(|| unrecognised(first, options.algorithm))?);
    Ok(Plan { format: format.unwrap_or(Format::Csv), columns })
}

/// The format of a document in XML or JSON.
fn structured(head: &[u8]) -> Option<Format> {
    let text = String::from_utf8_lossy(head.trim_ascii_start());
    let has = |word: &str| text.contains(word);
    match text.bytes().next()? {
        b'<' => has("queryResult").then_some(Format::Ncmec),
        b'{' | b'[' => {
            let formats = [
                (has("\"hashRecords\"") || has("\"hashStatus\""), Format::StopNcii),
                (has("\"hash_digest\"") || has("\"results\""), Format::Terrorism),
                (has("\"indicator\"") || has("\"data\""), Format::Updates),
            ];
            formats.into_iter().find_map(|(fits, format)| fits.then_some(format))
        }
        _ => None,
    }
}

/// The format of a file with a record on each line.
fn by_line(first: &[u8], algorithm: Algorithm) -> Option<Format> {
    let by_line = [Format::Lines, Format::Sums, Format::Pdq, Format::Vpdq];
    let fits = |format: &Format| lines::line(first, *format, algorithm).is_ok();
    let exchange = || table::threat_exchange(first, algorithm).map(|_| Format::ThreatExchange);
    by_line.into_iter().find(fits).or_else(exchange)
}

fn unrecognised(line: &[u8], algorithm: Algorithm) -> ImportError {
    let line = String::from_utf8_lossy(line).chars().take(SHOWN).collect();
    ImportError::Unrecognised { line, algorithm }
}
