//! Making evidence of what the audit found, from the copy. Whether it holds is for the evidence itself to say.

use crate::audit::Refused;
use crate::content::Objects;
use crate::evidence::Class;
use crate::kept::ListHistory;
use crate::monitor::Monitor;
use isonomy_core::charter::Charter;
use isonomy_core::json::Lines;
use isonomy_core::release::Release;
use isonomy_core::rules::Violation;
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
        let list = Some(refused.statement.list());
        match &refused.violation {
            Violation::Equivocation { .. } | Violation::NoticeNotOver { .. }
                if !self.evidence.has_room_for(Class::Signed, list) =>
            {
                None
            }
            Violation::Equivocation { .. } => self.equivocation(refused),
            Violation::NoticeNotOver { .. } => self.early_admission(refused, proof),
            // A log can make any number of the others by itself.
            _ if !self.evidence.has_room(list) => None,
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
        let Violation::Equivocation { first, .. } = refused.violation else { return None };
        let first = refused.beside.or_else(|| self.audit.history().index_of(&first))?;
        match (self.mirror.statement(first)?, &refused.statement) {
            (Statement::Release(one), Statement::Release(other)) => {
                self.two_versions((&one, first), (other, refused.index))
            }
            (Statement::Charter(one), Statement::Charter(other)) => {
                self.two_editions((&one, first), (other, refused.index))
            }
            _ => None,
        }
    }

    fn two_versions(
        &self,
        (first, of_first): (&Signed<Release>, LeafIndex),
        (second, of_second): (&Signed<Release>, LeafIndex),
    ) -> Option<Evidence> {
        let place = |release: &Signed<Release>| self.audit.history().index_of(&release.body().charter);
        let (one, other) = (place(first)?, place(second)?);
        let charters = [self.charter_at(one)?, self.charter_at(other)?];
        let proofs = [
            self.mirror.own_proof(one)?,
            self.earliest_proof(of_first)?,
            self.mirror.own_proof(other)?,
            self.earliest_proof(of_second)?,
        ];
        let [charter_one, one, charter_other, other] = &proofs;
        Some(Evidence::equivocation_across(
            (InLog { statement: &charters[0], proof: charter_one }, InLog { statement: first, proof: one }),
            (InLog { statement: &charters[1], proof: charter_other }, InLog { statement: second, proof: other }),
        ))
    }

    /// The proof of an entry that says the most about since when it is public: its seen proof, or one under the checkpoint of the seen
    /// proof of a later entry, as far as these are at hand and hold. By one under the newest checkpoint, two texts are public today,
    /// whenever somebody reads it first: after the day within which their signers answer for both.
    pub(crate) fn earliest_proof(&self, index: LeafIndex) -> Option<TlogProof> {
        let entry = self.mirror.entry(index)?;
        let later = self.audit.shown_by(index).filter(|later| *later > index);
        let by_a_later_one = later.and_then(|later| self.kept_proof(later));
        let by_a_later_one = by_a_later_one.and_then(|proof| self.mirror.proof_under(&proof.checkpoint, index));
        let proofs = [self.kept_proof(index), by_a_later_one, self.mirror.own_proof(index)];
        let dated =
            proofs.into_iter().flatten().filter_map(|proof| Some((self.proven_since(&proof, &entry, index)?, proof)));
        dated.min_by_key(|(since, _)| *since).map(|(_, proof)| proof)
    }

    /// The seen proof of the statement at this place that is at hand; not verified.
    fn kept_proof(&self, index: LeafIndex) -> Option<TlogProof> {
        let id = self.mirror.statement(index)?.id();
        self.unkept.get(&id).cloned().or_else(|| self.mirror.seen_proof(&id))
    }

    /// The charter at this place in the log, whether it was taken up or not.
    pub(super) fn charter_at(&self, index: LeafIndex) -> Option<Signed<Charter>> {
        match self.mirror.statement(index)? {
            Statement::Charter(charter) => Some(charter),
            _ => None,
        }
    }

    fn two_editions(
        &self,
        (first, of_first): (&Signed<Charter>, LeafIndex),
        (second, of_second): (&Signed<Charter>, LeafIndex),
    ) -> Option<Evidence> {
        let before = match second.body().previous {
            None => None,
            Some(before) => {
                let index = self.audit.history().index_of(&before)?;
                Some((self.charter_at(index)?, self.mirror.own_proof(index)?))
            }
        };
        Some(Evidence::two_editions(
            before.as_ref().map(|(statement, proof)| InLog { statement, proof }),
            InLog { statement: first, proof: &self.mirror.own_proof(of_first)? },
            InLog { statement: second, proof: &self.mirror.own_proof(of_second)? },
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
