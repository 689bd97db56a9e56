//! What a client must never forget: the checkpoint under which its last update came to its end, the release that it has in
//! force, and what of the log it was shown beyond that.
//!
//! A checkpoint under which nothing was completed is kept apart ([`State::seen`]): whoever has no key can relay one and
//! withhold the rest, so it must not bar what other sources have. It still dates the client's knowledge, and is half of
//! the proof if the log shows another history.
//!
//! The state is one small canonical JSON file ([`isonomy_core::json`]), replaced atomically by whoever drives the update.
//! Its last field is a check sum, so that a flipped bit is noticed: most of what stands here is believed without a
//! signature. An accepted release is never given up for an older one, not even when it has expired or the cache is lost.

use crate::policy::Policy;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::{NodeHash, ObjectDigest, StatementId};
use isonomy_core::json::{self, JsonError, Lines};
use isonomy_core::note::VerifierKey;
use isonomy_core::rules::editions::Editions;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{LeafIndex, TreeSize};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most bytes that a state file may have.
pub const MAX_STATE_SIZE: usize = 1024 * 1024;
/// How many statements are remembered of which it is only known since when they were shown: so many fit beside all else.
const MAX_SHOWN: usize = 4096;

/// Why bytes are no state. A client that can't read its state refuses to go on: starting anew would allow a rollback.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Larger than [`MAX_STATE_SIZE`], or not what a client writes.
    #[error("the state file is damaged: {0}")]
    Damaged(String),
    /// What is to be remembered would have more bytes than [`MAX_STATE_SIZE`], so it could not be read again.
    #[error("what is to be remembered has {0} bytes, and a state file at most {MAX_STATE_SIZE}")]
    TooLarge(usize),
}

impl From<JsonError> for StateError {
    fn from(error: JsonError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// What a client remembers about one list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    state: String,
    list: ListName,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    checkpoint: Option<Lines>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    seen: Option<Lines>,
    now: Timestamp,
    /// The witnessed time of `checkpoint`, where it is another one than `now`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    confirmed: Option<Timestamp>,
    public_since: BTreeMap<StatementId, Timestamp>,
    /// The digest of the `trust` of the policy by which the times here were proven.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    trust: Option<ObjectDigest>,
    /// Since when statements were public by what this client was shown, that nothing in force rests on yet.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    shown_since: BTreeMap<StatementId, Timestamp>,
    /// Those of these statements of which no quorum that counts has said since when they are public: it was then at the latest.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    late: BTreeSet<StatementId>,
    /// Of the other editions of these statements: the size of the tree under whose checkpoint a quorum that counts has said so.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    proven_in: BTreeMap<StatementId, TreeSize>,
    /// The editions of the charter under which an update came to its end, with their places in the log.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    editions: BTreeMap<StatementId, LeafIndex>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    accepted: Option<Accepted>,
    /// The version below which nothing is taken, where no release is known any more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    floor: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    read: Option<ReadLog>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    halted: Option<ObjectDigest>,
    /// In a file the digest of the file with [`UNCHECKED`] here; in memory always that.
    check: ObjectDigest,
}

/// The release in force, and the proof by which it was accepted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// The release.
    pub release: StatementId,
    /// Its version.
    pub version: u64,
    /// When it was created.
    pub created: Timestamp,
    /// Since when it is public, as witnessed.
    pub public_since: Timestamp,
    /// The charter that it cites.
    pub charter: StatementId,
    /// The number of that edition.
    pub edition: u64,
    /// The edition that the policy pinned when this was accepted: the chain of editions holds it.
    pub pinned: StatementId,
    /// The notice, in seconds, that every widening edition since the pinned one was found to have given at least.
    pub min_notice: u64,
    /// The proof that both are in the log.
    pub proof: Logged,
    /// When the last release was created, up to this one, that is known to have added entries.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_addition: Option<Timestamp>,
    /// The auditors that followed the log up to it, as far as the policy asked for them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub attested_by: Vec<VerifierKey>,
}

