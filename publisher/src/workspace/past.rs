//! What a list once had, as far as a workspace has seen it: so that what was taken off the list doesn't come back unnoticed.
//!
//! Nothing proves that this is all: a folder that is new knows the releases on which the next one builds, and no other. So it
//! says since which version it knows the list.

use super::{Base, ContentError, Workspace};
use crate::stored::{StoredError, StoredList};
use isonomy_core::list::delta::Differing;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::paths;
use isonomy_store::files::{self, FileError};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Earlier content of a list, and what left it.
#[derive(Clone, Debug, Default)]
pub struct Past {
    lists: Vec<PathBuf>,
    entry_size: usize,
    since: Option<u64>,
}

impl Past {
    /// The earliest version of which something is known; `None` before the first release.
    pub fn since(&self) -> Option<u64> {
        self.since
    }

    /// Those of the entries that the list once had.
    pub fn among(&self, entries: &Entries) -> Result<Entries, ContentError> {
        let mut found = Vec::new();
        for path in self.lists.iter().filter(|_| !entries.is_empty()) {
            let among = StoredList::new(path, self.entry_size).among(entries);
            found.extend(kept(path, among)?.map(Entries::into_bytes).unwrap_or_default());
        }
        Ok(Entries::from_unsorted(entries.entry_size(), found)?.0)
    }
}

/// What a folder keeps of a list.
#[derive(Default)]
struct Kept {
    /// The versions whose content is there, ascending.
    versions: Vec<u64>,
    /// What left the list, each with the version since which it was seen.
    removed: Vec<(u64, PathBuf)>,
}

impl Workspace {
    /// What the list once had, before the newest of its `bases`. Content on which no release to come builds is given up here, but for
    /// what is not on the list any more.
    pub fn past(&self, bases: &[Base]) -> Result<Past, ContentError> {
        let Some(newest) = bases.last() else { return Ok(Past::default()) };
        let version = newest.release.body().version;
        let stems = paths::stems(version);
        let is_old = |kept: &&u64| **kept < version && !stems.contains(kept);
        let mut kept = self.kept()?;
        let old: Vec<u64> = kept.versions.iter().filter(is_old).copied().collect();
        if !old.is_empty() {
            self.give_up(&old, &kept.removed, newest)?;
            kept = self.kept()?;
        }
        let since = kept.removed.iter().map(|(since, _)| *since).chain(kept.versions.iter().copied()).min();
        let earlier = kept.versions.iter().filter(|kept| **kept < version).map(|kept| self.path(*kept));
        let lists = kept.removed.iter().map(|(_, path)| path.clone()).chain(earlier).collect();
        Ok(Past { lists, entry_size: newest.algorithm.entry_size(), since })
    }

    /// Keeps of these versions what is not on the list any more, and then deletes them.
    fn give_up(&self, old: &[u64], removed: &[(u64, PathBuf)], newest: &Base) -> Result<(), ContentError> {
        let (current, algorithm) = (newest.read()?, newest.algorithm);
        let contents = old.iter().map(|version| (*version, self.path(*version)));
        let all: Vec<(u64, PathBuf)> = removed.iter().cloned().chain(contents).collect();
        let since = all.iter().map(|(since, _)| *since).min().unwrap_or_default();
        let left = without(&all, &current, algorithm)?;
        let path = self.folder.join(format!("removed-since-{since}.entries"));
        files::replace(&path, left.as_bytes())?;
        for (_, given_up) in all.iter().filter(|(_, other)| *other != path) {
            fs::remove_file(given_up).map_err(|source| failed("delete", given_up, source))?;
        }
        Ok(())
    }

    fn kept(&self) -> Result<Kept, ContentError> {
        let mut kept = Kept::default();
        for file in fs::read_dir(&self.folder).map_err(|source| failed("list", &self.folder, source))? {
            let path = file.map_err(|source| failed("list", &self.folder, source))?.path();
            let name = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".entries")).unwrap_or_default();
            match (name.parse(), name.strip_prefix("removed-since-").map(str::parse)) {
                (Ok(version), _) => kept.versions.push(version),
                (_, Some(Ok(since))) => kept.removed.push((since, path)),
                _ => {}
            }
        }
        kept.versions.sort_unstable();
        kept.removed.sort_unstable();
        Ok(kept)
    }
}

/// The entries of all these files that are not on the list.
fn without(files: &[(u64, PathBuf)], current: &Entries, algorithm: Algorithm) -> Result<Entries, ContentError> {
    let mut left = Entries::from_sorted(algorithm.entry_size(), Vec::new())?;
    for (_, path) in files {
        let mut bytes = left.into_bytes();
        let mut differing = Differing::new(current);
        let read = StoredList::new(path, algorithm.entry_size())
            .pieces(|piece| Ok::<(), StoredError>(differing.take(piece, |entry| bytes.extend_from_slice(entry))?));
        kept(path, read)?;
        left = Entries::from_unsorted(algorithm.entry_size(), bytes)?.0;
    }
    Ok(left)
}

