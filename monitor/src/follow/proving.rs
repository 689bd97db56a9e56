//! Making evidence of what the audit found, from the copy. Whether it holds is for the evidence itself to say.

use crate::audit::Refused;
use crate::content::Objects;
use crate::kept::ListHistory;
use crate::monitor::Monitor;
use isonomy_core::charter::Charter;
use isonomy_core::json::Lines;
use isonomy_core::release::Release;
use isonomy_core::rules::{Series, Violation};
use isonomy_core::statement::{ListName, Signed, Statement};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::LeafIndex;
use isonomy_verifier::Evidence;
use isonomy_verifier::evidence::{
    Base, Bytes, EarlyAdmission, InLog, Inadmissible, LoggedTwice, NotAStatement, WrongContent,
};

/// That an entry is no statement.
pub(super) fn not_a_statement(entry: &[u8], proof: &TlogProof) -> Evidence {
    Evidence::NotAStatement(NotAStatement { entry: Bytes(entry.to_vec()), proof: Lines::of(proof) })
}

impl Monitor {
    /// What might prove the breach that a refused statement is; `proof` is its seen proof.
    pub(super) fn evidence_against(&self, refused: &Refused, proof: Option<&TlogProof>) -> Option<Evidence> {
        match &refused.violation {
            Violation::Equivocation { .. } => self.equivocation(refused),
            Violation::NoticeNotOver { .. } => self.early_admission(refused, proof),
            // A log can make any number of the others by itself.
            _ if !self.evidence.has_room() => None,
            Violation::AlreadyLogged { .. } => self.logged_twice(refused),
            _ => self.inadmissible(refused),
        }
    }

    /// Proof that one text is at two places.
    fn logged_twice(&self, refused: &Refused) -> Option<Evidence> {
        let first = self.audit.history().index_of(&refused.statement.id())?;
        Some(Evidence::LoggedTwice(Box::new(LoggedTwice {
            first: Lines::of(self.mirror.statement(first)?.note()),
            first_proof: Lines::of(self.mirror.own_proof(first)?),
            second: Lines::of(refused.statement.note()),
            second_proof: Lines::of(self.mirror.own_proof(refused.index)?),
        })))
    }

    /// Proof that a statement breaks a rule, with what it builds on and, of a release, the earlier one beside which that shows.
    pub(super) fn inadmissible(&self, refused: &Refused) -> Option<Evidence> {
        let charter = match &refused.statement {
            Statement::Release(release) => Some(release.body().charter),
            Statement::Charter(edition) => edition.body().previous,
            Statement::Attestation(_) => None,
        };
        let charter = charter.and_then(|id| self.audit.history().index_of(&id));
        let other = match &refused.statement {
            Statement::Release(release) => self.beside(release.body(), &refused.violation),
            _ => None,
        };
        let (charter, charter_proof) = charter.and_then(|index| self.logged(index)).unzip();
        let (other, other_proof) = other.and_then(|index| self.logged(index)).unzip();
        Some(Evidence::Inadmissible(Box::new(Inadmissible {
            statement: Lines::of(refused.statement.note()),
            statement_proof: Lines::of(self.mirror.own_proof(refused.index)?),
            charter,
            charter_proof,
            other,
            other_proof,
        })))
    }

    /// Proof that the content of a version is not what its release says, by the objects that show it.
    pub(super) fn wrong_content(&self, name: &ListName, version: u64, objects: Objects) -> Option<Evidence> {
        let list = self.audit.history().list(name)?;
        let logged = list.version(version)?;
        let charter = list.editions().find(&self.release(name, logged)?.body().charter)?.index();
        let ((release, release_proof), (charter, charter_proof)) = (self.logged(logged.index)?, self.logged(charter)?);
        let Some(snapshot) = objects.snapshot else {
            // What the release says of its own snapshot can't be, whatever the object is.
            return Some(Evidence::Inadmissible(Box::new(Inadmissible {
                statement: release,
                statement_proof: release_proof,
                charter: Some(charter),
                charter_proof: Some(charter_proof),
                other: None,
                other_proof: None,
            })));
        };
        let base = match objects.base {
            None => None,
            Some(base) => Some(Base {
                release: self.logged(list.version(base.version)?.index)?.0,
                snapshot: Bytes(base.snapshot),
                delta: Bytes(base.delta),
            }),
        };
        let snapshot = Bytes(snapshot);
        let content = WrongContent { charter, charter_proof, release, release_proof, snapshot, base };
        Some(Evidence::WrongContent(Box::new(content)))
    }

