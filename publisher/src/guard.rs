//! Guard rails: what a maintainer should have seen before anything is signed.
//!
//! | rail | what sets it off | what follows |
//! |---|---|---|
//! | [`Rail::Canary`] | an entry within the charter's distance of the hash of a well-known harmless picture or file | the release stops |
//! | [`Rail::Limits`] | more entries or additions than the charter allows | the release stops: the log would refuse it |
//! | [`Rail::Growth`] | a release that adds more than a fifth of the list before it | the release stops, unless that is accepted |
//! | [`Rail::Shrinkage`] | a release that removes more than a fifth of the list before it: a file that was cut off, say | the release stops, unless that is accepted |
//! | [`Rail::Irregular`] | PDQ hashes with other than 128 bits set (rule 8) | the release stops, unless that is accepted; the release counts them in public |
//! | [`Rail::Near`] | new entries that differ from another one in few bits: repetitions, or a flood | a warning |
//!
//! The **canaries** are the photographs of this project, the empty file, and whatever a maintainer keeps in a folder of its
//! own: pictures that no list may ever match, because everybody has them or because they are somebody's target.

mod canaries;

pub use canaries::{Canaries, CanariesError};

use crate::difference::share;
use isonomy_core::charter::Charter;
use isonomy_core::encoding::to_hex;
use isonomy_core::list::{Algorithm, Entries, EntryVerdict, ListError, delta};
use isonomy_matcher::lookup::{Index, LookupError};
use serde::Serialize;

/// The most entries that an alarm names.
const SHOWN: usize = 20;
/// A release changes too much at once if it adds or removes more than one for so many entries before it.
const SUDDEN: u64 = 5;
/// Lists smaller than this may grow as they like.
const SMALL: u64 = 1_000;
/// Entries that differ in at most so many bits are too near to each other.
const NEAR: u32 = 8;
/// The most new entries that are compared with all others.
const COMPARED: usize = 2_000;

/// Why the rails can't be checked.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The entries can't be compared.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The entries can't be in the list.
    #[error(transparent)]
    List(#[from] ListError),
}

/// A guard rail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rail {
    /// A harmless picture or file would match.
    Canary,
    /// The charter's limits.
    Limits,
    /// Sudden growth.
    Growth,
    /// Sudden loss.
    Shrinkage,
    /// Irregular entries.
    Irregular,
    /// Entries too near to each other.
    Near,
}

/// What follows if a rail is set off.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It should be known.
    Warns,
    /// Nothing is composed.
    Stops,
}

/// A rail that was set off.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Alarm {
    /// Which one.
    pub rail: Rail,
    /// What follows.
    pub severity: Severity,
    /// What was seen.
    pub words: String,
    /// The first of the entries concerned, in hexadecimal.
    pub entries: Vec<String>,
}

/// Checks what would replace `before`: the content `after`, under `charter`.
pub fn inspect(
    before: &Entries,
    after: &Entries,
    charter: &Charter,
    canaries: &Canaries,
) -> Result<Vec<Alarm>, GuardError> {
    let algorithm = charter.matching.algorithm;
    let difference = delta::diff(before, after)?;
    let (added, removed) = (difference.added().clone(), difference.removed().len() as u64);
    let index = Index::new(algorithm, after)?;
    let mut alarms = canary(&index, after, charter, canaries)?;
    alarms.extend(limits(after, &added, charter));
    alarms.extend(growth(before, &added));
    alarms.extend(shrinkage(before, removed));
    alarms.extend(irregular(after, algorithm));
    alarms.extend(near(&index, after, &added)?);
    Ok(alarms)
}

fn canary(
    index: &Index<&Entries>,
    after: &Entries,
    charter: &Charter,
    canaries: &Canaries,
) -> Result<Vec<Alarm>, GuardError> {
    let distance = u32::try_from(charter.matching.max_distance).unwrap_or(u32::MAX);
    let mut alarms = Vec::new();
    for (name, hash) in canaries.of(charter.matching.algorithm) {
        let found = index.within(hash, distance)?;
        if let Some(nearest) = found.iter().map(|found| found.distance).min() {
            let entries = found.iter().take(SHOWN).filter_map(|found| after.get(found.index)).map(to_hex).collect();
            let words = format!("{name}, which is harmless, would match, at distance {nearest} of {distance}");
            alarms.push(Alarm { rail: Rail::Canary, severity: Severity::Stops, words, entries });
        }
    }
    Ok(alarms)
}

fn limits(after: &Entries, added: &Entries, charter: &Charter) -> Vec<Alarm> {
    let over = |what: &str, found: usize, limit: u64| {
        let words = format!("{found} {what}, where the charter allows {limit}");
        let alarm = Alarm { rail: Rail::Limits, severity: Severity::Stops, words, entries: Vec::new() };
        (found as u64 > limit).then_some(alarm)
    };
    let limits = &charter.limits;
    let entries = over("entries", after.len(), limits.max_entries);
    entries.into_iter().chain(over("entries are added", added.len(), limits.max_added)).collect()
}

fn growth(before: &Entries, added: &Entries) -> Option<Alarm> {
    let (before, added) = (before.len() as u64, added.len() as u64);
    let words = || format!("{added} entries come to {before}: {} at once", share(added, before));
    let is_sudden = before >= SMALL && added > before / SUDDEN;
    is_sudden.then(|| Alarm { rail: Rail::Growth, severity: Severity::Stops, words: words(), entries: Vec::new() })
}

