//! Views that others bring: whoever uses a list can show this monitor the checkpoint that they were given, so that a log
//! which shows two histories to two people is found out.
//!
//! Only what the log itself signed is taken, so that nobody else can fill the room that there is.

use crate::trust::{Trust, View};
use isonomy_core::checkpoint::CheckpointNote;
use isonomy_core::hash::RootHash;
use isonomy_core::policy::Policy;
use isonomy_core::tree::TreeSize;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How many views wait to be compared.
const MAX: usize = 256;

/// What is waiting.
#[derive(Debug)]
pub(crate) struct Posted {
    trust: Trust,
    waiting: Mutex<BTreeMap<(TreeSize, RootHash), View>>,
}

/// Why a view is not taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum NotTaken {
    /// It is no checkpoint that the log signed.
    Worthless(String),
    /// There is no room at the moment.
    Full,
}

impl Posted {
    pub(crate) fn new(policy: Policy) -> Result<Self, &'static str> {
        Ok(Self { trust: Trust::new(policy)?, waiting: Mutex::default() })
    }

    /// Takes a checkpoint that somebody was shown.
    pub(crate) fn bring(&self, bytes: &[u8]) -> Result<(), NotTaken> {
        let note = CheckpointNote::parse(bytes).map_err(|error| NotTaken::Worthless(error.to_string()))?;
        let view = self.trust.view(note).map_err(NotTaken::Worthless)?;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (view.size(), view.root());
        if waiting.len() >= MAX && !waiting.contains_key(&key) {
            return Err(NotTaken::Full);
        }
        waiting.insert(key, view);
        Ok(())
    }

    /// Everything that is waiting; it is gone from here then.
    pub(crate) fn take(&self) -> Vec<View> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *waiting).into_values().collect()
    }

    /// Puts a view back that could not be compared yet.
    pub(crate) fn put_back(&self, view: View) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < MAX {
            waiting.insert((view.size(), view.root()), view);
        }
    }
}
