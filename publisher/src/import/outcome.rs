//! From records in any order to the entries that come and those that go.
//!
//! Of all that is said of one hash the latest counts; if two things were said at once, or without a time, that it goes. So the
//! order of records and of files doesn't matter. A source that withdraws by id alone (NCMEC) withdraws every hash that it gave
//! under that id before, in these files or in earlier ones, as far as they are remembered. That a record was not selected says
//! something of its hash only if no other record does.

use super::options::Unselected;
use super::record::{Action, Record};
use super::sorting::{Item, Sorter};
use isonomy_core::hash::sha256;
use isonomy_core::list::{Algorithm, Entries, ListError};
use std::io;

/// How many records are sorted in memory, about 16 MB: half of a list of a million.
const IN_MEMORY: usize = 1 << 18;
/// The largest entry of an algorithm.
const MAX_HASH: usize = 48;

/// The entry of any algorithm, shorter ones filled up with zeros.
type Filled = [u8; MAX_HASH];
/// Each id with a hash that was given under it.
type Given = Vec<(Id, Filled)>;

/// What is said of a hash, shorter ones filled up with zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Saying {
    hash: Filled,
    time: u64,
    action: Action,
}

impl Item for Saying {
    const SIZE: usize = MAX_HASH + 9;

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.hash);
        bytes.extend_from_slice(&self.time.to_be_bytes());
        bytes.push(self.action as u8);
    }

    fn read(bytes: &[u8]) -> Self {
        let (hash, rest) = bytes.split_at(MAX_HASH);
        let actions = [Action::Add, Action::Remove, Action::PassOver];
        let action = actions.into_iter().find(|action| rest.get(8) == Some(&(*action as u8))).unwrap_or(Action::Add);
        let time = rest.first_chunk().map_or(0, |time| u64::from_be_bytes(*time));
        Self { hash: filled(hash), time, action }
    }
}

/// SHA-256 of a source's name for a record, cut to 16 bytes.
pub(super) type Id = [u8; 16];

/// What is said under an id; a removal has no hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    id: Id,
    saying: Saying,
}

impl Item for Named {
    const SIZE: usize = 16 + Saying::SIZE;

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.id);
        self.saying.write(bytes);
    }

    fn read(bytes: &[u8]) -> Self {
        let (id, saying) = bytes.split_at(16);
        Self { id: id.try_into().unwrap_or_default(), saying: Saying::read(saying) }
    }
}

/// Gathers what is said.
pub(super) struct Sayings {
    sayings: Sorter<Saying>,
    named: Sorter<Named>,
    size: usize,
}

/// What came of all that was said.
pub(super) struct Outcome {
    /// Hashes that come.
    pub(super) added: Entries,
    /// Hashes that go.
    pub(super) removed: Entries,
    /// Hashes of records that were passed over, of which nothing else is said.
    pub(super) passed_over: Entries,
    /// How often a hash was given that had been given already.
    pub(super) duplicates: u64,
    /// Removals by an id under which nothing is known.
    pub(super) unknown_ids: u64,
    /// Each id with a hash that was given under it, ascending.
    pub(super) ids: Vec<(Id, Vec<u8>)>,
}

