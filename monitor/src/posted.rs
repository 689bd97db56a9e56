//! Views that others bring: whoever uses a list can show this monitor the checkpoint that they were given, so that a log
//! which shows two histories to two people is found out.
//!
//! Only what the log itself signed is taken, and there is room for so much. What this monitor's own copy already shows to be
//! of its history makes room first, then what was compared before without a result, the longest; so neither whoever brings
//! old checkpoints by the hundred, nor a log that signs what nobody can compare, keeps out what somebody else was shown.

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
    waiting: Mutex<BTreeMap<(TreeSize, RootHash), Waiting>>,
}

/// A view that waits to be compared.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) view: View,
    standing: Standing,
}

/// What is known of a waiting view; the first make room first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Standing {
    /// The copy shows that it is of this history.
    Known,
    /// It was compared without a result: so many times less than could be counted, so that the longest comes first.
    Compared(u32),
    /// Nothing.
    New,
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

    /// Takes a checkpoint that somebody was shown; `is_known` says whether the copy shows that it is of this history.
    pub(crate) fn bring(&self, bytes: &[u8], is_known: impl FnOnce(&View) -> bool) -> Result<(), NotTaken> {
        let note = CheckpointNote::parse(bytes).map_err(|error| NotTaken::Worthless(error.to_string()))?;
        let view = self.trust.view(note).map_err(NotTaken::Worthless)?;
        let standing = if is_known(&view) { Standing::Known } else { Standing::New };
        if self.put(Waiting { view, standing }) { Ok(()) } else { Err(NotTaken::Full) }
    }

    /// Everything that is waiting, what is new first; it is gone from here then.
    pub(crate) fn take(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<Waiting> = std::mem::take(&mut *waiting).into_values().collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.standing));
        all
    }

    /// Puts a view back that could not be compared yet, or for which there was no time. If there is no room, it is dropped.
    pub(crate) fn put_back(&self, waiting: Waiting) {
        self.put(waiting);
    }

    /// Puts a view to those that wait, in the place of one that is to make room sooner, if there is no other.
    fn put(&self, new: Waiting) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (new.view.size(), new.view.root());
        if waiting.len() >= MAX && !waiting.contains_key(&key) {
            let first = waiting.iter().min_by_key(|(_, one)| one.standing).map(|(key, one)| (*key, one.standing));
            match first {
                Some((first, standing)) if standing < new.standing => drop(waiting.remove(&first)),
                _ => return false,
            }
        }
        waiting.insert(key, new);
        true
    }
}

impl Waiting {
    /// It was compared, and nothing can be told yet.
    pub(crate) fn compared(self) -> Self {
        let standing = match self.standing {
            Standing::Compared(left) => Standing::Compared(left.saturating_sub(1)),
            Standing::New | Standing::Known => Standing::Compared(u32::MAX),
        };
        Self { standing, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::checkpoint::Checkpoint;
    use isonomy_core::note::{KeyType, SigningKey};

    fn key(name: &str, kind: KeyType) -> SigningKey {
        SigningKey::from_seed(name, kind, &[name.len() as u8; 32]).unwrap()
    }

    fn posted() -> Posted {
        let (log, witness) = (key("log.example/a", KeyType::Ed25519), key("w.example", KeyType::Cosignature));
        let text = format!("log {}\nwitness w {}\nquorum w\n", log.verifier(), witness.verifier());
        Posted::new(Policy::parse(text.as_bytes()).unwrap()).unwrap()
    }

    fn checkpoint(size: u64) -> Vec<u8> {
        let checkpoint = Checkpoint {
            origin: "log.example/a".into(),
            size: TreeSize(size),
            root: RootHash([7; 32]),
            extensions: vec![],
        };
        CheckpointNote::sign(checkpoint, &key("log.example/a", KeyType::Ed25519)).unwrap().to_bytes()
    }

    #[test]
    fn nobody_who_brings_what_is_known_keeps_others_out() {
        let posted = posted();
        assert!(matches!(posted.bring(b"nonsense", |_| false), Err(NotTaken::Worthless(_))));
        for size in 1..=300 {
            let taken = posted.bring(&checkpoint(size), |_| true);
            assert_eq!(taken.is_ok(), size <= 256, "{size}");
        }
        for size in 1001..=1256 {
            assert_eq!(posted.bring(&checkpoint(size), |_| false), Ok(()), "{size}");
        }
        assert_eq!(posted.bring(&checkpoint(2000), |_| false), Err(NotTaken::Full), "until the next look");
        let taken = posted.take();
        assert!(taken.len() == 256 && taken.iter().all(|one| one.view.size().0 > 1000));
    }

    #[test]
    fn what_can_not_be_compared_makes_room_for_what_is_new_the_longest_first() {
        let posted = posted();
        (1..=256).for_each(|size| posted.bring(&checkpoint(size), |_| false).unwrap());
        for look in 1..=2 {
            for one in posted.take() {
                let is_longer = look == 1 || one.view.size().0 <= 100;
                posted.put_back(if is_longer { one.compared() } else { one });
            }
        }
        (1001..=1100).for_each(|size| posted.bring(&checkpoint(size), |_| false).unwrap());
        let taken = posted.take();
        let sizes: Vec<u64> = taken.iter().map(|one| one.view.size().0).collect();
        assert_eq!(sizes.len(), 256);
        assert!(sizes[..100].iter().all(|size| *size > 1000), "what is new is compared first");
        assert!(sizes[100..].iter().all(|size| (101..=256).contains(size)), "those that waited longest went");
    }
}
