//! The folder of a client.
//!
//! ```text
//! lock                          held while a process uses the folder
//! state.json                    what must never be forgotten: see isonomy_verifier::state
//! cache/<release id>.entries    the entries of the list in force, one after the other
//! cache/<release id>.note       its release
//! cache/<charter id>.note       its charter
//! cache-damaged/                a cache that was found damaged, the latest of them
//! evidence/<sha-256>.json       proofs of breaches: see isonomy_verifier::evidence
//! refusals/<time>-<code>.json   one for each refusal, of the last 1000
//! ```
//!
//! Identities and digests are in hexadecimal, times like `20260131T235959Z`. Only `state.json` is believed, and whatever in `evidence`
//! proves a fork: that stops updates, whatever the state says. The state is written when the folder is made: a folder that has any of the others but no state has lost it. The cache is verified
//! at every opening. It may be removed at any time; the next update fetches what is missing, and nothing older.
//!
//! Content and evidence are durable before the state that needs them. So whatever a power cut leaves behind, the
//! state's release is in the cache, and what else is there is ignored and removed.

use crate::cache::Cache;
use crate::error::ClientError;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::statement::ListName;
use isonomy_store::files::{self, FileError, FolderLock};
use isonomy_verifier::evidence::MAX_EVIDENCE_SIZE;
use isonomy_verifier::state::{MAX_STATE_SIZE, StateError};
use isonomy_verifier::{Evidence, Policy, State};
use std::ops::Deref;
use std::path::{Path, PathBuf};

const STATE: &str = "state.json";
const CACHE: &str = "cache";
const DAMAGED_CACHE: &str = "cache-damaged";
const EVIDENCE: &str = "evidence";
const REFUSALS: &str = "refusals";

/// The most evidence files that are kept: many more can't be told apart from an attempt to fill the disk. The proof of
/// a fork with which updates stop is always kept.
pub(crate) const MAX_EVIDENCE_FILES: usize = 1000;

/// Where things are in a client's folder, and what can be read of it without changing anything.
#[derive(Debug)]
pub(crate) struct Layout {
    path: PathBuf,
}

/// A client's folder, locked: the only way to write there.
#[derive(Debug)]
pub(crate) struct Folder {
    layout: Layout,
    _lock: FolderLock,
}

impl Layout {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn cache(&self) -> Cache {
        Cache::new(self.path.join(CACHE), self.path.join(DAMAGED_CACHE))
    }

    pub(crate) fn refusals(&self) -> PathBuf {
        self.path.join(REFUSALS)
    }

    /// Where an evidence file is kept.
    pub(crate) fn evidence_path(&self, digest: &ObjectDigest) -> PathBuf {
        self.path.join(EVIDENCE).join(evidence_name(digest))
    }

    /// The evidence that is kept, as far as it can be read.
    pub(crate) fn evidence(&self) -> impl Iterator<Item = Evidence> {
        let files = std::fs::read_dir(self.path.join(EVIDENCE)).into_iter().flatten().flatten();
        let read = |file: std::fs::DirEntry| files::read_regular(&file.path(), MAX_EVIDENCE_SIZE).ok().flatten();
        files.filter_map(read).filter_map(|file| Evidence::parse(&file).ok())
    }

    /// The proof in the folder that the policy's log has forked, if there is one.
    pub(crate) fn proof_of_fork(&self, policy: &Policy) -> Option<Evidence> {
        let is_proof = |proof: &Evidence| matches!(proof, Evidence::Fork(_)) && proof.verify(policy.trust()).is_ok();
        self.evidence().find(is_proof)
    }

    /// The state of a client that is there already.
    pub(crate) fn existing_state(&self, policy: &Policy) -> Result<State, ClientError> {
        self.state(policy)?.ok_or_else(|| ClientError::NotAClient { folder: self.path.clone() })
    }

    /// The same, also if the policy names another key of its log.
    pub(crate) fn existing_state_under_any_key(&self, policy: &Policy) -> Result<State, ClientError> {
        let log = policy.log().name();
        match self.read_state(policy)? {
            None => Err(ClientError::NotAClient { folder: self.path.clone() }),
            Some(state) => match vouched(&state).filter(|known| known.checkpoint().origin != log) {
                Some(other) => Err(self.of_another_log(&other, policy)),
                None => Ok(state),
            },
        }
    }

    /// The state; `None` if the folder is new, or not there.
    fn state(&self, policy: &Policy) -> Result<Option<State>, ClientError> {
        let state = self.read_state(policy)?;
        match state.as_ref().and_then(vouched).filter(|known| known.verify_log(policy.log()).is_err()) {
            Some(other) => Err(self.of_another_log(&other, policy)),
            None => Ok(state),
        }
    }

