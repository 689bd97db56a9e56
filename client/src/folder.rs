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
/// a fork is always kept; there is at most one, since updates stop with it.
const MAX_EVIDENCE_FILES: usize = 1000;

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

    /// The state of a client that is there already.
    pub(crate) fn existing_state(&self, policy: &Policy) -> Result<State, ClientError> {
        self.state(policy)?.ok_or_else(|| ClientError::NotAClient { folder: self.path.clone() })
    }

    /// The same, also if the policy names another key of its log.
    pub(crate) fn existing_state_under_any_key(&self, policy: &Policy) -> Result<State, ClientError> {
        let log = policy.log().name();
        match self.read_state(policy)? {
            None => Err(ClientError::NotAClient { folder: self.path.clone() }),
            Some(state) => match known(&state).filter(|known| known.checkpoint().origin != log) {
                Some(other) => Err(self.of_another_log(&other, policy)),
                None => Ok(state),
            },
        }
    }

    /// The state; `None` if the folder is new, or not there.
    fn state(&self, policy: &Policy) -> Result<Option<State>, ClientError> {
        let state = self.read_state(policy)?;
        match state.as_ref().and_then(known).filter(|known| known.verify_log(policy.log()).is_err()) {
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

    /// Keeps an evidence file. Gives its name; `None` if there are too many already.
    pub(crate) fn keep_evidence(&self, evidence: &Evidence) -> Result<Option<String>, FileError> {
        let folder = self.path.join(EVIDENCE);
        files::create_dir_all_durable(&folder)?;
        let name = evidence_name(&evidence.digest());
        let path = folder.join(&name);
        let is_fork = matches!(evidence, Evidence::Fork(_));
        if !is_fork && !path.exists() && count(&folder) >= MAX_EVIDENCE_FILES {
            return Ok(None);
        }
        files::replace(&path, evidence.to_text().as_bytes())?;
        Ok(Some(name))
    }
}

/// A checkpoint that the state holds.
pub(crate) fn known(state: &State) -> Option<CheckpointNote> {
    state.checkpoint().or(state.seen())
}

fn evidence_name(digest: &ObjectDigest) -> String {
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
