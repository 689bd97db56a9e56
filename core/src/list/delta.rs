//! The difference of two lists as bytes.
//!
//! ```text
//! isodelt1    8 bytes of ASCII: the format and its version
//! size        1 byte: how many bytes an entry has
//! from        4 bytes, big-endian: how many entries the list has to which the delta applies, n
//! removed     4 bytes, big-endian: how many of those it removes, r
//! added       4 bytes, big-endian: how many entries it adds
//! additions   the added entries, packed as in a [snapshot](super::snapshot), which gives their length
//! removals    the places of the removed entries in the list to which it applies, up to the end
//! ```
//!
//! Removals come first, and an entry is added only if the old list does not have it, removed or not: from one list to
//! another there is one delta.
//!
//! **Removals** are coded enumeratively: each of the C(n, r) ways to remove r of n places has an equal share of the
//! numbers from 0 to 1, and is named by a fraction in its share, in so many bytes as log2 C(n, r) bits need. Place by
//! place, from the first, the share in hand is divided between *removed* and *kept* as the removals still to come are to
//! the places still to come; nothing is divided once all or none of those go. The arithmetic is in integers:
//!
//! - The share is [low, low + range), at first low = 0 and range = 2^64 − 1.
//! - Let part = ⌊range / places to come⌋ · removals to come. If the place is removed, range ← part; if it is kept,
//!   low ← low + part and range ← range − part.
//! - While range < 2^56, the share is magnified: the top byte of low goes out to the code, and low (modulo 2^64) and
//!   range are multiplied by 256. If low passes 2^64 at an addition, one is added to the number that the code is so far.
//! - At the end, low is rounded up to a multiple of 2^56, with the same carry; its top byte goes out; and trailing zero
//!   bytes are dropped from the code. A reader takes zeros beyond the end for granted.
//!
//! A reader computes the same shares, so it knows the code that it should have been given, and accepts no other.
//!
//! The delta from `1234`, `5678`, `9abc` to `1234`, `7fff`, `9abc` (one of three places, the second; one entry of 16
//! bits and no prefix):
//!
//! ```text
//! 69736f64656c7431 02 00000003 00000001 00000001 bfff80 56
//! ```

use super::entries::{Entries, ListError, MAX_ENTRIES};
use super::packed::{Unpacker, pack, packed_len};
use super::subset::{self, Decoder, Fate};
use alloc::vec::Vec;
use core::cmp::Ordering;

/// What every delta starts with.
pub const MAGIC: &[u8; 8] = b"isodelt1";

/// What must be removed from and added to one list to get another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delta {
    from_len: u64,
    removed: Vec<u64>,
    added: Entries,
}

impl Delta {
    /// How many entries the list has to which it applies.
    pub fn from_len(&self) -> u64 {
        self.from_len
    }

    /// The places, counted from 0, of the entries that it removes from that list; ascending.
    pub fn removed(&self) -> &[u64] {
        &self.removed
    }

    /// The entries that it adds.
    pub fn added(&self) -> &Entries {
        &self.added
    }
}

/// A list as a delta made it, with the counts that rules 5 and 7 go by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// The new list.
    pub entries: Entries,
    /// How many entries the old one lost.
    pub removed: u64,
    /// How many entries are new.
    pub added: u64,
}

/// What turns `from` into `to`, which must have entries of one size.
pub fn diff(from: &Entries, to: &Entries) -> Result<Delta, ListError> {
    let mut differing = Differing::new(to);
    differing.take(from, |_| ())?;
    Ok(differing.finish())
}

/// [`diff`] for an old list that comes piece by piece; what was taken need not be kept.
pub struct Differing<'t> {
    to: &'t Entries,
    /// The first entry of `to` that is not dealt with.
    next: usize,
    from_len: u64,
    removed: Vec<u64>,
    added: Vec<u8>,
}

impl<'t> Differing<'t> {
    /// From nothing yet to `to`.
    pub fn new(to: &'t Entries) -> Self {
        Self { to, next: 0, from_len: 0, removed: Vec::new(), added: Vec::new() }
    }