    /// The state of a client of the policy's list, whatever its log is.
    fn read_state(&self, policy: &Policy) -> Result<Option<State>, ClientError> {
        let (path, list) = (self.path.join(STATE), policy.list());
        let read = files::read_regular(&path, MAX_STATE_SIZE);
        if let Err(FileError::TooLarge { .. }) = read {
            let reason = StateError::Damaged(format!("larger than {MAX_STATE_SIZE} bytes"));
            return Err(ClientError::DamagedState { path, reason });
        }
        match read? {
            Some(bytes) => self.parse_state(&bytes, policy).map(Some),
            None if self.was_in_use() => Err(ClientError::MissingState { path, list: list.clone() }),
            None => Ok(None),
        }
    }

    fn parse_state(&self, bytes: &[u8], policy: &Policy) -> Result<State, ClientError> {
        let damaged = |reason| ClientError::DamagedState { path: self.path.join(STATE), reason };
        if let Some(list) = list_of(bytes).filter(|list| list != policy.list()) {
            let (folder, wanted) = (self.path.clone(), policy.list().to_string());
            return Err(ClientError::OtherOwner { folder, found: format!("the list {list}"), wanted });
        }
        State::parse(bytes, policy.list()).map_err(damaged)
    }

    fn of_another_log(&self, known: &CheckpointNote, policy: &Policy) -> ClientError {
        let (folder, origin) = (self.path.clone(), &known.checkpoint().origin);
        if origin == policy.log().name() {
            return ClientError::OtherKey { folder, log: origin.clone() };
        }
        ClientError::OtherOwner { folder, found: format!("the log {origin}"), wanted: policy.log().to_string() }
    }

    fn was_in_use(&self) -> bool {
        [CACHE, DAMAGED_CACHE, EVIDENCE, REFUSALS].iter().any(|name| self.path.join(name).exists())
    }
}

impl Deref for Folder {
    type Target = Layout;

    fn deref(&self) -> &Layout {
        &self.layout
    }
}

impl Folder {
    /// Locks the folder, and makes it if there is none.
    pub(crate) fn open(path: &Path) -> Result<Self, ClientError> {
        // The program may go to another folder later; its lock stays here.
        let path = &std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        files::create_dir_all_durable(path)?;
        let lock = FolderLock::acquire(path)?;
        files::remove_temporaries(path)?;
        for folder in [EVIDENCE, REFUSALS].map(|name| path.join(name)).iter().filter(|folder| folder.is_dir()) {
            // What a power cut left there counts among the files that are kept, and does no other harm.
            let _ = files::remove_temporaries(folder);
        }
        Ok(Self { layout: Layout::new(path), _lock: lock })
    }

    /// The state; that of a client that knows nothing yet, which is written, if the folder is new.
    pub(crate) fn state_or_new(&self, policy: &Policy) -> Result<State, ClientError> {
        if let Some(state) = self.state(policy)? {
            return Ok(state);
        }
        let state = State::new(policy.list());
        self.write_state(&state)?;
        Ok(state)
    }

    /// Makes the state durable, in place of the one before.
    pub(crate) fn write_state(&self, state: &State) -> Result<(), ClientError> {
        let path = self.path.join(STATE);
        let bytes = state.to_bytes().map_err(|reason| ClientError::StateNotWritten { path: path.clone(), reason })?;
        Ok(files::replace(&path, &bytes)?)
    }

    /// Keeps evidence as [`Self::keep_new`] does; but the proof with which updates stop always.
    pub(crate) fn keep_evidence(
        &self,
        evidence: &Evidence,
        policy: &Policy,
    ) -> Result<Option<ObjectDigest>, FileError> {
        match evidence {
            Evidence::Fork(_) => self.write_evidence(evidence).map(Some),
            _ => self.keep_new(evidence, policy),
        }
    }

    /// Keeps evidence, unless what is there proves the same breach under this policy. Gives the digest of the file that does; `None` if
    /// there are too many already.
    pub(crate) fn keep_new(&self, evidence: &Evidence, policy: &Policy) -> Result<Option<ObjectDigest>, FileError> {
        let subject = evidence.subject();
        let is_same = |known: &Evidence| known.subject() == subject && known.verify(policy.trust()).is_ok();
        if let Some(known) = self.evidence().find(is_same) {
            return Ok(Some(known.digest()));
        }
        if count(&self.path.join(EVIDENCE)) >= MAX_EVIDENCE_FILES {
            return Ok(None);
        }
        self.write_evidence(evidence).map(Some)
    }

