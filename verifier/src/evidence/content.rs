//! Objects that are not what their release says, though it names them by their digests: rule 8.

use super::admitted::signers;
use super::{Breach, Bytes, EvidenceError, parse_charter, parse_release, proven, unproven};
use isonomy_core::hash::ObjectDigest;
use isonomy_core::json::Lines;
use isonomy_core::list::{Algorithm, Entries, delta, snapshot};
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::rules::content::{self, Churn};
use isonomy_core::rules::signatures;
use serde::{Deserialize, Serialize};

/// How many bytes the objects in a file may have together: so many that it keeps within
/// [`super::MAX_EVIDENCE_SIZE`] whatever else is in it.
pub const MAX_OBJECTS_SIZE: usize = 2_700_000;

/// A release, and an object of it that is not what it says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongContent {
    /// The charter that it cites.
    pub charter: Lines,
    /// The proof that it is in the log.
    pub charter_proof: Lines,
    /// The release.
    pub release: Lines,
    /// The proof that it is in the log.
    pub release_proof: Lines,
    /// Its snapshot.
    pub snapshot: Bytes,
    /// If the snapshot is as it should be, and a delta is not: what the delta starts from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub base: Option<Base>,
}

/// An earlier release, and the delta from it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// The earlier release, which the later one names by its id.
    pub release: Lines,
    /// Its snapshot.
    pub snapshot: Bytes,
    /// The delta.
    pub delta: Bytes,
}

impl WrongContent {
    pub(super) fn verify(&self, policy: &TlogPolicy) -> Result<Breach, EvidenceError> {
        let (charter, release) = (parse_charter(&self.charter)?, parse_release(&self.release)?);
        let log = policy.logs().iter().map(|log| &log.key).find(|key| key.name() == charter.body().log);
        let log = log.ok_or_else(|| unproven("the charter counts in no log of the policy"))?;
        proven(policy, log, &self.charter_proof, &charter.to_bytes())?;
        proven(policy, log, &self.release_proof, &release.to_bytes())?;
        let body = release.body();
        if body.charter != charter.id() || body.list != charter.body().list {
            return Err(unproven("the release does not cite the charter of its list"));
        }
        signatures::release(&release, charter.body()).map_err(unproven)?;
        let problem = self.problem(body, charter.body().matching.algorithm)?;
        let what = format!(
            "made version {} of {} public, whose content is not what it says: {problem}",
            body.version, body.list
        );
        Ok(Breach::of_log(log, signers(&release, charter.body()), what))
    }

    /// What is wrong with the objects, in words.
    fn problem(&self, release: &Release, algorithm: Algorithm) -> Result<String, EvidenceError> {
        is_named(&self.snapshot, &release.snapshot)?;
        let entries = snapshot::decode(&self.snapshot.0, algorithm.entry_size(), release.entries);
        let entries = match (entries, &self.base) {
            (Ok(entries), _) => entries,
            (Err(problem), None) => return Ok(format!("the snapshot can't be read: {problem}")),
            (Err(_), Some(_)) => return Err(unproven("the snapshot can't be read, so the delta is not judged")),
        };
        match (content::judge(release, algorithm, &entries, None), &self.base) {
            (Err(violation), None) => Ok(violation.to_string()),
            (Ok(()), Some(base)) => base.problem(release, algorithm, &entries),
            (Ok(()), None) => Err(unproven("the snapshot is what the release says")),
            (Err(_), Some(_)) => Err(unproven("the snapshot is not what the release says, so the delta is not judged")),
        }
    }
}

impl Base {
    fn problem(&self, release: &Release, algorithm: Algorithm, to: &Entries) -> Result<String, EvidenceError> {
        let base = parse_release(&self.release)?;
        let reference = release.deltas.iter().find(|delta| delta.release == base.id());
        let reference = reference.ok_or_else(|| unproven("the release names no delta from the earlier one"))?;
        if reference.from != base.body().version {
            return Ok(format!("the delta from version {} names the release of another", reference.from));
        }
        is_named(&self.snapshot, &base.body().snapshot)?;
        is_named(&self.delta, &ObjectRef { size: reference.size, sha256: reference.sha256 })?;
        // If the earlier content is not as it should be, that is the earlier release's breach.
        let from = snapshot::decode(&self.snapshot.0, algorithm.entry_size(), base.body().entries).map_err(unproven)?;
        content::judge(base.body(), algorithm, &from, None).map_err(unproven)?;
        let what = format!("the delta from version {}", reference.from);
        let applied = match delta::apply(&from, &self.delta.0) {
            Ok(applied) => applied,
            Err(problem) => return Ok(format!("{what} can't be applied: {problem}")),
        };
        if applied.entries != *to {
            return Ok(format!("{what} does not lead to the entries of the snapshot"));
        }
        let churn = Churn { added: applied.added, removed: applied.removed };
        match reference.from.checked_add(1) == Some(release.version) {
            true => match content::judge(release, algorithm, to, Some(churn)) {
                Err(violation) => Ok(violation.to_string()),
                Ok(()) => Err(unproven("the delta is what the release says")),
            },
            false => Err(unproven("the delta is what the release says")),
        }
    }
}

/// Whether an object is the one that a release names: else it is somebody's who served it.
fn is_named(object: &Bytes, reference: &ObjectRef) -> Result<(), EvidenceError> {
    let is_it = object.0.len() as u64 == reference.size && ObjectDigest::of(&object.0) == reference.sha256;
    if is_it { Ok(()) } else { Err(unproven("an object is not the one that the release names")) }
}
