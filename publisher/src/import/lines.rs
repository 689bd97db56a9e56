//! Formats with one record on each line: plain hashes, sums, PDQ text, vPDQ text.
//!
//! | format | a line |
//! |---|---|
//! | [`Format::Lines`] | `<hash>`, or `pdq <hash>` |
//! | [`Format::Sums`] | `<hash>  <name>` or `<hash> *<name>`, as sha256sum, sha1sum and md5sum write it; with `--tag`, `SHA256 (<name>) = <hash>`; a backslash before either says that the name has escapes |
//! | [`Format::Pdq`] | `hash=<hash>,norm=…,delta=…,quality=<0-100>,filename=…`, as the PDQ tools write it |
//! | [`Format::Vpdq`] | `<frame>,<quality>,<hash>,<timestamp>`, as vPDQ writes it: a hash for each frame of a video. In a list of videos, the frames of a file are one video |

use super::budget::Place;
use super::record::{self, Record, Refusal, is_of, quality, refusal};
use super::state;
use super::{Format, ImportError, MAX_LINE, Sink, read_failed};
use isonomy_core::list::Algorithm;
use isonomy_core::list::algorithm::VIDEO_NUMBER_SIZE;
use isonomy_matcher::pdq::PdqHash;
use isonomy_matcher::video::Video;
use std::collections::HashMap;
use std::io::{BufRead, Read};

/// The most frames of a video: a day, with one for each second.
const MAX_FRAMES: usize = 86_400;

