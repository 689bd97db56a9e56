//! From records in any order to the entries that come and those that go.
//!
//! Of all that is said of one hash the latest counts; if two things were said at once, or without a time, that it goes. So the
//! order of records and of files doesn't matter. That a record was not selected says something of its hash only if no other record
//! does.
//!
//! A record with an id (NCMEC) stands until its source withdraws it, or gives another hash under the same id. What was given under an
//! id, in these files or in earlier ones, as far as they are remembered, and does not stand any more, is withdrawn; it goes unless
//! another record that stands gives the same hash. It is withdrawn again whenever something is said under its id: whether the list
//! that it was to go from was written is not known here. So an import that is repeated with what it remembered gives the same.

use super::options::Unselected;
use super::record::{Action, Record};
use super::sorting::{Item, Sorter};
use isonomy_core::encoding::from_hex;
use isonomy_core::hash::sha256;
use isonomy_core::list::{Algorithm, Entries, ListError};
use std::collections::BTreeSet;
use std::io;

/// How many records are sorted in memory, about 16 MB: half of a list of a million.
const IN_MEMORY: usize = 1 << 18;
/// The largest entry of an algorithm.
const MAX_HASH: usize = 48;

/// The entry of any algorithm, shorter ones filled up with zeros.
type Filled = [u8; MAX_HASH];
/// SHA-256 of a source's name for a record, cut to 16 bytes.
type Id = [u8; 16];

/// A hash that was given under an id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Given {
    pub(super) id: Id,
    pub(super) hash: Vec<u8>,
    pub(super) standing: Standing,
}

/// What became of a hash that was given under an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// Its record gives it, and was selected.
    Stands,
    /// Its record gives it, and was not selected.
    Unselected,
    /// Its record was withdrawn, or gives another hash.
    Gone,
}

impl Standing {
    const ALL: [Self; 3] = [Self::Stands, Self::Unselected, Self::Gone];

    /// What stands behind the hash in a file of ids.
    pub(super) fn mark(self) -> &'static str {
        match self {
            Self::Stands => "",
            Self::Unselected => " unselected",
            Self::Gone => " gone",
        }
    }

    /// What an earlier import is remembered to have heard.
    fn word(self) -> Word {
        match self {
            Self::Stands => Word::Add,
            Self::Unselected => Word::PassOver,
            Self::Gone => Word::Withdrawn,
        }
    }
}

impl Given {
    /// As [`Imported::write_ids`](super::Imported::write_ids) writes it.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (id, rest) = line.split_once(' ')?;
        let (hash, mark) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
        let standing = Standing::ALL.into_iter().find(|standing| standing.mark() == mark)?;
        Some(Self { id: from_hex(id)?.try_into().ok()?, hash: from_hex(hash)?, standing })
    }
}

/// What is said of a hash. Of two things at the same time the later one here counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    /// It comes.
    Add,
    /// It goes.
    Remove,
    /// The record that gave it does not stand any more.
    Withdrawn,
    /// A record gives it that was not selected.
    PassOver,
    /// Another record that gives it stands.
    Stands,
}

impl From<Action> for Word {
    fn from(action: Action) -> Self {
        match action {
            Action::Add => Self::Add,
            Action::Remove => Self::Remove,
            Action::PassOver => Self::PassOver,
        }
    }
}

/// What is said of a hash, shorter ones filled up with zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Saying {
    hash: Filled,
    time: u64,
    word: Word,
}

impl Item for Saying {
    const SIZE: usize = MAX_HASH + 9;

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.hash);
        bytes.extend_from_slice(&self.time.to_be_bytes());
        bytes.push(self.word as u8);
    }

    fn read(bytes: &[u8]) -> Self {
        let (hash, rest) = bytes.split_at(MAX_HASH);
        let words = [Word::Add, Word::Remove, Word::Withdrawn, Word::PassOver, Word::Stands];
        let word = words.into_iter().find(|word| rest.get(8) == Some(&(*word as u8))).unwrap_or(Word::Add);
        let time = rest.first_chunk().map_or(0, |time| u64::from_be_bytes(*time));
        Self { hash: filled(hash), time, word }
    }
}

