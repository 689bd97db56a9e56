//! The update of a list, as a machine without I/O.
//!
//! Against a log in memory (`isonomy_tests`), by a clock that stands still:
//!
//! ```
//! use isonomy_tests::{people::{at, hashes}, world::World};
//! use isonomy_verifier::{Input, State, Step, Update, rejection::Lack};
//!
//! # let mut log = World::founded();
//! # log.release(hashes(0..10), 100);
//! # log.publish(100);
//! # log.publish(105);
//! let policy = log.policy();
//! let mut state = State::new(policy.list()); // or what was saved last
//! let mut update = Update::new(policy, state.clone(), None, at(106));
//! let mut input = Input::Start;
//! let outcome = loop {
//!     input = match update.step(input) {
//!         Step::Need { resource, max_bytes } => match log.get(&resource) {
//!             Some(bytes) if bytes.len() as u64 <= max_bytes => Input::Received { resource, pieces: vec![bytes] },
//!             _ => Input::Unavailable { resource, lack: Lack::Absent, reason: "not found".into() },
//!         },
//!         Step::Save(save) => {
//!             state = save.state; // made durable here, after the content and the evidence that come with it
//!             Input::Saved
//!         }
//!         Step::Done(updated) => break Ok(updated),
//!         Step::Reject(reason) => break Err(reason),
//!     };
//! };
//! assert_eq!(outcome.unwrap().list.version(), 1);
//! assert_eq!(state.accepted().unwrap().version, 1);
//! ```
//!
//! The checks stand in one straight line, from the log's signature to the content's root, and are run again from the
//! start whenever an input arrives: a check that lacks a resource stops and asks for it. So the order of inputs can't
//! change what is checked, and no half-verified value survives a step. What is remembered from one run to the next is what
//! was found of bytes that can't change any more: parsed statements, editions that were judged, content that has its root.
//! So the work grows with the number of editions, of which a bundle holds some 2,000 (its size is limited), and not with
//! their square.
//!
//! The order: log signature, witness quorum, consistent with what was shown before and not behind it (`docs/rules.md` says
//! how far behind is too far), inclusion of
//! charters and releases, every entry of the log where the policy asks for that, the rules, the hash chain from the
//! release in force, the app's policy, content against the root.

mod checkpoint;
mod content;
mod reading;
mod releases;
mod statements;

use crate::evidence::Evidence;
use crate::list::VerifiedList;
use crate::policy::{Policy, PolicyBreach};
use crate::received::{self, Received, malformed};
use crate::rejection::{Lack, Rejection};
use crate::state::State;
use isonomy_core::bundle::Bundle;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::StatementId;
use isonomy_core::list::Entries;
use isonomy_core::resource::Resource;
use isonomy_core::rules::Rule;
use isonomy_core::rules::editions::Editions;
use isonomy_core::statement::{Statement, StatementError};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use reading::Reading;
use releases::GIVEN_NOTICE;
use statements::LoggedCharter;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// What the driver of an update tells it.
#[derive(Debug)]
pub enum Input {
    /// Begin.
    Start,
    /// The bytes of a resource that was asked for.
    Received {
        /// The resource.
        resource: Resource,
        /// Its bytes, not more than were allowed, in one piece or in several, one after the other: of an object each piece
        /// is freed once it was read, so that a large list and the snapshot that it comes from need not be in memory
        /// together.
        pieces: Vec<Vec<u8>>,
    },
    /// The source gave nothing that can be checked.
    Unavailable {
        /// The resource.
        resource: Resource,
        /// What kind of failure it was.
        lack: Lack,
        /// What the source said.
        reason: String,
    },
    /// What had to be saved is durable.
    Saved,
}

/// What an update asks of its driver.
#[derive(Debug)]
pub enum Step {
    /// Fetch this, of at most so many bytes.
    Need {
        /// The resource.
        resource: Resource,
        /// The most bytes that it may have.
        max_bytes: u64,
    },
    /// Make this durable, content and evidence before the state.
    Save(Box<Save>),
    /// The update is complete.
    Done(Box<Updated>),
    /// The update is refused; the last good list stays in force.
    Reject(Box<Rejection>),
}

