//! The bytes of a tile.

use super::TileError;
use crate::hash::{HASH_SIZE, NodeHash};
use alloc::vec::Vec;

/// The bytes of a tile of hashes.
pub fn encode_hashes(hashes: &[NodeHash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The hashes of a tile of exactly this width.
pub fn parse_hashes(bytes: &[u8], width: u16) -> Result<Vec<NodeHash>, TileError> {
    let (expected, actual) = (usize::from(width) * HASH_SIZE, bytes.len());
    if actual != expected {
        return Err(TileError::HashesSize { expected, actual });
    }
    let (hashes, _) = bytes.as_chunks::<HASH_SIZE>();
    Ok(hashes.iter().copied().map(NodeHash).collect())
}

/// The bytes of a tile of entries. Fails if one is above [`MAX_ENTRY_SIZE`](super::MAX_ENTRY_SIZE).
pub fn encode_entries<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, TileError> {
    let mut bytes = Vec::with_capacity(entries.iter().map(|entry| 2 + entry.as_ref().len()).sum());
    for entry in entries.iter().map(AsRef::as_ref) {
        let size = entry.len();
        let length = u16::try_from(size).map_err(|_| TileError::EntryTooLarge { size })?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// The entries of a tile of exactly this width.
pub fn parse_entries(bytes: &[u8], width: u16) -> Result<Vec<Vec<u8>>, TileError> {
    split_entries(bytes, width).map(|entry| entry.map(<[u8]>::to_vec)).collect()
}

/// The entries of a tile of exactly this width, where they stand; ends with the first error.
pub fn split_entries(bytes: &[u8], width: u16) -> impl Iterator<Item = Result<&[u8], TileError>> {
    let (mut rest, mut count, mut is_broken) = (bytes, 0, false);
    core::iter::from_fn(move || {
        let entry = if is_broken { None } else { next_entry(&mut rest, &mut count, width).transpose() };
        is_broken = !matches!(entry, Some(Ok(_)));
        entry
    })
}

fn next_entry<'b>(rest: &mut &'b [u8], count: &mut u16, width: u16) -> Result<Option<&'b [u8]>, TileError> {
    let is_complete = *count == width;
    if rest.is_empty() || is_complete {
        let ends = rest.is_empty() && is_complete;
        return if ends { Ok(None) } else { Err(TileError::EntryCount { expected: width }) };
    }
    let (length, after) = rest.split_first_chunk().ok_or(TileError::EntryTruncated)?;
    let length = usize::from(u16::from_be_bytes(*length));
    let (entry, after) = after.split_at_checked(length).ok_or(TileError::EntryTruncated)?;
    (*rest, *count) = (after, *count + 1);
    Ok(Some(entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::MAX_ENTRY_SIZE;
    use alloc::vec;
    use proptest::collection::vec as any_vec;
    use proptest::prelude::*;

    #[test]
    fn entries_have_their_length_before_them() {
        let entries: [&[u8]; 3] = [b"abc", b"", b"d"];
        let bytes = encode_entries(&entries).unwrap();
        assert_eq!(bytes, b"\x00\x03abc\x00\x00\x00\x01d");
        assert_eq!(parse_entries(&bytes, 3).unwrap(), entries);
        assert_eq!(parse_entries(&bytes, 2), Err(TileError::EntryCount { expected: 2 }));
        assert_eq!(parse_entries(&bytes, 4), Err(TileError::EntryCount { expected: 4 }));
        for cut in [1, 4, 6, 8, 9] {
            assert_eq!(parse_entries(&bytes[..cut], 3), Err(TileError::EntryTruncated));
        }
        assert_eq!(parse_entries(b"", 0), Ok(vec![]));
    }

    #[test]
    fn an_entry_is_at_most_what_its_length_can_say() {
        let largest = vec![7; MAX_ENTRY_SIZE];
        let bytes = encode_entries(&[&largest]).unwrap();
        assert_eq!(parse_entries(&bytes, 1), Ok(vec![largest]));
        assert_eq!(encode_entries(&[vec![7; MAX_ENTRY_SIZE + 1]]), Err(TileError::EntryTooLarge { size: 65_536 }));
    }

    #[test]
    fn a_tile_has_exactly_its_hashes() {
        let hashes = [NodeHash([1; 32]), NodeHash([2; 32])];
        let bytes = encode_hashes(&hashes);
        assert_eq!(parse_hashes(&bytes, 2).unwrap(), hashes);
        for (width, expected) in [(1, 32), (3, 96), (0, 0)] {
            assert_eq!(parse_hashes(&bytes, width), Err(TileError::HashesSize { expected, actual: 64 }));
        }
        assert!(parse_hashes(&bytes[1..], 2).is_err());
    }

    proptest! {
        #[test]
        fn whatever_parses_is_written_the_same(bytes in any_vec(prop_oneof![3 => Just(0u8), 1 => 0u8..4], 0..60), width in 0u16..20) {
            if let Ok(entries) = parse_entries(&bytes, width) {
                prop_assert_eq!(entries.len(), usize::from(width));
                prop_assert_eq!(encode_entries(&entries), Ok(bytes.clone()));
            }
            if let Ok(hashes) = parse_hashes(&bytes, width) {
                prop_assert_eq!(encode_hashes(&hashes), bytes);
            }
        }

        #[test]
        fn entries_survive(entries in any_vec(any_vec(any::<u8>(), 0..40), 0..30)) {
            let bytes = encode_entries(&entries).unwrap();
            prop_assert_eq!(parse_entries(&bytes, entries.len() as u16), Ok(entries));
        }

        #[test]
        fn any_bytes_are_judged_without_panic(bytes in any_vec(any::<u8>(), 0..2000), width: u16) {
            let _ = parse_entries(&bytes, width);
            let _ = parse_hashes(&bytes, width);
        }
    }
}
