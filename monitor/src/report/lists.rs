//! The lists in a report.

use super::attestations::AttestationReport;
use super::charter::{CharterReport, EditionReport};
use super::releases::{ReleaseReport, is_visible};
use crate::availability::Probe;
use crate::kept::{ListHistory, Recent};
use crate::monitor::Monitor;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
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
    /// The name of the curator's key.
    pub key: String,
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
            endorsements: recent.map(endorsements).unwrap_or_default(),
            removals: removals(list),
            attestations_total: list.attestations().len() as u64,
            attestations: attested
                .into_iter()
                .map(|(index, attestation)| {
                    let logged_since = monitor.audit.public_since(*index);
                    AttestationReport::new(monitor.audit.history(), (*index, attestation), logged_since, now)
                })
                .collect(),
            objects: monitor.availability.of(name).to_vec(),
        })
    }
}

fn endorsements(recent: &Recent) -> Vec<EndorsementReport> {
    let of = |(key, releases): (&String, &u64)| EndorsementReport { key: key.clone(), releases: *releases };
    recent.endorsed().iter().map(of).collect()
}

fn removals(list: &ListHistory) -> Removals {
    let removed = list.releases().iter().map(|logged| logged.release.removed).filter(|removed| *removed > 0);
    removed.fold(Removals::default(), |sum, removed| Removals {
        releases: sum.releases + 1,
        entries: sum.entries.saturating_add(removed),
    })
}
