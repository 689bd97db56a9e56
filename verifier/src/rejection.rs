//! Why an update was refused, and who answers for it.

use crate::evidence::Evidence;
use crate::policy::PolicyBreach;
use isonomy_core::hash::{ObjectDigest, StatementId};
use isonomy_core::resource::Resource;
use isonomy_core::rules::{Rule, Violation};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{LeafIndex, TreeSize};
use serde::{Deserialize, Serialize};

/// Who answers for a refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blame {
    /// The server, mirror or folder that was asked: the next one may be better.
    Source,
    /// The log.
    Log,
    /// The list's maintainer and curators, or the log that admitted what they signed.
    Publisher,
    /// Nobody: the app's policy does not accept the list.
    Policy,
    /// Nobody: it has to wait, or this device's clock may be wrong.
    Nobody,
}

/// Why a source gave nothing that could be checked, where it was asked for a resource.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Lack {
    /// It was not reached: this device is offline, or the source is.
    Unreachable,
    /// It was reached, and does not have it.
    Absent,
    /// It gave too little in too long a time.
    Slow,
    /// Its answer ended before its end, or could not be unpacked.
    Interrupted,
    /// It answered that it can't give it now.
    Failing,
    /// It gives it only to those who have a token.
    Unauthorized,
    /// It gave more bytes than there can be.
    TooLarge,
    /// It pointed to another place, which is not followed: a redirect, or a link that leads out of a folder.
    Elsewhere,
    /// Its answer is of no form that an answer can have.
    Garbled,
    /// This client asks for no more, or takes nothing so large.
    Limit,
}

impl Lack {
    /// Whether the source did what no honest one does, so that waiting for a better line mends nothing.
    pub fn is_misbehaviour(self) -> bool {
        matches!(self, Self::TooLarge | Self::Elsewhere | Self::Garbled)
    }
}

/// Why an older state of the log is not good enough for an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Lag {
    /// Nothing proves that it is an earlier state of the same history.
    #[error("it does not prove that these are the first of those, so it may lag, or show what was true once")]
    Unproven,
    /// It is from before what the policy calls fresh.
    #[error("it was witnessed {age} s before the latest time known, and the policy takes {most} s at most")]
    TooOld {
        /// How much earlier it was witnessed than the latest time that this client knows, in seconds.
        age: u64,
        /// What the policy takes.
        most: u64,
    },
    /// It is from before the release in force.
    #[error("it is from before version {version}, which is in force here")]
    BeforeAccepted {
        /// The version in force.
        version: u64,
    },
    /// It is from before the witnesses of the policy, so none of them can have seen it as the newest.
    #[error("by the policy it had those when its present witnesses took over")]
    BeforeWitnesses,
}

/// Why an update was refused. The last good list stays in force.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The source gave nothing that could be checked.
    #[error("{resource} was not to be had: {reason}")]
    Unavailable {
        /// What was asked for.
        resource: Resource,
        /// What kind of failure it was.
        lack: Lack,
        /// What the source said.
        reason: String,
    },
    /// The source gave bytes that are not what was asked for.
    #[error("{resource} is not what it should be: {problem}")]
    Malformed {
        /// What was asked for.
        resource: Resource,
        /// What is wrong.
        problem: String,
    },
    /// The checkpoint isn't signed by the log of the policy.
    #[error("the checkpoint isn't the log's: {0}")]
    NotTheLog(String),
    /// Too few witnesses have seen the checkpoint.
    #[error("{cosigned} of the policy's witnesses cosigned the checkpoint of {size} entries; that is no quorum")]
    NoQuorum {
        /// How many did.
        cosigned: usize,
        /// The size of the tree.
        size: TreeSize,
    },
    /// The source shows an older state of the log than this client knows, and that is not good enough.
    #[error("the source is behind: it shows the log with {offered} entries, but this client knows {known}; {why}")]
    Behind {
        /// The size offered.
        offered: TreeSize,
        /// The size known.
        known: TreeSize,
        /// Why it is not good enough.
        why: Lag,
    },
    /// The only releases offered are older than the one in force.
    #[error(
        "rollback: version {offered} is offered as the newest, and nothing older than version {accepted} is taken here"
    )]
    Rollback {
        /// The newest version offered.
        offered: u64,
        /// The version in force, or that was before a halt.
        accepted: u64,
    },
    /// The log showed two histories.
    #[error("the log showed two histories that contradict each other; updates stop, and the evidence is kept")]
    Fork(Box<Evidence>),
    /// Updates stopped earlier because of evidence.
    #[error("updates have stopped since this client was shown the evidence {0} against the log")]
    Halted(ObjectDigest),
    /// The release does not come from the one in force.
    #[error("version {version} does not descend from the version {accepted} that is in force here")]
    NotDescended {
        /// The version offered.
        version: u64,
        /// The version in force.
        accepted: u64,
        /// Evidence, where both releases of one version are at hand.
        evidence: Option<Box<Evidence>>,
    },
    /// A statement breaks a rule.
    #[error("{}: {violation}", violation.rule())]
    Rule {
        /// The statement.
        statement: StatementId,
        /// The rule, and how it is broken.
        violation: Violation,
        /// Evidence, where the breach is provable.
        evidence: Option<Box<Evidence>>,
    },
    /// A statement breaks a rule by the times that the source's seen proofs show, which may be later ones than others have; at other
    /// times it need not.
    #[error("{}: {violation}. This goes by the seen proofs that the source gave, which may be later than others", violation.rule())]
    ByTimes {
        /// The statement.
        statement: StatementId,
        /// The rule, and how it is broken.
        violation: Violation,
    },
    /// The log, read entry by entry, holds one that breaks a rule.
    #[error("entry {index} of the log breaks {}: {violation}", violation.rule())]
    Entry {
        /// The entry.
        index: LeafIndex,
        /// The rule, and how it is broken.
        violation: Violation,
        /// Evidence, where the breach is provable.
        evidence: Option<Box<Evidence>>,
    },
    /// The list isn't the one that the policy pins, or the source does not show that.
    #[error(
        "no charter that the source has of this list is the one that the policy pins: the source lags or leaves it out, or the policy is of another list"
    )]
    OtherList,
    /// The list exceeds the policy.
    #[error("the policy does not accept version {version}: {breach}")]
    Policy {
        /// The version.
        version: u64,
        /// How it exceeds the policy.
        breach: PolicyBreach,
    },
    /// The newest release has expired.
    #[error("version {version} expired at {expired}{}", expired_by(*.witnessed, *.clock, *.expired))]
    Expired {
        /// The version.
        version: u64,
        /// When it expired.
        expired: Timestamp,
        /// The latest time that witnesses vouch for.
        witnessed: Timestamp,
        /// What the device's clock shows.
        clock: Timestamp,
    },
    /// The list has no release yet.
    #[error("the list has no release yet")]
    NoRelease,
}

