//! Who answers for what breaks a rule.

use super::Audit;
use crate::evidence::Proven;
use crate::finding::{Answerable, Finding, Severity};
use isonomy_core::charter::Charter;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::rules::{Rule, Violation};
use isonomy_core::statement::Statement;

impl Audit {
    /// Those of the log and the signers of a statement whom evidence names.
    pub(crate) fn named(&self, statement: &Statement, names: &[String]) -> Vec<Answerable> {
        let charter = self.charter_of(statement);
        let signers = charter.map(|charter| Answerable::signers(statement.note(), charter)).unwrap_or_default();
        let all = [Answerable::log(&self.log)].into_iter().chain(signers);
        all.filter(|answerable| names.contains(&answerable.key)).collect()
    }

    /// The finding that a file of evidence is, by itself. The log admits and logs, signers sign: each is named for its own part.
    pub(crate) fn finding_by_evidence(&self, digest: &ObjectDigest, proven: &Proven) -> Finding {
        let Proven { breach, rule, statement } = proven;
        let answerable = match statement {
            Some((statement, _)) => self.named(statement, &breach.by),
            None => self.named_log(&breach.by),
        };
        let named = |name: &String| match answerable.iter().find(|one| one.key == *name) {
            Some(one) => format!("{name} ({})", one.id),
            None => name.clone(),
        };
        let (logs, signers): (Vec<&String>, Vec<&String>) = breach.by.iter().partition(|name| *name == self.log.name());
        let in_words = |names: &[&String]| names.iter().map(|name| named(name)).collect::<Vec<_>>().join(", ");
        let words = match (logs.is_empty(), signers.is_empty()) {
            (false, true) => format!("The log {} {}.", in_words(&logs), breach.what),
            (false, false) => {
                format!("The log {} {}. It was signed by {}.", in_words(&logs), breach.what, in_words(&signers))
            }
            (true, _) => format!("{} {}.", in_words(&signers), breach.what),
        };
        let finding = Finding::new(Severity::Breach, "evidence", digest.to_hex(), words).answered_by(answerable);
        let finding = match rule {
            Some(rule) => finding.under(*rule),
            None => finding,
        };
        let finding = match statement {
            Some((statement, Some(index))) => finding.in_list(statement.list()).about(&statement.id(), *index),
            Some((statement, None)) => finding.in_list(statement.list()),
            None => finding,
        };
        finding.proven_by(digest)
    }

    fn named_log(&self, names: &[String]) -> Vec<Answerable> {
        [Answerable::log(&self.log)].into_iter().filter(|log| names.contains(&log.key)).collect()
    }

    /// The log answers for what it admits, and where. Who signed answers for what breaks a rule by the text alone, under the
    /// charter that it cites: what comes before what, and what is left out, the log decides. What lacks signatures can't be laid at
    /// the door of those who did not give them. Who else is to blame, evidence tells.
    pub(super) fn answerable(&self, statement: &Statement, violation: &Violation) -> Vec<Answerable> {
        let mut answerable = vec![Answerable::log(&self.log)];
        let is_by_order = matches!(violation, Violation::CreatedEarly { .. } | Violation::TooSoon { .. });
        if matches!(violation.rule(), Rule::Chain | Rule::Signatures) || is_by_order {
            return answerable;
        }
        match statement {
            Statement::Attestation(attestation) => {
                let auditor = attestation.body().auditor.clone();
                if attestation.note().verify(std::slice::from_ref(&auditor)).is_ok() {
                    answerable.push(Answerable::auditor(&auditor));
                }
            }
            other => {
                let charter = self.charter_of(other);
                answerable
                    .extend(charter.map(|charter| Answerable::signers(other.note(), charter)).unwrap_or_default());
            }
        }
        answerable
    }

    /// A charter by which the names of signers are known. Never the statement itself: whoever writes a charter can put
    /// any organisation's name beside a key of his own.
    fn charter_of(&self, statement: &Statement) -> Option<&Charter> {
        let editions = self.history.list(statement.list())?.editions();
        let edition = match statement {
            Statement::Charter(charter) => editions.find(charter.body().previous.as_ref()?),
            Statement::Release(release) => editions.find(&release.body().charter),
            Statement::Attestation(_) => None,
        };
        edition.map(|edition| edition.charter())
    }
}