    fn write_evidence(&self, evidence: &Evidence) -> Result<ObjectDigest, FileError> {
        let (folder, digest) = (self.path.join(EVIDENCE), evidence.digest());
        files::create_dir_all_durable(&folder)?;
        files::replace(&folder.join(evidence_name(&digest)), evidence.to_text().as_bytes())?;
        Ok(digest)
    }
}

/// A checkpoint that the state holds.
pub(crate) fn known(state: &State) -> Option<CheckpointNote> {
    state.checkpoint().or(state.seen())
}

/// The checkpoint under which the release in force was accepted; a recovery leaves that.
pub(crate) fn of_accepted(state: &State) -> Option<CheckpointNote> {
    let text = state.accepted()?.proof.checkpoint.to_text();
    CheckpointNote::parse(text.as_bytes()).ok()
}

/// A checkpoint by which the log that the state is of can be told; a recovered one has none but that of the release in force.
pub(crate) fn vouched(state: &State) -> Option<CheckpointNote> {
    known(state).or_else(|| of_accepted(state))
}

/// The name of an evidence file.
pub(crate) fn evidence_name(digest: &ObjectDigest) -> String {
    format!("{}.json", digest.to_hex())
}

/// The list that a state file is about, whatever else is in it.
fn list_of(bytes: &[u8]) -> Option<ListName> {
    let text = std::str::from_utf8(bytes).ok()?;
    ListName::new(&isonomy_core::json::string_field(text, "list")?)
}

fn count(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, |files| files.count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::cosignature;
    use isonomy_core::json::Lines;
    use isonomy_core::statement::Statement;
    use isonomy_core::time::Timestamp;
    use isonomy_tests::breaches;
    use isonomy_tests::people::witness;
    use isonomy_tests::world::World;

    #[test]
    fn a_breach_is_kept_once_however_often_it_is_proven() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::open(dir.path()).unwrap();
        let breaches::Proven { mut world, evidence, .. } = breaches::by_clocks().remove(0);
        let policy = world.policy();
        let under = |proof: Lines| {
            let Evidence::EarlyAdmission(parts) = &evidence else { panic!("{evidence:?}") };
            let mut parts = parts.clone();
            parts.edition_proof = proof;
            Evidence::EarlyAdmission(parts)
        };
        let keep = |evidence: &Evidence| folder.keep_evidence(evidence, &policy).unwrap();
        let count = || std::fs::read_dir(dir.path().join(EVIDENCE)).unwrap().count();
        // What is about the same, and proves nothing, keeps nothing out.
        let nothing = under(Lines::of("no proof\n"));
        assert_eq!(nothing.subject(), evidence.subject());
        std::fs::create_dir(dir.path().join(EVIDENCE)).unwrap();
        std::fs::write(folder.evidence_path(&nothing.digest()), nothing.to_text()).unwrap();
        assert_eq!(keep(&evidence), Some(evidence.digest()));
        // A later checkpoint makes another file of it.
        let Evidence::EarlyAdmission(parts) = &evidence else { panic!("{evidence:?}") };
        let edition = Statement::parse(parts.edition.to_text().as_bytes()).unwrap().id();
        world.publish(9000);
        let later = under(Lines::of(world.proof(&edition)));
        assert!(later.verify(policy.trust()).is_ok() && later.digest() != evidence.digest());
        assert_eq!(keep(&later), Some(evidence.digest()));
        assert_eq!(count(), 2);

        // So it is with a fork, whoever has put a line under its checkpoints.
        let (fork, copy) = fork_with_a_foreign_line(&world);
        assert!(copy.verify(policy.trust()).is_ok() && copy.digest() != fork.digest());
        assert_eq!(keep(&fork), Some(fork.digest()));
        assert_eq!(folder.keep_new(&copy, &policy).unwrap(), Some(fork.digest()));
        assert_eq!(count(), 3);

        for number in 3..MAX_EVIDENCE_FILES {
            std::fs::write(dir.path().join(EVIDENCE).join(number.to_string()), b"").unwrap();
        }
        assert_eq!(keep(&later), Some(evidence.digest()));
        let other = breaches::by_clocks().remove(2).evidence;
        assert_eq!(keep(&other), None, "there are too many");
    }

    fn fork_with_a_foreign_line(world: &World) -> (Evidence, Evidence) {
        let mut other = world.fork(1);
        other.edition(|charter| charter.matching.max_distance = 9);
        let (older, newer) = (world.checkpoint(2), other.checkpoint(2));
        let foreign = cosignature::cosign(&witness(99), older.note().text(), Timestamp(0));
        let fork = |older: &CheckpointNote| Evidence::fork(older, &newer, Vec::new());
        (fork(&older), fork(&older.with_cosignatures(&[foreign])))
    }
}
