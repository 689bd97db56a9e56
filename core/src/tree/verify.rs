//! The one place where proofs that come from outside are judged.

use super::{Frontier, LeafIndex, PrefixPlan, TreeSize, empty_root, node_hash};
use crate::hash::{LeafHash, NodeHash, RootHash};

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The tree ends before the leaf.
    #[error("a tree of size {size} has no leaf {index}")]
    NoSuchLeaf {
        /// The index that was asked for.
        index: LeafIndex,
        /// The size of the tree.
        size: TreeSize,
    },
    /// The tree that should be the older one is the larger one.
    #[error("a tree of size {new} can't have grown from one of size {old}")]
    Shrunk {
        /// The size of the older tree.
        old: TreeSize,
        /// The size of the newer tree.
        new: TreeSize,
    },
    /// Too few or too many hashes.
    #[error("the proof must have {expected} hashes, not {actual}")]
    Length {
        /// How many the sizes demand.
        expected: usize,
        /// How many there are.
        actual: usize,
    },
    /// The hashes lead to a root that is not the given one.
    #[error("the proof does not lead to the given root of size {size}")]
    Root {
        /// The size whose root is missed.
        size: TreeSize,
    },
    /// Two roots for one size. If one log signed both, it forked.
    #[error("there are two different roots of size {size}")]
    TwoRoots {
        /// That size.
        size: TreeSize,
    },
}

/// Fails unless a proof has as many hashes as it must have.
pub(super) fn check_length(expected: usize, hashes: &[NodeHash]) -> Result<(), ProofError> {
    let actual = hashes.len();
    if actual == expected { Ok(()) } else { Err(ProofError::Length { expected, actual }) }
}

/// On which side of the way up a hash of the proof stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

/// The way from a node up to the root, in the terms of RFC 9162 sections 2.1.3.2 and 2.1.4.2: at each step the position
/// of the node (*fn*) and of the last node (*sn*) on its level.
#[derive(Clone)]
struct Climb {
    position: u64,
    last: u64,
}

impl Iterator for Climb {
    type Item = Side;

    fn next(&mut self) -> Option<Side> {
        if self.last == 0 {
            return None;
        }
        let mut side = Side::Right;
        if self.position % 2 == 1 || self.position == self.last {
            // The last node of a level, if it has no sibling, is itself its parent; so up to where it has one.
            let lonely_levels = self.position.trailing_zeros();
            self.position >>= lonely_levels;
            self.last >>= lonely_levels;
            side = Side::Left;
        }
        self.position >>= 1;
        self.last >>= 1;
        Some(side)
    }
}

/// The root that a tree of `size` leaves has if `leaf` is at `index` and `path` is its inclusion proof (RFC 9162 section
/// 2.1.3.2). It is for the caller to compare it with a root that is trusted.
pub fn root_of_inclusion(
    leaf: &LeafHash,
    index: LeafIndex,
    size: TreeSize,
    path: &[NodeHash],
) -> Result<RootHash, ProofError> {
    if index.0 >= size.0 {
        return Err(ProofError::NoSuchLeaf { index, size });
    }
    let climb = Climb { position: index.0, last: size.0 - 1 };
    check_length(climb.clone().count(), path)?;
    let root = climb.zip(path).fold(NodeHash::from(*leaf), |node, (side, sibling)| match side {
        Side::Left => node_hash(sibling, &node),
        Side::Right => node_hash(&node, sibling),
    });
    Ok(RootHash(root.0))
}

/// Whether the tree with this size and root has `leaf` at `index` (RFC 9162 section 2.1.3.2).
///
/// Size and root must come from one trusted source, such as a signed checkpoint: where two sizes give a leaf paths of one
/// shape, its proof fits the same root under both.
pub fn verify_inclusion(
    leaf: &LeafHash,
    index: LeafIndex,
    size: TreeSize,
    path: &[NodeHash],
    root: &RootHash,
) -> Result<(), ProofError> {
    let implied = root_of_inclusion(leaf, index, size, path)?;
    if implied == *root { Ok(()) } else { Err(ProofError::Root { size }) }
}

