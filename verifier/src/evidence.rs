//! Evidence: a file that proves, from signed bytes alone, that a named key broke the rules. Anybody can check it, offline,
//! years later, with the log's and witnesses' keys. What can't be proven so is an observation, never an accusation.
//!
//! A file is canonical JSON ([`isonomy_core::json`]); notes stand in it as arrays of lines. Its first field says what it holds:
//!
//! | `evidence` | holds | proves |
//! |---|---|---|
//! | `isonomy/fork/v1` | two checkpoints by the log, a prefix proof | the log showed two histories |
//! | `isonomy/equivocation/v1` | a charter, two releases of one version, both signed as it asks, three tlog-proofs | maintainer and curators signed both, and both were logged |
//! | `isonomy/equivocation/v2` | two charters, a release under each, of one version, four tlog-proofs | the same, under different editions |
//! | `isonomy/two-editions/v1` | two charters of one edition, the edition before, three tlog-proofs | the log admitted both |
//! | `isonomy/early-admission/v1` | two editions, a release under the second, two tlog-proofs, a checkpoint from before | the log admitted a release before the notice of its charter could be over |
//! | `isonomy/not-a-statement/v1` | an entry, its tlog-proof | the log admitted what is no statement |
//! | `isonomy/logged-twice/v1` | a statement twice, two tlog-proofs | the log admitted one text at two places |
//! | `isonomy/inadmissible/v1` | a statement, and what it builds on where that is needed, tlog-proofs | the log admitted what breaks a rule |
//! | `isonomy/wrong-content/v1` | a release with its charter, two tlog-proofs, the objects | objects that it names are not what it says |

mod admitted;
mod content;
mod texts;

use isonomy_core::charter::Charter;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::encoding::{from_base64, to_base64};
use isonomy_core::hash::{NodeHash, ObjectDigest, StatementId};
use isonomy_core::json::{self, Lines};
use isonomy_core::note::VerifierKey;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::policy::QuorumTimes;
use isonomy_core::release::Release;
use isonomy_core::rules::{MAX_CLOCK_DIFFERENCE, amendment};
use isonomy_core::statement::{Signed, Statement};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{LeafIndex, prefix_roots};
use serde::{Deserialize, Serialize};

pub use admitted::{Inadmissible, LoggedTwice, NotAStatement};
pub use content::{Base, MAX_OBJECTS_SIZE, WrongContent};
pub use texts::{CrossEquivocation, Equivocation, InLog, TwoEditions};

/// The most bytes that an evidence file may have: three charters, three proofs and [`MAX_OBJECTS_SIZE`] fit.
pub const MAX_EVIDENCE_SIZE: usize = 4 << 20;

/// Why a file proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// Not an evidence file.
    #[error("malformed evidence: {0}")]
    Malformed(String),
    /// A signature or proof in it is wrong, or by another key than asked for.
    #[error("the evidence does not hold: {0}")]
    Unproven(String),
}

/// A proven breach, in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breach {
    /// The keys that answer for it. Two may have one name, also the log's.
    pub by: Vec<VerifierKey>,
    /// What they did: the first of them, if that is the log, which made public what the others had signed.
    pub what: String,
    /// Whether the first of these keys is the log's.
    is_of_log: bool,
}

impl Breach {
    /// Of the log, and of those who had signed what it made public.
    fn of_log(log: &VerifierKey, signers: impl IntoIterator<Item = VerifierKey>, what: String) -> Self {
        Self { by: [log.clone()].into_iter().chain(signers).collect(), what, is_of_log: true }
    }

    /// Of those who signed.
    fn of_signers(by: Vec<VerifierKey>, what: String) -> Self {
        Self { by, what, is_of_log: false }
    }

    /// Who did what, in a sentence without its full stop.
    pub fn sentence(&self) -> String {
        match self.by.split_first() {
            Some((log, signers)) if self.is_of_log && !signers.is_empty() => {
                let signers: Vec<String> = signers.iter().map(VerifierKey::called).collect();
                format!("{} {}; signed by {}", log.called(), self.what, signers.join(" and "))
            }
            _ => format!("{} {}", self.whom(" and "), self.what),
        }
    }

    /// Who answers for it, in words: each key by its name and short id.
    pub fn whom(&self, joint: &str) -> String {
        self.by.iter().map(VerifierKey::called).collect::<Vec<_>>().join(joint)
    }

