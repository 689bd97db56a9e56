//! Earlier cosigned checkpoints: what proves that a statement was *not* public at some time.
//!
//! A checkpoint without the statement proves the more, the later its witnessed *now* is. So of each size the latest is
//! kept. When there are too many, those go that come directly before no edition of a charter, since only these can prove
//! that an edition's notice was cut short; the oldest first.

use crate::trust::{Trust, View};
use isonomy_core::checkpoint::{CheckpointNote, MAX_CHECKPOINT_SIZE};
use isonomy_core::encoding::from_decimal;
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_store::files::{self, FileError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// How many are kept beside those that are needed.
const MAX_KEPT: usize = 1000;

/// Cosigned checkpoints by size.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    folder: PathBuf,
    kept: BTreeMap<TreeSize, View>,
}

impl Checkpoints {
    /// Those in the folder that are signed by the log and a quorum.
    pub(crate) fn open(folder: PathBuf, trust: &Trust) -> Result<Self, FileError> {
        files::create_dir_all_durable(&folder)?;
        files::remove_temporaries(&folder)?;
        let mut kept = BTreeMap::new();
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let Some(size) = entry.file_name().to_str().and_then(from_decimal) else { continue };
            let bytes = files::read_limited(&entry.path(), MAX_CHECKPOINT_SIZE)?.unwrap_or_default();
            let view = CheckpointNote::parse(&bytes).ok().and_then(|note| trust.view(note).ok());
            match view.filter(|view| view.size().0 == size && view.times().is_ok()) {
                Some(view) => drop(kept.insert(view.size(), view)),
                None => tracing::warn!(size, "a kept checkpoint does not verify and is left out"),
            }
        }
        Ok(Self { folder, kept })
    }

    /// Keeps a checkpoint that belongs to the history of this monitor's own copy, if a quorum cosigned it and it says
    /// more than the one of its size that is kept. `editions` are the places of all editions of charters.
    pub(crate) fn keep(&mut self, view: &View, editions: &BTreeSet<LeafIndex>) -> Result<(), FileError> {
        let (size, Some(now)) = (view.size(), view.now()) else { return Ok(()) };
        if self.kept.get(&size).is_some_and(|known| known.now() >= Some(now)) {
            return Ok(());
        }
        files::replace(&self.folder.join(size.to_string()), &view.note().to_bytes())?;
        self.kept.insert(size, view.clone());
        self.prune(editions, MAX_KEPT)
    }

    /// The checkpoint that proves best that the entry at `index` was not public: of those without it, the latest.
    pub(crate) fn before(&self, index: LeafIndex) -> Option<&View> {
        self.kept.range(..=TreeSize(index.0)).map(|(_, view)| view).max_by_key(|view| view.now())
    }

    /// Those that are kept, the largest tree first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &View> {
        self.kept.values().rev()
    }

    fn prune(&mut self, editions: &BTreeSet<LeafIndex>, most: usize) -> Result<(), FileError> {
        if self.kept.len() <= most {
            return Ok(());
        }
        let needed: BTreeSet<TreeSize> =
            editions.iter().filter_map(|index| Some(self.before(*index)?.size())).collect();
        let newest = self.kept.last_key_value().map(|(size, _)| *size);
        let spare = self.kept.keys().filter(|size| !needed.contains(size) && Some(**size) != newest);
        let excess: Vec<TreeSize> = spare.copied().take(self.kept.len().saturating_sub(most)).collect();
        for size in excess {
            files::remove_durable(&self.folder.join(size.to_string()))?;
            self.kept.remove(&size);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::checkpoint::Checkpoint;
    use isonomy_core::cosignature::cosign;
    use isonomy_core::hash::RootHash;
    use isonomy_core::note::{KeyType, SigningKey};
    use isonomy_core::policy::Policy;
    use isonomy_core::time::Timestamp;

    fn log() -> SigningKey {
        SigningKey::from_seed("log.example", KeyType::Ed25519, &[1; 32]).unwrap()
    }

    fn witness() -> SigningKey {
        SigningKey::from_seed("witness.example", KeyType::Cosignature, &[2; 32]).unwrap()
    }

    fn trust() -> Trust {
        let text = format!("log {}\nwitness w {}\nquorum w\n", log().verifier(), witness().verifier());
        Trust::new(Policy::parse(text.as_bytes()).unwrap()).unwrap()
    }

    fn view(size: u64, time: u64) -> View {
        let root = RootHash([size as u8; 32]);
        let checkpoint = Checkpoint { origin: "log.example".into(), size: TreeSize(size), root, extensions: vec![] };
        let note = CheckpointNote::sign(checkpoint, &log()).unwrap();
        let line = cosign(&witness(), note.note().text(), Timestamp(time));
        trust().view(note.with_cosignatures(&[line])).unwrap()
    }

    fn found(kept: &Checkpoints, index: u64) -> Option<(u64, u64)> {
        kept.before(LeafIndex(index)).map(|view| (view.size().0, view.now().unwrap().0))
    }

    #[test]
    fn of_each_size_the_latest_is_kept_over_restarts() {
        let dir = tempfile::tempdir().unwrap();
        let mut kept = Checkpoints::open(dir.path().into(), &trust()).unwrap();
        for (size, time) in [(1, 100), (3, 200), (3, 300), (3, 250)] {
            kept.keep(&view(size, time), &BTreeSet::new()).unwrap();
        }
        std::fs::write(dir.path().join("7"), b"nonsense").unwrap();
        let kept = Checkpoints::open(dir.path().into(), &trust()).unwrap();
        assert_eq!([found(&kept, 0), found(&kept, 2), found(&kept, 3)], [None, Some((1, 100)), Some((3, 300))]);
        assert_eq!(found(&kept, 9), Some((3, 300)));
    }

    #[test]
    fn what_may_prove_something_is_not_pruned() {
        let dir = tempfile::tempdir().unwrap();
        let mut kept = Checkpoints::open(dir.path().into(), &trust()).unwrap();
        let editions = BTreeSet::from([LeafIndex(2)]);
        for size in 1..=6 {
            kept.keep(&view(size, 100 * size), &editions).unwrap();
        }
        kept.prune(&editions, 3).unwrap();
        assert_eq!(kept.kept.keys().map(|size| size.0).collect::<Vec<_>>(), [2, 5, 6]);
        assert_eq!(found(&kept, 2), Some((2, 200)));
    }
}
