//! What a list once had, learned again from the log: for a folder that is new, or whose memory was lost.
//!
//! The releases are in the log for good, and lead back to the first by their hash chain. Of their content the operator may have
//! given up what no client's way needs any more (`isonomy log collect`). So it is read as far as it is there, in the order of
//! versions: from the folder, by the delta from the version before, or from the snapshot. What can't be read is named, and the list is
//! known without a gap since the version after it alone, as the rail `memory` says from then on.

use super::past::{delete, not_in, without_gap};
use super::{ContentError, Workspace, fetch};
use crate::stored::StoredError;
use isonomy_core::hash::{ObjectDigest, sha256};
use isonomy_core::list::delta::{self, Differing};
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::release::Release;
use isonomy_core::resource::Resource;
use isonomy_core::rules::content;
use isonomy_core::statement::Signed;
use isonomy_fetch::{FetchError, Source};
use isonomy_store::files;
use serde::Serialize;
use std::collections::BTreeSet;

/// What was learned.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Recalled {
    /// The version since which the list is known now without a gap.
    pub known_since: u64,
    /// The newest one.
    pub to: u64,
    /// How many entries the list once had and lost.
    pub entries: u64,
    /// The versions whose content could not be had. What came and went with them alone is not known.
    pub unread: Vec<u64>,
    /// Whether what the folder remembered before was damaged, and is replaced.
    pub was_damaged: bool,
}

/// The content of a release.
struct Held {
    version: u64,
    entries: Entries,
}

impl Workspace {
    /// Learns what the list once had from all its releases, ascending, of which the last one is the newest, and adds it to what is
    /// remembered. `heard` is told each version that was looked at.
    pub async fn recall(
        &self,
        history: &[Signed<Release>],
        algorithm: Algorithm,
        source: &Source,
        heard: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Option<Recalled>, ContentError> {
        let Some(newest) = history.last() else { return Ok(None) };
        let (mut held, mut left, mut seen) = (None, Vec::new(), BTreeSet::new());
        for release in history {
            let version = release.body().version;
            if let Some(entries) = self.content_of(release, held.as_ref(), algorithm, source).await? {
                if let Some(Held { entries: before, .. }) = &held {
                    Differing::new(&entries).take(before, |entry| left.extend_from_slice(entry))?;
                }
                held = Some(Held { version, entries });
                seen.insert(version);
            }
            heard(version);
        }
        let to = newest.body().version;
        let now = held.filter(|held| held.version == to).ok_or(ContentError::NoContent { version: to })?;
        let (left, was_damaged) = self.add_known(&now.entries, left, &mut seen, algorithm)?;
        let known_since = without_gap(&seen, to);
        // What follows is gathered from there on, in a folder that is new, too.
        files::replace(&self.path(newest.body()), now.entries.as_bytes())?;
        let old = self.kept()?.removed;
        let removed = self.remember(known_since, to, &left)?;
        for old in old.iter().filter(|old| old.path != removed.path) {
            delete(&old.path)?;
        }
        let unread = history.iter().map(|release| release.body().version).filter(|version| !seen.contains(version));
        let (entries, unread) = (left.len() as u64, unread.collect());
        Ok(Some(Recalled { known_since, to, entries, unread, was_damaged }))
    }

    /// Adds to what left the list what is remembered, and the versions that were seen then, but for what is on it now. Says whether any
    /// of it is damaged, and left out.
    fn add_known(
        &self,
        now: &Entries,
        left: Vec<u8>,
        seen: &mut BTreeSet<u64>,
        algorithm: Algorithm,
    ) -> Result<(Entries, bool), ContentError> {
        let (mut bytes, mut was_damaged) = (Vec::new(), false);
        let left = Entries::from_unsorted(algorithm.entry_size(), left)?.0;
        Differing::new(now).take(&left, |entry| bytes.extend_from_slice(entry))?;
        for removed in &self.kept()?.removed {
            match not_in(now, &[removed.list(algorithm)], algorithm) {
                Ok(entries) => {
                    seen.extend(removed.since..=removed.to);
                    bytes.extend_from_slice(entries.as_bytes());
                }
                Err(ContentError::Past { .. }) => was_damaged = true,
                Err(error) => return Err(error),
            }
        }
        Ok((Entries::from_unsorted(algorithm.entry_size(), bytes)?.0, was_damaged))
    }

    /// The content of a release; `None` if it can't be had any more. `before` may be the content of an earlier one.
    async fn content_of(
        &self,
        release: &Signed<Release>,
        before: Option<&Held>,
        algorithm: Algorithm,
        source: &Source,
    ) -> Result<Option<Entries>, ContentError> {
        let base = self.kept_base(release, algorithm);
        if self.is_kept(&base) {
            return base.read().map(Some);
        }
        if let Some(before) = before {
            let entries = there(by_delta(release.body(), before, algorithm, source).await)?;
            if let Some(entries) = entries.flatten() {
                return Ok(Some(entries));
            }
        }
        there(fetch(release.body(), algorithm, source).await)
    }
}

/// The content of a release by its delta from this one, if it has such a delta.
async fn by_delta(
    release: &Release,
    before: &Held,
    algorithm: Algorithm,
    source: &Source,
) -> Result<Option<Entries>, ContentError> {
    let Some(delta) = release.deltas.iter().find(|delta| delta.from == before.version) else { return Ok(None) };
    let bytes = source.get(&Resource::Object(delta.sha256), delta.size).await?;
    if ObjectDigest(sha256(&[&bytes])) != delta.sha256 {
        return Err(ContentError::OtherBytes { expected: delta.sha256 });
    }
    let entries = delta::apply(&before.entries, &bytes)?.entries;
    content::judge(release, algorithm, &entries, None)?;
    Ok(Some(entries))
}

/// What was found; nothing where it is missing or not what it should be. That a source can't be read is an error.
fn there<T>(found: Result<T, ContentError>) -> Result<Option<T>, ContentError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(ContentError::Fetch(FetchError::NotFound { .. })) => Ok(None),
        Err(error @ (ContentError::Fetch(_) | ContentError::File(_) | ContentError::Stored(StoredError::File(_)))) => {
            Err(error)
        }
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::past::tests::{but, file, names, past, publish};
    use super::*;
    use crate::testing::{TestLog, entries, list};
    use std::fs;
    use std::path::Path;

