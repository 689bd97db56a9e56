//! The policy of an app: which log it asks, which witnesses must have seen what the log shows, and which lists it accepts
//! at all. It is written by the app's developer, compiled in or kept in a file:
//!
//! ```toml
//! # Whose word counts: one log, its witnesses, and how many of them (C2SP tlog-policy).
//! trust = """
//! log log.example/isonomy+…+… https://log.example/isonomy
//! witness one witness.example/one+…+…
//! witness two witness.example/two+…+…
//! group both all one two
//! quorum both
//! """
//!
//! [list]
//! name = "hotline.example/known-images"
//! charter = "4f1c…"          # the id of one of its charters, in hexadecimal
//! min_version = 1            # optional: the oldest version that was ever shipped with the app
//!
//! [accept]
//! purposes = ["csam-known"]
//! aims = ["protect-victims", "suppress"]
//! action = "warn"            # the strongest action that the charter may allow
//! surface = "private"        # optional: where this app matches; the charter must allow it
//! max_distance = 31          # optional
//! min_curators = 2
//! min_jurisdictions = 2
//! min_notice = 2592000
//! min_visibility = 86400
//! curators = []              # optional: only these keys count as curators
//!
//! [ages]                     # in seconds; older knowledge is `stale`
//! checkpoint = 43200         # must be below min_visibility
//! release = 1209600
//!
//! [audit]                    # optional: who must have read the whole log, so that no version has a second text in it
//! complete = true            # this client itself, as a monitor does
//! followed = 1               # so many of these auditors, by their attestations in the log
//! auditors = ["auditor.example/one+…"]
//! ```
//!
//! A list that exceeds the policy is refused, whatever its charter says. A policy can only narrow.

mod audit;

pub use audit::Audit;

use isonomy_core::charter::{Action, Aim, Charter, Curator, PurposeCode, Surface};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::{ObjectDigest, StatementId};
use isonomy_core::note::{VerifierKey, holds_private_key};
use isonomy_core::policy::{Policy as TlogPolicy, PolicyError as TlogPolicyError};
use isonomy_core::release::Release;
use isonomy_core::statement::{ListName, Signed};
use serde::Deserialize;

/// The most bytes that a policy file may have.
pub const MAX_POLICY_SIZE: usize = 256 * 1024;

/// Why a text is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Larger than [`MAX_POLICY_SIZE`].
    #[error("the policy is larger than {MAX_POLICY_SIZE} bytes")]
    TooLarge,
    /// It holds a private key, which no message may show.
    #[error("the policy holds a private key; nothing of it is shown. A policy holds public keys")]
    PrivateKey,
    /// Not TOML of the expected fields.
    #[error("the policy is not the TOML expected: {0}")]
    Toml(String),
    /// The part in C2SP form is wrong.
    #[error("the policy's `trust`: {0}")]
    Trust(#[from] TlogPolicyError),
    /// It trusts no log, or several.
    #[error("the policy names {0} logs; a list counts in exactly one")]
    Logs(usize),
    /// It asks for no witnesses.
    #[error("the policy's quorum is none: without witnesses a log can show every client another list")]
    NoQuorum,
    /// Two quorums need not have a witness in common.
    #[error(
        "two quorums of the policy need not have a witness in common, so honest witnesses alone can vouch for two histories: \
         ask for more of them (of a group, more than half)"
    )]
    SplitQuorum,
    /// Nobody beside the maintainer would have to sign.
    #[error("{0} must be at least 1: else the policy accepts a list that nobody but its maintainer has signed")]
    NoCurators(&'static str),
    /// An old checkpoint would be as good as a new one.
    #[error(
        "ages.checkpoint ({checkpoint} s) must be below accept.min_visibility ({visibility} s): else a log can hide a \
         release for as long as it must be public"
    )]
    Ages {
        /// The age allowed, in seconds.
        checkpoint: u64,
        /// The visibility asked for, in seconds.
        visibility: u64,
    },
    /// More auditors are asked for than are named, or none of those that are.
    #[error(
        "audit.followed is {followed}, but audit.auditors names {named} different keys: ask for at least 1 and at most so many"
    )]
    Auditors {
        /// How many are asked for.
        followed: u64,
        /// How many are named.
        named: u64,
    },
}

