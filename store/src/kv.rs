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

/// Moves the database of a damaged store out of the way, durably, and says where it is now. The next [`Store::open`]
/// makes an empty one. `None` if there was no database.
///
/// The store must be closed: the folder's lock is taken meanwhile.
pub fn set_aside(folder: &Path) -> Result<Option<PathBuf>, StoreError> {
    let _lock = FolderLock::acquire(folder)?;
    let damaged = folder.join(database::FOLDER);
    if !database::exists(&damaged) {
        return Ok(None);
    }
    let is_free = |path: &PathBuf| std::fs::symlink_metadata(path).is_err();
    let names = (1u64..).map(|number| folder.join(format!("{}.damaged-{number}", database::FOLDER)));
    let Some(free) = names.into_iter().find(is_free) else {
        return Err(StoreError::Misuse("no free name for the damaged database"));
    };
    files::rename_durable(&damaged, &free)?;
    Ok(Some(free))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn open(dir: &tempfile::TempDir) -> Store {
        Store::open(dir.path()).unwrap()
    }

    fn damage(dir: &tempfile::TempDir) -> String {
        match Store::open(dir.path()) {
            Err(StoreError::Damaged { reason, folder }) if folder == dir.path() => reason,
            Err(error) => panic!("another error: {error}"),
            Ok(_) => panic!("opened"),
        }
    }

    fn is_misuse<T>(result: Result<T, StoreError>) -> bool {
        matches!(result, Err(StoreError::Misuse(_)))
    }

    #[test]
    fn what_was_written_is_there_again() {
        let dir = folder();
        let store = open(&dir);
        assert!(store.is_new());
        let tree = store.tree("state").unwrap();
        tree.put(b"a", b"1").unwrap();
        tree.put(b"", b"the empty key").unwrap();
        tree.put(b"b", b"").unwrap();
        tree.remove(b"a").unwrap();
        tree.remove(b"never there").unwrap();
        drop((tree, store));
        let store = open(&dir);
        assert!(!store.is_new());
        let tree = store.tree("state").unwrap();
        assert_eq!(tree.get(b"a").unwrap(), None);
        let pairs: Vec<Pair> = tree.iter().map(Result::unwrap).collect();
        assert_eq!(pairs, [(vec![], b"the empty key".to_vec()), (b"b".to_vec(), vec![])]);
    }

    #[test]
    fn a_swap_needs_the_expected_value() {
        let dir = folder();
        let tree = open(&dir).tree("heads").unwrap();
        let swap = |old, new| tree.compare_and_swap(b"log", old, new).unwrap();
        assert_eq!(swap(Some(b"1"), Some(b"2")), Swap::Differs(None));
        assert_eq!(swap(None, Some(b"1")), Swap::Done);
        assert_eq!(swap(None, Some(b"2")), Swap::Differs(Some(b"1".to_vec())));
        assert_eq!(swap(Some(b"0"), None), Swap::Differs(Some(b"1".to_vec())));
        assert_eq!(swap(Some(b"1"), Some(b"2")), Swap::Done);
        assert_eq!(tree.get(b"log").unwrap().as_deref(), Some(&b"2"[..]));
        assert_eq!(swap(Some(b"2"), None), Swap::Done);
        assert_eq!(tree.get(b"log").unwrap(), None);
    }

    #[test]
    fn a_batch_is_applied_whole_or_not_at_all() {
        let dir = folder();
        let store = open(&dir);
        let (one, two) = (store.tree("one").unwrap(), store.tree("two").unwrap());
        let batch = |expected: &[u8]| {
            let mut batch = Batch::new();
            batch.put(&one, b"k", b"first").put(&two, b"k", b"2").put(&one, b"k", b"last");
            batch.remove(&two, b"gone").expect(&two, b"gone", Some(expected));
            batch
        };
        two.put(b"gone", b"here").unwrap();
        let error = store.apply(batch(b"elsewhere")).unwrap_err();
        assert!(matches!(error, StoreError::Conflict { tree, key } if tree == "two" && key == b"gone"));
        assert_eq!((one.get(b"k").unwrap(), two.get(b"k").unwrap()), (None, None));
        store.apply(batch(b"here")).unwrap();
        assert_eq!(one.get(b"k").unwrap().as_deref(), Some(&b"last"[..]));
        assert_eq!(two.get(b"k").unwrap().as_deref(), Some(&b"2"[..]));
        assert_eq!(two.get(b"gone").unwrap(), None);
        store.apply(Batch::new()).unwrap();
    }

    #[test]
    fn misuse_is_refused_and_harmless() {
        let (dir, other_dir) = (folder(), folder());
        let (store, other) = (open(&dir), open(&other_dir));
        let tree = store.tree("tree").unwrap();
        let mut batch = Batch::new();
        for i in 0..=MAX_BATCH {
            batch.put(&tree, &i.to_be_bytes(), b"");
        }
        assert_eq!((batch.len(), batch.is_empty()), (MAX_BATCH + 1, false));
        assert!(is_misuse(store.apply(batch)));
        assert!(is_misuse(tree.put(&[0; MAX_KEY + 1], b"")));
        assert!(is_misuse(tree.get(&[0; MAX_KEY + 1])));
        assert!(is_misuse(tree.put(b"", &[0; MAX_VALUE + 1])));
        assert!(is_misuse(tree.page(b"", None, MAX_PAGE + 1)));
        assert!(is_misuse(store.tree("__sled__default")));
        let mut batch = Batch::new();
        batch.put(&other.tree("tree").unwrap(), b"", b"");
        assert!(is_misuse(store.apply(batch)));
        assert!(tree.iter().next().is_none());
        for i in 1..MAX_TREES {
            store.tree(&format!("t{i}")).unwrap();
        }
        assert!(is_misuse(store.tree("one-more")));
        assert_eq!(store.tree("tree").unwrap().name(), "tree");
    }

    #[test]
    fn pairs_are_read_in_order_and_by_prefix() {
        let dir = folder();
        let store = open(&dir);
        let tree = store.tree("index").unwrap();
        for chunk in (0..700u32).collect::<Vec<_>>().chunks(MAX_BATCH) {
            let mut batch = Batch::new();
            for i in chunk {
                batch.put(&tree, format!("{}/{i:04}", i % 2).as_bytes(), &i.to_be_bytes());
            }
            store.apply(batch).unwrap();
        }
        tree.put(b"\xff", b"").unwrap();
        let keys = |scan: Scan| -> Vec<Vec<u8>> { scan.map(|pair| pair.unwrap().0).collect() };
        assert_eq!(keys(tree.iter()).len(), 701);
        assert!(keys(tree.iter()).is_sorted());
        let odd: Vec<_> = (0..350).map(|i| format!("1/{:04}", 2 * i + 1).into_bytes()).collect();
        assert_eq!(keys(tree.scan_prefix(b"1/")), odd);
        assert_eq!(keys(tree.scan_prefix(b"2")), [b""; 0]);
        let page = tree.page(b"0/", Some(b"0/0690"), 10).unwrap();
        assert_eq!(
            page.iter().map(|(key, _)| key.as_slice()).collect::<Vec<_>>(),
            [b"0/0692", b"0/0694", b"0/0696", b"0/0698"]
        );
        assert_eq!(tree.page(b"1/", Some(b"0/9"), 1).unwrap()[0].0, b"1/0001");
        assert!(tree.page(b"0/", Some(b"1"), 1).unwrap().is_empty());
        assert_eq!(tree.last(b"0/").unwrap().unwrap().0, b"0/0698");
        assert_eq!(tree.last(b"").unwrap().unwrap().0, b"\xff");
        assert_eq!(tree.last(b"0/1").unwrap(), None);
    }

    #[test]
    fn threads_that_swap_lose_nothing() {
        let dir = folder();
        let tree = open(&dir).tree("counter").unwrap();
        tree.put(b"n", &0u32.to_be_bytes()).unwrap();
        let increment = || {
            loop {
                let old = tree.get(b"n").unwrap().unwrap();
                let new = u32::from_be_bytes(old.as_slice().try_into().unwrap()) + 1;
                if tree.compare_and_swap(b"n", Some(&old), Some(&new.to_be_bytes())).unwrap() == Swap::Done {
                    break;
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10).for_each(|_| increment()));
            }
        });
        assert_eq!(tree.get(b"n").unwrap().unwrap(), 40u32.to_be_bytes());
    }

    #[test]
    fn the_largest_pairs_stay_inside_the_log_that_is_synchronised() {
        let dir = folder();
        let store = open(&dir);
        let tree = store.tree("large").unwrap();
        let key = |i: usize| [&[i as u8], &[b'x'; MAX_KEY - 1][..]].concat();
        let files_outside_the_log = || fs::read_dir(dir.path().join("sled/blobs")).unwrap().count();
        for (round, size) in [(0, 100), (1, 7)] {
            for chunk in (0..140).map(|i| (i * 37) % 140).collect::<Vec<usize>>().chunks(size) {
                let mut batch = Batch::new();
                for &i in chunk {
                    batch.put(&tree, &key(i), &[(i + round) as u8; MAX_VALUE]);
                }
                store.apply(batch).unwrap();
                assert_eq!(files_outside_the_log(), 0);
            }
        }
        for i in (0..140).filter(|i| i % 7 > 0) {
            tree.remove(&key(i)).unwrap();
            assert_eq!(files_outside_the_log(), 0);
        }
        drop((tree, store));
        let tree = open(&dir).tree("large").unwrap();
        assert_eq!(tree.iter().count(), 20);
        assert!(tree.iter().all(|pair| pair.is_ok_and(|(key, value)| value == [key[0] + 1; MAX_VALUE])));
        assert_eq!(files_outside_the_log(), 0);
    }

    #[test]
    fn one_store_per_folder() {
        let dir = folder();
        let store = open(&dir);
        let tree = store.tree("tree").unwrap();
        drop(store);
        assert!(matches!(Store::open(dir.path()), Err(StoreError::File(files::FileError::InUse { .. }))));
        assert!(matches!(set_aside(dir.path()), Err(StoreError::File(files::FileError::InUse { .. }))));
        drop(tree);
        open(&dir);
    }

    #[test]
    fn after_a_failure_nothing_works_until_it_is_opened_again() {
        let dir = folder();
        let store = open(&dir);
        let tree = store.tree("tree").unwrap();
        tree.put(b"k", b"v").unwrap();
        let full = || Failure::Io(std::io::ErrorKind::StorageFull.into());
        assert!(matches!(store.shared.write(|_| Err::<(), _>(full())), Err(StoreError::Failed { .. })));
        let is_poisoned = |error| matches!(error, StoreError::Poisoned { .. });
        assert!(is_poisoned(tree.get(b"k").unwrap_err()));
        assert!(is_poisoned(tree.put(b"k", b"v").unwrap_err()));
        assert!(is_poisoned(tree.iter().next().unwrap().unwrap_err()));
        assert!(is_poisoned(store.tree("tree").err().unwrap()));
        drop((store, tree));
        assert_eq!(open(&dir).tree("tree").unwrap().get(b"k").unwrap().unwrap(), b"v");
    }

    #[test]
    fn a_damaged_database_is_set_aside_and_made_anew() {
        let dir = folder();
        assert_eq!(set_aside(dir.path()).unwrap(), None);
        for number in 1..3 {
            open(&dir).tree("tree").unwrap().put(b"k", b"v").unwrap();
            fs::write(dir.path().join("sled/conf"), b"not what it was").unwrap();
            damage(&dir);
            let aside = set_aside(dir.path()).unwrap().unwrap();
            assert_eq!(aside, dir.path().join(format!("sled.damaged-{number}")));
            assert!(aside.join("db").is_file());
            let store = open(&dir);
            assert!(store.is_new());
            assert_eq!(store.tree("tree").unwrap().get(b"k").unwrap(), None);
        }
    }

    #[test]
    fn missing_changes_and_files_are_damage() {
        for (name, content) in [
            ("db", None),
            ("conf", None),
            ("changes", None),
            ("db", Some("")),
            ("changes", Some("")),
            ("changes", Some("2\n")),
            ("changes", Some("000000000000000000002\n")),
            ("changes", Some("00000000000000000005\n")), // there were four
        ] {
            let dir = folder();
            let tree = open(&dir).tree("tree").unwrap();
            (0..4).for_each(|_| tree.put(b"k", b"v").unwrap());
            drop(tree);
            let path = dir.path().join("sled").join(name);
            match content {
                Some(content) => fs::write(path, content).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
            damage(&dir);
        }
    }

    #[test]
    fn a_count_that_lags_behind_is_not_damage() {
        let dir = folder();
        open(&dir).tree("tree").unwrap().put(b"k", b"v").unwrap();
        fs::write(dir.path().join("sled/changes"), "00000000000000000000\n").unwrap();
        assert_eq!(open(&dir).tree("tree").unwrap().get(b"k").unwrap().unwrap(), b"v");
    }

    #[test]
    fn what_a_dying_process_leaves_half_done_does_no_harm() {
        let dir = folder();
        fs::create_dir(dir.path().join("sled")).unwrap();
        fs::write(dir.path().join("sled/conf"), b"half").unwrap();
        fs::write(dir.path().join("creating"), b"").unwrap();
        let store = open(&dir);
        assert!(store.is_new());
        store.tree("tree").unwrap().put(b"k", b"v").unwrap();
        drop(store);
        fs::write(dir.path().join("sled/snap.00000000FFFFFFFF.generating"), b"half").unwrap();
        assert_eq!(open(&dir).tree("tree").unwrap().get(b"k").unwrap().unwrap(), b"v");
    }
}
