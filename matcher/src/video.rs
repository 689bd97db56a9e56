//! Videos, by `vpdq/v1`: which frames count, how a list holds them, and when two videos match.
//!
//! vPDQ (ThreatExchange, `vpdq/`) sees a video as a bag of the PDQ hashes of its frames, without order. It is published
//! with rules that contradict each other; the identifier `vpdq/v1` means exactly this one, which is that of
//! python-threatexchange and Hasher-Matcher-Actioner:
//!
//! 1. Frames 0, m, 2m, … are hashed by `pdq/full`, where m is the video's mean number of frames a second, rounded down, and at
//!    least 1: about one frame for each second. They are hashed as they are stored.
//! 2. Frames below the charter's quality are left out, then those whose hash was there before.
//! 3. Two frames are alike if they differ in *at most* the charter's distance. (vPDQ's C++ wants less than it.)
//! 4. A listed video matches if at least 80 % of the frames *of the video that is looked up* are alike to one of its frames,
//!    however few of its own these are. (vPDQ's README wants 80 % of the listed video's instead.) So a piece cut from a
//!    listed video is found, and a long video that shows a listed one among other things is not.
//!
//! In a list, each frame is an entry: the number of its video, then its hash. The number is the beginning of the
//! SHA-256 of the video's hashes, one after the other in ascending order; it says which frames belong together, and nothing
//! depends on how it came about.
//!
//! Where frames come unevenly, those of step 1 can leave out seconds of a video. Such a video is looked at twice: once as above, and
//! once more by the frames that are shown, one for each second. It matches if either look does (the first one's word counts if both do);
//! a list holds the first alone, as others would.
//!
//! Decoding is not done here, since it takes another program: the crate `isonomy-client` drives it.

use crate::image::is_picture;
use crate::lookup::Found;
use crate::pdq::{HASH_SIZE, PdqHash};
use isonomy_core::list::algorithm::VIDEO_NUMBER_SIZE;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// How many of a hundred frames of a video must be alike to frames of one listed video.
pub const LEAST_PERCENT: u64 = 80;

/// Why a video has no hashes.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VideoError {
    /// Not a video, or of a format that isn't known.
    #[error("not a video in a known format, which are MP4, QuickTime, Matroska, WebM, AVI, MPEG, Ogg, FLV and ASF")]
    UnknownFormat,
    /// There is no program that decodes videos.
    #[error("videos are decoded by ffmpeg, which is not installed here")]
    NoDecoder,
    /// The decoder can't be started or read.
    #[error("ffmpeg can't be run: {reason}")]
    Decoder {
        /// What the operating system said.
        reason: String,
    },
    /// A larger file than the limits allow.
    #[error("the video is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// Larger frames than the limits allow.
    #[error("the video's frames are {width} × {height}, more than the limit of {limit} pixels")]
    TooManyPixels {
        /// Pixels in a row.
        width: u64,
        /// Rows.
        height: u64,
        /// The limit, in pixels.
        limit: u64,
    },
    /// More frames than the limits allow.
    #[error("the video is longer than the limit of {limit} sampled frames, one for each second")]
    TooLong {
        /// The limit, in frames.
        limit: usize,
    },
    /// Decoding took longer than the limits allow.
    #[error("decoding the video took longer than the limit of {seconds} seconds")]
    TookTooLong {
        /// The limit.
        seconds: u64,
    },
    /// Nobody waits for it any more.
    #[error("decoding the video was given up, since nobody waits for it any more")]
    Abandoned,
    /// A file of sound or text alone.
    #[error("the file holds no video")]
    NoVideo,
    /// The decoder can't make frames of it.
    #[error("the video can't be decoded: {reason}")]
    Malformed {
        /// What the decoder said, or what is wrong with what it gave.
        reason: String,
    },
}

/// What of a video its sampled frames don't show. If they don't match, nothing can be said of it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unseen {
    /// The decoder went on after it had found something wrong.
    #[error("a part of the video can't be decoded: {reason}")]
    Damaged {
        /// What the decoder said, or what is wrong with what it gave.
        reason: String,
    },
    /// The file holds further videos, of which a player may show any.
    #[error("the file holds {videos} videos, of which only the first was looked at")]
    OtherVideos {
        /// How many, with the first.
        videos: usize,
    },
    /// Frames don't come as evenly as the file says.
    #[error("none of its frames was looked at for {seconds} seconds of the video")]
    Gap {
        /// How long, at most.
        seconds: u64,
    },
    /// Its frames, or the first of them, to whose size the others were brought, are too small for a hash to mean anything.
    #[error(
        "its frames have {width} × {height} pixels, or are made as small as the first, which is too little to tell"
    )]
    Small {
        /// Pixels of a row.
        width: usize,
        /// Rows.
        height: usize,
    },
    /// Less is there than the file says.
    #[error("the last {seconds} seconds of the video are missing")]
    Short {
        /// How many.
        seconds: u64,
    },
}

