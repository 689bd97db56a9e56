//! The packed form of a list, which snapshots and deltas share; [`super::snapshot`] defines it.

use super::bits::{BitReader, BitWriter};
use super::entries::{Entries, ListError, MAX_ENTRIES, MAX_ENTRY_SIZE, check_entry_size};
use alloc::vec::Vec;
use core::convert::Infallible;

const TOO_FEW: &str = "fewer entries than it says";
const BEYOND: &str = "an entry beyond the greatest";
const TRAILING: &str = "a bit is set after the last entry";

/// The sizes that follow from the size and number of entries.
#[derive(Clone, Copy)]
struct Shape {
    prefix_bits: u32,
    suffix_bits: u64,
    total_bits: u64,
}

impl Shape {
    /// The shape of `count` entries, of which there is at least one; `None` if there can't be so many.
    fn new(entry_size: usize, count: u64) -> Option<Self> {
        let entry_bits = entry_size as u64 * 8;
        let prefix_bits = count.checked_sub(1)?.checked_ilog2().map_or(0, |log| log + 1);
        let suffix_bits = entry_bits.checked_sub(u64::from(prefix_bits))?;
        let total_bits = count * (suffix_bits + 1) + (1 << prefix_bits) - 1;
        Some(Self { prefix_bits, suffix_bits, total_bits })
    }
}

/// The number of bytes in which `count` entries are packed; `None` if no list can have so many.
pub(super) fn packed_len(entry_size: usize, count: u64) -> Option<u64> {
    if count > MAX_ENTRIES || check_entry_size(entry_size).is_err() {
        return None;
    }
    if count == 0 {
        return Some(0);
    }
    Shape::new(entry_size, count).map(|shape| shape.total_bits.div_ceil(8))
}

/// The packed form of `entries`.
pub(super) fn pack(entries: &Entries) -> Vec<u8> {
    let bytes = packed_len(entries.entry_size(), entries.len() as u64).unwrap_or_default();
    let Ok(packed) = pack_with(entries, bytes as usize, |_| Ok::<(), Infallible>(()));
    packed
}

/// The packed form of `entries`, in pieces of some 64 kB, each given to `put` as soon as it is made.
pub(super) fn pack_to<E>(entries: &Entries, mut put: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    let rest = pack_with(entries, 2 * PIECE, |writer| {
        if writer.full_bytes().len() < PIECE {
            return Ok(());
        }
        put(writer.full_bytes())?;
        writer.drop_full_bytes();
        Ok(())
    })?;
    put(&rest)
}

/// Packs entry by entry; `entry_packed` may take full bytes away after each. Gives what is left in the end.
fn pack_with<E>(
    entries: &Entries,
    capacity: usize,
    mut entry_packed: impl FnMut(&mut BitWriter) -> Result<(), E>,
) -> Result<Vec<u8>, E> {
    let Some(shape) = Shape::new(entries.entry_size(), entries.len() as u64) else {
        return Ok(Vec::new());
    };
    let mut writer = BitWriter::with_capacity(capacity);
    let mut last_prefix = 0;
    for entry in entries {
        let mut reader = BitReader::new(entry);
        let prefix = reader.read(shape.prefix_bits);
        writer.put_zeros(prefix - last_prefix);
        writer.put(1, 1);
        reader.copy_to(&mut writer, shape.suffix_bits);
        last_prefix = prefix;
        entry_packed(&mut writer)?;
    }
    writer.put_zeros((1 << shape.prefix_bits) - 1 - last_prefix);
    Ok(writer.finish())
}

/// How much is copied at once of what is there as a whole.
const PIECE: usize = 64 * 1024;

/// The list of `count` entries whose packed form is `bytes`, whose length is checked before anything else.
pub(super) fn unpack(bytes: &[u8], entry_size: usize, count: u64, what: &'static str) -> Result<Entries, ListError> {
    let mut unpacking = Unpacking::new(bytes.len() as u64, entry_size, count, what)?;
    bytes.chunks(PIECE).try_for_each(|piece| unpacking.take(piece))?;
    unpacking.finish()
}

/// Unpacks a list as its packed form comes, piece by piece: what was taken need not be kept.
pub(super) struct Unpacking {
    shape: Option<Shape>,
    what: &'static str,
    entry_size: usize,
    /// The prefix of the last entry, and the zeros since then.
    prefix: u64,
    entries: Vec<u8>,
    /// How many bytes all entries have.
    size: usize,
    /// What was taken and not read yet; of its first byte the first so many bits were.
    rest: Vec<u8>,
    skip: u64,
}

