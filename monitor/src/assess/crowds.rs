//! Entries that lie near each other. A picture that is listed in several versions makes a few such entries; a great many
//! around one point, or ones that come together in one release, are a sign of entries that were made up.
//!
//! Entries are taken in ascending order. Each that is in no crowd yet founds one, and takes in every entry within the
//! distance of it that is in none. So each entry is in one crowd, at most one lookup is made for each, and everybody who
//! counts gets the same. Where a crowd is wider than the distance, it is counted as several.

use super::history::Since;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_matcher::lookup::{Index, LookupError};
use serde::Serialize;
use std::collections::BTreeMap;

/// From how many entries on a crowd is remarkable. Fewer are made by the versions of one picture that are in circulation.
pub(super) const REMARKABLE: u64 = 10;
/// How many crowds are in the report.
const NAMED: usize = 10;

/// What is crowded in the newest release.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Crowds {
    /// How near entries of one crowd are to the one that founds it, in bits: the charter's distance.
    pub distance: u64,
    /// From how many entries on a crowd is remarkable.
    pub remarkable_from: u64,
    /// How many crowds of two or more entries there are.
    pub crowds: u64,
    /// How many entries are in them.
    pub entries: u64,
    /// How many entries are in remarkable ones.
    pub in_remarkable: u64,
    /// The largest, the largest first.
    pub largest: Vec<Crowd>,
    /// Of each release's additions that still stand, how many are in remarkable crowds.
    pub additions: Vec<Additions>,
}

/// A crowd.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Crowd {
    /// How many entries it has.
    pub entries: u64,
    /// The place in the list of the entry that founds it, from 0: whoever has the list can look at it.
    pub place: u64,
    /// How it grew: how many of its entries each release added.
    pub growth: Vec<Grown>,
}

/// How many entries of a crowd a release added.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Grown {
    /// The release's version.
    pub version: u64,
    /// How many.
    pub entries: u64,
}

/// What of a release's additions is crowded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Additions {
    /// The release's version.
    pub version: u64,
    /// How many entries that it added still stand.
    pub standing: u64,
    /// How many of those are in remarkable crowds.
    pub in_remarkable: u64,
}

/// Finds the crowds of entries, of which it is known since when each stands; `None` for exact algorithms, whose hashes say
/// nothing by being near.
pub(super) fn find(
    entries: &Entries,
    since: &[Since],
    algorithm: Algorithm,
    distance: u64,
) -> Result<Option<Crowds>, LookupError> {
    if algorithm.max_distance() == 0 {
        return Ok(None);
    }
    let members = members(entries, algorithm, u32::try_from(distance).unwrap_or(u32::MAX))?;
    let mut sizes: BTreeMap<usize, u64> = BTreeMap::new();
    members.iter().for_each(|founder| *sizes.entry(*founder).or_default() += 1);
    sizes.retain(|_, size| *size > 1);
    let is_remarkable = |founder: &usize| sizes.get(founder).is_some_and(|size| *size >= REMARKABLE);
    let mut largest: Vec<(usize, u64)> = sizes.iter().map(|(founder, size)| (*founder, *size)).collect();
    largest.sort_by_key(|(founder, size)| (std::cmp::Reverse(*size), *founder));
    let crowd = |(founder, size): &(usize, u64)| Crowd {
        entries: *size,
        place: *founder as u64,
        growth: growth(members.iter().zip(since).filter(|(of, _)| *of == founder).map(|(_, since)| since.version)),
    };
    let mut additions: BTreeMap<u64, Additions> = BTreeMap::new();
    for (founder, Since { version, .. }) in members.iter().zip(since) {
        let nothing = Additions { version: *version, standing: 0, in_remarkable: 0 };
        let of = additions.entry(*version).or_insert(nothing);
        of.standing += 1;
        of.in_remarkable += u64::from(is_remarkable(founder));
    }
    Ok(Some(Crowds {
        distance,
        remarkable_from: REMARKABLE,
        crowds: sizes.len() as u64,
        entries: sizes.values().sum(),
        in_remarkable: sizes.values().filter(|size| **size >= REMARKABLE).sum(),
        largest: largest.iter().take(NAMED).map(crowd).collect(),
        additions: additions.into_values().collect(),
    }))
}

