//! Formats with one record on each line: plain hashes, sums, PDQ text, vPDQ text.
//!
//! | format | a line |
//! |---|---|
//! | [`Format::Lines`] | `<hash>`, or `pdq <hash>` |
//! | [`Format::Sums`] | `<hash>  <name>` or `<hash> *<name>`, as sha256sum, sha1sum and md5sum write it; with `--tag`, `SHA256 (<name>) = <hash>`; a backslash before either says that the name has escapes |
//! | [`Format::Pdq`] | `hash=<hash>,norm=…,delta=…,quality=<0-100>,filename=…`, as the PDQ tools write it; other fields are not read, and watched (`unread`) |
//! | [`Format::Vpdq`] | `<frame>,<quality>,<hash>,<timestamp>`, as vPDQ writes it: a hash for each frame of a video. In a list of videos, the frames of a file are one video |

use super::budget::Place;
use super::record::{self, Choice, Record, Refusal, is_of, names_file, quality, refusal};
use super::state;
use super::unread::{Field, Unread};
use super::{Format, ImportError, MAX_LINE, Sink, read_failed};
use isonomy_core::list::Algorithm;
use isonomy_core::list::algorithm::VIDEO_NUMBER_SIZE;
use isonomy_matcher::pdq::PdqHash;
use isonomy_matcher::video::Video;
use std::collections::HashMap;
use std::io::{BufRead, Read};

/// The most frames of a video: a day, with one for each second.
const MAX_FRAMES: usize = 86_400;
/// What stands behind a sum, as `--ignore-column` calls it.
const NAME: &str = "name";
/// What PDQ's tools write beside a hash that says nothing of it.
const MEASURED: [&str; 6] = ["norm", "delta", "dims", "readSeconds", "hashSeconds", "xform"];
/// Ends of names of files beside those of [`names_file`].
const KINDS: [&str; 36] = [
    "jpe", "raw", "cr2", "cr3", "nef", "arw", "dng", "orf", "psd", "ico", "jp2", "jxl", "mts", "m2ts", "mpe", "vob",
    "3g2", "asf", "m4a", "flac", "aac", "txt", "csv", "json", "html", "htm", "eml", "doc", "docx", "zip", "7z", "rar",
    "tar", "gz", "bz2", "bin",
];
/// Why a line is refused that has two.
const SEVERAL: &str = "it holds several hashes: give each its own line";
/// The last field that they write: a name, which may hold anything.
const FILENAME: &str = "filename";

/// A line, as it is made.
pub(super) struct Line<'t> {
    record: Record,
    /// The fields from which nothing is read. One without a name has its number.
    fields: Vec<Field<'t>>,
    /// Whether a name ends where the line says so, and nothing can stand behind it.
    is_bounded: bool,
    /// What stands behind `filename=`, which may be any name.
    filename: &'t [u8],
}

impl From<Record> for Line<'_> {
    fn from(record: Record) -> Self {
        Self { record, fields: Vec::new(), is_bounded: false, filename: b"" }
    }
}

/// What lines say beside their hashes.
struct Beside {
    format: Format,
    unread: Unread,
}

impl Beside {
    fn of(format: Format, sink: &Sink<'_>) -> Self {
        let unread = Unread::of_fields(sink.day());
        Self { format, unread: if format == Format::Sums { unread.of_names() } else { unread } }
    }

    /// What a line says, unless its fields may say that it does not count.
    fn hear<'t>(&mut self, line: Line<'t>, sink: &mut Sink<'_>) -> Result<(Record, Vec<Field<'t>>), Refusal> {
        let Line { record, mut fields, is_bounded, filename } = line;
        fields.retain(|(name, _)| !sink.ignores(name));
        match self.format {
            Format::Sums => fields.iter().try_for_each(|(_, name)| {
                check_name(name, is_bounded).and_then(|()| is_alone(&record, name, is_bounded, sink.algorithm()))
            })?,
            _ => fields.iter().try_for_each(check_field)?,
        }
        check_filename(filename, sink)?;
        if !self.unread.know(&fields) {
            return Err(refusal("line", "it names fields beside too many others: these are no lines of PDQ's tools"));
        }
        Ok((record, fields))
    }
}

