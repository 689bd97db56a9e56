//! Why a request is refused, for the one who made it.

use isonomy_core::hash::ObjectDigest;
use isonomy_core::list::ListError;
use isonomy_core::rules::Violation;
use isonomy_core::statement::{MAX_STATEMENT_SIZE, StatementError};

/// Why the log refuses what was sent to it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    // Malformed
    /// Not a statement.
    #[error("not a statement: {0}")]
    Malformed(#[from] StatementError),
    /// Larger than a statement can be.
    #[error("a statement has at most {MAX_STATEMENT_SIZE} bytes")]
    StatementTooLarge,
    /// The request ended early, or its body could not be read.
    #[error("the request's body could not be read to its end")]
    Unreadable,
    /// The request's body came too slowly.
    #[error("the request's body came too slowly")]
    TooSlow,
    /// An object with fewer bytes than its statement says.
    #[error("the object has {found} bytes; the statement that names it says {expected}")]
    ObjectTooSmall {
        /// What the statement says.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// An object with more bytes than its statement says.
    #[error("the object has more than the {expected} bytes that the statement that names it says")]
    ObjectTooLarge {
        /// What the statement says.
        expected: u64,
    },
    /// An object with another digest.
    #[error("the object's SHA-256 is {found}, not the one in its path")]
    OtherDigest {
        /// What it is.
        found: ObjectDigest,
    },

    // Refused by the operator's configuration
    /// The first charter of a list by nobody whom the operator knows.
    #[error(
        "this log takes new lists only from maintainers that its operator knows; ask the operator to add a maintainer key of the charter"
    )]
    UnknownPublisher,
    /// An attestation by nobody whom the operator knows.
    #[error(
        "this log takes attestations only from auditors that its operator knows; ask the operator to add the key {auditor}"
    )]
    UnknownAuditor {
        /// The auditor's key.
        auditor: String,
    },
    /// A list whose path would collide with a file of the log.
    #[error("no part of a list's name can be `bundle` in this log, because the path of a bundle ends in it")]
    ReservedName,
    /// An object that no admitted statement waits for.
    #[error("no admitted statement waits for this object; submit the release first")]
    UnwantedObject,

    // Refused by a rule
    /// A rule was broken.
    #[error(transparent)]
    Rule(#[from] Violation),
    /// A list of which others leave something out.
    #[error(
        "the list {list} has ended in this log: {why}. So everybody leaves that out, nothing that builds on it is taken, and no other \
         text in its place: ask the log's operator. If seen proofs were lost or replaced, the first ones mend it; else the list has to be \
         founded anew in another log"
    )]
    Ended {
        /// The list.
        list: String,
        /// What has happened.
        why: String,
    },
    /// An object's size can't be right.
    #[error("{what} can't have {stated} bytes for the entries that the release names; {bound}")]
    ObjectSize {
        /// Which object.
        what: String,
        /// The size in the release.
        stated: u64,
        /// What it would have to be.
        bound: String,
    },
    /// An object is not what the release says.
    #[error("{what}: {source}")]
    Content {
        /// Which object.
        what: String,
        /// What is wrong with it.
        source: ListError,
    },

    // The log itself
    /// More is asked at once than can be done, or the same by several.
    #[error("the log is busy with what others have sent, or with the same sent twice; try again in a moment")]
    Busy,
    /// Too few witnesses have cosigned so far.
    #[error(
        "the statement waits, and is not published yet: too few witnesses have cosigned. Submit the same again later; it is logged once"
    )]
    NotPublishedYet,
    /// The clock was set, or the machine stood still, and by the later of the times that this leaves the statement would be taken.
    #[error("the log's clock is in doubt until its witnesses have answered; try again in a moment")]
    ClockInDoubt,
    /// No round of the witnesses has ended since the start, and by another time than this machine's the release would be taken.
    #[error(
        "the log does not know the time yet: no quorum of its witnesses has confirmed it since it started; try again in a moment"
    )]
    TimeUnknown,
    /// A witness contradicts the log.
    #[error("this log takes nothing new: a witness says that it has seen more or other of it. Its operator must act")]
    Contradicted,
    /// The server is shutting down.
    #[error("the server is shutting down; submit the same again later")]
    Closing,
    /// Something failed that the operator must look at.
    #[error("the log has failed; its operator has the details")]
    Internal,
}

impl Refusal {
    /// A short, stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::StatementTooLarge | Self::ObjectTooLarge { .. } => "too-large",
            Self::Unreadable => "unreadable",
            Self::TooSlow => "too-slow",
            Self::ObjectTooSmall { .. } => "too-small",
            Self::OtherDigest { .. } => "other-digest",
            Self::UnknownPublisher => "unknown-publisher",
            Self::UnknownAuditor { .. } => "unknown-auditor",
            Self::ReservedName => "reserved-name",
            Self::UnwantedObject => "unwanted-object",
            Self::Rule(violation) => violation.code(),
            Self::Ended { .. } => "ended",
            Self::ObjectSize { .. } => "object-size",
            Self::Content { .. } => "content",
            Self::Busy => "busy",
            Self::NotPublishedYet => "not-published-yet",
            Self::ClockInDoubt => "clock-in-doubt",
            Self::TimeUnknown => "time-unknown",
            Self::Contradicted => "contradicted",
            Self::Closing => "closing",
            Self::Internal => "internal",
        }
    }

    /// The number of the rule that was broken, if it is one.
    pub fn rule(&self) -> Option<u8> {
        match self {
            Self::Rule(violation) => Some(violation.rule().number()),
            Self::ObjectSize { .. } | Self::Content { .. } => Some(isonomy_core::rules::Rule::Content.number()),
            _ => None,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::Unreadable | Self::ObjectTooSmall { .. } => 400,
            Self::UnknownPublisher | Self::UnknownAuditor { .. } => 403,
            Self::UnwantedObject => 404,
            Self::TooSlow => 408,
            Self::StatementTooLarge | Self::ObjectTooLarge { .. } => 413,
            Self::OtherDigest { .. }
            | Self::ReservedName
            | Self::Rule(_)
            | Self::Ended { .. }
            | Self::ObjectSize { .. }
            | Self::Content { .. } => 422,
            Self::Internal => 500,
            Self::Busy
            | Self::NotPublishedYet
            | Self::ClockInDoubt
            | Self::TimeUnknown
            | Self::Contradicted
            | Self::Closing => 503,
        }
    }

    /// After how many seconds to try again, if that makes sense.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Busy | Self::ClockInDoubt | Self::TimeUnknown | Self::Closing => Some(10),
            Self::NotPublishedYet => Some(30),
            _ => None,
        }
    }
}