/// What is said under an id; a removal has no hash. What was known before has the time 0, and all else a time that is one more than
/// its own.
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
    /// What was given under ids, ascending.
    pub(super) ids: Vec<Given>,
}

impl Sayings {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        Self { sayings: Sorter::new(IN_MEMORY), named: Sorter::new(IN_MEMORY), size: algorithm.entry_size() }
    }

    /// Remembers what was given under an id in an earlier import.
    pub(super) fn know(&mut self, given: &Given) -> io::Result<()> {
        let saying = Saying { hash: filled(&given.hash), time: 0, word: given.standing.word() };
        self.named.push(Named { id: given.id, saying })
    }

    pub(super) fn say(&mut self, record: &Record) -> io::Result<()> {
        // What is withdrawn without a date is withdrawn for good.
        let undated = if record.action == Action::Remove { u64::MAX } else { 0 };
        let saying = Saying {
            hash: record.hash.as_deref().map_or([0; MAX_HASH], filled),
            time: record.time.unwrap_or(undated),
            word: record.action.into(),
        };
        self.name(record, saying)?;
        match record.hash {
            Some(_) => self.sayings.push(saying),
            None => Ok(()),
        }
    }

    /// Takes up a record that was not selected: it adds nothing, but what is withdrawn by its id is its hash.
    pub(super) fn pass_over(&mut self, record: &Record, unselected: Unselected) -> io::Result<()> {
        let Some(hash) = record.hash.as_deref().map(filled) else { return Ok(()) };
        let saying = Saying { hash, time: record.time.unwrap_or(0), word: Word::PassOver };
        self.name(record, saying)?;
        match unselected {
            Unselected::Remember => self.sayings.push(saying),
            Unselected::Forget => Ok(()),
        }
    }

    fn name(&mut self, record: &Record, saying: Saying) -> io::Result<()> {
        let Some(id) = &record.id else { return Ok(()) };
        self.named.push(Named { id: identity(id), saying: Saying { time: saying.time.saturating_add(1), ..saying } })
    }

    pub(super) fn finish(mut self) -> Result<Outcome, OutcomeError> {
        let (unknown_ids, ids) = self.resolve_ids()?;
        let (mut added, mut removed, mut passed_over) = (Vec::new(), Vec::new(), Vec::new());
        let mut duplicates = 0;
        let mut sorted = self.sayings.finish()?;
        let mut next = sorted.next()?;
        while let Some(first) = next {
            let mut judged = Judged::default();
            while let Some(saying) = next.filter(|saying| saying.hash == first.hash) {
                judged.hear(saying.word);
                next = sorted.next()?;
            }
            duplicates += judged.additions.saturating_sub(1);
            let side = match judged.outcome() {
                Some(Action::Add) => &mut added,
                Some(Action::Remove) => &mut removed,
                Some(Action::PassOver) => &mut passed_over,
                None => continue,
            };
            side.extend_from_slice(&first.hash[..self.size]);
        }
        let list = |bytes| Entries::from_sorted(self.size, bytes);
        let (added, removed, passed_over) = (list(added)?, list(removed)?, list(passed_over)?);
        Ok(Outcome { added, removed, passed_over, duplicates, unknown_ids, ids })
    }

    /// Says of every hash that was given under an id, and does not stand there any more, that it is withdrawn.
    fn resolve_ids(&mut self) -> io::Result<(u64, Vec<Given>)> {
        let mut sorted = std::mem::replace(&mut self.named, Sorter::new(1)).finish()?;
        let (mut unknown, mut ids, mut withdrawn) = (0, Vec::new(), BTreeSet::new());
        let mut next = sorted.next()?;
        while let Some(first) = next {
            let mut own = Vec::new();
            while let Some(named) = next.filter(|named| named.id == first.id) {
                own.push(named.saying);
                next = sorted.next()?;
            }
            let record = NamedRecord::of(&own);
            unknown += u64::from(record.names_nothing(&own));
            for hash in &record.withdrawn {
                withdrawn.insert(*hash);
                self.sayings.push(Saying { hash: *hash, time: record.time, word: Word::Withdrawn })?;
            }
            let size = self.size;
            ids.extend(given(&own).map(|hash| {
                let (id, standing) = (first.id, record.standing(&hash));
                Given { id, hash: hash[..size].to_vec(), standing }
            }));
        }
        for given in ids.iter().filter(|given| given.standing == Standing::Stands) {
            let hash = filled(&given.hash);
            if withdrawn.contains(&hash) {
                self.sayings.push(Saying { hash, time: 0, word: Word::Stands })?;
            }
        }
        Ok((unknown, ids))
    }
}