/// For each entry the place of the one that founds its crowd.
fn members(entries: &Entries, algorithm: Algorithm, distance: u32) -> Result<Vec<usize>, LookupError> {
    let index = Index::new(algorithm, entries)?;
    let mut members: Vec<Option<usize>> = vec![None; entries.len()];
    for (place, entry) in entries.iter().enumerate() {
        if members.get(place).is_none_or(Option::is_some) {
            continue;
        }
        for found in index.within(algorithm.hash_of(entry), distance)? {
            if let Some(free @ None) = members.get_mut(found.index) {
                *free = Some(place);
            }
        }
    }
    Ok(members.into_iter().enumerate().map(|(place, founder)| founder.unwrap_or(place)).collect())
}

fn growth(versions: impl Iterator<Item = u64>) -> Vec<Grown> {
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    versions.for_each(|version| *counts.entry(version).or_default() += 1);
    counts.into_iter().map(|(version, entries)| Grown { version, entries }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::hash::sha256;
    use isonomy_core::time::Timestamp;

    /// A hash of which every bit is as good as random.
    fn far(number: u64) -> [u8; 32] {
        sha256(&[&number.to_be_bytes()])
    }

    /// Entries within six bits of one point.
    fn near(number: u8) -> [u8; 32] {
        let mut entry = far(1000);
        entry[31] ^= number;
        entry
    }

    fn list(entries: &[[u8; 32]]) -> Entries {
        Entries::from_unsorted(32, entries.concat()).unwrap().0
    }

    fn since(version: u64) -> Since {
        Since { version, time: Timestamp(version) }
    }

    #[test]
    fn crowds_are_found_with_their_growth() {
        let crowded: Vec<[u8; 32]> = (0..12).map(near).collect();
        let pair = [far(1), {
            let mut other = far(1);
            other[0] ^= 3;
            other
        }];
        let rest: Vec<[u8; 32]> = (2..40).map(far).collect();
        let entries = list(&[&crowded[..], &pair, &rest].concat());
        let came = |entry: &[u8]| if crowded[4..].iter().any(|near| near == entry) { since(7) } else { since(1) };
        let came: Vec<Since> = entries.iter().map(came).collect();
        let found = find(&entries, &came, Algorithm::PdqFull, 24).unwrap().unwrap();
        assert_eq!((found.crowds, found.entries, found.in_remarkable), (2, 14, 12));
        let sizes: Vec<u64> = found.largest.iter().map(|crowd| crowd.entries).collect();
        assert_eq!(sizes, [12, 2]);
        assert_eq!(found.largest[0].growth, [Grown { version: 1, entries: 4 }, Grown { version: 7, entries: 8 }]);
        assert_eq!(
            found.additions,
            [
                Additions { version: 1, standing: 44, in_remarkable: 4 },
                Additions { version: 7, standing: 8, in_remarkable: 8 }
            ]
        );
        let founder = entries.iter().nth(found.largest[0].place as usize).unwrap();
        assert!(crowded.iter().any(|near| near == founder));
    }

    #[test]
    fn the_same_by_comparing_all_pairs() {
        // Bytes of few values, so that distances of all sizes occur.
        let entry = |number: u64| -> [u8; 32] {
            let seed = far(number);
            std::array::from_fn(|at| if at < 30 { 0x55 } else { seed[at] & 0x1f })
        };
        let entries = list(&(0..300).map(entry).collect::<Vec<_>>());
        for distance in [0u32, 2, 5] {
            let apart = |one: &[u8], other: &[u8]| -> u32 {
                one.iter().zip(other).map(|(one, other)| (one ^ other).count_ones()).sum()
            };
            let all: Vec<&[u8]> = entries.iter().collect();
            let mut expected: Vec<Option<usize>> = vec![None; all.len()];
            for place in 0..all.len() {
                if expected[place].is_none() {
                    for other in 0..all.len() {
                        if expected[other].is_none() && apart(all[place], all[other]) <= distance {
                            expected[other] = Some(place);
                        }
                    }
                }
            }
            let expected: Vec<usize> = expected.into_iter().map(Option::unwrap).collect();
            assert_eq!(members(&entries, Algorithm::PdqFull, distance).unwrap(), expected, "{distance}");
        }
    }

    #[test]
    fn exact_hashes_have_no_crowds() {
        let entries = list(&[far(1), far(2)]);
        assert_eq!(find(&entries, &[since(1), since(1)], Algorithm::Sha256, 0).unwrap(), None);
        let nothing = Entries::empty(32).unwrap();
        assert_eq!(find(&nothing, &[], Algorithm::PdqFull, 24).unwrap().unwrap().crowds, 0);
    }
}
