//! Statements, their place in the log, and since when they are public; the chain of editions.

use super::releases::proof;
use super::{Stop, Update, malformed};
use crate::evidence::{Evidence, InLog};
use crate::rejection::Rejection;
use crate::state::Logged;
use isonomy_core::bundle::{Bundle, Included};
use isonomy_core::charter::Charter;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::cosignature;
use isonomy_core::hash::StatementId;
use isonomy_core::resource::Resource;
use isonomy_core::rules::editions::{Edition, Editions};
use isonomy_core::rules::{MAX_CLOCK_DIFFERENCE, Series, Violation, signatures};
use isonomy_core::statement::{Signed, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::{TlogProof, TlogProofError};
use isonomy_core::tree::{LeafIndex, TreeSize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A charter with its place in the log, and since when it is public.
#[derive(Clone, Debug)]
pub(super) struct LoggedCharter {
    charter: Signed<Charter>,
    index: LeafIndex,
    public_since: Timestamp,
}

impl Update {
    /// The statement with this identity.
    pub(super) fn statement(&self, id: &StatementId) -> Result<Statement, Stop> {
        let resource = Resource::Statement(*id);
        let bytes = self.resource(resource.clone())?;
        let parsed = self.statements.get(id).cloned().unwrap_or_else(|| Statement::parse(bytes));
        let statement = parsed.map_err(|error| malformed(&resource, error))?;
        if statement.id() != *id || statement.list() != self.policy.list() {
            return Err(malformed(&resource, "another statement"));
        }
        Ok(statement)
    }

    /// A statement of the bundle, proven to stand in the log under the fresh checkpoint.
    pub(super) fn logged(&self, bundle: &Bundle, included: &Included) -> Result<Statement, Stop> {
        let statement = self.statement(&included.id)?;
        let problem = |error| malformed(&Resource::Statement(included.id), format!("not in the log: {error}"));
        included.verify(&statement.to_bytes(), &bundle.checkpoint).map_err(problem)?;
        Ok(statement)
    }

    /// Since when a statement is public, by its seen proof; once proven, it is remembered. A source may have proven it
    /// later than another one can, so where a rule is broken it is asked for again, and the earliest time counts.
    pub(super) fn public_since(
        &mut self,
        bundle: &Bundle,
        included: &Included,
        entry: &[u8],
    ) -> Result<Timestamp, Stop> {
        let remembered = self.state.public_since(&included.id).filter(|_| !self.is_of_other_trust);
        let proven = self.public_since.get(&included.id).copied();
        let was_late = self.state.is_late(&included.id) && !self.is_of_other_trust;
        if let Some(known) = proven.or(remembered.filter(|_| !self.doubts_times)) {
            if proven.is_none() && was_late {
                self.dated_here.insert(included.id);
            }
            self.public_since.insert(included.id, known);
            return Ok(known);
        }
        let proof = self.seen_proof(&included.id)?;
        let resource = Resource::SeenProof(included.id);
        if proof.index != included.index {
            return Err(malformed(&resource, "another place in the log"));
        }
        let (earliest, is_here) = match proof.verify(entry, self.policy.log(), self.policy.trust()) {
            Ok(times) => (times.earliest, false),
            // The log has a quorum of its own, and this policy may ask for more.
            Err(TlogProofError::NoQuorum) => (self.seen_here(&proof, entry, bundle)?, true),
            Err(error) => return Err(malformed(&resource, error)),
        };
        self.check_seen(&proof, bundle)?;
        // A source may show a later proof each time. What once was public remains so.
        let shown = self.state.shown_since(&included.id).filter(|_| !self.is_of_other_trust);
        let known = [remembered, shown].into_iter().flatten().min();
        let since = known.map_or(earliest, |known| known.min(earliest));
        // Whose word it is that counts: that of this proof, or what is remembered. What was proven stays so, unless this proof is from before
        // that: whoever has no key can prove it under a later checkpoint than the first, which may be by another quorum.
        let is_late = match known.filter(|known| *known <= earliest) {
            Some(known) if is_here => was_late || self.is_from_before(&included.id, &proof.checkpoint, known),
            Some(known) => was_late && known < earliest,
            None => is_here,
        };
        if is_late {
            self.dated_here.insert(included.id);
        } else {
            self.dated_here.remove(&included.id);
            if since == earliest && !is_here {
                self.proven_in.insert(included.id, proof.checkpoint.checkpoint().size);
            }
        }
        self.public_since.insert(included.id, since);
        self.shown_since.insert(included.id, since);
        Ok(since)
    }

    /// Since when a statement is public whose seen proof is by another quorum than the policy's: since that of the policy
    /// cosigned the fresh checkpoint, under which it is proven.
    fn seen_here(&self, proof: &TlogProof, entry: &[u8], bundle: &Bundle) -> Result<Timestamp, Stop> {
        let resource = Resource::Bundle(self.policy.list().clone());
        proof.verify_inclusion(entry).map_err(|error| malformed(&resource, error))?;
        let fresh = self.policy.trust().newest_times(&bundle.checkpoint);
        let times = fresh.map_err(|error| malformed(&resource, error))?;
        times.map(|times| times.earliest).ok_or_else(|| malformed(&resource, TlogProofError::NoQuorum))
    }

    /// In which trees the editions were proven that were asked for: no other statement is judged by whether a time is late.
    pub(super) fn editions_proven_in(&self) -> BTreeMap<StatementId, TreeSize> {
        let proven = |logged: &LoggedCharter| {
            let id = logged.charter.id();
            self.proven_in.get(&id).map(|size| (id, *size))
        };
        self.charters.iter().filter_map(proven).collect()
    }

    /// Whether the checkpoint of a proof, which the quorum has not cosigned, is from before that by which the time that is known was proven.
    fn is_from_before(&self, id: &StatementId, checkpoint: &CheckpointNote, known: Timestamp) -> bool {
        let proven_in = self.proven_in.get(id).copied().or_else(|| self.state.proven_in(id));
        let witnesses = self.policy.trust().witness_keys();
        let lines = cosignature::cosignatures(checkpoint.note(), &witnesses).unwrap_or_default();
        // Witnesses cosign one checkpoint at different seconds, and the time that is known is not the first of these.
        let is_before = |at: Timestamp| known.since(at) > MAX_CLOCK_DIFFERENCE;
        proven_in.is_some_and(|proven| checkpoint.checkpoint().size < proven)
            || lines.iter().any(|(_, at)| is_before(*at))
    }

    pub(super) fn seen_proof(&self, id: &StatementId) -> Result<TlogProof, Stop> {
        let resource = Resource::SeenProof(*id);
        let proof = TlogProof::parse(self.resource(resource.clone())?).map_err(|error| malformed(&resource, error))?;
        if !proof.checkpoint.checkpoint().extensions.is_empty() {
            return Err(malformed(&resource, "a checkpoint with extension lines, which this log does not have"));
        }
        Ok(TlogProof { checkpoint: self.counted(&proof.checkpoint), ..proof })
    }

    /// The checkpoint of a seen proof belongs to the history of the fresh one.
    fn check_seen(&mut self, proof: &TlogProof, bundle: &Bundle) -> Result<(), Stop> {
        let size = |size: TreeSize| size.0;
        let (seen, fresh) = (proof.checkpoint.checkpoint().size, bundle.checkpoint.checkpoint().size);
        if size(seen) <= size(fresh) {
            self.check_consistent(&proof.checkpoint, &bundle.checkpoint)
        } else {
            // The log went on between two answers.
            self.check_consistent(&bundle.checkpoint, &proof.checkpoint)
        }
    }

    /// Every edition of the list's charter, judged in order; one of them is the one that the policy pins.
    pub(super) fn check_editions(&mut self, bundle: &Bundle) -> Result<Arc<Editions>, Stop> {
        let editions = match &self.editions {
            Some(editions) => editions.clone(),
            None => Arc::new(self.judge_editions(bundle)?),
        };
        self.editions = Some(editions.clone());
        if editions.find(self.policy.charter()).is_none() {
            return Err(Rejection::OtherList.into());
        }
        self.check_known(bundle, &editions)?;
        Ok(editions)
    }

    fn judge_editions(&mut self, bundle: &Bundle) -> Result<Editions, Stop> {
        while let Some(included) = bundle.charters.get(self.charters.len()) {
            let statement = self.logged(bundle, included)?;
            let public_since = self.public_since(bundle, included, &statement.to_bytes())?;
            let resource = Resource::Statement(included.id);
            let charter = statement.into_charter().ok_or_else(|| malformed(&resource, "not a charter"))?;
            self.charters.push(LoggedCharter { charter, index: included.index, public_since });
        }
        let logged = self.charters.iter().map(|logged| (logged.charter.clone(), logged.index, logged.public_since));
        let is_late = |id: &StatementId| self.dated_here.contains(id);
        let editions = Editions::of_dated(self.policy.log().name(), self.policy.list(), logged.collect(), is_late);
        editions.map_err(|(statement, violation)| {
            // A line that must not be there stands there at any time.
            let is_consent = matches!(
                violation,
                Violation::MaintainerMissing { .. }
                    | Violation::TooFewCurators { .. }
                    | Violation::TooFewJurisdictions { .. }
            );
            match is_consent && self.has_consent(&statement) {
                true => Rejection::ByTimes { statement, violation }.into(),
                false => rule(statement, violation),
            }
        })
    }

    /// Whether an edition has the consent of the one before it and its own. What else it lacks depends on since when that one is public.
    fn has_consent(&self, edition: &StatementId) -> bool {
        let mut before = None;
        for LoggedCharter { charter, .. } in &self.charters {
            if charter.id() == *edition {
                return before.is_some() && signatures::edition_after(charter, before).is_ok();
            }
            before = Some(charter);
        }
        false
    }

    /// The editions continue those that this client knows: one successor each, and none is forgotten.
    fn check_known(&self, bundle: &Bundle, editions: &Editions) -> Result<(), Stop> {
        if let Some(accepted) = self.state.accepted() {
            let mut numbered = editions.all().iter().filter(|edition| edition.number() == accepted.edition);
            if let Some(other) = numbered.find(|edition| edition.id() != accepted.charter) {
                let (number, first, second) = (accepted.edition, accepted.charter, other.id());
                let violation = Violation::Equivocation { series: Series::Edition, number, first, second };
                let evidence = self.two_editions(bundle, editions, other).map(Box::new);
                return Err(Rejection::Rule { statement: second, violation, evidence }.into());
            }
        }
        let shown = self.state.editions_in(bundle.checkpoint.checkpoint().size);
        match self.state.editions_of_accepted().chain(shown).find(|id| editions.find(id).is_none()) {
            Some(id) => {
                let resource = Resource::Bundle(self.policy.list().clone());
                Err(malformed(&resource, format!("without the charter {id}, which this client knows")))
            }
            None => Ok(()),
        }
    }
}

impl Update {
    /// That `other`, which stands in the log, and the charter of the list in force are two texts for one edition.
    fn two_editions(&self, bundle: &Bundle, editions: &Editions, other: &Edition) -> Option<Evidence> {
        let list = self.in_force.as_ref()?;
        let Logged { charter_index, charter_path, .. } = &list.accepted().proof;
        let accepted = list.accepted().proof.checkpoint()?;
        let before = editions.all().iter().find(|edition| edition.number() + 1 == other.number());
        let place = |edition: &Edition| {
            let included = bundle.charters.iter().find(|charter| charter.id == edition.id())?;
            Some(proof(included.index, &included.path, &bundle.checkpoint))
        };
        let before = before.map(|before| Some((before, place(before)?)));
        let before = if other.number() == 1 { None } else { Some(before??) };
        let evidence = Evidence::two_editions(
            before.as_ref().map(|(before, proof)| InLog { statement: before.signed(), proof }),
            InLog { statement: list.signed_charter(), proof: &proof(*charter_index, charter_path, &accepted) },
            InLog { statement: other.signed(), proof: &place(other)? },
        );
        evidence.verify(self.policy.trust()).is_ok().then_some(evidence)
    }
}

/// The rejection of a statement that breaks a rule, where no evidence is at hand.
pub(super) fn rule(statement: StatementId, violation: Violation) -> Stop {
    Rejection::Rule { statement, violation, evidence: None }.into()
}
