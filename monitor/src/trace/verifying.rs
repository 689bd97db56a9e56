//! Checking the file, offline: with the log's and witnesses' keys alone, whoever made it.

use super::course::{Complained, Logged, course};
use super::{Complaint, FORMAT, InLog, ListProof, MAX_TRACE_SIZE, Trace};
use crate::audit::{Audit, Verdict};
use crate::kept::History;
use crate::report::{Removal, Stated, impossible};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::encoding::from_hex;
use isonomy_core::hash::{Commitment, StatementId, sha256};
use isonomy_core::json::Lines;
use isonomy_core::note::VerifierKey;
use isonomy_core::policy::Policy;
use isonomy_core::release::Release;
use isonomy_core::statement::{ListName, Signed, Statement};
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

fn unproven(problem: impl std::fmt::Display) -> TraceError {
    TraceError::Unproven(problem.to_string())
}

impl Complained {
    /// Before it is worked out.
    pub(super) fn unknown() -> Self {
        let (auditor, never) = (String::new(), Timestamp(0));
        let complaint =
            Logged { index: LeafIndex(0), auditor, received: never, since: never, removal: Removal::default() };
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

    /// Checks every proof, judges what the file has as whoever reads the log does, and fills in what follows, whatever stands there.
    pub(super) fn completed(mut self, policy: &Policy) -> Result<Self, TraceError> {
        if self.trace != FORMAT {
            return Err(TraceError::Malformed(format!("its form is not {FORMAT}")));
        }
        let entry = from_hex(&self.entry).ok_or_else(|| unproven("the entry is not hexadecimal"))?;
        let (log, as_of) = newest(policy, &self.checkpoint)?;
        self.as_of = as_of;
        let check = Check { policy, log: &log };
        let mut read = check.charters(&self)?;
        let mut before: Option<(StatementId, LeafIndex)> = None;
        for (number, one) in (1..).zip(&mut self.versions) {
            let release = check.statement(&one.release)?;
            let body = release.release()?.body();
            let follows = body.version == number && body.previous == before.map(|(id, _)| id);
            if body.list != self.list || !follows || before.is_some_and(|(_, index)| index >= one.release.index) {
                return Err(unproven(format!("version {number} does not follow the one before it")));
            }
            (one.version, one.created) = (number, body.created);
            one.listed = is_listed(&one.proof, body, &entry)?;
            before = Some((release.statement.id(), one.release.index));
            read.push(release);
        }
        let complaints: Vec<Read> =
            self.complaints.iter().map(|one| check.statement(&one.attestation)).collect::<Result<_, _>>()?;
        let is_twice = |pair: &[LeafIndex]| matches!(pair, [one, other] if one == other);
        let mut places: Vec<LeafIndex> = complaints.iter().map(|one| one.index).collect();
        places.sort_unstable();
        if places.windows(2).any(is_twice) {
            return Err(unproven("a complaint stands in it twice"));
        }
        read.extend(complaints.iter().cloned());
        let times: Vec<(LeafIndex, Timestamp)> = read.iter().map(|one| (one.index, one.since)).collect();
        let (audit, open) = judged(&log, read, &times)?;
        for one in &mut self.versions {
            one.public_since = earliest(&times, one.release.index);
            one.open = open.is_some_and(|open| one.release.index >= open);
        }
        for (complaint, logged) in self.complaints.iter_mut().zip(complaints) {
            let since = earliest(&times, logged.index);
            let logged = complained((complaint, logged), audit.history(), (&self.list, &entry), since)?;
            complaint.course = course(&self.versions, logged, as_of);
        }
        self.complaints.sort_by_key(|complaint| (complaint.course.deadline, complaint.attestation.index));
        Ok(self)
    }
}

/// Judges charters, releases and complaints in the order of the log, by the times that the file shows, with the rules of whoever reads the log. One
/// against which times alone speak accuses nobody, and shows nothing: from the first of these on, it can't be told what was in use.
fn judged(
    log: &VerifierKey,
    mut read: Vec<Read>,
    times: &[(LeafIndex, Timestamp)],
) -> Result<(Audit, Option<LeafIndex>), TraceError> {
    read.sort_by_key(|one| one.index);
    let (mut audit, mut open) = (Audit::new(log), None);
    for Read { index, statement, .. } in read {
        let refused = match audit.record_at(index, statement, earliest(times, index)) {
            Verdict::Kept => continue,
            Verdict::Refused(refused) | Verdict::NotJudged(refused) => refused,
            Verdict::Baseless => return Err(unproven(format!("entry {index} builds on what breaks a rule"))),
        };
        let rests_on_times = audit.rests_on_times(&refused.statement, &refused.violation).is_some();
        if !rests_on_times || audit.leave_open(&refused).is_err() {
            let violation = &refused.violation;
            return Err(unproven(format!("entry {index} breaks {}: {violation}", violation.rule())));
        }
        open.get_or_insert(index);
    }
    Ok((audit, open))
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

/// A statement with its proof, verified.
#[derive(Clone)]
struct Read {
    index: LeafIndex,
    statement: Statement,
    /// Since when it is public, by its own proof.
    since: Timestamp,
}

impl Read {
    fn release(&self) -> Result<&Signed<Release>, TraceError> {
        match &self.statement {
            Statement::Release(release) => Ok(release),
            _ => Err(unproven("not a release")),
        }
    }
}

struct Check<'c> {
    policy: &'c Policy,
    log: &'c VerifierKey,
}

impl Check<'_> {
    /// A statement, and since when it is public by its proof.
    fn statement(&self, logged: &InLog) -> Result<Read, TraceError> {
        let entry = logged.statement.to_text();
        let statement = Statement::parse(entry.as_bytes()).map_err(unproven)?;
        let proof = TlogProof::parse(logged.proof.to_text().as_bytes()).map_err(unproven)?;
        let times = proof.verify(entry.as_bytes(), self.log, self.policy).map_err(unproven)?;
        if proof.index != logged.index {
            return Err(unproven("a statement is at another place than is said"));
        }
        Ok(Read { index: logged.index, statement, since: times.earliest })
    }

