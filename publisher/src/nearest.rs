//! A whole list passes by few hashes: these are indexed, and the list is read once. That takes no memory by the length of the
//! list.

use isonomy_core::list::{Algorithm, Entries};
use isonomy_matcher::lookup::{Index, LookupError};

/// How many entries are looked up in one go.
const AT_A_TIME: usize = 1 << 14;

/// An entry of the list that is near to one of the hashes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Near {
    /// In how many bits it differs.
    pub distance: u32,
    /// Its place in the list.
    pub index: usize,
}

/// The nearest entries to one of the hashes, at most so many as were asked for.
#[derive(Debug, Default)]
pub struct Nearest {
    near: Vec<Near>,
}

impl Nearest {
    /// Takes one up, and keeps the `most` nearest.
    fn take(&mut self, near: Near, most: usize) {
        self.near.push(near);
        if self.near.len() >= 2 * most.max(1) {
            self.settle(most);
        }
    }

    fn settle(&mut self, most: usize) {
        self.near.sort_unstable();
        self.near.truncate(most);
    }

    /// The nearest first, and of equally near ones the first in the list.
    pub fn all(&self) -> &[Near] {
        &self.near
    }
}

/// For each of `hashes`, which are without the number of a video even where entries have one: the nearest entries of `list`, at
/// most `most` and each within `distance`.
pub fn nearest(
    algorithm: Algorithm,
    list: &Entries,
    hashes: &Entries,
    distance: u32,
    most: usize,
) -> Result<Vec<Nearest>, LookupError> {
    let mut found: Vec<Nearest> = hashes.iter().map(|_| Nearest::default()).collect();
    let index = Index::new(of_hashes(algorithm), hashes)?;
    let mut block = Vec::new();
    for (number, entries) in list.as_bytes().chunks(AT_A_TIME * list.entry_size()).enumerate() {
        block.clear();
        entries.chunks_exact(list.entry_size()).for_each(|entry| block.extend_from_slice(algorithm.hash_of(entry)));
        index.within_each(&block, distance, |place, near| {
            for one in near {
                let near = Near { distance: one.distance, index: number * AT_A_TIME + place };
                found[one.index].take(near, most);
            }
        })?;
    }
    found.iter_mut().for_each(|nearest| nearest.settle(most));
    Ok(found)
}

/// The algorithm of a list that holds nothing but the hashes of a list of `algorithm`.
fn of_hashes(algorithm: Algorithm) -> Algorithm {
    match algorithm {
        Algorithm::VpdqV1 => Algorithm::PdqFull,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entries;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn the_nearest_are_those_that_comparing_everything_finds(seed in 0u64..50, few in 1u64..5, most in 1usize..6) {
            let (list, hashes) = (entries(seed, 200), entries(seed + 1, few));
            // 110 of 256 bits: some are that near by chance.
            let found = nearest(Algorithm::PdqFull, &list, &hashes, 110, most).unwrap();
            for (hash, found) in hashes.iter().zip(&found) {
                let apart = |entry: &[u8]| entry.iter().zip(hash).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
                let all = list.iter().enumerate().map(|(index, entry)| Near { distance: apart(entry), index });
                let mut expected: Vec<Near> = all.filter(|near| near.distance <= 110).collect();
                expected.sort_unstable();
                expected.truncate(most);
                prop_assert_eq!(found.all(), &expected[..]);
            }
        }
    }
}
