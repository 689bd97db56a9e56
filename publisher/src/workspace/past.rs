//! What a list once had, as far as a workspace has seen it: so that what was taken off the list doesn't come back unnoticed.
//!
//! What left the list is gathered in one file, each time that the folder sees a newer release, so that nobody goes through
//! earlier content again to know it. Its name has the SHA-256 of its bytes, so that one that was cut, or changed, is not taken for
//! all there is. Nothing proves that it is: a folder that is new knows the releases on which the next one builds, and no other. So it
//! says since which version it knows the list, and can learn more from the log (`recall`).

use super::{Base, ContentError, Workspace};
use crate::guard::GuardError;
use crate::nearest::nearest;
use crate::stored::{StoredError, StoredList};
use isonomy_core::encoding::{from_hex, to_hex};
use isonomy_core::hash::{HASH_SIZE, sha256};
use isonomy_core::list::delta::Differing;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::paths;
use isonomy_store::files::{self, FileError};
use std::cmp::Reverse;
use std::collections::BTreeMap;
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
            Some((_, list)) => list.among(entries).map_err(damaged),
            None => Ok(Entries::from_sorted(entries.entry_size(), Vec::new())?),
        }
    }

    /// Those of the entries that are within `distance` of one that the list once had, and lost: the same picture matches again. Of a
    /// very long past of more than 65,536 entries, those that are the same.
    pub fn near(&self, algorithm: Algorithm, entries: &Entries, distance: u32) -> Result<Vec<Again>, GuardError> {
        let again = |entry: &[u8]| Again { entry: entry.to_vec(), lost: entry.to_vec(), distance: 0 };
        let length = self
            .removed
            .as_ref()
            .and_then(|(removed, _)| fs::metadata(&removed.path).ok())
            .map_or(0, |file| file.len());
        let list = self.removed.as_ref().map(|(_, list)| list);
        let Some(list) = list.filter(|_| {
            !entries.is_empty() && algorithm.is_perceptual() && length / algorithm.entry_size() as u64 <= MAX_COMPARED
        }) else {
            return Ok(self.among(entries)?.iter().map(again).collect());
        };
        let lost = list.read().map_err(damaged)?;
        let hashes = lost.iter().flat_map(|entry| algorithm.hash_of(entry).to_vec()).collect();
        let hashes = Entries::from_unsorted(algorithm.hash_size(), hashes)?.0;
        let mut found: BTreeMap<usize, Again> = BTreeMap::new();
        for (hash, near) in hashes.iter().zip(nearest(algorithm, entries, &hashes, distance, MOST_NEAR)?) {
            for near in near.all() {
                let Some(entry) = entries.get(near.index) else { continue };
                let new = Again { entry: entry.to_vec(), lost: hash.to_vec(), distance: near.distance };
                let known = found.entry(near.index).or_insert_with(|| new.clone());
                if new.distance < known.distance {
                    *known = new;
                }
            }
        }
        Ok(found.into_values().collect())
    }
}

/// Of more entries that left a list, only those count that come again to the bit.
const MAX_COMPARED: u64 = 1 << 16;

/// Of the entries that come near to one of these, so many count.
const MOST_NEAR: usize = 256;

/// An entry that comes, and how near it is to one that the list had and lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Again {
    /// The entry that comes.
    pub entry: Vec<u8>,
    /// The entry that was lost.
    pub lost: Vec<u8>,
    /// In how many bits they differ.
    pub distance: u32,
}

/// The file of what left the list between two versions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Removed {
    /// The release up to which it was gathered.
    pub(super) to: u64,
    /// The first release that was seen.
    pub(super) since: u64,
    digest: [u8; HASH_SIZE],
    pub(super) path: PathBuf,
}

impl Removed {
    /// The file in this folder of what left the list.
    fn of(folder: &Path, since: u64, to: u64, left: &Entries) -> Self {
        let digest = sha256(&[left.as_bytes()]);
        let path = folder.join(format!("removed-{since}-to-{to}-{}.entries", to_hex(&digest)));
        Self { to, since, digest, path }
    }

    /// By the name of a file; `None` if that is another one.
    fn parse(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_prefix("removed-")?.strip_suffix(".entries")?;
        let (since, rest) = name.split_once("-to-")?;
        let (to, digest) = rest.split_once('-')?;
        let digest = *from_hex(digest)?.as_array()?;
        Some(Self { to: to.parse().ok()?, since: since.parse().ok()?, digest, path: path.to_owned() })
    }

    /// What is in it, if that is what was written.
    pub(super) fn list(&self, algorithm: Algorithm) -> StoredList {
        StoredList::new(&self.path, algorithm.entry_size()).of_digest(self.digest)
    }
}

