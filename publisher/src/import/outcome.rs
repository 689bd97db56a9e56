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

#[cfg(test)]
mod tests;

use super::ids::{Given, Id, Standing, identity};
use super::options::Unselected;
use super::record::{Action, Record};
use super::sorting::{Item, Sorter};
use isonomy_core::list::{Algorithm, Entries, ListError};
use std::collections::BTreeSet;
use std::io;

/// How many records are sorted in memory, about 16 MB: half of a list of a million.
const IN_MEMORY: usize = 1 << 18;
/// The largest entry of an algorithm.
const MAX_HASH: usize = 48;

/// The entry of any algorithm, shorter ones filled up with zeros.
type Filled = [u8; MAX_HASH];

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
    /// It is in a record that was refused.
    Refused,
}

impl From<Standing> for Word {
    /// What an earlier import is remembered to have heard.
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Stands => Self::Add,
            Standing::Unselected => Self::PassOver,
            Standing::Gone => Self::Withdrawn,
        }
    }
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
        let words = [Word::Add, Word::Remove, Word::Withdrawn, Word::PassOver, Word::Stands, Word::Refused];
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
    /// Hashes of records that were refused, of which nothing else is said.
    pub(super) refused: Entries,
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
        let saying = Saying { hash: filled(&given.hash), time: 0, word: given.standing.into() };
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

    /// Takes up what a record holds that was refused, of which it is not known what it says.
    pub(super) fn refuse(&mut self, hashes: &[Vec<u8>], unselected: Unselected) -> io::Result<()> {
        let remembered = hashes.iter().filter(|_| unselected == Unselected::Remember);
        for hash in remembered {
            self.sayings.push(Saying { hash: filled(hash), time: 0, word: Word::Refused })?;
        }
        Ok(())
    }

    fn name(&mut self, record: &Record, saying: Saying) -> io::Result<()> {
        let Some(id) = &record.id else { return Ok(()) };
        self.named.push(Named { id: identity(id), saying: Saying { time: saying.time.saturating_add(1), ..saying } })
    }

    pub(super) fn finish(mut self) -> Result<Outcome, OutcomeError> {
        let (unknown_ids, ids) = self.resolve_ids()?;
        let (mut added, mut removed, mut passed_over, mut refused) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
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
                None if judged.is_refused => &mut refused,
                None => continue,
            };
            side.extend_from_slice(&first.hash[..self.size]);
        }
        let list = |bytes| Entries::from_sorted(self.size, bytes);
        let (added, removed) = (list(added)?, list(removed)?);
        let (passed_over, refused) = (list(passed_over)?, list(refused)?);
        Ok(Outcome { added, removed, passed_over, refused, duplicates, unknown_ids, ids })
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
    is_refused: bool,
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
            Word::Refused => self.is_refused = true,
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
