//! The code for removals: which r of n positions, in log2 C(n, r) bits whatever they are; [`super::delta`] defines it.

use alloc::vec::Vec;

/// A share whose range is below this is magnified.
const LEAST_RANGE: u64 = 1 << 56;

/// What becomes of a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// It stays.
    Kept,
    /// It goes.
    Removed,
}

/// What is still to come.
#[derive(Clone, Copy)]
struct Remaining {
    positions: u64,
    removals: u64,
}

impl Remaining {
    /// What becomes of the next position, if that is certain.
    fn certain(self) -> Option<Fate> {
        if self.removals == 0 {
            Some(Fate::Kept)
        } else if self.removals == self.positions {
            Some(Fate::Removed)
        } else {
            None
        }
    }

    fn pass(&mut self, fate: Fate) {
        self.positions = self.positions.saturating_sub(1);
        self.removals -= u64::from(fate == Fate::Removed);
    }
}

/// The share of the subsets that begin as the one in hand, and the bytes of the code that are settled up to carries.
struct Share {
    low: u64,
    range: u64,
    code: Vec<u8>,
}

impl Share {
    fn whole() -> Self {
        Self { low: 0, range: u64::MAX, code: Vec::new() }
    }

    /// The width that a removal takes.
    fn part(&self, remaining: Remaining) -> u64 {
        self.range / remaining.positions * remaining.removals
    }

    fn narrow(&mut self, part: u64, fate: Fate) {
        match fate {
            Fate::Removed => self.range = part,
            Fate::Kept => {
                self.range -= part;
                let (low, passed) = self.low.overflowing_add(part);
                self.low = low;
                if passed {
                    self.carry();
                }
            }
        }
    }

    /// Adds one to the number that the settled bytes are.
    fn carry(&mut self) {
        for byte in self.code.iter_mut().rev() {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
    }

    /// Magnifies the share once if it has become narrow.
    fn magnify(&mut self) -> bool {
        let narrow = self.range < LEAST_RANGE;
        if narrow {
            self.code.push((self.low >> 56) as u8);
            self.low <<= 8;
            self.range <<= 8;
        }
        narrow
    }

    fn finish(mut self) -> Vec<u8> {
        let (rounded, passed) = self.low.overflowing_add(LEAST_RANGE - 1);
        if passed {
            self.carry();
        }
        self.code.push((rounded >> 56) as u8);
        let zeros = self.code.iter().rev().take_while(|&&byte| byte == 0).count();
        self.code.truncate(self.code.len() - zeros);
        self.code
    }
}

/// The code for the removal of `removed`, which ascend strictly, from `positions` positions.
pub(super) fn encode(removed: &[u64], positions: u64) -> Vec<u8> {
    let mut remaining = Remaining { positions, removals: removed.len() as u64 };
    let mut share = Share::whole();
    let mut removed = removed.iter().peekable();
    for position in 0..positions {
        let fate = if removed.next_if_eq(&&position).is_some() { Fate::Removed } else { Fate::Kept };
        if remaining.certain().is_none() {
            share.narrow(share.part(remaining), fate);
            while share.magnify() {}
        }
        remaining.pass(fate);
        if remaining.removals == 0 {
            break;
        }
    }
    share.finish()
}

/// Reads a code, position by position.
pub(super) struct Decoder<'c> {
    code: &'c [u8],
    /// How far into the share the code's fraction is, in the share's magnification.
    offset: u64,
    read: usize,
    share: Share,
    remaining: Remaining,
}

impl<'c> Decoder<'c> {
    /// A reader of the code for `removals` of `positions`; `None` if that is more than there are.
    pub(super) fn new(code: &'c [u8], positions: u64, removals: u64) -> Option<Self> {
        if removals > positions {
            return None;
        }
        let remaining = Remaining { positions, removals };
        let mut decoder = Self { code, offset: 0, read: 0, share: Share::whole(), remaining };
        for _ in 0..8 {
            decoder.read_byte();
        }
        Some(decoder)
    }

    fn read_byte(&mut self) {
        let byte = self.code.get(self.read).copied().unwrap_or(0);
        self.read += 1;
        self.offset = self.offset << 8 | u64::from(byte);
    }