pub(super) fn read(mut reader: impl BufRead, format: Format, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let mut bytes = Vec::new();
    let mut place = Place::default();
    let mut frames = (format == Format::Vpdq && sink.algorithm() == Algorithm::VpdqV1).then(Frames::default);
    let mut beside = Beside::of(format, sink);
    loop {
        bytes.clear();
        let limit = MAX_LINE as u64 + 1;
        if reader.by_ref().take(limit).read_until(b'\n', &mut bytes).map_err(read_failed)? == 0 {
            sink.unread(beside.unread);
            return take_video(frames.unwrap_or_default().taken, sink);
        }
        let mut length = bytes.len() as u64;
        let text = bytes.trim_ascii();
        let is_long = bytes.len() > MAX_LINE && !bytes.ends_with(b"\n");
        // One that takes a hash away says nothing of those behind it.
        let is_comment = text.starts_with(b"#") && record::hashes_in(text, sink.algorithm()).next().is_none();
        let is_one = is_one_line(text);
        let heading = |heading: &[u8]| {
            let stops = |why| ImportError::Malformed(format!("line {}: {why}", place.line));
            state::check_heading(heading).map_err(stops)
        };
        if is_one.is_ok() && is_comment && !sink.ignores(state::COMMENT) {
            heading(text)?;
        }
        if is_long {
            length += skip_line(&mut reader)?;
        }
        // A comment may hold other lines, too.
        if let Err(refusal) = is_one {
            let held = record::hashes_in(text, sink.algorithm());
            sink.take(place, Err(refusal.holding(held)))?;
        } else if is_long {
            sink.take(place, Err(refusal("line", format!("it is longer than {MAX_LINE} bytes"))))?;
        } else if !text.is_empty() && !text.starts_with(b"#") {
            let heard = line(text, format, sink.algorithm()).and_then(|line| beside.hear(line, sink));
            match (heard, &mut frames) {
                (Ok((record, _)), Some(frames)) => {
                    if let Err(refusal) = frames.take(text, place, record) {
                        sink.take(place, Err(refusal))?;
                    }
                }
                (Ok((record, fields)), None) => {
                    if sink.take(place, Ok(record))? == Some(Choice::Taken) {
                        beside.unread.look_at_fields(&fields);
                    }
                }
                (Err(refusal), _) => {
                    let held: Vec<Vec<u8>> = record::hashes_in(text, sink.algorithm()).collect();
                    if held.is_empty() && format == Format::Lines {
                        heading(text)?;
                    }
                    sink.take(place, Err(refusal.holding(held)))?;
                }
            }
        }
        place = Place { line: place.line + 1, byte: place.byte + length };
    }
}

/// The frames of one video.
#[derive(Default)]
struct Frames {
    taken: Vec<(Place, Record)>,
    /// The hash of each number: each video counts its frames for itself.
    numbers: HashMap<Vec<u8>, Option<Vec<u8>>>,
}

impl Frames {
    fn take(&mut self, line: &[u8], place: Place, record: Record) -> Result<(), Refusal> {
        if self.taken.len() == MAX_FRAMES {
            return Err(refusal("frame", format!("a video has {MAX_FRAMES} frames at most")));
        }
        let number = line.split(|&byte| byte == b',').next().unwrap_or_default().to_vec();
        if *self.numbers.entry(number).or_insert_with(|| record.hash.clone()) != record.hash {
            return Err(refusal("frame", "a frame of this number has another hash: give each video its own file"));
        }
        self.taken.push((place, record));
        Ok(())
    }
}

/// Takes the frames of one video, each with the number of that video, which follows from the hashes of all that are selected by
/// their quality.
fn take_video(frames: Vec<(Place, Record)>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let hashed = frames.iter().filter_map(|(_, record)| {
        let hash = *record.hash.as_ref()?.as_array()?;
        Some(PdqHash { hash, quality: record.quality.unwrap_or(0).min(100) as u8 })
    });
    let entries = Video::new(hashed.collect()).entries(sink.min_quality());
    let number = entries.first().map_or([0; VIDEO_NUMBER_SIZE].as_slice(), |entry| &entry[..VIDEO_NUMBER_SIZE]);
    for (place, record) in frames {
        let hash = record.hash.as_ref().map(|hash| [number, hash].concat());
        sink.take(place, Ok(Record { hash, ..record }))?;
    }
    Ok(())
}

