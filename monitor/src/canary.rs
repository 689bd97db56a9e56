//! Files that must never match, such as well-known photographs, looked up in each list's newest release.
//!
//! A match is an observation, not a breach: two pictures can be alike, and a list can be right where the corpus is wrong.
//! Each release is looked up once after each start. No verdict is written down, so that whoever can write to this monitor's
//! folder can neither accuse a list nor excuse it.

use crate::assess::Corpus;
use crate::turn::Turn;
use isonomy_core::hash::StatementId;
use isonomy_core::list::{Algorithm, Entries};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Which files of the corpus a release matches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Verdict {
    /// The digest of the corpus.
    corpus: String,
    /// How many were looked up.
    pub(crate) looked_up: u64,
    /// How many match.
    pub(crate) count: u64,
    /// Some of those that match.
    pub(crate) named: Vec<String>,
}

/// The corpus, and what came of looking it up.
#[derive(Debug)]
pub(crate) struct Canary {
    folder: PathBuf,
    /// By algorithm and least quality.
    hashed: BTreeMap<(Algorithm, u64), Corpus>,
    verdicts: BTreeMap<StatementId, Verdict>,
    /// In which list it is looked up first.
    pub(crate) turn: Turn,
}

impl Canary {
    /// The corpus in this folder.
    pub(crate) fn open(folder: PathBuf) -> Self {
        Self { folder, hashed: BTreeMap::new(), verdicts: BTreeMap::new(), turn: Turn::default() }
    }

    /// What is known of a release, by the corpus as it was at the start.
    pub(crate) fn verdict(&self, release: &StatementId) -> Option<&Verdict> {
        let verdict = self.verdicts.get(release)?;
        self.hashed.values().any(|corpus| corpus.report.digest == verdict.corpus).then_some(verdict)
    }

    /// Hashes the corpus for lists of this kind, if that is not done yet. The error is words for the operator.
    pub(crate) fn prepare(&mut self, algorithm: Algorithm, min_quality: u64) -> Result<(), String> {
        if !self.hashed.contains_key(&(algorithm, min_quality)) {
            let corpus = Corpus::read(&self.folder, algorithm, min_quality, 0).map_err(|error| error.to_string())?;
            self.hashed.insert((algorithm, min_quality), corpus);
        }
        Ok(())
    }

    /// Looks every file up in these entries.
    pub(crate) fn look_up(
        &mut self,
        release: StatementId,
        entries: &Entries,
        (algorithm, min_quality): (Algorithm, u64),
        max_distance: u64,
    ) {
        let Some(corpus) = self.hashed.get(&(algorithm, min_quality)) else { return };
        let found = match corpus.against(entries, algorithm, max_distance) {
            Ok(found) => found,
            Err(error) => {
                // The content of a release was verified to be of the charter's algorithm.
                tracing::error!(%error, "the canary corpus could not be looked up");
                return;
            }
        };
        let verdict = Verdict {
            corpus: corpus.report.digest.clone(),
            looked_up: found.at_charter.of,
            count: found.at_charter.count,
            named: found.named,
        };
        self.verdicts.insert(release, verdict);
    }
}
