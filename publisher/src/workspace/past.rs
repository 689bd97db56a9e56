//! What a list once had, as far as a workspace has seen it: so that what was taken off the list doesn't come back unnoticed.
//!
//! What left the list is gathered in one file, each time that the folder sees a newer release, so that nobody goes through
//! earlier content again to know it. Its name has the root of its entries, so that one that was cut, or changed, is not taken for
//! all there is; so has the content from which it is gathered. Nothing proves that it is all: a folder that is new knows the releases
//! on which the next one builds, and no other; one that was not asked for a while misses what came and went meanwhile. So it says since
//! which version it knows the list without a gap, and can learn more from the log (`recall`).

use super::{Base, ContentError, Workspace};
use crate::guard::GuardError;
use crate::nearest::nearest;
use crate::stored::{StoredError, StoredList};
use isonomy_core::hash::ListRoot;
use isonomy_core::list::delta::Differing;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::paths;
use isonomy_store::files::{self, FileError};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// What left a list, in a file.
#[derive(Clone, Debug, Default)]
pub struct Past {
    removed: Option<(Removed, StoredList)>,
}

impl Past {
    /// The version since which the list is known without a gap; `None` before the first release.
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
    /// The first release from which on all were seen.
    pub(super) since: u64,
    root: ListRoot,
    pub(super) path: PathBuf,
}

impl Removed {
    /// The file in this folder of what left the list.
    fn of(folder: &Path, since: u64, to: u64, left: &Entries) -> Self {
        let root = left.root();
        let path = folder.join(format!("removed-{since}-to-{to}-{root}.entries"));
        Self { to, since, root, path }
    }

    /// By the name of a file; `None` if that is another one.
    fn parse(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.strip_prefix("removed-")?.strip_suffix(".entries")?;
        let (since, rest) = name.split_once("-to-")?;
        let (to, root) = rest.split_once('-')?;
        let root = ListRoot::from_hex(root)?;
        Some(Self { to: to.parse().ok()?, since: since.parse().ok()?, root, path: path.to_owned() })
    }

    /// What is in it, if that is what was written.
    pub(super) fn list(&self, algorithm: Algorithm) -> StoredList {
        StoredList::new(&self.path, algorithm.entry_size()).of_root(self.root)
    }
}

/// The file of the content of a release.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Content {
    version: u64,
    root: ListRoot,
    path: PathBuf,
}

impl Content {
    /// By the name of a file; `None` if that is another one.
    fn parse(path: &Path) -> Option<Self> {
        let (version, root) = path.file_name()?.to_str()?.strip_suffix(".entries")?.split_once('-')?;
        Some(Self { version: version.parse().ok()?, root: ListRoot::from_hex(root)?, path: path.to_owned() })
    }

    fn list(&self, algorithm: Algorithm) -> StoredList {
        StoredList::new(&self.path, algorithm.entry_size()).of_root(self.root)
    }
}

/// What a folder keeps of a list.
#[derive(Default)]
pub(super) struct Kept {
    /// The releases whose content is there, ascending.
    contents: Vec<Content>,
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
        let news: Vec<&Content> =
            kept.contents.iter().filter(|content| (from..to).contains(&content.version)).collect();
        let seen: BTreeSet<u64> = news.iter().map(|content| content.version).collect();
        let since = without_gap(&seen, to);
        let since = before.filter(|before| before.to == since).map_or(since, |before| before.since);
        let known = before.map(|before| before.list(newest.algorithm));
        let news = news.iter().map(|content| content.list(newest.algorithm));
        let lists: Vec<StoredList> = known.into_iter().chain(news).collect();
        let left = not_in(&newest.read()?, &lists, newest.algorithm)?;
        let removed = self.remember(since, to, &left)?;
        let stems = paths::stems(to);
        let is_old = |content: &&Content| content.version < to && !stems.contains(&content.version);
        let old = kept.contents.iter().filter(is_old).map(|content| content.path.clone());
        let old = old.chain(kept.removed.iter().map(|removed| removed.path.clone()));
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
            if let Some(content) = Content::parse(&path) {
                kept.contents.push(content);
            } else if let Some(removed) = Removed::parse(&path) {
                kept.removed.push(removed);
            }
        }
        kept.contents.sort();
        kept.removed.sort_by_key(|removed| (removed.to, Reverse(removed.since)));
        Ok(kept)
    }
}

