//! How the copy grows: tile by tile, in memory for one tile, without touching what the accepted tree needs.

use super::{put, read_entries};
use isonomy_core::hash::LeafHash;
use isonomy_core::resource::Resource;
use isonomy_core::tile::{self, RightEdge, TILE_HEIGHT, TILE_WIDTH, Tile, TileKind, TilePath};
use isonomy_core::tree::{LeafIndex, TreeSize, leaf_hash};
use isonomy_store::files::FileError;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Why entries were not added.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GrowthError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The entries are not those that they must be.
    #[error("{0}")]
    Entries(String),
}

/// Entries on their way into the copy. Nothing of it counts before [`super::Mirror::accept`].
#[derive(Debug)]
pub(crate) struct Growth {
    folder: PathBuf,
    edge: RightEdge,
    /// The latest partial tile of hashes, by the path of the full one in its place.
    partial: BTreeMap<TilePath, Tile>,
}

impl Growth {
    pub(super) fn new(folder: PathBuf, edge: RightEdge) -> Self {
        Self { folder, edge, partial: BTreeMap::new() }
    }

    /// The place of the first entry that is wanted.
    pub(crate) fn next(&self) -> LeafIndex {
        LeafIndex(self.edge.size().0)
    }

    /// The entries of a full tile that came at an earlier look and were not proven yet: the root will tell.
    pub(crate) fn left_over(&self, path: &TilePath) -> Option<Vec<Vec<u8>>> {
        if path.is_full() { read_entries(&self.folder, path).ok() } else { None }
    }

    /// Adds the entries of a tile, which begin at [`Self::next`] or, in a tile of which a part was here, before.
    pub(crate) fn push(&mut self, path: &TilePath, entries: &[Vec<u8>]) -> Result<(), GrowthError> {
        let known = self.edge.size().0.saturating_sub(path.index() * u64::from(TILE_WIDTH));
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        let Some((before, new)) = entries.split_at_checked(known) else {
            return Err(GrowthError::Entries(format!("{path} is shorter than what it held before")));
        };
        if !before.is_empty() {
            self.check_unchanged(path, before)?;
        }
        let bytes = tile::encode_entries(entries).map_err(|error| GrowthError::Entries(format!("{path}: {error}")))?;
        put(&self.folder, &Resource::Tile(*path), &bytes)?;
        let leaves: Vec<LeafHash> = new.iter().map(|entry| leaf_hash(entry)).collect();
        let (edge, tiles) = self.edge.append(&leaves);
        self.edge = edge;
        for tile in tiles {
            match tile.path.is_full() {
                true => put(&self.folder, &Resource::Tile(tile.path), &tile.to_bytes())?,
                false => drop(self.partial.insert(tile.path.full(), tile)),
            }
        }
        Ok(())
    }

    /// The root covers these entries by the hashes that were computed when they came; what is served now must be the same.
    fn check_unchanged(&self, path: &TilePath, before: &[Vec<u8>]) -> Result<(), GrowthError> {
        let size = self.edge.size();
        let own = size.0.checked_sub(1).and_then(|last| TilePath::of_entry(LeafIndex(last), size));
        let own = own.map(|own| read_entries(&self.folder, &own)).transpose()?.unwrap_or_default();
        match own == before {
            true => Ok(()),
            false => Err(GrowthError::Entries(format!("{path} begins with other entries than it did before"))),
        }
    }

    /// Writes the partial tiles of the tree of this size, if that is the size by now; gives its edge.
    pub(super) fn finish(self, size: TreeSize) -> Result<RightEdge, GrowthError> {
        if self.edge.size() != size {
            let problem = format!("{} entries are here of {size}", self.edge.size());
            return Err(GrowthError::Entries(problem));
        }
        let wanted = RightEdge::partial_tiles(size);
        for tile in self.partial.values().filter(|tile| wanted.contains(&tile.path)) {
            put(&self.folder, &Resource::Tile(tile.path), &tile.to_bytes())?;
        }
        Ok(self.edge)
    }
}

