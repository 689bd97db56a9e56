//! What the person is told, whose picture matched: in every case, by the charter.

use crate::answer::{Answer, Verdict};
use crate::video::{Frames, VideoMatch};
use isonomy_core::charter::{Action, Charter};
use isonomy_verifier::{Freshness, VerifiedList};
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
    /// Within how many hours an entry is removed that should not be there.
    pub removal_hours: u64,
}

impl Answer {
    /// What the person is told of this answer by `list`; `None` if nothing matched.
    pub fn notice(&self, list: &VerifiedList) -> Option<Notice> {
        let Verdict::Matched(matches) = &self.verdict else {
            return None;
        };
        let Charter { maintainer, purpose, matching, action, redress, .. } = list.charter();
        Some(Notice {
            list: self.list.to_string(),
            version: self.version,
            freshness: self.freshness,
            entries: matches.len(),
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
        if let Some(VideoMatch { looked_up: Frames { alike, of }, .. }) = self.video {
            let Self { max_distance: most, .. } = self;
            return format!(
                "looks like an entry ({alike} of the {of} frames that were compared are within a distance of {most})"
            );
        }
        match (self.max_distance, self.entries) {
            (0, _) => "is the same file as an entry".into(),
            (most, 1) => format!("looks like an entry (distance {} of at most {most})", self.distance),
            (most, n) => {
                format!("looks like {n} entries (the nearest at distance {} of at most {most})", self.distance)
            }
        }
    }

    fn thing(&self) -> &'static str {
        match self.video {
            Some(_) => "video",
            None => "picture",
        }
    }

    fn follows(&self) -> String {
        match self.action {
            Action::Warn => "This notice, and nothing else".into(),
            Action::Block => {
                format!("The {} may be held back: not sent, not shown. Nobody else is told", self.thing())
            }
            Action::Report => format!("It may be reported to {}", self.recipients.join(", ")),
        }
    }
}

/// The words, in four lines.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { list, version, freshness, purpose, maintainer, complaints, removal_hours, .. } = self;
        writeln!(f, "This {} {} of the list {list}, version {version}, {freshness}.", self.thing(), self.what())?;
        writeln!(f, "The list is published by {maintainer}. It is for: {purpose}")?;
        writeln!(f, "What may follow, at most: {}.", self.follows())?;
        write!(
            f,
            "If this is wrong, complain to {complaints}; an entry that should not be there is removed within \
             {removal_hours} hours. The receipt proves which published entry it was."
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(action: Action, max_distance: u64, entries: usize) -> String {
        let notice = Notice {
            list: "hotline.example/images".into(),
            version: 3,
            freshness: Freshness::Fresh { checkpoint_age: 60 },
            entries,
            distance: 4,
            video: None,
            max_distance,
            purpose: "Pictures of the moon.".into(),
            maintainer: "Hotline (DE)".into(),
            action,
            recipients: vec!["police.example".into()],
            complaints: "complaints@hotline.example".into(),
            removal_hours: 24,
        };
        notice.to_string()
    }

    #[test]
    fn everybody_is_told_what_matched_what_follows_and_where_to_complain() {
        let text = notice(Action::Report, 31, 2);
        for words in [
            "looks like 2 entries (the nearest at distance 4 of at most 31) of the list hotline.example/images, version 3",
            "fresh",
            "published by Hotline (DE). It is for: Pictures of the moon.",
            "It may be reported to police.example.",
            "complain to complaints@hotline.example",
            "within 24 hours",
        ] {
            assert!(text.contains(words), "{words}: {text}");
        }
        assert!(notice(Action::Warn, 31, 1).contains("This notice, and nothing else."));
        assert!(notice(Action::Block, 31, 1).contains("looks like an entry (distance 4 of at most 31)"));
        assert!(notice(Action::Block, 0, 1).contains("is the same file as an entry of the list"));
        assert!(!notice(Action::Block, 31, 1).contains("police"));
    }
}
