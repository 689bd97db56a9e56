//! What a log admitted though the rules forbid it: entries that are no statements, a text for the second time, and
//! statements that break a rule by themselves, beside the charter that they build on, or beside one earlier release.
//!
//! A gap in the numbers, or a statement that is cited and is not there, needs the whole log to be seen, and has no such file.

use super::{Breach, Bytes, EvidenceError, parse_charter, parse_release, unproven};
use isonomy_core::charter::Charter;
use isonomy_core::json::Lines;
use isonomy_core::note::VerifierKey;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::release::Release;
use isonomy_core::rules::releases::{Before, within_limits};
use isonomy_core::rules::{Rule, Series, Violation, content, signatures};
use isonomy_core::statement::{Signed, Statement};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::LeafIndex;
use serde::{Deserialize, Serialize};

/// An entry that is no statement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotAStatement {
    /// The entry.
    pub entry: Bytes,
    /// The proof that it is in the log.
    pub proof: Lines,
}

/// One text at two places.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedTwice {
    /// The statement as it was logged first.
    pub first: Lines,
    /// The proof that it is there.
    pub first_proof: Lines,
    /// The statement as it was logged again.
    pub second: Lines,
    /// The proof that it is there.
    pub second_proof: Lines,
}

/// A statement that breaks a rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inadmissible {
    /// The statement.
    pub statement: Lines,
    /// The proof that it is in the log.
    pub statement_proof: Lines,
    /// Of a release the charter that it cites; of an edition the one before it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub charter: Option<Lines>,
    /// The proof that that is in the log.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub charter_proof: Option<Lines>,
    /// Another release of the list, if the breach shows beside that.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub other: Option<Lines>,
    /// The proof that it is in the log.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub other_proof: Option<Lines>,
}

/// That a release was created after it was public convicts nobody: one cosignature that is dated back, added when all is
/// over, moves *public since* to the clock of the honest witness that was behind.
const NO_TIME: Timestamp = Timestamp(u64::MAX);

/// Where an entry stands, and in which log.
struct Place {
    index: LeafIndex,
    log: VerifierKey,
}

impl NotAStatement {
    pub(super) fn verify(&self, policy: &TlogPolicy) -> Result<Breach, EvidenceError> {
        let Place { index, log, .. } = place(policy, &self.proof, &self.entry.0)?;
        let Err(problem) = Statement::parse(&self.entry.0) else { return Err(unproven("the entry is a statement")) };
        if let Some(kind) = Statement::form_of(&self.entry.0) {
            return Err(unproven(format!("the entry has the form of a statement, {kind}, maybe of a later format")));
        }
        let what = format!("admitted an entry that is not a statement ({problem}), at place {index}");
        Ok(Breach::of_log(&log, [], what))
    }
}

impl LoggedTwice {
    pub(super) fn verify(&self, policy: &TlogPolicy) -> Result<Breach, EvidenceError> {
        let read = |lines: &Lines| Statement::parse(lines.to_text().as_bytes()).map_err(unproven);
        let (first, second) = (read(&self.first)?, read(&self.second)?);
        let one = place(policy, &self.first_proof, &first.to_bytes())?;
        let other = place(policy, &self.second_proof, &second.to_bytes())?;
        if first.id() != second.id() || one.index >= other.index || one.log != other.log {
            return Err(unproven("it is not one text at two places of one log"));
        }
        let what = format!("logged the text {} at place {} and again at place {}", first.id(), one.index, other.index);
        Ok(Breach::of_log(&one.log, [], what))
    }
}

impl Inadmissible {
    pub(super) fn verify(&self, policy: &TlogPolicy) -> Result<Breach, EvidenceError> {
        let statement = Statement::parse(self.statement.to_text().as_bytes()).map_err(unproven)?;
        let here = place(policy, &self.statement_proof, &statement.to_bytes())?;
        let charter = with_proof(policy, (&self.charter, &self.charter_proof), parse_charter, &here.log)?;
        let other = with_proof(policy, (&self.other, &self.other_proof), parse_release, &here.log)?;
        let (violation, by) = match (&statement, charter, other) {
            (Statement::Release(release), Some(charter), other) => {
                of_release(release, &here, &charter, other.as_ref())?
            }
            (Statement::Charter(edition), before, None) => of_edition(edition, &here, before.as_ref())?,
            (Statement::Attestation(attestation), None, None) => {
                (signatures::attestation(attestation).err(), Vec::new())
            }
            _ => return Err(unproven("what it is judged by is missing, or more than that is there")),
        };
        let violation = violation.ok_or_else(|| unproven("the statement breaks no rule that this file could show"))?;
        let what = format!(
            "admitted entry {} ({}), which breaks {}: {violation}",
            here.index,
            statement.id(),
            violation.rule()
        );
        Ok(Breach::of_log(&here.log, by, what))
    }
}

type Verdict = (Option<Violation>, Vec<VerifierKey>);

