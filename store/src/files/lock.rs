//! One process per folder, or per file.

use super::FileError;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

/// The file inside a folder whose lock stands for the folder.
pub const LOCK_FILE: &str = "lock";

/// The right to be the only one who writes to a folder, until it is dropped or the process ends, however it ends.
///
/// It is an advisory lock on the file [`LOCK_FILE`] inside the folder: it binds those who ask for it. The file stays
/// when the lock is released, since removing it would let two processes hold locks on two files of one name.
#[derive(Debug)]
pub struct FolderLock {
    folder: PathBuf,
    file: File,
}

impl FolderLock {
    /// Takes the lock of an existing folder; [`FileError::InUse`] at once if somebody else has it, be it another process
    /// or another part of this one.
    pub fn acquire(folder: &Path) -> Result<Self, FileError> {
        let file = lock(&folder.join(LOCK_FILE), || FileError::InUse { path: folder.to_owned() })?;
        Ok(Self { folder: folder.to_owned(), file })
    }

    /// The folder that is locked.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The same for a single file, which may be missing yet, in a folder where others are others' affair: a lock on a file beside it, named
/// after it with `.lock` at the end.
#[derive(Debug)]
pub struct FileLock(File);

impl FileLock {
    /// Takes the lock of the file at `path`; [`FileError::FileInUse`] at once if somebody else has it.
    pub fn acquire(path: &Path) -> Result<Self, FileError> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        lock(Path::new(&name), || FileError::FileInUse { path: path.to_owned() }).map(Self)
    }
}

/// Locks the file at `path`; `in_use` if somebody else has.
fn lock(path: &Path, in_use: impl FnOnce() -> FileError) -> Result<File, FileError> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
    let file = opened.map_err(|error| FileError::io("open", path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(in_use()),
        Err(TryLockError::Error(error)) => Err(FileError::io("lock", path, error)),
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        let _ = self.0.unlock(); // as with a folder
    }
}

/// A child that is just being started has the file open too, until it becomes another program: closing the file alone would
/// leave the folder locked that long.
impl Drop for FolderLock {
    fn drop(&mut self) {
        // If that fails, the lock goes with the last who has the file open.
        let _ = self.file.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let lock = FolderLock::acquire(dir.path()).unwrap();
        assert_eq!(lock.folder(), dir.path());
        let error = FolderLock::acquire(dir.path()).unwrap_err();
        assert!(matches!(&error, FileError::InUse { path } if path == dir.path()), "{error}");
        drop(lock);
        FolderLock::acquire(dir.path()).unwrap();
    }

    #[test]
    fn one_holder_of_a_file_at_a_time_and_of_the_next_file_another() {
        let dir = tempfile::tempdir().unwrap();
        let (one, other) = (dir.path().join("one"), dir.path().join("other"));
        let lock = FileLock::acquire(&one).unwrap();
        let error = FileLock::acquire(&one).unwrap_err();
        assert!(matches!(&error, FileError::FileInUse { path } if *path == one), "{error}");
        let _other = FileLock::acquire(&other).unwrap();
        let _folder = FolderLock::acquire(dir.path()).unwrap();
        assert!(!one.exists() && dir.path().join("one.lock").exists());
        drop(lock);
        FileLock::acquire(&one).unwrap();
    }

    /// What a child has between its creation and its start is what a second handle on the same open file is.
    #[test]
    fn a_lock_that_is_given_back_is_free_even_if_the_file_is_still_open_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let lock = FolderLock::acquire(dir.path()).unwrap();
        let with_the_child = lock.file.try_clone().unwrap();
        drop(lock);
        FolderLock::acquire(dir.path()).unwrap();
        drop(with_the_child);
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(FolderLock::acquire(&dir.path().join("missing")), Err(FileError::Io { .. })));
    }
}
