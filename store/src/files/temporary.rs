//! A file under construction, gone when it is dropped.

use super::FileError;
use crate::os::{self, Handle};
use std::ffi::OsStr;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const PREFIX: &str = ".tmp-";

/// Makes the names of this process distinct; the process's id makes them distinct from those of others.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Whether this is the name of a temporary file: `.tmp-<process>-<number>`.
pub(super) fn is_temporary(name: &OsStr) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let numbers = name.to_str().and_then(|name| name.strip_prefix(PREFIX)).and_then(|rest| rest.split_once('-'));
    numbers.is_some_and(|(process, number)| is_number(process) && is_number(number))
}

/// Who may read a file.
pub(super) enum Access {
    /// Whoever the process's defaults admit.
    Default,
    /// Its owner alone.
    Private,
    /// As with the file that it takes the place of.
    Like(Permissions),
}

/// A file that is written and durable, but not under its own name yet.
pub(super) struct Temporary {
    path: PathBuf,
}

impl Temporary {
    /// Writes `bytes` to a new file in `folder` and makes them durable.
    pub(super) fn write(folder: &Path, bytes: &[u8], access: Access) -> Result<Self, FileError> {
        let (temporary, mut file) = Self::create(folder, &access)?;
        let written = (|| {
            if let Access::Like(permissions) = access {
                file.set_permissions(permissions)?;
            }
            file.write_all(bytes)?;
            file.sync()
        })();
        written.map_err(|error| FileError::io("write", &temporary.path, error))?;
        Ok(temporary)
    }

    /// Opens a file that nobody else has. A name can be taken only by what a dead process of the same id left behind.
    pub(super) fn create(folder: &Path, access: &Access) -> Result<(Self, Handle), FileError> {
        let options = options_for(access);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{PREFIX}{}-{number}", std::process::id()));
            match Handle::open(&path, &options) {
                Ok(file) => return Ok((Self { path }, file)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(FileError::io("create", &path, error)),
            }
        }
    }

    /// Gives the file its name, in place of what has that name.
    pub(super) fn rename_to(self, path: &Path) -> Result<(), FileError> {
        os::rename(&self.path, path).map_err(|error| FileError::io("replace", path, error))
    }

    /// Gives the file its name, which must be free. A file system without hard links (FAT, some network shares) can't
    /// decide that in one step; there, whoever writes to the folder without its lock may be overwritten.
    pub(super) fn link_to(self, path: &Path) -> Result<(), FileError> {
        match os::hard_link(&self.path, path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(FileError::Exists { path: path.to_owned() }),
            Err(error) if lacks_links(&error) => match fs::symlink_metadata(path) {
                Ok(_) => Err(FileError::Exists { path: path.to_owned() }),
                Err(_) => self.rename_to(path),
            },
            Err(error) => Err(FileError::io("create", path, error)),
        }
    }
}

/// Removes what is still under the temporary name: nothing after a rename.
impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = os::remove_file(&self.path);
    }
}

/// Linux answers EPERM where a file system has no hard links.
fn lacks_links(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied)
}

#[cfg(unix)]
fn options_for(access: &Access) -> OpenOptions {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let mode = match access {
        Access::Default => 0o666, // less what the process's umask takes away
        Access::Private => 0o600,
        Access::Like(permissions) => permissions.mode() & 0o600, // until it is set in full
    };
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    options
}

#[cfg(not(unix))]
fn options_for(_: &Access) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_left_by_a_dead_process_of_the_same_id_are_skipped() {
        let dir = tempfile::tempdir().unwrap();
        let next = NEXT.load(Ordering::Relaxed);
        for number in next..next + 20 {
            fs::write(dir.path().join(format!("{PREFIX}{}-{number}", std::process::id())), b"stale").unwrap();
        }
        let path = dir.path().join("file");
        Temporary::write(dir.path(), b"fresh", Access::Default).unwrap().rename_to(&path).unwrap();
        assert_eq!(fs::read(path).unwrap(), b"fresh");
    }

    #[test]
    fn an_abandoned_file_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        drop(Temporary::write(dir.path(), b"bytes", Access::Private).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
