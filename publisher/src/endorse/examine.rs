//! The checks, and what passed them.

use super::EndorseError;
use crate::draft::{Draft, DraftError};
use crate::signing;
use crate::view::ListView;
use crate::workspace::{Base, ContentError, check_object, decode};
use isonomy_core::charter::Charter;
use isonomy_core::list::{Algorithm, Entries, ListError, delta};
use isonomy_core::note::VerifierKey;
use isonomy_core::release::{DeltaRef, ObjectRef};
use isonomy_core::rules::Violation;
use isonomy_core::rules::content::{self, Churn};
use isonomy_core::time::Timestamp;

/// A draft that passed every check.
#[derive(Clone, Debug)]
pub struct Examined<'e> {
    pub(super) draft: &'e Draft,
    pub(super) charter: &'e Charter,
    pub(super) counted: Vec<VerifierKey>,
    pub(super) entries: Entries,
    before: Entries,
    pub(super) added: Entries,
    pub(super) removed: Entries,
    /// The witnessed time at which the log was seen to have no release of this version.
    pub(super) free_at: Timestamp,
}

/// Checks a draft against what the log says, and against its own content. `bases` are the releases of
/// [`ListView::bases`] with their content; `clock` is the time now.
pub fn examine<'e>(
    draft: &'e Draft,
    view: &'e ListView,
    bases: &[Base],
    clock: Timestamp,
) -> Result<Examined<'e>, EndorseError> {
    let release = draft.release().body();
    if view.newest().into_iter().chain(view.bases()).any(|logged| logged.id() == draft.release().id()) {
        return Err(EndorseError::AlreadyLogged { version: release.version });
    }
    let charter = view.judge(release, clock.max(view.now()))?.charter();
    let counted: Vec<VerifierKey> = charter.keys().cloned().collect();
    signing::check(draft.release().note(), &counted)?;
    let algorithm = charter.matching.algorithm;
    let entries = decode(release, algorithm, object(draft, &release.snapshot)?)?;
    for step in &release.deltas {
        check_delta(draft, step, bases, &entries, algorithm)?;
    }
    let direct = bases.iter().find(|base| Some(base.release.id()) == release.previous);
    let before = match direct {
        Some(base) => base.entries.clone(),
        None => Entries::empty(algorithm.entry_size())?,
    };
    let (added, removed) = (difference(&entries, &before)?, difference(&before, &entries)?);
    let churn = Churn { added: added.len() as u64, removed: removed.len() as u64 };
    content::judge(release, algorithm, &entries, Some(churn))?;
    Ok(Examined { draft, charter, counted, entries, before, added, removed, free_at: view.now() })
}

fn object<'d>(draft: &'d Draft, object: &ObjectRef) -> Result<&'d [u8], EndorseError> {
    let bytes = draft.object(&object.sha256).ok_or(DraftError::ObjectMissing { digest: object.sha256 })?;
    check_object(object, bytes)?;
    Ok(bytes)
}

/// Whether the delta leads from its base to exactly these entries.
fn check_delta(
    draft: &Draft,
    step: &DeltaRef,
    bases: &[Base],
    entries: &Entries,
    algorithm: Algorithm,
) -> Result<(), EndorseError> {
    let base = bases.iter().find(|base| base.release.id() == step.release);
    let base = base.ok_or(EndorseError::BaseMissing { version: step.from })?;
    content::judge(base.release.body(), algorithm, &base.entries, None)?;
    let bytes = object(draft, &ObjectRef { size: step.size, sha256: step.sha256 })?;
    let what = || format!("the delta from version {}", step.from);
    let applied =
        delta::apply(&base.entries, bytes).map_err(|source| ContentError::Malformed { what: what(), source })?;
    if applied.entries == *entries { Ok(()) } else { Err(Violation::RootMismatch.into()) }
}

/// The entries of `one` that `other` does not have.
pub(super) fn difference(one: &Entries, other: &Entries) -> Result<Entries, ListError> {
    Ok(delta::diff(other, one)?.added().clone())
}

impl Examined<'_> {
    /// The content of the release.
    pub fn entries(&self) -> &Entries {
        &self.entries
    }

    /// The content of the release before; nothing before the first.
    pub fn before(&self) -> &Entries {
        &self.before
    }

    /// The charter that the release cites.
    pub fn charter(&self) -> &Charter {
        self.charter
    }

    /// The entries that it adds to the release before.
    pub fn added(&self) -> &Entries {
        &self.added
    }

    /// The entries that it removes from the release before.
    pub fn removed(&self) -> &Entries {
        &self.removed
    }
}