/// How far a client has read a log, if its policy asks for that.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadLog {
    /// How many entries it has read.
    pub size: TreeSize,
    /// The newest edition of the list's charter among them; none in a state from before this was kept, which is read anew.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub edition: Option<StatementId>,
    /// The complete subtrees of that tree, left to right: what is read next is appended to them.
    pub nodes: Vec<NodeHash>,
    /// The newest version of the list among those entries; 0 if there is none.
    pub newest: u64,
    /// The release in force, those that were offered with it, those that were not and wait, and the newest, ascending.
    pub releases: Vec<ReadRelease>,
}

/// A release that a client has read in the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadRelease {
    /// Its version.
    pub version: u64,
    /// The release: the only text for that version up to where the log was read.
    pub release: StatementId,
    /// Its place in the log.
    pub index: LeafIndex,
}

impl ReadLog {
    /// Whether the release in force was among what was read.
    pub(crate) fn covers(&self, accepted: &Accepted) -> bool {
        let index = accepted.proof.release_index;
        let is_it = |read: &ReadRelease| {
            (read.version, read.release, read.index) == (accepted.version, accepted.release, index)
        };
        self.releases.iter().any(is_it)
    }
}

impl Accepted {
    /// Whether what was judged on the way to this release answers for `policy` too. What isn't kept can't be judged again:
    /// the editions between the pinned one and the one in force.
    pub(crate) fn answers_for(&self, policy: &Policy) -> bool {
        self.pinned == *policy.charter() && self.min_notice >= policy.accept().min_notice
    }
}

/// The proof that a release and its charter are in the log: a cosigned checkpoint and two inclusion proofs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logged {
    /// The checkpoint, cosigned by the quorum.
    pub checkpoint: Lines,
    /// The release's place.
    pub release_index: LeafIndex,
    /// Its inclusion proof.
    pub release_path: Vec<NodeHash>,
    /// The charter's place.
    pub charter_index: LeafIndex,
    /// Its inclusion proof.
    pub charter_path: Vec<NodeHash>,
}

impl Logged {
    /// The checkpoint; `None` if it is damaged.
    pub(crate) fn checkpoint(&self) -> Option<CheckpointNote> {
        checkpoint(&self.checkpoint).ok()
    }
}

const KIND: &str = "isonomy/state/v1";
const UNCHECKED: ObjectDigest = ObjectDigest([0; 32]);

impl State {
    /// The state of a client that knows nothing yet about `list`.
    pub fn new(list: &ListName) -> Self {
        Self {
            state: KIND.into(),
            list: list.clone(),
            checkpoint: None,
            seen: None,
            now: Timestamp(0),
            confirmed: None,
            public_since: BTreeMap::new(),
            trust: None,
            shown_since: BTreeMap::new(),
            late: BTreeSet::new(),
            proven_in: BTreeMap::new(),
            editions: BTreeMap::new(),
            accepted: None,
            floor: None,
            read: None,
            halted: None,
            check: UNCHECKED,
        }
    }

    /// Parses a state file of `list`.
    pub fn parse(bytes: &[u8], list: &ListName) -> Result<Self, StateError> {
        if bytes.len() > MAX_STATE_SIZE {
            return Err(StateError::Damaged(format!("larger than {MAX_STATE_SIZE} bytes")));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| StateError::Damaged("not UTF-8".into()))?;
        let mut state: Self = json::decode(text)?;
        let check = std::mem::replace(&mut state.check, UNCHECKED);
        if check != state.digest()? {
            return Err(StateError::Damaged("its check sum is wrong".into()));
        }
        if state.state != KIND || state.list != *list {
            return Err(StateError::Damaged(format!("not a state of the list {list}")));
        }
        for lines in [&state.checkpoint, &state.seen].into_iter().flatten() {
            checkpoint(lines)?;
        }
        Ok(state)
    }