    /// Takes the next entries of the old list, which must ascend from piece to piece; `gone` is told those that the new list
    /// does not have.
    pub fn take(&mut self, from: &Entries, mut gone: impl FnMut(&[u8])) -> Result<(), ListError> {
        let size = self.to.entry_size();
        if from.entry_size() != size {
            return Err(ListError::EntrySize { expected: from.entry_size(), found: size });
        }
        let rest = self.to.as_bytes().get(self.next * size..).unwrap_or_default();
        let mut new = rest.chunks_exact(size).peekable();
        for old in from {
            while let Some(entry) = new.next_if(|&entry| entry < old) {
                self.added.extend_from_slice(entry);
            }
            if new.next_if_eq(&old).is_none() {
                self.removed.push(self.from_len);
                gone(old);
            }
            self.from_len += 1;
        }
        self.next = self.to.len() - new.len();
        Ok(())
    }

    /// What turns all that was taken into the new list. Nothing is copied if that was nothing.
    pub fn finish(mut self) -> Delta {
        let size = self.to.entry_size();
        let added = if self.from_len == 0 {
            self.to.clone()
        } else {
            self.added.extend_from_slice(self.to.as_bytes().get(self.next * size..).unwrap_or_default());
            Entries::from_ascending(size, self.added)
        };
        Delta { from_len: self.from_len, removed: self.removed, added }
    }
}

/// The bytes of `delta`.
pub fn encode(delta: &Delta) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.push(delta.added.entry_size() as u8);
    for count in [delta.from_len as u32, delta.removed.len() as u32, delta.added.len() as u32] {
        bytes.extend_from_slice(&count.to_be_bytes());
    }
    bytes.extend_from_slice(&pack(&delta.added));
    bytes.extend_from_slice(&subset::encode(&delta.removed, delta.from_len));
    bytes
}

/// The list that the delta in `bytes` makes of `from`. What it says of sizes is checked against `from` and the length
/// of `bytes` before anything is computed or allocated by it; whether the result is the right list is for its root to
/// say.
pub fn apply(from: &Entries, bytes: &[u8]) -> Result<Applied, ListError> {
    let mut applying = Applying::new(bytes, from.entry_size(), from.len() as u64)?;
    let len = from.len() as u64 - applying.removed + applying.added;
    let mut entries = Vec::with_capacity(len as usize * from.entry_size());
    applying.take(from, |entry| entries.extend_from_slice(entry))?;
    let (removed, added) = applying.finish(|entry| entries.extend_from_slice(entry))?;
    Ok(Applied { entries: Entries::from_ascending(from.entry_size(), entries), removed, added })
}

/// [`apply`] for an old list that comes piece by piece, and a new one that goes entry by entry: neither need be in memory.
pub struct Applying<'b> {
    removals: Decoder<'b>,
    additions: Unpacker<'b>,
    /// Whether `additions` stands at an entry that is still to be put.
    more: bool,
    entry_size: usize,
    /// How many entries of the old list are still to come.
    left: u64,
    removed: u64,
    added: u64,
}

impl<'b> Applying<'b> {
    /// Of the delta in `bytes`, to a list of `from_len` entries of `entry_size` bytes. What it says of sizes is checked before
    /// anything is computed or allocated by it.
    pub fn new(bytes: &'b [u8], entry_size: usize, from_len: u64) -> Result<Self, ListError> {
        let parts = Parts::parse(entry_size, from_len, bytes)?;
        let mut additions = Unpacker::new(parts.additions, entry_size, parts.added, "delta")?;
        let removals = Decoder::new(parts.removals, from_len, parts.removed)
            .ok_or(malformed("it removes more entries than there are"))?;
        let more = additions.advance()?.is_some();
        let Parts { removed, added, .. } = parts;
        Ok(Self { removals, additions, more, entry_size, left: from_len, removed, added })
    }

    /// Takes the next entries of the old list, and gives those of the new one to `put`, in their order.
    #[inline]
    pub fn take(&mut self, from: &Entries, mut put: impl FnMut(&[u8])) -> Result<(), ListError> {
        if from.entry_size() != self.entry_size {
            return Err(ListError::EntrySize { expected: from.entry_size(), found: self.entry_size });
        }
        let taken = from.len() as u64;
        self.left = self.left.checked_sub(taken).ok_or(ListError::Length { expected: taken, found: self.left })?;
        for old in from {
            while self.more {
                match self.additions.entry().cmp(old) {
                    Ordering::Less => put(self.additions.entry()),
                    Ordering::Equal => return Err(malformed("it adds an entry that the list has already")),
                    Ordering::Greater => break,
                }
                self.more = self.additions.advance()?.is_some();
            }
            if self.removals.next_fate() == Fate::Kept {
                put(old);
            }
        }
        Ok(())
    }