/// What an app trusts and accepts.
#[derive(Clone, Debug)]
pub struct Policy {
    trust: TlogPolicy,
    trust_digest: ObjectDigest,
    log: VerifierKey,
    list: ListClause,
    accept: Accept,
    ages: Ages,
    audit: Audit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    trust: String,
    list: ListClause,
    accept: Accept,
    ages: Ages,
    #[serde(default)]
    audit: Audit,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListClause {
    name: ListName,
    #[serde(deserialize_with = "hex_id")]
    charter: StatementId,
    #[serde(default)]
    min_version: u64,
}

/// Which lists are accepted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    /// The purposes that are accepted.
    pub purposes: Vec<PurposeCode>,
    /// The aims that are accepted.
    pub aims: Vec<Aim>,
    /// The strongest action that the charter may allow.
    pub action: Action,
    /// Where this app matches.
    #[serde(default)]
    pub surface: Option<Surface>,
    /// The greatest distance that the charter may allow.
    #[serde(default)]
    pub max_distance: Option<u64>,
    /// How many curators that count must have signed a release.
    pub min_curators: u64,
    /// From how many jurisdictions.
    pub min_jurisdictions: u64,
    /// The least notice that the charter must give, in seconds.
    pub min_notice: u64,
    /// The least visibility that the charter must give, in seconds.
    pub min_visibility: u64,
    /// The curators that count; empty: all that the charter names.
    #[serde(default)]
    pub curators: Vec<VerifierKey>,
}

/// How old knowledge may be before it is stale, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ages {
    /// Of the newest checkpoint.
    pub checkpoint: u64,
    /// Of the release, since its creation.
    pub release: u64,
}

fn hex_id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<StatementId, D::Error> {
    let text = String::deserialize(deserializer)?;
    StatementId::from_hex(&text).ok_or_else(|| serde::de::Error::custom("a charter's id has 64 hexadecimal digits"))
}

/// How a list exceeds the policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyBreach {
    /// A purpose or an aim that the app does not accept.
    #[error("its {what} is {found}, which the policy does not accept")]
    Purpose {
        /// Purpose or aim.
        what: &'static str,
        /// What the charter says.
        found: String,
    },
    /// An action stronger than the app accepts.
    #[error("its charter allows to {found}; the policy accepts at most {most}")]
    Action {
        /// What the charter allows.
        found: Action,
        /// What the policy accepts.
        most: Action,
    },
    /// The charter does not allow matching where this app matches.
    #[error("its charter does not allow matching on the surface where this app matches")]
    Surface,
    /// Something is less than the policy asks for.
    #[error("{what}: {found}, but the policy asks for at least {least}")]
    TooLittle {
        /// What is too little.
        what: &'static str,
        /// What there is.
        found: u64,
        /// What the policy asks for.
        least: u64,
    },
    /// The policy asks for a client that reads the whole log, and this one has not read as far as the release.
    #[error("the log was not read up to it, as the policy asks for")]
    Unread,
    /// Something is more than the policy accepts.
    #[error("{what}: {found}, but the policy accepts at most {most}")]
    TooMuch {
        /// What is too much.
        what: &'static str,
        /// What there is.
        found: u64,
        /// What the policy accepts.
        most: u64,
    },
}

impl Policy {
    /// Parses a policy file.
    pub fn parse(bytes: &[u8]) -> Result<Self, PolicyError> {
        if bytes.len() > MAX_POLICY_SIZE {
            return Err(PolicyError::TooLarge);
        }
        if holds_private_key(bytes) {
            return Err(PolicyError::PrivateKey);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| PolicyError::Toml("not UTF-8".into()))?;
        let file: PolicyFile = toml::from_str(text).map_err(|error| PolicyError::Toml(error.to_string()))?;
        let trust = TlogPolicy::parse(file.trust.as_bytes())?;
        let log = match trust.logs() {
            [log] => log.key.clone(),
            logs => return Err(PolicyError::Logs(logs.len())),
        };
        if trust.quorum().is_none() {
            return Err(PolicyError::NoQuorum);
        }
        if trust.weak_split() == 0 {
            return Err(PolicyError::SplitQuorum);
        }
        let counts = [
            ("accept.min_curators", &file.accept.min_curators),
            ("accept.min_jurisdictions", &file.accept.min_jurisdictions),
        ];
        if let Some((what, _)) = counts.into_iter().find(|(_, least)| **least == 0) {
            return Err(PolicyError::NoCurators(what));
        }
        let (checkpoint, visibility) = (file.ages.checkpoint, file.accept.min_visibility);
        if checkpoint >= visibility {
            return Err(PolicyError::Ages { checkpoint, visibility });
        }
        file.audit.check()?;
        let trust_digest = ObjectDigest::of(file.trust.as_bytes());
        Ok(Self { trust, trust_digest, log, list: file.list, accept: file.accept, ages: file.ages, audit: file.audit })
    }

    /// The log, its witnesses and their quorum.
    pub fn trust(&self) -> &TlogPolicy {
        &self.trust
    }

