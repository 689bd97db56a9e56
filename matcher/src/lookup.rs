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
