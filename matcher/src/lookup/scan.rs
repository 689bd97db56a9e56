//! Comparing everything.
//!
//! The first halves of all entries stand side by side, sixteen bytes each, eight in a block. An unrelated entry is given
//! up after its first half practically always (its 128 bits would have to differ in 31 instead of 64), so the list itself
//! is hardly touched.

use super::Found;
use crate::machine::{BLOCK, Block, Half, Kernel, Task, zeroed};

/// A PDQ hash in a list.
pub(super) type Row = [u8; 32];

/// The halves of a hash.
#[inline(always)]
pub(super) fn split(row: &Row) -> (Half, Half) {
    let word = |at: usize| u64::from_ne_bytes(row.as_chunks::<8>().0[at]);
    ([word(0), word(1)], [word(2), word(3)])
}

#[inline(always)]
pub(super) fn distance(one: &Half, other: &Half) -> u32 {
    (one[0] ^ other[0]).count_ones() + (one[1] ^ other[1]).count_ones()
}

/// The first halves of a list's entries. What follows the last entry in its block is no entry.
pub(super) struct FirstHalves(Vec<Block>);

impl FirstHalves {
    pub(super) fn of(rows: &[Row]) -> Self {
        let mut blocks = zeroed(rows.len().div_ceil(BLOCK), Block([[0; BLOCK]; 2]));
        for (Block([first, second]), rows) in blocks.iter_mut().zip(rows.chunks(BLOCK)) {
            for (place, row) in rows.iter().enumerate() {
                [first[place], second[place]] = split(row).0;
            }
        }
        Self(blocks)
    }

    pub(super) fn memory(&self) -> usize {
        size_of_val(self.0.as_slice())
    }

    #[inline(always)]
    pub(super) fn get(&self, index: usize) -> Half {
        let Block([first, second]) = &self.0[index / BLOCK];
        [first[index % BLOCK], second[index % BLOCK]]
    }

    #[inline(always)]
    pub(super) fn prefetch<K: Kernel>(&self, kernel: K, index: usize) {
        if let Some(Block([first, second])) = self.0.get(index / BLOCK) {
            kernel.prefetch(first, 0);
            kernel.prefetch(second, 0);
        }
    }
}

/// A comparison of `query` with every entry: found is what differs in at most `most` bits, in the order of the list.
pub(super) struct Scan<'a> {
    pub(super) first_halves: &'a FirstHalves,
    pub(super) rows: &'a [Row],
    pub(super) query: &'a Row,
    pub(super) most: u32,
}

impl Task for Scan<'_> {
    type Output = Vec<Found>;

    #[inline(always)]
    fn run<K: Kernel>(self, kernel: K) -> Vec<Found> {
        let (first, second) = split(self.query);
        let mut found = Vec::new();
        let mut blocks = self.first_halves.0.iter().enumerate();
        while let Some((number, mut near)) = next_near(kernel, &mut blocks, &first, self.most) {
            while near != 0 {
                let index = number * BLOCK + near.trailing_zeros() as usize;
                near &= near - 1;
                let Some(row) = self.rows.get(index) else { continue };
                let halves = split(row);
                let distance = distance(&halves.0, &first) + distance(&halves.1, &second);
                if distance <= self.most {
                    found.push(Found { distance, index });
                }
            }
        }
        found
    }
}

/// The next block in which something is near. It calls nothing, so that all of it stays in registers.
#[inline(always)]
fn next_near<'b, K: Kernel>(
    kernel: K,
    blocks: &mut impl Iterator<Item = (usize, &'b Block)>,
    half: &Half,
    most: u32,
) -> Option<(usize, u8)> {
    loop {
        let (number, block) = blocks.next()?;
        let near = kernel.near_halves(block, half, most);
        if near != 0 {
            return Some((number, near));
        }
    }
}
