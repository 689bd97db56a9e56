//! The lists in a report.

use super::attestations::AttestationReport;
use super::charter::{CharterReport, EditionReport};
use super::releases::{ReleaseReport, is_visible};
use crate::availability::Probe;
use crate::monitor::Monitor;
use isonomy_core::rules::history::{ListHistory, LoggedRelease};
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
    /// Every release, newest first.
    pub releases: Vec<ReleaseReport>,
    /// What auditors attested, newest first.
    pub attestations: Vec<AttestationReport>,
    /// Whether the objects of the newest release are still served, by vantage point.
    pub objects: Vec<Probe>,
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
        let newest_usable = list.releases().iter().rev().find(|logged| is_visible(editions, logged, now));
        let newest_usable = newest_usable.map_or(0, |logged| logged.release.body().version);
        let release = |logged: &LoggedRelease| ReleaseReport::new(monitor, editions, logged, newest_usable, clock);
        Some(Self {
            name: name.to_string(),
            charter: CharterReport::new(in_force.charter()),
            editions: editions
                .all()
                .iter()
                .rev()
                .map(|edition| EditionReport::new(editions, edition, in_force))
                .collect(),
            releases: list.releases().iter().rev().map(release).collect(),
            attestations: list.attestations().iter().rev().map(|logged| AttestationReport::new(list, logged)).collect(),
            objects: monitor.availability.of(name).to_vec(),
        })
    }
}
