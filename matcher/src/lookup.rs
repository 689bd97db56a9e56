//! Which entries of a list are within a distance of a hash.
//!
//! The search is exact and exhaustive: an entry within the distance is always found. For PDQ, each entry is compared;
//! most are given up after half of their bits. Exact digests are found by binary search.

use isonomy_core::list::{Algorithm, Entries};

/// An entry that was found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Found {
    /// In how many bits it differs from the hash that was looked up.
    pub distance: u32,
    /// Its place in the list, counted from 0.
    pub index: usize,
}

/// Why an index can't be made or asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The list's entries are not of its algorithm.
    #[error("the list has entries of {found} bytes, where hashes by {algorithm} have {}", algorithm.entry_size())]
    EntrySize {
        /// The algorithm that the list is said to have.
        algorithm: Algorithm,
        /// Bytes in its entries.
        found: usize,
    },
    /// The hash that is looked up is not of the list's algorithm.
    #[error("a hash by {algorithm} has {} bytes, not {found}", algorithm.entry_size())]
    QuerySize {
        /// The list's algorithm.
        algorithm: Algorithm,
        /// Bytes in the hash.
        found: usize,
    },
}

/// A list's entries, arranged for looking up.
pub struct Index {
    algorithm: Algorithm,
    table: Table,
}

enum Table {
    Exact(Entries),
    Pdq(PdqTable),
}

impl Index {
    /// An index of `entries`, which are hashes by `algorithm`. It holds a copy of them, as large as they are.
    pub fn new(algorithm: Algorithm, entries: &Entries) -> Result<Self, LookupError> {
        if entries.entry_size() != algorithm.entry_size() {
            return Err(LookupError::EntrySize { algorithm, found: entries.entry_size() });
        }
        let table = match algorithm {
            Algorithm::PdqFull => Table::Pdq(PdqTable::new(entries)),
            Algorithm::Sha256 | Algorithm::Sha1 | Algorithm::Md5 => Table::Exact(entries.clone()),
        };
        Ok(Self { algorithm, table })
    }

    /// The algorithm whose hashes can be looked up.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        match &self.table {
            Table::Exact(entries) => entries.len(),
            Table::Pdq(table) => table.first_halves.len(),
        }
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every entry that differs from `query` in at most `max_distance` bits, the nearest first, and of equally near
    /// ones the first in the list. Digests of files match at distance 0 or not at all, whatever `max_distance` is.
    pub fn within(&self, query: &[u8], max_distance: u32) -> Result<Vec<Found>, LookupError> {
        if query.len() != self.algorithm.entry_size() {
            return Err(LookupError::QuerySize { algorithm: self.algorithm, found: query.len() });
        }
        Ok(match &self.table {
            Table::Exact(entries) => {
                entries.binary_search(query).map(|index| Found { distance: 0, index }).into_iter().collect()
            }
            Table::Pdq(table) => table.within(query, max_distance),
        })
    }
}

/// Half of a PDQ hash.
type Half = [u64; 2];

/// The entries as two columns of halves, so that the second half of an entry that is given up is never touched.
struct PdqTable {
    first_halves: Vec<Half>,
    second_halves: Vec<Half>,
}

/// Entries whose first halves are compared in one go, without a branch.
const BATCH: usize = 64;

impl PdqTable {
    fn new(entries: &Entries) -> Self {
        let (first_halves, second_halves) = entries.iter().map(halves).unzip();
        Self { first_halves, second_halves }
    }

    fn within(&self, query: &[u8], max_distance: u32) -> Vec<Found> {
        let (first, second) = halves(query);
        let mut found = Vec::new();
        for (number, batch) in self.first_halves.chunks(BATCH).enumerate() {
            let mut distances = [u32::MAX; BATCH];
            for (distance, half) in distances.iter_mut().zip(batch) {
                *distance = half_distance(&first, half);
            }
            if distances.iter().all(|distance| *distance > max_distance) {
                continue;
            }
            let start = number * BATCH;
            for ((half, distance), index) in self.second_halves[start..].iter().zip(distances).zip(start..) {
                let distance = distance.saturating_add(half_distance(&second, half));
                if distance <= max_distance {
                    found.push(Found { distance, index });
                }
            }
        }
        found.sort_unstable();
        found
    }
}

/// The halves of a hash of 32 bytes; what is missing counts as 0.
fn halves(hash: &[u8]) -> (Half, Half) {
    let mut words = hash.as_chunks::<8>().0.iter().map(|bytes| u64::from_ne_bytes(*bytes));
    let mut next = || words.next().unwrap_or_default();
    ([next(), next()], [next(), next()])
}

