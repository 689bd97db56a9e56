//! Named trees of small keys and values in an embedded database, for the mutable state of servers.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! use isonomy_store::kv::{Batch, Store, Swap};
//!
//! let store = Store::open(folder.path())?;
//! let (heads, index) = (store.tree("heads")?, store.tree("index")?);
//! assert_eq!(heads.compare_and_swap(b"log.example", None, Some(b"size 1"))?, Swap::Done);
//!
//! let mut batch = Batch::new();
//! batch.expect(&heads, b"log.example", Some(b"size 1"));
//! batch.put(&heads, b"log.example", b"size 2").put(&index, b"statement", b"1");
//! store.apply(batch)?;
//! assert_eq!(heads.get(b"log.example")?.as_deref(), Some(&b"size 2"[..]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Contract
//!
//! 1. **Durable.** What a call that changes something has returned `Ok` for survives the death of the process and a
//!    power cut. Nobody reads a value that a power cut could still take back: readers wait while a change is on its way
//!    to the disk.
//! 2. **Atomic.** A [`Batch`] is applied whole or not at all, over any number of trees, and its expectations are checked
//!    in the same step. It holds at most [`MAX_BATCH`] operations; a larger one is refused, never split.
//! 3. **Serial.** Changes happen one after the other. A reader sees all of those that returned before it began.
//! 4. **Complete or damaged.** [`Store::open`] reads everything there is and compares it with a count of the changes
//!    kept in a file of its own. If anything is unreadable, or an acknowledged change is missing, that is
//!    [`StoreError::Damaged`], never an older state. (Somebody who puts back a copy of the whole folder isn't noticed.)
//! 5. **Fail closed.** After a write that failed, whether the change is there is unknown until the store is opened again;
//!    so from then on every call, also to read, gives [`StoreError::Poisoned`]. Damage found while reading does the same.
//! 6. **No panic.** Panics of the embedded database become errors. (The panic hook still prints them; a program built
//!    with `panic = "abort"` ends.)
//! 7. **One process.** The folder is locked as long as a [`Store`] or one of its [`Tree`]s lives.
//! 8. **Small.** Keys have up to [`MAX_KEY`] bytes and values up to [`MAX_VALUE`]; the whole content is cached in memory.
//!    What is large or never changes belongs into files (`files::write_once`).
//!
//! A damaged store that can be rebuilt from elsewhere is moved out of the way by [`set_aside`], and then made anew by
//! [`Store::open`]. One that can't be rebuilt is for a person to look at.
//!
//! # Folder
//!
//! ```text
//! lock                 held while the store is open
//! sled/                the embedded database
//! sled/changes         the number of changes acknowledged, 20 digits and a newline
//! creating             only while sled/ is being made: what is in it then was never acknowledged
//! sled.damaged-1/      what was set aside
//! ```
//!
//! Calls wait for the disk; asynchronous servers make them on a thread that may block.
//!
//! What no test of this crate can show is that the bytes have reached the disk: that takes a disk whose power can be
//! cut, or a file system on a loop device whose backing file is copied while a writer runs. (Done by hand with the
//! latter: none of 40 copies had lost anything; without the synchronisation of the log, 36 of 40 were damaged or had.)

mod batch;
mod database;
mod error;
mod scan;

pub use batch::{Batch, MAX_BATCH, MAX_KEY, MAX_VALUE};
pub use error::StoreError;
pub use scan::{MAX_PAGE, Scan};

use crate::files::{self, FolderLock};
use batch::{Operation, check_key};
use database::{Database, Failure};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

/// A key and its value.
pub type Pair = (Vec<u8>, Vec<u8>);

/// The most trees that a store may have.
pub const MAX_TREES: usize = 64;

/// An open store. The module's documentation is its contract. Clones and trees share it.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    folder: PathBuf,
    is_new: bool,
    state: RwLock<State>,
    /// Released when the database is closed.
    _lock: FolderLock,
}