impl Sayings {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        Self { sayings: Sorter::new(IN_MEMORY), named: Sorter::new(IN_MEMORY), size: algorithm.entry_size() }
    }

    /// Remembers what was given under an id in an earlier import, when it was not said that it comes.
    pub(super) fn know(&mut self, id: Id, hash: &[u8]) -> io::Result<()> {
        self.named.push(Named { id, saying: Saying { hash: filled(hash), time: 0, action: Action::Add } })
    }

    pub(super) fn say(&mut self, record: &Record) -> io::Result<()> {
        // What is withdrawn without a date is withdrawn for good.
        let undated = if record.action == Action::Remove { u64::MAX } else { 0 };
        let hash = record.hash.as_deref().map(filled);
        let saying =
            Saying { hash: hash.unwrap_or([0; MAX_HASH]), time: record.time.unwrap_or(undated), action: record.action };
        if let Some(id) = &record.id {
            self.named.push(Named { id: identity(id), saying })?;
        }
        match hash {
            Some(_) => self.sayings.push(saying),
            None => Ok(()),
        }
    }

    /// Takes up a record that was not selected: it adds nothing, but what is withdrawn by its id is its hash.
    pub(super) fn pass_over(&mut self, record: &Record, unselected: Unselected) -> io::Result<()> {
        let Some(hash) = record.hash.as_deref().map(filled) else { return Ok(()) };
        let saying = Saying { hash, time: 0, action: Action::PassOver };
        if let Some(id) = &record.id {
            self.named.push(Named { id: identity(id), saying })?;
        }
        match unselected {
            Unselected::Remember => self.sayings.push(saying),
            Unselected::Forget => Ok(()),
        }
    }

    pub(super) fn finish(mut self) -> Result<Outcome, OutcomeError> {
        let (unknown_ids, ids) = self.resolve_ids()?;
        let (mut added, mut removed, mut passed_over) = (Vec::new(), Vec::new(), Vec::new());
        let mut duplicates = 0;
        let mut sorted = self.sayings.finish()?;
        let mut next = sorted.next()?;
        while let Some(first) = next {
            let (mut last, mut additions) = (Action::PassOver, 0u64);
            while let Some(saying) = next.filter(|saying| saying.hash == first.hash) {
                additions += u64::from(saying.action == Action::Add);
                if saying.action != Action::PassOver {
                    last = saying.action;
                }
                next = sorted.next()?;
            }
            duplicates += additions.saturating_sub(1);
            let side = match last {
                Action::Add => &mut added,
                Action::Remove => &mut removed,
                Action::PassOver => &mut passed_over,
            };
            side.extend_from_slice(&first.hash[..self.size]);
        }
        let list = |bytes| Entries::from_sorted(self.size, bytes);
        let ids = ids.into_iter().map(|(id, hash)| (id, hash[..self.size].to_vec())).collect();
        let (added, removed, passed_over) = (list(added)?, list(removed)?, list(passed_over)?);
        Ok(Outcome { added, removed, passed_over, duplicates, unknown_ids, ids })
    }

    /// Says of every hash under a withdrawn id that it goes.
    fn resolve_ids(&mut self) -> io::Result<(u64, Given)> {
        let mut sorted = std::mem::replace(&mut self.named, Sorter::new(1)).finish()?;
        let (mut unknown, mut ids) = (0, Vec::new());
        let mut next = sorted.next()?;
        while let Some(first) = next {
            let (mut hashes, mut given, mut withdrawn, mut names_hash) = (Vec::new(), Vec::new(), None, false);
            while let Some(named) = next.filter(|named| named.id == first.id) {
                match named.saying.action {
                    Action::Add => given.push(named.saying.hash),
                    Action::PassOver => hashes.push(named.saying.hash),
                    Action::Remove => {
                        withdrawn = withdrawn.max(Some(named.saying.time));
                        names_hash |= named.saying.hash != [0; MAX_HASH];
                    }
                }
                next = sorted.next()?;
            }
            hashes.extend_from_slice(&given);
            for hashes in [&mut hashes, &mut given] {
                hashes.sort_unstable();
                hashes.dedup();
            }
            if let Some(time) = withdrawn {
                unknown += u64::from(hashes.is_empty() && !names_hash);
                for hash in &hashes {
                    self.sayings.push(Saying { hash: *hash, time, action: Action::Remove })?;
                }
            }
            ids.extend(given.into_iter().map(|hash| (first.id, hash)));
        }
        Ok((unknown, ids))
    }
}

