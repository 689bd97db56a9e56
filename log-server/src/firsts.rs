//! Since when each statement is public, as the log itself learned it first: in the database, beside what the seen proofs say.
//!
//! A seen proof can be lost, or be of witnesses that the policy no longer names; the one that is made then is later. What was
//! admitted must not be judged anew by it: a notice would begin again, a release that cites the edition would break the rules
//! after all, and its version would be free for a second text. So the earlier of the two counts.

use isonomy_core::time::Timestamp;
use isonomy_core::tree::LeafIndex;
use isonomy_store::kv::{Batch, Store, StoreError, Tree};
use std::collections::BTreeSet;

const TREE: &str = "first-seen";
/// The statements that are left out by others since the operator has given up the seen proofs that spoke for them
/// (`seen_proofs = "renew"`).
const GIVEN_UP: &str = "first-seen-given-up";
/// How many are written at a time.
const BATCH: usize = 100;

/// The first times.
#[derive(Clone)]
pub(crate) struct FirstTimes {
    store: Store,
    tree: Tree,
    given_up: Tree,
}

impl FirstTimes {
    /// Those in this store.
    pub(crate) fn open(store: &Store) -> Result<Self, StoreError> {
        Ok(Self { store: store.clone(), tree: store.tree(TREE)?, given_up: store.tree(GIVEN_UP)? })
    }

    /// Takes over what another store remembers.
    pub(crate) fn take_over(&self, former: &Store) -> Result<(), StoreError> {
        for (from, to) in [(former.tree(TREE)?, &self.tree), (former.tree(GIVEN_UP)?, &self.given_up)] {
            let pairs = from.iter().collect::<Result<Vec<_>, _>>()?;
            for pairs in pairs.chunks(BATCH) {
                let mut batch = Batch::new();
                for (key, value) in pairs {
                    batch.put(to, key, value);
                }
                self.store.apply(batch)?;
            }
        }
        Ok(())
    }

    /// Whether the operator has given up the statement at this place.
    pub(crate) fn is_given_up(&self, index: LeafIndex) -> Result<bool, StoreError> {
        Ok(self.given_up.get(&index.0.to_be_bytes())?.is_some())
    }

    /// Remembers that no start is refused because of the statements at these places any more.
    pub(crate) fn give_up(&self, statements: &BTreeSet<LeafIndex>) -> Result<(), StoreError> {
        let statements: Vec<LeafIndex> = statements.iter().copied().collect();
        for statements in statements.chunks(BATCH) {
            let mut batch = Batch::new();
            for index in statements {
                batch.put(&self.given_up, &index.0.to_be_bytes(), &[]);
            }
            self.store.apply(batch)?;
        }
        Ok(())
    }

    /// Since when the statement at this place is public. What can't be read is not known.
    pub(crate) fn of(&self, index: LeafIndex) -> Result<Option<Timestamp>, StoreError> {
        let value = self.tree.get(&index.0.to_be_bytes())?;
        Ok(value.and_then(|value| value.try_into().ok()).map(|bytes| Timestamp(u64::from_be_bytes(bytes))))
    }

    /// Remembers these times, of statements of which there is none yet or a later one.
    pub(crate) fn remember(&self, times: &[(LeafIndex, Timestamp)]) -> Result<(), StoreError> {
        for times in times.chunks(BATCH) {
            let mut batch = Batch::new();
            for (index, since) in times {
                if self.of(*index)?.is_none_or(|known| known > *since) {
                    batch.put(&self.tree, &index.0.to_be_bytes(), &since.0.to_be_bytes());
                }
            }
            if !batch.is_empty() {
                self.store.apply(batch)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_time_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let firsts = FirstTimes::open(&store).unwrap();
        let all: Vec<_> = (0..250).map(|index| (LeafIndex(index), Timestamp(1000 + index))).collect();
        firsts.remember(&all).unwrap();
        firsts.remember(&[(LeafIndex(7), Timestamp(9999)), (LeafIndex(8), Timestamp(5))]).unwrap();
        let of = |index| firsts.of(LeafIndex(index)).unwrap();
        firsts.give_up(&(3..5).map(LeafIndex).collect()).unwrap();
        let other = tempfile::tempdir().unwrap();
        let anew = FirstTimes::open(&Store::open(other.path()).unwrap()).unwrap();
        anew.take_over(&store).unwrap();
        assert!((0..251).map(LeafIndex).all(|index| {
            let both = |firsts: &FirstTimes| (firsts.of(index).unwrap(), firsts.is_given_up(index).unwrap());
            both(&anew) == both(&firsts)
        }));
        assert_eq!(
            [of(7), of(8), of(249), of(250)],
            [Some(Timestamp(1007)), Some(Timestamp(5)), Some(Timestamp(1249)), None]
        );
    }
}