    /// The bytes of the state file, which [`State::parse`] takes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, StateError> {
        let checked = Self { check: self.digest()?, ..self.clone() };
        let bytes = json::encode(&checked)?.into_bytes();
        if bytes.len() > MAX_STATE_SIZE {
            return Err(StateError::TooLarge(bytes.len()));
        }
        Ok(bytes)
    }

    fn digest(&self) -> Result<ObjectDigest, StateError> {
        Ok(ObjectDigest::of(json::encode(self)?.as_bytes()))
    }

    /// The list.
    pub fn list(&self) -> &ListName {
        &self.list
    }

    /// The newest checkpoint under which an update came to its end, signed by the log and cosigned by the quorum: no view
    /// of the log that does not go on from it, or is not provably a part of it, is believed.
    pub fn checkpoint(&self) -> Option<CheckpointNote> {
        checkpoint(self.checkpoint.as_ref()?).ok()
    }

    /// A checkpoint of a larger tree that was shown to this client, signed and cosigned as well, under which no update has
    /// come to its end yet.
    pub fn seen(&self) -> Option<CheckpointNote> {
        checkpoint(self.seen.as_ref()?).ok()
    }

    /// The latest witnessed time that this client saw.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The latest witnessed time at which an update came to its end: how old the knowledge is.
    pub fn confirmed(&self) -> Timestamp {
        self.confirmed.unwrap_or(self.now)
    }

    /// How many entries the log has had at least, by all that was shown.
    pub(crate) fn largest(&self) -> TreeSize {
        let known = [self.checkpoint(), self.seen()];
        known.iter().flatten().map(|note| note.checkpoint().size).max().unwrap_or(TreeSize(0))
    }

    /// The release in force.
    pub fn accepted(&self) -> Option<&Accepted> {
        self.accepted.as_ref()
    }

    /// The place of the release in force, in the history that this client knows; none if it knows none any more.
    pub(crate) fn accepted_index(&self) -> Option<LeafIndex> {
        self.accepted.as_ref().filter(|_| self.checkpoint.is_some()).map(|accepted| accepted.proof.release_index)
    }

    /// The version below which nothing is taken: that of the release in force, or that was in force before a halt that is over.
    pub fn floor(&self) -> Option<u64> {
        self.accepted.as_ref().map(|accepted| accepted.version).max(self.floor)
    }

    /// How far this client has read the log, if its policy asks for that.
    pub fn read(&self) -> Option<&ReadLog> {
        self.read.as_ref()
    }

    /// The digest of the evidence because of which updates stopped.
    pub fn halted(&self) -> Option<&ObjectDigest> {
        self.halted.as_ref()
    }

    /// Since when a statement is public, if this client has seen the proof.
    pub fn public_since(&self, id: &StatementId) -> Option<Timestamp> {
        self.public_since.get(id).copied()
    }

    /// Since when a statement is public by what this client was shown, if nothing in force rests on it yet.
    pub(crate) fn shown_since(&self, id: &StatementId) -> Option<Timestamp> {
        self.shown_since.get(id).copied()
    }

    /// Whether what this client remembers of since when a statement is public is no more than by when it was.
    pub(crate) fn is_late(&self, id: &StatementId) -> bool {
        self.late.contains(id)
    }

    /// The size of the tree under whose checkpoint it was proven since when a statement is public, if that is remembered.
    pub(crate) fn proven_in(&self, id: &StatementId) -> Option<TreeSize> {
        self.proven_in.get(id).copied()
    }

    /// Whether an update came to its end under this edition of the charter: no source may leave it out any more.
    pub fn knows_edition(&self, id: &StatementId) -> bool {
        self.editions.contains_key(id)
    }

    /// The editions under which an update came to its end, that stand in a tree of this size.
    pub(crate) fn editions_in(&self, size: TreeSize) -> impl Iterator<Item = &StatementId> {
        self.editions.iter().filter(move |(_, index)| index.0 < size.0).map(|(id, _)| id)
    }

    pub(crate) fn with_editions(mut self, editions: &Editions) -> Self {
        self.editions.extend(editions.all().iter().map(|edition| (edition.id(), edition.index())));
        self
    }

    /// The editions of the charter that the release in force was accepted with: those that a recovered client still knows.
    pub(crate) fn editions_of_accepted(&self) -> impl Iterator<Item = &StatementId> {
        let release = self.accepted.as_ref().map(|accepted| accepted.release);
        self.public_since.keys().filter(move |id| Some(**id) != release)
    }

    /// The state after an update came to its end under `shown`, which is witnessed at `now`. The same tree with earlier
    /// cosignatures, or a part of it, takes nothing back.
    pub(crate) fn with_confirmed(mut self, shown: &CheckpointNote, now: Timestamp) -> Self {
        let (size, confirmed) = (shown.checkpoint().size, self.confirmed());
        let known = self.checkpoint().map(|known| known.checkpoint().size);
        if known < Some(size) || known == Some(size) && now >= confirmed {
            self.checkpoint = Some(Lines::of(shown.note()));
        }
        self.seen = self.seen.filter(|lines| checkpoint(lines).is_ok_and(|seen| seen.checkpoint().size > size));
        let grows = known <= Some(size);
        self.at(now, if grows { confirmed.max(now) } else { confirmed })
    }

    /// The state after `shown`, which is witnessed at `now`, passed its checks, and what was to be found under it did not.
    pub(crate) fn with_seen(mut self, shown: &CheckpointNote, now: Timestamp) -> Self {
        let confirmed = self.confirmed();
        if shown.checkpoint().size > self.largest() {
            self.seen = Some(Lines::of(shown.note()));
        }
        self.at(now, confirmed)
    }

    fn at(mut self, now: Timestamp, confirmed: Timestamp) -> Self {
        self.now = self.now.max(now);
        self.confirmed = (confirmed != self.now).then_some(confirmed);
        self
    }

    /// Whether the times that it remembers were proven by other witnesses than the policy's, so that they count for nothing.
    pub(crate) fn is_of_other_trust(&self, policy: &Policy) -> bool {
        let knows_times = !self.public_since.is_empty() || !self.shown_since.is_empty();
        knows_times && self.trust.as_ref() != Some(policy.trust_digest())
    }

    /// The state after an update came to its end by this policy. Where the times before were by others, those that were proven in it
    /// are all that are left.
    pub(crate) fn with_trust_of(mut self, policy: &Policy, proven: &BTreeMap<StatementId, Timestamp>) -> Self {
        if self.is_of_other_trust(policy) {
            let known = std::mem::take(&mut self.public_since);
            let proven_anew = |id: StatementId| proven.get(&id).map(|since| (id, *since));
            self.public_since = known.into_keys().filter_map(proven_anew).collect();
            self.shown_since.clear();
            self.late.clear();
            self.proven_in.clear();
        }
        self.trust = Some(*policy.trust_digest());
        self
    }

    pub(crate) fn with_public_since(mut self, times: &BTreeMap<StatementId, Timestamp>) -> Self {
        self.public_since = times.clone();
        self
    }

    /// The state that remembers since when these statements are public, beside those before; of very many these alone. What is in force
    /// or leads to it needs no other time.
    pub(crate) fn with_shown_since(mut self, times: &BTreeMap<StatementId, Timestamp>) -> Self {
        let known = std::mem::take(&mut self.shown_since);
        let fits = known.len() + times.len() <= MAX_SHOWN;
        self.shown_since = times.clone();
        if fits {
            known.into_iter().for_each(|(id, since)| {
                self.shown_since.entry(id).and_modify(|other| *other = since.min(*other)).or_insert(since);
            });
        }
        // An earlier time that was shown counts for what something in force rests on, too.
        for (id, since) in &mut self.public_since {
            *since = self.shown_since.remove(id).map_or(*since, |shown| shown.min(*since));
        }
        self
    }

    /// The state that remembers of which of these statements the time is late, and of which it isn't any more; and in which trees the
    /// others were proven.
    pub(crate) fn with_late(
        mut self,
        judged: &BTreeMap<StatementId, Timestamp>,
        late: &BTreeSet<StatementId>,
        proven_in: &BTreeMap<StatementId, TreeSize>,
    ) -> Self {
        self.late.retain(|id| !judged.contains_key(id));
        self.late.extend(judged.keys().filter(|id| late.contains(id)));
        self.proven_in.extend(proven_in);
        let (public_since, shown_since) = (&self.public_since, &self.shown_since);
        let is_known = |id: &StatementId| public_since.contains_key(id) || shown_since.contains_key(id);
        self.late.retain(is_known);
        let late = &self.late;
        self.proven_in.retain(|id, _| is_known(id) && !late.contains(id));
        self
    }

    pub(crate) fn with_accepted(mut self, accepted: Accepted) -> Self {
        (self.accepted, self.floor) = (Some(accepted), None);
        self
    }

    pub(crate) fn with_read(mut self, read: ReadLog) -> Self {
        self.read = Some(read);
        self
    }

    /// The state of a client whose owner has decided to forget what the log and its witnesses last vouched for, after a size
    /// or a time far ahead, or a change of the log's key. What must never be given up for something older stays; so does a
    /// halt because of evidence. A fork from before is not noticed any more.
    pub fn recovered(mut self) -> Self {
        (self.checkpoint, self.seen, self.read) = (None, None, None);
        (self.now, self.confirmed) = (Timestamp(0), None);
        self.shown_since.clear();
        self.editions.clear();
        self
    }

    /// The state of a client that goes on, also after a halt, since the log has another key: no proof by the old one proves anything any
    /// more.
    /// Which history had the release in force nobody can tell, so what goes on from it is not asked for: only that it is no
    /// older version.
    pub fn under_another_key(self) -> Self {
        Self {
            halted: None,
            floor: self.floor(),
            accepted: None,
            public_since: BTreeMap::new(),
            late: BTreeSet::new(),
            proven_in: BTreeMap::new(),
            ..self.recovered()
        }
    }

    /// The state of a client that was shown this proof of a fork: it stops updating.
    pub fn with_halt(mut self, evidence: ObjectDigest) -> Self {
        self.halted = Some(evidence);
        self
    }
}

