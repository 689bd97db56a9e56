//! The right edge of a growing tree.

use super::{NodeCoordinate, TreeSize, complete_subtrees, empty_root, join, node_hash};
use crate::hash::{LeafHash, NodeHash, RootHash};
use alloc::vec::Vec;
use core::fmt;
use isonomy_hashing::{CHUNK_LEAVES, CHUNK_LEVEL, chunk_roots, leaf_hashes};

/// No tree has more complete subtrees side by side than its size has bits.
const MAX_NODES: usize = u64::BITS as usize;

/// A *compact range*: all that must be remembered of a tree to append to it and to know its root, in O(log n) memory.
///
/// It holds one hash for each set bit of the size, that of the complete subtree of so many leaves, left to right.
#[derive(PartialEq, Eq)]
pub struct Frontier {
    size: TreeSize,
    /// Its capacity is never below [`MAX_NODES`], so that pushing allocates nothing.
    nodes: Vec<NodeHash>,
}

impl Frontier {
    /// That of a tree without leaves.
    pub fn new() -> Self {
        Self::with_nodes(TreeSize(0), &[])
    }

    /// That of a tree of `size` leaves whose complete subtrees are `nodes`, left to right, as [`Self::coordinates`]
    /// lists them. `None` if there are too few or too many, or the size is beyond [`TreeSize::MAX`].
    ///
    /// Nothing tells whether the hashes are right but [`Self::root`], which the caller compares with a root it trusts.
    pub fn from_parts(size: TreeSize, nodes: Vec<NodeHash>) -> Option<Self> {
        let fits = size <= TreeSize::MAX && nodes.len() == size.0.count_ones() as usize;
        fits.then(|| Self::with_nodes(size, &nodes))
    }

    fn with_nodes(size: TreeSize, nodes: &[NodeHash]) -> Self {
        let mut reserved = Vec::with_capacity(MAX_NODES);
        reserved.extend_from_slice(nodes);
        Self { size, nodes: reserved }
    }

    /// That of the tree over `entries`, which are of `entry_size` bytes each, one after the other. Many are hashed at once,
    /// so it takes far less time than pushing leaf after leaf.
    ///
    /// # Panics
    /// If `entry_size` is 0.
    pub fn of_entries(entries: &[u8], entry_size: usize) -> Self {
        let mut frontier = Self::new();
        frontier.extend_with_entries(entries, entry_size);
        frontier
    }

    /// Appends the leaves of `entries`, as [`Self::of_entries`] takes them. It is as fast if the tree has a multiple of
    /// [`CHUNK_LEAVES`] leaves so far.
    ///
    /// # Panics
    /// If `entry_size` is 0.
    pub fn extend_with_entries(&mut self, entries: &[u8], entry_size: usize) {
        let is_aligned = self.size.0.is_multiple_of(CHUNK_LEAVES as u64);
        let chunks = if is_aligned { chunk_roots(entries, entry_size) } else { Vec::new() };
        for root in &chunks {
            self.push_subtree(CHUNK_LEVEL, NodeHash(*root));
        }
        let rest = entries.get(chunks.len() * CHUNK_LEAVES * entry_size..).unwrap_or_default();
        self.extend(leaf_hashes(rest, entry_size).into_iter().map(LeafHash));
    }

    /// The places of the nodes that [`Self::from_parts`] wants for a tree of this size.
    pub fn coordinates(size: TreeSize) -> Vec<NodeCoordinate> {
        complete_subtrees(0..size.0).collect()
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: LeafHash) {
        self.push_subtree(0, leaf.into());
    }

    /// Appends a complete subtree of 2^`level` leaves; the size must be a multiple of that.
    pub(crate) fn push_subtree(&mut self, level: u8, node: NodeHash) {
        // Like a carry in binary addition: each trailing one is a subtree that the new node completes to a larger one.
        let mut carried = node;
        for _ in 0..(self.size.0 >> level).trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                carried = node_hash(&left, &carried);
            }
        }
        self.nodes.push(carried);
        self.size.0 += 1 << level;
    }

    /// The number of leaves so far.
    pub fn size(&self) -> TreeSize {
        self.size
    }

    /// The hashes of the complete subtrees, left to right.
    pub fn nodes(&self) -> &[NodeHash] {
        &self.nodes
    }

    /// The root of the tree so far.
    pub fn root(&self) -> RootHash {
        join(&self.nodes).map_or_else(empty_root, |node| RootHash(node.0))
    }
}

