//! Comparing everything.
//!
//! The first halves of all entries stand side by side, sixteen bytes each. An unrelated entry is given up after its first
//! half practically always (its 128 bits would have to differ in 31 instead of 64), so the list itself is hardly touched.

use super::Found;
use crate::machine::{BLOCK, Half, Kernel, Task, zeroed};

/// A PDQ hash in a list.
pub(super) type Row = [u8; 32];

/// The first halves of `rows`.
pub(super) fn first_halves(rows: &[Row]) -> Vec<Half> {
    let mut halves = zeroed(rows.len(), [0; 2]);
    for (half, row) in halves.iter_mut().zip(rows) {
        *half = split(row).0;
    }
    halves
}

/// The two halves of a hash.
#[inline(always)]
pub(super) fn split(row: &Row) -> (Half, Half) {
    let word = |at: usize| u64::from_ne_bytes(row.as_chunks::<8>().0[at]);
    ([word(0), word(1)], [word(2), word(3)])
}

#[inline(always)]
pub(super) fn distance(one: &Half, other: &Half) -> u32 {
    (one[0] ^ other[0]).count_ones() + (one[1] ^ other[1]).count_ones()
}

/// A comparison of `query` with every entry: found is what differs in at most `most` bits, in the order of the list.
pub(super) struct Scan<'a> {
    pub(super) first_halves: &'a [Half],
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
        let mut compare = |index: usize, half: &Half| {
            let distance = distance(half, &first) + distance(&split(&self.rows[index]).1, &second);
            if distance <= self.most {
                found.push(Found { distance, index });
            }
        };
        let (blocks, rest) = self.first_halves.as_chunks::<BLOCK>();
        for (number, block) in blocks.iter().enumerate() {
            let mut near = kernel.near_halves(block, &first, self.most);
            while near != 0 {
                let place = near.trailing_zeros() as usize;
                near &= near - 1;
                compare(number * BLOCK + place, &block[place]);
            }
        }
        for (place, half) in rest.iter().enumerate() {
            compare(blocks.len() * BLOCK + place, half);
        }
        found
    }
}
