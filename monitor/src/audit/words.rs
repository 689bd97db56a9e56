//! What the audit finds, in words: a breach where a rule is broken whatever the time, else what that rests on.

use super::{Audit, Base, Refused};
use crate::finding::{Answerable, Finding, Severity};
use crate::units;
use isonomy_core::attestation::Attestation;
use isonomy_core::charter::Charter;
use isonomy_core::hash::StatementId;
use isonomy_core::note::Note;
use isonomy_core::release::Release;
use isonomy_core::rules::{MAX_CLOCK_DIFFERENCE, Rule, Violation, signatures};
use isonomy_core::statement::{MAX_STATEMENT_SIZE, Signed, Statement, StatementError};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use std::collections::BTreeSet;

/// The finding that it can't be told whether a statement keeps the rules.
const NOT_JUDGED: &str = "not-judged";
/// How many entries a finding names.
const NAMED: usize = 5;

/// The code of an entry that may be a statement, and can't be read as one.
pub(crate) const UNREADABLE: &str = "unreadable-statement";

/// Whether this monitor reads statements of this form.
pub(crate) fn is_known(form: &str) -> bool {
    [Charter::KIND, Release::KIND, Attestation::KIND].contains(&form)
}

impl Audit {
    /// The next entry is no statement, or none that is known here: the finding that this is.
    pub(crate) fn skip(&mut self, entry: &[u8], error: &StatementError) -> Finding {
        let index = self.next;
        let subject = format!("entry {index}");
        let finding = match Statement::form_of(entry) {
            Some(kind) if is_known(&kind) => {
                let words = format!(
                    "Entry {index} of the log has the form of a statement, {kind}, which this monitor knows, and is not as that must be ({error}). A log that keeps the rules admits none such, and no client that knows this form uses it."
                );
                Finding::new(Severity::Warning, UNREADABLE, subject, words)
            }
            Some(kind) => {
                self.leave_unread(entry, index);
                let words = format!(
                    "Entry {index} of the log has the form of a statement, {kind}, and this monitor can't read it ({error}). It may be of a later format: a newer monitor can tell. If it is of none, the log admitted what breaks the rules. No client that can't read it uses it."
                );
                Finding::new(Severity::Warning, UNREADABLE, subject, words)
            }
            None => {
                let words = format!(
                    "Entry {index} of the log is not a statement ({error}). A log that keeps the rules admits none such, and no client accepts it."
                );
                let finding = Finding::new(Severity::Breach, "not-a-statement", subject, words);
                finding.answered_by(vec![Answerable::log(&self.log)])
            }
        };
        self.next = LeafIndex(index.0 + 1);
        Finding { index: Some(index), ..finding }
    }

    /// What builds on a statement that may be of a later format can't be judged here.
    fn leave_unread(&mut self, entry: &[u8], index: LeafIndex) {
        if let Ok(note) = Note::parse(entry, MAX_STATEMENT_SIZE) {
            self.unread.entry(StatementId::of(note.text())).or_insert(index);
        }
    }

    pub(super) fn note_follower(
        &mut self,
        statement: &Statement,
        index: LeafIndex,
        Base { index: base, is_open, .. }: Base,
    ) {
        let what = describe(statement);
        let words = match is_open {
            true => format!(
                "Entry {index} is {what}. It builds on entry {base}, of which this monitor can't tell yet whether it keeps the rules, so it isn't judged either."
            ),
            false => format!(
                "Entry {index} is {what}. It builds on entry {base}, which breaks a rule or builds on one that does, so it can't be judged."
            ),
        };
        let subject = format!("statement {}", statement.id());
        let (severity, code) = match is_open {
            true => (Severity::Warning, NOT_JUDGED),
            false => (Severity::Notice, "builds-on-breach"),
        };
        let finding = Finding::new(severity, code, subject, words).under(Rule::Chain);
        self.note(finding.in_list(statement.list()).about(&statement.id(), index));
    }

    /// Rule 2: a release is admitted within a day. When it was admitted, the log alone knows; what is witnessed is when
    /// it became public, so this is an observation.
    pub(super) fn note_late_draft(&mut self, statement: &Statement, index: LeafIndex, public_since: Timestamp) {
        let Statement::Release(release) = statement else { return };
        if let Err(violation @ Violation::StaleDraft { .. }) = signatures::admissible_at(release.body(), public_since) {
            let what = describe(statement);
            let words = format!(
                "Entry {index} is {what}. By the proofs that are shown, it became public late. {}. A log can show a later proof than the first.",
                units::sentence(&violation.to_string())
            );
            let subject = format!("statement {}", statement.id());
            let finding = Finding::new(Severity::Warning, violation.code(), subject, words).under(violation.rule());
            self.note(finding.in_list(statement.list()).about(&statement.id(), index));
        }
    }

    /// The finding that nobody can tell yet whether a refused statement keeps the rules, since nobody shows the seen proofs of
    /// these entries.
    pub(crate) fn finding_without(&self, refused: &Refused, unproven: &BTreeSet<LeafIndex>) -> Finding {
        let Refused { statement, index, violation, .. } = refused;
        let entries: Vec<String> = unproven.iter().take(NAMED).map(LeafIndex::to_string).collect();
        let words = format!(
            "Entry {index} is {}. Whether it keeps {} was not judged: that depends on since when it and what it builds on are public, and nobody shows the seen proof of {} {}{}.{}",
            describe(statement),
            violation.rule(),
            if entries.len() == 1 { "entry" } else { "entries" },
            entries.join(", "),
            if unproven.len() > NAMED { " and others" } else { "" },
            if self.open.contains(index) { " What comes after it is judged as if it kept the rules." } else { "" }
        );
        let subject = format!("statement {}", statement.id());
        let finding = Finding::new(Severity::Warning, NOT_JUDGED, subject, words).under(violation.rule());
        finding.in_list(statement.list()).about(&statement.id(), *index)
    }

