//! Judging an entry, and proving what is wrong with it.

use super::reading::Seen;
use crate::audit::{Refused, Verdict, number_of};
use crate::finding::{Finding, Severity};
use crate::monitor::Monitor;
use crate::units;
use isonomy_core::charter::Charter;
use isonomy_core::hash::StatementId;
use isonomy_core::note::Note;
use isonomy_core::rules::Violation;
use isonomy_core::statement::{ListName, MAX_STATEMENT_SIZE, Signed, Statement};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::LeafIndex;
use isonomy_store::files::FileError;
use isonomy_verifier::evidence::Breach;

impl Monitor {
    /// Judges the next entry, also beside what was refused before it.
    pub(super) fn judge(&mut self, statement: Statement, seen: Seen) -> Result<(), FileError> {
        let (id, number, index) = (statement.id(), number_of(&statement), self.audit.next());
        if let Some(found) = self.judge_by_itself(statement, seen)? {
            self.audit.note(found);
        }
        let Some(number) = number.filter(|number| self.audit.is_to_compare(&id, number, index)) else { return Ok(()) };
        let Some(statement) = self.mirror.statement(index) else { return Ok(()) };
        let charter = self.charter_cited(&statement);
        let Some(second) = self.audit.second_text(statement, (number, index), charter.as_ref()) else { return Ok(()) };
        let found = self.finding_of(&second, None)?;
        // Of an edition, a file alone tells whether it has all signatures that it needs.
        if found.severity == Severity::Breach || found.evidence.is_some() {
            self.audit.note(found);
        }
        Ok(())
    }

    /// The charter that a release cites, and of an edition the one before it, whether they were taken up or not.
    fn charter_cited(&self, statement: &Statement) -> Option<Signed<Charter>> {
        let id = match statement {
            Statement::Release(release) => release.body().charter,
            Statement::Charter(edition) => edition.body().previous?,
            Statement::Attestation(_) => return None,
        };
        let list = self.audit.history().list(statement.list());
        if let Some(edition) = list.and_then(|list| list.editions().find(&id)) {
            return Some(edition.signed().clone());
        }
        self.charter_at(self.audit.history().index_of(&id)?)
    }

    /// What is found about the next entry beside what was taken up before it, unless that is noted already.
    fn judge_by_itself(&mut self, statement: Statement, seen: Seen) -> Result<Option<Finding>, FileError> {
        let (id, index, released) = (statement.id(), self.audit.next(), released(&statement));
        match self.audit.record(statement, seen.since) {
            Verdict::Kept => self.place((&id, index), released.as_ref()),
            Verdict::Refused(refused) => return Ok(Some(self.judge_refused(*refused, seen.proof.as_ref())?)),
            Verdict::NotJudged(refused) => self.prove_at_any_time(&refused)?,
            Verdict::Baseless => {}
        }
        Ok(None)
    }

    /// Notes where a statement stands that was taken up, and of which list, if it is a release.
    fn place(&mut self, (id, index): (&StatementId, LeafIndex), released: Option<&ListName>) {
        self.contents.place(id, index);
        if let Some(list) = released {
            self.evidence.note_in_use(list);
        }
    }

    /// The finding that a refused statement is, with the evidence if it can be proven. One against which times speak that
    /// nobody proves is taken up; if it breaks a rule at any other time, too, it is that which it is refused for.
    fn judge_refused(&mut self, mut refused: Refused, proof: Option<&TlogProof>) -> Result<Finding, FileError> {
        if let Some(before) = self.later_format_before(&refused) {
            // What is a breach whatever stands there is proven all the same.
            self.prove_at_any_time(&refused)?;
            self.audit.leave_unjudged(&refused.statement.id());
            return Ok(self.audit.finding_after_unread(&refused, before));
        }
        let finding = self.finding_of(&refused, proof)?;
        if self.is_certain(&refused, &finding) {
            return Ok(finding);
        }
        let unproven = self.unproven_of(refused.statement.list());
        if unproven.is_empty() {
            // By proofs that are shown, clients refuse it. What builds on it is not judged, and nobody is accused.
            self.audit.leave_unjudged(&refused.statement.id());
            return Ok(finding);
        }
        match self.audit.leave_open(&refused) {
            Ok(()) => self.place((&refused.statement.id(), refused.index), released(&refused.statement).as_ref()),
            Err(None) => {}
            Err(Some(at_any_time)) => {
                refused.violation = at_any_time;
                let finding = self.finding_of(&refused, proof)?;
                if self.is_certain(&refused, &finding) {
                    return Ok(finding);
                }
            }
        }
        Ok(self.audit.finding_without(&refused, &unproven))
    }

    /// Where an entry stands that may be the version which a release seems to leave out, in a later format: a key of the list has signed
    /// it, which a log can't make up.
    fn later_format_before(&self, Refused { statement, violation, .. }: &Refused) -> Option<LeafIndex> {
        let Violation::NotContiguous { .. } = violation else { return None };
        let before = self.audit.unread_before(statement)?;
        let note = Note::parse(&self.mirror.entry(before)?, MAX_STATEMENT_SIZE).ok()?;
        self.audit.is_by_the_list(statement.list(), &note).then_some(before)
    }

    /// Whether a finding does not rest on times by themselves: a file proves it, or they make no difference.
    fn is_certain(&self, Refused { statement, violation, .. }: &Refused, finding: &Finding) -> bool {
        finding.evidence.is_some()
            || self.ledger.evidence_of(&finding.code, &finding.subject).is_some()
            || self.audit.rests_on_times(statement, violation).is_none()
    }

    fn finding_of(&mut self, refused: &Refused, proof: Option<&TlogProof>) -> Result<Finding, FileError> {
        let finding = self.audit.finding(refused);
        if self.ledger.evidence_of(&finding.code, &finding.subject).is_some() {
            return Ok(finding);
        }
        let kept = self.evidence_against(refused, proof);
        let kept = kept.map(|evidence| self.evidence.keep(&evidence, self.trust.policy())).transpose()?;
        Ok(match kept.flatten() {
            Some((digest, breach)) => {
                let answerable = self.audit.named(&refused.statement, &breach.by);
                proven(finding, refused, &breach).proven_by(&digest).answered_by(answerable)
            }
            None => finding,
        })
    }

    /// Of a statement that can't be judged, what is a breach at any time is proven all the same.
    fn prove_at_any_time(&mut self, refused: &Refused) -> Result<(), FileError> {
        if self.evidence.has_room(Some(refused.statement.list()))
            && let Some(evidence) = self.inadmissible(refused)
        {
            self.evidence.keep(&evidence, self.trust.policy())?;
        }
        Ok(())
    }
}

/// The list of which a statement is a release.
fn released(statement: &Statement) -> Option<ListName> {
    matches!(statement, Statement::Release(_)).then(|| statement.list().clone())
}

/// The finding, now that it is proven.
fn proven(finding: Finding, refused: &Refused, breach: &Breach) -> Finding {
    let what = &breach.what;
    let Refused { index, violation, .. } = refused;
    match violation {
        Violation::NoticeNotOver { .. } => {
            let (rule, why) = (violation.rule(), units::sentence(&violation.to_string()));
            finding.in_words(&format!("Entry {index} breaks {rule}: the log {what}. {why}."))
        }
        // What rests on times by itself does not where a file proves it.
        _ if finding.severity != Severity::Breach => {
            finding.in_words(&format!("Entry {index} breaks a rule, whatever the time: {}.", breach.sentence()))
        }
        _ => finding,
    }
}
