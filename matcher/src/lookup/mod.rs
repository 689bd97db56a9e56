//! Which entries of a list are within a distance of a hash.
//!
//! The search is exact and exhaustive: an entry within the distance is always found. Digests of files are found by a
//! directory (`exact`). For PDQ there are two ways, which find the same:
//!
//! | [`Arrangement`] | a query costs | memory beside the list |
//! |---|---|---|
//! | `Buckets` (`buckets`, `probing`) | some microseconds, growing slowly with the list | 100 to 200 bytes for each entry |
//! | `Scan` (`scan`) | a comparison with every entry, cut short after half of it | 16 bytes for each entry |
//!
//! Both use the widest instructions of the machine ([`Instructions`]), found at run time.
//!
//! An index is made anew whenever a list is loaded, and never kept in a file. Such a file would have to be proven to hold
//! every entry in every table, or a tampered one could hide a match; that proof reads what building reads, so nothing
//! would be gained.

mod buckets;
mod exact;
mod permutation;
mod probing;
mod scan;

pub use crate::machine::Instructions;

use buckets::{Buckets, Shape, in_parallel};
use exact::Directory;
use isonomy_core::list::{Algorithm, Entries};
use isonomy_verifier::VerifiedList;
use probing::{GROUP, MAX_DISTANCE, Search, Touch};
use scan::{FirstHalves, Row, Scan};
use std::sync::Arc;

/// Lists below this size are compared entry by entry: that is as fast.
const BUCKETS_FROM: usize = 4096;

/// Lists from this size on, too: numbers of lines would not fit into 32 bits.
const BUCKETS_TO: usize = 1 << 28;

/// From this [`Index::crowding`] on it is worth saying that a list is crowded: 25 % of its entries are variants of few pictures.
pub const CROWDED: f64 = 0.25;

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
    #[error("the list has entries of {found} bytes, where entries of {algorithm} have {}", algorithm.entry_size())]
    EntrySize {
        /// The algorithm that the list is said to have.
        algorithm: Algorithm,
        /// Bytes in its entries.
        found: usize,
    },
    /// The hash that is looked up is not of the list's algorithm.
    #[error("a hash by {algorithm} has {} bytes, not {found}", algorithm.hash_size())]
    QuerySize {
        /// The list's algorithm.
        algorithm: Algorithm,
        /// Bytes in the hash.
        found: usize,
    },
}

/// How the entries of a perceptual hash are arranged. It changes what a lookup costs, never what it finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Arrangement {
    /// For servers and computers. Small lists are scanned all the same.
    #[default]
    Buckets,
    /// For phones, and wherever memory counts for more than microseconds.
    Scan,
}

/// Whoever has a list: an index shares it, and makes no copy.
pub trait Listed {
    /// The list's entries; the same at every call.
    fn entries(&self) -> &Entries;
}

/// A list that was proven to be the public one.
impl Listed for VerifiedList {
    fn entries(&self) -> &Entries {
        self.entries()
    }
}

/// Hashes of any origin, such as a curator's own.
impl Listed for Entries {
    fn entries(&self) -> &Entries {
        self
    }
}

impl<L: Listed> Listed for &L {
    fn entries(&self) -> &Entries {
        (*self).entries()
    }
}

/// A list, arranged for looking up.
pub struct Index<L> {
    algorithm: Algorithm,
    list: L,
    table: Arc<Table>,
    instructions: Instructions,
}

enum Table {
    Exact(Directory),
    Pdq { hashes: Hashes, first_halves: FirstHalves, buckets: Option<Buckets> },
}

/// Where the hashes of the entries stand.
enum Hashes {
    /// They are the entries.
    InList,
    /// Beside the list, whose entries begin with something else.
    Apart(Vec<Row>),
}

impl Hashes {
    fn of(algorithm: Algorithm, entries: &Entries) -> Self {
        if algorithm.hash_size() == algorithm.entry_size() {
            return Self::InList;
        }
        let hash = |entry| *algorithm.hash_of(entry).as_array().unwrap_or(&[0; 32]);
        Self::Apart(entries.iter().map(hash).collect())
    }

