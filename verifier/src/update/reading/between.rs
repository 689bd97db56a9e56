//! What a source leaves out, and a client that reads the whole log should use.
//!
//! A log offers the newest release that is usable by its own quorum, and all after it. A client whose policy asks for more
//! witnesses, or for others, may find that this one still waits; then what the log holds before it, and does not offer, may be
//! of use, or no better. A mirror that offers an old release beside the newest, which waits, and hides those between, looks the
//! same. So the client judges what it has read in the log and was not offered like any release that is offered: its place is
//! proven by tiles, since when it is public by its seen proof. The newest that may be used is put in force, as if it had been
//! offered. The source is refused if it gives no proof, or not the content.

use super::{Included, ReadRelease, Stop, Update};
use crate::rejection::Rejection;
use crate::update::releases::Judged;
use isonomy_core::bundle::{Bundle, MAX_NEWER};
use isonomy_core::rules::editions::Editions;
use isonomy_core::time::Timestamp;
use std::collections::BTreeSet;

impl Update {
    /// The newest version that the log holds beyond `version`, which is not to wait, and that is not offered, though it may be
    /// used; of very many the newest are looked at, and none where as many are offered as a bundle can hold, or this client does not look for it. (Where the word of auditors is
    /// asked for, an older release may be the newest that has it.)
    pub(in crate::update) fn usable_between(
        &mut self,
        bundle: &Bundle,
        editions: &Editions,
        version: u64,
        now: Timestamp,
    ) -> Result<Option<(Included, Judged)>, Stop> {
        if !self.looks_between() {
            return Ok(None);
        }
        let left_out = self.left_out(bundle, editions, version)?;
        for release in left_out.iter().rev().take(MAX_NEWER) {
            if let Some(usable) = self.judge_left_out(bundle, editions, release, now)? {
                return Ok(Some(usable));
            }
            if self.has_all_expired(release, editions, now)? {
                break;
            }
        }
        self.remember(&left_out, editions)?;
        Ok(None)
    }

    /// Whether this client looks for what a source leaves out.
    pub(in crate::update) fn looks_between(&self) -> bool {
        let audit = self.policy.audit();
        audit.complete && audit.followed == 0
    }

    /// The releases in the log beyond `version` that are not offered, ascending; none if as many are as a bundle can hold.
    fn left_out(&mut self, bundle: &Bundle, editions: &Editions, version: u64) -> Result<Vec<ReadRelease>, Stop> {
        let offered: Vec<_> = self.not_older(bundle).iter().map(|included| included.id).collect();
        let Some(reading) = &mut self.reading else { return Ok(Vec::new()) };
        let versions = offered.iter().filter_map(|id| reading.versions.get(id)).copied();
        let offered: BTreeSet<u64> = versions.filter(|offered| *offered > version).collect();
        let beyond = reading.newest.saturating_sub(version);
        if offered.len() >= MAX_NEWER || offered.len() as u64 >= beyond {
            return Ok(Vec::new());
        }
        let known = reading.releases.range(version + 1..).count() as u64;
        if !reading.from_start && known < beyond {
            // The state does not say which they are.
            reading.lacks_start = true;
            self.read_log(bundle, editions)?;
        }
        let read = self.reading.iter().flat_map(|reading| reading.releases.range(version + 1..));
        Ok(read.map(|(_, release)| *release).filter(|release| !offered.contains(&release.version)).collect())
    }

    /// A release of the log that the bundle does not have, if this policy lets it be used.
    fn judge_left_out(
        &mut self,
        bundle: &Bundle,
        editions: &Editions,
        release: &ReadRelease,
        now: Timestamp,
    ) -> Result<Option<(Included, Judged)>, Stop> {
        if self.unusable.contains(&release.release) {
            return Ok(None);
        }
        let place = self.received.place(release.index, &bundle.checkpoint)?;
        let included = Included { id: release.release, index: release.index, path: place.path };
        match self.judge(bundle, &included, editions, now) {
            Ok(usable @ Judged::Usable(_)) => Ok(Some((included, usable))),
            Ok(Judged::Waits(_) | Judged::InForce(_)) => Ok(None),
            Err(Stop::Reject(rejection)) if is_unusable(&rejection) => {
                self.unusable.insert(release.release);
                Ok(None)
            }
            Err(stop) => Err(stop),
        }
    }

    /// Whether this release, and so every older one, was created so long ago that no edition lets it be valid.
    fn has_all_expired(&self, release: &ReadRelease, editions: &Editions, now: Timestamp) -> Result<bool, Stop> {
        let validity = editions.all().iter().map(|edition| edition.charter().limits.validity).max().unwrap_or(0);
        let release = self.statement(&release.release)?.into_release();
        Ok(release.is_some_and(|release| release.body().created.plus(validity) <= now.max(self.clock)))
    }

    /// Keeps in the state what was left out and waits, so that the next update need not read the log from its start for it.
    fn remember(&self, left_out: &[ReadRelease], editions: &Editions) -> Result<(), Stop> {
        let (Some(reading), Some(read)) = (&self.reading, self.state.read()) else { return Ok(()) };
        let is_known = |release: &ReadRelease| read.releases.contains(release);
        if left_out.len() > MAX_NEWER || left_out.iter().all(is_known) {
            return Ok(());
        }
        let versions = read.releases.iter().chain(left_out).map(|release| release.version);
        self.save(self.state.clone().with_read(reading.kept(versions, editions)), None)
    }
}

/// Whether a rejection says no more than that the release is not for this client now.
fn is_unusable(rejection: &Rejection) -> bool {
    matches!(rejection, Rejection::Expired { .. } | Rejection::Policy { .. })
}
