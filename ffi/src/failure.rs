//! What a function returns, and why it failed.

use isonomy_client::{ClientError, CompareError, EvidenceRefused, UpdateError};
use isonomy_matcher::lookup::LookupError;
use isonomy_verifier::policy::PolicyError;
use std::fmt::Display;

/// How a call went.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IsonomyStatus {
    /// Well.
    Ok = 0,
    /// An argument is NULL, no UTF-8, or not what it should be.
    InvalidArgument = 1,
    /// The policy is none.
    InvalidPolicy = 2,
    /// The folder can't be used: it can't be read or written, is in use, damaged, or kept for another list.
    Folder = 3,
    /// At least one source was refused, or did what no honest one does: endless data, a redirect. What was in force stays
    /// so; each refusal is on record. It makes sense to try again later.
    Refused = 4,
    /// No source could be reached, or none had what is needed. What was in force stays so.
    Unreachable = 5,
    /// It was stopped by its cancel handle.
    Cancelled = 6,
    /// No list is in force, or its content isn't at hand: update first.
    NoList = 7,
    /// Something else failed in this process.
    Failed = 8,
    /// A defect in this library. The handle is only good for being freed.
    Panic = 9,
    /// Updates have stopped for good: the log showed two histories, and the folder holds the proof (`evidence`). What was in force
    /// stays so until it expires. This is for the app's makers to hear of.
    Halted = 10,
}

/// Why a call failed: a status for programs, words for people.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: IsonomyStatus,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(status: IsonomyStatus, message: impl Display) -> Self {
        Self { status, message: message.to_string() }
    }

    pub(crate) fn no_list() -> Self {
        Self::new(IsonomyStatus::NoList, "no verified list is at hand: update first")
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        Self::new(IsonomyStatus::InvalidPolicy, error)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let status = match &error {
            ClientError::Halted { .. } | ClientError::ForkNotKept(_) => IsonomyStatus::Halted,
            _ => IsonomyStatus::Folder,
        };
        Self::new(status, error)
    }
}

impl From<LookupError> for Failure {
    fn from(error: LookupError) -> Self {
        Self::new(IsonomyStatus::Failed, error)
    }
}

impl From<UpdateError> for Failure {
    fn from(error: UpdateError) -> Self {
        let status = match &error {
            UpdateError::NoSource => IsonomyStatus::InvalidArgument,
            UpdateError::Cancelled => IsonomyStatus::Cancelled,
            halt if halt.is_halt() => IsonomyStatus::Halted,
            UpdateError::Client(_) => IsonomyStatus::Folder,
            UpdateError::Refused(refusals) if refusals.iter().all(|refusal| refusal.is_lack_alone()) => {
                IsonomyStatus::Unreachable
            }
            UpdateError::Refused(_) => IsonomyStatus::Refused,
            _ => IsonomyStatus::Failed,
        };
        Self::new(status, error)
    }
}

impl From<EvidenceRefused> for Failure {
    fn from(error: EvidenceRefused) -> Self {
        let status = match &error {
            EvidenceRefused::Evidence(_) => IsonomyStatus::InvalidArgument,
            EvidenceRefused::Client(ClientError::ForkNotKept(_)) => IsonomyStatus::Halted,
            EvidenceRefused::Client(_) => IsonomyStatus::Folder,
        };
        Self::new(status, error)
    }
}

impl From<CompareError> for Failure {
    fn from(error: CompareError) -> Self {
        let status = match &error {
            CompareError::Nothing => IsonomyStatus::NoList,
            CompareError::View(_) => IsonomyStatus::InvalidArgument,
            CompareError::Cancelled => IsonomyStatus::Cancelled,
            CompareError::Client(ClientError::ForkNotKept(_)) => IsonomyStatus::Halted,
            CompareError::Client(_) => IsonomyStatus::Folder,
            _ => IsonomyStatus::Failed,
        };
        Self::new(status, error)
    }
}
