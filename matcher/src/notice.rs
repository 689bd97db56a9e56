//! What the person is told, whose picture matched: in every case, by the charter.

use crate::answer::{Answer, Verdict};
use crate::video::{Frames, VideoMatch};
use isonomy_core::charter::{Action, Charter};
use isonomy_core::list::Algorithm;
use isonomy_verifier::Freshness;
use serde::Serialize;
use std::fmt;

/// What matched, which list, what may follow, and where to complain. It shows as words; an app that has words of its own
/// takes the fields.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Notice {
    /// The list.
    pub list: String,
    /// Its version.
    pub version: u64,
    /// What its entries are: hashes of pictures or videos that look alike, or digests of files.
    pub algorithm: Algorithm,
    /// How old the knowledge about it is.
    pub freshness: Freshness,
    /// How many of its entries the picture matches.
    pub entries: usize,
    /// The distance of the nearest, in bits; 0 for the digest of a file.
    pub distance: u32,
    /// For a list of videos: how the video matches; of several listed ones, the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video: Option<VideoMatch>,
    /// The distance up to which the charter calls it a match.
    pub max_distance: u64,
    /// What belongs on the list, in the charter's words.
    pub purpose: String,
    /// Who publishes the list, and where it sits.
    pub maintainer: String,
    /// The most that may follow.
    pub action: Action,
    /// Who may be told of it, if that is a report.
    pub recipients: Vec<String>,
    /// Where to complain.
    pub complaints: String,
    /// Within how many hours an entry has to be removed that should not be there.
    pub removal_hours: u64,
}

impl Answer {
    /// What the person is told of a match. `None` is not "no match": it says nothing about whether the list could answer, which
    /// only the verdict says.
    pub fn notice(&self) -> Option<Notice> {
        let Verdict::Matched(matches) = &self.verdict else {
            return None;
        };
        let Charter { maintainer, purpose, matching, action, redress, .. } = self.of.charter();
        Some(Notice {
            list: self.list.to_string(),
            version: self.version,
            algorithm: matching.algorithm,
            freshness: self.freshness,
            entries: self.found,
            distance: matches.first()?.distance,
            video: matches.first()?.video,
            max_distance: matching.max_distance,
            purpose: purpose.definition.clone(),
            maintainer: format!("{} ({})", maintainer.name, maintainer.jurisdiction),
            action: action.most,
            recipients: action.recipients.clone(),
            complaints: redress.complaints.clone(),
            removal_hours: redress.removal_deadline.div_ceil(3600),
        })
    }
}

impl Notice {
    fn what(&self) -> String {
        let Self { distance, max_distance: most, .. } = self;
        match (self.algorithm, self.video, self.entries) {
            (Algorithm::Sha256 | Algorithm::Sha1 | Algorithm::Md5, ..) => "is taken for one that is".into(),
            (_, Some(VideoMatch { looked_up: Frames { alike, of }, .. }), _) => {
                format!("looks like one that is, in {alike} of the {of} pictures of it that were compared,")
            }
            (_, None, 1) => format!("looks like one that is ({distance} of 256 marks of it differ; up to {most} may)"),
            (_, None, n) => {
                format!(
                    "looks like {n} that are ({distance} of 256 marks of it differ from the nearest; up to {most} may)"
                )
            }
        }
    }

    /// What looks alike need not be the same.
    fn doubt(&self) -> &'static str {
        match self.algorithm {
            Algorithm::PdqFull | Algorithm::VpdqV1 => {
                "That is judged by a computer, from a rough likeness: it can be chance, and the two need not be the same.\n"
            }
            Algorithm::Sha256 | Algorithm::Sha1 | Algorithm::Md5 => "",
        }
    }

    fn thing(&self) -> &'static str {
        match self.algorithm {
            Algorithm::PdqFull => "picture",
            Algorithm::VpdqV1 => "video",
            Algorithm::Sha256 | Algorithm::Sha1 | Algorithm::Md5 => "file",
        }
    }

    fn known(&self) -> String {
        match self.freshness {
            Freshness::Fresh { checkpoint_age } => format!("It was up to date {} ago", Span(checkpoint_age)),
            Freshness::Stale { checkpoint_age, .. } => {
                format!("It was up to date {} ago, and may have changed since", Span(checkpoint_age))
            }
            Freshness::Expired { .. } => "It is out of date".into(),
        }
    }

    fn follows(&self) -> String {
        match self.action {
            Action::Warn => "this notice, and nothing else".into(),
            Action::Block => {
                format!(
                    "the {} may be held back, which is neither sent nor shown then. Nobody else is told",
                    self.thing()
                )
            }
            Action::Report => format!("it may be reported to {}", self.recipients.join(", ")),
        }
    }
}

