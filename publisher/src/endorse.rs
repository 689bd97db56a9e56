//! Before a signature: everything that a release says is recomputed from its content, by whoever is to sign it.
//!
//! 1. The draft is judged under the charter as the log would judge it ([`crate::view`]): chain, edition, limits.
//! 2. Its snapshot is decoded; entries, irregular entries and root are counted and computed (rule 8).
//! 3. Each of its deltas is applied to the release that it starts from, and must give the same list; what the release
//!    says to add and remove is what is counted there.
//! 4. The signatures that come with it are verified.
//!
//! Only the list itself is in memory: the snapshot is decoded as it is read, and the lists before pass by.
//!
//! An [`Examined`] draft is one that passed all this; only such a draft can be signed. A curator [`endorse`]s it before
//! the maintainer does; the maintainer signs last ([`finish`]). Both remember durably what they signed, before the
//! signature leaves.
//!
//! [`endorse`]: Examined::endorse
//! [`finish`]: Examined::finish

mod examine;
mod report;
mod sign;
#[cfg(test)]
mod tests;

pub use examine::{Examined, examine};
pub use report::{EndorsementReport, Holdings, HoldingsReport};
pub use sign::merge;

use crate::draft::DraftError;
use crate::memory::MemoryError;
use crate::signing::SigningError;
use crate::stored::StoredError;
use crate::workspace::ContentError;
use isonomy_core::list::ListError;
use isonomy_core::rules::Violation;
use isonomy_core::statement::StatementError;
use isonomy_matcher::lookup::LookupError;

/// Why a draft is not signed.
#[derive(Debug, thiserror::Error)]
pub enum EndorseError {
    /// It breaks a rule.
    #[error("{rule}: {0}. Do not sign it", rule = .0.rule())]
    Rule(#[from] Violation),
    /// It is published already.
    #[error("it is already in the log as version {version}; there is nothing left to sign")]
    AlreadyLogged {
        /// The version.
        version: u64,
    },
    /// Its content is not what it says.
    #[error("{0}. Do not sign it")]
    Content(#[from] ContentError),
    /// The content of an earlier release is missing.
    #[error("the content of version {version} is needed to check a delta, and was not given")]
    BaseMissing {
        /// The version.
        version: u64,
    },
    /// The draft can't be read.
    #[error(transparent)]
    Draft(DraftError),
    /// The key has no place in it, or a signature that is there already is wrong.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// The key is the maintainer's.
    #[error(
        "the key {name} is the maintainer's, who signs last: once the curators have signed, use it with `isonomy release publish`"
    )]
    MaintainerKey {
        /// The key's name.
        name: String,
    },
    /// The key is a curator's.
    #[error(
        "the key {name} is not the maintainer's under edition {edition} of the charter, which the release cites, so it can't finish the release; curators sign with `isonomy release endorse`"
    )]
    CuratorKey {
        /// The key's name.
        name: String,
        /// The edition.
        edition: u64,
    },
    /// The maintainer has signed already.
    #[error("the maintainer has signed this release already, and nobody signs after the maintainer")]
    AlreadyFinished,
    /// Too few have signed, so the maintainer does not sign yet.
    #[error("the release is not complete, {rule}: {0}. The maintainer signs last", rule = .0.rule())]
    Incomplete(Violation),
    /// What the key signed before forbids it.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// What was signed is another statement.
    #[error("what was signed is no release")]
    NotARelease,
    /// The signed release can't be a statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The entries can't be compared.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// A curator's own hashes can't be read.
    #[error(transparent)]
    Holdings(#[from] StoredError),
    /// The content of an earlier release does not fit.
    #[error(transparent)]
    List(#[from] ListError),
}

impl From<DraftError> for EndorseError {
    fn from(error: DraftError) -> Self {
        match error {
            DraftError::Content(error) => Self::Content(error),
            other => Self::Draft(other),
        }
    }
}
