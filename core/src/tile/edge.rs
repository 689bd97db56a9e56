//! How a log grows, tile by tile.

use super::nodes::{node_within, root_of_row};
use super::{LEVELS, TILE_HEIGHT, TILE_WIDTH, TileError, TileKind, TilePath, encode_hashes};
use crate::hash::{LeafHash, NodeHash, RootHash};
use crate::tree::{Frontier, TreeSize};
use alloc::vec::Vec;
use core::mem;

/// A tile of hashes with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Its name, which also says how many hashes there are.
    pub path: TilePath,
    /// Its hashes, left to right.
    pub hashes: Vec<NodeHash>,
}

impl Tile {
    /// The bytes of the tile.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode_hashes(&self.hashes)
    }
}

/// The partial tiles of a tree: all that must be read of it to append to it.
///
/// A log reads [`Self::partial_tiles`] once, makes the edge with [`Self::from_tiles`], compares [`Self::root`] with its
/// signed checkpoint, and from then on keeps the edge in memory. To append, it writes the tiles that [`Self::append`]
/// gives, signs the new edge's root, and only then puts the new edge in the place of the old.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RightEdge {
    size: TreeSize,
    /// The hashes of the partial tile of each level; empty where there is none.
    rows: [Vec<NodeHash>; LEVELS],
}

impl RightEdge {
    /// That of a tree without leaves.
    pub fn new() -> Self {
        Self { size: TreeSize(0), rows: Default::default() }
    }

    /// The names of the partial tiles of a tree of this size, from the leaves upward.
    pub fn partial_tiles(size: TreeSize) -> Vec<TilePath> {
        let partial = |level: u8| {
            let count = size.0 >> (level * TILE_HEIGHT);
            TilePath::among(count, TileKind::Hashes { level }, count / u64::from(TILE_WIDTH))
        };
        (0..LEVELS as u8).filter_map(partial).collect()
    }

    /// The edge of a tree of this size from its partial tiles, in the order of [`Self::partial_tiles`].
    pub fn from_tiles(size: TreeSize, tiles: Vec<Vec<NodeHash>>) -> Result<Self, TileError> {
        let paths = Self::partial_tiles(size);
        let as_wide = |(path, hashes): (&TilePath, &Vec<NodeHash>)| usize::from(path.width()) == hashes.len();
        if size > TreeSize::MAX || paths.len() != tiles.len() || !paths.iter().zip(&tiles).all(as_wide) {
            return Err(TileError::NotTheEdge { size });
        }
        let mut tiles = tiles.into_iter();
        let rows = core::array::from_fn(|level| {
            let count = size.0 >> (level * usize::from(TILE_HEIGHT));
            let has_partial = !count.is_multiple_of(u64::from(TILE_WIDTH));
            has_partial.then(|| tiles.next()).flatten().unwrap_or_default()
        });
        Ok(Self { size, rows })
    }

    /// The number of leaves.
    pub fn size(&self) -> TreeSize {
        self.size
    }

    /// The complete subtrees of the tree.
    pub fn frontier(&self) -> Frontier {
        let mut frontier = Frontier::new();
        for place in Frontier::coordinates(self.size) {
            let row = self.rows.get(usize::from(place.level / TILE_HEIGHT));
            if let Some(node) = row.and_then(|row| node_within(&place, row)) {
                frontier.push_subtree(place.level, node);
            }
        }
        frontier
    }

    /// The root of the tree.
    pub fn root(&self) -> RootHash {
        self.frontier().root()
    }

    /// The edge after appending `leaves`, and every tile that the larger tree has and this one has not, partial and full,
    /// of all levels. Nothing of the smaller tree's tiles changes.
    pub fn append(&self, leaves: &[LeafHash]) -> (Self, Vec<Tile>) {
        let mut edge = self.clone();
        let mut tiles = Vec::new();
        for leaf in leaves {
            edge.push(*leaf, &mut tiles);
        }
        let before = Self::partial_tiles(self.size);
        let rows = edge.rows.iter().filter(|row| !row.is_empty());
        let partial = Self::partial_tiles(edge.size).into_iter().zip(rows);
        let new = partial.filter(|(path, _)| !before.contains(path));
        tiles.extend(new.map(|(path, row)| Tile { path, hashes: row.clone() }));
        (edge, tiles)
    }

