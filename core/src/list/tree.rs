//! Proofs that a list holds an entry, or does not.
//!
//! Proofs are made by `rs_merkle` under a hasher of our own, over a chunk of the list and over the roots of all chunks, and
//! verified by [`crate::tree::verify_inclusion`] alone. An entry is *not* in a list if two neighbours of the list enclose
//! it.

use super::entries::Entries;
use crate::encoding::{from_base64, to_base64};
use crate::hash::{HASH_SIZE, ListRoot, NodeHash, RootHash, StatementId};
use crate::tree::{LeafIndex, ProofError, TreeSize, empty_root, leaf_hash, node_hash, verify_inclusion};
use alloc::string::String;
use alloc::vec::Vec;
use isonomy_hashing::{CHUNK_LEAVES, chunk_roots, leaf_hashes};
use rs_merkle::{Hasher, MerkleTree};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The hashes of RFC 6962, for `rs_merkle`: a leaf can never pass for a node, and a node without a right sibling
/// rises unchanged.
#[derive(Clone, Copy, Debug)]
pub struct ListHasher;

impl Hasher for ListHasher {
    type Hash = [u8; HASH_SIZE];

    fn hash(entry: &[u8]) -> Self::Hash {
        leaf_hash(entry).0
    }

    fn concat_and_hash(left: &Self::Hash, right: Option<&Self::Hash>) -> Self::Hash {
        right.map_or(*left, |right| node_hash(&NodeHash(*left), &NodeHash(*right)).0)
    }
}

/// The tree of a list, from which any number of proofs can be had.
///
/// It holds the roots of chunks of 2^[`CHUNK_LEVEL`](isonomy_hashing::CHUNK_LEVEL) entries, hashed many at once, and the tree of `rs_merkle` over those
/// roots; a proof hashes its own chunk anew. So it takes as long as the root and next to no memory, where a whole tree of
/// `rs_merkle` would take some 300 bytes for each entry.
pub struct ListTree<'l> {
    entries: &'l Entries,
    /// Its leaves are the chunks' roots, the last one's too where that is not complete: RFC 6962 divides a tree at
    /// powers of two, so no chunk is ever cut.
    above: MerkleTree<ListHasher>,
}

impl<'l> ListTree<'l> {
    /// The tree of `entries`.
    pub fn new(entries: &'l Entries) -> Self {
        let mut roots = chunk_roots(entries.as_bytes(), entries.entry_size());
        roots.extend(chunk(entries, roots.len()).and_then(|rest| rest.root()));
        Self { entries, above: MerkleTree::from_leaves(&roots) }
    }

    /// The root of the tree.
    pub fn root(&self) -> ListRoot {
        ListRoot(self.above.root().unwrap_or(empty_root().0))
    }

    /// The place of an entry.
    pub fn find(&self, entry: &[u8]) -> Option<usize> {
        self.entries.binary_search(entry).ok()
    }

    /// As [`MembershipProof::new`].
    pub fn membership(&self, index: usize) -> Option<MembershipProof> {
        let entry = self.entries.get(index)?.to_vec();
        let (number, within) = (index / CHUNK_LEAVES, index % CHUNK_LEAVES);
        let below = chunk(self.entries, number)?.proof(&[within]);
        let above = self.above.proof(&[number]);
        let path = [below.proof_hashes(), above.proof_hashes()].concat().into_iter().map(NodeHash).collect();
        Some(MembershipProof { index: LeafIndex(index as u64), entry, path })
    }

    /// As [`NonMembershipProof::new`].
    pub fn non_membership(&self, entry: &[u8]) -> Option<NonMembershipProof> {
        let place = self.entries.binary_search(entry).err()?;
        let below = place.checked_sub(1).and_then(|place| self.membership(place));
        Some(NonMembershipProof { below, above: self.membership(place) })
    }
}

/// The tree of the entries from number · [`CHUNK_LEAVES`] on, at most one chunk of them; `None` beyond the end.
fn chunk(entries: &Entries, number: usize) -> Option<MerkleTree<ListHasher>> {
    let size = CHUNK_LEAVES * entries.entry_size();
    let bytes = entries.as_bytes().get(number.checked_mul(size)?..).filter(|rest| !rest.is_empty())?;
    let bytes = &bytes[..size.min(bytes.len())];
    Some(MerkleTree::from_leaves(&leaf_hashes(bytes, entries.entry_size())))
}

