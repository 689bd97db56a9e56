//! A list in memory.

use super::algorithm::{Algorithm, EntryVerdict};
use crate::hash::ListRoot;
use crate::tree::Frontier;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;
use core::slice::ChunksExact;

/// The most entries that a list may have: 2^32 − 1.
pub const MAX_ENTRIES: u64 = u32::MAX as u64;

/// The largest entry, in bytes.
pub const MAX_ENTRY_SIZE: usize = 64;

/// Why entries, or the bytes of a snapshot or delta, are not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// Not of the format at all, or not in its one canonical form.
    #[error("malformed {what}: {why}")]
    Malformed {
        /// Which format it should have been.
        what: &'static str,
        /// What is wrong.
        why: &'static str,
    },
    /// Of the format, but for entries of another size than the list's.
    #[error("entries of {found} bytes, where the list has entries of {expected}")]
    EntrySize {
        /// The size that the list's algorithm has.
        expected: usize,
        /// The size that was found.
        found: usize,
    },
    /// Of the format, but for another number of entries than the release says.
    #[error("it is for {found} entries, where the list has {expected}")]
    Length {
        /// The number that a release gives.
        expected: u64,
        /// The number that was found.
        found: u64,
    },
    /// More entries than any list may have.
    #[error("more than {MAX_ENTRIES} entries")]
    TooMany,
    /// An entry that is not greater than the one before it.
    #[error("entry {index} is not greater than the one before it: a list is strictly ascending")]
    NotAscending {
        /// The entry, counted from 0.
        index: u64,
    },
    /// An entry that no list of the algorithm may hold.
    #[error("entry {index} can't be in a list of {algorithm}: {reason}")]
    Forbidden {
        /// The entry, counted from 0.
        index: u64,
        /// The list's algorithm.
        algorithm: Algorithm,
        /// Why.
        reason: &'static str,
    },
}

/// The entries of a list: byte strings of one size, strictly ascending, held contiguously. A clone shares them, so that a
/// large list is in memory once.
#[derive(Clone, PartialEq, Eq)]
pub struct Entries {
    size: usize,
    bytes: Arc<Vec<u8>>,
}

impl Entries {
    /// The empty list of entries of `entry_size` bytes, which is 1 to [`MAX_ENTRY_SIZE`].
    pub fn empty(entry_size: usize) -> Result<Self, ListError> {
        Self::from_sorted(entry_size, Vec::new())
    }

    /// A list whose entries, one after the other, are `bytes`; they must be strictly ascending.
    pub fn from_sorted(entry_size: usize, bytes: Vec<u8>) -> Result<Self, ListError> {
        check_shape(entry_size, &bytes)?;
        let descent = match entry_size {
            16 => first_descent(bytes.as_chunks::<16>().0),
            20 => first_descent(bytes.as_chunks::<20>().0),
            32 => first_descent(bytes.as_chunks::<32>().0),
            _ => bytes.chunks_exact(entry_size).zip(bytes.chunks_exact(entry_size).skip(1)).position(|(a, b)| a >= b),
        };
        match descent {
            Some(at) => Err(ListError::NotAscending { index: at as u64 + 1 }),
            None => Ok(Self::from_ascending(entry_size, bytes)),
        }
    }

    /// A list of the entries that, in any order and any number of times each, are in `bytes`; and how many were
    /// dropped because they were there already.
    pub fn from_unsorted(entry_size: usize, mut bytes: Vec<u8>) -> Result<(Self, u64), ListError> {
        check_shape(entry_size, &bytes)?;
        match entry_size {
            16 => bytes.as_chunks_mut::<16>().0.sort_unstable(),
            20 => bytes.as_chunks_mut::<20>().0.sort_unstable(),
            32 => bytes.as_chunks_mut::<32>().0.sort_unstable(),
            _ => bytes = sort_any_size(entry_size, &bytes),
        }
        let before = bytes.len();
        drop_repetitions(entry_size, &mut bytes);
        let duplicates = (before - bytes.len()) / entry_size;
        Ok((Self::from_ascending(entry_size, bytes), duplicates as u64))
    }

    /// The list that `bytes` hold, by whoever made sure of their order.
    pub(super) fn from_ascending(entry_size: usize, bytes: Vec<u8>) -> Self {
        Self { size: entry_size, bytes: Arc::new(bytes) }
    }

