//! Tables: CSV with named columns, and what ThreatExchange's tools write.
//!
//! | format | columns |
//! |---|---|
//! | [`Format::Csv`] | separated by commas, semicolons or tabs; with a header, the hash is in a column with a name such as `pdq`, `sha256` or `hash`, quality, class, tags and the kind of hash in columns of such names, and whether the record still counts in those that `state` knows; without, the hash is in the first one |
//! | [`Format::ThreatExchange`] | no header: `indicator,descriptor_id,added_on,tags`, or `indicator,indicator_id,descriptor_id,added_on,tags`; the tags separated by spaces |

#[cfg(doc)]
use super::Format;
use super::budget::{Budgeted, MAX_RECORD};
use super::columns::Columns;
use super::dates::Day;
use super::record::{self, Action, Choice, Record, Refusal, is_of, names_kind, quality, refusal};
use super::state;
use super::unread::{self, Unread};
use super::{ImportError, Sink, read_failed};
use isonomy_core::list::Algorithm;
use std::io::BufRead;

/// The most fields that a row may have beyond the columns of the table.
const MOST_BEYOND: usize = 64;
/// So many hexadecimal digits in a row are a hash, of whatever kind.
const DIGITS: usize = 32;

pub(super) fn read(whole: impl BufRead, columns: &Columns, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let (budgeted, position) = Budgeted::new(whole);
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(columns.delimiter).from_reader(budgeted);
    let mut record = csv::ByteRecord::new();
    let mut header = columns.has_header;
    let today = Day::begun(sink.now());
    let mut unread = Unread::of(columns, sink.day());
    sink.not_ignored(&columns.missing);
    let failed = |error: csv::Error| match position.is_too_far() {
        true => ImportError::Malformed(format!(
            "the row that begins on line {} is larger than {MAX_RECORD} bytes: perhaps a quotation mark is not closed in it",
            position.first_line().line
        )),
        false => read_failed(error.into()),
    };
    while reader.read_byte_record(&mut record).map_err(failed)? {
        let breaks = record.iter().flatten().filter(|&&byte| byte == b'\n').count();
        let place = position.lines_back(breaks);
        position.end_record();
        let is_empty = record.iter().all(|field| field.trim_ascii().is_empty());
        let is_comment = is_empty || is_comment(&record, columns, header, sink.algorithm());
        let is_header = !is_comment && header && (is_names(&record, columns) || !begins_like_comment(&record));
        header &= !is_header;
        let says = match alone(&record, columns, sink.algorithm()) {
            Err(refusal) => {
                let hashes = record.iter().flat_map(|field| record::hashes_in(field, sink.algorithm())).count();
                let lines = format!("lines {} to {}: {}", place.line, place.line + breaks as u64, refusal.reason);
                let reason = format!("it holds {hashes} hashes, in the {lines}");
                Err(Refusal { reason, ..refusal })
            }
            Ok(()) if is_comment || is_header => {
                if is_comment && begins_like_comment(&record) && !sink.ignores(state::COMMENT) {
                    heading(&record, place.line)?;
                }
                continue;
            }
            Ok(()) => {
                let clear = unmistakable(&record, columns, sink.algorithm());
                clear.and_then(|()| row(&record, columns, sink.algorithm(), today))
            }
        };
        let algorithm = sink.algorithm();
        let held = || record.iter().flat_map(|field| record::hashes_in(field, algorithm));
        // What stands alone in a row, and is no hash, may be a heading.
        if says.is_err()
            && held().next().is_none()
            && record.iter().filter(|field| !field.trim_ascii().is_empty()).count() == 1
        {
            heading(&record, place.line)?;
        }
        let choice = sink.take(place, says.map_err(|refusal| refusal.holding(held())))?;
        // What is refused may be a title or the names once more, whose words would excuse a column.
        if columns.is_watched && choice == Some(Choice::Taken) {
            unread.look_at(&record);
            unread.look_beyond(&record, columns);
        }
    }
    sink.unread(unread);
    Ok(())
}

/// Whether a row is a comment: it begins with # and has not the fields of a row (the name of a file can begin so, too), or it says
/// how the table is separated. Before the names there are no rows.
fn is_comment(row: &csv::ByteRecord, columns: &Columns, before_names: bool, algorithm: Algorithm) -> bool {
    let first = row.get(0).unwrap_or_default().trim_ascii();
    let is_row = || row.len() == columns.count && columns.count > 1;
    let is_more = || if before_names { is_names(row, columns) } else { is_row() };
    let holds_hash = || row.iter().any(|field| hash_of(field, algorithm).is_ok());
    first == b"sep=" || begins_like_comment(row) && !is_more() && !holds_hash()
}

