//! The exchange of views between two holders of a list, who may be two people, two devices, or an app and a monitor.
//!
//! Each says 32 bytes with whatever they say anyway ([`crate::VerifiedList::view`]). If these are equal, both hold the same
//! release at the same place of the same log. If not, they exchange [`View`]s, and [`Comparison`] tells what that means:
//! one of them is older, or the log, or those who sign, have shown them different things, and here is the proof.
//!
//! ```no_run
//! # use isonomy_verifier::{Input, Policy, peer::{Comparison, Outcome, Step, View}, rejection::Lack};
//! # use isonomy_core::resource::Resource;
//! # fn fetch(_: &Resource, _: u64) -> Option<Vec<u8>> { None }
//! # fn run(policy: &Policy, mine: View, theirs: &[u8]) -> Result<Outcome, Box<dyn std::error::Error>> {
//! let mut comparison = Comparison::new(policy, mine, View::parse(theirs)?)?;
//! let mut input = Input::Start;
//! let outcome = loop {
//!     input = match comparison.step(input) {
//!         Step::Need { resource, max_bytes } => match fetch(&resource, max_bytes) {
//!             Some(bytes) => Input::Received { resource, pieces: vec![bytes] },
//!             None => Input::Unavailable { resource, lack: Lack::Absent, reason: "not found".into() },
//!         },
//!         Step::Done(outcome) => break outcome,
//!     };
//! };
//! # Ok(outcome)
//! # }
//! ```
//!
//! Nothing that a peer says is believed: release and charter must stand in the log under a cosigned checkpoint, and be
//! signed as the charter asks. A peer can withhold, and can show something older; it can't make up anything newer without
//! the log.

use crate::evidence::{Evidence, InLog};
use crate::list::VerifiedList;
use crate::policy::Policy;
use crate::received::{self, Received, malformed};
use crate::state::{Logged, State};
use crate::{Input, Rejection, view};
use isonomy_core::charter::Charter;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::cosignature;
use isonomy_core::hash::{NodeHash, StatementId};
use isonomy_core::json::{self, Lines};
use isonomy_core::release::Release;
use isonomy_core::resource::Resource;
use isonomy_core::rules::signatures;
use isonomy_core::statement::{Signed, Statement};
use isonomy_core::tlog_proof::TlogProof;
use isonomy_core::tree::{LeafIndex, leaf_hash, verify_inclusion};
use serde::{Deserialize, Serialize};

/// The most bytes that a view may have: a release, a charter and two checkpoints fit.
pub const MAX_VIEW_SIZE: usize = 256 * 1024;

const KIND: &str = "isonomy/view/v1";

/// Why a view says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// Not a view.
    #[error("malformed view: {0}")]
    Malformed(String),
    /// It is about another list or log than the policy.
    #[error("the view is about {0}, which is not what the policy is about")]
    Other(String),
    /// A signature or proof in it is wrong.
    #[error("the view does not hold: {0}")]
    Unproven(String),
}

/// What a holder shows of the release that it has in force, as it stands in a message or a file. Of the
/// holder it says when that last heard of the log, and nothing else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct View {
    view: String,
    release: Lines,
    charter: Lines,
    proof: Logged,
    newest: Lines,
}

impl View {
    /// What a client with this state shows of the list that it has in force.
    pub fn of(list: &VerifiedList, state: &State) -> Self {
        let proof = list.accepted().proof.clone();
        Self {
            view: KIND.into(),
            release: Lines::of(list.signed_release().note()),
            charter: Lines::of(list.signed_charter().note()),
            newest: state.checkpoint().map_or(proof.checkpoint.clone(), |newest| Lines::of(newest.note())),
            proof,
        }
    }

