//! Checking the file, offline: with the log's and witnesses' keys alone, whoever made it.

use super::course::{Complained, Logged, course};
use super::{Complaint, FORMAT, InLog, ListProof, MAX_TRACE_SIZE, Trace};
use crate::report::is_dated_ahead;
use isonomy_core::charter::Charter;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::encoding::from_hex;
use isonomy_core::hash::{Commitment, StatementId, sha256};
use isonomy_core::json::Lines;
use isonomy_core::note::VerifierKey;
use isonomy_core::policy::Policy;
use isonomy_core::release::Release;
use isonomy_core::rules::signatures;
use isonomy_core::statement::{Signed, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::LeafIndex;

/// Why a file does not show what it says.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TraceError {
    /// It is none.
    #[error("not a trace: {0}")]
    Malformed(String),
    /// A signature or proof in it is wrong, or it says what does not follow from them.
    #[error("the trace does not hold: {0}")]
    Unproven(String),
}

/// Charters with their places in the log.
type Charters = [(LeafIndex, Signed<Charter>)];

fn unproven(problem: impl std::fmt::Display) -> TraceError {
    TraceError::Unproven(problem.to_string())
}

impl Complained {
    /// Before it is worked out.
    pub(super) fn unknown() -> Self {
        let (auditor, never) = (String::new(), Timestamp(0));
        let complaint = Logged { index: LeafIndex(0), auditor, received: never, since: never, removal: 0 };
        course(&[], complaint, Timestamp(0))
    }
}

impl Trace {
    /// Parses a file of at most [`MAX_TRACE_SIZE`], and checks it against the log and witnesses of `policy`: every proof and
    /// signature in it, and that whatever else it says follows from them.
    pub fn verify(bytes: &[u8], policy: &Policy) -> Result<Self, TraceError> {
        if bytes.len() > MAX_TRACE_SIZE {
            return Err(TraceError::Malformed(format!("larger than {MAX_TRACE_SIZE} bytes")));
        }
        let stated: Self = serde_json::from_slice(bytes).map_err(|error| TraceError::Malformed(error.to_string()))?;
        let shown = stated.clone().completed(policy)?;
        if shown == stated { Ok(shown) } else { Err(unproven("it says what does not follow from its proofs")) }
    }

    /// Checks every proof, and fills in what follows from them, whatever stands there.
    pub(super) fn completed(mut self, policy: &Policy) -> Result<Self, TraceError> {
        if self.trace != FORMAT {
            return Err(TraceError::Malformed(format!("its form is not {FORMAT}")));
        }
        let entry = from_hex(&self.entry).ok_or_else(|| unproven("the entry is not hexadecimal"))?;
        let (log, as_of) = newest(policy, &self.checkpoint)?;
        self.as_of = as_of;
        let check = Check { policy, log: &log };
        let charters = check.charters(&self)?;
        let mut before: Option<(StatementId, LeafIndex)> = None;
        let (mut times, mut releases) = (Vec::new(), Vec::new());
        for (number, one) in (1..).zip(&mut self.versions) {
            let (release, since) = check.statement(&one.release)?;
            let release = release.into_release().ok_or_else(|| unproven("not a release"))?;
            let body = release.body();
            let follows = body.version == number && body.previous == before.map(|(id, _)| id);
            if body.list != self.list || !follows || before.is_some_and(|(_, index)| index >= one.release.index) {
                return Err(unproven(format!("version {number} does not follow the one before it")));
            }
            let charter = cited(&charters, body.charter, one.release.index)?;
            signatures::release(&release, charter.body()).map_err(unproven)?;
            (one.version, one.created) = (number, body.created);
            one.listed = is_listed(&one.proof, body, &entry)?;
            before = Some((release.id(), one.release.index));
            releases.push((release.id(), body.charter));
            times.push((one.release.index, since));
        }
        for complaint in &self.complaints {
            times.push((complaint.attestation.index, check.statement(&complaint.attestation)?.1));
        }
        for one in &mut self.versions {
            one.public_since = earliest(&times, one.release.index);
        }
        for complaint in &mut self.complaints {
            let since = earliest(&times, complaint.attestation.index);
            let logged = check.complaint(complaint, (&releases, &charters), &entry, since)?;
            complaint.course = course(&self.versions, logged, as_of);
        }
        self.complaints.sort_by_key(|complaint| (complaint.course.deadline, complaint.attestation.index));
        let is_twice = |pair: &[Complaint]| {
            pair.first().map(|one| one.attestation.index) == pair.get(1).map(|one| one.attestation.index)
        };
        match self.complaints.windows(2).any(is_twice) {
            true => Err(unproven("a complaint stands in it twice")),
            false => Ok(self),
        }
    }
}