    /// The names of the keys that answer for it.
    pub fn names(&self) -> Vec<&str> {
        self.by.iter().map(VerifierKey::name).collect()
    }
}

/// Evidence as it stands in a file: nothing of it is believed before [`Evidence::verify`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "evidence")]
#[non_exhaustive]
pub enum Evidence {
    /// Two checkpoints that contradict each other.
    #[serde(rename = "isonomy/fork/v1")]
    Fork(Fork),
    /// Two releases of one version.
    #[serde(rename = "isonomy/equivocation/v1")]
    Equivocation(Equivocation),
    /// Two releases of one version, under different editions of the charter.
    #[serde(rename = "isonomy/equivocation/v2")]
    CrossEquivocation(Box<CrossEquivocation>),
    /// Two charters of one edition.
    #[serde(rename = "isonomy/two-editions/v1")]
    TwoEditions(Box<TwoEditions>),
    /// A release that was admitted too early.
    #[serde(rename = "isonomy/early-admission/v1")]
    EarlyAdmission(Box<EarlyAdmission>),
    /// An entry that is no statement.
    #[serde(rename = "isonomy/not-a-statement/v1")]
    NotAStatement(NotAStatement),
    /// One text at two places.
    #[serde(rename = "isonomy/logged-twice/v1")]
    LoggedTwice(Box<LoggedTwice>),
    /// A statement that breaks a rule.
    #[serde(rename = "isonomy/inadmissible/v1")]
    Inadmissible(Box<Inadmissible>),
    /// Objects that are not what their release says.
    #[serde(rename = "isonomy/wrong-content/v1")]
    WrongContent(Box<WrongContent>),
}

/// Bytes that are no text: in the file, base64.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bytes(pub Vec<u8>);

impl TryFrom<String> for Bytes {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        from_base64(&text).map(Self).ok_or("expected canonical base64")
    }
}

impl From<Bytes> for String {
    fn from(bytes: Bytes) -> Self {
        to_base64(&bytes.0)
    }
}

/// The parts of a fork.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fork {
    older: Lines,
    newer: Lines,
    proof: Vec<NodeHash>,
}

/// The parts of an early admission.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EarlyAdmission {
    /// The edition that asks for notice.
    pub before: Lines,
    /// The edition that widens it.
    pub edition: Lines,
    /// The proof of the edition's place in the log.
    pub edition_proof: Lines,
    /// The release that cites it.
    pub release: Lines,
    /// The proof that the release was public.
    pub release_proof: Lines,
    /// A cosigned checkpoint that does not hold the edition yet.
    pub earlier: Lines,
}

impl Evidence {
    /// That a log signed `older` and `newer`, which contradict each other. `proof` is the prefix proof from one size to
    /// the other, empty for equal sizes.
    pub fn fork(older: &CheckpointNote, newer: &CheckpointNote, proof: Vec<NodeHash>) -> Self {
        Self::Fork(Fork { older: Lines::of(older.note()), newer: Lines::of(newer.note()), proof })
    }

    /// That two releases of one version carry the signatures that `charter` asks for, and that both are in the log. One
    /// that was signed and never logged is no breach: after 24 hours its signers may sign another (rule 2). And a charter
    /// that isn't in the log could be anybody's, under any names.
    pub fn equivocation(charter: InLog<'_, Charter>, first: InLog<'_, Release>, second: InLog<'_, Release>) -> Self {
        Self::Equivocation(Equivocation::new(charter, first, second))
    }

    /// The same for two releases under different editions: each with the charter that it cites.
    pub fn equivocation_across(
        first: (InLog<'_, Charter>, InLog<'_, Release>),
        second: (InLog<'_, Charter>, InLog<'_, Release>),
    ) -> Self {
        if first.0.statement.id() == second.0.statement.id() {
            return Self::equivocation(first.0, first.1, second.1);
        }
        Self::CrossEquivocation(Box::new(CrossEquivocation::new(first, second)))
    }

    /// That the log admitted two charters of one edition, both consented to as that edition must be. `before` is the edition
    /// before; the first one has none.
    pub fn two_editions(
        before: Option<InLog<'_, Charter>>,
        first: InLog<'_, Charter>,
        second: InLog<'_, Charter>,
    ) -> Self {
        Self::TwoEditions(Box::new(TwoEditions::new(before, first, second)))
    }

