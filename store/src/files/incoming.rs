//! A file that comes in pieces.

use super::temporary::{Access, Temporary};
use super::{FileError, folder_of, sync_folder};
use crate::os::Handle;
use std::path::Path;

/// A file that comes in pieces, under a temporary name; gone if it is dropped before it gets its own.
pub struct Incoming {
    temporary: Temporary,
    file: Handle,
}

impl Incoming {
    /// Begins a file in this folder.
    pub fn begin(folder: &Path) -> Result<Self, FileError> {
        let (temporary, file) = Temporary::create(folder, &Access::Default)?;
        Ok(Self { temporary, file })
    }

    /// Adds bytes at its end.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.file.write_all(bytes).map_err(|error| FileError::io("write", self.file.path(), error))
    }

    /// Makes the file durable under this name, in the same file system; [`FileError::Exists`] if there is one already.
    pub fn finish_as(self, path: &Path) -> Result<(), FileError> {
        self.file.sync().map_err(|error| FileError::io("make durable", self.file.path(), error))?;
        self.temporary.link_to(path)?;
        sync_folder(folder_of(path))
    }

    /// Makes the file durable under this name, in the same file system, in place of what is there.
    pub fn replace(self, path: &Path) -> Result<(), FileError> {
        self.file.sync().map_err(|error| FileError::io("make durable", self.file.path(), error))?;
        self.temporary.rename_to(path)?;
        sync_folder(folder_of(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn it_is_there_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, path) = (dir.path().join("incoming"), dir.path().join("file"));
        fs::create_dir(&folder).unwrap();
        let begin = || {
            let mut file = Incoming::begin(&folder).unwrap();
            file.write(b"one ").unwrap();
            file.write(b"two").unwrap();
            file
        };
        drop(begin());
        assert!(!path.exists());
        begin().finish_as(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one two");
        assert!(matches!(begin().finish_as(&path), Err(FileError::Exists { .. })));
        let mut other = begin();
        other.write(b" three").unwrap();
        other.replace(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one two three");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
    }
}