/// What covers a statement covers those before it, so none is public later than one after it.
fn earliest(times: &[(LeafIndex, Timestamp)], index: LeafIndex) -> Timestamp {
    times.iter().filter(|(at, _)| *at >= index).map(|(_, since)| *since).min().unwrap_or_default()
}

/// A checkpoint that a log of the policy signed and the quorum cosigned: the log's key, and the time that the quorum
/// vouches for.
fn newest(policy: &Policy, lines: &Lines) -> Result<(VerifierKey, Timestamp), TraceError> {
    let note = CheckpointNote::parse(lines.to_text().as_bytes()).map_err(unproven)?;
    let key = policy.log_of(&note).ok_or_else(|| unproven("the checkpoint isn't signed by a log of the policy"))?;
    let times = policy.seen_times(&note).map_err(unproven)?;
    Ok((key.clone(), times.ok_or_else(|| unproven("too few witnesses cosigned the checkpoint"))?.latest))
}

fn cited(charters: &Charters, id: StatementId, before: LeafIndex) -> Result<&Signed<Charter>, TraceError> {
    let found = charters.iter().find(|(index, charter)| charter.id() == id && *index < before);
    found.map(|(_, charter)| charter).ok_or_else(|| unproven("a release cites a charter that is not in it"))
}

fn is_listed(proof: &ListProof, release: &Release, entry: &[u8]) -> Result<bool, TraceError> {
    match proof {
        ListProof::Membership(proof) => {
            proof.verify(&release.root, release.entries).map_err(unproven)?;
            if proof.entry == entry { Ok(true) } else { Err(unproven("a proof is about another entry")) }
        }
        ListProof::NonMembership(proof) => {
            proof.verify(entry, &release.root, release.entries).map_err(unproven)?;
            Ok(false)
        }
    }
}

struct Check<'c> {
    policy: &'c Policy,
    log: &'c VerifierKey,
}

impl Check<'_> {
    /// A statement, and since when it is public by its proof.
    fn statement(&self, logged: &InLog) -> Result<(Statement, Timestamp), TraceError> {
        let entry = logged.statement.to_text();
        let statement = Statement::parse(entry.as_bytes()).map_err(unproven)?;
        let proof = TlogProof::parse(logged.proof.to_text().as_bytes()).map_err(unproven)?;
        let times = proof.verify(entry.as_bytes(), self.log, self.policy).map_err(unproven)?;
        if proof.index != logged.index {
            return Err(unproven("a statement is at another place than is said"));
        }
        Ok((statement, times.earliest))
    }

    fn charters(&self, trace: &Trace) -> Result<Vec<(LeafIndex, Signed<Charter>)>, TraceError> {
        let read = |logged: &InLog| {
            let charter = self.statement(logged)?.0.into_charter().ok_or_else(|| unproven("not a charter"))?;
            let counts = charter.body().list == trace.list && charter.body().log == self.log.name();
            counts.then_some((logged.index, charter)).ok_or_else(|| unproven("a charter is of another list or log"))
        };
        trace.charters.iter().map(read).collect()
    }

    /// The complaint, whose commitment opens to the entry by the salt; `releases` are the ids of versions and of the charters
    /// that they cite.
    fn complaint(
        &self,
        complaint: &Complaint,
        (releases, charters): (&[(StatementId, StatementId)], &Charters),
        entry: &[u8],
        since: Timestamp,
    ) -> Result<Logged, TraceError> {
        let salt = from_hex(&complaint.salt).ok_or_else(|| unproven("the salt is not hexadecimal"))?;
        let attestation = self.statement(&complaint.attestation)?.0;
        let attestation = attestation.into_attestation().ok_or_else(|| unproven("not an attestation"))?;
        signatures::attestation(&attestation).map_err(unproven)?;
        let body = attestation.body();
        let about = releases.iter().find(|(id, _)| *id == body.release);
        let (_, charter) = about.ok_or_else(|| unproven("the complaint is about no version of the list"))?;
        let charter = cited(charters, *charter, complaint.attestation.index)?;
        let opened = body.complaint.as_ref();
        let opened = opened.filter(|logged| logged.commitment == Commitment(sha256(&[&salt, entry])));
        let received = opened.ok_or_else(|| unproven("the complaint is not about this entry"))?.received;
        if is_dated_ahead(body, since) {
            return Err(unproven("the complaint counts for nothing: it is dated ahead of when the log shows it"));
        }
        let (index, removal) = (complaint.attestation.index, charter.body().redress.removal_deadline);
        Ok(Logged { index, auditor: body.auditor.name().to_owned(), received, since, removal })
    }
}