/// The first of the versions up to `to` from which on all were seen.
pub(super) fn without_gap(seen: &BTreeSet<u64>, to: u64) -> u64 {
    let mut since = to;
    while since.checked_sub(1).is_some_and(|before| seen.contains(&before)) {
        since -= 1;
    }
    since
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

    /// The files of the list, without roots.
    pub(in crate::workspace) fn names(folder: &Path) -> Vec<String> {
        let files = fs::read_dir(folder.join("hotline.example~images")).unwrap();
        let name = |file: fs::DirEntry| file.file_name().into_string().unwrap();
        let mut names: Vec<String> = files.map(|file| name(file.unwrap())).map(|name| without_root(&name)).collect();
        names.sort();
        names
    }

    fn without_root(name: &str) -> String {
        match name.rsplit_once('-') {
            Some((what, root)) if root.len() == 64 + ".entries".len() => what.to_owned(),
            _ => name.to_owned(),
        }
    }

    /// The file of the list that has this name, but for its root.
    pub(in crate::workspace) fn file(folder: &Path, name: &str) -> PathBuf {
        let mut files = fs::read_dir(folder.join("hotline.example~images")).unwrap().map(|file| file.unwrap());
        files.find(|file| without_root(file.file_name().to_str().unwrap()) == name).unwrap().path()
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
        assert_eq!(names(folder.path()), ["4", "5", "removed-1-to-5"]);
        // A folder that is new knows less, and says so.
        let other = tempfile::tempdir().unwrap();
        let little = past(&log, other.path()).await;
        assert_eq!((little.since(), little.among(&all).unwrap().len()), (Some(4), 1), "6 builds on 4 and 5");
        assert_eq!(names(other.path()), ["4", "5", "removed-4-to-5"]);
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
        let whole = file(folder.path(), "removed-1-to-5");
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
        let file = file(folder.path(), "removed-1-to-2");
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

    #[tokio::test]
    async fn content_that_was_cut_is_not_taken_for_what_the_list_had() {
        let mut log = TestLog::with_charter().await;
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let all = entries(1, 20);
        for content in [&all, &all, &all] {
            publish(&mut log, folder.path(), content).await;
        }
        past(&log, folder.path()).await;
        // 5 does not build on 3, so the folder's own content of it is not held against any release.
        publish(&mut log, elsewhere.path(), &but(&all, 19)).await;
        let kept = file(folder.path(), "3");
        let whole = fs::read(&kept).unwrap();
        let workspace = Workspace::open(folder.path(), &crate::testing::list()).unwrap();
        let view = log.view().await.unwrap();
        for bytes in [&[][..], &whole[..32], &whole[..33], &whole[32..]] {
            fs::write(&kept, bytes).unwrap();
            let bases = workspace.bases(view.bases(), Algorithm::PdqFull, &log.source()).await.unwrap();
            let refused = workspace.past(&bases);
            assert!(matches!(refused, Err(ContentError::Past { .. })), "{} bytes: {refused:?}", bytes.len());
        }
        fs::write(&kept, whole).unwrap();
        let known = past(&log, folder.path()).await;
        assert_eq!((known.since(), known.among(&all).unwrap().len()), (Some(1), 1));
    }

    #[tokio::test]
    async fn releases_that_were_not_seen_are_a_gap() {
        let mut log = TestLog::with_charter().await;
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let all = entries(1, 20);
        publish(&mut log, folder.path(), &but(&all, 3)).await;
        assert_eq!(past(&log, folder.path()).await.since(), Some(1));
        // One comes with 2 and goes with 4, while nobody looks into this folder.
        for content in [&all, &all, &but(&all, 3), &but(&all, 3)] {
            publish(&mut log, elsewhere.path(), content).await;
        }
        assert_eq!(past(&log, elsewhere.path()).await.since(), Some(1));
        let known = past(&log, folder.path()).await;
        assert_eq!((known.since(), known.among(&all).unwrap().len()), (Some(4), 0), "6 builds on 4 and 5");
        assert_eq!(past(&log, elsewhere.path()).await.among(&all).unwrap().len(), 1);
    }
}
