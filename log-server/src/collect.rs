//! Collecting old objects: which snapshots and deltas no client needs any more, and removing them.
//!
//! Kept is, by [`isonomy_core::paths`] and this policy:
//!
//! | object | why it is kept |
//! |---|---|
//! | all of a release that waits for its objects | it is about to be published |
//! | the snapshot of each release that may be offered to clients: of those in the bundle, and of every release that has not expired by witnessed time | clients that are new, or far behind |
//! | the snapshots of the releases from which the next ones will have deltas | whoever makes, endorses or judges these |
//! | each delta on the way of a client of any version to one of these releases, or to one that is yet to come | clients that catch up |
//! | all of a release that has been public for less than the least age | mirrors and monitors that are behind |
//!
//! So every way that a client could go stays open, and none becomes longer. What is removed can't be recomputed any more by
//! an auditor who comes later: the tree, every statement, and with them every root and count remain.
//!
//! What no statement names is none of the log's objects, and is left alone.

use crate::admission::Admission;
use crate::bundles;
use crate::server::{self, Config, ServeError};
use crate::witnesses::Witnesses;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::paths::{Delta, Needed};
use isonomy_core::policy::Policy;
use isonomy_core::release::{ObjectRef, Release};
use isonomy_core::resource::Resource;
use isonomy_core::rules::history::{History, ListHistory};
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_store::files::{self, FileError, FolderLock};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Whether the objects are removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// It is only said what would be removed.
    DryRun,
    /// They are removed, for ever.
    Remove,
}

/// An object that nobody needs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Collected {
    /// The list.
    pub list: ListName,
    /// The release that names it.
    pub version: u64,
    /// `snapshot`, or `delta from` a version.
    pub what: String,
    /// Its name.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
    /// Why it is not needed.
    pub why: String,
}

/// What was collected, or would be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CollectReport {
    /// The witnessed time by which it was judged.
    pub now: Timestamp,
    /// The objects that nobody needs, in the order of lists and versions.
    pub collected: Vec<Collected>,
    /// How many objects are kept.
    pub kept: u64,
    /// How many bytes are kept.
    pub kept_bytes: u64,
    /// Whether they were removed.
    pub removed: bool,
}

impl CollectReport {
    /// How many bytes are, or would be, free.
    pub fn bytes(&self) -> u64 {
        self.collected.iter().map(|object| object.size).sum()
    }
}

/// Why nothing can be collected.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The log can't be opened. It must not be served meanwhile: an object that is removed now could be named again at the
    /// same moment.
    #[error(transparent)]
    Open(#[from] ServeError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Without a cosigned checkpoint there is no witnessed time.
    #[error(
        "the log has no checkpoint that a quorum of witnesses has cosigned, so it is not known what has expired; nothing was removed"
    )]
    NoTime,
}

/// Says which objects of the log in the folder of `config` nobody needs, and removes them if `mode` says so. `least_age` is in
/// seconds.
pub fn collect(config: Config, least_age: u64, mode: Mode) -> Result<CollectReport, CollectError> {
    let data = config.data.clone();
    let policy = config.policy.clone();
    let _lock = FolderLock::acquire(&data)?;
    let board = Witnesses::new(policy.clone()).map_err(ServeError::from)?.board();
    let admission = Admission::new(Vec::new(), Vec::new());
    let state = server::open_state(&data, config.key, policy.clone(), config.seen_proofs, admission, board)?;
    let now = witnessed_now(state.log.public(), &policy)?;
    let pending = state.pending.objects();
    let mut report = plan(state.histories().shown(), &pending, now, least_age);
    let path = |digest: &ObjectDigest| state.log.public().path(&Resource::Object(*digest));
    report
        .collected
        .retain(|object| ObjectDigest::from_hex(&object.sha256).is_some_and(|digest| path(&digest).is_file()));
    if mode == Mode::Remove {
        remove(&report.collected, |digest| path(digest))?;
        report.removed = true;
    }
    Ok(report)
}

/// *Now*, by the newest published checkpoint.
fn witnessed_now(public: &crate::files::PublicFolder, policy: &Policy) -> Result<Timestamp, CollectError> {
    let bytes = public.read(&Resource::Checkpoint)?.ok_or(CollectError::NoTime)?;
    let checkpoint = CheckpointNote::parse(&bytes).map_err(|_| CollectError::NoTime)?;
    let times = policy.checkpoint_times(checkpoint.note()).ok().flatten();
    Ok(times.ok_or(CollectError::NoTime)?.latest)
}

