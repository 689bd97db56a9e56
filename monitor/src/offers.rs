//! What a bundle must be, by what this monitor knows of the log: whether a client that updates from it is given what is
//! public, and can prove it. A bundle can be true in every line and still keep something from whoever reads it.

use crate::kept::{History, ListHistory, LoggedRelease};
use crate::report::is_visible;
use isonomy_core::bundle::{Bundle, Included};
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use std::collections::BTreeSet;

/// What a monitor knows of a list that a bundle is of.
pub(crate) struct Offer<'k> {
    pub(crate) name: &'k ListName,
    pub(crate) history: &'k History,
    pub(crate) list: &'k ListHistory,
    /// How many entries were read and are covered by the bundle's checkpoint: of what follows, nothing is said.
    pub(crate) covered: u64,
    /// The time that witnesses vouch for on the bundle's checkpoint.
    pub(crate) now: Timestamp,
    /// The statements of which it is not known since when they are public.
    pub(crate) unproven: &'k BTreeSet<LeafIndex>,
}

impl Offer<'_> {
    /// What is wrong with a bundle, in words; `entry` gives the entries of the monitor's own copy.
    pub(crate) fn fault(&self, bundle: &Bundle, entry: impl Fn(LeafIndex) -> Option<Vec<u8>>) -> Option<String> {
        let Self { name, list, .. } = self;
        if bundle.list != **name {
            return Some(format!("it is of {}", bundle.list));
        }
        let editions: BTreeSet<LeafIndex> = list.editions().all().iter().map(|edition| edition.index()).collect();
        let releases = list.releases().iter().map(|logged| logged.index).collect();
        let attestations = list.attestations().iter().map(|logged| logged.index).collect();
        let parts =
            [(&bundle.charters, &editions), (&bundle.releases, &releases), (&bundle.attestations, &attestations)];
        parts
            .into_iter()
            .find_map(|(shown, known)| self.misplaced(shown, known))
            .or_else(|| self.missing_edition(bundle, &editions))
            .or_else(|| self.missing_release(bundle))
            .or_else(|| self.unproven_place(bundle, entry))
    }

    fn is_covered(&self, index: LeafIndex) -> bool {
        index.0 < self.covered
    }

    /// Something that is shown at a place where the log has something else.
    fn misplaced(&self, shown: &[Included], known: &BTreeSet<LeafIndex>) -> Option<String> {
        let is_there = |one: &Included| known.contains(&one.index) && self.history.index_of(&one.id) == Some(one.index);
        let other = shown.iter().find(|one| self.is_covered(one.index) && !is_there(one))?;
        let words = "where this monitor knows no such statement of this list that keeps the rules";
        Some(format!("it names statement {} at entry {}, {words}", other.id, other.index))
    }

    fn missing_edition(&self, bundle: &Bundle, editions: &BTreeSet<LeafIndex>) -> Option<String> {
        let shown: BTreeSet<LeafIndex> = bundle.charters.iter().map(|one| one.index).collect();
        let mut known = editions.iter().zip(1..).filter(|(index, _)| self.is_covered(**index));
        let (index, number) = known.find(|(index, _)| !shown.contains(index))?;
        Some(format!("edition {number} of the charter, entry {index}, is not in it"))
    }

    /// A release that clients don't learn of: one after those that are shown, or among them; or the newest that they may use,
    /// while only others are shown.
    fn missing_release(&self, bundle: &Bundle) -> Option<String> {
        let covered: Vec<&LoggedRelease> =
            self.list.releases().iter().filter(|logged| self.is_covered(logged.index)).collect();
        let shown: BTreeSet<LeafIndex> = bundle.releases.iter().map(|one| one.index).collect();
        let usable = |logged: &&LoggedRelease| {
            logged.release.expires > self.now && is_visible(self.list.editions(), logged, self.now)
        };
        let public = |logged: &&LoggedRelease| is_visible(self.list.editions(), logged, self.now);
        // By a time that is not proven, an earlier one may seem to be the newest.
        let from = match covered.iter().any(|logged| self.unproven.contains(&logged.index)) {
            true => covered
                .iter()
                .position(|logged| shown.contains(&logged.index))
                .unwrap_or(covered.len().saturating_sub(1)),
            false => covered.iter().rposition(usable).or_else(|| covered.iter().rposition(public)).unwrap_or(0),
        };
        let (at, missing) = (from..).zip(covered.get(from..)?).find(|(_, logged)| !shown.contains(&logged.index))?;
        Some(format!("version {}, entry {}, is not in it", at + 1, missing.index))
    }

    /// Something that is there, and which the bundle does not prove.
    fn unproven_place(&self, bundle: &Bundle, entry: impl Fn(LeafIndex) -> Option<Vec<u8>>) -> Option<String> {
        let all = bundle.charters.iter().chain(&bundle.releases).chain(&bundle.attestations);
        let mut covered = all.filter(|one| self.is_covered(one.index));
        covered.find_map(|one| {
            let problem = one.verify(&entry(one.index)?, &bundle.checkpoint).err()?;
            Some(format!("it does not prove the place of entry {} ({problem})", one.index))
        })
    }
}