    fn rows<'h>(&'h self, entries: &'h Entries) -> &'h [Row] {
        match self {
            Self::InList => entries.as_bytes().as_chunks().0,
            Self::Apart(rows) => rows,
        }
    }

    fn memory(&self) -> usize {
        match self {
            Self::InList => 0,
            Self::Apart(rows) => size_of_val(rows.as_slice()),
        }
    }
}

impl<L: Listed> Index<L> {
    /// An index of `list`, whose entries are hashes by `algorithm`.
    pub fn new(algorithm: Algorithm, list: L) -> Result<Self, LookupError> {
        Self::arranged(algorithm, list, Arrangement::default())
    }

    /// The same in another arrangement.
    pub fn arranged(algorithm: Algorithm, list: L, arrangement: Arrangement) -> Result<Self, LookupError> {
        let entries = list.entries();
        if entries.entry_size() != algorithm.entry_size() {
            return Err(LookupError::EntrySize { algorithm, found: entries.entry_size() });
        }
        let table = match algorithm {
            Algorithm::PdqFull | Algorithm::VpdqV1 => {
                let hashes = Hashes::of(algorithm, entries);
                let rows = hashes.rows(entries);
                let first_halves = FirstHalves::of(rows);
                let in_buckets =
                    arrangement == Arrangement::Buckets && (BUCKETS_FROM..BUCKETS_TO).contains(&rows.len());
                let buckets = in_buckets.then(|| fill_buckets(rows));
                Table::Pdq { hashes, first_halves, buckets }
            }
            Algorithm::Sha256 | Algorithm::Sha1 | Algorithm::Md5 => Table::Exact(Directory::new(entries)),
        };
        Ok(Self { algorithm, list, table: Arc::new(table), instructions: Instructions::best() })
    }

    /// The same with these instructions instead of the fastest.
    pub fn using(self, instructions: Instructions) -> Self {
        Self { instructions, ..self }
    }

    /// An index of `list`, which has the same entries, sharing the tables.
    pub(crate) fn sharing<M: Listed>(&self, list: M) -> Index<M> {
        Index { algorithm: self.algorithm, list, table: Arc::clone(&self.table), instructions: self.instructions }
    }

    /// The list.
    pub fn list(&self) -> &L {
        &self.list
    }

    /// The algorithm whose hashes can be looked up.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.list.entries().len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that the index takes beside the list.
    pub fn memory(&self) -> usize {
        match &*self.table {
            Table::Exact(directory) => directory.memory(),
            Table::Pdq { hashes, first_halves, buckets } => {
                hashes.memory() + first_halves.memory() + buckets.as_ref().map_or(0, Buckets::memory)
            }
        }
    }

    /// The share of entries, from 0 to 1, that stand in crowded buckets. Hashes without regularity have less than 0.02;
    /// from [`CROWDED`] on the list holds many variants of few pictures, by chance or by craft, and lookups near these
    /// pictures take as long as a scan.
    pub fn crowding(&self) -> f64 {
        match &*self.table {
            Table::Pdq { buckets: Some(buckets), .. } => buckets.overflow(),
            Table::Exact(_) | Table::Pdq { buckets: None, .. } => 0.0,
        }
    }

    /// Every entry that differs from `query` in at most `max_distance` bits, the nearest first, and of equally near
    /// ones the first in the list. Digests of files match at distance 0 or not at all, whatever `max_distance` is.
    pub fn within(&self, query: &[u8], max_distance: u32) -> Result<Vec<Found>, LookupError> {
        self.check_size(query)?;
        Ok(match &*self.table {
            Table::Exact(directory) => self.equal(directory, query),
            Table::Pdq { .. } => {
                let mut found = Vec::new();
                self.near(query.as_chunks().0, max_distance, &mut |_, near| found = near);
                found
            }
        })
    }

