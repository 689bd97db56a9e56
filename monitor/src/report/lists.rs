//! The lists in a report.

use super::attestations::{AttestationReport, ComplaintReport, ComplaintState, Removing, complaints};
use super::charter::{CharterReport, EditionReport, NamedKey};
use super::releases::{ReleaseReport, is_visible};
use crate::availability::Probe;
use crate::kept::{ListHistory, Recent};
use crate::monitor::Monitor;
use isonomy_core::charter::Charter;
use isonomy_core::note::VerifierKey;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use serde::Serialize;

/// What the log says of one list, as far as that keeps the rules.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ListReport {
    /// Its name.
    pub name: String,
    /// What the edition of its charter says that is in force.
    pub charter: CharterReport,
    /// Every edition of its charter, newest first.
    pub editions: Vec<EditionReport>,
    /// How many releases there are.
    pub releases_total: u64,
    /// The newest releases, newest first; 120 at most.
    pub releases: Vec<ReleaseReport>,
    /// How many of all releases each curator has endorsed; without those that have endorsed none.
    pub endorsements: Vec<EndorsementReport>,
    /// What all releases together have removed.
    pub removals: Removals,
    /// What became of all complaints that count.
    pub complaints: ComplaintCounts,
    /// How many attestations there are.
    pub attestations_total: u64,
    /// What auditors attested, newest first; 120 complaints and 120 others at most.
    pub attestations: Vec<AttestationReport>,
    /// Whether the objects of the newest release are still served, by vantage point.
    pub objects: Vec<Probe>,
}

/// How often a curator has endorsed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EndorsementReport {
    /// The curator's key.
    pub key: NamedKey,
    /// How many releases it has signed.
    pub releases: u64,
}

/// What the releases of a list have removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Removals {
    /// How many releases remove anything.
    pub releases: u64,
    /// How many entries they remove.
    pub entries: u64,
}

/// What became of all complaints about a list that say nothing that can't be: each commitment counts once, as the one that stands worst.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct ComplaintCounts {
    /// How many there are.
    pub total: u64,
    /// The deadline runs.
    pub running: u64,
    /// Something was removed within it.
    pub in_time: u64,
    /// What is shown does not tell.
    pub in_doubt: u64,
    /// Something was removed later.
    pub late: u64,
    /// It is over, and nothing was removed.
    pub overdue: u64,
    /// The median of the seconds from when one was received until the next removal was public, by the proofs that are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median: Option<u64>,
}

impl ComplaintCounts {
    fn of(complaints: &[(LeafIndex, ComplaintReport)]) -> Self {
        let courses = || complaints.iter().map(|(_, course)| course);
        let count = |state| courses().filter(|course| course.state == state).count() as u64;
        let mut after: Vec<u64> = courses().filter_map(|course| course.removed_after).collect();
        after.sort_unstable();
        Self {
            total: complaints.len() as u64,
            running: count(ComplaintState::Running),
            in_time: count(ComplaintState::InTime),
            in_doubt: count(ComplaintState::InDoubt),
            late: count(ComplaintState::Late),
            overdue: count(ComplaintState::Overdue),
            median: after.get(after.len() / 2).copied(),
        }
    }
}

/// Every list that has a charter.
pub(super) fn all(monitor: &Monitor, clock: Timestamp) -> Vec<ListReport> {
    let lists = monitor.audit.history().lists();
    lists.filter_map(|(name, list)| ListReport::new(monitor, name, list, clock)).collect()
}

impl ListReport {
    fn new(monitor: &Monitor, name: &ListName, list: &ListHistory, clock: Timestamp) -> Option<Self> {
        let editions = list.editions();
        let in_force = editions.in_force_at(clock).or(editions.newest())?;
        let now = monitor.mirror.newest().and_then(|newest| newest.now()).unwrap_or(clock);
        let newest_usable = list.releases().iter().rposition(|logged| is_visible(editions, logged, now));
        let newest_usable = newest_usable.map_or(0, |at| at as u64 + 1);
        let recent = monitor.audit.recent().of(name);
        let newest = list.releases().iter().rev().zip(recent.into_iter().flat_map(Recent::releases));
        let attested = recent.map(Recent::attestations).unwrap_or_default();
        let (history, left_out) = (monitor.audit.history(), monitor.audit.left_out(name));
        let removing = Removing::new(list, left_out);
        let all_complaints = complaints((history, name), left_out, |index| monitor.audit.public_since(index), now);
        Some(Self {
            name: name.to_string(),
            charter: CharterReport::new(in_force.charter()),
            editions: editions
                .all()
                .iter()
                .rev()
                .map(|edition| EditionReport::new(editions, edition, in_force))
                .collect(),
            releases_total: list.releases().len() as u64,
            releases: newest
                .map(|release| ReleaseReport::new(monitor, editions, release, newest_usable, clock))
                .collect(),
            endorsements: recent.map(|recent| endorsements(recent, in_force.charter())).unwrap_or_default(),
            removals: removals(list),
            complaints: ComplaintCounts::of(&all_complaints),
            attestations_total: list.attestations().len() as u64,
            attestations: attested
                .into_iter()
                .map(|(index, attestation)| {
                    let logged_since = monitor.audit.public_since(*index);
                    AttestationReport::new(history, &removing, (*index, attestation), logged_since, now)
                })
                .collect(),
            objects: monitor.availability.of(name).to_vec(),
        })
    }
}

/// A key goes by the name that it has in the charter, if it stands there.
fn endorsements(recent: &Recent, charter: &Charter) -> Vec<EndorsementReport> {
    let named = |key: &VerifierKey| {
        let keys = charter.curation.curators.iter().map(|curator| &curator.key);
        let known = keys.into_iter().find(|known| known.public_bytes() == key.public_bytes());
        NamedKey::of(known.unwrap_or(key))
    };
    recent.endorsed().map(|(key, releases)| EndorsementReport { key: named(key), releases: *releases }).collect()
}

fn removals(list: &ListHistory) -> Removals {
    let removed = list.releases().iter().map(|logged| logged.release.removed).filter(|removed| *removed > 0);
    removed.fold(Removals::default(), |sum, removed| Removals {
        releases: sum.releases + 1,
        entries: sum.entries.saturating_add(removed),
    })
}
