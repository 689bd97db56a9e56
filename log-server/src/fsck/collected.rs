//! Objects that are not there: whether anybody needs them still, by the policy that `collect` goes by.
//!
//! What is needed follows from the statements of a list and the witnessed time, so both are read here once more, for the lists
//! that lack something. Where they can't be had, or where no policy says whose time counts, what is not there is missing.

use super::Work;
use super::finding::Finding;
use crate::collect;
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::ObjectDigest;
use isonomy_core::policy::Policy;
use isonomy_core::resource::Resource;
use isonomy_core::rules::history::History;
use isonomy_core::rules::releases::Place;
use isonomy_core::statement::{ListName, Statement};
use isonomy_core::tile::audit::Span;
use isonomy_core::tile::{self, TILE_WIDTH, TileKind, TilePath};
use isonomy_core::time::Timestamp;
use isonomy_core::tlog_proof::{MAX_TLOG_PROOF_SIZE, TlogProof};
use isonomy_core::tree::LeafIndex;
use isonomy_fetch::FetchError;
use std::collections::BTreeSet;

/// An object that a release names and that is not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Absent {
    /// The entry of the release.
    pub(super) index: LeafIndex,
    pub(super) list: ListName,
    pub(super) digest: ObjectDigest,
    pub(super) reason: String,
}

/// Those of `absent` that somebody may need, as findings; and how many nobody needs.
pub(super) async fn sort_out(work: &Work, checkpoint: &CheckpointNote, absent: Vec<Absent>) -> (Vec<Finding>, usize) {
    if absent.is_empty() {
        return (Vec::new(), 0);
    }
    let lists: BTreeSet<ListName> = absent.iter().map(|object| object.list.clone()).collect();
    let now = work.options.policy.as_ref().and_then(|policy| witnessed_now(policy, checkpoint));
    let unneeded = match now {
        Some(now) => unneeded(work, checkpoint, &lists, now).await.unwrap_or_default(),
        None => BTreeSet::new(),
    };
    let hint = if now.is_none() { "; whether it was collected can be told with --policy alone" } else { "" };
    let count = absent.len();
    let missing = absent.into_iter().filter(|object| !unneeded.contains(&object.digest));
    let missing =
        missing.map(|Absent { index, digest, reason, .. }| Finding::Object { index, digest, reason: reason + hint });
    let missing: Vec<Finding> = missing.collect();
    let collected = count - missing.len();
    (missing, collected)
}

fn witnessed_now(policy: &Policy, checkpoint: &CheckpointNote) -> Option<Timestamp> {
    policy.newest_times(checkpoint).ok().flatten().map(|times| times.latest)
}

/// What nobody needs of these lists.
async fn unneeded(
    work: &Work,
    checkpoint: &CheckpointNote,
    lists: &BTreeSet<ListName>,
    now: Timestamp,
) -> Option<BTreeSet<ObjectDigest>> {
    let policy = work.options.policy.as_ref()?;
    let mut history = History::new(&checkpoint.checkpoint().origin);
    for (index, entry) in entries(work, lists).await.ok()? {
        let statement = Statement::parse(&entry).ok()?;
        let proof = work.source.get(&Resource::SeenProof(statement.id()), MAX_TLOG_PROOF_SIZE as u64).await.ok()?;
        let times = TlogProof::parse(&proof).ok()?.verify(&entry, &work.options.log, policy).ok()?;
        history.record(statement, Place { index, public_since: times.earliest }).ok()?;
    }
    let plan = collect::plan(&history, &BTreeSet::new(), now, 0);
    Some(plan.collected.iter().filter_map(|object| ObjectDigest::from_hex(&object.sha256)).collect())
}

/// The entries of the log that are statements about these lists, in their order.
async fn entries(work: &Work, lists: &BTreeSet<ListName>) -> Result<Vec<(LeafIndex, Vec<u8>)>, FetchError> {
    let tiles = Span::all(work.size).flat_map(|span| span.tiles());
    let bundles: Vec<TilePath> = tiles.filter(|tile| tile.kind() == TileKind::Entries).collect();
    let lists = lists.clone();
    let take = move |found: &mut Vec<(LeafIndex, Vec<u8>)>, bundle: TilePath, bytes: Result<Vec<u8>, FetchError>| {
        let bytes = super::coding::plain(bytes.unwrap_or_default());
        let first = bundle.index() * u64::from(TILE_WIDTH);
        for (index, entry) in (first..).map(LeafIndex).zip(tile::split_entries(&bytes, bundle.width())) {
            let Ok(entry) = entry else { return };
            if Statement::parse(entry).is_ok_and(|statement| lists.contains(statement.list())) {
                found.push((index, entry.to_vec()));
            }
        }
    };
    work.source.fold_tiles(bundles, Vec::new(), take).await
}
