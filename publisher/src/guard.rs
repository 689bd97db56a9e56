//! Guard rails: what a maintainer should have seen before anything is signed.
//!
//! | rail | what sets it off | what follows |
//! |---|---|---|
//! | [`Rail::Canary`] | an entry within the charter's distance of the hash of a well-known harmless picture or file | the release stops |
//! | [`Rail::Limits`] | more entries or additions than the charter allows | the release stops: the log would refuse it |
//! | [`Rail::Growth`] | a release that adds more than a fifth of the list before it | the release stops, unless that is accepted |
//! | [`Rail::Shrinkage`] | a release that removes more than a fifth of the list before it: a file that was cut off, say | the release stops, unless that is accepted |
//! | [`Rail::Returns`] | entries come that the list once had and lost ([`Past`]), or such as match the same pictures: an old feed was imported, perhaps | the release stops, unless that is accepted |
//! | [`Rail::Memory`] | what left the list in its first versions is not known in this folder, so that it could come back unnoticed | a warning |
//! | [`Rail::Irregular`] | PDQ hashes with other than 128 bits set (rule 8) | the release stops, unless that is accepted; the release counts them in public |
//! | [`Rail::Near`] | new entries that differ from another one in few bits: repetitions, or a flood | a warning |
//! | [`Rail::Crowded`] | a quarter of the entries or more ([`CROWDED`]) stand in crowded buckets of an index: the list holds so many variants of few pictures that looking up a picture near to them takes as long as comparing it with every entry | a warning |
//!
//! The **canaries** are the photographs of this project, the empty file, and whatever a maintainer or curator brings along:
//! pictures that no list may ever match, because everybody has them or because they are somebody's target.
//!
//! A change that only removes can't make a list match more, and a wrongly listed person waits for it. What was wrong with
//! the list before and still is (canaries, irregular entries) is then a warning. A limit is none: the log refuses whatever
//! exceeds it.
//!
//! Maintainer and curators are stopped alike, each before their own signature.

mod canaries;
mod near;

pub use canaries::{Canaries, CanariesError};

use crate::difference::{Difference, share};
use crate::nearest::nearest;
use crate::workspace::{Again, ContentError, Past};
use isonomy_core::charter::Charter;
use isonomy_core::encoding::to_hex;
use isonomy_core::list::{Algorithm, Entries, EntryVerdict, ListError};
use isonomy_matcher::lookup::{CROWDED, LookupError, crowding};
use near::NEAR;
use serde::Serialize;