/// What a folder keeps of a list.
#[derive(Default)]
pub(super) struct Kept {
    /// The versions whose content is there.
    versions: Vec<u64>,
    /// More than one if a process died between two steps; the last one counts.
    pub(super) removed: Vec<Removed>,
}

impl Workspace {
    /// What the list once had, before the newest of its `bases`. Content on which no release to come builds is deleted, once it is
    /// known what of it left the list.
    pub fn past(&self, bases: &[Base]) -> Result<Past, ContentError> {
        let Some(newest) = bases.last() else { return Ok(Past::default()) };
        let kept = self.kept()?;
        let known = kept.removed.last().filter(|known| known.to >= newest.release.body().version);
        let removed = match known {
            Some(known) => known.clone(),
            None => self.gather(&kept, newest)?,
        };
        let list = removed.list(newest.algorithm);
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
        let content = |version: &u64| StoredList::new(&self.path(*version), newest.algorithm.entry_size());
        let known = before.map(|before| before.list(newest.algorithm));
        let lists: Vec<StoredList> = known.into_iter().chain(news.iter().map(content)).collect();
        let left = not_in(&newest.read()?, &lists, newest.algorithm)?;
        let removed = self.remember(since, to, &left)?;
        let stems = paths::stems(to);
        let old = kept.versions.iter().filter(|version| **version < to && !stems.contains(version));
        let old = old.map(|version| self.path(*version)).chain(kept.removed.iter().map(|removed| removed.path.clone()));
        for path in old.filter(|path| *path != removed.path) {
            delete(&path)?;
        }
        Ok(removed)
    }

    /// Writes down what left the list.
    pub(super) fn remember(&self, since: u64, to: u64, left: &Entries) -> Result<Removed, FileError> {
        let removed = Removed::of(&self.folder, since, to, left);
        files::replace(&removed.path, left.as_bytes())?;
        Ok(removed)
    }

    pub(super) fn kept(&self) -> Result<Kept, ContentError> {
        let mut kept = Kept::default();
        for file in fs::read_dir(&self.folder).map_err(|source| failed("list", &self.folder, source))? {
            let path = file.map_err(|source| failed("list", &self.folder, source))?.path();
            let name = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".entries")).unwrap_or_default();
            if let Ok(version) = name.parse() {
                kept.versions.push(version);
            } else if let Some(removed) = Removed::parse(&path) {
                kept.removed.push(removed);
            }
        }
        kept.removed.sort_by_key(|removed| (removed.to, Reverse(removed.since)));
        Ok(kept)
    }
}

/// The entries of all these lists that are not in `list`.
pub(super) fn not_in(list: &Entries, others: &[StoredList], algorithm: Algorithm) -> Result<Entries, ContentError> {
    let mut left = Entries::from_sorted(algorithm.entry_size(), Vec::new())?;
    for other in others {
        let mut bytes = left.into_bytes();
        let mut differing = Differing::new(list);
        let read =
            other.pieces(|piece| Ok::<(), StoredError>(differing.take(piece, |entry| bytes.extend_from_slice(entry))?));
        read.map_err(damaged)?;
        left = Entries::from_unsorted(algorithm.entry_size(), bytes)?.0;
    }
    Ok(left)
}

/// Damage is never taken for an empty past.
fn damaged(error: StoredError) -> ContentError {
    match error {
        StoredError::File(error) => error.into(),
        source => ContentError::Past { source },
    }
}

pub(super) fn delete(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(failed("delete", path, source)),
        _ => Ok(()),
    }
}

