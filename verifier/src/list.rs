//! A list that was proven to be the public one.

use crate::freshness::Freshness;
use crate::policy::Policy;
use crate::state::{Accepted, State};
use isonomy_core::charter::Charter;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::list::Entries;
use isonomy_core::release::Release;
use isonomy_core::rules::{Violation, content};
use isonomy_core::statement::{ListName, Signed, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{leaf_hash, verify_inclusion};
use std::sync::Arc;

/// A list that passed every check of [`crate::Update`], with all that proves it. There is no other way to get one but an
/// update, or [`VerifiedList::reopen`], which repeats the checks on what was kept. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct VerifiedList {
    content: Arc<Content>,
    /// The latest witnessed time that is known.
    now: Timestamp,
    /// The latest witnessed time at which an update came to its end.
    confirmed: Timestamp,
    /// The policy under which it was accepted.
    policy: Arc<Policy>,
}

#[derive(Debug)]
struct Content {
    entries: Entries,
    charter: Signed<Charter>,
    release: Signed<Release>,
    accepted: Accepted,
}

/// Why what was kept can't be opened again. The cache is worthless then; the state isn't, and the next update fetches the
/// content anew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReopenError {
    /// The state has no release in force.
    #[error("no release was accepted yet")]
    Nothing,
    /// A kept statement is not the one that was accepted.
    #[error("the kept {0} is not the one that was accepted")]
    Statement(&'static str),
    /// The kept proof does not verify under the policy.
    #[error("the kept proof does not verify under the policy: {0}")]
    Proof(String),
    /// The kept content is not that of the release.
    #[error("the kept content is damaged: {0}")]
    Content(#[from] Violation),
    /// The policy does not accept it any more.
    #[error("the policy does not accept the list: {0}")]
    Policy(#[from] crate::policy::PolicyBreach),
    /// The policy pins another charter, or asks for more notice, than when the list was accepted. What led from that
    /// charter to the list isn't kept; an update judges it anew.
    #[error(
        "the policy pins another charter or asks for longer notice than when the list was accepted; an update is needed"
    )]
    OtherPolicy,
}

impl VerifiedList {
    pub(crate) fn new(
        entries: Entries,
        charter: Signed<Charter>,
        release: Signed<Release>,
        accepted: Accepted,
        state: &State,
        policy: &Arc<Policy>,
    ) -> Self {
        let content = Arc::new(Content { entries, charter, release, accepted });
        Self { content, now: state.now(), confirmed: state.confirmed(), policy: Arc::clone(policy) }
    }

    /// The list in force, from what a client kept: nothing of it is believed but the state.
    pub fn reopen(
        policy: &Policy,
        state: &State,
        charter: &[u8],
        release: &[u8],
        entries: Entries,
    ) -> Result<Self, ReopenError> {
        let accepted = state.accepted().ok_or(ReopenError::Nothing)?.clone();
        let charter = Statement::parse(charter).ok().and_then(Statement::into_charter);
        let charter = charter.filter(|kept| kept.id() == accepted.charter).ok_or(ReopenError::Statement("charter"))?;
        let release = Statement::parse(release).ok().and_then(Statement::into_release);
        let release = release.filter(|kept| kept.id() == accepted.release).ok_or(ReopenError::Statement("release"))?;
        let (of_release, of_charter) = (release.body(), charter.body());
        let stated = (of_release.version, of_release.created, of_release.charter, of_charter.edition);
        if stated != (accepted.version, accepted.created, accepted.charter, accepted.edition) {
            return Err(ReopenError::Statement("release"));
        }
        let policy = Arc::new(policy.clone());
        let list = Self::new(entries, charter, release, accepted, state, &policy).under(&policy, state)?;
        content::judge(list.release(), list.charter().matching.algorithm, list.entries(), None)?;
        Ok(list)
    }

    /// The same list under this policy, if that accepts it, too: by its own log and witnesses, for its charter and its terms.
    pub(crate) fn under(&self, policy: &Arc<Policy>, state: &State) -> Result<Self, ReopenError> {
        let Content { charter, release, accepted, .. } = &*self.content;
        verify_logged(policy, accepted, &charter.to_bytes(), &release.to_bytes())?;
        if !accepted.answers_for(policy) {
            return Err(ReopenError::OtherPolicy);
        }
        policy.judge(charter.body(), release)?;
        policy.audit().judge(accepted, state)?;
        Ok(Self { policy: Arc::clone(policy), ..self.clone() })
    }

    /// The same list with the times that are known now, by the state of the client that holds it.
    #[must_use]
    pub fn known_by(&self, state: &State) -> Self {
        Self { now: state.now(), confirmed: state.confirmed(), ..self.clone() }
    }

    /// Its name.
    pub fn name(&self) -> &ListName {
        &self.content.release.body().list
    }

    /// The policy under which it was accepted.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Its version.
    pub fn version(&self) -> u64 {
        self.content.accepted.version
    }

    /// Its entries.
    pub fn entries(&self) -> &Entries {
        &self.content.entries
    }

    /// The charter under which it may be used.
    pub fn charter(&self) -> &Charter {
        self.content.charter.body()
    }

    /// The charter with its signatures.
    pub fn signed_charter(&self) -> &Signed<Charter> {
        &self.content.charter
    }

    /// The release.
    pub fn release(&self) -> &Release {
        self.content.release.body()
    }

    /// The release with its signatures.
    pub fn signed_release(&self) -> &Signed<Release> {
        &self.content.release
    }

    /// How it was accepted, with the proof that release and charter are in the log.
    pub fn accepted(&self) -> &Accepted {
        &self.content.accepted
    }

    /// How old the knowledge about it is at `local`, the device's clock. The latest known time counts: a clock that is
    /// ahead can expire a good list, never admit a bad one.
    pub fn freshness(&self, local: Timestamp) -> Freshness {
        let release = self.release();
        Freshness::at(local.max(self.now), self.confirmed, release.created, release.expires, self.policy.ages())
    }

    /// The latest witnessed time that is known with this list.
    pub fn witnessed_now(&self) -> Timestamp {
        self.now
    }

    /// 32 bytes that are equal for all holders of this release ([`crate::view`]).
    pub fn view(&self) -> [u8; 32] {
        let Accepted { release, version, proof, .. } = &self.content.accepted;
        crate::view::digest(self.name(), *version, release, proof.release_index)
    }
}

/// Checks the kept proof: log signature, quorum, inclusion of both.
fn verify_logged(policy: &Policy, accepted: &Accepted, charter: &[u8], release: &[u8]) -> Result<(), ReopenError> {
    let proof = &accepted.proof;
    let failed = |error: &dyn std::fmt::Display| ReopenError::Proof(error.to_string());
    let note = CheckpointNote::parse(proof.checkpoint.to_text().as_bytes()).map_err(|error| failed(&error))?;
    note.verify_log(policy.log()).map_err(|error| failed(&error))?;
    let times = policy.trust().seen_times(&note).map_err(|error| failed(&error))?;
    times.ok_or(ReopenError::Proof("too few witnesses cosigned it".into()))?;
    let tree = note.checkpoint();
    for (entry, index, path) in
        [(charter, proof.charter_index, &proof.charter_path), (release, proof.release_index, &proof.release_path)]
    {
        verify_inclusion(&leaf_hash(entry), index, tree.size, path, &tree.root).map_err(|error| failed(&error))?;
    }
    Ok(())
}
