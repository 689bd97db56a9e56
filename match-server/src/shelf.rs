//! The lists that are in force now.
//!
//! A request takes what is on the shelf when it begins, and keeps it to its end; replacing a list changes what the next
//! one takes. So nothing waits and nothing is dropped. Of a release that was replaced, receipts can be had for some minutes more: an
//! answer that was given before names them.

use isonomy_core::hash::ObjectDigest;
use isonomy_core::list::Algorithm;
use isonomy_core::statement::ListName;
use isonomy_core::time::Timestamp;
use isonomy_matcher::{Matcher, Receipts};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// How long receipts of a release that was replaced can be had.
const KEPT: Duration = Duration::from_secs(600);

/// Lists made ready, one after the other as they were configured.
#[derive(Clone, Default)]
pub struct Lists(Vec<InForce>);

/// A list, and what its client says beside it.
#[derive(Clone)]
struct InForce {
    matcher: Arc<Matcher>,
    halted: Option<ObjectDigest>,
}

impl Lists {
    /// All.
    pub fn iter(&self) -> impl Iterator<Item = &Matcher> {
        self.0.iter().map(|list| list.matcher.as_ref())
    }

    /// The digest of the evidence because of which the client updates this list no more, if that is so.
    pub fn halted(&self, name: &ListName) -> Option<&ObjectDigest> {
        self.0.iter().find(|list| list.matcher.list().name() == name)?.halted.as_ref()
    }

    /// The one of this name.
    pub fn named(&self, name: &str) -> Option<&Matcher> {
        self.iter().find(|matcher| matcher.list().name().to_string() == name)
    }

    /// The algorithms of all, each once.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let mut algorithms: Vec<Algorithm> = self.iter().map(Matcher::algorithm).collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        algorithms
    }
}

/// Where the lists in force stand.
#[derive(Default)]
pub struct Shelf {
    lists: RwLock<Arc<Lists>>,
    replaced: Mutex<Vec<(Instant, Receipts)>>,
    failing: Mutex<BTreeMap<ListName, Timestamp>>,
    is_abandoned: AtomicBool,
}

impl Shelf {
    /// What is in force now.
    pub fn lists(&self) -> Arc<Lists> {
        Arc::clone(&self.lists.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a list on the shelf, in the place of its older release if there is one; with the evidence because of which its client updates
    /// it no more, if that is so.
    pub fn put(&self, matcher: Matcher, halted: Option<ObjectDigest>) {
        let mut shelf = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        let mut lists = Lists::clone(&shelf);
        let list = InForce { matcher: Arc::new(matcher), halted };
        let name = list.matcher.list().name();
        match lists.0.iter_mut().find(|known| known.matcher.list().name() == name) {
            Some(known) => {
                if known.matcher.list().accepted().release != list.matcher.list().accepted().release {
                    self.replaced().push((Instant::now(), known.matcher.receipts()));
                }
                *known = list;
            }
            None => lists.0.push(list),
        }
        *shelf = Arc::new(lists);
    }

    /// What makes the receipts of this list, in this version or else the one in force.
    pub fn receipts(&self, name: &str, version: Option<u64>) -> Option<Receipts> {
        let is_wanted = |receipts: &Receipts| {
            let list = receipts.list();
            list.name().to_string() == name && version.is_none_or(|version| version == list.version())
        };
        let current = self.lists().named(name).map(Matcher::receipts).filter(is_wanted);
        current.or_else(|| self.replaced().iter().map(|(_, receipts)| receipts).find(|one| is_wanted(one)).cloned())
    }

    /// Forgets what was replaced long ago.
    pub(crate) fn forget(&self) {
        self.replaced().retain(|(since, _)| since.elapsed() < KEPT);
    }

    /// The client of this list updates it no more, because of this evidence; whatever else is the matter with its folder.
    pub(crate) fn halt(&self, name: &ListName, evidence: ObjectDigest) {
        let mut shelf = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        let mut lists = Lists::clone(&shelf);
        if let Some(list) = lists.0.iter_mut().find(|list| list.matcher.list().name() == name) {
            list.halted = Some(evidence);
            *shelf = Arc::new(lists);
        }
    }

    /// The lists whose folders can't be used, each with the time of the first of the looks that failed.
    pub fn failing(&self) -> BTreeMap<ListName, Timestamp> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A look at this list's folder has failed, at this time, or not. Gives since when looks had failed before.
    pub(crate) fn looked(&self, name: &ListName, failed: Option<Timestamp>) -> Option<Timestamp> {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = failing.get(name).copied();
        match failed {
            Some(now) => drop(failing.entry(name.clone()).or_insert(now)),
            None => drop(failing.remove(name)),
        }
        before
    }

    /// Nobody looks for newer releases any more.
    pub(crate) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::Relaxed)
    }

    fn replaced(&self) -> MutexGuard<'_, Vec<(Instant, Receipts)>> {
        self.replaced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The matcher of this list, to be renewed.
    pub(crate) fn current(&self, name: &ListName) -> Option<Arc<Matcher>> {
        self.lists().0.iter().find(|list| list.matcher.list().name() == name).map(|list| Arc::clone(&list.matcher))
    }
}
