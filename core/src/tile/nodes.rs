//! Which tiles a tree consists of, and which of them tell a node.

use super::{LEVELS, TILE_HEIGHT, TILE_WIDTH, TileKind, TilePath};
use crate::hash::NodeHash;
use crate::tree::{LeafIndex, NodeCoordinate, TreeSize, node_hash};
use alloc::vec::Vec;

/// All tiles of hashes of a tree, level by level from the leaves, left to right.
pub fn tiles_of(size: TreeSize) -> impl Iterator<Item = TilePath> {
    (0..LEVELS as u8).flat_map(move |level| {
        let count = size.0 >> (level * TILE_HEIGHT);
        let tile = move |index| TilePath::among(count, TileKind::Hashes { level }, index);
        (0..count.div_ceil(u64::from(TILE_WIDTH))).filter_map(tile)
    })
}

/// The tiles of entries that hold the entry at `from` and all after it, left to right, in a tree of this size.
pub fn entry_tiles(from: LeafIndex, size: TreeSize) -> impl Iterator<Item = TilePath> {
    let width = u64::from(TILE_WIDTH);
    let end = if from.0 < size.0 { size.0.div_ceil(width) } else { 0 };
    (from.0 / width..end).filter_map(move |index| TilePath::among(size.0, TileKind::Entries, index))
}

/// The tiles that tell the hashes of `nodes` in a tree of this size, each once and in their order. What is no complete
/// subtree of that tree has no tile.
pub fn tiles_for(nodes: &[NodeCoordinate], size: TreeSize) -> Vec<TilePath> {
    let mut tiles: Vec<TilePath> = nodes.iter().filter_map(|node| TilePath::of_node(node, size)).collect();
    tiles.sort_unstable();
    tiles.dedup();
    tiles
}

/// The hash of `node`, computed from the hashes of the tile that tells it. `None` if `tile` is another tile, has not
/// as many hashes as it should, or is too narrow for that node.
pub fn node_from_tile(node: &NodeCoordinate, tile: &TilePath, hashes: &[NodeHash]) -> Option<NodeHash> {
    let level = node.level / TILE_HEIGHT;
    let index = node.index >> (TILE_HEIGHT - node.level % TILE_HEIGHT);
    let is_that_tile = tile.kind() == TileKind::Hashes { level } && tile.index() == index;
    (is_that_tile && hashes.len() == usize::from(tile.width())).then(|| node_within(node, hashes))?
}

/// The hashes of `nodes`, in their order, in a tree of this size. `read` gives the hashes of each tile that
/// [`tiles_for`] lists for them; `None` if one is missing or is not as wide as it should be.
pub fn nodes_from_tiles<'t>(
    nodes: &[NodeCoordinate],
    size: TreeSize,
    mut read: impl FnMut(&TilePath) -> Option<&'t [NodeHash]>,
) -> Option<Vec<NodeHash>> {
    let mut hash = |node: &NodeCoordinate| {
        let tile = TilePath::of_node(node, size)?;
        node_from_tile(node, &tile, read(&tile)?)
    };
    nodes.iter().map(&mut hash).collect()
}

/// The hash of `node`, where `hashes` are those of its tile.
pub(super) fn node_within(node: &NodeCoordinate, hashes: &[NodeHash]) -> Option<NodeHash> {
    let height = node.level % TILE_HEIGHT;
    let count = 1usize << height;
    let first = (node.index % (u64::from(TILE_WIDTH) >> height)) as usize * count;
    root_of_row(hashes.get(first..first + count)?)
}

