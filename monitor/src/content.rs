//! Rule 8, for everyone: each release's objects are fetched once, the snapshot is decoded, root and counts are computed
//! anew, and each delta must lead from the release that it names to exactly these entries.
//!
//! What comes with the digest that the release names, and is not what the release says, is a breach by those who signed
//! it. What doesn't come, or comes with another digest, is an observation: the way there may be at fault.

use crate::journal::Journal;
use crate::kept::History;
use crate::vantage::{Lack, Vantage};
use isonomy_core::hash::StatementId;
use isonomy_core::list::{Algorithm, Entries, delta, snapshot};
use isonomy_core::release::{DeltaRef, ObjectRef, Release};
use isonomy_core::rules::content::{self, Churn};
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use isonomy_store::files::FileError;
use isonomy_verifier::evidence::MAX_OBJECTS_SIZE;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How many missing contents are asked for at every look.
const MANY: usize = 50;
/// After how many seconds more of them are asked for again.
const RETRY_AFTER: u64 = 900;
/// How many verdicts are written at once.
const MAX_UNWRITTEN: usize = 256;
/// Of how many releases whose content is not as it should be the words are held; of more, that alone.
const MAX_WORDS: usize = 4000;

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

/// A line of the journal. Only that something was verified is kept, and all that it does is to spare fetching everything at
/// once: whoever can write to the file must not be able to accuse anybody with it, and excuses nobody for long, since it is
/// checked again after each start.
#[derive(Serialize, Deserialize)]
struct Line {
    release: StatementId,
    #[serde(flatten)]
    state: ContentState,
}

/// Verdicts on the content of releases, by their places in the log.
#[derive(Debug)]
pub(crate) struct Contents {
    journal: Journal,
    /// Lines that are not in the journal yet.
    unwritten: Vec<String>,
    /// When a release's objects were found to be what it says.
    verified: BTreeMap<LeafIndex, Timestamp>,
    /// What else came of checking them.
    faulty: BTreeMap<LeafIndex, ContentState>,
    /// When releases were verified that were not read since the start, as the journal says.
    unplaced: BTreeMap<StatementId, Timestamp>,
    /// Those of which nothing but the journal says so since the start, and which were not asked for again.
    recalled: BTreeSet<LeafIndex>,
    /// The list that was checked last.
    reached: Option<ListName>,
}

/// A release whose content is to be checked.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) id: StatementId,
    pub(crate) index: LeafIndex,
    pub(crate) release: Release,
    pub(crate) algorithm: Algorithm,
    /// The releases that its deltas start from, in their order.
    pub(crate) bases: Vec<(StatementId, Release)>,
}

impl Job {
    /// How many bytes all objects have that it takes.
    pub(crate) fn bytes(&self) -> u64 {
        let bases = self.bases.iter().map(|(_, base)| base.snapshot.size);
        self.release.objects().map(|object| object.size).chain(bases).fold(0, u64::saturating_add)
    }
}

/// Why a release's content was not verified.
enum Fault {
    /// The content is not what the release says.
    Broken(String, Objects),
    /// An object wasn't had.
    Unavailable(String),
    /// Whoever has it says to come again later.
    PutOff(String),
}

/// The objects that show what is wrong with a content, as far as there is room for them in a file of evidence.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(crate) snapshot: Option<Vec<u8>>,
    pub(crate) base: Option<BaseObjects>,
}

/// A delta, and what it starts from.
#[derive(Debug)]
pub(crate) struct BaseObjects {
    pub(crate) version: u64,
    pub(crate) snapshot: Vec<u8>,
    pub(crate) delta: Vec<u8>,
}

impl Objects {
    fn size(&self) -> usize {
        let base = self.base.as_ref().map_or(0, |base| base.snapshot.len() + base.delta.len());
        self.snapshot.as_ref().map_or(0, Vec::len) + base
    }
}

/// What was noticed on the way.
#[derive(Debug, Default)]
pub(crate) struct Served {
    /// If the content is not what the release says: the objects that show it, unless they are too large to be kept.
    pub(crate) broken: Option<Objects>,
    /// Whether somebody said to come again later, so that nothing is known.
    pub(crate) is_put_off: bool,
    /// The vantage points that served other bytes under an object's name: label and words.
    pub(crate) swapped: Vec<(String, String)>,
}

impl Served {
    /// Nothing came in time.
    pub(crate) fn put_off() -> Self {
        Self { is_put_off: true, ..Self::default() }
    }
}

impl Contents {
    /// What was verified, as this journal says. Other lines are left out, and their releases checked again.
    pub(crate) fn open(folder: &Path) -> Result<Self, FileError> {
        let mut unplaced = BTreeMap::new();
        let journal = Journal::open(folder, "content", |line| {
            if let Ok(Line { release, state: ContentState::Verified { at } }) = serde_json::from_str(line) {
                unplaced.insert(release, at);
            }
        })?;
        Ok(Self {
            journal,
            unwritten: Vec::new(),
            verified: BTreeMap::new(),
            faulty: BTreeMap::new(),
            unplaced,
            recalled: BTreeSet::new(),
            reached: None,
        })
    }

