//! What is held in memory of a log's statements: of every release and complaint a few figures, of every other attestation its place, and the
//! whole texts of the newest alone. Everything else is read from the copy again when it is asked for, so that a log of
//! millions of statements needs some hundred bytes for each.

use crate::report::Stated;
use isonomy_core::attestation::{Attestation, Complaint, Method};
use isonomy_core::hash::StatementId;
use isonomy_core::note::VerifierKey;
use isonomy_core::release::Release;
use isonomy_core::rules::history;
use isonomy_core::statement::{ListName, Signed, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use std::collections::{BTreeMap, VecDeque};

/// Of how many releases, complaints and other attestations of a list the whole text is held at most: so many are shown.
pub(crate) const MAX_RECENT: usize = 120;
/// Of how many it is held of all lists together, each time; of many lists, of each so many less.
const MAX_OF_ALL: usize = 100 * MAX_RECENT;
/// Of how many it is held of each list, however many there are.
const LEAST_RECENT: usize = 4;

/// What the log says, as far as it keeps the rules.
pub(crate) type History = history::History<KeptRelease, KeptAttestation>;
/// The same of one list.
pub(crate) type ListHistory = history::ListHistory<KeptRelease, KeptAttestation>;
/// A release in its place in the log.
pub(crate) type LoggedRelease = history::LoggedRelease<KeptRelease>;
/// An attestation in its place in the log.
pub(crate) type LoggedAttestation = history::LoggedAttestation<KeptAttestation>;

/// The earliest time at which a release can have been public: its signers composed it then, and witnesses saw it at the latest
/// when the proof says that is shown.
pub(crate) fn earliest(logged: &LoggedRelease) -> Timestamp {
    logged.created.min(logged.public_since)
}

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

/// Of an attestation nothing but its place, unless it is a complaint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct KeptAttestation(pub(crate) Option<KeptComplaint>);

/// What is needed of a complaint to tell what became of it: its deadline may pass at any time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct KeptComplaint {
    /// The release that it is about.
    pub(crate) release: StatementId,
    pub(crate) complaint: Complaint,
    pub(crate) said: Stated,
}

impl From<Signed<Attestation>> for KeptAttestation {
    fn from(attestation: Signed<Attestation>) -> Self {
        let body = attestation.body();
        let kept = |complaint: &Complaint| KeptComplaint {
            release: body.release,
            complaint: complaint.clone(),
            said: Stated::of(body),
        };
        Self(body.complaint.as_ref().map(kept))
    }
}

/// The newest statements of a list that keep the rules, whole; and what is counted over all.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    releases: VecDeque<Signed<Release>>,
    complaints: VecDeque<(LeafIndex, Signed<Attestation>)>,
    others: VecDeque<(LeafIndex, Signed<Attestation>)>,
    /// How many releases each key of a curator has endorsed: by the key itself, since two may have one name.
    endorsed: BTreeMap<[u8; 32], (VerifierKey, u64)>,
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

    /// How many releases each curator's key has endorsed; without those that have endorsed none.
    pub(crate) fn endorsed(&self) -> impl Iterator<Item = &(VerifierKey, u64)> {
        self.endorsed.values()
    }

    fn trim(&mut self, most: usize) {
        trim(&mut self.releases, most);
        trim(&mut self.complaints, most);
        trim(&mut self.others, most);
    }

    fn take(&mut self, statement: Statement, index: LeafIndex, history: &ListHistory, most: usize) {
        match statement {
            Statement::Charter(_) => {}
            Statement::Release(release) => {
                let edition = history.editions().find(&release.body().charter);
                for curator in edition.iter().flat_map(|edition| &edition.charter().curation.curators) {
                    if release.note().signatures().iter().any(|line| curator.key.matches(line)) {
                        let endorsed = self.endorsed.entry(*curator.key.public_bytes());
                        let (key, releases) = endorsed.or_insert_with(|| (curator.key.clone(), 0));
                        // A key is what it is under any name; the last one counts.
                        key.clone_from(&curator.key);
                        *releases += 1;
                    }
                }
                push(&mut self.releases, release, most);
            }
            Statement::Attestation(attestation) => {
                let is_complaint = attestation.body().method == Method::Complaint;
                let of_its_kind = if is_complaint { &mut self.complaints } else { &mut self.others };
                push(of_its_kind, (index, attestation), most);
            }
        }
    }
}

fn push<T>(queue: &mut VecDeque<T>, newest: T, most: usize) {
    queue.push_back(newest);
    trim(queue, most);
}

fn trim<T>(queue: &mut VecDeque<T>, most: usize) {
    if queue.len() > most {
        queue.drain(..queue.len() - most);
        queue.shrink_to(most);
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
        if !self.lists.contains_key(statement.list()) {
            let before = self.share();
            self.lists.insert(statement.list().clone(), Recent::default());
            let share = self.share();
            if share < before {
                self.lists.values_mut().for_each(|recent| recent.trim(share));
            }
        }
        let share = self.share();
        if let Some(recent) = self.lists.get_mut(statement.list()) {
            recent.take(statement, index, list, share);
        }
    }

    /// Of how many of each list the text is held.
    fn share(&self) -> usize {
        (MAX_OF_ALL / self.lists.len().max(1)).clamp(LEAST_RECENT, MAX_RECENT)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_lists_share_the_room_of_a_hundred() {
        let mut all = AllRecent::default();
        let mut shares = Vec::new();
        for number in 0..=4000 {
            all.lists.insert(ListName::new(&format!("a.example/{number}")).unwrap(), Recent::default());
            shares.push(all.share());
        }
        assert_eq!([0, 99, 100, 199, 3000, 4000].map(|at: usize| shares[at]), [120, 120, 118, 60, 4, 4]);
    }

    #[test]
    fn the_oldest_make_room() {
        let mut queue = VecDeque::new();
        (0..10).for_each(|number| push(&mut queue, number, 6));
        trim(&mut queue, 4);
        assert_eq!(queue, [6, 7, 8, 9]);
    }
}