/// What was read of a file that is kept; nothing if it was given up meanwhile.
fn kept<T>(path: &Path, read: Result<T, StoredError>) -> Result<Option<T>, ContentError> {
    match read {
        Err(StoredError::List(source)) => Err(ContentError::Past { path: path.display().to_string(), source }),
        Err(StoredError::File(FileError::Io { source, .. })) if source.kind() == ErrorKind::NotFound => Ok(None),
        read => Ok(Some(read?)),
    }
}

fn failed(action: &'static str, path: &Path, source: std::io::Error) -> FileError {
    FileError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestLog, compose_in, entries, sign_release};
    use isonomy_core::statement::Statement;

    /// Publishes this content as the next release, and gives what the folder knows of the past afterwards.
    async fn publish(log: &mut TestLog, folder: &Path, content: &Entries) -> Past {
        let workspace = Workspace::open(folder, &crate::testing::list()).unwrap();
        let view = log.view().await.unwrap();
        let bases = workspace.bases(view.bases(), Algorithm::PdqFull, &log.source()).await.unwrap();
        let past = workspace.past(&bases).unwrap();
        let draft = sign_release(&compose_in(&log.path("drafts"), &view, &bases, content, log.clock()));
        for object in draft.release().body().objects() {
            log.write(&format!("object/{}", object.sha256), &draft.object(&object.sha256).unwrap());
        }
        log.append(Statement::Release(draft.release().clone()));
        log.advance(100);
        past
    }

    async fn past(log: &TestLog, folder: &Path) -> Past {
        let workspace = Workspace::open(folder, &crate::testing::list()).unwrap();
        let view = log.view().await.unwrap();
        let bases = workspace.bases(view.bases(), Algorithm::PdqFull, &log.source()).await.unwrap();
        workspace.past(&bases).unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let files = fs::read_dir(folder.join("hotline.example~images")).unwrap();
        let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The list without the entry at this place.
    fn but(list: &Entries, at: usize) -> Entries {
        let kept = list.iter().enumerate().filter(|(place, _)| *place != at).flat_map(|(_, entry)| entry.to_vec());
        Entries::from_sorted(32, kept.collect()).unwrap()
    }

    #[tokio::test]
    async fn what_left_the_list_is_remembered_though_old_content_is_given_up() {
        let mut log = TestLog::with_charter().await;
        let folder = tempfile::tempdir().unwrap();
        let all = entries(1, 20);
        let first = publish(&mut log, folder.path(), &all).await;
        assert_eq!((first.since(), first.among(&all).unwrap().len()), (None, 0));
        // One entry goes with version 2; another goes with 3, comes back with 4, and goes again.
        let mut content = but(&all, 3);
        let one_less = but(&content, 10);
        for (version, next) in [(2, content.clone()), (3, one_less.clone()), (4, content.clone()), (5, one_less)] {
            publish(&mut log, folder.path(), &next).await;
            content = next;
            let known = past(&log, folder.path()).await;
            assert_eq!(known.since(), Some(1));
            let missing: Vec<&[u8]> = all.iter().filter(|entry| !content.contains(entry)).collect();
            let once: Vec<Vec<u8>> = known.among(&all).unwrap().iter().map(<[u8]>::to_vec).collect();
            assert!(missing.iter().all(|entry| once.contains(&entry.to_vec())), "version {version}");
            let unknown = entries(2, 20);
            assert_eq!(known.among(&unknown).unwrap().len(), 0);
        }
        // The content of 4, on which 8 will build, and of 5.
        assert_eq!(names(folder.path()), ["4.entries", "5.entries", "removed-since-1.entries"]);
        let removed = folder.path().join("hotline.example~images/removed-since-1.entries");
        assert_eq!(fs::metadata(&removed).unwrap().len(), 32, "the other one stands in version 4");
        // A folder that is new knows less, and says so.
        let other = tempfile::tempdir().unwrap();
        let little = past(&log, other.path()).await;
        assert_eq!((little.since(), little.among(&all).unwrap().len()), (Some(4), 19), "6 builds on 4 and 5");
        // Damage is not taken for an empty past.
        fs::write(&removed, [0; 33]).unwrap();
        let damaged = past(&log, folder.path()).await.among(&all);
        assert!(matches!(damaged, Err(ContentError::Past { .. })), "{damaged:?}");
    }
}
