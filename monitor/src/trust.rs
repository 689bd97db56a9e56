//! What it takes for a checkpoint to count.

use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::cosignature::cosignatures;
use isonomy_core::hash::RootHash;
use isonomy_core::note::VerifierKey;
use isonomy_core::policy::{Policy, QuorumTimes};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::TreeSize;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// The log that is followed, and its witnesses.
#[derive(Debug)]
pub(crate) struct Trust {
    policy: Policy,
    log: VerifierKey,
    witnesses: Vec<VerifierKey>,
    /// What the quorum says of the checkpoints that were verified last: seen proofs of many statements share one.
    verified: Mutex<VecDeque<(Vec<u8>, QuorumTimes)>>,
}

/// How many checkpoints are not verified again.
const REMEMBERED: usize = 16;

/// A checkpoint that the log signed. There is one only if [`Trust::view`] verified that.
#[derive(Clone, Debug)]
pub(crate) struct View {
    note: CheckpointNote,
    /// The same with the log's line alone, for evidence: so it does not differ with every new cosignature.
    bare: CheckpointNote,
    /// When each witness that cosigned it says that it did, by the witness's place in the policy.
    cosigned: Vec<(usize, Timestamp)>,
    /// What the witnesses say of its time, or why they say nothing.
    times: Result<QuorumTimes, String>,
}

impl Trust {
    /// Follows the one log of this policy. The error is words for the operator.
    pub(crate) fn new(policy: Policy) -> Result<Self, &'static str> {
        let log = match policy.logs() {
            [log] => log.key.clone(),
            [] => return Err("the policy names no log"),
            _ => return Err("the policy names several logs; run one monitor for each, with a policy of its own"),
        };
        if policy.quorum().is_none() {
            return Err(
                "the policy has `quorum none`; without witnesses nothing vouches for what is public, and since when",
            );
        }
        Ok(Self { log, witnesses: policy.witness_keys(), policy, verified: Mutex::default() })
    }

    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(crate) fn log(&self) -> &VerifierKey {
        &self.log
    }

    /// What the quorum says of the time since when the entry at this place is public, if the proof holds.
    pub(crate) fn proven(&self, proof: &TlogProof, entry: &[u8]) -> Option<QuorumTimes> {
        let note = proof.checkpoint.to_bytes();
        let known = {
            let verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
            verified.iter().find(|(known, _)| *known == note).map(|(_, times)| *times)
        };
        let Some(times) = known else {
            let times = proof.verify(entry, &self.log, &self.policy).ok()?;
            let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
            verified.truncate(REMEMBERED - 1);
            verified.push_front((note, times));
            return Some(times);
        };
        proof.verify_inclusion(entry).ok()?;
        Some(times)
    }

    /// Verifies the log's signature, and reads the witnesses'. The error says why the checkpoint is worth nothing.
    pub(crate) fn view(&self, note: CheckpointNote) -> Result<View, String> {
        note.verify_log(&self.log).map_err(|error| error.to_string())?;
        let (cosigned, times) = match cosignatures(note.note(), &self.witnesses) {
            Err(error) => (Vec::new(), Err(error.to_string())),
            Ok(cosigned) => {
                let count = cosigned.len();
                let few = || format!("{count} of {} witnesses cosigned it, which is no quorum", self.witnesses.len());
                let began_at = self.policy.began_at(self.log.name());
                let times = match note.checkpoint().size < began_at {
                    true => Err(format!("it is from before the policy's witnesses, who began at {began_at} entries")),
                    false => self.policy.quorum_times(&cosigned).ok_or_else(few),
                };
                (cosigned, times)
            }
        };
        Ok(View { bare: note.without_cosignatures(&self.log), note, cosigned, times })
    }

    /// What one witness shows: the log's checkpoint under that witness's cosignature, and when it cosigned.
    pub(crate) fn witness_view(
        &self,
        witness: &VerifierKey,
        note: CheckpointNote,
    ) -> Result<(View, Timestamp), String> {
        let times = cosignatures(note.note(), std::slice::from_ref(witness)).map_err(|error| error.to_string())?;
        let time = times.first().map(|(_, time)| *time).ok_or("the witness's own cosignature is not on it")?;
        Ok((self.view(note)?, time))
    }
}

impl View {
    pub(crate) fn note(&self) -> &CheckpointNote {
        &self.note
    }

    /// With the log's signature alone.
    pub(crate) fn bare(&self) -> &CheckpointNote {
        &self.bare
    }

    pub(crate) fn size(&self) -> TreeSize {
        self.note.checkpoint().size
    }

    pub(crate) fn root(&self) -> RootHash {
        self.note.checkpoint().root
    }

    /// When each witness says that it cosigned this, by its place in the policy.
    pub(crate) fn cosigned(&self) -> &[(usize, Timestamp)] {
        &self.cosigned
    }

    pub(crate) fn times(&self) -> Result<QuorumTimes, &str> {
        self.times.as_ref().copied().map_err(String::as_str)
    }

    /// The witnessed *now*, if a quorum vouches for it.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        self.times().ok().map(|times| times.latest)
    }
}