/// The node above a row of 2^n nodes.
pub(super) fn root_of_row(row: &[NodeHash]) -> Option<NodeHash> {
    match row {
        [] => None,
        [node] => Some(*node),
        _ => {
            let (left, right) = row.split_at(row.len() / 2);
            Some(node_hash(&root_of_row(left)?, &root_of_row(right)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use alloc::string::{String, ToString};
    use alloc::vec;
    use proptest::prelude::*;

    fn paths(tiles: impl Iterator<Item = TilePath>) -> Vec<String> {
        tiles.map(|tile| tile.to_string()).collect()
    }

    #[test]
    fn the_example_of_the_specification() {
        let tiles = paths(tiles_of(TreeSize(70_000)));
        assert_eq!(tiles.len(), 273 + 1 + 1 + 1 + 1);
        assert_eq!(tiles[0], "tile/0/000");
        assert_eq!(tiles[272], "tile/0/272");
        assert_eq!(tiles[273..], ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]);
        assert_eq!(paths(tiles_of(TreeSize(256))), ["tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(paths(tiles_of(TreeSize(1))), ["tile/0/000.p/1"]);
        assert_eq!(tiles_of(TreeSize(0)).count(), 0);
        assert_eq!(paths(tiles_of(TreeSize::MAX).take(1)), ["tile/0/000"]);
    }

    #[test]
    fn entries_from_somewhere_to_the_end() {
        let from = |index, size| paths(entry_tiles(LeafIndex(index), TreeSize(size)));
        assert_eq!(from(0, 300), ["tile/entries/000", "tile/entries/001.p/44"]);
        assert_eq!(from(255, 256), ["tile/entries/000"]);
        assert_eq!(from(256, 300), ["tile/entries/001.p/44"]);
        assert_eq!(from(300, 300), [""; 0]);
        assert_eq!(from(0, 0), [""; 0]);
        assert_eq!(from(301, 300), [""; 0]);
        let tile = TilePath::of_entry(LeafIndex(256), TreeSize(300));
        assert_eq!(tile.unwrap().to_string(), "tile/entries/001.p/44");
        assert_eq!(TilePath::of_entry(LeafIndex(300), TreeSize(300)), None);
    }

    #[test]
    fn a_node_is_computed_from_its_own_tile_alone() {
        let hashes: Vec<NodeHash> = (0..44).map(|byte| NodeHash([byte; 32])).collect();
        let tile = TilePath::parse("tile/0/001.p/44").unwrap();
        let node = NodeCoordinate { level: 1, index: 128 };
        assert_eq!(TilePath::of_node(&node, TreeSize(300)), Some(tile));
        assert_eq!(node_from_tile(&node, &tile, &hashes), Some(node_hash(&hashes[0], &hashes[1])));
        assert_eq!(node_from_tile(&node, &tile, &hashes[1..]), None);
        assert_eq!(node_from_tile(&node, &tile.full(), &hashes), None);
        for (level, index) in [(1, 127), (1, 150), (8, 0), (255, u64::MAX), (5, 15)] {
            assert_eq!(node_from_tile(&NodeCoordinate { level, index }, &tile, &hashes), None, "{level} {index}");
        }
    }

    #[test]
    fn nodes_need_every_tile() {
        let nodes = [NodeCoordinate { level: 0, index: 256 }, NodeCoordinate { level: 8, index: 0 }];
        let size = TreeSize(257);
        let needed = tiles_for(&nodes, size);
        assert_eq!(paths(needed.iter().copied()), ["tile/0/001.p/1", "tile/1/000.p/1"]);
        let mut tiles: BTreeMap<TilePath, Vec<NodeHash>> =
            needed.iter().map(|tile| (*tile, vec![NodeHash([9; 32])])).collect();
        let all = nodes_from_tiles(&nodes, size, |tile| tiles.get(tile).map(Vec::as_slice));
        assert_eq!(all, Some(vec![NodeHash([9; 32]); 2]));
        tiles.pop_last();
        assert_eq!(nodes_from_tiles(&nodes, size, |tile| tiles.get(tile).map(Vec::as_slice)), None);
    }

    proptest! {
        #[test]
        fn every_complete_node_has_a_tile_that_tells_it(size: u64, level in 0u8..64, index: u64) {
            let size = TreeSize(size >> 1);
            let count = size.0 >> level;
            prop_assume!(count > 0);
            let node = NodeCoordinate { level, index: index % count };
            let tile = TilePath::of_node(&node, size).unwrap();
            prop_assert!(node_from_tile(&node, &tile, &vec![NodeHash([1; 32]); usize::from(tile.width())]).is_some());
            prop_assert_eq!(tiles_for(&[node, node], size), [tile]);
            prop_assert_eq!(tiles_for(&[NodeCoordinate { level, index: count }], size), []);
        }

        #[test]
        fn any_coordinate_is_judged_without_panic(level: u8, index: u64, size: u64, width in 1u16..=256) {
            let node = NodeCoordinate { level, index };
            let hashes = vec![NodeHash([1; 32]); usize::from(width)];
            if let Some(tile) = TilePath::of_node(&node, TreeSize(size)) {
                let _ = node_from_tile(&node, &tile, &hashes);
            }
        }
    }
}
