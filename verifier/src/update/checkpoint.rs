//! The first checks: the log's signature, the quorum, and consistency with everything that the log signed before.

use super::statements::rule;
use super::{Stop, Update, malformed};
use crate::evidence::Evidence;
use crate::rejection::{Lag, Rejection};
use isonomy_core::bundle::{Bundle, Included};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::cosignature;
use isonomy_core::hash::NodeHash;
use isonomy_core::resource::Resource;
use isonomy_core::rules::Violation;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::TreeSize;
use std::sync::Arc;

impl Update {
    /// The bundle, read once.
    pub(super) fn bundle(&mut self) -> Result<Arc<Bundle>, Stop> {
        let bundle = match &self.bundle {
            Some(bundle) => bundle.clone(),
            None => {
                let bundle = self.read_bundle()?;
                let counted = self.counted(&bundle.checkpoint);
                self.as_served = Some(bundle.checkpoint);
                Arc::new(Bundle { checkpoint: counted, ..bundle })
            }
        };
        self.bundle = Some(bundle.clone());
        Ok(bundle)
    }

    fn read_bundle(&self) -> Result<Bundle, Stop> {
        let resource = Resource::Bundle(self.policy.list().clone());
        let bundle = Bundle::parse(self.resource(resource.clone())?).map_err(|error| malformed(&resource, error))?;
        if bundle.list != *self.policy.list() {
            return Err(malformed(&resource, format!("about {}", bundle.list)));
        }
        if bundle.charters.is_empty() {
            return Err(malformed(&resource, "without a charter"));
        }
        // Else one statement that stands there a thousand times would be judged as often.
        let twice = |pair: &&[Included]| pair[0].index == pair[1].index;
        if let Some(pair) = bundle.charters.windows(2).find(twice) {
            return Err(rule(pair[0].id, Violation::AlreadyLogged { id: pair[0].id }));
        }
        let in_log_order = |all: &[Included]| all.is_sorted_by(|a, b| a.index < b.index);
        if !in_log_order(&bundle.charters) || !in_log_order(&bundle.releases) {
            return Err(malformed(&resource, "not in the order of the log"));
        }
        Ok(bundle)
    }

    /// The checkpoint with the lines that count alone, so that nothing that strangers wrote gets into what is kept or shown to
    /// others.
    pub(super) fn counted(&self, checkpoint: &CheckpointNote) -> CheckpointNote {
        self.policy.counted(checkpoint)
    }

    /// Checks the fresh checkpoint and remembers it. Gives *now*, as witnessed.
    pub(super) fn check_checkpoint(&mut self, fresh: &CheckpointNote) -> Result<Timestamp, Stop> {
        fresh.verify_log(self.policy.log()).map_err(|error| Rejection::NotTheLog(error.to_string()))?;
        if !fresh.checkpoint().extensions.is_empty() {
            return Err(Rejection::NotTheLog("the checkpoints of this log have no extension lines".into()).into());
        }
        // One wrong line by a known witness rejects the whole, also if it is not among those that count.
        let quorum = self.check_quorum(self.as_served.as_ref().unwrap_or(fresh));
        // Also without a quorum: two checkpoints that the log signed are enough to prove a fork.
        let consistency = self.check_history(fresh);
        if quorum.is_ok() || !matches!(consistency, Err(Stop::Reject(_))) || self.evidence.is_some() {
            consistency?;
        }
        let now = quorum?;
        self.check_not_behind(fresh, now)?;
        self.shown = Some((fresh.clone(), now));
        Ok(self.state.now().max(now))
    }

    /// The fresh tree belongs to the history of the one under which the last update came to its end: it goes on from that, or
    /// is proven to be a part of it. What was only shown proves a fork just as well; but a smaller tree need not prove
    /// itself by the tiles of a larger one that its source has never had.
    fn check_history(&mut self, fresh: &CheckpointNote) -> Result<(), Stop> {
        if let Some(confirmed) = self.state.checkpoint() {
            self.check_related(&confirmed, fresh)?;
        }
        let Some(seen) = self.state.seen() else { return Ok(()) };
        match self.check_related(&seen, fresh) {
            Err(Stop::Reject(rejection)) if matches!(*rejection, Rejection::Behind { .. }) => Ok(()),
            related => related,
        }
    }

    /// An older state of the log than the newest that was shown is good enough if it is not older than what the policy calls
    /// fresh, by witnessed times alone, and has the release in force.
    fn check_not_behind(&self, fresh: &CheckpointNote, now: Timestamp) -> Result<(), Stop> {
        let (offered, known) = (fresh.checkpoint().size, self.state.largest());
        if offered >= known {
            return Ok(());
        }
        let behind = |why| Err(Rejection::Behind { offered, known, why }.into());
        let (age, most) = (self.state.now().since(now), self.policy.ages().checkpoint);
        match self.state.accepted() {
            Some(accepted) if accepted.proof.release_index.0 >= offered.0 => {
                behind(Lag::BeforeAccepted { version: accepted.version })
            }
            _ if age > most => behind(Lag::TooOld { age, most }),
            _ => Ok(()),
        }
    }

    fn check_quorum(&self, fresh: &CheckpointNote) -> Result<Timestamp, Stop> {
        let witnesses = self.policy.trust().witness_keys();
        let resource = Resource::Bundle(self.policy.list().clone());
        let times = cosignature::cosignatures(fresh.note(), &witnesses).map_err(|error| malformed(&resource, error))?;
        let no_quorum = Rejection::NoQuorum { cosigned: times.len(), size: size(fresh.clone()) };
        let now = self.policy.trust().quorum_times(&times).ok_or(no_quorum)?.latest;
        let (offered, known) = (size(fresh.clone()), self.policy.trust().began_at(self.policy.log().name()));
        if offered < known {
            return Err(Rejection::Behind { offered, known, why: Lag::BeforeWitnesses }.into());
        }
        Ok(now)
    }

    fn check_related(&mut self, known: &CheckpointNote, fresh: &CheckpointNote) -> Result<(), Stop> {
        let (before, offered) = (known.checkpoint().size, fresh.checkpoint().size);
        if offered >= before {
            return self.check_consistent(known, fresh);
        }
        // It is a fork if the known tree does not grow out of it.
        match self.check_consistent(fresh, known) {
            Err(Stop::Reject(_)) if self.evidence.is_none() => {
                Err(Rejection::Behind { offered, known: self.state.largest(), why: Lag::Unproven }.into())
            }
            related => related,
        }
    }

    /// Checks that the tree of `newer` grows out of that of `older`, both signed by the log. If it provably does not, the
    /// log forked.
    pub(super) fn check_consistent(&mut self, older: &CheckpointNote, newer: &CheckpointNote) -> Result<(), Stop> {
        match self.received.contradiction(older, newer)? {
            Some(proof) => self.forked(older, newer, proof),
            None => Ok(()),
        }
    }

    /// The evidence is checked like anybody would before it counts; then updates stop for good.
    fn forked(&mut self, older: &CheckpointNote, newer: &CheckpointNote, proof: Vec<NodeHash>) -> Result<(), Stop> {
        let evidence = Evidence::fork(older, newer, proof);
        if let Err(error) = evidence.verify(self.policy.trust()) {
            return Err(malformed(&Resource::Checkpoint, error));
        }
        let digest = evidence.digest();
        self.evidence = Some(evidence.clone());
        self.save(self.state.clone().with_halt(digest), None)?;
        Err(Rejection::Fork(Box::new(evidence)).into())
    }
}

fn size(note: CheckpointNote) -> TreeSize {
    note.checkpoint().size
}
