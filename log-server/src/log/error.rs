//! Why a log can't go on.

use isonomy_core::checkpoint::CheckpointError;
use isonomy_core::tile::{TileError, TilePath};
use isonomy_core::tree::{ProofError, TreeSize};
use isonomy_store::files::FileError;
use isonomy_store::kv::StoreError;

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
        "a checkpoint of this log is not as it was signed: {0}; a log keeps its name and its key; a new log needs a new name, a new key and an empty folder"
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
    /// Entries do not have the hashes that the tree has of them.
    #[error(
        "{bundle} is damaged, or the tile of hashes beside it: they differ. `isonomy log fsck` says which; put it back from a mirror or a backup"
    )]
    EntriesDiffer {
        /// The entries.
        bundle: TilePath,
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
        "the log's database is of size {head}, but {by} is of size {known}: the data is older than what was signed. Going on would fork the log, so it refuses; put the newest data back, or complete `public/` from a mirror and run `isonomy log restore`"
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
    /// Something shows that the log has signed another tree.
    #[error(
        "{by} is of another tree of size {size} than the log's: it has signed two histories, or its data was mixed up. It refuses to sign more; find out which of the two others have seen"
    )]
    TwoHistories {
        /// The size.
        size: TreeSize,
        /// What shows it.
        by: &'static str,
    },
    /// There are remains of a log, but not the head that it committed.
    #[error(
        "the folder holds a log, but not the head that it committed last; put `private/` back, or make it anew from `public/` with `isonomy log restore`. A new log needs a new name, a new key and an empty folder"
    )]
    HeadMissing,
    /// Somebody else has changed the head.
    #[error("the log's head was changed by somebody else; two servers must not run on one log")]
    HeadMoved,
    /// Too many entries, or none.
    #[error("a log can't grow by {0} entries at once, or not by so large ones")]
    BatchSize(usize),
}
