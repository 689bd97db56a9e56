//! Four messages of one length at a time, by whatever the processor does best.

use crate::Hash;
use crate::message::Block;
use sha2::block_api::compress256;

/// How many messages go side by side.
pub(crate) const LANES: usize = 4;

/// The state from which SHA-256 starts: FIPS 180-4 section 5.3.3.
pub(crate) const INITIAL_STATE: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// What computes the hashes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Engine {
    /// One message after the other, by `sha2`.
    Portable,
    /// Four at once.
    #[cfg(target_arch = "x86_64")]
    ShaNi(crate::sha_ni::ShaNi),
}

impl Engine {
    /// The best that there is on this processor.
    pub(crate) fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(engine) = crate::sha_ni::ShaNi::detect() {
            return Self::ShaNi(engine);
        }
        Self::Portable
    }

    /// The hashes of four padded messages.
    pub(crate) fn digest<const BLOCKS: usize>(self, messages: &[[Block; BLOCKS]; LANES]) -> [Hash; LANES] {
        match self {
            Self::Portable => core::array::from_fn(|lane| digest_one(&messages[lane])),
            #[cfg(target_arch = "x86_64")]
            Self::ShaNi(engine) => engine.digest(messages),
        }
    }
}

/// Whether hashes are computed side by side on this processor.
pub fn is_accelerated() -> bool {
    !matches!(Engine::detect(), Engine::Portable)
}

fn digest_one(blocks: &[Block]) -> Hash {
    let mut state = INITIAL_STATE;
    compress256(&mut state, blocks);
    let mut hash = [0; 32];
    hash.as_chunks_mut().0.iter_mut().zip(state).for_each(|(bytes, word)| *bytes = word.to_be_bytes());
    hash
}

#[cfg(test)]
pub(crate) fn engines() -> alloc::vec::Vec<Engine> {
    let mut engines = alloc::vec![Engine::Portable];
    if is_accelerated() {
        engines.push(Engine::detect());
    }
    engines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{block_count, padded};
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    fn check<const BLOCKS: usize>(engine: Engine, content: &[u8; 4 * 182], len: usize) {
        let mut messages = [padded::<BLOCKS>(0xa7, len); LANES];
        for (message, bytes) in messages.iter_mut().zip(content.chunks_exact(182)) {
            message.as_flattened_mut()[1..=len].copy_from_slice(&bytes[..len]);
        }
        for (hash, bytes) in engine.digest(&messages).iter().zip(content.chunks_exact(182)) {
            let expected = Sha256::new().chain_update([0xa7]).chain_update(&bytes[..len]).finalize();
            assert_eq!(hash[..], expected[..], "{engine:?}, {len} bytes");
        }
    }

    fn check_every_length(content: &[u8; 4 * 182]) {
        for engine in engines() {
            for len in 0..=181 {
                match block_count(len) {
                    1 => check::<1>(engine, content, len),
                    2 => check::<2>(engine, content, len),
                    _ => check::<3>(engine, content, len),
                }
            }
        }
    }

    #[test]
    fn extreme_words_are_hashed_as_sha2_does() {
        for byte in [0x00, 0x01, 0x7f, 0x80, 0xff] {
            check_every_length(&[byte; 4 * 182]);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn four_messages_of_every_length_are_hashed_as_sha2_does(content: [[u8; 182]; 4]) {
            check_every_length(content.as_flattened().try_into().unwrap());
        }
    }
}
