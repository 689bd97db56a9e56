//! Changes that are made together.

use super::{Shared, StoreError, Tree};
use std::sync::Arc;

/// The most operations in a batch. The embedded database takes a multiple of the memory for larger ones.
pub const MAX_BATCH: usize = 100;
/// The most bytes in a key.
pub const MAX_KEY: usize = 256;
/// The most bytes in a value: a log entry fits, with a little room.
///
/// The limits together keep every page of the database inside its log, which is all that is made durable: a page has
/// at most some 20 pairs when it is written, and the log takes pages of up to 2 MiB.
pub const MAX_VALUE: usize = 66_000;

/// Up to [`MAX_BATCH`] operations on the trees of one store, applied together by [`super::Store::apply`]. Of several
/// changes to one key the last counts.
#[derive(Clone, Default)]
pub struct Batch {
    operations: Vec<(Tree, Change)>,
}

#[derive(Clone)]
struct Change {
    key: Vec<u8>,
    kind: ChangeKind,
}

#[derive(Clone)]
enum ChangeKind {
    Expect(Option<Vec<u8>>),
    Put(Vec<u8>),
    Remove,
}

/// One step of a batch that has been checked.
pub(super) enum Operation {
    Expect { tree: Arc<str>, key: Vec<u8>, value: Option<Vec<u8>> },
    Put { tree: Arc<str>, key: Vec<u8>, value: Vec<u8> },
    Remove { tree: Arc<str>, key: Vec<u8> },
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// The batch is applied only if the key has this value (`None`: no value) before it.
    pub fn expect(&mut self, tree: &Tree, key: &[u8], value: Option<&[u8]>) -> &mut Self {
        self.push(tree, key, ChangeKind::Expect(value.map(<[u8]>::to_vec)))
    }

    /// Sets the value of a key.
    pub fn put(&mut self, tree: &Tree, key: &[u8], value: &[u8]) -> &mut Self {
        self.push(tree, key, ChangeKind::Put(value.to_vec()))
    }

    /// Removes a key; that there is none is fine.
    pub fn remove(&mut self, tree: &Tree, key: &[u8]) -> &mut Self {
        self.push(tree, key, ChangeKind::Remove)
    }

    /// The number of operations, expectations included.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there is no operation.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    fn push(&mut self, tree: &Tree, key: &[u8], kind: ChangeKind) -> &mut Self {
        self.operations.push((tree.clone(), Change { key: key.to_vec(), kind }));
        self
    }

    /// Checks everything that can be checked without the database.
    pub(super) fn into_operations(self, shared: &Arc<Shared>) -> Result<Vec<Operation>, StoreError> {
        if self.operations.len() > MAX_BATCH {
            return Err(StoreError::Misuse("a batch has at most 100 operations; a larger one would not be atomic"));
        }
        self.operations.into_iter().map(|(tree, change)| check(shared, tree, change)).collect()
    }
}

fn check(shared: &Arc<Shared>, tree: Tree, Change { key, kind }: Change) -> Result<Operation, StoreError> {
    if !Arc::ptr_eq(shared, &tree.shared) {
        return Err(StoreError::Misuse("the batch names a tree of another store"));
    }
    check_key(&key)?;
    let tree = tree.name;
    match kind {
        ChangeKind::Expect(value) => Ok(Operation::Expect { tree, key, value }),
        ChangeKind::Remove => Ok(Operation::Remove { tree, key }),
        ChangeKind::Put(value) if value.len() <= MAX_VALUE => Ok(Operation::Put { tree, key, value }),
        ChangeKind::Put(_) => {
            Err(StoreError::Misuse("a value has at most 66,000 bytes; larger ones belong into files"))
        }
    }
}

pub(super) fn check_key(key: &[u8]) -> Result<(), StoreError> {
    if key.len() > MAX_KEY { Err(StoreError::Misuse("a key has at most 256 bytes")) } else { Ok(()) }
}