/// What must be durable before the update goes on.
#[derive(Clone, Debug)]
pub struct Save {
    /// The state.
    pub state: State,
    /// The list that the state has in force, if it is a new one: its content is to be durable before the state.
    pub list: Option<VerifiedList>,
    /// The proof because of which the state stops updates, if it is a new one: to be durable before the state.
    pub evidence: Option<Evidence>,
}

/// The result of an update.
#[derive(Clone, Debug)]
pub struct Updated {
    /// The list in force.
    pub list: VerifiedList,
    /// Newer releases that may not be used yet.
    pub pending: Vec<Pending>,
}

/// A release that may not be used yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pending {
    /// Its identity.
    pub release: StatementId,
    /// Its version.
    pub version: u64,
    /// What it waits for.
    pub waits_for: isonomy_core::rules::Violation,
}

/// Why a run through the checks stopped before its end.
type Stop = received::Stop<Save>;

/// One update of one list from one source. Any failure but a fork may be that source's fault: make another `Update` for
/// the next source.
#[derive(Debug)]
pub struct Update {
    policy: Arc<Policy>,
    state: State,
    in_force: Option<VerifiedList>,
    clock: Timestamp,
    /// What the state remembered before this update: checkpoints from before whatever is new now, the larger tree first.
    earlier: Vec<CheckpointNote>,
    /// The checkpoint that is shown, and its witnessed time, once it has passed its checks.
    shown: Option<(CheckpointNote, Timestamp)>,
    received: Received,
    /// The statements among that, as they were parsed when they came.
    statements: HashMap<StatementId, Result<Statement, StatementError>>,
    /// The bundle, once it was read.
    bundle: Option<Arc<Bundle>>,
    /// Its checkpoint with all lines that came with it.
    as_served: Option<CheckpointNote>,
    /// The first charters of the bundle, as far as they were proven to be in the log.
    charters: Vec<LoggedCharter>,
    /// All of them, once they were judged.
    editions: Option<Arc<Editions>>,
    /// Times that were proven in this update, saved with the release.
    public_since: BTreeMap<StatementId, Timestamp>,
    /// Since when statements are public by this and earlier updates, which the state did not know for good.
    shown_since: BTreeMap<StatementId, Timestamp>,
    /// Of which nobody whose word counts under the policy has said since when they are public.
    dated_here: BTreeSet<StatementId>,
    /// Of others that were asked for: the size of the tree under whose checkpoint that was proven.
    proven_in: BTreeMap<StatementId, TreeSize>,
    /// Whether the times that the state remembers are by other witnesses than the policy's.
    is_of_other_trust: bool,
    /// Whether the times that the state remembers are to be proven again.
    doubts_times: bool,
    /// Content that passed its checks in this update, so that a further run does not decode it again.
    verified: HashMap<StatementId, Entries>,
    /// Releases that may not be used yet, so that a further run does not judge each of them again.
    waiting: HashMap<StatementId, Pending>,
    /// Releases that were left out, and may not be used at all.
    unusable: HashSet<StatementId>,
    /// How far the log was read, if the policy asks for that. Nothing of it is believed before its end makes the root.
    reading: Option<Reading>,
    /// Why the source is refused, while what its checkpoint taught is made durable.
    refused: Option<Box<Rejection>>,
    /// What a `Save` asked to make durable.
    saving: Option<Box<Save>>,
    /// A proof against the log that this update found.
    evidence: Option<Evidence>,
}

