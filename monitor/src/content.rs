//! Rule 8, for everyone: each release's objects are fetched once, the snapshot is decoded, root and counts are computed
//! anew, and each delta must lead from the release that it names to exactly these entries.
//!
//! What comes with the digest that the release names, and is not what the release says, is a breach by those who signed
//! it. What doesn't come, or comes with another digest, is an observation: the way there may be at fault.

use crate::vantage::{Lack, Vantage};
use isonomy_core::hash::StatementId;
use isonomy_core::list::{Algorithm, Entries, delta, snapshot};
use isonomy_core::release::{DeltaRef, ObjectRef, Release};
use isonomy_core::rules::content::{self, Churn};
use isonomy_core::rules::history::{History, ListHistory, LoggedRelease};
use isonomy_core::time::Timestamp;
use isonomy_store::files::{self, FileError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How many missing contents are asked for at every look.
const MANY: usize = 50;
/// After how many seconds more of them are asked for again.
const RETRY_AFTER: u64 = 900;

/// What came of checking a release's objects.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum ContentState {
    /// It was not this release's turn yet.
    Unchecked,
    /// Every object is what the release says.
    Verified {
        /// When this monitor found that.
        at: Timestamp,
    },
    /// An object, with the digest that the release names, is not what the release says.
    Broken {
        /// When this monitor found that.
        at: Timestamp,
        /// What is wrong, in words.
        words: String,
    },
    /// An object could not be had at the last attempt.
    Unavailable {
        /// When that was.
        at: Timestamp,
        /// Why, in words.
        words: String,
    },
}

/// A line of the journal: a verdict that will not change, since everything that it is about is named by digests.
#[derive(Serialize, Deserialize)]
struct Line {
    release: StatementId,
    #[serde(flatten)]
    state: ContentState,
}

/// Verdicts on the content of releases.
#[derive(Debug)]
pub(crate) struct Contents {
    path: PathBuf,
    states: BTreeMap<StatementId, ContentState>,
}

/// A release whose content is to be checked.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: StatementId,
    release: Release,
    algorithm: Algorithm,
    /// The releases that its deltas start from, in their order.
    bases: Vec<(StatementId, Release)>,
}

/// Why a release's content was not verified.
enum Fault {
    /// The content is not what the release says.
    Broken(String),
    /// An object wasn't had.
    Unavailable(String),
}

/// What was noticed of the vantage points on the way.
#[derive(Debug, Default)]
pub(crate) struct Served {
    /// The vantage points that served other bytes under an object's name: label and words.
    pub(crate) swapped: Vec<(String, String)>,
}

impl Contents {
    /// The verdicts in this journal. Lines that are not understood are left out, and their releases checked again.
    pub(crate) fn open(path: PathBuf) -> Result<Self, FileError> {
        let lines = files::read_lines(&path)?;
        let lines = lines.iter().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        let states = lines.map(|line| (line.release, line.state)).collect();
        Ok(Self { path, states })
    }

    /// What is known of a release's content.
    pub(crate) fn state(&self, release: &StatementId) -> ContentState {
        self.states.get(release).cloned().unwrap_or(ContentState::Unchecked)
    }

    /// The releases to check now: those without a final verdict, list by list, oldest first. If many could not be had,
    /// they are asked for again only after a while.
    pub(crate) fn jobs(&self, history: &History, now: Timestamp) -> Vec<Job> {
        let unavailable = self.states.values().filter(|state| matches!(state, ContentState::Unavailable { .. }));
        let are_many = unavailable.count() > MANY;
        let is_open = |id: &StatementId| match self.states.get(id) {
            None | Some(ContentState::Unchecked) => true,
            Some(ContentState::Unavailable { at, .. }) => !are_many || now.since(*at) >= RETRY_AFTER,
            Some(ContentState::Verified { .. } | ContentState::Broken { .. }) => false,
        };
        let releases = history.lists().flat_map(|(_, list)| list.releases().iter().map(move |logged| (list, logged)));
        let open = releases.filter(|(_, logged)| is_open(&logged.release.id()));
        open.filter_map(|(list, logged)| Job::new(list, logged)).collect()
    }

    /// Fetches and checks one release's objects.
    pub(crate) async fn check(
        &mut self,
        job: &Job,
        vantages: &[Vantage],
        cache: &mut Cache,
        at: Timestamp,
    ) -> Result<Served, FileError> {
        let mut served = Served::default();
        let verdict = Check { job, vantages, cache, served: &mut served }.run().await;
        let state = match verdict {
            Ok(()) => ContentState::Verified { at },
            Err(Fault::Broken(words)) => ContentState::Broken { at, words },
            Err(Fault::Unavailable(words)) => ContentState::Unavailable { at, words },
        };
        if !matches!(state, ContentState::Unavailable { .. }) {
            let line = Line { release: job.id, state: state.clone() };
            files::append_line_durable(&self.path, &serde_json::to_string(&line).unwrap_or_default())?;
        }
        self.states.insert(job.id, state);
        Ok(served)
    }
}

impl Job {
    fn new(list: &ListHistory, logged: &LoggedRelease) -> Option<Self> {
        let release = logged.release.body().clone();
        let algorithm = list.editions().find(&release.charter)?.charter().matching.algorithm;
        let base = |delta: &DeltaRef| {
            let base = &list.version(delta.from)?.release;
            Some((base.id(), base.body().clone()))
        };
        let bases = release.deltas.iter().map(base).collect::<Option<_>>()?;
        Some(Self { id: logged.release.id(), release, algorithm, bases })
    }
}

/// The entries of the releases that were decoded last: those that the next one's deltas start from are among them.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    entries: Vec<(StatementId, Entries)>,
}

