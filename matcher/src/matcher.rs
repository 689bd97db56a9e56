//! Matching: a picture's hashes against a [`VerifiedList`], by the rule of its charter.

use crate::answer::{Answer, Match, NotCovered, Verdict};
use crate::lookup::{Arrangement, Found, Index, LookupError};
use crate::pdq::Orientation;
use crate::proofs::{LazyReceipt, Prover};
use crate::subject::{Fingerprint, Subject};
use isonomy_core::charter::Matching;
use isonomy_core::list::Algorithm;
use isonomy_core::time::Timestamp;
use isonomy_verifier::{Freshness, VerifiedList};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A list made ready for lookups. It takes nothing but a [`VerifiedList`]. To match against several lists, make a matcher of
/// each: every list has its own rule.
pub struct Matcher {
    index: Index<VerifiedList>,
    prover: Arc<Prover>,
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

    /// The receipt of an entry; `None` if the list does not hold it.
    pub fn receipt(&self, entry: &[u8]) -> Option<LazyReceipt> {
        let index = self.list().entries().binary_search(entry).ok()?;
        Some(LazyReceipt::new(&self.prover, index))
    }

    /// Looks a fingerprint up. `local` is the device's clock.
    pub fn look_up(&self, fingerprint: &Fingerprint, local: Timestamp) -> Answer {
        self.answer(&Subject::of_hash(fingerprint.clone()), local)
    }

    /// Looks up all hashes of a file that are of the list's algorithm. `local` is the device's clock.
    pub fn answer(&self, subject: &Subject, local: Timestamp) -> Answer {
        let list = self.list();
        let freshness = list.freshness(local);
        let verdict = match self.find(subject, freshness) {
            Ok(found) if found.is_empty() => Verdict::NotMatched,
            Ok(found) => Verdict::Matched(found.into_iter().filter_map(|found| self.matched(found)).collect()),
            Err(why) => Verdict::NotCovered(why),
        };
        Answer { list: list.name().clone(), version: list.version(), freshness, verdict }
    }

    /// What is within the distance of any of the hashes; of an entry that is near to several, the nearest.
    fn find(&self, subject: &Subject, freshness: Freshness) -> Result<Vec<(Found, Orientation)>, NotCovered> {
        if let Freshness::Expired { since } = freshness {
            return Err(NotCovered::Expired { since });
        }
        let mut nearest: BTreeMap<usize, (Found, Orientation)> = BTreeMap::new();
        for (orientation, fingerprint) in self.usable(subject)? {
            let most = u32::try_from(self.rule().max_distance).unwrap_or(u32::MAX);
            let wrong = NotCovered::WrongLength { found: fingerprint.hash.len() };
            for found in self.index.within(&fingerprint.hash, most).map_err(|_| wrong)? {
                let known = nearest.entry(found.index).or_insert((found, *orientation));
                if found.distance < known.0.distance {
                    *known = (found, *orientation);
                }
            }
        }
        let mut found: Vec<_> = nearest.into_values().collect();
        found.sort_by_key(|(found, _)| *found);
        Ok(found)
    }

    /// The hashes that the list can be asked for, or why there are none.
    fn usable<'s>(&self, subject: &'s Subject) -> Result<Vec<&'s (Orientation, Fingerprint)>, NotCovered> {
        let list = self.algorithm();
        let of_list = |hash: &&(Orientation, Fingerprint)| hash.1.algorithm == list;
        let hashes: Vec<_> = subject.fingerprints().iter().filter(of_list).collect();
        if hashes.is_empty() {
            return Err(match (subject.not_a_picture(), subject.fingerprints().first()) {
                (Some(why), _) if list.is_perceptual() => NotCovered::NotAPicture(why.clone()),
                (_, other) => NotCovered::OtherAlgorithm { list, found: other.map_or(list, |other| other.1.algorithm) },
            });
        }
        let least = self.rule().min_quality;
        let is_good = |hash: &&(Orientation, Fingerprint)| hash.1.quality.is_none_or(|found| u64::from(found) >= least);
        let best = hashes.iter().filter_map(|hash| hash.1.quality).max();
        let good: Vec<_> = hashes.into_iter().filter(is_good).collect();
        match best {
            Some(quality) if good.is_empty() => Err(NotCovered::QualityTooLow { quality, least }),
            _ => Ok(good),
        }
    }

    fn rule(&self) -> &Matching {
        &self.list().charter().matching
    }

    fn matched(&self, (found, orientation): (Found, Orientation)) -> Option<Match> {
        Some(Match {
            entry: self.list().entries().get(found.index)?.to_vec(),
            distance: found.distance,
            orientation,
            action: self.list().charter().action.most,
            receipt: LazyReceipt::new(&self.prover, found.index),
        })
    }
}