fn shrinkage(before: &Entries, removed: u64) -> Option<Alarm> {
    let before = before.len() as u64;
    let words = || format!("{removed} entries go of {before}: {} at once", share(removed, before));
    let is_sudden = before >= SMALL && removed > before / SUDDEN || removed > 0 && removed == before;
    is_sudden.then(|| Alarm { rail: Rail::Shrinkage, severity: Severity::Stops, words: words(), entries: Vec::new() })
}

fn irregular(after: &Entries, algorithm: Algorithm) -> Option<Alarm> {
    let is_irregular = |entry: &&[u8]| matches!(algorithm.check_entry(entry), EntryVerdict::Irregular(_));
    let count = after.iter().filter(is_irregular).count();
    let words =
        || format!("{count} PDQ hashes don't have 128 bits set: flat or made-up pictures, which match what is unlike");
    let entries = || after.iter().filter(is_irregular).take(SHOWN).map(to_hex).collect();
    (count > 0).then(|| Alarm { rail: Rail::Irregular, severity: Severity::Stops, words: words(), entries: entries() })
}

/// New entries near to others; of very many new ones, an even selection is compared.
fn near(index: &Index<&Entries>, after: &Entries, added: &Entries) -> Result<Option<Alarm>, GuardError> {
    if !index.algorithm().is_perceptual() {
        return Ok(None);
    }
    let step = added.len().div_ceil(COMPARED).max(1);
    let (mut compared, mut pairs, mut entries) = (0, 0, Vec::new());
    for entry in added.iter().step_by(step) {
        compared += 1;
        let others = index.within(index.algorithm().hash_of(entry), NEAR)?;
        let nearest = others.iter().filter(|found| after.get(found.index) != Some(entry)).min();
        if let Some(nearest) = nearest {
            pairs += 1;
            let other = after.get(nearest.index).unwrap_or_default();
            entries.push(format!("{} is {} bits from {}", to_hex(entry), nearest.distance, to_hex(other)));
        }
    }
    entries.truncate(SHOWN);
    let words =
        format!("{pairs} of {compared} new entries that were compared differ from another one in at most {NEAR} bits");
    Ok((pairs > 0).then_some(Alarm { rail: Rail::Near, severity: Severity::Warns, words, entries }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{charter, entries};

    fn rails(before: &Entries, after: &Entries, charter: &Charter) -> Vec<(Rail, Severity)> {
        let alarms = inspect(before, after, charter, &Canaries::built_in()).unwrap();
        alarms.iter().map(|alarm| (alarm.rail, alarm.severity)).collect()
    }

    fn roomy() -> Charter {
        let mut charter = charter();
        (charter.limits.max_entries, charter.limits.max_added) = (10_000, 10_000);
        charter
    }

    fn with(list: &Entries, entry: &[u8]) -> Entries {
        Entries::from_unsorted(32, [list.as_bytes(), entry].concat()).unwrap().0
    }

    #[test]
    fn an_ordinary_change_sets_off_nothing() {
        assert_eq!(rails(&entries(1, 2_000), &entries(1, 2_100), &roomy()), []);
        assert_eq!(rails(&entries(1, 0), &entries(1, 900), &roomy()), []);
    }

    #[test]
    fn a_canary_stops_the_release_and_names_the_entry() {
        let list = entries(1, 50);
        let (name, hash) =
            Canaries::built_in().of(Algorithm::PdqFull).next().map(|(n, h)| (n.to_owned(), h.to_vec())).unwrap();
        let mut near = hash.clone();
        near[0] ^= 0b11;
        near[7] ^= 0b1;
        for entry in [hash, near] {
            let alarms = inspect(&list, &with(&list, &entry), &charter(), &Canaries::built_in()).unwrap();
            let alarm = alarms.iter().find(|alarm| alarm.rail == Rail::Canary).expect("an alarm");
            assert_eq!((alarm.severity, &alarm.entries), (Severity::Stops, &vec![to_hex(&entry)]));
            assert!(alarm.words.contains(&name), "{}", alarm.words);
            let none = inspect(&list, &with(&list, &entry), &charter(), &Canaries::none()).unwrap();
            assert!(none.iter().all(|alarm| alarm.rail != Rail::Canary));
        }
    }

    #[test]
    fn limits_growth_irregular_and_near_entries_are_seen() {
        let mut small = charter();
        (small.limits.max_entries, small.limits.max_added) = (1_100, 50);
        let (before, after) = (entries(1, 1_000), entries(1, 1_300));
        let stops = [(Rail::Limits, Severity::Stops), (Rail::Limits, Severity::Stops), (Rail::Growth, Severity::Stops)];
        assert_eq!(rails(&before, &after, &small), stops);
        for (left, alarms) in
            [(900, &[][..]), (700, &[(Rail::Shrinkage, Severity::Stops)]), (0, &[(Rail::Shrinkage, Severity::Stops)])]
        {
            assert_eq!(rails(&before, &entries(1, left), &roomy()), alarms, "{left} of 1,000 are left");
        }
        assert_eq!(rails(&entries(1, 12), &entries(1, 0), &roomy()), [(Rail::Shrinkage, Severity::Stops)]);
        let flat = with(&before, &[0x01; 32]);
        assert_eq!(rails(&before, &flat, &roomy()), [(Rail::Irregular, Severity::Stops)]);
        let mut near = before.get(7).unwrap().to_vec();
        let (one, zero) =
            (near.iter().position(|byte| byte & 1 == 1).unwrap(), near.iter().position(|byte| byte & 1 == 0).unwrap());
        near[one] ^= 1;
        near[zero] ^= 1;
        assert_eq!(rails(&before, &with(&before, &near), &roomy()), [(Rail::Near, Severity::Warns)]);
    }
}
