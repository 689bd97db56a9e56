//! The embedded database: the only code of the project that calls `sled`.
//!
//! Left to itself, `sled` 0.34 does not survive a power cut: it hands its log to the operating system, which need not
//! put it on the disk. So everything is synchronised here: all files and folders when a database is made or opened, and
//! the log, through a handle of our own, after every change. Values too large for a page of the log would go into files
//! that `sled` never synchronises, so the log has large segments and the module `batch` limits keys and values.
//!
//! On damage `sled` may panic, and it takes an unreadable change for the end of its log. Every call into it is therefore
//! made under [`guarded`], and the number of changes, kept both in the database and beside it, shows what was cut off.
//! The number beside it is written after the change is durable and needs no synchronisation of its own: after a power
//! cut it can be too low, which hides nothing else than a damage at the same moment, but never too high.

use super::batch::Operation;
use super::{MAX_TREES, Pair, StoreError};
use crate::files::{self, FileError};
use crate::os::{self, Call, Handle};
use sled::transaction::{ConflictableTransactionError, TransactionError, Transactional};
use std::any::Any;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The folder of the database inside that of the store.
pub(super) const FOLDER: &str = "sled";
/// The file beside it that exists while it is being made.
const CREATING: &str = "creating";
/// The file inside it that counts the changes acknowledged.
const CHANGES: &str = "changes";
/// The key in the default tree under which the database counts its changes: eight bytes, big-endian.
const CHANGES_KEY: &[u8] = b"changes";
/// The files without which there is no database; `sled` would make them anew and start empty.
const NECESSARY: [&str; 2] = ["db", "conf"];
/// The size of a segment of the log; a message may take a quarter of it.
const SEGMENT_SIZE: usize = 8 << 20;
/// A bound for the page cache that suits small servers.
const CACHE_SIZE: u64 = 64 << 20;

/// What went wrong, before it is known in which folder.
#[derive(Debug)]
pub(super) enum Failure {
    Damaged(String),
    Io(io::Error),
    File(FileError),
}