/// Removes the partial tiles of the tree of size `old` whose full ones the tree of size `new` has. That they may stay is
/// no harm, so an error is none.
pub(super) fn remove_outgrown(folder: &Path, old: TreeSize, new: TreeSize) {
    let partial = RightEdge::partial_tiles(old).into_iter();
    let entries = old.0.checked_sub(1).and_then(|last| TilePath::of_entry(LeafIndex(last), old));
    let partial = partial.chain(entries.filter(|path| !path.is_full()));
    let is_full = |path: &TilePath| {
        let level = if let TileKind::Hashes { level } = path.kind() { level } else { 0 };
        let count = new.0.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT)).unwrap_or(0);
        count / u64::from(TILE_WIDTH) > path.index()
    };
    for path in partial.filter(is_full) {
        let widths = folder.join(format!("{}.p", path.full()));
        if let Err(error) = std::fs::remove_dir_all(&widths) {
            tracing::debug!(%error, path = %widths.display(), "partial tiles could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::Mirror;
    use crate::trust::{Trust, View};
    use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
    use isonomy_core::cosignature::cosign;
    use isonomy_core::note::{KeyType, SigningKey};
    use isonomy_core::policy::Policy;
    use isonomy_core::time::Timestamp;
    use isonomy_core::tree::Frontier;

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

    fn entries(count: u64) -> Vec<Vec<u8>> {
        (0..count).map(|number| format!("entry {number}").into_bytes()).collect()
    }

    fn view(entries: &[Vec<u8>]) -> View {
        let tree: Frontier = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let checkpoint =
            Checkpoint { origin: "log.example".into(), size: tree.size(), root: tree.root(), extensions: vec![] };
        let note = CheckpointNote::sign(checkpoint, &log()).unwrap();
        let line = cosign(&witness(), note.note().text(), Timestamp(1000));
        trust().view(note.with_cosignatures(&[line])).unwrap()
    }

    fn grow(mirror: &mut Mirror, all: &[Vec<u8>]) -> bool {
        let (view, mut growth) = (view(all), mirror.grow());
        for path in tile::entry_tiles(growth.next(), view.size()) {
            let first = path.index() as usize * 256;
            growth.push(&path, &all[first..first + usize::from(path.width())]).unwrap();
        }
        mirror.accept(&view, growth).unwrap()
    }

    fn open(folder: &Path) -> (Mirror, Option<String>) {
        Mirror::open(folder.into(), &trust(), None).unwrap()
    }

    #[test]
    fn the_copy_grows_in_any_steps_and_survives_restarts() {
        let dir = tempfile::tempdir().unwrap();
        let all = entries(600);
        for size in [0, 1, 5, 5, 255, 256, 257, 300, 512, 600] {
            let (mut mirror, damage) = open(dir.path());
            assert_eq!(damage, None);
            assert!(grow(&mut mirror, &all[..size]), "{size}");
            assert!(mirror.is_complete());
            for old in (0..=size).step_by(37) {
                let nodes = mirror.prefix(TreeSize(old as u64)).unwrap();
                let roots = isonomy_core::tree::prefix_roots(TreeSize(old as u64), mirror.size(), &nodes).unwrap();
                assert_eq!(roots.0, view(&all[..old]).root());
            }
            if let Some(last) = size.checked_sub(1) {
                let proof = mirror.own_proof(LeafIndex(last as u64)).unwrap();
                proof.verify(&all[last], trust().log(), trust().policy()).unwrap();
            }
        }
        assert!(!dir.path().join("tile/entries/000.p").exists(), "outgrown");
        assert!(dir.path().join("tile/entries/002.p/88").exists());
    }

    #[test]
    fn other_entries_are_not_accepted() {
        let dir = tempfile::tempdir().unwrap();
        let (mut mirror, _) = open(dir.path());
        let mut all = entries(10);
        assert!(grow(&mut mirror, &all[..5]));
        let good = view(&all);
        all[7] = b"another".to_vec();
        let path = TilePath::of_entry(LeafIndex(5), TreeSize(10)).unwrap();
        let mut growth = mirror.grow();
        growth.push(&path, &all).unwrap();
        assert!(!mirror.accept(&good, growth).unwrap());
        all[2] = b"another".to_vec();
        assert!(matches!(mirror.grow().push(&path, &all), Err(GrowthError::Entries(_))));
        assert!(matches!(mirror.grow().push(&path, &all[..3]), Err(GrowthError::Entries(_))));
        assert!(grow(&mut mirror, &entries(10)));
    }

    #[test]
    fn a_damaged_copy_is_set_aside_and_the_checkpoint_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let all = entries(20);
        assert!(grow(&mut open(dir.path()).0, &all));
        std::fs::remove_file(dir.path().join("tile/0/000.p/20")).unwrap();
        assert_eq!(open(dir.path()).1, None, "hashes are made anew");
        assert!(dir.path().join("tile/0/000.p/20").exists());
        std::fs::write(dir.path().join("tile/entries/000.p/20"), b"\0\x01a").unwrap();
        let (mut mirror, damage) = open(dir.path());
        assert!(damage.unwrap().contains("damaged-tile-1"));
        assert!(!mirror.is_complete() && mirror.newest().is_some_and(|view| view.size() == TreeSize(20)));
        assert!(grow(&mut mirror, &all) && mirror.is_complete());
    }
}