    /// The digest of that part of the file.
    pub(crate) fn trust_digest(&self) -> &ObjectDigest {
        &self.trust_digest
    }

    /// The key of the one log that counts.
    pub fn log(&self) -> &VerifierKey {
        &self.log
    }

    /// The checkpoint with those lines alone that count: the log's, and of each witness the latest, in the policy's order.
    pub(crate) fn counted(&self, checkpoint: &CheckpointNote) -> CheckpointNote {
        let mut keys = vec![self.log.clone()];
        keys.extend(self.trust.all_witness_keys());
        checkpoint.with_lines_of(&keys)
    }

    /// Where the log is, if the policy says so.
    pub fn log_url(&self) -> Option<&str> {
        self.trust.logs().first()?.url.as_deref()
    }

    /// The list.
    pub fn list(&self) -> &ListName {
        &self.list.name
    }

    /// The charter by which the list is pinned.
    pub fn charter(&self) -> &StatementId {
        &self.list.charter
    }

    /// The oldest version that is accepted, even by a client that remembers nothing.
    pub fn min_version(&self) -> u64 {
        self.list.min_version
    }

    /// Which lists are accepted.
    pub fn accept(&self) -> &Accept {
        &self.accept
    }

    /// How old knowledge may be before it is stale.
    pub fn ages(&self) -> Ages {
        self.ages
    }

    /// Who must have read the whole log.
    pub fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Whether a release under this charter is within the policy. Both keep the rules already.
    pub fn judge(&self, charter: &Charter, release: &Signed<Release>) -> Result<(), PolicyBreach> {
        self.judge_purpose(charter)?;
        self.judge_terms(charter)?;
        self.judge_curators(charter, release)?;
        at_least("version", release.body().version, self.list.min_version)
    }

    fn judge_purpose(&self, charter: &Charter) -> Result<(), PolicyBreach> {
        let Accept { purposes, aims, action, surface, .. } = &self.accept;
        if !purposes.contains(&charter.purpose.code) {
            return Err(PolicyBreach::Purpose { what: "purpose", found: format!("{:?}", charter.purpose.code) });
        }
        if !aims.contains(&charter.purpose.aim) {
            return Err(PolicyBreach::Purpose { what: "aim", found: format!("{:?}", charter.purpose.aim) });
        }
        if charter.action.most > *action {
            return Err(PolicyBreach::Action { found: charter.action.most, most: *action });
        }
        if surface.is_some_and(|surface| !charter.reach.surfaces.contains(&surface)) {
            return Err(PolicyBreach::Surface);
        }
        Ok(())
    }

    fn judge_terms(&self, charter: &Charter) -> Result<(), PolicyBreach> {
        at_least("notice in seconds", charter.limits.notice, self.accept.min_notice)?;
        at_least("visibility in seconds", charter.limits.min_visibility, self.accept.min_visibility)?;
        match self.accept.max_distance {
            Some(most) if charter.matching.max_distance > most => {
                let found = charter.matching.max_distance;
                Err(PolicyBreach::TooMuch { what: "distance of a match", found, most })
            }
            _ => Ok(()),
        }
    }

    fn judge_curators(&self, charter: &Charter, release: &Signed<Release>) -> Result<(), PolicyBreach> {
        let counts = |curator: &&Curator| {
            let counted = &self.accept.curators;
            let known = counted.iter().any(|key| key.public_bytes() == curator.key.public_bytes());
            let signed = release.note().signatures().iter().any(|line| curator.key.matches(line));
            signed && (counted.is_empty() || known)
        };
        let curators: Vec<&Curator> = charter.curation.curators.iter().filter(counts).collect();
        at_least("curators that count", curators.len() as u64, self.accept.min_curators)?;
        let mut jurisdictions: Vec<_> = curators.iter().map(|curator| curator.jurisdiction.country()).collect();
        jurisdictions.sort();
        jurisdictions.dedup();
        at_least("jurisdictions of curators", jurisdictions.len() as u64, self.accept.min_jurisdictions)
    }
}

fn at_least(what: &'static str, found: u64, least: u64) -> Result<(), PolicyBreach> {
    if found >= least { Ok(()) } else { Err(PolicyBreach::TooLittle { what, found, least }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_private_key_is_shown() {
        for file in
            ["PRIVATE+KEY+log.example+0+A\n", "\n PRIVATE+KEY+log.example+0+A", "key = PRIVATE+KEY+log.example+0+A"]
        {
            let error = Policy::parse(file.as_bytes()).unwrap_err();
            assert_eq!(error, PolicyError::PrivateKey);
            assert!(!error.to_string().contains("log.example"), "{error}");
        }
    }
}