    /// Bytes in an entry.
    pub fn entry_size(&self) -> usize {
        self.size
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.bytes.len() / self.size
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The entry at `index`.
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let start = index.checked_mul(self.size)?;
        self.bytes.get(start..start.checked_add(self.size)?)
    }

    /// The entries, in ascending order.
    pub fn iter(&self) -> ChunksExact<'_, u8> {
        self.bytes.chunks_exact(self.size)
    }

    /// All entries, one after the other.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All entries, one after the other; copied only if a clone is still in use.
    pub fn into_bytes(self) -> Vec<u8> {
        Arc::unwrap_or_clone(self.bytes)
    }

    /// Where `entry` is, or else where it would have to be put, as [`slice::binary_search`] says it.
    pub fn binary_search(&self, entry: &[u8]) -> Result<usize, usize> {
        let (mut start, mut end) = (0, self.len());
        while start < end {
            let middle = start + (end - start) / 2;
            match self.get(middle).unwrap_or_default().cmp(entry) {
                Ordering::Less => start = middle + 1,
                Ordering::Equal => return Ok(middle),
                Ordering::Greater => end = middle,
            }
        }
        Err(start)
    }

    /// Whether `entry` is one of the list's.
    pub fn contains(&self, entry: &[u8]) -> bool {
        self.binary_search(entry).is_ok()
    }

    /// The root of the list's tree, in memory that grows with the logarithm of the list.
    pub fn root(&self) -> ListRoot {
        ListRoot(Frontier::of_entries(&self.bytes, self.size).root().0)
    }

    /// The number of entries that rule 8 admits to a list of `algorithm` only by exception.
    pub fn irregular(&self, algorithm: Algorithm) -> Result<u64, ListError> {
        if self.size != algorithm.entry_size() {
            return Err(ListError::EntrySize { expected: algorithm.entry_size(), found: self.size });
        }
        let mut irregular = 0;
        for (entry, index) in self.iter().zip(0..) {
            match algorithm.check_entry(entry) {
                EntryVerdict::Valid => {}
                EntryVerdict::Irregular(_) => irregular += 1,
                EntryVerdict::Forbidden(reason) => return Err(ListError::Forbidden { index, algorithm, reason }),
            }
        }
        Ok(irregular)
    }
}

impl<'a> IntoIterator for &'a Entries {
    type Item = &'a [u8];
    type IntoIter = ChunksExact<'a, u8>;

    fn into_iter(self) -> ChunksExact<'a, u8> {
        self.iter()
    }
}

/// Shows the number and size of the entries, not the entries.
impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entries({} of {} bytes)", self.len(), self.size)
    }
}

/// Whether `entry_size` is one that a list can have.
pub(super) fn check_entry_size(entry_size: usize) -> Result<(), ListError> {
    if (1..=MAX_ENTRY_SIZE).contains(&entry_size) {
        return Ok(());
    }
    Err(ListError::Malformed { what: "list", why: "an entry has 1 to 64 bytes" })
}

fn check_shape(entry_size: usize, bytes: &[u8]) -> Result<(), ListError> {
    check_entry_size(entry_size)?;
    if !bytes.len().is_multiple_of(entry_size) {
        return Err(ListError::Malformed { what: "list", why: "its length is not a multiple of the entry size" });
    }
    if (bytes.len() / entry_size) as u64 > MAX_ENTRIES {
        return Err(ListError::TooMany);
    }
    Ok(())
}

/// The place before the first entry that is not greater than the one before it.
fn first_descent<const SIZE: usize>(entries: &[[u8; SIZE]]) -> Option<usize> {
    // Hashes nearly always differ in their first bytes, so that one comparison of numbers tells.
    let head = |entry: &[u8; SIZE]| entry.first_chunk::<8>().map_or(0, |head| u64::from_be_bytes(*head));
    entries.array_windows().position(|[a, b]| head(a) >= head(b) && a >= b)
}

fn sort_any_size(entry_size: usize, bytes: &[u8]) -> Vec<u8> {
    let mut entries: Vec<&[u8]> = bytes.chunks_exact(entry_size).collect();
    entries.sort_unstable();
    entries.concat()
}

/// Keeps the first of equal neighbours.
fn drop_repetitions(entry_size: usize, bytes: &mut Vec<u8>) {
    let mut kept = entry_size.min(bytes.len());
    for start in (kept..bytes.len()).step_by(entry_size) {
        if bytes[kept - entry_size..kept] != bytes[start..start + entry_size] {
            bytes.copy_within(start..start + entry_size, kept);
            kept += entry_size;
        }
    }
    bytes.truncate(kept);
}