/// By whose word it has expired, and what to do.
fn expired_by(witnessed: Timestamp, clock: Timestamp, expired: Timestamp) -> String {
    if witnessed >= expired {
        return ", by the witnesses' time; its maintainer has to publish again".to_owned();
    }
    format!(
        ", by this device's clock alone, which shows {clock}: the latest time that witnesses vouch for is {witnessed}. If the \
         clock is ahead, set it right; if it isn't, the source shows an old state, or nobody has published since"
    )
}

impl Rejection {
    /// What was asked for where the source failed, if it was one thing.
    pub fn resource(&self) -> Option<&Resource> {
        match self {
            Self::Unavailable { resource, .. } | Self::Malformed { resource, .. } => Some(resource),
            _ => None,
        }
    }

    /// In which way it failed to give it.
    pub fn lack(&self) -> Option<Lack> {
        match self {
            Self::Unavailable { lack, .. } => Some(*lack),
            _ => None,
        }
    }

    /// Who answers for it.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Unavailable { .. }
            | Self::Malformed { .. }
            | Self::NotTheLog(_)
            | Self::NoQuorum { .. }
            | Self::Behind { .. }
            | Self::Rollback { .. }
            | Self::NoRelease => Blame::Source,
            // A bundle is composed by its source, which may leave out a charter or repeat one.
            Self::Rule {
                violation:
                    Violation::NotContiguous { .. } | Violation::AlreadyLogged { .. } | Violation::UnknownCharter { .. },
                ..
            } => Blame::Source,
            Self::ByTimes { .. } => Blame::Source,
            Self::Rule { violation: Violation::NotVisible { .. } | Violation::TooFewAttestations { .. }, .. } => {
                Blame::Nobody
            }
            Self::Expired { expired, witnessed, .. } if witnessed < expired => Blame::Nobody,
            Self::Fork(_) | Self::Halted(_) => Blame::Log,
            Self::NotDescended { .. } | Self::Rule { .. } | Self::Entry { .. } | Self::Expired { .. } => {
                Blame::Publisher
            }
            Self::OtherList | Self::Policy { .. } => Blame::Policy,
        }
    }

    /// The rule of `docs/rules.md` that was broken, where it is one of those.
    pub fn rule(&self) -> Option<Rule> {
        match self {
            Self::Rule { violation, .. } | Self::ByTimes { violation, .. } | Self::Entry { violation, .. } => {
                Some(violation.rule())
            }
            Self::NotDescended { .. } => Some(Rule::Chain),
            _ => None,
        }
    }

    /// A short, stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "unavailable",
            Self::Malformed { .. } => "malformed",
            Self::NotTheLog(_) => "not-the-log",
            Self::NoQuorum { .. } => "no-quorum",
            Self::Behind { .. } => "behind",
            Self::Rollback { .. } => "rollback",
            Self::Fork(_) => "fork",
            Self::Halted(_) => "halted",
            Self::NotDescended { .. } => "not-descended",
            Self::Rule { violation, .. } | Self::ByTimes { violation, .. } | Self::Entry { violation, .. } => {
                violation.code()
            }
            Self::OtherList => "other-list",
            Self::Policy { .. } => "policy",
            Self::Expired { .. } => "expired",
            Self::NoRelease => "no-release",
        }
    }

    /// The proof of a breach, where there is one.
    pub fn evidence(&self) -> Option<&Evidence> {
        match self {
            Self::Fork(evidence) => Some(evidence),
            Self::NotDescended { evidence, .. } | Self::Rule { evidence, .. } | Self::Entry { evidence, .. } => {
                evidence.as_deref()
            }
            _ => None,
        }
    }
}
