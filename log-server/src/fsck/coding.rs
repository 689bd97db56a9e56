//! Bundles that lie in a folder as they were sent. C2SP tlog-tiles lets a log send bundles of entries under gzip to
//! everybody, so that a mirror may hold what was sent instead of what was meant.

use flate2::read::GzDecoder;
use isonomy_core::tile::{MAX_ENTRY_SIZE, TILE_WIDTH};
use std::io::Read;

/// No bundle is larger.
const MAX_BUNDLE: usize = TILE_WIDTH as usize * (2 + MAX_ENTRY_SIZE);
/// How gzip begins (RFC 1952), with the one method that there is.
const MAGIC: [u8; 3] = [0x1f, 0x8b, 8];

/// A bundle as it is in the tree: what is under gzip, whole and with the right checksum, is taken out of it. A bundle whose
/// first entry begins like that by chance is no such thing.
pub(super) fn plain(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.starts_with(&MAGIC) {
        return bytes;
    }
    let mut plain = Vec::new();
    let mut decoder = GzDecoder::new(&bytes[..]).take(MAX_BUNDLE as u64 + 1);
    match decoder.read_to_end(&mut plain) {
        Ok(size) if size <= MAX_BUNDLE => plain,
        _ => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn only_what_is_whole_is_taken_out() {
        let bundle = b"\x00\x05entry".repeat(256);
        assert_eq!(plain(gzip(&bundle)), bundle);
        let mut damaged = gzip(&bundle);
        *damaged.last_mut().unwrap() ^= 1;
        let by_chance = [&MAGIC[..], &[8; 8072]].concat();
        let bomb = gzip(&vec![0; MAX_BUNDLE + 1]);
        for kept in [bundle, damaged, by_chance, bomb] {
            assert_eq!(plain(kept.clone()), kept);
        }
    }
}