impl Update {
    /// An update from `state`. `in_force` is the list that the state has in force, if its content is at hand; `clock` is
    /// the device's clock.
    pub fn new(policy: Policy, state: State, in_force: Option<VerifiedList>, clock: Timestamp) -> Self {
        let accepted = state.accepted().map(|accepted| accepted.release);
        let in_force = in_force.filter(|list| Some(list.accepted().release) == accepted);
        let policy = Arc::new(policy);
        // It may have been accepted under another policy. Without it, everything is judged anew.
        let in_force = in_force.and_then(|list| list.under(&policy, &state).ok());
        Self {
            is_of_other_trust: state.is_of_other_trust(&policy),
            earlier: state.seen().into_iter().chain(state.checkpoint()).collect(),
            shown: None,
            policy,
            state,
            in_force,
            clock,
            received: Received::default(),
            statements: HashMap::new(),
            bundle: None,
            as_served: None,
            charters: Vec::new(),
            editions: None,
            public_since: BTreeMap::new(),
            shown_since: BTreeMap::new(),
            doubts_times: false,
            verified: HashMap::new(),
            waiting: HashMap::new(),
            unusable: HashSet::new(),
            dated_here: BTreeSet::new(),
            proven_in: BTreeMap::new(),
            reading: None,
            refused: None,
            saving: None,
            evidence: None,
        }
    }

    /// Takes an input and says what is to be done next.
    pub fn step(&mut self, input: Input) -> Step {
        match input {
            Input::Start => {}
            Input::Received { resource, pieces } => self.take(resource, pieces),
            Input::Unavailable { resource, lack, reason } => self.received.take(resource, Err((lack, reason))),
            Input::Saved => self.take_saved(),
        }
        let outcome = match self.refused.take() {
            Some(rejection) => Err(Stop::Reject(rejection)),
            None => self.run_to_a_stop(),
        };
        match outcome {
            Ok(updated) => Step::Done(Box::new(updated)),
            Err(Stop::Need { resource, max_bytes }) => Step::Need { resource, max_bytes },
            Err(Stop::Save(save)) => {
                self.saving = Some(save.clone());
                Step::Save(save)
            }
            Err(Stop::Reject(rejection)) => Step::Reject(rejection),
        }
    }

    /// An object stays in its pieces. Anything else is small.
    fn take(&mut self, resource: Resource, pieces: Vec<Vec<u8>>) {
        if let Resource::Object(digest) = resource {
            return self.received.take_object(digest, pieces);
        }
        let bytes = pieces.concat();
        if let Resource::Statement(id) = &resource {
            self.statements.insert(*id, Statement::parse(&bytes));
        }
        self.received.take(resource, Ok(bytes));
    }

    fn take_saved(&mut self) {
        if let Some(saved) = self.saving.take() {
            self.state = saved.state;
            self.in_force = saved.list.or(self.in_force.take());
            // What adds nothing to the list in force need not wait, so it depends on that list what does.
            self.waiting.clear();
        }
    }

    /// Every check; and, if a source is refused, what its checkpoint taught all the same.
    fn run_to_a_stop(&mut self) -> Result<Updated, Stop> {
        let rejection = match self.run_with_best_times() {
            Err(Stop::Reject(rejection)) => rejection,
            outcome => return outcome,
        };
        let has_ended = matches!(*rejection, Rejection::Fork(_) | Rejection::Halted(_));
        if let Some((shown, now)) = self.shown.as_ref().filter(|_| !has_ended) {
            let seen = self.state.clone().with_seen(shown, *now);
            // Before all is proven anew by other witnesses, times by both can't be told apart.
            let has_all = self.state.editions_of_accepted().all(|id| self.public_since.contains_key(id));
            let learned = if self.is_of_other_trust && !has_all { seen } else { self.with_times(seen) };
            let saved = self.save(learned, None);
            saved.inspect_err(|_| self.refused = Some(rejection.clone()))?;
        }
        Err(Stop::Reject(rejection))
    }

