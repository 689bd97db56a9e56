//! Making the file: from the log, read and audited up to its newest checkpoint.

use super::course::{Complained, Standing};
use super::{Complaint, FORMAT, InLog, InVersion, ListProof, Trace};
use crate::assess::{AssessError, content, find_list, read_log, stored};
use crate::kept::{ListHistory, LoggedRelease};
use crate::monitor::{Config, Monitor};
use crate::report::{LeftOutRemovals, Stated, impossible};
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::{Commitment, sha256};
use isonomy_core::json::Lines;
use isonomy_core::list::{Entries, MembershipProof, NonMembershipProof};
use isonomy_core::note::Note;
use isonomy_core::release::Release;
use isonomy_core::statement::{ListName, Signed, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use std::collections::BTreeMap;

/// A trace, and what whoever reads the log learns beside it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Traced {
    /// The file.
    pub trace: Trace,
    /// Of each release in the log that is none of the versions, or of which it can't be told whether it keeps the rules, what is
    /// found about it, in words. No file proves that there are no others.
    pub found: Vec<String>,
    /// Those among these that would remove something, and were not taken up.
    pub left_out: LeftOutRemovals,
}

impl Traced {
    /// How a complaint of the file stands for whoever has read the log: nobody is called late where a release that was not taken up would
    /// have removed something in time.
    pub fn standing(&self, complaint: &Complaint) -> Standing {
        let (received, logged) = (complaint.course.received, complaint.attestation.index);
        let in_time = || self.left_out.in_time((received, logged), complaint.course.deadline_by_log);
        match self.trace.standing(complaint) {
            Standing::Late if in_time().is_some() => Standing::Unproven,
            standing => standing,
        }
    }
}

/// Follows the log, and one entry of one list through all versions.
pub async fn trace(
    config: Config,
    list: &ListName,
    entry: &[u8],
    salts: &[Vec<u8>],
    clock: Timestamp,
) -> Result<Traced, AssessError> {
    let monitor = read_log(config, clock).await?;
    let logged = find_list(&monitor, list)?;
    if let Some(algorithm) = monitor.algorithm(list).filter(|algorithm| algorithm.entry_size() != entry.len()) {
        return Err(AssessError::EntrySize { algorithm, expected: algorithm.entry_size(), found: entry.len() });
    }
    if logged.releases().is_empty() {
        return Err(AssessError::Empty);
    }
    let unproven = monitor.unproven();
    let mut versions = Vec::new();
    for (version, place) in (1..).zip(logged.releases()) {
        let release = stored(&monitor, list, version, place)?;
        let entries = content(&monitor.vantages, release.body(), entry.len()).await?;
        let proof = proof_about(&entries, entry).ok_or(AssessError::Empty)?;
        let one = in_version(&monitor, (place, &release), proof)?;
        versions.push(InVersion { unproven: unproven.contains(&place.index), ..one });
    }
    let newest = monitor.mirror.newest().ok_or(AssessError::Empty)?;
    let made = Trace {
        trace: FORMAT.to_owned(),
        list: list.clone(),
        entry: to_hex(entry),
        as_of: newest.now().unwrap_or_default(),
        checkpoint: Lines::of(newest.note()),
        charters: charters(&monitor, logged)?,
        versions,
        complaints: complaints(&monitor, logged, salts, entry)?,
    };
    // What follows from the proofs is worked out as whoever checks the file does.
    let trace = made.completed(monitor.trust.policy()).map_err(|error| AssessError::Log(error.to_string()))?;
    let left_out = LeftOutRemovals::among(monitor.audit.left_out(list));
    Ok(Traced { trace, found: found(&monitor, (list, logged)), left_out })
}

/// What is found about the releases that were refused, or could not be judged.
fn found(monitor: &Monitor, (name, list): (&ListName, &ListHistory)) -> Vec<String> {
    let undecided = monitor.audit.undecided(name);
    let is_left_out = |index: LeafIndex| {
        let is_release = matches!(monitor.mirror.statement(index), Some(Statement::Release(_)));
        is_release && (list.version_at(index).is_none() || undecided.contains(&index))
    };
    let about = monitor.audit.findings().iter().filter(|found| found.list.as_ref() == Some(name));
    let about = about.filter(|found| found.code != "stale-draft" && found.index.is_some_and(is_left_out));
    about.map(|found| found.words.clone()).collect()
}

fn proof_about(entries: &Entries, entry: &[u8]) -> Option<ListProof> {
    Some(match entries.binary_search(entry) {
        Ok(index) => ListProof::Membership(MembershipProof::new(entries, index)?),
        Err(_) => ListProof::NonMembership(NonMembershipProof::new(entries, entry)?),
    })
}

fn in_version(
    monitor: &Monitor,
    (logged, release): (&LoggedRelease, &Signed<Release>),
    proof: ListProof,
) -> Result<InVersion, AssessError> {
    Ok(InVersion {
        version: release.body().version,
        created: logged.created,
        public_since: logged.public_since,
        unproven: false,
        open: false,
        listed: matches!(proof, ListProof::Membership(_)),
        proof,
        release: in_log(monitor, release.note(), logged.index)?,
    })
}

/// A statement with the proof that says the most about since when it is public.
fn in_log(monitor: &Monitor, note: &Note, index: LeafIndex) -> Result<InLog, AssessError> {
    let lost = || AssessError::Log(format!("entry {index} can't be proven from the copy"));
    Ok(InLog { statement: Lines::of(note), index, proof: Lines::of(monitor.earliest_proof(index).ok_or_else(lost)?) })
}

/// The editions of the charter up to the newest release.
fn charters(monitor: &Monitor, list: &ListHistory) -> Result<Vec<InLog>, AssessError> {
    let newest = list.releases().last().map(|logged| logged.index);
    let before = list.editions().all().iter().filter(|edition| newest.is_some_and(|newest| edition.index() < newest));
    before.map(|edition| in_log(monitor, edition.signed().note(), edition.index())).collect()
}

/// Every complaint whose commitment opens to one of these salts and the entry, of those that say nothing that can't be: whoever has seen
/// the commitment may have logged another one, before or after.
fn complaints(
    monitor: &Monitor,
    list: &ListHistory,
    salts: &[Vec<u8>],
    entry: &[u8],
) -> Result<Vec<Complaint>, AssessError> {
    let salts: BTreeMap<Commitment, &[u8]> =
        salts.iter().map(|salt| (Commitment(sha256(&[salt, entry])), salt.as_slice())).collect();
    let mut found = Vec::new();
    for logged in list.attestations().iter().filter(|_| !salts.is_empty()) {
        let Some(attestation) = monitor.attestation_at(logged) else { continue };
        let complaint = attestation.body().complaint.as_ref();
        let Some(salt) = complaint.and_then(|complaint| salts.get(&complaint.commitment)) else { continue };
        let since = monitor.audit.public_since(logged.index);
        let about = monitor.audit.history().version_of(&attestation.body().list, &attestation.body().release);
        let about = about.and_then(|version| list.version(version));
        if impossible(&Stated::of(attestation.body()), logged.index, since, about).is_none() {
            let attestation = in_log(monitor, attestation.note(), logged.index)?;
            found.push(Complaint { attestation, salt: to_hex(salt), course: Complained::unknown() });
        }
    }
    Ok(found)
}
