//! Opening a log: what was interrupted is finished, by the rules of `heads` and `staging`.
//!
//! From the newest tree whose tiles are durable, the staged batches lead to the head that was committed. A batch that was
//! staged whole, but not committed, is taken up too: it may have been signed, and it must not happen that another tree
//! of its size is. Its tiles are made durable first, since of a staged batch that was not committed nobody knows whether
//! the disk has it.

use super::heads::{Found, Heads};
use super::staging::{Batch, Staging};
use super::{LogError, sign, tiles};
use crate::files::PublicFolder;
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::note::SigningKey;
use isonomy_core::tile::RightEdge;
use isonomy_core::tree::{Frontier, TreeSize, empty_root, leaf_hash};
use std::path::Path;

/// A log whose tiles, head and database agree.
pub(super) struct Opened {
    pub(super) head: CheckpointNote,
    pub(super) edge: RightEdge,
    pub(super) staging: Staging,
}

/// Opens the log in these folders, or begins one.
pub(super) fn open(public: &PublicFolder, private: &Path, heads: &Heads, key: &SigningKey) -> Result<Opened, LogError> {
    let (staging, batches) = Staging::open(private)?;
    let found = match heads.find(key.verifier())? {
        Some(found) => found,
        None => begin(public, heads, key)?,
    };
    let start = start(&found, public, &batches)?;
    let grown = grow(&found, start, &batches)?;
    let edge = integrate(public, &grown)?;
    let head = settle(&found, &edge, heads, key)?;
    Ok(Opened { head, edge, staging })
}

/// Commits the checkpoint of the empty tree, if nothing shows that there was a log here before.
fn begin(public: &PublicFolder, heads: &Heads, key: &SigningKey) -> Result<Found, LogError> {
    if public.shows_a_log()? {
        return Err(LogError::HeadMissing);
    }
    let head = sign(key, TreeSize(0), empty_root())?;
    heads.commit(None, &head)?;
    heads.integrated(&head)?;
    Ok(Found { committed: Some(head.clone()), integrated: Some(head) })
}

/// The newest tree whose tiles are durable. If its own record is lost, it is that of the committed head, or one from
/// which a staged batch goes on.
fn start(found: &Found, public: &PublicFolder, batches: &[Batch]) -> Result<RightEdge, LogError> {
    if let Some(head) = &found.integrated {
        return start_at(head.checkpoint(), found, public, batches);
    }
    let head = found.committed.as_ref().map_or(TreeSize(0), |head| head.checkpoint().size);
    let sizes = [head].into_iter().chain(batches.iter().map(|batch| batch.old));
    let leads_to_head = |edge: &RightEdge| grow(found, edge.clone(), batches).is_ok_and(|grown| grown.size() >= head);
    let edges = sizes.filter_map(|size| tiles::read_edge(public, size).ok());
    edges.into_iter().find(leads_to_head).ok_or(LogError::OtherRoot { size: head })
}

/// The newest tree whose tiles are durable, as its record says. One from which nothing leads to the committed head may be an older
/// record that was put back: the tree of the head counts then, if its tiles are there.
fn start_at(tree: &Checkpoint, found: &Found, public: &PublicFolder, batches: &[Batch]) -> Result<RightEdge, LogError> {
    let read = |tree: &Checkpoint| match tiles::read_edge(public, tree.size)? {
        edge if edge.root() == tree.root => Ok(edge),
        _ => Err(LogError::OtherRoot { size: tree.size }),
    };
    let edge = read(tree);
    let newer = found.committed.as_ref().map(CheckpointNote::checkpoint).filter(|head| head.size > tree.size);
    let Some(head) = newer else { return edge };
    if edge.as_ref().is_ok_and(|edge| grow(found, edge.clone(), batches).is_ok()) {
        return edge;
    }
    match read(head) {
        Ok(newest) => {
            tracing::warn!(
                "the copy of the head is older than the tiles, and nothing is staged from there; it is made anew"
            );
            Ok(newest)
        }
        Err(_) => edge,
    }
}

/// A tree, and the entries that are to be integrated into it.
struct Grown {
    edge: RightEdge,
    entries: Vec<Vec<u8>>,
}

impl Grown {
    fn size(&self) -> TreeSize {
        TreeSize(self.edge.size().0 + self.entries.len() as u64)
    }
}

/// What the staged batches make of a tree. Fails unless it comes to the committed head on the way.
fn grow(found: &Found, edge: RightEdge, batches: &[Batch]) -> Result<Grown, LogError> {
    let mut frontier = edge.frontier();
    let mut entries = Vec::new();
    let mut head = found.committed.as_ref().map(CheckpointNote::checkpoint);
    let mut reach = |frontier: &Frontier| {
        if let Some(tree) = head.take_if(|tree| tree.size == frontier.size())
            && tree.root != frontier.root()
        {
            return Err(LogError::OtherRoot { size: tree.size });
        }
        Ok(head.map(|tree| tree.size))
    };
    let mut wanted = reach(&frontier)?;
    for batch in batches.iter().filter(|batch| batch.old >= edge.size()) {
        let mut next = frontier.clone();
        next.extend(batch.entries.iter().map(|entry| leaf_hash(entry)));
        if batch.old != frontier.size() || next.root() != batch.root {
            continue; // damaged while it was staged, so it was never signed
        }
        frontier = next;
        entries.extend_from_slice(&batch.entries);
        wanted = reach(&frontier)?;
    }
    match wanted {
        None => Ok(Grown { edge, entries }),
        Some(head) => Err(LogError::StagedMissing { size: frontier.size(), head }),
    }
}

fn integrate(public: &PublicFolder, grown: &Grown) -> Result<RightEdge, LogError> {
    if grown.entries.is_empty() {
        return Ok(grown.edge.clone());
    }
    tracing::info!(from = grown.edge.size().0, to = grown.size().0, "finishing what was interrupted");
    tiles::write_growth(public, &grown.edge, &grown.entries)
}

/// Commits the head of this tree, if it isn't yet, and takes note that its tiles are durable.
fn settle(found: &Found, edge: &RightEdge, heads: &Heads, key: &SigningKey) -> Result<CheckpointNote, LogError> {
    let of_this_size = |head: &&CheckpointNote| head.checkpoint().size == edge.size();
    let known = [&found.committed, &found.integrated].into_iter().flatten().find(of_this_size);
    let head = known.cloned().map_or_else(|| sign(key, edge.size(), edge.root()), Ok)?;
    if found.committed.as_ref() != Some(&head) {
        heads.commit(found.committed.as_ref(), &head)?;
    }
    if found.integrated.as_ref() != Some(&head) {
        heads.integrated(&head)?;
    }
    Ok(head)
}