/// What is heard of one hash, in the order of times.
#[derive(Default)]
struct Judged {
    additions: u64,
    last: Option<Action>,
    is_withdrawn: bool,
    is_passed_over: bool,
    stands: bool,
}

impl Judged {
    fn hear(&mut self, word: Word) {
        match word {
            Word::Add => {
                (self.last, self.is_withdrawn, self.additions) = (Some(Action::Add), false, self.additions + 1)
            }
            Word::Remove => (self.last, self.is_withdrawn) = (Some(Action::Remove), false),
            Word::Withdrawn => self.is_withdrawn = true,
            Word::PassOver => self.is_passed_over = true,
            Word::Stands => self.stands = true,
        }
    }

    fn outcome(&self) -> Option<Action> {
        let withdrawn = (self.is_withdrawn && !self.stands).then_some(Action::Remove);
        withdrawn.or(self.last).or(self.is_passed_over.then_some(Action::PassOver))
    }
}

/// What became of the record under an id.
struct NamedRecord {
    /// When it last changed.
    time: u64,
    /// Hashes that it gives now.
    stands: BTreeSet<Filled>,
    /// Those of them that it gives as a record that is selected.
    selected: BTreeSet<Filled>,
    /// Hashes that it gave before.
    withdrawn: BTreeSet<Filled>,
}

impl NamedRecord {
    fn of(own: &[Saying]) -> Self {
        let latest = own.iter().map(|saying| saying.time).max().unwrap_or(0);
        let newest = || own.iter().filter(|saying| saying.time == latest);
        let is_withdrawn = newest().any(|saying| saying.word == Word::Remove);
        // Only what was said last: a record may have been selected before.
        let now = |words: &[Word]| -> BTreeSet<Filled> {
            let gives = newest().filter(|saying| !is_withdrawn && words.contains(&saying.word));
            gives.map(|saying| saying.hash).collect()
        };
        let (stands, selected) = (now(&[Word::Add, Word::PassOver]), now(&[Word::Add]));
        let before = given(own).filter(|hash| !stands.contains(hash));
        let time = if latest == u64::MAX { latest } else { latest.saturating_sub(1) };
        let withdrawn = if latest > 0 { before.collect() } else { BTreeSet::new() };
        Self { time, stands, selected, withdrawn }
    }

    fn standing(&self, hash: &Filled) -> Standing {
        match (self.selected.contains(hash), self.stands.contains(hash)) {
            (true, _) => Standing::Stands,
            (false, true) => Standing::Unselected,
            (false, false) => Standing::Gone,
        }
    }

    /// Whether it is withdrawn by an id under which nothing is known.
    fn names_nothing(&self, own: &[Saying]) -> bool {
        own.iter().all(|saying| saying.word == Word::Remove && saying.hash == [0; MAX_HASH])
    }
}

