//! A halt, because of the proof that the log showed two histories; and recovery.

use crate::cache::CacheReport;
use crate::client::Client;
use crate::error::ClientError;
use crate::folder::{self, Folder};
use isonomy_core::hash::ObjectDigest;
use isonomy_verifier::{Evidence, Policy, State};
use std::path::Path;

impl Client {
    /// Stops updates for good, in memory at once. The proof is made durable, and the state with it; the state also where the proof
    /// can't be, so that later runs stop too.
    pub(crate) fn halt(&mut self, halted: State, proof: Evidence) -> Result<(), ClientError> {
        self.state = halted;
        self.unsaved = Some(proof);
        self.save_halt()
    }

    /// Stops updates if the folder holds the proof of a fork that the state does not know of: a power cut came between, or the client
    /// went on under another key of the log, and is back under this one.
    pub(crate) fn halt_if_proven(&mut self) {
        if self.state.halted().is_some() {
            return;
        }
        if let Some(proof) = self.folder.proof_of_fork(&self.policy) {
            // Where that can't be written down, it is tried again with the next update, and found again at the next opening.
            let _ = self.halt(self.state.clone().with_halt(proof.digest()), proof);
        }
    }

    /// Makes durable what [`Client::halt`] could not, if there is anything.
    pub(crate) fn save_halt(&mut self) -> Result<(), ClientError> {
        let Some(proof) = &self.unsaved else {
            return Ok(());
        };
        let kept = self.folder.keep_evidence(proof, &self.policy).map(drop).map_err(ClientError::from);
        let written = self.folder.write_state(&self.state);
        kept.and(written).map_err(|error| ClientError::ForkNotKept(Box::new(error)))?;
        self.unsaved = None;
        Ok(())
    }

    /// Forgets the newest checkpoint and the witnessed time, and not the release in force: see [`State::recovered`]. Where the
    /// policy names another key of the log than the one that was known, also that release, and not its version: see
    /// [`State::under_another_key`]. This is for people to decide, never for a program.
    ///
    /// A client whose updates have stopped is not recovered ([`ClientError::Halted`]): it would lose the list in force, and update
    /// no more than before. Unless the proof proves nothing any more, since the policy names another key of the log: then the halt is
    /// over.
    pub fn recover(&mut self) -> Result<(), ClientError> {
        let halted = self.state.halted().copied();
        if let Some(proof) = halted.filter(|proof| self.still_proves(proof)) {
            return Err(ClientError::Halted { proof, evidence: self.evidence_path(&proof) });
        }
        // Whoever was shown the history that is dead need not have been shown the proof.
        let mut notes = folder::known(&self.state).into_iter().chain(folder::of_accepted(&self.state));
        let has_another_key = notes.any(|note| note.verify_log(self.policy.log()).is_err());
        let goes_on = halted.is_some() || has_another_key;
        let state = self.state.clone();
        let recovered = if goes_on { state.under_another_key() } else { state.recovered() };
        self.folder.write_state(&recovered)?;
        self.state = recovered;
        (self.list, self.cache) = (None, CacheReport::Recovered);
        Ok(())
    }

    /// Opens the client that is kept in `folder`, also where the policy names another key of its log than the one that it knows, and
    /// recovers it.
    pub fn open_recovered(folder: impl AsRef<Path>, policy: Policy) -> Result<Self, ClientError> {
        let folder = Folder::open(folder.as_ref())?;
        let state = folder.existing_state_under_any_key(&policy)?;
        // The list is not at hand after that. So its content is not looked at: under a policy that is a mistake it would seem damaged.
        let mut client = Self::with(folder, policy, state, None, CacheReport::Recovered);
        client.halt_if_proven();
        client.recover()?;
        Ok(client)
    }

    /// Whether the proof still is one under the policy. One that isn't there any more is taken for one, while the log's key is the
    /// same.
    fn still_proves(&self, proof: &ObjectDigest) -> bool {
        if folder::vouched(&self.state).is_some_and(|known| known.verify_log(self.policy.log()).is_err()) {
            return false;
        }
        let evidence = self.folder.evidence().find(|evidence| evidence.digest() == *proof);
        evidence.is_none_or(|evidence| evidence.verify(self.policy.trust()).is_ok())
    }
}