impl Failure {
    pub(super) fn in_folder(self, folder: &Path) -> StoreError {
        match self {
            Self::Damaged(reason) => StoreError::Damaged { folder: folder.to_owned(), reason },
            Self::Io(source) => StoreError::Failed { folder: folder.to_owned(), source },
            Self::File(error) => StoreError::File(error),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

/// What `sled` can't read is damage; what the operating system refuses is not.
impl From<sled::Error> for Failure {
    fn from(error: sled::Error) -> Self {
        use ErrorKind::{InvalidData, InvalidInput, NotFound, UnexpectedEof};
        match error {
            sled::Error::Io(error) => match error.kind() {
                UnexpectedEof | InvalidData | InvalidInput | NotFound => Self::Damaged(error.to_string()),
                _ => Self::Io(error),
            },
            sled::Error::Corruption { .. } => Self::Damaged("a checksum or a length in it is wrong".to_owned()),
            error => Self::Damaged(error.to_string()),
        }
    }
}

/// Makes a panic a failure. What it may leave inconsistent is not used again: the store is poisoned or never opened.
fn without_panic<T>(call: impl FnOnce() -> T) -> Result<T, Failure> {
    let describe = |panic: Box<dyn Any + Send>| format!("the embedded database panicked: {}", message_of(&*panic));
    catch_unwind(AssertUnwindSafe(call)).map_err(|panic| Failure::Damaged(describe(panic)))
}

/// Makes a call into `sled`.
fn guarded<T>(call: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, Failure> {
    without_panic(call)?.map_err(Failure::from)
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    match (panic.downcast_ref::<String>(), panic.downcast_ref::<&str>()) {
        (Some(message), _) => message,
        (None, Some(message)) => message,
        (None, None) => "without a message",
    }
}

/// Whether a tree can have this name.
pub(super) fn is_tree_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=64).contains(&name.len()) && name.bytes().all(is_plain)
}

/// Whether there is something of this name; if that can't be found out, there is.
pub(super) fn exists(path: &Path) -> bool {
    !matches!(fs::symlink_metadata(path), Err(error) if error.kind() == ErrorKind::NotFound)
}

/// An open database.
pub(super) struct Database {
    sled: sled::Db,
    trees: BTreeMap<String, sled::Tree>,
    /// Its folder.
    inside: PathBuf,
    /// Our own handle of the log, to synchronise it.
    log: File,
    /// The file that counts the changes acknowledged.
    counter: Handle,
    /// How many changes there have been.
    changes: u64,
}

impl Database {
    /// Opens the database in this folder, which the caller has locked, or makes one; says whether it is new.
    pub(super) fn open(folder: &Path) -> Result<(Self, bool), Failure> {
        // On error a database that was started is closed again, which may panic too.
        without_panic(|| Self::reopen_or_create(folder))?
    }

    fn reopen_or_create(folder: &Path) -> Result<(Self, bool), Failure> {
        let (inside, creating) = (folder.join(FOLDER), folder.join(CREATING));
        if exists(&inside) && !exists(&creating) {
            return Ok((Self::reopen(&inside)?, false));
        }
        files::replace(&creating, b"")?;
        let database = Self::create(&inside)?;
        files::remove_durable(&creating)?;
        Ok((database, true))
    }

    /// Makes an empty database, in place of one that was never finished.
    fn create(inside: &Path) -> Result<Self, Failure> {
        if exists(inside) {
            files::remove_tree(inside)?;
        }
        files::create_dir_all_durable(inside)?;
        let sled = start(inside)?;
        guarded(|| sled.insert(CHANGES_KEY, &0u64.to_be_bytes()))?;
        guarded(|| sled.flush())?;
        files::create_new(&inside.join(CHANGES), count_text(0).as_bytes())?;
        Self::assemble(inside, sled, BTreeMap::new(), 0)
    }

    /// Opens a database that was finished, reads all of it, and compares it with what was acknowledged.
    fn reopen(inside: &Path) -> Result<Self, Failure> {
        check_files(inside)?;
        remove_unfinished_snapshots(inside)?;
        let acknowledged = read_count(inside)?;
        let sled = start(inside)?;
        if !sled.was_recovered() {
            return Err(Failure::Damaged("it is empty".to_owned()));
        }
        let trees = trees_of(&sled)?;
        trees.values().try_for_each(read_all)?;
        let changes = changes_of(&sled)?;
        if changes < acknowledged {
            let reason = format!("of {acknowledged} acknowledged changes {} are missing", acknowledged - changes);
            return Err(Failure::Damaged(reason));
        }
        Self::assemble(inside, sled, trees, changes)
    }

    /// Makes durable what `sled` wrote while it started.
    fn assemble(
        inside: &Path,
        sled: sled::Db,
        trees: BTreeMap<String, sled::Tree>,
        changes: u64,
    ) -> Result<Self, Failure> {
        files::sync_tree(inside)?;
        let (log, counter) = (inside.join("db"), inside.join(CHANGES));
        let options = || OpenOptions::new().read(true).write(true).clone();
        let log = options().open(&log).map_err(|error| FileError::io("open", &log, error))?;
        let counter = Handle::open(&counter, &options()).map_err(|error| FileError::io("open", &counter, error))?;
        Ok(Self { sled, trees, inside: inside.to_owned(), log, counter, changes })
    }

    /// Makes the tree if there is none. False: there are too many.
    pub(super) fn ensure_tree(&mut self, name: &str) -> Result<bool, Failure> {
        if self.trees.contains_key(name) {
            return Ok(true);
        }
        if self.trees.len() >= MAX_TREES {
            return Ok(false);
        }
        let tree = guarded(|| self.sled.open_tree(name))?;
        self.make_durable()?;
        self.trees.insert(name.to_owned(), tree);
        Ok(true)
    }

    /// The value of a key.
    pub(super) fn value(&self, tree: &str, key: &[u8]) -> Result<Option<Vec<u8>>, Failure> {
        let tree = self.tree(tree)?;
        guarded(|| Ok(tree.get(key)?.map(|value| value.to_vec())))
    }

    /// Pairs in ascending order, as [`super::Tree::page`] describes them.
    pub(super) fn page(
        &self,
        tree: &str,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Pair>, Failure> {
        let tree = self.tree(tree)?;
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        guarded(|| {
            let pairs = tree.range::<&[u8], _>((start, Bound::Unbounded)).take(limit);
            let is_inside =
                |pair: &Result<(sled::IVec, _), _>| !matches!(pair, Ok((key, _)) if !key.starts_with(prefix));
            pairs.take_while(is_inside).map(|pair| pair.map(into_pair)).collect()
        })
    }

    /// The pair with the greatest key of this prefix.
    pub(super) fn last(&self, tree: &str, prefix: &[u8]) -> Result<Option<Pair>, Failure> {
        let tree = self.tree(tree)?;
        let end = end_of_prefix(prefix);
        let end = end.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        guarded(|| {
            let pair = tree.range::<&[u8], _>((Bound::Included(prefix), end)).next_back().transpose()?;
            Ok(pair.map(into_pair))
        })
    }

    /// Applies the changes among the operations in one transaction; they are durable when this returns `Ok`.
    pub(super) fn commit(&mut self, operations: &[Operation]) -> Result<(), Failure> {
        let changes = self.changes.saturating_add(1);
        let mut count = sled::Batch::default();
        count.insert(CHANGES_KEY, &changes.to_be_bytes());
        let mut trees = vec![(*self.sled).clone()];
        let mut batches = vec![count];
        for (name, batch) in batches_of(operations) {
            trees.push(self.tree(name)?.clone());
            batches.push(batch);
        }
        if trees.len() == 1 {
            return Ok(());
        }
        os::perform(Call::Change(&self.inside), || guarded(|| transact(&trees, &batches)))?;
        self.make_durable()?;
        self.acknowledge(changes).map_err(Failure::Io)
    }

    fn tree(&self, name: &str) -> Result<&sled::Tree, Failure> {
        self.trees.get(name).ok_or_else(|| Failure::Damaged(format!("the tree {name} is gone")))
    }

    fn make_durable(&self) -> Result<(), Failure> {
        os::perform(Call::Flush(&self.inside), || guarded(|| self.sled.flush()))?;
        os::perform_sync(Call::Sync(&self.inside.join("db")), || self.log.sync_data()).map_err(Failure::Io)
    }

    fn acknowledge(&mut self, changes: u64) -> io::Result<()> {
        self.changes = changes;
        self.counter.seek(0)?;
        self.counter.write_all(count_text(changes).as_bytes())
    }

    /// Closes the database. `sled` may panic at that, if the disk fails.
    pub(super) fn close(self) {
        // Everything acknowledged is durable already, so nothing depends on how this ends.
        let _ = without_panic(move || drop(self));
    }
}

fn start(inside: &Path) -> Result<sled::Db, Failure> {
    let config =
        sled::Config::new().path(inside).segment_size(SEGMENT_SIZE).cache_capacity(CACHE_SIZE).flush_every_ms(None); // every change is flushed by us; a flush behind our back could fail unseen
    let mut tries = 0;
    loop {
        match guarded(|| config.open()) {
            Err(Failure::Io(error)) if tries < 5000 && is_lock_of_ours(&error) => tries += 1,
            result => return result,
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// `sled` locks its log too, and lets go of it some time after it was closed, when its threads are done. Since we hold
/// the lock of the folder, nobody else than an earlier store of this process can be meant.
fn is_lock_of_ours(error: &io::Error) -> bool {
    error.kind() == ErrorKind::Other && error.to_string().starts_with("could not acquire lock")
}

fn check_files(inside: &Path) -> Result<(), Failure> {
    for name in NECESSARY {
        if !fs::metadata(inside.join(name)).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0) {
            return Err(Failure::Damaged(format!("its file {name} is missing or empty")));
        }
    }
    Ok(())
}

/// A process that dies while `sled` starts leaves a partial snapshot behind, which `sled` would then take for a whole.
fn remove_unfinished_snapshots(inside: &Path) -> Result<(), Failure> {
    let failed = |error| FileError::io("list the folder", inside, error);
    for entry in fs::read_dir(inside).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        if name.to_str().is_some_and(|name| name.starts_with("snap.") && name.ends_with(".generating")) {
            files::remove_durable(&entry.path())?;
        }
    }
    Ok(())
}

fn count_text(changes: u64) -> String {
    format!("{changes:020}\n")
}

fn read_count(inside: &Path) -> Result<u64, Failure> {
    let unreadable = || Failure::Damaged("the count of its changes is missing or unreadable".to_owned());
    let bytes = match files::read_limited(&inside.join(CHANGES), count_text(0).len()) {
        Ok(bytes) => bytes.ok_or_else(unreadable)?,
        Err(FileError::TooLarge { .. }) => return Err(unreadable()),
        Err(error) => return Err(error.into()),
    };
    let text = str::from_utf8(&bytes).map_err(|_| unreadable())?;
    let changes = text.trim_end().parse().map_err(|_| unreadable())?;
    if count_text(changes) == text { Ok(changes) } else { Err(unreadable()) }
}

fn changes_of(sled: &sled::Db) -> Result<u64, Failure> {
    let value = guarded(|| sled.get(CHANGES_KEY))?;
    let bytes = value.and_then(|value| <[u8; 8]>::try_from(&*value).ok());
    bytes.map(u64::from_be_bytes).ok_or_else(|| Failure::Damaged("it holds no count of its changes".to_owned()))
}

fn trees_of(sled: &sled::Db) -> Result<BTreeMap<String, sled::Tree>, Failure> {
    let own = guarded(|| Ok(sled.name()))?;
    let mut trees = BTreeMap::new();
    for name in guarded(|| Ok(sled.tree_names()))? {
        if name == own {
            continue;
        }
        match str::from_utf8(&name) {
            Ok(text) if is_tree_name(text) => trees.insert(text.to_owned(), guarded(|| sled.open_tree(&name))?),
            _ => return Err(Failure::Damaged("a tree has a name that none can have".to_owned())),
        };
    }
    Ok(trees)
}

/// Reads every pair, which checks the checksum of every page.
fn read_all(tree: &sled::Tree) -> Result<(), Failure> {
    guarded(|| tree.iter().try_for_each(|pair| pair.map(drop)))
}

fn into_pair((key, value): (sled::IVec, sled::IVec)) -> Pair {
    (key.to_vec(), value.to_vec())
}

/// The least key that is greater than all that start with `prefix`, if there is one.
fn end_of_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let at = prefix.iter().rposition(|&byte| byte < u8::MAX)?;
    let mut end = prefix.get(..=at)?.to_vec();
    *end.last_mut()? += 1;
    Some(end)
}

fn batches_of(operations: &[Operation]) -> BTreeMap<&str, sled::Batch> {
    let mut batches: BTreeMap<&str, sled::Batch> = BTreeMap::new();
    for operation in operations {
        match operation {
            Operation::Expect { .. } => {}
            Operation::Put { tree, key, value } => {
                batches.entry(tree).or_default().insert(key.as_slice(), value.as_slice());
            }
            Operation::Remove { tree, key } => batches.entry(tree).or_default().remove(key.as_slice()),
        }
    }
    batches
}

fn transact(trees: &[sled::Tree], batches: &[sled::Batch]) -> Result<(), sled::Error> {
    let result = trees.transaction(|views| {
        for (view, batch) in views.iter().zip(batches) {
            view.apply_batch(batch)?;
        }
        Ok::<(), ConflictableTransactionError<()>>(())
    });
    match result {
        Ok(()) => Ok(()),
        Err(TransactionError::Storage(error)) => Err(error),
        Err(TransactionError::Abort(())) => {
            Err(sled::Error::ReportableBug("an abort that nobody asked for".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_where_the_next_one_begins() {
        assert_eq!(end_of_prefix(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(end_of_prefix(b"a\xff\xff"), Some(b"b".to_vec()));
        assert_eq!(end_of_prefix(b"\xff"), None);
        assert_eq!(end_of_prefix(b""), None);
    }

    #[test]
    fn a_panic_becomes_a_failure() {
        let panicking = || -> Result<(), sled::Error> { panic!("with {}", "details") };
        assert!(matches!(guarded(panicking), Err(Failure::Damaged(reason)) if reason.ends_with("with details")));
    }

    #[test]
    fn names_of_trees() {
        assert!(is_tree_name("heads-2"));
        for name in ["", "_", "Heads", "a b", "ä", &"x".repeat(65)] {
            assert!(!is_tree_name(name), "{name}");
        }
    }
}
