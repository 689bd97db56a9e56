//! What a bundle must be, by what this monitor knows of the log: whether a client that updates from it is given what is
//! public, and can prove it. A bundle can be true in every line and still keep something from whoever reads it.

use crate::kept::{History, ListHistory, LoggedRelease};
use crate::report::is_visible;
use isonomy_core::bundle::{Bundle, Included};
use isonomy_core::hash::StatementId;
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
    /// Whether it can't be told of a statement at this place whether it keeps the rules.
    pub(crate) is_open: &'k dyn Fn(&StatementId, LeafIndex) -> bool,
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
            .or_else(|| self.missing_edition(bundle))
            .or_else(|| self.missing_release(bundle))
            .or_else(|| self.unproven_place(bundle, entry))
    }

    fn is_covered(&self, index: LeafIndex) -> bool {
        index.0 < self.covered
    }

    /// Something that is shown at a place where the log has something else, or that breaks a rule.
    fn misplaced(&self, shown: &[Included], known: &BTreeSet<LeafIndex>) -> Option<String> {
        let is_there = |one: &&Included| self.history.index_of(&one.id) == Some(one.index);
        let is_fine = |one: &&Included| known.contains(&one.index) || (self.is_open)(&one.id, one.index);
        let wrong = |one: &&Included| self.is_covered(one.index) && !(is_there(one) && is_fine(one));
        let other = shown.iter().find(wrong)?;
        let words = match is_there(&other) {
            true => "which breaks a rule, builds on what does, or is not of this list",
            false => "where the log has something else",
        };
        Some(format!("it names statement {} at entry {}, {words}", other.id, other.index))
    }

    fn missing_edition(&self, bundle: &Bundle) -> Option<String> {
        let shown: BTreeSet<LeafIndex> = bundle.charters.iter().map(|one| one.index).collect();
        let known = self.list.editions().all().iter().filter(|edition| self.is_covered(edition.index()));
        let mut known = known.filter(|edition| !(self.is_open)(&edition.id(), edition.index()));
        let missing = known.find(|edition| !shown.contains(&edition.index()))?;
        Some(format!("edition {} of the charter, entry {}, is not in it", missing.number(), missing.index()))
    }

    /// A release that clients don't learn of: one after those that are shown, or among them; or the newest that they may use,
    /// while only others are shown.
    fn missing_release(&self, bundle: &Bundle) -> Option<String> {
        let is_open = |logged: &LoggedRelease| (self.is_open)(&logged.id, logged.index);
        let covered = (1u64..).zip(self.list.releases()).filter(|(_, logged)| self.is_covered(logged.index));
        let covered: Vec<(u64, &LoggedRelease)> = covered.filter(|(_, logged)| !is_open(logged)).collect();
        let shown: BTreeSet<LeafIndex> = bundle.releases.iter().map(|one| one.index).collect();
        let public = |(_, logged): &(u64, &LoggedRelease)| is_visible(self.list.editions(), logged, self.now);
        let usable = |one: &(u64, &LoggedRelease)| one.1.release.expires > self.now && public(one);
        // By a time that is not proven, an earlier one may seem to be the newest; and one that can't be judged may be it.
        let shows_open = bundle.releases.iter().any(|one| (self.is_open)(&one.id, one.index));
        let is_unsure = shows_open || covered.iter().any(|(_, logged)| self.unproven.contains(&logged.index));
        let first_shown = || covered.iter().position(|(_, logged)| shown.contains(&logged.index));
        let from = match is_unsure {
            true => first_shown().unwrap_or(covered.len().saturating_sub(usize::from(!shows_open))),
            false => covered.iter().rposition(usable).or_else(|| covered.iter().rposition(public)).unwrap_or(0),
        };
        let (version, missing) = covered.get(from..)?.iter().find(|(_, logged)| !shown.contains(&logged.index))?;
        Some(format!("version {version}, entry {}, is not in it", missing.index))
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
