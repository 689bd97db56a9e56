//! Evidence that somebody else found.

use crate::client::Client;
use crate::error::ClientError;
use isonomy_core::hash::ObjectDigest;
use isonomy_verifier::Evidence;
use isonomy_verifier::evidence::{Breach, EvidenceError};

/// What a client made of evidence that it was shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// What it proves.
    pub breach: Breach,
    /// Its digest.
    pub digest: ObjectDigest,
    /// Whether it stops updates, now or already.
    pub halts: bool,
}

/// Why evidence changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceRefused {
    /// It proves nothing.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    /// It could not be kept.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Client {
    /// Takes an evidence file from anybody. If it proves, under the policy, that the log forked, then it is kept, and
    /// updates stop for good: which of the log's histories is the public one can't be told any more. The list in force
    /// stays.
    ///
    /// Any other evidence is checked and put into words, and changes nothing: every release is judged by the rules
    /// anyway.
    pub fn show_evidence(&mut self, file: &[u8]) -> Result<Shown, EvidenceRefused> {
        let evidence = Evidence::parse(file)?;
        let breach = evidence.verify(self.policy.trust())?;
        let halts = match evidence {
            Evidence::Fork(_) => self.keep_shown(&evidence)?,
            _ => false,
        };
        Ok(Shown { breach, digest: evidence.digest(), halts })
    }

    /// Keeps evidence that was verified. If it proves that the log forked, updates stop; says whether they do.
    pub(crate) fn keep_shown(&mut self, evidence: &Evidence) -> Result<bool, ClientError> {
        let is_fork = matches!(evidence, Evidence::Fork(_));
        if is_fork && self.state.halted().is_some() {
            self.save_halt()?;
        } else if is_fork {
            self.halt(self.state.clone().with_halt(evidence.digest()), evidence.clone())?;
        } else {
            self.folder.keep_evidence(evidence, &self.policy)?;
        }
        Ok(is_fork)
    }
}
