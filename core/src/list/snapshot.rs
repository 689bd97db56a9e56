//! A whole list as bytes.
//!
//! ```text
//! isosnap1   8 bytes of ASCII: the format and its version
//! size       1 byte: how many bytes an entry has
//! entries    4 bytes, big-endian: how many entries there are, n
//! packed     all entries, Elias–Fano-coded
//! ```
//!
//! The packed form is laid out entry by entry. Let b be the bits in an entry and h = ⌈log2 n⌉. The first h bits of an
//! entry are its *prefix*, the other b − h its *suffix*. For each entry there are as many zeros as its prefix is
//! greater than the one before (0 for the first entry), a one, and the suffix; then zeros up to exactly
//! n (b − h + 1) + 2^h − 1 bits; then zeros up to a whole byte. Bits fill bytes from the most significant one. Without
//! entries there are no bits.
//!
//! So a snapshot's size follows from the size and number of entries alone ([`encoded_len`]), and nothing in it is a free
//! choice: a list has one snapshot. It is at most 0.56 bits for each entry, and never 1 %, above the bound
//! log2 C(2^b, n) if entries have 128 bits or more.
//!
//! The snapshot of `1234`, `5678` and `9abc` (b = 16, n = 3, h = 2, 48 bits):
//!
//! ```text
//! 69736f736e617031 02 00000003 a468acf0b578
//!
//! 1 01001000110100   prefix 0, suffix 1234
//! 01 01011001111000  prefix 1, suffix 1678
//! 01 01101010111100  prefix 2, suffix 1abc
//! 0                  no entry with prefix 3
//! ```

use super::entries::{Entries, ListError};
use super::packed::{Unpacking, pack, pack_to, packed_len, unpack};
use alloc::vec::Vec;

/// What every snapshot starts with.
pub const MAGIC: &[u8; 8] = b"isosnap1";

/// Bytes before the packed form.
const HEADER_SIZE: usize = MAGIC.len() + 1 + 4;

/// The size of the snapshot of a list of `len` entries of `entry_size` bytes, which depends on nothing else; `None` if
/// there is no such list.
pub fn encoded_len(entry_size: usize, len: u64) -> Option<u64> {
    packed_len(entry_size, len).map(|packed| packed + HEADER_SIZE as u64)
}

/// The snapshot of `entries`.
pub fn encode(entries: &Entries) -> Vec<u8> {
    let mut snapshot = header(entries);
    snapshot.extend_from_slice(&pack(entries));
    snapshot
}

/// The snapshot of `entries` in pieces, each given to `put` as soon as it is made, so that it is never in memory beside its
/// list.
pub fn encode_to<E>(entries: &Entries, mut put: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
    put(&header(entries))?;
    pack_to(entries, put)
}

fn header(entries: &Entries) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.push(entries.entry_size() as u8);
    header.extend_from_slice(&(entries.len() as u32).to_be_bytes());
    header
}

/// The list of `expected_len` entries of `entry_size` bytes, as a release gives both, whose snapshot is `bytes`.
pub fn decode(bytes: &[u8], entry_size: usize, expected_len: u64) -> Result<Entries, ListError> {
    let (header, packed) = bytes.split_at(bytes.len().min(HEADER_SIZE));
    check_header(header, entry_size, expected_len)?;
    unpack(packed, entry_size, expected_len, "snapshot")
}

/// [`decode`] for a snapshot in pieces, each of which is freed as soon as it was taken: so the snapshot and its list never
/// need memory for both, but for little more than the larger of the two.
pub fn decode_pieces(mut pieces: Vec<Vec<u8>>, entry_size: usize, expected_len: u64) -> Result<Entries, ListError> {
    let size = pieces.iter().map(|piece| piece.len() as u64).sum();
    let mut decoding = Decoding::new(size, entry_size, expected_len);
    pieces.iter_mut().try_for_each(|piece| decoding.take(&core::mem::take(piece)))?;
    decoding.finish()
}

/// [`decode`] for a snapshot that comes piece by piece; what was taken need not be kept.
pub struct Decoding {
    /// How many bytes the snapshot has, and how many of them are still to come.
    size: u64,
    left: u64,
    entry_size: usize,
    expected_len: u64,
    header: Vec<u8>,
    /// Once the header was read.
    unpacking: Option<Unpacking>,
}

impl Decoding {
    /// Of a snapshot of `size` bytes, for the list of `expected_len` entries of `entry_size` bytes.
    pub fn new(size: u64, entry_size: usize, expected_len: u64) -> Self {
        Self { size, left: size, entry_size, expected_len, header: Vec::new(), unpacking: None }
    }

    /// Takes the next bytes.
    pub fn take(&mut self, piece: &[u8]) -> Result<(), ListError> {
        const LONG: ListError = ListError::Malformed { what: "snapshot", why: "it is longer than it should be" };
        self.left = self.left.checked_sub(piece.len() as u64).ok_or(LONG)?;
        if let Some(unpacking) = &mut self.unpacking {
            return unpacking.take(piece);
        }
        let (header, packed) = piece.split_at(piece.len().min(HEADER_SIZE - self.header.len()));
        self.header.extend_from_slice(header);
        if self.header.len() < HEADER_SIZE {
            return Ok(());
        }
        self.read_header()?.take(packed)
    }

