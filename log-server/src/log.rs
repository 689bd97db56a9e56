//! A durable log: entries, their tiles, and one checkpoint after the other, each extending the one before. What entries
//! mean is not judged here.
//!
//! | step | by | makes durable | then |
//! |---|---|---|---|
//! | append | [`Log::append`] | the entries, *staged*; the signed checkpoint, *committed* by compare-and-swap | it can't be taken back |
//! | integrate | [`Log::integrate`] | the tiles of all that is committed | the checkpoint may be shown to witnesses |
//! | publish | [`Log::publish`] | the checkpoint with cosignatures | anybody may see it |
//!
//! So to append costs two synchronisations, however many entries there are, and no file is written for a tree that nobody
//! is ever shown. What is signed was read back from the disk before and hashed again: a bit that flips in between is found.
//! Who stops in the middle of a step goes on at the next start (`opening`): a batch is staged whole or not at all, and one
//! that is staged is carried to its end, so that there are never two checkpoints for one size.
//!
//! A failure of the disk ends it: from then on the log refuses everything until it is opened again, since nobody knows
//! what the disk has.
//!
//! # Folder
//!
//! ```text
//! public/tile/…        see the module `files`; partial tiles go once a checkpoint with the full ones is published
//! public/checkpoint    the published checkpoint, cosigned
//! private/staged-0, 1  entries whose tiles are not durable yet
//! private/head         the newest checkpoint whose tiles are
//! private/state/       the database, with the committed checkpoint
//! ```

mod appender;
mod error;
mod heads;
mod opening;
mod replay;
mod staging;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod tiles;

pub use appender::{AppendError, Appender};
pub use error::LogError;
pub use tiles::{EntryReader, NodeReader};

use crate::files::PublicFolder;
use heads::Heads;
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::hash::{NodeHash, RootHash};
use isonomy_core::note::{SigningKey, VerifierKey};
use isonomy_core::resource::Resource;
use isonomy_core::tile::{self, RightEdge, TileError, TileKind, TilePath};
use isonomy_core::tree::{Frontier, LeafIndex, TreeSize, leaf_hash};
use isonomy_store::files::FileError;
use isonomy_store::kv::{self, Store};
use staging::Staging;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A log. It can be shared by threads.
pub struct Log {
    public: PublicFolder,
    key: SigningKey,
    heads: Heads,
    tip: Mutex<Tip>,
    /// The right edge of the integrated tree; held while the next one is integrated.
    edge: Mutex<RightEdge>,
    /// The checkpoint of the integrated tree.
    integrated: Mutex<CheckpointNote>,
    /// The sizes of both trees, for those who must not wait while something is written.
    committed_size: AtomicU64,
    integrated_size: AtomicU64,
    /// The published size up to which partial tiles were removed.
    swept: AtomicU64,
}

/// The committed tree.
struct Tip {
    head: CheckpointNote,
    frontier: Frontier,
    staging: Staging,
    /// Committed, but not integrated.
    backlog: Vec<Vec<u8>>,
    backlog_bytes: usize,
    standing: Standing,
}

/// Whether the log may go on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Sound,
    Failed,
}

/// What is committed, but not integrated.
struct Backlog {
    head: CheckpointNote,
    entries: Vec<Vec<u8>>,
}

/// The most entries in a batch.
pub const MAX_BATCH: usize = 4096;
/// The most bytes of entries in a batch: 16 MiB.
pub const MAX_BATCH_BYTES: usize = 16 << 20;
/// With so much that is not integrated, appending waits for it.
const MAX_BACKLOG_BYTES: usize = 64 << 20;

