//! Files that survive a power cut.
//!
//! A file is written under a temporary name in its own folder, made durable, given its name in one step, and then the
//! folder is made durable. So a reader finds the old bytes or the new ones, never a part of them, and what a function
//! here has returned `Ok` for is still there after the power fails.
//!
//! Temporary files are named `.tmp-<process>-<number>`. A process that dies leaves its own behind;
//! [`remove_temporaries`] and [`remove_temporaries_below`] remove them. Whoever serves a folder to the world must not
//! serve names that start with a dot.
//!
//! Folders can't be made durable on Windows; there the file system's own ordering has to do.

mod error;
mod incoming;
mod journal;
mod lock;
mod pieces;
mod tape;
mod temporary;

pub use error::FileError;
pub use incoming::Incoming;
pub use journal::{MAX_JOURNAL_SIZE, append_line_durable, append_lines_durable, read_lines};
pub use lock::{FileLock, FolderLock, LOCK_FILE};
pub use pieces::digest_pieces;
pub use tape::{MAX_RECORD, Tape};

use crate::os;
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use temporary::{Access, Temporary};

/// Writes `bytes` to `path`, in place of what is there, if anything; the permissions of an existing file are kept.
///
/// On error the old file is intact, unless it was only the last step that failed: then the new one is in place, whole,
/// but might not survive a power cut.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    replace_as(path, bytes, access_of(path)?)
}

/// As with the file that is there, if there is one.
fn access_of(path: &Path) -> Result<Access, FileError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Access::Like(metadata.permissions())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Access::Default),
        Err(error) => Err(FileError::io("read the permissions of", path, error)),
    }
}

/// Like [`replace`], and only the file's owner can read it (on Unix: mode 0600).
pub fn replace_private(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    replace_as(path, bytes, Access::Private)
}

fn replace_as(path: &Path, bytes: &[u8], access: Access) -> Result<(), FileError> {
    let folder = folder_of(path);
    Temporary::write(folder, bytes, access)?.rename_to(path)?;
    sync_folder(folder)
}

/// Writes a file that must not exist yet; [`FileError::Exists`] if it does.
pub fn create_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    create_as(path, bytes, Access::Default)
}

/// Like [`create_new`], and only the file's owner can read it (on Unix: mode 0600). For keys.
pub fn write_private_new(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    create_as(path, bytes, Access::Private)
}

fn create_as(path: &Path, bytes: &[u8], access: Access) -> Result<(), FileError> {
    let folder = folder_of(path);
    if fs::symlink_metadata(path).is_ok() {
        return Err(FileError::Exists { path: path.to_owned() });
    }
    Temporary::write(folder, bytes, access)?.link_to(path)?;
    sync_folder(folder)
}

/// Writes a file whose content never changes: succeeds if it is there already with the same bytes,
/// [`FileError::Differs`] if it is there with others.
pub fn write_once(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    place_once(path, bytes)?;
    sync_folder(folder_of(path))
}

/// [`write_once`] for many files, which are written side by side, for the price of one synchronisation per folder.
///
/// On error some of them may be in place; to call it again with the same files is safe.
pub fn write_all_once<P: AsRef<Path> + Sync, B: AsRef<[u8]> + Sync>(files: &[(P, B)]) -> Result<(), FileError> {
    place_all(files, place_once)
}

/// [`replace`] for many files, which are written side by side, for the price of one synchronisation per folder.
///
/// On error some of them may be replaced, each whole.
pub fn replace_all<P: AsRef<Path> + Sync, B: AsRef<[u8]> + Sync>(files: &[(P, B)]) -> Result<(), FileError> {
    place_all(files, |path, bytes| Temporary::write(folder_of(path), bytes, access_of(path)?)?.rename_to(path))
}

