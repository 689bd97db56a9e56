//! Releases that the log has and that were not taken up. They count for nothing; but where one was composed in time, its list did
//! what it had to: a log may have admitted it otherwise than it was sent.

use super::Audit;
use crate::kept::ListHistory;
use isonomy_core::note::{Note, VerifierKey};
use isonomy_core::release::Release;
use isonomy_core::statement::{ListName, Signed};
use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use serde::Serialize;
use std::collections::HashSet;

/// A release that was not taken up, and which a key of its list signed: a log can't make that up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct LeftOut {
    /// Its place in the log.
    pub index: LeafIndex,
    /// When it was composed, by its signers.
    pub created: Timestamp,
    #[serde(skip)]
    version: u64,
    #[serde(skip)]
    removed: u64,
}

impl LeftOut {
    /// Whether it would be this version, composed by then.
    pub(crate) fn would_be(&self, version: u64, due: Timestamp) -> bool {
        self.version == version && self.created <= due
    }

    /// Whether it would remove anything.
    pub(crate) fn removes(&self) -> bool {
        self.removed > 0
    }

    /// That it was composed in time, in words.
    pub(crate) fn words(&self) -> String {
        format!(
            "the release at entry {}, which was not taken up, was composed at {}, in time: if the log admitted it as it was not sent, that was not the list's doing",
            self.index, self.created
        )
    }
}

/// Those releases of a list that were not taken up and would remove something, for many complaints.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LeftOutRemovals {
    /// In the order in which they were composed.
    composed: Vec<LeftOut>,
    /// Of each of these and those before it, the one that was logged last.
    logged_last: Vec<LeftOut>,
}

impl LeftOutRemovals {
    /// `left_out`: the releases of the list that were not taken up.
    pub(crate) fn among(left_out: &[LeftOut]) -> Self {
        let mut composed: Vec<LeftOut> = left_out.iter().filter(|one| one.removes()).copied().collect();
        composed.sort_by_key(|one| (one.created, one.index));
        let logged_last = composed.iter().scan(None, |last: &mut Option<LeftOut>, one| {
            *last = last.filter(|last| last.index > one.index).or(Some(*one));
            *last
        });
        let logged_last = logged_last.collect();
        Self { composed, logged_last }
    }

    /// One that was composed, or logged, after a complaint that was received then and is logged at this place, and composed by `due`.
    pub(crate) fn in_time(&self, (received, logged): (Timestamp, LeafIndex), due: Timestamp) -> Option<&LeftOut> {
        let composed_by = |time: Timestamp| self.composed.partition_point(|one| one.created <= time);
        let in_time = composed_by(due);
        let composed_after = self.composed.get(composed_by(received)..in_time).and_then(<[LeftOut]>::first);
        let logged_last = || self.logged_last.get(in_time.checked_sub(1)?).filter(|one| one.index > logged);
        composed_after.or_else(logged_last)
    }
}

impl Audit {
    /// The releases of a list that were not taken up, in the order of the log.
    pub(crate) fn left_out(&self, list: &ListName) -> &[LeftOut] {
        self.left_out.get(list).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn note_left_out(&mut self, release: &Signed<Release>, index: LeafIndex) {
        let Release { list: name, version, created, removed, .. } = release.body();
        if self.is_by_the_list(name, release.note()) {
            let one = LeftOut { index, version: *version, created: *created, removed: *removed };
            self.left_out.entry(name.clone()).or_default().push(one);
        }
    }

    /// Whether a key of the list has signed what stands in this note.
    pub(crate) fn is_by_the_list(&self, list: &ListName, note: &Note) -> bool {
        self.history.list(list).is_some_and(|list| is_by_a_key_of(list, note))
    }

    /// The release that was noted at this place was taken up after all.
    pub(super) fn take_back_left_out(&mut self, list: &ListName, index: LeafIndex) {
        if let Some(noted) = self.left_out.get_mut(list) {
            noted.retain(|one| one.index != index);
        }
    }
}

/// Whether a key that any edition of the list names has signed a note, whatever else stands under it.
fn is_by_a_key_of(list: &ListHistory, note: &Note) -> bool {
    // Most editions name the keys of the one before: each is tried once.
    let keys: HashSet<&VerifierKey> =
        list.editions().all().iter().flat_map(|edition| edition.charter().keys()).collect();
    note.signatures().iter().any(|line| keys.iter().any(|key| key.has_signed(note.text(), line)))
}
