//! `isonomy/attestation/v1`: an independent auditor's signed finding about a release. It binds nobody by itself; a
//! client's policy may ask for some (rule 9).

use crate::hash::{Commitment, ObjectDigest, StatementId};
use crate::json;
use crate::note::{KeyType, VerifierKey};
use crate::statement::{ListName, StatementError, require};
use crate::time::Timestamp;
use crate::tree::TreeSize;
use alloc::string::String;
use serde::{Deserialize, Serialize};

/// The text of an attestation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// Always [`Attestation::KIND`].
    pub statement: String,
    /// The list.
    pub list: ListName,
    /// The release that it is about.
    pub release: StatementId,
    /// The auditor's key, which signs it.
    pub auditor: VerifierKey,
    /// What was done.
    pub method: Method,
    /// For `followed`: every entry up to this log size was read, and the rules were kept.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub log_size: Option<TreeSize>,
    /// For content methods: how many entries or pictures were looked at.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sample: Option<u64>,
    /// For content methods: how many of them were wrong.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub errors: Option<u64>,
    /// For `complaint`: what was complained of, and when.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub complaint: Option<Complaint>,
    /// The finding, in words.
    pub finding: String,
    /// A longer report elsewhere.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub report: Option<Report>,
    /// When it was made.
    pub created: Timestamp,
}

/// What an auditor did.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Looked up well-known benign pictures, none of which may match.
    Canary,
    /// Received a complaint about an entry.
    Complaint,
    /// Read every entry of the log: one successor each, rules kept.
    Followed,
    /// Recomputed root and counts from the content.
    Recomputed,
    /// Looked at a sample of the entries.
    Sampled,
}

/// A complaint, without saying about which entry: whoever is given salt and entry can prove that it was this one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complaint {
    /// When it was received.
    pub received: Timestamp,
    /// SHA-256(salt ‖ entry).
    pub commitment: Commitment,
}

/// A document elsewhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Where.
    pub url: String,
    /// Its digest.
    pub sha256: ObjectDigest,
}

impl Attestation {
    /// The value of the field `statement`.
    pub const KIND: &'static str = "isonomy/attestation/v1";

    /// Parses the text of an attestation.
    pub fn parse(text: &str) -> Result<Self, StatementError> {
        let attestation: Self = json::decode(text)?;
        attestation.check()?;
        Ok(attestation)
    }

    /// The canonical text, if this can be an attestation.
    pub fn to_text(&self) -> Result<String, StatementError> {
        self.check()?;
        Ok(json::encode(self)?)
    }

    fn check(&self) -> Result<(), StatementError> {
        require(self.statement == Self::KIND, "statement", "not an attestation")?;
        require(self.auditor.key_type() == KeyType::Ed25519, "auditor", "a key of type Ed25519 (0x01)")?;
        require(
            self.log_size.is_some() == (self.method == Method::Followed),
            "log_size",
            "given exactly with the method followed",
        )?;
        require(
            self.complaint.is_some() == (self.method == Method::Complaint),
            "complaint",
            "given exactly with the method complaint",
        )?;
        let about_content = matches!(self.method, Method::Canary | Method::Recomputed | Method::Sampled);
        require(self.sample.is_some() == about_content, "sample", "given exactly with a method about content")?;
        require(self.errors.is_some() == about_content, "errors", "given exactly with a method about content")?;
        require(self.errors <= self.sample, "errors", "more than the sample")
    }
}
