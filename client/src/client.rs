//! A client of one list.

use crate::cache::CacheReport;
use crate::error::ClientError;
use crate::folder::Folder;
use crate::refusal::{self, Refusal};
use crate::status::Status;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::time::Timestamp;
use isonomy_verifier::{Evidence, Policy, State, VerifiedList};
use std::path::{Path, PathBuf};

/// The most bytes of one object that a client takes if nothing else is said: the snapshot of some 30 million hashes.
const MAX_OBJECT_SIZE: u64 = 1 << 30;

/// A client of one list: it keeps the list in force in its folder, and replaces it by newer releases that pass every
/// check.
#[derive(Debug)]
pub struct Client {
    pub(crate) folder: Folder,
    pub(crate) policy: Policy,
    pub(crate) state: State,
    pub(crate) list: Option<VerifiedList>,
    pub(crate) max_object_size: u64,
    /// How many updates in a row were refused by all sources.
    pub(crate) failures: u32,
    /// The proof of a fork that is not written yet; the state is, in memory, that of a client that was shown it.
    pub(crate) unsaved: Option<Evidence>,
    pub(crate) cache: CacheReport,
}

impl Client {
    /// Opens the client that is kept in `folder`, or makes a new one there. No other process, and no other part of this
    /// one, can have the folder open at the same time, except to look at it with [`Client::open_read_only`].
    pub fn open(folder: impl AsRef<Path>, policy: Policy) -> Result<Self, ClientError> {
        let folder = Folder::open(folder.as_ref())?;
        let state = folder.state_or_new(&policy)?;
        let mut client = Self::of(folder, policy, state);
        client.halt_if_proven();
        Ok(client)
    }

    pub(crate) fn of(folder: Folder, policy: Policy, state: State) -> Self {
        let (list, cache) = folder.cache().open(&policy, &state);
        Self::with(folder, policy, state, list, cache)
    }

    pub(crate) fn with(
        folder: Folder,
        policy: Policy,
        state: State,
        list: Option<VerifiedList>,
        cache: CacheReport,
    ) -> Self {
        Self { folder, policy, state, list, max_object_size: MAX_OBJECT_SIZE, failures: 0, unsaved: None, cache }
    }

    /// The same client, taking no object of more than `bytes`, be it a snapshot or a delta. Without this it takes 1
    /// GiB.
    pub fn with_max_object_size(mut self, bytes: u64) -> Self {
        self.max_object_size = bytes;
        self
    }

    /// The list in force, if its content is at hand. Whether it may be used at a time is for
    /// [`VerifiedList::freshness`] to say.
    pub fn list(&self) -> Option<&VerifiedList> {
        self.list.as_ref()
    }

    /// What is in force, who vouches for it, and how old that knowledge is at `clock`, this machine's clock.
    pub fn status(&self, clock: Timestamp) -> Status {
        Status::of(&self.policy, &self.state, self.list.as_ref(), &self.cache, clock)
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What the client must never forget.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What was found in the cache when the client was opened.
    pub fn cache(&self) -> &CacheReport {
        &self.cache
    }

    /// The refusals that are on record, oldest first.
    pub fn refusals(&self) -> Vec<Refusal> {
        refusal::records(&self.folder.refusals())
    }

    /// Where the evidence of this digest is kept, if it is.
    pub fn evidence_path(&self, digest: &ObjectDigest) -> Option<PathBuf> {
        Some(self.folder.evidence_path(digest)).filter(|path| path.exists())
    }
}
