//! Append-only Merkle trees over a log's entries: RFC 6962 section 2.1, with the verifiers of RFC 9162 section 2.1.
//!
//! ```text
//! leaf  = SHA-256(0x00 ‖ entry)
//! node  = SHA-256(0x01 ‖ left ‖ right)
//! empty = SHA-256("")
//!
//! root of n > 1 leaves = node(root of the first k, root of the rest), k the largest power of two below n
//! ```
//!
//! | to do | use |
//! |---|---|
//! | judge a proof | [`verify_inclusion`], [`root_of_inclusion`], [`verify_consistency`], [`prefix_roots`] |
//! | hash leaf after leaf in O(log n) memory | [`Frontier`] |
//! | make a proof | [`InclusionPlan`], [`ConsistencyPlan`], [`PrefixPlan`] |
//!
//! A prover never reads by itself. Its plan says which nodes ([`NodeCoordinate`]) it needs, the caller reads them all at
//! once from wherever they are, for instance from [`tile`](crate::tile)s, and the plan combines them to the proof.
//!
//! # Prefix proof
//!
//! A consistency proof judges two roots but can't say what the old root should have been: if the old size is a power of
//! two, the proof leaves out the one node that tells. A prefix proof leaves nothing out. It holds the complete subtrees
//! of the first `old` leaves, left to right, followed by those that fill the tree up to `new`, left to right, each as
//! large as its place allows:
//!
//! ```text
//! old = 6, new = 11:   [0..4) [4..6)   [6..8) [8..10) [10..11)
//! ```
//!
//! Both roots follow from these nodes alone. If the second is the signed root of size `new`, then the first is the only
//! root that the log may ever have signed for size `old`; another one is proof of a fork.

mod frontier;
mod plan;
mod verify;

pub use frontier::Frontier;
pub use plan::{ConsistencyPlan, InclusionPlan, PrefixPlan};
pub use verify::{ProofError, prefix_roots, root_of_inclusion, verify_consistency, verify_inclusion};

use crate::hash::{HASH_SIZE, LeafHash, NodeHash, RootHash, sha256};
use core::fmt;
use core::ops::Range;
use serde::{Deserialize, Serialize};

/// A number of leaves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct TreeSize(pub u64);

impl TreeSize {
    /// The largest tree that C2SP's formats can name.
    pub const MAX: Self = Self(i64::MAX as u64);
}

/// Shows the decimal number, as in a checkpoint.
impl fmt::Display for TreeSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The position of a leaf, counted from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
pub struct LeafIndex(pub u64);

/// Shows the decimal number, as in a proof.
impl fmt::Display for LeafIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The place of a complete subtree: the one over the 2^`level` leaves from `index` · 2^`level`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct NodeCoordinate {
    /// Height above the leaves, which are at level 0.
    pub level: u8,
    /// Position among the nodes of that level, counted from 0.
    pub index: u64,
}

impl NodeCoordinate {
    /// The place of a leaf.
    pub fn of_leaf(index: LeafIndex) -> Self {
        Self { level: 0, index: index.0 }
    }

    /// Whether a tree of this size has all the leaves below this node, so that the node will never change.
    pub fn is_complete_in(&self, size: TreeSize) -> bool {
        size.0.checked_shr(u32::from(self.level)).is_some_and(|nodes| self.index < nodes)
    }
}

/// The hash of a leaf that holds `entry`.
pub fn leaf_hash(entry: &[u8]) -> LeafHash {
    LeafHash(sha256(&[&[0x00], entry]))
}

/// The hash of the node above `left` and `right`.
pub fn node_hash(left: &NodeHash, right: &NodeHash) -> NodeHash {
    // One buffer, so that the hasher gets both of its blocks with a single call.
    let mut preimage = [0x01; 1 + 2 * HASH_SIZE];
    preimage[1..=HASH_SIZE].copy_from_slice(&left.0);
    preimage[1 + HASH_SIZE..].copy_from_slice(&right.0);
    NodeHash(sha256(&[&preimage]))
}

/// The root of a tree without leaves.
pub fn empty_root() -> RootHash {
    RootHash(sha256(&[]))
}

/// A leaf, where a proof or tile treats leaves and nodes alike.
impl From<LeafHash> for NodeHash {
    fn from(leaf: LeafHash) -> Self {
        Self(leaf.0)
    }
}

/// Joins adjacent subtrees, each complete and smaller than the one before it, to the node above them all; `None` if
/// there are none.
fn join(subtrees: &[NodeHash]) -> Option<NodeHash> {
    subtrees.iter().copied().rev().reduce(|right, left| node_hash(&left, &right))
}

/// The largest complete subtrees that together have exactly these leaves, left to right.
fn complete_subtrees(leaves: Range<u64>) -> impl Iterator<Item = NodeCoordinate> {
    let Range { start: mut at, end } = leaves;
    core::iter::from_fn(move || {
        let room = end.checked_sub(at)?.checked_ilog2()?;
        let level = room.min(at.trailing_zeros());
        let node = NodeCoordinate { level: level as u8, index: at >> level };
        at += 1 << level;
        Some(node)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::to_hex;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn hashes_are_those_of_the_rfc() {
        // The roots that the Certificate Transparency implementations share as test vectors.
        assert_eq!(to_hex(&empty_root().0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(to_hex(&leaf_hash(b"").0), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
        let one = leaf_hash(&[0x00]);
        assert_eq!(
            to_hex(&node_hash(&leaf_hash(b"").into(), &one.into()).0),
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
        );
    }

    #[test]
    fn sizes_and_indexes_are_numbers_everywhere() {
        assert_eq!(serde_json::to_string(&TreeSize(70_000)).unwrap(), "70000");
        assert_eq!(serde_json::from_str::<LeafIndex>("7").unwrap(), LeafIndex(7));
        assert_eq!(alloc::format!("{} {}", TreeSize::MAX, LeafIndex(0)), "9223372036854775807 0");
    }

    #[test]
    fn a_node_is_complete_once_its_last_leaf_is_there() {
        let node = NodeCoordinate { level: 3, index: 1 };
        assert!(!node.is_complete_in(TreeSize(15)));
        assert!(node.is_complete_in(TreeSize(16)));
        assert!(!NodeCoordinate { level: 64, index: 0 }.is_complete_in(TreeSize(u64::MAX)));
        assert!(!NodeCoordinate { level: 0, index: u64::MAX }.is_complete_in(TreeSize(u64::MAX)));
    }

    proptest! {
        #[test]
        fn complete_subtrees_cover_their_leaves_once(a: u64, b: u64) {
            let (start, end) = (a.min(b), a.max(b));
            let nodes: Vec<_> = complete_subtrees(start..end).collect();
            prop_assert!(nodes.len() <= 127);
            let mut at = u128::from(start);
            for node in &nodes {
                prop_assert!(node.is_complete_in(TreeSize(end)));
                prop_assert_eq!(u128::from(node.index) << node.level, at);
                at += 1 << node.level;
            }
            prop_assert_eq!(at, u128::from(end));
            // No two neighbours are the two halves of a larger subtree.
            for pair in nodes.windows(2) {
                prop_assert!(pair[0].level != pair[1].level || pair[0].index % 2 == 1);
            }
        }
    }
}
