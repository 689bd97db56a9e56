//! Bits in bytes, the most significant bit first.

use alloc::vec::Vec;

/// The most bits that one call writes.
pub(super) const MAX_WIDTH: u32 = 32;

/// Writes bits.
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// The bits that don't fill a byte yet, in the low end.
    pending: u64,
    pending_count: u32,
}

impl BitWriter {
    /// A writer that expects `capacity` bytes.
    pub(super) fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity), pending: 0, pending_count: 0 }
    }

    /// Writes the low `width` (at most [`MAX_WIDTH`]) bits of `value`, which has no others.
    pub(super) fn put(&mut self, value: u64, width: u32) {
        debug_assert!(width <= MAX_WIDTH && value >> width == 0);
        self.pending = self.pending << width | value;
        self.pending_count += width;
        if self.pending_count >= 32 {
            self.pending_count -= 32;
            let full = (self.pending >> self.pending_count) as u32;
            self.bytes.extend_from_slice(&full.to_be_bytes());
        }
    }

    /// Writes `count` zeros.
    pub(super) fn put_zeros(&mut self, count: u64) {
        let mut left = count;
        while left > 0 {
            let width = left.min(u64::from(MAX_WIDTH)) as u32;
            self.put(0, width);
            left -= u64::from(width);
        }
    }

    /// The bytes that are full and were not taken yet.
    pub(super) fn full_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Forgets the bytes that are full: they were taken.
    pub(super) fn drop_full_bytes(&mut self) {
        self.bytes.clear();
    }

    /// The other bytes, the last one filled up with zeros.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let last = (self.pending << ((64 - self.pending_count) % 64)).to_be_bytes();
        self.bytes.extend_from_slice(&last[..self.pending_count.div_ceil(8) as usize]);
        self.bytes
    }
}

/// Reads bits. Beyond the end there are zeros without end.
pub(super) struct BitReader<'b> {
    bytes: &'b [u8],
    position: u64,
}

impl<'b> BitReader<'b> {
    /// A reader that starts at the first bit.
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// A reader that starts at the bit of this number.
    pub(super) fn starting_at(bytes: &'b [u8], position: u64) -> Self {
        Self { bytes, position }
    }

    /// The number of the next bit.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Goes to the bit of this number.
    pub(super) fn seek(&mut self, position: u64) {
        self.position = position;
    }

    /// How many bits there are.
    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64 * 8
    }

    /// Whether no bit is left.
    fn is_past_end(&self) -> bool {
        self.position >= self.len()
    }

    /// The next bits, from the top; at least 57 of them count.
    fn window(&self) -> u64 {
        let rest =
            usize::try_from(self.position / 8).ok().and_then(|start| self.bytes.get(start..)).unwrap_or_default();
        let window = match rest.first_chunk::<8>() {
            Some(bytes) => u64::from_be_bytes(*bytes),
            None => rest.iter().rev().fold(0, |window, &byte| window >> 8 | u64::from(byte) << 56),
        };
        window << (self.position % 8)
    }

    /// Reads `width` bits, at most 64.
    pub(super) fn read(&mut self, width: u32) -> u64 {
        if width == 0 {
            return 0;
        }
        let value = self.whole_window() >> (64 - width);
        self.position += u64::from(width);
        value
    }

    /// The next 64 bits.
    fn whole_window(&self) -> u64 {
        let (start, skipped) = ((self.position / 8) as usize, self.position % 8);
        match self.bytes.get(start..).and_then(<[u8]>::first_chunk::<9>) {
            Some([first @ .., last]) => u64::from_be_bytes(*first) << skipped | u64::from(*last) >> (8 - skipped),
            // Near the end: a window, and the byte behind it.
            None => {
                let last = self.bytes.get(start.saturating_add(8)).copied().unwrap_or_default();
                self.window() | u64::from(last) >> (8 - skipped)
            }
        }
    }

    /// Reads zeros up to and with the next one; the number of zeros, or `None` if no one is left.
    pub(super) fn read_zeros(&mut self) -> Option<u64> {
        let start = self.position;
        while !self.is_past_end() {
            let zeros = self.window().leading_zeros();
            if zeros < 57 {
                self.position += u64::from(zeros) + 1;
                return Some(self.position - start - 1);
            }
            self.position += 57;
        }
        None
    }

    /// Reads `count` bits into `to`.
    pub(super) fn copy_to(&mut self, to: &mut BitWriter, count: u64) {
        let mut left = count;
        while left > 0 {
            let width = left.min(u64::from(MAX_WIDTH)) as u32;
            to.put(self.read(width), width);
            left -= u64::from(width);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn wide_fields_are_read_as_narrow_ones(bytes in proptest::collection::vec(any::<u8>(), 0..40), skip in 0..=20u32, width in 0..=64u32) {
            let (mut wide, mut narrow) = (BitReader::new(&bytes), BitReader::new(&bytes));
            for _ in 0..6 {
                prop_assert_eq!(wide.read(skip), narrow.read(skip));
                let expected = (0..width).fold(0, |value, _| value << 1 | narrow.read(1));
                prop_assert_eq!(wide.read(width), expected);
            }
        }

        #[test]
        fn what_is_written_is_read(fields in proptest::collection::vec((any::<u32>(), 0..=MAX_WIDTH), 0..50)) {
            let fields: Vec<(u64, u32)> =
                fields.into_iter().map(|(value, width)| (u64::from(value) & ((1 << width) - 1), width)).collect();
            let mut writer = BitWriter::with_capacity(0);
            for &(value, width) in &fields {
                writer.put(value, width);
            }
            let bytes = writer.finish();
            let bits: u32 = fields.iter().map(|field| field.1).sum();
            prop_assert_eq!(bytes.len() as u32, bits.div_ceil(8));
            let mut reader = BitReader::new(&bytes);
            for (value, width) in fields {
                prop_assert_eq!(reader.read(width), value);
            }
            prop_assert_eq!(reader.position, u64::from(bits));
        }

        #[test]
        fn runs_of_zeros_are_counted(runs in proptest::collection::vec(0u64..200, 0..20)) {
            let mut writer = BitWriter::with_capacity(0);
            for &run in &runs {
                writer.put_zeros(run);
                writer.put(1, 1);
            }
            let bytes = writer.finish();
            let mut reader = BitReader::new(&bytes);
            for run in runs {
                prop_assert_eq!(reader.read_zeros(), Some(run));
            }
            prop_assert_eq!(reader.read_zeros(), None);
        }
    }
}