    /// Gives the last entries to `put` once the old list was taken as a whole; then how many entries it removed and added.
    pub fn finish(mut self, mut put: impl FnMut(&[u8])) -> Result<(u64, u64), ListError> {
        if self.left > 0 {
            return Err(malformed("it is for a longer list"));
        }
        while self.more {
            put(self.additions.entry());
            self.more = self.additions.advance()?.is_some();
        }
        if !self.removals.was_canonical() {
            return Err(malformed("its removals are not in their one form"));
        }
        Ok((self.removed, self.added))
    }
}

const fn malformed(why: &'static str) -> ListError {
    ListError::Malformed { what: "delta", why }
}

/// A delta, taken apart.
struct Parts<'b> {
    removed: u64,
    added: u64,
    additions: &'b [u8],
    removals: &'b [u8],
}

impl<'b> Parts<'b> {
    fn parse(entry_size: usize, expected: u64, bytes: &'b [u8]) -> Result<Self, ListError> {
        const SHORT: ListError = malformed("it ends too early");
        let rest = bytes.strip_prefix(MAGIC).ok_or(malformed("it does not start as one"))?;
        let (&size, rest) = rest.split_first().ok_or(SHORT)?;
        let (from_len, rest) = split_count(rest).ok_or(SHORT)?;
        let (removed, rest) = split_count(rest).ok_or(SHORT)?;
        let (added, rest) = split_count(rest).ok_or(SHORT)?;
        if usize::from(size) != entry_size {
            return Err(ListError::EntrySize { expected: entry_size, found: size.into() });
        }
        if from_len != expected {
            return Err(ListError::Length { expected, found: from_len });
        }
        if (from_len + added).saturating_sub(removed) > MAX_ENTRIES {
            return Err(ListError::TooMany);
        }
        let packed = packed_len(entry_size, added).and_then(|len| usize::try_from(len).ok());
        let (additions, removals) = packed.and_then(|len| rest.split_at_checked(len)).ok_or(SHORT)?;
        Ok(Self { removed, added, additions, removals })
    }
}

