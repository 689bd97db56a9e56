//! Faults on purpose, for tests (feature `faults`; never part of a program that is shipped).
//!
//! [`Faults::watch`] numbers every call into the file system below a folder and makes those fail that it is told to. A
//! test first runs its story once to count the calls, then again and again, each time with another call broken:
//!
//! ```
//! use isonomy_store::{faults::{Fault, Faults}, files};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("state");
//! files::replace(&path, b"old")?;
//! let story = || files::replace(&path, b"new");
//!
//! let watched = Faults::watch(folder.path());
//! story()?;
//! let calls = watched.calls().len();
//! drop(watched);
//! for call in 0..calls {
//!     let watched = Faults::watch(folder.path());
//!     watched.plan(call, Fault::Error);
//!     let told = story();
//!     drop(watched);
//!     let found = std::fs::read(&path)?;
//!     assert!(found == b"new" || found == b"old" && told.is_err());
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! While a folder is watched, nothing in it is really synchronised, which makes such tests fast. Instead it is
//! remembered what *was* synchronised; [`Faults::power_cut`] writes to another folder what a disk may hold when the power
//! fails now.

mod disk;

use crate::os::Call;
use disk::Disk;
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// It is not made, and fails with an error of the device.
    Error,
    /// It is made, and fails nevertheless.
    ErrorAfter,
    /// The disk is full: of a write, half is there.
    NoSpace,
    /// Half of a write is there, and then the device fails.
    Short,
    /// The process is gone: neither this call nor any after it is made.
    Kill,
    /// The process is gone in the middle of a write, of which half is there.
    KillWithin,
    /// One bit of what is written or read is another one.
    Flip,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Error, Self::ErrorAfter, Self::NoSpace, Self::Short, Self::Kill, Self::KillWithin, Self::Flip];

    /// Whether this can happen to a call.
    pub fn suits(self, call: &Made) -> bool {
        match self {
            Self::Error | Self::Kill => true,
            Self::ErrorAfter => !call.reads,
            Self::NoSpace => call.takes_space,
            Self::Short | Self::KillWithin => call.kind == "write",
            Self::Flip => matches!(call.kind, "write" | "read"),
        }
    }

    fn error(self) -> io::Error {
        match self {
            Self::NoSpace => io::Error::new(ErrorKind::StorageFull, "no space left on the device (on purpose)"),
            Self::Kill | Self::KillWithin => dead(),
            _ => io::Error::other("the device failed (on purpose)"),
        }
    }
}

/// A call that was made, or would have been.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What was called.
    pub kind: &'static str,
    /// On which file or folder, below the one that is watched.
    pub path: PathBuf,
    /// Whether it only reads.
    pub reads: bool,
    /// Whether a full disk stops it.
    pub takes_space: bool,
}

impl fmt::Display for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.path.display())
    }
}

/// Watches a folder until it is dropped.
pub struct Faults {
    watch: Arc<Watch>,
}

struct Watch {
    root: PathBuf,
    state: Mutex<State>,
}

struct State {
    made: Vec<Made>,
    planned: Vec<(usize, Fault)>,
    happened: usize,
    is_dead: bool,
    disk: Disk,
}

static WATCHES: RwLock<Vec<Arc<Watch>>> = RwLock::new(Vec::new());

impl Faults {
    /// Watches everything in this folder. What is in it now counts as durable.
    pub fn watch(root: &Path) -> Self {
        let disk = Disk::of(root);
        let state = State { made: Vec::new(), planned: Vec::new(), happened: 0, is_dead: false, disk };
        let watch = Arc::new(Watch { root: root.to_owned(), state: Mutex::new(state) });
        WATCHES.write().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&watch));
        Self { watch }
    }

    /// The call of this number, counted from 0 since the watch began, will go wrong.
    pub fn plan(&self, call: usize, fault: Fault) {
        self.watch.state().planned.push((call, fault));
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<Made> {
        self.watch.state().made.clone()
    }

    /// How many of the planned faults have happened.
    pub fn happened(&self) -> usize {
        self.watch.state().happened
    }

    /// A process that was gone is started again.
    pub fn revive(&self) {
        self.watch.state().is_dead = false;
    }

    /// Writes to the folder `to`, which must not exist, what the disk may hold if the power fails now: everything that
    /// was synchronised, and of the rest a part that depends on the seed.
    pub fn power_cut(&self, seed: u64, to: &Path) -> io::Result<()> {
        self.watch.state().disk.cut(seed, to)
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        let mut watches = WATCHES.write().unwrap_or_else(PoisonError::into_inner);
        watches.retain(|watch| !Arc::ptr_eq(watch, &self.watch));
    }
}