impl Log {
    /// Opens the log in these folders, or starts one if they are empty. Database and files must agree.
    pub fn open(public: PublicFolder, private: &Path, store: &Store, key: SigningKey) -> Result<Self, LogError> {
        let heads = Heads::open(store, private)?;
        let opening::Opened { head, edge, staging } = opening::open(&public, private, &heads, &key)?;
        let size = edge.size().0;
        let tip = Tip {
            head: head.clone(),
            frontier: edge.frontier(),
            staging,
            backlog: Vec::new(),
            backlog_bytes: 0,
            standing: Standing::Sound,
        };
        let (tip, edge, integrated) = (Mutex::new(tip), Mutex::new(edge), Mutex::new(head));
        let (committed_size, integrated_size) = (AtomicU64::new(size), AtomicU64::new(size));
        let swept = AtomicU64::new(0);
        let log = Self { public, key, heads, tip, edge, integrated, committed_size, integrated_size, swept };
        if let Some(published) = log.check_published()? {
            log.sweep(published)?;
        }
        Ok(log)
    }

    /// Whether these folders hold anything by which a log would be known.
    pub(crate) fn was_in(private: &Path, database: &Path) -> bool {
        heads::copy_in(private).exists() || kv::is_in(database)
    }

    /// The newest checkpoint that a private folder remembers of the log with this key, whether or not the rest of it is sound; its
    /// database is given, if that can be read.
    pub(crate) fn remembered(
        private: &Path,
        store: Option<&Store>,
        key: &VerifierKey,
    ) -> Result<Option<CheckpointNote>, LogError> {
        heads::newest(private, store, key)
    }

    /// Makes this the head of a log that is to be opened in this folder, which has none.
    pub(crate) fn plant(store: &Store, private: &Path, head: &CheckpointNote) -> Result<(), LogError> {
        let heads = Heads::open(store, private)?;
        heads.commit(None, head)?;
        heads.integrated(head)
    }

    /// The head that the log with this key has committed in this database.
    pub(crate) fn committed_in(store: &Store, key: &VerifierKey) -> Result<Option<CheckpointNote>, LogError> {
        heads::committed(store, key)
    }

    /// The log's public key; its name is the origin.
    pub fn key(&self) -> &VerifierKey {
        self.key.verifier()
    }

    /// The folder that is served.
    pub fn public(&self) -> &PublicFolder {
        &self.public
    }

    /// The committed checkpoint, signed by the log alone. Nobody outside may see it before it is integrated.
    pub fn head(&self) -> CheckpointNote {
        self.tip().head.clone()
    }

    /// The size of the committed tree. Never waits.
    pub fn size(&self) -> TreeSize {
        TreeSize(self.committed_size.load(Ordering::Acquire))
    }

    /// The size of the integrated tree. Never waits.
    pub fn integrated_size(&self) -> TreeSize {
        TreeSize(self.integrated_size.load(Ordering::Acquire))
    }

    /// Appends entries, each of at most 65,535 bytes, and commits the checkpoint that covers them. Gives the place of the
    /// first. After an error they may turn out to be logged at the next start; until then the log refuses everything.
    pub fn append(&self, entries: &[Vec<u8>]) -> Result<LeafIndex, LogError> {
        let bytes = check_batch(entries)?;
        if self.tip().backlog_bytes > MAX_BACKLOG_BYTES {
            self.integrate()?;
        }
        let mut tip = self.tip();
        if tip.standing == Standing::Failed {
            return Err(LogError::Failed);
        }
        let first = LeafIndex(tip.frontier.size().0);
        self.commit(&mut tip, entries).inspect_err(|_| tip.standing = Standing::Failed)?;
        tip.backlog.extend_from_slice(entries);
        tip.backlog_bytes += bytes;
        Ok(first)
    }

    /// Stages entries, reads them back, signs what was read, and commits it.
    fn commit(&self, tip: &mut Tip, entries: &[Vec<u8>]) -> Result<(), LogError> {
        let old = tip.frontier.size();
        let root = grown(&tip.frontier, entries).root();
        let stored = tip.staging.write(old, &root, entries)?;
        let frontier = grown(&tip.frontier, &stored.entries);
        if stored.old != old || stored.root != root || frontier.root() != root {
            return Err(LogError::StoredOtherwise { size: frontier.size() });
        }
        let head = sign(&self.key, frontier.size(), root)?;
        self.heads.commit(Some(&tip.head), &head)?;
        self.committed_size.store(frontier.size().0, Ordering::Release);
        (tip.head, tip.frontier) = (head, frontier);
        Ok(())
    }

