//! The lists that are in force now.
//!
//! A request takes what is on the shelf when it begins, and keeps it to its end; replacing a list changes what the next
//! one takes. So nothing waits and nothing is dropped.

use isonomy_core::list::Algorithm;
use isonomy_core::statement::ListName;
use isonomy_matcher::Matcher;
use std::sync::{Arc, PoisonError, RwLock};

/// Lists made ready, one after the other as they were configured.
#[derive(Clone, Default)]
pub struct Lists(Vec<Arc<Matcher>>);

impl Lists {
    /// All.
    pub fn iter(&self) -> impl Iterator<Item = &Matcher> {
        self.0.iter().map(AsRef::as_ref)
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
pub struct Shelf(RwLock<Arc<Lists>>);

impl Shelf {
    /// What is in force now.
    pub fn lists(&self) -> Arc<Lists> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts a list on the shelf, in the place of its older release if there is one.
    pub fn put(&self, matcher: Matcher) {
        let mut shelf = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let mut lists = Lists::clone(&shelf);
        let (name, matcher) = (matcher.list().name().clone(), Arc::new(matcher));
        match lists.0.iter_mut().find(|known| *known.list().name() == name) {
            Some(known) => *known = matcher,
            None => lists.0.push(matcher),
        }
        *shelf = Arc::new(lists);
    }

    /// The matcher of this list, to be renewed.
    pub(crate) fn current(&self, name: &ListName) -> Option<Arc<Matcher>> {
        self.lists().0.iter().find(|matcher| matcher.list().name() == name).cloned()
    }
}
