//! Provers: which nodes a proof needs, and how it is made of them.

use super::verify::{ProofError, check_length};
use super::{LeafIndex, NodeCoordinate, TreeSize, complete_subtrees, join};
use crate::hash::NodeHash;
use alloc::vec::Vec;
use core::ops::Range;

/// A proof whose hashes are the roots over certain ranges of leaves, each made of one or more complete subtrees.
#[derive(Clone, Debug, PartialEq, Eq)]
struct RangesPlan {
    nodes: Vec<NodeCoordinate>,
    /// How many of the nodes make each hash of the proof.
    counts: Vec<usize>,
}

impl RangesPlan {
    fn new(ranges: Vec<Range<u64>>) -> Self {
        let mut plan = Self { nodes: Vec::new(), counts: Vec::with_capacity(ranges.len()) };
        for leaves in ranges {
            let before = plan.nodes.len();
            plan.nodes.extend(complete_subtrees(leaves));
            plan.counts.push(plan.nodes.len() - before);
        }
        plan
    }

    fn combine(&self, hashes: &[NodeHash]) -> Result<Vec<NodeHash>, ProofError> {
        check_length(self.nodes.len(), hashes)?;
        let mut rest = hashes;
        let mut next = |&count: &usize| {
            let (subtrees, after) = rest.split_at(count);
            rest = after;
            join(subtrees)
        };
        Ok(self.counts.iter().filter_map(&mut next).collect())
    }
}

/// Where RFC 6962 divides the leaves of a tree that has more than one: after the largest power of two below their number.
fn middle(leaves: &Range<u64>) -> u64 {
    leaves.start + (1 << (leaves.end - leaves.start - 1).ilog2())
}

/// The ranges whose roots make `PATH(index, D[size])` of RFC 6962 section 2.1.1, in its order.
fn inclusion_ranges(index: u64, size: u64) -> Vec<Range<u64>> {
    let mut proof = Vec::new();
    let mut within = 0..size;
    while within.end - within.start > 1 {
        let (left, right) = (within.start..middle(&within), middle(&within)..within.end);
        let (inside, outside) = if left.contains(&index) { (left, right) } else { (right, left) };
        proof.push(outside);
        within = inside;
    }
    proof.reverse();
    proof
}

/// The ranges whose roots make `PROOF(old, D[new])` of RFC 6962 section 2.1.2, in its order, for 0 < `old` <= `new`.
fn consistency_ranges(old: u64, new: u64) -> Vec<Range<u64>> {
    let mut proof = Vec::new();
    let mut within = 0..new;
    while within.end > old {
        let (left, right) = (within.start..middle(&within), middle(&within)..within.end);
        let (inside, outside) = if old <= left.end { (left, right) } else { (right, left) };
        proof.push(outside);
        within = inside;
    }
    // Who checks the proof knows the root over the first `old` leaves; it is not repeated.
    if within.start > 0 {
        proof.push(within);
    }
    proof.reverse();
    proof
}

/// How to prove that a leaf is in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionPlan(RangesPlan);

impl InclusionPlan {
    /// For the leaf at `index` of a tree of this size; `None` if the tree ends before it.
    pub fn new(index: LeafIndex, size: TreeSize) -> Option<Self> {
        (index.0 < size.0).then(|| Self(RangesPlan::new(inclusion_ranges(index.0, size.0))))
    }

    /// The nodes to read.
    pub fn nodes(&self) -> &[NodeCoordinate] {
        &self.0.nodes
    }

    /// The proof that [`verify_inclusion`](super::verify_inclusion) wants, made of the hashes of these nodes.
    pub fn combine(&self, hashes: &[NodeHash]) -> Result<Vec<NodeHash>, ProofError> {
        self.0.combine(hashes)
    }
}

/// How to prove that a tree is the start of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyPlan(RangesPlan);

impl ConsistencyPlan {
    /// For trees of these sizes; `None` if `old` is the larger one. The proof is empty if the sizes are equal or `old`
    /// is 0.
    pub fn new(old: TreeSize, new: TreeSize) -> Option<Self> {
        let ranges = match old.0 {
            _ if old > new => return None,
            0 => Vec::new(),
            _ => consistency_ranges(old.0, new.0),
        };
        Some(Self(RangesPlan::new(ranges)))
    }

    /// The nodes to read.
    pub fn nodes(&self) -> &[NodeCoordinate] {
        &self.0.nodes
    }

