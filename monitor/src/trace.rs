//! In which versions of a list did one entry stand, and was it removed in time? With a proof for each version, so that
//! whoever complained can show it to others: a membership or non-membership proof under the root that the release names,
//! and the release's own proof that it is in the log.

use crate::assess::{AssessError, content, find_list, read_log, stored};
use crate::kept::{ListHistory, LoggedRelease};
use crate::monitor::{Config, Monitor};
use crate::report::charter_of;
use isonomy_core::attestation::{Attestation, Complaint};
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::{Commitment, sha256};
use isonomy_core::json::Lines;
use isonomy_core::list::{Entries, MembershipProof, NonMembershipProof};
use isonomy_core::release::Release;
use isonomy_core::statement::{ListName, Signed};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use serde::Serialize;

/// The form of the report.
pub const FORMAT: &str = "isonomy/trace/v1";

/// Where one entry stood.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Trace {
    /// Always [`FORMAT`].
    pub trace: &'static str,
    /// The list.
    pub list: String,
    /// The entry, in hexadecimal.
    pub entry: String,
    /// Every version, the oldest first.
    pub versions: Vec<InVersion>,
    /// The logged complaint that is about this entry, if the salt was given and one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complaint: Option<Complained>,
}

/// Whether the entry stands in a version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct InVersion {
    /// The version.
    pub version: u64,
    /// Since when it is public.
    pub public_since: Timestamp,
    /// Whether the entry stands in it.
    pub listed: bool,
    /// That it does, or does not, under the root that the release names.
    pub proof: ListProof,
    /// The place of the release in the log.
    pub release_index: LeafIndex,
    /// The release: a note.
    pub release: Lines,
    /// That it is there: a tlog-proof. Absent while the copy is incomplete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release_proof: Option<Lines>,
}

/// A proof about an entry of a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListProof {
    /// It stands there.
    Membership(MembershipProof),
    /// It does not.
    NonMembership(NonMembershipProof),
}

/// What became of a complaint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Complained {
    /// The attestation, in hexadecimal.
    pub attestation: String,
    /// When the complaint was received.
    pub received: Timestamp,
    /// Until when a wrong entry must go.
    pub deadline: Timestamp,
    /// Whether the entry stood in the list when the complaint was received: in the newest version that was public then.
    pub listed: bool,
    /// The first version from then on without the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone_in: Option<u64>,
    /// Since when that is public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone_since: Option<Timestamp>,
    /// The first version after that with the entry again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back_in: Option<u64>,
    /// Whether the entry went in time; absent while the deadline runs and it is still there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_time: Option<bool>,
}

/// Follows the log, and one entry of one list through all versions.
pub async fn trace(
    config: Config,
    list: &ListName,
    entry: &[u8],
    salt: Option<&[u8]>,
    clock: Timestamp,
) -> Result<Trace, AssessError> {
    let (monitor, _) = read_log(config, None, clock).await?;
    let logged = find_list(&monitor, list)?;
    if let Some(algorithm) = monitor.algorithm(list).filter(|algorithm| algorithm.entry_size() != entry.len()) {
        return Err(AssessError::EntrySize { algorithm, expected: algorithm.entry_size(), found: entry.len() });
    }
    if logged.releases().is_empty() {
        return Err(AssessError::Empty);
    }
    let mut versions = Vec::new();
    for (version, place) in (1..).zip(logged.releases()) {
        let release = stored(&monitor, list, version, place)?;
        let entries = content(&monitor.vantages, release.body(), entry.len()).await?;
        versions.push(in_version(&monitor, (place, &release), &entries, entry).ok_or(AssessError::Empty)?);
    }
    let complaint = salt.and_then(|salt| complained(&monitor, logged, &versions, (salt, entry), clock));
    Ok(Trace { trace: FORMAT, list: list.to_string(), entry: to_hex(entry), versions, complaint })
}