#[cfg(test)]
mod tests {
    use super::super::samples::{lists, scattered};
    use super::*;
    use crate::hash::sha256;
    use crate::tree::{leaf_hash, node_hash};
    use alloc::vec;
    use proptest::prelude::*;

    /// RFC 6962 section 2.1, word for word.
    fn naive_root(entries: &[&[u8]]) -> [u8; 32] {
        match entries {
            [] => sha256(&[]),
            [entry] => sha256(&[&[0], entry]),
            _ => {
                let (left, right) = entries.split_at(entries.len().next_power_of_two() / 2);
                sha256(&[&[1], &naive_root(left), &naive_root(right)])
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_rfc() {
        for entry_size in [16, 20, 32] {
            for len in 0..200 {
                let entries = scattered(entry_size, len, 1);
                assert_eq!(entries.root().0, naive_root(&entries.iter().collect::<Vec<_>>()), "{entries:?}");
            }
        }
    }

    #[test]
    fn the_root_of_two_by_hand() {
        let entries = Entries::from_sorted(1, vec![5, 7]).unwrap();
        let node = node_hash(&leaf_hash(&[5]).into(), &leaf_hash(&[7]).into());
        assert_eq!(entries.root().0, node.0);
        assert_eq!(Entries::empty(32).unwrap().root().0, sha256(&[]));
    }

    #[test]
    fn only_ascending_bytes_of_whole_entries_are_a_list() {
        assert_eq!(Entries::from_sorted(2, vec![0, 1, 0, 2, 0, 2]), Err(ListError::NotAscending { index: 2 }));
        assert_eq!(Entries::from_sorted(2, vec![0, 1, 0, 0]), Err(ListError::NotAscending { index: 1 }));
        for (size, len) in [(0, 0), (65, 65), (2, 3)] {
            let refused = Entries::from_sorted(size, vec![0; len]);
            assert!(matches!(refused, Err(ListError::Malformed { .. })), "{len} bytes as entries of {size}");
            assert_eq!(Entries::from_unsorted(size, vec![0; len]).map(|list| list.0), refused);
        }
    }

    #[test]
    fn irregular_entries_are_counted_and_forbidden_ones_refused() {
        let half = [[0xffu8; 16], [0; 16]].concat();
        let list = |entries: &[&[u8]]| Entries::from_unsorted(32, entries.concat()).unwrap().0;
        let (thin, full) = ([1u8; 32], [0xff; 32]);
        assert_eq!(list(&[&half]).irregular(Algorithm::PdqFull), Ok(0));
        assert_eq!(list(&[&half, &thin, &full]).irregular(Algorithm::PdqFull), Ok(2));
        assert_eq!(list(&[&half, &thin, &full]).irregular(Algorithm::Sha256), Ok(0));
        let refused = list(&[&half, &[0; 32]]).irregular(Algorithm::PdqFull);
        assert!(matches!(refused, Err(ListError::Forbidden { index: 0, algorithm: Algorithm::PdqFull, .. })));
        let refused = list(&[&half]).irregular(Algorithm::Md5);
        assert_eq!(refused, Err(ListError::EntrySize { expected: 16, found: 32 }));
    }

    proptest! {
        #[test]
        fn any_bytes_sort_into_a_list(size in prop_oneof![1usize..5, Just(16), Just(20), Just(32)], mut bytes: Vec<u8>) {
            bytes.truncate(bytes.len() / size * size);
            let set: alloc::collections::BTreeSet<&[u8]> = bytes.chunks_exact(size).collect();
            let (entries, duplicates) = Entries::from_unsorted(size, bytes.clone()).unwrap();
            prop_assert!(entries.iter().eq(set.iter().copied()));
            prop_assert_eq!(duplicates as usize, bytes.len() / size - set.len());
            prop_assert_eq!(Entries::from_sorted(size, entries.as_bytes().to_vec()), Ok(entries));
        }

        #[test]
        fn searching_is_as_in_a_slice(entries in lists(1), entry: u8) {
            let slice: Vec<&[u8]> = entries.iter().collect();
            prop_assert_eq!(entries.binary_search(&[entry]), slice.binary_search(&&[entry][..]));
            prop_assert_eq!(entries.get(entries.len()), None);
        }
    }
}
