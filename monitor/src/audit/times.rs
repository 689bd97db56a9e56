//! Since when entries are public.

use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;

/// Since when statements are public, in log order. What covers a statement covers those before it, so none is public
/// later than one after it, whatever the seen proofs say.
#[derive(Debug, Default)]
pub(super) struct Times {
    groups: Vec<Group>,
}

/// Entries that are public since the same time; the later the time, the later they stand.
#[derive(PartialEq, Eq, Debug)]
struct Group {
    since: Timestamp,
    first: LeafIndex,
    /// The last of them whose own proof says so.
    shown_by: LeafIndex,
}

impl Times {
    /// Adds the entry at `index`, which has a proof of its own if `is_proven`; gives the first of those before it that are
    /// therefore public since then, too.
    pub(super) fn push(&mut self, index: LeafIndex, since: Timestamp, is_proven: bool) -> Option<LeafIndex> {
        let later = self.groups.partition_point(|group| group.since <= since);
        let moved = self.groups.get(later).map(|group| group.first);
        self.groups.truncate(later);
        match self.groups.last_mut().filter(|group| group.since == since) {
            Some(group) if is_proven => group.shown_by = index,
            Some(_) => {}
            None => self.groups.push(Group { since, first: moved.unwrap_or(index), shown_by: index }),
        }
        moved
    }

    pub(super) fn since(&self, index: LeafIndex) -> Timestamp {
        self.group_of(index).map(|group| group.since).unwrap_or_default()
    }

    /// The entry by whose proof this one is public since then.
    pub(super) fn shown_by(&self, index: LeafIndex) -> Option<LeafIndex> {
        self.group_of(index).map(|group| group.shown_by)
    }

    /// The first entry that is public only later.
    pub(super) fn first_after(&self, time: Timestamp) -> Option<LeafIndex> {
        self.groups.get(self.groups.partition_point(|group| group.since <= time)).map(|group| group.first)
    }

    fn group_of(&self, index: LeafIndex) -> Option<&Group> {
        self.groups.get(self.groups.partition_point(|group| group.first <= index).checked_sub(1)?)
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
            assert_eq!(times.push(LeafIndex(index), Timestamp(since), true), moved.map(LeafIndex), "{index}");
        }
        let groups = times.groups.iter().map(|group| (group.since.0, group.first.0));
        assert_eq!(groups.collect::<Vec<_>>(), [(10, 1), (15, 2)]);
        assert_eq!([1, 2, 9].map(|index| times.since(LeafIndex(index)).0), [10, 15, 15]);
        assert_eq!(
            [9, 10, 15].map(|time| times.first_after(Timestamp(time))),
            [Some(LeafIndex(1)), Some(LeafIndex(2)), None]
        );
    }

    /// Of the second of two texts that are the same there is no proof, and what can't be read has none.
    #[test]
    fn what_shows_a_time_has_a_proof_of_its_own() {
        let mut times = Times::default();
        for (index, since, is_proven) in
            [(1, 30, true), (2, 20, true), (4, 20, true), (5, 20, false), (8, 40, false), (9, 40, true)]
        {
            times.push(LeafIndex(index), Timestamp(since), is_proven);
        }
        let shown_by = [0, 1, 2, 4, 7, 8, 9].map(|index| times.shown_by(LeafIndex(index)).map(|shown| shown.0));
        assert_eq!(shown_by, [None, Some(4), Some(4), Some(4), Some(4), Some(9), Some(9)]);
    }
}