/// Why what was said gives no entries.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutcomeError {
    #[error(transparent)]
    File(#[from] io::Error),
    #[error(transparent)]
    List(#[from] ListError),
}

fn filled(hash: &[u8]) -> Filled {
    let mut filled = [0; MAX_HASH];
    let len = hash.len().min(MAX_HASH);
    filled[..len].copy_from_slice(&hash[..len]);
    filled
}

fn identity(id: &str) -> Id {
    sha256(&[id.as_bytes()]).first_chunk().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn record(action: Action, hash: Option<u8>, time: Option<u64>, id: Option<u8>) -> Record {
        let hash = hash.map(|byte| vec![byte; 16]);
        Record { hash, time, id: id.map(|id| id.to_string()), ..Record::about(action) }
    }

    fn records() -> impl Strategy<Value = Vec<Record>> {
        let time = prop_oneof![Just(None), (0u64..4).prop_map(Some)];
        let one =
            (any::<bool>(), 1u8..6, time, proptest::option::of(0u8..3)).prop_map(|(add, hash, time, id)| {
                match (add, id) {
                    (true, id) => record(Action::Add, Some(hash), time, id),
                    (false, Some(id)) => record(Action::Remove, None, time, Some(id)),
                    (false, None) => record(Action::Remove, Some(hash), time, None),
                }
            });
        proptest::collection::vec(one, 0..20)
    }

    fn finish(records: &[Record], passed_over: &[u8], capacity: usize) -> Outcome {
        let mut sayings = Sayings { sayings: Sorter::new(capacity), named: Sorter::new(capacity), size: 16 };
        for record in records {
            sayings.say(record).unwrap();
        }
        for hash in passed_over {
            let record = record(Action::Add, Some(*hash), None, None);
            sayings.pass_over(&record, Unselected::Remember).unwrap();
        }
        sayings.finish().unwrap()
    }

    fn firsts(entries: &Entries) -> Vec<u8> {
        entries.iter().map(|entry| entry[0]).collect()
    }

    fn outcome(records: &[Record], capacity: usize) -> (Vec<u8>, Vec<u8>, u64, u64) {
        let outcome = finish(records, &[], capacity);
        (firsts(&outcome.added), firsts(&outcome.removed), outcome.duplicates, outcome.unknown_ids)
    }

    /// The same, with maps and in no clever way.
    fn plainly(records: &[Record]) -> (Vec<u8>, Vec<u8>) {
        let mut last: BTreeMap<u8, (u64, Action)> = BTreeMap::new();
        let mut say = |hash: u8, time: u64, action| {
            let saying = last.entry(hash).or_insert((time, action));
            *saying = (*saying).max((time, action));
        };
        for one in records {
            let undated = if one.action == Action::Remove { u64::MAX } else { 0 };
            let time = one.time.unwrap_or(undated);
            match &one.hash {
                Some(hash) => say(hash[0], time, one.action),
                None => {
                    let known = records.iter().filter(|other| other.action == Action::Add && other.id == one.id);
                    known
                        .filter_map(|other| Some(other.hash.as_ref()?[0]))
                        .for_each(|hash| say(hash, time, one.action));
                }
            }
        }
        let of = |wanted| last.iter().filter(|(_, saying)| saying.1 == wanted).map(|(hash, _)| *hash).collect();
        (of(Action::Add), of(Action::Remove))
    }

    proptest! {
        #[test]
        fn neither_order_nor_memory_matters(records in records(), shuffle in any::<prop::sample::Index>(), capacity in 1usize..5) {
            let expected = outcome(&records, 1000);
            prop_assert_eq!((expected.0.clone(), expected.1.clone()), plainly(&records));
            let mut other = records.clone();
            if !other.is_empty() {
                let at = shuffle.index(other.len());
                other.rotate_left(at);
                other.reverse();
            }
            prop_assert_eq!(outcome(&other, capacity), expected);
        }
    }

    proptest! {
        #[test]
        fn what_is_passed_over_changes_nothing_else(
            records in records(),
            passed_over in proptest::collection::vec(1u8..9, 0..10),
            capacity in 1usize..5,
        ) {
            let (alone, outcome) = (finish(&records, &[], 1000), finish(&records, &passed_over, capacity));
            prop_assert_eq!(&outcome.added, &alone.added);
            prop_assert_eq!(&outcome.removed, &alone.removed);
            let said: Vec<u8> = [firsts(&alone.added), firsts(&alone.removed)].concat();
            let expected: std::collections::BTreeSet<u8> =
                passed_over.into_iter().filter(|hash| !said.contains(hash)).collect();
            prop_assert_eq!(firsts(&outcome.passed_over), expected.into_iter().collect::<Vec<u8>>());
        }
    }

    #[test]
    fn a_withdrawal_by_id_finds_what_was_not_selected() {
        let mut sayings = Sayings::new(Algorithm::Md5);
        sayings.say(&record(Action::Add, Some(7), Some(1), Some(1))).unwrap();
        for unselected in [Unselected::Forget, Unselected::Remember] {
            sayings.pass_over(&record(Action::Add, Some(7), Some(1), Some(2)), unselected).unwrap();
        }
        sayings.say(&record(Action::Remove, None, Some(2), Some(2))).unwrap();
        let outcome = sayings.finish().unwrap();
        assert_eq!((firsts(&outcome.added), firsts(&outcome.removed), outcome.unknown_ids), (vec![], vec![7], 0));
        assert_eq!(outcome.ids.len(), 1, "what was not selected is not kept for later");
    }

    #[test]
    fn the_later_word_counts_and_a_removal_at_the_same_time() {
        let add = |time| record(Action::Add, Some(7), time, None);
        let remove = |time| record(Action::Remove, Some(7), time, None);
        for (records, listed) in [
            (vec![add(Some(1)), remove(Some(2))], false),
            (vec![add(Some(2)), remove(Some(1))], true),
            (vec![add(Some(2)), remove(Some(2))], false),
            (vec![add(Some(2)), remove(None)], false),
            (vec![add(None), remove(Some(0))], false),
        ] {
            let (added, removed, ..) = outcome(&records, 10);
            assert_eq!((added.len(), removed.len()), if listed { (1, 0) } else { (0, 1) });
        }
        let unknown = record(Action::Remove, None, Some(1), Some(1));
        assert_eq!(outcome(&[unknown], 10).3, 1);
    }
}
