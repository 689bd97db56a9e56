//! What auditors attest, in a report.

use super::releases::charter_of;
use crate::kept::{History, ListHistory};
use isonomy_core::attestation::{Attestation, Complaint, Method};
use isonomy_core::statement::Signed;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{LeafIndex, TreeSize};
use serde::Serialize;

/// What an auditor attested.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct AttestationReport {
    /// Its place in the log.
    pub index: LeafIndex,
    /// The name of the auditor's key.
    pub auditor: String,
    /// What was done.
    pub method: Method,
    /// The version of the release that it is about.
    pub version: u64,
    /// What was found.
    pub finding: String,
    /// When it was made.
    pub created: Timestamp,
    /// For `followed`: up to which size the log was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_size: Option<TreeSize>,
    /// For content methods: how many entries or pictures were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sample: Option<u64>,
    /// For content methods: how many of them were wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<u64>,
    /// For `complaint`: what is known of its course.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complaint: Option<ComplaintReport>,
}

/// The course of a complaint, as far as the log tells. Which entry it is about, only those can prove who hold salt and
/// entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ComplaintReport {
    /// When it was received.
    pub received: Timestamp,
    /// The SHA-256 of salt and entry, in hexadecimal.
    pub commitment: String,
    /// Until when a wrong entry must go, by the charter of the release that it is about.
    pub deadline: Timestamp,
    /// The first release composed after the complaint that removes entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removing_version: Option<u64>,
    /// How many seconds after the complaint that was public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_after: Option<u64>,
}

impl AttestationReport {
    pub(super) fn new(history: &History, index: LeafIndex, attestation: &Signed<Attestation>) -> Self {
        let body = attestation.body();
        let version = history.version_of(&body.list, &body.release).unwrap_or(0);
        let course = |complaint| ComplaintReport::new(history.list(&body.list)?, version, complaint);
        Self {
            index,
            auditor: body.auditor.name().to_owned(),
            method: body.method,
            version,
            finding: body.finding.clone(),
            created: body.created,
            log_size: body.log_size,
            sample: body.sample,
            errors: body.errors,
            complaint: body.complaint.as_ref().and_then(course),
        }
    }
}

impl ComplaintReport {
    /// The course of a complaint about this version.
    fn new(list: &ListHistory, version: u64, complaint: &Complaint) -> Option<Self> {
        let charter = charter_of(list.editions(), list.version(version)?)?;
        let received = complaint.received;
        let mut later = list.releases().iter().zip(1..).skip(usize::try_from(version).ok()?);
        let removing = later.find(|(logged, _)| logged.created > received && logged.release.removed > 0);
        Some(Self {
            received,
            commitment: complaint.commitment.to_hex(),
            deadline: received.plus(charter.redress.removal_deadline),
            removing_version: removing.map(|(_, version)| version),
            removed_after: removing.map(|(logged, _)| logged.public_since.since(received)),
        })
    }
}
