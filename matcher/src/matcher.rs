//! Matching: a picture's hashes against a [`VerifiedList`], by the rule of its charter.

use crate::answer::{Answer, Effort, Match, NotCovered, Verdict};
use crate::lookup::{Arrangement, Found, Index, LookupError};
use crate::pdq::Orientation;
use crate::proofs::{LazyReceipt, Prover, Receipts};
use crate::subject::{Fingerprint, Subject, View};
use crate::video::{Judge, VideoMatch};
use isonomy_core::charter::Matching;
use isonomy_core::list::Algorithm;
use isonomy_core::list::algorithm::VIDEO_NUMBER_SIZE;
use isonomy_core::time::Timestamp;
use isonomy_verifier::{Freshness, VerifiedList};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// A list made ready for lookups. It takes nothing but a [`VerifiedList`]. To match against several lists, make a matcher of
/// each: every list has its own rule.
pub struct Matcher {
    index: Index<VerifiedList>,
    prover: Arc<Prover>,
}

/// An entry within the distance.
#[derive(Clone, Copy)]
struct Near {
    found: Found,
    /// Which picture of the file; `None` for a video.
    frame: Option<usize>,
    orientation: Orientation,
    /// Which of the videos that match it is of.
    video: Option<u32>,
}

/// All that was found, nearest first.
#[derive(Default)]
struct Findings {
    near: Vec<Near>,
    videos: Vec<VideoMatch>,
}

/// Why nothing can be said.
enum Unsaid {
    NotCovered(NotCovered),
    Over,
}

impl From<NotCovered> for Unsaid {
    fn from(why: NotCovered) -> Self {
        Self::NotCovered(why)
    }
}

impl Matcher {
    /// Makes `list` ready.
    pub fn new(list: VerifiedList) -> Result<Self, LookupError> {
        Self::arranged(list, Arrangement::default())
    }

    /// The same in another arrangement, which costs other time and memory.
    pub fn arranged(list: VerifiedList, arrangement: Arrangement) -> Result<Self, LookupError> {
        let prover = Arc::new(Prover::new(list.clone()));
        Ok(Self { index: Index::arranged(list.charter().matching.algorithm, list, arrangement)?, prover })
    }

    /// A matcher of `list`, if that is the same release as this one's, known at another time: nothing is made anew. `None`
    /// if it is another release.
    pub fn renewed(&self, list: VerifiedList) -> Option<Self> {
        let is_same = list.accepted().release == self.list().accepted().release;
        is_same.then(|| {
            let prover = Arc::new(self.prover.renewed(list.clone()));
            Self { index: self.index.sharing(list), prover }
        })
    }

    /// The list.
    pub fn list(&self) -> &VerifiedList {
        self.index.list()
    }