enum State {
    Open(Database),
    Poisoned,
}

/// Shows the folder.
impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.shared.folder.display())
    }
}

/// What came of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the value may not have been swapped"]
pub enum Swap {
    /// The value was the expected one and has been changed.
    Done,
    /// The value is another one (`None`: there is none); nothing was changed.
    Differs(Option<Vec<u8>>),
}

impl Store {
    /// Opens the store in this folder, or makes an empty one if there is none; the folder is made if it is missing.
    ///
    /// This reads the whole content once, so it takes time in proportion to it (a few seconds for a million keys).
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        files::create_dir_all_durable(folder)?;
        let lock = FolderLock::acquire(folder)?;
        let (database, is_new) = Database::open(folder).map_err(|failure| failure.in_folder(folder))?;
        let state = RwLock::new(State::Open(database));
        Ok(Self { shared: Arc::new(Shared { folder: folder.to_owned(), is_new, state, _lock: lock }) })
    }

    /// Whether [`Store::open`] found nothing and made an empty store. Whoever expects old state must look at this.
    pub fn is_new(&self) -> bool {
        self.shared.is_new
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.shared.folder
    }

    /// The tree of this name, which is made if there is none. Names consist of 1 to 64 of `a–z`, `0–9` and `-`; there
    /// are at most [`MAX_TREES`].
    pub fn tree(&self, name: &str) -> Result<Tree, StoreError> {
        if !database::is_tree_name(name) {
            return Err(StoreError::Misuse("the name of a tree has 1 to 64 of a-z, 0-9 and '-'"));
        }
        if !self.shared.write(|database| database.ensure_tree(name))? {
            return Err(StoreError::Misuse("too many trees in one store"));
        }
        Ok(Tree { shared: Arc::clone(&self.shared), name: name.into() })
    }

    /// Applies a batch, whole and durably, or leaves everything as it is; an empty one does nothing.
    ///
    /// [`StoreError::Conflict`] if a value isn't the one that the batch expects.
    pub fn apply(&self, batch: Batch) -> Result<(), StoreError> {
        let operations = batch.into_operations(&self.shared)?;
        match self.shared.apply(operations)? {
            Applied::Done => Ok(()),
            Applied::Conflict { tree, key, .. } => Err(StoreError::Conflict { tree: tree.to_string(), key }),
        }
    }
}

/// One named tree: keys in ascending order of their bytes, each with a value.
#[derive(Clone)]
pub struct Tree {
    shared: Arc<Shared>,
    name: Arc<str>,
}

impl Tree {
    /// The tree's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        check_key(key)?;
        self.shared.read(|database| database.value(&self.name, key))
    }

    /// Up to `limit` (at most [`MAX_PAGE`]) pairs whose keys start with `prefix` and, if `after` is given, are greater
    /// than it, in ascending order. Fewer than `limit` means that there are no more.
    pub fn page(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Pair>, StoreError> {
        if limit > MAX_PAGE {
            return Err(StoreError::Misuse("a page has at most 1000 pairs"));
        }
        self.shared.read(|database| database.page(&self.name, prefix, after, limit))
    }

    /// All pairs whose keys start with `prefix`, in ascending order, read page by page: a change made meanwhile by
    /// others is seen or not, according to where the reading is.
    pub fn scan_prefix(&self, prefix: &[u8]) -> Scan {
        Scan::new(self.clone(), prefix.to_vec())
    }

    /// All pairs, in ascending order, as [`Tree::scan_prefix`] gives them.
    pub fn iter(&self) -> Scan {
        self.scan_prefix(&[])
    }

    /// The pair with the greatest of the keys that start with `prefix`.
    pub fn last(&self, prefix: &[u8]) -> Result<Option<Pair>, StoreError> {
        self.shared.read(|database| database.last(&self.name, prefix))
    }

    /// Sets the value of a key, durably. Several changes in one [`Batch`] cost as much as one.
    pub fn put(&self, key: &[u8], value: &[u8]) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        batch.put(self, key, value);
        self.store().apply(batch)
    }

    /// Removes a key, durably; that there is none is fine.
    pub fn remove(&self, key: &[u8]) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        batch.remove(self, key);
        self.store().apply(batch)
    }

    /// Changes the value of a key from `old` to `new`, durably, if it is `old`; `None` stands for no value.
    pub fn compare_and_swap(&self, key: &[u8], old: Option<&[u8]>, new: Option<&[u8]>) -> Result<Swap, StoreError> {
        let mut batch = Batch::new();
        batch.expect(self, key, old);
        match new {
            Some(value) => batch.put(self, key, value),
            None => batch.remove(self, key),
        };
        match self.shared.apply(batch.into_operations(&self.shared)?)? {
            Applied::Done => Ok(Swap::Done),
            Applied::Conflict { found, .. } => Ok(Swap::Differs(found)),
        }
    }

    fn store(&self) -> Store {
        Store { shared: Arc::clone(&self.shared) }
    }
}

