//! What can go wrong with a store.

use crate::files::FileError;
use std::path::PathBuf;

/// Why a store did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database is unreadable, or acknowledged changes are missing from it.
    #[error(
        "the database in {} is damaged: {reason}; it must be set aside and rebuilt, or be put back from a copy",
        folder.display()
    )]
    Damaged {
        /// The store's folder.
        folder: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A value is not the one that a batch expects. Nothing was changed.
    #[error("a value in the tree {tree} is not the expected one, so nothing was changed")]
    Conflict {
        /// The tree's name.
        tree: String,
        /// The key whose value was another one.
        key: Vec<u8>,
    },
    /// The caller asked for something that the store does not do. Nothing was changed.
    #[error("misuse of the store: {0}")]
    Misuse(&'static str),
    /// The operating system refused or failed while the database was in use. Whether a change that was being made is
    /// there is unknown until the store is opened again; until then it refuses everything.
    #[error("the database in {} failed: {source}; check the disk and start again", folder.display())]
    Failed {
        /// The store's folder.
        folder: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// An earlier call failed, so that this store can't be relied upon any more.
    #[error("the database in {} refuses to work since an earlier failure; check the disk and start again", folder.display())]
    Poisoned {
        /// The store's folder.
        folder: PathBuf,
    },
    /// A file or folder beside the database failed; among others, the folder is in use by another process.
    #[error(transparent)]
    File(#[from] FileError),
}
