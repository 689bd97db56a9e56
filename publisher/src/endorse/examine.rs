//! The checks, and what passed them.

use super::EndorseError;
use crate::difference::{Difference, Finding};
use crate::draft::Draft;
use crate::signing;
use crate::view::ListView;
use crate::workspace::{Base, ContentError};
use isonomy_core::charter::Charter;
use isonomy_core::list::delta::Applying;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_core::note::VerifierKey;
use isonomy_core::release::DeltaRef;
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
    pub(super) change: Difference,
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
    let entries = draft.entries(algorithm)?;
    let mut change = Difference::from_base(None, &entries, algorithm)?;
    for step in &release.deltas {
        let difference = check_delta(draft, step, bases, &entries, algorithm)?;
        if Some(step.release) == release.previous {
            change = difference;
        }
    }
    let churn = Churn { added: change.added().len() as u64, removed: change.removed().len() as u64 };
    content::judge(release, algorithm, &entries, Some(churn))?;
    Ok(Examined { draft, charter, counted, entries, change, free_at: view.now() })
}

/// Whether the delta leads from its base to exactly these entries; gives what it changes. The base passes by once, for all that
/// is to be known of it.
fn check_delta(
    draft: &Draft,
    step: &DeltaRef,
    bases: &[Base],
    entries: &Entries,
    algorithm: Algorithm,
) -> Result<Difference, EndorseError> {
    let base = bases.iter().find(|base| base.release.id() == step.release);
    let base = base.ok_or(EndorseError::BaseMissing { version: step.from })?;
    let bytes = draft.object(&step.sha256)?;
    let malformed = |source| ContentError::Malformed { what: format!("the delta from version {}", step.from), source };
    let applying = Applying::new(&bytes, algorithm.entry_size(), base.release.body().entries);
    let mut applying = applying.map_err(malformed)?;
    let (mut expected, mut is_same) = (entries.iter(), true);
    let mut put = |entry: &[u8]| is_same &= expected.next() == Some(entry);
    let mut finding = Finding::new(entries, algorithm);
    base.pieces(|piece| {
        finding.take(piece)?;
        applying.take(piece, &mut put).map_err(malformed)
    })?;
    applying.finish(&mut put).map_err(malformed)?;
    if is_same && expected.next().is_none() { Ok(finding.finish()?) } else { Err(Violation::RootMismatch.into()) }
}

impl Examined<'_> {
    /// The content of the release.
    pub fn entries(&self) -> &Entries {
        &self.entries
    }

    /// What it changes of the release before.
    pub fn change(&self) -> &Difference {
        &self.change
    }

    /// The charter that the release cites.
    pub fn charter(&self) -> &Charter {
        self.charter
    }
}