pub(super) fn read(mut reader: impl BufRead, format: Format, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let mut bytes = Vec::new();
    let mut place = Place::default();
    let mut numbers = HashMap::new();
    let mut frames = (format == Format::Vpdq && sink.algorithm() == Algorithm::VpdqV1).then(Vec::new);
    loop {
        bytes.clear();
        let limit = MAX_LINE as u64 + 1;
        if reader.by_ref().take(limit).read_until(b'\n', &mut bytes).map_err(read_failed)? == 0 {
            return take_video(frames.unwrap_or_default(), sink);
        }
        let mut length = bytes.len() as u64;
        let text = bytes.trim_ascii();
        if bytes.len() > MAX_LINE && !bytes.ends_with(b"\n") {
            length += skip_line(&mut reader)?;
            sink.take(place, Err(refusal("line", format!("it is longer than {MAX_LINE} bytes"))))?;
        } else if !text.is_empty() && !text.starts_with(b"#") {
            match (line(text, format, sink.algorithm()), &mut frames) {
                (Ok(_), Some(frames)) if frames.len() == MAX_FRAMES => {
                    sink.take(place, Err(refusal("frame", format!("a video has {MAX_FRAMES} frames at most"))))?;
                }
                (Ok(record), Some(frames)) => {
                    // Each video counts its frames for itself.
                    let number = text.split(|&byte| byte == b',').next().unwrap_or_default().to_vec();
                    let known = numbers.entry(number).or_insert_with(|| record.hash.clone());
                    if *known == record.hash {
                        frames.push((place, record));
                    } else {
                        let reason = "a frame of this number has another hash: give each video its own file";
                        sink.take(place, Err(refusal("frame", reason)))?;
                    }
                }
                (record, _) => {
                    let held = || record::hashes_in(text, sink.algorithm());
                    let record = record.map_err(|refusal| refusal.holding(held()));
                    sink.take(place, record)?;
                }
            }
        }
        place = Place { line: place.line + 1, byte: place.byte + length };
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

/// What a line says.
pub(super) fn line(text: &[u8], format: Format, algorithm: Algorithm) -> Result<Record, Refusal> {
    let pdq_hash = text.strip_prefix(b"pdq ").filter(|_| format == Format::Lines);
    if (pdq_hash.is_some() || matches!(format, Format::Pdq | Format::Vpdq)) && !algorithm.is_perceptual() {
        return Err(refusal("algorithm", format!("it is a PDQ hash, where the list has {algorithm}")));
    }
    match format {
        Format::Sums => sum(text, algorithm),
        Format::Pdq => pdq(text, algorithm),
        // In a list of videos, the number of the video comes before it.
        Format::Vpdq if algorithm == Algorithm::VpdqV1 => vpdq(text, Algorithm::PdqFull),
        Format::Vpdq => vpdq(text, algorithm),
        _ => hash(pdq_hash.unwrap_or(text), algorithm).map(Record::of),
    }
}

fn hash(text: &[u8], algorithm: Algorithm) -> Result<Vec<u8>, Refusal> {
    record::hash(text, algorithm).map_err(|reason| refusal("hash", reason))
}

fn sum(text: &[u8], algorithm: Algorithm) -> Result<Record, Refusal> {
    const SHAPE: &str =
        "it is neither a hash, two spaces or a space and a star, and a name, nor ALGORITHM (name) = hash";
    let text = text.strip_prefix(b"\\").unwrap_or(text);
    if let Some((name, digest)) = tagged(text) {
        if !is_of(name, algorithm) {
            return Err(refusal("algorithm", format!("it is a digest by {name}, where the list has {algorithm}")));
        }
        return hash(digest, algorithm).map(Record::of);
    }
    let end = text.iter().position(|&byte| byte == b' ').ok_or_else(|| refusal("line", SHAPE))?;
    let (digest, name) = text.split_at(end);
    let name = name.strip_prefix(b"  ").or_else(|| name.strip_prefix(b" *")).unwrap_or_default();
    if name.is_empty() {
        return Err(refusal("line", SHAPE));
    }
    let digest = hash(digest, algorithm)?;
    if state::is_word_of_leaving(name) {
        let advice = "give a table with the names hash and status, or take the line out";
        let said = String::from_utf8_lossy(name);
        return Err(refusal(
            "line",
            format!("behind the hash stands {said:?}, where the name of a file should: {advice}"),
        ));
    }
    let is_another = |word: &[u8]| record::hash(word, algorithm).is_ok_and(|other| other != digest);
    if name.split(u8::is_ascii_whitespace).any(is_another) {
        return Err(refusal("line", "it holds several hashes: give each its own line"));
    }
    Ok(Record::of(digest))
}

/// Algorithm and digest of a line such as `SHA256 (name) = digest`.
fn tagged(text: &[u8]) -> Option<(&str, &[u8])> {
    let open = text.windows(2).position(|pair| pair == b" (")?;
    let close = text.windows(4).rposition(|mark| mark == b") = ")?;
    let name = std::str::from_utf8(&text[..open]).ok()?;
    // Behind a digest, both marks may stand in the name of a file.
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte));
    Some((name, text.get(close + 4..)?)).filter(|_| is_name && open < close)
}

fn pdq(text: &[u8], algorithm: Algorithm) -> Result<Record, Refusal> {
    let value = |name: &[u8]| text.split(|&byte| byte == b',').find_map(|field| field.trim_ascii().strip_prefix(name));
    let digest = value(b"hash=").ok_or_else(|| refusal("hash", "there is no hash=…"))?;
    // The name of a file comes last, and may hold anything.
    let fields = text.split(|&byte| byte == b',').take_while(|field| !field.trim_ascii().starts_with(b"filename="));
    let names = fields.filter_map(|field| field.split(|&byte| byte == b'=').next()).map(String::from_utf8_lossy);
    if let Some(name) = names.into_iter().find(|name| state::is_name_of_one(name)) {
        let advice = "nothing of that is read in this format; give a table with the names hash and status";
        return Err(refusal("status", format!("{:?} may say whether the record still counts: {advice}", name.trim())));
    }
    let quality = value(b"quality=").map(quality).transpose()?;
    Ok(Record { quality, ..Record::of(hash(digest, algorithm)?) })
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