/// Shows the folder and the name.
impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tree({}, {})", self.shared.folder.display(), self.name)
    }
}

enum Applied {
    Done,
    Conflict { tree: Arc<str>, key: Vec<u8>, found: Option<Vec<u8>> },
}

impl Shared {
    fn apply(&self, operations: Vec<Operation>) -> Result<Applied, StoreError> {
        self.write(|database| {
            for operation in &operations {
                if let Operation::Expect { tree, key, value } = operation {
                    let found = database.value(tree, key)?;
                    if found != *value {
                        return Ok(Applied::Conflict { tree: Arc::clone(tree), key: key.clone(), found });
                    }
                }
            }
            database.commit(&operations)?;
            Ok(Applied::Done)
        })
    }

    fn read<T>(&self, read: impl FnOnce(&Database) -> Result<T, Failure>) -> Result<T, StoreError> {
        let result = match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Open(database) => read(database),
            State::Poisoned => return Err(self.poisoned()),
        };
        result.map_err(|failure| {
            poison(&mut self.state.write().unwrap_or_else(PoisonError::into_inner));
            failure.in_folder(&self.folder)
        })
    }

    fn write<T>(&self, write: impl FnOnce(&mut Database) -> Result<T, Failure>) -> Result<T, StoreError> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let result = match &mut *state {
            State::Open(database) => write(database),
            State::Poisoned => return Err(self.poisoned()),
        };
        result.map_err(|failure| {
            poison(&mut state);
            failure.in_folder(&self.folder)
        })
    }

    fn poisoned(&self) -> StoreError {
        StoreError::Poisoned { folder: self.folder.clone() }
    }
}

/// Closes the database too.
impl Drop for Shared {
    fn drop(&mut self) {
        poison(self.state.get_mut().unwrap_or_else(PoisonError::into_inner));
    }
}

fn poison(state: &mut State) {
    if let State::Open(database) = std::mem::replace(state, State::Poisoned) {
        database.close();
    }
}

/// Whether this folder has the database of a store, sound or not.
pub fn is_in(folder: &Path) -> bool {
    database::exists(&folder.join(database::FOLDER))
}

/// Moves the database of a damaged store out of the way, durably, and says where it is now. The next [`Store::open`]
/// makes an empty one. `None` if there was no database.
///
/// The store must be closed: the folder's lock is taken meanwhile.
pub fn set_aside(folder: &Path) -> Result<Option<PathBuf>, StoreError> {
    let _lock = FolderLock::acquire(folder)?;
    let damaged = folder.join(database::FOLDER);
    if !is_in(folder) {
        return Ok(None);
    }
    let free = files::free_beside(&damaged, "damaged");
    files::rename_durable(&damaged, &free)?;
    Ok(Some(free))
}

#[cfg(test)]
mod tests;