    /// Parses a view; nothing of it is believed yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, ViewError> {
        if bytes.len() > MAX_VIEW_SIZE {
            return Err(ViewError::Malformed(format!("larger than {MAX_VIEW_SIZE} bytes")));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ViewError::Malformed("not UTF-8".into()))?;
        let view: Self = json::decode(text).map_err(|error| ViewError::Malformed(error.to_string()))?;
        if view.view == KIND { Ok(view) } else { Err(ViewError::Malformed("not a view".into())) }
    }

    /// Its text.
    pub fn to_text(&self) -> String {
        // Its strings are lines of notes that were parsed, so they hold no control characters, and encoding can't fail.
        json::encode(self).unwrap_or_default()
    }
}

/// How what a peer holds relates to what is held here.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The same release, at the same place of the same log.
    Same,
    /// The peer holds an older release, from which the one here descends.
    Older {
        /// Its version.
        version: u64,
    },
    /// The peer holds a newer release, which descends from the one here: it is time for an update.
    Newer {
        /// Its version.
        version: u64,
    },
    /// The two were shown different things: two histories of one log, or two texts for one version. Here is the proof.
    Forked(Box<Evidence>),
    /// What would tell is not at hand, or a source gave something else. Try another source, the peer's for one.
    Undecided(Rejection),
    /// The peer's release descends from another text for one version than the one here, and that they are both in the log and
    /// signed as they must be can't be proven.
    TwoTexts {
        /// The version.
        version: u64,
    },
    /// What the peer shows does not hold: it says nothing about the list.
    Unproven(ViewError),
    /// Both hold one text, which the log holds at two places: the log's breach, which splits no list.
    LoggedTwice,
}

impl Outcome {
    /// A short, stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Older { .. } => "older",
            Self::Newer { .. } => "newer",
            Self::Forked(_) => "forked",
            Self::Undecided(_) => "undecided",
            Self::TwoTexts { .. } => "two-texts",
            Self::Unproven(_) => "unproven",
            Self::LoggedTwice => "logged-twice",
        }
    }
}

/// What a comparison asks of its driver.
#[derive(Debug)]
pub enum Step {
    /// Fetch this, of at most so many bytes.
    Need {
        /// The resource.
        resource: Resource,
        /// The most bytes that it may have.
        max_bytes: u64,
    },
    /// The comparison is complete.
    Done(Outcome),
}

/// A comparison never saves anything.
type Stop = received::Stop<std::convert::Infallible>;

/// A view that was parsed wholly, with its checkpoints signed by the log.
#[derive(Debug)]
struct Holding {
    release: Signed<Release>,
    charter: Signed<Charter>,
    proof: Logged,
    accepted: CheckpointNote,
    newest: CheckpointNote,
}

/// One comparison of two views, without I/O: see [the module](self).
#[derive(Debug)]
pub struct Comparison {
    policy: Policy,
    own: Holding,
    other: Holding,
    received: Received,
}

impl Comparison {
    /// Of what is held here with what a peer shows. Fails if that is not about this list, or not signed by this log.
    pub fn new(policy: &Policy, own: View, other: View) -> Result<Self, ViewError> {
        let (own, other) = (Holding::read(policy, &own)?, Holding::read(policy, &other)?);
        Ok(Self { policy: policy.clone(), own, other, received: Received::default() })
    }

    /// Takes an input and says what is to be done next.
    pub fn step(&mut self, input: Input) -> Step {
        match input {
            Input::Start | Input::Saved => {}
            Input::Received { resource, pieces } => self.received.take(resource, Ok(pieces.concat())),
            Input::Unavailable { resource, lack, reason } => self.received.take(resource, Err((lack, reason))),
        }
        match self.run() {
            Ok(outcome) => Step::Done(outcome),
            Err(Stop::Need { resource, max_bytes }) => Step::Need { resource, max_bytes },
            Err(Stop::Reject(rejection)) => Step::Done(Outcome::Undecided(*rejection)),
            Err(Stop::Save(never)) => match *never {},
        }
    }