    /// A release stands at this place in the log: what the journal says of it counts from now on.
    pub(crate) fn place(&mut self, release: &StatementId, index: LeafIndex) {
        if let Some(at) = self.unplaced.remove(release) {
            self.set(index, ContentState::Verified { at });
            self.recalled.insert(index);
        }
    }

    /// What is known of the content of the release at this place.
    pub(crate) fn state(&self, index: LeafIndex) -> ContentState {
        match self.verified.get(&index) {
            Some(at) => ContentState::Verified { at: *at },
            None => self.faulty.get(&index).cloned().unwrap_or(ContentState::Unchecked),
        }
    }

    /// Whether it was verified.
    pub(crate) fn is_verified(&self, index: LeafIndex) -> bool {
        self.verified.contains_key(&index)
    }

    /// The places of releases whose content is not as it should be, or could not be had.
    pub(crate) fn faulty(&self) -> impl Iterator<Item = LeafIndex> {
        self.faulty.keys().copied()
    }

    fn set(&mut self, index: LeafIndex, mut state: ContentState) {
        self.faulty.remove(&index);
        let is_full = self.faulty.len() >= MAX_WORDS;
        match &mut state {
            ContentState::Unchecked => return,
            ContentState::Verified { at } => {
                self.verified.insert(index, *at);
                return;
            }
            ContentState::Broken { words, .. } | ContentState::Unavailable { words, .. } if is_full => {
                *words = String::new();
            }
            ContentState::Broken { .. } | ContentState::Unavailable { .. } => {}
        }
        self.verified.remove(&index);
        self.faulty.insert(index, state);
    }

    /// The versions to check now, those without a final verdict, in the order in which they have their turn: of each list the
    /// newest, beginning with the list after the last one that was reached; then all others, oldest first; and in the end what
    /// was put off. Gives lists, and versions each with the place of its list. If many could not be had, they are asked for
    /// again only after a while.
    pub(crate) fn open_versions(
        &self,
        history: &History,
        now: Timestamp,
        put_off: &BTreeSet<LeafIndex>,
    ) -> (Vec<ListName>, Vec<(usize, u64)>) {
        let unavailable = self.faulty.values().filter(|state| matches!(state, ContentState::Unavailable { .. }));
        let are_many = unavailable.count() > MANY;
        let is_open = |index: LeafIndex| match self.faulty.get(&index) {
            None => !self.is_verified(index),
            Some(ContentState::Unavailable { at, .. }) => !are_many || now.since(*at) >= RETRY_AFTER,
            Some(_) => false,
        };
        let mut lists: Vec<_> = history.lists().collect();
        let first = match &self.reached {
            Some(last) => lists.iter().position(|(name, _)| *name > last).unwrap_or(0),
            // Also where each look is a process of its own, others have their turn.
            None => usize::try_from((now.0 / 60).checked_rem(lists.len() as u64).unwrap_or(0)).unwrap_or(0),
        };
        lists.rotate_left(first);
        let (mut newest, mut others, mut last) = (Vec::new(), Vec::new(), Vec::new());
        for (place, (_, list)) in lists.iter().enumerate() {
            let open = (1..).zip(list.releases()).filter(|(_, logged)| is_open(logged.index));
            let (late, mut open): (Vec<_>, Vec<_>) = open.partition(|(_, logged)| put_off.contains(&logged.index));
            newest.extend(open.pop().map(|(version, _)| (place, version)));
            others.extend(open.into_iter().map(|(version, _)| (place, version)));
            last.extend(late.into_iter().map(|(version, _)| (place, version)));
        }
        newest.extend(others);
        newest.extend(last);
        (lists.into_iter().map(|(name, _)| name.clone()).collect(), newest)
    }

    /// This list had its turn.
    pub(crate) fn reach(&mut self, list: &ListName) {
        if self.reached.as_ref() != Some(list) {
            self.reached = Some(list.clone());
        }
    }

    /// The versions that are to be checked again, since nothing but the journal says that they were: of each list the newest
    /// release first, then all others, newest first.
    pub(crate) fn recalled_versions(&self, history: &History) -> Vec<(ListName, u64)> {
        let (mut newest, mut others) = (Vec::new(), Vec::new());
        if self.recalled.is_empty() {
            return newest;
        }
        for (name, list) in history.lists() {
            let all = (1..).zip(list.releases());
            let recalled = all.filter(|(_, logged)| self.recalled.contains(&logged.index));
            let mut versions: Vec<(ListName, u64)> = recalled.map(|(version, _)| (name.clone(), version)).collect();
            newest.extend(versions.pop());
            versions.reverse();
            others.extend(versions);
        }
        newest.extend(others);
        newest
    }