    /// What becomes of the next position; beyond the last one, it is kept.
    pub(super) fn next_fate(&mut self) -> Fate {
        let fate = match self.remaining.certain() {
            Some(fate) => fate,
            None => self.decode(),
        };
        self.remaining.pass(fate);
        fate
    }

    fn decode(&mut self) -> Fate {
        let part = self.share.part(self.remaining);
        let fate = if self.offset < part { Fate::Removed } else { Fate::Kept };
        if fate == Fate::Kept {
            self.offset -= part;
        }
        self.share.narrow(part, fate);
        while self.share.magnify() {
            self.read_byte();
        }
        fate
    }

    /// After the last position: whether the code was the one of the subset that was read.
    pub(super) fn was_canonical(self) -> bool {
        self.share.finish() == self.code
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(code: &[u8], positions: u64, removals: u64) -> Option<Vec<u64>> {
        let mut decoder = Decoder::new(code, positions, removals)?;
        let removed = (0..positions).filter(|_| decoder.next_fate() == Fate::Removed).collect();
        decoder.was_canonical().then_some(removed)
    }

    /// log2 C(n, r), by summing logarithms.
    fn bound(positions: u64, removals: u64) -> f64 {
        let few = removals.min(positions - removals);
        (0..few).map(|i| ((positions - i) as f64 / (i + 1) as f64).log2()).sum()
    }

    /// `count` of `positions`, spread without regularity.
    fn scattered(positions: u64, count: u64) -> Vec<u64> {
        let mut state = 0x9e37_79b9_7f4a_7c15u64 ^ count;
        let mut chosen = alloc::collections::BTreeSet::new();
        while (chosen.len() as u64) < count {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            chosen.insert(state % positions);
        }
        chosen.into_iter().collect()
    }

    #[test]
    fn every_subset_of_a_few_positions_has_a_code_of_its_own() {
        for positions in 0..=10u64 {
            for subset in 0u64..1 << positions {
                let removed: Vec<u64> = (0..positions).filter(|&at| subset >> at & 1 == 1).collect();
                let code = encode(&removed, positions);
                assert_eq!(decode(&code, positions, removed.len() as u64), Some(removed));
            }
        }
    }

    #[test]
    fn the_size_is_the_bound_rounded_to_a_byte_for_every_density() {
        for (positions, some) in [
            (1u64, &[0u64, 1][..]),
            (2, &[1, 2]),
            (10, &[1, 2, 5, 7, 9, 10]),
            (1_000, &[1, 2, 3, 10, 100, 250, 500, 750, 900, 990, 999, 1_000]),
            (30_000, &[1, 20, 300, 1_000, 4_000, 10_000, 15_000, 20_000, 26_000, 29_000, 29_990, 29_999]),
            (500_000, &[1, 5_000, 250_000]),
        ] {
            for &removals in some {
                for removed in [
                    (0..removals).collect(),
                    (positions - removals..positions).collect(),
                    (0..removals).map(|i| i * positions / removals).collect(),
                    scattered(positions, removals),
                ] {
                    let code = encode(&removed, positions);
                    let limit = (bound(positions, removals) + 0.001).div_euclid(8.0) as usize + 1;
                    assert!(code.len() <= limit, "{removals} of {positions}: {} > {limit}", code.len());
                    assert_eq!(decode(&code, positions, removals), Some(removed));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_decodes_encodes_to_the_same_bytes(
            code in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0), Just(0xff)], 0..20),
            positions in 0u64..200,
            removals in 0u64..210,
        ) {
            if let Some(removed) = decode(&code, positions, removals) {
                prop_assert_eq!(removed.len() as u64, removals);
                prop_assert_eq!(encode(&removed, positions), code);
            }
        }

        #[test]
        fn subsets_come_back(subset in proptest::collection::btree_set(0u64..500, 0..500), more in 0u64..1000) {
            let removed: Vec<u64> = subset.into_iter().collect();
            let positions = removed.last().map_or(0, |last| last + 1) + more;
            let code = encode(&removed, positions);
            prop_assert_eq!(decode(&code, positions, removed.len() as u64), Some(removed));
        }
    }
}
