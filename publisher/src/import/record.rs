//! What one line or record of a file says, whatever the format.

use super::{ImportOptions, Irregular};
use isonomy_core::encoding::{from_base64, from_hex};
use isonomy_core::list::{Algorithm, EntryVerdict};
use isonomy_core::time::Timestamp;

/// What a record asks for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Action {
    Add,
    Remove,
    /// It would be added, if it were selected.
    PassOver,
}

/// A record: at least a hash, or the id under which one was given before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Record {
    pub(super) action: Action,
    /// `None` if the record is about another kind of hash, or a removal that only names an id.
    pub(super) hash: Option<Vec<u8>>,
    pub(super) quality: Option<u64>,
    pub(super) classes: Vec<String>,
    pub(super) tags: Vec<String>,
    /// When it was last changed, in seconds; of two records about one hash the later counts.
    pub(super) time: Option<u64>,
    /// Its source's name for it.
    pub(super) id: Option<String>,
    /// Whether some of those who describe it say that it does not belong there.
    pub(super) is_disputed: bool,
}

impl Record {
    /// A record that adds `hash`.
    pub(super) fn of(hash: Vec<u8>) -> Self {
        Self { hash: Some(hash), ..Self::about(Action::Add) }
    }

    /// A record without anything.
    pub(super) fn about(action: Action) -> Self {
        Self {
            action,
            hash: None,
            quality: None,
            classes: Vec::new(),
            tags: Vec::new(),
            time: None,
            id: None,
            is_disputed: false,
        }
    }
}

/// Why a record is refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Refusal {
    pub(super) field: &'static str,
    pub(super) reason: String,
    /// The hashes that it holds all the same: whatever it says of them is not heard.
    pub(super) hashes: Vec<Vec<u8>>,
}

pub(super) fn refusal(field: &'static str, reason: impl Into<String>) -> Refusal {
    Refusal { field, reason: reason.into(), hashes: Vec::new() }
}

impl Refusal {
    /// The same, of a record that holds these hashes.
    pub(super) fn holding(self, hashes: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { hashes: hashes.into_iter().collect(), ..self }
    }
}

/// What becomes of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Choice {
    Taken,
    /// It holds no hash by the list's algorithm.
    OtherHash,
    /// It is not among those that the options select.
    NotSelected,
}

/// Whether the options take a record; a removal is always taken.
pub(super) fn choose(record: &Record, options: &ImportOptions) -> Result<Choice, Refusal> {
    let Some(hash) = &record.hash else {
        let names_one = record.action == Action::Remove && record.id.is_some();
        return Ok(if names_one { Choice::Taken } else { Choice::OtherHash });
    };
    if record.action == Action::Add {
        if let Some(quality) = record.quality.filter(|quality| *quality > 100) {
            return Err(refusal("quality", format!("{quality} is no quality: it goes from 0 to 100")));
        }
        let has_one_of = |own: &[String], wanted: &[String]| {
            wanted.is_empty() || own.iter().any(|own| wanted.iter().any(|wanted| wanted.eq_ignore_ascii_case(own)))
        };
        if !has_one_of(&record.classes, &options.classes) || !has_one_of(&record.tags, &options.tags) {
            return Ok(Choice::NotSelected);
        }
        if !is_good_enough(record.quality, options.min_quality)? {
            return Ok(Choice::NotSelected);
        }
        check(hash, options)?;
    }
    Ok(Choice::Taken)
}

fn is_good_enough(quality: Option<u64>, least: u64) -> Result<bool, Refusal> {
    match quality {
        Some(quality) => Ok(quality >= least),
        None if least == 0 => Ok(true),
        None => Err(refusal("quality", "it gives none, so --min-quality can't judge it")),
    }
}

fn check(hash: &[u8], options: &ImportOptions) -> Result<(), Refusal> {
    match (options.algorithm.check_entry(hash), options.irregular) {
        (EntryVerdict::Valid, _) | (EntryVerdict::Irregular(_), Irregular::Allow) => Ok(()),
        (EntryVerdict::Irregular(reason), Irregular::Refuse) => {
            Err(refusal("hash", format!("{reason}; such hashes are admitted only with --allow-irregular")))
        }
        (EntryVerdict::Forbidden(reason), _) => Err(refusal("hash", reason)),
    }
}