    /// Parses an evidence file.
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let malformed = |problem: String| EvidenceError::Malformed(problem);
        if bytes.len() > MAX_EVIDENCE_SIZE {
            return Err(malformed(format!("larger than {MAX_EVIDENCE_SIZE} bytes")));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("not UTF-8".into()))?;
        json::decode(text).map_err(|error| malformed(error.to_string()))
    }

    /// The text of the file.
    pub fn to_text(&self) -> String {
        // Its strings are lines of notes that were parsed, so they hold no control characters, and encoding can't fail.
        json::encode(self).unwrap_or_default()
    }

    /// The digest of the file, which names it.
    pub fn digest(&self) -> ObjectDigest {
        ObjectDigest::of(self.to_text().as_bytes())
    }

    /// The texts that it is about, whatever checkpoints, proofs and signatures it rests on: two files of one kind that hold, with one
    /// subject, prove a breach by the same texts. A fork is about two checkpoints, whoever cosigned them.
    pub fn subject(&self) -> ObjectDigest {
        match self {
            Self::Fork(parts) => digest_of("fork", sorted([&parts.older, &parts.newer])),
            Self::NotAStatement(parts) => ObjectDigest::of(&parts.entry.0),
            _ => {
                let (kind, texts) = self.texts();
                digest_of(kind, texts)
            }
        }
    }

    /// What kind of breach it is about, in a word.
    pub fn kind(&self) -> &'static str {
        self.texts().0
    }

    /// The statements that it is about, by their ids: of a pair in either order the same. None for a fork and what is no statement.
    pub fn statements(&self) -> Vec<StatementId> {
        self.texts().1.iter().map(|text| StatementId::of(&format!("{text}\n"))).collect()
    }

    fn texts(&self) -> (&'static str, Vec<String>) {
        match self {
            Self::Fork(_) => ("fork", Vec::new()),
            Self::NotAStatement(_) => ("not-a-statement", Vec::new()),
            // A pair is one in either order, and whichever charters it rests on.
            Self::Equivocation(parts) => ("releases", sorted(parts.texts())),
            Self::CrossEquivocation(parts) => ("releases", sorted(parts.texts())),
            Self::TwoEditions(parts) => ("editions", sorted(parts.texts())),
            Self::EarlyAdmission(parts) => ("early", [&parts.edition, &parts.release].map(text_of).to_vec()),
            Self::LoggedTwice(parts) => ("twice", vec![text_of(&parts.first)]),
            Self::Inadmissible(parts) => ("inadmissible", vec![text_of(&parts.statement)]),
            Self::WrongContent(parts) => ("content", vec![text_of(&parts.release)]),
        }
    }

    /// Checks the evidence against the log and witnesses of `policy`.
    pub fn verify(&self, policy: &TlogPolicy) -> Result<Breach, EvidenceError> {
        match self {
            Self::Fork(parts) => verify_fork(policy, parts),
            Self::Equivocation(parts) => parts.verify(policy),
            Self::CrossEquivocation(parts) => parts.verify(policy),
            Self::TwoEditions(parts) => parts.verify(policy),
            Self::EarlyAdmission(parts) => verify_early_admission(policy, parts),
            Self::NotAStatement(parts) => parts.verify(policy),
            Self::LoggedTwice(parts) => parts.verify(policy),
            Self::Inadmissible(parts) => parts.verify(policy),
            Self::WrongContent(parts) => parts.verify(policy),
        }
    }
}

/// The text of a note, without its signatures.
fn text_of(note: &Lines) -> String {
    let text = note.to_text();
    text.split_once("\n\n").map_or(text.clone(), |(text, _)| text.to_owned())
}

fn digest_of(kind: &str, texts: Vec<String>) -> ObjectDigest {
    ObjectDigest::of([vec![kind.to_owned()], texts].concat().join("\n\n").as_bytes())
}

fn sorted(notes: [&Lines; 2]) -> Vec<String> {
    let mut texts = notes.map(text_of);
    texts.sort();
    texts.to_vec()
}

fn unproven(problem: impl std::fmt::Display) -> EvidenceError {
    EvidenceError::Unproven(problem.to_string())
}

