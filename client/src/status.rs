//! What a client knows, in a form for people and programs.

use crate::cache::CacheReport;
use isonomy_core::charter::{Action, Aim, Jurisdiction, PurposeCode, Statute, Surface};
use isonomy_core::checkpoint::{Checkpoint, CheckpointNote};
use isonomy_core::cosignature::cosignatures;
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::{ObjectDigest, RootHash, StatementId};
use isonomy_core::list::Algorithm;
use isonomy_core::note::Note;
use isonomy_core::policy::Policy as TlogPolicy;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{LeafIndex, TreeSize};
use isonomy_verifier::{Freshness, Policy, State, VerifiedList, view};
use serde::{Serialize, Serializer};
use std::fmt::Display;

/// What a client knows at one moment. In JSON all hashes are in lower-case hexadecimal, as people compare them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The list.
    pub list: ListName,
    /// The log in which it counts.
    pub log: String,
    /// The version that is accepted, and below which nothing is; absent before the first update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Whether a release of that version is accepted. If not, it is only a floor: the client was recovered under another key of its log.
    pub knows_release: bool,
    /// The list in force; absent before the first update, or if the content isn't at hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_force: Option<InForce>,
    /// How many of the policy's witnesses must collude with the log before it can show two people two histories.
    pub witnesses_to_split: usize,
    /// The newest checkpoint under which an update came to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<KnownCheckpoint>,
    /// A newer one that was shown, under which no source has given what belongs to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<KnownCheckpoint>,
    /// How many entries of the log this client has read itself, if its policy asks for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_read: Option<TreeSize>,
    /// By how many seconds this machine's clock is behind the latest witnessed time. If this isn't 0, ages are counted
    /// too low: the clock could hide a freeze.
    pub clock_behind: u64,
    /// By how many seconds this machine's clock is ahead of the latest witnessed time: for so long no update came, or so wrong
    /// is the clock.
    pub clock_ahead: u64,
    /// What was found in the cache when the client was opened.
    pub cache: CacheReport,
    /// The digest of the evidence because of which updates stopped, if they did.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_hex")]
    pub halted: Option<ObjectDigest>,
}

/// The list in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct InForce {
    /// Its version.
    pub version: u64,
    /// The release.
    #[serde(serialize_with = "hex")]
    pub release: StatementId,
    /// The release's place in the log.
    pub index: LeafIndex,
    /// The edition of the charter under which it may be used.
    #[serde(serialize_with = "hex")]
    pub charter: StatementId,
    /// The number of that edition.
    pub edition: u64,
    /// Who publishes it.
    pub maintainer: String,
    /// What it is for.
    pub purpose: PurposeCode,
    /// What matching is to achieve.
    pub aim: Aim,
    /// The purpose, in the charter's words.
    pub definition: String,
    /// The law on which it rests.
    pub statutes: Vec<Statute>,
    /// Where matching is allowed: kinds of communication.
    pub surfaces: Vec<Surface>,
    /// Where matching is allowed: jurisdictions.
    pub reach: Vec<Jurisdiction>,
    /// The most that a match may lead to.
    pub action: Action,
    /// To whom a match may be reported.
    pub recipients: Vec<String>,
    /// Where to complain.
    pub complaints: String,
    /// What its entries are hashes by.
    pub algorithm: Algorithm,
    /// The greatest distance that is a match, in bits.
    pub max_distance: u64,
    /// How many entries it has.
    pub entries: u64,
    /// The curators that signed the release.
    pub endorsed_by: Vec<Endorser>,
    /// The auditors that followed the log up to it, as far as the policy asks for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attested_by: Vec<String>,
    /// Since when it is public, as witnessed.
    pub public_since: Timestamp,
    /// When it was composed.
    pub created: Timestamp,
    /// Until when it may be used.
    pub expires: Timestamp,
    /// How old the knowledge about it is.
    pub freshness: Freshness,
    /// 64 hexadecimal digits that are equal for all holders of this release.
    pub view: String,
    /// The comparison code of the view: 48 digits that two people can read to each other.
    pub code: String,
}

/// A curator that signed the release.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Endorser {
    /// Its name.
    pub name: String,
    /// Where it sits.
    pub jurisdiction: Jurisdiction,
}

