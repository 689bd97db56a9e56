//! In which versions of a list did one entry stand, and was it removed in time? As a file with a proof for everything that it
//! says, so that whoever complained can show it to others, who check it offline: [`Trace::verify`].
//!
//! For each version the file holds the release with its place in the log, and a membership or non-membership proof under the
//! root that the release names; beside that every edition of the charter up to the newest release, and the complaint. Whatever else it
//! says follows from these, by the rules of whoever reads the log. That the list has no further version, that no other text was logged
//! before one of these, and that what is not in the file keeps the rules can't be proven by a file: it is what the checkpoint in it
//! shows to whoever reads the log up to there, as the maker did.

mod course;
mod making;
mod verifying;

pub use course::{Complained, NotKnown, Standing, UNLESS};
pub use making::{Traced, trace};
pub use verifying::TraceError;

use isonomy_core::json::Lines;
use isonomy_core::list::{MembershipProof, NonMembershipProof};
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use serde::{Deserialize, Serialize};

/// The form of the file.
pub const FORMAT: &str = "isonomy/trace/v1";

/// The most bytes of a file that is verified: some ten thousand versions.
pub const MAX_TRACE_SIZE: usize = 64 << 20;

/// Where one entry stood.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// Always [`FORMAT`].
    pub trace: String,
    /// The list.
    pub list: ListName,
    /// The entry, in hexadecimal.
    pub entry: String,
    /// As of when this is so: what a quorum of witnesses vouches for on `checkpoint`.
    pub as_of: Timestamp,
    /// The newest checkpoint, up to which the log was read: a note.
    pub checkpoint: Lines,
    /// The editions of the charter up to the newest release, in the order of the log: without one of them, no other can be judged.
    pub charters: Vec<InLog>,
    /// Every version, the oldest first.
    pub versions: Vec<InVersion>,
    /// Every logged complaint that is about this entry under one of the salts that were given and says nothing that can't be, the one
    /// with the oldest deadline first. Whoever has seen a commitment can log it again, so one salt may open several.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub complaints: Vec<Complaint>,
}

/// A statement in its place in the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InLog {
    /// The statement: a note.
    pub statement: Lines,
    /// Its place.
    pub index: LeafIndex,
    /// That it is there, and since when: a tlog-proof; its seen proof, if somebody shows that.
    pub proof: Lines,
}

/// Whether the entry stands in a version.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InVersion {
    /// The version.
    pub version: u64,
    /// When its signers composed it: it can't have been public before.
    pub created: Timestamp,
    /// Since when it is public, by the proofs in the file: at the latest, since a log may show later proofs than the first.
    pub public_since: Timestamp,
    /// Whether it may be public for longer than that, since nobody shows its seen proof.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub unproven: bool,
    /// Whether by the times that the file shows it, or a statement before it, breaks a rule, which it need not at others: so it can't be
    /// told whether it was ever in use.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub open: bool,
    /// Whether the entry stands in it.
    pub listed: bool,
    /// That it does, or does not, under the root that the release names.
    pub proof: ListProof,
    /// The release.
    pub release: InLog,
}

/// A proof about an entry of a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListProof {
    /// It stands there.
    Membership(MembershipProof),
    /// It does not.
    NonMembership(NonMembershipProof),
}

/// A complaint about the entry, and what became of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complaint {
    /// The attestation in which an auditor logged it.
    pub attestation: InLog,
    /// The salt with which its commitment opens, in hexadecimal.
    pub salt: String,
    /// What became of it.
    pub course: Complained,
}