/// All hashes that were named under an id at any time, also by its removal, or by a record that was not selected.
fn given(own: &[Saying]) -> impl Iterator<Item = Filled> + use<> {
    let given = own.iter().filter(|saying| saying.word != Word::Remove || saying.hash != [0; MAX_HASH]);
    given.map(|saying| saying.hash).collect::<BTreeSet<Filled>>().into_iter()
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
    use isonomy_core::encoding::to_hex;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

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
        let time = |one: &Record| one.time.unwrap_or(if one.action == Action::Remove { u64::MAX } else { 0 });
        let mut last: BTreeMap<u8, (u64, Action)> = BTreeMap::new();
        let mut say = |hash: u8, time: u64, action| {
            let saying = last.entry(hash).or_insert((time, action));
            *saying = (*saying).max((time, action));
        };
        let (mut standing, mut withdrawn) = (BTreeSet::new(), Vec::new());
        for id in records.iter().filter_map(|one| one.id.as_ref()).collect::<BTreeSet<_>>() {
            let own = || records.iter().filter(|one| one.id.as_ref() == Some(id));
            let latest = own().map(time).max().unwrap();
            let newest = || own().filter(|one| time(one) == latest);
            let is_removed = newest().any(|one| one.action == Action::Remove);
            let now: BTreeSet<u8> = newest().filter_map(|one| one.hash.as_ref()).map(|hash| hash[0]).collect();
            let stands = if is_removed { BTreeSet::new() } else { now };
            let given = own().filter_map(|one| one.hash.as_ref()).map(|hash| hash[0]);
            withdrawn.extend(given.filter(|hash| !stands.contains(hash)).map(|hash| (hash, latest)));
            standing.extend(stands);
        }
        records
            .iter()
            .filter_map(|one| Some((one.hash.as_ref()?[0], one)))
            .for_each(|(hash, one)| say(hash, time(one), one.action));
        withdrawn
            .into_iter()
            .filter(|(hash, _)| !standing.contains(hash))
            .for_each(|(hash, time)| say(hash, time, Action::Remove));
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

    /// A feed: records, and whether each is selected.
    fn feed() -> impl Strategy<Value = Vec<(Record, bool)>> {
        let time = prop_oneof![Just(None), (0u64..4).prop_map(Some)];
        let id = proptest::option::weighted(0.8, 0u8..3);
        let one = (0u8..5, 1u8..6, time, id, any::<bool>()).prop_map(|(kind, hash, time, id, selected)| match kind {
            0 if id.is_some() => (record(Action::Remove, None, time, id), true),
            1 => (record(Action::Remove, Some(hash), time, id), true),
            _ => (record(Action::Add, Some(hash), time, id), selected),
        });
        proptest::collection::vec(one, 0..12)
    }

    fn import(known: &[Given], feed: &[(Record, bool)]) -> Outcome {
        let mut sayings = Sayings { sayings: Sorter::new(3), named: Sorter::new(3), size: 16 };
        known.iter().for_each(|given| sayings.know(given).unwrap());
        for (record, selected) in feed {
            match selected {
                true => sayings.say(record).unwrap(),
                false => sayings.pass_over(record, Unselected::Remember).unwrap(),
            }
        }
        sayings.finish().unwrap()
    }

    proptest! {
        /// Whichever of the list and the ids was written when an import ended early, a repeat gives the same list and the same ids.
        #[test]
        fn a_repeat_with_what_was_remembered_gives_the_same(
            earlier in feed(),
            feed in feed(),
            listed in proptest::collection::btree_set(1u8..6, 0..5),
        ) {
            let known = import(&[], &earlier).ids;
            let once = import(&known, &feed);
            let again = import(&once.ids, &feed);
            prop_assert_eq!(&again.ids, &once.ids);
            let apply = |list: &BTreeSet<u8>, outcome: &Outcome| -> BTreeSet<u8> {
                let mut list = list.clone();
                list.extend(firsts(&outcome.added));
                firsts(&outcome.removed).iter().for_each(|hash| {
                    list.remove(hash);
                });
                list
            };
            let list = apply(&listed, &once);
            prop_assert_eq!(apply(&listed, &again), list.clone(), "the ids alone were written");
            prop_assert_eq!(apply(&list, &once), list.clone(), "the list alone was written");
            prop_assert_eq!(apply(&list, &again), list, "both were written");
            prop_assert_eq!(firsts(&again.passed_over), firsts(&once.passed_over));
            for given in &once.ids {
                prop_assert_eq!(Given::parse(&format!("{} {}{}", to_hex(&given.id), to_hex(&given.hash), given.standing.mark())), Some(given.clone()));
            }
        }
    }

    #[test]
    fn a_record_that_is_not_selected_any_more_holds_no_hash_on_the_list() {
        let give = |time, id, selected| (record(Action::Add, Some(7), Some(time), Some(id)), selected);
        let first = import(&[], &[give(1, 1, true)]).ids;
        let second = import(&first, &[give(2, 1, false), give(3, 2, true)]);
        assert_eq!(second.ids.iter().filter(|given| given.standing == Standing::Unselected).count(), 1);
        let gone = (record(Action::Remove, None, Some(4), Some(2)), true);
        for ids in [second.ids, import(&first, &[give(2, 1, false)]).ids] {
            let both = import(&ids, &[give(3, 2, true), gone.clone()]);
            assert_eq!((firsts(&both.added), firsts(&both.removed)), (vec![], vec![7]));
        }
    }

    #[test]
    fn a_withdrawal_by_id_finds_what_was_not_selected() {
        let mut sayings = Sayings::new(Algorithm::Md5);
        sayings.say(&record(Action::Add, Some(7), Some(1), None)).unwrap();
        for unselected in [Unselected::Forget, Unselected::Remember] {
            sayings.pass_over(&record(Action::Add, Some(7), Some(1), Some(2)), unselected).unwrap();
        }
        sayings.say(&record(Action::Remove, None, Some(2), Some(2))).unwrap();
        let outcome = sayings.finish().unwrap();
        assert_eq!((firsts(&outcome.added), firsts(&outcome.removed), outcome.unknown_ids), (vec![], vec![7], 0));
        assert_eq!(outcome.ids.iter().map(|given| given.standing).collect::<Vec<_>>(), [Standing::Gone]);
    }

    #[test]
    fn a_hash_stays_as_long_as_a_record_gives_it() {
        let add = |hash, time, id| record(Action::Add, Some(hash), time, Some(id));
        let gone = |time, id| record(Action::Remove, None, time, Some(id));
        let import = |known: &[Given], records: &[Record]| {
            let mut sayings = Sayings::new(Algorithm::Md5);
            known.iter().for_each(|given| sayings.know(given).unwrap());
            records.iter().for_each(|record| sayings.say(record).unwrap());
            let outcome = sayings.finish().unwrap();
            (firsts(&outcome.added), firsts(&outcome.removed), outcome.ids, outcome.unknown_ids)
        };
        // Two members give 7; one of them gives 8 under another id.
        let (added, _, first, _) = import(&[], &[add(7, Some(1), 1), add(7, Some(1), 2), add(8, Some(1), 3)]);
        assert_eq!((added, first.len()), (vec![7, 8], 3));
        // One takes its record back: the other still stands by it.
        let (added, removed, second, _) = import(&first, &[gone(Some(5), 1)]);
        assert_eq!((added, removed), (vec![], vec![]));
        // So does the other, and the first one repeats itself.
        let (added, removed, third, unknown) = import(&second, &[gone(Some(6), 2), gone(Some(5), 1)]);
        assert_eq!((added, removed, unknown), (vec![], vec![7], 0));
        assert_eq!(third.iter().filter(|given| given.standing == Standing::Stands).count(), 1);
        // A record comes with another hash, dated or not: what it gave before goes, and comes back with it.
        for time in [None, Some(9)] {
            let (added, removed, changed, _) = import(&third, &[add(9, time, 3)]);
            assert_eq!((added, removed), (vec![9], vec![8]), "{time:?}");
            let (added, removed, ..) = import(&changed, &[add(8, time, 3)]);
            assert_eq!((added, removed), (vec![8], vec![9]));
        }
        // A record that was not selected doesn't hold its hash on the list; that it is withdrawn later is nothing unknown.
        let mut sayings = Sayings::new(Algorithm::Md5);
        sayings.pass_over(&add(7, Some(1), 9), Unselected::Forget).unwrap();
        let passed = sayings.finish().unwrap().ids;
        assert_eq!(passed[0].standing, Standing::Unselected);
        let (_, removed, _, unknown) = import(&[&first[..], &passed].concat(), &[gone(Some(5), 9)]);
        assert_eq!((removed, unknown), (vec![], 0), "others stand by it");
        // What is not mentioned is not touched, nor is what was withdrawn long ago.
        let plain = record(Action::Add, Some(7), None, None);
        assert_eq!(import(&third, &[plain]).0, [7]);
        let both = import(&[], &[add(7, Some(1), 1), add(7, Some(3), 2), gone(Some(5), 1)]);
        assert_eq!((both.0, both.1), (vec![7], vec![]));
        for line in
            ["", "00", "00 00", &format!("{} 07 GONE", "00".repeat(16)), &format!("{} 07 gone 1", "00".repeat(16))]
        {
            assert_eq!(Given::parse(line), None, "{line}");
        }
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
