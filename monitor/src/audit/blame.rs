//! Who answers for what breaks a rule.

use super::Audit;
use crate::evidence::Proven;
use crate::finding::{Answerable, Finding, Severity};
use isonomy_core::charter::Charter;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::note::VerifierKey;
use isonomy_core::rules::{Rule, Violation};
use isonomy_core::statement::Statement;

impl Audit {
    /// The log, which admitted a statement, and those of its signers whom evidence names. Two keys may have one name, and one of a list
    /// that of the log: a key is known by itself.
    pub(crate) fn named(&self, statement: &Statement, by: &[VerifierKey]) -> Vec<Answerable> {
        let is_named =
            |key: &VerifierKey| by.iter().any(|named| *named != self.log && named.public_bytes() == key.public_bytes());
        let charter = self.charter_of(statement);
        let signers = charter.map(|charter| Answerable::signers_among(statement.note(), charter, is_named));
        [Answerable::log(&self.log)].into_iter().chain(signers.unwrap_or_default()).collect()
    }

    /// The finding that a file of evidence is, by itself. The log admits and logs, signers sign: each is named for its own part.
    pub(crate) fn finding_by_evidence(&self, digest: &ObjectDigest, proven: &Proven) -> Finding {
        let Proven { breach, rule, statement, .. } = proven;
        let answerable = match statement {
            Some((statement, _)) => self.named(statement, &breach.by),
            None => vec![Answerable::log(&self.log)],
        };
        let (logs, signers): (Vec<&VerifierKey>, Vec<&VerifierKey>) =
            breach.by.iter().partition(|key| **key == self.log);
        let in_words = |keys: &[&VerifierKey]| keys.iter().map(|key| key.called()).collect::<Vec<_>>().join(", ");
        let words = match (logs.is_empty(), signers.is_empty()) {
            (false, true) => format!("The log {} {}.", in_words(&logs), breach.what),
            (false, false) => {
                format!("The log {} {}. It was signed by {}.", in_words(&logs), breach.what, in_words(&signers))
            }
            // Signers alone are named for two texts; both are in the log, which had to refuse the second.
            (true, _) => {
                format!("{} {}. The log {} admitted both.", in_words(&signers), breach.what, self.log.called())
            }
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
