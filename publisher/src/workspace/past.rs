//! What a list once had, as far as a workspace has seen it: so that what was taken off the list doesn't come back unnoticed.
//!
//! What left the list is gathered in one file, each time that the folder sees a newer release, so that nobody goes through
//! earlier content again to know it. Nothing proves that this is all: a folder that is new knows the releases on which the next
//! one builds, and no other. So it says since which version it knows the list.

use super::{Base, ContentError, Workspace};
use crate::stored::{StoredError, StoredList};
use isonomy_core::list::delta::Differing;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::paths;
use isonomy_store::files::{self, FileError};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What left a list, in a file.
#[derive(Clone, Debug, Default)]
pub struct Past {
    removed: Option<(Removed, StoredList)>,
}

impl Past {
    /// The earliest version of which something is known; `None` before the first release.
    pub fn since(&self) -> Option<u64> {
        self.removed.as_ref().map(|(removed, _)| removed.since)
    }

    /// Those of the entries that the list once had, and lost.
    pub fn among(&self, entries: &Entries) -> Result<Entries, ContentError> {
        match &self.removed {
            Some((removed, list)) => list.among(entries).map_err(|error| damaged(&removed.path, error)),
            None => Ok(Entries::from_sorted(entries.entry_size(), Vec::new())?),
        }
    }
}

/// The file of what left the list between two versions.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Removed {
    /// The release up to which it was gathered.
    to: u64,
    /// The first release that was seen.
    since: u64,
    path: PathBuf,
}

/// What a folder keeps of a list.
#[derive(Default)]
struct Kept {
    /// The versions whose content is there.
    versions: Vec<u64>,
    /// More than one if a process died between two steps; the last one counts.
    removed: Vec<Removed>,
}

impl Workspace {
    /// What the list once had, before the newest of its `bases`. Content on which no release to come builds is deleted, once it is
    /// known what of it left the list.
    pub fn past(&self, bases: &[Base]) -> Result<Past, ContentError> {
        let Some(newest) = bases.last() else { return Ok(Past::default()) };
        let mut kept = self.kept()?;
        kept.removed.sort_unstable();
        let known = kept.removed.last().filter(|known| known.to >= newest.release.body().version);
        let removed = match known {
            Some(known) => known.clone(),
            None => self.gather(&kept, newest)?,
        };
        let list = StoredList::new(&removed.path, newest.algorithm.entry_size());
        Ok(Past { removed: Some((removed, list)) })
    }

    /// Adds to what left the list what left it up to its newest release, and deletes what is not needed any more.
    fn gather(&self, kept: &Kept, newest: &Base) -> Result<Removed, ContentError> {
        let to = newest.release.body().version;
        let before = kept.removed.last();
        let from = before.map_or(0, |before| before.to);
        // What left it before `from` is known, so of all content since then only that has to be looked at.
        let news: Vec<u64> = kept.versions.iter().copied().filter(|version| (from..to).contains(version)).collect();
        let since = before.filter(|before| news.contains(&before.to)).map(|before| before.since);
        let since = since.or(news.iter().copied().min()).unwrap_or(to);
        let paths: Vec<PathBuf> = before
            .map(|before| before.path.clone())
            .into_iter()
            .chain(news.iter().map(|version| self.path(*version)))
            .collect();
        let left = not_in(&newest.read()?, &paths, newest.algorithm)?;
        let path = self.folder.join(format!("removed-{since}-to-{to}.entries"));
        files::replace(&path, left.as_bytes())?;
        let stems = paths::stems(to);
        let old = kept.versions.iter().filter(|version| **version < to && !stems.contains(version));
        let old = old.map(|version| self.path(*version)).chain(kept.removed.iter().map(|removed| removed.path.clone()));
        for path in old {
            delete(&path)?;
        }
        Ok(Removed { to, since, path })
    }

    fn kept(&self) -> Result<Kept, ContentError> {
        let mut kept = Kept::default();
        for file in fs::read_dir(&self.folder).map_err(|source| failed("list", &self.folder, source))? {
            let path = file.map_err(|source| failed("list", &self.folder, source))?.path();
            let name = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".entries")).unwrap_or_default();
            if let Ok(version) = name.parse() {
                kept.versions.push(version);
            } else if let Some((since, to)) = name.strip_prefix("removed-").and_then(|name| name.split_once("-to-"))
                && let (Ok(since), Ok(to)) = (since.parse(), to.parse())
            {
                kept.removed.push(Removed { to, since, path });
            }
        }
        Ok(kept)
    }
}

/// The entries of all these files that are not in the list.
fn not_in(list: &Entries, files: &[PathBuf], algorithm: Algorithm) -> Result<Entries, ContentError> {
    let mut left = Entries::from_sorted(algorithm.entry_size(), Vec::new())?;
    for path in files {
        let mut bytes = left.into_bytes();
        let mut differing = Differing::new(list);
        let read = StoredList::new(path, algorithm.entry_size())
            .pieces(|piece| Ok::<(), StoredError>(differing.take(piece, |entry| bytes.extend_from_slice(entry))?));
        read.map_err(|error| damaged(path, error))?;
        left = Entries::from_unsorted(algorithm.entry_size(), bytes)?.0;
    }
    Ok(left)
}

/// Damage is never taken for an empty past.
fn damaged(path: &Path, error: StoredError) -> ContentError {
    match error {
        StoredError::List(source) => ContentError::Past { path: path.display().to_string(), source },
        error => error.into(),
    }
}

fn delete(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(failed("delete", path, source)),
        _ => Ok(()),
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
            let missing: Vec<u8> = all.iter().filter(|entry| !content.contains(entry)).flatten().copied().collect();
            assert_eq!(
                (known.since(), known.among(&all).unwrap().as_bytes()),
                (Some(1), &missing[..]),
                "version {version}"
            );
            assert_eq!(known.among(&entries(2, 20)).unwrap().len(), 0);
        }
        // 8 will build on the content of 4.
        assert_eq!(names(folder.path()), ["4.entries", "5.entries", "removed-1-to-5.entries"]);
        let own = folder.path().join("hotline.example~images");
        let removed = own.join("removed-1-to-5.entries");
        // A folder that is new knows less, and says so.
        let other = tempfile::tempdir().unwrap();
        let little = past(&log, other.path()).await;
        assert_eq!((little.since(), little.among(&all).unwrap().len()), (Some(4), 1), "6 builds on 4 and 5");
        assert_eq!(names(other.path()), ["4.entries", "5.entries", "removed-4-to-5.entries"]);
        // Who died before the old file was deleted: the newer one counts. Who lost content knows less.
        fs::write(own.join("removed-1-to-4.entries"), []).unwrap();
        assert_eq!(past(&log, folder.path()).await.among(&all).unwrap().len(), 2);
        fs::remove_file(own.join("removed-1-to-4.entries")).unwrap();
        fs::rename(&removed, own.join("removed-1-to-3.entries")).unwrap();
        let less = past(&log, folder.path()).await;
        assert_eq!((less.since(), less.among(&all).unwrap().len()), (Some(4), 2), "what it held, and what 4 lost");
        // Damage is not taken for an empty past.
        fs::write(own.join("removed-4-to-5.entries"), [0; 33]).unwrap();
        let damaged = past(&log, folder.path()).await.among(&all);
        assert!(matches!(damaged, Err(ContentError::Past { .. })), "{damaged:?}");
    }
}