/// Reads to the end of a line that is too long to be kept. Gives how many bytes that is.
fn skip_line(reader: &mut impl BufRead) -> Result<u64, ImportError> {
    let mut length = 0;
    loop {
        let buffer = reader.fill_buf().map_err(read_failed)?;
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let (count, done) = (end.map_or(buffer.len(), |end| end + 1), end.is_some() || buffer.is_empty());
        reader.consume(count);
        length += count as u64;
        if done {
            return Ok(length);
        }
    }
}

/// Refuses what programs write that end lines otherwise: all of it would be one line, and one hash.
fn is_one_line(text: &[u8]) -> Result<(), Refusal> {
    let (end, advice) = match text.iter().find(|byte| b"\0\r".contains(byte)) {
        None => return Ok(()),
        Some(0) => ("a byte of zero", " (`sha256sum` without `-z`, or `tr '\\0' '\\n'`)"),
        Some(_) => ("a carriage return alone", ""),
    };
    Err(refusal("line", format!("it holds others, and ends them by {end}: save the file with line feeds{advice}")))
}

/// How a line is made.
pub(super) fn line(text: &[u8], format: Format, algorithm: Algorithm) -> Result<Line<'_>, Refusal> {
    let pdq_hash = text.strip_prefix(b"pdq ").filter(|_| format == Format::Lines);
    if (pdq_hash.is_some() || matches!(format, Format::Pdq | Format::Vpdq)) && !algorithm.is_perceptual() {
        return Err(refusal("algorithm", format!("it is a PDQ hash, where the list has {algorithm}")));
    }
    match format {
        Format::Sums => sum(text, algorithm),
        Format::Pdq => pdq(text, algorithm),
        // In a list of videos, the number of the video comes before it.
        Format::Vpdq if algorithm == Algorithm::VpdqV1 => vpdq(text, Algorithm::PdqFull).map(Line::from),
        Format::Vpdq => vpdq(text, algorithm).map(Line::from),
        _ => hash(pdq_hash.unwrap_or(text), algorithm).map(|hash| Record::of(hash).into()),
    }
}

fn hash(text: &[u8], algorithm: Algorithm) -> Result<Vec<u8>, Refusal> {
    record::hash(text, algorithm).map_err(|reason| refusal("hash", reason))
}

fn sum(text: &[u8], algorithm: Algorithm) -> Result<Line<'_>, Refusal> {
    const SHAPE: &str =
        "it is neither a hash, two spaces or a space and a star, and a name, nor ALGORITHM (name) = hash";
    let text = text.strip_prefix(b"\\").unwrap_or(text);
    if let Some(Tagged { algorithm: own, name, digest }) = tagged(text) {
        if !is_of(own, algorithm) {
            return Err(refusal("algorithm", format!("it is a digest by {own}, where the list has {algorithm}")));
        }
        return Ok(Line { is_bounded: true, ..named(hash(digest, algorithm)?, name) });
    }
    let end = text.iter().position(|&byte| byte == b' ').ok_or_else(|| refusal("line", SHAPE))?;
    let (digest, name) = text.split_at(end);
    let name = name.strip_prefix(b"  ").or_else(|| name.strip_prefix(b" *")).unwrap_or_default();
    if name.is_empty() {
        return Err(refusal("line", SHAPE));
    }
    Ok(named(hash(digest, algorithm)?, name))
}

/// A line with the name of a file.
fn named(digest: Vec<u8>, name: &[u8]) -> Line<'_> {
    Line { record: Record::of(digest), fields: vec![(NAME.into(), name)], is_bounded: false, filename: b"" }
}

