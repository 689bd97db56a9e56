//! New entries that are near to another one, found without an index of the list.
//!
//! Two hashes that differ in at most [`NEAR`] bits are the same in at least one of [`PARTS`] parts, since each bit stands in one
//! part alone. So for one part after the other, the entries that have it in common with a new one are gathered, eight bytes
//! each, and sorted by it; entries that stand together then are compared. A first look at a table of bits leaves out nearly
//! all that have nothing in common with a new entry.
//!
//! Of one part in common, an entry is compared with the next [`REACH`] others: what has more in common by chance is no PDQ
//! hash, and among variants of one picture each is near to the next.

use isonomy_core::list::{Algorithm, Entries};

/// Entries that differ in at most so many bits are too near to each other.
pub(super) const NEAR: u32 = 8;
/// Parts of a hash: one more than bits that may differ.
const PARTS: usize = NEAR as usize + 1;
/// With how many others an entry is compared for one part.
const REACH: usize = 128;
/// The most new entries that are compared with all others.
const COMPARED: usize = 1 << 20;
/// Bits of the table for each new entry.
const TABLE_BITS: usize = 8;

/// A PDQ hash.
type Hash = [u8; 32];

/// What was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Nearby {
    /// How many new entries were compared with all others.
    pub(super) compared: usize,
    /// The places in the list of those that are near to another one, ascending.
    pub(super) near: Vec<usize>,
}

/// The new entries, `added`, that are near to another entry of `after`. Of very many an even selection is compared. The frames
/// of one video are near to each other by nature, and don't count.
pub(super) fn find(algorithm: Algorithm, after: &Entries, added: &Entries) -> Nearby {
    let probes = Probes::select(after, added);
    let list = List { algorithm, after };
    let mut near = Bits::new(after.len());
    let mut gathered = Vec::new();
    for part in 0..PARTS {
        gathered.clear();
        probes.gather(&list, part, &mut gathered);
        gathered.sort_unstable();
        mark(&list, &probes, &gathered, &mut near);
    }
    Nearby { compared: probes.count, near: (0..after.len()).filter(|&index| near.has(index)).collect() }
}

/// Compares what stands together.
fn mark(list: &List<'_>, probes: &Probes, gathered: &[u64], near: &mut Bits) {
    for (at, &one) in gathered.iter().enumerate() {
        let others = gathered[at + 1..].iter().take(REACH).take_while(|&&other| part_of(other) == part_of(one));
        for &other in others {
            let (one, other) = (index_of(one), index_of(other));
            let is_open = |index| probes.is_one(index) && !near.has(index);
            if (is_open(one) || is_open(other)) && list.are_near(one, other) {
                [one, other].into_iter().filter(|&index| probes.is_one(index)).for_each(|index| near.set(index));
            }
        }
    }
}

/// A part and the number of its entry, as one number.
fn gathered(part: u32, index: usize) -> u64 {
    u64::from(part) << 32 | index as u64
}

fn part_of(gathered: u64) -> u32 {
    (gathered >> 32) as u32
}

fn index_of(gathered: u64) -> usize {
    (gathered & u64::from(u32::MAX)) as usize
}

/// The list, by the hashes of its entries.
struct List<'a> {
    algorithm: Algorithm,
    after: &'a Entries,
}

impl List<'_> {
    fn hash(&self, index: usize) -> &Hash {
        let entry = self.after.get(index).unwrap_or_default();
        self.algorithm.hash_of(entry).as_array().unwrap_or(&[0; 32])
    }

    /// Every ninth byte of a hash, from a first one on: neighbouring bytes of a PDQ hash are not independent.
    fn part(&self, index: usize, part: usize) -> u32 {
        let hash = self.hash(index);
        let byte = |at: usize| hash.get(part + at * PARTS).copied().unwrap_or(0);
        u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
    }

    fn are_near(&self, one: usize, other: usize) -> bool {
        let words = |index: usize| self.hash(index).as_chunks::<8>().0;
        let apart = |(a, b): (&[u8; 8], &[u8; 8])| (u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b)).count_ones();
        let distance: u32 = words(one).iter().zip(words(other)).map(apart).sum();
        distance <= NEAR && !are_of_one_video(self.algorithm, self.after, one, other)
    }
}

/// Whether two entries are frames of the same video.
pub(super) fn are_of_one_video(algorithm: Algorithm, after: &Entries, one: usize, other: usize) -> bool {
    let prefix = algorithm.entry_size() - algorithm.hash_size();
    let video = |index: usize| after.get(index).unwrap_or_default().get(..prefix);
    prefix > 0 && video(one) == video(other)
}

/// The new entries that are compared.
struct Probes {
    places: Bits,
    count: usize,
    /// Whether every entry is one.
    are_all: bool,
}

impl Probes {
    fn select(after: &Entries, added: &Entries) -> Self {
        let step = added.len().div_ceil(COMPARED).max(1);
        let mut places = Bits::new(after.len());
        let mut count = 0;
        let mut wanted = added.iter().step_by(step).peekable();
        for (index, entry) in after.iter().enumerate() {
            if wanted.next_if(|wanted| *wanted == entry).is_some() {
                places.set(index);
                count += 1;
            }
        }
        Self { places, count, are_all: count == after.len() }
    }