/// Whether the tree `new` starts with all the leaves of the tree `old`, in order (RFC 9162 section 2.1.4.2).
///
/// What the RFC leaves open: every tree starts with the empty one, whose root must be right and whose proof must be
/// empty; two trees of one size must have the same root, and their proof must be empty.
pub fn verify_consistency(
    old: TreeSize,
    old_root: &RootHash,
    new: TreeSize,
    new_root: &RootHash,
    path: &[NodeHash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Shrunk { old, new });
    }
    if old.0 == 0 && *old_root != empty_root() {
        return Err(ProofError::Root { size: old });
    }
    if old == new && old_root != new_root {
        return Err(ProofError::TwoRoots { size: new });
    }
    if old.0 == 0 || old == new {
        return check_length(0, path);
    }
    let (implied_old, implied_new) = roots_of_consistency(old, old_root, new, path)?;
    if implied_old != *old_root {
        return Err(ProofError::Root { size: old });
    }
    if implied_new != *new_root {
        return Err(ProofError::Root { size: new });
    }
    Ok(())
}

/// Both roots that a consistency proof implies, for 0 < `old` < `new`. Where `old` is a power of two, the proof starts
/// from the old root itself.
fn roots_of_consistency(
    old: TreeSize,
    old_root: &RootHash,
    new: TreeSize,
    path: &[NodeHash],
) -> Result<(RootHash, RootHash), ProofError> {
    // The last node of the old tree that is a complete subtree, and so a node of the new one too.
    let level = old.0.trailing_zeros();
    let climb = Climb { position: (old.0 - 1) >> level, last: (new.0 - 1) >> level };
    let is_whole_old_tree = old.0.is_power_of_two();
    check_length(climb.clone().count() + usize::from(!is_whole_old_tree), path)?;
    let (start, siblings) = match path.split_first() {
        Some((first, rest)) if !is_whole_old_tree => (*first, rest),
        _ => (NodeHash(old_root.0), path),
    };
    let (mut old_node, mut new_node) = (start, start);
    for (side, sibling) in climb.zip(siblings) {
        match side {
            Side::Left => {
                old_node = node_hash(sibling, &old_node);
                new_node = node_hash(sibling, &new_node);
            }
            Side::Right => new_node = node_hash(&new_node, sibling),
        }
    }
    Ok((RootHash(old_node.0), RootHash(new_node.0)))
}

