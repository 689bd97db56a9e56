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
            Evidence::Fork(_) => self.keep_shown(&evidence)?.is_some(),
            _ => false,
        };
        Ok(Shown { breach, digest: evidence.digest(), halts })
    }

    /// Keeps evidence that was verified. If it proves that the log forked, updates stop. Gives the digest of the file that proves
    /// it; `None` if there are too many already.
    pub(crate) fn keep_shown(&mut self, evidence: &Evidence) -> Result<Option<ObjectDigest>, ClientError> {
        if !matches!(evidence, Evidence::Fork(_)) {
            return Ok(self.folder.keep_evidence(evidence, &self.policy)?);
        }
        self.save_halt()?;
        let known = self.state.halted().copied().filter(|known| self.evidence_path(known).is_some());
        if let Some(known) = known {
            // Another proof says no more to this client, but to others it may.
            return Ok(Some(self.folder.keep_new(evidence, &self.policy)?.unwrap_or(known)));
        }
        // Also where the one that is known was lost: whoever asks for it is to have one.
        self.halt(self.state.clone().with_halt(evidence.digest()), evidence.clone())?;
        Ok(Some(evidence.digest()))
    }
}
