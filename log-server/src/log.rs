//! A durable log: tiles, entries, and one checkpoint after the other, each extending the one before. What entries mean
//! is not judged here.
//!
//! To append is one transaction. New tiles are written beside those of the committed tree; they are read back, and the
//! root is computed from what was read; the checkpoint is signed and committed by compare-and-swap on the one before.
//! Until then nothing has happened: what an interrupted attempt leaves behind is replaced by the next. A committed
//! checkpoint may be shown to witnesses. When enough have cosigned it, it is *published*, which is a step of its own:
//! the published checkpoint may be older than the committed one, never newer.
//!
//! # Folder
//!
//! ```text
//! public/tile/…        see the module `files`
//! public/checkpoint    the published checkpoint, cosigned
//! private/head         a copy of the committed checkpoint
//! private/state/       the database, with the committed checkpoint
//! ```

mod heads;
#[cfg(test)]
pub(crate) mod testing;
mod tiles;

pub use tiles::NodeReader;

use crate::files::PublicFolder;
use heads::Heads;
use isonomy_core::checkpoint::{Checkpoint, CheckpointError, CheckpointNote};
use isonomy_core::hash::{NodeHash, RootHash};
use isonomy_core::note::{SigningKey, VerifierKey};
use isonomy_core::resource::Resource;
use isonomy_core::tile::{self, RightEdge, TileError, TileKind, TilePath};
use isonomy_core::tree::{Frontier, LeafIndex, ProofError, TreeSize, empty_root, leaf_hash};
use isonomy_store::files::FileError;
use isonomy_store::kv::{Store, StoreError};
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
    /// The tree was asked for something beyond its end.
    #[error("the log has no complete tree of size {size}")]
    NoSuchTree {
        /// The size that was asked for.
        size: TreeSize,
    },
    /// What was written is not what is on the disk. Nothing was signed.
    #[error(
        "the tiles of the tree of size {size} do not hold what was written, so it was not signed; check memory and disk"
    )]
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
    #[error("a log can't grow by {0} entries at once")]
    BatchSize(usize),
}

/// A log. It can be shared by threads.
pub struct Log {
    public: PublicFolder,
    key: SigningKey,
    heads: Heads,
    tip: Mutex<Tip>,
    /// The size of the committed tree, for those who must not wait while the next one is written.
    size: AtomicU64,
}

/// The committed tree.
struct Tip {
    head: CheckpointNote,
    edge: RightEdge,
}

/// The most entries in a batch.
pub const MAX_BATCH: usize = 256;