impl Unpacking {
    /// Of `count` entries, from `length` bytes, which is checked before anything is allocated.
    pub(super) fn new(length: u64, entry_size: usize, count: u64, what: &'static str) -> Result<Self, ListError> {
        if packed_len(entry_size, count) != Some(length) {
            return Err(ListError::Malformed { what, why: "its length does not fit the number of entries" });
        }
        let too_many = ListError::Malformed { what, why: "more entries than fit into this machine's memory" };
        let size = usize::try_from(count).ok().and_then(|count| count.checked_mul(entry_size)).ok_or(too_many)?;
        let (shape, entries) = (Shape::new(entry_size, count), Vec::with_capacity(size));
        Ok(Self { shape, what, entry_size, prefix: 0, entries, size, rest: Vec::new(), skip: 0 })
    }

    /// Takes the next bytes.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<(), ListError> {
        self.rest.extend_from_slice(piece);
        let Some(shape) = self.shape else { return Ok(()) };
        let mut reader = BitReader::starting_at(&self.rest, self.skip);
        let malformed = |why| ListError::Malformed { what: self.what, why };
        while self.entries.len() < self.size {
            let before = reader.position();
            let Some(zeros) = reader.read_zeros() else {
                self.prefix += reader.len() - before;
                reader.seek(reader.len());
                break;
            };
            let prefix = self.prefix + zeros;
            if prefix >> shape.prefix_bits != 0 {
                return Err(malformed(BEYOND));
            }
            if reader.len() - reader.position() < shape.suffix_bits {
                reader.seek(before);
                break;
            }
            self.prefix = prefix;
            let mut entry = [0; MAX_ENTRY_SIZE];
            // The constant sizes let the compiler unroll what is most of a client's work besides hashing.
            match self.entry_size {
                16 => read_entry(&mut reader, self.prefix, shape.prefix_bits, &mut entry[..16]),
                20 => read_entry(&mut reader, self.prefix, shape.prefix_bits, &mut entry[..20]),
                32 => read_entry(&mut reader, self.prefix, shape.prefix_bits, &mut entry[..32]),
                size => read_entry(&mut reader, self.prefix, shape.prefix_bits, &mut entry[..size]),
            }
            self.entries.extend_from_slice(&entry[..self.entry_size]);
        }
        if self.entries.len() == self.size {
            if reader.read_zeros().is_some() {
                return Err(malformed(TRAILING));
            }
            reader.seek(reader.len());
        }
        let position = reader.position();
        self.skip = position % 8;
        self.rest.drain(..(position / 8) as usize);
        Ok(())
    }

    /// The list, once all bytes were taken.
    pub(super) fn finish(self) -> Result<Entries, ListError> {
        if self.entries.len() < self.size {
            return Err(ListError::Malformed { what: self.what, why: TOO_FEW });
        }
        Entries::from_sorted(self.entry_size, self.entries)
    }
}

/// Reads packed entries one after the other, so that nobody needs memory for all of them.
pub(super) struct Unpacker<'b> {
    reader: BitReader<'b>,
    shape: Option<Shape>,
    what: &'static str,
    entry_size: usize,
    prefix: u64,
    count: u64,
    /// How many were read.
    index: u64,
    entry: [u8; MAX_ENTRY_SIZE],
}

impl<'b> Unpacker<'b> {
    /// As [`unpack`]; stands before the first entry.
    pub(super) fn new(bytes: &'b [u8], entry_size: usize, count: u64, what: &'static str) -> Result<Self, ListError> {
        if packed_len(entry_size, count) != Some(bytes.len() as u64) {
            return Err(ListError::Malformed { what, why: "its length does not fit the number of entries" });
        }
        let (shape, reader) = (Shape::new(entry_size, count), BitReader::new(bytes));
        Ok(Self { reader, shape, what, entry_size, prefix: 0, count, index: 0, entry: [0; MAX_ENTRY_SIZE] })
    }

