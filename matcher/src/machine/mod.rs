//! What depends on the machine: its widest instructions, found at run time, and the size of its memory pages.
//!
//! This module alone holds unsafe code. It is needed for two things that safe Rust has no words for yet: instructions that
//! not every processor has ([`x86`]), and advice to the operating system about memory ([`pages`]). Both are small, keep
//! no state and read nothing but the arrays of fixed size that they are given. Each way of counting is held equal to the
//! [`portable`] one below, and each search that uses them to brute force in [`crate::lookup`].
//!
//! Other processors than x86-64 run the portable code, which compilers vectorise; there is none for NEON by hand.

mod pages;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use pages::zeroed;

/// Signatures in a cache line.
pub(crate) const SLOTS: usize = 32;

/// A cache line of signatures of 16 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) [u16; SLOTS]);

/// Halves that are compared in one go.
pub(crate) const BLOCK: usize = 8;

/// Half of a PDQ hash.
pub(crate) type Half = [u64; 2];

/// Eight halves in two cache lines: their first words, then their second words.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(128))]
pub(crate) struct Block(pub(crate) [[u64; BLOCK]; 2]);

/// The two comparisons that searching spends its time on.
pub(crate) trait Kernel: Copy {
    /// Bit i says whether slot i of `line` differs from `signature` in at most `most` bits.
    fn near_signatures(self, line: &Line, signature: u16, most: u16) -> u32;

    /// Bit i says whether half i of `block` differs from `half` in at most `most` bits.
    fn near_halves(self, block: &Block, half: &Half, most: u32) -> u8;

    /// Asks for the cache line of `slice[index]`, which will be needed soon. Beyond the end it does nothing.
    fn prefetch<T>(self, slice: &[T], index: usize);
}

/// Work for a kernel. What it calls has to be inlined into it, or else it is compiled without the kernel's instructions.
pub(crate) trait Task {
    type Output;

    fn run<K: Kernel>(self, kernel: K) -> Self::Output;
}

/// The instructions that searching uses. A value exists only on a machine that has them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instructions(Set);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Set {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Instructions {
    /// All that this machine can choose from, the slowest first. It always has those that every machine has.
    pub fn available() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        let wider = [(Set::Avx2, x86::has_avx2()), (Set::Avx512, x86::has_avx512())];
        #[cfg(not(target_arch = "x86_64"))]
        let wider: [(Set, bool); 0] = [];
        let wider = wider.into_iter().filter(|(_, found)| *found).map(|(set, _)| set);
        std::iter::once(Set::Portable).chain(wider).map(Self).collect()
    }

    /// The fastest of this machine.
    pub fn best() -> Self {
        Self::available().pop().unwrap_or(Self(Set::Portable))
    }

    /// What they are called.
    pub fn name(self) -> &'static str {
        match self.0 {
            Set::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "AVX-512",
        }
    }

    /// Does `task` with them.
    pub(crate) fn run<T: Task>(self, task: T) -> T::Output {
        match self.0 {
            Set::Portable => task.run(portable::Portable),
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => x86::run_avx2(task),
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => x86::run_avx512(task),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Signatures(Line, u16, u16);

    impl Task for Signatures {
        type Output = u32;
        fn run<K: Kernel>(self, kernel: K) -> u32 {
            kernel.near_signatures(&self.0, self.1, self.2)
        }
    }

    struct Halves(Block, Half, u32);

    impl Task for Halves {
        type Output = u8;
        fn run<K: Kernel>(self, kernel: K) -> u8 {
            kernel.near_halves(&self.0, &self.1, self.2)
        }
    }

    /// Values that differ from each other in few bits or in many.
    fn around(bits: u32) -> impl Strategy<Value = u64> {
        proptest::collection::vec(0..bits, 0..bits as usize)
            .prop_map(|flips| flips.into_iter().fold(0, |value, bit| value ^ (1u64 << bit)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn every_kernel_compares_signatures_alike(
            slots in proptest::collection::vec(around(16), SLOTS),
            signature in around(16),
            most in 0u16..=16,
        ) {
            let line = Line(std::array::from_fn(|slot| slots[slot] as u16));
            let expected = (0..SLOTS).filter(|slot| (slots[*slot] ^ signature).count_ones() <= u32::from(most));
            let expected = expected.fold(0u32, |mask, slot| mask | 1 << slot);
            for instructions in Instructions::available() {
                let found = instructions.run(Signatures(line, signature as u16, most));
                prop_assert_eq!(found, expected, "{}", instructions.name());
            }
        }

        #[test]
        fn every_kernel_compares_halves_alike(
            words in proptest::collection::vec(around(64), 2 * BLOCK + 2),
            most in prop_oneof![0u32..=128, Just(129), Just(u32::MAX)],
        ) {
            let half = |at: usize| [words[2 * at], words[2 * at + 1]];
            let (block, query) = (std::array::from_fn(|word| std::array::from_fn(|at| half(at)[word])), half(BLOCK));
            let distance = |at: usize| (0..2).map(|word| (half(at)[word] ^ query[word]).count_ones()).sum::<u32>();
            let expected = (0..BLOCK).filter(|at| distance(*at) <= most).fold(0u8, |mask, at| mask | 1 << at);
            for instructions in Instructions::available() {
                let found = instructions.run(Halves(Block(block), query, most));
                prop_assert_eq!(found, expected, "{}", instructions.name());
            }
        }
    }
}