/// The hash that a text of it stands for: hexadecimal in either case, or standard base64.
pub(super) fn hash(text: &[u8], algorithm: Algorithm) -> Result<Vec<u8>, String> {
    let text = std::str::from_utf8(text.trim_ascii()).map_err(|_| "it is not a hash: not text".to_owned())?;
    let size = algorithm.entry_size();
    let is_hex = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex && text.len() == 2 * size {
        return from_hex(&text.to_ascii_lowercase()).ok_or_else(|| "it is not hexadecimal".to_owned());
    }
    if is_hex {
        // Never base64, though it has its letters: 64 digits would be the 48 bytes of a frame.
        return Err(format!("it has {} hexadecimal digits, where {algorithm} has {}", text.len(), 2 * size));
    }
    if let Some(bytes) = from_base64(text).filter(|bytes| bytes.len() == size) {
        return Ok(bytes);
    }
    Err(format!("it is not a hash by {algorithm}, in hexadecimal or base64"))
}

/// The hashes by this algorithm in a text, whatever stands around them.
pub(super) fn hashes_in(text: &[u8], algorithm: Algorithm) -> impl Iterator<Item = Vec<u8>> {
    let is_between = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"+/=".contains(byte);
    text.split(is_between).filter_map(move |word| hash(word, algorithm).ok())
}

/// The quality that a field gives.
pub(super) fn quality(field: &[u8]) -> Result<u64, Refusal> {
    let number = std::str::from_utf8(field).ok().and_then(|text| whole(text.trim()).parse().ok());
    number.ok_or_else(|| refusal("quality", "it is not a number"))
}

/// A whole number without the point and the zeros that some programs write behind it: `91.0`. Any other text as it is.
pub(super) fn whole(text: &str) -> &str {
    let parts = text.split_once('.');
    let is_whole = |(number, zeros): &(&str, &str)| {
        let are = |digits: &str, is_one: fn(&u8) -> bool| !digits.is_empty() && digits.as_bytes().iter().all(is_one);
        are(number, u8::is_ascii_digit) && are(zeros, |digit| *digit == b'0')
    };
    parts.filter(is_whole).map_or(text, |(number, _)| number)
}

/// What is wrong where [`time`] gives none.
pub(super) const NO_TIME: &str = "it is no time: neither seconds before the year 2200 nor RFC 3339";
/// The beginning of the year 2200. What is later is not in seconds.
const LATEST: u64 = 7_258_118_400;

/// A time in seconds: a number of them, or RFC 3339 with any difference from UTC, which may lack its colon or be left out for
/// none. Fractions are dropped.
pub(super) fn time(text: &str) -> Option<u64> {
    any_time(text).filter(|time| *time < LATEST)
}

fn any_time(text: &str) -> Option<u64> {
    let text = text.trim();
    let (seconds, rest) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len()));
    if without_fraction(rest) == Some("") {
        return seconds.parse().ok();
    }
    let (date, rest) = text.split_at_checked(19)?;
    let local = Timestamp::from_rfc3339(&format!("{}Z", date.replacen([' ', 't'], "T", 1)))?.0;
    let ahead = match without_fraction(rest)? {
        "" | "Z" | "z" => 0,
        zone => seconds_ahead(zone)?,
    };
    local.checked_add_signed(-ahead)
}

/// What follows a fraction, or all if there is none; `None` for a point without digits.
fn without_fraction(text: &str) -> Option<&str> {
    let Some(fraction) = text.strip_prefix('.') else { return Some(text) };
    let rest = fraction.trim_start_matches(|letter: char| letter.is_ascii_digit());
    (rest.len() < fraction.len()).then_some(rest)
}