    /// The finding that it can't be told whether a release leaves out the version before, since an entry that may be of a later format
    /// stands in its place.
    pub(crate) fn finding_after_unread(&self, refused: &Refused, before: LeafIndex) -> Finding {
        let Refused { statement, index, violation, .. } = refused;
        let words = format!(
            "Entry {index} is {}. {}, unless entry {before} is that, which a key of the list has signed and this monitor can't read: it may be of a later format. So it isn't judged whether it keeps {}; a newer monitor can tell. A client that has no version yet may use it.",
            describe(statement),
            units::sentence(&violation.to_string()),
            violation.rule()
        );
        let subject = format!("statement {}", statement.id());
        let finding = Finding::new(Severity::Warning, NOT_JUDGED, subject, words).under(violation.rule());
        finding.in_list(statement.list()).about(&statement.id(), *index)
    }

    /// What is wrong, as a sentence; what is cited and can't be read is in the log all the same.
    fn why(&self, violation: &Violation) -> String {
        let (Violation::UnknownCharter { id } | Violation::UnknownRelease { id }) = violation else {
            return units::sentence(&violation.to_string());
        };
        match self.unread.get(id) {
            Some(at) => {
                format!("What it cites, {id}, is entry {at}, which this monitor can't read, and no client that can't")
            }
            None => units::sentence(&violation.to_string()),
        }
    }

    /// The finding that a refused statement is, as far as the log alone shows it.
    pub(crate) fn finding(&self, refused: &Refused) -> Finding {
        let Refused { statement, index, violation, .. } = refused;
        let rule = violation.rule();
        let (what, why) = (describe(statement), self.why(violation));
        let subject = format!("statement {}", statement.id());
        let (severity, words) = match self.rests_on_times(statement, violation) {
            Some(times) => {
                let words = format!(
                    "Entry {index} is {what}. By the times known here, it does not keep {rule}. {why}. {times}"
                );
                (Severity::Warning, words)
            }
            None => (Severity::Breach, format!("Entry {index} is {what}. It breaks {rule}. {why}.")),
        };
        // Of what is not proven, nobody is named.
        let answerable = if severity == Severity::Breach { self.answerable(statement, violation) } else { Vec::new() };
        Finding::new(severity, violation.code(), subject, words)
            .under(rule)
            .in_list(statement.list())
            .about(&statement.id(), *index)
            .answered_by(answerable)
    }

    /// What a violation rests on, if it would be none at other times: clocks of witnesses, and proofs that the log chose,
    /// convict nobody by themselves.
    pub(crate) fn rests_on_times(&self, statement: &Statement, violation: &Violation) -> Option<String> {
        let clocks = units::duration(MAX_CLOCK_DIFFERENCE);
        match (violation, statement) {
            // What proves this is a checkpoint from before the edition.
            (Violation::NoticeNotOver { .. }, _) => Some(format!(
                "This rests on when the log says that the edition became public; this monitor saw no checkpoint from before it that would prove it, where honest clocks may differ by {clocks}."
            )),
            (Violation::CreatedLate { .. }, _) => Some(
                "This rests on the clocks of whoever composed it and of witnesses, one of which may be wrong. A client that is shown this seen proof refuses it; one that is shown a later proof may use it."
                    .to_owned(),
            ),
            (violation, Statement::Charter(edition))
                if violation.rule() == Rule::Signatures && self.may_be_consented(edition) =>
            {
                Some("This rests on which edition was in force when it became public: on seen proofs, and the clocks of witnesses.".to_owned())
            }
            // So does whether a second text has all signatures that it needs; if it has in any case, a file proves that.
            (Violation::Equivocation { .. }, Statement::Charter(_)) => Some(
                "This rests on which edition was in force when it became public; no file proves it in any case.".to_owned(),
            ),
            _ => None,
        }
    }

    /// Whether an edition has the signatures that it needs if another edition before it was in force when it was logged.
    fn may_be_consented(&self, edition: &Signed<Charter>) -> bool {
        let Some(list) = self.history.list(&edition.body().list) else { return false };
        let earlier = list.editions().all().iter().take_while(|before| before.number() < edition.body().edition);
        let earlier: Vec<&Charter> = earlier.map(|before| before.charter()).collect();
        let newest_first = earlier.iter().rev().copied();
        earlier.iter().any(|in_force| signatures::amendment(edition, newest_first.clone(), in_force).is_ok())
    }
}

/// What a statement is, in words.
fn describe(statement: &Statement) -> String {
    let list = statement.list();
    match statement {
        Statement::Charter(charter) => format!("edition {} of the charter of {list}", charter.body().edition),
        Statement::Release(release) => format!("version {} of {list}", release.body().version),
        Statement::Attestation(attestation) => {
            format!("an attestation about {list} by {}", attestation.body().auditor.name())
        }
    }
}