    /// Appends one leaf, and adds the tiles that it fills to `full`.
    fn push(&mut self, leaf: LeafHash, full: &mut Vec<Tile>) {
        let mut position = self.size.0;
        let mut carried = NodeHash::from(leaf);
        for (level, row) in (0..).zip(&mut self.rows) {
            position >>= TILE_HEIGHT;
            row.push(carried);
            if row.len() < usize::from(TILE_WIDTH) {
                break;
            }
            let hashes = mem::take(row);
            let path = TilePath::new(TileKind::Hashes { level }, position, TILE_WIDTH);
            let Some((path, root)) = path.zip(root_of_row(&hashes)) else { break };
            full.push(Tile { path, hashes });
            carried = root;
        }
        self.size.0 += 1;
    }
}

impl Default for RightEdge {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::tiles_of;
    use crate::tree::leaf_hash;
    use alloc::collections::{BTreeMap, BTreeSet};
    use alloc::string::ToString;
    use alloc::vec;
    use proptest::prelude::*;

    fn leaves(count: u64) -> Vec<LeafHash> {
        (0..count).map(|number| leaf_hash(&number.to_be_bytes())).collect()
    }

    #[test]
    fn a_full_tile_and_the_first_hash_above_it_come_together() {
        let (edge, first) = RightEdge::new().append(&leaves(255));
        assert_eq!(first.iter().map(|tile| tile.path.to_string()).collect::<Vec<_>>(), ["tile/0/000.p/255"]);
        let (edge, then) = edge.append(&leaves(1));
        assert_eq!(then.iter().map(|tile| tile.path.to_string()).collect::<Vec<_>>(), ["tile/0/000", "tile/1/000.p/1"]);
        assert_eq!(then[0].hashes[..255], first[0].hashes);
        assert_eq!(then[1].hashes, [NodeHash(edge.root().0)]);
        assert_eq!(then[0].to_bytes().len(), 8192);
        assert_eq!(edge.append(&[]), (edge.clone(), vec![]));
    }

    #[test]
    fn only_the_partial_tiles_of_that_size_make_an_edge() {
        let size = TreeSize(70_000);
        let paths: Vec<_> = RightEdge::partial_tiles(size).iter().map(ToString::to_string).collect();
        assert_eq!(paths, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
        let row = |width| vec![NodeHash([1; 32]); width];
        let refused = Err(TileError::NotTheEdge { size });
        assert!(RightEdge::from_tiles(size, vec![row(112), row(17), row(1)]).is_ok());
        assert_eq!(RightEdge::from_tiles(size, vec![row(112), row(17)]), refused);
        assert_eq!(RightEdge::from_tiles(size, vec![row(17), row(112), row(1)]), refused);
        assert_eq!(RightEdge::from_tiles(size, vec![row(112), row(17), row(1), row(1)]), refused);
        let beyond = TreeSize(1 << 63);
        assert_eq!(RightEdge::from_tiles(beyond, vec![row(128)]), Err(TileError::NotTheEdge { size: beyond }));
        assert_eq!(RightEdge::from_tiles(TreeSize(0), vec![]), Ok(RightEdge::new()));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn growth_in_any_steps_writes_each_tile_once(steps in proptest::collection::vec(0usize..2000, 1..6)) {
            let all = leaves(10_000);
            let mut written = BTreeMap::new();
            let mut edge = RightEdge::new();
            for step in steps {
                let from = edge.size().0 as usize;
                let (next, tiles) = edge.append(&all[from..from + step]);
                for tile in tiles {
                    prop_assert_eq!(usize::from(tile.path.width()), tile.hashes.len());
                    prop_assert_eq!(written.insert(tile.path, tile.hashes), None);
                }
                let frontier: Frontier = all[..from + step].iter().copied().collect();
                prop_assert_eq!(next.frontier(), frontier);
                let kept: BTreeSet<_> = written.keys().copied().collect();
                prop_assert!(tiles_of(next.size()).all(|tile| kept.contains(&tile)));
                let partial = RightEdge::partial_tiles(next.size());
                let partial = partial.iter().map(|path| written[path].clone()).collect();
                let restored = RightEdge::from_tiles(next.size(), partial);
                prop_assert_eq!(restored.as_ref(), Ok(&next));
                edge = next;
            }
        }
    }
}