    fn charters(&self, trace: &Trace) -> Result<Vec<Read>, TraceError> {
        let read = |logged: &InLog| {
            let read = self.statement(logged)?;
            let Statement::Charter(charter) = &read.statement else { return Err(unproven("not a charter")) };
            let counts = charter.body().list == trace.list && charter.body().log == self.log.name();
            counts.then_some(read).ok_or_else(|| unproven("a charter is of another list or log"))
        };
        trace.charters.iter().map(read).collect()
    }
}

/// The complaint, whose commitment opens to the entry by the salt; `history` is what the file has of the list.
fn complained(
    (complaint, read): (&Complaint, Read),
    history: &History,
    (list, entry): (&ListName, &[u8]),
    since: Timestamp,
) -> Result<Logged, TraceError> {
    let salt = from_hex(&complaint.salt).ok_or_else(|| unproven("the salt is not hexadecimal"))?;
    let (index, attestation) = (read.index, read.statement.into_attestation());
    let attestation = attestation.ok_or_else(|| unproven("not an attestation"))?;
    let body = attestation.body();
    // One of another list is about no version of this one, whatever release it names.
    let about = history.list(list).zip(history.version_of(list, &body.release)).filter(|_| body.list == *list);
    let about = about.filter(|(list, version)| list.version(*version).is_some_and(|logged| logged.index < index));
    let release = about.and_then(|(list, version)| list.version(version));
    let removal = about.and_then(|(list, version)| Removal::after((list, version), index));
    let removal = removal.ok_or_else(|| unproven("the complaint is about no version of the list"))?;
    let opened = body.complaint.as_ref();
    let opened = opened.filter(|logged| logged.commitment == Commitment(sha256(&[&salt, entry])));
    let received = opened.ok_or_else(|| unproven("the complaint is not about this entry"))?.received;
    if let Some(words) = impossible(&Stated::of(body), index, since, release) {
        return Err(unproven(words));
    }
    Ok(Logged { index, auditor: body.auditor.name().to_owned(), received, since, removal })
}
