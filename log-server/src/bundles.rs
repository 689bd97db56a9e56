//! Composing bundles, and the index of lists.

use isonomy_core::bundle::{Bundle, Included, MAX_NEWER};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::{NodeHash, StatementId};
use isonomy_core::rules::history::{History, ListHistory, LoggedRelease};
use isonomy_core::rules::{attestations, releases};
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_core::tree::{LeafIndex, TreeSize};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A release that a bundle may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// The release.
    pub id: StatementId,
    /// Its place in the log.
    pub index: LeafIndex,
    /// Whether it has been public for its charter's minimum visibility.
    pub visible: Visibility,
}

/// How far a release is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Visibility {
    /// Public for too short a time.
    Pending,
    /// To be used.
    Usable,
    /// Public for long enough, but expired.
    Expired,
}

/// The newest usable release and all after it. If none is usable, the newest that was, since clients that say how old
/// their list is need it; if there never was one, all of them.
pub fn select(releases: &[Candidate]) -> &[Candidate] {
    let newest = |wanted| releases.iter().rposition(|release| release.visible == wanted);
    let from = newest(Visibility::Usable).or_else(|| newest(Visibility::Expired)).unwrap_or(0);
    releases.get(from..).unwrap_or_default()
}

/// What a bundle offers of all releases: the first that [`select`] gives and the newest others of these, of which one that waits has
/// its turn when it is the newest usable; and of those before it the usable ones that auditors name,
/// by their places among `releases`. A client may ask for the word of auditors that have yet to speak of the newest.
fn offered(releases: &[Candidate], named: &BTreeSet<usize>) -> Vec<Candidate> {
    let selected = select(releases);
    let older = &releases[..releases.len() - selected.len()];
    let is_named = |(at, release): &(usize, &Candidate)| named.contains(at) && release.visible == Visibility::Usable;
    let older = older.iter().enumerate().filter(is_named).map(|(_, release)| release);
    let (first, newer) = selected.split_at(selected.len().min(1));
    let newest = &newer[newer.len().saturating_sub(MAX_NEWER)..];
    older.chain(first).chain(newest).copied().collect()
}

/// The bundle of a list: all editions of its charter, ascending, these releases and these attestations, with the inclusion proofs that
/// `prove` gives for the tree of the checkpoint.
pub fn compose<E>(
    list: &ListName,
    charters: &[(StatementId, LeafIndex)],
    releases: &[Candidate],
    attestations: &[(StatementId, LeafIndex)],
    checkpoint: &CheckpointNote,
    mut prove: impl FnMut(LeafIndex) -> Result<Vec<NodeHash>, E>,
) -> Result<Bundle, E> {
    let mut include = |id: StatementId, index: LeafIndex| Ok(Included { id, index, path: prove(index)? });
    let charters = charters.iter().map(|(id, index)| include(*id, *index)).collect::<Result<_, E>>()?;
    let releases = releases.iter().map(|release| include(release.id, release.index)).collect::<Result<_, E>>()?;
    let attestations = attestations.iter().map(|(id, index)| include(*id, *index)).collect::<Result<_, E>>()?;
    Ok(Bundle { list: list.clone(), charters, releases, attestations, checkpoint: checkpoint.clone() })
}

/// What a bundle points to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contents {
    charters: Vec<(StatementId, LeafIndex)>,
    releases: Vec<Candidate>,
    attestations: Vec<(StatementId, LeafIndex)>,
}

/// What the bundle of a list points to under a checkpoint of this size whose witnessed *now* is given. What is logged
/// after the checkpoint is left out; `None` if that is the charter too.
pub fn contents(history: &ListHistory, size: TreeSize, now: Timestamp) -> Option<Contents> {
    let covered = |index: LeafIndex| index.0 < size.0;
    let editions = history.editions().all().iter().filter(|edition| covered(edition.index()));
    let charters: Vec<_> = editions.map(|edition| (edition.id(), edition.index())).collect();
    if charters.is_empty() {
        return None;
    }
    let logged = history.releases().iter().filter(|logged| covered(logged.index));
    let candidates: Vec<Candidate> = logged.map(|logged| candidate(history, logged, now)).collect();
    let words = followed(history, &candidates, &covered);
    let releases = offered(&candidates, &words.iter().map(|word| word.release).collect());
    let attestations = words.iter().map(|word| (word.id, word.index)).collect();
    Some(Contents { charters, releases, attestations })
}

impl Contents {
    /// The bundle, with the inclusion proofs that `prove` gives for the tree of the checkpoint.
    pub fn bundle<E>(
        &self,
        list: &ListName,
        checkpoint: &CheckpointNote,
        prove: impl FnMut(LeafIndex) -> Result<Vec<NodeHash>, E>,
    ) -> Result<Bundle, E> {
        compose(list, &self.charters, &self.releases, &self.attestations, checkpoint, prove)
    }
}

/// An attestation of method `followed`.
struct Word {
    id: StatementId,
    index: LeafIndex,
    /// The place among all releases of the one that it names.
    release: usize,
}

