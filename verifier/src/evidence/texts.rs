//! Two texts where rule 1 allows one: for one version, under one edition of the charter or two, and for one edition.

use super::{Breach, EvidenceError, parse_charter, parse_release, proven, unproven};
use isonomy_core::charter::Charter;
use isonomy_core::json::Lines;
use isonomy_core::note::VerifierKey;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::release::Release;
use isonomy_core::rules::{MAX_CLOCK_DIFFERENCE, signatures};
use isonomy_core::statement::Signed;
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::TlogProof;
use serde::{Deserialize, Serialize};

/// A statement with the proof that it is in the log.
pub struct InLog<'a, T> {
    /// The statement.
    pub statement: &'a Signed<T>,
    /// Its place in the log, under a checkpoint that the quorum cosigned.
    pub proof: &'a TlogProof,
}

impl<T> Clone for InLog<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for InLog<'_, T> {}

impl<T> InLog<'_, T> {
    fn lines(&self) -> (Lines, Lines) {
        (Lines::of(self.statement.note()), Lines::of(self.proof))
    }
}

/// The parts of an equivocation under one edition.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Equivocation {
    charter: Lines,
    charter_proof: Lines,
    first: Lines,
    first_proof: Lines,
    second: Lines,
    second_proof: Lines,
}

/// The parts of an equivocation under two editions.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrossEquivocation {
    first_charter: Lines,
    first_charter_proof: Lines,
    first: Lines,
    first_proof: Lines,
    second_charter: Lines,
    second_charter_proof: Lines,
    second: Lines,
    second_proof: Lines,
}

/// The parts of two texts for one edition.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TwoEditions {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    before: Option<Lines>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    before_proof: Option<Lines>,
    first: Lines,
    first_proof: Lines,
    second: Lines,
    second_proof: Lines,
}

impl Equivocation {
    /// The two texts for one number.
    pub(super) fn texts(&self) -> [&Lines; 2] {
        [&self.first, &self.second]
    }

    pub(super) fn new(charter: InLog<'_, Charter>, first: InLog<'_, Release>, second: InLog<'_, Release>) -> Self {
        let ((charter, charter_proof), (first, first_proof)) = (charter.lines(), first.lines());
        let (second, second_proof) = second.lines();
        Self { charter, charter_proof, first, first_proof, second, second_proof }
    }

    pub(super) fn verify(&self, policy: &TlogPolicy) -> Result<Breach, EvidenceError> {
        let charter = (&self.charter, &self.charter_proof);
        let first = Text::read(policy, charter, (&self.first, &self.first_proof))?;
        let second = Text::read(policy, charter, (&self.second, &self.second_proof))?;
        two_versions(&first, &second)
    }
}

impl CrossEquivocation {
    /// The two texts for one number.
    pub(super) fn texts(&self) -> [&Lines; 2] {
        [&self.first, &self.second]
    }

    pub(super) fn new(
        (first_charter, first): (InLog<'_, Charter>, InLog<'_, Release>),
        (second_charter, second): (InLog<'_, Charter>, InLog<'_, Release>),
    ) -> Self {
        let ((first_charter, first_charter_proof), (first, first_proof)) = (first_charter.lines(), first.lines());
        let ((second_charter, second_charter_proof), (second, second_proof)) = (second_charter.lines(), second.lines());
        Self {
            first_charter,
            first_charter_proof,
            first,
            first_proof,
            second_charter,
            second_charter_proof,
            second,
            second_proof,
        }
    }

    pub(super) fn verify(&self, policy: &TlogPolicy) -> Result<Breach, EvidenceError> {
        let first_charter = (&self.first_charter, &self.first_charter_proof);
        let second_charter = (&self.second_charter, &self.second_charter_proof);
        let first = Text::read(policy, first_charter, (&self.first, &self.first_proof))?;
        let second = Text::read(policy, second_charter, (&self.second, &self.second_proof))?;
        if first.charter.id() == second.charter.id() {
            return Err(unproven("both releases cite one edition, for which there is another kind of evidence"));
        }
        two_versions(&first, &second)
    }
}

impl TwoEditions {
    /// The two texts for one number.
    pub(super) fn texts(&self) -> [&Lines; 2] {
        [&self.first, &self.second]
    }

    pub(super) fn new(
        before: Option<InLog<'_, Charter>>,
        first: InLog<'_, Charter>,
        second: InLog<'_, Charter>,
    ) -> Self {
        let (before, before_proof) = before.map(|before| before.lines()).unzip();
        let ((first, first_proof), (second, second_proof)) = (first.lines(), second.lines());
        Self { before, before_proof, first, first_proof, second, second_proof }
    }