    /// Makes the tiles of everything that is committed durable, while others may go on appending. Gives the checkpoint of
    /// that tree, which may now be shown.
    pub fn integrate(&self) -> Result<CheckpointNote, LogError> {
        let mut edge = self.edge.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(backlog) = self.take_backlog()? {
            let grown = self.write_tree(&edge, &backlog);
            *edge = grown.inspect_err(|_| self.tip().standing = Standing::Failed)?;
            *self.integrated.lock().unwrap_or_else(PoisonError::into_inner) = backlog.head;
            self.integrated_size.store(edge.size().0, Ordering::Release);
        }
        Ok(self.integrated())
    }

    fn take_backlog(&self) -> Result<Option<Backlog>, LogError> {
        let mut tip = self.tip();
        if tip.standing == Standing::Failed {
            return Err(LogError::Failed);
        }
        if tip.backlog.is_empty() {
            return Ok(None);
        }
        tip.staging.turn();
        tip.backlog_bytes = 0;
        Ok(Some(Backlog { head: tip.head.clone(), entries: std::mem::take(&mut tip.backlog) }))
    }

    fn write_tree(&self, edge: &RightEdge, backlog: &Backlog) -> Result<RightEdge, LogError> {
        let edge = tiles::write_growth(&self.public, edge, &backlog.entries)?;
        if edge.root() != backlog.head.checkpoint().root {
            return Err(LogError::StoredOtherwise { size: edge.size() });
        }
        self.heads.integrated(&backlog.head)?;
        Ok(edge)
    }

    /// The newest checkpoint whose tiles are durable, signed by the log alone. Never waits.
    pub fn integrated(&self) -> CheckpointNote {
        self.integrated.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The published checkpoint with its cosignatures; `None` if none was published yet.
    pub fn published(&self) -> Result<Option<CheckpointNote>, LogError> {
        let Some(bytes) = self.public.read(&Resource::Checkpoint)? else { return Ok(None) };
        let published = CheckpointNote::parse(&bytes)?;
        published.verify_log(self.key())?;
        Ok(Some(published))
    }

    /// Publishes a checkpoint that this log has integrated, with cosignatures.
    pub fn publish(&self, checkpoint: &CheckpointNote) -> Result<(), LogError> {
        checkpoint.verify_log(self.key())?;
        self.check_known(checkpoint)?;
        self.public.replace(&Resource::Checkpoint, &checkpoint.to_bytes())?;
        self.sweep(checkpoint.checkpoint().size)
    }

    /// Removes the partial tiles whose full tiles a tree of this size has, which is published: readers of an older checkpoint
    /// take the full one (C2SP tlog-tiles). Otherwise each entry would leave the bundle behind that it once ended.
    fn sweep(&self, published: TreeSize) -> Result<(), LogError> {
        let before = TreeSize(self.swept.load(Ordering::Acquire));
        if published > before {
            tiles::remove_partial(&self.public, before, published)?;
            self.swept.store(published.0, Ordering::Release);
        }
        Ok(())
    }

    /// Whether the integrated tree has everything that this tile holds. Others may be on the disk, not yet checked or not
    /// yet durable, so nobody must see them.
    pub fn covers(&self, tile: &TilePath) -> bool {
        let level = match tile.kind() {
            TileKind::Hashes { level } => level,
            TileKind::Entries => 0,
        };
        let count = self.integrated_size().0.checked_shr(u32::from(level) * u32::from(tile::TILE_HEIGHT)).unwrap_or(0);
        let start = tile.index().checked_mul(u64::from(tile::TILE_WIDTH));
        let end = start.and_then(|start| start.checked_add(tile.width().into()));
        end.is_some_and(|end| end <= count)
    }

    /// A reader of the nodes of the tree of this size, which is integrated.
    pub fn reader(&self, size: TreeSize) -> NodeReader {
        NodeReader::new(&self.public, size)
    }

    /// The consistency proof between two sizes of this log.
    pub fn consistency(&self, old: TreeSize, new: TreeSize) -> Result<Vec<NodeHash>, LogError> {
        self.reader(new).consistency(old)
    }

    /// A reader of the entries of the integrated tree.
    pub fn entries(&self) -> EntryReader<'_> {
        EntryReader::new(&self.public, self.integrated_size())
    }