impl Cache {
    /// How many bytes are kept, at most; one list may be larger.
    const MAX_BYTES: usize = 256 << 20;

    fn find(&self, id: &StatementId) -> Option<Entries> {
        self.entries.iter().find(|(known, _)| known == id).map(|(_, entries)| entries.clone())
    }

    fn keep(&mut self, id: StatementId, entries: &Entries) {
        self.entries.push((id, entries.clone()));
        let bytes = |cache: &Self| cache.entries.iter().map(|(_, entries)| entries.as_bytes().len()).sum::<usize>();
        while self.entries.len() > 1 && bytes(self) > Self::MAX_BYTES {
            self.entries.remove(0);
        }
    }
}

struct Check<'c> {
    job: &'c Job,
    vantages: &'c [Vantage],
    cache: &'c mut Cache,
    served: &'c mut Served,
}

impl Check<'_> {
    async fn run(mut self) -> Result<(), Fault> {
        let Job { id, release, algorithm, bases } = self.job;
        let entries = self.entries_of(*id, release).await?;
        content::judge(release, *algorithm, &entries, None)
            .map_err(|violation| Fault::Broken(violation.to_string()))?;
        for (reference, (base_id, base)) in release.deltas.iter().zip(bases) {
            let from = self.entries_of(*base_id, base).await.map_err(|fault| of_base(base, fault))?;
            let churn = self.apply(reference, &from, &entries).await?;
            if reference.from + 1 == release.version {
                let verdict = content::judge(release, *algorithm, &entries, Some(churn));
                verdict.map_err(|violation| Fault::Broken(violation.to_string()))?;
            }
        }
        Ok(())
    }

    /// The entries of a release, from its snapshot.
    async fn entries_of(&mut self, id: StatementId, release: &Release) -> Result<Entries, Fault> {
        if let Some(entries) = self.cache.find(&id) {
            return Ok(entries);
        }
        let entry_size = self.job.algorithm.entry_size();
        if snapshot::encoded_len(entry_size, release.entries) != Some(release.snapshot.size) {
            let words = "the snapshot can't have the size that the release says, for as many entries as it says";
            return Err(Fault::Broken(words.to_owned()));
        }
        let bytes = self.object(&release.snapshot, "the snapshot").await?;
        let entries = snapshot::decode(&bytes, entry_size, release.entries);
        let entries = entries.map_err(|error| Fault::Broken(format!("the snapshot can't be read: {error}")))?;
        self.cache.keep(id, &entries);
        Ok(entries)
    }

    async fn apply(&mut self, reference: &DeltaRef, from: &Entries, to: &Entries) -> Result<Churn, Fault> {
        let what = format!("the delta from version {}", reference.from);
        let object = ObjectRef { size: reference.size, sha256: reference.sha256 };
        let bytes = self.object(&object, &what).await?;
        let applied = delta::apply(from, &bytes);
        let applied = applied.map_err(|error| Fault::Broken(format!("{what} can't be applied: {error}")))?;
        if applied.entries != *to {
            return Err(Fault::Broken(format!("{what} does not lead to the entries of the snapshot")));
        }
        Ok(Churn { added: applied.added, removed: applied.removed })
    }

    /// The bytes of an object, from the first vantage point that has them.
    async fn object(&mut self, reference: &ObjectRef, what: &str) -> Result<Vec<u8>, Fault> {
        let mut problems = Vec::new();
        for vantage in self.vantages {
            match vantage.object(reference).await {
                Ok(bytes) => return Ok(bytes),
                Err(Lack::Wrong(words)) => {
                    self.served.swapped.push((vantage.label().to_owned(), words.clone()));
                    problems.push(words);
                }
                Err(Lack::Unavailable(words)) => problems.push(words),
            }
        }
        Err(Fault::Unavailable(format!("{what} could not be had: {}", problems.join("; "))))
    }
}

/// What is wrong with the content of an earlier release is that one's breach; this one can't be checked then.
fn of_base(base: &Release, fault: Fault) -> Fault {
    match fault {
        Fault::Broken(words) => Fault::Unavailable(format!(
            "the content of version {}, from which a delta starts, is broken: {words}",
            base.version
        )),
        Fault::Unavailable(words) => Fault::Unavailable(format!("of version {}, {words}", base.version)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn verdicts_that_will_not_change_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("content.journal");
        let broken = ContentState::Broken { at: Timestamp(5), words: "the \"content\"\nis".into() };
        for (seed, state) in [(1, ContentState::Verified { at: Timestamp(4) }), (2, broken.clone())] {
            let line = Line { release: StatementId([seed; 32]), state };
            files::append_line_durable(&path, &serde_json::to_string(&line).unwrap()).unwrap();
        }
        files::append_line_durable(&path, "nonsense").unwrap();
        let contents = Contents::open(path).unwrap();
        assert_eq!(contents.state(&StatementId([1; 32])), ContentState::Verified { at: Timestamp(4) });
        assert_eq!(contents.state(&StatementId([2; 32])), broken);
        assert_eq!(contents.state(&StatementId([3; 32])), ContentState::Unchecked);
    }

    #[test]
    fn the_cache_keeps_the_latest() {
        let mut cache = Cache::default();
        let large = Entries::from_sorted(32, vec![]).unwrap();
        for seed in 0..3 {
            cache.keep(StatementId([seed; 32]), &large);
        }
        assert!(cache.find(&StatementId([2; 32])).is_some() && cache.find(&StatementId([9; 32])).is_none());
    }

    proptest! {
        #[test]
        fn any_journal_is_read_without_panic(lines in proptest::collection::vec("[ -~]{0,80}", 0..4)) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("content.journal");
            std::fs::write(&path, lines.join("\n")).unwrap();
            prop_assert!(Contents::open(path).is_ok());
        }
    }
}
