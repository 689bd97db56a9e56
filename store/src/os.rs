//! Every call with which this crate reads or changes the file system.
//!
//! (Left out are the locks of folders, and looking whether something is there.) Each function is the call of the standard library that it names, and nothing more. With the feature `faults`, which
//! only tests switch on, each may be made to fail, and what it did is remembered; see `faults`.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A call that is about to be made.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "faults"), expect(dead_code, reason = "only faults look inside"))]
pub(crate) enum Call<'c> {
    CreateFolder(&'c Path),
    Create(&'c Path),
    Sync(&'c Path),
    SyncFolder(&'c Path),
    Link {
        from: &'c Path,
        to: &'c Path,
    },
    Rename {
        from: &'c Path,
        to: &'c Path,
    },
    Remove(&'c Path),
    RemoveFolder(&'c Path),
    SetLength {
        path: &'c Path,
        length: u64,
    },
    Open(&'c Path),
    List(&'c Path),
    /// The database in this folder takes up a change, in memory first.
    #[cfg(feature = "kv")]
    Change(&'c Path),
    /// The database in this folder makes its changes durable.
    #[cfg(feature = "kv")]
    Flush(&'c Path),
}

/// Makes a call that is neither a read nor a write.
#[cfg(not(feature = "faults"))]
pub(crate) fn perform<T, E>(_: Call<'_>, run: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    run()
}

/// Makes a call whose only effect is that something is durable.
#[cfg(not(feature = "faults"))]
pub(crate) fn perform_sync(_: Call<'_>, run: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    run()
}

#[cfg(feature = "faults")]
pub(crate) use crate::faults::{perform, perform_sync};

#[cfg(not(feature = "faults"))]
fn perform_write(_: &Path, _: u64, bytes: &[u8], run: impl FnOnce(&[u8]) -> io::Result<()>) -> io::Result<()> {
    run(bytes)
}

#[cfg(not(feature = "faults"))]
fn perform_read(_: &Path, run: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
    run()
}

#[cfg(feature = "faults")]
use crate::faults::{perform_read, perform_write};

/// How many threads may make calls side by side. Tests that number the calls need one order of them.
pub(crate) fn parallelism(path: &Path) -> usize {
    #[cfg(feature = "faults")]
    if crate::faults::is_watched(path) {
        return 1;
    }
    let _ = path;
    16
}

/// A file that is open for writing.
#[derive(Debug)]
pub(crate) struct Handle {
    file: File,
    path: PathBuf,
    at: u64,
}

impl Handle {
    /// Opens with these options a file that may be made by it.
    pub(crate) fn open(path: &Path, options: &OpenOptions) -> io::Result<Self> {
        let file = perform(Call::Create(path), || options.open(path))?;
        Ok(Self { file, path: path.to_owned(), at: 0 })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn set_permissions(&self, permissions: Permissions) -> io::Result<()> {
        self.file.set_permissions(permissions)
    }

    pub(crate) fn set_length(&self, length: u64) -> io::Result<()> {
        perform(Call::SetLength { path: &self.path, length }, || self.file.set_len(length))
    }

    /// The next write is at this place.
    pub(crate) fn seek(&mut self, at: u64) -> io::Result<()> {
        self.at = self.file.seek(SeekFrom::Start(at))?;
        Ok(())
    }

    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Self { file, path, at } = self;
        perform_write(path, *at, bytes, |bytes| file.write_all(bytes))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    pub(crate) fn sync(&self) -> io::Result<()> {
        perform_sync(Call::Sync(&self.path), || self.file.sync_all())
    }

    /// Makes durable what is in the file, though not when it was written.
    pub(crate) fn sync_data(&self) -> io::Result<()> {
        perform_sync(Call::Sync(&self.path), || self.file.sync_data())
    }

    /// Reads `length` bytes from `at`; the place of the next write stays.
    pub(crate) fn read_at(&mut self, at: u64, length: usize) -> io::Result<Vec<u8>> {
        let Self { file, path, at: next } = self;
        perform_read(path, || {
            let mut bytes = vec![0; length];
            file.seek(SeekFrom::Start(at))?;
            file.read_exact(&mut bytes)?;
            file.seek(SeekFrom::Start(*next))?;
            Ok(bytes)
        })
    }

    /// How many bytes it has.
    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }
}

pub(crate) fn open(path: &Path) -> io::Result<File> {
    perform(Call::Open(path), || File::open(path))
}

/// Reads at most `limit` bytes.
pub(crate) fn read(path: &Path, file: File, limit: u64) -> io::Result<Vec<u8>> {
    perform_read(path, || {
        let mut bytes = Vec::new();
        file.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    })
}

pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    perform(Call::CreateFolder(path), || fs::create_dir(path))
}

pub(crate) fn hard_link(from: &Path, to: &Path) -> io::Result<()> {
    perform(Call::Link { from, to }, || fs::hard_link(from, to))
}

pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    perform(Call::Rename { from, to }, || fs::rename(from, to))
}

pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    perform(Call::Remove(path), || fs::remove_file(path))
}

pub(crate) fn remove_dir_all(path: &Path) -> io::Result<()> {
    perform(Call::RemoveFolder(path), || fs::remove_dir_all(path))
}

pub(crate) fn read_dir(path: &Path) -> io::Result<Vec<fs::DirEntry>> {
    perform(Call::List(path), || fs::read_dir(path)?.collect())
}

pub(crate) fn sync_file(path: &Path) -> io::Result<()> {
    let options = || OpenOptions::new().read(true).write(cfg!(windows)).open(path);
    perform_sync(Call::Sync(path), || options()?.sync_all())
}

#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    perform_sync(Call::SyncFolder(path), || File::open(path)?.sync_all())
}

#[cfg(not(unix))]
pub(crate) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