fn verify_fork(policy: &TlogPolicy, parts: &Fork) -> Result<Breach, EvidenceError> {
    let (older, log) = log_checkpoint(policy, &parts.older)?;
    let (newer, other) = log_checkpoint(policy, &parts.newer)?;
    if log != other {
        return Err(unproven("the checkpoints are by different logs"));
    }
    let (a, b) = (older.checkpoint(), newer.checkpoint());
    let contradicts = if a.size == b.size {
        a.root != b.root && parts.proof.is_empty()
    } else {
        let (prefix, whole) = prefix_roots(a.size, b.size, &parts.proof).map_err(unproven)?;
        whole == b.root && prefix != a.root
    };
    if !contradicts {
        return Err(unproven("the two checkpoints do not contradict each other"));
    }
    let what = format!(
        "signed two histories: a tree of {} entries with root {} and one of {} entries with root {}",
        a.size,
        a.root.to_base64(),
        b.size,
        b.root.to_base64()
    );
    Ok(Breach::of_log(&log, [], what))
}

fn verify_early_admission(policy: &TlogPolicy, parts: &EarlyAdmission) -> Result<Breach, EvidenceError> {
    let (before, edition) = (parse_charter(&parts.before)?, parse_charter(&parts.edition)?);
    let release = parse_release(&parts.release)?;
    if edition.body().previous != Some(before.id()) || release.body().charter != edition.id() {
        return Err(unproven("the release does not cite the edition, or the edition not the one before it"));
    }
    if amendment::narrows(before.body(), edition.body()) {
        return Err(unproven("the edition narrows the charter and needs no notice"));
    }
    if policy.weak_split() == 0 {
        return Err(unproven(
            "the policy's quorums need not share a witness, so what one has not seen another may have",
        ));
    }
    let (earlier, log) = log_checkpoint(policy, &parts.earlier)?;
    // A witness that has just begun takes any checkpoint that the log ever signed for the newest.
    if earlier.checkpoint().size < policy.began_at(log.name()) {
        return Err(unproven("the earlier checkpoint is from before the policy's witnesses"));
    }
    let not_yet = policy.checkpoint_times(earlier.note()).map_err(unproven)?;
    let not_yet = not_yet.ok_or_else(|| unproven("too few witnesses cosigned the earlier checkpoint"))?.latest;
    let (edition_index, _) = proven(policy, &log, &parts.edition_proof, &edition.to_bytes())?;
    if edition_index.0 < earlier.checkpoint().size.0 {
        return Err(unproven("the edition was in the log already"));
    }
    let (_, public) = proven(policy, &log, &parts.release_proof, &release.to_bytes())?;
    if public.earliest < not_yet {
        return Err(unproven(
            "the release was witnessed before the checkpoint that does not have its edition: a clock may be wrong",
        ));
    }
    let (at_most, notice) = (public.earliest.since(not_yet), before.body().limits.notice);
    if at_most.saturating_add(MAX_CLOCK_DIFFERENCE) >= notice {
        return Err(unproven(format!(
            "the notice may have been over: the clocks of honest witnesses may differ by {MAX_CLOCK_DIFFERENCE} s"
        )));
    }
    let what = format!(
        "admitted version {} of {} under edition {}, which was public for at most {at_most} s of the notice of {notice} s",
        release.body().version,
        release.body().list,
        edition.body().edition
    );
    Ok(Breach::of_log(&log, [], what))
}

/// A checkpoint that a log of the policy signed, and that log's key.
fn log_checkpoint(policy: &TlogPolicy, lines: &Lines) -> Result<(CheckpointNote, VerifierKey), EvidenceError> {
    let note = CheckpointNote::parse(lines.to_text().as_bytes()).map_err(unproven)?;
    let key = policy.log_of(&note).ok_or_else(|| unproven("a checkpoint isn't signed by a log of the policy"))?;
    let key = key.clone();
    Ok((note, key))
}

fn proven(
    policy: &TlogPolicy,
    log: &VerifierKey,
    lines: &Lines,
    entry: &[u8],
) -> Result<(LeafIndex, QuorumTimes), EvidenceError> {
    let proof = TlogProof::parse(lines.to_text().as_bytes()).map_err(unproven)?;
    let times = proof.verify(entry, log, policy).map_err(unproven)?;
    Ok((proof.index, times))
}

fn parse_charter(lines: &Lines) -> Result<Signed<Charter>, EvidenceError> {
    let statement = Statement::parse(lines.to_text().as_bytes()).map_err(unproven)?;
    statement.into_charter().ok_or_else(|| unproven("not a charter"))
}

fn parse_release(lines: &Lines) -> Result<Signed<Release>, EvidenceError> {
    let statement = Statement::parse(lines.to_text().as_bytes()).map_err(unproven)?;
    statement.into_release().ok_or_else(|| unproven("not a release"))
}
