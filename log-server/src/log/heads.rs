//! The committed head: the newest checkpoint that the log has signed, in the database under compare-and-swap. That swap is
//! the commit. A plain file beside it has the newest head whose tiles are all durable, and only that one is ever shown to
//! anybody. So whichever of the two is lost, nothing that anybody has seen is forgotten:
//!
//! | database | file | what happened | what is done |
//! |---|---|---|---|
//! | none | none | a new log | nothing |
//! | head | the same, or older | what was staged since leads from the one to the other | it is integrated |
//! | head | none, or unreadable | the file was lost | the tree of the head is looked for |
//! | none | head | the database was damaged and set aside | it is put back from the file and what is staged |
//! | older | newer | the database was rolled back | the log refuses to start |

use super::LogError;
use isonomy_core::checkpoint::{CheckpointNote, MAX_CHECKPOINT_SIZE};
use isonomy_core::note::VerifierKey;
use isonomy_store::files::{self, FileError};
use isonomy_store::kv::{Store, Swap, Tree};
use std::path::{Path, PathBuf};

const TREE: &str = "head";
const KEY: &[u8] = b"committed";
const COPY: &str = "head";

/// Where the copy of the head is.
pub(super) fn copy_in(private: &Path) -> PathBuf {
    private.join(COPY)
}

pub(super) struct Heads {
    tree: Tree,
    copy: PathBuf,
}

/// The heads that were found; at least one of them is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// In the database.
    pub(super) committed: Option<CheckpointNote>,
    /// In the file.
    pub(super) integrated: Option<CheckpointNote>,
}

impl Heads {
    /// The heads in this store, with the file in the folder beside it.
    pub(super) fn open(store: &Store, folder: &Path) -> Result<Self, LogError> {
        Ok(Self { tree: store.tree(TREE)?, copy: copy_in(folder) })
    }

    /// The heads that are there, as far as they don't contradict each other; `None` if there never was one.
    pub(super) fn find(&self, key: &VerifierKey) -> Result<Option<Found>, LogError> {
        let committed = self.tree.get(KEY)?.map(|bytes| CheckpointNote::parse(&bytes)).transpose()?;
        if let Some(head) = &committed {
            head.verify_log(key)?;
        }
        let integrated = self.read_copy(key, committed.is_some())?;
        match (&committed, &integrated) {
            (None, None) => return Ok(None),
            (Some(head), Some(copy)) => check_order(head, copy)?,
            (None, Some(_)) => tracing::warn!("the database has no head; it is put back from its copy"),
            (Some(_), None) => tracing::warn!("the copy of the head is missing or unreadable; it is made anew"),
        }
        Ok(Some(Found { committed, integrated }))
    }

    /// The copy, if it holds. One that doesn't is an error only if there is nothing else.
    fn read_copy(&self, key: &VerifierKey, can_be_spared: bool) -> Result<Option<CheckpointNote>, LogError> {
        let bytes = match files::read_limited(&self.copy, MAX_CHECKPOINT_SIZE) {
            Err(FileError::TooLarge { .. }) if can_be_spared => return Ok(None),
            result => result?,
        };
        let Some(bytes) = bytes else { return Ok(None) };
        let copy = CheckpointNote::parse(&bytes).and_then(|copy| copy.verify_log(key).map(|()| copy));
        if can_be_spared { Ok(copy.ok()) } else { Ok(Some(copy?)) }
    }

    /// Commits `after` in the place of `before`.
    pub(super) fn commit(&self, before: Option<&CheckpointNote>, after: &CheckpointNote) -> Result<(), LogError> {
        let before = before.map(CheckpointNote::to_bytes);
        match self.tree.compare_and_swap(KEY, before.as_deref(), Some(&after.to_bytes()))? {
            Swap::Done => Ok(()),
            Swap::Differs(_) => Err(LogError::HeadMoved),
        }
    }

    /// Takes note that the tiles of this head are durable.
    pub(super) fn integrated(&self, head: &CheckpointNote) -> Result<(), LogError> {
        Ok(files::replace(&self.copy, &head.to_bytes())?)
    }
}

/// The head in this store, if the log has signed it.
pub(super) fn committed(store: &Store, key: &VerifierKey) -> Result<Option<CheckpointNote>, LogError> {
    let note = store.tree(TREE)?.get(KEY)?.and_then(|bytes| CheckpointNote::parse(&bytes).ok());
    Ok(note.filter(|note| note.verify_log(key).is_ok()))
}

/// The newest head in this folder that the log has signed, in the database or beside it; what can't be read says nothing.
pub(super) fn newest(
    private: &Path,
    store: Option<&Store>,
    key: &VerifierKey,
) -> Result<Option<CheckpointNote>, LogError> {
    let committed = store.map(|store| committed(store, key)).transpose()?.flatten();
    let copy = match files::read_limited(&copy_in(private), MAX_CHECKPOINT_SIZE) {
        Err(FileError::TooLarge { .. }) => None,
        result => result?,
    };
    let copy = copy.and_then(|bytes| CheckpointNote::parse(&bytes).ok()).filter(|note| note.verify_log(key).is_ok());
    Ok([committed, copy].into_iter().flatten().max_by_key(|note| note.checkpoint().size))
}

fn check_order(head: &CheckpointNote, copy: &CheckpointNote) -> Result<(), LogError> {
    let (head, copy) = (head.checkpoint(), copy.checkpoint());
    if copy.size > head.size {
        return Err(LogError::RolledBack { head: head.size, known: copy.size, by: "the copy of its head" });
    }
    if copy.size == head.size && copy.root != head.root { Err(LogError::TwoHeads { size: head.size }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::testing::{checkpoint, key};

    #[test]
    fn a_lost_head_is_in_the_other_place_and_a_rollback_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("state")).unwrap();
        let heads = Heads::open(&store, dir.path()).unwrap();
        let find = || heads.find(key().verifier());
        let found = |committed: Option<&CheckpointNote>, integrated: Option<&CheckpointNote>| {
            Some(Found { committed: committed.cloned(), integrated: integrated.cloned() })
        };
        assert_eq!(find().unwrap(), None);
        let [one, two, three] = [1, 2, 3].map(|size| checkpoint(&key(), size, size as u8));
        heads.commit(None, &one).unwrap();
        assert!(matches!(heads.commit(None, &two), Err(LogError::HeadMoved)));
        assert_eq!(find().unwrap(), found(Some(&one), None));
        heads.integrated(&one).unwrap();
        heads.commit(Some(&one), &two).unwrap();
        assert_eq!(find().unwrap(), found(Some(&two), Some(&one)));
        heads.integrated(&three).unwrap();
        assert!(matches!(find(), Err(LogError::RolledBack { .. })));
        heads.integrated(&checkpoint(&key(), 2, 9)).unwrap();
        assert!(matches!(find(), Err(LogError::TwoHeads { .. })));
        for unreadable in [&b"nonsense"[..], &[b'x'; 20_000], &two.to_bytes()[1..]] {
            std::fs::write(&heads.copy, unreadable).unwrap();
            assert_eq!(find().unwrap(), found(Some(&two), None));
        }
        heads.tree.remove(KEY).unwrap();
        assert!(matches!(find(), Err(LogError::Checkpoint(_))), "no head is left to go by");
        heads.integrated(&two).unwrap();
        assert_eq!(find().unwrap(), found(None, Some(&two)));
    }
}
