//! A log in a folder that goes away.

use super::{Log, LogError};
use crate::files::PublicFolder;
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::hash::RootHash;
use isonomy_core::note::{KeyType, SigningKey};
use isonomy_core::tree::TreeSize;
use isonomy_store::kv::Store;
use std::cell::RefCell;
use std::path::Path;

pub(crate) const ORIGIN: &str = "log.example/isonomy";

pub(crate) fn key() -> SigningKey {
    SigningKey::from_seed(ORIGIN, KeyType::Ed25519, &[1; 32]).unwrap()
}

/// A signed checkpoint with an invented root.
pub(crate) fn checkpoint(key: &SigningKey, size: u64, root: u8) -> CheckpointNote {
    let origin = key.verifier().name().to_owned();
    let (size, root) = (TreeSize(size), RootHash([root; 32]));
    CheckpointNote::sign(Checkpoint { origin, size, root, extensions: Vec::new() }, key).unwrap()
}

thread_local! {
    static SIGNED: RefCell<Vec<CheckpointNote>> = const { RefCell::new(Vec::new()) };
}

/// Takes note of a checkpoint that a log on this thread has signed, whatever becomes of it.
pub(crate) fn remember(head: &CheckpointNote) {
    SIGNED.with_borrow_mut(|signed| signed.push(head.clone()));
}

/// All that was signed on this thread since this was called last.
pub(crate) fn take_signed() -> Vec<CheckpointNote> {
    SIGNED.take()
}

pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn open(&self) -> Result<Log, LogError> {
        let private = self.path().join("private");
        let public = PublicFolder::open(self.path().join("public"))?;
        let store = Store::open(&private.join("state"))?;
        Log::open(public, &private, &store, key())
    }
}