/// The hashes of a video's sampled frames, in the order of the frames.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Video {
    frames: Vec<PdqHash>,
    second_look: Option<SecondLook>,
    unseen: Option<Unseen>,
}

/// Frames picked by the time at which they are shown, where those picked by their numbers leave out too much.
#[derive(Clone, PartialEq, Eq, Debug)]
struct SecondLook {
    frames: Vec<PdqHash>,
    gap: Unseen,
}

impl Video {
    /// A video of these frames, which show all of it.
    pub fn new(frames: Vec<PdqHash>) -> Self {
        Self { frames, ..Self::default() }
    }

    /// The same with the frames of a second look, since the first ones leave this out.
    pub fn looked_at_again(self, frames: Vec<PdqHash>, gap: Unseen) -> Self {
        Self { second_look: Some(SecondLook { frames, gap }), ..self }
    }

    /// The same, without a part that these frames don't show.
    pub fn without(self, unseen: Unseen) -> Self {
        Self { unseen: Some(unseen), ..self }
    }

    /// What of it its frames don't show, those of a second look included.
    pub fn unseen(&self) -> Option<&Unseen> {
        self.unseen.as_ref()
    }

    /// What of it the frames don't show that a list would hold.
    pub fn unlisted(&self) -> Option<&Unseen> {
        self.unseen().or(self.second_look.as_ref().map(|look| &look.gap))
    }

    /// The frames that count by the rule.
    pub fn frames(&self) -> &[PdqHash] {
        &self.frames
    }

    /// The frames of a second look, if there was one.
    pub fn frames_by_time(&self) -> &[PdqHash] {
        self.second_look.as_ref().map_or(&[], |look| &look.frames)
    }

    /// The hashes that count: each once, of at least this quality, ascending.
    pub fn hashes(&self, min_quality: u64) -> BTreeSet<[u8; HASH_SIZE]> {
        let good = self.frames.iter().filter(|frame| u64::from(frame.quality) >= min_quality);
        good.map(|frame| frame.hash).collect()
    }

    /// The video as a list holds it: an entry for each hash that counts, ascending. Empty if no frame counts.
    pub fn entries(&self, min_quality: u64) -> Vec<Vec<u8>> {
        let hashes = self.hashes(min_quality);
        let digest = hashes.iter().fold(Sha256::new(), |digest, hash| digest.chain_update(hash)).finalize();
        let number = &digest[..VIDEO_NUMBER_SIZE];
        hashes.iter().map(|hash| [number, hash].concat()).collect()
    }
}

/// Whether a file with this beginning is of a format that holds videos. A still picture in such a container (AVIF, HEIF)
/// is none, and neither is what begins like a picture ([`crate::image::is_picture`]): the marks of some videos stand behind the
/// beginning, where pictures can have anything.
pub fn is_video(file: &[u8]) -> bool {
    !is_picture(file) && begins_like_video(file)
}

fn begins_like_video(file: &[u8]) -> bool {
    let at = |place: usize, mark: &[u8]| file.get(place..).is_some_and(|rest| rest.starts_with(mark));
    let is_still = || ["avif", "avis", "heic", "heix", "mif1", "msf1"].iter().any(|brand| at(8, brand.as_bytes()));
    let iso = at(4, b"ftyp") && !is_still() || [b"moov", b"mdat", b"wide"].iter().any(|kind| at(4, *kind));
    let transport_stream = || (0..3).all(|packet| at(packet * 188, &[0x47]));
    iso || at(0, &[0x1a, 0x45, 0xdf, 0xa3]) // Matroska, WebM
        || at(0, b"RIFF") && at(8, b"AVI ")
        || at(0, b"OggS")
        || at(0, b"FLV\x01")
        || at(0, &[0, 0, 1, 0xba]) // MPEG program stream
        || at(0, &[0, 0, 1, 0xb3]) // MPEG video alone
        || at(0, &[0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11]) // ASF, WMV
        || transport_stream()
}

