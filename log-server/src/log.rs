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
//! public/tile/…        see the module `files`
//! public/checkpoint    the published checkpoint, cosigned
//! private/staged-0, 1  entries whose tiles are not durable yet
//! private/head         the newest checkpoint whose tiles are
//! private/state/       the database, with the committed checkpoint
//! ```

mod appender;
mod heads;
mod opening;
mod staging;
#[cfg(test)]
pub(crate) mod testing;
mod tiles;

pub use appender::{AppendError, Appender};
pub use tiles::{EntryReader, NodeReader};

use crate::files::PublicFolder;
use heads::Heads;
use isonomy_core::checkpoint::{Checkpoint, CheckpointError, CheckpointNote};
use isonomy_core::hash::{NodeHash, RootHash};
use isonomy_core::note::{SigningKey, VerifierKey};
use isonomy_core::resource::Resource;
use isonomy_core::tile::{self, RightEdge, TileError, TileKind, TilePath};
use isonomy_core::tree::{Frontier, LeafIndex, ProofError, TreeSize, leaf_hash};
use isonomy_store::files::FileError;
use isonomy_store::kv::{Store, StoreError};
use staging::Staging;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why the log can't do what it should. None of these is a submitter's fault.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A checkpoint in the store is malformed, or not signed by the log's key.
    #[error(
        "a checkpoint of this log is not as it was signed: {0}; if the log's key or name was changed, start a new log in a new folder"
    )]
    Checkpoint(#[from] CheckpointError),
    /// A proof could not be made.
    #[error("a proof could not be made of the stored tiles: {0}")]
    Proof(#[from] ProofError),
    /// A tile is damaged.
    #[error("{tile} is damaged: {source}; put it back from a mirror or a backup")]
    Tile {
        /// The tile.
        tile: TilePath,
        /// What is wrong with it.
        source: TileError,
    },
    /// A tile is missing.
    #[error("{tile} is missing; put it back from a mirror or a backup")]
    TileMissing {
        /// The tile.
        tile: TilePath,
    },
    /// An entry is too large.
    #[error("an entry can't be logged: {source}")]
    Entries {
        /// What is wrong with it.
        source: TileError,
    },
    /// Committed entries are neither in the tiles nor staged.
    #[error(
        "the log has committed a tree of size {head}, but its entries are there only up to {size}; put `private/` and `public/` back as they were together, the newest of them"
    )]
    StagedMissing {
        /// How many entries there are.
        size: TreeSize,
        /// How many there should be.
        head: TreeSize,
    },
    /// An earlier step failed.
    #[error("the log refuses to go on since an earlier failure; check the disk and start again")]
    Failed,
    /// The tree was asked for something beyond its end.
    #[error("the log has no complete tree of size {size}")]
    NoSuchTree {
        /// The size that was asked for.
        size: TreeSize,
    },
    /// What was written is not what is on the disk. Nothing of it was signed or shown.
    #[error("what was written for the tree of size {size} is not what is read back; check memory and disk")]
    StoredOtherwise {
        /// The size.
        size: TreeSize,
    },
    /// The tiles lead to another root than the signed one.
    #[error(
        "the stored tiles or entries do not have the root that the log has signed for size {size}; put them back from a mirror or a backup"
    )]
    OtherRoot {
        /// The size.
        size: TreeSize,
    },
    /// Something shows that the log was larger once.
    #[error(
        "the log's database is of size {head}, but {by} is of size {known}: the data is older than what was signed. Going on would fork the log, so it refuses; put the newest data back"
    )]
    RolledBack {
        /// The size in the database.
        head: TreeSize,
        /// The larger size.
        known: TreeSize,
        /// What shows it.
        by: &'static str,
    },
    /// Database and copy disagree.
    #[error(
        "the database and the copy of the head have different roots for size {size}; nothing can be signed until it is known which one was seen by others"
    )]
    TwoHeads {
        /// The size.
        size: TreeSize,
    },
    /// There are remains of a log, but not the head that it committed.
    #[error(
        "the folder holds a log, but not the head that it committed last; put `private/` back, or use an empty folder for a new log"
    )]
    HeadMissing,
    /// Somebody else has changed the head.
    #[error("the log's head was changed by somebody else; two servers must not run on one log")]
    HeadMoved,
    /// Too many entries, or none.
    #[error("a log can't grow by {0} entries at once, or not by so large ones")]
    BatchSize(usize),
}

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
        let log = Self { public, key, heads, tip, edge, integrated, committed_size, integrated_size };
        log.check_published()?;
        Ok(log)
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
        Ok(self.public.replace(&Resource::Checkpoint, &checkpoint.to_bytes())?)
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

    /// Reads every entry of the integrated tree, in order, and fails if together they don't have its root.
    pub fn replay<E: From<LogError>>(
        &self,
        mut visit: impl FnMut(LeafIndex, Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let head = self.integrated();
        let tree = head.checkpoint();
        let mut frontier = Frontier::new();
        for path in tile::entry_tiles(LeafIndex(0), tree.size) {
            for entry in tiles::read_entries(&self.public, &path)? {
                let index = LeafIndex(frontier.size().0);
                frontier.push(leaf_hash(&entry));
                visit(index, entry)?;
            }
        }
        if frontier.root() == tree.root { Ok(()) } else { Err(LogError::OtherRoot { size: tree.size }.into()) }
    }

    /// The published checkpoint must be one that leads to the integrated one. One that is damaged says nothing; the next
    /// publication replaces it.
    fn check_published(&self) -> Result<(), LogError> {
        let published = match self.published() {
            Err(error @ (LogError::Checkpoint(_) | LogError::File(FileError::TooLarge { .. }))) => {
                tracing::error!(%error, "the published checkpoint is damaged and will be replaced");
                return Ok(());
            }
            published => published?,
        };
        published.map_or(Ok(()), |published| self.check_known(&published))
    }

    fn check_known(&self, checkpoint: &CheckpointNote) -> Result<(), LogError> {
        let (tree, head) = (checkpoint.checkpoint(), self.integrated());
        let head = head.checkpoint();
        if tree.size > head.size {
            let (head, known) = (head.size, tree.size);
            return Err(LogError::RolledBack { head, known, by: "a checkpoint that it has signed" });
        }
        if self.reader(head.size).root_at(tree.size)? != tree.root {
            return Err(LogError::OtherRoot { size: tree.size });
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

#[cfg(test)]
mod tests {
    use super::testing::{Folder, checkpoint, key};
    use super::*;
    use isonomy_core::tree::{verify_consistency, verify_inclusion};

    fn entries(range: std::ops::Range<u64>) -> Vec<Vec<u8>> {
        range.map(|number| format!("entry {number}").into_bytes()).collect()
    }

    fn root_of(entries: &[Vec<u8>]) -> RootHash {
        entries.iter().map(|entry| leaf_hash(entry)).collect::<Frontier>().root()
    }

    #[test]
    fn a_log_grows_and_proves_itself() {
        let folder = Folder::new();
        let log = folder.open().unwrap();
        let mut old = log.head();
        for (from, to) in [(0, 1), (1, 3), (3, 250), (250, 256), (256, 300), (300, 520), (520, 521)] {
            assert_eq!(log.append(&entries(from..to)).unwrap(), LeafIndex(from));
            assert_eq!((log.size(), log.integrated_size()), (TreeSize(to), TreeSize(from)));
            let head = log.integrate().unwrap();
            assert_eq!(head, log.head());
            let (tree, before) = (head.checkpoint(), old.checkpoint());
            assert_eq!(tree.root, root_of(&entries(0..to)));
            let proof = log.consistency(before.size, tree.size).unwrap();
            verify_consistency(before.size, &before.root, tree.size, &tree.root, &proof).unwrap();
            old = head;
        }
        let tree = log.head().checkpoint().clone();
        let mut reader = log.reader(tree.size);
        for index in [0, 255, 256, 519, 520].map(LeafIndex) {
            let entry = log.entries().entry(index).unwrap().to_vec();
            assert_eq!(entry, format!("entry {index}").into_bytes());
            let path = reader.inclusion(index).unwrap();
            verify_inclusion(&leaf_hash(&entry), index, tree.size, &path, &tree.root).unwrap();
        }
        let mut count = 0;
        log.replay(|index, _| {
            assert_eq!(index.0, count);
            count += 1;
            Ok::<_, LogError>(())
        })
        .unwrap();
        assert_eq!(count, 521);
    }

    #[test]
    fn what_is_committed_and_not_integrated_is_integrated_at_the_next_start() {
        let folder = Folder::new();
        let head = {
            let log = folder.open().unwrap();
            log.append(&entries(0..5)).unwrap();
            log.integrate().unwrap();
            log.append(&entries(5..300)).unwrap();
            log.append(&entries(300..301)).unwrap();
            let covered = |path: &str| log.covers(&TilePath::parse(path).unwrap());
            assert!(covered("tile/0/000.p/5") && covered("tile/entries/000.p/5") && covered("tile/0/000.p/3"));
            assert!(!covered("tile/0/000.p/7") && !covered("tile/entries/000.p/7") && !covered("tile/0/000"));
            assert!(!covered("tile/1/000.p/1") && !covered("tile/63/000.p/1") && !covered("tile/0/001.p/1"));
            assert!(matches!(log.entries().entry(LeafIndex(6)), Err(LogError::NoSuchTree { .. })));
            log.head()
        };
        let log = folder.open().unwrap();
        assert_eq!((log.head(), log.integrated()), (head.clone(), head));
        assert_eq!(log.entries().entry(LeafIndex(300)).unwrap(), b"entry 300");
        assert_eq!(log.append(&entries(301..302)).unwrap(), LeafIndex(301));
        assert_eq!(log.integrate().unwrap().checkpoint().root, root_of(&entries(0..302)));
    }

    #[test]
    fn every_part_of_the_private_folder_can_be_lost_alone() {
        for lost in ["private/state", "private/head"] {
            let folder = Folder::new();
            let head = {
                let log = folder.open().unwrap();
                log.append(&entries(0..5)).unwrap();
                log.integrate().unwrap();
                log.append(&entries(5..300)).unwrap();
                log.append(&entries(300..310)).unwrap();
                log.head()
            };
            let path = folder.path().join(lost);
            if path.is_dir() {
                std::fs::remove_dir_all(path).unwrap()
            } else {
                std::fs::remove_file(path).unwrap()
            };
            let log = folder.open().unwrap();
            assert_eq!(log.integrated(), head, "{lost}");
            log.replay(|_, _| Ok::<_, LogError>(())).unwrap();
        }
    }

    #[test]
    fn committed_entries_that_are_nowhere_stop_the_start() {
        let folder = Folder::new();
        {
            let log = folder.open().unwrap();
            log.append(&entries(0..5)).unwrap();
            log.integrate().unwrap();
            log.append(&entries(5..9)).unwrap();
        }
        let tape = folder.path().join("private/staged-1");
        let good = std::fs::read(&tape).unwrap();
        for harm in [&good[..good.len() - 1], &[], &[&good[..60], b"x", &good[61..]].concat()] {
            std::fs::write(&tape, harm).unwrap();
            let missing = folder.open().map(drop).unwrap_err();
            assert!(matches!(missing, LogError::StagedMissing { size: TreeSize(5), head: TreeSize(9) }), "{missing}");
        }
        std::fs::write(&tape, good).unwrap();
        assert_eq!(folder.open().unwrap().size(), TreeSize(9));
    }

    #[test]
    fn a_bit_that_flips_between_hashing_and_staging_is_never_signed() {
        let folder = Folder::new();
        let head = {
            let log = folder.open().unwrap();
            log.append(&entries(0..5)).unwrap();
            let head = log.integrate().unwrap();
            // What `append` would have staged, had a bit of the entry flipped after it was hashed.
            let mut tip = log.tip();
            tip.staging.write(TreeSize(5), &root_of(&entries(0..6)), &[b"entry 4".to_vec()]).unwrap();
            head
        };
        let log = folder.open().unwrap();
        assert_eq!(log.head(), head, "nobody can know what was meant, and nobody was told anything");
        log.append(&entries(5..6)).unwrap();
        drop(log);
        let log = folder.open().unwrap();
        assert_eq!(log.integrated().checkpoint().root, root_of(&entries(0..6)));
    }

    #[test]
    fn only_what_leads_to_the_head_is_published() {
        let folder = Folder::new();
        let log = folder.open().unwrap();
        assert_eq!(log.published().unwrap(), None);
        log.append(&entries(0..2)).unwrap();
        let two = log.integrate().unwrap();
        log.append(&entries(2..4)).unwrap();
        log.publish(&two).unwrap();
        assert!(matches!(log.publish(&log.head()), Err(LogError::RolledBack { .. })), "not integrated yet");
        log.publish(&log.integrate().unwrap()).unwrap();
        assert!(matches!(log.publish(&checkpoint(&key(), 5, 1)), Err(LogError::RolledBack { .. })));
        assert!(matches!(log.publish(&checkpoint(&key(), 3, 1)), Err(LogError::OtherRoot { .. })));
    }

    #[test]
    fn remains_without_a_head_and_rolled_back_data_are_refused() {
        let folder = Folder::new();
        {
            let log = folder.open().unwrap();
            log.append(&entries(0..3)).unwrap();
            log.publish(&log.integrate().unwrap()).unwrap();
        }
        let published = checkpoint(&key(), 9, 9);
        let path = folder.path().join("public/checkpoint");
        let good = std::fs::read(&path).unwrap();
        std::fs::write(&path, published.to_bytes()).unwrap();
        assert!(matches!(folder.open(), Err(LogError::RolledBack { .. })));
        std::fs::write(&path, good).unwrap();
        folder.open().unwrap();
        std::fs::remove_dir_all(folder.path().join("private/state")).unwrap();
        assert_eq!(folder.open().unwrap().size(), TreeSize(3), "the copy of the head puts the database back");
        std::fs::remove_dir_all(folder.path().join("private")).unwrap();
        assert!(matches!(folder.open(), Err(LogError::HeadMissing)));
    }

    #[test]
    fn damage_is_found_at_start_or_when_entries_are_read() {
        let folder = Folder::new();
        {
            let log = folder.open().unwrap();
            log.append(&entries(0..3)).unwrap();
            log.integrate().unwrap();
        }
        let hashes = folder.path().join("public/tile/0/000.p/3");
        let good = std::fs::read(&hashes).unwrap();
        let mut bad = good.clone();
        bad[40] ^= 1;
        std::fs::write(&hashes, &bad).unwrap();
        assert!(matches!(folder.open(), Err(LogError::OtherRoot { .. })));
        std::fs::remove_file(&hashes).unwrap();
        assert!(matches!(folder.open(), Err(LogError::TileMissing { .. })));
        std::fs::write(&hashes, &good[1..]).unwrap();
        assert!(matches!(folder.open(), Err(LogError::Tile { .. })));
        std::fs::write(&hashes, &good).unwrap();
        let bundle = folder.path().join("public/tile/entries/000.p/3");
        let mut bytes = std::fs::read(&bundle).unwrap();
        bytes[4] ^= 1;
        std::fs::write(&bundle, bytes).unwrap();
        let log = folder.open().unwrap();
        assert!(matches!(log.replay(|_, _| Ok::<_, LogError>(())), Err(LogError::OtherRoot { .. })));
        let head = log.head();
        // The damaged entry would be copied into the next tile of entries.
        log.append(&entries(3..4)).unwrap();
        assert!(matches!(log.integrate(), Err(LogError::StoredOtherwise { .. })));
        assert_eq!(log.integrated(), head, "nothing is shown");
        assert!(matches!(log.append(&entries(4..5)), Err(LogError::Failed)));
        assert!(matches!(log.integrate(), Err(LogError::Failed)));
    }

    #[test]
    fn batches_have_their_limits() {
        let folder = Folder::new();
        let log = folder.open().unwrap();
        assert!(matches!(log.append(&[]), Err(LogError::BatchSize(0))));
        let most = MAX_BATCH as u64;
        assert!(matches!(log.append(&entries(0..most + 1)), Err(LogError::BatchSize(_))));
        assert!(matches!(log.append(&vec![vec![0; 65_535]; 257]), Err(LogError::BatchSize(257))));
        assert!(matches!(log.append(&[vec![0; 65_536]]), Err(LogError::Entries { .. })));
        assert_eq!(log.size(), TreeSize(0));
    }
}