    /// The log answers for it, which admitted both: a charter has no day after which its signers may sign another text, so
    /// that they signed both is said, and proves nothing against them.
    pub(super) fn verify(&self, policy: &TlogPolicy) -> Result<Breach, EvidenceError> {
        let (first, second) = (parse_charter(&self.first)?, parse_charter(&self.second)?);
        let (a, b) = (first.body(), second.body());
        if first.id() == second.id() || (&a.list, &a.log, a.edition) != (&b.list, &b.log, b.edition) {
            return Err(unproven("the charters are not two texts for one edition of one list"));
        }
        let log = log_of(policy, a)?;
        proven(policy, log, &self.first_proof, &first.to_bytes())?;
        proven(policy, log, &self.second_proof, &second.to_bytes())?;
        let before = match (&self.before, &self.before_proof) {
            (None, None) if a.edition == 1 => None,
            (Some(before), Some(proof)) => {
                let before = parse_charter(before)?;
                proven(policy, log, proof, &before.to_bytes())?;
                Some(before)
            }
            _ => return Err(unproven("the edition before goes with its proof, and with every edition but the first")),
        };
        // What an edition needs beside this while the one before isn't in force makes no difference to the log's breach: it
        // admits no second text for a number, whoever consents.
        for edition in [&first, &second] {
            signatures::edition_after(edition, before.as_ref()).map_err(unproven)?;
        }
        let both = common_signers((&first, a), (&second, b));
        let signed = if both.is_empty() {
            String::new()
        } else {
            format!(", both signed by {}", both.iter().map(VerifierKey::called).collect::<Vec<_>>().join(", "))
        };
        let what = format!(
            "admitted two texts for edition {} of {}: {} and {}{signed}",
            a.edition,
            a.list,
            first.id(),
            second.id()
        );
        Ok(Breach::of_log(log, [], what))
    }
}

/// A release, under its charter, both in the log that the charter names, with the signatures that it asks for.
struct Text {
    charter: Signed<Charter>,
    release: Signed<Release>,
    log: VerifierKey,
    public: Timestamp,
}

impl Text {
    fn read(
        policy: &TlogPolicy,
        (charter, charter_proof): (&Lines, &Lines),
        (release, proof): (&Lines, &Lines),
    ) -> Result<Self, EvidenceError> {
        let (charter, release) = (parse_charter(charter)?, parse_release(release)?);
        let log = log_of(policy, charter.body())?.clone();
        proven(policy, &log, charter_proof, &charter.to_bytes())?;
        let public = proven(policy, &log, proof, &release.to_bytes())?.1.earliest;
        signatures::release_under(&release, &charter).map_err(unproven)?;
        Ok(Self { charter, release, log, public })
    }
}

/// After the day of one text another may be signed, and a log that then takes up the first one has made both public: then,
/// or if nobody signed both, the log answers for it. Signers and witnesses go by different clocks, so both must have been
/// public clearly before the day was over.
fn two_versions(first: &Text, second: &Text) -> Result<Breach, EvidenceError> {
    let (a, b) = (first.release.body(), second.release.body());
    let same = (a.version, &a.list, &first.log) == (b.version, &b.list, &second.log);
    if !same || first.release.id() == second.release.id() {
        return Err(unproven("the releases are not two texts for one version of one list"));
    }
    let public = first.public.max(second.public).plus(MAX_CLOCK_DIFFERENCE);
    let over = a.created.min(b.created).plus(signatures::DRAFT_LIFETIME);
    let both = common_signers((&first.release, first.charter.body()), (&second.release, second.charter.body()));
    let (one, other) = (first.release.id(), second.release.id());
    let texts = format!("two texts for version {} of {}: {one} and {other}", a.version, a.list);
    Ok(match both.is_empty() || public > over {
        true => Breach::of_log(&first.log, [], format!("logged {texts}")),
        false => Breach::of_signers(both, format!("signed {texts}")),
    })
}

/// The keys that signed both, as the first charter has them. A key is what it is under any name.
fn common_signers<T, U>(first: (&Signed<T>, &Charter), second: (&Signed<U>, &Charter)) -> Vec<VerifierKey> {
    let others: Vec<&[u8]> = signers(second).map(|key| key.public_bytes().as_slice()).collect();
    let both = signers(first).filter(|key| others.contains(&key.public_bytes().as_slice()));
    both.cloned().collect()
}

fn signers<'c, T>((text, charter): (&'c Signed<T>, &'c Charter)) -> impl Iterator<Item = &'c VerifierKey> {
    charter.keys().filter(move |key| text.note().signatures().iter().any(|line| key.matches(line)))
}

fn log_of<'p>(policy: &'p TlogPolicy, charter: &Charter) -> Result<&'p VerifierKey, EvidenceError> {
    let log = policy.logs().iter().map(|log| &log.key).find(|key| key.name() == charter.log);
    log.ok_or_else(|| unproven("the charter counts in no log of the policy"))
}