    /// The place of the release beside which a breach of another one shows, if it needs one.
    fn beside(&self, release: &Release, violation: &Violation) -> Option<LeafIndex> {
        let list = self.audit.history().list(&release.list)?;
        match violation {
            Violation::TooSoon { .. } => self.last_addition(release, list),
            Violation::PreviousMismatch { .. } | Violation::CreatedEarly { .. } | Violation::UnknownRelease { .. } => {
                Some(list.version(release.version.checked_sub(1)?)?.index)
            }
            _ => None,
        }
    }

    /// The place of the newest release that adds entries.
    fn last_addition(&self, release: &Release, list: &ListHistory) -> Option<LeafIndex> {
        let adds = |logged: &&_| self.release(&release.list, logged).is_some_and(|release| release.body().added > 0);
        list.releases().iter().rev().find(adds).map(|logged| logged.index)
    }

    /// An entry of the copy with the proof that it is there.
    fn logged(&self, index: LeafIndex) -> Option<(Lines, Lines)> {
        Some((Lines::of(self.mirror.statement(index)?.note()), Lines::of(self.mirror.own_proof(index)?)))
    }

    /// Proof that two texts for one version or edition carry the signatures that they need, and are in the log.
    fn equivocation(&self, refused: &Refused) -> Option<Evidence> {
        let Violation::Equivocation { series, number, .. } = refused.violation else { return None };
        match (series, &refused.statement) {
            (Series::Version, Statement::Release(second)) => self.two_versions(number, second, refused.index),
            (Series::Edition, Statement::Charter(second)) => self.two_editions(number, second, refused.index),
            _ => None,
        }
    }

    fn two_versions(&self, number: u64, second: &Signed<Release>, index: LeafIndex) -> Option<Evidence> {
        let name = &second.body().list;
        let list = self.audit.history().list(name)?;
        let logged = list.version(number)?;
        let first = self.release(name, logged)?;
        let charter = |release: &Signed<Release>| list.editions().find(&release.body().charter);
        let charters = [charter(&first)?, charter(second)?];
        let proof = |index| self.mirror.own_proof(index);
        let proofs = [proof(charters[0].index())?, proof(logged.index)?, proof(charters[1].index())?, proof(index)?];
        let [of_first, one, of_second, other] = &proofs;
        Some(Evidence::equivocation_across(
            (InLog { statement: charters[0].signed(), proof: of_first }, InLog { statement: &first, proof: one }),
            (InLog { statement: charters[1].signed(), proof: of_second }, InLog { statement: second, proof: other }),
        ))
    }

    fn two_editions(&self, number: u64, second: &Signed<Charter>, index: LeafIndex) -> Option<Evidence> {
        let editions = self.audit.history().list(&second.body().list)?.editions().all();
        let edition = |number: u64| editions.get(usize::try_from(number.checked_sub(1)?).ok()?);
        let first = edition(number)?;
        let before = number.checked_sub(1).and_then(edition);
        let proof_before = before.map(|before| self.mirror.own_proof(before.index()).ok_or(())).transpose().ok()?;
        let before = before.zip(proof_before.as_ref());
        Some(Evidence::two_editions(
            before.map(|(before, proof)| InLog { statement: before.signed(), proof }),
            InLog { statement: first.signed(), proof: &self.mirror.own_proof(first.index())? },
            InLog { statement: second, proof: &self.mirror.own_proof(index)? },
        ))
    }

    /// Proof that a release was admitted before the notice of its edition could be over: a checkpoint from before the
    /// edition.
    fn early_admission(&self, refused: &Refused, proof: Option<&TlogProof>) -> Option<Evidence> {
        let (Violation::NoticeNotOver { .. }, Statement::Release(release)) = (&refused.violation, &refused.statement)
        else {
            return None;
        };
        let Release { list, charter, .. } = release.body();
        let editions = self.audit.history().list(list)?.editions();
        let edition = editions.find(charter)?;
        let before = editions.find(edition.charter().previous.as_ref()?)?;
        let earlier = self.checkpoints.before(edition.index())?;
        Some(Evidence::EarlyAdmission(Box::new(EarlyAdmission {
            before: Lines::of(before.signed().note()),
            edition: Lines::of(edition.signed().note()),
            edition_proof: Lines::of(self.mirror.own_proof(edition.index())?),
            release: Lines::of(release.note()),
            release_proof: Lines::of(proof?),
            earlier: Lines::of(earlier.note().note()),
        })))
    }
}
