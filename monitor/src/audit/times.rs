//! Since when entries are public.

use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;

/// Since when statements are public, in log order. What covers a statement covers those before it, so none is public
/// later than one after it, whatever the seen proofs say.
#[derive(Debug, Default)]
pub(super) struct Times {
    /// Ascending times, each with the first entry that is public since then.
    groups: Vec<(Timestamp, LeafIndex)>,
}

impl Times {
    /// Adds the entry at `index`; gives the first of those before it that are therefore public since then, too.
    pub(super) fn push(&mut self, index: LeafIndex, since: Timestamp) -> Option<LeafIndex> {
        let later = self.groups.partition_point(|(time, _)| *time <= since);
        let moved = self.groups.get(later).map(|(_, first)| *first);
        self.groups.truncate(later);
        if self.groups.last().is_none_or(|(time, _)| *time < since) {
            self.groups.push((since, moved.unwrap_or(index)));
        }
        moved
    }

    pub(super) fn since(&self, index: LeafIndex) -> Timestamp {
        let groups = self.groups.iter().rev();
        groups.map(|(time, first)| (*first, *time)).find(|(first, _)| *first <= index).unwrap_or_default().1
    }

    /// The first entry after this one that is public only later: what makes the entry public at its time stands before that.
    pub(super) fn next_later(&self, index: LeafIndex) -> Option<LeafIndex> {
        self.groups.get(self.groups.partition_point(|(_, first)| *first <= index)).map(|(_, first)| *first)
    }

    /// The first entry that is public only later.
    pub(super) fn first_after(&self, time: Timestamp) -> Option<LeafIndex> {
        self.groups.get(self.groups.partition_point(|(since, _)| *since <= time)).map(|(_, first)| *first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_public_later_than_what_is_logged_after_it() {
        let mut times = Times::default();
        for (index, since, moved) in
            [(1, 10, None), (2, 30, None), (3, 20, Some(2)), (4, 20, None), (5, 40, None), (6, 15, Some(2))]
        {
            assert_eq!(times.push(LeafIndex(index), Timestamp(since)), moved.map(LeafIndex), "{index}");
        }
        assert_eq!(times.groups.iter().map(|(time, first)| (time.0, first.0)).collect::<Vec<_>>(), [(10, 1), (15, 2)]);
        assert_eq!([1, 2, 9].map(|index| times.since(LeafIndex(index)).0), [10, 15, 15]);
        assert_eq!(
            [0, 1, 2, 9].map(|index| times.next_later(LeafIndex(index)).map(|next| next.0)),
            [Some(1), Some(2), None, None]
        );
        assert_eq!(
            [9, 10, 15].map(|time| times.first_after(Timestamp(time))),
            [Some(LeafIndex(1)), Some(LeafIndex(2)), None]
        );
    }
}