impl Log {
    /// Opens the log in these folders, or starts one if they are empty. Database and files must agree.
    pub fn open(public: PublicFolder, private: &Path, store: &Store, key: SigningKey) -> Result<Self, LogError> {
        let heads = Heads::open(store, private)?;
        let head = match heads.recover()? {
            Some(head) => head,
            None => begin(&public, &heads, &key)?,
        };
        head.verify_log(key.verifier())?;
        let tree = head.checkpoint();
        let edge = tiles::read_edge(&public, tree.size)?;
        if edge.root() != tree.root {
            return Err(LogError::OtherRoot { size: tree.size });
        }
        let size = AtomicU64::new(tree.size.0);
        let log = Self { public, key, heads, tip: Mutex::new(Tip { head, edge }), size };
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

    /// The committed checkpoint, signed by the log alone.
    pub fn head(&self) -> CheckpointNote {
        self.tip().head.clone()
    }

    /// The size of the committed tree. Never waits.
    pub fn size(&self) -> TreeSize {
        TreeSize(self.size.load(Ordering::Acquire))
    }

    /// Appends entries, each of at most 65,535 bytes, and commits the checkpoint that covers them. Gives the place of the
    /// first. On error the log is as it was; a damaged database refuses everything from then on.
    pub fn append(&self, entries: &[Vec<u8>]) -> Result<LeafIndex, LogError> {
        if entries.is_empty() || entries.len() > MAX_BATCH {
            return Err(LogError::BatchSize(entries.len()));
        }
        let mut tip = self.tip();
        let old: Frontier = tip.edge.frontier();
        let edge = tiles::write_growth(&self.public, &tip.edge, entries)?;
        let root = tiles::root_of_stored(&self.public, &old, edge.size())?;
        if root != edge.root() {
            return Err(LogError::StoredOtherwise { size: edge.size() });
        }
        let head = sign(&self.key, edge.size(), root)?;
        self.heads.commit(Some(&tip.head), &head)?;
        self.size.store(edge.size().0, Ordering::Release);
        *tip = Tip { head, edge };
        Ok(LeafIndex(old.size().0))
    }

    /// The published checkpoint with its cosignatures; `None` if none was published yet.
    pub fn published(&self) -> Result<Option<CheckpointNote>, LogError> {
        let bytes = self.public.read(&Resource::Checkpoint)?;
        Ok(bytes.map(|bytes| CheckpointNote::parse(&bytes)).transpose()?)
    }

    /// Publishes a checkpoint that this log has committed, with cosignatures.
    pub fn publish(&self, checkpoint: &CheckpointNote) -> Result<(), LogError> {
        checkpoint.verify_log(self.key())?;
        self.check_known(checkpoint)?;
        Ok(self.public.replace(&Resource::Checkpoint, &checkpoint.to_bytes())?)
    }

    /// Whether the committed tree has everything that this tile holds. Others may be on the disk, left from a batch that
    /// was never committed; the next one may replace them, so nobody must see them.
    pub fn covers(&self, tile: &TilePath) -> bool {
        let level = match tile.kind() {
            TileKind::Hashes { level } => level,
            TileKind::Entries => 0,
        };
        let count = self.size().0.checked_shr(u32::from(level) * u32::from(tile::TILE_HEIGHT)).unwrap_or(0);
        let start = tile.index().checked_mul(u64::from(tile::TILE_WIDTH));
        let end = start.and_then(|start| start.checked_add(tile.width().into()));
        end.is_some_and(|end| end <= count)
    }

    /// A reader of the nodes of the tree of this size.
    pub fn reader(&self, size: TreeSize) -> NodeReader<'_> {
        NodeReader::new(&self.public, size)
    }

    /// The consistency proof between two sizes of this log.
    pub fn consistency(&self, old: TreeSize, new: TreeSize) -> Result<Vec<NodeHash>, LogError> {
        self.reader(new).consistency(old)
    }

    /// The entry at `index`.
    pub fn entry(&self, index: LeafIndex) -> Result<Vec<u8>, LogError> {
        let size = self.size();
        let beyond = || LogError::NoSuchTree { size };
        let path = TilePath::of_entry(index, size).ok_or_else(beyond)?;
        let mut entries = tiles::read_entries(&self.public, &path)?;
        let within = usize::try_from(index.0 % u64::from(tile::TILE_WIDTH)).unwrap_or(usize::MAX);
        if within < entries.len() { Ok(entries.swap_remove(within)) } else { Err(beyond()) }
    }

