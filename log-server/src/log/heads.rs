//! The committed head: the newest checkpoint that the log has signed, kept twice.
//!
//! The database has it under compare-and-swap, and that swap is the commit. A copy in a plain file is written right
//! after it, and only then does the signature leave the process. So whichever of the two is lost, nothing that anybody
//! has seen is forgotten:
//!
//! | database | file | what happened | what is done |
//! |---|---|---|---|
//! | none | none | a new log | nothing |
//! | head | the same | | |
//! | head | older or none | the process died between swap and copy | the copy is written |
//! | none | head | the database was damaged and set aside | it is put back from the copy |
//! | older | newer | the database was rolled back | the log refuses to start |

use super::LogError;
use isonomy_core::checkpoint::{CheckpointNote, MAX_CHECKPOINT_SIZE};
use isonomy_store::files;
use isonomy_store::kv::{Store, Swap, Tree};
use std::path::PathBuf;

const TREE: &str = "head";
const KEY: &[u8] = b"committed";
const COPY: &str = "head";

#[derive(Clone)]
pub(super) struct Heads {
    tree: Tree,
    copy: PathBuf,
}

impl Heads {
    /// The heads in this store, with the copy in the folder beside it.
    pub(super) fn open(store: &Store, folder: &std::path::Path) -> Result<Self, LogError> {
        Ok(Self { tree: store.tree(TREE)?, copy: folder.join(COPY) })
    }

    /// The committed head, after database and copy have been brought into agreement; `None` if there never was one.
    pub(super) fn recover(&self) -> Result<Option<CheckpointNote>, LogError> {
        let stored = self.tree.get(KEY)?;
        let copied = files::read_limited(&self.copy, MAX_CHECKPOINT_SIZE)?;
        let (stored, copied) = (parse(stored.as_deref())?, parse(copied.as_deref())?);
        match (&stored, &copied) {
            (None, None) => Ok(None),
            (None, Some(copy)) => {
                tracing::warn!(
                    size = copy.checkpoint().size.0,
                    "the database has no head; it is put back from its copy"
                );
                self.swap(None, copy)?;
                Ok(copied)
            }
            (Some(head), Some(copy)) if copy.checkpoint().size > head.checkpoint().size => Err(LogError::RolledBack {
                head: head.checkpoint().size,
                known: copy.checkpoint().size,
                by: "the copy of its head",
            }),
            (Some(head), Some(copy)) if copy.checkpoint().size == head.checkpoint().size => {
                let same = copy.checkpoint() == head.checkpoint();
                if same { Ok(stored) } else { Err(LogError::TwoHeads { size: head.checkpoint().size }) }
            }
            (Some(head), _) => {
                files::replace(&self.copy, &head.to_bytes())?;
                Ok(stored)
            }
        }
    }

    /// Commits `after` in the place of `before`.
    pub(super) fn commit(&self, before: Option<&CheckpointNote>, after: &CheckpointNote) -> Result<(), LogError> {
        self.swap(before, after)?;
        Ok(files::replace(&self.copy, &after.to_bytes())?)
    }

    fn swap(&self, before: Option<&CheckpointNote>, after: &CheckpointNote) -> Result<(), LogError> {
        let before = before.map(CheckpointNote::to_bytes);
        match self.tree.compare_and_swap(KEY, before.as_deref(), Some(&after.to_bytes()))? {
            Swap::Done => Ok(()),
            Swap::Differs(_) => Err(LogError::HeadMoved),
        }
    }
}

fn parse(bytes: Option<&[u8]>) -> Result<Option<CheckpointNote>, LogError> {
    Ok(bytes.map(CheckpointNote::parse).transpose()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::testing::{checkpoint, key};

    #[test]
    fn both_places_come_to_agree_and_a_rollback_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("state")).unwrap();
        let heads = Heads::open(&store, dir.path()).unwrap();
        assert_eq!(heads.recover().unwrap(), None);
        let [one, two, three] = [1, 2, 3].map(|size| checkpoint(&key(), size, size as u8));
        heads.commit(None, &one).unwrap();
        assert!(matches!(heads.commit(None, &two), Err(LogError::HeadMoved)));
        heads.commit(Some(&one), &two).unwrap();
        assert_eq!(heads.recover().unwrap().as_ref(), Some(&two));
        files::replace(&heads.copy, &one.to_bytes()).unwrap();
        assert_eq!(heads.recover().unwrap().as_ref(), Some(&two));
        assert_eq!(std::fs::read(&heads.copy).unwrap(), two.to_bytes());
        heads.tree.remove(KEY).unwrap();
        assert_eq!(heads.recover().unwrap().as_ref(), Some(&two));
        assert_eq!(heads.tree.get(KEY).unwrap().unwrap(), two.to_bytes());
        files::replace(&heads.copy, &three.to_bytes()).unwrap();
        assert!(matches!(heads.recover(), Err(LogError::RolledBack { .. })));
        files::replace(&heads.copy, &checkpoint(&key(), 2, 9).to_bytes()).unwrap();
        assert!(matches!(heads.recover(), Err(LogError::TwoHeads { .. })));
    }
}
