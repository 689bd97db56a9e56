//! Damaged copies of well-formed bytes, the same in every run.

/// An endless row of damaged copies of `seed`.
#[derive(Clone, Debug)]
pub struct Damage<'s> {
    seed: &'s [u8],
    others: &'s [Vec<u8>],
    random: u64,
}

impl<'s> Damage<'s> {
    /// Copies of `seed`, into which parts of `others` may be spliced.
    pub fn of(seed: &'s [u8], others: &'s [Vec<u8>]) -> Self {
        Self { seed, others, random: 0x9E37_79B9_7F4A_7C15 }
    }

    /// The next of a sequence of xorshift64, below `limit`; 0 if that is 0.
    fn below(&mut self, limit: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        ((self.random >> 32) as usize).checked_rem(limit).unwrap_or(0)
    }

    /// One edit at a place of its own choice.
    fn edit(&mut self, bytes: &mut Vec<u8>) {
        /// What parsers look for.
        const TOKENS: [&[u8]; 12] =
            [b"\n", b"\n\n", b"0", b"9007199254740992", b"\"", b"{", b"}", b",", b" ", b"=", b"\0", &[0xff; 8]];
        let at = self.below(bytes.len() + 1);
        let end = (at + self.below(40)).min(bytes.len());
        match self.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            1 if at < bytes.len() => bytes[at] = self.below(256) as u8,
            2 => drop(bytes.drain(at..end)),
            3 => bytes.truncate(at),
            4 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            5 => {
                let token = TOKENS[self.below(TOKENS.len())];
                bytes.splice(at..end, token.iter().copied());
            }
            _ => {
                let Some(other) = self.others.get(self.below(self.others.len())) else { return };
                let from = self.below(other.len() + 1);
                let part = &other[from..(from + self.below(200)).min(other.len())];
                bytes.splice(at..end, part.iter().copied());
            }
        }
    }
}

impl Iterator for Damage<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut bytes = self.seed.to_vec();
        for _ in 0..=self.below(3) {
            self.edit(&mut bytes);
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_damaged_in_many_ways_and_the_same_each_time() {
        let (seed, others) = (b"hello, world".to_vec(), [b"another".to_vec()]);
        let copies = || Damage::of(&seed, &others).take(1000).collect::<Vec<_>>();
        assert_eq!(copies(), copies());
        let mut distinct = copies();
        distinct.sort();
        distinct.dedup();
        assert!(distinct.len() > 500, "{}", distinct.len());
        assert_eq!(Damage::of(b"", &[]).take(100).count(), 100);
    }
}