    fn run(&self) -> Result<Outcome, Stop> {
        let (own, other) = (&self.own, &self.other);
        if own.digest() == other.digest() && own.newest.checkpoint() == other.newest.checkpoint() {
            return Ok(Outcome::Same);
        }
        // Also where too few witnesses saw it: two checkpoints that the log signed are enough to prove a fork.
        for theirs in [&other.newest, &other.accepted] {
            if let Some(evidence) = self.fork(&own.newest, theirs)? {
                return Ok(Outcome::Forked(Box::new(evidence)));
            }
        }
        if let Err(error) = other.check_seen(&self.policy) {
            return Ok(Outcome::Unproven(error));
        }
        let (mine, theirs) = (own.release.body().version, other.release.body().version);
        if own.release.id() == other.release.id() {
            let same = own.proof.release_index == other.proof.release_index;
            return Ok(if same { Outcome::Same } else { Outcome::LoggedTwice });
        }
        let (older, newer) = if mine <= theirs { (own, other) } else { (other, own) };
        match self.second_text(older, newer)? {
            Some(Some(evidence)) => Ok(Outcome::Forked(Box::new(evidence))),
            Some(None) => Ok(Outcome::TwoTexts { version: mine.min(theirs) }),
            None if mine < theirs => Ok(Outcome::Newer { version: theirs }),
            None => Ok(Outcome::Older { version: theirs }),
        }
    }

    /// Proof that the log signed two histories, if it did.
    fn fork(&self, one: &CheckpointNote, two: &CheckpointNote) -> Result<Option<Evidence>, Stop> {
        let (older, newer) = if one.checkpoint().size <= two.checkpoint().size { (one, two) } else { (two, one) };
        let proof: Option<Vec<NodeHash>> = self.received.contradiction(older, newer)?;
        proof.map(|proof| self.proven(Evidence::fork(older, newer, proof))).transpose()
    }

    /// Whether the newer release descends from another text for the version of the older one; and the proof, if there is
    /// one.
    fn second_text(&self, older: &Holding, newer: &Holding) -> Result<Option<Option<Evidence>>, Stop> {
        let Some(other) = self.ancestor(older, newer)? else { return Ok(None) };
        let is_newest = other.id() == newer.release.id();
        let place = match is_newest {
            true => newer.place(newer.proof.release_index, &newer.proof.release_path),
            false => self.seen_proof(&other.id())?,
        };
        let cited = other.body().charter;
        let (charter, charter_place) = match (cited == older.charter.id(), is_newest) {
            (true, _) => (older.charter.clone(), older.charter_place()),
            (false, true) => (newer.charter.clone(), newer.charter_place()),
            (false, false) => (self.charter(&cited)?, self.seen_proof(&cited)?),
        };
        let (older_charter, older_place) =
            (older.charter_place(), older.place(older.proof.release_index, &older.proof.release_path));
        let evidence = Evidence::equivocation_across(
            (
                InLog { statement: &older.charter, proof: &older_charter },
                InLog { statement: &older.release, proof: &older_place },
            ),
            (InLog { statement: &charter, proof: &charter_place }, InLog { statement: &other, proof: &place }),
        );
        // Evidence is checked like anybody would before it counts.
        Ok(Some(evidence.verify(self.policy.trust()).is_ok().then_some(evidence)))
    }

    fn charter(&self, id: &StatementId) -> Result<Signed<Charter>, Stop> {
        let resource = Resource::Statement(*id);
        let charter =
            Statement::parse(self.received.resource(resource.clone())?).ok().and_then(Statement::into_charter);
        charter.filter(|charter| charter.id() == *id).ok_or_else(|| malformed(&resource, "another statement"))
    }

    /// The release from which the newer one descends that has the older one's version; `None` if that is the older one.
    fn ancestor(&self, older: &Holding, newer: &Holding) -> Result<Option<Signed<Release>>, Stop> {
        let wanted = older.release.body().version;
        let mut at = newer.release.clone();
        while at.body().version > wanted {
            let step = at.body().step_down_to(wanted);
            let resource = Resource::Statement(at.id());
            let step = *step.ok_or_else(|| malformed(&resource, "it names no way down to the older release"))?;
            if step.release == older.release.id() {
                return Ok(None);
            }
            let resource = Resource::Statement(step.release);
            let release = Statement::parse(self.received.resource(resource.clone())?);
            let release = release.ok().and_then(Statement::into_release).filter(|release| release.id() == step.release);
            at = release.ok_or_else(|| malformed(&resource, "another statement"))?;
        }
        Ok(Some(at))
    }

