//! Why witnesses do not cosign.

use super::PATIENCE;
use crate::log::LogError;
use isonomy_core::tree::TreeSize;
use isonomy_fetch::WitnessError;
use std::time::Duration;

/// The status of a witness to which the checkpoint contradicts what it has cosigned.
const CONTRADICTION: u16 = 422;

/// Why a witness did not cosign.
#[derive(Debug, thiserror::Error)]
pub enum WitnessFailure {
    /// It said no, or could not be reached.
    #[error(transparent)]
    Refused(#[from] WitnessError),
    /// It took too long.
    #[error("it did not answer within {} seconds", PATIENCE.as_secs())]
    TooSlow,
    /// It knows a larger tree of this log than the log itself.
    #[error(
        "it says that it has seen this log at size {known}, but the log is of size {size}; if that is true, older data was put back"
    )]
    Ahead {
        /// What the witness says.
        known: TreeSize,
        /// The log's size.
        size: TreeSize,
    },
    /// It knows another tree of the same size.
    #[error("it says that it has seen another tree of size {size}; if that is true, this log has signed two histories")]
    OtherTree {
        /// The size.
        size: TreeSize,
    },
    /// It shows a checkpoint that this log has signed and does not have.
    #[error("it shows it, with this log's signature: {source}")]
    Shown {
        /// What it shows.
        source: Box<LogError>,
    },
    /// It says that it has seen more or other of this log, and shows nothing that this log has signed.
    #[error(
        "{claim}. But it shows no such checkpoint with this log's signature, and since the start a quorum has cosigned what this log has; so the log goes on without it. Ask its operator"
    )]
    Unproven {
        /// What it says.
        claim: Box<WitnessFailure>,
    },
    /// It has forgotten what it cosigned, and does not want to be reminded.
    #[error(
        "it says that it has seen this log at size {known}, but it has cosigned size {cosigned}: an older copy of its data was put back, and its operator must act. Reminded of that, it says: {source}"
    )]
    Forgot {
        /// What it says.
        known: TreeSize,
        /// What it cosigned.
        cosigned: TreeSize,
        /// What it answers when it is shown that.
        source: WitnessError,
    },
    /// Its clock is ahead.
    #[error(
        "its cosignature is dated {seconds} s ahead of this machine's clock, and does not count: clients would take their lists for expired. One of the two clocks must be set"
    )]
    ClockAhead {
        /// By how much.
        seconds: u64,
    },
    /// Its cosignature is from before this server was started.
    #[error(
        "its cosignature is dated {seconds} s before this server was started, and does not count until a quorum has cosigned since then what the log has: either its clock is behind or this machine's ahead, or somebody repeats what it once signed"
    )]
    Old {
        /// By how much.
        seconds: u64,
    },
    /// It keeps naming other sizes.
    #[error("it names another size each time it is asked")]
    Unsteady,
    /// Its answer holds no valid cosignature by its key.
    #[error("its answer holds no valid cosignature by its key")]
    NoCosignature,
    /// The proof for it could not be made.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The task that asked it has died.
    #[error("the task that asked it ended early")]
    Lost,
}

impl WitnessFailure {
    /// Whether the witness says that it has seen something of this log that is not in it, so that the log may be about to fork.
    /// Before a quorum has cosigned what is there, nobody but the operator can tell; afterwards its word alone counts for nothing.
    pub fn is_contradiction(&self) -> bool {
        match self {
            Self::Ahead { .. } | Self::OtherTree { .. } | Self::Shown { .. } => true,
            Self::Refused(source) | Self::Forgot { source, .. } => {
                matches!(source, WitnessError::Refused { status: CONTRADICTION, .. })
            }
            _ => false,
        }
    }

    /// How long the witness asks to be left alone, if it says so.
    pub(super) fn rest(&self) -> Option<Duration> {
        match self {
            Self::Refused(source) | Self::Forgot { source, .. } => source.retry_after(),
            _ => None,
        }
    }

    /// What says whether two failures are of the same kind: the words, without numbers that change each time.
    pub(super) fn gist(&self) -> String {
        match self {
            Self::ClockAhead { .. } => "its clock is ahead".to_owned(),
            Self::Old { .. } => "its cosignature is old".to_owned(),
            Self::Unproven { .. } => "it claims more than it shows".to_owned(),
            other => other.to_string(),
        }
    }
}