    /// Checks what the journal says of a release: only an object that is there and is not what it must be speaks against it.
    pub(crate) async fn check_again(
        &mut self,
        job: &Job,
        vantages: &[Vantage],
        cache: &mut Cache,
        at: Timestamp,
    ) -> Result<Served, FileError> {
        let before = self.state(job.index);
        let served = self.check(job, vantages, cache, at).await?;
        if matches!(self.state(job.index), ContentState::Unavailable { .. }) {
            self.set(job.index, before);
        }
        if !served.is_put_off {
            self.recalled.remove(&job.index);
        }
        Ok(served)
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
            Err(Fault::Broken(words, objects)) if objects.size() > MAX_OBJECTS_SIZE => {
                let rest = "The objects are too large for a file of evidence: whoever wants to prove it later keeps them, by their digests in the release";
                ContentState::Broken { at, words: format!("{words}. {rest}") }
            }
            Err(Fault::Broken(words, objects)) => {
                served.broken = Some(objects);
                ContentState::Broken { at, words }
            }
            Err(Fault::Unavailable(words)) => ContentState::Unavailable { at, words },
            Err(Fault::PutOff(_)) => {
                served.is_put_off = true;
                return Ok(served);
            }
        };
        if matches!(state, ContentState::Verified { .. }) && !self.is_verified(job.index) {
            let line = Line { release: job.id, state: state.clone() };
            self.unwritten.push(serde_json::to_string(&line).unwrap_or_default());
        }
        self.set(job.index, state);
        if self.unwritten.len() >= MAX_UNWRITTEN {
            self.write()?;
        }
        Ok(served)
    }

    /// Writes the verdicts that are not in the journal yet. What is lost in a crash before is checked again.
    pub(crate) fn write(&mut self) -> Result<(), FileError> {
        if !self.unwritten.is_empty() {
            self.journal.append(&self.unwritten)?;
            self.unwritten.clear();
        }
        Ok(())
    }
}

/// Fetches one release's objects and computes everything anew, whatever was found before. The error is words.
pub(crate) async fn recompute(job: &Job, vantages: &[Vantage]) -> Result<(), String> {
    let (mut cache, mut served) = (Cache::default(), Served::default());
    let verdict = Check { job, vantages, cache: &mut cache, served: &mut served }.run().await;
    verdict.map_err(|fault| match fault {
        Fault::Broken(words, _) | Fault::Unavailable(words) | Fault::PutOff(words) => words,
    })
}

/// The entries of the releases that were decoded last: those that the next one's deltas start from are among them.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    entries: Vec<(StatementId, Entries)>,
}

impl Cache {
    /// How many bytes are kept, at most; one list may be larger.
    const MAX_BYTES: usize = 256 << 20;
    /// How many lists are kept, at most: all but the longest deltas start from one of so many before.
    const MAX_LISTS: usize = 32;

    /// The entries of a release, if they are among these.
    pub(crate) fn find(&self, id: &StatementId) -> Option<Entries> {
        self.entries.iter().find(|(known, _)| known == id).map(|(_, entries)| entries.clone())
    }