fn split_count(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (count, rest) = bytes.split_first_chunk()?;
    Some((u32::from_be_bytes(*count).into(), rest))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{lists, scattered};
    use super::*;
    use crate::encoding::to_hex;
    use proptest::prelude::*;

    fn list(entries: &[u16]) -> Entries {
        Entries::from_sorted(2, entries.iter().flat_map(|entry| entry.to_be_bytes()).collect()).unwrap()
    }

    fn delta(from: &Entries, to: &Entries) -> Vec<u8> {
        encode(&diff(from, to).unwrap())
    }

    #[test]
    fn the_example_of_the_format() {
        let (from, to) = (list(&[0x1234, 0x5678, 0x9abc]), list(&[0x1234, 0x7fff, 0x9abc]));
        let bytes = delta(&from, &to);
        assert_eq!(to_hex(&bytes), "69736f64656c743102000000030000000100000001bfff8056");
        assert_eq!(apply(&from, &bytes), Ok(Applied { entries: to, removed: 1, added: 1 }));
    }

    #[test]
    fn an_entry_is_never_added_twice() {
        let from = list(&[10, 20, 30]);
        for (removed, why) in [(&[][..], "kept"), (&[1], "removed and added again")] {
            let delta = Delta { from_len: 3, removed: removed.to_vec(), added: list(&[15, 20]) };
            let refused = apply(&from, &encode(&delta));
            assert_eq!(refused, Err(malformed("it adds an entry that the list has already")), "{why}");
        }
    }

    #[test]
    fn a_delta_for_another_list_is_told_as_such() {
        let bytes = delta(&list(&[1, 2, 3]), &list(&[1, 2, 4]));
        assert_eq!(apply(&list(&[1, 2]), &bytes), Err(ListError::Length { expected: 2, found: 3 }));
        let other = Entries::from_sorted(1, [1, 2, 3].to_vec()).unwrap();
        assert_eq!(apply(&other, &bytes), Err(ListError::EntrySize { expected: 1, found: 2 }));
        assert_eq!(diff(&list(&[1]), &other), Err(ListError::EntrySize { expected: 2, found: 1 }));
    }

    #[test]
    fn a_list_that_is_too_long_or_too_short_is_refused() {
        let (from, to) = (list(&[1, 2, 3]), list(&[1, 4]));
        let bytes = delta(&from, &to);
        let mut short = Applying::new(&bytes, 2, 3).unwrap();
        short.take(&list(&[1, 2]), |_| ()).unwrap();
        assert_eq!(short.finish(|_| ()), Err(malformed("it is for a longer list")));
        let mut long = Applying::new(&bytes, 2, 3).unwrap();
        long.take(&from, |_| ()).unwrap();
        assert!(matches!(long.take(&list(&[9]), |_| ()), Err(ListError::Length { .. })));
    }

    #[test]
    fn absurd_counts_are_refused_before_anything_is_allocated() {
        let from = list(&[1, 2, 3]);
        let bytes = delta(&from, &list(&[1, 2, 4]));
        for count in [4, 1 << 10, 1 << 20, 1 << 31, u32::MAX] {
            for at in [13, 17] {
                let mut bomb = bytes.clone();
                bomb[at..at + 4].copy_from_slice(&u32::to_be_bytes(count));
                let refused = apply(&from, &bomb);
                assert!(matches!(refused, Err(ListError::Malformed { .. } | ListError::TooMany)), "{refused:?}");
            }
        }
    }

    #[test]
    fn nothing_may_follow_or_be_missing() {
        let from = scattered(16, 300, 1);
        let bytes = delta(&from, &scattered(16, 300, 2));
        assert!(apply(&from, &bytes).is_ok());
        assert!(apply(&from, &[&bytes[..], &[0]].concat()).is_err());
        assert!(apply(&from, &bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn a_large_change_is_within_one_percent_of_the_bound() {
        let before = scattered(32, 100_000, 1);
        for (one_in, bound) in [(1_000, 3_280), (100, 31_900)] {
            let kept = before.iter().enumerate().filter(|(place, _)| place % one_in != 0).map(|(_, entry)| entry);
            let new = scattered(32, 100_000 / one_in, 2);
            let after = Entries::from_unsorted(32, kept.chain(&new).collect::<Vec<_>>().concat()).unwrap().0;
            let bytes = delta(&before, &after);
            assert!(bytes.len() <= bound + bound / 100, "1 in {one_in}: {} bytes", bytes.len());
            assert_eq!(apply(&before, &bytes).unwrap().entries, after);
        }
    }

    proptest! {
        #[test]
        fn a_difference_applied_gives_the_other_list(from in lists(1), to in lists(1)) {
            let difference = diff(&from, &to).unwrap();
            let applied = apply(&from, &encode(&difference)).unwrap();
            prop_assert_eq!(applied.entries, to);
            prop_assert_eq!(applied.removed, difference.removed().len() as u64);
            prop_assert_eq!(applied.added, difference.added().len() as u64);
        }

        #[test]
        fn in_pieces_it_is_the_same(from in lists(1), to in lists(1), piece in 1usize..50) {
            let pieces = || from.as_bytes().chunks(piece).map(|piece| Entries::from_sorted(1, piece.to_vec()).unwrap());
            let (mut differing, mut gone) = (Differing::new(&to), Vec::new());
            pieces().for_each(|piece| differing.take(&piece, |entry| gone.extend_from_slice(entry)).unwrap());
            let difference = differing.finish();
            prop_assert_eq!(&difference, &diff(&from, &to).unwrap());
            let removed = difference.removed().iter().flat_map(|&place| from.get(place as usize).unwrap());
            prop_assert!(gone.iter().eq(removed));
            let bytes = encode(&difference);
            let mut applying = Applying::new(&bytes, 1, from.len() as u64).unwrap();
            let mut made = Vec::new();
            pieces().for_each(|piece| applying.take(&piece, |entry| made.extend_from_slice(entry)).unwrap());
            applying.finish(|entry| made.extend_from_slice(entry)).unwrap();
            prop_assert_eq!(&made, to.as_bytes());
        }

        #[test]
        fn changed_bytes_are_refused_or_another_delta(
            from in lists(1), to in lists(1), at: prop::sample::Index, byte: u8,
        ) {
            let mut bytes = delta(&from, &to);
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(applied) = apply(&from, &bytes) {
                prop_assert_eq!(delta(&from, &applied.entries), bytes);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(
            from in lists(1), removed in 0u32..50, added in 0u32..10, magic: bool, bytes: Vec<u8>,
        ) {
            let counts = [from.len() as u32, removed, added].map(u32::to_be_bytes).concat();
            let bytes = if magic { [MAGIC, &[1][..], &counts, &bytes].concat() } else { bytes };
            if let Ok(applied) = apply(&from, &bytes) {
                prop_assert_eq!(delta(&from, &applied.entries), bytes);
            }
        }
    }
}