/// Refuses a line with another hash where the name of a file should stand.
fn is_alone(record: &Record, name: &[u8], is_bounded: bool, algorithm: Algorithm) -> Result<(), Refusal> {
    let is_another = |word: &[u8]| record::hash(word, algorithm).is_ok_and(|other| record.hash != Some(other));
    match !is_bounded && name.split(u8::is_ascii_whitespace).any(is_another) {
        true => Err(refusal(
            "line",
            format!(
                "{SEVERAL} (if the second is a file's name, `isonomy list import --ignore-column {NAME}` passes names over)"
            ),
        )),
        false => Ok(()),
    }
}

/// Refuses what stands where the name of a file should, and says that the hash is gone.
fn check_name(name: &[u8], is_bounded: bool) -> Result<(), Refusal> {
    let said = String::from_utf8_lossy(name);
    let beside = if is_bounded { "" } else { beside_name(&said) };
    let is_gone = match is_bounded {
        true => state::is_word_of_doubt(name),
        false => state::is_word_of_doubt(beside.as_bytes()) || state::has_word_of_leaving(beside),
    };
    match is_gone {
        true => Err(refusal(
            "line",
            format!(
                "behind the hash stands {said:?}, where the name of a file should: if that says that the hash is gone, give a table with \
                 the names hash and status, or take the line out (if it is a name, `isonomy list import --ignore-column {NAME}` passes \
                 names over)"
            ),
        )),
        false => Ok(()),
    }
}

/// Refuses what stands behind the name of a file in a line of PDQ's tools, and says that the hash is gone. Without what tells its kind, all is the
/// name.
fn check_filename(name: &[u8], sink: &mut Sink<'_>) -> Result<(), Refusal> {
    let said = String::from_utf8_lossy(name);
    let behind = end_of_kind(&said).map_or("", |end| &said[end..]);
    match state::has_word_of_leaving(behind) && !sink.ignores(FILENAME) {
        true => Err(refusal(
            "line",
            format!(
                "behind the name of the file stands {behind:?}, which may say that the hash is gone: give a table with the names hash and \
                 status, or take the line out (if it is the name's, `isonomy list import --ignore-column {FILENAME}` passes names over)"
            ),
        )),
        false => Ok(()),
    }
}

/// What is no name of a file in a text that should be one: what stands behind the end that tells its kind, or, where there is none, behind the
/// first word in its folder. All of it, if it has neither.
fn beside_name(text: &str) -> &str {
    const LONGEST_KIND: usize = 5;
    if let Some(end) = end_of_kind(text) {
        return &text[end..];
    }
    let is_short = |kind: &str| {
        kind.len() <= LONGEST_KIND && kind.chars().all(char::is_alphanumeric) && kind.chars().any(char::is_alphabetic)
    };
    let is_one_word = !text.contains(char::is_whitespace) && !is_address(text);
    if is_one_word && text.rsplit_once('.').is_some_and(|(_, kind)| is_short(kind)) {
        return "";
    }
    match end_of_folder(text).filter(|_| is_name(text)) {
        None => text,
        Some(end) => {
            let behind = text[end..].split_once(char::is_whitespace).map_or("", |(_, behind)| behind);
            // The last of it may count pictures: `img deleted 7`.
            let last = behind.split_whitespace().next_back().unwrap_or_default();
            let is_number = last.len() < 4 && last.bytes().all(|byte| byte.is_ascii_digit());
            if is_number && behind.split_whitespace().count() <= 2 { "" } else { behind }
        }
    }
}

/// An address is no name, and its end no kind.
fn is_address(text: &str) -> bool {
    text.contains('@') || text.contains("://")
}

/// Whether a text can be a name: an address with a space in it is said of something.
fn is_name(text: &str) -> bool {
    !is_address(text) || !text.contains(char::is_whitespace)
}

/// Where the name of a file ends with what tells its kind.
fn end_of_kind(text: &str) -> Option<usize> {
    text.match_indices('.').find_map(|(point, _)| {
        let rest = &text[point + 1..];
        let end = rest.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(rest.len());
        // A folder may be called as files are.
        let is_folder = rest[end..].starts_with(['/', '\\']);
        let is_kind = !is_folder && (names_file(&rest[..end]) || KINDS.contains(&rest[..end].to_lowercase().as_str()));
        (is_kind && is_name(&text[..point])).then_some(point + 1 + end)
    })
}

