//! Judging a log from its public files alone, with nothing of the log's own code.

use super::Told;
use super::world::{log_key, policy};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::{LeafHash, NodeHash, RootHash};
use isonomy_core::tile::{self, TileKind};
use isonomy_core::tree::{Frontier, LeafIndex, leaf_hash, node_hash};
use std::collections::BTreeSet;
use std::path::Path;

/// Reads every tile of the published tree and computes all of them again; the entries.
pub(super) fn audit_tree(public: &Path) -> Vec<Vec<u8>> {
    let checkpoint = CheckpointNote::parse(&std::fs::read(public.join("checkpoint")).unwrap()).unwrap();
    checkpoint.verify_log(log_key().verifier()).unwrap();
    assert!(policy().checkpoint_times(checkpoint.note()).unwrap().is_some(), "published without a quorum");
    let tree = checkpoint.checkpoint();
    let read = |path: &tile::TilePath| {
        std::fs::read(public.join(path.to_string())).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let mut entries = Vec::new();
    for path in tile::entry_tiles(LeafIndex(0), tree.size) {
        entries.extend(tile::parse_entries(&read(&path), path.width()).unwrap());
    }
    let leaves: Vec<NodeHash> = entries.iter().map(|entry| NodeHash::from(leaf_hash(entry))).collect();
    for path in tile::tiles_of(tree.size) {
        let TileKind::Hashes { level } = path.kind() else { unreachable!() };
        let span = 256usize.pow(level.into());
        let first = path.index() as usize * 256;
        let hashes: Vec<NodeHash> =
            (first..first + usize::from(path.width())).map(|at| naive(&leaves[at * span..][..span])).collect();
        assert!(tile::encode_hashes(&hashes) == read(&path), "{path} is wrong");
    }
    assert_eq!(roots(&entries)[entries.len()], tree.root);
    for path in tile::tiles_of(tree.size).chain(tile::entry_tiles(LeafIndex(0), tree.size)) {
        let partial = public.join(format!("{}.p", path.full()));
        assert_eq!(partial.exists(), !path.is_full(), "{} should be gone if and only if it is full", partial.display());
    }
    entries
}

/// The root of a complete subtree.
fn naive(leaves: &[NodeHash]) -> NodeHash {
    match leaves {
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len() / 2);
            node_hash(&naive(left), &naive(right))
        }
    }
}

/// The roots of all trees that these entries have been.
fn roots(entries: &[Vec<u8>]) -> Vec<RootHash> {
    let leaves: Vec<LeafHash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let mut frontier = Frontier::new();
    let mut roots = vec![frontier.root()];
    for leaf in leaves {
        frontier.push(leaf);
        roots.push(frontier.root());
    }
    roots
}

/// What was told, and everything that was ever signed, is true of these entries.
pub(super) fn judge_told(told: &Told, signed: &[CheckpointNote], entries: &[Vec<u8>]) {
    assert_eq!(entries.iter().collect::<BTreeSet<_>>().len(), entries.len(), "an entry is logged twice");
    for (place, entry) in &told.acknowledged {
        assert_eq!(entries.get(place.0 as usize), Some(entry), "an acknowledged entry is lost");
    }
    let roots = roots(entries);
    assert!(!signed.is_empty());
    for checkpoint in signed.iter().chain(&told.shown) {
        let tree = checkpoint.checkpoint();
        assert_eq!(roots.get(tree.size.0 as usize), Some(&tree.root), "a second history of size {}", tree.size);
    }
}

/// No remains of interrupted work below this folder.
pub(super) fn assert_tidy(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        assert!(!name.to_string_lossy().starts_with(".tmp-"), "{} is left over", path.display());
        if path.is_dir() {
            assert_tidy(&path);
        }
    }
}
