//! Comparisons for every machine.

use super::{BLOCK, Block, Half, Kernel, Line};

#[derive(Clone, Copy)]
pub(super) struct Portable;

/// One in each 16-bit part.
const ONES: u64 = 0x0001_0001_0001_0001;

impl Kernel for Portable {
    #[inline(always)]
    fn near_signatures(self, line: &Line, signature: u16, most: u16) -> u32 {
        let (signature, most) = (u64::from(signature) * ONES, (u64::from(most) | 0x8000) * ONES);
        let mut near = 0;
        for (at, [a, b, c, d]) in line.0.as_chunks::<4>().0.iter().enumerate() {
            let four = u64::from(*a) | u64::from(*b) << 16 | u64::from(*c) << 32 | u64::from(*d) << 48;
            // The highest bit of each part stays set if nothing is borrowed from it.
            let enough = most - count_parts(four ^ signature);
            let bits = enough >> 15 & ONES;
            near |= ((bits | bits >> 15 | bits >> 30 | bits >> 45) as u32 & 0xf) << (4 * at);
        }
        near
    }

    #[inline(always)]
    fn near_halves(self, block: &Block, half: &Half, most: u32) -> u8 {
        let Block([first, second]) = block;
        let mut near = 0;
        for at in 0..BLOCK {
            let distance = (first[at] ^ half[0]).count_ones() + (second[at] ^ half[1]).count_ones();
            near |= u8::from(distance <= most) << at;
        }
        near
    }

    #[inline(always)]
    fn prefetch<T>(self, _: &[T], _: usize) {}
}

/// The number of bits that are set in each 16-bit part.
#[inline(always)]
fn count_parts(bits: u64) -> u64 {
    let pairs = bits - (bits >> 1 & 0x5555_5555_5555_5555);
    let nibbles = (pairs & 0x3333_3333_3333_3333) + (pairs >> 2 & 0x3333_3333_3333_3333);
    let bytes = (nibbles + (nibbles >> 4)) & 0x0f0f_0f0f_0f0f_0f0f;
    (bytes + (bytes >> 8)) & 0x001f_001f_001f_001f
}