    fn keep(&mut self, id: StatementId, entries: &Entries) {
        self.entries.push((id, entries.clone()));
        let bytes = |cache: &Self| cache.entries.iter().map(|(_, entries)| entries.as_bytes().len()).sum::<usize>();
        while self.entries.len() > Self::MAX_LISTS || self.entries.len() > 1 && bytes(self) > Self::MAX_BYTES {
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
        let Job { id, release, algorithm, bases, .. } = self.job;
        let entries = self.entries_of(*id, release).await?;
        content::judge(release, *algorithm, &entries, None).map_err(|violation| {
            // A list has one snapshot, so this is what was served.
            let objects = Objects { snapshot: Some(snapshot::encode(&entries)), base: None };
            Fault::Broken(violation.to_string(), objects)
        })?;
        for (reference, (base_id, base)) in release.deltas.iter().zip(bases) {
            let from = self.entries_of(*base_id, base).await.map_err(|fault| of_base(base, fault))?;
            let what = format!("the delta from version {}", reference.from);
            let object = ObjectRef { size: reference.size, sha256: reference.sha256 };
            let delta = self.object(&object, &what).await?;
            self.judge_delta(reference, &from, &entries, &delta).map_err(|words| {
                let base = BaseObjects { version: reference.from, snapshot: snapshot::encode(&from), delta };
                Fault::Broken(words, Objects { snapshot: Some(snapshot::encode(&entries)), base: Some(base) })
            })?;
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
            return Err(Fault::Broken(words.to_owned(), Objects::default()));
        }
        let bytes = self.object(&release.snapshot, "the snapshot").await?;
        let entries = snapshot::decode(&bytes, entry_size, release.entries);
        let entries = entries.map_err(|error| {
            let words = format!("the snapshot can't be read: {error}");
            Fault::Broken(words, Objects { snapshot: Some(bytes), base: None })
        })?;
        self.cache.keep(id, &entries);
        Ok(entries)
    }

    /// What is wrong with a delta, in words.
    fn judge_delta(&self, reference: &DeltaRef, from: &Entries, to: &Entries, bytes: &[u8]) -> Result<(), String> {
        let Job { release, algorithm, .. } = self.job;
        let what = format!("the delta from version {}", reference.from);
        let applied = delta::apply(from, bytes).map_err(|error| format!("{what} can't be applied: {error}"))?;
        if applied.entries != *to {
            return Err(format!("{what} does not lead to the entries of the snapshot"));
        }
        if reference.from + 1 != release.version {
            return Ok(());
        }
        let churn = Churn { added: applied.added, removed: applied.removed };
        content::judge(release, *algorithm, to, Some(churn)).map_err(|violation| violation.to_string())
    }

    /// The bytes of an object, from the first vantage point that has them.
    async fn object(&mut self, reference: &ObjectRef, what: &str) -> Result<Vec<u8>, Fault> {
        let (mut problems, mut is_put_off) = (Vec::new(), false);
        for vantage in self.vantages {
            match vantage.object(reference).await {
                Ok(bytes) => return Ok(bytes),
                Err(Lack::Wrong(words)) => {
                    self.served.swapped.push((vantage.label().to_owned(), words.clone()));
                    problems.push(words);
                }
                Err(Lack::Unavailable(words)) => problems.push(words),
                Err(Lack::PutOff(words)) => {
                    is_put_off = true;
                    problems.push(words);
                }
            }
        }
        let words = format!("{what} could not be had: {}", problems.join("; "));
        Err(if is_put_off { Fault::PutOff(words) } else { Fault::Unavailable(words) })
    }
}

/// What is wrong with the content of an earlier release is that one's breach; this one can't be checked then.
fn of_base(base: &Release, fault: Fault) -> Fault {
    match fault {
        Fault::Broken(words, _) => Fault::Unavailable(format!(
            "the content of version {}, from which a delta starts, is broken: {words}",
            base.version
        )),
        Fault::Unavailable(words) => Fault::Unavailable(format!("of version {}, {words}", base.version)),
        Fault::PutOff(words) => Fault::PutOff(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_store::files;
    use proptest::prelude::*;

    #[test]
    fn only_that_something_was_verified_is_taken_from_the_journal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("content.journal");
        let broken = ContentState::Broken { at: Timestamp(5), words: "the \"content\"\nis".into() };
        for (seed, state) in [(1, ContentState::Verified { at: Timestamp(4) }), (2, broken)] {
            let line = Line { release: StatementId([seed; 32]), state };
            files::append_line_durable(&path, &serde_json::to_string(&line).unwrap()).unwrap();
        }
        files::append_line_durable(&path, "nonsense").unwrap();
        let mut contents = Contents::open(dir.path()).unwrap();
        for seed in 1..=3 {
            contents.place(&StatementId([seed; 32]), LeafIndex(seed.into()));
        }
        assert_eq!(contents.state(LeafIndex(1)), ContentState::Verified { at: Timestamp(4) });
        assert_eq!(contents.state(LeafIndex(2)), ContentState::Unchecked, "it is checked again");
        assert_eq!(contents.state(LeafIndex(3)), ContentState::Unchecked);
        contents.set(LeafIndex(2), ContentState::Unavailable { at: Timestamp(6), words: "why".into() });
        assert_eq!(contents.faulty().collect::<Vec<_>>(), [LeafIndex(2)]);
        contents.set(LeafIndex(2), ContentState::Verified { at: Timestamp(9) });
        assert!(contents.is_verified(LeafIndex(2)) && contents.faulty().next().is_none());
    }

    #[test]
    fn of_many_that_are_missing_not_every_word_is_held() {
        let dir = tempfile::tempdir().unwrap();
        let mut contents = Contents::open(dir.path()).unwrap();
        let missing = || ContentState::Unavailable { at: Timestamp(1), words: "why".into() };
        for index in 0..MAX_WORDS as u64 + 5 {
            contents.set(LeafIndex(index), missing());
        }
        let words = contents.faulty.values().map(|state| match state {
            ContentState::Unavailable { words, .. } => words.len(),
            _ => 0,
        });
        assert_eq!((words.sum::<usize>(), contents.faulty.len()), (3 * MAX_WORDS, MAX_WORDS + 5));
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
            prop_assert!(Contents::open(dir.path()).is_ok());
        }
    }
}