/// Why a proof does not prove anything.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListProofError {
    /// The path does not lead from the entry to the root.
    #[error(transparent)]
    Inclusion(#[from] ProofError),
    /// The entries shown are in the list, but don't enclose the one in question.
    #[error("the proof of absence shows nothing: {0}")]
    NotEnclosed(&'static str),
    /// Not a proof at all.
    #[error("malformed proof: {0}")]
    Malformed(String),
    /// It deals with another release.
    #[error("the proof deals with the release {expected}, not with {found}")]
    OtherRelease {
        /// The release that the proof names.
        expected: StatementId,
        /// The release that was brought along.
        found: StatementId,
    },
}

/// That a list holds an entry: its place, and the audit path from there to the root.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MembershipProof {
    /// The place of the entry in the list, counted from 0.
    pub index: LeafIndex,
    /// The entry.
    #[serde(serialize_with = "serialize_entry", deserialize_with = "deserialize_entry")]
    pub entry: Vec<u8>,
    /// The audit path of RFC 9162, from the leaf upwards.
    pub path: Vec<NodeHash>,
}

impl MembershipProof {
    /// The proof that the list holds what it has at `index`; `None` beyond its end. It takes as long as the root; who
    /// needs many asks a [`ListTree`].
    pub fn new(entries: &Entries, index: usize) -> Option<Self> {
        ListTree::new(entries).membership(index)
    }

    /// Succeeds if the list of `size` entries with this `root`, both from a release, holds the entry at the index.
    pub fn verify(&self, root: &ListRoot, size: u64) -> Result<(), ListProofError> {
        let leaf = leaf_hash(&self.entry);
        Ok(verify_inclusion(&leaf, self.index, TreeSize(size), &self.path, &RootHash(root.0))?)
    }
}

/// That a list does not hold an entry: the two neighbours between which it would stand, or the one beside which it
/// would stand at an end of the list, or nothing if the list is empty.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NonMembershipProof {
    /// The greatest entry that is less; none if the list begins with a greater one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<MembershipProof>,
    /// The least entry that is greater; none if the list ends with a lesser one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<MembershipProof>,
}

impl NonMembershipProof {
    /// The proof that the list does not hold `entry`; `None` if it does. It takes as long as the root; who needs many asks
    /// a [`ListTree`].
    pub fn new(entries: &Entries, entry: &[u8]) -> Option<Self> {
        ListTree::new(entries).non_membership(entry)
    }

    /// Succeeds if the list of `size` entries with this `root`, both from a release, does not hold `entry`.
    pub fn verify(&self, entry: &[u8], root: &ListRoot, size: u64) -> Result<(), ListProofError> {
        self.check_places(size)?;
        for (neighbour, is_on_its_side) in [
            (&self.below, (|neighbour, entry| neighbour < entry) as fn(&[u8], &[u8]) -> bool),
            (&self.above, |neighbour, entry| neighbour > entry),
        ] {
            let Some(neighbour) = neighbour else { continue };
            if neighbour.entry.len() != entry.len() || !is_on_its_side(&neighbour.entry, entry) {
                return Err(ListProofError::NotEnclosed("a neighbour is not on its side of the entry"));
            }
            neighbour.verify(root, size)?;
        }
        if size == 0 && root.0 != empty_root().0 {
            return Err(ListProofError::NotEnclosed("the root is not that of the empty list"));
        }
        Ok(())
    }

    /// Succeeds if nothing can stand between the two neighbours, or beyond the one at an end.
    fn check_places(&self, size: u64) -> Result<(), ListProofError> {
        let next = self.below.as_ref().map_or(Some(0), |below| below.index.0.checked_add(1));
        let place = self.above.as_ref().map_or(size, |above| above.index.0);
        if next == Some(place) {
            return Ok(());
        }
        Err(ListProofError::NotEnclosed("the two places are not next to each other"))
    }
}

fn serialize_entry<S: Serializer>(entry: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_base64(entry))
}

fn deserialize_entry<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    from_base64(&text).ok_or_else(|| serde::de::Error::custom("expected the base64 of an entry"))
}

#[cfg(test)]
mod tests {
    use super::super::samples::scattered;
    use super::*;
    use crate::tree::{Frontier, InclusionPlan, NodeCoordinate};

    /// The proof by a second method: subtree for subtree, as the plan of RFC 6962 wants them.
    fn planned(entries: &Entries, index: usize) -> MembershipProof {
        let subtree = |node: &NodeCoordinate| {
            let width = 1usize << node.level;
            let leaves = entries.iter().skip(node.index as usize * width).take(width);
            NodeHash(leaves.map(leaf_hash).collect::<Frontier>().root().0)
        };
        let plan = InclusionPlan::new(LeafIndex(index as u64), TreeSize(entries.len() as u64)).unwrap();
        let nodes: Vec<NodeHash> = plan.nodes().iter().map(subtree).collect();
        let entry = entries.get(index).unwrap().to_vec();
        MembershipProof { index: LeafIndex(index as u64), entry, path: plan.combine(&nodes).unwrap() }
    }

