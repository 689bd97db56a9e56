//! Reading what is too large for memory, once.

use sha2::{Digest, Sha256};
use std::io::{self, Read};

/// How much is read at a time.
const PIECE: usize = 1 << 20;

/// Reads to the end, gives each piece to `take` as long as it takes them, and gives the SHA-256 of all beside what `take` said. That
/// is to be believed only if the digest is the right one.
pub fn digest_pieces<E>(
    mut from: impl Read,
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> io::Result<([u8; 32], Result<(), E>)> {
    let (mut piece, mut hasher, mut taken) = (Vec::with_capacity(PIECE), Sha256::new(), Ok(()));
    loop {
        piece.clear();
        from.by_ref().take(PIECE as u64).read_to_end(&mut piece)?;
        if piece.is_empty() {
            return Ok((hasher.finalize().into(), taken));
        }
        hasher.update(&piece);
        taken = taken.and_then(|()| take(&piece));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_hashed_and_none_is_taken_after_a_refusal() {
        let bytes = vec![7; 2 * PIECE + 5];
        let mut sizes = Vec::new();
        let (digest, taken) = digest_pieces(&bytes[..], |piece| {
            sizes.push(piece.len());
            if sizes.len() == 2 { Err("enough") } else { Ok(()) }
        })
        .unwrap();
        assert_eq!((taken, sizes), (Err("enough"), vec![PIECE, PIECE]));
        assert_eq!(digest[..], Sha256::digest(&bytes)[..]);
    }
}
