//! A client of a [`World`]: it drives `isonomy_verifier::Update` to its end and keeps what it is told to save.

use crate::people::at;
use crate::world::World;
use isonomy_core::resource::Resource;
use isonomy_core::time::Timestamp;
use isonomy_verifier::rejection::Lack;
use isonomy_verifier::{Input, Policy, Rejection, Save, State, Step, Update, Updated, VerifiedList};

/// More steps than any update of the tests takes.
const MANY_STEPS: usize = 1000;

/// How many bytes come at once.
const PIECE: usize = 100;

/// How an update went.
pub struct Driven {
    /// Its result.
    pub outcome: Result<Updated, Rejection>,
    /// What it asked to save, in order.
    pub saves: Vec<Save>,
    /// What it asked for, in order, with the most bytes that it would take.
    pub asked: Vec<(Resource, u64)>,
}

/// Runs an update to its end, with `world` as its only source.
pub fn drive(
    policy: &Policy,
    state: &State,
    in_force: Option<&VerifiedList>,
    clock: Timestamp,
    world: &World,
) -> Driven {
    let mut update = Update::new(policy.clone(), state.clone(), in_force.cloned(), clock);
    let (mut saves, mut asked) = (Vec::new(), Vec::new());
    let mut input = Input::Start;
    for _ in 0..MANY_STEPS {
        input = match update.step(input) {
            Step::Need { resource, max_bytes } => {
                assert!(asked.iter().all(|(known, _)| *known != resource), "asks twice for {resource}");
                asked.push((resource.clone(), max_bytes));
                match world.get(&resource) {
                    Some(bytes) => {
                        let pieces = bytes.chunks(PIECE).map(<[u8]>::to_vec).collect();
                        Input::Received { resource, pieces }
                    }
                    None => Input::Unavailable { resource, lack: Lack::Absent, reason: "not found".into() },
                }
            }
            Step::Save(save) => {
                saves.push(*save);
                Input::Saved
            }
            Step::Done(updated) => return Driven { outcome: Ok(*updated), saves, asked },
            Step::Reject(rejection) => return Driven { outcome: Err(*rejection), saves, asked },
        };
    }
    panic!("the update does not end");
}

/// A client with its state and its cache.
#[derive(Clone)]
pub struct Client {
    /// Its policy.
    pub policy: Policy,
    /// Its state, as it stands in the file.
    pub state: State,
    /// The list in force, if its content is at hand.
    pub list: Option<VerifiedList>,
    /// What the last update asked for.
    pub asked: Vec<Resource>,
}

impl Client {
    /// A client that knows nothing yet, with the policy of this world.
    pub fn of(world: &World) -> Self {
        Self::with(world.policy())
    }

    /// A client that knows nothing yet.
    pub fn with(policy: Policy) -> Self {
        let state = State::new(policy.list());
        Self { policy, state, list: None, asked: Vec::new() }
    }

    /// Updates from `world`. The client's clock shows `clock` seconds after the start.
    pub fn update(&mut self, world: &World, clock: u64) -> Result<Updated, Rejection> {
        let Driven { outcome, saves, asked } = drive(&self.policy, &self.state, self.list.as_ref(), at(clock), world);
        for Save { state, list, .. } in saves {
            let written = state.to_bytes().unwrap();
            self.state = State::parse(&written, self.policy.list()).unwrap();
            assert_eq!(self.state, state, "the state comes back from its file");
            self.list = list.or(self.list.take());
        }
        self.asked = asked.into_iter().map(|(resource, _)| resource).collect();
        if let Ok(updated) = &outcome {
            self.list = Some(updated.list.clone());
        }
        outcome
    }

    /// Updates and gives the version that is in force then.
    pub fn version_from(&mut self, world: &World, clock: u64) -> Result<u64, Rejection> {
        self.update(world, clock).map(|updated| updated.list.version())
    }

    /// Updates, is refused, and gives the code of the refusal and the number of the rule.
    pub fn refusal(&mut self, world: &World, clock: u64) -> (&'static str, Option<u8>) {
        match self.update(world, clock) {
            Ok(updated) => panic!("accepted version {}", updated.list.version()),
            Err(rejection) => (rejection.code(), rejection.rule().map(|rule| rule.number())),
        }
    }

    /// Loses the cache, not the state.
    pub fn wipe_cache(&mut self) {
        self.list = None;
    }

    /// Opens the cache again, as after a restart.
    pub fn restart(&mut self) {
        let kept = self.list.take().unwrap();
        let (charter, release) = (kept.signed_charter().to_bytes(), kept.signed_release().to_bytes());
        let list = VerifiedList::reopen(&self.policy, &self.state, &charter, &release, kept.entries().clone());
        self.list = Some(list.unwrap());
    }
}