/// Stops at a heading that may say that the rows behind it are gone.
fn heading(row: &csv::ByteRecord, line: u64) -> Result<(), ImportError> {
    let text =
        row.iter().map(<[u8]>::trim_ascii).filter(|field| !field.is_empty()).collect::<Vec<_>>().join(&b", "[..]);
    state::check_heading(&text).map_err(|why| ImportError::Malformed(format!("line {line}: {why}")))
}

fn begins_like_comment(row: &csv::ByteRecord) -> bool {
    row.get(0).is_some_and(|field| field.trim_ascii().starts_with(b"#"))
}

/// Whether a row has the names of the columns.
fn is_names(row: &csv::ByteRecord, columns: &Columns) -> bool {
    row.iter().map(|field| String::from_utf8_lossy(field).trim().to_owned()).eq(columns.names.iter().cloned())
}

/// Refuses what holds other rows: where a quotation mark is not closed, the rows that follow become part of its field, up to the
/// next quotation mark, and nobody would miss them. Of these rows, hashes stand in the lines of that field, or in fields that are too many.
fn alone(row: &csv::ByteRecord, columns: &Columns, algorithm: Algorithm) -> Result<(), Refusal> {
    let is_end = |byte: &u8| b"\r\n".contains(byte);
    let holds_other = |(place, field): (usize, &[u8])| {
        let (field, has_lines) = (field.trim_ascii(), field.iter().any(is_end));
        let mut lines = field.split(is_end);
        // A hash's own field begins with it, and may end with an empty line.
        if place == columns.hash {
            return has_lines && lines.skip(1).any(|line| looks_like_hash(line, algorithm));
        }
        let is_extra = || row.len() != columns.count && holds_hash(field, algorithm);
        // A quotation mark may have ended the last one before its row did.
        let last = lines.next_back().unwrap_or_default();
        let is_ignored = columns.ignored.contains(&place);
        let is_row = |line: &[u8], is_whole: bool| match is_ignored {
            true => is_this_row(line, is_whole, columns, algorithm),
            false => is_any_row(line, is_whole, columns, algorithm),
        };
        has_lines && (lines.any(|line| is_row(line, true)) || is_row(last, false)) || !is_ignored && is_extra()
    };
    let has_lines = row.iter().flatten().any(is_end);
    if has_lines && row.iter().enumerate().any(holds_other) {
        let reason = "some stand in a line within a field, like rows of their own: perhaps a quotation mark is not closed. If each \
                      is, name the column with `isonomy list import --ignore-column`, or take these lines out of the field";
        return Err(refusal("row", reason));
    }
    Ok(())
}

/// Whether a line is like a row of any table: one of its fields is a hash of any kind, or what may have been meant to be one.
fn is_any_row(line: &[u8], is_whole: bool, columns: &Columns, algorithm: Algorithm) -> bool {
    let mut fields = line.split(|byte| *byte == columns.delimiter).map(unquoted);
    let is_digits = |field: &[u8]| field.len() >= DIGITS && field.iter().all(u8::is_ascii_hexdigit);
    let has_fields = !is_whole || columns.count == 1 || line.contains(&columns.delimiter);
    has_fields && fields.any(|field| is_digits(field) || hash_of(field, algorithm).is_ok())
}

/// Whether a line is like a row of this table, with a hash where that stands.
fn is_this_row(line: &[u8], is_whole: bool, columns: &Columns, algorithm: Algorithm) -> bool {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == columns.delimiter).map(unquoted).collect();
    let is_hash = |field: &&[u8]| hash_of(field, algorithm).is_ok();
    (!is_whole || fields.len() == columns.count) && fields.get(columns.hash).is_some_and(is_hash)
}

/// A field without what stands around it.
fn unquoted(field: &[u8]) -> &[u8] {
    let is_around = |byte: &u8| *byte == b'"' || byte.is_ascii_whitespace();
    let from = field.iter().position(|byte| !is_around(byte)).unwrap_or(field.len());
    let to = field.iter().rposition(|byte| !is_around(byte)).map_or(from, |last| last + 1);
    &field[from..to]
}

