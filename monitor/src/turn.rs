//! Which list has its turn first, where a look may end before each had its own: nobody who is slow keeps others from theirs.

use isonomy_core::release::Release;
use isonomy_core::statement::{ListName, Signed};
use isonomy_core::tree::LeafIndex;

/// With which list the next look begins.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    first: Option<ListName>,
}

impl Turn {
    /// The releases in the order of their turns: the list with which this look begins, those after it, those before it.
    pub(crate) fn order(&self, mut releases: Vec<(LeafIndex, Signed<Release>)>) -> Vec<(LeafIndex, Signed<Release>)> {
        let first = releases.iter().position(|(_, release)| self.first.as_ref() == Some(&release.body().list));
        releases.rotate_left(first.unwrap_or(0));
        releases
    }

    /// The next look begins with this list; without one, with the first of all.
    pub(crate) fn begin_with(&mut self, list: Option<ListName>) {
        self.first = list;
    }
}