/// Where the last folder of a name ends: not at a slash between digits, as in a date.
fn end_of_folder(text: &str) -> Option<usize> {
    let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    let is_end = |at: &usize| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        b"/\\".contains(&bytes[*at]) && !(is_digit(before) && is_digit(bytes.get(at + 1)))
    };
    (0..bytes.len()).rev().find(is_end).map(|at| at + 1)
}

/// A line such as `SHA256 (name) = digest`.
struct Tagged<'t> {
    algorithm: &'t str,
    name: &'t [u8],
    digest: &'t [u8],
}

fn tagged(text: &[u8]) -> Option<Tagged<'_>> {
    let open = text.windows(2).position(|pair| pair == b" (")?;
    let close = text.windows(4).rposition(|mark| mark == b") = ")?;
    let algorithm = std::str::from_utf8(&text[..open]).ok()?;
    // Behind a digest, both marks may stand in the name of a file.
    let is_name = algorithm.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte));
    let (name, digest) = (text.get(open + 2..close)?, text.get(close + 4..)?);
    Some(Tagged { algorithm, name, digest }).filter(|_| is_name)
}

fn pdq(text: &[u8], algorithm: Algorithm) -> Result<Line<'_>, Refusal> {
    let fields = || text.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    let value = |name: &[u8]| fields().find_map(|field| field.strip_prefix(name));
    let digest = value(b"hash=").ok_or_else(|| refusal("hash", "there is no hash=…"))?;
    let quality = value(b"quality=").map(quality).transpose()?;
    let (mut hashes, mut others) = (0, Vec::new());
    for (place, field) in fields().enumerate() {
        let (name, said) = match field.iter().position(|&byte| byte == b'=') {
            Some(end) => (String::from_utf8_lossy(field[..end].trim_ascii()), &field[end + 1..]),
            None => ((place + 1).to_string().into(), field),
        };
        match name.as_ref() {
            "hash" if hashes > 0 => return Err(refusal("line", SEVERAL)),
            "hash" => hashes += 1,
            // Behind the hash, nothing comes after the name. Before it, the tools write none.
            FILENAME if hashes > 0 => break,
            _ if said.trim_ascii().is_empty() || ["quality", FILENAME].contains(&name.as_ref()) => {}
            _ if MEASURED.contains(&name.as_ref()) => {}
            _ => others.push((name, said)),
        }
    }
    let record = Record { quality, ..Record::of(hash(digest, algorithm)?) };
    let mark = [FILENAME.as_bytes(), b"="].concat();
    let start = text.windows(mark.len()).position(|part| part == mark);
    let filename = start.map_or(&b""[..], |start| &text[start + mark.len()..]);
    Ok(Line { record, fields: others, is_bounded: false, filename })
}

/// Refuses a field by which a line of PDQ may say that its hash is gone.
fn check_field((name, said): &Field<'_>) -> Result<(), Refusal> {
    let what = match (state::is_name_of_one(name), state::is_word_of_leaving(said)) {
        (true, _) => format!("{name:?} may say whether the record still counts"),
        (false, true) => format!("{name:?} has the value {:?}", String::from_utf8_lossy(said)),
        (false, false) => return Ok(()),
    };
    let advice = "nothing of that is read in this format; give a table with the names hash and status";
    let pass = "(if it says nothing of that, `isonomy list import --ignore-column` passes it over)";
    Err(refusal("status", format!("{what}: {advice} {pass}")))
}

fn vpdq(text: &[u8], algorithm: Algorithm) -> Result<Record, Refusal> {
    let fields: Vec<&[u8]> = text.split(|&byte| byte == b',').collect();
    let [frame, score, digest, time] = fields[..] else {
        return Err(refusal("line", "it is not frame,quality,hash,timestamp"));
    };
    let number = |field: &[u8]| std::str::from_utf8(field).is_ok_and(|text| text.trim().parse::<f64>().is_ok());
    for (name, field) in [("frame", frame), ("timestamp", time)] {
        if !number(field) {
            return Err(refusal(name, "it is not a number"));
        }
    }
    Ok(Record { quality: Some(quality(score)?), ..Record::of(hash(digest, algorithm)?) })
}
