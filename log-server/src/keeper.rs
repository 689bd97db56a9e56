//! The task that keeps bundles and the index of lists in the public folder, so that the folder alone, on any static server
//! or a stick, is a mirror that clients can use. The log's own server does not read them: it answers what is
//! [current](crate::current).
//!
//! After each publication the bundles of those lists are written in which something happened, at once; of the others those
//! whose copy is older than half of the interval between republications. So a copy is never older than one interval, and a
//! publication does not take longer with the number of lists. After a start all are written, whatever was there.

use crate::publication::PublicationError;
use crate::sequencer::SequencerError;
use crate::state::{Published, State};
use isonomy_core::resource::Resource;
use isonomy_core::statement::ListName;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;

/// How many bundles are written at a time. Then comes what has happened meanwhile.
const PORTION: usize = 64;

pub(crate) struct Keeper {
    pub(crate) state: Arc<State>,
    pub(crate) republish_every: Duration,
    /// Done when nothing will be published any more.
    pub(crate) last: oneshot::Receiver<()>,
}

impl Keeper {
    /// Works until nothing is published any more.
    pub(crate) async fn run(mut self) -> Result<(), SequencerError> {
        let mut published = self.state.published.subscribe();
        let mut copies = Copies::new(self.republish_every / 2);
        loop {
            let is_last = tokio::select! {
                _ = &mut self.last => true,
                _ = published.changed() => false,
            };
            loop {
                let newest = published.borrow_and_update().clone();
                let Some(newest) = newest else { break };
                let state = Arc::clone(&self.state);
                let written = spawn_blocking(move || copies.write(&state, &newest).map(|left| (copies, left))).await;
                let left;
                (copies, left) = written.map_err(|_| SequencerError::Panicked)??;
                if left == Left::Nothing || (left == Left::Old && is_last) {
                    break;
                }
            }
            if is_last {
                return Ok(());
            }
        }
    }
}

/// What remains to be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Left {
    /// Nothing.
    Nothing,
    /// Bundles whose copies are old.
    Old,
    /// Bundles of lists in which something happened.
    New,
}

/// The copies in the folder that this process has written.
pub(crate) struct Copies {
    /// The age from which a copy is written anew.
    old: Duration,
    written: BTreeMap<ListName, Instant>,
    /// The same by age, the oldest first; and what was written again since.
    by_age: VecDeque<(Instant, ListName)>,
    /// The lists in which something happened since they were written.
    new: BTreeSet<ListName>,
    /// Whether all lists that were there at the start are among these.
    knows_all: bool,
}

impl Copies {
    pub(crate) fn new(old: Duration) -> Self {
        let (written, by_age, new) = (BTreeMap::new(), VecDeque::new(), BTreeSet::new());
        Self { old, written, by_age, new, knows_all: false }
    }

    /// Writes a portion of what is due; what is left then.
    pub(crate) fn write(&mut self, state: &State, published: &Arc<Published>) -> Result<Left, PublicationError> {
        self.new.append(&mut state.touched());
        let has_new = !self.new.is_empty() || !self.knows_all;
        if !self.knows_all {
            self.new.extend(state.histories().known.lists().map(|(name, _)| name.clone()));
            self.knows_all = true;
        }
        let due = self.due(published);
        let mut bundles = Vec::new();
        for list in &due {
            // Of a list that is not public yet there is none; it is touched again when it is.
            if let Some(bundle) = state.current.bundle(state, published, list)? {
                bundles.push((Resource::Bundle(list.clone()), bundle));
            }
        }
        state.log.public().replace_all(&bundles)?;
        if has_new {
            state.log.public().write_lists(&state.current.index(state, published)?)?;
        }
        self.note(due);
        Ok(self.left(published))
    }

    /// The lists to be written next.
    fn due(&mut self, published: &Published) -> Vec<ListName> {
        let mut due: Vec<ListName> = self.new.iter().take(PORTION).cloned().collect();
        while due.len() < PORTION
            && let Some((at, list)) = self.by_age.front()
        {
            let is_newest = self.written.get(list) == Some(at);
            if is_newest && !self.is_old(*at, published) {
                break;
            }
            if is_newest && !self.new.contains(list) {
                due.push(list.clone());
            }
            self.by_age.pop_front();
        }
        due
    }

    fn note(&mut self, written: Vec<ListName>) {
        let now = Instant::now();
        for list in written {
            self.new.remove(&list);
            self.written.insert(list.clone(), now);
            self.by_age.push_back((now, list));
        }
    }

    fn left(&self, published: &Published) -> Left {
        match self.by_age.front() {
            _ if !self.new.is_empty() => Left::New,
            Some((at, _)) if self.is_old(*at, published) => Left::Old,
            _ => Left::Nothing,
        }
    }

    /// Whether what was written at this time was old when this was published: so nothing is written twice for one
    /// publication.
    fn is_old(&self, written: Instant, published: &Published) -> bool {
        written < published.at && published.at - written >= self.old
    }
}