    /// [`Index::within`] for many hashes, one after the other in `queries`: `found` is told the number of each and what
    /// was found, in their order. It is faster than one lookup after the other.
    pub fn within_each(
        &self,
        queries: &[u8],
        max_distance: u32,
        mut found: impl FnMut(usize, Vec<Found>),
    ) -> Result<(), LookupError> {
        let size = self.algorithm.hash_size();
        if let [_, ..] = queries.chunks_exact(size).remainder() {
            return Err(LookupError::QuerySize { algorithm: self.algorithm, found: queries.len() % size });
        }
        match &*self.table {
            Table::Exact(directory) => {
                for (number, query) in queries.chunks_exact(size).enumerate() {
                    found(number, self.equal(directory, query));
                }
            }
            Table::Pdq { .. } => self.near(queries.as_chunks().0, max_distance, &mut found),
        }
        Ok(())
    }

    /// Reads the cache lines that looking up `queries` would begin with, and does nothing with them: the floor that
    /// memory sets, for benchmarks. What it returns means nothing.
    pub fn touch(&self, queries: &[u8]) -> u64 {
        let Table::Pdq { buckets: Some(buckets), .. } = &*self.table else { return 0 };
        let groups = queries.as_chunks().0.chunks(GROUP);
        groups.fold(0, |sum, queries| sum ^ self.instructions.run(Touch { buckets, queries }))
    }

    fn check_size(&self, query: &[u8]) -> Result<(), LookupError> {
        if query.len() == self.algorithm.hash_size() {
            return Ok(());
        }
        Err(LookupError::QuerySize { algorithm: self.algorithm, found: query.len() })
    }

    fn equal(&self, directory: &Directory, digest: &[u8]) -> Vec<Found> {
        let index = directory.find(self.list.entries(), digest);
        index.map(|index| Found { distance: 0, index }).into_iter().collect()
    }

    fn near(&self, queries: &[Row], most: u32, found: &mut impl FnMut(usize, Vec<Found>)) {
        let Table::Pdq { hashes, first_halves, buckets } = &*self.table else { return };
        let rows = hashes.rows(self.list.entries());
        let scan = |query| {
            let mut near = self.instructions.run(Scan { first_halves, rows, query, most });
            near.sort_unstable();
            near
        };
        let Some(buckets) = buckets.as_ref().filter(|_| most <= MAX_DISTANCE) else {
            queries.iter().enumerate().for_each(|(number, query)| found(number, scan(query)));
            return;
        };
        for (group, queries) in queries.chunks(GROUP).enumerate() {
            let outcomes = self.instructions.run(Search { buckets, first_halves, rows, queries, most });
            for (place, (query, outcome)) in queries.iter().zip(outcomes).enumerate() {
                found(group * GROUP + place, outcome.unwrap_or_else(|| scan(query)));
            }
        }
    }
}

/// The most entries by which [`crowding`] judges.
const JUDGED: usize = 1 << 20;

/// [`Index::crowding`] of a list, by counting alone: it takes some megabytes, however long the list. A list of more than
/// 2^20 entries is judged by an even selection of about so many.
pub fn crowding(algorithm: Algorithm, entries: &Entries) -> f64 {
    if !algorithm.is_perceptual() || entries.len() < BUCKETS_FROM {
        return 0.0;
    }
    let step = entries.len().div_ceil(JUDGED);
    let selected = entries.iter().step_by(step);
    buckets::overflow_of(selected.map(|entry| permutation::bands(algorithm.hash_of(entry))))
}

/// Rows that are permuted in one go.
const ROWS_AT_A_TIME: usize = 1 << 16;

fn fill_buckets(rows: &[Row]) -> Buckets {
    let mut bands = crate::machine::zeroed(rows.len(), [0; 16]);
    let parts = bands.chunks_mut(ROWS_AT_A_TIME).zip(rows.chunks(ROWS_AT_A_TIME));
    in_parallel(parts, |(bands, rows)| {
        bands.iter_mut().zip(rows).for_each(|(bands, row)| *bands = permutation::bands(row));
    });
    Buckets::new(&bands, Shape::of(rows.len()))
}

#[cfg(test)]
mod tests;
