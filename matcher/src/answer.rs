//! The answer to a lookup, which says on what ground it stands.

use crate::image::{DecodeError, OnlyBeginning};
use crate::pdq::Orientation;
use crate::proofs::LazyReceipt;
use crate::video::{Unseen, VideoError, VideoMatch};
use isonomy_core::charter::Action;
use isonomy_core::list::Algorithm;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_verifier::{Freshness, VerifiedList};

/// What a list says about a picture, and how old that knowledge is. None is made but by a [`crate::Matcher`].
#[derive(Clone, Debug)]
pub struct Answer {
    /// The list.
    pub list: ListName,
    /// Its version.
    pub version: u64,
    /// How old the knowledge about the list is.
    pub freshness: Freshness,
    /// How many entries match.
    pub found: usize,
    /// The answer itself.
    pub verdict: Verdict,
    /// The list itself, whose charter has the words for the person.
    pub(crate) of: VerifiedList,
}

/// More than yes or no: a list that can't answer says so. There are these three and no others, so that nobody needs an arm for the
/// rest, in which the third could end up as the second.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The picture is within the charter's distance of these entries, nearest first: all of them, unless fewer were wanted.
    Matched(Vec<Match>),
    /// No entry is within the distance.
    NotMatched,
    /// The list can't answer.
    NotCovered(NotCovered),
}

/// What an answer may cost. A list can hold a hundred thousand variants of one picture, and a video has thousands of frames.
pub struct Effort<'e> {
    /// How many of the matches are wanted, the nearest first; all are counted.
    pub matches: usize,
    /// Asked before each hash that is looked up: whether the answer comes too late to be of use.
    pub is_over: &'e dyn Fn() -> bool,
}

/// All matches, however long it takes.
impl Default for Effort<'_> {
    fn default() -> Self {
        Self { matches: usize::MAX, is_over: &|| false }
    }
}

/// An entry within the distance.
#[derive(Clone, Debug)]
pub struct Match {
    /// The entry.
    pub entry: Vec<u8>,
    /// Its distance in bits.
    pub distance: u32,
    /// Which of the pictures that were taken from the file is so near, as in [`crate::subject::View`]; `None` for a video, which
    /// matches as a whole.
    pub frame: Option<usize>,
    /// The orientation of the picture that is so near.
    pub orientation: Orientation,
    /// For a frame of a listed video: how that video matches.
    pub video: Option<VideoMatch>,
    /// The most that the charter allows this match to lead to. The person is told in every case.
    pub action: Action,
    /// What proves the match to others.
    pub receipt: LazyReceipt,
}

/// Why a list can't answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NotCovered {
    /// The picture has too little detail for its hash to mean anything.
    #[error("the picture's quality is {quality}; the charter asks for {least}")]
    QualityTooLow {
        /// The picture's quality.
        quality: u8,
        /// What the charter asks for.
        least: u64,
    },
    /// The file can't be decoded, so it has no perceptual hash.
    #[error(transparent)]
    NotAPicture(#[from] DecodeError),
    /// Nothing matched in the pictures of the file that were looked at.
    #[error("nothing matches, but {0}")]
    OnlyBeginning(OnlyBeginning),
    /// Nothing matched in the part of the video that was looked at.
    #[error("nothing matches, but {0}")]
    PartOfVideo(Unseen),
    /// The file can't be decoded as a video, and the list is of videos.
    #[error(transparent)]
    NotAVideo(#[from] VideoError),
    /// The hash is of another algorithm than the list.
    #[error("the list holds {list} hashes, not {found}")]
    OtherAlgorithm {
        /// The list's.
        list: Algorithm,
        /// The fingerprint's.
        found: Algorithm,
    },
    /// The file was not hashed by the list's algorithm.
    #[error("the file was not hashed by {list}, the algorithm of this list")]
    NotHashed {
        /// The list's.
        list: Algorithm,
    },
    /// The hash does not have the length of its algorithm.
    #[error("a hash of {found} bytes is none of this algorithm")]
    WrongLength {
        /// The length.
        found: usize,
    },
    /// The list's validity is over.
    #[error("the list expired at {since}")]
    Expired {
        /// When.
        since: Timestamp,
    },
    /// The lookup did not come to its end.
    #[error("the lookup was given up before its end")]
    GivenUp,
}

impl NotCovered {
    /// The same for programs, in one of these words:
    ///
    /// | code | meaning |
    /// |---|---|
    /// | `quality-too-low` | too little detail for a hash to mean anything |
    /// | `unknown-format` | not a picture or video, or of a format that isn't known |
    /// | `unsupported` | of a known format, but a kind that can't be decoded |
    /// | `damaged` | incomplete, or not as its format demands |
    /// | `beyond-limits` | larger, longer or more work than the limits allow |
    /// | `no-decoder` | it is a video, and ffmpeg is not there or can't be run |
    /// | `decoder-failed` | it set off an error in a decoder |
    /// | `partly-seen` | nothing matches, but not all of it was looked at |
    /// | `other-algorithm` | there is no hash of it by the list's algorithm |
    /// | `wrong-length` | the hash has not the length of its algorithm |
    /// | `expired` | the list's validity is over |
    /// | `given-up` | the lookup or decoding did not come to its end |
    pub fn code(&self) -> &'static str {
        match self {
            Self::QualityTooLow { .. } => "quality-too-low",
            Self::NotAPicture(why) => of_picture(why),
            Self::NotAVideo(why) => of_video(why),
            Self::OnlyBeginning(_) | Self::PartOfVideo(_) => "partly-seen",
            Self::OtherAlgorithm { .. } | Self::NotHashed { .. } => "other-algorithm",
            Self::WrongLength { .. } => "wrong-length",
            Self::Expired { .. } => "expired",
            Self::GivenUp => "given-up",
        }
    }
}

fn of_picture(why: &DecodeError) -> &'static str {
    match why {
        DecodeError::FileTooLarge { .. }
        | DecodeError::TooManyPixels { .. }
        | DecodeError::TooMuchMemory { .. }
        | DecodeError::TooMuchWork { .. } => "beyond-limits",
        DecodeError::UnknownFormat => "unknown-format",
        DecodeError::Unsupported { .. } => "unsupported",
        DecodeError::Incomplete { .. } | DecodeError::Malformed { .. } => "damaged",
        DecodeError::DecoderFailed { .. } => "decoder-failed",
    }
}

fn of_video(why: &VideoError) -> &'static str {
    match why {
        VideoError::UnknownFormat | VideoError::NoVideo => "unknown-format",
        VideoError::NoDecoder | VideoError::Decoder { .. } => "no-decoder",
        VideoError::TooLarge { .. }
        | VideoError::TooManyPixels { .. }
        | VideoError::TooLong { .. }
        | VideoError::TookTooLong { .. } => "beyond-limits",
        VideoError::Abandoned => "given-up",
        VideoError::Malformed { .. } => "damaged",
    }
}