fn remove<P: AsRef<Path>>(collected: &[Collected], path: impl Fn(&ObjectDigest) -> P) -> Result<(), FileError> {
    let mut digests = collected.iter().filter_map(|object| ObjectDigest::from_hex(&object.sha256));
    digests.try_for_each(|digest| files::remove_durable(path(&digest).as_ref()))
}

/// What nobody needs of all that the statements of a log name. `pending` are the objects of releases that wait for them.
pub fn plan(history: &History, pending: &BTreeSet<ObjectDigest>, now: Timestamp, least_age: u64) -> CollectReport {
    let mut kept: BTreeMap<ObjectDigest, u64> = BTreeMap::new();
    let mut unneeded = Vec::new();
    for (name, list) in history.lists() {
        sort_out(name, list, now, least_age, &mut kept, &mut unneeded);
    }
    // One object may be named by several releases, of several lists.
    let mut seen = BTreeSet::new();
    unneeded.retain(|(digest, _)| !kept.contains_key(digest) && !pending.contains(digest) && seen.insert(*digest));
    CollectReport {
        now,
        collected: unneeded.into_iter().map(|(_, collected)| collected).collect(),
        kept: kept.len() as u64,
        kept_bytes: kept.values().sum(),
        removed: false,
    }
}

/// Puts each object of a list to those that are kept, or to those that are not needed.
fn sort_out(
    name: &ListName,
    list: &ListHistory,
    now: Timestamp,
    least_age: u64,
    kept: &mut BTreeMap<ObjectDigest, u64>,
    unneeded: &mut Vec<(ObjectDigest, Collected)>,
) {
    let needed = Needed::of(list.releases().len() as u64, &offered(list, now));
    for logged in list.releases() {
        let release = logged.release.body();
        let is_young = now.since(logged.public_since) < least_age;
        for (object, role) in roles(release) {
            if is_young || role.is_needed(release.version, &needed) {
                kept.insert(object.sha256, object.size);
                continue;
            }
            let collected = Collected {
                list: name.clone(),
                version: release.version,
                what: role.words(),
                sha256: object.sha256.to_hex(),
                size: object.size,
                why: role.why(release),
            };
            unneeded.push((object.sha256, collected));
        }
    }
}

/// The versions that may be offered to clients now or later: those that the bundle offers, and all that have not expired.
fn offered(list: &ListHistory, now: Timestamp) -> BTreeSet<u64> {
    let candidates: Vec<bundles::Candidate> =
        list.releases().iter().map(|logged| bundles::candidate(list, logged, now)).collect();
    let shown = bundles::select(&candidates).iter().map(|candidate| candidate.id);
    let shown: BTreeSet<_> = shown.collect();
    let may_be = list
        .releases()
        .iter()
        .filter(|logged| shown.contains(&logged.release.id()) || logged.release.body().expires > now);
    may_be.map(|logged| logged.release.body().version).collect()
}

/// What an object is to the release that names it.
enum Role {
    Snapshot,
    DeltaFrom(u64),
}

fn roles(release: &Release) -> Vec<(ObjectRef, Role)> {
    let deltas = release
        .deltas
        .iter()
        .map(|delta| (ObjectRef { size: delta.size, sha256: delta.sha256 }, Role::DeltaFrom(delta.from)));
    std::iter::once((release.snapshot, Role::Snapshot)).chain(deltas).collect()
}

impl Role {
    fn is_needed(&self, version: u64, needed: &Needed) -> bool {
        match self {
            Self::Snapshot => needed.snapshots.contains(&version),
            Self::DeltaFrom(from) => needed.deltas.contains(&Delta { to: version, from: *from }),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Snapshot => "snapshot".to_owned(),
            Self::DeltaFrom(from) => format!("delta from {from}"),
        }
    }

    fn why(&self, release: &Release) -> String {
        match self {
            Self::Snapshot => {
                format!("superseded, expired since {}, and no later release builds on it", release.expires)
            }
            Self::DeltaFrom(from) => {
                format!("clients of version {from} and below take a longer step past {}", release.version)
            }
        }
    }
}