fn failed(action: &'static str, path: &Path, source: std::io::Error) -> FileError {
    FileError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::testing::{TestLog, compose_in, entries, sign_release};
    use isonomy_core::statement::Statement;

    /// Publishes this content as the next release, and gives what the folder knows of the past afterwards.
    pub(in crate::workspace) async fn publish(log: &mut TestLog, folder: &Path, content: &Entries) -> Past {
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

    pub(in crate::workspace) async fn past(log: &TestLog, folder: &Path) -> Past {
        let workspace = Workspace::open(folder, &crate::testing::list()).unwrap();
        let view = log.view().await.unwrap();
        let bases = workspace.bases(view.bases(), Algorithm::PdqFull, &log.source()).await.unwrap();
        workspace.past(&bases).unwrap()
    }

    /// The files of the list, without digests.
    pub(in crate::workspace) fn names(folder: &Path) -> Vec<String> {
        let files = fs::read_dir(folder.join("hotline.example~images")).unwrap();
        let name = |file: fs::DirEntry| file.file_name().into_string().unwrap();
        let mut names: Vec<String> = files.map(|file| name(file.unwrap())).map(|name| without_digest(&name)).collect();
        names.sort();
        names
    }

    fn without_digest(name: &str) -> String {
        match name.strip_prefix("removed-").and_then(|rest| rest.rsplit_once('-')) {
            Some((versions, digest)) if digest.len() == 64 + 8 => format!("removed-{versions}"),
            _ => name.to_owned(),
        }
    }

    /// The file of what left the list between these versions.
    pub(in crate::workspace) fn removed(folder: &Path, versions: &str) -> PathBuf {
        let files = fs::read_dir(folder.join("hotline.example~images")).unwrap().map(|file| file.unwrap());
        let is_it =
            |file: &fs::DirEntry| without_digest(file.file_name().to_str().unwrap()) == format!("removed-{versions}");
        files.into_iter().find(is_it).unwrap().path()
    }

    /// The list without the entry at this place.
    pub(in crate::workspace) fn but(list: &Entries, at: usize) -> Entries {
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
            // One that differs from a lost one in a few bits, in a list that has lost some.
            let mut near = missing[..32].to_vec();
            near[0] ^= 0b1110;
            let coming = Entries::from_unsorted(32, [&near, entries(2, 20).as_bytes()].concat()).unwrap().0;
            let again = known.near(Algorithm::PdqFull, &coming, 31).unwrap();
            let expected = Again { entry: near, lost: missing[..32].to_vec(), distance: 3 };
            assert_eq!((again, known.near(Algorithm::PdqFull, &coming, 2).unwrap()), (vec![expected], Vec::new()));
            assert_eq!(known.near(Algorithm::Sha256, &coming, 0).unwrap(), []);
            assert_eq!(known.near(Algorithm::PdqFull, &all, 0).unwrap().len(), missing.len() / 32);
        }
        // 8 will build on the content of 4.
        assert_eq!(names(folder.path()), ["4.entries", "5.entries", "removed-1-to-5"]);
        // A folder that is new knows less, and says so.
        let other = tempfile::tempdir().unwrap();
        let little = past(&log, other.path()).await;
        assert_eq!((little.since(), little.among(&all).unwrap().len()), (Some(4), 1), "6 builds on 4 and 5");
        assert_eq!(names(other.path()), ["4.entries", "5.entries", "removed-4-to-5"]);
        // Who died before the old file was deleted: the newer one counts, and of the same versions the one that knows more.
        let own = folder.path().join("hotline.example~images");
        let nothing = Entries::from_sorted(32, Vec::new()).unwrap();
        for (since, to) in [(1, 4), (2, 5)] {
            let older = Removed::of(&own, since, to, &nothing).path;
            fs::write(&older, []).unwrap();
            assert_eq!(past(&log, folder.path()).await.among(&all).unwrap().len(), 2);
            fs::remove_file(older).unwrap();
        }
        // Who lost content knows less.
        let whole = removed(folder.path(), "1-to-5");
        let known = fs::read(&whole).unwrap();
        fs::write(Removed::of(&own, 1, 3, &Entries::from_sorted(32, known.clone()).unwrap()).path, known).unwrap();
        fs::remove_file(&whole).unwrap();
        let less = past(&log, folder.path()).await;
        assert_eq!((less.since(), less.among(&all).unwrap().len()), (Some(4), 2), "what it held, and what 4 lost");
    }

    #[tokio::test]
    async fn damage_is_not_taken_for_an_empty_past() {
        let mut log = TestLog::with_charter().await;
        let folder = tempfile::tempdir().unwrap();
        let all = entries(1, 20);
        publish(&mut log, folder.path(), &all).await;
        publish(&mut log, folder.path(), &but(&but(&all, 3), 10)).await;
        assert_eq!(past(&log, folder.path()).await.among(&all).unwrap().len(), 2);
        let file = removed(folder.path(), "1-to-2");
        let whole = fs::read(&file).unwrap();
        let (mut swapped, mut other) = (whole.clone(), whole.clone());
        swapped.rotate_left(32);
        other[31] ^= 1;
        for bytes in [&[][..], &whole[..32], &whole[32..], &whole[..33], &swapped, &other, &[0; 33]] {
            fs::write(&file, bytes).unwrap();
            let known = past(&log, folder.path()).await;
            for asked in [&all, &entries(2, 20), &entries(1, 0)] {
                let refused = known.among(asked);
                assert!(matches!(refused, Err(ContentError::Past { .. })), "{} bytes: {refused:?}", bytes.len());
            }
        }
        // Nor does a newer one come of it.
        let elsewhere = tempfile::tempdir().unwrap();
        publish(&mut log, elsewhere.path(), &but(&all, 3)).await;
        let workspace = Workspace::open(folder.path(), &crate::testing::list()).unwrap();
        let view = log.view().await.unwrap();
        let bases = workspace.bases(view.bases(), Algorithm::PdqFull, &log.source()).await.unwrap();
        assert!(matches!(workspace.past(&bases), Err(ContentError::Past { .. })));
        fs::write(&file, whole).unwrap();
        assert_eq!(workspace.past(&bases).unwrap().among(&all).unwrap().len(), 1);
    }
}