    /// The list's algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.index.algorithm()
    }

    /// Its entries, arranged for looking up.
    pub fn index(&self) -> &Index<VerifiedList> {
        &self.index
    }

    /// What makes receipts, without the tables for looking up.
    pub fn receipts(&self) -> Receipts {
        Receipts::new(&self.prover)
    }

    /// Looks a fingerprint up. `local` is the device's clock.
    pub fn look_up(&self, fingerprint: &Fingerprint, local: Timestamp) -> Answer {
        self.answer(&Subject::of_hash(fingerprint.clone()), local)
    }

    /// Looks up all hashes of a file that are of the list's algorithm. `local` is the device's clock.
    pub fn answer(&self, subject: &Subject, local: Timestamp) -> Answer {
        // Such an effort is never over; if it were, nothing could be said.
        let given_up = || self.said(Verdict::NotCovered(NotCovered::GivenUp), 0, local);
        self.answer_with(subject, local, &Effort::default()).unwrap_or_else(given_up)
    }

    /// The same with no more than `effort`; `None` if that is over before there is an answer.
    pub fn answer_with(&self, subject: &Subject, local: Timestamp, effort: &Effort<'_>) -> Option<Answer> {
        let (verdict, found) = self.verdict(subject, local, effort)?;
        Some(self.said(verdict, found, local))
    }

    fn said(&self, verdict: Verdict, found: usize, local: Timestamp) -> Answer {
        let list = self.list();
        let freshness = list.freshness(local);
        Answer { list: list.name().clone(), version: list.version(), freshness, found, verdict, of: list.clone() }
    }

    fn verdict(&self, subject: &Subject, local: Timestamp, effort: &Effort<'_>) -> Option<(Verdict, usize)> {
        match self.find(subject, self.list().freshness(local), effort) {
            Ok(Findings { near, .. }) if near.is_empty() => Some((self.unmatched(subject), 0)),
            Ok(Findings { near, videos }) => {
                let wanted = near.iter().take(effort.matches);
                let matches = wanted.filter_map(|near| self.matched(near, &videos)).collect();
                Some((Verdict::Matched(matches), near.len()))
            }
            Err(Unsaid::NotCovered(why)) => Some((Verdict::NotCovered(why), 0)),
            Err(Unsaid::Over) => None,
        }
    }

    /// What is said if nothing matches.
    fn unmatched(&self, subject: &Subject) -> Verdict {
        match subject.not_looked_at(self.algorithm()) {
            Some(why) => Verdict::NotCovered(why),
            None => Verdict::NotMatched,
        }
    }

    /// What matches, nearest first.
    fn find(&self, subject: &Subject, freshness: Freshness, effort: &Effort<'_>) -> Result<Findings, Unsaid> {
        if let Freshness::Expired { since } = freshness {
            return Err(NotCovered::Expired { since }.into());
        }
        let looks = self.usable(subject)?;
        match self.algorithm() {
            Algorithm::VpdqV1 => self.find_videos(&looks, effort),
            Algorithm::PdqFull | Algorithm::Sha256 | Algorithm::Sha1 | Algorithm::Md5 => {
                self.find_entries(&looks.concat(), effort)
            }
        }
    }

    /// What is within the distance of any of the hashes; of an entry that is near to several, the nearest.
    fn find_entries(&self, hashes: &[&View], effort: &Effort<'_>) -> Result<Findings, Unsaid> {
        let mut near: Vec<Near> = Vec::new();
        for (number, &&View { frame, orientation, ref fingerprint }) in hashes.iter().enumerate() {
            let found = self.within(&fingerprint.hash, effort)?;
            let frame = Some(frame);
            near.extend(found.into_iter().map(|found| Near { found, frame, orientation, video: None }));
            if number > 0 {
                near.sort_by_key(|near| (near.found.index, near.found.distance));
                near.dedup_by_key(|near| near.found.index);
            }
        }
        if hashes.len() > 1 {
            near.sort_unstable_by_key(|near| near.found);
        }
        Ok(Findings { near, videos: Vec::new() })
    }

    /// The frames, within the distance, of the listed videos that match by the rule for videos in one of these looks.
    fn find_videos(&self, looks: &[Vec<&View>], effort: &Effort<'_>) -> Result<Findings, Unsaid> {
        let mut matched = BTreeMap::new();
        for frames in looks {
            let hashes: BTreeSet<&[u8]> = frames.iter().map(|view| view.fingerprint.hash.as_slice()).collect();
            let mut judge = Judge::default();
            for hash in hashes {
                judge.take(&self.within(hash, effort)?, |entry| self.video(entry));
            }
            for (video, how) in judge.matches() {
                matched.entry(video).or_insert(how);
            }
        }
        let mut findings = Findings::default();
        for (rule, found) in matched.into_values() {
            let video = u32::try_from(findings.videos.len()).ok();
            let orientation = Orientation::Original;
            let near = found.into_iter().map(|found| Near { found, frame: None, orientation, video });
            findings.near.extend(near);
            findings.videos.push(rule);
        }
        findings.near.sort_unstable_by_key(|near| near.found);
        Ok(findings)
    }

    /// All entries of the video of which `entry` is a frame: they begin with its number.
    fn video(&self, entry: usize) -> Range<usize> {
        let entries = self.list().entries();
        let number = |at: usize| entries.get(at).and_then(|entry| entry.get(..VIDEO_NUMBER_SIZE)).unwrap_or_default();
        let own = number(entry);
        let start = partition_point(0..entry, |at| number(at) < own);
        start..partition_point(entry..entries.len(), |at| number(at) <= own)
    }

    fn within(&self, hash: &[u8], effort: &Effort<'_>) -> Result<Vec<Found>, Unsaid> {
        if (effort.is_over)() {
            return Err(Unsaid::Over);
        }
        let most = u32::try_from(self.rule().max_distance).unwrap_or(u32::MAX);
        self.index.within(hash, most).map_err(|_| NotCovered::WrongLength { found: hash.len() }.into())
    }

    /// The hashes that the list can be asked for, those of a second look apart; or why there are none.
    fn usable<'s>(&self, subject: &'s Subject) -> Result<Vec<Vec<&'s View>>, NotCovered> {
        let list = self.algorithm();
        let least = self.rule().min_quality;
        let is_good = |view: &&View| view.fingerprint.quality.is_none_or(|found| u64::from(found) >= least);
        let own = || {
            [subject.views(), subject.second_look()]
                .map(|views| views.iter().filter(|view| view.fingerprint.algorithm == list))
        };
        if own().into_iter().flatten().next().is_none() {
            return Err(subject.has_no_hash(list));
        }
        let best = own().into_iter().flatten().filter_map(|view| view.fingerprint.quality).max();
        let looks: Vec<Vec<_>> = own().into_iter().map(|views| views.filter(is_good).collect()).collect();
        match best {
            // What was not looked at may be better.
            Some(quality) if looks.iter().all(Vec::is_empty) => {
                Err(subject.not_looked_at(list).unwrap_or(NotCovered::QualityTooLow { quality, least }))
            }
            _ => Ok(looks),
        }
    }

    fn rule(&self) -> &Matching {
        &self.list().charter().matching
    }

    fn matched(&self, near: &Near, videos: &[VideoMatch]) -> Option<Match> {
        let Near { found, frame, orientation, video } = *near;
        Some(Match {
            entry: self.list().entries().get(found.index)?.to_vec(),
            distance: found.distance,
            frame,
            orientation,
            video: video.and_then(|video| videos.get(video as usize).copied()),
            action: self.list().charter().action.most,
            receipt: LazyReceipt::new(&self.prover, found.index),
        })
    }
}

/// The first of `places` for which `is_before` does not hold, where it holds for all before that.
fn partition_point(places: Range<usize>, is_before: impl Fn(usize) -> bool) -> usize {
    let Range { mut start, mut end } = places;
    while start < end {
        let middle = start + (end - start) / 2;
        if is_before(middle) { start = middle + 1 } else { end = middle }
    }
    start
}
