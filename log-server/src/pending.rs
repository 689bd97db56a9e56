//! Releases that are admitted and wait for their objects. They survive a restart; each is forgotten when it is sequenced
//! or can no longer be.

use crate::refusal::Refusal;
use isonomy_core::hash::{ObjectDigest, StatementId};
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::statement::{Signed, Statement};
use isonomy_store::kv::{Store, StoreError, Tree};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

const TREE: &str = "pending";
/// The most releases that wait at a time.
const MAX_PENDING: usize = 256;
/// The most of them that are of one list.
const MAX_PER_LIST: usize = 8;

/// The releases that wait.
pub struct Pending {
    tree: Tree,
    releases: Mutex<BTreeMap<StatementId, Signed<Release>>>,
}

impl Pending {
    /// Those in this store. What can't be read any more is dropped: its submitter submits it again.
    pub fn open(store: &Store) -> Result<Self, StoreError> {
        let tree = store.tree(TREE)?;
        let mut releases = BTreeMap::new();
        for pair in tree.iter() {
            let (key, bytes) = pair?;
            match Statement::parse(&bytes).ok().and_then(Statement::into_release) {
                Some(release) => {
                    releases.insert(release.id(), release);
                }
                None => tree.remove(&key)?,
            }
        }
        Ok(Self { tree, releases: Mutex::new(releases) })
    }

    /// The release with this identity, as it was first submitted.
    pub fn find(&self, id: &StatementId) -> Option<Signed<Release>> {
        self.releases().get(id).cloned()
    }

    /// Keeps a release; one with the same text is kept as it is. [`Refusal::Busy`] if too many wait.
    pub fn insert(&self, release: &Signed<Release>) -> Result<Result<(), Refusal>, StoreError> {
        let mut releases = self.releases();
        if releases.contains_key(&release.id()) {
            return Ok(Ok(()));
        }
        let of_list = releases.values().filter(|other| other.body().list == release.body().list).count();
        if releases.len() >= MAX_PENDING || of_list >= MAX_PER_LIST {
            return Ok(Err(Refusal::Busy));
        }
        self.tree.put(&release.id().0, &release.to_bytes())?;
        releases.insert(release.id(), release.clone());
        Ok(Ok(()))
    }

    /// Forgets a release.
    pub fn remove(&self, id: &StatementId) -> Result<(), StoreError> {
        if self.releases().remove(id).is_some() {
            self.tree.remove(&id.0)?;
        }
        Ok(())
    }

    /// Forgets those that `keep` says no to.
    pub fn retain(&self, keep: impl Fn(&Signed<Release>) -> bool) -> Result<(), StoreError> {
        let over: Vec<StatementId> =
            self.releases().values().filter(|release| !keep(release)).map(Signed::id).collect();
        over.iter().try_for_each(|id| self.remove(id))
    }

    /// The object with this digest that one of them names.
    pub fn object(&self, digest: &ObjectDigest) -> Option<ObjectRef> {
        let releases = self.releases();
        releases.values().flat_map(|release| release.body().objects()).find(|object| object.sha256 == *digest)
    }

    /// Those that name the object with this digest.
    pub fn naming(&self, digest: &ObjectDigest) -> Vec<Signed<Release>> {
        let names = |release: &&Signed<Release>| release.body().objects().any(|object| object.sha256 == *digest);
        self.releases().values().filter(names).cloned().collect()
    }

    /// All objects that they name.
    pub fn objects(&self) -> BTreeSet<ObjectDigest> {
        let releases = self.releases();
        releases.values().flat_map(|release| release.body().objects()).map(|object| object.sha256).collect()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.releases().len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.releases().is_empty()
    }

    fn releases(&self) -> MutexGuard<'_, BTreeMap<StatementId, Signed<Release>>> {
        self.releases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