fn checkpoint(lines: &Lines) -> Result<CheckpointNote, StateError> {
    CheckpointNote::parse(lines.to_text().as_bytes()).map_err(|error| StateError::Damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_state_is_written_that_can_t_be_read_again() {
        let release = |version| ReadRelease { version, release: StatementId([7; 32]), index: LeafIndex(version) };
        let of = |count| {
            let (size, nodes, newest) = (TreeSize(count), Vec::new(), count);
            let read = ReadLog { size, nodes, newest, edition: None, releases: (0..count).map(release).collect() };
            State::new(&ListName::new("one.example/list").unwrap()).with_read(read)
        };
        let most = (1..).map(|step| step * 500).find(|count| of(*count).to_bytes().is_err()).unwrap();
        let (fits, too_large) = (of(most - 500), of(most));
        assert_eq!(State::parse(&fits.to_bytes().unwrap(), fits.list()), Ok(fits));
        assert!(matches!(too_large.to_bytes(), Err(StateError::TooLarge(size)) if size > MAX_STATE_SIZE));
    }

    #[test]
    fn the_earliest_time_that_was_ever_shown_is_remembered_and_whether_it_is_late() {
        let [old, new] = [1, 2].map(|byte| StatementId([byte; 32]));
        let times = |pairs: &[(StatementId, u64)]| pairs.iter().map(|(id, time)| (*id, Timestamp(*time))).collect();
        let (known, shown) = (times(&[(old, 500)]), times(&[(old, 300), (new, 700)]));
        let state = State::new(&ListName::new("one.example/list").unwrap()).with_public_since(&known);
        let trees = BTreeMap::from([(old, TreeSize(3)), (new, TreeSize(5))]);
        let state = state.with_shown_since(&shown).with_late(&shown, &BTreeSet::from([new]), &trees);
        assert_eq!((state.public_since(&old), state.shown_since(&old)), (Some(Timestamp(300)), None));
        assert_eq!((state.public_since(&new), state.shown_since(&new)), (None, Some(Timestamp(700))));
        assert!(state.is_late(&new) && !state.is_late(&old));
        let state = State::parse(&state.to_bytes().unwrap(), state.list()).unwrap();
        assert!(state.is_late(&new), "also after a restart");
        assert_eq!((state.proven_in(&old), state.proven_in(&new)), (Some(TreeSize(3)), None));
        let later = state.clone().with_shown_since(&times(&[(old, 400)]));
        assert_eq!(later.public_since(&old), Some(Timestamp(300)));
        let proven = state.clone().with_late(&times(&[(new, 700)]), &BTreeSet::new(), &trees);
        assert!(!proven.is_late(&new) && proven.proven_in(&new) == Some(TreeSize(5)), "it is proven now");
        let forgotten = state.under_another_key();
        assert_eq!((forgotten.is_late(&new), forgotten.proven_in(&old)), (false, None));
    }
}