impl Watch {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers a call; what is planned for it.
    fn next(
        &self,
        kind: &'static str,
        path: &Path,
        reads: bool,
        takes_space: bool,
    ) -> Result<Option<Fault>, io::Error> {
        let mut state = self.state();
        if state.is_dead {
            return Err(dead());
        }
        let number = state.made.len();
        let path = path.strip_prefix(&self.root).unwrap_or(path).to_owned();
        let made = Made { kind, path, reads, takes_space };
        let fault = state.planned.iter().find(|(call, fault)| *call == number && fault.suits(&made));
        let fault = fault.map(|(_, fault)| *fault);
        state.made.push(made);
        state.happened += usize::from(fault.is_some());
        if matches!(fault, Some(Fault::Kill | Fault::KillWithin)) {
            state.is_dead = true;
        }
        Ok(fault)
    }
}

fn dead() -> io::Error {
    io::Error::other("the process is gone (on purpose)")
}

fn watch_of(path: &Path) -> Option<Arc<Watch>> {
    let watches = WATCHES.read().unwrap_or_else(PoisonError::into_inner);
    watches.iter().find(|watch| path.starts_with(&watch.root)).cloned()
}

pub(crate) fn is_watched(path: &Path) -> bool {
    watch_of(path).is_some()
}

impl Call<'_> {
    fn path(&self) -> &Path {
        match self {
            Call::Link { to, .. } | Call::Rename { to, .. } => to,
            Call::CreateFolder(path)
            | Call::Create(path)
            | Call::Sync(path)
            | Call::SyncFolder(path)
            | Call::Remove(path)
            | Call::RemoveFolder(path)
            | Call::SetLength { path, .. }
            | Call::Open(path)
            | Call::List(path) => path,
            #[cfg(feature = "kv")]
            Call::Change(path) | Call::Flush(path) => path,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Call::CreateFolder(_) => "create folder",
            Call::Create(_) => "create",
            Call::Sync(_) => "sync",
            Call::SyncFolder(_) => "sync folder",
            Call::Link { .. } => "link",
            Call::Rename { .. } => "rename",
            Call::Remove(_) => "remove",
            Call::RemoveFolder(_) => "remove folder",
            Call::SetLength { .. } => "set length",
            Call::Open(_) => "open",
            Call::List(_) => "list",
            #[cfg(feature = "kv")]
            Call::Change(_) => "change",
            #[cfg(feature = "kv")]
            Call::Flush(_) => "flush",
        }
    }

    fn reads(&self) -> bool {
        matches!(self, Call::Open(_) | Call::List(_))
    }

    fn takes_space(&self) -> bool {
        !self.reads() && !matches!(self, Call::Remove(_) | Call::RemoveFolder(_))
    }
}

/// Makes a call that is neither a read nor a write.
pub(crate) fn perform<T, E: From<io::Error>>(call: Call<'_>, run: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let Some(watch) = watch_of(call.path()) else { return run() };
    let fault = watch.next(call.kind(), call.path(), call.reads(), call.takes_space())?;
    if let Some(fault) = fault
        && fault != Fault::ErrorAfter
    {
        return Err(fault.error().into());
    }
    let done = run()?;
    watch.state().disk.made(&call);
    match fault {
        Some(fault) => Err(fault.error().into()),
        None => Ok(done),
    }
}

/// Makes a call whose only effect is that something is durable. Of what is watched that is only remembered: the process
/// that is tested does not end, so its files don't need it.
pub(crate) fn perform_sync(call: Call<'_>, run: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let skip = is_watched(call.path()) && call.path().exists();
    perform(call, || if skip { Ok(()) } else { run() })
}

pub(crate) fn perform_write(
    path: &Path,
    at: u64,
    bytes: &[u8],
    run: impl FnOnce(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let Some(watch) = watch_of(path) else { return run(bytes) };
    let fault = watch.next("write", path, false, true)?;
    let bytes = match fault {
        Some(Fault::Error | Fault::Kill) => &[],
        Some(Fault::NoSpace | Fault::Short | Fault::KillWithin) => &bytes[..bytes.len() / 2],
        Some(Fault::Flip) => &flipped(bytes)[..],
        Some(Fault::ErrorAfter) | None => bytes,
    };
    run(bytes)?;
    watch.state().disk.written(path, at, bytes);
    match fault {
        Some(Fault::Flip) | None => Ok(()),
        Some(fault) => Err(fault.error()),
    }
}

pub(crate) fn perform_read(path: &Path, run: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
    let Some(watch) = watch_of(path) else { return run() };
    match watch.next("read", path, true, false)? {
        Some(Fault::Flip) => Ok(flipped(&run()?)),
        Some(fault) => Err(fault.error()),
        None => run(),
    }
}

/// The bytes with one bit near their middle turned over.
fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 4;
    }
    bytes
}

/// All files below a folder, with their bytes, by their paths inside it.
fn files_below(folder: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            let below = files_below(&path)?;
            found.extend(below.into_iter().map(|(inside, bytes)| (path.join(inside), bytes)));
        } else {
            found.push((path.clone(), fs::read(&path)?));
        }
    }
    let inside = |(path, bytes): (PathBuf, Vec<u8>)| (path.strip_prefix(folder).unwrap_or(&path).to_owned(), bytes);
    Ok(found.into_iter().map(inside).collect())
}