    async fn recall(log: &TestLog, folder: &Path) -> Recalled {
        let workspace = Workspace::open(folder, &list()).unwrap();
        let history = log.view().await.unwrap().history(&log.source(), &log.trust()).await.unwrap();
        let mut heard = Vec::new();
        let recalled =
            workspace.recall(&history, Algorithm::PdqFull, &log.source(), &mut |version| heard.push(version)).await;
        assert_eq!(heard, Vec::from_iter(1..=history.len() as u64));
        recalled.unwrap().unwrap()
    }

    /// A log of nine releases: an entry goes with version 2, another with 3; that one comes back with 4 and goes with 7.
    async fn nine(folder: &Path) -> (TestLog, Entries) {
        let mut log = TestLog::with_charter().await;
        let all = entries(1, 20);
        let one = but(&all, 3);
        let two = but(&one, 10);
        for (version, content) in (1..).zip([&all, &one, &two, &one, &one, &one, &two, &two, &two]) {
            // Each has an entry more, so that none has the snapshot of another one.
            let bytes = [content.as_bytes(), entries(2, version).as_bytes()].concat();
            publish(&mut log, folder, &Entries::from_unsorted(32, bytes).unwrap().0).await;
        }
        (log, all)
    }

    fn delete_object(log: &TestLog, digest: &ObjectDigest) {
        fs::remove_file(log.path(&format!("object/{digest}"))).unwrap();
    }

    #[tokio::test]
    async fn what_the_list_once_had_is_learned_again_from_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let (mut log, all) = nine(folder.path()).await;
        let new = tempfile::tempdir().unwrap();
        let little = past(&log, new.path()).await;
        assert_eq!((little.since(), little.among(&all).unwrap().len()), (Some(8), 0));
        let expected = Recalled { known_since: 1, to: 9, entries: 2, unread: Vec::new(), was_damaged: false };
        assert_eq!(recall(&log, new.path()).await, expected);
        let known = past(&log, new.path()).await;
        assert_eq!((known.since(), known.among(&all).unwrap().len()), (Some(1), 2));
        assert_eq!(names(new.path()), ["8", "9", "removed-1-to-9"]);
        // Once more, and in the folder that knew it all along: nothing changes.
        assert_eq!(recall(&log, new.path()).await, expected);
        assert_eq!(recall(&log, folder.path()).await, expected);
        // A damaged memory is replaced.
        fs::write(file(new.path(), "removed-1-to-9"), []).unwrap();
        assert_eq!(recall(&log, new.path()).await, Recalled { was_damaged: true, ..expected.clone() });
        assert_eq!(past(&log, new.path()).await.among(&all).unwrap().len(), 2);
        // In a folder in which nothing else was done, it is there for the release after it, too.
        let fresh = tempfile::tempdir().unwrap();
        assert_eq!(recall(&log, fresh.path()).await, expected);
        publish(&mut log, folder.path(), &but(&but(&all, 3), 10)).await;
        let known = past(&log, fresh.path()).await;
        assert_eq!((known.since(), known.among(&all).unwrap().len()), (Some(1), 2));
    }

    #[tokio::test]
    async fn what_the_log_gave_up_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (log, all) = nine(folder.path()).await;
        let history = log.view().await.unwrap().history(&log.source(), &log.trust()).await.unwrap();
        let release = |version: usize| history[version - 1].body();
        // Without the first snapshot, the second counts; deltas lead on from there, also over a version that is lost.
        for version in [1, 3, 4, 5, 6, 7] {
            delete_object(&log, &release(version).snapshot.sha256);
        }
        let delta =
            |version: usize, from: u64| release(version).deltas.iter().find(|delta| delta.from == from).unwrap().sha256;
        delete_object(&log, &delta(3, 2));
        let new = tempfile::tempdir().unwrap();
        let recalled = recall(&log, new.path()).await;
        let expected = Recalled { known_since: 4, to: 9, entries: 1, unread: vec![1, 3], was_damaged: false };
        assert_eq!(recalled, expected, "4 has a delta from 2");
        let known = past(&log, new.path()).await;
        assert_eq!((known.since(), known.among(&all).unwrap().len()), (Some(4), 1), "the gap is not forgotten");
        // What is there and is not what it should be is as good as lost.
        log.write(&format!("object/{}", release(2).snapshot.sha256), b"other");
        let other = tempfile::tempdir().unwrap();
        let recalled = recall(&log, other.path()).await;
        assert_eq!((recalled.known_since, recalled.unread), (8, Vec::from_iter(1..=7)));
        // A folder that knew more keeps that.
        let kept = recall(&log, folder.path()).await;
        assert_eq!((kept.known_since, kept.entries), (1, 2));
    }
}
