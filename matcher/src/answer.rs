//! Matching: a picture's hash against a [`VerifiedList`], and the answer, which says on what ground it stands.

use crate::digest;
use crate::image::{self, DecodeError, Limits};
use crate::lookup::{Found, Index, LookupError};
use crate::pdq;
use crate::receipt::Receipt;
use isonomy_core::charter::Action;
use isonomy_core::list::{Algorithm, ListTree};
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_verifier::{Freshness, VerifiedList};

/// What is looked up: the hash of a picture or file under a list's algorithm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fingerprint {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The hash.
    pub hash: Vec<u8>,
    /// For a perceptual hash of a picture: how much detail it rests on, 0 to 100; `None` if only the hash is known.
    pub quality: Option<u8>,
}

impl Fingerprint {
    /// The fingerprint of a file: of its pixels for a perceptual algorithm, of its bytes for an exact one.
    pub fn of_file(algorithm: Algorithm, file: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        match digest::digest(algorithm, file) {
            Some(hash) => Ok(Self { algorithm, hash, quality: None }),
            None => {
                let pdq = pdq::hash(&image::decode(file, limits)?);
                Ok(Self { algorithm, hash: pdq.hash.to_vec(), quality: Some(pdq.quality) })
            }
        }
    }
}

/// What a list says about a picture, and how old that knowledge is.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The list.
    pub list: ListName,
    /// Its version.
    pub version: u64,
    /// How old the knowledge about the list is.
    pub freshness: Freshness,
    /// The answer itself.
    pub verdict: Verdict,
}

/// More than yes or no: a list that can't answer says so.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The picture is within the charter's distance of these entries, nearest first.
    Matched(Vec<Match>),
    /// No entry is within the distance.
    NotMatched,
    /// The list can't answer.
    NotCovered(NotCovered),
}

/// An entry within the distance.
#[derive(Clone, Debug)]
pub struct Match {
    /// The entry.
    pub entry: Vec<u8>,
    /// Its distance in bits.
    pub distance: u32,
    /// The most that the charter allows this match to lead to. The person is told in every case.
    pub action: Action,
    /// What proves the match to others.
    pub receipt: Receipt,
}

/// Why a list can't answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotCovered {
    /// The picture has too little detail for its hash to mean anything.
    #[error("the picture's quality is {quality}; the charter asks for {least}")]
    QualityTooLow {
        /// The picture's quality.
        quality: u8,
        /// What the charter asks for.
        least: u64,
    },
    /// The hash is of another algorithm than the list.
    #[error("the list holds {list} hashes, not {found}")]
    OtherAlgorithm {
        /// The list's.
        list: Algorithm,
        /// The fingerprint's.
        found: Algorithm,
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
}

/// A list made ready for lookups. It takes nothing but a [`VerifiedList`].
pub struct Matcher {
    list: VerifiedList,
    index: Index,
}

impl Matcher {
    /// Makes `list` ready.
    pub fn new(list: VerifiedList) -> Result<Self, LookupError> {
        let index = Index::new(list.charter().matching.algorithm, list.entries())?;
        Ok(Self { list, index })
    }

    /// The list.
    pub fn list(&self) -> &VerifiedList {
        &self.list
    }

    /// The list's algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.index.algorithm()
    }

    /// Looks a fingerprint up. `local` is the device's clock.
    pub fn look_up(&self, fingerprint: &Fingerprint, local: Timestamp) -> Answer {
        let freshness = self.list.freshness(local);
        let verdict = match self.find(fingerprint, freshness) {
            Ok(found) if found.is_empty() => Verdict::NotMatched,
            Ok(found) => Verdict::Matched(self.matches(&found)),
            Err(why) => Verdict::NotCovered(why),
        };
        Answer { list: self.list.name().clone(), version: self.list.version(), freshness, verdict }
    }

    fn find(&self, fingerprint: &Fingerprint, freshness: Freshness) -> Result<Vec<Found>, NotCovered> {
        if let Freshness::Expired { since } = freshness {
            return Err(NotCovered::Expired { since });
        }
        if fingerprint.algorithm != self.algorithm() {
            return Err(NotCovered::OtherAlgorithm { list: self.algorithm(), found: fingerprint.algorithm });
        }
        let matching = &self.list.charter().matching;
        if let Some(quality) = fingerprint.quality.filter(|quality| u64::from(*quality) < matching.min_quality) {
            return Err(NotCovered::QualityTooLow { quality, least: matching.min_quality });
        }
        let distance = u32::try_from(matching.max_distance).unwrap_or(u32::MAX);
        let wrong = NotCovered::WrongLength { found: fingerprint.hash.len() };
        self.index.within(&fingerprint.hash, distance).map_err(|_| wrong)
    }

    fn matches(&self, found: &[Found]) -> Vec<Match> {
        let tree = ListTree::new(self.list.entries());
        let action = self.list.charter().action.most;
        let receipt = |found: &Found| {
            let entry = self.list.entries().get(found.index)?;
            let receipt = Receipt::new(&self.list, entry, &tree.membership(found.index)?);
            Some(Match { entry: entry.to_vec(), distance: found.distance, action, receipt })
        };
        found.iter().filter_map(receipt).collect()
    }
}

impl Answer {
    /// What the person is told, in words; `None` if nothing matched.
    pub fn notice(&self, list: &VerifiedList) -> Option<String> {
        let Verdict::Matched(matches) = &self.verdict else {
            return None;
        };
        let charter = list.charter();
        let nearest = matches.first()?;
        let purpose = &charter.purpose.definition;
        Some(format!(
            "This picture is near to {} on the list {} (version {}, {}), distance {} of at most {}. The list is for: {purpose} \
             Its charter allows at most to {}. Wrong? Complain to {}; an entry that should not be there is removed within {} hours.",
            if matches.len() == 1 { "an entry".to_owned() } else { format!("{} entries", matches.len()) },
            self.list,
            self.version,
            self.freshness,
            nearest.distance,
            charter.matching.max_distance,
            nearest.action,
            charter.redress.complaints,
            charter.redress.removal_deadline.div_ceil(3600),
        ))
    }
}