/// The roots of sizes `old` and `new` that the nodes of a [prefix proof](super#prefix-proof) imply.
///
/// They are only worth something by comparison. If the second is a log's signed root of size `new`, the first is what
/// that tree has as its prefix; if the log also signed another root of size `old`, it forked.
pub fn prefix_roots(old: TreeSize, new: TreeSize, nodes: &[NodeHash]) -> Result<(RootHash, RootHash), ProofError> {
    let plan = PrefixPlan::new(old, new).ok_or(ProofError::Shrunk { old, new })?;
    check_length(plan.nodes().len(), nodes)?;
    let mut subtrees = plan.nodes().iter().zip(nodes);
    let mut frontier = Frontier::new();
    while frontier.size() < old
        && let Some((place, node)) = subtrees.next()
    {
        frontier.push_subtree(place.level, *node);
    }
    let old_root = frontier.root();
    for (place, node) in subtrees {
        frontier.push_subtree(place.level, *node);
    }
    Ok((old_root, frontier.root()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{leaf_hash, node_hash};
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    const A: NodeHash = NodeHash([0xa; 32]);

    fn root(size: u64) -> RootHash {
        (0..size).map(|number| leaf_hash(&number.to_be_bytes())).collect::<Frontier>().root()
    }

    #[test]
    fn three_leaves_by_hand() {
        let leaf = |number: u64| leaf_hash(&number.to_be_bytes());
        let pair = node_hash(&leaf(0).into(), &leaf(1).into());
        let proof = [leaf(1).into(), leaf(2).into()];
        assert_eq!(verify_inclusion(&leaf(0), LeafIndex(0), TreeSize(3), &proof, &root(3)), Ok(()));
        assert_eq!(verify_inclusion(&leaf(2), LeafIndex(2), TreeSize(3), &[pair], &root(3)), Ok(()));
        let (two, three) = (TreeSize(2), TreeSize(3));
        assert_eq!(verify_consistency(two, &root(2), three, &root(3), &[leaf(2).into()]), Ok(()));
        let nodes = [pair, leaf(2).into()];
        assert_eq!(prefix_roots(two, three, &nodes), Ok((root(2), root(3))));
    }

    #[test]
    fn the_empty_tree_starts_every_tree() {
        let (none, five) = (TreeSize(0), TreeSize(5));
        assert_eq!(verify_consistency(none, &empty_root(), five, &root(5), &[]), Ok(()));
        assert_eq!(verify_consistency(none, &empty_root(), none, &empty_root(), &[]), Ok(()));
        let wrong_root = Err(ProofError::Root { size: none });
        assert_eq!(verify_consistency(none, &root(1), five, &root(5), &[]), wrong_root);
        assert_eq!(verify_consistency(none, &root(1), none, &root(1), &[]), wrong_root);
        let too_long = Err(ProofError::Length { expected: 0, actual: 1 });
        assert_eq!(verify_consistency(none, &empty_root(), five, &root(5), &[A]), too_long);
        assert_eq!(prefix_roots(none, none, &[]), Ok((empty_root(), empty_root())));
    }

    #[test]
    fn one_size_has_one_root() {
        let five = TreeSize(5);
        assert_eq!(verify_consistency(five, &root(5), five, &root(5), &[]), Ok(()));
        let forked = Err(ProofError::TwoRoots { size: five });
        assert_eq!(verify_consistency(five, &root(5), five, &root(6), &[]), forked);
        let too_long = Err(ProofError::Length { expected: 0, actual: 1 });
        assert_eq!(verify_consistency(five, &root(5), five, &root(5), &[A]), too_long);
    }

    #[test]
    fn a_tree_never_shrinks_and_has_no_leaf_beyond_its_end() {
        let (five, six) = (TreeSize(5), TreeSize(6));
        let shrunk = ProofError::Shrunk { old: six, new: five };
        assert_eq!(verify_consistency(six, &root(6), five, &root(5), &[]), Err(shrunk));
        assert_eq!(prefix_roots(six, five, &[]), Err(shrunk));
        for index in [5, 6, u64::MAX] {
            let index = LeafIndex(index);
            let outside = ProofError::NoSuchLeaf { index, size: five };
            assert_eq!(root_of_inclusion(&leaf_hash(b""), index, five, &[A]), Err(outside));
        }
        let nothing = ProofError::NoSuchLeaf { index: LeafIndex(0), size: TreeSize(0) };
        assert_eq!(root_of_inclusion(&leaf_hash(b""), LeafIndex(0), TreeSize(0), &[]), Err(nothing));
    }

    proptest! {
        #[test]
        fn any_numbers_and_hashes_are_judged_without_panic(a: u64, b: u64, small in 0u64..200, length in 0usize..140) {
            let hashes: Vec<NodeHash> = vec![A; length];
            for (old, new) in [(a, b), (b, a), (small, b), (a, small), (a, u64::MAX), (a, a.saturating_add(small))] {
                let (old, new, index) = (TreeSize(old), TreeSize(new), LeafIndex(old));
                let _ = root_of_inclusion(&LeafHash(A.0), index, new, &hashes);
                let _ = prefix_roots(old, new, &hashes);
                let accepted = verify_consistency(old, &RootHash(A.0), new, &RootHash(A.0), &hashes).is_ok();
                prop_assert!(!accepted || (old == new && hashes.is_empty()));
            }
        }
    }
}