/// What is wrong with a release beside the charter that it cites, and who of those who signed it answers for that.
fn of_release(
    release: &Signed<Release>,
    here: &Place,
    (charter, cited): &(Signed<Charter>, Place),
    other: Option<&(Signed<Release>, Place)>,
) -> Result<Verdict, EvidenceError> {
    let (body, terms) = (release.body(), charter.body());
    if body.charter != charter.id() || terms.log != here.log.name() {
        return Err(unproven("the release does not cite this charter, or the charter counts in another log"));
    }
    // What lacks signatures, or a place, can't be laid at the door of those who signed.
    if cited.index >= here.index {
        return Ok((Some(Violation::UnknownCharter { id: body.charter }), Vec::new()));
    }
    if body.list != terms.list {
        let (expected, found) = (terms.list.clone(), body.list.clone());
        return Ok((Some(Violation::OtherList { expected, found }), Vec::new()));
    }
    if let Err(violation) = signatures::release(release, terms) {
        return Ok((Some(violation), Vec::new()));
    }
    let alone = within_limits(body, &terms.limits, &Before::default(), NO_TIME);
    let alone = alone.and_then(|()| content::judge_snapshot_size(body, terms.matching.algorithm));
    if let Err(violation) = alone {
        return Ok((Some(violation), signers(release, terms)));
    }
    let Some((other, there)) = other else { return Ok((None, Vec::new())) };
    let violation = beside(body, here, other, there, terms)?;
    // Whoever signs a release signs which one it follows.
    let is_signed = body.previous == Some(other.id()) && violation.as_ref().is_some_and(|v| v.rule() == Rule::Limits);
    Ok((violation, if is_signed { signers(release, terms) } else { Vec::new() }))
}

/// What is wrong with a release beside an earlier version, or one that should come later.
fn beside(
    release: &Release,
    here: &Place,
    other: &Signed<Release>,
    there: &Place,
    terms: &Charter,
) -> Result<Option<Violation>, EvidenceError> {
    let (version, number) = (other.body().version, release.version);
    if other.body().list != release.list || version == number {
        return Err(unproven("the other release is of another list, or of the same version"));
    }
    if (version < number) != (there.index < here.index) {
        let expected = version.saturating_add(1);
        return Ok(Some(Violation::NotContiguous { series: Series::Version, expected, found: number }));
    }
    if version > number {
        return Ok(None);
    }
    if version + 1 == number && release.previous != Some(other.id()) {
        return Ok(Some(Violation::PreviousMismatch { series: Series::Version, number }));
    }
    if release.created < other.body().created {
        let (created, predecessor) = (release.created, other.body().created);
        return Ok(Some(Violation::CreatedEarly { created, predecessor }));
    }
    let last_addition = (other.body().added > 0).then_some(other.body().created);
    let before = Before { earlier: None, last_addition };
    Ok(within_limits(release, &terms.limits, &before, NO_TIME).err())
}

/// What is wrong with an edition, by itself or beside the one before it. The log answers for it.
fn of_edition(
    edition: &Signed<Charter>,
    here: &Place,
    before: Option<&(Signed<Charter>, Place)>,
) -> Result<Verdict, EvidenceError> {
    let body = edition.body();
    if body.log != here.log.name() {
        let (charter, log) = (body.log.clone(), here.log.name().to_owned());
        return Ok((Some(Violation::OtherLog { charter, log }), Vec::new()));
    }
    let verdict = match before {
        None if body.edition == 1 => signatures::first_edition(edition),
        None => return Err(unproven("the edition before is missing")),
        Some((before, there)) => follows(edition, here, before, there)?,
    };
    Ok((verdict.err(), Vec::new()))
}

fn follows(
    edition: &Signed<Charter>,
    here: &Place,
    before: &Signed<Charter>,
    there: &Place,
) -> Result<Result<(), Violation>, EvidenceError> {
    let (new, old) = (edition.body(), before.body());
    if new.previous != Some(before.id()) {
        return Err(unproven("the edition does not follow this one"));
    }
    let expected = old.edition.saturating_add(1);
    Ok(if there.index >= here.index {
        Err(Violation::PreviousMismatch { series: Series::Edition, number: new.edition })
    } else if new.list != old.list {
        Err(Violation::OtherList { expected: old.list.clone(), found: new.list.clone() })
    } else if new.edition != expected {
        Err(Violation::NotContiguous { series: Series::Edition, expected, found: new.edition })
    } else if new.matching.algorithm != old.matching.algorithm {
        Err(Violation::AlgorithmChanged)
    } else {
        signatures::consent(edition, old)
    })
}

/// The names of the keys that signed a release, as its charter has them.
pub(super) fn signers(release: &Signed<Release>, charter: &Charter) -> Vec<VerifierKey> {
    let signed = |key: &&VerifierKey| release.note().signatures().iter().any(|line| key.matches(line));
    charter.keys().filter(signed).cloned().collect()
}

/// The proof of an entry by whichever log of the policy signed it.
fn place(policy: &TlogPolicy, lines: &Lines, entry: &[u8]) -> Result<Place, EvidenceError> {
    let proof = TlogProof::parse(lines.to_text().as_bytes()).map_err(unproven)?;
    let log = policy.log_of(&proof.checkpoint);
    let log = log.ok_or_else(|| unproven("a checkpoint isn't signed by a log of the policy"))?;
    proof.verify(entry, log, policy).map_err(unproven)?;
    Ok(Place { index: proof.index, log: log.clone() })
}

/// A statement with its place in this log, if the file has one.
fn with_proof<T>(
    policy: &TlogPolicy,
    (statement, proof): (&Option<Lines>, &Option<Lines>),
    parse: fn(&Lines) -> Result<Signed<T>, EvidenceError>,
    log: &VerifierKey,
) -> Result<Option<(Signed<T>, Place)>, EvidenceError> {
    let (statement, proof) = match (statement, proof) {
        (None, None) => return Ok(None),
        (Some(statement), Some(proof)) => (parse(statement)?, proof),
        _ => return Err(unproven("a statement goes with the proof that it is in the log")),
    };
    let place = place(policy, proof, &statement.to_bytes())?;
    if place.log == *log { Ok(Some((statement, place))) } else { Err(unproven("the statements are in different logs")) }
}