/// So many of so many.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Frames {
    /// How many frames have one that is alike.
    pub alike: usize,
    /// How many there are.
    pub of: usize,
}

/// How a video that was looked up and a listed one match.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct VideoMatch {
    /// Frames of the one that was looked up.
    pub looked_up: Frames,
    /// Frames of the listed one.
    pub listed: Frames,
}

impl VideoMatch {
    /// Whether that is a match by the rule of `vpdq/v1`.
    pub fn is_match(&self) -> bool {
        let Frames { alike, of } = self.looked_up;
        of > 0 && alike as u64 * 100 >= LEAST_PERCENT * of as u64
    }
}

/// What frames of a video that is looked up have found of a listed one.
struct Alike {
    /// All entries of the listed video.
    entries: Range<usize>,
    /// How many frames have found some of them, and the number of the last.
    frames: usize,
    last_frame: usize,
    /// The nearest finding of each entry.
    nearest: BTreeMap<usize, Found>,
}

/// Applies the rule to what the frames of a video find, one frame after the other: nothing is kept for each frame.
#[derive(Default)]
pub(crate) struct Judge {
    frames: usize,
    /// By the first of their entries.
    videos: BTreeMap<usize, Alike>,
}

impl Judge {
    /// Takes what the next frame has found. `video` gives, for an entry, all entries of its video.
    pub(crate) fn take(&mut self, found: &[Found], video: impl Fn(usize) -> Range<usize>) {
        self.frames += 1;
        for near in found {
            let entries = video(near.index);
            let new = |entries| Alike { entries, frames: 0, last_frame: 0, nearest: BTreeMap::new() };
            let alike = self.videos.entry(entries.start).or_insert_with(|| new(entries));
            alike.frames += usize::from(alike.last_frame != self.frames);
            alike.last_frame = self.frames;
            let nearest = alike.nearest.entry(near.index).or_insert(*near);
            *nearest = (*nearest).min(*near);
        }
    }

