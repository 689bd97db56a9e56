//! What is found anew at every look, from what is known: the audit, ages, evidence, content.

use crate::content::{Cache, ContentState};
use crate::finding::{Answerable, Finding, Severity};
use crate::freshness;
use crate::monitor::{Monitor, MonitorError};
use crate::units;
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