    fn seen_proof(&self, id: &StatementId) -> Result<TlogProof, Stop> {
        let resource = Resource::SeenProof(*id);
        TlogProof::parse(self.received.resource(resource.clone())?).map_err(|error| malformed(&resource, error))
    }

    /// Evidence is checked like anybody would before it counts.
    fn proven(&self, evidence: Evidence) -> Result<Evidence, Stop> {
        match evidence.verify(self.policy.trust()) {
            Ok(_) => Ok(evidence),
            Err(error) => Err(malformed(&Resource::Checkpoint, error)),
        }
    }
}

impl Holding {
    /// Parses the parts of a view, and checks the log's signatures.
    fn read(policy: &Policy, view: &View) -> Result<Self, ViewError> {
        let (release, charter) = (statement(&view.release)?, statement(&view.charter)?);
        let release = release.into_release().ok_or_else(|| ViewError::Malformed("no release".into()))?;
        let charter = charter.into_charter().ok_or_else(|| ViewError::Malformed("no charter".into()))?;
        if release.body().list != *policy.list() {
            return Err(ViewError::Other(format!("the list {}", release.body().list)));
        }
        if release.body().charter != charter.id() {
            return Err(unproven("the release cites another charter"));
        }
        let accepted = checkpoint(policy, &view.proof.checkpoint)?;
        let newest = checkpoint(policy, &view.newest)?;
        Ok(Self { release, charter, proof: view.proof.clone(), accepted, newest })
    }

    /// That a quorum has seen both checkpoints, that release and charter stand there, and that who must has signed.
    fn check_seen(&self, policy: &Policy) -> Result<(), ViewError> {
        for checkpoint in [&self.newest, &self.accepted] {
            let times = policy.trust().seen_times(checkpoint).map_err(unproven)?;
            times.ok_or_else(|| unproven("too few witnesses cosigned a checkpoint"))?;
        }
        let tree = self.accepted.checkpoint();
        for (entry, index, path) in [
            (self.release.to_bytes(), self.proof.release_index, &self.proof.release_path),
            (self.charter.to_bytes(), self.proof.charter_index, &self.proof.charter_path),
        ] {
            verify_inclusion(&leaf_hash(&entry), index, tree.size, path, &tree.root).map_err(unproven)?;
        }
        signatures::release(&self.release, self.charter.body()).map_err(unproven)
    }

    fn digest(&self) -> [u8; 32] {
        let body = self.release.body();
        view::digest(&body.list, body.version, &self.release.id(), self.proof.release_index)
    }

    fn charter_place(&self) -> TlogProof {
        self.place(self.proof.charter_index, &self.proof.charter_path)
    }

    fn place(&self, index: LeafIndex, path: &[NodeHash]) -> TlogProof {
        TlogProof { extra: None, index, path: path.to_vec(), checkpoint: self.accepted.clone() }
    }
}

fn statement(lines: &Lines) -> Result<Statement, ViewError> {
    Statement::parse(lines.to_text().as_bytes()).map_err(|error| ViewError::Malformed(error.to_string()))
}

/// A checkpoint that the log signed, with the lines of the log and its witnesses alone.
fn checkpoint(policy: &Policy, lines: &Lines) -> Result<CheckpointNote, ViewError> {
    let note =
        CheckpointNote::parse(lines.to_text().as_bytes()).map_err(|error| ViewError::Malformed(error.to_string()))?;
    note.verify_log(policy.log()).map_err(|_| ViewError::Other("another log, or the log under another key".into()))?;
    cosignature::cosignatures(note.note(), &policy.trust().witness_keys()).map_err(unproven)?;
    Ok(policy.counted(&note))
}

fn unproven(problem: impl std::fmt::Display) -> ViewError {
    ViewError::Unproven(problem.to_string())
}