/// The most entries that an alarm names.
const SHOWN: usize = 20;
/// A release changes too much at once if it adds or removes more than one for so many entries before it.
const SUDDEN: u64 = 5;
/// Lists smaller than this may grow as they like.
const SMALL: u64 = 1_000;
/// Why the rails can't be checked.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// The entries can't be compared.
    #[error(transparent)]
    Lookup(#[from] LookupError),
    /// The entries can't be in the list.
    #[error(transparent)]
    List(#[from] ListError),
    /// What the list once had can't be read.
    #[error(transparent)]
    Past(#[from] ContentError),
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
    /// Entries that were taken off the list come back.
    Returns,
    /// What left the list at first is not known.
    Memory,
    /// Irregular entries.
    Irregular,
    /// Entries too near to each other.
    Near,
    /// So many entries near to each other that lookups take long.
    Crowded,
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
    /// The first of the entries concerned, in hexadecimal; where files are concerned, their names.
    pub entries: Vec<String>,
}

/// What a new list is held against.
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// The list's charter.
    pub charter: &'a Charter,
    /// What it may never match.
    pub canaries: &'a Canaries,
    /// What it once had.
    pub past: &'a Past,
}

/// Checks a new list, `after`, that changes so much. Beside the list this takes some megabytes, and a bit more than 8 bytes for
/// each new entry, up to a million of them.
pub fn inspect(change: &Difference, after: &Entries, against: Against<'_>) -> Result<Vec<Alarm>, GuardError> {
    let Against { charter, canaries, past } = against;
    let algorithm = charter.matching.algorithm;
    let (before, added, removed) = (change.before(), change.added(), change.removed().len() as u64);
    let mut standing = canary(after, charter, canaries)?;
    standing.extend(irregular(after, algorithm));
    if added.is_empty() && removed > 0 {
        standing.iter_mut().for_each(|alarm| alarm.severity = Severity::Warns);
    }
    let sudden = growth(before, added).into_iter().chain(shrinkage(before, removed)).chain(returns(&past.near(
        algorithm,
        added,
        distance_of(charter),
    )?));
    let close = near(algorithm, after, added)?.into_iter().chain(crowded(crowding(algorithm, after)));
    let limits = limits(after, added, charter);
    Ok(standing.into_iter().chain(limits).chain(sudden).chain(memory(past)).chain(close).collect())
}

/// An alarm for each canary that would match; of very many, the first ones and how many more.
fn canary(after: &Entries, charter: &Charter, canaries: &Canaries) -> Result<Vec<Alarm>, GuardError> {
    let algorithm = charter.matching.algorithm;
    let distance = distance_of(charter);
    let all: Vec<(&str, &[u8])> = canaries.of(algorithm).collect();
    let hashes: Vec<u8> = all.iter().flat_map(|(_, hash)| hash.iter().copied()).collect();
    let hashes = Entries::from_unsorted(algorithm.hash_size(), hashes)?.0;
    let found = nearest(algorithm, after, &hashes, distance, SHOWN)?;
    let stop = |words, entries| Alarm { rail: Rail::Canary, severity: Severity::Stops, words, entries };
    let (mut alarms, mut hidden) = (Vec::from_iter(unguarded(canaries)), 0);
    for (name, hash) in all {
        let near = hashes.binary_search(hash).map_or(&[][..], |at| found[at].all());
        let Some(closest) = near.first() else { continue };
        if alarms.len() == SHOWN {
            hidden += 1;
            continue;
        }
        let entries = near.iter().filter_map(|near| after.get(near.index)).map(to_hex).collect();
        let words = format!("{name}, which is harmless, would match, at distance {} of {distance}", closest.distance);
        alarms.push(stop(words, entries));
    }
    if hidden > 0 {
        alarms.push(stop(format!("{hidden} more harmless pictures or files would match"), Vec::new()));
    }
    Ok(alarms)
}

/// What was brought along and guards nothing.
fn unguarded(canaries: &Canaries) -> Option<Alarm> {
    let files = canaries.unguarded();
    let words =
        || format!("{} files among the canaries are no pictures, so they guard nothing in this list", files.len());
    let entries = || files.iter().take(SHOWN).cloned().collect();
    let alarm = || Alarm { rail: Rail::Canary, severity: Severity::Warns, words: words(), entries: entries() };
    (!files.is_empty()).then(alarm)
}

fn crowded(crowding: f64) -> Option<Alarm> {
    let words = || {
        format!(
            "{:.0} % of the entries stand in crowded buckets, where less than 2 % are usual: the list holds very many variants \
             of few pictures. Looking up a picture near to them takes as long as comparing it with every entry",
            crowding * 100.0
        )
    };
    let alarm = || Alarm { rail: Rail::Crowded, severity: Severity::Warns, words: words(), entries: Vec::new() };
    (crowding >= CROWDED).then(alarm)
}

fn limits(after: &Entries, added: &Entries, charter: &Charter) -> Vec<Alarm> {
    let over = |what: &str, found: usize, limit: u64| {
        let words = format!("{found} {what}, where the charter allows {limit}: the log would refuse it");
        let alarm = Alarm { rail: Rail::Limits, severity: Severity::Stops, words, entries: Vec::new() };
        (found as u64 > limit).then_some(alarm)
    };
    let limits = &charter.limits;
    let entries = over("entries", after.len(), limits.max_entries);
    entries.into_iter().chain(over("entries are added", added.len(), limits.max_added)).collect()
}

fn growth(before: u64, added: &Entries) -> Option<Alarm> {
    let added = added.len() as u64;
    let words = || format!("{added} entries come to {before}: {} at once", share(added, before));
    let is_sudden = before >= SMALL && added > before / SUDDEN;
    is_sudden.then(|| Alarm { rail: Rail::Growth, severity: Severity::Stops, words: words(), entries: Vec::new() })
}

fn shrinkage(before: u64, removed: u64) -> Option<Alarm> {
    let words = || format!("{removed} entries go of {before}: {} at once", share(removed, before));
    let is_sudden = before >= SMALL && removed > before / SUDDEN || removed > 0 && removed == before;
    is_sudden.then(|| Alarm { rail: Rail::Shrinkage, severity: Severity::Stops, words: words(), entries: Vec::new() })
}

fn returns(again: &[Again]) -> Option<Alarm> {
    let near = again.iter().filter(|one| one.distance > 0).count();
    let like = if near == 0 {
        String::new()
    } else {
        format!(", or are so near to such that the same pictures match ({near})")
    };
    let words = || {
        format!(
            "{} of the entries that come were on the list before, and were taken off it{like}: is an old file imported, or a mended \
             error made again?",
            again.len()
        )
    };
    let entry = |one: &Again| match one.distance {
        0 => to_hex(&one.entry),
        distance => format!("{} is {distance} bits from {}", to_hex(&one.entry), to_hex(&one.lost)),
    };
    let entries = || again.iter().take(SHOWN).map(entry).collect();
    let alarm = || Alarm { rail: Rail::Returns, severity: Severity::Stops, words: words(), entries: entries() };
    (!again.is_empty()).then(alarm)
}

fn distance_of(charter: &Charter) -> u32 {
    u32::try_from(charter.matching.max_distance).unwrap_or(u32::MAX)
}

fn memory(past: &Past) -> Option<Alarm> {
    let since = past.since().filter(|since| *since > 1)?;
    let words = format!(
        "this folder knows the list without a gap since version {since} alone: what left it before that may come back unnoticed. \
         `isonomy list recall` learns it from the log, as far as that still has it"
    );
    Some(Alarm { rail: Rail::Memory, severity: Severity::Warns, words, entries: Vec::new() })
}

fn irregular(after: &Entries, algorithm: Algorithm) -> Option<Alarm> {
    let is_irregular = |entry: &&[u8]| matches!(algorithm.check_entry(entry), EntryVerdict::Irregular(_));
    let count = after.iter().filter(is_irregular).count();
    let words =
        || format!("{count} PDQ hashes don't have 128 bits set: flat or made-up pictures, which match what is unlike");
    let entries = || after.iter().filter(is_irregular).take(SHOWN).map(to_hex).collect();
    (count > 0).then(|| Alarm { rail: Rail::Irregular, severity: Severity::Stops, words: words(), entries: entries() })
}

/// New entries near to others, the first of them with their nearest neighbour.
fn near(algorithm: Algorithm, after: &Entries, added: &Entries) -> Result<Option<Alarm>, GuardError> {
    if !algorithm.is_perceptual() {
        return Ok(None);
    }
    let found = near::find(algorithm, after, added);
    if found.near.is_empty() {
        return Ok(None);
    }
    let words = format!(
        "{} of {} new entries that were compared differ from another one in at most {NEAR} bits",
        found.near.len(),
        found.compared
    );
    let shown = &found.near[..found.near.len().min(SHOWN)];
    let hash = |index: &usize| algorithm.hash_of(after.get(*index).unwrap_or_default());
    let hashes = Entries::from_unsorted(algorithm.hash_size(), shown.iter().flat_map(hash).copied().collect())?.0;
    // Each entry is found itself, and those of its own video may be.
    let neighbours = nearest(algorithm, after, &hashes, NEAR, SHOWN)?;
    let example = |index: &usize| {
        let near = hashes.binary_search(hash(index)).map_or(&[][..], |at| neighbours[at].all());
        let other = near
            .iter()
            .find(|near| near.index != *index && !near::are_of_one_video(algorithm, after, near.index, *index));
        let own = to_hex(after.get(*index).unwrap_or_default());
        other.map_or(own.clone(), |near| {
            format!("{own} is {} bits from {}", near.distance, to_hex(after.get(near.index).unwrap_or_default()))
        })
    };
    let entries = shown.iter().map(example).collect();
    Ok(Some(Alarm { rail: Rail::Near, severity: Severity::Warns, words, entries }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{charter, difference, entries};

    fn held(change: &Difference, after: &Entries, charter: &Charter, canaries: &Canaries) -> Vec<Alarm> {
        inspect(change, after, Against { charter, canaries, past: &Past::default() }).unwrap()
    }

    fn rails(before: &Entries, after: &Entries, charter: &Charter) -> Vec<(Rail, Severity)> {
        let alarms = held(&difference(before, after), after, charter, &Canaries::built_in());
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
            let after = with(&list, &entry);
            let change = difference(&list, &after);
            let alarms = held(&change, &after, &charter(), &Canaries::built_in());
            let alarm = alarms.iter().find(|alarm| alarm.rail == Rail::Canary).expect("an alarm");
            assert_eq!((alarm.severity, &alarm.entries), (Severity::Stops, &vec![to_hex(&entry)]));
            assert!(alarm.words.contains(&name), "{}", alarm.words);
            let none = held(&change, &after, &charter(), &Canaries::none());
            assert!(none.iter().all(|alarm| alarm.rail != Rail::Canary));
        }
    }

    #[test]
    fn a_picture_guards_lists_of_videos_too() {
        let mut videos = charter();
        videos.matching.algorithm = Algorithm::VpdqV1;
        let canaries = Canaries::built_in();
        let picture = canaries.of(Algorithm::PdqFull).next().unwrap().1.to_vec();
        let list = |hash: &[u8]| Entries::from_unsorted(48, [&[7; 16], hash].concat()).unwrap().0;
        let mut far = picture.clone();
        far.iter_mut().for_each(|byte| *byte ^= 0x55);
        for (hash, expected) in [(picture, 1), (far, 0)] {
            let after = list(&hash);
            let change = Difference::from_base(None, &after, Algorithm::VpdqV1).unwrap();
            let alarms = held(&change, &after, &videos, &canaries);
            assert_eq!(alarms.iter().filter(|alarm| alarm.rail == Rail::Canary).count(), expected);
        }
    }

    #[test]
    fn limits_growth_irregular_and_near_entries_are_seen() {
        let mut small = charter();
        (small.limits.max_entries, small.limits.max_added) = (1_100, 50);
        let (before, after) = (entries(1, 1_000), entries(1, 1_300));
        let stops = [Rail::Limits, Rail::Limits, Rail::Growth].map(|rail| (rail, Severity::Stops));
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

    #[test]
    fn a_change_that_only_removes_is_not_stopped_by_what_was_wrong_before() {
        let list = entries(1, 50);
        let hash = Canaries::built_in().of(Algorithm::PdqFull).next().map(|(_, hash)| hash.to_vec()).unwrap();
        let before = with(&with(&list, &hash), &[0x01; 32]);
        let after = Entries::from_sorted(32, before.as_bytes()[..51 * 32].to_vec()).unwrap();
        let found = rails(&before, &after, &charter());
        assert!(found.iter().any(|(rail, _)| *rail == Rail::Canary), "{found:?}");
        assert!(found.iter().all(|(_, severity)| *severity == Severity::Warns), "{found:?}");
        let mut small = charter();
        small.limits.max_entries = 10;
        assert!(rails(&before, &after, &small).contains(&(Rail::Limits, Severity::Stops)), "the log refuses it");
        let unchanged = rails(&after, &after, &charter());
        assert!(unchanged.contains(&(Rail::Canary, Severity::Stops)), "{unchanged:?}");
    }

    #[test]
    fn a_list_of_variants_of_few_pictures_is_crowded() {
        let pictures = entries(1, 4);
        let mut bytes = Vec::new();
        for (number, picture) in pictures.iter().cycle().take(12_000).enumerate() {
            let mut variant = picture.to_vec();
            // Swaps a set bit with a clear one, twice, by the number.
            for (byte, bit) in [(number % 32, number / 32 % 8), (number / 256 % 32, number / 8192)] {
                variant[byte] ^= 1 << bit;
                variant[31 - byte] ^= 1 << bit;
            }
            bytes.extend_from_slice(&variant);
        }
        let crowd = Entries::from_unsorted(32, bytes).unwrap().0;
        assert!(crowd.len() >= 4096, "{crowd:?}");
        let found = crowding(Algorithm::PdqFull, &crowd);
        let alarm = crowded(found).unwrap_or_else(|| panic!("{found}"));
        assert_eq!(alarm.severity, Severity::Warns);
        let usual = entries(1, 12_000);
        assert_eq!(crowded(crowding(Algorithm::PdqFull, &usual)), None);
    }

    #[test]
    fn of_very_many_canaries_the_first_are_shown() {
        let list = entries(1, 50);
        let lines: String = list.iter().map(|entry| to_hex(entry) + "\n").collect();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("harmless.txt");
        std::fs::write(&file, lines).unwrap();
        let mut canaries = Canaries::none();
        assert_eq!(canaries.add(&file, Algorithm::PdqFull).unwrap(), 50);
        let alarms = held(&difference(&list, &list), &list, &charter(), &canaries);
        assert_eq!(alarms.len(), SHOWN + 1);
        assert!(alarms[SHOWN].words.starts_with("30 more"), "{alarms:?}");
        assert!(alarms[0].words.contains("harmless.txt"), "{alarms:?}");
    }
}