    #[test]
    fn proofs_across_chunks_are_those_of_the_plan() {
        for len in [1_023, 1_024, 1_025, 2_048, 3_072, 5_000] {
            let entries = scattered(32, len, 8);
            let (tree, root) = (ListTree::new(&entries), entries.root());
            assert_eq!(tree.root(), root);
            for index in [0, 1, 1_000, 1_022, 1_023, 1_024, 2_047, 2_048, 4_095, 4_096, len - 2, len - 1] {
                let proof = tree.membership(index);
                assert_eq!(proof, (index < len).then(|| planned(&entries, index)), "{index} of {len}");
                assert!(proof.is_none_or(|proof| proof.verify(&root, len as u64).is_ok()));
            }
        }
    }

    #[test]
    fn both_trees_have_one_root() {
        for len in 0..=200 {
            let entries = scattered(32, len, 2);
            assert_eq!(ListTree::new(&entries).root(), entries.root(), "{len} entries");
        }
    }

    #[test]
    fn every_entry_is_proven_and_only_at_its_place() {
        for len in 1..=200u64 {
            let entries = scattered(20, len as usize, 3);
            let (tree, root) = (ListTree::new(&entries), entries.root());
            for index in 0..entries.len() {
                let proof = tree.membership(index).unwrap();
                assert_eq!(proof.verify(&root, len), Ok(()));
                assert_eq!(planned(&entries, index), proof);
                let moved = MembershipProof { index: LeafIndex((index as u64 + 1) % len), ..proof.clone() };
                assert!(len == 1 || moved.verify(&root, len).is_err());
                let other = MembershipProof { entry: b"another".to_vec(), ..proof.clone() };
                assert!(other.verify(&root, len).is_err());
                assert!(proof.verify(&ListRoot([0; 32]), len).is_err());
            }
            assert_eq!(tree.membership(entries.len()), None);
            assert_eq!(MembershipProof::new(&entries, entries.len()), None);
        }
    }

    #[test]
    fn what_no_list_holds_is_proven_absent() {
        for len in 0..=200u64 {
            let entries = scattered(16, len as usize, 4);
            let (tree, root) = (ListTree::new(&entries), entries.root());
            let between = entries.iter().step_by(7).map(|entry| {
                let mut absent = entry.to_vec();
                absent[15] ^= 1;
                absent
            });
            for absent in between.chain([[0; 16].to_vec(), [0xff; 16].to_vec()]) {
                let proof = tree.non_membership(&absent).unwrap();
                assert_eq!(proof.verify(&absent, &root, len), Ok(()), "{len} entries");
                assert_eq!(NonMembershipProof::new(&entries, &absent), Some(proof));
            }
            for entry in &entries {
                assert_eq!(tree.non_membership(entry), None);
            }
        }
    }

    #[test]
    fn what_a_list_holds_is_never_proven_absent() {
        let entries = scattered(16, 50, 5);
        let (tree, root) = (ListTree::new(&entries), entries.root());
        let present = entries.get(20).unwrap();
        let at = |index| tree.membership(index);
        for (below, above) in [
            (at(19), at(21)),
            (at(20), at(21)),
            (at(19), at(20)),
            (at(21), at(22)),
            (at(22), at(21)),
            (at(49), None),
            (at(19), None),
            (None, at(0)),
            (None, at(21)),
            (None, None),
        ] {
            assert!(NonMembershipProof { below, above }.verify(present, &root, 50).is_err());
        }
        let empty = NonMembershipProof { below: None, above: None };
        assert!(empty.verify(present, &root, 0).is_err());
        assert_eq!(empty.verify(present, &ListRoot(empty_root().0), 0), Ok(()));
    }

    #[test]
    fn an_entry_of_another_size_is_neither_proven_nor_disproven() {
        let entries = scattered(16, 50, 6);
        let proof = ListTree::new(&entries).non_membership(&[0x80; 8]).unwrap();
        assert!(matches!(proof.verify(&[0x80; 8], &entries.root(), 50), Err(ListProofError::NotEnclosed(_))));
    }

    #[test]
    fn proofs_survive_their_text() {
        let entries = scattered(32, 20, 7);
        let tree = ListTree::new(&entries);
        for proof in [tree.non_membership(&[0; 32]).unwrap(), tree.non_membership(&[0x77; 32]).unwrap()] {
            let text = serde_json::to_string(&proof).unwrap();
            assert_eq!(serde_json::from_str::<NonMembershipProof>(&text).unwrap(), proof);
        }
    }
}