impl Default for Frontier {
    fn default() -> Self {
        Self::new()
    }
}

impl Clone for Frontier {
    fn clone(&self) -> Self {
        Self::with_nodes(self.size, &self.nodes)
    }
}

impl fmt::Debug for Frontier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frontier({}, {})", self.size, self.root())
    }
}

impl Extend<LeafHash> for Frontier {
    fn extend<I: IntoIterator<Item = LeafHash>>(&mut self, leaves: I) {
        leaves.into_iter().for_each(|leaf| self.push(leaf));
    }
}

impl FromIterator<LeafHash> for Frontier {
    fn from_iter<I: IntoIterator<Item = LeafHash>>(leaves: I) -> Self {
        let mut frontier = Self::new();
        frontier.extend(leaves);
        frontier
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::leaf_hash;
    use alloc::vec;

    fn leaves(count: u64) -> impl Iterator<Item = LeafHash> {
        (0..count).map(|number| leaf_hash(&number.to_be_bytes()))
    }

    #[test]
    fn a_frontier_goes_on_from_its_parts() {
        for size in 0..70 {
            let whole: Frontier = leaves(100).collect();
            let part: Frontier = leaves(size).collect();
            assert_eq!(Frontier::coordinates(part.size()).len(), part.nodes().len());
            let mut restored = Frontier::from_parts(part.size(), part.nodes().to_vec()).unwrap();
            restored.extend(leaves(100).skip(size as usize));
            assert_eq!(restored, whole);
            assert_eq!(restored.root(), whole.root());
        }
    }

    #[test]
    fn entries_hashed_together_give_the_same_frontier_as_one_by_one() {
        let bytes: Vec<u8> = (0..3_000u32).flat_map(|number| number.wrapping_mul(0x9e37_79b9).to_be_bytes()).collect();
        for entry_size in [1, 4, 20, 32, 64] {
            for count in [0, 1, 2, 5, 63, 64, 187, 1_023, 1_024, 1_025, 2_047, 2_048, 2_999] {
                let entries = &bytes[..(count * entry_size).min(bytes.len() / entry_size * entry_size)];
                let expected: Frontier = entries.chunks_exact(entry_size).map(leaf_hash).collect();
                assert_eq!(Frontier::of_entries(entries, entry_size), expected, "{count} of {entry_size} bytes");
                for piece in [700, 1_024] {
                    let mut in_pieces = Frontier::new();
                    let pieces = entries.chunks(piece * entry_size);
                    pieces.for_each(|piece| in_pieces.extend_with_entries(piece, entry_size));
                    assert_eq!(in_pieces, expected, "{count} in pieces of {piece}");
                }
            }
        }
    }

    #[test]
    fn pushing_never_allocates() {
        let mut frontier = Frontier::from_parts(TreeSize((1 << 62) - 1), vec![NodeHash([1; 32]); 62]).unwrap();
        let mut copy = frontier.clone();
        for frontier in [&mut frontier, &mut copy] {
            let buffer = frontier.nodes.as_ptr();
            leaves(1000).for_each(|leaf| frontier.push(leaf));
            assert_eq!(frontier.nodes.as_ptr(), buffer);
        }
    }

    #[test]
    fn parts_that_make_no_tree_are_refused() {
        let node = NodeHash([7; 32]);
        assert!(Frontier::from_parts(TreeSize(3), vec![node]).is_none());
        assert!(Frontier::from_parts(TreeSize(4), vec![node; 2]).is_none());
        assert!(Frontier::from_parts(TreeSize(1 << 63), vec![node]).is_none());
        assert_eq!(Frontier::from_parts(TreeSize(0), vec![]), Some(Frontier::new()));
        assert_eq!(Frontier::new().root(), empty_root());
    }
}
