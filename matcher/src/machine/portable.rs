//! Comparisons for every machine.

use super::{BLOCK, Half, Kernel, Line};

#[derive(Clone, Copy)]
pub(super) struct Portable;

impl Kernel for Portable {
    #[inline(always)]
    fn near_signatures(self, line: &Line, signature: u16, most: u16) -> u32 {
        let near = line.0.map(|slot| u16::from((slot ^ signature).count_ones() as u16 <= most));
        near.iter().rev().fold(0, |mask, near| mask << 1 | u32::from(*near))
    }

    #[inline(always)]
    fn near_halves(self, block: &[Half; BLOCK], half: &Half, most: u32) -> u8 {
        let distances = block.map(|other| (other[0] ^ half[0]).count_ones() + (other[1] ^ half[1]).count_ones());
        distances.iter().rev().fold(0, |mask, distance| mask << 1 | u8::from(*distance <= most))
    }

    #[inline(always)]
    fn prefetch<T>(self, _: &[T], _: usize) {}
}
