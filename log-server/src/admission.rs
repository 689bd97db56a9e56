//! Which statements the log takes: what `core::rules` says, and whom the operator knows. Pure: history and time are
//! arguments.

use crate::refusal::Refusal;
use isonomy_core::charter::Charter;
use isonomy_core::list::snapshot;
use isonomy_core::note::VerifierKey;
use isonomy_core::release::Release;
use isonomy_core::rules::Violation;
use isonomy_core::rules::history::{History, ListHistory, Signing};
use isonomy_core::rules::releases::Place;
use isonomy_core::rules::signatures;
use isonomy_core::statement::{ListName, Signed, Statement};

/// Bytes of a delta beside its two codes, rounded up.
const DELTA_HEADER: u64 = 64;

/// Whom the operator knows.
#[derive(Clone, Debug)]
pub struct Admission {
    publishers: Vec<VerifierKey>,
    auditors: Vec<VerifierKey>,
}

impl Admission {
    /// New lists are founded by these publishers; attestations come from these auditors. Everything else is admitted by
    /// its own signatures.
    pub fn new(publishers: Vec<VerifierKey>, auditors: Vec<VerifierKey>) -> Self {
        Self { publishers, auditors }
    }

    /// Judges a statement that would be logged at `place`, as the log's clock has it.
    pub fn judge(
        &self,
        history: &History,
        statement: &Statement,
        place: Place,
        signing: Signing,
    ) -> Result<(), Refusal> {
        if history.index_of(&statement.id()).is_none() {
            self.allow(statement, signing)?;
        }
        history.judge(statement, place, signing)?;
        let list = history.list(statement.list());
        match statement {
            Statement::Release(release) => {
                signatures::admissible_at(release.body(), place.public_since)?;
                let unknown = Violation::UnknownCharter { id: release.body().charter };
                plausible_sizes(release.body(), list.ok_or(unknown)?)?;
            }
            Statement::Charter(charter) => {
                if let Some(list) = list {
                    list.editions().judge_admission(charter.body(), place.public_since)?;
                    if signing == Signing::Signed {
                        list.editions().judge_consent(charter, place.public_since)?;
                    }
                }
            }
            Statement::Attestation(_) => {}
        }
        Ok(())
    }

    fn allow(&self, statement: &Statement, signing: Signing) -> Result<(), Refusal> {
        match statement {
            Statement::Charter(charter) if charter.body().edition == 1 => {
                not_reserved(&charter.body().list)?;
                self.allow_founding(charter, signing)
            }
            Statement::Attestation(attestation) => {
                let auditor = &attestation.body().auditor;
                let known = self.auditors.contains(auditor);
                if known { Ok(()) } else { Err(Refusal::UnknownAuditor { auditor: auditor.to_string() }) }
            }
            _ => Ok(()),
        }
    }

    /// A list is founded by a maintainer key that the operator knows; a draft has to name one, a statement to be signed by
    /// it.
    fn allow_founding(&self, charter: &Signed<Charter>, signing: Signing) -> Result<(), Refusal> {
        let keys = charter.body().maintainer.keys.iter();
        let known: Vec<VerifierKey> = keys.filter(|key| self.publishers.contains(key)).cloned().collect();
        let allowed = match signing {
            Signing::Draft => !known.is_empty(),
            // A wrong signature is for the rules to name.
            Signing::Signed => charter.note().signers(&known).map_or(!known.is_empty(), |signers| !signers.is_empty()),
        };
        if allowed { Ok(()) } else { Err(Refusal::UnknownPublisher) }
    }
}

/// The bundle of `a/b` would have the path of the folder of `a/b/bundle`.
fn not_reserved(list: &ListName) -> Result<(), Refusal> {
    if list.as_str().split('/').any(|part| part == "bundle") { Err(Refusal::ReservedName) } else { Ok(()) }
}

/// Whether the objects of a release can have the sizes that it says: of a snapshot that is known to the byte, of a delta
/// there is a bound. So nobody can make the log store more than the charter's limits imply.
fn plausible_sizes(release: &Release, list: &ListHistory) -> Result<(), Refusal> {
    let unknown = Violation::UnknownCharter { id: release.charter };
    let edition = list.editions().find(&release.charter).ok_or(unknown)?;
    let size = edition.charter().matching.algorithm.entry_size();
    let length = |entries| snapshot::encoded_len(size, entries).unwrap_or(0);
    let whole = length(release.entries);
    if release.snapshot.size != whole {
        let (what, stated, bound) = ("the snapshot".into(), release.snapshot.size, format!("it has {whole}"));
        return Err(Refusal::ObjectSize { what, stated, bound });
    }
    for delta in &release.deltas {
        let base = list.version(delta.from).map_or(0, |base| base.release.body().entries);
        let most = whole.saturating_add(length(base)).saturating_add(DELTA_HEADER);
        if delta.size > most {
            let what = format!("the delta from version {}", delta.from);
            return Err(Refusal::ObjectSize { what, stated: delta.size, bound: format!("it has at most {most}") });
        }
    }
    Ok(())
}