/// Refuses a row of which it is not clear what it says.
fn unmistakable(row: &csv::ByteRecord, columns: &Columns, algorithm: Algorithm) -> Result<(), Refusal> {
    let has_hash = |field: &[u8]| hash_of(field, algorithm).is_ok();
    if !columns.has_header && row.iter().filter(|field| has_hash(field)).count() > 1 {
        let advice = "put a line with names before the first row, such as hash,other, or give a hash its own line";
        return Err(refusal("row", format!("it holds several hashes: {advice}")));
    }
    let mut others = row.iter().enumerate().filter(|(place, _)| !columns.unheard.contains(place));
    if let Some((place, _)) = others.find(|(_, field)| state::is_word_of_leaving(field)) {
        let advice = match columns.has_header {
            true => {
                "call the column status, if it says whether the record still counts, or take it out of the table (if it says nothing of that, `isonomy list import --ignore-column` passes it over)"
            }
            false => "put a line with names before the first row, such as hash,status",
        };
        let reason = format!("its field {} says that something is gone, and no name says what: {advice}", place + 1);
        return Err(refusal("row", reason));
    }
    let ends = row.iter().rposition(|field| !field.trim_ascii().is_empty()).map_or(0, |last| last + 1);
    if ends > columns.count + MOST_BEYOND {
        let reason =
            format!("it has {ends} fields, where the table has {} columns: it is no row of this table", columns.count);
        return Err(refusal("row", reason));
    }
    // Where nothing is watched, what stands in a field too many would not be seen, and tags might stand in another one.
    let must_fit = !columns.states.is_empty() || !columns.is_watched;
    if must_fit && (row.len() < columns.count || ends > columns.count) {
        let reason = format!(
            "it has {} fields, where the table has {} columns: whether it still counts is not clear",
            row.len(),
            columns.count
        );
        return Err(refusal("row", reason));
    }
    let is_unnamed = |place: usize| place >= columns.count || columns.unnamed.contains(&place);
    if row.iter().enumerate().any(|(place, field)| is_unnamed(place) && has_hash(field)) {
        return Err(refusal("row", "it holds another hash in a field that has no name: give that its own line"));
    }
    match begins_like_comment(row) {
        true => Err(refusal(
            "row",
            "it begins with # like a comment, and has a hash or the fields of a row: take the # away, or the row",
        )),
        false => Ok(()),
    }
}

/// The hash that a field is.
fn hash_of(field: &[u8], algorithm: Algorithm) -> Result<Vec<u8>, String> {
    let pdq_hash = field.trim_ascii().strip_prefix(b"pdq ").filter(|_| algorithm.is_perceptual());
    record::hash(pdq_hash.unwrap_or(field), algorithm)
}

/// Whether a row says that its hash is by another algorithm.
fn is_of_another_kind(row: &csv::ByteRecord, columns: &Columns, algorithm: Algorithm) -> bool {
    let says = |place: usize| String::from_utf8_lossy(row.get(place).unwrap_or_default());
    let is_other = |kind: &str| !kind.trim().is_empty() && !is_of(kind, algorithm);
    columns.kinds.iter().any(|place| is_other(&says(*place)))
        || columns.kind_or_file.map(says).is_some_and(|kind| names_kind(&kind) && is_other(&kind))
}

/// Whether a field holds a hash by this algorithm, whatever stands around it.
fn holds_hash(field: &[u8], algorithm: Algorithm) -> bool {
    record::hashes_in(field, algorithm).next().is_some()
}

/// Whether a line holds a hash of any kind, or what may have been meant to be one.
pub(super) fn looks_like_hash(line: &[u8], algorithm: Algorithm) -> bool {
    line.split(|byte| !byte.is_ascii_hexdigit()).any(|digits| digits.len() >= DIGITS) || holds_hash(line, algorithm)
}

/// What a row says.
fn row(row: &csv::ByteRecord, columns: &Columns, algorithm: Algorithm, today: Day) -> Result<Record, Refusal> {
    if is_of_another_kind(row, columns, algorithm) {
        return Ok(Record::about(Action::Add));
    }
    let field = row.get(columns.hash).ok_or_else(|| refusal("hash", "it has too few columns"))?;
    let digest = hash_of(field, algorithm);
    let words = |column: Option<usize>, between: &[char]| -> Vec<String> {
        let text = column.and_then(|column| row.get(column)).map(String::from_utf8_lossy).unwrap_or_default();
        text.split(between).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let said = state::of_row(row, &columns.states, today)?;
    // What goes needs none.
    let quality = match columns.quality.and_then(|column| row.get(column)) {
        Some(field) if said.action == Action::Add && !unread::says_nothing(field) => Some(quality(field)?),
        _ => None,
    };
    // A class or the tags as a whole; each by itself is looked at wherever it comes from. Of a picture or of its entry, that is not clear.
    let described = [columns.class, columns.tags].into_iter().flatten().filter_map(|column| row.get(column));
    let is_doubted = described.into_iter().any(state::is_word_of_doubt);
    Ok(Record {
        quality,
        classes: words(columns.class, &[',', ';', '|']), // one can have several words
        tags: words(columns.tags, &[' ', ',', ';', '|']),
        action: said.action,
        is_disputed: said.is_disputed || is_doubted,
        ..Record::of(digest.map_err(|reason| refusal("hash", reason))?)
    })
}
