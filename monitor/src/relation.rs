//! Whether two views that the log signed are of one history; and the proof, if they are not.

use crate::mirror::Mirror;
use crate::trust::View;
use crate::vantage::Vantage;
use isonomy_core::hash::NodeHash;
use isonomy_core::tree::{PrefixPlan, prefix_roots};
use isonomy_verifier::Evidence;
use std::time::Duration;
use tokio::time::timeout;

/// How long hashes are waited for that tell how a view stands to what is known.
const WITHIN: Duration = Duration::from_secs(30);

/// How a view stands to the newest one that this monitor accepted.
#[derive(Debug)]
pub(crate) enum Relation {
    /// The same tree.
    Same,
    /// An earlier state of it.
    Older,
    /// A tree that grew out of it, or the first that is seen at all.
    Newer,
    /// Another history: the log forked.
    Forked(Box<Evidence>),
    /// It can't be told, for lack of hashes.
    Unknown(String),
}

/// Compares `view` with what `mirror` remembers. Hashes come from the monitor's own copy where it has them, else from the
/// vantage points in turn; a tree's root tells whether they are right.
pub(crate) async fn relate(mirror: &Mirror, view: &View, vantages: &[Vantage]) -> Relation {
    let related = timeout(WITHIN, related(mirror, view, vantages)).await;
    related.unwrap_or_else(|_| Relation::Unknown("the hashes that would tell did not come in time".to_owned()))
}

async fn related(mirror: &Mirror, view: &View, vantages: &[Vantage]) -> Relation {
    let Some(known) = mirror.newest() else { return Relation::Newer };
    if known.size() == view.size() {
        let fork = || Relation::Forked(Box::new(Evidence::fork(known.bare(), view.bare(), Vec::new())));
        return if known.root() == view.root() { Relation::Same } else { fork() };
    }
    if view.size() > known.size() {
        return compare(known, view, Relation::Newer, None, vantages).await;
    }
    let own = mirror.is_complete().then(|| mirror.prefix(view.size()));
    compare(view, known, Relation::Older, own.and_then(Result::ok), vantages).await
}

/// Whether the tree of `newer` begins with that of `older`; then `grown` is the answer.
async fn compare(
    older: &View,
    newer: &View,
    grown: Relation,
    own: Option<Vec<NodeHash>>,
    vantages: &[Vantage],
) -> Relation {
    let mut problems = Vec::new();
    if let Some(nodes) = own {
        match judge(older, newer, nodes) {
            Ok(None) => return grown,
            Ok(Some(fork)) => return Relation::Forked(fork),
            Err(problem) => problems.push(format!("own copy: {problem}")),
        }
    }
    let Some(plan) = PrefixPlan::new(older.size(), newer.size()) else {
        return Relation::Unknown("the older tree is the larger one".to_owned());
    };
    for vantage in vantages {
        match vantage.nodes(plan.nodes(), newer.size()).await {
            Ok(nodes) => match judge(older, newer, nodes) {
                Ok(None) => return grown,
                Ok(Some(fork)) => return Relation::Forked(fork),
                Err(problem) => problems.push(format!("{}: {problem}", vantage.label())),
            },
            Err(lack) => problems.push(lack.words().to_owned()),
        }
    }
    Relation::Unknown(problems.join("; "))
}

/// The evidence of a fork, if these nodes make the root of `newer` but not that of `older`.
fn judge(older: &View, newer: &View, nodes: Vec<NodeHash>) -> Result<Option<Box<Evidence>>, String> {
    let (prefix, whole) = prefix_roots(older.size(), newer.size(), &nodes).map_err(|error| error.to_string())?;
    if whole != newer.root() {
        return Err(format!("its hashes do not make the signed root of {} entries", newer.size()));
    }
    let fork = || Box::new(Evidence::fork(older.bare(), newer.bare(), nodes));
    Ok((prefix != older.root()).then(fork))
}
