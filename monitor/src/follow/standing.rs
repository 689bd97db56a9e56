//! What is found anew at every look, from what is known: the audit, ages, evidence, content.

use crate::assess;
use crate::content::{Cache, ContentState};
use crate::finding::{Answerable, Finding, Severity};
use crate::freshness;
use crate::monitor::{Monitor, MonitorError};
use crate::report::ViewState;
use crate::units;
use crate::vantage::Vantage;
use isonomy_core::rules::Rule;
use isonomy_core::rules::history::{ListHistory, LoggedRelease};
use isonomy_core::time::Timestamp;

impl Monitor {
    /// Notes what the audit found, what is too old, and every proof that no finding cites.
    pub(crate) fn note_standing(&mut self, clock: Timestamp) {
        let mut findings = self.audit.findings().to_vec();
        let history = self.audit.history();
        if let Some(witnessed) = self.mirror.newest().and_then(|newest| newest.now()) {
            findings.extend(freshness::frozen(history, witnessed, clock));
        }
        findings.extend(history.lists().flat_map(|(name, list)| freshness::of_list(name, list, clock)));
        findings.into_iter().for_each(|finding| self.ledger.note(finding));
        for (digest, breach) in self.evidence.breaches() {
            if !self.ledger.cites(&digest.to_hex()) {
                let words = format!("{} {}.", breach.by.join(", "), breach.what);
                let finding = Finding::new(Severity::Breach, "evidence", digest.to_hex(), words);
                self.ledger.note(finding.proven_by(digest));
            }
        }
    }

    /// Fetches and checks the content of every release that has no verdict yet.
    pub(crate) async fn check_content(&mut self, clock: Timestamp) -> Result<(), MonitorError> {
        let mut cache = Cache::default();
        for job in self.contents.jobs(self.audit.history(), clock) {
            let served = self.contents.check(&job, &self.vantages, &mut cache, clock).await?;
            for (label, words) in served.swapped {
                let words = format!("{words}. It was not accepted; this may be the fault of whoever serves it.");
                self.ledger.note(Finding::new(Severity::Warning, "object-swapped", label, words));
            }
        }
        Ok(())
    }

    /// Asks every vantage point for an object of each list's newest release whose content was verified.
    pub(crate) async fn probe_objects(&mut self, clock: Timestamp) {
        self.availability.next_turn();
        let newest = self.audit.history().lists().filter_map(|(_, list)| list.releases().last());
        let is_verified = |logged: &&LoggedRelease| {
            matches!(self.contents.state(&logged.release.id()), ContentState::Verified { .. })
        };
        let releases: Vec<LoggedRelease> = newest.filter(is_verified).cloned().collect();
        // Who shows an older state, or nothing, can't be asked for what is newer.
        let states = self.views.sources.iter().map(|source| source.state);
        let shows = self.vantages.iter().zip(states).filter(|(_, state)| *state == ViewState::Same);
        let shows: Vec<&Vantage> = shows.map(|(vantage, _)| vantage).collect();
        let log = self.vantages.first().map(Vantage::label).unwrap_or_default();
        for logged in releases {
            let (id, body) = (logged.release.id(), logged.release.body());
            self.availability.probe(body, &shows, clock).await;
            for probe in self.availability.of(&body.list) {
                let Some(lacking) = &probe.lacking else { continue };
                // The log must serve what it admitted. A mirror need not have everything.
                let severity = if probe.from == log { Severity::Warning } else { Severity::Notice };
                let words = format!(
                    "{} does not give an object of version {} of {}, whose content was verified before: {lacking}. If that lasts, clients there can't be sure of the list.",
                    probe.from, body.version, body.list
                );
                let subject = format!("{} at {}", body.list, probe.from);
                let finding = Finding::new(severity, "content-withheld", subject, words).under(Rule::Content);
                self.ledger.note(finding.in_list(&body.list).about(&id, logged.index));
            }
        }
    }

    /// Looks the canary corpus up in each list's newest release, once for each.
    pub(crate) async fn look_up_canaries(&mut self) -> Result<(), MonitorError> {
        let Some(canary) = &mut self.canary else { return Ok(()) };
        for (name, list) in self.audit.history().lists() {
            let Some(logged) = list.releases().last() else { continue };
            let (id, body) = (logged.release.id(), logged.release.body());
            let Some(edition) = list.editions().find(&body.charter) else { continue };
            let matching = &edition.charter().matching;
            let kind = (matching.algorithm, matching.min_quality);
            if let Err(problem) = canary.prepare(kind.0, kind.1) {
                tracing::error!(problem, "the canary corpus can't be read; nothing is looked up");
                return Ok(());
            }
            let is_verified = matches!(self.contents.state(&id), ContentState::Verified { .. });
            if canary.verdict(&id).is_none() && is_verified {
                match assess::content(&self.vantages, logged, kind.0.entry_size()).await {
                    Ok(entries) => canary.look_up(id, &entries, kind, matching.max_distance)?,
                    Err(error) => {
                        tracing::warn!(%error, "the canary corpus could not be looked up; it will be repeated")
                    }
                }
            }
            let Some(verdict) = canary.verdict(&id).filter(|verdict| verdict.count > 0) else { continue };
            let words = format!(
                "{} of {} files of this monitor's corpus, which must not match, are matched by version {} of {name}: {}. Two pictures can be alike by chance; somebody should look at the entry.",
                verdict.count,
                verdict.looked_up,
                body.version,
                verdict.named.join(", ")
            );
            let finding = Finding::new(Severity::Warning, "canary-matched", format!("statement {id}"), words);
            self.ledger.note(finding.in_list(name).about(&id, logged.index));
        }
        Ok(())
    }

    /// Notes every content that is broken or could not be had.
    pub(crate) fn note_content(&mut self) {
        let lists = self.audit.history().lists();
        let releases = lists.flat_map(|(_, list)| list.releases().iter().map(move |logged| (list, logged)));
        let findings = releases.filter_map(|(list, logged)| self.content_finding(list, logged));
        let findings: Vec<Finding> = findings.collect();
        findings.into_iter().for_each(|finding| self.ledger.note(finding));
    }

    fn content_finding(&self, list: &ListHistory, logged: &LoggedRelease) -> Option<Finding> {
        let (id, body) = (logged.release.id(), logged.release.body());
        let what = format!("version {} of {}", body.version, body.list);
        let subject = format!("statement {id}");
        let finding = match self.contents.state(&id) {
            ContentState::Broken { words, .. } => {
                let words = format!("The content of {what} breaks {}. {}.", Rule::Content, units::sentence(&words));
                let mut answerable = vec![Answerable::log(self.trust.log())];
                if let Some(edition) = list.editions().find(&body.charter) {
                    answerable.extend(Answerable::signers(logged.release.note(), edition.charter()));
                }
                Finding::new(Severity::Breach, "content-broken", subject, words).answered_by(answerable)
            }
            ContentState::Unavailable { at, words } => {
                let words = format!("The content of {what} could not be checked at {at}. {}.", units::sentence(&words));
                // Of a list, what counts is the newest release; an old one's objects may have been removed.
                let newest = list.releases().last().is_some_and(|last| last.release.id() == id);
                let severity = if newest { Severity::Warning } else { Severity::Notice };
                Finding::new(severity, "content-missing", subject, words)
            }
            ContentState::Unchecked | ContentState::Verified { .. } => return None,
        };
        Some(finding.under(Rule::Content).in_list(&body.list).about(&id, logged.index))
    }
}