/// How far a zone such as `+05:30` or `-0500` is ahead of UTC.
fn seconds_ahead(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = zone[1..].replacen(':', "", 1);
    let is_zone = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: i64 = digits.parse().ok().filter(|_| is_zone)?;
    let (hours, minutes) = (number / 100, number % 100);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// A name or a word by its letters and digits alone, the letters small.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether a word names a kind of hash, or of another indicator; not only a kind of file, such as `image`.
pub(super) fn names_kind(word: &str) -> bool {
    const PARTS: [&str; 12] =
        ["hash", "pdq", "md5", "sha1", "sha2", "sha3", "sha5", "tmk", "photodna", "ssdeep", "tlsh", "url"];
    let word = plain(word);
    PARTS.iter().any(|part| word.contains(part))
}

/// Whether a text names a kind of file, with nothing beside it: `image`, `JPG`, `video/x-matroska`.
pub(super) fn names_file(text: &str) -> bool {
    const WORDS: [&str; 58] = [
        "image",
        "images",
        "picture",
        "pictures",
        "photo",
        "photos",
        "photograph",
        "img",
        "animation",
        "video",
        "videos",
        "movie",
        "clip",
        "film",
        "audio",
        "sound",
        "document",
        "text",
        "file",
        "media",
        "multimedia",
        "frame",
        "application",
        "jpg",
        "jpeg",
        "jfif",
        "png",
        "gif",
        "webp",
        "bmp",
        "tif",
        "tiff",
        "heic",
        "heif",
        "avif",
        "svg",
        "xml",
        "mp4",
        "m4v",
        "mpg",
        "mpeg",
        "mov",
        "quicktime",
        "avi",
        "msvideo",
        "mkv",
        "matroska",
        "webm",
        "wmv",
        "flv",
        "3gp",
        "3gpp",
        "ogg",
        "mp3",
        "wav",
        "pdf",
        "ms",
        "x",
    ];
    let mut words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    words.peek().is_some() && words.all(|word| WORDS.contains(&word.to_lowercase().as_str()))
}

/// The list's algorithm in the names that feeds use: `HASH_PDQ`, `ImagePDQ`, `pdq`, `SHA-256`.
pub(super) fn is_of(name: &str, algorithm: Algorithm) -> bool {
    let name = plain(name);
    let own: &[&str] = match algorithm {
        Algorithm::PdqFull => &["pdq", "pdqfull"],
        Algorithm::VpdqV1 => &["vpdq", "vpdqv1"],
        Algorithm::Sha256 => &["sha256"],
        Algorithm::Sha1 => &["sha1"],
        Algorithm::Md5 => &["md5"],
    };
    ["", "hash", "image", "video", "file", "hashimage", "hashvideo"]
        .iter()
        .any(|prefix| name.strip_prefix(prefix).is_some_and(|name| own.contains(&name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_numbers_or_rfc_3339() {
        for (text, seconds) in [
            ("1700000000", Some(1_700_000_000)),
            ("2023-11-14T22:13:20Z", Some(1_700_000_000)),
            (" 2023-11-14T22:13:20.123456Z ", Some(1_700_000_000)),
            ("2023-11-14 22:13:20+00:00", Some(1_700_000_000)),
            ("1700000000.25", Some(1_700_000_000)),
            ("2023-11-14T22:13:20+0000", Some(1_700_000_000)),
            ("2023-11-14T17:13:20.115443-05:00", Some(1_700_000_000)),
            ("2023-11-15T03:43:20+0530", Some(1_700_000_000)),
            ("2023-11-14T22:13:20.yesterday", None),
            ("2023-11-14T22:13:20.", None),
            ("2023-11-14T22:13:20 UTC", None),
            ("2023-11-14T22:13:20+25:00", None),
            ("2023-11-14T22:13:20+1", None),
            ("1970-01-01T00:00:00+01:00", None),
            ("12 days ago", None),
            (".5", None),
            ("1700000000000", None),
            ("2200-01-01T00:00:00Z", None),
            ("2199-12-31T23:59:59Z", Some(7_258_118_399)),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(time(text), seconds, "{text}");
        }
    }

    #[test]
    fn a_number_may_have_zeros_behind_its_point() {
        for (text, expected) in [
            ("91.0", "91"),
            ("0.000", "0"),
            ("91", "91"),
            ("91.5", "91.5"),
            ("91.", "91."),
            (".0", ".0"),
            ("-1.0", "-1.0"),
        ] {
            assert_eq!(whole(text), expected);
        }
    }

    #[test]
    fn kinds_of_files_stand_alone() {
        for text in ["image", "JPG", "image/jpeg", "video/x-ms-wmv", "image/svg+xml", "Photo file"] {
            assert!(names_file(text), "{text}");
        }
        for text in ["", "/", "image/removed", "no image", "deletion", "A"] {
            assert!(!names_file(text), "{text}");
        }
    }

    #[test]
    fn feeds_name_algorithms_in_their_own_ways() {
        for (name, algorithm) in [
            ("HASH_PDQ", Algorithm::PdqFull),
            ("ImagePDQ", Algorithm::PdqFull),
            ("VideoMD5", Algorithm::Md5),
            ("SHA-256", Algorithm::Sha256),
            ("hash_sha1", Algorithm::Sha1),
            ("HASH_VIDEO_MD5", Algorithm::Md5),
            ("HASH_IMAGE_SHA256", Algorithm::Sha256),
        ] {
            for other in Algorithm::ALL {
                assert_eq!(is_of(name, other), other == algorithm, "{name}, {other}");
            }
        }
        assert!(!is_of("VideoTMK-PDQF", Algorithm::PdqFull) && !is_of("", Algorithm::Md5));
        assert!(!is_of("HASH_URL_MD5", Algorithm::Md5));
    }
}