    /// The listed videos that match, by the first of their entries: how they match, and the nearest finding of each entry.
    pub(crate) fn matches(self) -> impl Iterator<Item = (usize, (VideoMatch, Vec<Found>))> {
        let of = self.frames;
        let judged = self.videos.into_iter().map(move |(first, Alike { entries, frames, nearest, .. })| {
            let looked_up = Frames { alike: frames, of };
            let listed = Frames { alike: nearest.len(), of: entries.len() };
            (first, (VideoMatch { looked_up, listed }, nearest.into_values().collect()))
        });
        judged.filter(|(_, (rule, _))| rule.is_match())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judge(found: &[Vec<Found>], video: impl Fn(usize) -> Range<usize>) -> Vec<(VideoMatch, Vec<Found>)> {
        let mut judge = Judge::default();
        found.iter().for_each(|found| judge.take(found, &video));
        judge.matches().map(|(_, matched)| matched).collect()
    }

    fn frame(hash: u8, quality: u8) -> PdqHash {
        PdqHash { hash: [hash; 32], quality }
    }

    fn near(index: usize, distance: u32) -> Found {
        Found { distance, index }
    }

    #[test]
    fn a_list_holds_each_good_frame_once_under_one_number() {
        let video = Video::new(vec![frame(7, 90), frame(3, 50), frame(7, 60), frame(9, 49)]);
        let entries = video.entries(50);
        let digest = crate::digest::sha256(&[[3; 32], [7; 32]].concat());
        assert_eq!(entries, [[&digest[..16], &[3; 32]].concat(), [&digest[..16], &[7; 32]].concat()]);
        assert_eq!(video.entries(95), Vec::<Vec<u8>>::new());
        assert_eq!(video.hashes(0).len(), 3);
    }

    #[test]
    fn four_frames_of_five_match_and_three_do_not() {
        // Two listed videos: entries 0 to 9 and 10 to 12.
        let video = |entry: usize| if entry < 10 { 0..10 } else { 10..13 };
        let four = [vec![near(1, 4)], vec![near(1, 2)], vec![near(2, 0), near(11, 30)], vec![near(9, 31)], vec![]];
        let matched = judge(&four, video);
        let expected = VideoMatch { looked_up: Frames { alike: 4, of: 5 }, listed: Frames { alike: 3, of: 10 } };
        assert_eq!(matched, [(expected, vec![near(1, 2), near(2, 0), near(9, 31)])]);
        assert_eq!(judge(&[&four[1..], &[vec![]]].concat(), video), []);
        // Frames that are alike to different videos don't add up.
        let montage = [vec![near(1, 0)], vec![near(2, 0)], vec![near(10, 0)], vec![near(11, 0)]];
        assert_eq!(judge(&montage, video), []);
        assert_eq!(judge(&[], video), []);
    }

    /// A GIF whose table of colours has the marks of a stream, a TIFF whose first page is far away, a BMP of a strange size, …
    #[test]
    fn a_picture_is_no_video_whatever_stands_in_it() {
        let stream: Vec<u8> = (0..600).map(|at| if at % 188 == 0 { 0x47 } else { 0 }).collect();
        for mark in [
            &b"GIF89a"[..],
            b"GIF87a",
            b"\x89PNG\r\n\x1a\n",
            b"II*\0moov",
            b"MM\0*wide",
            b"BM..mdat",
            b"\xff\xd8\xff\xe0moov",
        ] {
            let mut file = stream.clone();
            file[..mark.len()].copy_from_slice(mark);
            assert!(!is_video(&file) && is_picture(&file), "{mark:?}");
        }
        assert!(begins_like_video(&[&b"GIF89a"[..], &stream[6..]].concat()), "or else this test is for nothing");
    }

    #[test]
    fn formats_are_recognised_by_their_beginning() {
        let stream: Vec<u8> = (0..600).map(|at| if at % 188 == 0 { 0x47 } else { 0 }).collect();
        for video in [
            &b"\0\0\0\x20ftypisom"[..],
            b"\0\0\0\x14ftypqt  ",
            b"\x1a\x45\xdf\xa3....",
            b"RIFF\0\0\0\0AVI LIST",
            b"OggS\0",
            b"FLV\x01",
            b"\0\0\x01\xba....",
            &stream,
        ] {
            assert!(is_video(video), "{video:?}");
        }
        for other in [
            &b""[..],
            b"\0\0\0\x20ftypavif",
            b"\0\0\0\x20ftypheic",
            b"RIFF\0\0\0\0WEBPVP8 ",
            b"#EXTM3U\n",
            b"ffconcat version",
            b"GIF89a",
            b"G",
        ] {
            assert!(!is_video(other), "{other:?}");
        }
    }

    proptest! {
        /// The rule as it is published, frame against frame, with its percentages in floating point.
        #[test]
        fn the_rule_is_that_of_comparing_every_pair(
            query in proptest::collection::vec(0u32..64, 1..12),
            listed in proptest::collection::vec(proptest::collection::vec(0u32..64, 1..8), 1..5),
            most in 0u32..3,
        ) {
            let query: BTreeSet<u32> = query.into_iter().collect();
            let listed: Vec<BTreeSet<u32>> = listed.into_iter().map(|video| video.into_iter().collect()).collect();
            let apart = |one: u32, other: u32| (one ^ other).count_ones();
            let entries: Vec<(usize, u32)> =
                listed.iter().enumerate().flat_map(|(video, frames)| frames.iter().map(move |frame| (video, *frame))).collect();
            let found: Vec<Vec<Found>> = query.iter().map(|frame| {
                let all = entries.iter().enumerate().map(|(index, (_, entry))| near(index, apart(*frame, *entry)));
                all.filter(|found| found.distance <= most).collect()
            }).collect();
            let video = |entry: usize| {
                let same = |other: &&(usize, u32)| other.0 == entries[entry].0;
                let start = entries.iter().position(|other| same(&other)).unwrap();
                start..start + entries.iter().filter(same).count()
            };
            let judged: Vec<(usize, usize)> =
                judge(&found, video).iter().map(|(rule, _)| (rule.looked_up.alike, rule.listed.alike)).collect();
            let expected: Vec<(usize, usize)> = listed.iter().filter_map(|video| {
                let any = |of: u32, others: &BTreeSet<u32>| others.iter().any(|other| apart(of, *other) <= most);
                let of_query = query.iter().filter(|frame| any(**frame, video)).count();
                let of_listed = video.iter().filter(|frame| any(**frame, &query)).count();
                let percent = of_query as f64 * 100.0 / query.len() as f64;
                (percent >= 80.0).then_some((of_query, of_listed))
            }).collect();
            prop_assert_eq!(judged, expected);
        }
    }
}
