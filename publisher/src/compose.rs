//! A draft of the next release from new content.

use crate::draft::{Draft, DraftError};
use crate::view::ListView;
use crate::workspace::Base;
use isonomy_core::charter::Charter;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::list::delta::{self, Delta};
use isonomy_core::list::{Algorithm, Entries, ListError, snapshot};
use isonomy_core::note::{Note, NoteError};
use isonomy_core::release::{DeltaRef, ObjectRef, Release};
use isonomy_core::rules::Violation;
use isonomy_core::rules::editions::Edition;
use isonomy_core::statement::{ListName, Statement, StatementError};
use isonomy_core::time::Timestamp;
use std::collections::BTreeMap;

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
    /// The draft can't be put together.
    #[error(transparent)]
    Draft(#[from] DraftError),
}

/// The times of a release.
#[derive(Clone, Copy, Debug)]
pub struct Term {
    /// When it is composed.
    pub created: Timestamp,
    /// For how long it is valid, in seconds; `None` for as long as the charter allows.
    pub validity: Option<u64>,
}

/// Adds and removes entries. An entry that is both added and removed is removed.
pub fn change(old: &Entries, add: &Entries, remove: &Entries) -> Result<Changed, ListError> {
    let kept = |entry: &&[u8]| !remove.contains(entry);
    let bytes: Vec<u8> = old.iter().chain(add).filter(kept).flatten().copied().collect();
    let (entries, already_listed) = Entries::from_unsorted(old.entry_size(), bytes)?;
    let known = |entry: &&[u8]| old.contains(entry) || add.contains(entry);
    let not_listed = remove.iter().filter(|entry| !known(entry)).count() as u64;
    Ok(Changed { entries, already_listed, not_listed })
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

/// The draft of the next release with this content, under the newest edition in force. `bases` are the releases of
/// [`ListView::bases`] with their content. The draft is judged as the log would judge it, so mistakes show before
/// anybody signs.
pub fn compose(view: &ListView, bases: &[Base], entries: &Entries, term: Term) -> Result<Draft, ComposeError> {
    let edition = view.in_force_at(term.created.max(view.now()));
    let edition = edition.ok_or_else(|| ComposeError::NoCharter { list: view.list().clone() })?;
    check_validity(edition.charter(), term)?;
    let algorithm = edition.charter().matching.algorithm;
    let mut objects = BTreeMap::new();
    let mut deltas = Vec::new();
    let mut churn = (entries.len() as u64, 0);
    for release in view.bases() {
        let base = bases.iter().find(|base| base.release.id() == release.id());
        let version = release.body().version;
        let base = base.ok_or(ComposeError::BaseMissing { version })?;
        let difference = delta::diff(&base.entries, entries)?;
        churn = counts(&difference);
        let object = put(&mut objects, delta::encode(&difference));
        let ObjectRef { size, sha256 } = object;
        deltas.push(DeltaRef { from: version, release: release.id(), size, sha256 });
    }
    let snapshot = put(&mut objects, snapshot::encode(entries));
    let mut release = describe(view, edition, algorithm, entries, term)?;
    // The last delta is the one from the release directly before.
    (release.added, release.removed) = churn;
    release.snapshot = snapshot;
    release.deltas = deltas;
    let note = Note::new(release.to_text()?, Vec::new())?;
    view.judge(&release, term.created.max(view.now()))?;
    let release = Statement::from_note(note)?.into_release().ok_or(DraftError::NotARelease)?;
    Ok(Draft::new(release, objects)?)
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

fn counts(delta: &Delta) -> (u64, u64) {
    (delta.added().len() as u64, delta.removed().len() as u64)
}

fn put(objects: &mut BTreeMap<ObjectDigest, Vec<u8>>, bytes: Vec<u8>) -> ObjectRef {
    let object = ObjectRef { size: bytes.len() as u64, sha256: ObjectDigest::of(&bytes) };
    objects.insert(object.sha256, bytes);
    object
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
            prop_assert_eq!((applied.added, applied.removed), counts(&difference));
            prop_assert_eq!(applied.entries, new);
        }
    }
}