fn place_all<P: AsRef<Path> + Sync, B: AsRef<[u8]> + Sync>(
    files: &[(P, B)],
    place: impl Fn(&Path, &[u8]) -> Result<(), FileError> + Sync,
) -> Result<(), FileError> {
    side_by_side(files, |(path, _)| path.as_ref(), |(path, bytes)| place(path.as_ref(), bytes.as_ref()))?;
    let folders: BTreeSet<&Path> = files.iter().map(|(path, _)| folder_of(path.as_ref())).collect();
    let folders: Vec<&Path> = folders.into_iter().collect();
    side_by_side(&folders, |folder| folder, |folder| sync_folder(folder))
}

/// Does the same with all items, several at a time: the disk makes what waits together durable together. Stops at the
/// first error.
fn side_by_side<T: Sync>(
    items: &[T],
    path: impl Fn(&T) -> &Path,
    work: impl Fn(&T) -> Result<(), FileError> + Sync,
) -> Result<(), FileError> {
    let threads = items.first().map_or(1, |first| os::parallelism(path(first)).min(items.len()));
    if threads == 1 {
        return items.iter().try_for_each(work);
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(item).inspect_err(|_| next.store(items.len(), Ordering::Relaxed))?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let mut ended = workers.into_iter().map(|worker| worker.join());
        ended.try_for_each(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Puts a write-once file in place; its folder remains to be synchronised.
fn place_once(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    if is_there(path, bytes)? {
        return Ok(());
    }
    match Temporary::write(folder_of(path), bytes, Access::Default)?.link_to(path) {
        Err(FileError::Exists { .. }) if is_there(path, bytes)? => Ok(()), // somebody was faster, with the same bytes
        result => result,
    }
}

/// Whether the file holds exactly `bytes`, which are then made durable: whoever wrote them may have died before that.
fn is_there(path: &Path, bytes: &[u8]) -> Result<bool, FileError> {
    let differs = || FileError::Differs { path: path.to_owned() };
    match read_limited(path, bytes.len()) {
        Ok(None) => Ok(false),
        Ok(Some(found)) if found == bytes => sync_file(path).map(|()| true),
        Ok(Some(_)) | Err(FileError::TooLarge { .. }) => Err(differs()),
        Err(error) => Err(error),
    }
}

/// The content of a file of at most `max_bytes`, or `None` if there is none. Of a larger one nothing is read, so that a
/// file that claims many gigabytes takes no memory.
pub fn read_limited(path: &Path, max_bytes: usize) -> Result<Option<Vec<u8>>, FileError> {
    let file = match os::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::io("open", path, error)),
    };
    let too_large = || FileError::TooLarge { path: path.to_owned(), limit: max_bytes };
    let limit = u64::try_from(max_bytes).unwrap_or(u64::MAX);
    let metadata = file.metadata().map_err(|error| FileError::io("look at", path, error))?;
    if metadata.is_file() && metadata.len() > limit {
        return Err(too_large());
    }
    // What is no regular file has no length, and a regular one may grow meanwhile: the reading is limited as well.
    let bytes = os::read(path, file, limit.saturating_add(1)).map_err(|error| FileError::io("read", path, error))?;
    if bytes.len() > max_bytes { Err(too_large()) } else { Ok(Some(bytes)) }
}

/// [`read_limited`], of a file that a program keeps for itself: a pipe or device in its place, at which reading could wait for ever,
/// is refused unopened.
pub fn read_regular(path: &Path, max_bytes: usize) -> Result<Option<Vec<u8>>, FileError> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let other = std::io::Error::new(ErrorKind::InvalidInput, "it is no regular file");
        return Err(FileError::io("read", path, other));
    }
    read_limited(path, max_bytes)
}

/// Creates a folder and those above it that are missing, each of them durably.
pub fn create_dir_all_durable(dir: &Path) -> Result<(), FileError> {
    let is_missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.is_dir();
    let missing: Vec<&Path> = dir.ancestors().take_while(is_missing).collect();
    for folder in missing.into_iter().rev() {
        match os::create_dir(folder) {
            Err(error) if !folder.is_dir() => return Err(FileError::io("create the folder", folder, error)),
            _ => sync_folder(folder_of(folder))?,
        }
    }
    Ok(())
}

