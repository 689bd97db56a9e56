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
        let shown = Shown { breach, digest: evidence.digest(), halts: matches!(evidence, Evidence::Fork(_)) };
        if shown.halts && self.state.halted().is_none() {
            self.folder.keep_evidence(&evidence).map_err(ClientError::from)?;
            let halted = self.state.clone().with_halt(shown.digest);
            self.folder.write_state(&halted)?;
            self.state = halted;
        }
        Ok(shown)
    }
}
