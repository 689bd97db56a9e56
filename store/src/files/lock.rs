//! One process per folder.

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
        let path = folder.join(LOCK_FILE);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(|error| FileError::io("open", &path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), file }),
            Err(TryLockError::WouldBlock) => Err(FileError::InUse { path: folder.to_owned() }),
            Err(TryLockError::Error(error)) => Err(FileError::io("lock", &path, error)),
        }
    }

    /// The folder that is locked.
    pub fn folder(&self) -> &Path {
        &self.folder
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
