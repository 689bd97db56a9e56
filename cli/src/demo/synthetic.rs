//! Synthetic PDQ hashes: 128 of 256 bits set, as real ones have, and related to no picture.

use isonomy_core::encoding::to_hex;
use isonomy_core::hash::sha256;

/// `count` hashes from number `from` on, one a line, in hexadecimal.
pub(crate) fn lines(from: u64, count: u64) -> String {
    (from..from + count).map(|number| to_hex(&hash(number)) + "\n").collect()
}

/// Sets 128 bits, chosen by a stream of SHA-256.
pub(crate) fn hash(number: u64) -> [u8; 32] {
    let mut bits = [0u8; 32];
    let (mut set, mut block) = (0, 0u64);
    while set < 128 {
        for place in sha256(&[b"isonomy demo", &number.to_be_bytes(), &block.to_be_bytes()]) {
            let (byte, mask) = (usize::from(place / 8), 1 << (place % 8));
            if set < 128 && bits[byte] & mask == 0 {
                bits[byte] |= mask;
                set += 1;
            }
        }
        block += 1;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_have_the_weight_of_real_ones_and_differ() {
        for number in 0..200 {
            assert_eq!(hash(number).iter().map(|byte| byte.count_ones()).sum::<u32>(), 128);
            assert_ne!(hash(number), hash(number + 1));
        }
        assert_eq!(lines(7, 3).lines().count(), 3);
    }
}