    /// Goes to the next entry, which must be greater than the one before; `None` after the last one.
    pub(super) fn advance(&mut self) -> Result<Option<&[u8]>, ListError> {
        let malformed = |why| ListError::Malformed { what: self.what, why };
        let Some(shape) = self.shape.filter(|_| self.index < self.count) else {
            return if self.reader.read_zeros().is_some() { Err(malformed(TRAILING)) } else { Ok(None) };
        };
        self.prefix += self.reader.read_zeros().ok_or(malformed(TOO_FEW))?;
        if self.prefix >> shape.prefix_bits != 0 {
            return Err(malformed(BEYOND));
        }
        let before = self.entry;
        read_entry(&mut self.reader, self.prefix, shape.prefix_bits, &mut self.entry[..self.entry_size]);
        if self.index > 0 && before >= self.entry {
            return Err(ListError::NotAscending { index: self.index });
        }
        self.index += 1;
        Ok(Some(&self.entry[..self.entry_size]))
    }

    /// The entry at which it stands.
    pub(super) fn entry(&self) -> &[u8] {
        &self.entry[..self.entry_size]
    }
}

/// Puts an entry together: its prefix, and from `reader` the rest, in words of 64 bits, the last one shorter if need be. The
/// prefix always fits into the first word: it has at most 32 bits, and no more than the entry.
#[inline(always)]
fn read_entry(reader: &mut BitReader<'_>, prefix: u64, prefix_bits: u32, entry: &mut [u8]) {
    let (mut value, mut bits) = (prefix, prefix_bits);
    for word in entry.chunks_mut(8) {
        let more = (8 * word.len() as u32).saturating_sub(bits);
        let whole = value.checked_shl(more).unwrap_or(0) | reader.read(more);
        word.copy_from_slice(&whole.to_be_bytes()[8 - word.len()..]);
        (value, bits) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{lists, scattered};
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    /// log2 C(2^bits, n), for n far below 2^bits.
    fn bound(bits: u64, n: u64) -> f64 {
        let factorial = if n < 1_000 {
            (1..=n).map(|k| (k as f64).log2()).sum()
        } else {
            let n = n as f64; // by Stirling's series
            (n * (n.ln() - 1.0) + 0.5 * (core::f64::consts::TAU * n).ln() + 1.0 / (12.0 * n))
                * core::f64::consts::LOG2_E
        };
        (bits * n) as f64 - factorial
    }

    #[test]
    fn the_size_is_within_one_percent_of_the_bound_for_every_number_of_entries() {
        let powers = (0..=24).flat_map(|log| [(1u64 << log) - 1, 1 << log, (1 << log) + 1]);
        let decades = (0..8).flat_map(|decade| (1..10).map(move |digit| digit * 10u64.pow(decade)));
        for n in powers.chain(decades).filter(|&n| n > 0) {
            for entry_size in [16, 20, 32] {
                let limit = bound(entry_size as u64 * 8, n) * 1.01;
                let bits = Shape::new(entry_size, n).unwrap().total_bits as f64;
                assert!(bits <= limit, "{n} entries of {entry_size} bytes: {bits} > {limit}");
            }
        }
    }

    #[test]
    fn the_size_is_as_computed_whatever_the_entries() {
        for entry_size in [1, 2, 16, 20, 32] {
            for len in [0, 1, 2, 3, 4, 5, 100, 255, 256, 257, 5_000] {
                let entries = scattered(entry_size, len, 1);
                let count = entries.len() as u64;
                let bytes = pack(&entries);
                assert_eq!(Some(bytes.len() as u64), packed_len(entry_size, count), "{entries:?}");
                assert_eq!(unpack(&bytes, entry_size, count, "list"), Ok(entries));
            }
        }
    }

    #[test]
    fn all_entries_that_there_are_can_be_packed() {
        let all = Entries::from_sorted(1, (0..=255).collect()).unwrap();
        assert_eq!(unpack(&pack(&all), 1, 256, "list"), Ok(all));
        assert_eq!(packed_len(1, 257), None);
    }

    #[test]
    fn absurd_counts_are_refused_before_anything_is_allocated() {
        for count in [1, 2, 1 << 20, MAX_ENTRIES, MAX_ENTRIES + 1, 1 << 60, u64::MAX] {
            let refused = unpack(&[0xff; 10], 32, count, "list");
            assert!(matches!(refused, Err(ListError::Malformed { .. })), "{count}");
        }
    }

    #[test]
    fn nothing_but_the_one_form_is_accepted() {
        let packed = pack(&Entries::from_sorted(1, vec![3, 200]).unwrap());
        assert_eq!(packed, [0b1000_0011, 0b0110_0100, 0b0000_0000]);
        for (bytes, why) in [
            ([0b1000_0011, 0b0110_0100, 0b0000_0001], "a bit is set after the last entry"),
            ([0b1000_0011, 0b1110_0100, 0b0100_0000], "a bit is set after the last entry"),
            ([0b1000_0011, 0b0000_0000, 0b0000_0000], "fewer entries than it says"),
            ([0b0011_0010, 0b0010_0000, 0b0000_0000], "an entry beyond the greatest"),
        ] {
            assert_eq!(unpack(&bytes, 1, 2, "list"), Err(ListError::Malformed { what: "list", why }));
        }
        let descending = [0b1000_0011, 0b1000_0010, 0];
        assert_eq!(unpack(&descending, 1, 2, "list"), Err(ListError::NotAscending { index: 1 }));
    }

    #[test]
    fn an_entry_beyond_the_greatest_is_refused_for_that_even_if_bits_lack() {
        let mut bytes = vec![32, 0, 65, 0, 64, 0, 0, 1, 0, 0];
        bytes.truncate(packed_len(2, 4).unwrap() as usize);
        assert_eq!(unpack(&bytes, 2, 4, "list"), Err(ListError::Malformed { what: "list", why: BEYOND }));
    }

    proptest! {
        #[test]
        fn lists_come_back(entries in prop_oneof![lists(1), lists(2), lists(3), lists(16), lists(64)]) {
            let bytes = pack(&entries);
            let mut unpacker = Unpacker::new(&bytes, entries.entry_size(), entries.len() as u64, "list").unwrap();
            for entry in &entries {
                prop_assert_eq!(unpacker.advance(), Ok(Some(entry)));
                prop_assert_eq!(unpacker.entry(), entry);
            }
            prop_assert_eq!(unpacker.advance(), Ok(None));
            prop_assert_eq!(unpack(&bytes, entries.entry_size(), entries.len() as u64, "list"), Ok(entries));
        }

        #[test]
        fn entry_by_entry_says_the_same_as_all_together(
            entry_size in 1usize..3,
            count in 0u64..12,
            mut bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0)], 30),
        ) {
            bytes.truncate(packed_len(entry_size, count).unwrap() as usize);
            let mut unpacker = Unpacker::new(&bytes, entry_size, count, "list").unwrap();
            let mut singly = Vec::new();
            let outcome = loop {
                match unpacker.advance() {
                    Ok(Some(entry)) => singly.extend_from_slice(entry),
                    Ok(None) => break Ok(singly),
                    Err(error) => break Err(error),
                }
            };
            let together = unpack(&bytes, entry_size, count, "list").map(Entries::into_bytes);
            // Together, the order is checked last.
            let descends = matches!(outcome, Err(ListError::NotAscending { .. }));
            prop_assert!(outcome == together || descends && together.is_err(), "{:?}, {:?}", outcome, together);
        }

        #[test]
        fn in_pieces_it_is_the_same_as_in_one(
            entry_size in 1usize..3,
            count in 0u64..12,
            mut bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0)], 30),
            piece in 1usize..9,
        ) {
            bytes.truncate(packed_len(entry_size, count).unwrap() as usize);
            let mut unpacking = Unpacking::new(bytes.len() as u64, entry_size, count, "list").unwrap();
            let taken = bytes.chunks(piece).try_for_each(|piece| unpacking.take(piece));
            let list = taken.and_then(|()| unpacking.finish());
            prop_assert_eq!(list, unpack(&bytes, entry_size, count, "list"));
        }

        #[test]
        fn lists_come_back_in_pieces(entries in prop_oneof![lists(1), lists(16), lists(32), lists(64)], piece in 1usize..200) {
            let bytes = pack(&entries);
            let (size, count) = (entries.entry_size(), entries.len() as u64);
            let mut unpacking = Unpacking::new(bytes.len() as u64, size, count, "list").unwrap();
            bytes.chunks(piece).try_for_each(|piece| unpacking.take(piece)).unwrap();
            prop_assert_eq!(unpacking.finish(), Ok(entries));
        }

        #[test]
        fn whatever_unpacks_packs_into_the_same_bytes(
            entry_size in 1usize..3,
            count in 0u64..12,
            mut bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0)], 30),
        ) {
            bytes.truncate(packed_len(entry_size, count).unwrap() as usize);
            if let Ok(entries) = unpack(&bytes, entry_size, count, "list") {
                prop_assert_eq!(entries.len() as u64, count);
                prop_assert_eq!(pack(&entries), bytes);
            }
        }
    }
}
