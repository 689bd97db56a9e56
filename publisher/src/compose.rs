//! A draft of the next release from new content.

use crate::difference::Difference;
use crate::draft::{DraftWriter, UnsavedDraft};
use crate::stored::{StoredError, StoredList};
use crate::view::ListView;
use crate::workspace::{Base, ContentError};
use isonomy_core::charter::Charter;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::list::{Algorithm, Entries, ListError, delta};
use isonomy_core::note::{Note, NoteError};
use isonomy_core::release::{DeltaRef, ObjectRef, Release};
use isonomy_core::rules::Violation;
use isonomy_core::rules::editions::Edition;
use isonomy_core::statement::{ListName, Statement, StatementError};
use isonomy_core::time::Timestamp;
use isonomy_store::files::FileError;
use std::path::Path;

/// Why no draft can be made.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// No edition of the charter is in force.
    #[error("no edition of the charter of {list} is in force yet")]
    NoCharter {
        /// The list.
        list: ListName,
    },
    /// The release would have expired before clients may use it.
    #[error(
        "a release that is valid for {validity} s can never be used: clients wait until it has been public for \
         {min_visibility} s, as its charter says. Let it be valid for longer"
    )]
    NeverUsable {
        /// How long it would be valid, in seconds.
        validity: u64,
        /// How long it must be public before it is used, in seconds.
        min_visibility: u64,
    },
    /// The content of a release is missing from which a delta must be made.
    #[error("the content of version {version} is needed for a delta, and was not given")]
    BaseMissing {
        /// The version.
        version: u64,
    },
    /// The entries can't be in the list.
    #[error("the entries can't be in this list: {0}")]
    Entries(#[from] ListError),
    /// The draft would be refused by a rule.
    #[error("the log would refuse this release, {rule}: {0}", rule = .0.rule())]
    Rule(#[from] Violation),
    /// The release can't be written.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The release can't be a note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The content of an earlier release can't be read.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The draft is no release.
    #[error("what was composed is no release")]
    NotARelease,
    /// The draft can't be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The times of a release.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// When it is composed.
    pub created: Timestamp,
    /// For how long it is valid, in seconds; `None` for as long as the charter allows.
    pub validity: Option<u64>,
}

/// Adds entries to a list, and removes some. An entry that is both added and removed is removed.
pub fn change(old: &Entries, add: &Entries, remove: &Entries) -> Result<Changed, ListError> {
    let mut changing = Changing::new(add, remove);
    changing.take(old);
    changing.finish()
}

/// [`change`] of a list in a file, which passes by.
pub fn change_stored(old: &StoredList, add: &Entries, remove: &Entries) -> Result<Changed, StoredError> {
    let mut changing = Changing::new(add, remove);
    old.pieces(|piece| {
        changing.take(piece);
        Ok::<(), StoredError>(())
    })?;
    Ok(changing.finish()?)
}

/// A change, while the old list passes by.
struct Changing<'c> {
    add: std::iter::Peekable<std::slice::ChunksExact<'c, u8>>,
    remove: &'c Entries,
    new: Vec<u8>,
    already_listed: u64,
    /// Entries to remove that were listed, or to be added.
    known: u64,
}

impl<'c> Changing<'c> {
    fn new(add: &'c Entries, remove: &'c Entries) -> Self {
        Self { add: add.iter().peekable(), remove, new: Vec::new(), already_listed: 0, known: 0 }
    }

    fn take(&mut self, piece: &Entries) {
        for old in piece {
            while let Some(entry) = self.add.next_if(|&entry| entry < old) {
                self.put(entry);
            }
            let is_added = self.add.next_if_eq(&old).is_some();
            let is_kept = self.put(old);
            self.already_listed += u64::from(is_added && is_kept);
        }
    }

    /// Puts an entry into the new list, unless it is to be removed.
    fn put(&mut self, entry: &[u8]) -> bool {
        let is_kept = !self.remove.contains(entry);
        if is_kept {
            self.new.extend_from_slice(entry);
        } else {
            self.known += 1;
        }
        is_kept
    }

    fn finish(mut self) -> Result<Changed, ListError> {
        while let Some(entry) = self.add.next() {
            self.put(entry);
        }
        let entries = Entries::from_sorted(self.remove.entry_size(), self.new)?;
        let not_listed = self.remove.len() as u64 - self.known;
        Ok(Changed { entries, already_listed: self.already_listed, not_listed })
    }
}

/// The result of a [`change`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Changed {
    /// The new content.
    pub entries: Entries,
    /// How many entries to add were listed already.
    pub already_listed: u64,
    /// How many entries to remove were not listed.
    pub not_listed: u64,
}

/// What the next release is to be.
#[derive(Clone, Copy, Debug)]
pub struct Proposal<'p> {
    /// Its content.
    pub entries: &'p Entries,
    /// Its times.
    pub term: Term,
    /// Why entries are removed, for the curators.
    pub reason: Option<&'p str>,
}

/// A draft that is written and has no name yet, and what should be looked at before it gets one.
pub struct Composed<'v> {
    /// The draft.
    pub draft: UnsavedDraft,
    /// The edition that it cites.
    pub edition: &'v Edition,
    /// What it changes of the release before.
    pub change: Difference,
}

