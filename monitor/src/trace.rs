//! In which versions of a list did one entry stand, and was it removed in time? With a proof for each version, so that
//! whoever complained can show it to others: a membership or non-membership proof under the root that the release names,
//! and the release's own proof that it is in the log.

use crate::assess::{AssessError, content};
use crate::monitor::{Config, Monitor};
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::{Commitment, StatementId, sha256};
use isonomy_core::json::Lines;
use isonomy_core::list::{Entries, MembershipProof, NonMembershipProof};
use isonomy_core::rules::history::{ListHistory, LoggedRelease};
use isonomy_core::statement::ListName;
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
    /// The first version after it without the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone_in: Option<u64>,
    /// Since when that is public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone_since: Option<Timestamp>,
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
    let mut monitor = Monitor::open(config)?;
    monitor.poll_at(clock).await?;
    let history = monitor.audit.history();
    let Some(logged) = history.list(list) else {
        let known: Vec<String> = history.lists().map(|(name, _)| name.to_string()).collect();
        return Err(AssessError::NoList { list: list.clone(), known: known.join(", ") });
    };
    let mut versions = Vec::new();
    for release in logged.releases() {
        let entries = content(&monitor.vantages, release, entry.len()).await?;
        versions.push(in_version(&monitor, release, &entries, entry).ok_or(AssessError::Empty)?);
    }
    let complaint = salt.and_then(|salt| complained(logged, &versions, entry, salt, clock));
    Ok(Trace { trace: FORMAT, list: list.to_string(), entry: to_hex(entry), versions, complaint })
}

fn in_version(monitor: &Monitor, logged: &LoggedRelease, entries: &Entries, entry: &[u8]) -> Option<InVersion> {
    let proof = match entries.binary_search(entry) {
        Ok(index) => ListProof::Membership(MembershipProof::new(entries, index)?),
        Err(_) => ListProof::NonMembership(NonMembershipProof::new(entries, entry)?),
    };
    Some(InVersion {
        version: logged.release.body().version,
        public_since: logged.public_since,
        listed: matches!(proof, ListProof::Membership(_)),
        proof,
        release_index: logged.index,
        release: Lines::of(logged.release.note()),
        release_proof: monitor.mirror.own_proof(logged.index).map(Lines::of),
    })
}

/// The complaint whose commitment opens to this salt and entry.
fn complained(
    list: &ListHistory,
    versions: &[InVersion],
    entry: &[u8],
    salt: &[u8],
    clock: Timestamp,
) -> Option<Complained> {
    let commitment = Commitment(sha256(&[salt, entry]));
    let opens = |found: &&isonomy_core::rules::history::LoggedAttestation| {
        found.attestation.body().complaint.as_ref().is_some_and(|complaint| complaint.commitment == commitment)
    };
    let found = list.attestations().iter().find(opens)?;
    let received = found.attestation.body().complaint.as_ref()?.received;
    let about: StatementId = found.attestation.body().release;
    let release = list.releases().iter().find(|logged| logged.release.id() == about)?;
    let charter = list.editions().find(&release.release.body().charter)?.charter();
    let deadline = received.plus(charter.redress.removal_deadline);
    let gone = versions.iter().find(|one| !one.listed && one.public_since >= received);
    let gone_since = gone.map(|one| one.public_since);
    let in_time = match gone_since {
        Some(since) => Some(since <= deadline),
        None => (clock > deadline).then_some(false),
    };
    let attestation = found.attestation.id().to_hex();
    Some(Complained { attestation, received, deadline, gone_in: gone.map(|one| one.version), gone_since, in_time })
}
