//! What clients poll, under the newest published checkpoint: bundles, and the index of lists. Each is made when it is first
//! asked for, and kept until there is a newer checkpoint. So a publication costs nothing for the lists in which nothing
//! happens, however many there are, and what is answered is never older than the checkpoint.
//!
//! Copies in the public folder, for mirrors, are the [`keeper`](crate::keeper)'s affair.

use crate::bundles;
use crate::log::NodeReader;
use crate::publication::PublicationError;
use crate::state::{Published, State};
use axum::body::Bytes;
use isonomy_core::statement::ListName;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many bytes of bundles are kept; beyond, all are made anew.
const MAX_KEPT: usize = 64 << 20;

/// What was made under the newest published checkpoint.
#[derive(Default)]
pub(crate) struct Current {
    made: Mutex<Made>,
    /// Held by whoever makes something, so that many who ask for the same at once cost no more than one.
    maker: Mutex<Option<Maker>>,
}

#[derive(Default)]
struct Made {
    under: Option<Arc<Published>>,
    bundles: HashMap<ListName, Bytes>,
    bytes: usize,
    index: Option<Bytes>,
}

/// Reads the nodes of the newest published tree, each tile once.
struct Maker {
    under: Arc<Published>,
    nodes: NodeReader,
}

impl Current {
    /// The bundle of a list, if it is made already.
    pub(crate) fn made_bundle(&self, published: &Arc<Published>, list: &ListName) -> Option<Bytes> {
        self.made(published).bundles.get(list).cloned()
    }

    /// The bundle of a list; `None` if there is no such list under this checkpoint. Reads from the disk.
    pub(crate) fn bundle(
        &self,
        state: &State,
        published: &Arc<Published>,
        list: &ListName,
    ) -> Result<Option<Bytes>, PublicationError> {
        let mut maker = self.maker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = self.made_bundle(published, list) {
            return Ok(Some(made));
        }
        let size = published.checkpoint.checkpoint().size;
        let contents = match state.histories().shown().list(list) {
            Some(history) => bundles::contents(history, size, published.times.latest),
            None => None,
        };
        let Some(contents) = contents else { return Ok(None) };
        let nodes = &mut Maker::under(&mut maker, state, published).nodes;
        let bundle = contents.bundle(list, &published.checkpoint, |index| nodes.inclusion(index))?;
        let bytes = Bytes::from(bundle.to_bytes());
        self.keep(published, |made| {
            if made.bytes.saturating_add(bytes.len()) > MAX_KEPT {
                (made.bundles, made.bytes) = (HashMap::new(), 0);
            }
            made.bytes += bytes.len();
            made.bundles.insert(list.clone(), bytes.clone());
        });
        Ok(Some(bytes))
    }

    /// The index of lists, as JSON.
    pub(crate) fn index(&self, state: &State, published: &Arc<Published>) -> Result<Bytes, PublicationError> {
        let _maker = self.maker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = self.made(published).index.clone() {
            return Ok(made);
        }
        let size = published.checkpoint.checkpoint().size;
        let index = Bytes::from(bundles::index(state.log.key().name(), state.histories().shown(), size)?);
        self.keep(published, |made| made.index = Some(index.clone()));
        Ok(index)
    }

    /// What is made under this checkpoint; of older ones nothing is kept.
    fn made(&self, published: &Arc<Published>) -> MutexGuard<'_, Made> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.under.as_ref().is_none_or(|under| under.at < published.at) {
            *made = Made { under: Some(Arc::clone(published)), ..Made::default() };
        }
        made
    }

    /// Keeps something, unless there is a newer checkpoint by now.
    fn keep(&self, published: &Arc<Published>, change: impl FnOnce(&mut Made)) {
        let mut made = self.made(published);
        if made.under.as_ref().is_some_and(|under| Arc::ptr_eq(under, published)) {
            change(&mut made);
        }
    }
}

impl Maker {
    fn under<'m>(maker: &'m mut Option<Self>, state: &State, published: &Arc<Published>) -> &'m mut Self {
        let fresh = maker.take().filter(|maker| Arc::ptr_eq(&maker.under, published));
        maker.insert(fresh.unwrap_or_else(|| {
            let nodes = state.log.reader(published.checkpoint.checkpoint().size);
            Self { under: Arc::clone(published), nodes }
        }))
    }
}
