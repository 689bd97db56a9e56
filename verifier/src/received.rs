//! What a machine without I/O was given, and what of a log's tree can be told from it. Bytes are believed only by the roots
//! and digests that they make.

use crate::rejection::{Lack, Rejection};
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::hash::{NodeHash, ObjectDigest, RootHash};
use isonomy_core::resource::Resource;
use isonomy_core::tile::{TilePath, node_from_tile, parse_hashes};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{InclusionPlan, LeafIndex, NodeCoordinate, PrefixPlan, TreeSize, prefix_roots};
use std::collections::HashMap;

/// Why a run through the checks stopped before its end.
pub(crate) enum Stop<S> {
    Need { resource: Resource, max_bytes: u64 },
    Save(Box<S>),
    Reject(Box<Rejection>),
}

impl<S> From<Rejection> for Stop<S> {
    fn from(rejection: Rejection) -> Self {
        Self::Reject(Box::new(rejection))
    }
}

/// What was received, or why it wasn't.
#[derive(Debug, Default)]
pub(crate) struct Received {
    whole: HashMap<Resource, Result<Vec<u8>, (Lack, String)>>,
    /// What came in several pieces.
    pieces: HashMap<Resource, Vec<Vec<u8>>>,
}

impl Received {
    pub(crate) fn take(&mut self, resource: Resource, bytes: Result<Vec<u8>, (Lack, String)>) {
        self.whole.insert(resource, bytes);
    }

    /// Takes an object in pieces.
    pub(crate) fn take_object(&mut self, digest: ObjectDigest, pieces: Vec<Vec<u8>>) {
        self.pieces.insert(Resource::Object(digest), pieces);
    }

    /// What came in several pieces as a whole, for whoever needs it so.
    pub(crate) fn join(&mut self, resource: &Resource) {
        if let Some(pieces) = self.pieces.remove(resource) {
            self.whole.insert(resource.clone(), Ok(pieces.concat()));
        }
    }

    /// Gives a resource away, in pieces, or a stop that asks for it. Who takes it must not need it again.
    pub(crate) fn give_pieces<S>(&mut self, resource: Resource, max_bytes: u64) -> Result<Vec<Vec<u8>>, Stop<S>> {
        if let Some(pieces) = self.pieces.remove(&resource) {
            return Ok(pieces);
        }
        let whole = self.resource_within(resource.clone(), max_bytes).map(|_| ());
        whole.map(|()| match self.whole.remove(&resource) {
            Some(Ok(bytes)) => vec![bytes],
            _ => Vec::new(),
        })
    }

    pub(crate) fn forget(&mut self, resource: &Resource) {
        self.whole.remove(resource);
    }

    /// A resource of known largest size, or a stop that asks for it.
    pub(crate) fn resource<S>(&self, resource: Resource) -> Result<&[u8], Stop<S>> {
        let max_bytes = resource.max_bytes().unwrap_or(0);
        self.resource_within(resource, max_bytes)
    }

    pub(crate) fn resource_within<S>(&self, resource: Resource, max_bytes: u64) -> Result<&[u8], Stop<S>> {
        match self.whole.get(&resource) {
            None => Err(Stop::Need { resource, max_bytes }),
            Some(Err((lack, reason))) => {
                Err(Rejection::Unavailable { resource, lack: *lack, reason: reason.clone() }.into())
            }
            Some(Ok(bytes)) if bytes.len() as u64 > max_bytes => {
                Err(malformed(&resource, format!("larger than {max_bytes} bytes")))
            }
            Some(Ok(bytes)) => Ok(bytes),
        }
    }

    /// A tile, or the full one in its place where a log keeps partial tiles no longer than it must.
    pub(crate) fn tile<S>(&self, tile: TilePath) -> Result<(TilePath, &[u8]), Stop<S>> {
        let partial_is_gone = matches!(self.whole.get(&Resource::Tile(tile)), Some(Err((Lack::Absent, _))));
        let tile = if partial_is_gone { tile.full() } else { tile };
        Ok((tile, self.resource(Resource::Tile(tile))?))
    }

    fn node<S>(&self, node: &NodeCoordinate, size: TreeSize) -> Result<NodeHash, Stop<S>> {
        let tile = TilePath::of_node(node, size).ok_or_else(|| malformed(&Resource::Checkpoint, "no such node"))?;
        let (tile, bytes) = self.tile(tile)?;
        let resource = Resource::Tile(tile);
        let hashes = parse_hashes(bytes, tile.width()).map_err(|error| malformed(&resource, error))?;
        node_from_tile(node, &tile, &hashes).ok_or_else(|| malformed(&resource, "too narrow"))
    }

    fn nodes<S>(&self, nodes: &[NodeCoordinate], size: TreeSize) -> Result<Vec<NodeHash>, Stop<S>> {
        nodes.iter().map(|node| self.node(node, size)).collect()
    }

    /// The proof of an entry's place under a checkpoint, from its tiles. It is not verified.
    pub(crate) fn place<S>(&self, index: LeafIndex, checkpoint: &CheckpointNote) -> Result<TlogProof, Stop<S>> {
        let size = checkpoint.checkpoint().size;
        let plan = InclusionPlan::new(index, size).ok_or_else(|| malformed(&Resource::Checkpoint, "no such entry"))?;
        let hashes = self.nodes(plan.nodes(), size)?;
        let path = plan.combine(&hashes).map_err(|error| malformed(&Resource::Checkpoint, error))?;
        Ok(TlogProof { extra: None, index, path, checkpoint: checkpoint.clone() })
    }

    /// Whether the tree of `newer` grows out of that of `older`, both signed by the log: if it provably does not, the
    /// prefix proof that shows it.
    pub(crate) fn contradiction<S>(
        &self,
        older: &CheckpointNote,
        newer: &CheckpointNote,
    ) -> Result<Option<Vec<NodeHash>>, Stop<S>> {
        let (old, new) = (older.checkpoint(), newer.checkpoint());
        if old.size == new.size {
            return Ok((old.root != new.root).then(Vec::new));
        }
        let (prefix, proof) = self.prefix(old.size, new)?;
        Ok((prefix != old.root).then_some(proof))
    }

    /// The root of the first `size` entries of `tree`, with the prefix proof that its root needs no other one.
    pub(crate) fn prefix<S>(&self, size: TreeSize, tree: &Checkpoint) -> Result<(RootHash, Vec<NodeHash>), Stop<S>> {
        let resource = Resource::Checkpoint;
        let no_part = || malformed(&resource, "a smaller tree than the one before");
        let plan = PrefixPlan::new(size, tree.size).ok_or_else(no_part)?;
        let hashes = self.nodes(plan.nodes(), tree.size)?;
        let proof = plan.combine(&hashes).map_err(|error| malformed(&resource, error))?;
        let (prefix, whole) = prefix_roots(size, tree.size, &proof).map_err(|error| malformed(&resource, error))?;
        if whole != tree.root {
            let problem = format!("the tiles served do not make the root of {} entries", tree.size);
            return Err(malformed(&resource, problem));
        }
        Ok((prefix, proof))
    }
}

pub(crate) fn malformed<S>(resource: &Resource, problem: impl ToString) -> Stop<S> {
    Rejection::Malformed { resource: resource.clone(), problem: problem.to_string() }.into()
}