    fn is_one(&self, index: usize) -> bool {
        self.places.has(index)
    }

    /// All entries whose part may be that of a probe.
    fn gather(&self, list: &List<'_>, part: usize, into: &mut Vec<u64>) {
        let len = list.after.len();
        if self.are_all {
            into.extend((0..len).map(|index| gathered(list.part(index, part), index)));
            return;
        }
        let bits = (self.count * TABLE_BITS).next_power_of_two().max(64);
        let place = |part: u32| (part.wrapping_mul(0x9e37_79b1) >> (32 - bits.ilog2())) as usize;
        let mut table = Bits::new(bits);
        (0..len).filter(|&index| self.is_one(index)).for_each(|index| table.set(place(list.part(index, part))));
        let parts = (0..len).map(|index| (list.part(index, part), index));
        into.extend(parts.filter(|(part, _)| table.has(place(*part))).map(|(part, index)| gathered(part, index)));
    }
}

/// A bit for each of so many places.
struct Bits(Vec<u64>);

impl Bits {
    fn new(len: usize) -> Self {
        Self(vec![0; len.div_ceil(64)])
    }

    fn has(&self, at: usize) -> bool {
        self.0[at / 64] >> (at % 64) & 1 == 1
    }

    fn set(&mut self, at: usize) {
        self.0[at / 64] |= 1 << (at % 64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::entries;
    use proptest::prelude::*;

    fn list(size: usize, bytes: Vec<u8>) -> Entries {
        Entries::from_unsorted(size, bytes).unwrap().0
    }

    fn flipped(entry: &[u8], bits: &[u8]) -> Vec<u8> {
        let mut entry = entry.to_vec();
        bits.iter().for_each(|bit| entry[usize::from(bit / 8)] ^= 1 << (bit % 8));
        entry
    }

    /// The same by comparing everything.
    fn plainly(after: &Entries, added: &Entries) -> Vec<usize> {
        let apart = |a: &[u8], b: &[u8]| a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
        let is_near = |entry: &[u8]| after.iter().any(|other| other != entry && apart(other, entry) <= NEAR);
        let new = after.iter().enumerate().filter(|(_, entry)| added.contains(entry));
        new.filter(|(_, entry)| is_near(entry)).map(|(index, _)| index).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_finds_what_comparing_everything_finds(
            variants in proptest::collection::vec((0usize..100, proptest::collection::vec(any::<u8>(), 0..12)), 0..40),
            old in 0usize..100,
        ) {
            let base = entries(1, 100);
            let mut bytes = base.as_bytes().to_vec();
            variants.iter().for_each(|(of, bits)| bytes.extend(flipped(base.get(*of).unwrap(), bits)));
            let after = list(32, bytes);
            // Whatever is no longer new.
            let added = after.iter().enumerate().filter(|(index, _)| index % 100 >= old).flat_map(|(_, entry)| entry.to_vec());
            let added = list(32, added.collect());
            let found = find(Algorithm::PdqFull, &after, &added);
            prop_assert_eq!(found.compared, added.len());
            prop_assert_eq!(found.near, plainly(&after, &added));
        }
    }

    #[test]
    fn every_bit_of_a_hash_counts_in_one_part() {
        let base = entries(1, 1).get(0).unwrap().to_vec();
        for bit in 0..=255 {
            let after = list(32, [base.clone(), flipped(&base, &[bit])].concat());
            let list = List { algorithm: Algorithm::PdqFull, after: &after };
            let differing = (0..PARTS).filter(|&part| list.part(0, part) != list.part(1, part)).count();
            assert_eq!(differing, 1, "bit {bit}");
        }
    }

    #[test]
    fn very_many_variants_of_one_picture_are_all_found() {
        let base = entries(1, 1).get(0).unwrap().to_vec();
        let pairs = (0..=255u8).flat_map(|one| (one..=255).map(move |other| [one, other]));
        let after = list(32, pairs.flat_map(|bits| flipped(&base, &bits)).collect());
        assert_eq!(after.len(), 1 + 255 * 128, "each bit twice is none");
        assert_eq!(find(Algorithm::PdqFull, &after, &after).near.len(), after.len());
    }

    #[test]
    fn frames_of_one_video_are_near_by_nature() {
        let hash = entries(1, 1).get(0).unwrap().to_vec();
        let frame = |video: u8, bits: &[u8]| [vec![video; 16], flipped(&hash, bits)].concat();
        let one = list(48, [frame(1, &[]), frame(1, &[3])].concat());
        assert!(find(Algorithm::VpdqV1, &one, &one).near.is_empty());
        let two = list(48, [frame(1, &[]), frame(2, &[3])].concat());
        assert_eq!(find(Algorithm::VpdqV1, &two, &two).near, [0, 1]);
    }
}
