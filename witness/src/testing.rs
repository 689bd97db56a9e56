//! A log for tests: its leaves are single bytes, so that a string is a tree.

use crate::decide::{Decision, Request, decide};
use crate::log::Log;
use crate::record::Record;
use crate::witness::Config;
use isonomy_core::add_checkpoint::AddCheckpoint;
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::hash::{NodeHash, RootHash};
use isonomy_core::note::{KeyType, SigningKey};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{ConsistencyPlan, Frontier, NodeCoordinate, TreeSize, leaf_hash};
use isonomy_serve::{Rates, Settings};
use std::path::Path;

pub(crate) const ORIGIN: &str = "log.example/lists";
/// A time at which a test can begin.
pub(crate) const START: Timestamp = Timestamp(1_800_000_000);

pub(crate) fn log_key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, KeyType::Ed25519, &[1; 32]).unwrap()
}

pub(crate) fn witness_key() -> SigningKey {
    SigningKey::from_seed("witness.example/w", KeyType::Cosignature, &[2; 32]).unwrap()
}

pub(crate) fn log() -> Log {
    Log::new(log_key().verifier().clone())
}

/// For a witness that begins in this folder, if it holds nothing yet.
pub(crate) fn config(data: &Path) -> Config {
    // What can't be made into a witness's folder is for the test to find.
    let _ = crate::begin(data, witness_key().verifier());
    let logs = vec![log_key().verifier().clone()];
    Config { data: data.to_owned(), key: witness_key(), logs, serving: Settings::new(Rates::UNLIMITED) }
}

pub(crate) fn root(leaves: &[u8]) -> RootHash {
    leaves.iter().map(|leaf| leaf_hash(&[*leaf])).collect::<Frontier>().root()
}

pub(crate) fn checkpoint(leaves: &[u8]) -> CheckpointNote {
    signed(Checkpoint {
        origin: ORIGIN.into(),
        size: TreeSize(leaves.len() as u64),
        root: root(leaves),
        extensions: Vec::new(),
    })
}

pub(crate) fn signed(checkpoint: Checkpoint) -> CheckpointNote {
    CheckpointNote::sign(checkpoint, &log_key()).unwrap()
}

/// The consistency proof inside the tree of these leaves.
pub(crate) fn proof(old: usize, leaves: &[u8]) -> Vec<NodeHash> {
    let plan = ConsistencyPlan::new(TreeSize(old as u64), TreeSize(leaves.len() as u64)).unwrap();
    let node = |place: &NodeCoordinate| {
        let start = (place.index as usize) << place.level;
        NodeHash(root(&leaves[start..start + (1 << place.level)]).0)
    };
    plan.combine(&plan.nodes().iter().map(node).collect::<Vec<_>>()).unwrap()
}

/// An honest request.
pub(crate) fn add(old: usize, leaves: &[u8]) -> AddCheckpoint {
    AddCheckpoint { old: TreeSize(old as u64), proof: proof(old, leaves), checkpoint: checkpoint(leaves) }
}

/// The record that an honest request leaves.
pub(crate) fn record(latest: Option<&Record>, leaves: &[u8], clock: Timestamp) -> Record {
    let old = latest.map_or(0, |latest| latest.size().0 as usize);
    match decide(&log(), latest, &Request::Add(add(old, leaves)), clock) {
        Ok(Decision::Cosign(accepted)) => accepted.cosign(&witness_key()).unwrap(),
        other => panic!("{other:?}"),
    }
}