/// What auditors say that followed the log, ascending: each one's newest word about the newest release that it names,
/// which counts for every older one too. Expired releases are no client's choice.
fn followed(history: &ListHistory, releases: &[Candidate], covered: &impl Fn(LeafIndex) -> bool) -> Vec<Word> {
    let valid = releases.iter().enumerate().filter(|(_, release)| release.visible != Visibility::Expired);
    let places: HashMap<StatementId, usize> = valid.map(|(at, release)| (release.id, at)).collect();
    let mut newest: BTreeMap<String, Word> = BTreeMap::new();
    for logged in history.attestations().iter().filter(|logged| covered(logged.index)) {
        let body = logged.attestation.body();
        let Some(&release) = places.get(&body.release) else { continue };
        let auditor = body.auditor.to_string();
        let is_newer = newest.get(&auditor).is_none_or(|known| known.release <= release);
        if is_newer && attestations::followed(body, logged.index, releases[release].index) {
            newest.insert(auditor, Word { id: logged.attestation.id(), index: logged.index, release });
        }
    }
    let mut words: Vec<Word> = newest.into_values().collect();
    words.sort_by_key(|word| word.index);
    words
}

/// How far a release of a list is at the witnessed time `now`.
pub fn candidate(history: &ListHistory, logged: &LoggedRelease, now: Timestamp) -> Candidate {
    let body = logged.release.body();
    let charter = history.editions().find(&body.charter).map(|edition| edition.charter());
    let public = charter.is_some_and(|charter| releases::visible(charter, logged.public_since, now, None).is_ok());
    let visible = match public {
        false => Visibility::Pending,
        true if body.expires <= now => Visibility::Expired,
        true => Visibility::Usable,
    };
    Candidate { id: logged.release.id(), index: logged.index, visible }
}

#[derive(Serialize)]
struct Index<'h> {
    log: &'h str,
    lists: Vec<IndexedList<'h>>,
}

#[derive(Serialize)]
struct IndexedList<'h> {
    list: &'h str,
    bundle: String,
    edition: u64,
    charter: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<IndexedRelease>,
}

/// The newest release of a list, as the index has it.
#[derive(Serialize, Deserialize)]
pub(crate) struct IndexedRelease {
    pub(crate) version: u64,
    pub(crate) release: String,
    pub(crate) entries: u64,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
}

/// The index of the lists in a log of this size, as JSON, for people and tools; nothing is trusted because of it.
pub fn index(origin: &str, history: &History, size: TreeSize) -> Result<Vec<u8>, serde_json::Error> {
    let lists = history.lists().filter_map(|(name, list)| {
        let edition = list.editions().all().iter().rfind(|edition| edition.index().0 < size.0)?;
        let newest = list.releases().iter().rfind(|logged| logged.index.0 < size.0).map(|logged| {
            let body = logged.release.body();
            let (version, entries, created, expires) = (body.version, body.entries, body.created, body.expires);
            IndexedRelease { version, release: logged.release.id().to_hex(), entries, created, expires }
        });
        let (list, bundle) = (name.as_str(), format!("list/{name}/bundle"));
        Some(IndexedList { list, bundle, edition: edition.number(), charter: edition.id().to_hex(), newest })
    });
    let mut json = serde_json::to_vec_pretty(&Index { log: origin, lists: lists.collect() })?;
    json.push(b'\n');
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Visibility::{Expired, Pending, Usable};

    fn candidates(states: &[Visibility]) -> Vec<Candidate> {
        let of = |(index, &visible): (usize, &Visibility)| Candidate {
            id: StatementId([index as u8; 32]),
            index: LeafIndex(index as u64),
            visible,
        };
        states.iter().enumerate().map(of).collect()
    }

    fn selected(states: &[Visibility]) -> Vec<u64> {
        select(&candidates(states)).iter().map(|candidate| candidate.index.0).collect()
    }

    #[test]
    fn what_auditors_name_is_offered_beside_what_is_newer() {
        let offered = |states: &[Visibility], named: &[usize]| -> Vec<u64> {
            let offered = offered(&candidates(states), &named.iter().copied().collect());
            offered.iter().map(|candidate| candidate.index.0).collect()
        };
        let states = [Usable, Usable, Expired, Usable, Usable, Pending];
        assert_eq!(offered(&states, &[]), [4, 5]);
        assert_eq!(offered(&states, &[1, 3, 4, 5]), [1, 3, 4, 5]);
        assert_eq!(offered(&states, &[2]), [4, 5], "nobody can use what has expired");
        assert_eq!(offered(&[Pending, Expired, Pending], &[0]), [1, 2], "nor what is not public for long enough");
        assert!(offered(&[], &[]).is_empty());
    }

    #[test]
    fn of_very_many_that_wait_the_newest_are_offered() {
        let states = [&[Usable][..], &[Pending; MAX_NEWER + 3]].concat();
        let offered: Vec<u64> = offered(&candidates(&states), &BTreeSet::new()).iter().map(|at| at.index.0).collect();
        assert_eq!((offered[..3].to_vec(), offered.len()), (vec![0, 4, 5], MAX_NEWER + 1));
        assert_eq!(*offered.last().unwrap(), MAX_NEWER as u64 + 3);
    }

    #[test]
    fn the_newest_usable_release_and_all_after_it() {
        assert!(selected(&[]).is_empty());
        assert_eq!(selected(&[Pending, Pending]), [0, 1]);
        assert_eq!(selected(&[Usable, Usable, Pending]), [1, 2]);
        assert_eq!(selected(&[Usable, Expired]), [0, 1], "the older one is valid for longer");
        assert_eq!(selected(&[Expired, Expired, Pending]), [1, 2]);
    }
}
