//! Reading a whole log again: what takes long, several threads do, each for every n-th bundle of entries; what depends on
//! what was before is done by one, in order.

use super::{LogError, tiles};
use crate::files::PublicFolder;
use isonomy_core::hash::{LeafHash, RootHash};
use isonomy_core::tile::{self, TilePath};
use isonomy_core::tree::{Frontier, LeafIndex, TreeSize, leaf_hash};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// How many prepared bundles wait for each thread's turn.
const AHEAD: usize = 2;

/// An entry's hash, and what was made of it.
type Prepared<T> = Vec<(LeafHash, T)>;

/// Prepares every entry of the tree of this size, on as many threads as there are processors, and visits what came of
/// each, in order. Gives the root that the entries have together.
pub(super) fn replay<T: Send, E: From<LogError> + Send>(
    public: &PublicFolder,
    size: TreeSize,
    prepare: &(impl Fn(LeafIndex, Vec<u8>) -> Result<T, E> + Sync),
    mut visit: impl FnMut(T) -> Result<(), E>,
) -> Result<RootHash, E> {
    let bundles: Vec<TilePath> = tile::entry_tiles(LeafIndex(0), size).collect();
    let threads = thread::available_parallelism().map_or(1, usize::from).min(bundles.len());
    let mut frontier = Frontier::new();
    thread::scope(|scope| {
        let begin = |first: usize| {
            let (sender, receiver) = sync_channel(AHEAD);
            let own = bundles.iter().skip(first).step_by(threads);
            scope.spawn(move || send_all(public, own, prepare, &sender));
            receiver
        };
        let workers: Vec<Receiver<Result<Prepared<T>, E>>> = (0..threads).map(begin).collect();
        for worker in workers.iter().cycle().take(bundles.len()) {
            // One that has panicked ends this scope with its panic.
            let prepared = worker.recv().map_err(|_| LogError::Failed)??;
            for (leaf, entry) in prepared {
                frontier.push(leaf);
                visit(entry)?;
            }
        }
        Ok(frontier.root())
    })
}

/// Prepares bundles until nobody wants more.
fn send_all<'b, T, E: From<LogError>>(
    public: &PublicFolder,
    bundles: impl Iterator<Item = &'b TilePath>,
    prepare: &impl Fn(LeafIndex, Vec<u8>) -> Result<T, E>,
    sender: &SyncSender<Result<Prepared<T>, E>>,
) {
    for bundle in bundles {
        if sender.send(prepare_bundle(public, bundle, prepare)).is_err() {
            return;
        }
    }
}

/// Reads a bundle, compares it with the hashes beside it, and prepares its entries.
fn prepare_bundle<T, E: From<LogError>>(
    public: &PublicFolder,
    bundle: &TilePath,
    prepare: &impl Fn(LeafIndex, Vec<u8>) -> Result<T, E>,
) -> Result<Prepared<T>, E> {
    let entries = tiles::read_entries(public, bundle)?;
    let leaves: Vec<LeafHash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    if !tiles::has_leaves(public, bundle, &leaves)? {
        return Err(LogError::EntriesDiffer { bundle: *bundle }.into());
    }
    let first = bundle.index() * u64::from(tile::TILE_WIDTH);
    let prepared = leaves.into_iter().zip((first..).map(LeafIndex).zip(entries));
    prepared.map(|(leaf, (index, entry))| Ok((leaf, prepare(index, entry)?))).collect()
}