/// The draft of the next release, under the newest edition in force. `bases` are the releases of [`ListView::bases`] with their
/// content, which passes by; `folder` is where the draft will be. It is judged as the log would judge it, so mistakes show before
/// anybody signs.
pub fn compose<'v>(
    view: &'v ListView,
    bases: &[Base],
    proposal: Proposal<'_>,
    folder: &Path,
) -> Result<Composed<'v>, ComposeError> {
    let Proposal { entries, term, reason } = proposal;
    let edition = view.in_force_at(term.created.max(view.now()));
    let edition = edition.ok_or_else(|| ComposeError::NoCharter { list: view.list().clone() })?;
    check_validity(edition.charter(), term)?;
    let algorithm = edition.charter().matching.algorithm;
    let mut release = describe(view, edition, algorithm, entries, term)?;
    let mut writer = DraftWriter::begin(folder)?;
    let mut change = Difference::from_base(None, entries, algorithm)?;
    for earlier in view.bases() {
        let (id, from) = (earlier.id(), earlier.body().version);
        let base = bases.iter().find(|base| base.release.id() == id);
        let base = base.ok_or(ComposeError::BaseMissing { version: from })?;
        // The last one is the release directly before.
        change = Difference::from_base(Some(base), entries, algorithm)?;
        let ObjectRef { size, sha256 } = writer.delta(from, &delta::encode(change.delta()))?;
        release.deltas.push(DeltaRef { from, release: id, size, sha256 });
    }
    (release.added, release.removed) = (change.added().len() as u64, change.removed().len() as u64);
    release.snapshot = writer.snapshot(entries)?;
    let note = Note::new(release.to_text()?, Vec::new())?;
    view.judge(&release, term.created.max(view.now()))?;
    let release = Statement::from_note(note)?.into_release().ok_or(ComposeError::NotARelease)?;
    let draft = writer.finish(edition.signed(), reason, release)?;
    Ok(Composed { draft, edition, change })
}

/// Whether the release can be used at all before it expires.
fn check_validity(charter: &Charter, term: Term) -> Result<(), ComposeError> {
    let (validity, min_visibility) = (term.validity.unwrap_or(charter.limits.validity), charter.limits.min_visibility);
    if validity > min_visibility { Ok(()) } else { Err(ComposeError::NeverUsable { validity, min_visibility }) }
}

/// The release without what follows from its objects.
fn describe(
    view: &ListView,
    edition: &Edition,
    algorithm: Algorithm,
    entries: &Entries,
    term: Term,
) -> Result<Release, ListError> {
    let validity = term.validity.unwrap_or(edition.charter().limits.validity);
    Ok(Release {
        statement: Release::KIND.to_owned(),
        list: view.list().clone(),
        version: view.next_version(),
        previous: view.newest().map(|newest| newest.id()),
        charter: edition.id(),
        created: term.created,
        expires: term.created.plus(validity),
        entries: entries.len() as u64,
        irregular: entries.irregular(algorithm)?,
        root: entries.root(),
        added: 0,
        removed: 0,
        snapshot: ObjectRef { size: 0, sha256: ObjectDigest([0; 32]) },
        deltas: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn lists() -> impl Strategy<Value = Entries> {
        let bytes = proptest::collection::vec(any::<u8>(), 0..60);
        bytes.prop_map(|bytes| Entries::from_unsorted(1, bytes).unwrap().0)
    }

    fn set(entries: &Entries) -> BTreeSet<Vec<u8>> {
        entries.iter().map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn a_list_in_a_file_changes_as_one_in_memory() {
        let list = |seed, count| crate::testing::entries(seed, count);
        let (old, add, folder) = (list(1, 40_000), list(2, 50), tempfile::tempdir().unwrap());
        let remove = Entries::from_sorted(32, old.as_bytes()[64..320].to_vec()).unwrap();
        let path = folder.path().join("list");
        std::fs::write(&path, old.as_bytes()).unwrap();
        let changed = change_stored(&StoredList::new(&path, 32), &add, &remove).unwrap();
        assert_eq!(changed, change(&old, &add, &remove).unwrap());
        assert_eq!(changed.entries.len(), 40_042);
    }

    proptest! {
        #[test]
        fn a_change_is_that_of_sets(old in lists(), add in lists(), remove in lists()) {
            let changed = change(&old, &add, &remove).unwrap();
            let (old, add, remove) = (set(&old), set(&add), set(&remove));
            let expected: BTreeSet<Vec<u8>> = &(&old | &add) - &remove;
            prop_assert_eq!(set(&changed.entries), expected);
            prop_assert_eq!(changed.already_listed as usize, (&(&old & &add) - &remove).len());
            prop_assert_eq!(changed.not_listed as usize, (&(&remove - &old) - &add).len());
        }

        #[test]
        fn the_delta_of_a_change_applies(old in lists(), add in lists(), remove in lists()) {
            let new = change(&old, &add, &remove).unwrap().entries;
            let difference = delta::diff(&old, &new).unwrap();
            let applied = delta::apply(&old, &delta::encode(&difference)).unwrap();
            let counts = (difference.added().len() as u64, difference.removed().len() as u64);
            prop_assert_eq!((applied.added, applied.removed), counts);
            prop_assert_eq!(applied.entries, new);
        }
    }
}