fn in_version(
    monitor: &Monitor,
    (logged, release): (&LoggedRelease, &Signed<Release>),
    entries: &Entries,
    entry: &[u8],
) -> Option<InVersion> {
    let proof = match entries.binary_search(entry) {
        Ok(index) => ListProof::Membership(MembershipProof::new(entries, index)?),
        Err(_) => ListProof::NonMembership(NonMembershipProof::new(entries, entry)?),
    };
    Some(InVersion {
        version: release.body().version,
        public_since: logged.public_since,
        listed: matches!(proof, ListProof::Membership(_)),
        proof,
        release_index: logged.index,
        release: Lines::of(release.note()),
        release_proof: monitor.mirror.own_proof(logged.index).map(Lines::of),
    })
}

/// What became of the complaint whose commitment opens to this salt and entry.
fn complained(
    monitor: &Monitor,
    list: &ListHistory,
    versions: &[InVersion],
    (salt, entry): (&[u8], &[u8]),
    clock: Timestamp,
) -> Option<Complained> {
    let commitment = Commitment(sha256(&[salt, entry]));
    let opens = |found: &Signed<Attestation>| {
        found.body().complaint.as_ref().is_some_and(|complaint| complaint.commitment == commitment)
    };
    let mut attestations = list.attestations().iter().filter_map(|logged| monitor.attestation_at(logged));
    let found = attestations.find(opens)?;
    let Attestation { list: name, release, complaint: Some(Complaint { received, .. }), .. } = found.body() else {
        return None;
    };
    let about = list.version(monitor.audit.history().version_of(name, release)?)?;
    let deadline = received.plus(charter_of(list.editions(), about)?.redress.removal_deadline);
    Some(course(versions, found.id().to_hex(), *received, deadline, clock))
}

/// What became of an entry after a complaint that was received at that time.
fn course(
    versions: &[InVersion],
    attestation: String,
    received: Timestamp,
    deadline: Timestamp,
    clock: Timestamp,
) -> Complained {
    let newest_then = versions.iter().rposition(|one| one.public_since <= received);
    let listed = newest_then.and_then(|at| versions.get(at)).is_some_and(|one| one.listed);
    let mut from_then = versions.iter().skip(newest_then.unwrap_or(0));
    let gone = from_then.find(|one| !one.listed);
    let back = from_then.find(|one| one.listed);
    let gone_since = gone.map(|one| one.public_since);
    let in_time = match gone_since {
        Some(since) => Some(since <= deadline),
        None => (clock > deadline).then_some(false),
    };
    let (gone_in, back_in) = (gone.map(|one| one.version), back.map(|one| one.version));
    Complained { attestation, received, deadline, listed, gone_in, gone_since, back_in, in_time }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Versions that are public since these times, each with or without the entry.
    fn versions(listed: &[(u64, bool)]) -> Vec<InVersion> {
        let one = Entries::from_unsorted(32, vec![1; 32]).unwrap().0;
        let version = |(version, (since, listed)): (u64, &(u64, bool))| InVersion {
            version,
            public_since: Timestamp(*since),
            listed: *listed,
            proof: ListProof::Membership(MembershipProof::new(&one, 0).unwrap()),
            release_index: LeafIndex(version),
            release: Lines::of("note\n"),
            release_proof: None,
        };
        (1..).zip(listed).map(version).collect()
    }

    #[test]
    fn a_complaint_is_measured_by_what_was_public_when_it_came() {
        // A complaint of time 100 with a deadline at 200.
        for (listed, clock, expected) in [
            // It runs, is over, was met, was missed.
            (&[(10, true)][..], 150, (true, None, None, None)),
            (&[(10, true)], 201, (true, None, None, Some(false))),
            (&[(10, true), (120, true), (150, false)], 300, (true, Some(3), None, Some(true))),
            (&[(10, true), (250, false)], 300, (true, Some(2), None, Some(false))),
            // It was gone before: nobody is late.
            (&[(10, true), (50, false)], 300, (false, Some(2), None, Some(true))),
            // It went, and came again.
            (&[(10, true), (150, false), (160, true)], 300, (true, Some(2), Some(3), Some(true))),
            // It came later than the complaint.
            (&[(150, true)], 160, (false, None, None, None)),
        ] {
            let found = course(&versions(listed), String::new(), Timestamp(100), Timestamp(200), Timestamp(clock));
            assert_eq!((found.listed, found.gone_in, found.back_in, found.in_time), expected, "{listed:?} {clock}");
        }
    }
}
