//! What is held in memory of a log's statements: of every release a few figures, of every attestation its place, and the
//! whole texts of the newest alone. Everything else is read from the copy again when it is asked for, so that a log of
//! millions of statements needs some hundred bytes for each.

use isonomy_core::attestation::{Attestation, Method};
use isonomy_core::hash::StatementId;
use isonomy_core::release::Release;
use isonomy_core::rules::history;
use isonomy_core::statement::{ListName, Signed, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use std::collections::{BTreeMap, VecDeque};

/// Of how many releases, complaints and other attestations of a list the whole text is held: so many are shown.
pub(crate) const MAX_RECENT: usize = 120;

/// What the log says, as far as it keeps the rules.
pub(crate) type History = history::History<KeptRelease, KeptAttestation>;
/// The same of one list.
pub(crate) type ListHistory = history::ListHistory<KeptRelease, KeptAttestation>;
/// A release in its place in the log.
pub(crate) type LoggedRelease = history::LoggedRelease<KeptRelease>;
/// An attestation in its place in the log.
pub(crate) type LoggedAttestation = history::LoggedAttestation<KeptAttestation>;

/// The figures of a release.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct KeptRelease {
    pub(crate) expires: Timestamp,
    pub(crate) entries: u64,
    pub(crate) irregular: u64,
    pub(crate) removed: u64,
}

impl From<Signed<Release>> for KeptRelease {
    fn from(release: Signed<Release>) -> Self {
        let Release { expires, entries, irregular, removed, .. } = *release.body();
        Self { expires, entries, irregular, removed }
    }
}

/// Nothing of an attestation but its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct KeptAttestation;

impl From<Signed<Attestation>> for KeptAttestation {
    fn from(_: Signed<Attestation>) -> Self {
        Self
    }
}

/// The newest statements of a list that keep the rules, whole; and what is counted over all.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    releases: VecDeque<Signed<Release>>,
    complaints: VecDeque<(LeafIndex, Signed<Attestation>)>,
    others: VecDeque<(LeafIndex, Signed<Attestation>)>,
    /// How many releases each key of a curator has endorsed.
    endorsed: BTreeMap<String, u64>,
}

impl Recent {
    /// The newest releases, the newest first.
    pub(crate) fn releases(&self) -> impl Iterator<Item = &Signed<Release>> {
        self.releases.iter().rev()
    }

    /// The newest release.
    pub(crate) fn newest(&self) -> Option<&Signed<Release>> {
        self.releases.back()
    }

    /// The newest attestations with their places, the newest first.
    pub(crate) fn attestations(&self) -> Vec<&(LeafIndex, Signed<Attestation>)> {
        let mut all: Vec<_> = self.complaints.iter().chain(&self.others).collect();
        all.sort_by_key(|(index, _)| std::cmp::Reverse(*index));
        all
    }

    /// How many releases each curator has endorsed, by the name of the key; without those that have endorsed none.
    pub(crate) fn endorsed(&self) -> &BTreeMap<String, u64> {
        &self.endorsed
    }

    fn take(&mut self, statement: Statement, index: LeafIndex, history: &ListHistory) {
        match statement {
            Statement::Charter(_) => {}
            Statement::Release(release) => {
                let edition = history.editions().find(&release.body().charter);
                for curator in edition.iter().flat_map(|edition| &edition.charter().curation.curators) {
                    if release.note().signatures().iter().any(|line| curator.key.matches(line)) {
                        *self.endorsed.entry(curator.key.name().to_owned()).or_default() += 1;
                    }
                }
                push(&mut self.releases, release);
            }
            Statement::Attestation(attestation) => {
                let is_complaint = attestation.body().method == Method::Complaint;
                let of_its_kind = if is_complaint { &mut self.complaints } else { &mut self.others };
                push(of_its_kind, (index, attestation));
            }
        }
    }
}

fn push<T>(queue: &mut VecDeque<T>, newest: T) {
    queue.push_back(newest);
    if queue.len() > MAX_RECENT {
        queue.pop_front();
    }
}

/// The newest statements of every list.
#[derive(Debug, Default)]
pub(crate) struct AllRecent {
    lists: BTreeMap<ListName, Recent>,
}

impl AllRecent {
    /// Those of a list, if it has any.
    pub(crate) fn of(&self, list: &ListName) -> Option<&Recent> {
        self.lists.get(list)
    }

    /// Takes a statement that was recorded in `history` just now.
    pub(crate) fn take(&mut self, statement: Statement, index: LeafIndex, history: &History) {
        let Some(list) = history.list(statement.list()) else { return };
        let recent = match self.lists.get_mut(statement.list()) {
            Some(recent) => recent,
            None => self.lists.entry(statement.list().clone()).or_default(),
        };
        recent.take(statement, index, list);
    }

    /// The newest release of a list, whole.
    pub(crate) fn newest(&self, list: &ListName) -> Option<&Signed<Release>> {
        self.of(list)?.newest()
    }

    /// A release of a list, if its text is held.
    pub(crate) fn release(&self, list: &ListName, id: &StatementId) -> Option<&Signed<Release>> {
        self.of(list)?.releases().find(|release| release.id() == *id)
    }
}
