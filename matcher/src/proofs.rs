//! Proofs that a list holds what was found, made when somebody asks for them.
//!
//! The tree's upper levels are computed once, at the first match: that takes as long as the list's root, and a quarter of
//! a byte for each entry. A proof then takes 256 hashes.

use crate::receipt::{Receipt, ReceiptError};
use isonomy_core::hash::NodeHash;
use isonomy_core::list::MembershipProof;
use isonomy_core::tree::{Frontier, InclusionPlan, LeafIndex, NodeCoordinate, TreeSize, leaf_hash, node_hash};
use isonomy_verifier::VerifiedList;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The lowest level whose nodes are kept: those over 256 entries.
const KEPT_LEVEL: u8 = 8;

/// What makes the receipts of a list.
pub(crate) struct Prover {
    list: VerifiedList,
    /// The nodes of complete subtrees, by level from [`KEPT_LEVEL`] upwards.
    levels: OnceLock<Vec<Vec<NodeHash>>>,
}

impl Prover {
    pub(crate) fn new(list: VerifiedList) -> Self {
        Self { list, levels: OnceLock::new() }
    }

    /// For the same release, known at another time.
    pub(crate) fn renewed(&self, list: VerifiedList) -> Self {
        Self { list, levels: self.levels.clone() }
    }

    /// The receipt of the entry at `index`, read again as anybody will, and verified under the policy of the list.
    fn receipt(&self, index: usize) -> Result<Receipt, ReceiptError> {
        let entry = self.list.entries().get(index).unwrap_or_default();
        let made = Receipt::new(&self.list, entry, &self.membership(index, entry));
        let receipt = Receipt::parse(made.to_text().as_bytes())?;
        receipt.verify_for(self.list.policy())?;
        Ok(receipt)
    }

    /// The proof for the entry at `index`, which the list holds.
    fn membership(&self, index: usize, entry: &[u8]) -> MembershipProof {
        let (index, size) = (LeafIndex(index as u64), TreeSize(self.list.entries().len() as u64));
        let path = InclusionPlan::new(index, size).and_then(|plan| {
            let nodes: Vec<NodeHash> = plan.nodes().iter().map(|node| self.node(node)).collect();
            plan.combine(&nodes).ok()
        });
        MembershipProof { index, entry: entry.to_vec(), path: path.unwrap_or_default() }
    }

    /// The hash of a complete subtree.
    fn node(&self, node: &NodeCoordinate) -> NodeHash {
        let Some(level) = node.level.checked_sub(KEPT_LEVEL) else {
            return self.subtree(node.index as usize, 1 << node.level);
        };
        self.levels()[usize::from(level)][node.index as usize]
    }

    fn subtree(&self, number: usize, entries: usize) -> NodeHash {
        let leaves = self.list.entries().iter().skip(number * entries).take(entries);
        NodeHash(leaves.map(leaf_hash).collect::<Frontier>().root().0)
    }

    fn levels(&self) -> &[Vec<NodeHash>] {
        self.levels.get_or_init(|| {
            let size = 1usize << KEPT_LEVEL;
            let lowest = (0..self.list.entries().len() / size).map(|number| self.subtree(number, size)).collect();
            let mut levels: Vec<Vec<NodeHash>> = vec![lowest];
            while let Some(below) = levels.last().filter(|below| below.len() > 1) {
                levels.push(below.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect());
            }
            levels
        })
    }
}

/// What makes the receipts of a list. Cloning is cheap.
#[derive(Clone)]
pub struct Receipts(Arc<Prover>);

impl Receipts {
    pub(crate) fn new(prover: &Arc<Prover>) -> Self {
        Self(Arc::clone(prover))
    }

    /// The list.
    pub fn list(&self) -> &VerifiedList {
        &self.0.list
    }

    /// The receipt of an entry; `None` if the list does not hold it.
    pub fn of(&self, entry: &[u8]) -> Option<LazyReceipt> {
        let index = self.0.list.entries().binary_search(entry).ok()?;
        Some(LazyReceipt::new(&self.0, index))
    }
}

/// The receipt of a match, made when it is asked for: a list that matches a thousand times costs nothing until then.
#[derive(Clone)]
pub struct LazyReceipt {
    prover: Arc<Prover>,
    index: usize,
}

impl LazyReceipt {
    pub(crate) fn new(prover: &Arc<Prover>, index: usize) -> Self {
        Self { prover: Arc::clone(prover), index }
    }

    /// Makes it, and verifies it under the policy by which the list was accepted ([`Receipt::verify_for`]), so that none is
    /// given out which the app itself would refuse. The first of a list takes as long as the list's root.
    pub fn make(&self) -> Result<Receipt, ReceiptError> {
        self.prover.receipt(self.index)
    }

    /// Its file, under gzip.
    pub fn to_file(&self) -> Result<Vec<u8>, ReceiptError> {
        self.make().map(|receipt| receipt.to_file())
    }

    /// The text of its file.
    pub fn to_text(&self) -> Result<String, ReceiptError> {
        self.make().map(|receipt| receipt.to_text())
    }
}

/// Shows the place of the entry.
impl fmt::Debug for LazyReceipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LazyReceipt(entry {})", self.index)
    }
}