/// The first path beside this one that is free, for what is put aside: `….word-1`, `….word-2`, and so on.
pub fn free_beside(path: &Path, word: &str) -> PathBuf {
    let mut number = 1u64;
    loop {
        let mut aside = path.to_owned().into_os_string();
        aside.push(format!(".{word}-{number}"));
        if fs::symlink_metadata(&aside).is_err() {
            return aside.into();
        }
        number += 1;
    }
}

/// Moves a file or folder to a name that is free, durably. Both names must be in the same file system.
pub fn rename_durable(from: &Path, to: &Path) -> Result<(), FileError> {
    if fs::symlink_metadata(to).is_ok() {
        return Err(FileError::Exists { path: to.to_owned() });
    }
    os::rename(from, to).map_err(|error| FileError::io("rename", from, error))?;
    sync_folder(folder_of(to))?;
    sync_folder(folder_of(from))
}

/// Removes a file, durably; that there is none is fine.
pub fn remove_durable(path: &Path) -> Result<(), FileError> {
    match os::remove_file(path) {
        Ok(()) => sync_folder(folder_of(path)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(FileError::io("remove", path, error)),
    }
}

/// Removes a folder with everything in it; that there is none is fine. For what nobody needs: it is not made durable.
pub fn remove_tree(dir: &Path) -> Result<(), FileError> {
    match os::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(FileError::io("remove", dir, error)),
        _ => Ok(()),
    }
}

/// The names of the files in `dir`, in ascending order; none if there is no such folder.
pub fn names_in(dir: &Path) -> Result<Vec<std::ffi::OsString>, FileError> {
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    Ok(entries(dir)?.iter().map(fs::DirEntry::file_name).collect())
}

/// Makes everything in `dir` durable: files, folders inside it, the folder itself and its name in the one above.
///
/// For what others wrote without care. Links are not followed.
pub fn sync_tree(dir: &Path) -> Result<(), FileError> {
    sync_contents(dir)?;
    sync_folder(folder_of(dir))
}

fn sync_contents(dir: &Path) -> Result<(), FileError> {
    for entry in entries(dir)? {
        let kind = entry.file_type().map_err(|error| FileError::io("look at", &entry.path(), error))?;
        if kind.is_dir() {
            sync_contents(&entry.path())?;
        } else if kind.is_file() {
            sync_file(&entry.path())?;
        }
    }
    sync_folder(dir)
}