#[inline(always)]
fn half_distance(one: &Half, other: &Half) -> u32 {
    (one[0] ^ other[0]).count_ones() + (one[1] ^ other[1]).count_ones()
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::list::Algorithm::{Md5, PdqFull, Sha256};
    use proptest::prelude::*;

    fn index(algorithm: Algorithm, entries: &[Vec<u8>]) -> (Index, Entries) {
        let (entries, _) = Entries::from_unsorted(algorithm.entry_size(), entries.concat()).unwrap();
        (Index::new(algorithm, &entries).unwrap(), entries)
    }

    fn brute_force(entries: &Entries, query: &[u8], max_distance: u32) -> Vec<Found> {
        let distance =
            |entry: &[u8]| entry.iter().zip(query).map(|(one, other)| (one ^ other).count_ones()).sum::<u32>();
        let all = entries.iter().enumerate().map(|(index, entry)| Found { distance: distance(entry), index });
        let mut found: Vec<Found> = all.filter(|found| found.distance <= max_distance).collect();
        found.sort_by_key(|found| (found.distance, found.index));
        found
    }

    /// `hash` with each of these bits turned.
    fn flipped(hash: &[u8], bits: &[u8]) -> Vec<u8> {
        let mut hash = hash.to_vec();
        for bit in bits {
            hash[usize::from(bit / 8)] ^= 1 << (bit % 8);
        }
        hash
    }

    #[test]
    fn a_list_of_one_entry_matches_up_to_the_distance_and_no_further() {
        let entry = vec![0x5a; 32];
        let (index, _) = index(PdqFull, std::slice::from_ref(&entry));
        for distance in 0..=40u8 {
            // Bits in both halves of the hash, and in one alone.
            for bits in [(0..distance).map(|bit| bit * 6).collect::<Vec<_>>(), (0..distance).collect()] {
                let found = index.within(&flipped(&entry, &bits), 31).unwrap();
                let expected = Found { distance: u32::from(distance), index: 0 };
                assert_eq!(found, if distance <= 31 { vec![expected] } else { vec![] });
            }
        }
    }

    #[test]
    fn the_nearest_comes_first_and_equally_near_ones_in_the_order_of_the_list() {
        let entry = vec![0x5a; 32];
        let near = [&[][..], &[3], &[200], &[3, 200], &[1, 2, 3]].map(|bits| flipped(&entry, bits));
        let (index, entries) = index(PdqFull, &near);
        let found = index.within(&entry, 2).unwrap();
        assert_eq!(found.iter().map(|found| found.distance).collect::<Vec<_>>(), [0, 1, 1, 2]);
        assert!(found[1].index < found[2].index);
        assert_eq!(entries.get(found[0].index), Some(entry.as_slice()));
    }

    #[test]
    fn digests_match_exactly_or_not_at_all() {
        let (index, entries) = index(Md5, &[vec![1; 16], vec![7; 16], vec![9; 16]]);
        assert_eq!(index.within(&[7; 16], 31), Ok(vec![Found { distance: 0, index: 1 }]));
        assert_eq!(index.within(&flipped(&[7; 16], &[0]), 31), Ok(vec![]));
        assert_eq!((index.len(), index.algorithm()), (entries.len(), Md5));
    }

    #[test]
    fn sizes_that_do_not_fit_are_errors_and_not_misses() {
        let (index, entries) = index(Md5, &[vec![1; 16]]);
        assert_eq!(index.within(&[1; 32], 0), Err(LookupError::QuerySize { algorithm: Md5, found: 32 }));
        let refused = Index::new(Sha256, &entries).err();
        assert_eq!(refused, Some(LookupError::EntrySize { algorithm: Sha256, found: 16 }));
        let empty = Index::new(PdqFull, &Entries::empty(32).unwrap()).unwrap();
        assert!(empty.is_empty());
        assert_eq!(empty.within(&[0; 32], 256), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn lookup_finds_what_comparing_everything_finds(
            centre in proptest::collection::vec(any::<u8>(), 32),
            near in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..45), 0..150),
            far in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 32), 0..150),
            max_distance in prop_oneof![0u32..40, 0u32..=256, Just(u32::MAX)],
        ) {
            let mut hashes: Vec<Vec<u8>> = near.iter().map(|bits| flipped(&centre, bits)).collect();
            hashes.extend(far);
            let (index, entries) = index(PdqFull, &hashes);
            prop_assert_eq!(index.within(&centre, max_distance).unwrap(), brute_force(&entries, &centre, max_distance));
        }
    }
}