    /// Every check, in order; once more if what breaks a rule may be a time that some source once proved too late.
    fn run_with_best_times(&mut self) -> Result<Updated, Stop> {
        let outcome = self.run();
        let Err(Stop::Reject(rejection)) = &outcome else {
            return outcome;
        };
        let was_read = matches!(**rejection, Rejection::Entry { .. });
        let is_short_notice =
            matches!(**rejection, Rejection::Policy { breach: PolicyBreach::TooLittle { what: GIVEN_NOTICE, .. }, .. });
        let rests_on_time = is_short_notice || !was_read && rejection.rule().is_some_and(|rule| rule <= Rule::Notice);
        let remembers = self.public_since.keys().any(|id| self.state.public_since(id).is_some());
        if self.doubts_times || !rests_on_time || !remembers {
            return outcome;
        }
        self.doubts_times = true;
        self.public_since.clear();
        self.charters.clear();
        self.editions = None;
        self.waiting.clear();
        self.unusable.clear();
        self.run()
    }

    /// Every check, in order.
    fn run(&mut self) -> Result<Updated, Stop> {
        self.refuse_after_fork()?;
        let bundle = self.bundle()?;
        let now = self.check_checkpoint(&bundle.checkpoint)?;
        let editions = self.check_editions(&bundle)?;
        self.read_log(&bundle, &editions)?;
        let updated = self.check_releases(&bundle, &editions, now)?;
        self.save(self.confirmed(), None)?;
        Ok(Updated { list: updated.list.known_by(&self.state), ..updated })
    }

    /// The state once the update has come to its end.
    fn confirmed(&self) -> State {
        let state = self.with_times(self.state.clone());
        let state = match &self.editions {
            Some(editions) => state.with_editions(editions),
            None => state,
        };
        match &self.shown {
            Some((shown, now)) => state.with_confirmed(shown, *now),
            None => state,
        }
    }

    /// The state with the times of this update.
    fn with_times(&self, state: State) -> State {
        let state = state.with_trust_of(&self.policy, &self.public_since).with_shown_since(&self.shown_since);
        state.with_late(&self.public_since, &self.dated_here, &self.editions_proven_in())
    }

    fn refuse_after_fork(&self) -> Result<(), Stop> {
        match (&self.evidence, self.state.halted()) {
            (Some(evidence), Some(_)) => Err(Rejection::Fork(Box::new(evidence.clone())).into()),
            (None, Some(digest)) => Err(Rejection::Halted(*digest).into()),
            (_, None) => Ok(()),
        }
    }

    fn resource(&self, resource: Resource) -> Result<&[u8], Stop> {
        self.received.resource(resource)
    }

    /// Stops until `state` is durable, if it isn't yet.
    fn save(&self, state: State, list: Option<&VerifiedList>) -> Result<(), Stop> {
        if state == self.state {
            return Ok(());
        }
        Err(Stop::Save(Box::new(Save { state, list: list.cloned(), evidence: self.evidence.clone() })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_tests::people::at;
    use isonomy_tests::world::World;

    /// Each run through the checks takes the statements as they were parsed when they came, however they came.
    #[test]
    fn a_statement_is_parsed_once() {
        let world = World::with_release();
        let policy = Policy::parse(world.policy_text().as_bytes()).unwrap();
        let mut update = Update::new(policy.clone(), State::new(policy.list()), None, at(105));
        let (mut input, mut given) = (Input::Start, 0);
        loop {
            let step = update.step(input);
            let parsed = update.statements.values().filter(|parsed| parsed.is_ok());
            assert_eq!(parsed.count(), given);
            input = match step {
                Step::Need { resource, .. } => {
                    given += usize::from(matches!(resource, Resource::Statement(_)));
                    let bytes = world.get(&resource).unwrap();
                    Input::Received { resource, pieces: bytes.chunks(100).map(<[u8]>::to_vec).collect() }
                }
                Step::Save(_) => Input::Saved,
                Step::Done(_) => break,
                Step::Reject(rejection) => panic!("{rejection}"),
            };
        }
        assert_eq!(given, 2, "the charter and the release");
    }
}