/// A time as people say it.
struct Span(u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match self.0 {
            seconds @ 0..120 => (seconds, "second"),
            seconds @ 120..7200 => (seconds / 60, "minute"),
            seconds @ 7200..172_800 => (seconds / 3600, "hour"),
            seconds => (seconds / 86_400, "day"),
        };
        write!(f, "{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}

/// The words, in four or five lines.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { list, version, purpose, maintainer, complaints, removal_hours, .. } = self;
        writeln!(f, "This {} {} on the list {list}.", self.thing(), self.what())?;
        f.write_str(self.doubt())?;
        writeln!(
            f,
            "The list is published by {maintainer}, this is its version {version}. {}. It is for: {purpose}",
            self.known()
        )?;
        writeln!(f, "What may follow, at most: {}.", self.follows())?;
        write!(
            f,
            "If this is wrong, complain to {complaints}. What should not be on the list must be removed from it within {}.",
            Span(removal_hours.saturating_mul(3600))
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice() -> Notice {
        Notice {
            list: "hotline.example/images".into(),
            version: 3,
            algorithm: Algorithm::PdqFull,
            freshness: Freshness::Fresh { checkpoint_age: 60 },
            entries: 1,
            distance: 4,
            video: None,
            max_distance: 31,
            purpose: "Pictures of the moon.".into(),
            maintainer: "Hotline (DE)".into(),
            action: Action::Block,
            recipients: vec!["police.example".into()],
            complaints: "complaints@hotline.example".into(),
            removal_hours: 24,
        }
    }

    #[test]
    fn the_words_as_a_whole() {
        assert_eq!(
            notice().to_string(),
            "This picture looks like one that is (4 of 256 marks of it differ; up to 31 may) on the list \
             hotline.example/images.\n\
             That is judged by a computer, from a rough likeness: it can be chance, and the two need not be the same.\n\
             The list is published by Hotline (DE), this is its version 3. It was up to date 60 seconds ago. It is for: \
             Pictures of the moon.\n\
             What may follow, at most: the picture may be held back, which is neither sent nor shown then. Nobody else is \
             told.\n\
             If this is wrong, complain to complaints@hotline.example. What should not be on the list must be removed from it \
             within 24 hours."
        );
    }

    #[test]
    fn everybody_is_told_what_matched_what_follows_and_where_to_complain() {
        let of = |notice: Notice| notice.to_string();
        let several = of(Notice { entries: 2, action: Action::Report, ..notice() });
        assert!(several.contains("looks like 2 that are (4 of 256 marks of it differ from the nearest"), "{several}");
        assert!(several.contains("at most: it may be reported to police.example."), "{several}");
        assert!(of(Notice { action: Action::Warn, ..notice() }).contains("at most: this notice, and nothing else."));
        assert!(!of(notice()).contains("police"));
    }

    #[test]
    fn a_digest_is_of_a_file_and_a_picture_only_looks_alike() {
        let file = Notice { algorithm: Algorithm::Md5, distance: 0, max_distance: 0, ..notice() }.to_string();
        assert!(file.starts_with("This file is taken for one that is on the list"), "{file}");
        assert!(file.contains("the file may be held back") && !file.contains("chance"), "{file}");
        let picture = Notice { distance: 0, max_distance: 0, ..notice() }.to_string();
        assert!(picture.starts_with("This picture looks like one that is (0 of 256"), "{picture}");
        let frames = VideoMatch { looked_up: Frames { alike: 4, of: 5 }, listed: Frames { alike: 4, of: 10 } };
        let video = Notice { algorithm: Algorithm::VpdqV1, video: Some(frames), ..notice() }.to_string();
        let expected =
            "This video looks like one that is, in 4 of the 5 pictures of it that were compared, on the list";
        assert!(video.starts_with(expected), "{video}");
    }

    #[test]
    fn times_are_told_as_people_say_them() {
        let known = |freshness| Notice { freshness, ..notice() }.known();
        let stale = |checkpoint_age| known(Freshness::Stale { checkpoint_age, release_age: 0 });
        assert_eq!(stale(176), "It was up to date 2 minutes ago, and may have changed since");
        assert_eq!(stale(691_200), "It was up to date 8 days ago, and may have changed since");
        assert_eq!(known(Freshness::Fresh { checkpoint_age: 1 }), "It was up to date 1 second ago");
        assert!(Notice { removal_hours: 168, ..notice() }.to_string().ends_with("from it within 7 days."));
    }
}
