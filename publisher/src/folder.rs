//! Every file in a folder and those below it, several at a time.
//!
//! Links, pipes, sockets and devices are left out, and named, as is what can't be read, and the others are looked at all the same.

use crate::images::{FailedImage, ImagesError, Progress};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Folders within folders, at most.
pub(crate) const MAX_DEPTH: usize = 64;

/// What came of the files in a folder, in the order of their paths.
pub(crate) struct Visited<T> {
    pub(crate) files: Vec<T>,
    /// What can't be read.
    pub(crate) failed: Vec<FailedImage>,
    /// Links, pipes, sockets and devices.
    pub(crate) left_out: Vec<FailedImage>,
}

/// Visits every file in `folder`, on so many threads, with its name relative to the folder. `progress` is told after every file,
/// from any thread.
pub(crate) fn each_file<T: Send>(
    folder: &Path,
    threads: NonZeroUsize,
    progress: &(dyn Fn(Progress) + Sync),
    visit: impl Fn(&Path, String) -> T + Sync,
) -> Result<Visited<T>, ImagesError> {
    let Collected { mut paths, failed, left_out } = Collected::of(folder)?;
    paths.sort();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let outcomes = Mutex::new(Vec::with_capacity(paths.len()));
    let work = || {
        while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = visit(path, relative(folder, path));
            outcomes.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((path, outcome));
            progress(Progress { done: done.fetch_add(1, Ordering::Relaxed) + 1, total: paths.len() });
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.get().min(paths.len().max(1)) {
            scope.spawn(work);
        }
        work();
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    outcomes.sort_by_key(|(path, _)| *path);
    let files = outcomes.into_iter().map(|(_, outcome)| outcome).collect();
    Ok(Visited { files, failed, left_out })
}

/// What lies in a folder and those below it.
#[derive(Default)]
struct Collected {
    paths: Vec<PathBuf>,
    failed: Vec<FailedImage>,
    left_out: Vec<FailedImage>,
}

impl Collected {
    fn of(folder: &Path) -> Result<Self, ImagesError> {
        let mut collected = Self::default();
        let read = collected.folder(folder, folder, 0);
        read.map_err(|source| ImagesError::Folder { path: folder.to_owned(), source })?;
        collected.left_out.sort_by(|one, other| one.file.cmp(&other.file));
        Ok(collected)
    }

    fn folder(&mut self, root: &Path, folder: &Path, depth: usize) -> io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            let named = |reason: String| FailedImage { file: relative(root, &path), reason };
            let kind = match path.symlink_metadata() {
                Ok(metadata) => metadata.file_type(),
                Err(error) => {
                    self.failed.push(named(error.to_string()));
                    continue;
                }
            };
            if kind.is_file() {
                self.paths.push(path);
            } else if kind.is_symlink() {
                self.left_out.push(named("a link, which is not followed".into()));
            } else if !kind.is_dir() {
                self.left_out.push(named("a pipe, socket or device".into()));
            } else if depth == MAX_DEPTH {
                self.failed.push(named(format!("more than {MAX_DEPTH} folders deep")));
            } else if let Err(error) = self.folder(root, &path, depth + 1) {
                self.failed.push(named(format!("the folder can't be read: {error}")));
            }
        }
        Ok(())
    }
}

pub(crate) fn relative(folder: &Path, path: &Path) -> String {
    let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
    // In a table, a row that begins with # would be a comment, and to programs that calculate, these are the beginning of a formula.
    if name.starts_with(['#', '=', '+', '-', '@', '\t', '\r']) { format!("./{name}") } else { name.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_a_comment_or_a_formula_in_the_table() {
        let named = |name: &str| relative(Path::new("folder"), &Path::new("folder").join(name));
        for name in ["#a.png", "=1+1.png", "+1.png", "-1.png", "@a.png", "\ta.png"] {
            assert_eq!(named(name), format!("./{name}"));
        }
        assert_eq!(named("a=b.png"), "a=b.png");
    }
}