    fn read_header(&mut self) -> Result<&mut Unpacking, ListError> {
        check_header(&self.header, self.entry_size, self.expected_len)?;
        let packed = self.size.saturating_sub(HEADER_SIZE as u64);
        Ok(self.unpacking.insert(Unpacking::new(packed, self.entry_size, self.expected_len, "snapshot")?))
    }

    /// The list, once all bytes were taken.
    pub fn finish(mut self) -> Result<Entries, ListError> {
        if self.unpacking.is_none() {
            self.read_header()?;
        }
        let short = ListError::Malformed { what: "snapshot", why: "it ends too early" };
        self.unpacking.filter(|_| self.left == 0).ok_or(short)?.finish()
    }
}

fn check_header(header: &[u8], entry_size: usize, expected_len: u64) -> Result<(), ListError> {
    let malformed = |why| ListError::Malformed { what: "snapshot", why };
    let rest = header.strip_prefix(MAGIC).ok_or(malformed("it does not start as one"))?;
    let (&size, rest) = rest.split_first().ok_or(malformed("it ends too early"))?;
    let len = rest.first_chunk().ok_or(malformed("it ends too early"))?;
    if usize::from(size) != entry_size {
        return Err(ListError::EntrySize { expected: entry_size, found: size.into() });
    }
    let found = u64::from(u32::from_be_bytes(*len));
    if found != expected_len {
        return Err(ListError::Length { expected: expected_len, found });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::samples::{lists, scattered};
    use super::*;
    use crate::encoding::to_hex;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_format() {
        let entries = Entries::from_sorted(2, [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc].to_vec()).unwrap();
        let snapshot = encode(&entries);
        assert_eq!(to_hex(&snapshot), "69736f736e6170310200000003a468acf0b578");
        assert_eq!(decode(&snapshot, 2, 3), Ok(entries));
    }

    #[test]
    fn a_snapshot_of_another_list_is_told_as_such() {
        let snapshot = encode(&Entries::from_sorted(2, [0, 1, 0, 2].to_vec()).unwrap());
        assert_eq!(decode(&snapshot, 3, 2), Err(ListError::EntrySize { expected: 3, found: 2 }));
        assert_eq!(decode(&snapshot, 2, 3), Err(ListError::Length { expected: 3, found: 2 }));
        for end in 0..snapshot.len() {
            assert!(matches!(decode(&snapshot[..end], 2, 2), Err(ListError::Malformed { .. })), "{end} bytes");
        }
        let longer = [&snapshot[..], &[0]].concat();
        assert!(matches!(decode(&longer, 2, 2), Err(ListError::Malformed { .. })));
    }

    #[test]
    fn in_pieces_a_snapshot_is_the_same_and_has_all_its_bytes() {
        let entries = scattered(32, 9_000, 1);
        let snapshot = encode(&entries);
        let (mut pieces, mut count) = (Vec::new(), 0);
        let put = |piece: &[u8]| {
            pieces.extend_from_slice(piece);
            count += 1;
            Ok::<(), ()>(())
        };
        encode_to(&entries, put).unwrap();
        assert!(count > 3 && pieces == snapshot, "{count} pieces");
        // Zeros at the end are no entries, and still have to be there.
        let all_in_one = Entries::from_sorted(2, [0, 0, 0, 1, 0, 2].to_vec()).unwrap();
        let snapshot = encode(&all_in_one);
        let size = snapshot.len() as u64;
        let decode = |pieces: &[&[u8]]| {
            let mut decoding = Decoding::new(size, 2, 3);
            pieces.iter().try_for_each(|piece| decoding.take(piece))?;
            decoding.finish()
        };
        assert_eq!(decode(&[&snapshot[..4], &snapshot[4..]]), Ok(all_in_one));
        assert!(matches!(decode(&[&snapshot, &[0]]), Err(ListError::Malformed { .. })));
        assert!(matches!(decode(&[&snapshot[..snapshot.len() - 1]]), Err(ListError::Malformed { .. })));
    }

    proptest! {
        #[test]
        fn lists_come_back(entries in prop_oneof![lists(1), lists(16), lists(32)]) {
            let (size, len) = (entries.entry_size(), entries.len() as u64);
            let snapshot = encode(&entries);
            prop_assert_eq!(Some(snapshot.len() as u64), encoded_len(size, len));
            let pieces = snapshot.chunks(7).map(<[u8]>::to_vec).collect();
            prop_assert_eq!(decode_pieces(pieces, size, len), Ok(entries.clone()));
            prop_assert_eq!(decode(&snapshot, size, len), Ok(entries));
        }

        #[test]
        fn changed_bytes_are_refused_or_another_list(entries in lists(2), at: prop::sample::Index, byte: u8) {
            let mut snapshot = encode(&entries);
            let at = at.index(snapshot.len());
            snapshot[at] = byte;
            if let Ok(entries) = decode(&snapshot, 2, entries.len() as u64) {
                prop_assert_eq!(encode(&entries), snapshot);
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>, magic: bool, size: u8, len in prop_oneof![0u32..10, any::<u32>()]) {
            let snapshot = if magic { [MAGIC, &[size][..], &len.to_be_bytes(), &bytes].concat() } else { bytes };
            let decoded = decode(&snapshot, size.into(), len.into());
            let pieces = snapshot.chunks(5).map(<[u8]>::to_vec).collect();
            prop_assert_eq!(&decode_pieces(pieces, size.into(), len.into()), &decoded);
            if let Ok(entries) = decoded {
                prop_assert_eq!(encode(&entries), snapshot);
            }
        }
    }
}