/// Removes the temporary files that processes which died left in `dir` (not in the folders inside it), and says how
/// many there were. To be called by the only process that writes there: hold its [`FolderLock`].
pub fn remove_temporaries(dir: &Path) -> Result<usize, FileError> {
    let mut removed = 0;
    for entry in entries(dir)? {
        if temporary::is_temporary(&entry.file_name()) {
            os::remove_file(&entry.path()).map_err(|error| FileError::io("remove", &entry.path(), error))?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// [`remove_temporaries`] in `dir` and all folders inside it. Links are not followed.
pub fn remove_temporaries_below(dir: &Path) -> Result<usize, FileError> {
    let mut removed = remove_temporaries(dir)?;
    for entry in entries(dir)? {
        let kind = entry.file_type().map_err(|error| FileError::io("look at", &entry.path(), error))?;
        if kind.is_dir() {
            removed += remove_temporaries_below(&entry.path())?;
        }
    }
    Ok(removed)
}

fn entries(dir: &Path) -> Result<Vec<fs::DirEntry>, FileError> {
    let failed = |error| FileError::io("list the folder", dir, error);
    let mut entries = os::read_dir(dir).map_err(failed)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    Ok(entries)
}

/// The folder that holds `path`: the current one for a bare name.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

fn sync_file(path: &Path) -> Result<(), FileError> {
    os::sync_file(path).map_err(|error| FileError::io("make durable", path, error))
}

fn sync_folder(folder: &Path) -> Result<(), FileError> {
    os::sync_folder(folder).map_err(|error| FileError::io("make durable the folder", folder, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::path::PathBuf;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn replacing_leaves_the_new_bytes_and_nothing_else() {
        let dir = folder();
        let path = dir.path().join("state");
        for bytes in [&b"one"[..], b"two", b""] {
            replace(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        assert_eq!(names(dir.path()), ["state"]);
    }

    #[test]
    fn a_failed_replacement_leaves_the_old_file_and_no_temporary_one() {
        let dir = folder();
        let path = dir.path().join("occupied");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), b"old").unwrap();
        assert!(matches!(replace(&path, b"new"), Err(FileError::Io { .. })));
        assert_eq!(fs::read(path.join("inside")).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["occupied"]);
        assert!(matches!(replace(&dir.path().join("no/such/folder"), b"new"), Err(FileError::Io { .. })));
    }

    #[test]
    fn a_new_file_is_never_overwritten() {
        let dir = folder();
        let path = dir.path().join("key");
        create_new(&path, b"first").unwrap();
        assert!(matches!(create_new(&path, b"first"), Err(FileError::Exists { .. })));
        assert!(matches!(write_private_new(&path, b"second"), Err(FileError::Exists { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(dir.path()), ["key"]);
    }

    #[test]
    fn writing_once_may_be_repeated_but_not_changed() {
        let dir = folder();
        let path = dir.path().join("tile");
        write_once(&path, b"content").unwrap();
        write_once(&path, b"content").unwrap();
        for other in [&b"contenT"[..], b"conten", b"content and more", b""] {
            let error = write_once(&path, other).unwrap_err();
            assert!(matches!(error, FileError::Differs { .. }), "{error}");
            assert_eq!(error.path(), path);
        }
        assert_eq!(fs::read(&path).unwrap(), b"content");
        assert_eq!(names(dir.path()), ["tile"]);
    }

    #[test]
    fn many_are_written_once_and_the_rest_after_a_failure_later() {
        let dir = folder();
        let files: Vec<(PathBuf, Vec<u8>)> = (0..20u8).map(|i| (dir.path().join(format!("{i}")), vec![i; 9])).collect();
        write_all_once(&files[..7]).unwrap();
        write_all_once(&files).unwrap();
        for (path, bytes) in &files {
            assert_eq!(&fs::read(path).unwrap(), bytes);
        }
        let others: Vec<(PathBuf, Vec<u8>)> = files[10..].iter().map(|(path, _)| (path.clone(), vec![7; 5])).collect();
        replace_all(&others).unwrap();
        assert!(others.iter().all(|(path, bytes)| &fs::read(path).unwrap() == bytes));
        assert!(replace_all(&[(dir.path().join("no/folder"), b"x")]).is_err());
        assert!(matches!(write_all_once(&[(&files[3].0, b"other")]), Err(FileError::Differs { .. })));
    }

    #[test]
    fn threads_that_write_once_agree_on_one_content() {
        let dir = folder();
        let path = dir.path().join("contended");
        let wins: usize = std::thread::scope(|scope| {
            let write = |i: u8| {
                let path = &path;
                scope.spawn(move || usize::from(write_once(path, &[i / 2; 100]).is_ok()))
            };
            let writers: Vec<_> = (0..8).map(write).collect();
            writers.into_iter().map(|writer| writer.join().unwrap()).sum()
        });
        assert_eq!(wins, 2, "both of those that wrote the same bytes, none of the others");
        assert_eq!(names(dir.path()), ["contended"]);
    }

    #[test]
    fn reading_is_limited() {
        let dir = folder();
        let path = dir.path().join("file");
        assert_eq!(read_limited(&path, 10).unwrap(), None);
        fs::write(&path, b"0123456789").unwrap();
        assert_eq!(read_limited(&path, 10).unwrap().unwrap(), b"0123456789");
        assert_eq!(read_limited(&path, usize::MAX).unwrap().unwrap(), b"0123456789");
        assert!(matches!(read_limited(&path, 9), Err(FileError::TooLarge { limit: 9, .. })));
        assert!(matches!(read_limited(dir.path(), 9), Err(FileError::Io { .. })));
    }

    #[test]
    fn of_a_file_that_is_too_large_nothing_is_read() {
        let dir = folder();
        let path = dir.path().join("sparse");
        File::create(&path).unwrap().set_len(1 << 34).unwrap();
        let limit = usize::try_from((1u64 << 34) - 1).unwrap_or(usize::MAX);
        assert!(matches!(read_limited(&path, limit), Err(FileError::TooLarge { .. })));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn reading_is_limited_where_there_is_no_length() {
        assert!(matches!(read_limited(Path::new("/dev/zero"), 9), Err(FileError::TooLarge { limit: 9, .. })));
    }

    #[cfg(unix)]
    #[test]
    fn private_files_are_private_and_permissions_are_kept() {
        use std::os::unix::fs::PermissionsExt;
        let dir = folder();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let key = dir.path().join("key");
        write_private_new(&key, b"secret").unwrap();
        assert_eq!(mode(&key), 0o600);
        replace(&key, b"another").unwrap();
        assert_eq!(mode(&key), 0o600, "an ordinary replacement does not open a private file to others");
        let open = dir.path().join("open");
        replace(&open, b"").unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o666)).unwrap();
        replace(&open, b"").unwrap();
        assert_eq!(mode(&open), 0o666);
        replace_private(&open, b"").unwrap();
        assert_eq!(mode(&open), 0o600);
    }

    #[test]
    fn folders_are_created_and_synchronised() {
        let dir = folder();
        let deep = dir.path().join("a/b/c");
        create_dir_all_durable(&deep).unwrap();
        create_dir_all_durable(&deep).unwrap();
        fs::write(deep.join("file"), b"").unwrap();
        sync_tree(dir.path()).unwrap();
        assert!(matches!(create_dir_all_durable(&deep.join("file/d")), Err(FileError::Io { .. })));
        assert_eq!(folder_of(Path::new("bare")), Path::new("."));
        assert_eq!(folder_of(Path::new("/")), Path::new("/"));
    }

    #[test]
    fn moving_never_overwrites_and_removing_twice_is_fine() {
        let dir = folder();
        let (from, to) = (dir.path().join("from"), dir.path().join("to"));
        fs::write(&from, b"1").unwrap();
        rename_durable(&from, &to).unwrap();
        fs::write(&from, b"2").unwrap();
        assert!(matches!(rename_durable(&from, &to), Err(FileError::Exists { .. })));
        assert_eq!(fs::read(&to).unwrap(), b"1");
        remove_durable(&to).unwrap();
        remove_durable(&to).unwrap();
        assert_eq!(names(dir.path()), ["from"]);
    }

    #[test]
    fn only_temporaries_are_removed() {
        let dir = folder();
        for name in [".tmp-17-0", ".tmp-4294967295-123", ".tmp-", ".tmp-1", ".tmp-1-2-3", ".tmp-x-1", "tmp-1-1"] {
            fs::write(dir.path().join(name), b"").unwrap();
        }
        let inside = dir.path().join("tile/0");
        fs::create_dir_all(&inside).unwrap();
        fs::write(inside.join(".tmp-9-9"), b"").unwrap();
        assert_eq!(remove_temporaries(dir.path()).unwrap(), 2);
        assert_eq!(remove_temporaries_below(dir.path()).unwrap(), 1);
        assert_eq!(names(&inside), [""; 0]);
        fs::remove_dir_all(dir.path().join("tile")).unwrap();
        assert_eq!(names(dir.path()), [".tmp-", ".tmp-1", ".tmp-1-2-3", ".tmp-x-1", "tmp-1-1"]);
    }
}
