//! An answer as data, for programs.

use crate::answer::{Answer, Match, NotCovered, Verdict};
use crate::notice::Notice;
use crate::pdq::Orientation;
use crate::video::VideoMatch;
use isonomy_core::charter::Action;
use isonomy_core::encoding::to_hex;
use isonomy_core::statement::ListName;
use isonomy_verifier::Freshness;
use serde::Serialize;

/// An answer as it is written in JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AnswerDocument {
    /// The list.
    pub list: ListName,
    /// Its version.
    pub version: u64,
    /// How old the knowledge about it is.
    pub freshness: Freshness,
    /// `matched`, `not-matched` or `not-covered`.
    pub verdict: &'static str,
    /// Why the list can't answer, if it can't: for programs, in a word of [`crate::NotCovered::code`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How many entries are within the distance.
    pub found: usize,
    /// The nearest of them.
    pub matches: Vec<MatchDocument>,
    /// What the person is told, if something matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<NoticeDocument>,
}

/// A match as it is written in JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct MatchDocument {
    /// The entry, in hexadecimal.
    pub entry: String,
    /// Its distance in bits.
    pub distance: u32,
    /// Which of the pictures that were taken from the file is so near, from 0: a frame of an animation, or a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<usize>,
    /// The orientation of the picture that is so near.
    pub orientation: Orientation,
    /// For a frame of a listed video: how that video matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<VideoMatch>,
    /// The most that may follow.
    pub action: Action,
    /// Where its receipt is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<String>,
}

/// A notice as it is written in JSON.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct NoticeDocument {
    /// The words.
    pub words: String,
    /// What they are made of.
    #[serde(flatten)]
    pub notice: Notice,
}

/// The most matches of an answer that are written out. A list that matches more often is not to be counted by its matches.
pub const MAX_MATCHES: usize = 100;

impl Answer {
    /// The answer as data. `receipt` says where the receipt of a match is.
    pub fn document(&self, receipt: impl Fn(&Match) -> Option<String>) -> AnswerDocument {
        let (verdict, why, matches) = match &self.verdict {
            Verdict::Matched(matches) => ("matched", None, matches.as_slice()),
            Verdict::NotMatched => ("not-matched", None, &[][..]),
            Verdict::NotCovered(why) => ("not-covered", Some(why), &[][..]),
        };
        let of_match = |found: &Match| MatchDocument {
            entry: to_hex(&found.entry),
            distance: found.distance,
            frame: found.frame,
            orientation: found.orientation,
            video: found.video,
            action: found.action,
            receipt: receipt(found),
        };
        AnswerDocument {
            list: self.list.clone(),
            version: self.version,
            freshness: self.freshness,
            verdict,
            code: why.map(NotCovered::code),
            why: why.map(ToString::to_string),
            found: self.found,
            matches: matches.iter().take(MAX_MATCHES).map(of_match).collect(),
            notice: self.notice().map(|notice| NoticeDocument { words: notice.to_string(), notice }),
        }
    }
}