    /// Reads every entry of the committed tree, in order, and fails if together they don't have its root.
    pub fn replay<E: From<LogError>>(
        &self,
        mut visit: impl FnMut(LeafIndex, Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        let head = self.head();
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

    /// The published checkpoint must be one that leads to the committed one.
    fn check_published(&self) -> Result<(), LogError> {
        let Some(published) = self.published()? else { return Ok(()) };
        published.verify_log(self.key())?;
        self.check_known(&published)
    }

    fn check_known(&self, checkpoint: &CheckpointNote) -> Result<(), LogError> {
        let (tree, head) = (checkpoint.checkpoint(), self.head());
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

    /// A panic while the lock was held can't have left the tip half changed: it is replaced in one assignment.
    fn tip(&self) -> MutexGuard<'_, Tip> {
        self.tip.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Commits the checkpoint of the empty tree, if nothing shows that there was a log here before.
fn begin(public: &PublicFolder, heads: &Heads, key: &SigningKey) -> Result<CheckpointNote, LogError> {
    if public.has_tiles() || public.read(&Resource::Checkpoint)?.is_some() {
        return Err(LogError::HeadMissing);
    }
    let head = sign(key, TreeSize(0), empty_root())?;
    heads.commit(None, &head)?;
    Ok(head)
}

fn sign(key: &SigningKey, size: TreeSize, root: RootHash) -> Result<CheckpointNote, LogError> {
    let origin = key.verifier().name().to_owned();
    let head = CheckpointNote::sign(Checkpoint { origin, size, root, extensions: Vec::new() }, key)?;
    head.verify_log(key.verifier())?;
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
            let head = log.head();
            let (tree, before) = (head.checkpoint(), old.checkpoint());
            assert_eq!(tree.root, root_of(&entries(0..to)));
            let proof = log.consistency(before.size, tree.size).unwrap();
            verify_consistency(before.size, &before.root, tree.size, &tree.root, &proof).unwrap();
            old = head;
        }
        let tree = log.head().checkpoint().clone();
        let mut reader = log.reader(tree.size);
        for index in [0, 255, 256, 519, 520].map(LeafIndex) {
            let entry = log.entry(index).unwrap();
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
    fn a_log_goes_on_after_a_restart_and_over_an_interrupted_batch() {
        let folder = Folder::new();
        let head = {
            let log = folder.open().unwrap();
            log.append(&entries(0..5)).unwrap();
            // A batch whose tiles were written, but which was never committed.
            let edge = tiles::read_edge(log.public(), TreeSize(5)).unwrap();
            tiles::write_growth(log.public(), &edge, &[b"never".to_vec(), b"committed".to_vec()]).unwrap();
            let covered = |path: &str| log.covers(&TilePath::parse(path).unwrap());
            assert!(covered("tile/0/000.p/5") && covered("tile/entries/000.p/5") && covered("tile/0/000.p/3"));
            assert!(!covered("tile/0/000.p/7") && !covered("tile/entries/000.p/7") && !covered("tile/0/000"));
            assert!(!covered("tile/1/000.p/1") && !covered("tile/63/000.p/1") && !covered("tile/0/001.p/1"));
            log.head()
        };
        let log = folder.open().unwrap();
        assert_eq!(log.head(), head);
        log.append(&entries(5..7)).unwrap();
        assert_eq!(log.head().checkpoint().root, root_of(&entries(0..7)));
        assert_eq!(log.entry(LeafIndex(6)).unwrap(), b"entry 6");
    }

    #[test]
    fn only_what_leads_to_the_head_is_published() {
        let folder = Folder::new();
        let log = folder.open().unwrap();
        assert_eq!(log.published().unwrap(), None);
        log.append(&entries(0..2)).unwrap();
        let two = log.head();
        log.append(&entries(2..4)).unwrap();
        log.publish(&two).unwrap();
        log.publish(&log.head()).unwrap();
        assert!(matches!(log.publish(&checkpoint(&key(), 5, 1)), Err(LogError::RolledBack { .. })));
        assert!(matches!(log.publish(&checkpoint(&key(), 3, 1)), Err(LogError::OtherRoot { .. })));
    }

    #[test]
    fn remains_without_a_head_and_rolled_back_data_are_refused() {
        let folder = Folder::new();
        {
            let log = folder.open().unwrap();
            log.append(&entries(0..3)).unwrap();
            log.publish(&log.head()).unwrap();
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
        folder.open().unwrap().append(&entries(0..3)).unwrap();
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
        assert!(matches!(log.append(&entries(3..4)), Err(LogError::StoredOtherwise { .. })));
        assert_eq!(log.head(), head);
    }

    #[test]
    fn batches_have_their_limits() {
        let folder = Folder::new();
        let log = folder.open().unwrap();
        assert!(matches!(log.append(&[]), Err(LogError::BatchSize(0))));
        assert!(matches!(log.append(&entries(0..257)), Err(LogError::BatchSize(257))));
        assert!(matches!(log.append(&[vec![0; 65_536]]), Err(LogError::Tile { .. })));
        assert_eq!(log.size(), TreeSize(0));
    }
}