    /// The proof that [`verify_consistency`](super::verify_consistency) wants, made of the hashes of these nodes.
    pub fn combine(&self, hashes: &[NodeHash]) -> Result<Vec<NodeHash>, ProofError> {
        self.0.combine(hashes)
    }
}

/// How to show what root a tree had at an earlier size: a [prefix proof](super#prefix-proof).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrefixPlan {
    nodes: Vec<NodeCoordinate>,
}

impl PrefixPlan {
    /// For the first `old` leaves of a tree of size `new`; `None` if it has fewer.
    pub fn new(old: TreeSize, new: TreeSize) -> Option<Self> {
        let nodes = || complete_subtrees(0..old.0).chain(complete_subtrees(old.0..new.0)).collect();
        (old <= new).then(|| Self { nodes: nodes() })
    }

    /// The nodes to read.
    pub fn nodes(&self) -> &[NodeCoordinate] {
        &self.nodes
    }

    /// The proof that [`prefix_roots`](super::prefix_roots) wants: the hashes of these nodes as they are.
    pub fn combine(&self, hashes: &[NodeHash]) -> Result<Vec<NodeHash>, ProofError> {
        check_length(self.nodes.len(), hashes)?;
        Ok(hashes.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_rfc() {
        // RFC 6962 section 2.1.3, a tree of seven leaves: the path of d0 is b, h, l; of d3 c, g, l; of d4 f, j, k; of d6
        // i, k.
        let paths = [
            (0, vec![1..2, 2..4, 4..7]),
            (3, vec![2..3, 0..2, 4..7]),
            (4, vec![5..6, 6..7, 0..4]),
            (6, vec![4..6, 0..4]),
        ];
        for (index, path) in paths {
            assert_eq!(inclusion_ranges(index, 7), path);
        }
        // And from sizes 3, 4 and 6 to 7: c, d, g, l; l; i, j, k.
        assert_eq!(consistency_ranges(3, 7), [2..3, 3..4, 0..2, 4..7]);
        assert_eq!(consistency_ranges(4, 7), [Range { start: 4, end: 7 }]);
        assert_eq!(consistency_ranges(6, 7), [4..6, 6..7, 0..4]);
    }

    #[test]
    fn what_the_tree_does_not_have_can_not_be_proven() {
        assert_eq!(InclusionPlan::new(LeafIndex(7), TreeSize(7)), None);
        assert_eq!(InclusionPlan::new(LeafIndex(0), TreeSize(0)), None);
        assert_eq!(ConsistencyPlan::new(TreeSize(8), TreeSize(7)), None);
        assert_eq!(PrefixPlan::new(TreeSize(8), TreeSize(7)), None);
        for (old, new) in [(0, 0), (0, 7), (7, 7)] {
            assert!(ConsistencyPlan::new(TreeSize(old), TreeSize(new)).unwrap().nodes().is_empty());
        }
    }

    #[test]
    fn a_plan_takes_exactly_its_nodes() {
        let inclusion = InclusionPlan::new(LeafIndex(2), TreeSize(7)).unwrap();
        let prefix = PrefixPlan::new(TreeSize(6), TreeSize(11)).unwrap();
        let some = [NodeHash([1; 32]); 9];
        assert_eq!(inclusion.combine(&some[..4]).map(|proof| proof.len()), Ok(3));
        assert_eq!(inclusion.combine(&some[..3]), Err(ProofError::Length { expected: 4, actual: 3 }));
        assert_eq!(prefix.combine(&some[..5]).map(|proof| proof.len()), Ok(5));
        assert_eq!(prefix.combine(&some[..6]), Err(ProofError::Length { expected: 5, actual: 6 }));
    }

    proptest! {
        #[test]
        fn plans_of_any_size_are_small_and_within_the_tree(a: u64, b: u64) {
            let (old, new) = (TreeSize(a.min(b)), TreeSize(a.max(b)));
            let nodes = [
                InclusionPlan::new(LeafIndex(old.0), new).map(|plan| plan.nodes().to_vec()),
                ConsistencyPlan::new(old, new).map(|plan| plan.nodes().to_vec()),
                PrefixPlan::new(old, new).map(|plan| plan.nodes().to_vec()),
            ];
            for node in nodes.iter().flatten().flatten() {
                prop_assert!(node.is_complete_in(new));
            }
            prop_assert!(nodes.iter().flatten().all(|nodes| nodes.len() <= 192));
        }
    }
}