/// A checkpoint that a client has seen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct KnownCheckpoint {
    /// How many entries the log had.
    pub size: TreeSize,
    /// The root of its tree.
    #[serde(serialize_with = "hex")]
    pub root: RootHash,
    /// The latest time that a quorum of witnesses vouches for.
    pub now: Timestamp,
    /// The witnesses that cosigned it.
    pub witnessed_by: Vec<Witnessed>,
}

/// One witness's cosignature.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Witnessed {
    /// The witness.
    pub name: String,
    /// When it cosigned.
    pub time: Timestamp,
}

impl Status {
    pub(crate) fn of(
        policy: &Policy,
        state: &State,
        list: Option<&VerifiedList>,
        cache: &CacheReport,
        clock: Timestamp,
    ) -> Self {
        let latest = clock.max(state.now());
        Self {
            list: policy.list().clone(),
            log: policy.log().name().to_owned(),
            version: state.floor(),
            knows_release: state.accepted().is_some(),
            in_force: list.map(|list| in_force(list, latest)),
            witnesses_to_split: policy.trust().weak_split(),
            checkpoint: state.checkpoint().map(|note| known(&note, state.confirmed(), policy.trust())),
            seen: state.seen().map(|note| known(&note, state.now(), policy.trust())),
            log_read: state.read().map(|read| read.size),
            clock_behind: latest.since(clock),
            clock_ahead: if state.now() == Timestamp(0) { 0 } else { clock.since(state.now()) },
            cache: cache.clone(),
            halted: state.halted().copied(),
        }
    }
}

fn known(note: &CheckpointNote, now: Timestamp, trust: &TlogPolicy) -> KnownCheckpoint {
    let Checkpoint { size, root, .. } = *note.checkpoint();
    KnownCheckpoint { size, root, now, witnessed_by: witnessed_by(note.note(), trust) }
}

fn in_force(list: &VerifiedList, latest: Timestamp) -> InForce {
    let (charter, release, accepted) = (list.charter(), list.release(), list.accepted());
    InForce {
        version: list.version(),
        release: accepted.release,
        index: accepted.proof.release_index,
        charter: accepted.charter,
        edition: accepted.edition,
        maintainer: charter.maintainer.name.clone(),
        purpose: charter.purpose.code,
        aim: charter.purpose.aim,
        definition: charter.purpose.definition.clone(),
        statutes: charter.purpose.statutes.clone(),
        surfaces: charter.reach.surfaces.clone(),
        reach: charter.reach.jurisdictions.clone(),
        action: charter.action.most,
        recipients: charter.action.recipients.clone(),
        complaints: charter.redress.complaints.clone(),
        algorithm: charter.matching.algorithm,
        max_distance: charter.matching.max_distance,
        entries: release.entries,
        endorsed_by: endorsed_by(list),
        attested_by: accepted.attested_by.iter().map(|key| key.name().to_owned()).collect(),
        public_since: accepted.public_since,
        created: release.created,
        expires: release.expires,
        freshness: list.freshness(latest),
        view: to_hex(&list.view()),
        code: view::code(&list.view()),
    }
}

/// The curators whose signatures the release carries; they were verified when it was accepted.
fn endorsed_by(list: &VerifiedList) -> Vec<Endorser> {
    let lines = list.signed_release().note().signatures();
    let curators = list.charter().curation.curators.iter();
    let signed = curators.filter(|curator| lines.iter().any(|line| curator.key.matches(line)));
    let endorser = |curator: &isonomy_core::charter::Curator| Endorser {
        name: curator.name.clone(),
        jurisdiction: curator.jurisdiction.clone(),
    };
    signed.map(endorser).collect()
}

fn witnessed_by(checkpoint: &Note, trust: &TlogPolicy) -> Vec<Witnessed> {
    let keys = trust.witness_keys();
    let times = cosignatures(checkpoint, &keys).unwrap_or_default();
    let witnessed = |(at, time): (usize, Timestamp)| Some(Witnessed { name: keys.get(at)?.name().to_owned(), time });
    times.into_iter().filter_map(witnessed).collect()
}

/// A hash as it is shown to people: in lower-case hexadecimal.
fn hex<S: Serializer>(hash: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(hash)
}

fn optional_hex<S: Serializer>(hash: &Option<impl Display>, serializer: S) -> Result<S::Ok, S::Error> {
    match hash {
        Some(hash) => serializer.collect_str(hash),
        None => serializer.serialize_none(),
    }
}