    /// Reads every entry of the integrated tree and fails if together they don't have its root. Each is prepared by one of
    /// several threads, and visited here in order; none before it was found to have the hash that its tile says.
    pub fn replay<T: Send, E: From<LogError> + Send>(
        &self,
        prepare: impl Fn(LeafIndex, Vec<u8>) -> Result<T, E> + Sync,
        visit: impl FnMut(T) -> Result<(), E>,
    ) -> Result<(), E> {
        let head = self.integrated();
        let tree = head.checkpoint();
        let root = replay::replay(&self.public, tree.size, &prepare, visit)?;
        if root == tree.root { Ok(()) } else { Err(LogError::OtherRoot { size: tree.size }.into()) }
    }

    /// The published checkpoint must be one that leads to the integrated one; its size. One that is damaged says nothing;
    /// the next publication replaces it.
    fn check_published(&self) -> Result<Option<TreeSize>, LogError> {
        let published = match self.published() {
            Err(error @ (LogError::Checkpoint(_) | LogError::File(FileError::TooLarge { .. }))) => {
                tracing::error!(%error, "the published checkpoint is damaged and will be replaced");
                return Ok(None);
            }
            published => published?,
        };
        let Some(published) = published else { return Ok(None) };
        self.check_known(&published)?;
        Ok(Some(published.checkpoint().size))
    }

    fn check_known(&self, checkpoint: &CheckpointNote) -> Result<(), LogError> {
        match self.check_signed(checkpoint, "a checkpoint that it has signed") {
            Err(LogError::TwoHistories { size, .. }) => Err(LogError::OtherRoot { size }),
            result => result,
        }
    }

    /// Fails if a checkpoint that this log has signed is not of a tree that is integrated; `by` says what it is.
    pub(crate) fn check_signed(&self, checkpoint: &CheckpointNote, by: &'static str) -> Result<(), LogError> {
        let (tree, head) = (checkpoint.checkpoint(), self.integrated_size());
        if tree.size > head {
            return Err(LogError::RolledBack { head, known: tree.size, by });
        }
        if self.reader(head).root_at(tree.size)? != tree.root {
            return Err(LogError::TwoHistories { size: tree.size, by });
        }
        Ok(())
    }

    /// A panic while the lock was held can have left nothing half changed: head and frontier are replaced together.
    fn tip(&self) -> MutexGuard<'_, Tip> {
        self.tip.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many bytes the entries of a batch have, if it may be one.
fn check_batch(entries: &[Vec<u8>]) -> Result<usize, LogError> {
    let bytes = entries.iter().map(Vec::len).sum();
    if entries.is_empty() || entries.len() > MAX_BATCH || bytes > MAX_BATCH_BYTES {
        return Err(LogError::BatchSize(entries.len()));
    }
    match entries.iter().map(Vec::len).find(|size| *size > tile::MAX_ENTRY_SIZE) {
        Some(size) => Err(LogError::Entries { source: TileError::EntryTooLarge { size } }),
        None => Ok(bytes),
    }
}

fn grown(frontier: &Frontier, entries: &[Vec<u8>]) -> Frontier {
    let mut frontier = frontier.clone();
    frontier.extend(entries.iter().map(|entry| leaf_hash(entry)));
    frontier
}

fn sign(key: &SigningKey, size: TreeSize, root: RootHash) -> Result<CheckpointNote, LogError> {
    let origin = key.verifier().name().to_owned();
    let head = CheckpointNote::sign(Checkpoint { origin, size, root, extensions: Vec::new() }, key)?;
    head.verify_log(key.verifier())?;
    #[cfg(test)]
    testing::remember(&head);
    Ok(head)
}
